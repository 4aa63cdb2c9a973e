-- envcrypt_shred_user(): destroys an owner's data keys, and with them all that they sealed.
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
-- Details name key ids, which are random.
\set VERBOSITY terse
SET envcrypt.allow_data_loss = on;
CREATE TABLE sealed (id int, t encrypted_text);
INSERT INTO sealed SELECT 1, encrypt_for_user('stays', 'readable');
INSERT INTO sealed SELECT 2, encrypt_for_user('goes', 'gone');
SELECT envcrypt_shred_user(NULL);
SELECT envcrypt_shred_user('');
SELECT envcrypt_shred_user('unknown');
BEGIN READ ONLY;
SELECT envcrypt_shred_user('goes');
ROLLBACK;
-- Undone with its transaction.
BEGIN;
SELECT envcrypt_shred_user('goes') IS NOT NULL;
SELECT t FROM sealed WHERE id = 2;
ROLLBACK;
SELECT t FROM sealed WHERE id = 2;
SELECT jsonb_object_keys(envcrypt_shred_user('goes')) AS receipt ORDER BY 1;
SELECT kind, owner, key_version, wrapped_key, master_fingerprint, length(tombstone) FROM envcrypt_data_keys
    WHERE kind = 'shredded';
SELECT t FROM sealed WHERE id = 1;
SELECT t FROM sealed WHERE id = 2;
SELECT envcrypt_owner(t), envcrypt_key_id(t) IS NOT NULL FROM sealed ORDER BY id;
SELECT decrypt_for_user('goes', t) FROM sealed WHERE id = 2;
-- Never silently made again.
SELECT encrypt_for_user('goes', 'again');
SELECT envcrypt_create_user_key('goes');
SELECT envcrypt_shred_user('goes');
SELECT envcrypt_create_user_key('goes', after_shred => true) <> 0;
SELECT encrypt_for_user('goes', 'again')::text;
SELECT key_version FROM envcrypt_data_keys WHERE owner = 'goes';
-- What was sealed before stays closed.
SELECT t FROM sealed WHERE id = 2;
SELECT envcrypt_shred_user('goes') -> 'tokens_remaining';
SELECT count(*), count(DISTINCT tombstone) FROM envcrypt_data_keys WHERE kind = 'shredded';
-- A tombstone outlives a rotation, and is no hash that a thief could try names on.
SET envcrypt.master_key =
    '3333333333333333333333333333333333333333333333333333333333333333:'
    '0000000000000000000000000000000000000000000000000000000000000000';
SELECT envcrypt_rotate_master() > 0;
SELECT encrypt_for_user('goes', 'again');
SELECT count(*) FROM envcrypt_data_keys WHERE tombstone IN (sha256('goes'), decode(md5('goes'), 'hex'));
SET envcrypt.master_key =
    '0000000000000000000000000000000000000000000000000000000000000000:'
    '3333333333333333333333333333333333333333333333333333333333333333';
SELECT envcrypt_rotate_master() > 0;
-- Keys merged from another database bring its database key and its tombstones: they count, too.
BEGIN;
CREATE TEMP TABLE other AS SELECT * FROM envcrypt_data_keys WHERE kind = 'shredded' OR owner IS NULL;
DELETE FROM envcrypt_data_keys;
DELETE FROM envcrypt_master_keys;
SELECT envcrypt_create_user_key('first here') <> 0;
INSERT INTO envcrypt_data_keys SELECT * FROM other;
SELECT encrypt_for_user('goes', 'again');
ROLLBACK;
-- A lost database key is not made anew: all tombstones would be worthless.
BEGIN;
DELETE FROM envcrypt_data_keys WHERE kind = 'data' AND owner IS NULL;
SELECT envcrypt_rotate_master();
SELECT encrypt_for_user('somebody', 'x');
ROLLBACK;
-- Sealed values of a shredded owner can still be dumped and restored.
SET envcrypt.io = ciphertext;
SELECT left(format('%s', t), 10) FROM sealed WHERE id = 2;
CREATE TABLE restored AS SELECT format('%s', t) AS t FROM sealed WHERE id = 2;
DO $$
BEGIN
    EXECUTE format('INSERT INTO sealed VALUES (3, %L)', (SELECT t FROM restored));
END $$;
SELECT count(*) FROM sealed a JOIN sealed b ON format('%s', a.t) = format('%s', b.t) WHERE a.id = 2 AND b.id = 3;
RESET envcrypt.io;
-- A list, some of whom were shredded before, or have never had a key: what happened to each, in order, once.
SELECT envcrypt_create_user_key('l-ann') IS NOT NULL, envcrypt_create_user_key('l-bob') IS NOT NULL,
    envcrypt_create_user_key('l-cyd') IS NOT NULL;
SELECT envcrypt_shred_user('l-bob') IS NOT NULL;
SELECT envcrypt_shred_user('l-bob', missing_ok => true), envcrypt_shred_user('l-nobody', missing_ok => true),
    envcrypt_shred_user('l-cyd', missing_ok => true) IS NOT NULL;
SELECT envcrypt_shred_user('l-bob', missing_ok => false);
SELECT envcrypt_shred_user('l-nobody', missing_ok => NULL);
SELECT envcrypt_shred_user(NULL, missing_ok => true);
SELECT owner, result, receipt -> 'destroyed' -> 0 -> 'key_version' AS version,
    length(receipt ->> 'tombstone') AS tombstone
FROM envcrypt_shred_users('{l-nobody,l-bob,l-ann,l-cyd,l-ann}');
SELECT owner, result, receipt FROM envcrypt_shred_users('{l-nobody,l-bob,l-ann}');
SELECT * FROM envcrypt_shred_users('{}');
SELECT * FROM envcrypt_shred_users(NULL);
SELECT * FROM envcrypt_shred_users('{l-ann,NULL}');
SELECT * FROM envcrypt_shred_users('{l-ann,""}');
-- All or none.
SELECT envcrypt_create_user_key('l-dora') IS NOT NULL;
BEGIN;
SELECT result FROM envcrypt_shred_users('{l-dora}');
ROLLBACK;
BEGIN READ ONLY;
SELECT result FROM envcrypt_shred_users('{l-dora}');
ROLLBACK;
CREATE ROLE regress_ec_shredder;
SET ROLE regress_ec_shredder;
SELECT result FROM envcrypt_shred_users('{l-dora}');
RESET ROLE;
GRANT envcrypt_keyadmin TO regress_ec_shredder;
SET ROLE regress_ec_shredder;
SELECT owner, result FROM envcrypt_shred_users('{l-dora,l-ann}');
RESET ROLE;
DROP ROLE regress_ec_shredder;
DROP TABLE sealed, restored;
