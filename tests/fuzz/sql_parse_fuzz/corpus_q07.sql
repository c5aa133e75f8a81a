SELECT count(1) AS cnt, count(DISTINCT region) AS regions FROM "sampleDB".DevOps WHERE 1 = 1 AND hostname IS NOT NULL;
