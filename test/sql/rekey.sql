-- envcrypt_rekey_user(): a new data key for an owner, and every value sealed again, in one transaction.
\set SHOW_CONTEXT never
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE SCHEMA regress_rekey;
SET search_path = regress_rekey, public;
CREATE TABLE notes (id int PRIMARY KEY, owner text, body text, amount numeric(12,2), doc jsonb);
INSERT INTO notes SELECT i, 'r-' || i % 3, 'note ' || i, i, jsonb_build_object('n', i) FROM generate_series(1, 30) AS i;
INSERT INTO notes VALUES (31, 'r-1', repeat('long ', 5000), NULL, NULL), (32, 'r-1', NULL, NULL, NULL);
SELECT envcrypt_protect('notes', ARRAY['body', 'amount', 'doc'], 'owner');
CREATE TABLE parted (owner text, body text, part int) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 (part int, body text, owner text);
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES IN (2);
SELECT envcrypt_protect('parted', 'body', 'owner');
INSERT INTO parted VALUES ('r-1', 'p1', 1), ('r-1', 'p2', 2), ('r-2', 'p3', 2);
CREATE TABLE loose (id int, body encrypted_text);   -- without protection
INSERT INTO loose SELECT 1, encrypt_for_user('r-1', 'loose');
INSERT INTO loose VALUES (2, 'of nobody');
CREATE DOMAIN note AS encrypted_text;
CREATE TABLE in_domain AS SELECT encrypt_for_user('r-1', 'in a domain')::note AS body;
CREATE TEMP TABLE passing AS SELECT encrypt_for_user('r-1', 'temporary') AS body;
CREATE TABLE "Odd Plain" (t text);
-- Nothing that a table's owner has put there sees the rows pass.
CREATE FUNCTION loud() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN RAISE NOTICE ''fired on %'', tg_table_name; RETURN new; END';
CREATE TRIGGER loud BEFORE INSERT OR UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION loud();
ALTER TABLE notes ENABLE ALWAYS TRIGGER loud;
CREATE RULE quiet AS ON UPDATE TO loose DO INSTEAD NOTHING;
ALTER TABLE notes ADD CHECK (amount > 0), ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE INDEX ON notes (owner) WHERE body IS NOT NULL;
-- Values by owner and by version of their key.
CREATE VIEW versions AS SELECT k.owner, k.key_version, count(*) FROM (
    SELECT envcrypt_key_id(body) AS key_id FROM notes UNION ALL SELECT envcrypt_key_id(amount) FROM notes
    UNION ALL SELECT envcrypt_key_id(doc) FROM notes UNION ALL SELECT envcrypt_key_id(body) FROM parted
    UNION ALL SELECT envcrypt_key_id(body) FROM loose UNION ALL SELECT envcrypt_key_id(body) FROM in_domain) AS v
    JOIN envcrypt_data_keys k USING (key_id) WHERE k.owner LIKE 'r-%' GROUP BY 1, 2;
CREATE FUNCTION digest() RETURNS text LANGUAGE sql AS $$
    SELECT md5((SELECT string_agg(format('%s %s %s %s', id, body::text, amount::numeric, doc::jsonb), ',' ORDER BY id)
        FROM notes)
        || (SELECT string_agg(body::text, ',' ORDER BY body::text) FROM parted) || (SELECT string_agg(body::text, ','
            ORDER BY id) FROM loose)
        || (SELECT string_agg(body::text, ',') FROM in_domain)) $$;
TABLE versions ORDER BY 1, 2;
SELECT digest() AS before \gset
SELECT count(*) AS sealed FROM (SELECT body FROM notes WHERE owner = 'r-1' AND body IS NOT NULL) AS b;
GRANT envcrypt_decrypt TO CURRENT_USER;
SELECT envcrypt_rekey_user('r-1');
TABLE versions ORDER BY 1, 2;
SELECT digest() = :'before' AS same;
SELECT body FROM passing;
-- Context ids stay: every value is where it was sealed for.
SELECT t, v.problem, v.rows FROM unnest('{notes,parted}'::regclass[]) AS t, envcrypt_verify(t) AS v ORDER BY t::text,
    v."column";
