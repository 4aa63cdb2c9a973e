-- Chapters 5, 38.8 and 39 to 41: views, constraints, defaults, generated columns, domains, triggers, rules, policies.

-- name: view
CREATE VIEW v AS SELECT id, note, n, amount, born FROM t WHERE n > 5;
SELECT * FROM v WHERE note IS NOT NULL AND id <> 20 ORDER BY id;
SELECT count(*), max(note), sum(amount) FROM v WHERE amount < 1000;

-- name: view_expressions
CREATE VIEW v AS SELECT id, upper(note) AS note, n / 2 AS n, coalesce(amount, 0) AS amount, note LIKE 'a%' AS a,
    doc -> 'a' AS doc
FROM t;
SELECT * FROM v WHERE id <> 20 ORDER BY id;

-- name: view_update
CREATE VIEW v AS SELECT id, note, n, flag FROM t WHERE n > 5;
UPDATE v SET note = note || ' by view', n = n + 1 WHERE flag;
INSERT INTO v VALUES (100, 'by view', 10, true);
DELETE FROM v WHERE note = 'banana' OR n = 13;

-- name: view_check_option_fails
CREATE VIEW v AS SELECT id, note, n FROM t WHERE n > 5 WITH CHECK OPTION;
INSERT INTO v VALUES (100, 'x', 1);

-- name: view_of_join
CREATE VIEW v AS SELECT t.id, t.note, u.n AS un, t.n - u.n AS diff FROM t LEFT JOIN u USING (note, n);
SELECT * FROM v WHERE id <> 20 ORDER BY id, un;

-- name: view_aggregate
CREATE VIEW v AS SELECT note, count(*) AS c, sum(n) AS s FROM t WHERE abs(n) < 1000 GROUP BY note;
SELECT * FROM v WHERE c > 1 ORDER BY note;

-- name: view_security_barrier
CREATE VIEW v WITH (security_barrier) AS SELECT * FROM t WHERE flag;
SELECT id, note FROM v WHERE note LIKE '%a%' AND id <> 20 ORDER BY id;

-- name: view_instead_of_trigger
CREATE VIEW v AS SELECT id, note, n FROM t;
CREATE FUNCTION put() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO t (id, note, n) VALUES (NEW.id, NEW.note || '!', NEW.n + 1);
    RETURN NEW;
END $$;
CREATE TRIGGER put INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION put();
INSERT INTO v VALUES (100, 'through', 5);

-- name: view_definition_runs_again
CREATE VIEW v AS SELECT id, note || '!' AS note FROM t WHERE note = 'apple' AND n IN (1, 2) AND coalesce(amount, 0) > 1;
DO $$ BEGIN EXECUTE 'CREATE VIEW w AS ' || pg_get_viewdef('v'::regclass); END $$;
SELECT * FROM w ORDER BY id;

-- name: materialized_view
CREATE MATERIALIZED VIEW m AS SELECT id, note, n, amount, doc FROM t WHERE id < 10;
SELECT * FROM m ORDER BY id;
UPDATE t SET note = 'later' WHERE id = 1;
REFRESH MATERIALIZED VIEW m;
SELECT id, note, n / 2, amount * 2 FROM m ORDER BY id;

-- name: materialized_view_aggregate
CREATE MATERIALIZED VIEW m AS SELECT note, count(*) AS c, max(n) AS n, array_agg(id ORDER BY id) AS ids FROM t
WHERE id <> 20
GROUP BY note;
SELECT * FROM m ORDER BY note;

-- name: create_table_as
CREATE TEMP TABLE copied AS SELECT * FROM t WHERE id < 20;
SELECT count(*), max(note), sum(n), max(born) FROM copied WHERE abs(n) < 1000;
SELECT * FROM copied ORDER BY id;

-- name: create_table_like
CREATE TEMP TABLE copied (LIKE t INCLUDING ALL);
INSERT INTO copied SELECT * FROM t WHERE id < 10;
INSERT INTO copied (id, note, n) VALUES (100, 'x', 5);
SELECT id, note, n, amount FROM copied ORDER BY id;

