-- Trigger functions of envcrypt on tables, columns and events that they were not made for: an error, or no effect on
-- others.
\set SHOW_CONTEXT never
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE TABLE h_users (id text, nick text);
SELECT envcrypt_manage_owners('h_users', 'id', on_delete => 'shred');
CREATE FUNCTION h_keys() RETURNS text LANGUAGE sql AS
    $$SELECT coalesce(string_agg(owner, ' ' ORDER BY owner), '') FROM envcrypt_data_keys WHERE owner LIKE 'h-%'$$;
-- Hangs the function on the table as `clauses` say, tries an INSERT, and whether users of h_users still come and go.
CREATE FUNCTION h_try(tab regclass, clauses text, value text, function text DEFAULT 'envcrypt_managed_owner_trigger()')
RETURNS TABLE (written text, shredded boolean) LANGUAGE plpgsql AS $$
DECLARE
    code text;
    message text;
    name text := format('h-%s', nextval('h_names'));
BEGIN
    EXECUTE format('CREATE TRIGGER h_hung %s EXECUTE FUNCTION %s', format(clauses, tab), function);
    BEGIN
        EXECUTE format('INSERT INTO %s VALUES (%L)', tab, value);
        written := 'yes';
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
        written := code || ': ' || message;
    END;
    EXECUTE format('ALTER TABLE %s DISABLE TRIGGER h_hung', tab);
    EXECUTE format('INSERT INTO %s VALUES (%L)', tab, value);
    EXECUTE format('ALTER TABLE %s ENABLE TRIGGER h_hung', tab);
    INSERT INTO h_users VALUES (name);
    DELETE FROM h_users WHERE id = name;
    shredded := NOT EXISTS (SELECT FROM envcrypt_data_keys WHERE owner = name);
    EXECUTE format('DROP TRIGGER h_hung ON %s', tab);
    EXECUTE format('TRUNCATE %s', tab);
    RETURN NEXT;
END $$;
CREATE SEQUENCE h_names;

-- Tables of users: types that cannot name owners.
CREATE TABLE h_jsonb (id jsonb);
CREATE TABLE h_json (id json);
CREATE TABLE h_date (id date);
CREATE TABLE h_bytea (id bytea);
CREATE TABLE h_array (id text[]);
CREATE TABLE h_xml (id xml);
CREATE TABLE h_row (id h_users);
CREATE TABLE h_bool (id boolean);
CREATE TABLE h_sealed (id encrypted_text);
CREATE TABLE h_point (id point);
CREATE TEMP TABLE h_temp (id text);
CREATE TABLE h_text (id text, other text DEFAULT 'o');
SELECT t.tab, r.* FROM (VALUES ('h_jsonb', '{"a": 1}'), ('h_json', '{"a": 1}'), ('h_date', '2020-02-02'),
    ('h_bytea', '\x00'), ('h_array', '{a,b}'), ('h_xml', '<a/>'), ('h_row', '(a,b)'), ('h_bool', 't'),
    ('h_sealed', 'x'), ('h_point', '(1,2)'), ('h_temp', 'h-temp')) AS t (tab, value),
    h_try(t.tab::regclass, 'AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)', t.value) AS r;
-- Other events, conditions and arguments.
SELECT c.clauses, r.* FROM (VALUES
    ('AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)'),
    ('AFTER INSERT ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)'),
    ('AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW'),
    ('AFTER INSERT OR UPDATE OF other ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)'),
    ('AFTER INSERT OR UPDATE ON %s FOR EACH ROW'),
    ('AFTER INSERT OR UPDATE ON %s FOR EACH STATEMENT'),
    ('BEFORE INSERT ON %s FOR EACH STATEMENT'),
    ('AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NULL)'),
    ('AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id <> ''x'')'),
    ('AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL OR new.other IS NOT NULL)'),
    ('AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.* IS NOT NULL)'),
    ('AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.tableoid IS NOT NULL)'),
    ('AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (true)')) AS c (clauses),
    h_try('h_text', c.clauses, 'h-kept') AS r;
SELECT * FROM h_try('h_text', 'AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)', 'h-kept',
    'envcrypt_managed_owner_trigger(1)');
CREATE CONSTRAINT TRIGGER h_hung AFTER INSERT OR UPDATE ON h_text DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (new.id IS NOT NULL) EXECUTE FUNCTION envcrypt_managed_owner_trigger();
INSERT INTO h_text VALUES ('h-deferred');
DROP TRIGGER h_hung ON h_text;
-- TRUNCATE, of a table that is not managed.
CREATE TRIGGER h_hung BEFORE TRUNCATE ON h_jsonb FOR EACH STATEMENT EXECUTE FUNCTION envcrypt_managed_owner_trigger();
CREATE TRIGGER h_row AFTER INSERT OR UPDATE ON h_jsonb FOR EACH ROW WHEN (new.id IS NOT NULL)
    EXECUTE FUNCTION envcrypt_managed_owner_trigger();
