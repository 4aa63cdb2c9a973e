-- Protecting and unprotecting columns of a table that nobody else uses meanwhile.

CREATE FUNCTION envcrypt_run(statements text[]) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET envcrypt.io = plaintext AS $$
DECLARE
    statement text;
BEGIN
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_run(text[]) IS 'envcrypt: runs statements in order';

CREATE FUNCTION envcrypt_alter_columns("table" regclass, clauses text[]) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    what text;
    detail text;
BEGIN
    EXECUTE format('ALTER TABLE %s %s', "table", array_to_string(clauses, ', '));
EXCEPTION WHEN undefined_function OR ambiguous_function OR cannot_coerce THEN
    GET STACKED DIAGNOSTICS what = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RAISE '%', what USING ERRCODE = SQLSTATE, DETAIL = detail,
        HINT = format('A check constraint of table %s does not work with the new type: drop it first.', "table");
END $$;
COMMENT ON FUNCTION envcrypt_alter_columns(regclass, text[]) IS 'envcrypt: one ALTER TABLE, so one rewrite';

-- Of a plain column, as envcrypt_make_trigger() keeps it for envcrypt_unprotect(); '' where it is its type's own.
CREATE FUNCTION envcrypt_original_storage("column" pg_attribute) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws(' ',
        CASE WHEN t.typstorage <> "column".attstorage THEN 'STORAGE ' || CASE "column".attstorage
            WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END END,
        CASE "column".attcompression WHEN 'p' THEN 'COMPRESSION pglz' WHEN 'l' THEN 'COMPRESSION lz4' END)
    FROM pg_type t WHERE t.oid = "column".atttypid
$$;
COMMENT ON FUNCTION envcrypt_original_storage(pg_attribute) IS
    'envcrypt: the settings of a plain column that would be lost';

CREATE FUNCTION envcrypt_free_context_id(taken integer[]) RETURNS integer
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    id integer;
    own CONSTANT integer := '@extschema@.envcrypt_owner_trigger()'::regprocedure::oid::bigint::bit(32)::integer;
BEGIN
    FOR attempt IN 1 .. 100000 LOOP
        id := 1 + trunc(random() * 65535);
        -- The lock: another transaction may have chosen the same, and not be seen yet.
        CONTINUE WHEN id = ANY (taken) OR NOT pg_try_advisory_xact_lock(own, id)
            OR EXISTS (SELECT FROM @extschema@.envcrypt_triggers t WHERE t.context_id = id);
        RETURN id;
    END LOOP;
    RAISE 'no context id is free for another protected column' USING ERRCODE = 'program_limit_exceeded';
END $$;
COMMENT ON FUNCTION envcrypt_free_context_id(integer[]) IS
    'envcrypt: a number by which values tell their column, which no other protected column has';

CREATE FUNCTION envcrypt_make_trigger("table" regclass, "column" name, owner_column name, context_id integer,
    null_owner text, original_type text, original_storage text, valid_checks text[]) RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    trigger CONSTANT name := format('~envcrypt_%s', context_id);
BEGIN
    EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.%I IS NOT NULL%s) '
        'EXECUTE FUNCTION @extschema@.envcrypt_owner_trigger(%L, %L, %L%s)', trigger, "table", "column",
        coalesce(' OR new.' || quote_ident(owner_column) || ' IS NULL', ''), context_id, null_owner, original_type,
        CASE WHEN valid_checks <> '{}' OR original_storage <> ''
                THEN ', ' || quote_literal(original_storage) ELSE '' END
            || (SELECT coalesce(string_agg(', ' || quote_literal(c), ''), '') FROM unnest(valid_checks) c));
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', "table", trigger);
    EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', trigger, "table",
        'envcrypt: binds values to their owners; to change the column''s type or drop it, '
            'call envcrypt_unprotect() first');
END $$;
COMMENT ON FUNCTION envcrypt_make_trigger(regclass, name, name, integer, text, text, text, text[]) IS
    'envcrypt: makes the owner trigger of a protected column';

