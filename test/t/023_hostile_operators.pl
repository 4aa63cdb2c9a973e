# Operators, functions and casts that others make so that a query on an encrypted column finds theirs. With an
# encrypted type among the arguments, each would be an exact match, which beats our implicit cast wherever in the path
# it stands: nobody but superusers may make them. Polymorphic ones cannot be refused, because they are of no type; what
# they reach is listed here, as it is in docs/threat-model.md.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use EnvcryptTest;

my $key    = new_master_key();
my $node   = new_server('hostile_operators', conf => "fsync = off\nautovacuum = off\njit = off");
my @key    = (key => $key);
my @nobody = (user => 'nobody', set => [ 'check_function_bodies=off', 'client_min_messages=error' ]);
value($node, 'GRANT envcrypt_encrypt, envcrypt_decrypt TO postgres; SELECT envcrypt_rotate_master()', @key,
	user => 'postgres');
value($node, <<'SQL', @key, set => ['client_min_messages=error']);
CREATE TYPE mood AS ENUM ('sad', 'happy');
SELECT envcrypt_create_type(t) FROM unnest('{mood,int4,int4[],int4range}'::regtype[]) AS t;
CREATE SCHEMA evil AUTHORIZATION nobody;
CREATE TABLE outcome (kind text, name text, arguments text, state text);
GRANT ALL ON outcome TO PUBLIC;
CREATE TABLE sealed AS SELECT t.oid::regtype AS type, envcrypt_base_type(t.oid::regtype) AS base,
	format_type(t.oid, NULL) AS encrypted, t.typname AS name
