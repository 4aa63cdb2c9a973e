-- Protecting and unprotecting. All of this runs as the caller, who owns the table. Nothing is found by the caller's
-- search path, and no text from a catalog gets into a statement but PostgreSQL's own renderings.

CREATE FUNCTION envcrypt_require_right("right" text) RETURNS void
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_require_right(text) IS
    'envcrypt: insufficient_privilege without the right to seal or open';

CREATE FUNCTION envcrypt_base_type(sealed regtype) RETURNS regtype
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.prorettype::regtype
    FROM pg_type t
    JOIN pg_proc i ON i.oid = t.typinput AND i.prosrc = 'envcrypt_type_in'
    JOIN pg_language l ON l.oid = i.prolang AND l.lanname = 'c'
    JOIN pg_proc o ON o.prolang = l.oid AND o.prosrc = 'envcrypt_open' AND o.proname = 'envcrypt_open'
        AND o.pronargs = 1
        AND o.proargtypes[0] = t.oid
    WHERE t.oid = sealed
$$;
COMMENT ON FUNCTION envcrypt_base_type(regtype) IS 'envcrypt: what an encrypted type seals; null for any other type';

CREATE FUNCTION envcrypt_encrypted_type(base oid) RETURNS regtype
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.proargtypes[0]::regtype
    FROM pg_proc o
    JOIN pg_language l ON l.oid = o.prolang AND l.lanname = 'c'
    WHERE o.prosrc = 'envcrypt_open' AND o.proname = 'envcrypt_open' AND o.pronargs = 1
        AND o.prorettype = CASE base WHEN 'varchar'::regtype::oid THEN 'text'::regtype::oid ELSE base END
        AND @extschema@.envcrypt_base_type(o.proargtypes[0]::regtype) = o.prorettype
    LIMIT 1
$$;
COMMENT ON FUNCTION envcrypt_encrypted_type(oid) IS 'envcrypt: the encrypted type that seals a type; null if none does';

CREATE FUNCTION envcrypt_ultimate_type(type oid) RETURNS regtype
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE under (oid, below) AS (
        SELECT oid, typbasetype FROM pg_type WHERE oid = type
        UNION ALL SELECT t.oid, t.typbasetype FROM under u JOIN pg_type t ON t.oid = u.below
    )
    SELECT oid::regtype FROM under WHERE below = 0
$$;
COMMENT ON FUNCTION envcrypt_ultimate_type(oid) IS 'envcrypt: what a domain is over; any other type itself';

-- One name for all values that SQL takes for equal (src/keys/owner_type.h). A function for each type, of which all
-- calls are exact matches.
CREATE FUNCTION envcrypt_owner_name(value text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value varchar) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value bpchar) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value name) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value smallint) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value integer) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value bigint) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value oid) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value numeric) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value uuid) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_owner_name(text) IS
    'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(varchar) IS
    'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(bpchar) IS
    'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(name) IS
    'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(smallint) IS
    'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(integer) IS
    'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(bigint) IS
    'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(oid) IS 'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(numeric) IS
    'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(uuid) IS
    'envcrypt: the name of the owner that a value of an owner column means';

CREATE FUNCTION envcrypt_folded_owner_name(value text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_folded_owner_name(text) IS 'envcrypt: the same for a value of type citext';

CREATE FUNCTION envcrypt_owner_text("table" oid, number smallint, expression text) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_owner_text(oid, smallint, text) IS
    'envcrypt: an SQL expression of the name of a column''s owner, or an error for a column that can name none';

CREATE FUNCTION envcrypt_tree("table" regclass, OUT relid regclass, OUT level integer) RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE tree (relid, level) AS (
        SELECT "table"::oid, 0
        UNION SELECT i.inhrelid, t.level + 1 FROM tree t JOIN pg_inherits i ON i.inhparent = t.relid
    )
    SELECT t.relid::regclass, max(t.level) FROM tree t GROUP BY t.relid
$$;
COMMENT ON FUNCTION envcrypt_tree(regclass) IS 'envcrypt: a table, its partitions and those that inherit from it';

SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

CREATE VIEW @extschema@.envcrypt_columns AS
WITH RECURSIVE sealed (type) AS (
    SELECT t.oid FROM pg_type t
    JOIN pg_proc i ON i.oid = t.typinput AND i.prosrc = 'envcrypt_type_in'
    JOIN pg_language l ON l.oid = i.prolang AND l.lanname = 'c'
    UNION ALL SELECT d.oid FROM sealed s JOIN pg_type d ON d.typbasetype = s.type
)
SELECT c.oid::regclass AS "table", a.attname AS "column", format_type(a.atttypid, a.atttypmod) AS type,
    o.attname AS owner_column,
    CASE WHEN p.trigger IS NULL THEN 'unprotected' WHEN p.enabled IN ('D', 'R') THEN 'disabled'
        WHEN p.owner_number IS NULL THEN 'database key' ELSE 'owner' END AS protection,
    p.context_id, p.null_owner, p.original_type,
    CASE WHEN c.reltuples >= 0 THEN (c.reltuples * (1 - st.null_frac))::bigint END AS rows,
    CASE WHEN c.reltuples >= 0 THEN (c.reltuples * (1 - st.null_frac) * st.avg_width)::bigint END AS bytes
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm', 'f')
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT * FROM @extschema@.envcrypt_owner_triggers t WHERE t.relid = c.oid AND t.column_number = a.attnum
    ORDER BY t.name DESC LIMIT 1
) AS p ON true
LEFT JOIN pg_attribute o ON o.attrelid = c.oid AND o.attnum = p.owner_number
LEFT JOIN pg_stats st ON st.schemaname = n.nspname AND st.tablename = c.relname AND st.attname = a.attname
    AND st.inherited = (c.relkind = 'p')
-- IN: a join's estimate makes PostgreSQL compile the query for seconds.
WHERE a.atttypid IN (SELECT s.type FROM sealed s) AND a.attnum > 0 AND NOT a.attisdropped;
COMMENT ON VIEW @extschema@.envcrypt_columns IS
    'every encrypted column of this database, how it is protected, and estimates of its values and their bytes';
GRANT SELECT ON @extschema@.envcrypt_columns TO PUBLIC;

SELECT pg_catalog.set_config('search_path', '@extschema@, pg_temp', true);
