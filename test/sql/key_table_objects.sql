-- What the key tables' owner hangs on them is obeyed when keys are made, rotated and shredded, as by INSERT and UPDATE.
\set SHOW_CONTEXT never
-- Details name key ids, which are random.
\set VERBOSITY terse
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE SCHEMA regress_kt;
CREATE TABLE regress_kt.audit (n int GENERATED ALWAYS AS IDENTITY, who name, what text);

-- Indexes: on expressions, partial, unique, exclusion.
CREATE INDEX kt_lower ON envcrypt_data_keys (lower(owner));
CREATE INDEX kt_partial ON envcrypt_data_keys (owner) WHERE kind = 'data' AND owner LIKE 'kt-%';
CREATE UNIQUE INDEX kt_unique ON envcrypt_data_keys (lower(owner)) WHERE owner LIKE 'kt-%';
CREATE INDEX kt_state ON envcrypt_master_keys (upper(state)) WHERE state <> 'pending';
SELECT envcrypt_create_user_key('kt-a') <> 0;
SELECT encrypt_for_user('kt-b', 'x')::text;
SELECT envcrypt_create_user_key('KT-other') <> 0;
SELECT envcrypt_create_user_key('kt-A') <> 0;
SET envcrypt.master_key =
    '1111111111111111111111111111111111111111111111111111111111111111:'
    '0000000000000000000000000000000000000000000000000000000000000000';
SELECT envcrypt_rotate_master() > 0;
SELECT envcrypt_shred_user('kt-b') IS NOT NULL;
SET enable_seqscan = off;
SELECT owner FROM envcrypt_data_keys WHERE lower(owner) = 'kt-a';
SELECT owner FROM envcrypt_data_keys WHERE kind = 'data' AND owner LIKE 'kt-%' ORDER BY owner;
SELECT count(*) FROM envcrypt_master_keys WHERE upper(state) = 'CURRENT' AND state <> 'pending';
RESET enable_seqscan;
DROP INDEX kt_lower, kt_partial, kt_unique, kt_state;
-- A deferrable constraint is checked at the end.
ALTER TABLE envcrypt_data_keys ADD COLUMN kt_one int DEFAULT 1, ADD CONSTRAINT kt_deferred UNIQUE (owner, key_version,
    kt_one) DEFERRABLE;
SELECT envcrypt_create_user_key('kt-c') <> 0;
SELECT envcrypt_create_user_key('kt-d', after_shred => true) <> 0;
SELECT kt_one FROM envcrypt_data_keys WHERE owner = 'kt-c';
ALTER TABLE envcrypt_data_keys DROP COLUMN kt_one;

-- CHECK constraints.
ALTER TABLE envcrypt_data_keys ADD CONSTRAINT kt_name CHECK (owner !~ '^kt-bad');
SELECT envcrypt_create_user_key('kt-bad') <> 0;
SELECT encrypt_for_user('kt-bad', 'x');
SELECT envcrypt_create_user_key('kt-good') <> 0;
-- One of whole rows, many times.
ALTER TABLE envcrypt_data_keys ADD CONSTRAINT kt_row CHECK (row_to_json(envcrypt_data_keys) ->> 'owner' IS DISTINCT
    FROM 'kt-row-bad');
DO $$ BEGIN FOR i IN 1..20 LOOP PERFORM envcrypt_create_user_key('kt-row-' || i); PERFORM count(*) FROM pg_attribute;
    END LOOP; END $$;