-- name: check_constraint
ALTER TABLE t ADD CHECK (length(note) < 5000), ADD CHECK (n > -9223372036854775808), ADD CHECK (price < 1e10);
INSERT INTO t (id, note, n) VALUES (100, 'x', 5);

-- name: check_constraint_refuses
ALTER TABLE t ADD CONSTRAINT positive CHECK (n > 0) NOT VALID;
INSERT INTO t (id, note, n) VALUES (100, 'x', -1);

-- name: check_constraint_existing_fails
ALTER TABLE t ADD CONSTRAINT positive CHECK (n > 0);

-- name: check_constraint_kinds_refuses
CREATE TEMP TABLE checked (LIKE t);
ALTER TABLE checked ADD CHECK (note ~ '^[a-z]+$'), ADD CHECK (born <= '2024-12-31'), ADD CHECK (flag OR n IS NOT NULL),
    ADD CHECK (doc ? 'a'),
    ADD CHECK (host << '10.0.0.0/8'), ADD CHECK (amount BETWEEN 0 AND 100);
INSERT INTO checked (id, note, n, born, doc, host, amount)
VALUES (1, 'fine', 5, '2024-01-01', '{"a": 1}', '10.0.0.1', 50);
INSERT INTO checked (id, note, n, born, doc, host, amount)
VALUES (2, 'fine', 5, '2025-01-01', '{"a": 1}', '10.0.0.1', 50);
INSERT INTO checked (id, note, n, born, doc, host, amount)
VALUES (2, 'fine', 5, '2024-01-01', '{"a": 1}', '10.0.0.1', 150);
SELECT id, note FROM checked;

-- name: check_constraint_row
ALTER TABLE t ADD CONSTRAINT ordered CHECK (n IS NULL OR price IS NULL OR n::numeric <= price + 1e20);
UPDATE t SET price = 5, n = 5 WHERE id = 1;

-- name: not_null_constraint_refuses
ALTER TABLE u ALTER note SET NOT NULL;

-- name: not_null_column_refuses
DELETE FROM u WHERE note IS NULL;
ALTER TABLE u ALTER note SET NOT NULL;
INSERT INTO u (id, note) VALUES (100, NULL);

-- name: default_literal
ALTER TABLE t ALTER note SET DEFAULT 'by default', ALTER n SET DEFAULT 42, ALTER amount SET DEFAULT 1.50, ALTER flag
SET DEFAULT true,
    ALTER born SET DEFAULT '2000-01-01', ALTER doc SET DEFAULT '{}', ALTER host SET DEFAULT '0.0.0.0', ALTER raw
    SET DEFAULT '\x00',
    ALTER ratio SET DEFAULT 0.5, ALTER uid SET DEFAULT '00000000-0000-0000-0000-000000000000', ALTER price
    SET DEFAULT 9.999;
INSERT INTO t (id) VALUES (100);
INSERT INTO t (id, note, n) VALUES (101, DEFAULT, DEFAULT);

-- name: default_expression
ALTER TABLE t ALTER note SET DEFAULT upper('x') || 'y', ALTER n SET DEFAULT 6 * 7, ALTER born
SET DEFAULT date '2024-01-01' + 1,
    ALTER doc SET DEFAULT jsonb_build_object('a', 1);
INSERT INTO t (id) VALUES (100);

-- name: default_current
ALTER TABLE t ALTER born SET DEFAULT current_date, ALTER seen SET DEFAULT now(), ALTER uid
SET DEFAULT gen_random_uuid();
INSERT INTO t (id) VALUES (100) RETURNING born = current_date, seen = now(), uid IS NOT NULL;
DELETE FROM t WHERE id = 100;

-- name: default_sequence
CREATE SEQUENCE counter;
ALTER TABLE t ALTER n SET DEFAULT nextval('counter');
INSERT INTO t (id) VALUES (100), (101);

