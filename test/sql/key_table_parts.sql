-- What envcrypt needs of its key tables stays: triggers, columns, indexes. What others hang on them is theirs.
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';

-- Triggers, by what they call.
DROP TRIGGER envcrypt_announce ON envcrypt_data_keys;
\set VERBOSITY terse
DROP TRIGGER envcrypt_announce_truncate ON envcrypt_data_keys;
DROP TRIGGER envcrypt_announce ON envcrypt_master_keys;
DROP TRIGGER envcrypt_announce_truncate ON envcrypt_master_keys;
CREATE FUNCTION kp_nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE OR REPLACE TRIGGER envcrypt_announce BEFORE INSERT OR UPDATE OR DELETE ON envcrypt_data_keys
    FOR EACH ROW EXECUTE FUNCTION kp_nothing();
CREATE OR REPLACE TRIGGER envcrypt_announce BEFORE INSERT OR UPDATE ON envcrypt_data_keys
    FOR EACH ROW EXECUTE FUNCTION envcrypt_key_table_trigger();
CREATE OR REPLACE TRIGGER envcrypt_announce BEFORE INSERT OR UPDATE OR DELETE ON envcrypt_data_keys
    FOR EACH ROW WHEN (false)
    EXECUTE FUNCTION envcrypt_key_table_trigger();
-- Under another name it is the same, and of two, one may go.
BEGIN;
ALTER TRIGGER envcrypt_announce ON envcrypt_data_keys RENAME TO other;
CREATE TRIGGER envcrypt_announce BEFORE INSERT ON envcrypt_data_keys FOR EACH ROW EXECUTE FUNCTION kp_nothing();
DROP TRIGGER envcrypt_announce ON envcrypt_data_keys;
CREATE TRIGGER second BEFORE INSERT OR UPDATE OR DELETE ON envcrypt_data_keys
    FOR EACH ROW EXECUTE FUNCTION envcrypt_key_table_trigger();
DROP TRIGGER second ON envcrypt_data_keys;
DROP TRIGGER other ON envcrypt_data_keys;
ROLLBACK;
CREATE TABLE kp_other (owner text);
CREATE TRIGGER announce BEFORE INSERT ON kp_other FOR EACH ROW EXECUTE FUNCTION envcrypt_key_table_trigger();
DROP TRIGGER announce ON kp_other;
DROP TABLE kp_other;

-- Columns and indexes.
ALTER TABLE envcrypt_data_keys DROP COLUMN wrapped_key;
ALTER TABLE envcrypt_data_keys DROP COLUMN key_id CASCADE;
ALTER TABLE envcrypt_data_keys DROP COLUMN created_at, ADD COLUMN created_at timestamptz;
ALTER TABLE envcrypt_master_keys DROP COLUMN state_since;
ALTER TABLE envcrypt_data_keys ALTER COLUMN kind TYPE varchar;
ALTER TABLE envcrypt_data_keys ALTER COLUMN owner TYPE text COLLATE "POSIX";
ALTER TABLE envcrypt_data_keys ALTER COLUMN created_at TYPE timestamp;
ALTER TABLE envcrypt_data_keys RENAME COLUMN wrapped_key TO w;
ALTER TABLE envcrypt_master_keys RENAME state TO s;
DROP INDEX envcrypt_data_keys_tombstone_idx;
ALTER TABLE envcrypt_data_keys DROP CONSTRAINT envcrypt_data_keys_pkey;
ALTER TABLE envcrypt_data_keys DROP CONSTRAINT envcrypt_data_keys_owner_key;
ALTER INDEX envcrypt_data_keys_pkey RENAME TO p;
ALTER TABLE envcrypt_master_keys RENAME CONSTRAINT envcrypt_master_keys_pkey TO p;
-- Those of others may go, and ours be changed where nothing depends on it.
ALTER TABLE envcrypt_data_keys ADD COLUMN kp_note text, ALTER COLUMN owner SET STATISTICS 10,
    ALTER COLUMN wrapped_key SET STORAGE EXTERNAL;
