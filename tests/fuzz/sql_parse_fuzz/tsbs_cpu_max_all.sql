SELECT BIN(time, 3600s) AS hour,
    MAX(CASE WHEN measure_name = 'usage_user' THEN measure_value::double ELSE NULL END) AS max_usage_user,
    MAX(CASE WHEN measure_name = 'usage_system' THEN measure_value::double ELSE NULL END) AS max_usage_system,
    MAX(CASE WHEN measure_name = 'usage_idle' THEN measure_value::double ELSE NULL END) AS max_usage_idle,
    MAX(CASE WHEN measure_name = 'usage_nice' THEN measure_value::double ELSE NULL END) AS max_usage_nice,
    MAX(CASE WHEN measure_name = 'usage_iowait' THEN measure_value::double ELSE NULL END) AS max_usage_iowait,
    MAX(CASE WHEN measure_name = 'usage_irq' THEN measure_value::double ELSE NULL END) AS max_usage_irq,
    MAX(CASE WHEN measure_name = 'usage_softirq' THEN measure_value::double ELSE NULL END) AS max_usage_softirq,
    MAX(CASE WHEN measure_name = 'usage_steal' THEN measure_value::double ELSE NULL END) AS max_usage_steal,
    MAX(CASE WHEN measure_name = 'usage_guest' THEN measure_value::double ELSE NULL END) AS max_usage_guest,
    MAX(CASE WHEN measure_name = 'usage_guest_nice' THEN measure_value::double ELSE NULL END) AS max_usage_guest_nice
FROM "benchmark"."cpu"
WHERE hostname IN ('host_1', 'host_9') AND time >= '2026-01-01 00:00:00 +0000' AND time < '2026-01-01 12:00:00.5 +0000'
GROUP BY 1 ORDER BY 1
