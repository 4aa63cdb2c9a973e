-- envcrypt_manage_owners(): a data key for each user.
\set SHOW_CONTEXT never
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE SCHEMA "Odd Schema";
CREATE TABLE "Odd Schema"."User Table" ("User Id" text PRIMARY KEY, note text);
INSERT INTO "Odd Schema"."User Table" VALUES ('o-zoe'), ('o-adam'), ('o-mary');
CREATE FUNCTION keys(pattern text DEFAULT '%') RETURNS TABLE (kind text, owners text) LANGUAGE sql AS $$
    SELECT kind, string_agg(owner, ' ' ORDER BY owner) FROM envcrypt_data_keys
    WHERE kind = 'data' AND owner LIKE pattern GROUP BY kind
$$;
SELECT envcrypt_manage_owners('"Odd Schema"."User Table"', 'User Id');
SELECT * FROM keys('o-%');
\d "Odd Schema"."User Table"
SELECT name, column_number FROM envcrypt_triggers WHERE relid = '"Odd Schema"."User Table"'::regclass;
-- Called again, it makes keys that are missing, and triggers anew.
ALTER TABLE "Odd Schema"."User Table" DISABLE TRIGGER USER;
INSERT INTO "Odd Schema"."User Table" VALUES ('o-missed');
SELECT * FROM keys('o-missed');
SELECT envcrypt_manage_owners('"Odd Schema"."User Table"', 'User Id', on_delete => 'keep');
SELECT envcrypt_manage_owners('"Odd Schema"."User Table"', 'note');
SELECT envcrypt_unmanage_owners('"Odd Schema"."User Table"');
SELECT envcrypt_unmanage_owners('"Odd Schema"."User Table"');
SELECT envcrypt_unmanage_owners(NULL);
DROP SCHEMA "Odd Schema" CASCADE;

-- What makes a key, and what does not.
CREATE TABLE users (id text, nick text, UNIQUE (id));
SELECT envcrypt_manage_owners('users', 'id');
INSERT INTO users VALUES ('k-ann'), ('k-bob'), (NULL);
INSERT INTO users VALUES ('k-ann', 'again') ON CONFLICT DO NOTHING;
INSERT INTO users SELECT 'k-none' WHERE false;
CREATE FUNCTION no_dora() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF new.id = ''k-dora'' THEN RETURN NULL; ELSIF new.id = ''k-ed'' THEN new.id := ''k-eddie''; END IF;
        RETURN new; END';
CREATE TRIGGER no_dora BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION no_dora();
INSERT INTO users VALUES ('k-dora'), ('k-ed');
INSERT INTO users VALUES ('k-ann', 'x') ON CONFLICT (id) DO UPDATE SET id = 'k-anna';
UPDATE users SET id = 'k-robert' WHERE id = 'k-bob';
UPDATE users SET nick = 'no new name';
BEGIN;
INSERT INTO users VALUES ('k-undone');
ROLLBACK;
-- (The key of an undone savepoint is kept, because a variable may hold a value that was sealed with it.)
BEGIN;
INSERT INTO users VALUES ('k-first');
SAVEPOINT s;
INSERT INTO users VALUES ('k-second');
ROLLBACK TO s;
COMMIT;
\copy users (id) from stdin
k-copied
k-copied too
\.
MERGE INTO users USING (VALUES ('k-merged'), ('k-first')) AS v (id) ON users.id = v.id
    WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT (id) VALUES (v.id);
SELECT * FROM keys('k-%');
-- Names that cannot be owners'.
INSERT INTO users VALUES ('');
INSERT INTO users VALUES (repeat('ä', 128));
INSERT INTO users VALUES (repeat('k', 255));
-- Nothing is made for what is being restored: its keys come along.
SET envcrypt.io = ciphertext;
INSERT INTO users VALUES ('k-restored');
RESET envcrypt.io;
SELECT * FROM keys('k-restored');
DROP TRIGGER no_dora ON users;
-- Renamed columns and tables stay managed; the column cannot be lost without notice.
ALTER TABLE users RENAME id TO name;
ALTER TABLE users RENAME TO people;
INSERT INTO people VALUES ('k-late');
SELECT * FROM keys('k-late');
ALTER TABLE people DROP COLUMN name;
ALTER TABLE people RENAME name TO id;
ALTER TABLE people RENAME TO users;
-- DELETE keeps the keys, as asked.
DELETE FROM users WHERE id = 'k-late';
SELECT * FROM keys('k-late');

