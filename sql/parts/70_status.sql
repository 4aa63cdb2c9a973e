-- Status.

-- What envcrypt_status() says of columns. A partition, or a table that inherits, is named only where it differs from
-- its parent.
CREATE FUNCTION envcrypt_column_report(OUT "check" text, OUT state text, OUT detail text, OUT advice text)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    (SELECT 'protected column', 'error', format('Trigger "%s" of table %s, which protects column "%s", is %s.', t.name,
            t.relid::regclass, a.attname, CASE t.enabled WHEN 'D' THEN 'disabled' ELSE 'not enabled always' END),
        format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I; then envcrypt_verify() finds what was written meanwhile.',
            t.relid::regclass, t.name)
    FROM @extschema@.envcrypt_triggers t
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attnum = t.column_number
    WHERE t.kind IN ('owner', 'shadow') AND t.enabled <> 'A'
    ORDER BY t.relid::regclass::text COLLATE "C", t.name COLLATE "C")
    UNION ALL
    (SELECT 'managed owners', 'error', format('Trigger "%s" of table %s, whose rows are owners, is %s.', t.name,
            t.relid::regclass, CASE t.enabled WHEN 'D' THEN 'disabled' ELSE 'not enabled always' END),
        format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I; '
            'then call envcrypt_manage_owners() again for users from meanwhile.',
            t.relid::regclass, t.name)
    FROM @extschema@.envcrypt_triggers t
    WHERE t.kind = 'users' AND t.enabled <> 'A'
    ORDER BY t.relid::regclass::text COLLATE "C", t.name COLLATE "C")
    UNION ALL
    (SELECT 'managed owners', CASE WHEN m.makes AND m.destroys THEN 'advice' ELSE 'error' END,
        format('Table %s, whose rows are owners, lacks %s.', m.relid::regclass,
            CASE WHEN NOT m.makes THEN 'the trigger that makes their keys' WHEN NOT m.destroys
                THEN 'the trigger that destroys their keys' ELSE 'a trigger for TRUNCATE' END),
        format('Call envcrypt_manage_owners(%L, %L, on_delete => %L) again.',
            coalesce(pg_partition_root(m.relid), m.relid::regclass), a.attname,
            CASE WHEN m.destroys OR m.empties THEN 'shred' ELSE 'keep' END)
    FROM (
        SELECT t.relid, max(t.column_number) AS column_number, bool_or(g.tgtype & 4 > 0) AS makes,
            bool_or(g.tgtype & 8 > 0) AS destroys, bool_or(g.tgtype & 32 > 0) AS empties
        FROM @extschema@.envcrypt_triggers t JOIN pg_trigger g ON g.oid = t.trigger
        WHERE t.kind = 'users' GROUP BY t.relid
    ) AS m
    JOIN pg_attribute a ON a.attrelid = m.relid AND a.attnum = m.column_number
    WHERE NOT m.makes OR m.destroys <> m.empties
    ORDER BY m.relid::regclass::text COLLATE "C")
    UNION ALL
    -- A trigger for TRUNCATE names no column, and is left when DROP COLUMN ... CASCADE takes the others.
    (SELECT 'managed owners', 'error',
        format('Table %s, whose rows are owners, has no column of owners any more.', m.place),
        format('SELECT envcrypt_unmanage_owners(%L); or call envcrypt_manage_owners() with another column.', m.place)
    FROM (
        SELECT DISTINCT coalesce(pg_partition_root(t.relid), t.relid::regclass) AS place
        FROM @extschema@.envcrypt_triggers t WHERE t.kind = 'users'
        GROUP BY t.relid HAVING bool_and(t.column_number IS NULL)
    ) AS m
    ORDER BY m.place::text COLLATE "C")
    UNION ALL
    (SELECT 'trigger order', 'error', format('Trigger "%s" of table %s fires after envcrypt''s "%s", by its name.',
        g.tgname, g.tgrelid::regclass, min(t.name)),
        format('ALTER TRIGGER %I ON %s RENAME TO a name that sorts before; '
            'then envcrypt_verify() finds what it has stored unbound.', g.tgname, g.tgrelid::regclass)
    FROM @extschema@.envcrypt_triggers t
    JOIN pg_trigger g ON g.tgrelid = t.relid AND g.tgname COLLATE "C" > t.name COLLATE "C" AND g.tgtype & 3 = 3
        AND g.tgtype & 20 <> 0 AND g.tgenabled <> 'D'
    WHERE t.kind IN ('owner', 'shadow') AND NOT EXISTS (SELECT FROM @extschema@.envcrypt_triggers o
        WHERE o.trigger = g.oid)
    GROUP BY g.tgname, g.tgrelid
    ORDER BY g.tgrelid::regclass::text COLLATE "C", g.tgname COLLATE "C")
    UNION ALL
    (SELECT 'unfinished protection', 'advice',
        format('envcrypt_protect_online() has begun with column "%s" of table %s and not ended.', a.attname,
            t.relid::regclass),
        'If no session is at it, CALL it again to continue, or envcrypt_protect_online_cancel().'
    FROM @extschema@.envcrypt_triggers t
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attnum = t.column_number
    WHERE t.kind = 'shadow' AND NOT EXISTS (SELECT FROM pg_inherits i
        JOIN @extschema@.envcrypt_triggers p ON p.relid = i.inhparent AND p.kind = 'shadow'
            AND p.context_id = t.context_id
        WHERE i.inhrelid = t.relid)
    ORDER BY t.relid::regclass::text COLLATE "C", a.attname COLLATE "C")
    UNION ALL
    (WITH unprotected AS MATERIALIZED (
        SELECT c."table", c."column" FROM @extschema@.envcrypt_columns c
        JOIN pg_class r ON r.oid = c."table" AND r.relkind IN ('r', 'p') AND r.relpersistence <> 't'
        JOIN pg_attribute a ON a.attrelid = r.oid AND a.attname = c."column"
        WHERE c.protection = 'unprotected' AND NOT EXISTS (SELECT FROM @extschema@.envcrypt_triggers t
            WHERE t.relid = r.oid AND t.shadow_number = a.attnum)
    )
    SELECT 'unprotected column', 'advice', format('Table %s has encrypted columns without protection: %s.', u."table",
            string_agg(format('"%s"', u."column"), ', ' ORDER BY u."column" COLLATE "C")),
        'envcrypt_protect() binds values to their columns and rows'' owners: sealed values can be moved until then.'
    FROM unprotected u
    WHERE NOT EXISTS (SELECT FROM pg_inherits i JOIN unprotected p ON p."table" = i.inhparent
        AND p."column" = u."column"
        WHERE i.inhrelid = u."table")
    GROUP BY u."table"
    ORDER BY u."table"::text COLLATE "C")
$$;
COMMENT ON FUNCTION envcrypt_column_report() IS 'envcrypt: the rows of envcrypt_status() about columns';

CREATE FUNCTION envcrypt_status(OUT "check" text, OUT state text, OUT detail text, OUT advice text)
    RETURNS SETOF record LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 20 SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_status() IS 'one row for each thing to check, with what to do where something is wrong';

REVOKE ALL ON FUNCTION envcrypt_column_report(), envcrypt_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION envcrypt_column_report(), envcrypt_status()
    TO envcrypt_keyadmin, envcrypt_encrypt, envcrypt_decrypt, envcrypt_search;
