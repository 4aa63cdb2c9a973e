# Faults that a second review found, each as it was shown.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use EnvcryptTest;

my $key  = new_master_key();
my $node = new_server('review2');
value($node, 'GRANT envcrypt_encrypt, envcrypt_decrypt TO postgres', user => 'postgres');
value($node, 'SELECT envcrypt_rotate_master()', key => $key);
my @key     = (key => $key);
my @mallory = (user => 'mallory');
value($node, 'CREATE ROLE mallory LOGIN');

# Procedures cannot be STRICT.
fails($node, 'BEGIN; CALL envcrypt_require_own_transaction(NULL)', '2D000', qr/transaction block/,
	'a procedure called with NULL raises', @mallory);
is(value($node, 'SELECT 1'), '1', 'and the server is up');

# Who names a type does not write what envcrypt_create_type() runs.
my @hostile = (q{x'; ALTER ROLE mallory SUPERUSER;--}, q{";ALTER ROLE mallory SUPERUSER;--<B>}, q{a<B>b}, q{a\1});
for my $name (@hostile)
{
	(my $quoted = $name) =~ s/"/""/g;
	value($node, qq{CREATE TYPE "$quoted" AS ENUM ('a')}, @mallory);
	(my $literal = $quoted) =~ s/'/''/g;
	fails($node, qq{SELECT envcrypt_create_type('"$literal"')}, '42602', qr/characters in its name/,
		"type name $name is refused");
}
is(value($node, q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}), 'f', 'no statement in a name was run');

# Whose table it is does not choose what runs as the one who protects and verifies it.
value($node, q{
	CREATE TABLE loot (who text);
	CREATE TYPE mood AS ENUM ('a', 'b');
	CREATE FUNCTION evil(mood) RETURNS text LANGUAGE plpgsql AS $$
		BEGIN INSERT INTO public.loot VALUES (current_user); RETURN 'x'; END $$;
	CREATE CAST (mood AS text) WITH FUNCTION evil(mood);
	CREATE TABLE m (o mood, v text);
	CREATE TABLE users (o mood);
	INSERT INTO m VALUES ('a', '1'), ('b', '2');
	INSERT INTO users VALUES ('a')}, @mallory);
fails($node, q{SELECT envcrypt_protect('m', 'v', 'o')}, '42804', qr/cannot name owners/, 'an enum names no owners',
	@key);
fails($node, q{SELECT envcrypt_manage_owners('users', 'o')}, '42804', qr/cannot name owners/, 'nor users', @key);
is(value($node, 'SELECT count(*) FROM loot'), '0', "a type's owner's cast was not run");

# Nor do the functions of its indexes run as the one who protects it online.
value($node, q{
	CREATE FUNCTION note() RETURNS void LANGUAGE plpgsql AS $$
		BEGIN IF current_user <> 'mallory' THEN INSERT INTO public.loot VALUES (current_user); END IF; END $$;
	CREATE FUNCTION indexed(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
		BEGIN PERFORM public.note(); RETURN $1; END $$;
	CREATE TABLE busy (o int, v text);
	CREATE INDEX ON busy (indexed(o));
	INSERT INTO busy SELECT i, 'value ' || i FROM generate_series(1, 1000) i}, @mallory);
value($node, q{CALL envcrypt_protect_online('busy', 'v', 'o')}, @key);
is(value($node, q{SELECT count(*), (SELECT count(*) FROM loot) FROM busy WHERE v = 'value ' || o AND envcrypt_owner(v) = o::text}, @key),
	'1000|0', "expressions of indexes run as the table's owner");

# A domain's check may compare encrypted values while one is being opened.
is( value($node, q{
	SET client_min_messages = warning;
	CREATE TABLE long AS SELECT encrypted_text(repeat(chr(65 + i), 2000)) AS v FROM generate_series(1, 6) i;
	CREATE FUNCTION compares(text) RETURNS boolean LANGUAGE plpgsql AS
		$$ BEGIN RETURN (SELECT count(*) >= 0 FROM public.long a, public.long b WHERE a.v OPERATOR(public.*<) b.v); END $$;
	CREATE DOMAIN compared AS text CHECK (compares(VALUE));
	DO $$ BEGIN PERFORM envcrypt_create_type('compared'); END $$;
	CREATE TABLE d AS SELECT repeat(chr(70 - i % 5), 1500)::compared::encrypted_compared AS v FROM generate_series(1, 20) i;
	SELECT count(DISTINCT v) FROM d;
	SELECT sum((a.v *< b.v)::int) FROM d a, d b}, @key),
	"5\n160", 'a check that compares encrypted values');
is( value($node, q{
	SET client_min_messages = warning;
	CREATE FUNCTION reads(value text) RETURNS boolean LANGUAGE plpgsql AS $$
		BEGIN
			IF length(value) > 3 THEN RETURN (SELECT count(v::text) > 0 FROM public.own); END IF;
			RETURN true;
		END $$;
	CREATE DOMAIN reading AS text CHECK (reads(VALUE));
	DO $$ BEGIN PERFORM envcrypt_create_type('reading'); END $$;
	CREATE TABLE own AS SELECT 'abc'::reading::encrypted_reading AS v FROM generate_series(1, 5);
	CREATE TABLE longer AS SELECT 'abcdef'::encrypted_reading AS v FROM generate_series(1, 5);
	SELECT count(DISTINCT v::text) FROM longer}, @key),
	'1', 'a check that opens values of its own type');

# envcrypt_create_type() runs no check, and can be called again after DROP TYPE.
value($node, q{CREATE FUNCTION tells(int[]) RETURNS boolean LANGUAGE plpgsql AS $$
		BEGIN INSERT INTO public.loot VALUES (current_user); RETURN true; END $$;
	CREATE DOMAIN numbers AS int[] NOT NULL CHECK (tells(VALUE))}, @mallory);
my $again = q{SET client_min_messages = error; SELECT envcrypt_create_type('numbers'); DROP TYPE encrypted_numbers CASCADE;};
is(value($node, "$again$again SELECT count(*) FROM loot"), "encrypted_numbers\nencrypted_numbers\n0",
	'a type can be made again, and its domain checks nothing meanwhile');
value($node, q{SET client_min_messages = error; CREATE TYPE gone AS ENUM ('a'); SELECT envcrypt_create_type('gone');
	ALTER EVENT TRIGGER envcrypt_guard_ddl DISABLE; DROP TYPE gone CASCADE; ALTER EVENT TRIGGER envcrypt_guard_ddl ENABLE ALWAYS;
	CREATE TYPE gone AS ENUM ('b')});
fails($node, q{SELECT envcrypt_create_type('gone')}, '42710',
	qr/HINT:  Drop it.*DROP TYPE public\.encrypted_gone CASCADE;/,
	'what is left of a type whose base was dropped, with nothing to notice it, is told');
is(value($node, q{SET client_min_messages = error; DROP TYPE public.encrypted_gone CASCADE; SELECT envcrypt_create_type('gone')}),
	'encrypted_gone', 'and can be dropped, and made again');

# In a schema of its own, the extension is in nobody's way.
value($node, 'CREATE DATABASE apart');
value($node, q{CREATE SCHEMA crypt; CREATE EXTENSION envcrypt SCHEMA crypt; GRANT ALL ON SCHEMA public TO mallory},
	db => 'apart', set => ['client_min_messages=error']);
value($node, q{SELECT crypt.envcrypt_rotate_master(); CREATE TABLE t (v text, o int); SELECT crypt.envcrypt_protect('t', 'v', 'o')},
	db => 'apart', @key);
is( (run_sql($node, 'CREATE TABLE mine (a int); ALTER TABLE mine ADD b int; CREATE TEMP TABLE passing (a int)',
		db => 'apart', @mallory))[2], '', 'tables are made and changed without USAGE of its schema');

done_testing();