ALTER TABLE h_jsonb DISABLE TRIGGER h_row;
INSERT INTO h_jsonb VALUES ('"h-x"');
TRUNCATE h_jsonb;
DROP TRIGGER h_hung ON h_jsonb;
CREATE TRIGGER h_hung AFTER TRUNCATE ON h_jsonb FOR EACH STATEMENT EXECUTE FUNCTION envcrypt_managed_owner_trigger();
TRUNCATE h_jsonb;
SELECT h_keys();

-- The rows of a table count whatever became of its triggers: one that only makes keys, only destroys them, or is
-- disabled.
CREATE TABLE h_half (id text);
SELECT envcrypt_manage_owners('h_half', 'id', on_delete => 'shred');
INSERT INTO h_half VALUES ('h-a'), ('h-a');
INSERT INTO h_users VALUES ('h-a'), ('h-b'), ('h-c');
ALTER TABLE h_half DISABLE TRIGGER USER;
INSERT INTO h_half VALUES ('h-b');
DELETE FROM h_users WHERE id IN ('h-a', 'h-b');
SELECT h_keys();
ALTER TABLE h_half ENABLE TRIGGER USER;
DROP TRIGGER "!envcrypt_owners" ON h_half;
INSERT INTO h_half VALUES ('h-c');
DELETE FROM h_users;
DELETE FROM h_half WHERE ctid = (SELECT min(ctid) FROM h_half WHERE id = 'h-a');
SELECT h_keys();
DELETE FROM h_half;
SELECT h_keys();
DROP TABLE h_half;

-- Owner and shadow triggers, which any owner of a table can hang.
CREATE TABLE h_bind (id encrypted_text, owner text, plain text DEFAULT 'p', other encrypted_int8 DEFAULT 1);
SELECT c.function, c.clauses, r.written FROM (VALUES
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)',
    'envcrypt_owner_trigger(7, ''error'', ''text'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)', 'envcrypt_owner_trigger()'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)',
    'envcrypt_owner_trigger(70000, ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)',
    'envcrypt_owner_trigger(''-7'', ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)', 'envcrypt_owner_trigger(7, ''whatever'')'),
    ('BEFORE INSERT ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)', 'envcrypt_owner_trigger(7, ''error'')'),
    ('BEFORE INSERT OR UPDATE OF owner ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)',
    'envcrypt_owner_trigger(7, ''error'')'), ('AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)',
    'envcrypt_owner_trigger(7, ''error'')'), ('BEFORE INSERT OR UPDATE ON %s FOR EACH STATEMENT',
    'envcrypt_owner_trigger(7, ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW', 'envcrypt_owner_trigger(7, ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.owner IS NULL)', 'envcrypt_owner_trigger(7, ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.owner IS NULL OR new.id IS NOT NULL)',
    'envcrypt_owner_trigger(7, ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL AND new.owner IS NULL)',
    'envcrypt_owner_trigger(7, ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL OR new.id IS NULL)',
    'envcrypt_owner_trigger(7, ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL OR new.other IS NULL)',
    'envcrypt_owner_trigger(7, ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.plain IS NOT NULL OR new.owner IS NULL)',
    'envcrypt_owner_trigger(7, ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.plain IS NOT NULL OR new.id IS NOT NULL)',
    'envcrypt_shadow_trigger(7, ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL OR new.plain IS NOT NULL)',
    'envcrypt_shadow_trigger(7, ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.plain IS NOT NULL OR new.owner IS NOT NULL)',
    'envcrypt_shadow_trigger(7, ''error'')'),
    ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.plain IS NOT NULL)',
    'envcrypt_shadow_trigger(7, ''error'')'), ('BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.id IS NOT NULL)',
    'envcrypt_shadow_trigger(7, ''error'')')) AS c (clauses, function),
    h_try('h_bind', c.clauses, 'x', c.function) AS r;
-- Functions that take the OID of a trigger of a table take no other's.
CREATE TRIGGER mine BEFORE INSERT OR UPDATE ON h_bind FOR EACH ROW WHEN (new.plain IS NOT NULL OR new.id IS NOT NULL)
    EXECUTE FUNCTION suppress_redundant_updates_trigger(7, 'error');
SELECT envcrypt_backfill('h_bind', oid, 0, 1, 10) FROM pg_trigger WHERE tgname = 'mine';
SELECT envcrypt_lacks_shadow('h_bind', oid) FROM pg_trigger WHERE tgname = 'mine';
SELECT envcrypt_verify_shadow('h_bind', oid) FROM pg_trigger WHERE tgname = 'mine';
SELECT envcrypt_owner_trigger();
SELECT envcrypt_shadow_trigger();
SELECT envcrypt_managed_owner_trigger();
SELECT envcrypt_key_table_trigger();
DROP TABLE h_users, h_jsonb, h_json, h_date, h_bytea, h_array, h_xml, h_row, h_bool, h_sealed, h_point, h_temp, h_text,
    h_bind CASCADE;
DROP FUNCTION h_keys, h_try;
DROP SEQUENCE h_names;
