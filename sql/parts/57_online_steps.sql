-- The steps. Those that lock the table return the next one.

CREATE FUNCTION envcrypt_online_prepare("table" regclass, "column" name, owner_column name, null_owner text)
    RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state record;
    item record;
    shadow name;
    stem text := "column";
BEGIN
    state := @extschema@.envcrypt_online_state("table", "column");
    IF state.protected_by IS NOT NULL THEN
        RETURN 'check';
    END IF;
    PERFORM @extschema@.envcrypt_online_refuse_obstacles("table", "column");
    shadow := state.shadow;
    IF state.shadow_trigger IS NULL THEN
        WHILE octet_length(stem || '__envcrypt') > 63 LOOP
            stem := left(stem, -1);
        END LOOP;
        shadow := stem || '__envcrypt';
        state.context_id := @extschema@.envcrypt_free_context_id('{}'::integer[]);
        state.type := (SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                       WHERE attrelid = "table" AND attnum = state.number);
        -- First where a table that inherits has the column of its own, too.
        FOR item IN
            SELECT t.relid, t.level FROM @extschema@.envcrypt_tree("table") t
            JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
            WHERE a.attislocal OR t.level = 0 ORDER BY t.level DESC, t.relid
        LOOP
            EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', item.relid, shadow,
                @extschema@.envcrypt_online_type("table", "column"));
        END LOOP;
        -- By name: a cast to regclass needs rights in the schemas of tables that have nothing to do with this one.
        IF EXISTS (SELECT FROM @extschema@.envcrypt_tree("table") t
                JOIN pg_class c ON c.oid = t.relid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_publication_tables p ON p.schemaname = n.nspname AND p.tablename = c.relname) THEN
            RAISE WARNING 'table % is published, and its new column "%" with it', "table", shadow
                USING DETAIL = 'Subscribers without it stop at the next change of a row, and go on once they have it.';
        END IF;
    END IF;
    PERFORM @extschema@.envcrypt_online_make_triggers("table", "column", shadow, owner_column, state.context_id,
        null_owner, state.type);
    IF state.shadow_trigger IS NULL THEN
        -- Whether the CHECK constraints can be kept is better known now than when all rows are done.
        PERFORM @extschema@.envcrypt_online_add_constraints("table", "column", true);
        PERFORM @extschema@.envcrypt_online_drop_constraints("table", format('~envcrypt_%s_', state.context_id));
    END IF;
    RETURN 'backfill';
END $$;
COMMENT ON FUNCTION envcrypt_online_prepare(regclass, name, name, text) IS
    'envcrypt: makes the shadow column and the trigger that keeps it in step';

CREATE FUNCTION envcrypt_online_constrain("table" regclass, "column" name) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (@extschema@.envcrypt_online_state("table", "column")).shadow_trigger IS NULL THEN
        RETURN 'check';
    END IF;
    PERFORM @extschema@.envcrypt_online_add_constraints("table", "column", false);
    RETURN 'validate';
END $$;
COMMENT ON FUNCTION envcrypt_online_constrain(regclass, name) IS
    'envcrypt: adds the shadow column''s constraints, which hold for what is written from then on';

CREATE FUNCTION envcrypt_online_validate("table" regclass, "column" name, verify boolean) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item record;
BEGIN
    PERFORM @extschema@.envcrypt_lock_relation("table"::oid, 'ShareUpdateExclusiveLock'::text, true);
    FOR item IN
        SELECT * FROM @extschema@.envcrypt_online_constraints("table", "column")
        WHERE copy_exists AND must_hold AND NOT copy_holds
    LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', item.relid, item.copy);
        EXCEPTION WHEN check_violation THEN
            IF item.original IS NULL THEN
                RETURN 'backfill';
            END IF;
            RAISE 'constraint "%" of table % does not hold for the encrypted column', item.original, item.relid
                USING ERRCODE = 'check_violation', HINT = 'Drop the constraint, or correct the rows.';
        END;
    END LOOP;
    RETURN CASE WHEN verify THEN 'verify' ELSE 'swap' END;
END $$;
COMMENT ON FUNCTION envcrypt_online_validate(regclass, name, boolean) IS
    'envcrypt: validates the shadow column''s constraints';

CREATE FUNCTION envcrypt_online_verify("table" regclass, "column" name) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item regclass;
    state record;
    rows bigint := 0;
BEGIN
    BEGIN
        PERFORM @extschema@.envcrypt_check(NULL::@extschema@.encrypted_text, NULL::text, NULL::integer);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE WARNING 'the encrypted values were not verified'
            USING DETAIL = 'The role may not open values.',
                HINT = 'envcrypt_verify() can be called later by a role that may.';
        RETURN 'swap';
    END;
    FOR item IN
        SELECT t.relid FROM @extschema@.envcrypt_tree("table") t JOIN pg_class c ON c.oid = t.relid
        WHERE c.relkind = 'r' ORDER BY t.relid
    LOOP
        state := @extschema@.envcrypt_online_state(item, "column");
        CONTINUE WHEN state.number IS NULL;
        IF state.shadow_trigger IS NULL THEN
            RETURN 'prepare';
        END IF;
        rows := rows + @extschema@.envcrypt_verify_shadow(item, state.shadow_trigger);
    END LOOP;
    RAISE NOTICE 'envcrypt_protect_online() verified % rows', rows;
    RETURN 'swap';
