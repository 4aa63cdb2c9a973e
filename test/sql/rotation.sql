-- envcrypt_rotate_master(): re-wraps keys, touches no value.
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE TABLE sealed (id int, t encrypted_text);
INSERT INTO sealed SELECT i, encrypt_for_user('rotated ' || i % 10, 'value ' || i) FROM generate_series(1, 100) i;
SELECT pg_relation_filenode('sealed') AS before, xmin AS xmin_before FROM sealed LIMIT 1 \gset
-- Nothing to do.
SELECT envcrypt_rotate_master();
-- The keyring lacks the key that wrapped: nothing changes, and the error says how many and which.
SET envcrypt.master_key = '1111111111111111111111111111111111111111111111111111111111111111';
SELECT count(*) AS live FROM envcrypt_data_keys WHERE kind = 'data' \gset
DO $$
BEGIN
    PERFORM envcrypt_rotate_master();
EXCEPTION WHEN SQLSTATE 'ZE001' THEN
    RAISE NOTICE '%', regexp_replace(SQLERRM, '^[0-9]+', 'N');
END $$;
SELECT encode(fingerprint, 'hex'), state FROM envcrypt_master_keys ORDER BY 1;
-- Overlapping keyring.
SET envcrypt.master_key =
    '1111111111111111111111111111111111111111111111111111111111111111:'
    '0000000000000000000000000000000000000000000000000000000000000000';
BEGIN;
SELECT envcrypt_rotate_master() = :live;
ROLLBACK;
SELECT envcrypt_rotate_master() = :live;
SELECT envcrypt_rotate_master();
SELECT encode(fingerprint, 'hex'), state FROM envcrypt_master_keys ORDER BY 1;
SELECT count(DISTINCT master_fingerprint) FROM envcrypt_data_keys WHERE kind = 'data';
SELECT pg_relation_filenode('sealed') = :before, bool_and(xmin = :'xmin_before'::xid) FROM sealed;
\c
SET envcrypt.master_key = '1111111111111111111111111111111111111111111111111111111111111111';
SELECT count(*), md5(string_agg(t, ',' ORDER BY id)) = (SELECT md5(string_agg('value ' || i, ',' ORDER BY i))
    FROM generate_series(1, 100) i) AS same FROM sealed;
SELECT decrypt_for_user('after', encrypt_for_user('after', 'new owners are wrapped by the new key'));
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SELECT t FROM sealed LIMIT 1;

-- Refused: read-only, wrong role, a retired key as the target; a compromised key opens nothing.
BEGIN READ ONLY;
SELECT envcrypt_rotate_master();
ROLLBACK;
CREATE ROLE regress_envcrypt_nobody;
SET ROLE regress_envcrypt_nobody;
SELECT envcrypt_rotate_master();
RESET ROLE;
DROP ROLE regress_envcrypt_nobody;
SET envcrypt.master_key =
    '0000000000000000000000000000000000000000000000000000000000000000:'
    '1111111111111111111111111111111111111111111111111111111111111111';
BEGIN;
UPDATE envcrypt_master_keys SET state = 'retired' WHERE state = 'retiring';
SELECT envcrypt_rotate_master();
ROLLBACK;
BEGIN;
UPDATE envcrypt_master_keys SET state = 'compromised' WHERE state = 'current';
SELECT t FROM sealed LIMIT 1;
ROLLBACK;
BEGIN;
UPDATE envcrypt_master_keys SET state = 'current';
SELECT encrypt_for_user('anybody', 'x');
ROLLBACK;
BEGIN;
DELETE FROM envcrypt_master_keys;
SELECT t FROM sealed LIMIT 1;
ROLLBACK;
-- Back again.
SELECT envcrypt_rotate_master() = :live + 1;
\c
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SELECT count(t::text) FROM sealed;
SELECT detail, state FROM envcrypt_status() WHERE "check" LIKE 'registered%';
-- In a function's subtransaction, and under REPEATABLE READ.
SET envcrypt.master_key =
    '2222222222222222222222222222222222222222222222222222222222222222:'
    '0000000000000000000000000000000000000000000000000000000000000000';
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM sealed;
SELECT encrypt_for_user('in the same transaction', 'x')::text;
SELECT envcrypt_rotate_master() = :live + 2;
SELECT count(t::text) FROM sealed;
COMMIT;
SET envcrypt.master_key =
    '0000000000000000000000000000000000000000000000000000000000000000:'
    '2222222222222222222222222222222222222222222222222222222222222222';
SELECT envcrypt_rotate_master() = :live + 2;
DROP TABLE sealed;
