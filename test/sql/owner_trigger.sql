-- The owner trigger: by whatever way a value is written, it is sealed for its row's owner and its column.
\set SHOW_CONTEXT never
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE SCHEMA binding;
SET search_path = binding, public;
CREATE TABLE pay (id int PRIMARY KEY, who text, salary numeric(12, 2), bonus numeric(12, 2), note text);
SELECT envcrypt_protect('pay', ARRAY['salary', 'bonus'], 'who');
SELECT envcrypt_protect('pay', 'note', 'who', null_owner => 'database');
-- What is wrong with any value, and whose the values are. Nothing is ever wrong below.
CREATE FUNCTION state(rel text DEFAULT 'pay') RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT format('%s: %s', "column", problem) FROM envcrypt_verify(rel::regclass) WHERE problem
        IS NOT NULL;
    RETURN QUERY EXECUTE
        format('SELECT concat_ws('' '', id, who, salary, bonus, note, ''| sealed for'', envcrypt_owner(salary), '
            'envcrypt_owner(bonus),
        coalesce(envcrypt_owner(note), ''nobody'')) FROM %s ORDER BY id', rel);
END $$;

INSERT INTO pay VALUES (1, 'ann', 100, 1, 'one'), (2, 'bob', 200.005, NULL, NULL);
INSERT INTO pay SELECT 3, 'cyd', 300, 3, 'three';
PREPARE several(int, text, numeric, text) AS INSERT INTO pay VALUES ($1, $2, $3, 0, 'p'), ($1 + 1, $2 || 2, $3, 0, $4);
EXECUTE several(4, 'dan', 400, 'four');
EXECUTE several(6, 'eve', 600, 'six');
PREPARE untyped AS INSERT INTO pay VALUES ($1, $2, $3, $4, $5);
EXECUTE untyped(8, 'fay', 800, 8, 'eight');
DO $$
BEGIN
    FOR i IN 9..10 LOOP
        INSERT INTO pay VALUES (i, 'gus', i * 100, DEFAULT, 'loop ' || i), (i + 10, 'hal', i * 100, i, 'loop');
    END LOOP;
END $$;
COPY pay FROM stdin;
30	ida	3000	30	copied
31	joe	3100	\N	\N
\.
SELECT * FROM state();
-- To another column: a value is its column's.
UPDATE pay SET bonus = salary, salary = bonus + 1 WHERE id = 1;
UPDATE pay SET bonus = salary WHERE id = 2;
-- To another owner.
UPDATE pay SET who = 'zoe' WHERE id = 3;
UPDATE pay SET (who, note) = (SELECT who, note FROM pay WHERE id = 4) WHERE id = 5;
-- From row to row, and with a CTE.
UPDATE pay a SET salary = b.salary, note = b.note FROM pay b WHERE a.id = 6 AND b.id = 7;
WITH gone AS (DELETE FROM pay WHERE id IN (9, 10, 19, 20) RETURNING *) INSERT INTO pay SELECT id + 100, who || '!',
    salary, bonus, note FROM gone WHERE id < 19;
INSERT INTO pay VALUES (8, 'fay', 1, 1, 'excluded') ON CONFLICT (id) DO UPDATE SET salary = EXCLUDED.salary,
    bonus = pay.salary, note = EXCLUDED.note;
INSERT INTO pay VALUES (30, 'other', 1, 1, 'not there') ON CONFLICT DO NOTHING;
MERGE INTO pay USING (VALUES (31, 'joe', 31), (32, 'kim', 32)) AS v (id, who, salary) ON pay.id = v.id
WHEN MATCHED THEN UPDATE SET bonus = pay.salary + v.salary
WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.who, v.salary, 0, 'merged');
SELECT * FROM state();
-- A row without an owner.
INSERT INTO pay VALUES (40, NULL, 1, NULL, NULL);
INSERT INTO pay VALUES (40, '', 1, NULL, NULL);
INSERT INTO pay VALUES (40, repeat('x', 256), 1, NULL, NULL);
UPDATE pay SET who = NULL WHERE id = 109;
INSERT INTO pay VALUES (40, NULL, NULL, NULL, 'nobody''s');
UPDATE pay SET who = 'lea' WHERE id = 40;
SELECT * FROM state() WHERE state ~ '^40';

