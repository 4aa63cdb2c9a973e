-- Each error once, with its SQLSTATE, and for each function the edges: NULL, empty, wrong type.
\set VERBOSITY sqlstate
SELECT 'x'::encrypted_text;
\set VERBOSITY default
GRANT envcrypt_encrypt, envcrypt_decrypt TO CURRENT_USER;
-- No key.
SELECT 'x'::encrypted_text;
\echo :SQLSTATE
SELECT encrypt_for_user('alice', 'x');
\echo :SQLSTATE
SELECT envcrypt_rotate_master();
\echo :SQLSTATE
SELECT envcrypt_create_user_key('nobody has this');
\echo :SQLSTATE
SELECT envcrypt_shred_user('alice');
\echo :SQLSTATE
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SELECT encrypt_for_user(NULL, 'x');
\echo :SQLSTATE
SELECT encrypt_for_user('', 'x');
\echo :SQLSTATE
SELECT encrypt_for_user('alice', NULL::text) IS NULL;
SELECT encrypt_for_user('alice', NULL::bytea) IS NULL;
SELECT decrypt_for_user('alice', NULL::encrypted_text) IS NULL;
SELECT decrypt_for_user(NULL, encrypt_for_user('alice', 'x'));
SELECT decrypt_for_user('bob', encrypt_for_user('alice', 'x'));
\echo :SQLSTATE
SELECT decrypt_for_user('alice', 'sealed by no owner'::encrypted_text);
\echo :SQLSTATE
SELECT decrypt_for_user('unknown', encrypt_for_user('alice', 'x'));
SELECT pg_typeof(encrypt_for_user('alice', 42)), pg_typeof(encrypt_for_user('alice', 42::smallint)),
    pg_typeof(encrypt_for_user('alice', 4.2)), pg_typeof(encrypt_for_user('alice', '42')),
    pg_typeof(encrypt_for_user('alice', '42'::char(3)));
SELECT encrypt_for_user('alice', 42::int8) + 1, encrypt_for_user('alice', NULL::int) IS NULL;
SELECT encrypt_for_user('alice', ARRAY[42]);
SELECT encrypt_for_user('alice', ''), decrypt_for_user('alice', encrypt_for_user('alice', '')) = '';
SELECT envcrypt_owner(NULL::encrypted_text) IS NULL, envcrypt_key_id(NULL::encrypted_bytea) IS NULL;
SELECT envcrypt_owner(encrypt_for_user('alice', 'x')), envcrypt_owner('x'::encrypted_text) IS NULL;
-- A type's own complaint does not quote the value.
SELECT '\xzz secret'::encrypted_bytea;
\echo :SQLSTATE
SELECT 'secret'::encrypted_text::int;
\echo :SQLSTATE
SELECT 'secret'::encrypted_text::jsonb;
SELECT 'secret'::encrypted_text::regclass;
SELECT '99999999999999'::encrypted_text::int;
\echo :SQLSTATE
-- Called as what it is not.
SELECT encrypted_text_in('x', 17, -1);
SELECT envcrypt_open(encrypted_bytea_in('\x01', 0, -1));
SELECT envcrypt_key_table_trigger();
SELECT envcrypt_guard_ddl();
-- Large values, whose texts are compared by checksum.
SELECT length(t), md5(t) = md5(repeat('x', 1000000)) AS same
    FROM (SELECT encrypt_for_user('alice', repeat('x', 1000000))::text AS t) q;
-- PostgreSQL's own errors carry no plaintext of ours.
SELECT envcrypt_create_user_key('late') <> 0;
BEGIN;
SET LOCAL statement_timeout = '1ms';
SELECT count(encrypt_for_user('alice', 'x')) FROM generate_series(1, 1000000);
ROLLBACK;
SELECT decrypt_for_user('alice', encrypt_for_user('alice', 'still usable'));
REVOKE envcrypt_encrypt, envcrypt_decrypt FROM CURRENT_USER;
