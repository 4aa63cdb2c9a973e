-- New keys for what may have been read with the old ones. Whoever calls it must own every table with encrypted columns:
-- what is not reached would stay as it is, without a word.

CREATE FUNCTION envcrypt_new_key_version(owner text) RETURNS bigint[]
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_new_key_version(text) IS
    'envcrypt: makes a version of an owner''s key; its id, then those of the older ones';

CREATE FUNCTION envcrypt_reseal("table" regclass, old_keys bigint[], new_keys bigint[], write boolean) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_reseal(regclass, bigint[], bigint[], boolean) IS
    'envcrypt: seals a table''s values again under new keys, or only counts those under old ones';

CREATE FUNCTION envcrypt_sealed_tables(OUT relid regclass, OUT kind "char", OUT owned boolean) RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE inside (type, outside) AS MATERIALIZED (  -- of domains, arrays, rows and ranges
        SELECT typbasetype, oid FROM pg_type WHERE typbasetype <> 0
        UNION ALL SELECT typelem, oid FROM pg_type WHERE typelem <> 0 AND typlen = -1
        UNION ALL SELECT a.atttypid, c.reltype FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE a.attnum > 0 AND NOT a.attisdropped AND c.reltype <> 0
        UNION ALL SELECT rngsubtype, rngtypid FROM pg_range
        UNION ALL SELECT rngsubtype, rngmultitypid FROM pg_range
    ), holding (type) AS (
        SELECT t.oid FROM pg_type t
        JOIN pg_proc i ON i.oid = t.typinput AND i.prosrc = 'envcrypt_type_in'
        JOIN pg_language l ON l.oid = i.prolang AND l.lanname = 'c'
        UNION SELECT i.outside FROM holding h JOIN inside i ON i.type = h.type
    )
    SELECT c.oid::regclass, c.relkind, pg_has_role(c.relowner, 'USAGE')
    FROM pg_class c
    WHERE c.relkind IN ('r', 'm') AND NOT pg_is_other_temp_schema(c.relnamespace) AND EXISTS (SELECT FROM pg_attribute a
        JOIN holding h ON h.type = a.atttypid WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
    ORDER BY c.oid
$$;
COMMENT ON FUNCTION envcrypt_sealed_tables() IS 'envcrypt: tables and materialized views that may hold sealed values';

CREATE FUNCTION envcrypt_rekey_users(owners text[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner text;
    keys bigint[];
    old_keys bigint[] := '{}';
    new_keys bigint[] := '{}';
    item record;
    others text;
    resealed bigint := 0;
    n bigint;
BEGIN
    IF owners IS NULL THEN
        RAISE 'owners must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    PERFORM @extschema@.envcrypt_require_right('open');
    SELECT string_agg(t.relid::text, ', ' ORDER BY t.relid::text COLLATE "C") INTO others
    FROM @extschema@.envcrypt_sealed_tables() t WHERE NOT t.owned;
    IF others IS NOT NULL THEN
        RAISE 'must be owner of every table with encrypted columns' USING ERRCODE = 'insufficient_privilege',
            DETAIL = format('Others own: %s.', others),
                HINT = 'Call it as a superuser who was granted envcrypt_decrypt.';
    END IF;
    FOR owner IN SELECT DISTINCT o COLLATE "C" AS o FROM unnest(owners) o ORDER BY o LOOP
        keys := @extschema@.envcrypt_new_key_version(owner);
        old_keys := old_keys || keys[2:];
        new_keys := new_keys || array_fill(keys[1], ARRAY[cardinality(keys) - 1]);
    END LOOP;
    IF old_keys = '{}' THEN
        RETURN 0;
    END IF;
    -- Each is locked against writers before it is read, until the end.
    FOR item IN SELECT t.relid FROM @extschema@.envcrypt_sealed_tables() t WHERE t.kind = 'r' LOOP
        resealed := resealed + @extschema@.envcrypt_reseal(item.relid, old_keys, new_keys, true);
    END LOOP;
    FOR item IN SELECT t.relid, t.kind FROM @extschema@.envcrypt_sealed_tables() t LOOP
        n := @extschema@.envcrypt_reseal(item.relid, old_keys, new_keys, false);
        CONTINUE WHEN n = 0;
        IF item.kind = 'm' THEN
            RAISE WARNING 'materialized view % has % value(s) under older keys', item.relid, n
                USING HINT = format('REFRESH MATERIALIZED VIEW %s;', item.relid);
        ELSE
            RAISE 'table % has % value(s) under older keys', item.relid, n USING ERRCODE = 'serialization_failure',
                DETAIL = 'They were written meanwhile.', HINT = 'Call it again. Nothing was changed.';
        END IF;
    END LOOP;
    RETURN resealed;
END $$;
COMMENT ON FUNCTION envcrypt_rekey_users(text[]) IS
    'gives owners new data keys, and seals all their values in this database again; returns how many values';

CREATE FUNCTION envcrypt_rekey_user(owner text) RETURNS bigint
    LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    RETURN @extschema@.envcrypt_rekey_users(ARRAY[owner]);
COMMENT ON FUNCTION envcrypt_rekey_user(text) IS
    'gives an owner a new data key, and seals all its values in this database again; returns how many values';

REVOKE ALL ON FUNCTION envcrypt_new_key_version(text), envcrypt_reseal(regclass, bigint[], bigint[], boolean),
    envcrypt_sealed_tables(), envcrypt_rekey_users(text[]), envcrypt_rekey_user(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION envcrypt_new_key_version(text), envcrypt_reseal(regclass, bigint[], bigint[], boolean),
    envcrypt_sealed_tables(), envcrypt_rekey_users(text[]), envcrypt_rekey_user(text) TO envcrypt_keyadmin;
