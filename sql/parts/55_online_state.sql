-- Protecting a column of a table with traffic. All state is in the table itself: a column beside the plain one, its
-- shadow column, and a trigger that keeps that in step and names both. The procedures commit, so that they cannot have
-- a search_path of their own: they call functions that have one, and qualify what they name themselves.

CREATE FUNCTION envcrypt_backfill("table" regclass, trigger oid, first bigint, "end" bigint, batch_size integer,
    OUT next bigint, OUT written bigint, OUT skipped bigint)
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_backfill(regclass, oid, bigint, bigint, integer) IS
    'envcrypt: writes missing shadow values of the rows in a range of blocks, of about batch_size rows at most';

CREATE FUNCTION envcrypt_verify_shadow("table" regclass, trigger oid) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_verify_shadow(regclass, oid) IS
    'envcrypt: raises unless every row''s shadow value opens to the plain value for the row''s owner; '
    'returns how many rows';

CREATE FUNCTION envcrypt_lacks_shadow("table" regclass, trigger oid) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_lacks_shadow(regclass, oid) IS
    'envcrypt: whether any row has a value without its shadow value';

CREATE PROCEDURE envcrypt_require_own_transaction(what text)
    LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON PROCEDURE envcrypt_require_own_transaction(text) IS 'envcrypt: raises where a procedure cannot commit';

-- What is known of a column: nulls, where it has no such trigger.
CREATE FUNCTION envcrypt_online_state("table" regclass, "column" name, OUT number smallint, OUT shadow_trigger oid,
    OUT shadow name, OUT owner name, OUT context_id integer, OUT null_owner text, OUT type text, OUT protected_by oid)
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.attnum, CASE t.kind WHEN 'shadow' THEN t.trigger END, w.attname, o.attname, t.context_id, t.null_owner,
        t.original_type, CASE t.kind WHEN 'owner' THEN t.trigger END
    FROM (SELECT) AS always
    LEFT JOIN pg_attribute a ON a.attrelid = "table" AND a.attname = "column" AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN @extschema@.envcrypt_triggers t ON t.relid = a.attrelid AND t.column_number = a.attnum
        AND t.kind <> 'users'
    LEFT JOIN pg_attribute w ON w.attrelid = t.relid AND w.attnum = t.shadow_number
    LEFT JOIN pg_attribute o ON o.attrelid = t.relid AND o.attnum = t.owner_number
    LIMIT 1
$$;
COMMENT ON FUNCTION envcrypt_online_state(regclass, name) IS 'envcrypt: how far a column''s protection is';

-- The encrypted type for a column, as SQL, or null.
CREATE FUNCTION envcrypt_online_type("table" regclass, "column" name) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format_type(@extschema@.envcrypt_encrypted_type(atttypid), atttypmod)
        || CASE WHEN attcollation = 0 THEN '' ELSE ' COLLATE ' || attcollation::regcollation END
    FROM pg_attribute
    WHERE attrelid = "table" AND attname = "column" AND attnum > 0 AND NOT attisdropped
$$;
COMMENT ON FUNCTION envcrypt_online_type(regclass, name) IS 'envcrypt: the encrypted type for a plain column';

-- Raises for a column that envcrypt_protect_online() works on, or works with as another one's owner or shadow column.
CREATE FUNCTION envcrypt_online_refuse_begun("table" regclass, columns name[], may_continue boolean) RETURNS void
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    begun record;
BEGIN
    SELECT a.attname, p.attname AS plain INTO begun
    FROM @extschema@.envcrypt_triggers t
    JOIN pg_attribute p ON p.attrelid = t.relid AND p.attnum = t.column_number
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns)
        AND a.attnum IN (t.column_number, t.shadow_number, t.owner_number)
    WHERE t.relid = "table" AND t.kind = 'shadow' AND NOT (may_continue AND p.attnum = a.attnum)
    LIMIT 1;
    IF FOUND THEN
        RAISE 'column "%" of table % is in use by envcrypt_protect_online()', begun.attname, "table"
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('It has not ended for column "%s".', begun.plain),
            HINT = 'Call that again to continue, or envcrypt_protect_online_cancel().';
    END IF;
END $$;
COMMENT ON FUNCTION envcrypt_online_refuse_begun(regclass, name[], boolean) IS
    'envcrypt: raises for columns that envcrypt_protect_online() works on';

