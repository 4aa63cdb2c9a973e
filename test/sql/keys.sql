-- Keyrings, data keys, and who makes them.
SET envcrypt.master_key = 'not a key';
SET envcrypt.master_key = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:short';
SET envcrypt.master_key = ':';
SET envcrypt.mastre_key = 'x';
SHOW envcrypt.master_key;
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SHOW envcrypt.master_key;
SELECT current_setting('envcrypt.master_key');
SELECT count(*) FROM pg_settings WHERE name = 'envcrypt.master_key';
CREATE ROLE regress_envcrypt_owner;
ALTER ROLE regress_envcrypt_owner SET envcrypt.master_key = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
ALTER DATABASE contrib_regression SET envcrypt.master_key = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
ALTER SYSTEM SET envcrypt.master_key = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=';
CREATE FUNCTION f() RETURNS int LANGUAGE sql SET envcrypt.master_key = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
    AS 'SELECT 1';
CREATE FUNCTION f() RETURNS int LANGUAGE sql SET envcrypt.master_key FROM CURRENT AS 'SELECT 1';
DROP ROLE regress_envcrypt_owner;

-- A literal is sealed under the database key, which must be there.
SELECT 'x'::encrypted_text;
-- The first creation registers the master key and makes the database key.
SELECT envcrypt_create_user_key('alice') <> 0;
SELECT 'x'::encrypted_text;
SELECT encode(fingerprint, 'hex'), state FROM envcrypt_master_keys;
SELECT kind, owner, key_version, algorithm, length(wrapped_key), tombstone FROM envcrypt_data_keys ORDER BY owner;
-- Again: the same key.
SELECT envcrypt_create_user_key('alice') = (SELECT key_id FROM envcrypt_data_keys WHERE owner = 'alice');
SELECT envcrypt_create_user_key(NULL);
SELECT envcrypt_create_user_key('');
SELECT envcrypt_create_user_key(repeat('x', 256));
SELECT envcrypt_create_user_key(repeat('x', 255)) <> 0;
SELECT envcrypt_create_user_key(repeat('é', 128));
SELECT envcrypt_create_user_key(42::text) <> 0;

-- Every key that the ring may hold: standard and URL-safe base64, padded or not, hex; the fingerprint tells.
SET envcrypt.master_key = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
SELECT decrypt_for_user('alice', encrypt_for_user('alice', 'same key'));
SET envcrypt.master_key = '__________________________________________8=';
SELECT encrypt_for_user('alice', 'other key');
SELECT detail FROM envcrypt_status() WHERE "check" LIKE '%master key';
SET envcrypt.master_key =
    '//////////////////////////////////////////8:0000000000000000000000000000000000000000000000000000000000000000';
SELECT decrypt_for_user('alice', encrypt_for_user('alice', 'second in the ring'));
-- New data keys are wrapped by the registered key, wherever it stands in the ring.
SELECT encrypt_for_user('bob', 'x')::text;
SELECT count(DISTINCT master_fingerprint) FROM envcrypt_data_keys;

-- The algorithm belongs to the data key.
SET envcrypt.data_key_algorithm = 'xaes-256-gcm';
SELECT encrypt_for_user('tenant', 'x')::text, encrypt_for_user('alice', 'y')::text;
SELECT algorithm FROM envcrypt_data_keys WHERE owner IN ('alice', 'tenant') ORDER BY owner;
RESET envcrypt.data_key_algorithm;

-- Whether an unknown owner gets a key.
SET envcrypt.auto_create_owners = off;
SELECT encrypt_for_user('nobody', 'x');
SELECT encrypt_for_user('nobody', NULL::text);
SET envcrypt.auto_create_owners = managed;
SELECT encrypt_for_user('nobody', 'x');
RESET envcrypt.auto_create_owners;

-- Read-only transactions seal for those who have a key.
BEGIN READ ONLY;
SELECT encrypt_for_user('alice', 'x')::text;
SELECT encrypt_for_user('nobody', 'x');
ROLLBACK;

-- What was made in a transaction or savepoint that rolls back is forgotten with it.
BEGIN;
SELECT encrypt_for_user('carol', 'lost')::text;
ROLLBACK;
SELECT count(*) FROM envcrypt_data_keys WHERE owner = 'carol';
BEGIN;
SAVEPOINT a;
SELECT encrypt_for_user('carol', 'lost')::text;
ROLLBACK TO a;
SELECT encrypt_for_user('carol', 'kept')::text;
COMMIT;
SELECT count(*) FROM envcrypt_data_keys WHERE owner = 'carol';
DO $$
BEGIN
    PERFORM encrypt_for_user('dave', 'lost');
    RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
    PERFORM encrypt_for_user('dave', 'kept');