-- Who makes users need have no right to keys; who manages them must own the table and administer keys.
CREATE ROLE regress_ec_shop;
CREATE ROLE regress_ec_boss IN ROLE envcrypt_keyadmin;
CREATE ROLE regress_ec_intake;
GRANT CREATE ON SCHEMA public TO regress_ec_shop, regress_ec_boss;
GRANT ALL ON users TO regress_ec_boss;
GRANT INSERT, DELETE, TRUNCATE ON users TO regress_ec_intake;
SET ROLE regress_ec_boss;
SELECT envcrypt_manage_owners('users', 'id', 'shred');
SELECT envcrypt_unmanage_owners('users');
SET ROLE regress_ec_shop;
CREATE TABLE shop_users (id text);
SELECT envcrypt_manage_owners('shop_users', 'id');
CREATE TRIGGER mine AFTER INSERT ON shop_users FOR EACH ROW WHEN (new.id IS NOT NULL)
    EXECUTE FUNCTION envcrypt_managed_owner_trigger();
SELECT envcrypt_make_managed_key('k-shop');
SET ROLE regress_ec_intake;
INSERT INTO users VALUES ('k-intake');
RESET ROLE;
SELECT * FROM keys('k-intake');
-- Without the trigger's own WHEN clause, or at other times, the function refuses.
CREATE TRIGGER wrong AFTER INSERT ON shop_users FOR EACH ROW EXECUTE FUNCTION envcrypt_managed_owner_trigger();
INSERT INTO shop_users VALUES ('k-wrong');
DROP TRIGGER wrong ON shop_users;
CREATE TRIGGER wrong BEFORE INSERT ON shop_users FOR EACH ROW WHEN (new.id IS NOT NULL)
    EXECUTE FUNCTION envcrypt_managed_owner_trigger();
INSERT INTO shop_users VALUES ('k-wrong');
DROP TABLE shop_users;
SELECT envcrypt_managed_owner_trigger();

-- No master key: an error, and no user. A user whose key is there already is no problem.
RESET envcrypt.master_key;
INSERT INTO users VALUES ('k-keyless');
INSERT INTO users VALUES ('k-late') RETURNING id;
SET envcrypt.master_key = 'abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd';
INSERT INTO users VALUES ('k-keyless');
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
DELETE FROM users WHERE id = 'k-late';

-- The key dies with the user.
CREATE TABLE notes (owner text REFERENCES users (id) ON UPDATE CASCADE ON DELETE CASCADE, note encrypted_text);
SELECT envcrypt_manage_owners('users', 'id', 'shred');
INSERT INTO notes VALUES ('k-anna', encrypt_for_user('k-anna', 'of anna')),
    ('k-eddie', encrypt_for_user('k-eddie', 'of eddie'));
CREATE TABLE copies AS SELECT * FROM notes;
BEGIN;
DELETE FROM users WHERE id = 'k-anna';
ROLLBACK;
SELECT note FROM copies WHERE owner = 'k-anna';
GRANT SELECT ON users TO regress_ec_intake;
SET ROLE regress_ec_intake;
DELETE FROM users WHERE id = 'k-anna';
RESET ROLE;
\set VERBOSITY terse
SELECT note FROM copies WHERE owner = 'k-eddie';
SELECT note FROM copies WHERE owner = 'k-anna';
\set VERBOSITY default
INSERT INTO users VALUES ('k-anna');
SELECT envcrypt_create_user_key('k-anna', after_shred => true) IS NOT NULL AS revived;
INSERT INTO users VALUES ('k-anna');
DELETE FROM users WHERE id IS NULL;
-- A new name does not cost the old one its key.
UPDATE users SET id = 'k-edward' WHERE id = 'k-eddie';
SELECT * FROM keys('k-ed%');
SELECT note, envcrypt_owner(note) FROM notes;
-- Their rows stay erased, too, where a foreign key takes the owner away.
CREATE TABLE lost (owner text REFERENCES users (id) ON DELETE SET NULL, note encrypted_text);
CREATE TRIGGER "~envcrypt_77" BEFORE INSERT OR UPDATE ON lost FOR EACH ROW
WHEN (new.note IS NOT NULL OR new.owner IS NULL)
    EXECUTE FUNCTION envcrypt_owner_trigger('77', 'database', 'text');
