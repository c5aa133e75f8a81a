SELECT BIN(time, 3600s) AS hour, hostname,
    AVG(CASE WHEN measure_name = 'usage_user' THEN measure_value::double ELSE NULL END) AS avg_usage_user
FROM "benchmark"."cpu"
WHERE time >= '2026-01-01 00:00:00 +0000' AND time < '2026-01-01 12:00:00.5 +0000'
GROUP BY 1, 2 ORDER BY 1, 2
