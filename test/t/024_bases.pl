# Which types can be encrypted: each type of the catalogs either has an encrypted type that works, or is refused with
# one clear error. What holds encrypted values is refused, at any depth and whenever it comes to hold one. And what a
# base type's own functions do while a value is compared, opening others among it, breaks nothing.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use EnvcryptTest;

my $key  = new_master_key();
my $node = new_server('bases', conf => "fsync = off\nautovacuum = off\njit = off");
my @key  = (key => $key);
my @quiet = (set => ['client_min_messages=error']);
value($node, 'GRANT envcrypt_encrypt, envcrypt_decrypt TO postgres; SELECT envcrypt_rotate_master()', @key,
	user => 'postgres');

# Every type there is. A value: what the type's own input makes of the first of these literals that it takes.
value($node, q{
	CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION cube;
	CREATE TYPE mood AS ENUM ('sad', 'happy');
	CREATE DOMAIN zip AS text CHECK (VALUE ~ '^[0-9]+$');
	CREATE TYPE place AS (street text, at zip, feels mood);
	CREATE TYPE span AS RANGE (subtype = float8);
	CREATE TABLE rows (id int, v place, a span[]);
	CREATE FUNCTION sample(type regtype) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		literal text;
		result text;
	BEGIN
		FOREACH literal IN ARRAY '{1,"{}",(),sad,empty,"(1,2)","[1,2)",a=>1,2026-01-01,10:00,08:00:2b:01:02:03,08:00:2b:01:02:03:04:05,10.0.0.1,
			"(1,1),(2,2)","<(1,1),2>","{1,2,3}","((1,1),(2,2))",a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,0/0,1:1:,pg_class,B1,"[1,2]",
			"(,,)","1 day",now,t,pg_catalog,english,=,"=(int4,int4)","abs(int4)"}'::text[] LOOP
			BEGIN
				EXECUTE format('SELECT %L::%s::text', literal, type) INTO result;
				IF result IS NOT NULL THEN RETURN result; END IF;
			EXCEPTION WHEN OTHERS THEN NULL;
			END;
		END LOOP;
		RETURN NULL;
	END $$;
	CREATE TABLE tried (type text, outcome text, detail text);
	CREATE PROCEDURE try(base regtype) LANGUAGE plpgsql AS $$
	DECLARE
		value text := sample(base);
		made regtype;
		found text;
		detail text;
	BEGIN
		BEGIN
			IF EXISTS (SELECT FROM pg_type WHERE oid = base AND typname IN ('text', 'bytea', 'jsonb', 'int8', 'numeric', 'float8', 'bool', 'date',
				'timestamptz', 'uuid', 'inet') AND typnamespace = 'pg_catalog'::regnamespace) THEN
				made := envcrypt_encrypted_type(base::oid);
			ELSE
				made := envcrypt_create_type(base);
			END IF;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
			INSERT INTO tried VALUES (base, SQLSTATE || ' ' || SQLERRM, detail);
			RETURN;
		END;
		BEGIN
			EXECUTE format('CREATE TABLE holds (v %s); INSERT INTO holds VALUES (NULL), (%L), (%L)', made, value, value);
			EXECUTE 'SELECT string_agg(DISTINCT v::text, '','') FROM holds' INTO found;
			INSERT INTO tried VALUES (base, CASE WHEN found IS NOT DISTINCT FROM value THEN 'works' ELSE format('gives %s for %s', found, value) END,
				CASE WHEN value IS NULL THEN 'null' END);
			DROP TABLE holds;
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO tried VALUES (base, 'fails: ' || SQLSTATE || ' ' || SQLERRM, value);
		END;
		EXECUTE format('DROP TYPE %s CASCADE', made);
	EXCEPTION WHEN dependent_objects_still_exist THEN NULL;
	END $$;
}, @quiet);
my @types = split /\n/, value($node, q{SELECT oid::regtype FROM pg_type WHERE oid NOT IN (SELECT c.reltype FROM pg_class c WHERE c.relname = 'tried')
	AND typname !~ '^_?(encrypted|envcrypt)' ORDER BY oid});
