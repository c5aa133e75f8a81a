UNLOAD(SELECT *, to_nanoseconds(time) as nanoseconds, DATE_FORMAT(time,'%Y-%m-%d') as partition_date FROM db.t WHERE time >= '2023-01-01 00:00:00' AND time < '2023-02-01 00:00:00' ORDER BY time asc )
TO 's3://b/p' WITH ( partitioned_by = ARRAY['partition_date'], format='csv', compression='none', max_file_size = '4.9GB', include_header='true')
