-- envcrypt_protect(), envcrypt_unprotect(), envcrypt_columns, and what keeps protected tables protected.
\set SHOW_CONTEXT never
SET jit = off;
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE SCHEMA protecting;
SET search_path = protecting, public;
CREATE ROLE regress_keeper;
CREATE ROLE regress_other;
GRANT ALL ON SCHEMA protecting TO regress_keeper;
-- Everything about a table that could get lost, without what is random: context ids.
CREATE FUNCTION described(rel regclass) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT regexp_replace(line, '~envcrypt_\d+|(envcrypt_owner_trigger\()''\d+''', '\1~N', 'g') FROM (
    SELECT 1, attnum, format('%I %s%s%s%s%s', attname, format_type(atttypid, atttypmod),
        ' collate ' || nullif(attcollation, 0)::regcollation,
        CASE WHEN attnotnull THEN ' not null' END, ' default ' || pg_get_expr(d.adbin, attrelid),
        ' acl ' || replace(attacl::text, session_user, 'me'))
        || format(' %s %s %s %s', attstorage, attcompression, coalesce(attstattarget, -1), substring(attoptions::text,
            'n_distinct=[-.0-9]*')) || coalesce(' -- ' || col_description(rel, attnum), '')
    FROM pg_attribute LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum WHERE attrelid = rel
        AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT 2, 0, format('constraint %s %s -- %s', conname, pg_get_constraintdef(oid),
        obj_description(oid, 'pg_constraint')) FROM pg_constraint WHERE conrelid = rel
    UNION ALL SELECT 3, 0, format('%s -- %s', pg_get_indexdef(indexrelid), obj_description(indexrelid, 'pg_class'))
        FROM pg_index WHERE indrelid = rel
    UNION ALL SELECT 4, 0, format('policy %s %s %s %s %s %s -- %s', polname, polcmd, polpermissive,
        polroles::regrole[], pg_get_expr(polqual, rel), pg_get_expr(polwithcheck, rel),
        obj_description(oid, 'pg_policy')) FROM pg_policy WHERE polrelid = rel
    UNION ALL SELECT 5, 0, format('%s enabled %s -- %s', pg_get_triggerdef(oid), tgenabled,
        obj_description(oid, 'pg_trigger')) FROM pg_trigger WHERE tgrelid = rel AND NOT tgisinternal
    UNION ALL SELECT 6, 0, format('%s %s owner %s -- %s', pg_get_statisticsobjdef(oid), stxstattarget,
        stxowner::regrole, obj_description(oid, 'pg_statistic_ext')) FROM pg_statistic_ext WHERE stxrelid = rel
    UNION ALL SELECT 7, 0, format('acl %s, options %s, security %s %s, replica identity %s', relacl, reloptions,
        relrowsecurity, relforcerowsecurity, relreplident) FROM pg_class WHERE oid = rel
    ) AS l (part, n, line) ORDER BY part, n, line COLLATE "C"
