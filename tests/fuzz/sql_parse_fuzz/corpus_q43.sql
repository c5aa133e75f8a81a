-- nested SUM(COUNT(DISTINCT)) dashboard
SELECT CASE WHEN microservice_name = 'apollo' THEN n ELSE NULL END AS apollo, CASE WHEN microservice_name = 'zeus' THEN n ELSE NULL END AS zeus
FROM (SELECT microservice_name, SUM(n) AS n FROM (SELECT microservice_name, COUNT(DISTINCT instance_name) AS n FROM "raw_data"."devops"
      WHERE time > ago(1d) AND measure_name = 'metrics' GROUP BY region, cell, microservice_name) GROUP BY microservice_name)