END $$;
SELECT count(*) FROM envcrypt_data_keys WHERE owner = 'dave';
CREATE TABLE sealed (v encrypted_text);
BEGIN;
SELECT encrypt_for_user('erin', 'lost')::text;
PREPARE TRANSACTION 'regress_envcrypt';
ROLLBACK PREPARED 'regress_envcrypt';
INSERT INTO sealed SELECT encrypt_for_user('erin', 'kept');
-- A new session sees what is really there.
\c
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SELECT v, envcrypt_owner(v) FROM sealed;

-- What was sealed in a block that was undone lives on in a variable: its key does, too.
CREATE TABLE survivors (who text, v encrypted_text);
DO $$
DECLARE
    x encrypted_text;
    y encrypted_text;
BEGIN
    BEGIN
        x := encrypt_for_user('frank', 'sealed in a block that was undone');
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN
        NULL;
    END;
    INSERT INTO survivors VALUES ('only in the block', x);
    BEGIN
        y := encrypt_for_user('grace', 'before');
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN
        NULL;
    END;
    INSERT INTO survivors VALUES ('in the block and after', y), ('in the block and after', encrypt_for_user('grace',
        'after'));
END $$;
-- Nested, released and undone in every order; a key taken up again is the same.
DO $$
DECLARE
    kept encrypted_text[];
BEGIN
    BEGIN
        kept := kept || encrypt_for_user('nested 1', 'outer');
        BEGIN
            kept := kept || encrypt_for_user('nested 2', 'released inside');
        EXCEPTION WHEN division_by_zero THEN
            NULL;
        END;
        BEGIN
            kept := kept || encrypt_for_user('nested 3', 'undone inside');
            RAISE division_by_zero;
        EXCEPTION WHEN division_by_zero THEN
            kept := kept || encrypt_for_user('nested 3', 'taken up again');
        END;
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN
        NULL;
    END;
    BEGIN
        kept := kept || encrypt_for_user('nested 4', 'released');
    EXCEPTION WHEN division_by_zero THEN
        NULL;
    END;
    INSERT INTO survivors SELECT 'nested', k FROM unnest(kept) k;
END $$;
BEGIN;
SAVEPOINT a;
SELECT encrypt_for_user('heidi', 'x')::text;
ROLLBACK TO a;
PREPARE TRANSACTION 'regress_envcrypt';
COMMIT PREPARED 'regress_envcrypt';
BEGIN;
SAVEPOINT a;
SELECT encrypt_for_user('ivan', 'x')::text;
ROLLBACK TO a;
ROLLBACK;
\c
SET envcrypt.allow_data_loss = on;
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SELECT who, v, envcrypt_owner(v) FROM survivors ORDER BY 1, 2;
SELECT owner, count(*) FROM envcrypt_data_keys WHERE owner IN ('frank', 'grace', 'heidi', 'ivan')
    OR owner LIKE 'nested%' GROUP BY 1 ORDER BY 1;
DROP TABLE survivors;
-- So does a literal in a plan that was made while the database key was not there to stay.
CREATE TABLE kept (v encrypted_text);
CREATE TEMP TABLE all_keys AS SELECT * FROM envcrypt_data_keys;
CREATE TEMP TABLE all_masters AS SELECT * FROM envcrypt_master_keys;
DELETE FROM envcrypt_data_keys;
DELETE FROM envcrypt_master_keys;
BEGIN;
SELECT envcrypt_create_user_key('judy') <> 0;
PREPARE literal AS INSERT INTO kept VALUES ('sealed when parsed');
ROLLBACK;
SELECT envcrypt_create_user_key('judy') <> 0;
EXECUTE literal;
SELECT v FROM kept;
DEALLOCATE literal;
DROP TABLE kept;
DELETE FROM envcrypt_data_keys;
DELETE FROM envcrypt_master_keys;
INSERT INTO envcrypt_master_keys SELECT * FROM all_masters;
INSERT INTO envcrypt_data_keys SELECT * FROM all_keys;

