-- What is to be locked is known by its OID; after this, its name, and its schema's, stay what they are until the
-- transaction ends, so that statements may name it.
CREATE FUNCTION envcrypt_lock_relation("table" oid, mode text, with_children boolean) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_lock_relation(oid, text, boolean) IS
    'envcrypt: locks a table that its caller owns, or may read, and keeps its name from changing';

CREATE FUNCTION envcrypt_query_table("table" oid, query text) RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_query_table(oid, text) IS
    'envcrypt: runs a SELECT, unless a name in it means another relation than the table';

CREATE FUNCTION envcrypt_lock_table("table" regclass) RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    named text;
    class pg_class;
BEGIN
    IF "table" IS NULL THEN
        RAISE 'table must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    FOR pass IN 1 .. 2 LOOP
        named := "table"::text;
        SELECT * INTO class FROM pg_class WHERE oid = "table";
        IF NOT FOUND THEN
            RAISE 'table with OID % does not exist', "table"::oid USING ERRCODE = 'undefined_table';
        ELSIF class.relkind NOT IN ('r', 'p') THEN
            RAISE '% is not a table', named USING ERRCODE = 'wrong_object_type',
                DETAIL = 'Only columns of ordinary and partitioned tables can be protected.';
        ELSIF class.oid < 16384 THEN
            RAISE 'permission denied: % is a system catalog', named USING ERRCODE = 'insufficient_privilege';
        ELSIF pg_is_other_temp_schema(class.relnamespace) THEN
            RAISE 'cannot protect temporary tables of other sessions' USING ERRCODE = 'feature_not_supported';
        ELSIF class.reloftype <> 0 THEN
            RAISE 'cannot change columns of typed table %', named USING ERRCODE = 'wrong_object_type',
                HINT = format('Make it an ordinary table: ALTER TABLE %s NOT OF;', named);
        ELSIF EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'envcrypt'
                WHERE d.classid = 'pg_class'::regclass AND d.objid = class.oid
                    AND d.refclassid = 'pg_extension'::regclass
                AND d.deptype = 'e') THEN
            RAISE 'cannot protect tables of envcrypt itself' USING ERRCODE = 'feature_not_supported';
        ELSIF NOT pg_has_role(class.relowner, 'USAGE') THEN
            RAISE 'must be owner of table %', named USING ERRCODE = 'insufficient_privilege';
        END IF;
        EXIT WHEN pass = 2;
        PERFORM @extschema@.envcrypt_lock_relation("table"::oid, 'AccessExclusiveLock'::text, true);
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_lock_table(regclass) IS
    'envcrypt: locks a table that its caller may protect, or says why not';

CREATE FUNCTION envcrypt_find_column("table" regclass, "column" name) RETURNS pg_attribute
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    attribute pg_attribute;
BEGIN
    IF "column" IS NULL THEN
        RAISE 'column must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    SELECT * INTO attribute FROM pg_attribute WHERE attrelid = "table" AND attname = "column" AND NOT attisdropped;
    IF NOT FOUND THEN
        -- An untyped literal is taken for one name.
        IF starts_with("column"::text, '{') THEN
            RAISE 'column "%" of table % does not exist', "column", "table" USING ERRCODE = 'undefined_column',
                HINT = 'Several columns are written ARRAY[''a'', ''b''] or columns => ''{a,b}''; '
                    'envcrypt_protect_online() takes one at a time.';
        END IF;
        RAISE 'column "%" of table % does not exist', "column", "table" USING ERRCODE = 'undefined_column';
    ELSIF attribute.attnum < 0 THEN
        RAISE 'cannot use system column "%"', "column" USING ERRCODE = 'feature_not_supported';
    END IF;
    RETURN attribute;
END $$;
COMMENT ON FUNCTION envcrypt_find_column(regclass, name) IS 'envcrypt: a column''s row of pg_attribute';

CREATE FUNCTION envcrypt_refuse_inherited("column" pg_attribute) RETURNS void
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parents text;
BEGIN
    IF "column".attinhcount = 0 THEN
        RETURN;
    END IF;
    SELECT string_agg(coalesce(pg_partition_root(inhparent), inhparent::regclass)::text, ', ') INTO parents
    FROM pg_inherits WHERE inhrelid = "column".attrelid;
    RAISE 'column "%" of table % is inherited', "column".attname, "column".attrelid::regclass
        USING ERRCODE = 'invalid_table_definition', HINT = format('Name the parent table instead: %s.', parents);
