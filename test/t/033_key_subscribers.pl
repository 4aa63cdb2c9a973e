# A server that subscribes to the key tables changes no keys itself, and what both sides did before is put together.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($key, $other, $third) = map { new_master_key() } 1 .. 3;
my $conf = "wal_level = logical\nmax_wal_senders = 10\nmax_replication_slots = 10\nwal_retrieve_retry_interval = 100ms\n";
my $from = new_server('publisher',  conf => $conf);
my $to   = new_server('subscriber', conf => $conf);
my @with = (key => "$key:$other:$third");
my $as   = $from->connstr . ' dbname=postgres';

sub caught_up
{
	$to->wait_for_subscription_sync($from, 'keys');
	return;
}

sub key_id
{
	my ($node, $owner) = @_;
	return value($node, "SELECT key_id FROM envcrypt_data_keys WHERE owner = '$owner'");
}

# Before: both have made the same master key current; the subscriber has also had another one and has rotated; one key
# was copied from the publisher by hand, and one that was copied was destroyed.
value($from, 'SELECT envcrypt_rotate_master(); '
	. join('', map { "SELECT envcrypt_create_user_key('$_');" } qw(early copied lost)), key => $key);
value($from, q{CREATE TABLE t (id int PRIMARY KEY, who text, v encrypted_text);
	INSERT INTO t SELECT row_number() OVER (), o, encrypt_for_user(o, 'of ' || o) FROM unnest(ARRAY['early', 'copied', 'lost']) o;
	CREATE PUBLICATION keys FOR TABLE envcrypt_data_keys, envcrypt_master_keys, t}, @with);
value($to, 'SELECT envcrypt_rotate_master()', key => $other);
value($to, 'SELECT envcrypt_rotate_master()', key => "$key:$other");
value($to, 'SELECT envcrypt_rotate_master()', key => "$third:$key");
value($to, q{SELECT envcrypt_create_user_key('only here')}, key => $third);
my $dump = PostgreSQL::Test::Utils::tempdir() . '/keys.csv';
value($from, "\\copy (SELECT * FROM envcrypt_data_keys WHERE owner IN ('copied', 'lost')) TO '$dump' CSV");
value($to,   "\\copy envcrypt_data_keys FROM '$dump' CSV");
value($to, q{SELECT envcrypt_shred_user('lost')}, @with);
value($to, 'CREATE TABLE t (id int PRIMARY KEY, who text, v encrypted_text)');
value($to, "CREATE SUBSCRIPTION keys CONNECTION '$as' PUBLICATION keys");
caught_up();

is(value($to, q{SELECT string_agg(state, ',' ORDER BY state) FROM envcrypt_master_keys}), 'current,retiring,retiring',
	'a master key that both know is one, and the publisher\'s is current');
is( value($to, q{SELECT m.state FROM envcrypt_master_keys m JOIN envcrypt_data_keys d ON d.master_fingerprint = m.fingerprint WHERE owner = 'early'}),
	'current', 'so it is here');
is(value($to, q{SELECT string_agg(v::text, ',' ORDER BY id) FROM t WHERE who <> 'lost'}, @with), 'of early,of copied',
	'what the publisher sealed opens');
is(key_id($to, 'copied'), key_id($from, 'copied'), 'a key that both have is one');
fails($to, q{SELECT v::text FROM t WHERE who = 'lost'}, 'ZE003', qr/destroyed/,
	'a key that was destroyed here stays so', @with);
is(value($to, q{SELECT decrypt_for_user('only here', encrypt_for_user('only here', 'x'))}, @with), 'x',
	'a key that was made here lives on');

# After: whatever asks for a change of keys is refused, and says whose it is.
value($to, q{CREATE TABLE users (name text PRIMARY KEY)});
my $refused = sub {
	my ($sql, $name, %options) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $err = fails($to, $sql, '55000', qr/cannot change keys on a subscriber of the key tables.*subscription "keys"/s,
		$name, @with, %options);
	unlike($err, qr/host=|dbname=|port=/, 'without the connection');
};
my %changes = (
	'making a key'              => q{SELECT envcrypt_create_user_key('new')},
	'making a key after shredding' => q{SELECT envcrypt_create_user_key('lost', after_shred => true)},
	'sealing for a new owner'   => q{SELECT encrypt_for_user('new', 'x')},
	'rotation'                  => 'SELECT envcrypt_rotate_master()',
	'shredding'                 => q{SELECT envcrypt_shred_user('early')},
	'managing owners'           => q{SELECT envcrypt_make_managed_key('new')},
	'a trigger that makes keys' => q{BEGIN; INSERT INTO users VALUES ('new2'); SELECT envcrypt_manage_owners('users', 'name'); COMMIT},
);
$refused->($changes{$_}, "$_ is refused") for sort keys %changes;
$refused->($changes{rotation}, 'rotation to a new key, too', key => new_master_key() . ":$key:$other:$third");
my $keys = value($to, 'SELECT count(*), max(key_version) FROM envcrypt_data_keys');
value($to, 'ALTER SUBSCRIPTION keys DISABLE');
$refused->($changes{rotation}, 'while the subscription is disabled, too');
value($to, 'ALTER SUBSCRIPTION keys ENABLE');
is(value($to, 'SELECT count(*), max(key_version) FROM envcrypt_data_keys'), $keys, 'nothing was changed');
like(value($to, q{SELECT detail FROM envcrypt_status() WHERE "check" = 'key tables'}), qr/subscription "keys"/,
	'the status says so');
is(value($from, q{SELECT count(*) FROM envcrypt_status() WHERE "check" = 'key tables'}), '0',
	'and nothing on the publisher');

