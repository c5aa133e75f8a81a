SELECT now() AS t0, now() - (INTERVAL '12' HOUR) AS t1, now() - 12h AS t2, ago(12h) AS t3,
       bin(now(), 10m) AS t4, ago(50ns) AS t5, now() + (1h + 50ns) AS t6;
