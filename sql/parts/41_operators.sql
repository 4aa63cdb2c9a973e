-- Operators that the implicit cast does not reach.
--
-- encrypted_int8 beside numeric needs two casts in a row, which PostgreSQL does not look for. An operator for the pair
-- must never be taken for a plain pair, such as 2 * 1.5, whose integer has an implicit cast to encrypted_int8. So it is
-- defined on operand types of its own, to which numeric and double precision have implicit casts and nothing else has.
-- With an operator of its own on one side, a type needs them for integers and for itself, too, or untyped literals
-- would find two. All are SQL functions that the planner replaces with the base type's operator: joins and estimates
-- stay.

CREATE TYPE envcrypt_numeric_operand;
CREATE FUNCTION envcrypt_numeric_operand_in(cstring, oid, integer) RETURNS envcrypt_numeric_operand
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'numeric_in';
CREATE FUNCTION envcrypt_numeric_operand_out(envcrypt_numeric_operand) RETURNS cstring
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'numeric_out';
CREATE TYPE envcrypt_numeric_operand (INPUT = envcrypt_numeric_operand_in, OUTPUT = envcrypt_numeric_operand_out,
    LIKE = pg_catalog.numeric, CATEGORY = 'N');
CREATE CAST (numeric AS envcrypt_numeric_operand) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (envcrypt_numeric_operand AS numeric) WITHOUT FUNCTION AS IMPLICIT;

CREATE TYPE envcrypt_float8_operand;
CREATE FUNCTION envcrypt_float8_operand_in(cstring) RETURNS envcrypt_float8_operand
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'float8in';
CREATE FUNCTION envcrypt_float8_operand_out(envcrypt_float8_operand) RETURNS cstring
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'float8out';
CREATE TYPE envcrypt_float8_operand (INPUT = envcrypt_float8_operand_in, OUTPUT = envcrypt_float8_operand_out,
    LIKE = pg_catalog.float8, CATEGORY = 'N');
CREATE FUNCTION envcrypt_float8_operand(real) RETURNS envcrypt_float8_operand
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'ftod';
CREATE CAST (float8 AS envcrypt_float8_operand) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (real AS envcrypt_float8_operand) WITH FUNCTION envcrypt_float8_operand(real) AS IMPLICIT;
CREATE FUNCTION envcrypt_float8_operand(bigint) RETURNS envcrypt_float8_operand
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'i8tod';
CREATE CAST (bigint AS envcrypt_float8_operand) WITH FUNCTION envcrypt_float8_operand(bigint) AS IMPLICIT;
CREATE CAST (envcrypt_float8_operand AS float8) WITHOUT FUNCTION AS IMPLICIT;
CREATE FUNCTION envcrypt_open_operand(encrypted_float8) RETURNS envcrypt_float8_operand
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'envcrypt_open';
CREATE CAST (encrypted_float8 AS envcrypt_float8_operand)
    WITH FUNCTION envcrypt_open_operand(encrypted_float8) AS IMPLICIT;

-- What encrypted_int8 alone is taken for, in functions that exist of numeric only: div(numeric, numeric) of plain
-- integers would be ambiguous beside div(encrypted_int8, encrypted_int8).
CREATE TYPE envcrypt_int8_operand;
CREATE FUNCTION envcrypt_int8_operand_in(cstring) RETURNS envcrypt_int8_operand
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8in';
CREATE FUNCTION envcrypt_int8_operand_out(envcrypt_int8_operand) RETURNS cstring
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8out';
CREATE TYPE envcrypt_int8_operand (INPUT = envcrypt_int8_operand_in, OUTPUT = envcrypt_int8_operand_out,
    LIKE = pg_catalog.int8, CATEGORY = 'N');
CREATE CAST (envcrypt_int8_operand AS int8) WITHOUT FUNCTION AS IMPLICIT;
CREATE FUNCTION envcrypt_open_operand(encrypted_int8) RETURNS envcrypt_int8_operand
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'envcrypt_open';
CREATE CAST (encrypted_int8 AS envcrypt_int8_operand) WITH FUNCTION envcrypt_open_operand(encrypted_int8) AS IMPLICIT;

-- Times beside an encrypted date, in functions that exist for both: with timestamp itself, calls of plain times and
-- untyped literals would be ambiguous.
CREATE TYPE envcrypt_timestamp_operand;
CREATE FUNCTION envcrypt_timestamp_operand_in(cstring, oid, integer) RETURNS envcrypt_timestamp_operand
    LANGUAGE internal STABLE STRICT PARALLEL SAFE AS 'timestamp_in';
