-- series panel: unaliased series column becomes _col3
SELECT silo, microservice_name, instance_name, CREATE_TIME_SERIES(time, measure_value::double) FROM "grafanaDB"."DevOps"
WHERE time BETWEEN from_milliseconds(1) AND from_milliseconds(2) AND measure_name = 'gc_pause'
GROUP BY region, silo, microservice_name, instance_name ORDER BY AVG(measure_value::double) DESC LIMIT 3
