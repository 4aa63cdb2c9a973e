-- Role by action, in one table.
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE ROLE regress_ec_member IN ROLE envcrypt_encrypt, envcrypt_decrypt;
CREATE ROLE regress_ec_writer IN ROLE envcrypt_encrypt;
CREATE ROLE regress_ec_reader IN ROLE envcrypt_decrypt;
CREATE ROLE regress_ec_admin IN ROLE envcrypt_keyadmin;
CREATE ROLE regress_ec_nobody;
CREATE ROLE regress_ec_super SUPERUSER;
CREATE ROLE regress_ec_search IN ROLE envcrypt_search;
CREATE TABLE sealed (id int, t encrypted_text);
INSERT INTO sealed SELECT 1, encrypt_for_user('alice', 'value');
INSERT INTO sealed SELECT 3, encrypt_for_user('alice', 'third');
GRANT ALL ON sealed TO PUBLIC;
CREATE SCHEMA attempts;
GRANT ALL ON SCHEMA attempts TO PUBLIC;
GRANT CREATE ON SCHEMA public TO PUBLIC;

CREATE VIEW opening AS SELECT upper(t) AS t FROM sealed;
GRANT SELECT ON opening TO PUBLIC;
CREATE FUNCTION as_definer() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT t::text FROM sealed WHERE id = 1';

CREATE TABLE actions (n serial, action text, statement text);
INSERT INTO actions (action, statement) VALUES
    ('see the column', $$SELECT left(format('%s', t), 10) FROM sealed WHERE id = 1$$),
    ('open by cast', $$SELECT t::text FROM sealed WHERE id = 1$$),
    ('compare', $$SELECT id FROM sealed WHERE t = 'value' LIMIT 1$$),
    ('coalesce with a literal', $$SELECT coalesce(t, 'x')::text FROM sealed WHERE id = 1$$),
    ('IN with literals', $$SELECT t IN ('value', 'x') FROM sealed WHERE id = 1$$),
    ('CASE', $$SELECT CASE WHEN id = 1 THEN t ELSE 'x' END::text FROM sealed WHERE id = 1$$),
    ('sort', $$SELECT count(*) FROM (SELECT t FROM sealed, generate_series(1, 2) ORDER BY t) q$$),
    ('group', $$SELECT count(*) FROM (SELECT t FROM (SELECT t FROM sealed UNION ALL
        SELECT t FROM sealed) u GROUP BY t) q$$),
    ('through a view', $$SELECT t FROM opening LIMIT 1$$),
    ('through a function of the owner', $$SELECT as_definer()$$),
    ('into a varchar', $$INSERT INTO attempts.v SELECT t::varchar FROM sealed WHERE id = 1 RETURNING v$$),
    ('write a literal', $$INSERT INTO sealed VALUES (2, 'literal') RETURNING 'written'$$),
    ('write an expression', $$INSERT INTO sealed VALUES (2, lower('X')) RETURNING 'written'$$),
    ('seal for an owner', $$SELECT 'sealed' FROM (SELECT encrypt_for_user('alice', 'x') OFFSET 0) q$$),
    ('seal for a new owner', $$SELECT 'sealed' FROM (SELECT encrypt_for_user('new', 'x') OFFSET 0) q$$),
    ('open for an owner', $$SELECT decrypt_for_user('alice', t) FROM sealed WHERE id = 1$$),
    ('ask for the owner', $$SELECT envcrypt_owner(t) FROM sealed WHERE id = 1$$),
    ('ask for the key id', $$SELECT envcrypt_key_id(t) <> 0 FROM sealed WHERE id = 1$$),
    ('make a key', $$SELECT envcrypt_create_user_key('made') <> 0$$),
    ('rotate the master key', $$SELECT envcrypt_rotate_master()$$),
    ('shred an owner', $$SELECT envcrypt_shred_user('victim') IS NOT NULL$$),
    ('generate a master key', $$SELECT length(envcrypt_generate_master_key())$$),
    ('see the status', $$SELECT count(*) > 0 FROM envcrypt_status()$$),
    ('read the key table', $$SELECT count(*) > 0 FROM envcrypt_data_keys$$);
CREATE TABLE attempts.v (v varchar);
GRANT ALL ON attempts.v TO PUBLIC;

