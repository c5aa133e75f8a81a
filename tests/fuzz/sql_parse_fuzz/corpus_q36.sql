-- join of two tables with varchar time bounds
WITH ev AS (SELECT time, gpio, temperature FROM iot.events WHERE time BETWEEN '2023-09-19' AND '2023-11-01'),
     de AS (SELECT gpio, name, status FROM iot.details WHERE time BETWEEN '2023-09-19' AND '2023-11-01' AND status = 'active')
SELECT ev.time, ev.gpio, temperature, name, status FROM ev JOIN de ON ev.gpio = de.gpio;