cmp_ok(scalar @types, '>', 500, 'all types of the catalogs');
my @batch = map { my $t = s/'/''/gr; "CALL try('$t')" } @types;
while (my @some = splice @batch, 0, 100)
{
	value($node, join('; ', @some), @key, @quiet);
}
is(value($node, q{SELECT type, outcome, detail FROM tried WHERE outcome <> 'works' AND outcome !~ '^42809 cannot encrypt values of type '
	AND outcome !~ '^(42809 type .* is encrypted already|42622 name of type|42602 type )' ORDER BY type}), '',
	'each type works, or is refused with one clear error');
is(value($node, q{SELECT count(*) FROM tried WHERE outcome ~ '^42809' AND detail !~ '[.]$'}), '0', 'which says why');
cmp_ok(value($node, q{SELECT count(*) FROM tried WHERE outcome = 'works' AND detail IS NULL}), '>', 150,
	'most work with a value');
for my $type ('pg_node_tree', 'pg_ndistinct', 'pg_dependencies', 'pg_mcv_list', 'pg_brin_bloom_summary',
	'pg_brin_minmax_multi_summary')
{
	fails($node, "SELECT envcrypt_create_type('$type')", '42809',
		qr/cannot encrypt values of type $type\nDETAIL:  Its receive function takes no value\./,
		"type $type is refused", @quiet);
}
for my $type ('aclitem', 'cstring', 'record', 'anyelement', 'trigger', 'gtsvector')
{
	fails($node, "SELECT envcrypt_create_type('$type')", '42809',
		qr/cannot encrypt values of type $type\nDETAIL:  A type .* needs binary send and receive/,
		"type $type is refused", @quiet);
}
fails($node, q{SELECT envcrypt_create_type('pg_attrdef')}, '42809',
	qr/cannot encrypt values of type pg_attrdef\nDETAIL:  It contains type pg_node_tree\. Its receive/,
		'and what contains one', @quiet);
fails($node, 'SELECT envcrypt_create_type(0::oid::regtype)', '42704', qr/type with OID 0 does not exist/,
	'a type that does not exist');

# What contains encrypted values.
value($node, q{
	CREATE DOMAIN sealed AS encrypted_text;
	CREATE TYPE one AS (a encrypted_text);
	CREATE TYPE two AS (a int, b one[]);
	CREATE DOMAIN three AS two[];
	CREATE TYPE four AS RANGE (subtype = encrypted_int8);
	CREATE TYPE five AS (m sealed);
	CREATE TABLE six (v encrypted_date)});
for my $type ('encrypted_text', 'encrypted_text[]', 'sealed', 'sealed[]', 'one', 'one[]', 'two', 'three', 'three[]',
	'four', 'four[]',
	value($node, q{SELECT rngmultitypid::regtype FROM pg_range WHERE rngtypid = 'four'::regtype}), 'five', 'six',
		'six[]')
{
	fails($node, "SELECT envcrypt_create_type('$type')", '42809', qr/(is encrypted already|are encrypted already)/,
		"$type contains encrypted values", @quiet);
}

# What comes to contain them: nothing more is sealed or opened, until it is changed back.
value($node, q{
	CREATE TYPE inner_part AS (a int);
	CREATE TYPE outer_part AS (p inner_part[]);
	SELECT envcrypt_create_type('outer_part');
	CREATE TABLE grows AS SELECT ROW(ARRAY[ROW(1)::inner_part])::outer_part::encrypted_outer_part AS v}, @key, @quiet);
my $session = session($node, @key);
is(ask($session, 'SELECT v FROM grows'), '("{(1)}")', 'a composite type');
value($node, 'SET envcrypt.allow_data_loss = on; ALTER TYPE inner_part ADD ATTRIBUTE b encrypted_text');
for my $statement ('SELECT v FROM grows', q{INSERT INTO grows VALUES ('("{""(1,x)""}")')},
	'SELECT ROW(NULL)::outer_part::encrypted_outer_part')
{
	ask_fails($session, $statement, '42809',
		qr/cannot encrypt values of type outer_part.*It contains type encrypted_text/s, "after ALTER TYPE: $statement");
}
value($node, 'SET envcrypt.allow_data_loss = on; ALTER TYPE inner_part DROP ATTRIBUTE b');
is(ask($session, 'SELECT v FROM grows'), '("{(1)}")', 'and changed back, it can be read again');
$session->quit;

# A base type whose comparison opens other values, through the same memo, before it looks at the two it was given. Long
# values are kept only while they are compared, so that any other takes their place.
value($node, q{
	SET client_min_messages = error;
	CREATE TYPE wordy AS (a text);
	CREATE TABLE others AS SELECT encrypted_text(repeat(chr(33 + i), 1500 + 300 * i)) AS v FROM generate_series(1, 6) i;
	CREATE FUNCTION opens() RETURNS boolean LANGUAGE plpgsql AS
		$$ BEGIN PERFORM count(*) FROM public.others x, public.others y WHERE x.v OPERATOR(public.*<) y.v; RETURN true; END $$;
	CREATE FUNCTION wordy_cmp(wordy, wordy) RETURNS int LANGUAGE sql AS
		'SELECT CASE WHEN public.opens() THEN bttextcmp(($1).a, ($2).a) END';
	CREATE FUNCTION wordy_lt(wordy, wordy) RETURNS bool LANGUAGE sql AS 'SELECT public.opens() AND ($1).a < ($2).a';
	CREATE FUNCTION wordy_le(wordy, wordy) RETURNS bool LANGUAGE sql AS 'SELECT public.opens() AND ($1).a <= ($2).a';
	CREATE FUNCTION wordy_eq(wordy, wordy) RETURNS bool LANGUAGE sql AS 'SELECT public.opens() AND ($1).a = ($2).a';
	CREATE FUNCTION wordy_ge(wordy, wordy) RETURNS bool LANGUAGE sql AS 'SELECT public.opens() AND ($1).a >= ($2).a';
	CREATE FUNCTION wordy_gt(wordy, wordy) RETURNS bool LANGUAGE sql AS 'SELECT public.opens() AND ($1).a > ($2).a';
	CREATE OPERATOR <# (LEFTARG = wordy, RIGHTARG = wordy, FUNCTION = wordy_lt);
	CREATE OPERATOR <=# (LEFTARG = wordy, RIGHTARG = wordy, FUNCTION = wordy_le);
	CREATE OPERATOR =# (LEFTARG = wordy, RIGHTARG = wordy, FUNCTION = wordy_eq);
	CREATE OPERATOR >=# (LEFTARG = wordy, RIGHTARG = wordy, FUNCTION = wordy_ge);
	CREATE OPERATOR ># (LEFTARG = wordy, RIGHTARG = wordy, FUNCTION = wordy_gt);
	CREATE OPERATOR CLASS wordy_ops DEFAULT FOR TYPE wordy USING btree AS OPERATOR 1 <#, OPERATOR 2 <=#, OPERATOR 3 =#, OPERATOR 4 >=#, OPERATOR 5 >#,
		FUNCTION 1 wordy_cmp(wordy, wordy);
	SELECT envcrypt_create_type('wordy');
	CREATE TABLE few AS SELECT ROW(repeat(chr(65 + i), 1300 + 300 * (i % 5)))::wordy::encrypted_wordy AS v FROM generate_series(1, 8) i}, @key);
is(value($node, q{SELECT count(*) FROM few a, few b WHERE a.v *= b.v; SELECT count(*) FROM few a, few b WHERE a.v *< b.v;
	SELECT string_agg(left((v::wordy).a, 1), '') FROM (SELECT v FROM few ORDER BY v DESC) s}, @key,
		set => ['enable_hashjoin=off', 'enable_mergejoin=off']),
	"8\n28\nIHGFEDCB", 'a comparison that opens others of its type');
is(value($node, q{SET work_mem = '64kB'; SELECT count(*), count(DISTINCT v) FROM (SELECT v FROM few UNION ALL SELECT v FROM few) s}, @key),
	'16|8', 'and in a sort');
is(value($node, 'SELECT 1'), '1', 'the server is up');

# What a made type's base is does not change under what was sealed of it, at any depth; names may.
value($node, q{CREATE TYPE shade AS ENUM ('dark', 'light'); CREATE TYPE spot AS (x int, name text, s shade); CREATE TABLE parent_row (a int, b text);
	CREATE TABLE child_row () INHERITS (parent_row)});
value($node, "SELECT envcrypt_create_type('$_')") for qw(shade spot child_row shade[]);
value($node, q{CREATE TABLE shades (s encrypted_shade); CREATE TABLE spots (s encrypted_spot); CREATE TABLE lists (l encrypted__shade);
	CREATE TABLE children (c encrypted_child_row[]); INSERT INTO spots VALUES ('(1,left,dark)')}, @key);
my @held = ('2BP01', qr/cannot change type \w+ while column "\w" of table "\w+" holds encrypted values of it.*encrypt the column again/s);
fails($node, $_, @held, "not while there are encrypted values: $_")
	for "ALTER TYPE shade RENAME VALUE 'dark' TO 'black'",
		'ALTER TYPE spot DROP ATTRIBUTE name, ADD ATTRIBUTE title text',
	'ALTER TYPE spot ADD ATTRIBUTE y int', 'ALTER TYPE spot DROP ATTRIBUTE x', 'ALTER TABLE parent_row ADD c int',
	'ALTER TABLE parent_row DROP b', 'DROP TYPE shade CASCADE',
		q{DO $$BEGIN ALTER TYPE shade RENAME VALUE 'dark' TO 'black'; END$$};
value($node, q{ALTER TYPE spot RENAME ATTRIBUTE name TO title; ALTER TYPE shade ADD VALUE 'grey'; ALTER TYPE shade RENAME TO tint});
is(value($node, 'SELECT s FROM spots', @key), '(1,left,dark)', 'what may be changed leaves values as they were');
value($node, 'DROP TABLE shades, spots, lists, children');
value($node, q{ALTER TYPE tint RENAME VALUE 'dark' TO 'black'; ALTER TYPE spot DROP ATTRIBUTE title; ALTER TABLE parent_row DROP b});

$node->stop;
done_testing();
