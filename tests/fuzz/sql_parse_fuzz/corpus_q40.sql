-- union of source tip and derived table, parenthesised, no alias, ORDER BY ordinal
WITH s AS (SELECT bin(time, 1m) AS minute, COUNT(*) AS n FROM "raw_data"."devops"
           WHERE time BETWEEN bin(from_milliseconds(1636743196439), 1m) - 15m AND from_milliseconds(1636743196439) GROUP BY bin(time, 1m)),
     d AS (SELECT bin(time, 1m) AS minute, SUM(numDataPoints) AS n FROM "derived"."per_minute_aggs_pt5m"
           WHERE time BETWEEN from_milliseconds(1636699996439) AND bin(from_milliseconds(1636743196439), 1m) - 15m GROUP BY bin(time, 1m))
SELECT minute, n FROM ((SELECT * FROM d) UNION (SELECT * FROM s)) ORDER BY 1 DESC
