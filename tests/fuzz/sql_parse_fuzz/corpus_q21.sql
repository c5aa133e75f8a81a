-- (and the same with INTERPOLATE_LOCF, INTERPOLATE_SPLINE_CUBIC, and INTERPOLATE_FILL(..., 10.0))
WITH binned AS (SELECT hostname, BIN(time, 30s) AS bt, ROUND(AVG(measure_value::double), 2) AS v FROM "sampleDB".DevOps
                WHERE measure_name = 'cpu_utilization' AND hostname = 'host-a' AND time > ago(2h) GROUP BY hostname, BIN(time, 30s)),
     filled AS (SELECT hostname, INTERPOLATE_LINEAR(CREATE_TIME_SERIES(bt, v), SEQUENCE(min(bt), max(bt), 15s)) AS s FROM binned GROUP BY hostname)
SELECT time, ROUND(value, 2) AS cpu FROM filled CROSS JOIN UNNEST(s);