-- It fires last among BEFORE triggers: what they write is bound, too.
CREATE FUNCTION zealous() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.who := 'max';
    NEW.note := NEW.note || ' and more'; RETURN NEW; END $$;
CREATE TRIGGER zzz_last BEFORE INSERT OR UPDATE ON pay FOR EACH ROW EXECUTE FUNCTION zealous();
INSERT INTO pay VALUES (50, 'ned', 50, NULL, 'a note');
UPDATE pay SET id = 51 WHERE id = 50;
SELECT * FROM state() WHERE state ~ '^5[01]';
DROP TRIGGER zzz_last ON pay;
SELECT envcrypt_unprotect('pay', 'note');
CREATE TRIGGER "~zzz" BEFORE INSERT OR UPDATE ON pay FOR EACH ROW EXECUTE FUNCTION zealous();

-- Partitions: rows move, with their values bound as they were; new partitions get the trigger.
CREATE TABLE parts (id int, who text, salary numeric, bonus numeric, note text) PARTITION BY RANGE (id);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE parts_other (note text, gone int, bonus numeric, salary numeric, who text, id int);
ALTER TABLE parts_other DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts_other FOR VALUES FROM (100) TO (200);
SELECT envcrypt_protect('parts', ARRAY['salary', 'bonus', 'note'], 'who');
CREATE TABLE parts_new PARTITION OF parts FOR VALUES FROM (200) TO (300);
INSERT INTO parts VALUES (1, 'ann', 1, 1, 'low'), (101, 'bob', 2, 2, 'other'), (201, 'cyd', 3, 3, 'new');
UPDATE parts SET id = id + 100 WHERE id < 200;
UPDATE parts SET id = 2, who = 'dan' WHERE who = 'cyd';
SELECT * FROM state('parts');

-- Savepoints: what is undone leaves nothing behind, also not a key.
BEGIN;
SAVEPOINT s;
INSERT INTO parts VALUES (3, 'undone', 1, 1, 'x');
ROLLBACK TO s;
INSERT INTO parts VALUES (3, 'done', 1, 1, 'x');
COMMIT;
SELECT owner FROM envcrypt_data_keys WHERE owner IN ('done', 'undone') ORDER BY 1;
BEGIN;
INSERT INTO parts VALUES (4, 'rolled back', 1, 1, 'x');
ROLLBACK;
SELECT count(*) FROM envcrypt_data_keys WHERE owner = 'rolled back';

-- The plain type stays the column's: a modifier, a wrong value, a huge one, none.
INSERT INTO pay VALUES (60, 'ann', 12345678901.1, NULL, NULL);
INSERT INTO pay VALUES (60, 'ann', 'much', NULL, NULL);
INSERT INTO parts VALUES (5, 'ann', 'NaN', NULL, repeat('long ', 100000)), (6, 'ann', NULL, NULL, '');
UPDATE parts SET bonus = 1 WHERE id = 5;
SELECT id, salary, bonus, length(note), envcrypt_owner(note) FROM parts WHERE id IN (5, 6) ORDER BY id;
SELECT "column", problem, rows FROM envcrypt_verify('parts') ORDER BY 1;

-- Another extension's type.
CREATE EXTENSION citext SCHEMA public;
SELECT envcrypt_create_type('citext');
CREATE TABLE mail (id int, who text, address citext);
SELECT envcrypt_protect('mail', 'address', 'who');
INSERT INTO mail VALUES (1, 'ann', 'Ann@Example.org'), (2, 'bob', 'bob@example.org');
SELECT id, address, envcrypt_owner(address) FROM mail WHERE address::citext = 'ANN@example.ORG';
SELECT address FROM mail ORDER BY address DESC;
SELECT envcrypt_unprotect('mail', 'address');
\d mail

-- A table may be dropped, and so may what was made for it.
SET client_min_messages = warning;
DROP SCHEMA binding CASCADE;
DROP TYPE encrypted_citext CASCADE;
DROP EXTENSION citext;
SELECT count(*) FROM envcrypt_columns WHERE "table"::text ~ '^binding';