-- name: add_column_default
ALTER TABLE t ADD COLUMN extra int DEFAULT 5;
SELECT id, extra + n FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: generated_plain_column
CREATE TEMP TABLE g (id int, a text, b text GENERATED ALWAYS AS (upper(a)) STORED);
INSERT INTO g (id, a) SELECT id, note FROM t WHERE id < 5;
SELECT * FROM g ORDER BY id;

-- name: generated_from_int8
ALTER TABLE t ADD COLUMN twice bigint GENERATED ALWAYS AS (n / 2) STORED;

-- name: generated_text_from_column
CREATE TABLE g (LIKE t, label text GENERATED ALWAYS AS (note || '!') STORED);

-- name: index_on_column
CREATE INDEX ON t (note);

-- name: unique_constraint
ALTER TABLE t ADD UNIQUE (uid, id);

-- name: index_expression
CREATE INDEX ON t (lower(note));

-- name: index_partial
CREATE INDEX ON t (id) WHERE note IS NOT NULL;
SELECT count(*) FROM t WHERE note IS NOT NULL AND id > 10;

-- name: index_partial_literal
CREATE INDEX ON t (id) WHERE flag;

-- name: primary_key_on_column
CREATE TABLE keyed AS SELECT uid, note FROM t WHERE id < 5;
ALTER TABLE keyed ADD PRIMARY KEY (uid);

-- name: foreign_key_on_column
CREATE TABLE parents (n bigint PRIMARY KEY);
ALTER TABLE t ADD FOREIGN KEY (n) REFERENCES parents (n) NOT VALID;

-- name: exclusion_constraint_fails
ALTER TABLE t ADD EXCLUDE USING hash (note WITH =);

-- name: statistics_objects
CREATE STATISTICS s ON note, n FROM t;
ANALYZE t;
SELECT count(*) FROM t WHERE note = 'apple' AND n = 1;

-- name: partition_by
CREATE TABLE parts (LIKE t) PARTITION BY LIST (flag);

-- name: partition_other_key
CREATE TABLE parts (LIKE t) PARTITION BY RANGE (id);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (20);
CREATE TABLE parts_high PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT * FROM t WHERE id <> 20;
UPDATE parts SET id = id + 50, note = note || ' moved' WHERE id < 5;
SELECT tableoid::regclass, id, note, n FROM parts ORDER BY id;

-- name: inheritance
CREATE TABLE child (extra text) INHERITS (u);
INSERT INTO child (id, note, n, extra) VALUES (100, 'child', 5, 'x');
SELECT id, note, n FROM u WHERE n < 10 ORDER BY id;
SELECT id, note || extra FROM child;

-- name: alter_type_to_base
ALTER TABLE t ALTER note TYPE text, ALTER n TYPE bigint, ALTER amount TYPE numeric;

-- name: alter_type_using
ALTER TABLE t ALTER note TYPE varchar USING upper(note), ALTER n TYPE numeric USING n * 1.5, ALTER flag TYPE int
USING flag::int;
SELECT id, note, n, flag FROM t WHERE id < 5 ORDER BY id;

-- name: alter_type_same_typmod
ALTER TABLE t ALTER owner TYPE varchar(30), ADD COLUMN comment text;
UPDATE t SET comment = note || n;
SELECT id, comment FROM t WHERE id < 5 ORDER BY id;

-- name: rename_column
ALTER TABLE t RENAME note TO remark;
SELECT id, remark FROM t WHERE remark = 'apple' ORDER BY id;
ALTER TABLE t RENAME remark TO note;

-- name: drop_column
ALTER TABLE u DROP COLUMN note;
SELECT * FROM u WHERE id < 10 ORDER BY id;

-- name: domain_over_base
CREATE DOMAIN short AS text CHECK (length(VALUE) < 10);
SELECT id, note::short FROM t WHERE length(note) < 10 ORDER BY id;

-- name: domain_column_refuses
CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);
CREATE TEMP TABLE d (id int, n positive);
INSERT INTO d SELECT id, n FROM t WHERE n > 0;
SELECT d.id, d.n FROM d JOIN t ON d.n = t.n AND d.id = t.id ORDER BY 1;
INSERT INTO d SELECT id, n FROM t WHERE id = 3;