END $$;
COMMENT ON FUNCTION envcrypt_online_verify(regclass, name) IS
    'envcrypt: verifies all shadow values, where the role may open';

-- What belongs to the column itself, in each table, and has to be made again once the shadow column has its place.
CREATE FUNCTION envcrypt_online_column("table" regclass, "column" name, OUT before text, OUT after text)
    RETURNS SETOF record
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET envcrypt.io = plaintext AS $$
DECLARE
    item record;
    shadow name := (@extschema@.envcrypt_online_state("table", "column")).shadow;
BEGIN
    FOR item IN
        SELECT t.relid, a.*, pg_get_expr(f.adbin, f.adrelid) AS def, col_description(t.relid, a.attnum) AS description
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
        LEFT JOIN pg_attrdef f ON f.adrelid = t.relid AND f.adnum = a.attnum
        ORDER BY t.level, t.relid
    LOOP
        after := format('ALTER TABLE %s ALTER COLUMN %I %s', item.relid, "column",
            coalesce('SET DEFAULT ' || item.def, 'DROP DEFAULT'));
        RETURN NEXT;
        IF item.attstattarget >= 0 THEN  -- null from PostgreSQL 17 on
            after := format('ALTER TABLE ONLY %s ALTER COLUMN %I SET STATISTICS %s', item.relid, "column",
                item.attstattarget);
            RETURN NEXT;
        END IF;
        IF item.attoptions IS NOT NULL THEN
            after := format('ALTER TABLE ONLY %s ALTER COLUMN %I SET (%s)', item.relid, "column",
                array_to_string(item.attoptions, ', '));
            RETURN NEXT;
        END IF;
        IF item.description IS NOT NULL THEN
            after := format('COMMENT ON COLUMN %s.%I IS %L', item.relid, "column", item.description);
            RETURN NEXT;
        END IF;
        RETURN QUERY
            SELECT NULL,
                format('SECURITY LABEL FOR %I ON COLUMN %s.%I IS %L', l.provider, item.relid, "column", l.label)
            FROM pg_seclabel l
            WHERE l.classoid = 'pg_class'::regclass AND l.objoid = item.relid AND l.objsubid = item.attnum;
        RETURN QUERY
            SELECT NULL, format('GRANT %s (%I) ON %s TO %s%s', x.privilege_type, "column", item.relid,
                CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
                CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
            FROM aclexplode(item.attacl) AS x;
        RETURN QUERY
            SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I', s.objid::regclass, item.relid, shadow), NULL
            FROM pg_depend s JOIN pg_class c ON c.oid = s.objid AND c.relkind = 'S'
            WHERE s.classid = 'pg_class'::regclass AND s.refclassid = 'pg_class'::regclass AND s.deptype = 'a'
                AND s.refobjid = item.relid AND s.refobjsubid = item.attnum;
    END LOOP;
    -- The validated constraints of the shadow column spare these a scan. From PostgreSQL 18 on, NOT NULL has a name,
    -- and may not have been checked; heirs that have one of their own come first, or they would get the parent's.
    -- Before, each has its own, and need not have its parent's.
    RETURN QUERY
        SELECT NULL, CASE WHEN k.oid IS NULL
            THEN format('ALTER TABLE ONLY %s ALTER COLUMN %I SET NOT NULL', t.relid, "column")
            ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', t.relid, k.conname, pg_get_constraintdef(k.oid)) END
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column" AND a.attnotnull
        LEFT JOIN pg_constraint k ON k.conrelid = t.relid AND k.contype = 'n' AND a.attnum = ANY (k.conkey)
        WHERE k.oid IS NULL OR k.conislocal
        ORDER BY t.level DESC, t.relid;
    RETURN QUERY
        SELECT NULL, format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', c.relid, c.copy, c.original)
        FROM @extschema@.envcrypt_online_constraints("table", "column") c
        JOIN pg_constraint k ON k.conrelid = c.relid AND k.conname = c.copy AND k.coninhcount = 0
        WHERE c.original IS NOT NULL;
    RETURN QUERY
        SELECT NULL, format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, t.relid,
            obj_description(k.oid, 'pg_constraint'))
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
        JOIN pg_constraint k ON k.conrelid = t.relid AND k.contype IN ('c', 'n') AND a.attnum = ANY (k.conkey)
        WHERE NOT starts_with(k.conname, '~envcrypt_') AND obj_description(k.oid, 'pg_constraint') IS NOT NULL;
END $$;
COMMENT ON FUNCTION envcrypt_online_column(regclass, name) IS
    'envcrypt: statements to run before the swap, and after it, for what belongs to a column';