-- A small cache changes nothing but speed.
SET envcrypt.cache_size = 16;
SELECT count(encrypt_for_user('owner ' || i % 100, 'x')) FROM generate_series(1, 1000) i;
SELECT count(*), count(DISTINCT key_id) FROM envcrypt_data_keys WHERE owner LIKE 'owner %';
SELECT bool_and(decrypt_for_user('owner ' || i % 100, encrypt_for_user('owner ' || i % 100, 'v' || i)) = 'v' || i)
FROM generate_series(1, 1000) i;
RESET envcrypt.cache_size;

-- Keys for very many owners in one transaction: more than there is room for in the lock table.
BEGIN;
SELECT count(envcrypt_create_user_key('bulk ' || i)) FROM generate_series(1, 20000) i;
SELECT count(*) < 300 AS few_locks FROM pg_locks WHERE locktype = 'advisory';
COMMIT;
SELECT count(*) FROM envcrypt_data_keys WHERE owner LIKE 'bulk %';
DELETE FROM envcrypt_data_keys WHERE owner LIKE 'bulk %';

-- Plain DML on the key table is seen at once, and by every other session (see the TAP tests).
BEGIN;
DELETE FROM envcrypt_data_keys WHERE owner = 'erin';
SELECT v FROM sealed;
ROLLBACK;
SELECT v FROM sealed;
BEGIN;
UPDATE envcrypt_data_keys SET owner = 'mallory' WHERE owner = 'erin';
SELECT v FROM sealed;
ROLLBACK;
SELECT v FROM sealed;

-- Rows of the key table cannot be exchanged or edited undetected: owner, id, version, master key, algorithm, kind.
CREATE FUNCTION opens_after(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    BEGIN
        EXECUTE change;
        SELECT v INTO result FROM sealed;
        RAISE EXCEPTION 'rolled back' USING ERRCODE = 'P0099', DETAIL = 'opened';
    EXCEPTION WHEN OTHERS THEN
        RETURN SQLSTATE || ' ' || SQLERRM;
    END;
END $$;
SELECT opens_after('SELECT 1');
SELECT opens_after($$UPDATE envcrypt_data_keys SET owner = 'carol2' WHERE owner = 'erin'$$);
SELECT opens_after($$UPDATE envcrypt_data_keys SET key_version = 2 WHERE owner = 'erin'$$);
SELECT opens_after($$UPDATE envcrypt_data_keys SET algorithm = 'xaes-256-gcm' WHERE owner = 'erin'$$);
SELECT opens_after($$UPDATE envcrypt_data_keys SET kind = 'token' WHERE owner = 'erin'$$);
SELECT opens_after($$UPDATE envcrypt_data_keys SET owner = NULL, key_version = 77 WHERE owner = 'erin'$$);
SELECT opens_after($$UPDATE envcrypt_data_keys SET wrapped_key =
    (SELECT wrapped_key FROM envcrypt_data_keys WHERE owner = 'carol') WHERE owner = 'erin'$$);
SELECT opens_after($$UPDATE envcrypt_data_keys SET master_fingerprint = decode(repeat('00', 16), 'hex')
    WHERE owner = 'erin'$$);
SELECT opens_after($$WITH ids AS (SELECT max(key_id) FILTER (WHERE owner = 'erin') AS erin FROM envcrypt_data_keys),
    gone AS (DELETE FROM envcrypt_data_keys WHERE owner = 'erin') UPDATE envcrypt_data_keys SET key_id = erin + 1
        FROM ids WHERE owner = 'carol'$$);
SELECT DISTINCT opens_after(format($$UPDATE envcrypt_data_keys
    SET wrapped_key = set_bit(wrapped_key, %s, 1 - get_bit(wrapped_key, %s)) WHERE owner = 'erin'$$, i, i))
FROM generate_series(0, 73 * 8 - 1) i;
-- Truncated, too, where somebody took the constraint away.
BEGIN;
ALTER TABLE envcrypt_data_keys DROP CONSTRAINT envcrypt_data_keys_wrapped_key_check;
SELECT DISTINCT opens_after(format($$UPDATE envcrypt_data_keys SET wrapped_key = substr(wrapped_key, 1, %s)
    WHERE owner = 'erin'$$, i))
FROM generate_series(0, 72) i;
ROLLBACK;
DELETE FROM sealed;
DROP FUNCTION opens_after;
DROP TABLE sealed;
