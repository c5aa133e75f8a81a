SELECT INTEGRAL_TRAPEZOIDAL(CREATE_TIME_SERIES(time, measure_value::double), 5m) AS result FROM "sampleDB".DevOps
WHERE measure_name = 'request' AND hostname = 'host-a' AND time > ago (1h) GROUP BY hostname, measure_name;
