-- Verification. Faults are counted where the rows are scanned, in parallel workers, too; a few places are kept of each.

CREATE FUNCTION envcrypt_add_tid(places tid[], place tid) RETURNS tid[]
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    RETURN CASE WHEN place IS NULL OR pg_catalog.cardinality(places) OPERATOR(pg_catalog.>=) 100 THEN places
        ELSE pg_catalog.array_append(places, place) END;
COMMENT ON FUNCTION envcrypt_add_tid(tid[], tid) IS 'envcrypt: transition of envcrypt_some_tids()';
CREATE FUNCTION envcrypt_join_tids(places tid[], others tid[]) RETURNS tid[]
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    RETURN (pg_catalog.array_cat(places, others))[1:100];
COMMENT ON FUNCTION envcrypt_join_tids(tid[], tid[]) IS 'envcrypt: combination of envcrypt_some_tids()';
CREATE AGGREGATE envcrypt_some_tids(tid) (SFUNC = envcrypt_add_tid, STYPE = tid[], INITCOND = '{}',
    COMBINEFUNC = envcrypt_join_tids, PARALLEL = SAFE);
COMMENT ON AGGREGATE envcrypt_some_tids(tid) IS 'envcrypt: at most 100 of many places';

-- What is to be asked of each encrypted column of a table, with the triggers of all its partitions and children:
-- `fault` is an SQL expression over alias t, null for a null value and '' for a good one.
CREATE FUNCTION envcrypt_column_checks("table" regclass, OUT "column" name, OUT fault text) RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    WITH tree AS MATERIALIZED (
        SELECT t.relid FROM @extschema@.envcrypt_tree("table") AS t
    ), sealed AS (
        SELECT p.proargtypes[0] AS type FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname = 'c'
        WHERE p.proname = 'envcrypt_check' AND p.pronamespace = '@extschema@'::regnamespace
            AND p.prosrc = 'envcrypt_check_value'
    ), attributes AS MATERIALIZED (  -- domains count as what they are over; no join, which may read all of pg_type
        SELECT u.attnum, u.attname, u.type, (SELECT CASE WHEN t.typelem <> 0
            THEN @extschema@.envcrypt_ultimate_type(t.typelem)::oid END
            FROM pg_type AS t WHERE t.oid = u.type) AS element
        FROM (SELECT a.attnum, a.attname, @extschema@.envcrypt_ultimate_type(a.atttypid)::oid AS type
            FROM pg_attribute AS a
            WHERE a.attrelid = "table" AND a.attnum > 0 AND NOT a.attisdropped) AS u
    ), columns AS (
        SELECT attnum, attname, false AS is_array, type::regtype AS sealed_type FROM attributes
        WHERE type IN (SELECT type FROM sealed)
        UNION ALL SELECT attnum, attname, true, element::regtype FROM attributes
        WHERE element IN (SELECT type FROM sealed) AND type NOT IN (SELECT type FROM sealed)
    ), bindings AS (
        SELECT t.relid, v.attname AS value_name, o.attname AS owner_name, o.attnum AS owner_number, t.context_id
        FROM @extschema@.envcrypt_triggers AS t
        JOIN tree ON tree.relid = t.relid
        JOIN pg_attribute AS v ON v.attrelid = t.relid AND v.attnum = coalesce(t.shadow_number, t.column_number)
        LEFT JOIN pg_attribute AS o ON o.attrelid = t.relid AND o.attnum = t.owner_number
        WHERE t.kind IN ('owner', 'shadow')
    ), calls AS (
        SELECT c.attnum, c.attname, c.is_array, r.oid AS relid, format('@extschema@.envcrypt_check(%s::%s, %s, %s)',
            CASE WHEN c.is_array THEN 'e' ELSE format('t.%I', c.attname) END, c.sealed_type,
            CASE WHEN b.owner_name IS NULL THEN 'NULL::text'
                ELSE @extschema@.envcrypt_owner_text(b.relid, b.owner_number, format('t.%I', b.owner_name)) END,
            coalesce(b.context_id::text, 'NULL::integer')) AS call
        FROM columns AS c CROSS JOIN tree JOIN pg_class AS r ON r.oid = tree.relid AND r.relkind IN ('r', 'm')
        LEFT JOIN bindings AS b ON b.relid = r.oid AND b.value_name = c.attname
    ), choices AS (
        SELECT attnum, attname, is_array, CASE WHEN min(call) = max(call) THEN min(call)
            ELSE 'CASE t.tableoid ' || string_agg(format('WHEN %s THEN %s', relid, call), ' ')
                || ' ELSE ''attached meanwhile'' END' END AS call
        FROM calls GROUP BY attnum, attname, is_array
    )
    SELECT attname, format('CASE WHEN t.%I IS NOT NULL THEN coalesce(%s, '''') END', attname, CASE WHEN is_array
        THEN format('(SELECT pg_catalog.min(%s) FROM pg_catalog.unnest(t.%I) AS e WHERE e IS NOT NULL)', call, attname)
        ELSE call END)
    FROM choices ORDER BY attnum
$$;
COMMENT ON FUNCTION envcrypt_column_checks(regclass) IS 'envcrypt: what envcrypt_verify() asks of each column';

-- One scan for all columns. unnest() keeps the planner from evaluating a check twice.
CREATE FUNCTION envcrypt_verify_query("table" regclass, sample_percent double precision, checks text[]) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT format('SELECT t.tableoid AS place, c.n, c.fault, count(*) AS n, '
    '@extschema@.envcrypt_some_tids(t.ctid) FILTER (WHERE c.fault OPERATOR(pg_catalog.<>) '''') AS tids '
    'FROM %s AS t%s, LATERAL pg_catalog.unnest(ARRAY[%s]) WITH ORDINALITY AS c (fault, n) '
    'WHERE c.fault IS NOT NULL GROUP BY t.tableoid, c.n, c.fault', "table",
    CASE WHEN sample_percent < 100 THEN format(' TABLESAMPLE SYSTEM (%s)', sample_percent) ELSE '' END,
    array_to_string(checks, ', '))