INSERT INTO lost VALUES ('k-robert', 'of robert');
DELETE FROM users WHERE id = 'k-robert';
SELECT owner, envcrypt_check(note, owner, 77) FROM lost;
DROP TABLE lost;
-- A new name has its key before a foreign key's action seals for it.
SET envcrypt.auto_create_owners = off;
CREATE TABLE bound (owner text REFERENCES users (id) ON UPDATE CASCADE, note encrypted_text);
CREATE TRIGGER "~envcrypt_78" BEFORE INSERT OR UPDATE ON bound FOR EACH ROW
WHEN (new.note IS NOT NULL OR new.owner IS NULL)
    EXECUTE FUNCTION envcrypt_owner_trigger('78', 'error', 'text');
INSERT INTO bound VALUES ('k-merged', 'of merged');
UPDATE users SET id = 'k-merged too' WHERE id = 'k-merged';
SELECT note, envcrypt_owner(note), envcrypt_check(note, owner, 78) FROM bound;
RESET envcrypt.auto_create_owners;
DROP TABLE bound;
-- No key at hand: the user cannot be deleted.
RESET envcrypt.master_key;
DELETE FROM users WHERE id = 'k-edward';
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
-- A name that another managed table has, or another row, keeps its key.
CREATE TABLE staff (who text);
SELECT envcrypt_manage_owners('staff', 'who', 'shred');
INSERT INTO staff VALUES ('k-edward'), ('k-twice'), ('k-twice'), ('k-swap');
DELETE FROM users WHERE id = 'k-edward';
DELETE FROM staff WHERE ctid = (SELECT min(ctid) FROM staff WHERE who = 'k-twice');
WITH gone AS (DELETE FROM staff WHERE who = 'k-swap' RETURNING who) INSERT INTO staff SELECT who FROM gone;
SELECT * FROM keys('k-%w%');
DELETE FROM staff;
SELECT * FROM keys('k-%w%');
INSERT INTO staff VALUES ('k-t1'), ('k-t2'), ('k-copied');
TRUNCATE staff;
SELECT * FROM keys('k-t_');
SELECT * FROM keys('k-copied');
TRUNCATE users CASCADE;
SELECT * FROM keys('k-copied');
-- Back to 'keep', and users whose keys are gone.
INSERT INTO staff VALUES ('k-kept');
SELECT envcrypt_shred_user('k-kept') IS NOT NULL;
SELECT envcrypt_manage_owners('staff', 'who', 'keep');
\d staff
DELETE FROM staff;
UPDATE staff SET who = 'k-kept again';
DROP TABLE notes, copies, staff;

-- Partitions: a row that moves is not deleted, whatever its new name.
CREATE TABLE parted (id text, region text) PARTITION BY LIST (region);
CREATE TABLE parted_n PARTITION OF parted FOR VALUES IN ('n');
CREATE TABLE parted_s PARTITION OF parted FOR VALUES IN ('s');
SELECT envcrypt_manage_owners('parted', 'id', 'shred');
CREATE TABLE parted_w PARTITION OF parted FOR VALUES IN ('w');
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger
WHERE tgrelid IN (SELECT relid FROM pg_partition_tree('parted')) ORDER BY 1, 2;
SELECT envcrypt_manage_owners('parted_n', 'id');
SELECT envcrypt_unmanage_owners('parted_n');
INSERT INTO parted VALUES ('p-a', 'n'), ('p-b', 'n'), ('p-c', 's'), ('p-d', 'w'), ('p-e', 's');
UPDATE parted SET region = 's' WHERE id = 'p-a';
UPDATE parted SET region = 's', id = 'p-bb' WHERE id = 'p-b';
SELECT * FROM keys('p-%');
DELETE FROM parted WHERE id = 'p-a';
TRUNCATE parted_s;
SELECT * FROM keys('p-%');
TRUNCATE parted;
SELECT * FROM keys('p-%');
-- Of a partition made later, TRUNCATE keeps the keys, until the call is repeated.
INSERT INTO parted VALUES ('p-f', 'w'), ('p-g', 'w');
TRUNCATE parted_w;
SELECT * FROM keys('p-%');
SELECT envcrypt_manage_owners('parted', 'id', 'shred');
INSERT INTO parted VALUES ('p-f', 'w'), ('p-h', 'w');
TRUNCATE parted_w;
SELECT * FROM keys('p-%');
ALTER TABLE parted DETACH PARTITION parted_s;
INSERT INTO parted_s VALUES ('p-detached', 's');
SELECT * FROM keys('p-d%');
SELECT envcrypt_unmanage_owners('parted');
SELECT count(*) FROM pg_trigger WHERE tgrelid IN (SELECT relid FROM pg_partition_tree('parted'));
DROP TABLE parted, parted_s;

