-- group by a varchar measure, order by ordinal
SELECT measure_value::varchar AS state, COUNT(*) AS n FROM "sampleDB".IoT WHERE measure_name = 'location'
GROUP BY measure_value::varchar ORDER BY 2 DESC;
