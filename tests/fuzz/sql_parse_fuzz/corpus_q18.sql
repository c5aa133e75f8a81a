-- low fuel and not refuelled: IN, NOT IN, cast of a dimension
WITH low AS (SELECT time, truck_id, fleet, (measure_value::double / cast(fuel_capacity AS double) * 100) AS pct FROM "sampleDB".IoT
             WHERE time >= ago(48h) AND (measure_value::double / cast(fuel_capacity AS double) * 100) < 10 AND measure_name = 'fuel-reading'),
     other AS (SELECT time, truck_id FROM "sampleDB".IoT WHERE time >= ago(48h) AND truck_id IN (SELECT truck_id FROM low)
               AND (measure_value::double / cast(fuel_capacity AS double) * 100) >= 10 AND measure_name = 'fuel-reading'),
     refuelled AS (SELECT a.truck_id FROM low a JOIN other b ON a.truck_id = b.truck_id AND b.time >= a.time)
SELECT DISTINCT truck_id, fleet, pct FROM low WHERE truck_id NOT IN (SELECT truck_id FROM refuelled);