CREATE FUNCTION envcrypt_timestamp_operand_out(envcrypt_timestamp_operand) RETURNS cstring
    LANGUAGE internal STABLE STRICT PARALLEL SAFE AS 'timestamp_out';
CREATE TYPE envcrypt_timestamp_operand (INPUT = envcrypt_timestamp_operand_in, OUTPUT = envcrypt_timestamp_operand_out,
    LIKE = pg_catalog."timestamp", CATEGORY = 'D');
CREATE CAST (timestamp AS envcrypt_timestamp_operand) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (envcrypt_timestamp_operand AS timestamp) WITHOUT FUNCTION AS IMPLICIT;

CREATE TYPE envcrypt_timestamptz_operand;
CREATE FUNCTION envcrypt_timestamptz_operand_in(cstring, oid, integer) RETURNS envcrypt_timestamptz_operand
    LANGUAGE internal STABLE STRICT PARALLEL SAFE AS 'timestamptz_in';
CREATE FUNCTION envcrypt_timestamptz_operand_out(envcrypt_timestamptz_operand) RETURNS cstring
    LANGUAGE internal STABLE STRICT PARALLEL SAFE AS 'timestamptz_out';
CREATE TYPE envcrypt_timestamptz_operand (INPUT = envcrypt_timestamptz_operand_in,
    OUTPUT = envcrypt_timestamptz_operand_out, LIKE = pg_catalog.timestamptz, CATEGORY = 'D', PREFERRED = true);
CREATE FUNCTION envcrypt_timestamptz_operand(date) RETURNS envcrypt_timestamptz_operand
    LANGUAGE internal STABLE STRICT PARALLEL SAFE AS 'date_timestamptz';
CREATE FUNCTION envcrypt_open_operand(encrypted_timestamptz) RETURNS envcrypt_timestamptz_operand
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'envcrypt_open';
CREATE CAST (timestamptz AS envcrypt_timestamptz_operand) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (envcrypt_timestamptz_operand AS timestamptz) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (date AS envcrypt_timestamptz_operand) WITH FUNCTION envcrypt_timestamptz_operand(date) AS IMPLICIT;
CREATE CAST (encrypted_timestamptz AS envcrypt_timestamptz_operand)
    WITH FUNCTION envcrypt_open_operand(encrypted_timestamptz)
    AS IMPLICIT;

COMMENT ON TYPE envcrypt_int8_operand IS 'envcrypt: an encrypted integer as a number; not for columns';
COMMENT ON FUNCTION envcrypt_int8_operand_in(cstring) IS 'I/O';
COMMENT ON FUNCTION envcrypt_int8_operand_out(envcrypt_int8_operand) IS 'I/O';
COMMENT ON FUNCTION envcrypt_open_operand(encrypted_int8) IS 'opens a sealed value';
COMMENT ON TYPE envcrypt_timestamp_operand IS 'envcrypt: timestamp beside an encrypted date; not for columns';
COMMENT ON FUNCTION envcrypt_timestamp_operand_in(cstring, oid, integer) IS 'I/O';
COMMENT ON FUNCTION envcrypt_timestamp_operand_out(envcrypt_timestamp_operand) IS 'I/O';
COMMENT ON TYPE envcrypt_timestamptz_operand IS 'envcrypt: timestamptz beside an encrypted date; not for columns';
COMMENT ON FUNCTION envcrypt_timestamptz_operand_in(cstring, oid, integer) IS 'I/O';
COMMENT ON FUNCTION envcrypt_timestamptz_operand_out(envcrypt_timestamptz_operand) IS 'I/O';
COMMENT ON FUNCTION envcrypt_timestamptz_operand(date) IS 'envcrypt: converts';
COMMENT ON FUNCTION envcrypt_open_operand(encrypted_timestamptz) IS 'opens a sealed value';
COMMENT ON TYPE envcrypt_numeric_operand IS 'envcrypt: numeric beside an encrypted number; not for columns';
COMMENT ON TYPE envcrypt_float8_operand IS 'envcrypt: double precision beside an encrypted number; not for columns';
COMMENT ON FUNCTION envcrypt_numeric_operand_in(cstring, oid, integer) IS 'I/O';
COMMENT ON FUNCTION envcrypt_numeric_operand_out(envcrypt_numeric_operand) IS 'I/O';
COMMENT ON FUNCTION envcrypt_float8_operand_in(cstring) IS 'I/O';
COMMENT ON FUNCTION envcrypt_float8_operand_out(envcrypt_float8_operand) IS 'I/O';
COMMENT ON FUNCTION envcrypt_float8_operand(real) IS 'envcrypt: converts';
COMMENT ON FUNCTION envcrypt_float8_operand(bigint) IS 'envcrypt: converts';
COMMENT ON FUNCTION envcrypt_open_operand(encrypted_float8) IS 'opens a sealed value';

