-- share of hot hosts
SELECT ROUND(COUNT(IF(p90 > 80, 1, NULL)) * 100 / CAST(COUNT(*) AS DOUBLE)) AS pct
FROM (SELECT instance_name, approx_percentile(cpu_user, 0.9) AS p90 FROM "raw_data"."devops"
      WHERE time > ago(6h) AND measure_name = 'metrics' GROUP BY region, instance_name);
