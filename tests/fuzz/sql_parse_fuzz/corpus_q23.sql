-- filter + reduce with row state
WITH v AS (SELECT INTERPOLATE_LINEAR(CREATE_TIME_SERIES(time, ROUND(measure_value::double, 2)), SEQUENCE(min(time), max(time), 10s)) AS cpu, min(time) AS oldest
           FROM "sampleDB".DevOps WHERE hostname = 'host-a' AND measure_name = 'cpu_utilization' AND time > ago(2h) GROUP BY hostname)
SELECT FILTER(cpu, x -> x.value < 75 AND x.time > oldest + 1m) AS low,
       REDUCE(FILTER(cpu, x -> x.value > 70.0), 0, (s, x) -> s + 1, s -> s) AS n_high,
       REDUCE(cpu, CAST(ROW(0.0, 0) AS ROW(sum DOUBLE, count INTEGER)),
              (s, x) -> CAST(ROW(x.value + s.sum, s.count + 1) AS ROW(sum DOUBLE, count INTEGER)),
              s -> IF(s.count = 0, NULL, s.sum / s.count)) AS mean
FROM v;
