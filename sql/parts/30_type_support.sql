-- What all encrypted types share.

CREATE FUNCTION envcrypt_type_analyze(internal) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_type_analyze(internal) IS 'envcrypt: statistics without values';

CREATE FUNCTION envcrypt_refuse_index(internal) RETURNS void
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_refuse_index(internal) IS 'envcrypt: refuses an index on a randomly encrypted column';

CREATE FUNCTION envcrypt_subscript(internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_subscript(internal) IS 'envcrypt: subscripts of encrypted documents and arrays';

CREATE FUNCTION envcrypt_seal_support(internal) RETURNS internal
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_seal_support(internal) IS 'envcrypt: seals constants while a statement is planned';

CREATE FUNCTION envcrypt_coerce_support(internal) RETURNS internal
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_coerce_support(internal) IS
    'envcrypt: leaves out type modifiers that a value is known to fit';

REVOKE ALL ON FUNCTION envcrypt_type_analyze(internal), envcrypt_refuse_index(internal), envcrypt_subscript(internal),
    envcrypt_seal_support(internal), envcrypt_coerce_support(internal) FROM PUBLIC;
