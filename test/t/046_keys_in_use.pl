# A value is sealed under its owner's key, whatever runs between the look for the key and the sealing: the base type's
# functions may open so many other values that the key leaves the cache.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('keys', conf => "envcrypt.master_key_file = '" . key_file(new_master_key())
	. "'\nenvcrypt.cache_size = 16");
value($node, 'SELECT envcrypt_rotate_master()');
value($node, <<'SQL', user => 'clerk');
CREATE TABLE other (owner text, v encrypted_text);
INSERT INTO other SELECT 'other ' || i, encrypt_for_user('other ' || i, 'value ' || i) FROM generate_series(1, 100) i;
SQL
# A base type whose binary form takes opening a hundred values, and a type made of it.
value($node, <<'SQL');
CREATE TYPE busy;
CREATE FUNCTION busy_in(cstring) RETURNS busy LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION busy_out(busy) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE FUNCTION busy_recv(internal) RETURNS busy LANGUAGE internal IMMUTABLE STRICT AS 'textrecv';
CREATE FUNCTION busy_send(busy) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'textsend';
CREATE TYPE busy (INPUT = busy_in, OUTPUT = busy_out, RECEIVE = busy_recv, SEND = busy_send, LIKE = text);
CREATE OR REPLACE FUNCTION busy_send(busy) RETURNS bytea STRICT LANGUAGE plpgsql AS $$ BEGIN
	PERFORM count(v::text) FROM public.other;
	RETURN convert_to(textin(public.busy_out($1))::text, 'UTF8'); END $$;
SELECT envcrypt_create_type('busy');
GRANT ALL ON other TO PUBLIC;
SQL
my $owner = q{SELECT coalesce(envcrypt_owner(v), 'nobody') || ': ' || v::busy};
my @clerk = (user => 'clerk');
is(value($node, "SELECT envcrypt_create_user_key('TARGET')"),
	value($node, q{SELECT key_id FROM envcrypt_data_keys WHERE owner = 'TARGET'}), 'the owner has a key');
is(value($node, "$owner FROM (SELECT encrypt_for_user('TARGET', 'x'::busy) AS v) q", @clerk), 'TARGET: x',
	'encrypt_for_user()');
is(value($node, "$owner FROM (SELECT encrypt_for_user('NEW', 'x'::busy) AS v) q", @clerk), 'NEW: x',
	'encrypt_for_user() for a new owner');
is(value($node, "$owner FROM (SELECT 'x'::busy::encrypted_busy AS v) q", @clerk), 'nobody: x', 'a cast');
is(value($node, "$owner FROM (SELECT 'x'::encrypted_busy AS v) q", @clerk), 'nobody: x', 'a literal');
value($node, q{CREATE TABLE t (id int, owner text, v busy); INSERT INTO t VALUES (1, 'ann', 'old'), (2, 'bea', 'old')},
	@clerk);
value($node, q{SELECT envcrypt_protect('t', 'v', owner_column => 'owner')}, @clerk);
is(value($node, "$owner FROM t ORDER BY id", @clerk), "ann: old\nbea: old", 'protecting a table');
value($node, q{UPDATE t SET v = 'new'}, @clerk);
is(value($node, "$owner FROM t ORDER BY id", @clerk), "ann: new\nbea: new", 'writing');
value($node, q{UPDATE t SET owner = 'cora ' || id}, @clerk);
is(value($node, "$owner FROM t ORDER BY id", @clerk), "cora 1: new\ncora 2: new", 'another owner');
value($node, q{INSERT INTO t SELECT 3, 'dora', v FROM t WHERE id = 1}, @clerk);
is(value($node, "$owner FROM t WHERE id = 3", @clerk), 'dora: new', 'a value of another row');
done_testing();
