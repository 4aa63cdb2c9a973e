-- What CREATE EXTENSION makes, and what everybody may do with it.
SELECT extname, extversion, extrelocatable FROM pg_extension WHERE extname = 'envcrypt';
SELECT rolname, rolcanlogin, rolsuper, rolinherit FROM pg_roles WHERE rolname LIKE 'envcrypt%' ORDER BY 1;
SELECT typname, typcategory, typstorage, typlen, typcollation <> 0 AS collatable FROM pg_type
WHERE typname LIKE 'encrypted%' ORDER BY 1;
-- What only later versions of PostgreSQL have, which is not shown: casts between bytea and integers, some functions.
CREATE FUNCTION is_later(source regtype, target regtype) RETURNS boolean LANGUAGE sql AS $$
    SELECT source::text ~ 'bytea' AND target::text ~ 'int' OR source::text ~ 'int' AND target::text ~ 'bytea'
$$;
CREATE FUNCTION is_later(name text, arguments oid[], result regtype) RETURNS boolean LANGUAGE sql AS $$
    SELECT name ~ '^(date_add|date_subtract|erfc?|l?gamma|random|random_normal)$' OR name = 'timezone'
        AND cardinality(arguments) = 1
        OR name = 'generate_series' AND cardinality(arguments) = 4
        OR name ~ '^(encrypted_(bytea|int8)|envcrypt_open_as_(int[248]|bytea))$' AND is_later(arguments[0], result)
$$;
-- An encrypted type is implicitly its base type and nothing else; with type modifiers, there is a cast that applies
-- them.
SELECT castsource::regtype, casttarget::regtype FROM pg_cast WHERE castsource::regtype::text LIKE 'encrypted%'
    AND castcontext = 'i'
ORDER BY castsource::regtype::text, casttarget::regtype::text;
-- By assignment and explicitly, to what the base type converts to. (type_casts.sql compares.)
SELECT castsource::regtype, castcontext, string_agg(format_type(casttarget, NULL), ', '
    ORDER BY format_type(casttarget, NULL) COLLATE "C") FROM pg_cast
WHERE castsource::regtype::text LIKE 'encrypted%' AND castcontext <> 'i' AND NOT is_later(castsource, casttarget)
GROUP BY castsource, castcontext ORDER BY castsource::regtype::text, 2;
-- From what PostgreSQL takes for the base type.
SELECT casttarget::regtype, castcontext, string_agg(format_type(castsource, NULL), ', '
    ORDER BY format_type(castsource, NULL) COLLATE "C") FROM pg_cast
WHERE casttarget::regtype::text LIKE 'encrypted%' AND castsource <> casttarget AND NOT is_later(castsource, casttarget)
GROUP BY casttarget, castcontext ORDER BY casttarget::regtype::text, 2;

-- Nothing of ours is without a description; sealing is volatile, opening stable, nothing leakproof.
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'envcrypt' AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT o.oid::regoperator FROM pg_operator o JOIN pg_depend d ON d.classid = 'pg_operator'::regclass AND d.objid = o.oid
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'envcrypt' AND obj_description(o.oid, 'pg_operator') IS NULL;
-- E stands for the encrypted types, B for all others; functions that differ in nothing else stand in one line.
CREATE FUNCTION generic(signature text) RETURNS text LANGUAGE sql AS $$
    SELECT regexp_replace(regexp_replace(signature,
        'encrypted_(bool|bytea|date|float8|inet|int8|jsonb|numeric|text|timestamptz|uuid)', 'E', 'g'),
            'envcrypt_open_as_\w+', 'envcrypt_open_as_B')
