SELECT BIN(time, 60s) AS minute,
    MAX(CASE WHEN measure_name = 'usage_user' THEN measure_value::double ELSE NULL END) AS max_usage_user
FROM "benchmark"."cpu"
WHERE (measure_name = 'usage_user')
  AND (hostname = 'host_0')
  AND time >= '2026-01-01 00:00:00 +0000' AND time < '2026-01-01 12:00:00.5 +0000'
GROUP BY 1 ORDER BY 1 ASC
