-- Defines operators `names` for a pair of types, as those of their base types. Where they are comparisons, they become
-- members of a btree operator family, through which PostgreSQL understands (a, b) < (c, d); values are compared there
-- as `compared_as` by `comparison`.

CREATE FUNCTION envcrypt_define_operators(names text[], left_type regtype, left_base regtype, right_type regtype,
    right_base regtype, family name, comparison text, compared_as regtype) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    schema CONSTANT text := '@extschema@.';
    words CONSTANT jsonb := '{"=": "equal", "<>": "unequal", "<": "less", "<=": "less_or_equal", ">": "greater",
        ">=": "greater_or_equal", "+": "plus", "-": "minus", "*": "times", "/": "divided_by", "^": "power",
        "%": "modulo", "||": "concatenated", "@>": "contains", "<@": "contained", "&&": "overlaps", "<<": "left_of",
        ">>": "right_of", "&<": "not_right_of", "&>": "not_left_of", "-|-": "adjacent"}';
    pair CONSTANT text := format('(%s, %s)', left_type, right_type);
    name text;
    function text;
    result text;
    plain CONSTANT regtype[] := ARRAY(
        WITH RECURSIVE under (n, oid, below) AS (
            SELECT n, b.type::oid, typbasetype FROM unnest(ARRAY[left_base, right_base]) WITH ORDINALITY AS b (type, n)
            JOIN pg_type t ON t.oid = b.type
            UNION ALL SELECT n, t.oid, t.typbasetype FROM under u JOIN pg_type t ON t.oid = u.below
        )
        SELECT oid FROM under WHERE below = 0 ORDER BY n);  -- what domains are over: their checks are not run here
BEGIN
    FOREACH name IN ARRAY names LOOP
        function := schema || 'envcrypt_' || (words ->> name);
        EXECUTE format('SELECT pg_typeof(NULL::%s %s NULL::%s)', plain[1], name, plain[2]) INTO result;
        EXECUTE format('CREATE FUNCTION %s%s RETURNS %s LANGUAGE sql STABLE STRICT PARALLEL SAFE '
            'RETURN $1::%s OPERATOR(pg_catalog.%s) $2::%s', function, pair, result, left_base, name, right_base);
        EXECUTE format('COMMENT ON FUNCTION %s%s IS ''implementation of %s operator''', function, pair, name);
        -- (a, b) <> (c, d) is understood through the operator's negator.
        EXECUTE format('CREATE OPERATOR %s%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s%s)', schema, name, left_type,
            right_type, function, CASE WHEN name IN ('=', '<>') AND names @> '{=,<>}'
                THEN format(', NEGATOR = OPERATOR(%s%s)', schema,
                    CASE name WHEN '=' THEN '<>' ELSE '=' END) ELSE '' END);
        EXECUTE format('COMMENT ON OPERATOR %s%s %s IS ''of what was sealed''', schema, name, pair);
    END LOOP;
    IF names @> '{<,<=,=,>=,>}' THEN
        function := schema || 'envcrypt_comparison';
        EXECUTE format('CREATE FUNCTION %s%s RETURNS integer LANGUAGE sql STABLE STRICT PARALLEL SAFE '
            'RETURN pg_catalog.%I($1::%s::%s, $2::%s::%s)', function, pair, comparison, left_base,
            compared_as, right_base, compared_as);
        EXECUTE format('COMMENT ON FUNCTION %s%s IS ''less-equal-greater''', function, pair);
        EXECUTE format('ALTER OPERATOR FAMILY %s%I USING btree ADD OPERATOR 1 %s< %s, OPERATOR 2 %s<= %s, '
            'OPERATOR 3 %s= %s, OPERATOR 4 %s>= %s, OPERATOR 5 %s> %s, FUNCTION 1 %s %s%s', schema, family,
            schema, pair, schema, pair, schema, pair, schema, pair, schema, pair, pair, function, pair);
    END IF;
END
$$;
COMMENT ON FUNCTION envcrypt_define_operators(text[], regtype, regtype, regtype, regtype, name, text, regtype) IS
    'envcrypt: operators that the implicit cast to the base type does not reach';
REVOKE ALL ON FUNCTION envcrypt_define_operators(text[], regtype, regtype, regtype, regtype, name, text, regtype)
    FROM PUBLIC;
