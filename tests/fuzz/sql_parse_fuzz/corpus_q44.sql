UNLOAD (SELECT user_id, ip_address, session_id, measure_name, time, query, quantity, product_id, channel, event FROM sample_clickstream.sample_shopping
        WHERE time BETWEEN ago(2d) AND now()) TO 's3://my-bucket/by_channel_event/'
WITH (format = 'CSV', compression = 'GZIP', partitioned_by = ARRAY['channel','event'])
