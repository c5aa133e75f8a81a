WITH usage_over AS (
    SELECT time, hostname FROM "benchmark"."cpu"
    WHERE measure_name = 'usage_user' AND measure_value::double > 90 AND time >= '2026-01-01 00:00:00 +0000' AND time < '2026-01-01 12:00:00.5 +0000'
      AND (hostname = 'host_3'))
SELECT * FROM "benchmark"."cpu" a JOIN usage_over b ON a.hostname = b.hostname AND a.time = b.time
