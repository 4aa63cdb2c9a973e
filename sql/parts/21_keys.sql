-- Keys. Each of these functions checks the caller's right itself, too.

CREATE FUNCTION envcrypt_generate_master_key() RETURNS text
    LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_generate_master_key() IS
    'returns a new random master key in base64; nothing keeps it, so store it where no database is';

CREATE FUNCTION envcrypt_create_user_key(owner text, after_shred boolean DEFAULT false) RETURNS bigint
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_create_user_key(text, boolean) IS
    'makes an owner''s data key if there is none and returns its id; after_shred gives a shredded owner a new one';

CREATE FUNCTION envcrypt_rotate_master() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_rotate_master() IS
    'makes the keyring''s first key the current master key and re-wraps all data keys with it; returns how many; '
    'touches no value';

CREATE FUNCTION envcrypt_shred_user(owner text, missing_ok boolean DEFAULT false) RETURNS jsonb
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_shred_user(text, boolean) IS
    'destroys an owner''s data keys, and with them everything sealed for that owner; returns a receipt';

CREATE FUNCTION envcrypt_shred_users(owners text[]) RETURNS TABLE (owner text, result text, receipt jsonb)
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_shred_users(text[]) IS
    'the same for a list, also one that was shredded before: says of each owner what happened';

REVOKE ALL ON FUNCTION envcrypt_generate_master_key(), envcrypt_create_user_key(text, boolean),
    envcrypt_rotate_master(), envcrypt_shred_user(text, boolean), envcrypt_shred_users(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION envcrypt_generate_master_key(), envcrypt_create_user_key(text, boolean),
    envcrypt_rotate_master(), envcrypt_shred_user(text, boolean), envcrypt_shred_users(text[]) TO envcrypt_keyadmin;
