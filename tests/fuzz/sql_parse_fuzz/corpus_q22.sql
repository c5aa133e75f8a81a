-- all hosts on a common grid, unnest with aliases
WITH mm AS (SELECT hostname, min(time) AS t0, max(time) AS t1 FROM "sampleDB".DevOps WHERE measure_name = 'cpu_utilization' AND time > ago(2h) GROUP BY hostname),
     f AS (SELECT m.hostname, INTERPOLATE_LOCF(CREATE_TIME_SERIES(time, measure_value::double), SEQUENCE(MIN(mm.t0), MAX(mm.t1), 1s)) AS s
           FROM "sampleDB".DevOps m INNER JOIN mm ON m.hostname = mm.hostname WHERE measure_name = 'cpu_utilization' AND time > ago(2h) GROUP BY m.hostname)
SELECT hostname, AVG(cpu) AS avg_cpu FROM f CROSS JOIN UNNEST(s) AS t (time, cpu) GROUP BY hostname ORDER BY avg_cpu DESC;
