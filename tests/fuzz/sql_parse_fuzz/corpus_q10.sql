-- hosts 10 % above fleet (implicit cross join of two CTEs)
WITH fleet AS (SELECT COUNT(DISTINCT hostname) AS hosts, AVG(measure_value::double) AS fleet_avg FROM "sampleDB".DevOps
               WHERE measure_name = 'cpu_utilization' AND time > ago(2h)),
     per_host AS (SELECT region, az, hostname, AVG(measure_value::double) AS host_avg FROM "sampleDB".DevOps
               WHERE measure_name = 'cpu_utilization' AND time > ago(2h) GROUP BY region, az, hostname)
SELECT region, az, hostname, host_avg, fleet_avg FROM fleet, per_host WHERE host_avg > 1.1 * fleet_avg ORDER BY host_avg DESC;
