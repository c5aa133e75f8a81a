-- weekly pivot
SELECT bin(time, 1d) AS day, fleet, truck_id,
       AVG(CASE WHEN measure_name = 'load' THEN measure_value::double ELSE NULL END) AS avg_load,
       MAX(CASE WHEN measure_name = 'speed' THEN measure_value::double ELSE NULL END) AS max_speed
FROM "sampleDB".IoT WHERE time >= ago(7d) AND measure_name IN ('load', 'speed')
GROUP BY fleet, truck_id, bin(time, 1d) ORDER BY truck_id;
