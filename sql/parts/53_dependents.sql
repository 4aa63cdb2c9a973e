-- What depends on a column whose type changes: what stands in the way, what is taken down, and how it is made again.

CREATE FUNCTION envcrypt_obstacles("table" regclass, columns name[]) RETURNS SETOF text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH tree AS MATERIALIZED (
        SELECT c.* FROM @extschema@.envcrypt_tree("table") t JOIN pg_class c ON c.oid = t.relid
    ), col AS MATERIALIZED (
        SELECT a.* FROM pg_attribute a JOIN tree t ON t.oid = a.attrelid
        WHERE a.attname = ANY (columns) AND a.attnum > 0 AND NOT a.attisdropped
    ), dependent AS MATERIALIZED (
        SELECT DISTINCT d.classid, d.objid, col.attrelid, col.attname
        FROM pg_depend d JOIN col ON d.refclassid = 'pg_class'::regclass AND d.refobjid = col.attrelid
            AND d.refobjsubid = col.attnum
    )
    SELECT format('table %s: you must own it, too, or take it out with NO INHERIT or DETACH PARTITION', oid::regclass)
    FROM tree WHERE NOT pg_has_role(relowner, 'USAGE')
    UNION ALL
    SELECT format('foreign table %s: take it out with NO INHERIT or DETACH PARTITION', oid::regclass)
    FROM tree WHERE relkind = 'f'
    UNION ALL
    SELECT format('column "%s" of table %s: it is inherited from another table, too; end that with NO INHERIT', attname,
        attrelid::regclass)
    FROM col
    WHERE attinhcount > (SELECT count(*) FROM pg_inherits i WHERE i.inhrelid = attrelid
        AND EXISTS (SELECT FROM col p WHERE p.attrelid = i.inhparent AND p.attname = col.attname))
    UNION ALL
    SELECT CASE WHEN attgenerated <> ''
        THEN format('generated column "%s": make it an ordinary one with DROP EXPRESSION', attname)
        ELSE format('identity column "%s": make it an ordinary one with DROP IDENTITY', attname) END
    FROM col WHERE (attgenerated <> '' OR attidentity <> '') AND attrelid = "table"
    UNION ALL
    SELECT format('generated column "%s" of table %s: drop it; it would have to open values', a.attname,
        a.attrelid::regclass)
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
    WHERE a.attrelid = "table" AND EXISTS (SELECT FROM col WHERE col.attrelid = a.attrelid
        AND col.attnum = ANY (@extschema@.envcrypt_expression_columns(d.adbin, true)))
    UNION ALL
    SELECT DISTINCT CASE WHEN k.oid IS NULL THEN format('index %s', x.indexrelid::regclass)
        ELSE format('constraint "%s" of table %s', k.conname, k.conrelid::regclass) END
        || ': drop it; equal values are stored as different bytes'
    FROM pg_index x JOIN col ON col.attrelid = x.indrelid
    LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x')
    WHERE NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = x.indexrelid)
        AND (col.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1])
            OR ARRAY[0, col.attnum]::int2[] && (@extschema@.envcrypt_expression_columns(x.indexprs, false)
                || @extschema@.envcrypt_expression_columns(x.indpred, false)))
    UNION ALL
    SELECT DISTINCT format('foreign key "%s" of table %s: drop it; it would compare sealed values', k.conname,
        k.conrelid::regclass)
    FROM pg_constraint k JOIN col ON k.conrelid = col.attrelid AND col.attnum = ANY (k.conkey)
        OR k.confrelid = col.attrelid AND col.attnum = ANY (k.confkey)
    WHERE k.contype = 'f' AND k.conparentid = 0
    UNION ALL
    SELECT DISTINCT CASE WHEN w.ev_class IN (SELECT oid FROM tree)
        THEN format('rule "%s" of table %s: drop it and create it again afterwards', w.rulename, w.ev_class::regclass)
        ELSE format('%s %s: drop it and create it again afterwards',
            CASE v.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, w.ev_class::regclass) END
    FROM dependent d JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
    JOIN pg_class v ON v.oid = w.ev_class
    UNION ALL
    SELECT DISTINCT format('function %s: drop it and create it again afterwards', d.objid::regprocedure)
    FROM dependent d WHERE d.classid = 'pg_proc'::regclass
    UNION ALL
    SELECT DISTINCT format('statistics %I.%I: drop them; they would hold values in clear', n.nspname, s.stxname)
    FROM pg_statistic_ext s JOIN col ON col.attrelid = s.stxrelid JOIN pg_namespace n ON n.oid = s.stxnamespace
    WHERE ARRAY[0, col.attnum]::int2[] && @extschema@.envcrypt_expression_columns(s.stxexprs, false)
    UNION ALL
    SELECT DISTINCT format('partition key of table %s: partition by another column; sealed bytes differ each time',
        col.attrelid::regclass)
    FROM pg_partitioned_table p JOIN col ON col.attrelid = p.partrelid
    WHERE col.attnum = ANY (p.partattrs::int2[])
        OR ARRAY[0, col.attnum]::int2[] && @extschema@.envcrypt_expression_columns(p.partexprs, true)
    UNION ALL
    SELECT DISTINCT format('publication "%s", in its row filter or column list of table %s: take the column out of it',
        b.pubname, r.prrelid::regclass)
    FROM pg_publication_rel r JOIN col ON col.attrelid = r.prrelid JOIN pg_publication b ON b.oid = r.prpubid
    WHERE col.attnum = ANY (r.prattrs::int2[])
        OR col.attnum = ANY (@extschema@.envcrypt_expression_columns(r.prqual, true))
    UNION ALL
    SELECT format('column "%s" of table %s: it is of the table''s row type', a.attname, a.attrelid::regclass)
    FROM tree t JOIN pg_type y ON y.oid = t.reltype
    JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = ANY (ARRAY[y.oid, y.typarray])
        AND d.classid = 'pg_class'::regclass AND d.objsubid > 0
    JOIN pg_attribute a ON a.attrelid = d.objid AND a.attnum = d.objsubid AND a.atttypid IN (y.oid, y.typarray)
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm', 'f') WHERE NOT a.attisdropped
    UNION ALL
    SELECT DISTINCT format('policy "%s" of table %s: its owner must drop it, and create it again afterwards', p.polname,
        p.polrelid::regclass)
    FROM dependent d JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
    JOIN pg_class c ON c.oid = p.polrelid WHERE NOT pg_has_role(c.relowner, 'USAGE')
    UNION ALL
    SELECT DISTINCT format('protected column "%s" of table %s: "%s" is its owner column; unprotect it', a.attname,
        t.relid::regclass, col.attname)
    FROM @extschema@.envcrypt_owner_triggers t JOIN col ON col.attrelid = t.relid AND col.attnum = t.owner_number
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attnum = t.column_number
    WHERE t.relid = "table"
    UNION ALL
    SELECT format('trigger "%s" of table %s: rename it; by its name, it would fire after envcrypt''s', g.tgname,
        g.tgrelid::regclass)
    FROM pg_trigger g JOIN tree t ON t.oid = g.tgrelid
    WHERE g.tgtype & 3 = 3 AND g.tgtype & 20 <> 0 AND g.tgname COLLATE "C" > '~envcrypt_' AND g.tgparentid = 0
        AND NOT g.tgisinternal AND g.tgfoid NOT IN ('@extschema@.envcrypt_owner_trigger()'::regprocedure,
            '@extschema@.envcrypt_shadow_trigger()'::regprocedure)
