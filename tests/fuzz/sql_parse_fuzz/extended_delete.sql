DELETE FROM "db".t WHERE time < ago(30d) AND host = 'a' DRY RUN