END $$;
COMMENT ON FUNCTION envcrypt_refuse_inherited(pg_attribute) IS 'envcrypt: a column is protected where it is defined';

CREATE FUNCTION envcrypt_find_owner_column("table" regclass, columns name[], owner_column name) RETURNS pg_attribute
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner pg_attribute := @extschema@.envcrypt_find_column("table", owner_column);
BEGIN
    IF owner_column = ANY (columns) THEN
        RAISE 'column "%" cannot be its own owner column', owner_column USING ERRCODE = 'invalid_parameter_value',
            HINT = 'The owner column is what is written in clear: a user''s id, a customer number.';
    ELSIF @extschema@.envcrypt_base_type(@extschema@.envcrypt_ultimate_type(owner.atttypid)) IS NOT NULL THEN
        RAISE 'owner column "%" is encrypted itself', owner_column USING ERRCODE = 'invalid_parameter_value',
            HINT = 'The owner column is what is written in clear: a user''s id, a customer number.';
    ELSIF owner.attgenerated <> '' THEN
        RAISE 'owner column "%" is generated', owner_column USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'It is computed after the triggers have run that would need it.';
    END IF;
    PERFORM @extschema@.envcrypt_owner_text("table"::oid, owner.attnum, ''::text);
    RETURN owner;
END $$;
COMMENT ON FUNCTION envcrypt_find_owner_column(regclass, name[], name) IS
    'envcrypt: a column that may name owners, or an error that says why not';

CREATE FUNCTION envcrypt_needs_protection("table" regclass, "column" name, owner_column name, null_owner text)
RETURNS boolean LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    attribute pg_attribute := @extschema@.envcrypt_find_column("table", "column");
    present record;
    type text := format_type(attribute.atttypid, NULL);
BEGIN
    PERFORM @extschema@.envcrypt_refuse_inherited(attribute);
    SELECT t.*, o.attname AS owner_name INTO present
    FROM @extschema@.envcrypt_owner_triggers t
    LEFT JOIN pg_attribute o ON o.attrelid = t.relid AND o.attnum = t.owner_number
    WHERE t.relid = "table" AND t.column_number = attribute.attnum;
    IF NOT FOUND THEN
        IF @extschema@.envcrypt_base_type(@extschema@.envcrypt_ultimate_type(attribute.atttypid)) IS NULL
            AND @extschema@.envcrypt_encrypted_type(attribute.atttypid) IS NULL THEN
            RAISE 'column "%" of table % is of type %, which has no encrypted type', "column", "table", type
                USING ERRCODE = 'datatype_mismatch',
                HINT = format('A superuser can make one: SELECT %s(%L);',
                    '@extschema@.envcrypt_create_type', type);
        END IF;
        RETURN true;
    ELSIF present.owner_name IS DISTINCT FROM owner_column
        OR owner_column IS NOT NULL AND present.null_owner IS DISTINCT FROM null_owner THEN
        RAISE 'column "%" of table % is protected otherwise', "column", "table"
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = CASE WHEN present.owner_name IS NULL THEN 'Its values are under the database key.'
                ELSE format('Its owner column is "%s", with null_owner => %L.', present.owner_name,
                    present.null_owner) END,
            HINT = 'Call envcrypt_unprotect() first.';
    ELSIF present.enabled IN ('D', 'R') THEN
        RAISE 'column "%" of table % is protected, but its trigger "%" is disabled', "column", "table", present.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format(
                'ALTER TABLE %s ENABLE ALWAYS TRIGGER %I; what was written meanwhile is not bound to its owner.',
                "table", present.name);
    END IF;
    RAISE NOTICE 'column "%" of table % is protected already, skipping', "column", "table";
    RETURN false;
END $$;
COMMENT ON FUNCTION envcrypt_needs_protection(regclass, name, name, text) IS
    'envcrypt: false, with a notice, for a column that is protected so already; an error for one that cannot be';