-- Types of names.
CREATE TYPE kind AS ENUM ('t-guest', 't-host');
CREATE DOMAIN handle AS varchar(20) CHECK (VALUE <> 't-no');
CREATE TABLE names (i int, s smallint, b bigint, o oid, n numeric, u uuid, c char(8), d handle, e kind, m name,
    day date, f float8, j jsonb, x encrypted_text);
SET envcrypt.auto_create_owners = managed;
CREATE FUNCTION try_type(col name, owners text[], value text) RETURNS TABLE (type text, owner text, result text)
LANGUAGE plpgsql AS $$
BEGIN
    type := (SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'names'::regclass
        AND attname = col);
    PERFORM envcrypt_manage_owners('names', col);
    ALTER TABLE names DISABLE TRIGGER USER;
    EXECUTE format('INSERT INTO names (%I) VALUES (%L)', col, value);
    ALTER TABLE names ENABLE ALWAYS TRIGGER "!envcrypt_owners";
    FOREACH owner IN ARRAY owners LOOP
        BEGIN
            result := 'sealed for ' || envcrypt_owner(encrypt_for_user(owner, 'x'));
        EXCEPTION WHEN SQLSTATE 'ZE004' THEN
            result := SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
    PERFORM envcrypt_unmanage_owners('names');
END $$;
SELECT * FROM try_type('i', '{70001,070001,+70001,x,99999999999,70002,7-1}', '70001');
SELECT * FROM try_type('s', '{-7002,70020,-,99999999999999999999999}', '-7002');
SELECT * FROM try_type('b', '{7000000000001,7000000000001.0}', '7000000000001');
SELECT * FROM try_type('o', '{4000000001,-1}', '4000000001');
SELECT * FROM try_type('n', '{7.50,7.5,7.500,1e3,.5,7.5.0,--1,NaN}', '7.50');
SELECT *
FROM try_type('u',
    '{11111111-aaaa-4444-8888-000000000000,11111111-AAAA-4444-8888-000000000000,11111111aaaa444488880000000000000000}',
    '11111111-aaaa-4444-8888-000000000000');
SELECT * FROM try_type('c', '{"t-c","t-c ","T-C"}', 't-c');
SELECT * FROM try_type('d', '{t-d,t-no}', 't-d');
SELECT * FROM try_type('m', ARRAY['t-m', 't-n', repeat('m', 64)], 't-m');
SELECT envcrypt_manage_owners('names', 'e');
SELECT envcrypt_manage_owners('names', 'day');
SELECT envcrypt_manage_owners('names', 'f');
SELECT envcrypt_manage_owners('names', 'j');
SELECT envcrypt_manage_owners('names', 'x');
SELECT envcrypt_manage_owners('names', 'nothing');
SELECT envcrypt_manage_owners('names', 'ctid');
SELECT envcrypt_manage_owners('names', NULL);
SELECT envcrypt_manage_owners('names', 'i', 'forget');
SELECT envcrypt_manage_owners('pg_class', 'relname');
CREATE TEMP TABLE temporary (id text);
SELECT envcrypt_manage_owners('temporary', 'id');
CREATE VIEW seen AS SELECT * FROM users;
SELECT envcrypt_manage_owners('seen', 'id');

