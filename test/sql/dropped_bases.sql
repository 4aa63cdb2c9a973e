-- When a base type goes, all of the encrypted type that was made for it goes, or nothing.
SET client_min_messages = warning;
CREATE EXTENSION hstore;
CREATE SCHEMA bases;
CREATE TYPE bases.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN bases.code AS text;
CREATE FUNCTION pg_temp.make() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(envcrypt_create_type(b)::text, ' ')
    FROM unnest('{hstore,bases.mood,bases.code}'::text[]::regtype[]) b $$;
CREATE VIEW pg_temp.remains AS
    SELECT 'type' AS what, typname::text AS name FROM pg_type UNION ALL SELECT 'function', proname FROM pg_proc
    UNION ALL SELECT 'family', opfname FROM pg_opfamily UNION ALL SELECT 'class', opcname FROM pg_opclass
    UNION ALL SELECT 'function', oid::regprocedure::text FROM pg_proc WHERE prosrc ~ '^envcrypt'
        AND oid::regprocedure::text ~ 'hstore|mood|code'
    UNION ALL SELECT 'operator', oid::regoperator::text FROM pg_operator;
CREATE FUNCTION pg_temp.remains() RETURNS TABLE (what text, name text) LANGUAGE sql AS
    $$ SELECT * FROM pg_temp.remains r WHERE r.name ~ 'encrypted_(hstore|mood|code)' $$;
SELECT pg_temp.make();

-- Columns keep it, in whatever they have it.
\set VERBOSITY terse
CREATE TABLE bases.t (h encrypted_hstore);
DROP EXTENSION hstore CASCADE;
DROP TABLE bases.t;
CREATE TABLE bases.t (h encrypted_hstore[]);
DROP EXTENSION hstore CASCADE;
DROP TABLE bases.t;
CREATE DOMAIN bases.sealed AS encrypted_hstore;
CREATE TYPE bases.pair AS (c encrypted_code, n int);
CREATE TABLE bases.t (h bases.sealed, p bases.pair, m encrypted_mood);
DROP EXTENSION hstore CASCADE;
DROP DOMAIN bases.code CASCADE;
DROP FUNCTION envcrypt_open(encrypted_code) CASCADE;
ALTER TABLE bases.t DROP m;
DROP EXTENSION hstore;
SELECT count(*) > 100 FROM pg_temp.remains();

CREATE VIEW bases.v AS SELECT NULL::encrypted_mood AS seen;
DROP TYPE bases.mood CASCADE;
DROP VIEW bases.v;

-- Without columns.
DROP TABLE bases.t;
DROP EXTENSION hstore CASCADE;
DROP SCHEMA bases CASCADE;
SELECT * FROM pg_temp.remains();

-- It can be made again, and dropped by its own name; then nothing of it is left, either.
CREATE EXTENSION hstore;
CREATE SCHEMA bases;
CREATE TYPE bases.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN bases.code AS text;
SELECT pg_temp.make();
DROP TYPE encrypted_hstore, encrypted_mood, encrypted_code CASCADE;
SELECT * FROM pg_temp.remains();
SELECT pg_temp.make();
DROP FUNCTION envcrypt_open(encrypted_mood) CASCADE;
DROP TYPE encrypted_code CASCADE;
SELECT count(*) > 20 FROM pg_temp.remains() WHERE name ~ 'mood';
DROP TYPE encrypted_mood CASCADE;
SELECT * FROM pg_temp.remains() WHERE name !~ 'hstore';

-- On purpose.
CREATE TABLE bases.t (h encrypted_hstore, n int);
BEGIN;
SET LOCAL envcrypt.allow_data_loss = on;
DROP EXTENSION hstore CASCADE;
SELECT * FROM pg_temp.remains();
SELECT attname FROM pg_attribute WHERE attrelid = 'bases.t'::regclass AND attnum > 0 AND NOT attisdropped;
ROLLBACK;
DROP TABLE bases.t;
DROP EXTENSION hstore CASCADE;
DROP SCHEMA bases CASCADE;
DROP VIEW pg_temp.remains CASCADE;
DROP FUNCTION pg_temp.make();