-- name: domain_violation_fails
CREATE DOMAIN short AS text CHECK (length(VALUE) < 3);
SELECT note::short FROM t WHERE id = 1;

-- name: enum_cast
CREATE TYPE fruit AS ENUM ('apple', 'banana');
SELECT id, note::text::fruit FROM t WHERE note IN ('apple', 'banana') ORDER BY id;

-- name: enum_cast_direct
CREATE TYPE fruit AS ENUM ('apple', 'banana');
SELECT id, note::fruit FROM t WHERE note IN ('apple', 'banana') ORDER BY id;

-- name: trigger_before
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.note := upper(NEW.note) || '!';
    NEW.n := coalesce(NEW.n, 0) + 1;
    IF NEW.flag THEN NEW.amount := NEW.n * 1.5; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER shout BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION shout();
INSERT INTO t (id, note, flag) VALUES (100, 'x', true);
UPDATE t SET note = 'changed' WHERE id < 4;

-- name: trigger_compare_old_new
CREATE TABLE log (id int, what text);
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.note IS DISTINCT FROM OLD.note THEN INSERT INTO log
    VALUES (NEW.id, 'note ' || OLD.note || ' -> ' || NEW.note); END IF;
    IF NEW.n <> OLD.n THEN INSERT INTO log VALUES (NEW.id, 'n ' || OLD.n || ' -> ' || NEW.n); END IF;
    IF NEW IS DISTINCT FROM OLD THEN INSERT INTO log VALUES (NEW.id, 'row'); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER watch AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION watch();
UPDATE t SET note = 'changed' WHERE id < 3;
UPDATE t SET n = n WHERE id < 6;
UPDATE t SET n = n + 1 WHERE id = 1;
SELECT * FROM log ORDER BY id, what;

-- name: trigger_when
CREATE TABLE log (id int, note text);
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log
VALUES (NEW.id, NEW.note); RETURN NEW; END $$;
CREATE TRIGGER a AFTER UPDATE ON t FOR EACH ROW WHEN (OLD.n < 10 AND NEW.note <> OLD.note) EXECUTE FUNCTION watch();
UPDATE t SET note = 'changed' WHERE id < 15;
SELECT * FROM log ORDER BY id;

-- name: trigger_when_distinct
CREATE TABLE log (id int);
CREATE FUNCTION watch() RETURNS trigger LANGUAGE
    plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER a AFTER UPDATE ON t FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION watch();
CREATE TRIGGER b AFTER UPDATE OF note ON t FOR EACH ROW
WHEN (OLD.note IS DISTINCT FROM NEW.note) EXECUTE FUNCTION watch();
UPDATE t SET note = note, n = n WHERE id < 15;
UPDATE t SET note = 'changed' WHERE id = 2;
SELECT * FROM log ORDER BY id;

-- name: trigger_suppress_redundant
CREATE TABLE log (id int);
CREATE FUNCTION watch() RETURNS trigger LANGUAGE
    plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER a_redundant BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER b_watch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION watch();
UPDATE t SET id = id WHERE id < 5;
UPDATE t SET n = n + 1 WHERE id < 3;
SELECT * FROM log ORDER BY id;

-- name: trigger_transition_tables
CREATE TABLE log (what text, c bigint, total numeric, notes text);
CREATE FUNCTION summarize() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log SELECT TG_OP, count(*), sum(n.n - o.n), string_agg(n.note, ',' ORDER BY n.id) FROM old_rows o
    JOIN new_rows n
    USING (id);
    RETURN NULL;
END $$;
CREATE TRIGGER summarize AFTER UPDATE ON t REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION summarize();
UPDATE t SET n = n + 5, note = note || '+' WHERE id < 5;
SELECT * FROM log;

