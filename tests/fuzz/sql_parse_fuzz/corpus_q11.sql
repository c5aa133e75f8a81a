-- two measures pivoted with CASE
SELECT BIN(time, 1m) AS minute,
       AVG(CASE WHEN measure_name = 'cpu_utilization' THEN measure_value::double ELSE NULL END) AS cpu,
       AVG(CASE WHEN measure_name = 'memory_utilization' THEN measure_value::double END) AS mem
FROM "sampleDB".DevOps WHERE time BETWEEN now() - 1h AND now() AND measure_name IN ('cpu_utilization', 'memory_utilization')
GROUP BY BIN(time, 1m) ORDER BY minute DESC;
