-- two series side by side
WITH s AS (SELECT sensor, INTERPOLATE_LINEAR(CREATE_TIME_SERIES(time, temp), SEQUENCE(min(time), max(time), 1s)) AS t_s,
                  INTERPOLATE_LOCF(CREATE_TIME_SERIES(time, status), SEQUENCE(min(time), max(time), 1s)) AS st_s
           FROM iot.sensors WHERE measure_name = 'm' AND time BETWEEN '2024-01-01 00:00:00' AND '2024-01-01 01:00:00' GROUP BY sensor)
SELECT int.sensor, t.time, min(u.status) AS status, avg(t.temp) AS temp
FROM s AS int CROSS JOIN UNNEST(t_s) AS t (time, temp) CROSS JOIN UNNEST(st_s) AS u (time, status)
WHERE t.time = u.time GROUP BY int.sensor, t.time;