REVOKE ALL ON FUNCTION envcrypt_numeric_operand_in(cstring, oid, integer),
    envcrypt_numeric_operand_out(envcrypt_numeric_operand),
    envcrypt_float8_operand_in(cstring), envcrypt_float8_operand_out(envcrypt_float8_operand),
    envcrypt_int8_operand_in(cstring), envcrypt_int8_operand_out(envcrypt_int8_operand),
    envcrypt_timestamp_operand_in(cstring, oid, integer), envcrypt_timestamp_operand_out(envcrypt_timestamp_operand),
    envcrypt_timestamptz_operand_in(cstring, oid, integer),
    envcrypt_timestamptz_operand_out(envcrypt_timestamptz_operand)
    FROM PUBLIC;

CREATE OPERATOR FAMILY envcrypt_number_ops USING btree;

WITH pair AS (
    SELECT encrypted, base, other, other_base
    FROM (VALUES
        ('encrypted_int8', 'int8', 'int2', 'int2'),
        ('encrypted_int8', 'int8', 'int4', 'int4'),
        ('encrypted_int8', 'int8', 'int8', 'int8'),
        ('encrypted_int8', 'int8', 'encrypted_int8', 'int8'),
        ('encrypted_int8', 'int8', 'encrypted_numeric', 'numeric'),
        ('encrypted_int8', 'int8', 'envcrypt_numeric_operand', 'numeric'),
        ('encrypted_int8', 'int8', 'envcrypt_float8_operand', 'float8'),
        ('encrypted_numeric', 'numeric', 'int2', 'int2'),
        ('encrypted_numeric', 'numeric', 'int4', 'int4'),
        ('encrypted_numeric', 'numeric', 'int8', 'int8'),
        ('encrypted_numeric', 'numeric', 'encrypted_numeric', 'numeric'),
        ('encrypted_numeric', 'numeric', 'envcrypt_float8_operand', 'float8'))
        AS v (encrypted, base, other, other_base)
)
SELECT @extschema@.envcrypt_define_operators('{=,<>,<,<=,>,>=,+,-,*,/}'::pg_catalog.text[],
    left_type::pg_catalog.regtype, left_base::pg_catalog.regtype,
    right_type::pg_catalog.regtype, right_base::pg_catalog.regtype,
    'envcrypt_number_ops'::pg_catalog.name,
    CASE WHEN 'float8' IN (left_base, right_base) THEN 'btfloat8cmp'
        WHEN 'numeric' IN (left_base, right_base) THEN 'numeric_cmp' ELSE 'btint8cmp' END,
    CASE WHEN 'float8' IN (left_base, right_base) THEN 'float8'
        WHEN 'numeric' IN (left_base, right_base) THEN 'numeric' ELSE 'int8' END::pg_catalog.regtype)
FROM (
    TABLE pair
    UNION
    SELECT other, other_base, encrypted, base FROM pair
    ORDER BY 1, 3
) AS both_ways (left_type, left_base, right_type, right_base);

-- Beside ||, PostgreSQL would take these for anynonarray || text.
SELECT @extschema@.envcrypt_define_operators('{||}'::pg_catalog.text[], left_type, base, right_type, base,
    NULL::pg_catalog.name, NULL::pg_catalog.text, NULL::pg_catalog.regtype)
FROM (VALUES ('encrypted_bytea'::pg_catalog.regtype, 'bytea'::pg_catalog.regtype),
             ('encrypted_jsonb', 'jsonb')) AS b (encrypted, base),
     LATERAL (VALUES (encrypted, base), (base, encrypted), (encrypted, encrypted)) AS p (left_type, right_type);

SELECT @extschema@.envcrypt_define_operators(names, left_type::pg_catalog.regtype, left_base::pg_catalog.regtype,
    right_type::pg_catalog.regtype, right_base::pg_catalog.regtype, NULL::pg_catalog.name, NULL::pg_catalog.text,
    NULL::pg_catalog.regtype)
FROM (VALUES ('{^,%}'::pg_catalog.text[], 'encrypted_int8', 'int8', 'encrypted_int8', 'int8'),
             ('{^,%}', 'encrypted_int8', 'int8', 'envcrypt_numeric_operand', 'numeric'),
             ('{^,%}', 'envcrypt_numeric_operand', 'numeric', 'encrypted_int8', 'int8'),
             ('{^,%}', 'encrypted_numeric', 'numeric', 'encrypted_numeric', 'numeric'),
             ('{^}', 'encrypted_int8', 'int8', 'envcrypt_float8_operand', 'float8'),
             ('{^}', 'envcrypt_float8_operand', 'float8', 'encrypted_int8', 'int8'))
    AS p (names, left_type, left_base, right_type, right_base);

