# No call inside the extension has a better match that somebody else can make. Whoever may create in its schema offers,
# for each of its functions and for each function and operator of PostgreSQL's that its script names, overloads for all
# types that its arguments might have there. They are made from the catalogs, so that what is added to the extension is
# tried, too. Whoever calls one of them ends in the log, and with an error that nothing catches.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use EnvcryptTest;

my $key  = new_master_key();
my $node = new_server('exact_calls', conf => "fsync = off\nautovacuum = off\njit = off");
my @trap = (key => $key, db => 'trap');
my @path = ('search_path=pg_catalog');

# What can be seen without running anything: whatever is not parsed yet runs with a search path of its own.
is(value($node, <<'SQL'), '', 'functions that are parsed when they run have a search path that only superusers write to');
SELECT p.oid::regprocedure FROM pg_proc p
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'envcrypt'
JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname NOT IN ('c', 'internal') AND p.prosqlbody IS NULL AND p.prokind <> 'p'
	AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)
SQL

# The traps. `targets` is text, so that it can be carried to a database that has no extension yet.
my $prepare = <<'SQL';
CREATE SCHEMA traps;
CREATE TABLE traps.targets (name text, arguments text[], defaults integer, spreads boolean, result text, namespace oid);
CREATE TABLE traps.types AS SELECT format_type(unnest('{oid,regclass,regtype,regproc,regprocedure,regnamespace,text,name,varchar,"\"char\"",
	bool,int2,int4,int8,float8,numeric,bytea,interval,timestamptz,jsonb,tid,pg_node_tree,int2vector,oidvector,
	name[],text[],int2[],int4[],oid[],regtype[],regclass[],tid[],pg_attribute,pg_type,anyelement,anyarray}'::regtype[]), NULL) AS type;
CREATE FUNCTION traps.trap(function text, arguments text[], result text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE FUNCTION %s(%s) RETURNS %s LANGUAGE plpgsql AS %L', function, array_to_string(arguments, ', '), result,
		format('BEGIN RAISE LOG %L; RAISE %L USING ERRCODE = ''HOSTL''; END', 'trap: ' || function || arguments::text,
			'trap: ' || function || arguments::text));
	RETURN 1;
EXCEPTION WHEN duplicate_function OR invalid_function_definition OR undefined_object OR datatype_mismatch OR syntax_error OR feature_not_supported THEN
	RETURN 0;
END $$;
-- Each signature with each argument replaced by each type; without its last arguments, if these have defaults.
CREATE FUNCTION traps.spring(schema text, name text, arguments text[], defaults integer, spreads boolean, result text)
RETURNS bigint LANGUAGE sql AS $$
	SELECT sum(traps.trap(schema || '.' || name, tried, result)) FROM (
		SELECT arguments[:i - 1] || CASE WHEN spreads AND i = cardinality(arguments) THEN ARRAY[type] || more ELSE ARRAY[type] END
			|| arguments[i + 1:]
		FROM generate_subscripts(arguments, 1) AS i, traps.types,
			LATERAL (SELECT '{}'::text[] UNION ALL SELECT ARRAY[a] FROM unnest('{text,name,regclass,regtype,oid}'::text[]) AS a
				WHERE spreads AND i = cardinality(arguments)) AS m (more)
		WHERE type <> arguments[i]
		UNION SELECT arguments[:cardinality(arguments) - n] FROM generate_series(1, defaults) AS n
	) AS t (tried)
	WHERE NOT EXISTS (SELECT FROM traps.targets AS g WHERE g.name = spring.name AND g.arguments = tried)
$$;
SQL
my $signatures = <<'SQL';
SELECT p.proname, ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n) ORDER BY n)::text AS arguments,
	p.pronargdefaults, p.provariadic <> 0 AS spreads, replace(pg_get_function_result(p.oid), 'anyarray', 'text[]') AS result, p.pronamespace
FROM pg_proc p
WHERE p.pronargs > 0 AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
	AND NOT 'internal'::regtype = ANY (p.proargtypes) AND NOT 'cstring'::regtype = ANY (p.proargtypes)
SQL
my $script = slurp_file($node->config_data('--sharedir') . '/extension/envcrypt--'
	  . value($node, q{SELECT extversion FROM pg_extension WHERE extname = 'envcrypt'}) . '.sql');
