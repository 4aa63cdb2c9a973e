# What destroyed or re-wrapped keys has happened, once it has returned: also with synchronous_commit = off, and the
# server killed in the next moment.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($key, $next) = (new_master_key(), new_master_key());
my $node = new_server('shred_durable',
	conf => "synchronous_commit = off\nwal_writer_delay = 10s\nautovacuum = off\ncheckpoint_timeout = 1h");
value($node, <<'SQL', key => $key);
SELECT envcrypt_rotate_master();
CREATE TABLE users (id text PRIMARY KEY);
SELECT envcrypt_manage_owners('users', 'id', on_delete => 'shred');
CREATE TABLE control (n int);
SELECT envcrypt_create_user_key('s' || i), envcrypt_create_user_key('x' || i) FROM generate_series(1, 3) i;
INSERT INTO users SELECT 'm' || i FROM generate_series(1, 3) i;
INSERT INTO users SELECT 't' || i FROM generate_series(1, 3) i;
CHECKPOINT;
SQL

# An ordinary transaction is lost at least once: else nothing is shown here.
my $lost = 0;

sub crash
{
	value($node, 'INSERT INTO control VALUES (1)');
	kill_server($node);
	$node->start;
	$lost++ if value($node, 'SELECT count(*) FROM control') == 0;
	value($node, 'TRUNCATE control; CHECKPOINT');
	return;
}

my $left = q(SELECT count(*) FROM envcrypt_data_keys WHERE owner = '%s');
for my $n (1 .. 3)
{
	my $receipt = value($node, "SELECT envcrypt_shred_user('s$n')", key => $key);
	crash();
	is(value($node, sprintf($left, "s$n")), '0', "a shredding that gave its receipt stays done ($n)");

	value($node, "DELETE FROM users WHERE id = 'm$n'", key => $key);
	crash();
	is(value($node, sprintf($left, "m$n")), '0', "so does the deletion of a user whose key dies with it ($n)");

	value($node, "BEGIN; SAVEPOINT s; SELECT envcrypt_shred_user('x$n'); RELEASE s; COMMIT", key => $key);
	crash();
	is(value($node, sprintf($left, "x$n")), '0', "so does one in a savepoint ($n)");

	value($node, 'SELECT envcrypt_rotate_master()', key => "$next:$key");
	crash();
	is(value($node,
		"SELECT count(*) FROM envcrypt_data_keys k JOIN envcrypt_master_keys m ON m.fingerprint = k.master_fingerprint
		WHERE m.state <> 'current'"), '0', "so does a rotation ($n)");
	($key, $next) = ($next, $key);

	value($node, "UPDATE envcrypt_master_keys SET state = 'compromised' WHERE state = 'retiring'");
	crash();
	is(value($node, "SELECT count(*) FROM envcrypt_master_keys WHERE state = 'compromised'"), '1',
		"so does a state that was set by hand ($n)");
	value($node, "UPDATE envcrypt_master_keys SET state = 'retiring' WHERE state = 'compromised'");
}
value($node, 'TRUNCATE users', key => $key);
crash();
is(value($node, sprintf($left, 't1')), '0', 'so does a TRUNCATE of users');
cmp_ok($lost, '>', 5, 'an ordinary transaction is lost there');

$node->stop;
done_testing();
