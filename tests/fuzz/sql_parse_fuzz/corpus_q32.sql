-- top-3 hours per day with DENSE_RANK, alias named rank used later
WITH c AS (SELECT microservice_name, HOUR(tb) AS hour, BIN(tb, 24h) AS day, APPROX_PERCENTILE(avg_cpu, 0.95) AS p95
           FROM (SELECT microservice_name, instance_name, BIN(time, 15m) AS tb, AVG(cpu_user) AS avg_cpu FROM "raw_data"."devops"
                 WHERE time BETWEEN now() - 3d AND now() AND measure_name = 'metrics' GROUP BY instance_name, microservice_name, BIN(time, 15m)) x
           GROUP BY HOUR(tb), BIN(tb, 24h), microservice_name),
     r AS (SELECT microservice_name, day, hour, p95, DENSE_RANK() OVER (PARTITION BY microservice_name, day ORDER BY p95 DESC) AS rank FROM c)
SELECT microservice_name, day, hour AS hour, p95 FROM r WHERE rank <= 3 ORDER BY microservice_name, day, rank ASC;