my %words = map { $_ => 1 } $script =~ /(\w+)\s*\(/g;
my $words = join ',', grep { !/^encrypted/ } sort keys %words;
my $file  = PostgreSQL::Test::Utils::tempdir() . '/signatures';
value($node, <<"SQL");
COPY (SELECT * FROM ($signatures) AS s WHERE s.proname::text = ANY ('{$words}')
	AND s.arguments !~ 'encrypted|envcrypt_' AND (s.pronamespace <> 'pg_catalog'::regnamespace OR s.result !~ 'any|record'))
TO '$file';
SQL
value($node, 'CREATE DATABASE trap');
value($node, 'ALTER DATABASE trap SET check_function_bodies = off');
value($node, $prepare, @trap);
cmp_ok(value($node, <<"SQL", @trap), '>', 10_000, 'thousands of overloads stand where the extension is installed');
CREATE SCHEMA crypt;
COPY traps.targets FROM '$file';
INSERT INTO traps.targets SELECT proname, arguments::text[], pronargdefaults, spreads, 'text', pronamespace FROM ($signatures) AS s
WHERE proname IN ('format', 'cardinality', 'array_cat', 'array_append', 'unnest', 'min', 'max', 'num_nonnulls', 'array_position',
	'hash_array', 'pg_typeof', 'array_to_string', 'quote_literal', 'to_json');
SELECT sum(traps.spring('crypt', quote_ident(name), arguments, defaults, spreads, result)) FROM traps.targets;
SQL
cmp_ok(value($node, <<'SQL', @trap), '>', 5_000, 'and thousands of operators');
CREATE FUNCTION traps.operators() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	item record;
	made integer := 0;
BEGIN
	FOR item IN SELECT l.type AS l, r.type AS r FROM traps.types l, traps.types r
		WHERE NOT ARRAY[l.type, r.type] && '{anyarray,anyelement,pg_node_tree,bytea,interval,jsonb,regnamespace,int2vector,oidvector}' LOOP
		PERFORM traps.trap('crypt.operated', ARRAY[item.l, item.r], 'boolean');
		PERFORM traps.trap('crypt.operated_text', ARRAY[item.l, item.r], 'text');
		FOR i IN 1 .. 11 LOOP
			BEGIN
				EXECUTE format('CREATE OPERATOR crypt.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s)',
					('{=,<>,<,<=,>,>=,~,!~,&&,@>,||}'::text[])[i], item.l, item.r,
					CASE i WHEN 11 THEN 'crypt.operated_text' ELSE 'crypt.operated' END);
				made := made + 1;
			EXCEPTION WHEN duplicate_function OR invalid_function_definition OR undefined_function THEN NULL;
			END;
		END LOOP;
	END LOOP;
	RETURN made;
END $$;
SELECT traps.operators();
SQL

# Domains over encrypted types are what an encrypted column may have, too.
value($node, 'CREATE EXTENSION envcrypt SCHEMA crypt', @trap);
is(sprung(), '', 'nothing was taken while the extension was installed');
value($node, <<"SQL", @trap, set => ['client_min_messages=error']);
CREATE ROLE app LOGIN SUPERUSER IN ROLE envcrypt_encrypt, envcrypt_decrypt;
CREATE TYPE public.mood AS ENUM ('sad', 'happy');
SELECT crypt.envcrypt_create_type('public.mood'::regtype);
CREATE DOMAIN public.sealed AS crypt.encrypted_text;
CREATE DOMAIN public.whom AS text;
SELECT sum(traps.spring('crypt', quote_ident(s.proname), s.arguments::text[], 0, false, s.result)) FROM ($signatures) AS s
WHERE s.pronamespace = 'crypt'::regnamespace AND s.proname IN ('envcrypt_create_type', 'envcrypt_define_type');
SELECT sum(traps.trap('crypt.' || quote_ident(s.proname), array_replace(s.arguments::text[], 'crypt.encrypted_text', 'public.sealed'), s.result))
FROM ($signatures) AS s
WHERE s.pronamespace = 'crypt'::regnamespace AND 'crypt.encrypted_text' = ANY (s.arguments::text[]) AND s.proname !~ '^encrypted';
SQL

# Everything that the extension does, with calls of its functions that are exact themselves.
my @steps = (
	'SELECT crypt.envcrypt_rotate_master()',
	q{SELECT crypt.envcrypt_create_user_key('u0'::text, true)},
	q{SELECT crypt.envcrypt_create_type('pg_catalog.int4'::regtype), crypt.envcrypt_create_type('public.whom'::regtype),
		crypt.envcrypt_create_type('pg_catalog.int4range'::regtype), crypt.envcrypt_create_type('pg_catalog.int4[]'::regtype)},
	q{CREATE TABLE public.users (id text PRIMARY KEY)},
	q{INSERT INTO public.users VALUES ('u1'), ('u2'), ('u3')},
	q{SELECT crypt.envcrypt_manage_owners('public.users'::regclass, 'id'::name, 'shred'::text)},
	q{CREATE TABLE public.t (id int, who text, v text CHECK (length(v) > 0), w public.whom DEFAULT 'w', m public.mood, a int[], d date, n numeric(5,2),
		by_hand public.sealed) PARTITION BY RANGE (id)},
	q{CREATE TABLE public.t1 PARTITION OF public.t FOR VALUES FROM (0) TO (10)},
	q{INSERT INTO public.t VALUES (1, 'u1', 'one', 'x', 'sad', '{1}', '2026-01-01', 1.5, 'hand'), (2, 'u2', 'two', 'y', 'happy', '{2}', NULL, 2, NULL)},
	q{CREATE STATISTICS public.st ON id, who FROM public.t},
	q{CREATE POLICY p ON public.t USING (pg_catalog.length(v) > 0)},
	q{SELECT crypt.envcrypt_protect('public.t'::regclass, '{v,w,m,a,d,n,by_hand}'::name[], 'who'::name, 'error'::text)},
	q{SELECT crypt.envcrypt_protect('public.t'::regclass, 'v'::name, 'who'::name, 'error'::text)},
	q{CREATE TABLE public.t2 PARTITION OF public.t FOR VALUES FROM (10) TO (20)},
	q{ALTER TABLE public.t ADD COLUMN extra text},
	q{INSERT INTO public.t (id, who, v, w, m, a, n) VALUES (11, 'u1', 'eleven', 'x', 'sad', '{3}', 7)},
	q{SELECT * FROM crypt.envcrypt_verify('public.t'::regclass, 100::float8, 5)},
	q{SELECT * FROM crypt.envcrypt_verify('public.t'::regclass, 50::float8, 5)},
	q{SELECT * FROM crypt.envcrypt_columns},
	q{SELECT * FROM crypt.envcrypt_status()},
	q{CREATE TABLE public.holds (x public.sealed[], y public.sealed, z crypt.encrypted_text[])},
	q{INSERT INTO public.holds VALUES ('{a,b}', 'c', '{d}')},
	q{SELECT * FROM crypt.envcrypt_verify('public.holds'::regclass, 100::float8, 5)},
	q{SELECT v, w, m, a, d, n FROM public.t ORDER BY v, w, m, a, d, n},
	q{SELECT crypt.envcrypt_owner(v), crypt.envcrypt_key_id(v), crypt.decrypt_for_user('u1'::text, v) FROM public.t1 WHERE who OPERATOR(pg_catalog.=) 'u1'::text},
	q{SELECT crypt.encrypt_for_user('u1'::text, 'x'::text)},
	q{SELECT crypt.envcrypt_unprotect('public.t'::regclass, 'd'::name)},
	q{CREATE TABLE public.busy (id int PRIMARY KEY, who text NOT NULL, v text NOT NULL CHECK (v > ''), m public.mood)},
	q{INSERT INTO public.busy SELECT i, 'u1', 'value', 'sad' FROM pg_catalog.generate_series(1::int, 1000::int) AS i},
	q{CALL crypt.envcrypt_protect_online('public.busy'::regclass, 'v'::name, 'who'::name, 'error'::text)},
	q{SELECT crypt.envcrypt_online_attempt('prepare'::text, 'public.busy'::regclass, 'm'::name, 'who'::name, 'error'::text, '1s'::interval, 1)},
	q{SELECT * FROM crypt.envcrypt_status()},
	q{CALL crypt.envcrypt_protect_online_cancel('public.busy'::regclass, 'm'::name)},
	q{SELECT crypt.envcrypt_rekey_user('u1'::text)},
	q{SELECT crypt.envcrypt_rekey_users('{u1,u2}'::text[])},
	q{DELETE FROM public.users WHERE id OPERATOR(pg_catalog.=) 'u3'::text},
	q{UPDATE public.users SET id = 'u4' WHERE id OPERATOR(pg_catalog.=) 'u2'::text},
	q{SELECT crypt.envcrypt_unmanage_owners('public.users'::regclass)},
	q{SELECT crypt.envcrypt_unprotect('public.t'::regclass, '{v,w,m,a,n,by_hand}'::name[])},
	q{SELECT crypt.envcrypt_unprotect('public.busy'::regclass, 'v'::name)},
	q{SELECT crypt.envcrypt_shred_user('u0'::text, false)},
	q{SELECT crypt.envcrypt_shred_users('{u0,nobody}'::text[])},
	q{DROP TABLE public.t, public.busy, public.users, public.holds},
	q{DROP TYPE crypt.encrypted_int4 CASCADE},
);
my $new_key = new_master_key();
for my $path ('pg_catalog', 'crypt', '')
{
	for my $step (@steps)
	{
		my ($out, $err, $sqlstate) = run_sql($node, $step, @trap, user => 'app',
			set => [ "search_path=$path", 'client_min_messages=error' ]);
		my $short = substr($step =~ s/\s+/ /gr, 0, 70);
		is($sqlstate, '', "search_path '$path': $short") or diag($err);
	}
	value($node, <<'SQL', @trap, set => ['client_min_messages=error']);
DROP TYPE crypt.encrypted_whom CASCADE; DROP TYPE crypt.encrypted_int4range CASCADE; DROP TYPE crypt.encrypted__int4 CASCADE;
SQL
}
value($node, 'SELECT crypt.envcrypt_rotate_master()', db => 'trap', key => "$new_key:$key",
	set => ['search_path=crypt']);
is(sprung(), '', 'nothing was taken while all of it was used');

$node->stop;
done_testing();

# The traps that the log tells of.
sub sprung
{
	my %seen = map { $_ => 1 } slurp_file($node->logfile) =~ /(trap: .*)/g;
	return join "\n", sort keys %seen;
}
