-- Types that are made later, of any base type.

CREATE FUNCTION envcrypt_require_sealable(type oid) RETURNS void
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_require_sealable(oid) IS
    'envcrypt: raises for a type that cannot be encrypted, or contains one at any depth';
REVOKE ALL ON FUNCTION envcrypt_require_sealable(oid) FROM PUBLIC;

CREATE FUNCTION envcrypt_create_type(base regtype) RETURNS regtype
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning AS $$
DECLARE
    type pg_type;
    ultimate oid := base;
    name text;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE 'permission denied to create an encrypted type'
            USING ERRCODE = 'insufficient_privilege',
                HINT = 'Must be superuser: it is a base type whose functions are in C.';
    END IF;
    SELECT * INTO type FROM pg_type WHERE oid = base;
    IF NOT FOUND THEN
        RAISE 'type with OID % does not exist', base::oid USING ERRCODE = 'undefined_object';
    END IF;
    name := 'encrypted_' || type.typname;
    WHILE (SELECT typtype = 'd' FROM pg_type WHERE oid = ultimate) LOOP
        SELECT typbasetype INTO STRICT ultimate FROM pg_type WHERE oid = ultimate;
    END LOOP;
    IF @extschema@.envcrypt_base_type(ultimate::regtype) IS NOT NULL THEN
        RAISE 'type % is encrypted already', base USING ERRCODE = 'wrong_object_type';
    END IF;
    PERFORM @extschema@.envcrypt_require_sealable(base::oid);
    -- The template's statements are made by replacing words in them: whose name the type has is not to write any.
    IF base::text ~ '[''<>\\$;]' OR type.typname ~ '["''<>\\$;]' THEN
        RAISE EXCEPTION 'type % cannot have an encrypted type, because of characters in its name', base
            USING ERRCODE = 'invalid_name',
                DETAIL = 'Quotes, backslashes, dollar signs, semicolons, < and > are refused.';
    END IF;
    -- Functions of the type have its name and a suffix of up to 14 characters.
    IF octet_length(name) > 49 THEN
        RAISE 'name of type % is too long for an encrypted type', base
            USING ERRCODE = 'name_too_long', HINT = 'Names of up to 39 bytes can have one.';
    END IF;
    IF to_regtype('@extschema@.' || quote_ident(name)) IS NOT NULL
        AND to_regprocedure(format('@extschema@.envcrypt_open(@extschema@.%I)', name)) IS NULL THEN
        RAISE 'type % exists already, of a base type that was dropped', quote_ident(name)
            USING ERRCODE = 'duplicate_object',
            HINT = format('Drop it, then call this again: DROP TYPE @extschema@.%I CASCADE;', name);
    END IF;
    -- What DROP TYPE ... CASCADE leaves of an earlier one, because it depends on no type.
    IF to_regtype('@extschema@.' || quote_ident(name)) IS NULL THEN
        EXECUTE format('DROP FUNCTION IF EXISTS @extschema@.%I(internal)', name || '_sortsupport');
        EXECUTE format('DROP OPERATOR FAMILY IF EXISTS @extschema@.%I USING btree', name || '_comparison_ops');
    END IF;
    RETURN @extschema@.envcrypt_define_type(base, true);
END
$$;
COMMENT ON FUNCTION envcrypt_create_type(regtype) IS
    'makes encrypted_<name> for any base type with binary send and receive functions: enum, domain, '
    'composite type, array, another extension''s type; superusers only';
REVOKE ALL ON FUNCTION envcrypt_create_type(regtype) FROM PUBLIC;