CREATE FUNCTION envcrypt_spread_triggers("table" regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item record;
    child regclass;
BEGIN
    IF (SELECT relkind <> 'r' OR relispartition FROM pg_class WHERE oid = "table") THEN
        RETURN;  -- PostgreSQL copies triggers to partitions itself
    END IF;
    FOR item IN
        SELECT p.*, a.attname AS column_name, o.attname AS owner_name, a.attnum
        FROM pg_inherits i
        JOIN @extschema@.envcrypt_owner_triggers p ON p.relid = i.inhparent
        JOIN pg_attribute pa ON pa.attrelid = p.relid AND pa.attnum = p.column_number
        JOIN pg_attribute a ON a.attrelid = i.inhrelid AND a.attname = pa.attname
        LEFT JOIN pg_attribute o ON o.attrelid = p.relid AND o.attnum = p.owner_number
        WHERE i.inhrelid = "table" ORDER BY p.name
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_trigger WHERE tgrelid = "table" AND tgname = item.name);
        PERFORM @extschema@.envcrypt_lock_relation("table"::oid, 'ShareRowExclusiveLock'::text, false);
        PERFORM @extschema@.envcrypt_make_trigger("table", item.column_name, item.owner_name, item.context_id,
            item.null_owner, item.original_type, coalesce(item.original_storage, ''),
            coalesce(item.valid_checks, '{}'));
    END LOOP;
    FOR child IN SELECT inhrelid FROM pg_inherits WHERE inhparent = "table" ORDER BY inhrelid LOOP
        PERFORM @extschema@.envcrypt_spread_triggers(child);
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_spread_triggers(regclass) IS
    'envcrypt: gives those that inherit from a table the triggers of its columns';

CREATE FUNCTION envcrypt_refuse_row("table" regclass, "column" name, owner_column name, has_value boolean) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT has_value THEN
        RETURN NULL;
    END IF;
    RAISE 'row of table % has no owner to encrypt for', "table" USING ERRCODE = 'not_null_violation',
        DETAIL = format('Column "%s" is null, and column "%s" is not.', owner_column, "column"),
        HINT = 'Give the row an owner, or protect the column with null_owner => ''database''.';
END $$;
COMMENT ON FUNCTION envcrypt_refuse_row(regclass, name, name, boolean) IS
    'envcrypt: the error of a value without an owner';

CREATE FUNCTION envcrypt_protect("table" regclass, columns name[], owner_column name DEFAULT NULL,
    null_owner text DEFAULT 'error') RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner pg_attribute;
    attribute pg_attribute;
    "column" name;
    todo name[] := '{}';
    contexts integer[] := '{}';
    originals text[] := '{}';
    storages text[] := '{}';
    clauses text[] := '{}';
    sealed regtype;
    value text;  -- as envcrypt_bind() takes it
    owner_value text;
    checks jsonb := '{}';  -- of each column, the names of those that were valid
    saved text[];