$$;
COMMENT ON FUNCTION envcrypt_obstacles(regclass, name[]) IS
    'envcrypt: what must go before columns can be changed, and how';

CREATE FUNCTION envcrypt_refuse_obstacles("table" regclass, columns name[]) RETURNS void
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    obstacles text;
    checks text;
BEGIN
    SELECT string_agg(o, E'\n' ORDER BY o COLLATE "C") INTO obstacles
    FROM @extschema@.envcrypt_obstacles("table", columns) o;
    IF obstacles IS NOT NULL THEN
        RAISE 'cannot change % of table % because of what depends on %',
            (SELECT string_agg(format('column "%s"', c), ', ') FROM unnest(columns) c), "table",
            CASE cardinality(columns) WHEN 1 THEN 'it' ELSE 'them' END
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = obstacles,
            HINT = 'Do what is said of each and try again. Nothing has been changed.';
    END IF;
    SELECT string_agg(DISTINCT format('"%s"', name), ', ') INTO checks
    FROM @extschema@.envcrypt_checks("table", columns);
    IF checks IS NULL THEN
        RETURN;
    END IF;
    BEGIN
        PERFORM @extschema@.envcrypt_require_right('open');
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE 'permission denied to open encrypted values, which check constraints need'
            USING ERRCODE = 'insufficient_privilege',
            DETAIL = format('Check constraints of table %s: %s.', "table", checks),
            HINT = 'Grant envcrypt_decrypt to this role and to all that write these columns, or drop the constraints.';
    END;
