SELECT x AS "a:b" FROM d.t
