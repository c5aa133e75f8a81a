SELECT @a, @b_2, @a WHERE @scheduled_runtime > time;