END $$;
COMMENT ON FUNCTION envcrypt_refuse_obstacles(regclass, name[]) IS 'envcrypt: one error for all that stands in the way';

-- `columns` of a table are opened by a cast, which PostgreSQL shows where it is an operator's argument, as in
-- (new.salary)::numeric > 0. Without it:
CREATE FUNCTION envcrypt_plain_expression(expression pg_catalog.pg_node_tree, relation oid, "table" oid, columns name[])
    RETURNS text LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_plain_expression(pg_catalog.pg_node_tree, oid, oid, name[]) IS
    'envcrypt: pg_get_expr() without the casts that open columns of a table';

CREATE FUNCTION envcrypt_plain_trigger(trigger oid, "table" oid, columns name[]) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_plain_trigger(oid, oid, name[]) IS
    'envcrypt: pg_get_triggerdef() without the casts that open columns of a table';

-- Finds the check constraints that read columns, not only ask whether they are null. Those that were valid until
-- another column of theirs was protected count as valid.
CREATE FUNCTION envcrypt_checks("table" regclass, columns name[], OUT oid oid, OUT name name, OUT valid boolean)
RETURNS SETOF record LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT k.oid, k.conname, k.convalidated OR EXISTS (SELECT FROM @extschema@.envcrypt_owner_triggers g
        WHERE g.relid = "table" AND k.conname = ANY (g.valid_checks))
    FROM @extschema@.envcrypt_tree("table") t
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns)
    JOIN pg_constraint k ON k.conrelid = t.relid AND k.contype = 'c'
        AND ARRAY[0, a.attnum]::int2[] && @extschema@.envcrypt_expression_columns(k.conbin, false)
$$;
COMMENT ON FUNCTION envcrypt_checks(regclass, name[]) IS 'envcrypt: check constraints that read columns';

-- What names columns and has to be made again when they change their type, or when others take their place: the
-- statements that take it down, and those that put it back, in order. The tables are locked. `opened`: columns that are
-- opened.

-- `valid`: of the check constraints, those that were validated before the columns were protected; null to protect them.
CREATE FUNCTION envcrypt_checks_again("table" regclass, columns name[], opened name[], valid text[],
    OUT drops text[], OUT puts text[])
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp SET envcrypt.io = plaintext AS $$
DECLARE
    item record;
BEGIN
    drops := '{}';
    puts := '{}';
    -- Check constraints. While they read sealed values they are NOT VALID: all rows have been checked, but pg_dump
    -- writes such a constraint after the data, so that loading a dump opens nothing. And where a column gets its type
    -- modifier back, a cast that the sealed column needed would stay.
    FOR item IN
        SELECT k.oid, k.conname, k.conislocal, t.relid::regclass AS rel, pg_get_constraintdef(k.oid) AS old,
            format('CHECK (%s)',
                @extschema@.envcrypt_plain_expression(k.conbin, k.conrelid, "table"::oid, opened)) AS new,
            substr(pg_get_constraintdef(k.oid), 1 + length(format('CHECK (%s)', pg_get_expr(k.conbin, k.conrelid))))
                AS words,
            obj_description(k.oid, 'pg_constraint') AS comment,
            EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.relid AND a.attnum = ANY (k.conkey)
                AND a.attname <> ALL (columns)
                AND @extschema@.envcrypt_base_type(a.atttypid::regtype) IS NOT NULL) AS stays_sealed
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_constraint k ON k.conrelid = t.relid AND k.contype = 'c'
        WHERE EXISTS (SELECT FROM @extschema@.envcrypt_checks("table", columns) c WHERE c.oid = k.oid)
        ORDER BY t.level, k.conname COLLATE "C"
    LOOP
        IF valid IS NULL THEN
            item.words := replace(item.words, ' NOT VALID', '') || ' NOT VALID';
        ELSIF item.conname = ANY (valid) AND item.stays_sealed THEN
            RAISE NOTICE 'check constraint "%" of table % stays NOT VALID', item.conname, item.rel
                USING DETAIL = 'It also reads a column that stays encrypted.';
        ELSIF item.conname = ANY (valid) THEN
            item.words := replace(item.words, ' NOT VALID', '');
        END IF;
        item.new := item.new || item.words;
        CONTINUE WHEN item.old = item.new;
        IF item.conislocal THEN
            drops := drops || format('ALTER TABLE %s DROP CONSTRAINT %I', item.rel, item.conname);
            puts := puts || format('ALTER TABLE %s ADD CONSTRAINT %I %s', item.rel, item.conname, item.new);
        END IF;
        IF item.comment IS NOT NULL THEN
            puts := puts || format('COMMENT ON CONSTRAINT %I ON %s IS %L', item.conname, item.rel, item.comment);
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_checks_again(regclass, name[], name[], text[]) IS
    'envcrypt: statements that drop the check constraints that read columns, and make them again';