CREATE FUNCTION envcrypt_square_root(encrypted_int8) RETURNS double precision LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.dsqrt($1::bigint);
CREATE FUNCTION envcrypt_square_root(encrypted_numeric) RETURNS double precision
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.dsqrt($1::numeric);
CREATE FUNCTION envcrypt_cube_root(encrypted_int8) RETURNS double precision LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.dcbrt($1::bigint);
CREATE FUNCTION envcrypt_cube_root(encrypted_numeric) RETURNS double precision LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.dcbrt($1::numeric);
COMMENT ON FUNCTION envcrypt_square_root(encrypted_int8) IS 'implementation of |/ operator';
COMMENT ON FUNCTION envcrypt_square_root(encrypted_numeric) IS 'implementation of |/ operator';
COMMENT ON FUNCTION envcrypt_cube_root(encrypted_int8) IS 'implementation of ||/ operator';
COMMENT ON FUNCTION envcrypt_cube_root(encrypted_numeric) IS 'implementation of ||/ operator';
CREATE OPERATOR |/ (RIGHTARG = encrypted_int8, FUNCTION = envcrypt_square_root);
CREATE OPERATOR |/ (RIGHTARG = encrypted_numeric, FUNCTION = envcrypt_square_root);
CREATE OPERATOR ||/ (RIGHTARG = encrypted_int8, FUNCTION = envcrypt_cube_root);
CREATE OPERATOR ||/ (RIGHTARG = encrypted_numeric, FUNCTION = envcrypt_cube_root);
COMMENT ON OPERATOR |/ (NONE, encrypted_int8) IS 'of what was sealed';
COMMENT ON OPERATOR |/ (NONE, encrypted_numeric) IS 'of what was sealed';
COMMENT ON OPERATOR ||/ (NONE, encrypted_int8) IS 'of what was sealed';
COMMENT ON OPERATOR ||/ (NONE, encrypted_numeric) IS 'of what was sealed';

SELECT @extschema@.envcrypt_define_operators(names, left_type, left_base, right_type, right_base,
    NULL::pg_catalog.name, NULL::pg_catalog.text, NULL::pg_catalog.regtype)
FROM (VALUES ('{*}'::pg_catalog.text[], 'encrypted_int8'::pg_catalog.regtype, 'int8'::pg_catalog.regtype,
                 'interval'::pg_catalog.regtype, 'interval'::pg_catalog.regtype),
             ('{*,/}', 'interval', 'interval', 'encrypted_int8', 'int8'),
             ('{*}', 'encrypted_numeric', 'numeric', 'interval', 'interval'),
             ('{*,/}', 'interval', 'interval', 'encrypted_numeric', 'numeric'))
    AS p (names, left_type, left_base, right_type, right_base);

-- A date beside an untyped literal would be compared as timestamp with time zone, which PostgreSQL prefers.
CREATE OPERATOR FAMILY envcrypt_date_ops USING btree;
SELECT @extschema@.envcrypt_define_operators('{=,<>,<,<=,>,>=}'::pg_catalog.text[], encrypted, base, encrypted, base,
    'envcrypt_date_ops'::pg_catalog.name, 'date_cmp'::pg_catalog.text, base)
FROM (VALUES ('encrypted_date'::pg_catalog.regtype, 'date'::pg_catalog.regtype)) AS d (encrypted, base);
SELECT @extschema@.envcrypt_define_operators('{-}'::pg_catalog.text[], left_type, left_base, right_type, right_base,
    NULL::pg_catalog.name, NULL::pg_catalog.text, NULL::pg_catalog.regtype)
FROM (VALUES ('encrypted_date'::pg_catalog.regtype, 'date'::pg_catalog.regtype,
                 'encrypted_date'::pg_catalog.regtype, 'date'::pg_catalog.regtype),
             ('encrypted_date', 'date', 'date', 'date'),
             ('date', 'date', 'encrypted_date', 'date'),
             ('encrypted_date', 'date', 'timestamp', 'timestamp'),
             ('timestamp', 'timestamp', 'encrypted_date', 'date'),
             ('encrypted_date', 'date', 'timestamptz', 'timestamptz'),
             ('timestamptz', 'timestamptz', 'encrypted_date', 'date'),
             ('encrypted_date', 'date', 'encrypted_timestamptz', 'timestamptz'),
             ('encrypted_timestamptz', 'timestamptz', 'encrypted_date', 'date'),
             ('encrypted_timestamptz', 'timestamptz', 'encrypted_timestamptz', 'timestamptz'))
    AS p (left_type, left_base, right_type, right_base);