SELECT envcrypt_create_user_key('kt-row-bad');
ALTER TABLE envcrypt_data_keys DROP CONSTRAINT kt_row;
CREATE FUNCTION regress_kt.allowed(owner text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT owner <> ''kt-odd''';
ALTER TABLE envcrypt_data_keys DROP CONSTRAINT kt_name, ADD CONSTRAINT kt_allowed CHECK (regress_kt.allowed(owner));
SELECT envcrypt_create_user_key('kt-even') <> 0;
SELECT envcrypt_create_user_key('kt-odd') <> 0;
-- The function changes, and the check with it.
CREATE OR REPLACE FUNCTION regress_kt.allowed(owner text) RETURNS boolean
    LANGUAGE sql IMMUTABLE AS 'SELECT owner <> ''kt-even2''';
SELECT envcrypt_create_user_key('kt-even2') <> 0;
SELECT envcrypt_create_user_key('kt-odd') <> 0;
ALTER TABLE envcrypt_data_keys DROP CONSTRAINT kt_allowed;
-- One that holds for keys, and not for tombstones: nothing is destroyed.
ALTER TABLE envcrypt_data_keys ADD CONSTRAINT kt_keep CHECK (kind <> 'shredded' OR key_version > 1000) NOT VALID;
SELECT envcrypt_shred_user('kt-good');
SELECT kind, owner FROM envcrypt_data_keys WHERE owner = 'kt-good';
ALTER TABLE envcrypt_data_keys DROP CONSTRAINT kt_keep;
ALTER TABLE envcrypt_master_keys ADD CONSTRAINT kt_no_third CHECK (substr(fingerprint, 1, 1) = '\x00'
    OR state <> 'current') NOT VALID;
SET envcrypt.master_key =
    '2222222222222222222222222222222222222222222222222222222222222222:'
    '1111111111111111111111111111111111111111111111111111111111111111';
SELECT envcrypt_rotate_master();
ALTER TABLE envcrypt_master_keys DROP CONSTRAINT kt_no_third;
SET envcrypt.master_key =
    '1111111111111111111111111111111111111111111111111111111111111111:'
    '0000000000000000000000000000000000000000000000000000000000000000';

-- Generated columns, defaults, dropped columns.
ALTER TABLE envcrypt_data_keys ADD COLUMN kt_initial text GENERATED ALWAYS AS (left(owner, 4)) STORED,
    ADD COLUMN kt_note text DEFAULT 'made by ' || current_user::text, ADD COLUMN kt_number serial;
SELECT envcrypt_create_user_key('kt-generated') <> 0;
SELECT kt_initial, kt_note = 'made by ' || current_user, kt_number > 1 FROM envcrypt_data_keys
    WHERE owner = 'kt-generated';
CREATE TEMP TABLE shredded AS SELECT envcrypt_shred_user('kt-generated') -> 'destroyed' -> 0 ->> 'key_id' AS key_id;
SELECT kt_initial, kt_note = 'made by ' || current_user, kt_number > 1 FROM envcrypt_data_keys
    WHERE key_id = (SELECT key_id::bigint FROM shredded);
ALTER TABLE envcrypt_data_keys DROP COLUMN kt_initial, DROP COLUMN kt_note, DROP COLUMN kt_number;
SELECT envcrypt_create_user_key('kt-dropped') <> 0;

-- Triggers: of rows and statements, before and after, on some columns, with transition tables, deferred.
CREATE FUNCTION regress_kt.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = regress_kt,
    pg_catalog AS $$
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        INSERT INTO audit (who, what) VALUES (session_user, concat_ws(' ', TG_NAME, TG_WHEN, TG_OP, OLD.owner, '->',
            NEW.kind, NEW.owner));
        RETURN NEW;
    ELSIF TG_NAME = 'kt_transition' THEN
        INSERT INTO audit (who, what) SELECT session_user, concat_ws(' ', TG_NAME, TG_OP, count(*), 'rows')
            FROM new_rows;
    ELSE
        INSERT INTO audit (who, what) VALUES (session_user, concat_ws(' ', TG_NAME, TG_WHEN, TG_OP));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER kt_before BEFORE INSERT OR UPDATE ON envcrypt_data_keys FOR EACH ROW EXECUTE FUNCTION regress_kt.note();
CREATE TRIGGER kt_after AFTER INSERT OR UPDATE ON envcrypt_data_keys FOR EACH ROW EXECUTE FUNCTION regress_kt.note();
CREATE TRIGGER kt_of_owner AFTER UPDATE OF owner ON envcrypt_data_keys FOR EACH ROW EXECUTE FUNCTION regress_kt.note();
CREATE TRIGGER kt_of_created AFTER UPDATE OF created_at ON envcrypt_data_keys FOR EACH ROW
    EXECUTE FUNCTION regress_kt.note();
CREATE TRIGGER kt_when AFTER INSERT ON envcrypt_data_keys FOR EACH ROW WHEN (NEW.owner = 'kt-when')
    EXECUTE FUNCTION regress_kt.note();
CREATE TRIGGER kt_statement AFTER INSERT OR UPDATE ON envcrypt_data_keys FOR EACH STATEMENT
    EXECUTE FUNCTION regress_kt.note();
CREATE TRIGGER kt_statement_before BEFORE INSERT OR UPDATE ON envcrypt_data_keys FOR EACH STATEMENT
    EXECUTE FUNCTION regress_kt.note();
CREATE TRIGGER kt_transition AFTER UPDATE ON envcrypt_data_keys REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION regress_kt.note();
CREATE CONSTRAINT TRIGGER kt_deferred AFTER INSERT ON envcrypt_data_keys DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION regress_kt.note();
CREATE ROLE regress_kt_clerk IN ROLE envcrypt_encrypt;
GRANT USAGE ON SCHEMA regress_kt TO regress_kt_clerk;
BEGIN;
SET ROLE regress_kt_clerk;
SELECT encrypt_for_user('kt-when', 'x') IS NOT NULL;
RESET ROLE;
SELECT count(*) FILTER (WHERE what LIKE 'kt_deferred%') FROM regress_kt.audit;
COMMIT;
SELECT who = session_user, what FROM regress_kt.audit ORDER BY n;
TRUNCATE regress_kt.audit;
SELECT envcrypt_shred_user('kt-when') IS NOT NULL;
SELECT what FROM regress_kt.audit ORDER BY n;
TRUNCATE regress_kt.audit;
SET envcrypt.master_key =
    '0000000000000000000000000000000000000000000000000000000000000000:'
    '1111111111111111111111111111111111111111111111111111111111111111';
SELECT envcrypt_rotate_master() > 5;
SELECT (SELECT count(*) FROM envcrypt_data_keys WHERE kind <> 'shredded') - count(*) AS missed FROM regress_kt.audit
    WHERE what LIKE 'kt_after AFTER UPDATE %';
SELECT regexp_replace(what, '\d+', 'N') FROM regress_kt.audit WHERE what NOT LIKE '%->%' ORDER BY n;
-- A key that is stored again at the end of the transaction is noted, too, and by deferred triggers.
TRUNCATE regress_kt.audit;
BEGIN;
DO $$
DECLARE
    kept encrypted_text;
BEGIN
    BEGIN
        kept := encrypt_for_user('kt-orphan', 'x');
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
        NULL;
    END;
END $$;
SELECT what FROM regress_kt.audit ORDER BY n;
COMMIT;
SELECT what FROM regress_kt.audit ORDER BY n;
SELECT count(*) FROM envcrypt_data_keys WHERE owner = 'kt-orphan';
DROP TRIGGER kt_before ON envcrypt_data_keys;
DROP TRIGGER kt_after ON envcrypt_data_keys;
DROP TRIGGER kt_of_owner ON envcrypt_data_keys;
DROP TRIGGER kt_of_created ON envcrypt_data_keys;
DROP TRIGGER kt_when ON envcrypt_data_keys;
DROP TRIGGER kt_statement ON envcrypt_data_keys;
DROP TRIGGER kt_statement_before ON envcrypt_data_keys;
DROP TRIGGER kt_transition ON envcrypt_data_keys;
DROP TRIGGER kt_deferred ON envcrypt_data_keys;

-- One that swallows or changes a key's row: an error, not values that never open.
CREATE FUNCTION regress_kt.swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER kt_swallow BEFORE INSERT OR UPDATE ON envcrypt_data_keys FOR EACH ROW
    EXECUTE FUNCTION regress_kt.swallow();
SELECT encrypt_for_user('kt-swallowed', 'x');
SELECT envcrypt_shred_user('kt-good');
DROP TRIGGER kt_swallow ON envcrypt_data_keys;
CREATE FUNCTION regress_kt.change() RETURNS trigger
    LANGUAGE plpgsql AS 'BEGIN NEW.owner := upper(NEW.owner); NEW.key_version := NEW.key_version + 1; RETURN NEW; END';
CREATE TRIGGER kt_change BEFORE INSERT OR UPDATE ON envcrypt_data_keys FOR EACH ROW
    EXECUTE FUNCTION regress_kt.change();
SELECT encrypt_for_user('kt-changed', 'x');
SELECT envcrypt_shred_user('kt-good');
DROP TRIGGER kt_change ON envcrypt_data_keys;
SELECT kind, owner FROM envcrypt_data_keys WHERE owner ILIKE 'kt-changed' OR owner ILIKE 'kt-swallowed'
    OR owner = 'kt-good';

-- One that comes back to us: makes a key of its own, seals, opens, and sets another keyring, with next to no cache.
SET envcrypt.cache_size = 16;
GRANT envcrypt_encrypt, envcrypt_decrypt TO CURRENT_USER;
CREATE TABLE regress_kt.seen (owner text, note encrypted_text);
CREATE FUNCTION regress_kt.again() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.owner NOT LIKE 'kt-again%' THEN
        INSERT INTO regress_kt.seen SELECT 'kt-again ' || i, encrypt_for_user('kt-again ' || i, NEW.owner)
            FROM generate_series(1, 40) i;
        PERFORM count(note::text) FROM regress_kt.seen;
        PERFORM set_config('envcrypt.master_key', current_setting('regress.ring'), false);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER kt_again AFTER INSERT OR UPDATE ON envcrypt_data_keys FOR EACH ROW EXECUTE FUNCTION regress_kt.again();
SET regress.ring =
    '0000000000000000000000000000000000000000000000000000000000000000:'
    '1111111111111111111111111111111111111111111111111111111111111111';
CREATE TABLE regress_kt.sealed AS SELECT encrypt_for_user('kt-first', 'first') AS t;
SELECT t, envcrypt_owner(t) FROM regress_kt.sealed;
SELECT count(*), count(DISTINCT owner), min(note::text), count(*) FILTER (WHERE envcrypt_owner(note) <> owner)
    FROM regress_kt.seen;
SET envcrypt.master_key =
    '1111111111111111111111111111111111111111111111111111111111111111:'
    '0000000000000000000000000000000000000000000000000000000000000000';
SET regress.ring =
    '1111111111111111111111111111111111111111111111111111111111111111:'
    '0000000000000000000000000000000000000000000000000000000000000000';
BEGIN;
SET LOCAL envcrypt.allow_data_loss = on;
DELETE FROM envcrypt_data_keys WHERE kind = 'data' AND owner NOT LIKE 'kt-%';
SELECT envcrypt_rotate_master() > 5;
SELECT t FROM regress_kt.sealed;
SELECT count(DISTINCT master_fingerprint) FROM envcrypt_data_keys;
ROLLBACK;
DROP TRIGGER kt_again ON envcrypt_data_keys;
-- A constraint's function that makes a key while a key is checked.
SET envcrypt.master_key =
    '0000000000000000000000000000000000000000000000000000000000000000:'
    '1111111111111111111111111111111111111111111111111111111111111111';
CREATE FUNCTION regress_kt.makes(owner text, version int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF owner = 'kt-makes' THEN
        PERFORM envcrypt_create_user_key('kt-made ' || i) FROM generate_series(1, 3) i;
    END IF;
    RETURN owner IS NULL OR (owner || version) = (owner || '1') OR owner NOT LIKE 'kt-ma%';
END $$;
ALTER TABLE envcrypt_data_keys ADD CONSTRAINT kt_makes CHECK (regress_kt.makes(owner, key_version)) NOT VALID;
SELECT envcrypt_create_user_key('kt-makes') <> 0;
SELECT count(*) FROM envcrypt_data_keys WHERE owner LIKE 'kt-made %' OR owner = 'kt-makes';
ALTER TABLE envcrypt_data_keys DROP CONSTRAINT kt_makes;
RESET envcrypt.cache_size;
REVOKE envcrypt_encrypt, envcrypt_decrypt FROM CURRENT_USER;

-- The trigger of the key tables is no other table's.
CREATE TABLE regress_kt.other (owner text);
CREATE TRIGGER announce BEFORE INSERT ON regress_kt.other FOR EACH ROW EXECUTE FUNCTION envcrypt_key_table_trigger();
INSERT INTO regress_kt.other VALUES ('x');
-- A tombstone stays one.
\set VERBOSITY sqlstate
UPDATE envcrypt_data_keys SET kind = 'data', owner = 'kt-back', master_fingerprint = decode(repeat('00', 16), 'hex'),
    wrapped_key = decode(repeat('00', 73), 'hex'),
    tombstone = NULL, shredded_at = NULL WHERE key_id = (SELECT key_id::bigint FROM shredded);
\set VERBOSITY terse
UPDATE envcrypt_data_keys SET shredded_at = shredded_at - interval '1 day' WHERE key_id = (SELECT key_id::bigint
    FROM shredded);

SET envcrypt.allow_data_loss = on;
DELETE FROM envcrypt_data_keys WHERE owner ILIKE 'kt-%' OR key_id IN (SELECT key_id::bigint FROM shredded);
DROP TABLE shredded;
SET client_min_messages = warning;
DROP SCHEMA regress_kt CASCADE;
DROP ROLE regress_kt_clerk;
