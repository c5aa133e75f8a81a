SELECT 1 FROM d.t GROUP BY DISTINCT a, (), (b, c), (a + b) * 2, ROW(a, b), ROLLUP (a, b), CUBE (a), GROUPING SETS ((a, b), a, ())
