SELECT region, bin(time, 1m) AS minute, SUM(CASE WHEN measure_name = 'metrics' THEN 20 ELSE 5 END) AS numDataPoints
FROM raw_data.devops WHERE time BETWEEN @scheduled_runtime - 10m AND @scheduled_runtime + 1m GROUP BY bin(time, 1m), region
