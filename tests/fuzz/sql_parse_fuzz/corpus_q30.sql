WITH a AS (SELECT INTERPOLATE_LINEAR(CREATE_TIME_SERIES(time, measure_value::double), SEQUENCE(min(time), max(time), 10m)) AS r FROM "sampleDB".DevOps
           WHERE measure_name = 'cpu_utilization' AND hostname = 'host-a' AND time > ago(1h) GROUP BY hostname, measure_name),
     b AS (SELECT INTERPOLATE_LINEAR(CREATE_TIME_SERIES(time, measure_value::double), SEQUENCE(min(time), max(time), 10m)) AS r FROM "sampleDB".DevOps
           WHERE measure_name = 'cpu_utilization' AND hostname = 'host-a' AND time > ago(1h) GROUP BY hostname, measure_name)
SELECT correlate_pearson(a.r, b.r) AS p, correlate_spearman(a.r, b.r) AS s FROM a, b;
