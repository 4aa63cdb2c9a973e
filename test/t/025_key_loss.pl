# What destroys keys or encrypted columns is asked for by name. Every statement is the first of its session, with the
# library preloaded and without.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use EnvcryptTest;

my $key      = new_master_key();
my $allow    = 'SET envcrypt.allow_data_loss = on;';
my $contents = 'SELECT string_agg(body, $$,$$ ORDER BY body) FROM app.notes';
my $count    = 'SELECT count(*) FROM envcrypt_data_keys WHERE wrapped_key IS NOT NULL';

# A database whose owner is no superuser, with keys, and columns of other people.
sub make_shop
{
	my ($node) = @_;
	value($node, 'CREATE DATABASE shop OWNER boss');
	my @shop = (db => 'shop');
	value($node, 'CREATE EXTENSION envcrypt', @shop, user => 'dba');
	value($node, 'SELECT envcrypt_rotate_master()', @shop, key => $key);
	value($node, q{CREATE SCHEMA app AUTHORIZATION seller; CREATE SCHEMA lib AUTHORIZATION maker; GRANT USAGE ON SCHEMA lib TO PUBLIC}, @shop);
	value($node, q{CREATE TYPE lib.mood AS ENUM ('sad', 'happy'); CREATE TYPE lib.row AS (a text, t public.encrypted_text);
		CREATE COLLATION lib.c FROM "C"}, @shop, user => 'maker');
	value($node, q{SELECT envcrypt_create_type('lib.mood')}, @shop);
	value($node, q{CREATE TABLE app.notes (owner text, body text, feels lib.mood, word encrypted_text COLLATE lib.c);
		CREATE TABLE app.typed OF lib.row; CREATE TABLE app.inside (r lib.row);
		INSERT INTO app.notes VALUES ('ann', 'one', 'sad'), ('bob', 'two', 'happy');
		SELECT envcrypt_protect('app.notes', ARRAY['body', 'feels'], 'owner')}, @shop, user => 'seller', key => $key);
	return @shop;
}

