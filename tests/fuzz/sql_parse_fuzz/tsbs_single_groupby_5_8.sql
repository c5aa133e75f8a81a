SELECT BIN(time, 60s) AS minute,
    MAX(CASE WHEN measure_name = 'usage_user' THEN measure_value::double ELSE NULL END) AS max_usage_user,
    MAX(CASE WHEN measure_name = 'usage_system' THEN measure_value::double ELSE NULL END) AS max_usage_system,
    MAX(CASE WHEN measure_name = 'usage_idle' THEN measure_value::double ELSE NULL END) AS max_usage_idle,
    MAX(CASE WHEN measure_name = 'usage_nice' THEN measure_value::double ELSE NULL END) AS max_usage_nice,
    MAX(CASE WHEN measure_name = 'usage_iowait' THEN measure_value::double ELSE NULL END) AS max_usage_iowait
FROM "benchmark"."cpu"
WHERE (measure_name = 'usage_user' OR measure_name = 'usage_system' OR measure_name = 'usage_idle' OR measure_name = 'usage_nice' OR measure_name = 'usage_iowait')
  AND (hostname = 'host_0' OR hostname = 'host_7' OR hostname = 'host_14' OR hostname = 'host_21' OR hostname = 'host_28' OR hostname = 'host_35' OR hostname = 'host_42' OR hostname = 'host_49')
  AND time >= '2026-01-01 00:00:00 +0000' AND time < '2026-01-01 12:00:00.5 +0000'
GROUP BY 1 ORDER BY 1 ASC
