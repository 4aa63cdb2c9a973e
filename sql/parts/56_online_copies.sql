-- The shadow trigger of a table and all that inherits from it (partitions get theirs from PostgreSQL), where it is
-- missing.
CREATE FUNCTION envcrypt_online_make_triggers("table" regclass, "column" name, shadow name, owner name,
    context_id integer, null_owner text, type text) RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item regclass;
    name CONSTANT name := format('~envcrypt_%s_shadow', context_id);
BEGIN
    FOR item IN SELECT t.relid FROM @extschema@.envcrypt_tree("table") t ORDER BY t.level, t.relid LOOP
        IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = item AND tgname = name) THEN
            EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE ON %s FOR EACH ROW '
                'WHEN (new.%I IS NOT NULL OR new.%I IS NOT NULL%s) '
                'EXECUTE FUNCTION @extschema@.envcrypt_shadow_trigger(%L, %L, %L)', name, item, "column", shadow,
                coalesce(' OR new.' || quote_ident(owner) || ' IS NULL', ''), context_id, null_owner, type);
        END IF;
    END LOOP;
    FOR item IN
        SELECT t.relid FROM @extschema@.envcrypt_tree("table") t JOIN pg_trigger g ON g.tgrelid = t.relid
        WHERE g.tgname = name AND g.tgenabled <> 'A' ORDER BY t.level, t.relid
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', item, name);
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_online_make_triggers(regclass, name, name, name, integer, text, text) IS
    'envcrypt: makes the trigger that keeps a shadow column in step';

-- CHECK constraints of the encrypted column: those that say that every value has its shadow value, and copies of the
-- plain column's. A copy's name is made from the original's name and definition.
CREATE FUNCTION envcrypt_online_constraints("table" regclass, "column" name, OUT relid regclass, OUT original name,
    OUT definition text, OUT must_hold boolean, OUT copy name, OUT copy_exists boolean, OUT copy_holds boolean)
    RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH state AS (
        SELECT s.*, format('~envcrypt_%s_', s.context_id) AS prefix
        FROM @extschema@.envcrypt_online_state("table", "column") s
    ), wanted AS (
        SELECT t.relid, t.level, NULL::name AS original,
            format('CHECK (%s%I IS NOT NULL) NOT VALID',
                CASE WHEN NOT n.never_null THEN format('%I IS NULL OR ', "column") END, s.shadow) AS definition,
            true AS must_hold,
            (s.prefix || CASE WHEN n.never_null THEN 'not_null' ELSE 'complete' END)::name AS copy
        FROM state s, @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
        -- An heir need not have its parent's NOT NULL; from PostgreSQL 18 on, older rows need not have been checked.
        CROSS JOIN LATERAL (SELECT bool_and(h.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint k
                WHERE k.conrelid = h.attrelid AND k.contype = 'n' AND h.attnum = ANY (k.conkey) AND NOT k.convalidated))
            AS never_null FROM @extschema@.envcrypt_tree(t.relid) below
            JOIN pg_attribute h ON h.attrelid = below.relid AND h.attname = "column") n
        WHERE t.level = 0 OR n.never_null
        UNION ALL
        SELECT t.relid, t.level, k.conname, pg_get_constraintdef(k.oid)
            || CASE WHEN k.convalidated THEN ' NOT VALID' ELSE '' END, k.convalidated,
            s.prefix || md5(format('%s %s', k.conname, pg_get_constraintdef(k.oid)))
        FROM state s, @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
        JOIN pg_constraint k ON k.conrelid = t.relid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)
        WHERE k.conislocal AND NOT starts_with(k.conname, s.prefix)
    )
    SELECT w.relid, w.original, w.definition, w.must_hold, w.copy, c.oid IS NOT NULL, coalesce(c.convalidated, false)
    FROM wanted w
    LEFT JOIN pg_constraint c ON c.conrelid = w.relid AND c.contype = 'c' AND c.conname = w.copy
    ORDER BY w.original NULLS FIRST, w.level, w.relid
$$;
COMMENT ON FUNCTION envcrypt_online_constraints(regclass, name) IS
    'envcrypt: the CHECK constraints that an encrypted column must have before it takes the plain one''s place';

-- Adds the missing ones, unvalidated. Their text names the plain column, so the shadow column has its name for a
-- moment.
CREATE FUNCTION envcrypt_online_add_constraints("table" regclass, "column" name, only_copies boolean) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state record;
    item record;
    statement text;
    statements text[];
BEGIN
    state := @extschema@.envcrypt_online_state("table", "column");
    FOR item IN
        SELECT * FROM @extschema@.envcrypt_online_constraints("table", "column")
        WHERE NOT copy_exists AND original IS NULL AND NOT only_copies
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_constraint WHERE conrelid = item.relid AND conname = item.copy);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', item.relid, item.copy, item.definition);
    END LOOP;
    SELECT array_agg(format('ALTER TABLE %s ADD CONSTRAINT %I %s', relid, copy, definition)) INTO statements
    FROM @extschema@.envcrypt_online_constraints("table", "column") WHERE NOT copy_exists AND original IS NOT NULL;
    IF statements IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO "~envcrypt"', "table", "column");
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', "table", state.shadow, "column");
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', "table", "column", state.shadow);
    EXECUTE format('ALTER TABLE %s RENAME COLUMN "~envcrypt" TO %I', "table", "column");
END $$;
COMMENT ON FUNCTION envcrypt_online_add_constraints(regclass, name, boolean) IS
    'envcrypt: adds what envcrypt_online_constraints() finds missing';

CREATE FUNCTION envcrypt_online_drop_constraints("table" regclass, prefix text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT t.relid, k.conname
        FROM @extschema@.envcrypt_tree("table") t JOIN pg_constraint k ON k.conrelid = t.relid
        WHERE starts_with(k.conname, prefix) AND k.contype = 'c' AND k.conislocal
        ORDER BY t.level, t.relid
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', item.relid, item.conname);
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_online_drop_constraints(regclass, text) IS
    'envcrypt: drops constraints by their names'' beginning';
