-- HAVING + count of a grouped subquery without alias
SELECT COUNT(*) AS low_util FROM (
  SELECT region, instance_name FROM "raw_data"."devops" WHERE time > ago(6h) AND measure_name = 'metrics'
  GROUP BY region, instance_name HAVING approx_percentile(cpu_user, 0.9) < 20);
