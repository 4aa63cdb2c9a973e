# What the owner of a table or a type wrote (names, casts, expressions of indexes, checks) does not run as whoever
# protects the table, or makes the encrypted type.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use EnvcryptTest;

my $key  = new_master_key();
my $node = new_server('owners_code');
value($node, 'GRANT envcrypt_encrypt, envcrypt_decrypt TO postgres', user => 'postgres');
value($node, 'SELECT envcrypt_rotate_master()', key => $key);
my @key     = (key => $key);
my @mallory = (user => 'mallory');
value($node, 'CREATE ROLE mallory LOGIN');

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
is(value($node,
	q{SELECT count(*), (SELECT count(*) FROM loot) FROM busy WHERE v = 'value ' || o AND envcrypt_owner(v) = o::text},
	@key),
	'1000|0', "expressions of indexes run as the table's owner");

# envcrypt_create_type() runs no check, and can be called again after DROP TYPE.
value($node, q{CREATE FUNCTION tells(int[]) RETURNS boolean LANGUAGE plpgsql AS $$
		BEGIN INSERT INTO public.loot VALUES (current_user); RETURN true; END $$;
	CREATE DOMAIN numbers AS int[] NOT NULL CHECK (tells(VALUE))}, @mallory);
my $again = q{SET client_min_messages = error; SELECT envcrypt_create_type('numbers');
	DROP TYPE encrypted_numbers CASCADE;};
is(value($node, "$again$again SELECT count(*) FROM loot"), "encrypted_numbers\nencrypted_numbers\n0",
	'a type can be made again, and its domain checks nothing meanwhile');
$node->stop;
done_testing();