# The publisher goes on: new keys, a rotation, shredding.
my $warm = session($to, @with);
ask($warm, 'SELECT count(v::text) FROM t WHERE who <> $$lost$$');
value($from, q{SELECT envcrypt_create_user_key('later'); INSERT INTO t VALUES (10, 'later', encrypt_for_user('later', 'of later'))}, @with);
value($from, 'SELECT envcrypt_rotate_master()', key => "$other:$key");
value($from, q{SELECT envcrypt_shred_user('early')}, key => $other);
$from->wait_for_catchup('keys');
is(ask($warm, q{SELECT v::text FROM t WHERE who = 'later'}), 'of later',
	'a key that was made on the publisher opens here');
ask_fails($warm, q{SELECT v::text FROM t WHERE who = 'early'}, 'ZE003', qr/destroyed/,
	'one that was destroyed there does not');
ask_fails($warm, q{SELECT v::text FROM t WHERE who = 'lost'}, 'ZE003', qr/destroyed/,
	'a rotation there brings nothing back that was destroyed here');
$warm->quit;
is( value($to, q{SELECT count(*) FROM envcrypt_master_keys WHERE state = 'current'}), '1', 'one master key is current');
is( value($to, q{SELECT count(*) FROM envcrypt_data_keys d JOIN envcrypt_master_keys m ON m.fingerprint = d.master_fingerprint WHERE state = 'current'}),
	value($from, q{SELECT count(*) - 1 FROM envcrypt_data_keys WHERE kind = 'data'}),
		'it wraps what came from the publisher');
like(slurp_file($to->logfile), qr/WARNING: .*destroyed here and does not come back/, 'the log has what was ignored');
unlike(slurp_file($to->logfile), qr/ERROR: .*duplicate key/, 'replication never stopped');

# A new owner there makes nobody here look again at the keys that are open: their rows are not read.
my $busy = session($to, @with);
my $open = q{SELECT count(v::text) FROM t WHERE who IN ('copied', 'later')};
my $reads = qq{SELECT pg_stat_force_next_flush(); BEGIN; $open; SELECT 'scans', idx_scan FROM pg_stat_xact_user_tables WHERE relname = 'envcrypt_data_keys'; COMMIT};
like(ask($busy, $reads), qr/scans\|[1-9]/, 'keys are read when they are first opened');
like(ask($busy, $reads), qr/scans\|0/, 'and not again');
value($from, q{SELECT envcrypt_create_user_key('newcomer ' || i) FROM generate_series(1, 50) i}, key => $other);
$from->wait_for_catchup('keys');
is(value($to, q{SELECT count(*) FROM envcrypt_data_keys WHERE owner LIKE 'newcomer %'}), '50',
	'others\' new keys come');
like(ask($busy, $reads), qr/scans\|0/, 'and nobody reads again for them');
$busy->quit;

# Two keys for one owner stop replication with a sentence, and it goes on when one is gone.
value($to, 'ALTER SUBSCRIPTION keys DISABLE; ALTER SUBSCRIPTION keys SET (slot_name = NONE); DROP SUBSCRIPTION keys');
value($from, q{SELECT pg_drop_replication_slot('keys')});
is(value($to, q{SELECT encrypt_for_user('both', 'x')::text}, @with), 'x',
	'without the subscription, keys are made here again');
value($from, q{SELECT envcrypt_create_user_key('both')}, key => $other);
my $offset = -s $to->logfile;
value($to, 'TRUNCATE t');
value($to, "CREATE SUBSCRIPTION keys CONNECTION '$as' PUBLICATION keys");
ok($to->wait_for_log(qr/different data keys for owner "both"/, $offset), 'the log names the owner');
value($to, q{SET envcrypt.allow_data_loss = on; DELETE FROM envcrypt_data_keys WHERE owner = 'both'});
caught_up();
is(key_id($to, 'both'), key_id($from, 'both'), 'without the other key, replication goes on');

# A row filter on published keys: shredding that would not reach the subscriber is refused as UPDATE is.
value($from, q{CREATE PUBLICATION partly FOR TABLE envcrypt_data_keys WHERE (owner <> 'secret')});
for my $sql (q{UPDATE envcrypt_data_keys SET created_at = now() WHERE owner = 'copied'},
	q{SELECT envcrypt_shred_user('copied')},
	'SELECT envcrypt_rotate_master()')
{
	fails($from, $sql, '42P10', qr/cannot update table "envcrypt_data_keys".*Column used in the publication WHERE expression/s,
		"a row filter that UPDATE cannot obey: $sql", key => "$key:$other");
}
is(value($from, q{SELECT decrypt_for_user('copied', v) FROM t WHERE who = 'copied'}, key => $other), 'of copied',
	'and nothing is destroyed');
value($from, 'DROP PUBLICATION partly; ALTER TABLE envcrypt_data_keys REPLICA IDENTITY NOTHING');
fails($from, q{SELECT envcrypt_shred_user('copied')}, '55000',
	qr/does not have a replica identity and publishes updates/, 'so is a table without identity', key => $other);
value($from, 'ALTER TABLE envcrypt_data_keys REPLICA IDENTITY FULL; ALTER PUBLICATION keys SET TABLE envcrypt_data_keys WHERE (kind = \'data\'), envcrypt_master_keys, t');
value($from, q{SELECT envcrypt_shred_user('copied')}, key => $other);
$from->wait_for_catchup('keys');
is(value($to, q{SELECT count(*) FROM envcrypt_data_keys WHERE owner = 'copied'}), '0',
	'a filter that UPDATE obeys passes it on');

value($to, 'ALTER SUBSCRIPTION keys DISABLE; ALTER SUBSCRIPTION keys SET (slot_name = NONE); DROP SUBSCRIPTION keys');
$_->stop for $from, $to;
done_testing();