$$;
-- What envcrypt_verify() would say of each value, and whose it is.
CREATE FUNCTION faults(rel regclass, "column" name, owner name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT string_agg(format(''%%s: %%s'', owner, coalesce(fault, ''ok'')), '', '' ORDER BY owner, '
        'fault) FROM (
        SELECT DISTINCT coalesce(envcrypt_owner(%1$I), ''nobody'') AS owner, envcrypt_check(%1$I, %2$s::text,
            (SELECT context_id FROM envcrypt_columns c WHERE c."table" = t.tableoid AND c."column" = %1$L)) AS fault
        FROM %3$s t WHERE %1$I IS NOT NULL) f', "column", coalesce(quote_ident(owner), 'NULL'), rel) INTO result;
    RETURN result;
END $$;
CREATE VIEW here AS
    SELECT "table", "column", type, owner_column, protection, context_id BETWEEN 1 AND 65535 AS context, null_owner,
        original_type, rows
    FROM envcrypt_columns WHERE "table"::text !~ '^public' ORDER BY "table"::text COLLATE "C", "column" COLLATE "C";

-- A table that has everything.
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TABLE "Pay roll" (
    gone int,
    "Id" int PRIMARY KEY,
    "User Id" int,
    "Salary %" numeric(12,2) NOT NULL DEFAULT 1000 CHECK ("Salary %" > 0),
    name varchar(20) COLLATE "C" DEFAULT 'joe' CHECK (length(name) < 30 AND name <> '("Salary %")::numeric'),
    note text DEFAULT 'a' || 'b' CONSTRAINT present CHECK (note IS NOT NULL) NO INHERIT,
    born date DEFAULT CURRENT_DATE,
    at timestamptz(3) CHECK (extract(year FROM at) > 1969),
    doc jsonb,
    yes bool DEFAULT false,
    big bigint DEFAULT 5,
    ratio float8,
    addr inet,
    token uuid DEFAULT gen_random_uuid(),
    raw bytea,
    plain text
);
ALTER TABLE "Pay roll" DROP gone;
ALTER TABLE "Pay roll" ADD CONSTRAINT below CHECK ("Salary %" < 1e9 OR "Id" < 0) NOT VALID;
ALTER TABLE "Pay roll" ALTER note SET STATISTICS 17, ALTER plain SET STORAGE MAIN, ALTER note SET STORAGE MAIN,
    ALTER note SET COMPRESSION pglz,
    ALTER name SET (n_distinct = -0.5), ENABLE ROW LEVEL SECURITY, SET (fillfactor = 90);
COMMENT ON COLUMN "Pay roll"."Salary %" IS 'in euros';
COMMENT ON CONSTRAINT "Pay roll_Salary %_check" ON "Pay roll" IS 'nobody works for nothing';
GRANT SELECT (name), UPDATE ("Salary %") ON "Pay roll" TO regress_other;
GRANT INSERT ON "Pay roll" TO regress_other;
CREATE INDEX covering ON "Pay roll" ("User Id") INCLUDE (name) WHERE note IS NOT NULL;
COMMENT ON INDEX covering IS 'covers';
CREATE UNIQUE INDEX identity ON "Pay roll" ("Id") INCLUDE ("Salary %");
ALTER TABLE "Pay roll" REPLICA IDENTITY USING INDEX identity;
CREATE STATISTICS together (ndistinct, mcv) ON "User Id", name, "Salary %" FROM "Pay roll";
ALTER STATISTICS together SET STATISTICS 7;
ALTER STATISTICS together OWNER TO regress_keeper;
COMMENT ON STATISTICS together IS 'of both';
CREATE POLICY own ON "Pay roll" AS RESTRICTIVE FOR UPDATE TO regress_other, regress_keeper
    USING (name = CURRENT_USER AND "Salary %" < 100) WITH CHECK ("Salary %" * 2 < 100);
CREATE POLICY every ON "Pay roll" USING (note <> 'x');
COMMENT ON POLICY own ON "Pay roll" IS 'mine';
CREATE TABLE elsewhere (id int);
CREATE POLICY through ON elsewhere USING (EXISTS (SELECT FROM "Pay roll" p WHERE p."Salary %" > 5
    AND p."Id" = elsewhere.id));
CREATE TRIGGER raised AFTER UPDATE OF "Salary %" ON "Pay roll" FOR EACH ROW WHEN (old."Salary %" < new."Salary %"
    AND new.name IS NOT NULL) EXECUTE FUNCTION touched();
CREATE TRIGGER before_all BEFORE UPDATE OF name, plain ON "Pay roll" FOR EACH ROW EXECUTE FUNCTION touched();
CREATE CONSTRAINT TRIGGER later AFTER UPDATE OF note ON "Pay roll" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION touched();
CREATE TRIGGER other BEFORE INSERT ON "Pay roll" FOR EACH ROW EXECUTE FUNCTION touched();
ALTER TABLE "Pay roll" ENABLE REPLICA TRIGGER raised, DISABLE TRIGGER before_all;
COMMENT ON TRIGGER raised ON "Pay roll" IS 'hooray';
INSERT INTO "Pay roll" SELECT i, i % 3, i * 1.5, 'n' || i, 'note' || i, '2000-01-01', '2020-02-02 02:02:02.222',
    '{"a": 1}', true, i, i / 2.0, '10.0.0.1', gen_random_uuid(), '\x00', 'p'
    FROM generate_series(1, 9) i;
INSERT INTO "Pay roll" ("Id", "User Id", name, born) VALUES (10, 1, NULL, NULL);
CREATE TABLE before AS SELECT * FROM "Pay roll";
CREATE TABLE described_before AS SELECT * FROM described('"Pay roll"');

-- Two columns at once, then all the others, then all again.
SELECT envcrypt_protect('"Pay roll"', ARRAY['Salary %', 'name'], 'User Id');
SELECT envcrypt_protect('"Pay roll"', 'note'::name, owner_column => 'User Id', null_owner => 'database');
SELECT envcrypt_protect('"Pay roll"', '{born,at,doc,yes,big,ratio,addr,token,raw}'::name[], 'User Id');
SELECT envcrypt_protect('"Pay roll"', ARRAY['raw', 'name'], 'User Id');
SELECT * FROM described('"Pay roll"') AS d EXCEPT SELECT * FROM described_before ORDER BY 1;
SELECT * FROM described('elsewhere');
SELECT * FROM here;
SELECT count(DISTINCT context_id) FROM envcrypt_columns WHERE "table" = '"Pay roll"'::regclass;
SELECT c.attname, faults('"Pay roll"', c.attname, 'User Id') FROM pg_attribute c JOIN here ON here."table" = attrelid
    AND here."column" = attname ORDER BY attnum;
SELECT count(*) FROM (SELECT * FROM before EXCEPT SELECT * FROM "Pay roll") d;
-- It works as before: defaults, checks, privileges, types.
INSERT INTO "Pay roll" ("Id", "User Id") VALUES (11, 7) RETURNING name, "Salary %", note, born = CURRENT_DATE AS born,
    yes, big;
\set VERBOSITY terse
INSERT INTO "Pay roll" ("Id", "User Id", "Salary %") VALUES (12, 7, -1);
INSERT INTO "Pay roll" ("Id", "User Id", name) VALUES (12, 7, repeat('x', 21));
INSERT INTO "Pay roll" ("Id", "User Id", "Salary %") VALUES (12, 7, NULL);
INSERT INTO "Pay roll" ("Id", "Salary %") VALUES (12, 5);
\set VERBOSITY default
UPDATE "Pay roll" SET "User Id" = 8 WHERE "Id" = 11;
SELECT envcrypt_owner(name) FROM "Pay roll" WHERE "Id" = 11;
DELETE FROM "Pay roll" WHERE "Id" > 10;
-- Only by envcrypt_unprotect() does the type go.
\set VERBOSITY sqlstate
ALTER TABLE "Pay roll" ALTER doc TYPE jsonb;
ALTER TABLE "Pay roll" DROP doc;
ALTER TABLE "Pay roll" DROP "User Id";
\set VERBOSITY default
-- Protected otherwise.
SELECT envcrypt_protect('"Pay roll"', 'name');
SELECT envcrypt_protect('"Pay roll"', 'name', 'Id');
SELECT envcrypt_protect('"Pay roll"', 'name', 'User Id', 'database');
-- A renamed column and owner.
ALTER TABLE "Pay roll" RENAME name TO "Na'me";
ALTER TABLE "Pay roll" RENAME "User Id" TO uid;
SELECT "column", owner_column FROM here WHERE type ~ '20';
ALTER TABLE "Pay roll" RENAME "Na'me" TO name;
ALTER TABLE "Pay roll" RENAME uid TO "User Id";
-- And back, exactly.
SELECT envcrypt_unprotect('"Pay roll"', 'note');
SELECT envcrypt_unprotect('"Pay roll"', ARRAY(SELECT "column" FROM envcrypt_columns
    WHERE "table" = '"Pay roll"'::regclass));
SELECT * FROM described('"Pay roll"') EXCEPT ALL SELECT * FROM described_before;
SELECT * FROM described_before EXCEPT ALL SELECT * FROM described('"Pay roll"');
SELECT count(*) FROM (SELECT * FROM before EXCEPT ALL SELECT * FROM "Pay roll") d;
SELECT * FROM described('elsewhere');
SELECT * FROM here;
SELECT envcrypt_unprotect('"Pay roll"', 'note');
SELECT envcrypt_unprotect('"Pay roll"', 'nothing');
DROP TABLE "Pay roll", elsewhere, before, described_before;

-- Everything that can stand in the way, in one error.
CREATE TABLE crowded (id int PRIMARY KEY, owner int, v bigint UNIQUE, w bigint, x text,
    y int GENERATED ALWAYS AS (v * 2) STORED,
    z bigint GENERATED BY DEFAULT AS IDENTITY, FOREIGN KEY (w) REFERENCES crowded (v), EXCLUDE USING btree (x WITH =));
CREATE INDEX by_expression ON crowded (lower(x));
CREATE INDEX by_condition ON crowded (id) WHERE w > 5;
CREATE VIEW shown AS SELECT v FROM crowded;
CREATE MATERIALIZED VIEW kept AS SELECT x FROM crowded;
CREATE RULE rewritten AS ON UPDATE TO crowded WHERE new.w > 5 DO ALSO DELETE FROM crowded WHERE id = new.id;
CREATE STATISTICS of_expression ON (lower(x)), id FROM crowded;
CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT max(w) FROM crowded; END;
CREATE TABLE holder (c crowded);
CREATE TRIGGER "~zzz" BEFORE INSERT ON crowded FOR EACH ROW EXECUTE FUNCTION touched();
SET client_min_messages = error;
CREATE PUBLICATION regress_filtered FOR TABLE crowded (id, v) WHERE (w > 5);
RESET client_min_messages;
SELECT envcrypt_protect('crowded', '{v,w,x,z}'::name[], 'owner');
SELECT envcrypt_protect('crowded', 'y', 'owner');
DROP PUBLICATION regress_filtered;
DROP TABLE holder;
DROP FUNCTION reads;
DROP VIEW shown;
DROP MATERIALIZED VIEW kept;
DROP TABLE crowded;

-- Owner columns.
CREATE DOMAIN customer AS varchar(10) CHECK (value <> '');
CREATE TABLE owners (t text, i2 int2, i4 int4, i8 int8, o oid, n numeric, c char(5), vc varchar(5), na name, u uuid,
    m mood, d customer,
    f float8, b bool, ts timestamptz, a int[], e encrypted_text, by text, g int GENERATED ALWAYS AS (i4 + 1) STORED);
INSERT INTO owners (t, i2, i4, i8, o, n, c, vc, na, u, m, d) VALUES ('x', 1, 2, 3, 4, 5.5, 'c', 'vc', 'na',
    '00000000-0000-0000-0000-00000000000a', 'sad', 'dom');
DO $$
DECLARE
    owner name;
    before text;
BEGIN
    FOREACH owner IN ARRAY '{i2,i4,i8,o,n,c,vc,na,u,d}'::name[] LOOP
        PERFORM envcrypt_protect('owners', 't', owner);
        before := faults('owners', 't', owner);
        UPDATE owners SET t = 'y';
        RAISE NOTICE '%: %, written: %', owner, before, faults('owners', 't', owner);
        PERFORM envcrypt_unprotect('owners', 't');
    END LOOP;
END $$;
SELECT envcrypt_protect('owners', 't', 'm');
SELECT envcrypt_protect('owners', 't', 'f');
SELECT envcrypt_protect('owners', 't', 'b');
SELECT envcrypt_protect('owners', 't', 'ts');
SELECT envcrypt_protect('owners', 't', 'a');
SELECT envcrypt_protect('owners', 't', 'e');
SELECT envcrypt_protect('owners', 't', 'g');
SELECT envcrypt_protect('owners', 't', 't');
SELECT envcrypt_protect('owners', '{t,by}'::name[], 'by');
SELECT envcrypt_protect('owners', 't', 'ctid');
SELECT envcrypt_protect('owners', 't', 'nothing');
SELECT envcrypt_protect('owners', 'by', 't');
SELECT envcrypt_protect('owners', 't');
SELECT envcrypt_unprotect('owners', 'by');
-- What is no column, or no table, or of no such type.
SELECT envcrypt_protect('owners', 'nothing');
SELECT envcrypt_protect('owners', 'ctid');
SELECT envcrypt_protect('owners', NULL::name);
SELECT envcrypt_protect('owners', NULL::name[]);
SELECT envcrypt_protect('owners', '{}'::name[]);
SELECT envcrypt_protect(NULL, 't');
SELECT envcrypt_protect('owners', 't', null_owner => 'whatever');
SELECT envcrypt_protect('owners', 't', null_owner => NULL);
SELECT envcrypt_protect('here', 'type');
SELECT envcrypt_protect('pg_class', 'relname');
SELECT envcrypt_protect('public.envcrypt_data_keys', 'wrapped_key');
SELECT envcrypt_protect('owners', 'i4');
SELECT envcrypt_protect('owners', 'c');
SELECT envcrypt_protect('owners', 'm');
SELECT envcrypt_unprotect('owners', 'e');
SELECT envcrypt_unprotect('owners', NULL::name);
CREATE TYPE typed AS (t text);
CREATE TABLE of_type OF typed;
SELECT envcrypt_protect('of_type', 't');
DROP TABLE of_type, owners;
DROP TYPE typed;
DROP DOMAIN customer;

-- NULL owners, empty tables, temporary tables, and no owner at all.
CREATE TABLE nobodys (id int, owner int, t text);
SELECT envcrypt_protect('nobodys', 't', 'owner');
SELECT envcrypt_unprotect('nobodys', 't');
INSERT INTO nobodys VALUES (1, 1, 'a'), (2, NULL, NULL);
SELECT envcrypt_protect('nobodys', 't', 'owner');
SELECT envcrypt_unprotect('nobodys', 't');
INSERT INTO nobodys VALUES (3, NULL, 'c');
SELECT envcrypt_protect('nobodys', 't', 'owner');
SELECT * FROM here;
SELECT envcrypt_protect('nobodys', 't', 'owner', 'database');
INSERT INTO nobodys VALUES (4, NULL, 'd'), (5, 5, 'e');
SELECT faults('nobodys', 't', 'owner');
SELECT * FROM here;
SELECT envcrypt_unprotect('nobodys', 't');
SELECT envcrypt_protect('nobodys', 't');
INSERT INTO nobodys VALUES (6, 6, 'f');
SELECT faults('nobodys', 't', NULL);
SELECT * FROM here;
-- In a savepoint, and undone.
BEGIN;
SELECT envcrypt_unprotect('nobodys', 't');
SAVEPOINT s;
SELECT envcrypt_protect('nobodys', 't', 'id');
SELECT protection FROM here;
ROLLBACK TO s;
SELECT protection FROM here;
ROLLBACK;
SELECT protection FROM here;
BEGIN READ ONLY;
SELECT envcrypt_unprotect('nobodys', 't');
ROLLBACK;
DROP TABLE nobodys;
CREATE TEMPORARY TABLE passing (id int, t text) ON COMMIT DELETE ROWS;
SELECT envcrypt_protect('passing', 't', 'id');
INSERT INTO passing VALUES (1, 'x');
SELECT "column", owner_column, protection FROM here;
DROP TABLE passing;

-- Adoption: a column that is of an encrypted type already.
CREATE TABLE adopted (id int, t encrypted_text(10) DEFAULT 'zero', n encrypted_numeric(6,2),
    e encrypted_text DEFAULT 'one');
INSERT INTO adopted (id, t, n) VALUES (1, 'one', 1.5);
INSERT INTO adopted (id, t, n) VALUES (2, encrypt_for_user('someone', 'two'), 2);
CREATE TABLE alike (LIKE adopted);
SELECT * FROM here;
SELECT envcrypt_protect('adopted', '{t,n,e}'::name[], 'id');
SELECT faults('adopted', 't', 'id'), faults('adopted', 'n', 'id');
SELECT * FROM here;
INSERT INTO adopted (id) VALUES (3) RETURNING *;
SELECT envcrypt_unprotect('adopted', '{t,n,e}'::name[]);
INSERT INTO adopted (id) VALUES (4);
SELECT * FROM adopted ORDER BY id;
SELECT * FROM described('adopted');
CREATE DOMAIN secret AS encrypted_text CHECK (value IS NOT NULL);
ALTER TABLE alike ADD s secret DEFAULT 'x';
INSERT INTO alike (id, s) VALUES (1, 'secret');
SELECT envcrypt_protect('alike', 's', 'id');
SELECT faults('alike', 's', 'id');
SELECT * FROM here WHERE "column" = 's';
SELECT envcrypt_unprotect('alike', 's');
SELECT s, pg_typeof(s) FROM alike;
DROP TABLE adopted, alike;
DROP DOMAIN secret;

-- Partitions, and partitions of partitions.
CREATE TABLE parted (id int, owner int, region text, t text DEFAULT 'root', CONSTRAINT given CHECK (t <> '')) PARTITION
    BY LIST (region);
CREATE TABLE north (t text DEFAULT 'north', region text, gone int, owner int, id int, CONSTRAINT given CHECK (t <> ''));
ALTER TABLE north DROP gone;
ALTER TABLE parted ATTACH PARTITION north FOR VALUES IN ('n');
CREATE TABLE south PARTITION OF parted FOR VALUES IN ('s') PARTITION BY RANGE (id);
CREATE TABLE south_low PARTITION OF south FOR VALUES FROM (0) TO (100);
CREATE TRIGGER named BEFORE UPDATE OF t ON parted FOR EACH ROW EXECUTE FUNCTION touched();
ALTER TABLE north DISABLE TRIGGER named;
INSERT INTO parted SELECT i, i % 2, CASE WHEN i % 3 = 0 THEN 'n' ELSE 's' END, 'v' || i FROM generate_series(1, 12) i;
CREATE TABLE before AS SELECT r.relid, d FROM pg_partition_tree('parted') r, described(r.relid) d;
SELECT envcrypt_protect('north', 't', 'owner');
SELECT envcrypt_protect('south_low', 't', 'owner');
SELECT envcrypt_protect('parted', 'region', 'owner');
SELECT envcrypt_protect('parted', 't', 'owner');
SELECT envcrypt_unprotect('north', 't');
CREATE TABLE south_high PARTITION OF south FOR VALUES FROM (100) TO (1000);
SELECT * FROM here;
SELECT tgrelid::regclass, regexp_replace(tgname, '\d+', 'N') AS name, tgenabled FROM pg_trigger
    WHERE tgrelid IN (SELECT relid FROM pg_partition_tree('parted')) ORDER BY 1, 2;
INSERT INTO parted VALUES (200, 1, 's', 'new'), (3, 4, 'n', 'other');
INSERT INTO parted (id, owner, region) VALUES (201, 1, 's'), (300, 2, 'n');
INSERT INTO north (id, owner, region) VALUES (301, 2, 'n');
UPDATE parted SET region = 's', id = 500 WHERE id = 6;
UPDATE parted SET owner = 9 WHERE region = 'n';
SELECT tableoid::regclass, id, owner, t, envcrypt_owner(t) FROM parted ORDER BY tableoid::regclass::text COLLATE "C",
    id;
SELECT faults('parted', 't', 'owner');
ALTER TABLE parted DETACH PARTITION south;
SELECT "table", protection FROM here;
ALTER TABLE parted ATTACH PARTITION south FOR VALUES IN ('s');
SELECT "table", protection FROM here;
SELECT envcrypt_unprotect('parted', 't');
DROP TABLE south_high;
SELECT r.relid, d FROM pg_partition_tree('parted') r, described(r.relid) d EXCEPT ALL SELECT * FROM before;
SELECT * FROM before EXCEPT ALL SELECT r.relid, d FROM pg_partition_tree('parted') r, described(r.relid) d;
DROP TABLE parted, before;

-- Inheritance.
CREATE TABLE parent (id int, owner int, t text);
CREATE TABLE child (more int) INHERITS (parent);
CREATE TABLE grandchild (t text DEFAULT 'own') INHERITS (child);
INSERT INTO parent VALUES (1, 1, 'p');
INSERT INTO child VALUES (2, 2, 'c');
INSERT INTO grandchild VALUES (3, 3, 'g');
SELECT envcrypt_protect('child', 't', 'owner');
SELECT envcrypt_protect('grandchild', 't', 'owner');
SELECT envcrypt_protect('parent', 't', 'owner');
SELECT * FROM here;
SELECT count(DISTINCT context_id) FROM envcrypt_columns WHERE "table" IN ('parent'::regclass, 'child', 'grandchild');
-- A table that begins to inherit is protected from then on.
CREATE TABLE nephew () INHERITS (parent);
CREATE TABLE stranger (id int, owner int, t encrypted_text);
CREATE TABLE follower () INHERITS (stranger);
ALTER TABLE stranger INHERIT child;
ALTER TABLE stranger ADD more int;
ALTER TABLE stranger INHERIT child;
INSERT INTO nephew VALUES (4, 4, 'n');
INSERT INTO stranger VALUES (5, 5, 's');
INSERT INTO follower VALUES (6, 6, 'f');
SELECT faults('parent', 't', 'owner');
SELECT "table", protection FROM here;
CREATE TABLE otherwise (id int, owner int, t encrypted_text);
SELECT envcrypt_protect('otherwise', 't', 'owner');
\set VERBOSITY sqlstate
ALTER TABLE otherwise INHERIT parent;
\set VERBOSITY default
SELECT count(*) FROM pg_inherits WHERE inhrelid = 'otherwise'::regclass;
CREATE TABLE two (t text);
CREATE TABLE of_both () INHERITS (two);
CREATE TABLE one (t text);
ALTER TABLE of_both INHERIT one;
SELECT envcrypt_protect('one', 't');
DROP TABLE one, two, of_both, otherwise;
-- What pg_restore --disable-triggers does.
ALTER TABLE child DISABLE TRIGGER ALL;
SELECT "table", protection FROM here;
SELECT envcrypt_protect('parent', 't', 'owner');
ALTER TABLE child ENABLE TRIGGER ALL;
ALTER TABLE parent ENABLE TRIGGER USER;
SELECT tgrelid::regclass, tgenabled FROM pg_trigger WHERE tgfoid = 'envcrypt_owner_trigger'::regproc ORDER BY tgrelid;
SELECT envcrypt_unprotect('grandchild', 't');
SELECT envcrypt_unprotect('parent', 't');
SELECT * FROM here;
SELECT * FROM parent ORDER BY id;
DROP TABLE parent CASCADE;

-- Who may. A table's owner who is no superuser; one who is not the owner; one who may neither seal nor open.
SET ROLE regress_keeper;
CREATE TABLE kept (id int, owner int, t text, n numeric(6,2) CHECK (n > 0), CHECK (t IS NOT NULL));
ALTER TABLE kept ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
INSERT INTO kept SELECT i, i % 2, 't' || i, i FROM generate_series(1, 4) i;
RESET ROLE;
ALTER TABLE kept DISABLE ROW LEVEL SECURITY;
INSERT INTO kept SELECT i, i % 2, 't' || i, i FROM generate_series(1, 4) i;
ALTER TABLE kept ENABLE ROW LEVEL SECURITY;
SET ROLE regress_other;
SELECT envcrypt_protect('protecting.kept', 't', 'owner');
RESET ROLE;
GRANT USAGE ON SCHEMA protecting TO regress_other;
SET ROLE regress_other;
SELECT envcrypt_protect('protecting.kept', 't', 'owner');
SELECT envcrypt_unprotect('protecting.kept', 't');
SET ROLE regress_keeper;
SELECT envcrypt_protect('kept', '{t,n}'::name[], 'owner');
SELECT "column", protection FROM envcrypt_columns WHERE "table" = 'kept'::regclass ORDER BY 1;
SELECT envcrypt_unprotect('kept', '{t,n}'::name[]);
SET envcrypt.master_key = '';
SELECT envcrypt_protect('kept', 't', 'owner');
SELECT envcrypt_unprotect('kept', 't');
RESET ROLE;
SELECT envcrypt_protect('kept', 't', 'owner');
SELECT count(*) FROM kept;
-- The right to seal is enough where nothing has to be opened.
GRANT envcrypt_encrypt TO regress_keeper;
SET ROLE regress_keeper;
SELECT envcrypt_protect('kept', 'n', 'owner');
\set VERBOSITY sqlstate
SELECT envcrypt_protect('kept', 't', 'owner');
\set VERBOSITY default
RESET ROLE;
DROP TABLE kept;
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';

-- A trigger that its table's owner made up is no way to run something in another's name.
CREATE TABLE made_up (t encrypted_text);
CREATE TRIGGER fake BEFORE INSERT OR UPDATE ON made_up FOR EACH ROW WHEN (new.t IS NOT NULL)
    EXECUTE FUNCTION envcrypt_owner_trigger('x', 'error', 'text USING pg_sleep(9); --',
        'STORAGE x; DROP TABLE made_up');
SELECT * FROM here;
SELECT envcrypt_unprotect('made_up', 't');
DROP TRIGGER fake ON made_up;
CREATE TRIGGER fake BEFORE INSERT OR UPDATE ON made_up FOR EACH ROW WHEN (new.t IS NOT NULL)
    EXECUTE FUNCTION envcrypt_owner_trigger('5', 'error', 'integer', 'STORAGE MAIN; DROP TABLE made_up');
SELECT envcrypt_unprotect('made_up', 't');
SELECT * FROM described('made_up');
DROP TABLE made_up;

-- Many rows, and estimates.
CREATE TABLE many (id int, owner int NOT NULL, t text, n numeric(9,2));
INSERT INTO many SELECT i, i % 100, CASE WHEN i % 4 > 0 THEN 'text ' || i END, i FROM generate_series(1, 100000) i;
SELECT envcrypt_protect('many', '{t,n}'::name[], 'owner');
ANALYZE many;
SELECT "column", round(rows / 1000.0) AS thousands, bytes / rows BETWEEN 40 AND 80 AS bytes FROM envcrypt_columns
    WHERE "table" = 'many'::regclass ORDER BY 1;
SELECT count(*), count(DISTINCT envcrypt_key_id(n)), sum(n) FROM many;
SELECT count(*) FROM many WHERE envcrypt_check(t, owner::text, (SELECT context_id FROM envcrypt_columns
    WHERE "table" = 'many'::regclass AND "column" = 't')) IS NOT NULL;
SELECT envcrypt_unprotect('many', '{t,n}'::name[]);
SELECT count(*) FROM many WHERE n = id AND t IS NOT DISTINCT FROM CASE WHEN id % 4 > 0 THEN 'text ' || id END;
DROP TABLE many;

RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA protecting CASCADE;
DROP ROLE regress_keeper;
DROP ROLE regress_other;
