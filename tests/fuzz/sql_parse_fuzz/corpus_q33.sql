-- aggregate inside a window order key + create_time_series from a join
WITH u AS (SELECT region, silo, bin(time, 1h) AS hour, ROUND(SUM(IF(cpu_user > 80, 1, 0)) * 100.0 / COUNT(*), 0) AS pct FROM "raw_data"."devops"
           WHERE measure_name = 'metrics' AND time > ago(1d) GROUP BY region, silo, bin(time, 1h)),
     k AS (SELECT region, silo, DENSE_RANK() OVER (PARTITION BY region ORDER BY AVG(pct) DESC) AS rank FROM u GROUP BY region, silo)
SELECT u.silo, CREATE_TIME_SERIES(hour, u.pct) AS pct FROM u INNER JOIN k ON u.region = k.region AND u.silo = k.silo
WHERE rank <= 2 GROUP BY u.region, u.silo ORDER BY u.silo;
