-- Every operator, function, cast and construct of SQL that takes a value of one of the eleven types: does PostgreSQL
-- find
-- the same for an encrypted column as for a plain one, of the same type? And does it find for plain values what it
-- found
-- before there was an extension? Expressions are parsed and planned, and never computed: they stand below LIMIT 0.
--
-- Schemas "plain" and "twin" are there; the extension is in schema public.
CREATE SCHEMA resolution;
SET search_path = resolution, pg_catalog;

-- The eleven types, and others that stand beside them in expressions.
CREATE TABLE types (name text PRIMARY KEY, type regtype NOT NULL, encrypted bool NOT NULL);
INSERT INTO types
SELECT t, t::regtype, true FROM unnest('{text,bytea,jsonb,int8,numeric,float8,bool,date,timestamptz,uuid,inet}'::text[])
    t
UNION ALL
SELECT t, t::regtype, false
FROM unnest('{int2,int4,float4,varchar,bpchar,name,timestamp,time,interval,json,cidr}'::text[]) t;

-- Table r of each schema: column o_T is plain in both; c_T is plain in one, encrypted in the other.
DO $$
DECLARE
    plain_columns text := (SELECT string_agg(format('o_%s %s', name, type), ', ') FROM types);
BEGIN
    EXECUTE format('CREATE TABLE plain.r (%s, %s)', plain_columns,
        (SELECT string_agg(format('c_%s %s', name, type), ', ') FROM types WHERE encrypted));
    EXECUTE format('CREATE TABLE twin.r (%s, %s)', plain_columns,
        (SELECT string_agg(format('c_%s public.encrypted_%s', name, name), ', ') FROM types WHERE encrypted));
END $$;

-- What expressions are made of: an operand in question, the column of its type; and what may stand beside it.
CREATE VIEW subjects AS
SELECT name, type, encrypted, CASE WHEN encrypted THEN 'c_' ELSE 'o_' END || name AS operand FROM types;
CREATE TABLE operands AS
SELECT operand FROM subjects UNION SELECT 'o_' || name FROM types UNION SELECT 'NULL';

-- The types that take a value of a type without being asked; but not those that name objects.
CREATE TABLE reachable AS
SELECT name, type::oid AS type FROM types
UNION
SELECT t.name, c.casttarget FROM types t JOIN pg_cast c ON c.castsource = t.type AND c.castcontext = 'i'
WHERE c.oid < 16384 AND c.casttarget <> ALL ('{name,oid}'::regtype[]) AND c.casttarget::regtype::text !~ '^reg'
UNION
SELECT t.name, p FROM types t,
    unnest('{anyelement,anynonarray,anycompatible,anycompatiblenonarray,"\"any\""}'::regtype[]) p;

-- Names under which the extension has operators and functions: others mean what they mean without it.
CREATE TABLE extended AS
SELECT oprname AS name FROM pg_operator WHERE oprnamespace = 'public'::regnamespace
UNION
SELECT proname FROM pg_proc WHERE oid >= 16384 AND pronamespace IN ('public'::regnamespace, 'pg_catalog'::regnamespace);

-- What is tried: a query of one column, which has the type of the expression. Outcomes without the extension, with it,
-- and
-- with encrypted columns.
CREATE TABLE tried (type text, encrypted bool, kind text, name text, expression text, query text, bare text, plain text,
    sealed text);

-- Operators, with every operand on either side.
CREATE TABLE operator_names AS
SELECT DISTINCT r.name AS type, o.oprname AS name, o.oprkind = 'l' AS prefix FROM reachable r JOIN pg_operator o
    ON r.type IN (o.oprleft, o.oprright) AND o.oprnamespace = 'pg_catalog'::regnamespace JOIN types t ON t.name = r.name
WHERE t.encrypted OR o.oprname IN (SELECT name FROM extended);
INSERT INTO tried (type, encrypted, kind, name, expression)
SELECT s.name, s.encrypted, 'operator', o.name, format('%s %s', o.name, s.operand)
FROM subjects s JOIN operator_names o ON o.type = s.name AND o.prefix
UNION ALL
SELECT s.name, s.encrypted, 'operator', o.name, format('%s %s %s', s.operand, o.name, p.operand)
FROM subjects s JOIN operator_names o ON o.type = s.name AND NOT o.prefix, operands p
UNION ALL
SELECT s.name, s.encrypted, 'operator', o.name, format('%s %s %s', p.operand, o.name, s.operand)
FROM subjects s JOIN operator_names o ON o.type = s.name AND NOT o.prefix, operands p
WHERE p.operand NOT IN (SELECT operand FROM subjects);

