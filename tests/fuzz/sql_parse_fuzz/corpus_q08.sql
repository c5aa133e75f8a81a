SELECT DISTINCT cell FROM "raw_data"."devops" WHERE time > ago(1h) AND region = 'eu-west-1' ORDER BY 1;