FROM pg_type t WHERE envcrypt_base_type(t.oid::regtype) IS NOT NULL;
GRANT ALL ON sealed TO PUBLIC;
CREATE TABLE held AS SELECT;
SELECT format('ALTER TABLE held ADD %I %s', name, encrypted) FROM sealed
\gexec
INSERT INTO held DEFAULT VALUES;
-- Runs a statement and notes how it ended.
CREATE FUNCTION attempt(kind text, name text, arguments text, statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	INSERT INTO outcome VALUES (kind, name, arguments, 'done');
EXCEPTION WHEN OTHERS THEN
	INSERT INTO outcome VALUES (kind, name, arguments, SQLSTATE || ' ' || SQLERRM);
END $$;
SQL

# Exact signatures. For each operator and function that PostgreSQL has for the base, with the encrypted type in all
# places or in one of them.
value($node, <<'SQL', @nobody);
CREATE FUNCTION evil.stolen(p anyelement) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'stolen' USING ERRCODE = 'HOSTL'; END $$;
-- Under a name that means nothing, they may be made.
SELECT attempt('function of an operator', 'f', p, format('CREATE FUNCTION evil.f(%s) RETURNS boolean LANGUAGE plpgsql AS ''''', p))
FROM (SELECT DISTINCT p FROM sealed s, LATERAL (VALUES (s.encrypted), (format('%s, %s', encrypted, encrypted)), (format('%s, %s', encrypted, base)),
	(format('%s, %s', base, encrypted)), (format('%s, text', encrypted)), (format('text, %s', encrypted)), (format('boolean, %s', encrypted))) AS v (p)) AS d;
SELECT attempt('operator', o.oprname::text, format('%s, %s', l, r),
	format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = evil.f)', o.oprname, l, r))
FROM (SELECT DISTINCT s.*, o.oprname FROM sealed s JOIN pg_operator o ON s.base IN (o.oprleft, o.oprright)
	AND o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprleft <> 0) AS o,
	LATERAL (VALUES (encrypted, encrypted), (encrypted, base::text), (base::text, encrypted), (encrypted, 'text'), ('text', encrypted)) AS p (l, r);
SELECT attempt('prefix operator', o.oprname::text, encrypted,
	format('CREATE OPERATOR evil.%s (RIGHTARG = %s, FUNCTION = evil.f)', o.oprname, encrypted))
FROM (SELECT DISTINCT s.*, o.oprname FROM sealed s JOIN pg_operator o ON o.oprright = s.base AND o.oprleft = 0) AS o;
SELECT attempt(k.kind, p.proname::text, p.arguments, format(k.statement, p.proname, p.arguments))
FROM (SELECT DISTINCT p.proname, replace(oidvectortypes(p.proargtypes), s.base::text, s.encrypted) AS arguments
	FROM sealed s JOIN pg_proc p ON s.base::oid = ANY (p.proargtypes) AND p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f'
	WHERE oidvectortypes(p.proargtypes) !~ 'internal|cstring|any"|VARIADIC'
		AND s.name IN ('encrypted_text', 'encrypted_int8', 'encrypted_date', 'encrypted_jsonb', 'encrypted_mood', 'encrypted_int4')) AS p,
	(VALUES ('function', 'CREATE FUNCTION evil.%I(%s) RETURNS text LANGUAGE plpgsql AS '''''),
		('procedure', 'CREATE PROCEDURE evil.%I(%s) LANGUAGE plpgsql AS ''''')) AS k (kind, statement);
SELECT attempt('aggregate', a, encrypted, format('CREATE AGGREGATE evil.%I(%s) (SFUNC = evil.f, STYPE = boolean)', a, encrypted))
FROM sealed, unnest('{sum,max,count,array_agg}'::text[]) AS a;
SELECT attempt('function of ours', f, encrypted, format('CREATE FUNCTION evil.%I(%s) RETURNS text LANGUAGE plpgsql AS ''''', f, encrypted))
FROM sealed, unnest('{envcrypt_open,envcrypt_owner,envcrypt_key_id}'::text[]) AS f;
CREATE DOMAIN evil.target AS text;
CREATE TYPE evil.row AS (a text);
SELECT attempt('cast', t, encrypted, format('CREATE CAST (%s AS %s) WITH INOUT AS IMPLICIT', encrypted, t))
FROM sealed, unnest('{evil.row,evil.target}'::text[]) AS t;
SELECT attempt('cast', t, encrypted, format('CREATE CAST (%s AS %s) WITH INOUT AS IMPLICIT', t, encrypted))
FROM sealed, unnest('{evil.row}'::text[]) AS t;
SQL
cmp_ok(value($node, 'SELECT count(*) FROM outcome'), '>', 2_500, 'very many exact signatures were tried');
is(value($node, q{SELECT kind, count(*), min(name || '(' || arguments || '): ' || state) FROM outcome WHERE state !~ '^42501 ' AND
	kind NOT IN ('function of an operator') GROUP BY kind ORDER BY kind}), '',
		'none can be made by a role without rights');
like(value($node, q{SELECT min(state) FROM outcome WHERE kind = 'operator'}),
	qr/^42501 permission denied to create operator \S+ on an encrypted type$/,
	'and the error says so');

# By a detour: made under a name of its own, or by a superuser for something else, and renamed or moved.
value($node, q{CREATE FUNCTION public.harmless(encrypted_text) RETURNS text LANGUAGE plpgsql AS ''; ALTER FUNCTION harmless(encrypted_text) OWNER TO nobody;
	CREATE FUNCTION evil.also_harmless(encrypted_text) RETURNS text LANGUAGE plpgsql AS ''; ALTER FUNCTION evil.also_harmless(encrypted_text) OWNER TO nobody},
	set => ['check_function_bodies=off']);
fails($node, 'ALTER FUNCTION evil.also_harmless(encrypted_text) RENAME TO upper', '42501', qr/encrypted type/,
	'by renaming', @nobody);

# Polymorphic ones: the path's last schema has an operator and a function of each name, for any type, or for any type
# and a base type. Each form stands alone, so that none hides behind another's ambiguity.
my @forms = map { [ $_, $_ ] } qw(anyelement anynonarray anycompatible anycompatiblenonarray anyenum);
push @forms, [ 'anyelement', 'base' ], [ 'base', 'anyelement' ];
for my $form (@forms)
{
	my ($left, $right) = @$form;
	my $schema = "poly_${left}_$right";
	value($node, "CREATE SCHEMA $schema AUTHORIZATION nobody; GRANT USAGE ON SCHEMA $schema TO PUBLIC; TRUNCATE outcome");
	value($node, <<"SQL", @nobody);
SELECT attempt('make function', 'taken', format('%s, %s', l, r), format('CREATE FUNCTION $schema.taken(%s, %s) RETURNS boolean LANGUAGE plpgsql AS
	\$f\$ BEGIN RAISE ''stolen'' USING ERRCODE = ''HOSTL''; END \$f\$', l, r))
FROM (SELECT DISTINCT replace('$left', 'base', base::text) AS l, replace('$right', 'base', base::text) AS r FROM sealed) AS b;
SELECT attempt('make operator', o.oprname::text, format('%s, %s', l, r),
	format('CREATE OPERATOR $schema.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = $schema.taken)', o.oprname, l, r))
FROM (SELECT DISTINCT oprname FROM pg_operator WHERE oprleft <> 0 AND oprnamespace = 'pg_catalog'::regnamespace) AS o,
	(SELECT DISTINCT replace('$left', 'base', base::text) AS l, replace('$right', 'base', base::text) AS r FROM sealed) AS b;
SELECT attempt('make function', p.proname::text, '$left', format('CREATE FUNCTION $schema.%I(%s) RETURNS text LANGUAGE plpgsql AS
	\$f\$ BEGIN RAISE ''stolen'' USING ERRCODE = ''HOSTL''; END \$f\$', p.proname, '$left'))
FROM (SELECT DISTINCT p.proname FROM pg_proc p, sealed s WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proargtypes[0] = s.base
	AND p.pronargs = 1 AND p.prokind = 'f' AND p.prorettype NOT IN ('internal'::regtype, 'cstring'::regtype, 'trigger'::regtype)) AS p
WHERE '$left' <> 'base';
SELECT attempt('make function', p.proname::text, p.second, format('CREATE FUNCTION $schema.%I(anyelement, %s) RETURNS text LANGUAGE plpgsql AS
	\$f\$ BEGIN RAISE ''stolen'' USING ERRCODE = ''HOSTL''; END \$f\$', p.proname, p.second))
FROM (SELECT DISTINCT p.proname, format_type(p.proargtypes[1], NULL) AS second FROM pg_proc p, sealed s
	WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proargtypes[0] = s.base AND p.pronargs >= 2 AND p.prokind = 'f'
		AND p.proargtypes[1] NOT IN ('internal'::regtype, 'cstring'::regtype, '"any"'::regtype)) AS p
WHERE '$left, $right' = 'anyelement, base';
SQL
	is(value($node, q{SELECT kind, name, arguments, state FROM outcome WHERE kind ~ '^make' AND state !~ '^(done|42501 )'}), '', "($left, $right): made, or refused");
	value($node, 'TRUNCATE outcome');
	value($node, <<'SQL', @key, user => 'reader', set => ["search_path=public,$schema"]);
SELECT attempt('operator', oprname::text, form, format('SELECT h.%I %s %s FROM public.held h', name, oprname, format(right_side, name, base)))
FROM (SELECT DISTINCT s.*, o.oprname FROM sealed s JOIN pg_operator o ON s.base = o.oprleft AND s.base = o.oprright
	AND o.oprnamespace = 'pg_catalog'::regnamespace) AS o,
	(VALUES ('column', 'h.%1$I'), ('untyped literal', 'NULL'), ('base', 'NULL::%2$s')) AS f (form, right_side);
SELECT attempt('function', proname::text, name, format('SELECT %I(h.%I) FROM public.held h', proname, name))
FROM (SELECT DISTINCT s.*, p.proname FROM sealed s JOIN pg_proc p ON p.proargtypes[0] = s.base AND p.pronargs = 1 AND p.prokind = 'f'
	AND p.pronamespace = 'pg_catalog'::regnamespace AND p.prorettype NOT IN ('internal'::regtype, 'cstring'::regtype, 'trigger'::regtype)) AS p
WHERE proname !~ '(in|out|recv|send)$';
SELECT attempt('function', proname::text, form, format('SELECT %I(h.%I, NULL%s) FROM public.held h', proname, name, replace(cast_to, 'second', second)))
FROM (SELECT DISTINCT s.*, p.proname, format_type(p.proargtypes[1], NULL) AS second FROM pg_proc p, sealed s
	WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proargtypes[0] = s.base AND p.pronargs - p.pronargdefaults <= 2 AND p.pronargs >= 2
		AND p.prokind = 'f' AND p.proargtypes[1] NOT IN ('internal'::regtype, 'cstring'::regtype)
		AND p.prorettype NOT IN ('internal'::regtype, 'cstring'::regtype, 'trigger'::regtype)) AS p,
	(VALUES ('untyped literal', ''), ('typed', '::second')) AS f (form, cast_to);
SQL
	cmp_ok(value($node, 'SELECT count(*) FROM outcome'), '>', 400, "($left, $right): tried");
	# Beside an untyped literal the base type that stands in the signature decides, and a variadic function yields to
	# one that is not. For all other forms, the worst is a query that is ambiguous, and fails.
	my $known = $left eq 'anyelement' && $right eq 'base'
	  ? q{(arguments = 'untyped literal' OR name IN ('jsonb_delete', 'jsonb_extract_path', 'jsonb_extract_path_text'))} : 'false';
	is(value($node, "SELECT kind, name, arguments FROM outcome WHERE state ~ '^HOSTL' AND NOT $known ORDER BY 1, 2, 3"),
		'',
		"($left, $right): what is run is known");
}
$node->stop;
done_testing();
