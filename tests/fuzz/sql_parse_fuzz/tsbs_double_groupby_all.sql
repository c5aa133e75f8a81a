SELECT BIN(time, 3600s) AS hour, hostname,
    AVG(CASE WHEN measure_name = 'usage_user' THEN measure_value::double ELSE NULL END) AS avg_usage_user,
    AVG(CASE WHEN measure_name = 'usage_system' THEN measure_value::double ELSE NULL END) AS avg_usage_system,
    AVG(CASE WHEN measure_name = 'usage_idle' THEN measure_value::double ELSE NULL END) AS avg_usage_idle,
    AVG(CASE WHEN measure_name = 'usage_nice' THEN measure_value::double ELSE NULL END) AS avg_usage_nice,
    AVG(CASE WHEN measure_name = 'usage_iowait' THEN measure_value::double ELSE NULL END) AS avg_usage_iowait,
    AVG(CASE WHEN measure_name = 'usage_irq' THEN measure_value::double ELSE NULL END) AS avg_usage_irq,
    AVG(CASE WHEN measure_name = 'usage_softirq' THEN measure_value::double ELSE NULL END) AS avg_usage_softirq,
    AVG(CASE WHEN measure_name = 'usage_steal' THEN measure_value::double ELSE NULL END) AS avg_usage_steal,
    AVG(CASE WHEN measure_name = 'usage_guest' THEN measure_value::double ELSE NULL END) AS avg_usage_guest,
    AVG(CASE WHEN measure_name = 'usage_guest_nice' THEN measure_value::double ELSE NULL END) AS avg_usage_guest_nice
FROM "benchmark"."cpu"
WHERE time >= '2026-01-01 00:00:00 +0000' AND time < '2026-01-01 12:00:00.5 +0000'
GROUP BY 1, 2 ORDER BY 1, 2
