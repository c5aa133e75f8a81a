SELECT region, cell, BIN(time, 30000ms) AS time_bin, ROUND(AVG(measure_value::double), 2) AS avg_value FROM "grafanaDB"."DevOps"
WHERE time BETWEEN from_milliseconds(1636526171043) AND from_milliseconds(1636612571043) AND measure_name = 'cpu_user'
GROUP BY region, cell, BIN(time, 30000ms) ORDER BY time_bin DESC
