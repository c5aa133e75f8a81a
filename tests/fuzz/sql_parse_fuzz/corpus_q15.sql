-- approx_distinct over concatenation
SELECT region, approx_distinct(microservice_name || instance_name) AS instances FROM "raw_data"."devops"
WHERE time > ago(1d) GROUP BY region ORDER BY region;
