SELECT time, value rank, x AS int, date, interval, row, all, "select", "all", "interval" - '5', "array"[1], "any"((SELECT 1)), "normalize"(x), 1 day FROM "d"."t" DESC LIMIT 10