BEGIN
    IF columns IS NULL OR columns = '{}' OR array_position(columns, NULL) IS NOT NULL THEN
        RAISE 'column must not be null' USING ERRCODE = 'null_value_not_allowed';
    ELSIF null_owner IS NULL OR null_owner NOT IN ('error', 'database') THEN
        RAISE 'null_owner must be "error" or "database"' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It says what a value in a row without an owner is: an error, or sealed under the database key.';
    END IF;
    PERFORM @extschema@.envcrypt_lock_table("table");
    PERFORM @extschema@.envcrypt_require_right('seal');
    IF owner_column IS NOT NULL THEN
        owner := @extschema@.envcrypt_find_owner_column("table", columns, owner_column);
    END IF;
    FOREACH "column" IN ARRAY columns LOOP
        IF "column" <> ALL (todo)
            AND @extschema@.envcrypt_needs_protection("table", "column", owner_column, null_owner) THEN
            todo := todo || "column";
        END IF;
    END LOOP;
    IF todo = '{}' THEN
        RETURN;
    END IF;
    PERFORM @extschema@.envcrypt_online_refuse_begun("table", todo, false);
    PERFORM @extschema@.envcrypt_refuse_obstacles("table", todo);

    FOREACH "column" IN ARRAY todo LOOP
        attribute := @extschema@.envcrypt_find_column("table", "column");
        contexts := contexts || @extschema@.envcrypt_free_context_id(contexts);
        sealed := @extschema@.envcrypt_ultimate_type(attribute.atttypid);
        IF @extschema@.envcrypt_base_type(sealed) IS NOT NULL THEN
            -- Sealed already, but not bound: by hand, or in a table made with LIKE.
            PERFORM @extschema@.envcrypt_require_right('open');
            value := format('%I::%s', "column", sealed);
            originals := originals || CASE WHEN @extschema@.envcrypt_base_type(sealed) = 'text'::regtype
                AND attribute.atttypmod >= 0 THEN format_type('varchar'::regtype, attribute.atttypmod)
                ELSE format_type(@extschema@.envcrypt_base_type(sealed), attribute.atttypmod) END;
            storages := storages || ''::text;
            sealed := attribute.atttypid;
        ELSE
            sealed := @extschema@.envcrypt_encrypted_type(attribute.atttypid);
            value := format(CASE attribute.atttypid WHEN 'varchar'::regtype THEN '%I::text' ELSE '%I' END, "column");
            originals := originals || format_type(attribute.atttypid, attribute.atttypmod);
            storages := storages || @extschema@.envcrypt_original_storage(attribute);
        END IF;
        owner_value := @extschema@.envcrypt_owner_text("table"::oid, owner.attnum, quote_ident(owner_column));
        owner_value := CASE WHEN owner_column IS NULL THEN 'NULL::text'
            -- Also where the owner is NOT NULL: heirs' and, from PostgreSQL 18 on, older rows need not obey.
            WHEN null_owner = 'database' THEN owner_value
            -- No IS NULL here: in partitions with another order of columns, ALTER TABLE would look at a wrong one.
            ELSE format('coalesce(%4$s, @extschema@.envcrypt_refuse_row(%3$L::regclass, %2$L::name, %1$L::name, '
                'num_nonnulls(%2$I) > 0))',
                owner_column, "column", "table"::oid, owner_value) END;
        clauses := clauses || format('ALTER COLUMN %I TYPE %s%s USING @extschema@.envcrypt_bind(%s, %s, %s)', "column",
            format_type(sealed, attribute.atttypmod),
            CASE WHEN attribute.attcollation = 0 THEN '' ELSE ' COLLATE ' || attribute.attcollation::regcollation END,
            value, owner_value, contexts[cardinality(contexts)]);
    END LOOP;

    FOREACH "column" IN ARRAY todo LOOP
        checks := checks || jsonb_build_object("column", ARRAY(SELECT DISTINCT c.name::text
            FROM @extschema@.envcrypt_checks("table", ARRAY["column"]) c WHERE c.valid ORDER BY 1));
    END LOOP;
    saved := @extschema@.envcrypt_drop_dependents("table", todo, '{}'::name[], NULL::text[]);
    PERFORM @extschema@.envcrypt_alter_columns("table", clauses);
    FOR i IN 1 .. cardinality(todo) LOOP
        PERFORM @extschema@.envcrypt_make_trigger("table", todo[i], owner_column, contexts[i], null_owner, originals[i],
            storages[i], ARRAY(SELECT jsonb_array_elements_text(checks -> todo[i]::text)));
    END LOOP;
    PERFORM @extschema@.envcrypt_spread_triggers("table");
    PERFORM @extschema@.envcrypt_run(saved);
END $$;
COMMENT ON FUNCTION envcrypt_protect(regclass, name[], name, text) IS
    'encrypts columns in one rewrite and binds their values to their row''s owner, '
    'or to the database without owner_column';

CREATE FUNCTION envcrypt_protect("table" regclass, "column" name, owner_column name DEFAULT NULL,
    null_owner text DEFAULT 'error') RETURNS void
    LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT @extschema@.envcrypt_protect("table", ARRAY["column"], owner_column, null_owner) $$;
COMMENT ON FUNCTION envcrypt_protect(regclass, name, name, text) IS
    'encrypts a column and binds its values to their row''s owner, or to the database without owner_column';

CREATE FUNCTION envcrypt_unprotect("table" regclass, columns name[]) RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    attribute pg_attribute;
    "column" name;
    present record;
    sealed regtype;
    original regtype;
    todo name[] := '{}';
    opened name[] := '{}';  -- with type modifiers other than a string's
    clauses text[] := '{}';
    drops text[] := '{}';
    storages text[] := '{}';
    valid text[] := '{}';
    saved text[];