for my $preloaded (1, 0)
{
	my $what = $preloaded ? 'preloaded' : 'not preloaded';
	my $node = new_server("keys_$preloaded", extension => 0, conf => $preloaded ? '' : "shared_preload_libraries = ''");
	value($node, 'CREATE ROLE boss LOGIN; CREATE ROLE seller LOGIN; CREATE ROLE maker LOGIN; CREATE ROLE dba SUPERUSER LOGIN;
		CREATE ROLE scribe LOGIN IN ROLE pg_write_all_data, pg_read_all_data');
	my @shop = make_shop($node);
	my $keys = value($node, $count, @shop);
	cmp_ok($keys, '>', 2, "$what: keys are there");

	my @extension = ('2BP01', qr/cannot drop extension envcrypt with another object.*DROP EXTENSION envcrypt.*allow_data_loss/s);
	fails($node, 'DROP SCHEMA public CASCADE', @extension,
		"$what: the database's owner does not drop it with its schema",
		@shop, user => 'boss');
	fails($node, 'DROP SCHEMA app, public CASCADE', @extension, "$what: nor a superuser", @shop);
	fails($node, 'DROP OWNED BY dba CASCADE', @extension, "$what: nor with what its owner has", @shop);
	fails($node, 'DROP EXTENSION plpgsql CASCADE', @extension, "$what: nor with its language", @shop);
	fails($node, q{DO 'BEGIN DROP SCHEMA public CASCADE; END'}, @extension, "$what: nor in a block", @shop);

	my @column = ('2BP01', qr/cannot drop encrypted column "\w+" of table "\w+" with another object.*ALTER TABLE.*allow_data_loss/s);
	fails($node, 'DROP EXTENSION envcrypt CASCADE', @column, "$what: CASCADE does not drop encrypted columns", @shop);
	fails($node, 'DROP TYPE lib.mood CASCADE', '2BP01',
		qr/cannot drop what opens encrypted column "feels" of table "notes".*allow_data_loss/s,
		"$what: nor what opens them, with a type's base", @shop, user => 'maker');
	fails($node, 'DROP TYPE encrypted_mood CASCADE', @column, "$what: nor with a made type", @shop);
	fails($node, 'DROP FUNCTION encrypted_mood_out(encrypted_mood) CASCADE', @column, "$what: nor with its functions",
		@shop);
	fails($node, 'DROP FUNCTION envcrypt_open(encrypted_mood) CASCADE', '2BP01',
		qr/cannot drop what opens encrypted column "feels"/,
		"$what: nor with what opens them", @shop);
	fails($node, 'DROP COLLATION lib.c CASCADE', @column, "$what: nor with a collation", @shop, user => 'maker');
	fails($node, 'DROP TYPE lib.row CASCADE', @column, "$what: nor with a row type, typed tables included", @shop,
		user => 'maker');
	fails($node, 'DROP SCHEMA lib CASCADE', @column, "$what: nor with a schema", @shop, user => 'maker');
	fails($node, 'DROP OWNED BY maker CASCADE', @column, "$what: nor with what a role owns", @shop);

	my @truncate = ('55000', qr/cannot truncate table "envcrypt_\w+_keys".*envcrypt_shred_user.*allow_data_loss/s);
	fails($node, 'TRUNCATE envcrypt_data_keys', @truncate, "$what: the key table is not truncated", @shop);
	fails($node, 'TRUNCATE envcrypt_master_keys', @truncate, "$what: nor that of master keys", @shop);
	fails($node, 'TRUNCATE app.notes, envcrypt_data_keys CASCADE', @truncate, "$what: nor with others", @shop);
	fails($node, 'SET session_replication_role = replica; TRUNCATE envcrypt_data_keys', @truncate,
		"$what: nor as a replica", @shop);
	fails($node, 'ALTER TABLE envcrypt_data_keys DISABLE TRIGGER ALL; TRUNCATE envcrypt_data_keys', @truncate,
		"$what: nor by who has disabled its triggers", @shop);
	value($node, 'ALTER TABLE envcrypt_data_keys ENABLE TRIGGER ALL', @shop);
	is(value($node, q{SELECT string_agg(DISTINCT tgenabled::text, '') FROM pg_trigger WHERE tgrelid = 'envcrypt_data_keys'::regclass}, @shop),
		'A', "$what: which come back enabled always");
	fails($node, "ALTER TABLE $_ SET UNLOGGED", '55000', qr/cannot make table "$_" unlogged.*crash.*allow_data_loss/s,
		"$what: a crash will not empty $_", @shop) for qw(envcrypt_data_keys envcrypt_master_keys);
	is(value($node, q{SELECT string_agg(DISTINCT relpersistence::text, '') FROM pg_class WHERE relname ~ '^envcrypt_.*_keys'}, @shop),
		'p', "$what: the key tables and their indexes stay logged");
	value($node, 'CREATE UNLOGGED TABLE lib.envcrypt_data_keys (a int); ALTER TABLE lib.envcrypt_data_keys SET LOGGED;
		ALTER TABLE lib.envcrypt_data_keys SET UNLOGGED; DROP TABLE lib.envcrypt_data_keys', @shop, user => 'maker');
	value($node, 'CREATE TABLE lib.envcrypt_data_keys (a int); TRUNCATE lib.envcrypt_data_keys; DROP TABLE lib.envcrypt_data_keys', @shop, user => 'maker');
	my @delete = ('55000', qr/cannot delete data keys from table "envcrypt_data_keys".*envcrypt_shred_user.*allow_data_loss/s);
	fails($node, 'DELETE FROM envcrypt_data_keys', @delete, "$what: keys are not deleted", @shop);
	fails($node, "ALTER TABLE envcrypt_data_keys DISABLE TRIGGER $_; DELETE FROM envcrypt_data_keys", @delete,
		"$what: nor by who has disabled triggers: $_", @shop)
		for qw(ALL USER envcrypt_announce);
	value($node, 'ALTER TABLE envcrypt_data_keys DISABLE TRIGGER ALL', @shop);
	is(value($node, q{SELECT string_agg(DISTINCT tgenabled::text, '') FROM pg_trigger WHERE tgrelid = 'envcrypt_data_keys'::regclass}, @shop),
		'A', "$what: which stay enabled always");
	fails($node, 'DELETE FROM envcrypt_data_keys WHERE owner = $$ann$$', @delete, "$what: nor by who may write all",
		@shop, user => 'scribe');
	fails($node, 'SET envcrypt.allow_data_loss = on', '42501', qr/permission denied/,
		"$what: who may write all cannot allow it",
		@shop, user => 'scribe') if $preloaded;

	my @part = ('55000', qr/cannot drop or change what envcrypt needs of table "envcrypt_\w+_keys".*It would lack.*allow_data_loss/s);
	fails($node, "DROP TRIGGER envcrypt_announce ON envcrypt_data_keys; DELETE FROM envcrypt_data_keys", @part,
		"$what: the trigger that keeps them stays", @shop);
	fails($node, 'DROP TRIGGER envcrypt_announce_truncate ON envcrypt_master_keys', @part, "$what: and the other",
		@shop);
	fails($node, q{DO 'BEGIN DROP TRIGGER envcrypt_announce ON envcrypt_data_keys; END'}, @part,
		"$what: in a block, too", @shop);
	fails($node, 'ALTER TABLE envcrypt_data_keys DROP COLUMN wrapped_key', @part, "$what: and the column of keys",
		@shop);
	fails($node, 'ALTER TABLE envcrypt_data_keys RENAME owner TO o', @part, "$what: under its name", @shop);
	fails($node, 'ALTER TABLE envcrypt_data_keys RENAME TO k', '0A000', qr/cannot rename or move/,
		"$what: in its table", @shop);
	fails($node, 'ALTER EXTENSION envcrypt DROP TABLE envcrypt_data_keys', '0A000',
		qr/cannot take a part out of extension envcrypt/,
		"$what: which stays the extension's", @shop);

	# Not for ever.
	for my $place ('ROLE dba', 'DATABASE shop', 'SYSTEM')
	{
		fails($node, "ALTER $place SET envcrypt.allow_data_loss = on", $place eq 'SYSTEM' ? '55P02' : '55P02',
			qr/in a session|cannot be changed/,
			"$what: nothing allows it for ever: $place", @shop) if $preloaded;
	}
	is(value($node, $count, @shop), $keys, "$what: all keys are there still");
	is(value($node, $contents, @shop, user => 'seller', key => $key), 'one,two', "$what: and open their values");
	is(value($node, q{SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'app.notes'::regclass AND attnum > 0}, @shop),
		'owner body feels word', "$what: no column is gone");

	# What names the columns or their table is as with plain ones.
	value($node, 'ALTER TABLE app.notes DROP word; DROP TABLE app.typed', @shop, user => 'seller');
	value($node, 'DROP TYPE lib.row CASCADE', @shop, user => 'maker') if value($node, 'DROP TABLE app.inside',
		@shop) eq '';
	value($node, 'CREATE TYPE lib.other AS (a int, t text); CREATE TABLE lib.of_other (o lib.other, n int); DROP TYPE lib.other CASCADE', @shop, user => 'maker');
	value($node, 'CREATE TEMP TABLE passing (t encrypted_text) ON COMMIT DROP; CREATE TEMP TABLE staying (t encrypted_text)', @shop);
	value($node, 'DROP OWNED BY seller', @shop);
	value($node, 'DROP TYPE lib.mood CASCADE', @shop, user => 'maker');
	is(value($node, q{SELECT to_regtype('encrypted_mood') IS NULL}, @shop), 't',
		"$what: a made type without columns goes with its base");
	is(value($node, $count, @shop), $keys, "$what: keys stay when all tables are gone");
	value($node, 'DROP EXTENSION envcrypt', @shop);
	is(value($node, q{SELECT count(*) FROM pg_class WHERE relname ~ 'envcrypt'}, @shop), '0',
		"$what: by its name the extension goes");
	value($node, 'DROP DATABASE shop');

	# On purpose. (The setting is there once the library is.)
	my $load = $preloaded ? '' : q{LOAD 'envcrypt';};
	@shop = make_shop($node);
	value($node, "$load $allow DROP TYPE lib.mood CASCADE", @shop);
	value($node, "$load $allow DELETE FROM envcrypt_data_keys WHERE owner = 'ann'", @shop);
	value($node, "$load $allow ALTER TABLE envcrypt_data_keys DISABLE TRIGGER ALL", @shop);
	is(value($node, q{SELECT string_agg(DISTINCT tgenabled::text, '') FROM pg_trigger WHERE tgrelid = 'envcrypt_data_keys'::regclass}, @shop),
		'D', "$what: on purpose triggers are disabled");
	value($node, "$load $allow ALTER TABLE envcrypt_data_keys SET UNLOGGED", @shop);
	value($node, 'ALTER TABLE envcrypt_data_keys SET LOGGED', @shop);
	value($node, "$load $allow TRUNCATE envcrypt_data_keys", @shop);
	value($node, "$load $allow DROP TRIGGER envcrypt_announce ON envcrypt_master_keys; ALTER TABLE envcrypt_data_keys DROP wrapped_key", @shop);
	value($node, "$load $allow DROP SCHEMA public CASCADE", @shop);
	is(value($node, q{SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute
		WHERE attrelid = 'app.notes'::regclass AND attnum > 0 AND NOT attisdropped}, @shop), 'owner',
			"$what: on purpose all of it goes");
	$node->stop;
}

# A subscriber of the key tables follows what was done on purpose where they are published.
my $publisher = new_server('publisher', init => { allows_streaming => 'logical' });
my $subscriber = new_server('subscriber', init => { allows_streaming => 'logical' });
value($publisher, 'SELECT envcrypt_rotate_master()', key => $key);
value($publisher, q{SELECT envcrypt_create_user_key(o) FROM unnest('{ann,bob}'::text[]) o}, key => $key);
value($publisher, 'CREATE PUBLICATION keys FOR TABLE envcrypt_data_keys, envcrypt_master_keys');
value($subscriber, sprintf(q{CREATE SUBSCRIPTION keys CONNECTION '%s' PUBLICATION keys},
	$publisher->connstr('postgres') =~ s/'/''/gr));
$subscriber->wait_for_subscription_sync($publisher, 'keys');
is(value($subscriber, $count), '3', 'keys are replicated');
value($publisher, "$allow DELETE FROM envcrypt_data_keys WHERE owner = 'ann'");
$publisher->wait_for_catchup('keys');
is(value($subscriber, $count), '2', 'one deleted on purpose is deleted there, too');
value($publisher, "$allow TRUNCATE envcrypt_data_keys");
$publisher->wait_for_catchup('keys');
is(value($subscriber, $count), '0', 'and all that were truncated');
fails($subscriber, 'TRUNCATE envcrypt_master_keys', '55000', qr/cannot truncate/, 'by itself it truncates nothing');

done_testing();
