-- A table's triggers are looked through while catalogs are read, which may rebuild what PostgreSQL keeps of the table:
-- nothing of it is used after that. (test/assert_server runs this with debug_discard_caches = 1: rebuilt each time.)
\set SHOW_CONTEXT never
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SELECT envcrypt_create_user_key('tl-ann') IS NOT NULL AS made;
-- Writing missing shadow values.
CREATE TABLE tl_online (owner text, plain text, sealed encrypted_text);
INSERT INTO tl_online VALUES ('tl-ann', 'one'), ('tl-ann', 'two');
CREATE TRIGGER a_first BEFORE INSERT ON tl_online FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER tl_shadow BEFORE INSERT OR UPDATE ON tl_online FOR EACH ROW
    WHEN (new.plain IS NOT NULL OR new.sealed IS NOT NULL OR new.owner IS NULL)
    EXECUTE FUNCTION envcrypt_shadow_trigger('7', 'error');
SELECT envcrypt_backfill('tl_online', oid, 0, 1, 10) FROM pg_trigger WHERE tgname = 'tl_shadow';
SELECT envcrypt_lacks_shadow('tl_online', oid), envcrypt_verify_shadow('tl_online', oid)
FROM pg_trigger WHERE tgname = 'tl_shadow';
-- The guard of triggers.
CREATE TABLE tl_bound (owner text, v encrypted_text);
CREATE TRIGGER "~envcrypt_7" BEFORE INSERT OR UPDATE ON tl_bound FOR EACH ROW
    WHEN (new.v IS NOT NULL OR new.owner IS NULL) EXECUTE FUNCTION envcrypt_owner_trigger('7', 'error', 'text');
CREATE TRIGGER a_first BEFORE INSERT ON tl_bound FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TRIGGER "~~last" BEFORE INSERT ON tl_bound FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'tl_bound'::regclass ORDER BY tgname COLLATE "C";
-- Users whose table is emptied.
CREATE TABLE tl_users (name text);
CREATE TRIGGER tl_row AFTER INSERT OR UPDATE ON tl_users FOR EACH ROW WHEN (new.name IS NOT NULL)
    EXECUTE FUNCTION envcrypt_managed_owner_trigger();
CREATE TRIGGER tl_empty BEFORE TRUNCATE ON tl_users FOR EACH STATEMENT
    EXECUTE FUNCTION envcrypt_managed_owner_trigger();
INSERT INTO tl_users VALUES ('tl-bob'), ('tl-cyd');
TRUNCATE tl_users;
SELECT count(*) FROM envcrypt_data_keys WHERE owner IN ('tl-bob', 'tl-cyd');
DROP TABLE tl_online, tl_bound, tl_users;
SET envcrypt.allow_data_loss = on;
DELETE FROM envcrypt_data_keys WHERE owner LIKE 'tl-%';