-- Each action in a transaction of its own that is undone, so that none helps the next.
CREATE FUNCTION attempt(who text, what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', who);
    BEGIN
        EXECUTE what INTO result;
        RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = coalesce(result, 'NULL');
    EXCEPTION WHEN OTHERS THEN
        RESET ROLE;
        RETURN CASE SQLSTATE WHEN 'P0099' THEN SQLERRM WHEN '42501' THEN '-' ELSE SQLSTATE END;
    END;
END $$;
SELECT envcrypt_create_user_key('victim') <> 0;

-- With the session's own key. A role that was SET counts as the session's own user; a function's definer does not.
SELECT action, attempt('regress_ec_nobody', statement) AS nobody, attempt('regress_ec_super', statement) AS superuser,
    attempt('regress_ec_admin', statement) AS keyadmin FROM actions ORDER BY n;

-- With the server's key: rights come from membership alone.
COPY (SELECT '0000000000000000000000000000000000000000000000000000000000000000') TO PROGRAM
    'umask 077; cat > /tmp/regress_envcrypt_$PPID.key; echo; mv /tmp/regress_envcrypt_$PPID.key '
        '/tmp/regress_envcrypt.key';
ALTER SYSTEM SET envcrypt.master_key_file = '/tmp/regress_envcrypt.key';
SELECT pg_reload_conf();
\c
SELECT action, attempt('regress_ec_nobody', statement) AS nobody, attempt('regress_ec_super', statement) AS superuser,
    attempt('regress_ec_admin', statement) AS keyadmin, attempt('regress_ec_writer', statement) AS writer,
    attempt('regress_ec_reader', statement) AS reader, attempt('regress_ec_member', statement) AS member,
    attempt('regress_ec_search', statement) AS search
FROM actions ORDER BY n;

-- ALTER TABLE prints constants and parses them again: for a role that may seal but not open they come back armored,
-- and are taken as they are.
SET ROLE regress_ec_writer;
CREATE TABLE altered (t encrypted_text CHECK (t *<> 'abc'::encrypted_text));
SELECT md5(pg_get_constraintdef(oid)) AS before FROM pg_constraint WHERE conrelid = 'altered'::regclass \gset
ALTER TABLE altered ALTER t TYPE encrypted_text COLLATE "C";
SELECT md5(pg_get_constraintdef(oid)) = :'before' AS same,
    pg_get_constraintdef(oid) LIKE '%envcrypt1:%' AS armored FROM pg_constraint WHERE conrelid = 'altered'::regclass;
DROP TABLE altered;
RESET ROLE;

-- What a role may do changes at once.
SET ROLE regress_ec_nobody;
SELECT t::text FROM sealed WHERE id = 1;
RESET ROLE;
GRANT envcrypt_decrypt TO regress_ec_nobody;
SET ROLE regress_ec_nobody;
SELECT t::text FROM sealed WHERE id = 1;
RESET ROLE;
REVOKE envcrypt_decrypt FROM regress_ec_nobody;
SET ROLE regress_ec_nobody;
SELECT t::text FROM sealed WHERE id = 1;
RESET ROLE;

-- A session's own key opens for the session's own user, and is not lent to a definer without the right, a
-- materialized view's owner, or an index expression.
CREATE FUNCTION nobodys(encrypted_text) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT $1::text';
ALTER FUNCTION nobodys(encrypted_text) OWNER TO regress_ec_nobody;
CREATE FUNCTION immutably(encrypted_text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1::text; END';
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SELECT t::text, nobodys(t) FROM sealed WHERE id = 1;
CREATE MATERIALIZED VIEW kept AS SELECT t::text FROM sealed WHERE id = 1 WITH NO DATA;
ALTER MATERIALIZED VIEW kept OWNER TO regress_ec_nobody;
REFRESH MATERIALIZED VIEW kept;
ALTER TABLE sealed OWNER TO regress_ec_nobody;
\set SHOW_CONTEXT never
CREATE INDEX ON sealed (immutably(t));
\set SHOW_CONTEXT errors
ALTER TABLE sealed OWNER TO CURRENT_USER;
-- A bogus key in the session gives no right to anything.
SET envcrypt.master_key = '1111111111111111111111111111111111111111111111111111111111111111';
SELECT t::text FROM sealed WHERE id = 1;
RESET envcrypt.master_key;
SET envcrypt.master_key = '1111111111111111111111111111111111111111111111111111111111111111';
SET ROLE regress_ec_nobody;
SELECT envcrypt_owner(t) FROM sealed WHERE id = 1;
SELECT envcrypt_key_id(t) FROM sealed WHERE id = 1;
RESET ROLE;
SET envcrypt.auto_create_owners = off;
SELECT encrypt_for_user('alice', '');
SELECT encrypt_for_user('unknown', '');
RESET envcrypt.auto_create_owners;
RESET envcrypt.master_key;
-- A member without INHERIT has the right after SET ROLE only.
CREATE ROLE regress_ec_noinherit NOINHERIT IN ROLE envcrypt_decrypt;
SET ROLE regress_ec_noinherit;
SELECT t::text FROM sealed WHERE id = 1;
RESET ROLE;
DROP ROLE regress_ec_noinherit;
-- SET LOCAL ends with the transaction, and what it opened with it.
SET ROLE regress_ec_nobody;
BEGIN;
SET LOCAL envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SELECT t::text FROM sealed WHERE id = 1;
COMMIT;
SELECT t::text FROM sealed WHERE id = 1;
RESET ROLE;

-- Who may bring in sealed values that nobody here can authenticate.
SET ROLE regress_ec_nobody;
SELECT left(format('%s', 'envcrypt1:IQEAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'::encrypted_text), 10);
SET ROLE regress_ec_writer;
SELECT left(format('%s', 'envcrypt1:IQEAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'::encrypted_text), 10);
SET envcrypt.io = ciphertext;
SELECT left(format('%s', 'envcrypt1:IQEAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'::encrypted_text), 10);
RESET envcrypt.io;
SET ROLE regress_ec_super;
SELECT left(format('%s', 'envcrypt1:IQEAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'::encrypted_text), 10);
RESET ROLE;

DROP MATERIALIZED VIEW kept;
DROP FUNCTION nobodys, immutably, as_definer, attempt;
DROP TABLE actions, attempts.v;
DROP VIEW opening;
DROP SCHEMA attempts;
DROP TABLE sealed;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
DROP ROLE regress_ec_member, regress_ec_writer, regress_ec_reader, regress_ec_admin, regress_ec_nobody,
    regress_ec_super, regress_ec_search;
ALTER SYSTEM RESET envcrypt.master_key_file;
SELECT pg_reload_conf();
COPY (SELECT ''::text) TO PROGRAM 'cat >/dev/null; rm -f /tmp/regress_envcrypt.key';