$$;
SELECT * FROM (SELECT generic(p.proname) || '(' || coalesce((SELECT string_agg(generic(format_type(a, NULL)), ', '
    ORDER BY n)
    FROM unnest(p.proargtypes) WITH ORDINALITY AS t (a, n) WHERE p.proname NOT LIKE 'encrypted%' OR p.pronargs <> 1
        OR a::regtype::text LIKE 'encrypted%'), CASE WHEN p.pronargs > 0 THEN 'B' ELSE '' END) || ')' AS function,
    p.provolatile, p.proparallel, p.proisstrict, p.proleakproof, p.prosecdef, count(*) FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'envcrypt' AND NOT is_later(p.proname, p.proargtypes, p.prorettype) GROUP BY 1, 2, 3, 4, 5, 6) AS _
    ORDER BY function COLLATE "C", provolatile, proparallel;
DROP FUNCTION generic, is_later(text, oid[], regtype), is_later(regtype, regtype);

-- PUBLIC reads neither key table and runs only what it needs.
SELECT c.relname, has_table_privilege('pg_monitor', c.oid, 'SELECT') FROM pg_class c
WHERE c.relname IN ('envcrypt_data_keys', 'envcrypt_master_keys') ORDER BY 1;
SELECT p.oid::regprocedure FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'envcrypt' AND NOT has_function_privilege('pg_monitor', p.oid, 'EXECUTE')
ORDER BY p.oid::regprocedure::text COLLATE "C";

-- Both key tables are dumped, and have no row-level security.
SELECT c.relname, c.relrowsecurity, c.reloptions FROM pg_extension e, unnest(e.extconfig) AS t (oid)
JOIN pg_class c ON c.oid = t.oid WHERE e.extname = 'envcrypt' ORDER BY 1;

-- Members of roles that exist already are named.
CREATE ROLE regress_envcrypt_member;
GRANT envcrypt_decrypt TO regress_envcrypt_member;
CREATE DATABASE regress_envcrypt_second;
\c regress_envcrypt_second
CREATE EXTENSION envcrypt;
\c contrib_regression
DROP DATABASE regress_envcrypt_second;
-- Functions and operators that others put into the schema before, and that would fit a call better, are not called.
CREATE DATABASE regress_envcrypt_second;
\c regress_envcrypt_second
CREATE FUNCTION public.format(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION public.quote_ident(name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION public.replace(text, text, name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked';
    END $$;
CREATE FUNCTION public.hijack(name, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked';
    END $$;
CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = text, FUNCTION = public.hijack);
CREATE EXTENSION envcrypt;
\c contrib_regression
DROP DATABASE regress_envcrypt_second;
CREATE DATABASE regress_envcrypt_second;
\c regress_envcrypt_second
CREATE SCHEMA "Odd Schema";
CREATE EXTENSION envcrypt SCHEMA "Odd Schema";
SELECT '"Odd Schema".encrypted_text'::regtype;
\c contrib_regression
DROP DATABASE regress_envcrypt_second;
DROP ROLE regress_envcrypt_member;

-- With no key, status says what is to be done.
SELECT "check", state, regexp_replace(detail, 'envcrypt [0-9.]+', 'envcrypt X'), advice FROM envcrypt_status();
-- Files of one version, catalogs of another.
BEGIN;
UPDATE pg_extension SET extversion = '0.0.9' WHERE extname = 'envcrypt';
SELECT "check", state, regexp_replace(detail, 'library is [0-9.]+', 'library is X'), advice FROM envcrypt_status()
WHERE state = 'error';
ROLLBACK;
-- One of its tables under another name, and in another schema, where nothing has kept it from that.
BEGIN;
ALTER EVENT TRIGGER envcrypt_guard_ddl DISABLE;
ALTER TABLE envcrypt_master_keys RENAME TO renamed;
SELECT count(*) FROM envcrypt_status();
ROLLBACK;
BEGIN;
CREATE SCHEMA regress_moved;
ALTER EVENT TRIGGER envcrypt_guard_ddl DISABLE;
ALTER TABLE envcrypt_data_keys SET SCHEMA regress_moved;
SELECT count(*) FROM envcrypt_status();
ROLLBACK;