-- What stands in the way. Beside what keeps envcrypt_protect() from its work, that is what would be dropped, with the
-- plain column, without a word.
CREATE FUNCTION envcrypt_online_refuse_obstacles("table" regclass, "column" name) RETURNS void
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    obstacles text;
BEGIN
    PERFORM @extschema@.envcrypt_online_refuse_begun("table", ARRAY["column"], true);
    PERFORM @extschema@.envcrypt_refuse_obstacles("table", ARRAY["column"]);
    SELECT string_agg(DISTINCT format('%s: drop it and create it again afterwards',
        pg_describe_object(d.classid, d.objid, 0)), E'\n') INTO obstacles
    FROM @extschema@.envcrypt_tree("table") t
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.relid AND d.refobjsubid = a.attnum
    WHERE d.classid = 'pg_class'::regclass AND (SELECT relkind IN ('i', 'I') FROM pg_class WHERE oid = d.objid)
        OR d.classid = 'pg_publication_rel'::regclass
        -- NOT NULL is one from PostgreSQL 18 on.
        OR d.classid = 'pg_constraint'::regclass
            AND (SELECT contype NOT IN ('c', 'n') FROM pg_constraint WHERE oid = d.objid);
    IF obstacles IS NOT NULL THEN
        RAISE 'cannot protect column "%" of table % online because of what depends on it', "column", "table"
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = obstacles;
    END IF;
    SELECT string_agg(format('table %s', t.relid), E'\n') INTO obstacles
    FROM @extschema@.envcrypt_tree("table") t JOIN pg_class c ON c.oid = t.relid
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
    WHERE c.relkind NOT IN ('r', 'p') OR a.attinhcount > 1 OR a.attidentity <> '' OR a.attgenerated <> '';
    IF obstacles IS NOT NULL THEN
        RAISE 'cannot protect column "%" of table % online', "column", "table"
            USING ERRCODE = 'feature_not_supported',
            DETAIL = 'It is generated, or inherited from several tables:' || E'\n' || obstacles;
    END IF;
END $$;
COMMENT ON FUNCTION envcrypt_online_refuse_obstacles(regclass, name) IS
    'envcrypt: raises with everything that keeps a column from being protected online';

-- Checks that need no lock. Returns false if the column is protected already, as is wanted.
CREATE FUNCTION envcrypt_online_check("table" regclass, "column" name, owner_column name, null_owner text,
    batch_size integer, pause interval, lock_timeout interval) RETURNS boolean
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    class record;
    state record;
BEGIN
    IF "table" IS NULL OR "column" IS NULL OR null_owner IS NULL THEN
        RAISE 'table, column and null_owner must not be null' USING ERRCODE = 'null_value_not_allowed';
    ELSIF null_owner NOT IN ('error', 'database') THEN
        RAISE 'null_owner must be "error" or "database"' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It says what a value in a row without an owner is: an error, or sealed under the database key.';
    ELSIF batch_size IS NULL OR batch_size < 1 THEN
        RAISE 'batch_size must be at least 1' USING ERRCODE = 'invalid_parameter_value';
    ELSIF pause IS NULL OR pause < '0' THEN
        RAISE 'pause must not be negative' USING ERRCODE = 'invalid_parameter_value';
    ELSIF lock_timeout IS NULL OR lock_timeout <= '0' THEN
        RAISE 'lock_timeout must be positive' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT relkind, pg_has_role(relowner, 'USAGE') AS is_owner INTO class FROM pg_class WHERE oid = "table";
    IF NOT FOUND THEN
        RAISE 'relation with OID % does not exist', "table"::oid USING ERRCODE = 'undefined_table';
    ELSIF class.relkind NOT IN ('r', 'p') THEN
        RAISE '"%" is not a table', "table" USING ERRCODE = 'wrong_object_type';
    ELSIF NOT class.is_owner THEN
        RAISE 'must be owner of table %', "table" USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM @extschema@.envcrypt_require_right('seal');
    IF owner_column IS NOT NULL THEN
        PERFORM @extschema@.envcrypt_find_owner_column("table", ARRAY["column"], owner_column);
    END IF;
    IF NOT @extschema@.envcrypt_needs_protection("table", "column", owner_column, null_owner) THEN
        RETURN false;
    END IF;
    IF @extschema@.envcrypt_online_type("table", "column") IS NULL THEN
        RAISE 'column "%" of table % is encrypted already', "column", "table"
            USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'envcrypt_protect() binds its values to their owners.';
    END IF;
    state := @extschema@.envcrypt_online_state("table", "column");
    IF state.shadow_trigger IS NOT NULL
        AND (state.owner, state.null_owner) IS DISTINCT FROM (owner_column, null_owner) THEN
        RAISE 'column "%" of table % is being protected with other arguments', "column", "table"
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Its owner column is %s, null_owner is %L.', coalesce(quote_ident(state.owner), 'not set'),
                state.null_owner),
            HINT = 'Continue with these, or call envcrypt_protect_online_cancel().';
    END IF;
    PERFORM @extschema@.envcrypt_online_refuse_obstacles("table", "column");
    RETURN true;
END $$;
COMMENT ON FUNCTION envcrypt_online_check(regclass, name, name, text, integer, interval, interval) IS
    'envcrypt: checks of envcrypt_protect_online() that need no lock';
