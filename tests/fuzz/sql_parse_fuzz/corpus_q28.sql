WITH b AS (SELECT bin(time, 5m) AS bt, ROUND(AVG(measure_value::double), 2) AS value FROM "sampleDB".DevOps
           WHERE micro_service = 'jwt' AND time > ago(1h) AND measure_name = 'service_error' GROUP BY bin(time, 5m))
SELECT non_negative_derivative_linear(CREATE_TIME_SERIES(bt, value), 1m) AS rate FROM b;