-- `dropped`: the columns are dropped, and others take their place.
CREATE FUNCTION envcrypt_dependents_again("table" regclass, columns name[], opened name[], dropped boolean,
    OUT drops text[], OUT puts text[])
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET envcrypt.io = plaintext AS $$
DECLARE
    item record;
    part record;
BEGIN
    drops := '{}';
    puts := '{}';
    -- Policies, also other tables', and triggers that mention a column: PostgreSQL would refuse.
    FOR item IN
        SELECT DISTINCT p.polrelid
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns)
        JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.refclassid = 'pg_class'::regclass
            AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
        JOIN pg_policy p ON p.oid = d.objid
        WHERE p.polrelid NOT IN (SELECT relid FROM @extschema@.envcrypt_tree("table"))
        ORDER BY p.polrelid
    LOOP
        PERFORM @extschema@.envcrypt_lock_relation(item.polrelid, 'AccessExclusiveLock'::text, false);
    END LOOP;
    FOR item IN
        SELECT p.polname, p.polrelid::regclass AS rel,
            CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END AS kind,
            CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                ELSE 'ALL' END AS command,
            (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ')
                FROM unnest(p.polroles) r) AS roles,
            @extschema@.envcrypt_plain_expression(p.polqual, p.polrelid, "table"::oid, opened) AS qual,
            @extschema@.envcrypt_plain_expression(p.polwithcheck, p.polrelid, "table"::oid, opened) AS with_check,
            obj_description(p.oid, 'pg_policy') AS comment
        FROM pg_policy p
        WHERE p.oid IN (SELECT d.objid FROM @extschema@.envcrypt_tree("table") t
            JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns)
            JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.refclassid = 'pg_class'::regclass
                AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum)
        ORDER BY p.oid
    LOOP
        drops := drops || format('DROP POLICY %I ON %s', item.polname, item.rel);
        puts := puts || (format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', item.polname, item.rel, item.kind,
            item.command, item.roles) || coalesce(' USING (' || item.qual || ')', '')
            || coalesce(' WITH CHECK (' || item.with_check || ')', ''));
        IF item.comment IS NOT NULL THEN
            puts := puts || format('COMMENT ON POLICY %I ON %s IS %L', item.polname, item.rel, item.comment);
        END IF;
    END LOOP;
    FOR item IN
        SELECT g.oid, g.tgname, g.tgrelid::regclass AS rel,
            @extschema@.envcrypt_plain_trigger(g.oid, "table"::oid, opened) AS definition
        FROM pg_trigger g
        WHERE g.tgparentid = 0 AND NOT g.tgisinternal
            AND g.tgfoid NOT IN ('@extschema@.envcrypt_owner_trigger()'::regprocedure,
                '@extschema@.envcrypt_shadow_trigger()'::regprocedure)
            AND g.oid IN (SELECT d.objid FROM @extschema@.envcrypt_tree("table") t
            JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns)
            JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.refclassid = 'pg_class'::regclass
                AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum)
        ORDER BY g.oid
    LOOP
        drops := drops || format('DROP TRIGGER %I ON %s', item.tgname, item.rel);
        puts := puts || item.definition;
        -- Itself first, then its copies in partitions.
        FOR part IN
            WITH RECURSIVE same (oid, level) AS (
                SELECT item.oid, 0
                UNION ALL SELECT c.oid, s.level + 1 FROM same s JOIN pg_trigger c ON c.tgparentid = s.oid
            )
            SELECT g.oid, g.tgname, g.tgrelid::regclass AS rel, obj_description(g.oid, 'pg_trigger') AS comment,
                CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS'
                    ELSE 'ENABLE' END AS state
            FROM same s JOIN pg_trigger g ON g.oid = s.oid ORDER BY s.level, g.oid
        LOOP
            puts := puts || format('ALTER TABLE %s %s TRIGGER %I', part.rel, part.state, part.tgname);
            IF part.comment IS NOT NULL THEN
                puts := puts || format('COMMENT ON TRIGGER %I ON %s IS %L', part.tgname, part.rel, part.comment);
            END IF;
            puts := puts || ARRAY(
                SELECT format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION %I', part.tgname, part.rel, e.extname)
                FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
                WHERE d.classid = 'pg_trigger'::regclass AND d.objid = part.oid AND d.deptype = 'x' ORDER BY e.extname);
        END LOOP;
    END LOOP;

    -- Extended statistics go with a column that is dropped; where it changes its type, PostgreSQL rebuilds them, but
    -- for target and owner.
    FOR item IN
        SELECT DISTINCT s.oid, s.stxname, n.nspname, s.stxstattarget AS target, s.stxowner AS owner,
            pg_get_statisticsobjdef(s.oid) AS definition, obj_description(s.oid, 'pg_statistic_ext') AS comment
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns)
        JOIN pg_statistic_ext s ON s.stxrelid = t.relid AND a.attnum = ANY (s.stxkeys::int2[])
        JOIN pg_namespace n ON n.oid = s.stxnamespace ORDER BY s.oid
    LOOP
        IF dropped THEN
            puts := puts || item.definition;
            IF item.comment IS NOT NULL THEN
                puts := puts || format('COMMENT ON STATISTICS %I.%I IS %L', item.nspname, item.stxname, item.comment);
            END IF;
        END IF;
        IF item.target >= 0 THEN
            puts := puts || format('ALTER STATISTICS %I.%I SET STATISTICS %s', item.nspname, item.stxname, item.target);
        END IF;
        IF pg_get_userbyid(item.owner) <> current_user THEN
            puts := puts || format('ALTER STATISTICS %I.%I OWNER TO %I', item.nspname, item.stxname,
                pg_get_userbyid(item.owner));
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_dependents_again(regclass, name[], name[], boolean) IS
    'envcrypt: statements that drop policies, triggers and statistics that name columns, and make them again';