-- Functions, aggregates and window functions: the operand at every place that takes it. The other arguments are, in
-- turn:
-- of their declared types; untyped; integers, where they are numbers; the operand, too, where they are declared the
-- same.
-- Not tried are functions that implement something else, second names, and what is about objects, not data.
CREATE VIEW callable AS
SELECT p.oid, p.proname, p.prokind, p.pronargs, p.proargtypes::oid[] AS args, a.aggkind, a.aggnumdirectargs
FROM pg_proc p LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.oid < 16384 AND p.prokind IN ('f', 'a', 'w')
    AND p.pronargs BETWEEN 1 AND 6
    AND NOT p.proargtypes::oid[] && (SELECT array_agg(oid) FROM pg_type WHERE typtype = 'p'
        AND typname !~ '^any(element|array|nonarray|compatible|compatiblearray|compatiblenonarray)?$')
    AND p.prorettype <> ALL ('{internal,cstring,trigger,void}'::regtype[])
    AND p.proname !~
    '^(pg_|has_|lo_|binary_upgrade|brin_|gin_|numeric_|int8_)|^d(exp|log1|log10|round|trunc)$|(send|_subdiff)$'
    AND NOT EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = p.oid)
    AND NOT EXISTS (SELECT FROM pg_amproc m WHERE m.amproc = p.oid)
    AND NOT EXISTS (SELECT FROM pg_aggregate g
        WHERE p.oid IN (g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggmtransfn,
        g.aggminvtransfn, g.aggmfinalfn, g.aggserialfn, g.aggdeserialfn) AND p.proname <> 'array_append');

CREATE FUNCTION argument(style int, declared regtype, operand text) RETURNS text LANGUAGE sql
RETURN CASE
    WHEN declared IN ('anyarray', 'anycompatiblearray') THEN format('ARRAY[%s]', operand)
    WHEN declared::text ~ '^"?any' AND style <> 2 THEN operand
    WHEN style = 3 AND declared IN ('int4', 'int8', 'numeric', 'float8') THEN '1'
    WHEN style IN (2, 3) THEN 'NULL'
    ELSE format('NULL::%s', declared) END;

CREATE TABLE calls AS
SELECT DISTINCT s.name AS type, c.proname, c.prokind, c.aggkind, c.aggnumdirectargs AS direct, a.args
FROM callable c, subjects s JOIN reachable r USING (name), generate_series(1, c.pronargs) place,
    generate_series(1, 4) style, LATERAL
    (SELECT array_agg(CASE WHEN i = place OR style = 4 AND c.args[i - 1] = c.args[place - 1] THEN s.operand
        ELSE argument(style, c.args[i - 1], s.operand) END ORDER BY i) AS args FROM generate_series(1, c.pronargs) i) a
WHERE r.type = c.args[place - 1] AND (s.encrypted OR c.proname IN (SELECT name FROM extended))
    AND (c.aggkind IS NULL OR c.aggkind = 'n' OR place > c.aggnumdirectargs AND c.pronargs > c.aggnumdirectargs);
INSERT INTO tried (type, encrypted, kind, name, expression)
SELECT s.name, s.encrypted, CASE c.prokind WHEN 'f' THEN 'function' WHEN 'a' THEN 'aggregate'
ELSE 'window function' END,
    c.proname, quote_ident(c.proname) || CASE
            WHEN c.aggkind IN ('o', 'h') THEN format('(%s) WITHIN GROUP (ORDER BY %s)',
                array_to_string(c.args[:c.direct], ', '), array_to_string(c.args[c.direct + 1:], ', '))
            WHEN c.prokind = 'w' THEN format('(%s) OVER ()', array_to_string(c.args, ', '))
            ELSE format('(%s)', array_to_string(c.args, ', ')) END
FROM subjects s JOIN calls c ON c.type = s.name;