-- name: trigger_audit_row
CREATE TABLE audit (at int, row jsonb, old t);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit
VALUES (OLD.id, to_jsonb(NEW), OLD); RETURN NEW; END $$;
CREATE TRIGGER audit BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION audit();
UPDATE t SET note = 'audited', amount = amount + 1 WHERE id < 4;
SELECT at, row ->> 'note', row -> 'amount', (old).note, (old).amount FROM audit ORDER BY at;

-- name: trigger_dynamic_field
CREATE FUNCTION set_field() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW := jsonb_populate_record(NEW, jsonb_build_object(TG_ARGV[0], TG_ARGV[1]));
    RETURN NEW;
END $$;
CREATE TRIGGER set_note BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION set_field('note', 'set by trigger');
CREATE TRIGGER set_n BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION set_field('n', '77');
INSERT INTO t (id, note, amount) VALUES (100, 'x', 1.5);

-- name: trigger_tsvector
CREATE TABLE searched (LIKE t, terms tsvector);
CREATE FUNCTION index_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.terms := to_tsvector('english', coalesce(NEW.note, '') || ' ' || coalesce(NEW.name, '')); RETURN NEW; END $$;
CREATE TRIGGER index_terms BEFORE INSERT OR UPDATE ON searched FOR EACH ROW EXECUTE FUNCTION index_terms();
INSERT INTO searched SELECT * FROM t WHERE id IN (1, 18);
SELECT id, terms FROM searched WHERE terms @@ to_tsquery('english', 'fox | apple') ORDER BY id;

-- name: constraint_trigger_refuses
CREATE FUNCTION must_be_small() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF NEW.n > 100 THEN RAISE EXCEPTION 'too large: % in row %', NEW.n, NEW.id
USING ERRCODE = 'P0099'; END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER must_be_small AFTER INSERT OR UPDATE ON t DEFERRABLE INITIALLY IMMEDIATE
FOR EACH ROW EXECUTE FUNCTION must_be_small();
UPDATE t SET n = 50 WHERE id = 1;
UPDATE t SET n = 500 WHERE id = 2;

-- name: rule
CREATE TABLE log (id int, old_note text, new_note text);
CREATE RULE keep AS ON UPDATE TO t DO ALSO INSERT INTO log VALUES (OLD.id, OLD.note, NEW.note);
UPDATE t SET note = 'ruled' WHERE n = 1;
SELECT * FROM log ORDER BY id;

-- name: policy
CREATE ROLE twin_reader IN ROLE envcrypt_decrypt;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO twin_reader', current_schema); END $$;
REVOKE ALL ON t FROM PUBLIC;
GRANT SELECT ON t TO twin_reader;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY apples ON t FOR SELECT USING (note = 'apple' OR n > 15 AND flag);
SET LOCAL ROLE twin_reader;
SELECT id, left(note, 10) FROM t ORDER BY id;
RESET ROLE;

-- name: column_privileges_refuses
CREATE ROLE twin_reader IN ROLE envcrypt_decrypt;
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO twin_reader', current_schema); END $$;
REVOKE ALL ON t FROM PUBLIC;
GRANT SELECT (id, note) ON t TO twin_reader;
SET LOCAL ROLE twin_reader;
SELECT id, note FROM t WHERE note = 'apple' ORDER BY id;
SELECT n FROM t;
RESET ROLE;

-- name: comment_and_describe
COMMENT ON COLUMN t.note IS 'the note';
SELECT col_description('t'::regclass, 3), has_column_privilege('t', 'note', 'SELECT');

-- name: cluster_and_vacuum_full
CLUSTER t USING t_pkey;
SELECT count(*), max(note), sum(amount) FROM t WHERE amount < 1000;

-- name: operator_user_defined
CREATE FUNCTION near(numeric, numeric) RETURNS bool LANGUAGE sql IMMUTABLE RETURN abs($1 - $2) < 1;
CREATE OPERATOR ~~~~ (LEFTARG = numeric, RIGHTARG = numeric, FUNCTION = near);
SELECT id FROM t WHERE amount ~~~~ 2.5 ORDER BY id;