ALTER TABLE envcrypt_data_keys RENAME COLUMN kp_note TO kp_remark;
CREATE INDEX kp_remarks ON envcrypt_data_keys (kp_remark);
ALTER INDEX kp_remarks RENAME TO kp_remarked;
ALTER TABLE envcrypt_data_keys ALTER COLUMN kp_remark TYPE varchar(20);
DROP INDEX kp_remarked;
ALTER TABLE envcrypt_data_keys DROP COLUMN kp_remark;
ALTER TABLE envcrypt_data_keys ALTER COLUMN owner SET STATISTICS -1, ALTER COLUMN wrapped_key SET STORAGE EXTENDED;
REINDEX TABLE CONCURRENTLY envcrypt_data_keys;
CREATE UNIQUE INDEX kp_again ON envcrypt_data_keys (key_id);
ALTER TABLE envcrypt_data_keys DROP CONSTRAINT envcrypt_data_keys_pkey,
    ADD CONSTRAINT envcrypt_data_keys_pkey PRIMARY KEY USING INDEX kp_again;
SELECT envcrypt_create_user_key('kp') <> 0;
SELECT count(*) FROM envcrypt_status() WHERE "check" = 'key tables';

-- On purpose; then it is told what to do.
BEGIN;
SET LOCAL envcrypt.allow_data_loss = on;
DROP TRIGGER envcrypt_announce ON envcrypt_data_keys;
DROP TRIGGER envcrypt_announce_truncate ON envcrypt_data_keys;
ALTER TABLE envcrypt_master_keys DISABLE TRIGGER envcrypt_announce_truncate;
SET LOCAL envcrypt.allow_data_loss = off;
\pset format unaligned
SELECT "check", state, detail, advice FROM envcrypt_status() WHERE "check" = 'key tables';
CREATE TRIGGER envcrypt_announce BEFORE INSERT OR UPDATE OR DELETE ON public.envcrypt_data_keys
    FOR EACH ROW EXECUTE FUNCTION public.envcrypt_key_table_trigger();
ALTER TABLE public.envcrypt_master_keys ENABLE ALWAYS TRIGGER envcrypt_announce_truncate;
SELECT "check", state, detail, advice FROM envcrypt_status() WHERE "check" = 'key tables';
CREATE TRIGGER envcrypt_announce_truncate BEFORE TRUNCATE ON public.envcrypt_data_keys
    FOR EACH STATEMENT EXECUTE FUNCTION public.envcrypt_key_table_trigger();
SELECT "check", state, detail, advice FROM envcrypt_status() WHERE "check" = 'key tables';
DELETE FROM envcrypt_data_keys;
ROLLBACK;
-- With more than one thing missing, each can be brought back.
BEGIN;
SET LOCAL envcrypt.allow_data_loss = on;
DROP TRIGGER envcrypt_announce_truncate ON envcrypt_data_keys;
ALTER TABLE envcrypt_data_keys DISABLE TRIGGER envcrypt_announce;
SET LOCAL envcrypt.allow_data_loss = off;
ALTER TABLE envcrypt_data_keys ENABLE ALWAYS TRIGGER envcrypt_announce;
CREATE TRIGGER envcrypt_announce_truncate BEFORE TRUNCATE ON envcrypt_data_keys
    FOR EACH STATEMENT EXECUTE FUNCTION envcrypt_key_table_trigger();
SELECT count(*) FROM envcrypt_status() WHERE "check" = 'key tables';
ROLLBACK;
BEGIN;
SET LOCAL envcrypt.allow_data_loss = on;
ALTER TABLE envcrypt_data_keys DROP COLUMN wrapped_key;
ROLLBACK;
SET envcrypt.allow_data_loss = on;
DELETE FROM envcrypt_data_keys WHERE owner = 'kp';
RESET envcrypt.allow_data_loss;
DROP FUNCTION kp_nothing();
