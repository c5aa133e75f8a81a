WITH latest AS (
    SELECT max(time) AS latest_time, hostname, measure_name FROM "benchmark"."cpu" GROUP BY 2, 3)
SELECT b.hostname, b.measure_name, b.measure_value::double, b.time
FROM latest a JOIN "benchmark"."cpu" b
  ON a.hostname = b.hostname AND a.measure_name = b.measure_name AND a.latest_time = b.time
ORDER BY hostname, measure_name
