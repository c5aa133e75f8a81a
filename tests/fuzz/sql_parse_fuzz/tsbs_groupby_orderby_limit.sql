SELECT BIN(time, 60s) AS minute, MAX(measure_value::double) AS max_usage_user
FROM "benchmark"."cpu"
WHERE time < '2026-01-01 12:00:00.5 +0000' AND measure_name = 'usage_user'
GROUP BY 1 ORDER BY 1 DESC LIMIT 5