-- managed: only who is a user gets a key on first use. Row-level security and collations do not matter.
CREATE COLLATION regress_nocase (provider = icu, locale = 'und-u-ks-level2');
CREATE TABLE members (id text COLLATE regress_nocase PRIMARY KEY);
ALTER TABLE members ENABLE ROW LEVEL SECURITY;
ALTER TABLE members FORCE ROW LEVEL SECURITY;
SELECT envcrypt_manage_owners('members', 'id');
ALTER TABLE members DISABLE TRIGGER USER;
INSERT INTO members VALUES ('m-Ann'), ('m-Bob');
SELECT envcrypt_owner(encrypt_for_user('m-Ann', 'x'));
ALTER TABLE members ENABLE ALWAYS TRIGGER "!envcrypt_owners";
SELECT envcrypt_owner(encrypt_for_user('m-ann', 'x'));
SELECT envcrypt_owner(encrypt_for_user('m-nobody', 'x'));
CREATE ROLE regress_ec_writer IN ROLE envcrypt_encrypt;
ALTER TABLE members OWNER TO regress_ec_shop;
RESET envcrypt.master_key;
SET ROLE regress_ec_writer;
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SELECT encrypt_for_user('m-Bob', 'x') IS NOT NULL AS sealed;
RESET ROLE;
SELECT * FROM keys('m-%');
SELECT envcrypt_manage_owners('members', 'id');
DROP TABLE members, names, users CASCADE;
-- The table's owner cannot have others run what he likes: his functions run as himself, and only look.
CREATE TABLE trap (id text);
SELECT envcrypt_manage_owners('trap', 'id');
ALTER TABLE trap OWNER TO regress_ec_shop;
SET ROLE regress_ec_shop;
CREATE FUNCTION spring(text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN RAISE NOTICE 'runs as %', current_user; CREATE TABLE sprung (); RETURN true; END $$;
CREATE POLICY spring ON trap USING (spring(id));
ALTER TABLE trap ENABLE ROW LEVEL SECURITY;
ALTER TABLE trap FORCE ROW LEVEL SECURITY;
RESET ROLE;
SELECT encrypt_for_user('trapped', 'x');
RESET envcrypt.auto_create_owners;
DROP TABLE trap;
-- When the column goes, what is left of the triggers is told.
CREATE TABLE gone (id text, other text);
CREATE TABLE parts_gone (id text, n int) PARTITION BY LIST (n);
CREATE TABLE parts_gone_1 PARTITION OF parts_gone FOR VALUES IN (1);
SELECT envcrypt_manage_owners(t, 'id', on_delete => 'shred') FROM unnest('{gone,parts_gone}'::regclass[]) t;
SELECT count(*) FROM envcrypt_status() WHERE "check" = 'managed owners' AND detail ~ 'gone';
ALTER TABLE gone DROP COLUMN id;
SET client_min_messages = warning;
ALTER TABLE gone DROP COLUMN id CASCADE;
ALTER TABLE parts_gone DROP COLUMN id CASCADE;
RESET client_min_messages;
SELECT state, detail, advice FROM envcrypt_status() WHERE "check" = 'managed owners' AND detail ~ 'gone';
TRUNCATE gone, parts_gone;
SELECT envcrypt_unmanage_owners('parts_gone');
SELECT envcrypt_manage_owners('gone', 'other', on_delete => 'shred');
SELECT count(*) FROM envcrypt_status() WHERE "check" = 'managed owners' AND detail ~ 'gone';
SELECT tgname FROM pg_trigger WHERE tgrelid IN ('gone'::regclass, 'parts_gone'::regclass, 'parts_gone_1'::regclass)
    ORDER BY tgname;
DROP TABLE gone, parts_gone;

DROP FUNCTION spring, keys, try_type, no_dora;
DROP TYPE kind;
DROP DOMAIN handle;
DROP COLLATION regress_nocase;
REVOKE CREATE ON SCHEMA public FROM regress_ec_shop, regress_ec_boss;
DROP ROLE regress_ec_shop, regress_ec_boss, regress_ec_intake, regress_ec_writer;