-- Casts, of values and of arrays.
INSERT INTO tried (type, encrypted, kind, name, expression)
SELECT s.name, s.encrypted, 'cast', 'to ' || g.oid::regtype, format(f.form, s.operand, g.oid::regtype)
FROM subjects s, pg_type g, (VALUES ('%s::%s'), ('ARRAY[%s]::%s[]')) f(form)
WHERE s.encrypted AND g.typnamespace = 'pg_catalog'::regnamespace AND g.typtype IN ('b', 'r', 'm') AND g.typelem = 0
    AND g.typname !~ '^(_|pg_|gtsvector|txid|refcursor|reg)';

-- Assignment in both directions.
INSERT INTO tried (type, encrypted, kind, name, expression, query)
SELECT s.name, true, 'assignment', 'of ' || p.operand, format('%s := %s', s.operand, p.operand),
    format('INSERT INTO r (%s) SELECT %s FROM r LIMIT 0', s.operand, p.operand)
FROM subjects s, operands p WHERE s.encrypted
UNION ALL
SELECT s.name, true, 'assignment', 'to o_' || o.name, format('o_%s := %s', o.name, s.operand),
    format('INSERT INTO r (o_%s) SELECT %s FROM r LIMIT 0', o.name, s.operand)
FROM subjects s, types o WHERE s.encrypted;

