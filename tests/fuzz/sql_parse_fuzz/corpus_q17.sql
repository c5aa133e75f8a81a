-- last reading by self join
WITH latest AS (SELECT truck_id, max(time) AS latest_time FROM "sampleDB".IoT
                WHERE measure_name = 'fuel-reading' AND time >= ago(24h) GROUP BY truck_id)
SELECT b.truck_id, b.fleet, b.time, b.measure_value::double AS last_fuel
FROM latest a INNER JOIN "sampleDB".IoT b ON a.truck_id = b.truck_id AND b.time = a.latest_time
WHERE b.measure_name = 'fuel-reading' AND b.time > ago(24h) ORDER BY b.truck_id;
