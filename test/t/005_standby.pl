# Standbys open values and make no keys; parallel workers open with the key of their leader.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($key, $next_key) = (new_master_key(), new_master_key());
my $file    = key_file($key);
my $primary = new_server('primary', init => { allows_streaming => 1 }, conf => "envcrypt.master_key_file = '$file'");
value($primary, 'SELECT envcrypt_rotate_master()');
value($primary, <<'SQL', user => 'clerk');
CREATE TABLE account (id int, owner text, secret encrypted_text);
INSERT INTO account SELECT i, 'o' || i % 20, encrypt_for_user('o' || i % 20, 'value ' || i)
FROM generate_series(1, 5000) i;
SQL
my $sum = 'SELECT count(*), sum(length(secret)), md5(string_agg(secret::text, $$,$$ ORDER BY id)) FROM account';
my $expected = value($primary, $sum, user => 'reader');

# Parallel workers.
my $parallel = "SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET max_parallel_workers_per_gather = 2;";
value($primary, 'ALTER TABLE account SET (parallel_workers = 2)');
my $filter = 'SELECT count(*), sum(length(secret)) FROM account WHERE secret LIKE $$value %7$$';
my $serial = value($primary, "SET max_parallel_workers_per_gather = 0; $filter", user => 'reader');
like($serial, qr/^500\|/, 'the query has a result');
for my $way ([ 'the key file', user => 'reader' ], [ 'a key from connection options', key => $key ])
{
	my ($name, @who) = @$way;
	like(value($primary, "$parallel EXPLAIN (ANALYZE, COSTS off) $filter", @who), qr/Workers Launched: [12]/,
		"workers are launched with $name");
	is(value($primary, "$parallel $filter", @who), $serial, "they open with $name");
	is(value($primary, "$parallel SET parallel_leader_participation = off; $filter", @who), $serial,
		"without their leader's help with $name");
}
is(value($primary, "SET envcrypt.master_key = '$key'; $parallel SET parallel_leader_participation = off; $filter"),
	$serial, 'they open with a key from SET');
is(value($primary,
	"BEGIN; SET LOCAL envcrypt.master_key = '$key'; $parallel SET parallel_leader_participation = off; $filter"),
	$serial, 'they open with a key from SET LOCAL');
fails($primary, "$parallel SET parallel_leader_participation = off; $filter", 'ZE001', qr/not registered/,
	'workers refuse a key that is not registered', key => $next_key);
fails($primary, "$parallel SET parallel_leader_participation = off; $filter", '42501', qr/permission denied to open/,
	'workers refuse a role that may not open', user => 'nobody');

# A standby.
$primary->backup('base');
my $copied = $primary->backup_dir . '/base';
isnt(system_log('grep', '-rqF', '--', $key, $copied), 0, 'a base backup has no key in it');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

is(value($standby, $sum, user => 'reader'), $expected, 'a standby with the key file opens values');
is(value($standby, $sum, key => $key), $expected, 'and with a session key');
is(value($standby, "$parallel $filter", user => 'reader'), $serial, 'its parallel workers, too');
like(value($standby, 'SELECT secret FROM account LIMIT 1', user => 'nobody'), qr/^envcrypt1:/,
	'it shows sealed values to others');
is(value($standby, "SELECT decrypt_for_user('o1', encrypt_for_user('o1', 'on the standby'))", user => 'clerk'),
	'on the standby', 'it seals for an owner who has a data key');
is(value($standby, "SELECT count(*) FROM account WHERE secret *= 'value 5'", user => 'clerk'), '1',
	'it seals literals');
fails($standby, "SELECT encrypt_for_user('nobody yet', 'x')", '25006', qr/recovery.*primary/s,
	'it makes no data key, and says why',
	user => 'clerk');
fails($standby, "SELECT envcrypt_create_user_key('nobody yet')", '25006', qr/recovery/,
	'also not with envcrypt_create_user_key');
fails($standby, "SELECT envcrypt_shred_user('o1')", '25006', qr/recovery/, 'it shreds nobody');
fails($standby, 'SELECT envcrypt_rotate_master()', '25006', qr/recovery/, 'it rotates nothing');

my $warm = session($standby, user => 'reader');
my $read = "SELECT count(secret::text) FROM account WHERE owner = 'o3'";
is(ask($warm, $read), '250', 'a session on the standby has a warm cache');
value($primary, "SELECT envcrypt_create_user_key('later')");
value($primary, "INSERT INTO account VALUES (9999, 'later', encrypt_for_user('later', 'new'))", user => 'clerk');
$primary->wait_for_catchup($standby);
is(ask($warm, "SELECT secret FROM account WHERE owner = 'later'"), 'new',
	'it opens what the primary sealed under a new key');
value($primary, "SELECT envcrypt_shred_user('o3')");
$primary->wait_for_catchup($standby);
ask_fails($warm, $read, 'ZE003', qr/destroyed/, 'it sees a shredding on the primary as soon as that is replayed');

# A rotation on the primary needs the new key on the standby.
my $other = "SELECT count(secret::text) FROM account WHERE owner = 'o4'";
is(ask($warm, $other), '250', 'another owner opens');
value($primary, 'SELECT envcrypt_rotate_master()', key => "$next_key:$key");
$primary->wait_for_catchup($standby);
ask_fails($warm, $other, 'ZE001', qr/lacks master key|not registered/, 'after a rotation it needs the new master key');
write_file($file, "$next_key\n$key\n");
$_->reload for $primary, $standby;
for (1 .. 1200)
{
	my ($out) = $warm->query($other);
	$warm->{stderr} = '';
	last if $out eq '250';
	select(undef, undef, undef, 0.05);
}
is(ask($warm, $other), '250', 'with the new key in the file and a reload it opens again');

$standby->promote;
is(value($standby, "SELECT decrypt_for_user('promoted', encrypt_for_user('promoted', 'made here'))", user => 'clerk'),
	'made here', 'after promotion it makes data keys');
is(value($standby, "SELECT count(*) FROM envcrypt_data_keys WHERE owner = 'promoted'"), '1', 'and stores them');
is(value($standby, "SELECT count(secret::text) FROM account WHERE owner <> 'o3'", user => 'reader'), '4751',
	'and opens everything else');
$warm->quit;

$_->stop for $standby, $primary;
done_testing();
