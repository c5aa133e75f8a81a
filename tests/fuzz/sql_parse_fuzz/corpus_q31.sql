-- last point per series
SELECT instance_name, MAX(time) AS time, MAX_BY(gc_pause, time) AS last_measure FROM "raw_data"."devops"
WHERE time < from_milliseconds(1636685271872) AND measure_name = 'events' AND region = 'us-east-1'
GROUP BY region, cell, silo, availability_zone, microservice_name, instance_name, process_name, jdk_version ORDER BY instance_name, time DESC;
