SHOW MEASURES FROM "sampleDB".DevOps LIKE 'cpu_%';
