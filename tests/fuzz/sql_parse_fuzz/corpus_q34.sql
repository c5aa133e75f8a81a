-- delta with lag
SELECT hostname, time, measure_value::bigint - lag(measure_value::bigint) OVER (PARTITION BY hostname ORDER BY time) AS delta
FROM "sampleDB".DevOps WHERE measure_name = 'network_bytes_in' AND time > ago(1h);