BEGIN
    IF columns IS NULL OR columns = '{}' OR array_position(columns, NULL) IS NOT NULL THEN
        RAISE 'column must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    PERFORM @extschema@.envcrypt_lock_table("table");
    PERFORM @extschema@.envcrypt_require_right('open');
    FOREACH "column" IN ARRAY columns LOOP
        CONTINUE WHEN "column" = ANY (todo);
        attribute := @extschema@.envcrypt_find_column("table", "column");
        PERFORM @extschema@.envcrypt_refuse_inherited(attribute);
        SELECT * INTO present FROM @extschema@.envcrypt_owner_triggers t
        WHERE t.relid = "table" AND t.column_number = attribute.attnum ORDER BY t.name DESC LIMIT 1;
        sealed := @extschema@.envcrypt_ultimate_type(attribute.atttypid);
        IF present IS NULL OR @extschema@.envcrypt_base_type(sealed) IS NULL THEN
            RAISE 'column "%" of table % is not protected', "column", "table"
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = CASE
                WHEN @extschema@.envcrypt_base_type(sealed) IS NULL THEN 'The view envcrypt_columns has those that are.'
                ELSE format('It is only of an encrypted type: ALTER TABLE %s ALTER COLUMN %I TYPE %s;', "table",
                    "column", @extschema@.envcrypt_base_type(sealed)) END;
        END IF;
        todo := todo || "column";
        valid := valid || coalesce(present.valid_checks, '{}');
        -- What the trigger says is the table owner's word: only a type's name is taken from it.
        BEGIN
            original := to_regtype(present.original_type);
        EXCEPTION WHEN OTHERS THEN
            original := NULL;  -- no type's name
        END;
        IF @extschema@.envcrypt_encrypted_type(original::oid) IS DISTINCT FROM sealed THEN
            original := @extschema@.envcrypt_base_type(sealed);
        END IF;
        IF attribute.atttypmod >= 0 AND @extschema@.envcrypt_base_type(sealed) = 'text'::regtype THEN
            original := 'varchar';
        ELSIF attribute.atttypmod >= 0 THEN
            opened := opened || "column";
        END IF;
        clauses := clauses || format('ALTER COLUMN %1$I TYPE %2$s%3$s USING @extschema@.envcrypt_open(%1$I::%4$s)',
            "column", format_type(original, attribute.atttypmod), CASE WHEN attribute.attcollation = 0 THEN ''
                ELSE ' COLLATE ' || attribute.attcollation::regcollation END, sealed);
        drops := drops || ARRAY(
            SELECT format('DROP TRIGGER %I ON %s', t.name, t.relid::regclass)
            FROM @extschema@.envcrypt_tree("table") r
            JOIN pg_attribute a ON a.attrelid = r.relid AND a.attname = "column"
            JOIN @extschema@.envcrypt_owner_triggers t ON t.relid = a.attrelid AND t.column_number = a.attnum
            WHERE t.parent = 0 ORDER BY t.relid, t.name);
        storages := storages || ARRAY(
            SELECT format('ALTER TABLE ONLY %s ALTER COLUMN %I SET %s', r.relid::regclass, "column", s.setting[1])
            FROM regexp_matches(present.original_storage,
                '(STORAGE (?:PLAIN|EXTERNAL|EXTENDED|MAIN)|COMPRESSION (?:pglz|lz4))', 'g') AS s (setting)
            CROSS JOIN @extschema@.envcrypt_tree("table") r ORDER BY r.level, r.relid);
    END LOOP;
    PERFORM @extschema@.envcrypt_refuse_obstacles("table", todo);

    PERFORM @extschema@.envcrypt_run(drops);
    saved := @extschema@.envcrypt_drop_dependents("table", todo, opened, valid);
    PERFORM @extschema@.envcrypt_alter_columns("table", clauses);
    PERFORM @extschema@.envcrypt_run(storages || saved);
END $$;
COMMENT ON FUNCTION envcrypt_unprotect(regclass, name[]) IS 'makes protected columns plain again, as they were before';

CREATE FUNCTION envcrypt_unprotect("table" regclass, "column" name) RETURNS void
    LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT @extschema@.envcrypt_unprotect("table", ARRAY["column"]) $$;
COMMENT ON FUNCTION envcrypt_unprotect(regclass, name) IS 'makes a protected column plain again, as it was before';
