UNLOAD (WITH a (x) AS (SELECT 1) SELECT * FROM a) TO 's3://b/p' WITH (format = 'CSV', partitioned_by = ARRAY['x'])
