-- scalar interpolation
SELECT interpolate_linear(CREATE_TIME_SERIES(time, measure_value::double), '2024-01-01 00:00:01.5'),
       interpolate_fill(CREATE_TIME_SERIES(time, measure_value::double), TIMESTAMP '2024-01-01 00:00:01.5', 0)
FROM "sampleDB".DevOps;
