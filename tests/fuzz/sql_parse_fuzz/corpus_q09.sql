-- percentiles per bin
SELECT region, az, hostname, BIN(time, 15s) AS binned_timestamp,
       ROUND(AVG(measure_value::double), 2) AS avg_cpu,
       ROUND(APPROX_PERCENTILE(measure_value::double, 0.9), 2) AS p90,
       ROUND(APPROX_PERCENTILE(measure_value::double, 0.99), 2) AS p99
FROM "sampleDB".DevOps
WHERE measure_name = 'cpu_utilization' AND hostname = 'host-a' AND time > ago(2h)
GROUP BY region, hostname, az, BIN(time, 15s)
ORDER BY binned_timestamp ASC;
