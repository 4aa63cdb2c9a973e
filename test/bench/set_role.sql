-- Microseconds of "SET ROLE app; SELECT f(1); RESET ROLE", where f joins two small tables, or seven.
\set QUIET on
SET client_min_messages = error;
DROP TABLE IF EXISTS a, b;
CREATE TABLE a (id int PRIMARY KEY, v int);
CREATE TABLE b (id int PRIMARY KEY, a int);
INSERT INTO a SELECT i, i FROM generate_series(1, 100) i;
INSERT INTO b SELECT i, i FROM generate_series(1, 100) i;
ANALYZE a, b;
DO $$ BEGIN CREATE ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT SELECT ON a, b TO app;
CREATE OR REPLACE FUNCTION two(int) RETURNS bigint LANGUAGE plpgsql AS
    'BEGIN RETURN (SELECT count(*) FROM a JOIN b ON a.id = b.a WHERE b.id = $1); END';
CREATE OR REPLACE FUNCTION seven(int) RETURNS bigint LANGUAGE plpgsql AS
    'BEGIN RETURN (SELECT count(*) FROM b JOIN a a1 ON a1.id = b.a JOIN a a2 ON a2.id = b.a JOIN a a3 ON a3.id = b.a
        JOIN a a4 ON a4.id = b.a JOIN a a5 ON a5.id = b.a JOIN a a6 ON a6.id = b.a WHERE b.id = $1); END';
CREATE OR REPLACE FUNCTION microseconds(times int, f text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE start timestamptz := clock_timestamp();
BEGIN
    IF f = 'two' THEN
        FOR i IN 1 .. times LOOP SET ROLE app; PERFORM two(1); RESET ROLE; END LOOP;
    ELSE
        FOR i IN 1 .. times LOOP SET ROLE app; PERFORM seven(1); RESET ROLE; END LOOP;
    END IF;
    RETURN round(extract(epoch FROM clock_timestamp() - start) * 1000000 / times, 3);
END $$;
SELECT microseconds(1000, f) FROM (VALUES ('two'), ('seven')) v (f) \g /dev/null
SELECT f, min(microseconds(4000, f)) FROM (VALUES ('two'), ('seven')) v (f), generate_series(1, 5) GROUP BY f
ORDER BY f DESC;
