# Many sessions at once: one key for each owner, and rotation under load splits nothing.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @keys = map { new_master_key() } 0 .. 20;
my $node = new_server('concurrency');
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE account (owner text NOT NULL, secret encrypted_text, checksum text NOT NULL);
CREATE TABLE ledger (id bigserial, owner text NOT NULL, secret encrypted_text, checksum text NOT NULL);
SQL
value($node, 'SELECT envcrypt_rotate_master()', key => $keys[0]);

my $wrong = 'count(*) FILTER (WHERE md5(secret::text) IS DISTINCT FROM checksum)';

# All clients take their snapshot, wait for one lock, and are let go together: nobody's snapshot has the key.
sub together
{
	my ($level, $owner) = @_;
	my $gate = session($node);
	ask($gate, 'SELECT pg_advisory_lock(7)');
	my $output;
	my $pgbench = start_pgbench(
		$node, <<"SQL", \$output, [ '-c', 50, '-j', 2, '-t', 1 ], $keys[0], "default_transaction_isolation=$level");
BEGIN;
SELECT pg_advisory_xact_lock_shared(7);
INSERT INTO account SELECT $owner, encrypt_for_user($owner, 'secret of ' || :client_id),
	md5('secret of ' || :client_id);
COMMIT;
SQL
	$node->poll_query_until('postgres',
		"SELECT count(*) = 50 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
	  or die 'the clients did not arrive';
	ask($gate, 'SELECT pg_advisory_unlock(7)');
	$pgbench->finish;
	$gate->quit;
	return $output;
}

for my $level ('read\ committed', 'repeatable\ read', 'serializable')
{
	(my $name = $level) =~ s/\\//;
	value($node, 'TRUNCATE account');
	my $output = together($level, "'same, $name'");
	like($output, qr{actually processed: 50/50}, "50 sessions seal at once for one new owner at $name")
	  or diag($output);
	unlike($output, qr/ERROR|aborted/, "no session gets an error at $name");
	is(value($node, "SELECT count(*) FROM envcrypt_data_keys WHERE owner = 'same, $name'"),
		'1', "the owner has one key at $name");
	is(value($node, "SELECT count(*), $wrong, count(DISTINCT envcrypt_key_id(secret)) FROM account", key => $keys[0]),
		'50|0|1', "all values open in a new session at $name");
}

value($node, 'TRUNCATE account');
my $output = together('serializable', "'own ' || :client_id");
like($output, qr{actually processed: 50/50}, '50 sessions make 50 different owners\' keys at once at serializable')
  or diag($output);
unlike($output, qr/ERROR|aborted/, 'none of them gets an error');
is(value($node, "SELECT count(*), count(DISTINCT owner) FROM envcrypt_data_keys WHERE owner LIKE 'own %'"),
	'50|50', 'each owner has one key');
is(value($node, "SELECT count(*), $wrong FROM account", key => $keys[0]), '50|0', 'all values open in a new session');

# Rotations under load. Every client holds all keys: new data keys are wrapped by the registered one, not by the
# first of the ring.
my $pgbench = start_pgbench($node, <<'SQL', \$output, [ '-c', 8, '-j', 2, '-T', 300 ], join(':', reverse @keys));
\set old random(1, 40)
\set new random(1, 1000000)
\set value random(1, 1000000000)
INSERT INTO ledger (owner, secret, checksum)
    SELECT o, encrypt_for_user(o, 'value ' || :value), md5('value ' || :value) FROM (SELECT 'old ' || :old) _ (o);
INSERT INTO ledger (owner, secret, checksum)
    SELECT o, encrypt_for_user(o, 'value ' || :value), md5('value ' || :value)
    FROM (SELECT 'new ' || :client_id || ' ' || :new) _ (o);
SELECT count(secret::text) FROM (SELECT secret FROM ledger ORDER BY id DESC LIMIT 5) _;
SQL
my $rotated = 0;
my $faults  = '';
for my $i (1 .. 20)
{
	my $last = value($node, 'SELECT coalesce(max(id), 0) FROM ledger');
	$node->poll_query_until('postgres', "SELECT max(id) > $last + 20 FROM ledger") or die "no load: $output";

	# Only the key before: were a data key left under an older one, this would fail.
	my ($out, $err, $sqlstate) = run_sql($node, 'SELECT envcrypt_rotate_master()', key => "$keys[$i]:$keys[$i - 1]");
	if ($sqlstate eq '' && $out > 0) { $rotated++ }
	else                             { $faults .= "$out $err\n" }
	my $left = value($node,
		"SELECT count(*) FROM envcrypt_data_keys k WHERE NOT EXISTS (SELECT FROM envcrypt_master_keys m
		 WHERE m.state = 'current' AND m.fingerprint = k.master_fingerprint)");
	$faults .= "$left keys left after rotation $i\n" if $left != 0;
}
my $last = value($node, 'SELECT max(id) FROM ledger');
$node->poll_query_until('postgres', "SELECT max(id) > $last + 20 FROM ledger") or die "no load: $output";
$pgbench->signal('TERM');
$pgbench->pump while $pgbench->pumpable;
eval { $pgbench->finish };
is($rotated, 20, '20 rotations under load all succeed with the last two keys only') or diag($faults);
is($faults,  '', 'after each of them no data key is left under another master key');
unlike($output, qr/ERROR|abort/, 'no client got an error meanwhile') or diag($output);

$node->restart;
is(value($node, 'SELECT count(DISTINCT master_fingerprint) FROM envcrypt_data_keys'), '1',
	'one master key wraps all data keys');
is(value($node, "SELECT count(*) > 800, $wrong FROM ledger", key => $keys[20]),
	't|0', 'after a restart every value matches its checksum, with the last master key alone');
is(value($node, "SELECT count(*), $wrong FROM account", key => $keys[20]), '50|0', 'so do the values of before');
is( value($node,
		"SELECT count(*) FILTER (WHERE decrypt_for_user(owner, secret) IS NULL) FROM ledger", key => $keys[20]),
	'0', 'every value belongs to the owner beside it');
fails($node, 'SELECT secret FROM ledger LIMIT 1', 'ZE001', qr/master key/, 'the key before the last opens nothing',
	key => $keys[19]);
is( value($node,
	"SELECT string_agg(state || n, ',' ORDER BY state) FROM (SELECT state, count(*) n FROM envcrypt_master_keys GROUP BY 1)
		_"),
	'current1,retiring20', 'exactly one master key is current');

$node->stop;
done_testing();
