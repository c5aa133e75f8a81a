-- moving average and ntile
SELECT time, avg(cpu_user) OVER (PARTITION BY instance_name ORDER BY time ROWS BETWEEN 4 PRECEDING AND CURRENT ROW) AS ma5,
       ntile(4) OVER (ORDER BY cpu_user) AS quartile FROM "raw_data"."devops" WHERE measure_name = 'metrics' AND time > ago(15m);
