SHOW TABLES IN "my-db" LIKE 'a%'
