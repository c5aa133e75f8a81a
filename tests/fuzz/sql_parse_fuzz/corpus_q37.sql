-- i.* plus columns, cross join filter
WITH m AS (SELECT cell, AVG(cpu_user) AS a FROM "raw_data"."devops" WHERE time > ago(1h) AND measure_name = 'metrics' GROUP BY cell),
     i AS (SELECT cell, instance_name, AVG(cpu_user) AS ia FROM "raw_data"."devops" WHERE time > ago(1h) AND measure_name = 'metrics' GROUP BY instance_name, cell)
SELECT i.*, m.a FROM m INNER JOIN i ON i.cell = m.cell WHERE i.ia > (1 + 0.2) * m.a ORDER BY i.ia DESC;
