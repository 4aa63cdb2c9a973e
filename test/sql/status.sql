-- envcrypt_status() about columns. What it says of keys and roles is in install, keys and rotation.
\set SHOW_CONTEXT never
GRANT envcrypt_encrypt, envcrypt_decrypt TO CURRENT_USER;
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE SCHEMA regress_status;
SET search_path = regress_status, public;
CREATE VIEW columns AS
    SELECT * FROM envcrypt_status() WHERE "check" LIKE '%protect%' AND detail LIKE '%regress%';
\pset format unaligned
\pset expanded on
-- Nothing to say of protected columns, plain tables, views and temporary tables.
CREATE TABLE good (id int, a text, b numeric);
SELECT envcrypt_protect('good', ARRAY['a', 'b']);
CREATE TABLE plain (a text, owner text);
CREATE VIEW looks AS SELECT a FROM good;
CREATE TEMP TABLE passing (regress encrypted_text);
SET search_path = public;
TABLE regress_status.columns;
-- A trigger that does not fire, or not always.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN SELECT t.name, t.column_number FROM envcrypt_triggers t
        WHERE t.relid = 'regress_status.good'::regclass LOOP
        EXECUTE format('ALTER TABLE regress_status.good %s TRIGGER %I',
            CASE item.column_number WHEN 2 THEN 'DISABLE' ELSE 'ENABLE REPLICA' END, item.name);
    END LOOP;
END $$;
SELECT "check", state, regexp_replace(detail, '\d+', 'N') AS detail, regexp_replace(advice, '\d+', 'N') AS advice
FROM regress_status.columns ORDER BY 3;
DROP VIEW regress_status.looks;
SELECT envcrypt_unprotect('regress_status.good', ARRAY['a', 'b']);
TABLE regress_status.columns;
-- Encrypted and not protected: a partitioned table, whose partitions are not named; a child that differs from its
-- parent.
CREATE TABLE regress_status."Loose One" (id int, "Secret" encrypted_text, amount encrypted_numeric) PARTITION BY LIST
    (id);
CREATE TABLE regress_status.part PARTITION OF regress_status."Loose One" FOR VALUES IN (1);
CREATE TABLE regress_status.parent (a text);
CREATE TABLE regress_status.child (b encrypted_int8) INHERITS (regress_status.parent);
SELECT envcrypt_protect('regress_status.parent', 'a');
TABLE regress_status.columns;
DROP TABLE regress_status."Loose One", regress_status.child;
TABLE regress_status.columns;
-- Begun online, and not ended.
CREATE TABLE regress_status.busy (id int, note text) PARTITION BY LIST (id);
CREATE TABLE regress_status.busy_1 PARTITION OF regress_status.busy FOR VALUES IN (1);
CREATE TABLE regress_status.tree (note text);
CREATE TABLE regress_status.branch () INHERITS (regress_status.tree);
SELECT envcrypt_online_attempt('prepare', t, 'note', NULL, 'error', '1s', 0)
FROM unnest('{regress_status.busy,regress_status.tree}'::regclass[]) AS t;
TABLE regress_status.columns;
CALL envcrypt_protect_online('regress_status.busy', 'note');
CALL envcrypt_protect_online_cancel('regress_status.tree', 'note');
TABLE regress_status.columns;
-- Tables of users: triggers that do not always fire, or are gone. The advice repairs it.
CREATE VIEW regress_status.managed AS SELECT * FROM envcrypt_status() WHERE "check" = 'managed owners'
    AND detail LIKE '%regress%';
CREATE TABLE regress_status.users (id text);
CREATE TABLE regress_status."Parted Users" (id text, region int) PARTITION BY LIST (region);
CREATE TABLE regress_status.part_1 PARTITION OF regress_status."Parted Users" FOR VALUES IN (1);
SELECT envcrypt_manage_owners(t, 'id', on_delete => 'shred')
FROM unnest(ARRAY['regress_status.users', 'regress_status."Parted Users"']::regclass[]) AS t;
CREATE TABLE regress_status.keepers (id text);
SELECT envcrypt_manage_owners('regress_status.keepers', 'id');
TABLE regress_status.managed;
ALTER TABLE regress_status.users DISABLE TRIGGER USER;
ALTER TABLE regress_status.keepers ENABLE REPLICA TRIGGER "!envcrypt_owners";
ALTER TABLE regress_status.part_1 DISABLE TRIGGER "!envcrypt_owners_delete";
CREATE TABLE regress_status.part_2 PARTITION OF regress_status."Parted Users" FOR VALUES IN (2);
TABLE regress_status.managed;
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN SELECT regexp_replace(advice, ';.*', '') FROM regress_status.managed
        WHERE advice LIKE 'ALTER%' LOOP
        EXECUTE statement;
    END LOOP;
END $$;
TABLE regress_status.managed;
SELECT envcrypt_manage_owners('regress_status."Parted Users"', 'id', on_delete => 'shred');
DROP TRIGGER "!envcrypt_owners" ON regress_status.users;
DROP TRIGGER "!envcrypt_owners_delete" ON regress_status."Parted Users";
TABLE regress_status.managed;
SELECT envcrypt_manage_owners('regress_status.users', 'id', on_delete => 'shred');
SELECT envcrypt_manage_owners('regress_status."Parted Users"', 'id', on_delete => 'shred');
TABLE regress_status.managed;
-- They fire whatever session_replication_role is, also on partitions made later.
CREATE TABLE regress_status.part_3 PARTITION OF regress_status."Parted Users" FOR VALUES IN (3);
INSERT INTO regress_status.users VALUES ('rs-1');
INSERT INTO regress_status."Parted Users" VALUES ('rs-2', 1), ('rs-3', 3);
SET session_replication_role = replica;
INSERT INTO regress_status.users VALUES ('rs-4');
DELETE FROM regress_status.users WHERE id = 'rs-1';
DELETE FROM regress_status."Parted Users";
SELECT owner FROM envcrypt_data_keys WHERE owner LIKE 'rs-%';
RESET session_replication_role;
-- Several columns in an untyped literal are one name.
SELECT envcrypt_protect('regress_status.plain', '{a,b}');
SELECT envcrypt_protect('regress_status.plain', '{a,b}', 'owner');
SELECT envcrypt_unprotect('regress_status.plain', '{a,b}');
CALL envcrypt_protect_online('regress_status.plain', '{a,b}');
SELECT envcrypt_protect('regress_status.plain', columns => '{a}');
SELECT envcrypt_unprotect('regress_status.plain', 'a,b');
\pset expanded off
\pset format aligned
\set VERBOSITY terse
DROP SCHEMA regress_status CASCADE;
REVOKE envcrypt_encrypt, envcrypt_decrypt FROM CURRENT_USER;
