-- gap fill without series functions: grid from UNNEST, left join, IGNORE NULLS
WITH grid AS (SELECT date_add('day', d, date_add('hour', h, date_add('second', s, bin('2023-09-20 17:12:22.958000000', 1m)))) AS time
              FROM unnest(sequence(0, 3540, 60)) t(s) CROSS JOIN unnest(sequence(0, 23)) AS t(h) CROSS JOIN unnest(sequence(0, 20)) AS t(d) ORDER BY d, h, s),
     ids AS (SELECT distinct(gpio) AS gpio FROM iot.sensordata),
     g AS (SELECT time, gpio FROM grid JOIN ids ON true),
     raw AS (SELECT bin(time, 1m) AS pt, avg(temperature) AS temperature, gpio FROM iot.sensordata
             WHERE time BETWEEN '2023-09-20 17:12:22.958000000' AND now() GROUP BY gpio, bin(time, 1m)),
     d AS (SELECT g.gpio, bin(time, 1m) AS time, temperature FROM g LEFT JOIN raw ON g.time = raw.pt AND g.gpio = raw.gpio)
SELECT gpio, time, temperature AS orig,
       LAST_VALUE(temperature) IGNORE NULLS OVER (PARTITION BY gpio ORDER BY time RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS filled
FROM d ORDER BY gpio, time;
