-- A foreign table has no encrypted column: what is written to it leaves the server as its type's output, in plain text.
\set SHOW_CONTEXT never
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE SCHEMA abroad;
SET search_path = abroad, public;
CREATE FOREIGN DATA WRAPPER regress_nowhere;
CREATE SERVER regress_there FOREIGN DATA WRAPPER regress_nowhere;
CREATE FOREIGN TABLE sealed (id int, t encrypted_text) SERVER regress_there;
\set VERBOSITY terse
CREATE DOMAIN code AS encrypted_text;
CREATE TYPE pair AS (a int, t encrypted_text);
CREATE FOREIGN TABLE sealed (id int, t code) SERVER regress_there;
CREATE FOREIGN TABLE sealed (id int, t encrypted_text[]) SERVER regress_there;
CREATE FOREIGN TABLE sealed (id int, t pair) SERVER regress_there;
-- A plain one is not ours to judge.
CREATE FOREIGN TABLE plain (id int, owner text, t text) SERVER regress_there;
ALTER FOREIGN TABLE plain ADD COLUMN more encrypted_text;
ALTER TABLE plain ALTER t TYPE encrypted_text;
ALTER FOREIGN TABLE plain ALTER t OPTIONS (ADD x 'y'), ADD COLUMN more text;
ALTER FOREIGN TABLE plain DROP COLUMN more;
-- Under a protected table: partitions and children, made and attached.
CREATE TABLE parted (id int, owner text, t text) PARTITION BY LIST (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parent (id int, owner text, t text);
SELECT envcrypt_protect(r, 't', 'owner') FROM unnest('{parted,parent}'::regclass[]) r;
CREATE FOREIGN TABLE parted_2 PARTITION OF parted FOR VALUES IN (2) SERVER regress_there;
CREATE FOREIGN TABLE child () INHERITS (parent) SERVER regress_there;
CREATE FOREIGN TABLE child (id int, owner text, t encrypted_text) INHERITS (parent) SERVER regress_there;
ALTER TABLE parted ATTACH PARTITION plain FOR VALUES IN (2);
ALTER FOREIGN TABLE plain INHERIT parent;
-- One that got past the guard is refused where it is attached.
ALTER EVENT TRIGGER envcrypt_guard_ddl DISABLE;
CREATE FOREIGN TABLE past (id int, owner text, t encrypted_text) SERVER regress_there;
ALTER EVENT TRIGGER envcrypt_guard_ddl ENABLE ALWAYS;
ALTER TABLE parted ATTACH PARTITION past FOR VALUES IN (2);
ALTER FOREIGN TABLE past INHERIT parent;
DROP FOREIGN TABLE past;
-- A table whose partition or child is foreign is not protected, nor given an encrypted column.
CREATE TABLE open_parted (id int, owner text, t text) PARTITION BY LIST (id);
ALTER TABLE open_parted ATTACH PARTITION plain FOR VALUES IN (2);
CREATE TABLE open_parent (id int, owner text, t text);
CREATE FOREIGN TABLE open_child () INHERITS (open_parent) SERVER regress_there;
\set VERBOSITY default
SELECT envcrypt_protect('open_parted', 't', 'owner');
\set VERBOSITY terse
SELECT envcrypt_protect('open_parent', 't', 'owner');
CALL envcrypt_protect_online('open_parent', 't', 'owner');
ALTER TABLE open_parted ADD COLUMN more encrypted_text;
ALTER TABLE open_parent ADD COLUMN more encrypted_text;
ALTER TABLE open_parent ALTER t TYPE encrypted_text;
CREATE TYPE late AS (a int);
CREATE FOREIGN TABLE of_late (l late) SERVER regress_there;
ALTER TYPE late ADD ATTRIBUTE t encrypted_text;
CREATE TABLE row_type (a int);
CREATE FOREIGN TABLE of_row (r row_type[]) SERVER regress_there;
ALTER TABLE row_type ADD t encrypted_text;
-- Imported.
CREATE EXTENSION postgres_fdw SCHEMA public;
CREATE SCHEMA theirs;
CREATE TABLE theirs.sealed (id int, t encrypted_text);
CREATE TABLE theirs.plain (id int, t text);
DO $$ BEGIN EXECUTE format('CREATE SERVER regress_here FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, '
    'dbname %L)',
    split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database());
    END $$;
CREATE USER MAPPING FOR CURRENT_USER SERVER regress_here;
DROP FOREIGN TABLE plain;
IMPORT FOREIGN SCHEMA theirs FROM SERVER regress_here INTO abroad;
IMPORT FOREIGN SCHEMA theirs LIMIT TO (plain) FROM SERVER regress_here INTO abroad;
SELECT c.oid::regclass, attname, atttypid::regtype FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid
    AND attnum > 0 AND NOT attisdropped
WHERE relkind = 'f' AND relnamespace = 'abroad'::regnamespace ORDER BY c.oid::regclass::text COLLATE "C", attnum;
SELECT count(*) FROM envcrypt_columns WHERE "table" IN (SELECT oid FROM pg_class WHERE relkind = 'f');
SET client_min_messages = warning;
DROP SCHEMA abroad, theirs CASCADE;
DROP EXTENSION postgres_fdw CASCADE;
DROP FOREIGN DATA WRAPPER regress_nowhere CASCADE;
