-- What DDL may not do to encrypted columns: foreign keys, triggers that fire after ours, functions that queries would
-- find.
\set SHOW_CONTEXT never
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE SCHEMA guarded;
SET search_path = guarded, public;
CREATE ROLE regress_guard_maker;
GRANT ALL ON SCHEMA guarded TO regress_guard_maker;

-- Foreign keys, from an encrypted column, in every spelling. (None refers to one: it has no unique index.)
CREATE TABLE codes (code text PRIMARY KEY, n bigint UNIQUE, list text[] UNIQUE);
INSERT INTO codes VALUES ('x', 1, '{x}');
CREATE DOMAIN sealed_code AS encrypted_text;
CREATE TABLE refers (id int, t encrypted_text REFERENCES codes);
\set VERBOSITY terse
CREATE TABLE refers (id int, t encrypted_text, FOREIGN KEY (t) REFERENCES codes (code));
CREATE TABLE refers (id int, t sealed_code REFERENCES codes);
CREATE TABLE refers (id int, t encrypted_text[] REFERENCES codes (list));
CREATE SCHEMA within CREATE TABLE refers (t public.encrypted_text REFERENCES guarded.codes);
CREATE TABLE refers (id int, t encrypted_text, n encrypted_int8, plain text);
ALTER TABLE refers ADD FOREIGN KEY (t) REFERENCES codes;
ALTER TABLE refers ADD CONSTRAINT named FOREIGN KEY (n) REFERENCES codes (n) NOT VALID;
ALTER TABLE refers ADD COLUMN more encrypted_text REFERENCES codes;
ALTER TABLE refers ADD FOREIGN KEY (plain) REFERENCES codes;
ALTER TABLE refers ALTER plain TYPE encrypted_text USING NULL;
CREATE TABLE parted (id int, t encrypted_text) PARTITION BY LIST (id);
ALTER TABLE parted ADD FOREIGN KEY (t) REFERENCES codes;
DO $$ BEGIN EXECUTE 'ALTER TABLE refers ADD FOREIGN KEY (t) REFERENCES codes'; EXCEPTION WHEN feature_not_supported
    THEN RAISE NOTICE 'refused'; END $$;
SELECT conname, conrelid::regclass FROM pg_constraint WHERE contype = 'f' AND confrelid = 'codes'::regclass ORDER BY 1;
DROP TABLE refers, parted;

-- A trigger that may change rows and fires after ours, by the order of bytes.
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP <> 'DELETE' THEN new.t := 'changed';
    RETURN new; END IF; RETURN old; END $$;
CREATE TABLE kept (id int, owner text, t text);
SELECT envcrypt_protect('kept', 't', 'owner');
\set VERBOSITY default
CREATE TRIGGER "проверка" BEFORE INSERT ON kept FOR EACH ROW EXECUTE FUNCTION touched();
\set VERBOSITY terse
CREATE TRIGGER "ändern" BEFORE UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TRIGGER "检查" BEFORE INSERT OR UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TRIGGER "~zzz" BEFORE DELETE OR UPDATE OF t ON kept FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TRIGGER "~envcrypt_99999x" BEFORE INSERT ON kept FOR EACH ROW EXECUTE FUNCTION touched();
CREATE OR REPLACE TRIGGER "~zzz" BEFORE INSERT ON kept FOR EACH ROW EXECUTE FUNCTION touched();
-- Before ours, or of another kind, is not in the way.
CREATE TRIGGER "Z ~" BEFORE INSERT ON kept FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TRIGGER "~after" AFTER INSERT ON kept FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TRIGGER "~zz_statement" BEFORE INSERT ON kept EXECUTE FUNCTION touched();
CREATE TRIGGER "~zz_deleted" BEFORE DELETE ON kept FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TRIGGER "~zz_follows" AFTER UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION touched();
ALTER TRIGGER "Z ~" ON kept RENAME TO "я";
INSERT INTO kept VALUES (1, 'ann', 'mine');
SELECT t, envcrypt_owner(t) FROM kept;
-- Ours renamed has the others after it.
DO $$ BEGIN EXECUTE format('ALTER TRIGGER %I ON kept RENAME TO "A"', (SELECT tgname FROM pg_trigger
    WHERE tgfoid = 'envcrypt_owner_trigger'::regproc AND tgrelid = 'kept'::regclass));
    EXCEPTION WHEN object_not_in_prerequisite_state THEN RAISE NOTICE '%', SQLERRM; END $$;
