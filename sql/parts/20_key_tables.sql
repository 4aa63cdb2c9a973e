-- Key tables. Their rows are safe in a backup's hands, so they are always dumped, and have no row-level security:
-- with it, pg_dump --enable-row-security would silently leave all keys out.

CREATE TABLE envcrypt_master_keys (
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 16),
    state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'current', 'retiring', 'retired', 'compromised')),
    registered_at timestamptz NOT NULL DEFAULT now(),
    state_since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (fingerprint)
);
COMMENT ON TABLE envcrypt_master_keys IS
    'envcrypt: the master keys of this database by fingerprint; the keys themselves are never stored';
COMMENT ON COLUMN envcrypt_master_keys.state IS
    'pending, current (exactly one: wraps new data keys), retiring (unwraps only), '
    'retired and compromised (unwrap nothing)';

CREATE TABLE envcrypt_data_keys (
    key_id bigint NOT NULL CHECK (key_id <> 0),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('data', 'token', 'shredded')),
    owner text COLLATE "C" CHECK (owner <> ''),
    key_version integer NOT NULL CHECK (key_version > 0),
    algorithm text COLLATE "C" NOT NULL CHECK (algorithm IN ('aes-256-gcm', 'xaes-256-gcm')),
    master_fingerprint bytea CHECK (octet_length(master_fingerprint) = 16),
    wrapped_key bytea CHECK (octet_length(wrapped_key) = 73),
    tombstone bytea CHECK (octet_length(tombstone) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    shredded_at timestamptz,
    PRIMARY KEY (key_id),
    CONSTRAINT envcrypt_data_keys_owner_key UNIQUE (kind, owner, key_version),
    CHECK ((kind = 'shredded') = (tombstone IS NOT NULL)),
    CHECK ((kind = 'shredded') = (shredded_at IS NOT NULL)),
    CHECK ((kind = 'shredded') = (wrapped_key IS NULL)),
    CHECK ((kind = 'shredded') = (master_fingerprint IS NULL)),
    CHECK (kind <> 'shredded' OR owner IS NULL)
) WITH (fillfactor = 50, vacuum_truncate = off);
CREATE INDEX envcrypt_data_keys_tombstone_idx ON envcrypt_data_keys (tombstone) WITH (deduplicate_items = on);
COMMENT ON TABLE envcrypt_data_keys IS
    'envcrypt: data keys, wrapped by a master key; every row is needed to open what its key sealed';
COMMENT ON COLUMN envcrypt_data_keys.owner IS 'null: the database key, or shredded';

REVOKE ALL ON envcrypt_master_keys, envcrypt_data_keys FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('envcrypt_master_keys', '');
SELECT pg_catalog.pg_extension_config_dump('envcrypt_data_keys', '');

CREATE FUNCTION envcrypt_key_table_trigger() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_key_table_trigger() IS 'envcrypt: makes every session check its opened keys again';
REVOKE ALL ON FUNCTION envcrypt_key_table_trigger() FROM PUBLIC;

CREATE TRIGGER envcrypt_announce BEFORE INSERT OR UPDATE OR DELETE ON envcrypt_data_keys
    FOR EACH ROW EXECUTE FUNCTION envcrypt_key_table_trigger();
CREATE TRIGGER envcrypt_announce_truncate BEFORE TRUNCATE ON envcrypt_data_keys
    FOR EACH STATEMENT EXECUTE FUNCTION envcrypt_key_table_trigger();
CREATE TRIGGER envcrypt_announce BEFORE INSERT OR UPDATE OR DELETE ON envcrypt_master_keys
    FOR EACH ROW EXECUTE FUNCTION envcrypt_key_table_trigger();
CREATE TRIGGER envcrypt_announce_truncate BEFORE TRUNCATE ON envcrypt_master_keys
    FOR EACH STATEMENT EXECUTE FUNCTION envcrypt_key_table_trigger();
ALTER TABLE envcrypt_data_keys ENABLE ALWAYS TRIGGER envcrypt_announce;
ALTER TABLE envcrypt_data_keys ENABLE ALWAYS TRIGGER envcrypt_announce_truncate;
ALTER TABLE envcrypt_master_keys ENABLE ALWAYS TRIGGER envcrypt_announce;
ALTER TABLE envcrypt_master_keys ENABLE ALWAYS TRIGGER envcrypt_announce_truncate;
