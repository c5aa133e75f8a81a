DESCRIBE "raw_data"."devops";
