# A power cut at any moment of a rotation: each data key is wrapped by the old or the new master key, all of them by
# the same, and everything opens.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $owners = 20_000;
my ($old, $new) = (new_master_key(), new_master_key());
my $node = new_server('crash', conf => "autovacuum = off\nmax_wal_size = 1GB");

# Read back in new sessions only: a cache would hide a wrapping that is wrong.
my $check = <<'SQL';
SELECT count(*), count(*) FILTER (WHERE md5(decrypt_for_user(owner, secret)) IS DISTINCT FROM checksum) FROM account
SQL
my $wrappers = <<'SQL';
SELECT count(DISTINCT k.master_fingerprint), min(m.state) FROM envcrypt_data_keys k
LEFT JOIN envcrypt_master_keys m ON m.fingerprint = k.master_fingerprint
SQL

value($node, 'SELECT envcrypt_rotate_master()', key => $old);
value($node, <<"SQL", key => $old);
SELECT count(envcrypt_create_user_key('u' || i)) FROM generate_series(1, $owners) i;
CREATE TABLE account AS SELECT 'u' || i AS owner, encrypt_for_user('u' || i, 'value ' || i) AS secret,
    md5('value ' || i) AS checksum FROM generate_series(1, $owners) i;
SQL
is(value($node, $check, key => $old), "$owners|0", "$owners owners have a data key and a value");

# How long one takes here; the random moments lie within it.
my $ms = value($node, <<'SQL', key => "$new:$old");
BEGIN;
SELECT clock_timestamp() AS start, envcrypt_rotate_master() AS rotated \gset
SELECT ceil(extract(epoch FROM clock_timestamp() - :'start') * 1000);
ROLLBACK;
SQL
note "a rotation takes $ms ms";

my ($current, $next, $committed) = ($old, $new, 0);
for my $trial (1 .. 10)
{
	my $rotation = session($node, key => "$next:$current");
	# COMMIT included. The first moments fall into the work, the last at its end.
	$rotation->{stdin} .= "\\echo started\nSELECT envcrypt_rotate_master();\n";
	$rotation->{run}->pump until $rotation->{stdout} =~ /started/;
	$rotation->{run}->pump_nb;
	my $after = int(rand($trial <= 7 ? $ms : 1.5 * $ms));
	usleep(1000 * $after);
	kill_server($node);
	eval { $rotation->{run}->kill_kill };
	$node->start;
	is(value($node, $check, key => "$new:$old"), "$owners|0", "killed after $after of $ms ms, everything opens ($trial)");
	is(value($node, $wrappers), '1|current', "all data keys are wrapped by the current master key ($trial)");

	# The registry tells which of the two it is. Then the next trial goes the other way.
	my (undef, undef, $sqlstate) = run_sql($node, $check, key => $next);
	if ($sqlstate eq '')
	{
		($current, $next) = ($next, $current);
		$committed++;
	}
	is(value($node, $check, key => $current), "$owners|0", "one of the two master keys is enough ($trial)");
}
note "$committed of 10 had committed";

# The rotation is finished, under load of nothing but itself. (From new to old, where new is current.)
my ($out, $err, $sqlstate) = run_sql($node, 'SELECT envcrypt_rotate_master()', key => "$next:$current");
is("$sqlstate$out", $owners + 1, 'after the crashes a rotation re-wraps all data keys and the database key');
$node->restart;
is(value($node, $check, key => $next), "$owners|0", 'then its key is the only one that is needed');
fails($node, $check, 'ZE001', qr/master key/, 'the other opens nothing', key => $current);
is(value($node, 'SELECT envcrypt_rotate_master()', key => "$next:$current"), '0', 'there is nothing left to rotate');

$node->stop;
done_testing();