$$;
COMMENT ON FUNCTION envcrypt_verify_query(regclass, double precision, text[]) IS
    'envcrypt: the scan of envcrypt_verify()';

CREATE FUNCTION envcrypt_verify("table" regclass, sample_percent double precision DEFAULT 100,
    max_examples integer DEFAULT 5)
RETURNS TABLE (partition regclass, "column" name, problem text, "rows" bigint, examples tid[])
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
DECLARE
    checked pg_class;
    columns name[];
    checks text[];
BEGIN
    IF "table" IS NULL OR sample_percent IS NULL OR max_examples IS NULL THEN
        RAISE 'arguments of envcrypt_verify() must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT sample_percent BETWEEN 0 AND 100 THEN
        RAISE 'sample_percent must be between 0 and 100' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT max_examples BETWEEN 0 AND 100 THEN
        RAISE 'max_examples must be between 0 and 100' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO checked FROM pg_class WHERE oid = "table";
    IF NOT FOUND THEN
        RAISE 'there is no table with OID %', "table"::oid USING ERRCODE = 'undefined_table';
    END IF;
    IF checked.relkind NOT IN ('r', 'p', 'm') THEN
        RAISE '"%" is not a table or materialized view', checked.relname USING ERRCODE = 'wrong_object_type';
    END IF;
    IF NOT has_table_privilege("table", 'SELECT') THEN
        RAISE 'permission denied for table %', checked.relname USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- the right to open
    PERFORM @extschema@.envcrypt_check(NULL::@extschema@.encrypted_text, NULL::text, NULL::integer);
    PERFORM @extschema@.envcrypt_lock_relation("table"::oid, 'AccessShareLock'::text, true);
    SELECT array_agg(c."column"), array_agg(c.fault) INTO columns, checks
    FROM @extschema@.envcrypt_column_checks("table") AS c;
    IF columns IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY WITH found AS MATERIALIZED (
        SELECT f.* FROM @extschema@.envcrypt_query_table("table"::oid,
            @extschema@.envcrypt_verify_query("table", sample_percent, checks))
            AS f (place oid, n bigint, fault text, n_rows bigint, tids tid[])
    )
    SELECT NULL::regclass, columns[s.n], NULL::text, coalesce(sum(found.n_rows), 0)::bigint, NULL::tid[]
    FROM generate_subscripts(columns, 1) AS s (n) LEFT JOIN found ON found.n = s.n GROUP BY s.n
    UNION ALL
    SELECT NULLIF(found.place, "table"::oid)::regclass, columns[found.n::integer], found.fault, found.n_rows,
        found.tids[1:max_examples]
    FROM found WHERE found.fault <> ''
    ORDER BY 2, 3 NULLS FIRST, 1;
END $$;
COMMENT ON FUNCTION envcrypt_verify(regclass, double precision, integer) IS
    'opens every value of a table''s encrypted columns, or of a sample: how many, '
    'and what is wrong with how many and where';