-- The new version seals from now on; the old one stays, for copies that are not reached.
INSERT INTO loose SELECT 3, encrypt_for_user('r-1', 'later');
SELECT key_version, kind FROM envcrypt_data_keys WHERE owner = 'r-1' ORDER BY 1;
TABLE versions ORDER BY 1, 2;
-- Again, several at once, each once.
SELECT envcrypt_rekey_users('{r-2,r-1,r-1,r-0}');
TABLE versions ORDER BY 1, 2;
SELECT digest() <> :'before' AS one_more, count(*) FROM loose;
SELECT envcrypt_rekey_users('{}');
-- Shredding destroys all versions.
BEGIN;
SELECT jsonb_array_length(envcrypt_shred_user('r-1') -> 'destroyed');
ROLLBACK;
-- All or nothing.
BEGIN;
SELECT envcrypt_rekey_user('r-2');
ROLLBACK;
SELECT key_version FROM envcrypt_data_keys WHERE owner = 'r-2' ORDER BY 1;
SELECT envcrypt_rekey_users('{r-2,r-nobody}');
SELECT envcrypt_rekey_user('');
SELECT envcrypt_rekey_user(NULL);
SELECT envcrypt_rekey_users(NULL);
SELECT envcrypt_create_user_key('r-gone') IS NOT NULL, envcrypt_shred_user('r-gone') IS NOT NULL;
SELECT envcrypt_rekey_user('r-gone');
BEGIN READ ONLY;
SELECT envcrypt_rekey_user('r-2');
ROLLBACK;
SELECT key_version FROM envcrypt_data_keys WHERE owner = 'r-2' ORDER BY 1;
-- A savepoint that is undone, and a value that was sealed in it.
BEGIN;
SAVEPOINT s;
SELECT envcrypt_rekey_user('r-2');
ROLLBACK TO s;
SELECT digest() IS NOT NULL;
SELECT envcrypt_rekey_user('r-2');
COMMIT;
SELECT key_version, count FROM versions WHERE owner = 'r-2' ORDER BY 1;
-- Where it cannot look, it refuses: inside arrays and rows. Materialized views are refreshed by hand.
CREATE TABLE arrays AS SELECT ARRAY[encrypt_for_user('r-1', 'a'), NULL] AS a;
SELECT envcrypt_rekey_user('r-1');
SELECT envcrypt_rekey_user('r-2');
UPDATE arrays SET a = NULL;
CREATE TABLE rows (n in_domain);
SELECT envcrypt_rekey_user('r-1');
INSERT INTO rows SELECT i FROM in_domain AS i;
SELECT envcrypt_rekey_user('r-1');
DROP TABLE rows, arrays;
CREATE MATERIALIZED VIEW looks AS SELECT body FROM loose WHERE id = 1;
SELECT envcrypt_rekey_user('r-1');
REFRESH MATERIALIZED VIEW looks;
SELECT envcrypt_key_id(l.body) = envcrypt_key_id(o.body) AS same FROM looks AS l, loose AS o WHERE o.id = 1;
DROP MATERIALIZED VIEW looks;
-- A damaged value of somebody else does not matter; one of the owner's cannot be sealed again.
SET envcrypt.io = ciphertext;
CREATE TABLE damaged AS SELECT set_byte(decode(substr(format('%s', body), 11), 'base64'), 30,
    255 - get_byte(decode(substr(format('%s', body), 11), 'base64'), 30)) AS bytes FROM loose WHERE id = 1;
CREATE TABLE bad (body encrypted_text);
REVOKE envcrypt_decrypt FROM CURRENT_USER;
RESET envcrypt.master_key;
SELECT format('envcrypt1:%s', replace(encode(bytes, 'base64'), E'\n', '')) AS armored FROM damaged \gset
INSERT INTO bad VALUES (:'armored');
RESET envcrypt.io;
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
GRANT envcrypt_decrypt TO CURRENT_USER;
SELECT envcrypt_rekey_user('r-2') > 0;
SELECT envcrypt_rekey_user('r-1');
DROP TABLE bad, damaged;
-- Who may: a key administrator who may open, and owns all that might hold a value.
RESET envcrypt.master_key;
CREATE ROLE regress_ec_officer IN ROLE envcrypt_keyadmin;
CREATE ROLE regress_ec_other IN ROLE envcrypt_decrypt;
GRANT USAGE ON SCHEMA regress_rekey TO regress_ec_officer, regress_ec_other;
SET ROLE regress_ec_officer;
SELECT envcrypt_rekey_user('r-1');
SELECT envcrypt_reseal('loose', '{}', '{}', false);
RESET ROLE;
SET ROLE regress_ec_other;
SELECT envcrypt_rekey_user('r-1');
SELECT envcrypt_new_key_version('r-1');
RESET ROLE;
GRANT envcrypt_decrypt TO regress_ec_officer;
SET ROLE regress_ec_officer;
SELECT envcrypt_rekey_user('r-1');
SELECT envcrypt_reseal('loose', '{}', '{}', true);
RESET ROLE;
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SELECT envcrypt_reseal('loose', ARRAY[a.key_id], ARRAY[b.key_id], true) FROM envcrypt_data_keys a, envcrypt_data_keys b
WHERE a.owner = 'r-1' AND b.owner = 'r-2' AND a.key_version = 1 AND b.key_version = 2;
SELECT envcrypt_reseal('loose', ARRAY[a.key_id], ARRAY[b.key_id], true) FROM envcrypt_data_keys a, envcrypt_data_keys b
WHERE a.owner = 'r-1' AND b.owner = 'r-1' AND a.key_version = 2 AND b.key_version = 1;
SELECT envcrypt_reseal('loose', '{1}', '{}', true);
SELECT envcrypt_reseal('loose', '{1}', '{NULL}', true);
SELECT envcrypt_reseal('versions', '{}', '{}', true);
SELECT envcrypt_reseal('parted', '{}', '{}', true);
SELECT envcrypt_reseal('"Odd Plain"', '{}', '{}', true);
REVOKE envcrypt_decrypt FROM CURRENT_USER;
RESET envcrypt.master_key;
DROP OWNED BY regress_ec_officer, regress_ec_other;
DROP ROLE regress_ec_officer, regress_ec_other;
SET client_min_messages = warning;
DROP SCHEMA regress_rekey CASCADE;
