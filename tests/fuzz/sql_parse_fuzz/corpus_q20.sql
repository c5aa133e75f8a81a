-- CTE re-exporting measure_value::double
WITH al AS (SELECT truck_id, avg(measure_value::double) AS avg_load FROM "sampleDB".IoT WHERE measure_name = 'load' AND time >= ago(7d) GROUP BY truck_id, fleet),
     eff AS (SELECT a.truck_id, fleet, avg_load, measure_value::double, time, (measure_value::double * 100) / avg_load AS eff
             FROM "sampleDB".IoT a JOIN al b ON a.truck_id = b.truck_id WHERE a.measure_name = 'load')
SELECT truck_id, time, eff, measure_value::double FROM eff ORDER BY truck_id, time;
