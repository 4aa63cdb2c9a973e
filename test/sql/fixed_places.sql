-- What is found by name keeps its name and schema: parts of the extension, and what belongs to a made type.
CREATE SCHEMA fixed;
CREATE TYPE fixed.mood AS ENUM ('sad', 'happy');
SELECT envcrypt_create_type('fixed.mood');

ALTER TYPE encrypted_text RENAME TO et;
ALTER TYPE encrypted_text SET SCHEMA fixed;
ALTER TYPE encrypted_mood RENAME TO em;
\set VERBOSITY terse
ALTER TYPE encrypted_mood SET SCHEMA fixed;
ALTER FUNCTION envcrypt_open(encrypted_text) RENAME TO opens;
ALTER FUNCTION envcrypt_open(encrypted_mood) SET SCHEMA fixed;
ALTER FUNCTION encrypted_text_in(cstring, oid, integer) RENAME TO t_in;
ALTER FUNCTION encrypted_mood_out(encrypted_mood) RENAME TO m_out;
ALTER FUNCTION encrypted_mood_sortsupport(internal) RENAME TO m_sort;
ALTER FUNCTION encrypt_for_user(text, text) SET SCHEMA fixed;
ALTER ROUTINE decrypt_for_user(text, encrypted_mood) RENAME TO decrypt;
ALTER FUNCTION envcrypt_protect(regclass, name[], name, text) RENAME TO protect;
ALTER PROCEDURE envcrypt_protect_online_cancel(regclass, name, interval) SET SCHEMA fixed;
ALTER OPERATOR *< (encrypted_text, encrypted_text) SET SCHEMA fixed;
ALTER OPERATOR *< (encrypted_mood, encrypted_mood) SET SCHEMA fixed;
ALTER OPERATOR = (encrypted_mood, fixed.mood) SET SCHEMA fixed;
ALTER OPERATOR CLASS encrypted_text_ops USING hash SET SCHEMA fixed;
ALTER TABLE envcrypt_data_keys RENAME TO k;
ALTER TABLE envcrypt_master_keys SET SCHEMA fixed;
ALTER VIEW envcrypt_columns RENAME TO c;
ALTER VIEW envcrypt_columns SET SCHEMA fixed;
ALTER SCHEMA public RENAME TO p;
ALTER EXTENSION envcrypt SET SCHEMA fixed;
DO $$ BEGIN ALTER TYPE encrypted_text RENAME TO et; END $$;
ALTER EXTENSION envcrypt DROP TABLE envcrypt_data_keys;
ALTER EXTENSION envcrypt DROP FUNCTION envcrypt_key_table_trigger();

-- What is others', on encrypted types, too, is renamed and moved as ever.
CREATE DOMAIN fixed.code AS encrypted_text;
CREATE TYPE fixed.pair AS (a encrypted_text, b encrypted_mood);
CREATE FUNCTION fixed.same(encrypted_text, encrypted_text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR fixed.=== (LEFTARG = encrypted_text, RIGHTARG = encrypted_text, FUNCTION = fixed.same);
CREATE TABLE fixed.t (a encrypted_text, b encrypted_mood[], c fixed.code);
ALTER DOMAIN fixed.code RENAME TO cipher;
ALTER DOMAIN fixed.cipher SET SCHEMA public;
ALTER TYPE fixed.pair RENAME TO two;
ALTER TYPE fixed.two SET SCHEMA public;
ALTER TYPE two RENAME ATTRIBUTE a TO z;
ALTER FUNCTION fixed.same(encrypted_text, encrypted_text) RENAME TO alike;
ALTER OPERATOR fixed.=== (encrypted_text, encrypted_text) SET SCHEMA public;
ALTER TABLE fixed.t RENAME TO u;
ALTER TABLE fixed.u RENAME a TO z;
ALTER TABLE fixed.u SET SCHEMA public;
ALTER FUNCTION envcrypt_open(encrypted_text) COST 2;
DROP TABLE u;
DROP OPERATOR === (encrypted_text, encrypted_text);
DROP TYPE two;
DROP DOMAIN cipher;
SET client_min_messages = warning;
DROP TYPE encrypted_mood CASCADE;
DROP SCHEMA fixed CASCADE;