CREATE FUNCTION envcrypt_drop_dependents("table" regclass, columns name[], opened name[], valid text[])
RETURNS text[] LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET envcrypt.io = plaintext AS $$
DECLARE
    item record;
    drops text[] := '{}';
    puts text[] := '{}';  -- what is to be run afterwards, in this order
    checks record;
    dependents record;
BEGIN
    -- Defaults, which children may have of their own. What was written as a literal has been sealed.
    FOR item IN
        SELECT a.attrelid::regclass AS rel, a.attname, pg_get_expr(d.adbin, d.adrelid) AS expression,
            @extschema@.envcrypt_base_type(a.atttypid::regtype) AS base, '::' || format_type(a.atttypid, NULL) AS suffix
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns) AND a.attgenerated = ''
        JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        ORDER BY t.level, t.relid, a.attnum
    LOOP
        IF item.base IS NOT NULL AND right(item.expression, length(item.suffix)) = item.suffix THEN
            item.expression := left(item.expression, -length(item.suffix)) || '::' || format_type(item.base, NULL);
        END IF;
        drops := drops || format('ALTER TABLE ONLY %s ALTER COLUMN %I DROP DEFAULT', item.rel, item.attname);
        puts := puts || format('ALTER TABLE ONLY %s ALTER COLUMN %I SET DEFAULT %s', item.rel, item.attname,
            item.expression);
    END LOOP;

    checks := @extschema@.envcrypt_checks_again("table", columns, opened, valid);
    dependents := @extschema@.envcrypt_dependents_again("table", columns, opened, false);
    PERFORM @extschema@.envcrypt_run(drops || checks.drops || dependents.drops);
    RETURN puts || checks.puts || dependents.puts;
END $$;
COMMENT ON FUNCTION envcrypt_drop_dependents(regclass, name[], name[], text[]) IS
    'envcrypt: drops what would keep columns from changing their type, and returns the statements that put it back';
