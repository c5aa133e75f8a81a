SELECT region, cell, min(@scheduled_runtime) AS time, COUNT(*) AS numDataPoints FROM raw_data.devops
WHERE time BETWEEN bin(@scheduled_runtime, 1h) - 14h AND bin(@scheduled_runtime, 1h) - 2h GROUP BY region, cell