CREATE FUNCTION envcrypt_online_drop_column("table" regclass, "column" name) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item record;
BEGIN
    EXECUTE format('ALTER TABLE %s DROP COLUMN %I', "table", "column");
    -- Where a table that inherits has the column of its own, too.
    FOR item IN
        SELECT t.relid FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
        ORDER BY t.level, t.relid
    LOOP
        EXECUTE format('ALTER TABLE %s DROP COLUMN IF EXISTS %I', item.relid, "column");
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_online_drop_column(regclass, name) IS
    'envcrypt: drops a column, also where a table that inherits has it of its own';

CREATE FUNCTION envcrypt_online_swap("table" regclass, "column" name) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state record;
    before text[];
    after text[];
    dependents record;
    checks record;
    storage text;
    valid text[];
BEGIN
    state := @extschema@.envcrypt_online_state("table", "column");
    IF state.shadow_trigger IS NULL THEN
        RETURN 'check';
    ELSIF EXISTS (SELECT FROM @extschema@.envcrypt_tree("table") t
            WHERE (@extschema@.envcrypt_online_state(t.relid, "column")).shadow_trigger IS NULL) THEN
        RETURN 'prepare';  -- a table came to inherit
    ELSIF EXISTS (SELECT FROM @extschema@.envcrypt_online_constraints("table", "column")
            WHERE NOT copy_exists OR must_hold AND NOT copy_holds) THEN
        RETURN 'constrain';
    END IF;
    PERFORM @extschema@.envcrypt_online_refuse_obstacles("table", "column");
    dependents := @extschema@.envcrypt_dependents_again("table", ARRAY["column"], '{}'::name[], true);
    SELECT coalesce(array_agg(d.before) FILTER (WHERE d.before IS NOT NULL), '{}'),
        coalesce(array_agg(d.after) FILTER (WHERE d.after IS NOT NULL), '{}') INTO before, after
    FROM @extschema@.envcrypt_online_column("table", "column") AS d;
    storage := @extschema@.envcrypt_original_storage(@extschema@.envcrypt_find_column("table", "column"));
    valid := ARRAY(SELECT DISTINCT c.name::text FROM @extschema@.envcrypt_checks("table", ARRAY["column"]) c
        WHERE c.valid ORDER BY 1);

    PERFORM @extschema@.envcrypt_run(dependents.drops || before);
    PERFORM @extschema@.envcrypt_online_drop_triggers("table", state.context_id);
    PERFORM @extschema@.envcrypt_online_drop_column("table", "column");
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', "table", state.shadow, "column");
    PERFORM @extschema@.envcrypt_run(after);
    PERFORM @extschema@.envcrypt_online_drop_constraints("table", format('~envcrypt_%s_', state.context_id));
    -- From here on as envcrypt_protect().
    checks := @extschema@.envcrypt_checks_again("table", ARRAY["column"], '{}'::name[], NULL::text[]);
    PERFORM @extschema@.envcrypt_make_trigger("table", "column", state.owner, state.context_id, state.null_owner,
        state.type, storage, valid);
    PERFORM @extschema@.envcrypt_spread_triggers("table");
    PERFORM @extschema@.envcrypt_run(checks.drops || checks.puts || dependents.puts);
    RAISE NOTICE 'column "%" of table % is protected now', "column", "table"
        USING DETAIL = 'It is the table''s last column now: INSERT without a list of columns must follow. '
            'The plain values stay in the table''s files until VACUUM FULL or CLUSTER, '
            'and in WAL, backups and standbys until these are gone.';
    RETURN 'done';
END $$;
COMMENT ON FUNCTION envcrypt_online_swap(regclass, name) IS
    'envcrypt: puts the shadow column into the plain column''s place';

CREATE FUNCTION envcrypt_online_drop_triggers("table" regclass, context_id integer) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT t.relid, g.name FROM @extschema@.envcrypt_tree("table") t
        JOIN @extschema@.envcrypt_triggers g ON g.relid = t.relid AND g.kind = 'shadow' AND g.parent = 0
        WHERE g.context_id = envcrypt_online_drop_triggers.context_id
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', item.name, item.relid);
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_online_drop_triggers(regclass, integer) IS 'envcrypt: drops a column''s shadow triggers';

CREATE FUNCTION envcrypt_online_undo("table" regclass, "column" name) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state record;
BEGIN
    state := @extschema@.envcrypt_online_state("table", "column");
    IF state.shadow_trigger IS NULL THEN
        RAISE NOTICE 'column "%" of table % is not being protected', "column", "table";
        RETURN 'done';
    END IF;
    PERFORM @extschema@.envcrypt_online_drop_triggers("table", state.context_id);
    PERFORM @extschema@.envcrypt_online_drop_constraints("table", format('~envcrypt_%s_', state.context_id));
    PERFORM @extschema@.envcrypt_online_drop_column("table", state.shadow);
    RAISE NOTICE 'column "%" of table % stays plain', "column", "table";
    RETURN 'done';
END $$;
COMMENT ON FUNCTION envcrypt_online_undo(regclass, name) IS 'envcrypt: removes the shadow column and its trigger';