-- In partitions and children: made, attached, inheriting.
CREATE TABLE parted (id int, owner text, t text) PARTITION BY LIST (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
SELECT envcrypt_protect('parted', 't', 'owner');
CREATE TRIGGER "~zzz" BEFORE INSERT ON parted FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TRIGGER "~zzz" BEFORE INSERT ON parted_1 FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TABLE parted_2 (id int, owner text, t encrypted_text);
CREATE TRIGGER "~zzz" BEFORE INSERT ON parted_2 FOR EACH ROW EXECUTE FUNCTION touched();
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES IN (2);
ALTER TABLE parted_2 INHERIT kept;
ALTER TRIGGER "~zzz" ON parted_2 RENAME TO a;
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES IN (2);
-- What came past the guard: status tells, enabling is refused, disabling, renaming and dropping are the ways out.
ALTER EVENT TRIGGER envcrypt_guard_ddl DISABLE;
CREATE TRIGGER "~zzz" BEFORE INSERT ON kept FOR EACH ROW EXECUTE FUNCTION touched();
ALTER EVENT TRIGGER envcrypt_guard_ddl ENABLE ALWAYS;
\pset format unaligned
\pset expanded on
SELECT "check", state, regexp_replace(detail, '\d+', 'N') AS detail, advice FROM envcrypt_status()
    WHERE detail ~ 'kept';
\pset expanded off
\pset format aligned
ALTER TABLE kept ENABLE ALWAYS TRIGGER "~zzz";
ALTER TABLE kept ADD unconcerned int;
ALTER TABLE kept DISABLE TRIGGER "~zzz";
SELECT count(*) FROM envcrypt_status() WHERE detail ~ 'kept';
ALTER TABLE kept ENABLE TRIGGER "~zzz";
DROP TRIGGER "~zzz" ON kept;
DROP TABLE kept, parted;

-- Triggers of ours that came to fire for ordinary sessions only fire always again: what ENABLE TRIGGER ALL does, as
-- pg_restore --disable-triggers says it.
CREATE TABLE people (id text) PARTITION BY LIST (id);
CREATE TABLE people_1 PARTITION OF people DEFAULT;
CREATE TABLE parent (id int, t text);
CREATE TABLE child () INHERITS (parent);
SELECT envcrypt_manage_owners('people', 'id', 'shred');
SELECT envcrypt_protect('parent', 't');
CREATE VIEW enabled AS SELECT tgrelid::regclass AS "table", regexp_replace(tgname, '\d+', 'N') AS name, tgenabled
    FROM pg_trigger
    WHERE tgname ~ 'envcrypt' AND tgrelid IN (SELECT c.oid FROM pg_class c WHERE relnamespace = 'guarded'::regnamespace)
    ORDER BY tgrelid::regclass::text COLLATE "C", tgname COLLATE "C";
ALTER TABLE people DISABLE TRIGGER ALL;
ALTER TABLE parent DISABLE TRIGGER ALL;
ALTER TABLE child DISABLE TRIGGER USER;
TABLE enabled;
SELECT "check", state, count(*) FROM envcrypt_status() WHERE detail ~ 'people|parent|child' GROUP BY 1, 2 ORDER BY 1;
ALTER TABLE people ENABLE TRIGGER ALL;
ALTER TABLE people_1 ENABLE TRIGGER USER;
ALTER TABLE parent ENABLE TRIGGER ALL;
ALTER TABLE child ENABLE TRIGGER ALL;
TABLE enabled;
ALTER TABLE people_1 ENABLE REPLICA TRIGGER "!envcrypt_owners";
\pset format unaligned
SELECT "check", state, detail, advice FROM envcrypt_status() WHERE detail ~ 'people|parent|child';
\pset format aligned
DROP VIEW enabled;
DROP TABLE people, parent, child;

-- An encrypted type that comes into a table by a row type under it.
CREATE TYPE pair AS (a int);
CREATE TABLE pairs (id int, p pair);
CREATE INDEX on_pair ON pairs (p);
ALTER TYPE pair ADD ATTRIBUTE t encrypted_text;
DROP INDEX on_pair;
ALTER TYPE pair ADD ATTRIBUTE t encrypted_text;
CREATE INDEX on_pair ON pairs (p);
DROP TABLE pairs;
DROP TYPE pair;

-- Operators, casts and functions that a query on an encrypted column finds first.
SET ROLE regress_guard_maker;
CREATE FUNCTION steal(encrypted_text, encrypted_text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION steal(encrypted_text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION steal(text, sealed_code) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE FUNCTION steal(encrypted_text[]) RETURNS text LANGUAGE sql AS 'SELECT $$x$$';
\set VERBOSITY default
CREATE OPERATOR = (LEFTARG = encrypted_text, RIGHTARG = encrypted_text, FUNCTION = steal);
CREATE FUNCTION upper(encrypted_text) RETURNS text LANGUAGE sql AS 'SELECT $$x$$';
\set VERBOSITY terse
CREATE OPERATOR ==== (LEFTARG = encrypted_text, RIGHTARG = text, FUNCTION = steal);
CREATE OPERATOR guarded.= (LEFTARG = text, RIGHTARG = sealed_code, FUNCTION = steal);
CREATE OPERATOR !! (RIGHTARG = encrypted_text[], FUNCTION = steal);
CREATE OPERATOR <> (LEFTARG = encrypted_text, RIGHTARG = encrypted_text, FUNCTION = steal,
    NEGATOR = OPERATOR(guarded.=));
CREATE FUNCTION length(t sealed_code) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION array_length(encrypted_text[], int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION concat(VARIADIC encrypted_text[]) RETURNS text LANGUAGE sql AS 'SELECT $$x$$';
CREATE FUNCTION left(encrypted_text, integer DEFAULT 1) RETURNS text LANGUAGE sql AS 'SELECT $$x$$';
CREATE FUNCTION date(encrypted_date) RETURNS date LANGUAGE sql AS 'SELECT current_date';
CREATE FUNCTION "json"(encrypted_text) RETURNS text LANGUAGE sql AS 'SELECT $$x$$';
CREATE FUNCTION envcrypt_owner(text, encrypted_text) RETURNS text LANGUAGE sql AS 'SELECT $$x$$';
CREATE PROCEDURE substr(encrypted_text) LANGUAGE sql AS '';
CREATE FUNCTION joined(text, encrypted_text) RETURNS text LANGUAGE sql AS 'SELECT $$x$$';
CREATE AGGREGATE max(encrypted_text) (SFUNC = joined, STYPE = text);
CREATE AGGREGATE joining(encrypted_text) (SFUNC = joined, STYPE = text);
ALTER FUNCTION joined(text, encrypted_text) RENAME TO strpos;
ALTER ROUTINE joined(text, encrypted_text) RENAME TO starts_with;
ALTER AGGREGATE joining(encrypted_text) RENAME TO min;
CREATE DOMAIN plain_code AS text;
CREATE FUNCTION to_plain(encrypted_text) RETURNS plain_code LANGUAGE sql AS 'SELECT $$x$$::guarded.plain_code';
CREATE CAST (encrypted_text AS plain_code) WITH FUNCTION to_plain(encrypted_text) AS IMPLICIT;
CREATE CAST (encrypted_text AS plain_code) WITH INOUT AS IMPLICIT;
CREATE FUNCTION from_plain(plain_code) RETURNS encrypted_text LANGUAGE sql AS 'SELECT NULL::public.encrypted_text';
CREATE CAST (plain_code AS encrypted_text) WITH FUNCTION from_plain(plain_code) AS ASSIGNMENT;
-- Names of their own they may use, and what has to do with no encrypted type, or with a row that holds one.
CREATE FUNCTION upper(plain_code, text) RETURNS text LANGUAGE sql AS 'SELECT $$x$$';
CREATE TABLE persons (born encrypted_date);
CREATE FUNCTION age(persons) RETURNS interval LANGUAGE sql AS 'SELECT NULL::interval';
CREATE OR REPLACE FUNCTION steal(encrypted_text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
RESET ROLE;
-- Superusers may.
CREATE FUNCTION upper(encrypted_text) RETURNS text LANGUAGE sql AS 'SELECT pg_catalog.upper($1::text)';
CREATE OPERATOR guarded.=== (LEFTARG = encrypted_text, RIGHTARG = encrypted_text, FUNCTION = steal);
CREATE FUNCTION of_superuser(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
GRANT CREATE ON SCHEMA public TO regress_guard_maker;
SET ROLE regress_guard_maker;
CREATE FUNCTION public.of_superuser(encrypted_int8) RETURNS int LANGUAGE sql AS 'SELECT 1';
-- What would be a better match for a call of ours than ours is, wherever it stands.
\set VERBOSITY default
CREATE FUNCTION public.envcrypt_protect("table" text, "column" text, owner_column text) RETURNS void LANGUAGE sql AS '';
\set VERBOSITY terse
CREATE FUNCTION public.envcrypt_create_type(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION guarded.envcrypt_shred_user(owner varchar) RETURNS jsonb LANGUAGE sql AS 'SELECT NULL::jsonb';
CREATE FUNCTION guarded.encrypt_for_user(text, varchar) RETURNS text LANGUAGE sql AS 'SELECT $2';
CREATE PROCEDURE public.envcrypt_protect_online("table" text, "column" text, owner_column text) LANGUAGE sql AS '';
CREATE FUNCTION guarded.envcrypt_mine(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
ALTER FUNCTION guarded.envcrypt_mine(text) RENAME TO envcrypt_verify;
CREATE FUNCTION guarded.scale(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM regress_guard_maker;

-- The schema whose name functions' bodies hold.
ALTER SCHEMA public RENAME TO elsewhere;
ALTER SCHEMA guarded RENAME TO guarded2;
ALTER SCHEMA guarded2 RENAME TO guarded;
SET client_min_messages = warning;
DROP SCHEMA guarded CASCADE;
DROP ROLE regress_guard_maker;