-- Constructs of two values, which have a common type or an operator =, if they are plain.
CREATE FUNCTION succeeds(expression text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('EXPLAIN SELECT %s FROM plain.r', expression);
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RETURN false;
END $$;
CREATE TABLE pairs AS
SELECT s.name AS type, o.operand FROM subjects s, operands o
WHERE succeeds(format('coalesce(%s, %s)', s.operand, o.operand)) OR succeeds(format('%s = %s', s.operand, o.operand));
INSERT INTO tried (type, encrypted, kind, name, expression)
SELECT s.name, s.encrypted, 'construct', c.name, format(c.form, s.operand, p.operand)
FROM pairs p JOIN subjects s ON s.name = p.type, (VALUES
    ('coalesce', 'coalesce(%1$s, %2$s)'),
    ('coalesce', 'coalesce(%2$s, %1$s)'),
    ('nullif', 'nullif(%1$s, %2$s)'),
    ('nullif', 'nullif(%2$s, %1$s)'),
    ('greatest', 'greatest(%1$s, %2$s)'),
    ('least', 'least(%2$s, %1$s)'),
    ('CASE', 'CASE WHEN true THEN %1$s ELSE %2$s END'),
    ('CASE', 'CASE WHEN true THEN %2$s ELSE %1$s END'),
    ('CASE', 'CASE %1$s WHEN %2$s THEN 1 END'),
    ('IN', '%1$s IN (%2$s, %2$s)'),
    ('IN', '%2$s IN (%1$s, NULL)'),
    ('IN subquery', '%1$s IN (SELECT %2$s FROM r)'),
    ('IN subquery', '%2$s IN (SELECT %1$s FROM r)'),
    ('ANY', '%1$s = ANY (ARRAY[%2$s])'),
    ('ANY', '%2$s = ANY (ARRAY[%1$s])'),
    ('ALL', '%1$s < ALL (ARRAY[%2$s, %2$s])'),
    ('ANY subquery', '%1$s >= ANY (SELECT %2$s FROM r)'),
    ('ARRAY', 'ARRAY[%1$s, %2$s]'),
    ('ARRAY', 'ARRAY[%2$s, %1$s]'),
    ('BETWEEN', '%1$s BETWEEN %2$s AND %2$s'),
    ('BETWEEN', '%2$s NOT BETWEEN SYMMETRIC %1$s AND %1$s'),
    ('DISTINCT FROM', '%1$s IS DISTINCT FROM %2$s'),
    ('row =', '(%1$s, 1) = (%2$s, 1)'),
    ('row <', '(%1$s, 1) < (%2$s, 1)'),
    ('row <', '(%2$s, 1) < (%1$s, 1)'),
    ('row IN', '(%1$s, 1) IN (SELECT %2$s, 1 FROM r)'),
    ('row IN', '(%2$s, 1) IN (SELECT %1$s, 1 FROM r)'),
    ('UNION', '(SELECT %1$s FROM r UNION SELECT %2$s FROM r)'),
    ('UNION', '(SELECT %2$s FROM r UNION ALL SELECT %1$s FROM r)'),
    ('VALUES', '(SELECT v FROM (VALUES (%1$s), (%2$s)) x(v))'),
    ('array =', 'ARRAY[%1$s] = ARRAY[%2$s]'),
    ('array @>', 'ARRAY[%2$s] @> ARRAY[%1$s]'),
    ('array &&', 'ARRAY[%1$s] && ARRAY[%2$s]'),
    ('array ||', 'ARRAY[%1$s] || %2$s'),
    ('array ||', '%1$s || ARRAY[%2$s]')) c (name, form)
WHERE s.encrypted OR c.name IN ('coalesce', 'IN', 'UNION', 'row <', 'array =', 'array ||');


-- Constructs of one value.
INSERT INTO tried (type, encrypted, kind, name, expression)
SELECT s.name, s.encrypted, 'construct', c.name, format(c.form, s.operand)
FROM subjects s, (VALUES
    ('WHERE', '(SELECT 1 FROM r WHERE %1$s)'),
    ('CASE WHEN', 'CASE WHEN %1$s THEN 1 END'),
    ('NOT', 'NOT %1$s'),
    ('AND', '%1$s AND true'),
    ('IS TRUE', '%1$s IS NOT TRUE'),
    ('IS NULL', '%1$s IS NULL'),
    ('FILTER', 'count(*) FILTER (WHERE %1$s)'),
    ('LIMIT', '(SELECT 1 FROM r LIMIT (SELECT %1$s FROM r))'),
    ('ORDER BY', '(SELECT 1 FROM r ORDER BY %1$s)'),
    ('ORDER BY USING', '(SELECT 1 FROM r ORDER BY %1$s USING <)'),
    ('ORDER BY USING', '(SELECT 1 FROM r ORDER BY %1$s USING >)'),
    ('GROUP BY', '(SELECT 1 FROM r GROUP BY %1$s)'),
    ('DISTINCT', '(SELECT DISTINCT %1$s FROM r)'),
    ('subscript', '(%1$s)[1]'),
    ('subscript', '(%1$s)[''a'']'),
    ('subscript index', '(ARRAY[1, 2])[%1$s]'),
    ('subscript index', '(''{}''::jsonb)[%1$s]'),
    ('COLLATE', '%1$s COLLATE "C"'),
    ('COLLATION FOR', 'collation for (%1$s)'),
    ('AT TIME ZONE', '%1$s AT TIME ZONE ''UTC'''),
    ('AT TIME ZONE', 'now() AT TIME ZONE %1$s'),
    ('EXTRACT', 'extract(year FROM %1$s)'),
    ('EXTRACT', 'extract(hour FROM %1$s)'),
    ('OVERLAPS', '(%1$s, %1$s) OVERLAPS (%1$s, %1$s)'),
    ('OVERLAPS', '(%1$s, interval ''1 day'') OVERLAPS (%1$s, interval ''1 day'')'),
    ('SUBSTRING', 'substring(%1$s FROM 1 FOR 2)'),
    ('SUBSTRING', 'substring(%1$s SIMILAR ''a'' ESCAPE ''#'')'),
    ('SUBSTRING', 'substring(%1$s FROM ''a'')'),
    ('TRIM', 'trim(%1$s)'),
    ('TRIM', 'trim(''x'' FROM %1$s)'),
    ('POSITION', 'position(''x'' IN %1$s)'),
    ('POSITION', 'position(%1$s IN %1$s)'),
    ('OVERLAY', 'overlay(%1$s PLACING ''x'' FROM 1)'),
    ('NORMALIZE', 'normalize(%1$s)'),
    ('NORMALIZED', '%1$s IS NORMALIZED'),
    ('LIKE', '%1$s LIKE ''x'' ESCAPE ''!'''),
    ('ILIKE', '%1$s NOT ILIKE %1$s'),
    ('SIMILAR', '%1$s SIMILAR TO ''x'''),
    ('XML', 'xmlelement(name a, %1$s)'),
    ('XML', 'xmlforest(%1$s AS a)'),
    ('XML', 'xmlparse(content %1$s)'),
    ('ROW', 'ROW(%1$s, 1)'),
    ('generate_series', '(SELECT count(*) FROM generate_series(%1$s, %1$s))'),
    ('generate_series', '(SELECT count(*) FROM generate_series(%1$s, %1$s, ''1 day''))'),
    ('generate_series', '(SELECT count(*) FROM generate_series(1, %1$s))'),
    ('RANGE frame', '(SELECT count(*) OVER (ORDER BY %1$s RANGE 1 PRECEDING) FROM r)'),
    ('RANGE frame', '(SELECT count(*) OVER (ORDER BY %1$s RANGE 1.5 PRECEDING) FROM r)'),
    ('RANGE frame', '(SELECT count(*) OVER (ORDER BY %1$s RANGE ''1 day'' PRECEDING) FROM r)'),
    ('unnest', '(SELECT unnest(ARRAY[%1$s]))'),
    ('typmod', '%1$s::varchar(5)'),
    ('typmod', '%1$s::char(5)'),
    ('typmod', '%1$s::numeric(5, 1)'),
    ('typmod', '%1$s::timestamptz(0)')) c (name, form);

-- Parameters: which type is a parameter beside a value taken for? That is the type of an untyped literal there, too.
INSERT INTO tried (type, encrypted, kind, name, expression, query)
SELECT s.name, s.encrypted, 'parameter', f.name, f.expression, format('PREPARE tried AS SELECT %s FROM r', f.expression)
FROM subjects s, LATERAL (
    SELECT o.name, format(f.form, s.operand, o.name) AS expression
    FROM operator_names o, (VALUES ('%1$s %2$s $1'), ('$1 %2$s %1$s')) f(form)
    WHERE o.type = s.name AND NOT o.prefix
    UNION ALL
    SELECT f.name, format(f.form, s.operand) FROM (VALUES
        ('coalesce', 'coalesce(%1$s, $1)'),
        ('nullif', 'nullif(%1$s, $1)'),
        ('greatest', 'greatest(%1$s, $1)'),
        ('CASE', 'CASE WHEN true THEN %1$s ELSE $1 END'),
        ('CASE', 'CASE %1$s WHEN $1 THEN 1 END'),
        ('IN', '%1$s IN ($1)'),
        ('IN', '%1$s IN ($1, $2)'),
        ('ANY', '%1$s = ANY ($1)'),
        ('BETWEEN', '%1$s BETWEEN $1 AND $2'),
        ('DISTINCT FROM', '%1$s IS DISTINCT FROM $1'),
        ('row', '(%1$s, 1) = ($1, 1)'),
        ('row', '(%1$s, 1) < ($1, 1)'),
        ('ARRAY', 'ARRAY[%1$s, $1]')) f(name, form)) f;

-- The result's type, the types of parameters, or the error, of a query. Encrypted types count as their base types.
CREATE FUNCTION spelled(name text) RETURNS text LANGUAGE sql STABLE
RETURN coalesce((SELECT t.type || substr($1, length(t.name) + 11) FROM resolution.types t
    WHERE t.encrypted AND $1 ~ ('^encrypted_' || t.name || '(\[\])?$')), $1);
CREATE FUNCTION outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    IF query LIKE 'INSERT%' THEN
        EXECUTE 'EXPLAIN ' || query;
        RETURN 'assigned';
    END IF;
    IF query LIKE 'PREPARE%' THEN
        EXECUTE query;
        SELECT string_agg(resolution.spelled(p::text), ', ') INTO result
        FROM pg_prepared_statements, unnest(parameter_types) p WHERE name = 'tried';
        DEALLOCATE tried;
        RETURN result;
    END IF;
    EXECUTE query INTO result;
    RETURN resolution.spelled(result);
EXCEPTION WHEN OTHERS THEN
    RETURN format('%s %s', SQLSTATE, SQLERRM);
END $$;

CREATE FUNCTION failed(outcome text) RETURNS bool LANGUAGE sql IMMUTABLE RETURN outcome ~ '^[0-9A-Z]{5} ';

UPDATE tried SET query = format('SELECT pg_typeof((SELECT %s FROM r LIMIT 0))', expression) WHERE query IS NULL;

-- Plain expressions that the extension changes: none.
CREATE VIEW disturbed AS
SELECT * FROM tried WHERE plain <> bare AND NOT (failed(plain) AND failed(bare));

-- What an encrypted column lacks, what it gives in another type, and what it gives that a plain one does not.
CREATE VIEW differences AS
SELECT *, CASE WHEN failed(sealed) THEN 'missing' WHEN failed(plain) THEN 'added' ELSE 'another type'
    END AS how
FROM tried
WHERE encrypted AND plain <> sealed AND NOT (failed(plain) AND failed(sealed));
