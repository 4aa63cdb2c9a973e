# Transactions that each make very many keys: none waits for another unless for the same owner, and none dies.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key  = new_master_key();
my $node = new_server('creation', conf => "envcrypt.master_key_file = '" . key_file($key)
	. "'\nmax_locks_per_transaction = 10");
value($node, 'SELECT envcrypt_rotate_master(); CREATE TABLE sealed (who text, v encrypted_text)');
value($node, 'GRANT envcrypt_encrypt, envcrypt_decrypt TO CURRENT_USER');

# Two sessions take turns, so that each has made hundreds before the other goes on.
for my $round (1 .. 9)
{
	my @sessions = map { session($node) } 1 .. 2;
	ask($_, 'BEGIN') for @sessions;
	my $faults = '';
	for my $part (1 .. 3)
	{
		for my $i (0 .. 1)
		{
			my $sql = "SELECT count(envcrypt_create_user_key(format('$round %s %s', $i, to_char(n, 'FM0000'))))
				FROM generate_series($part * 200, $part * 200 + 199) n";
			eval { ask($sessions[$i], "SET statement_timeout = '60s'; $sql"); 1 } or $faults .= $@;
		}
	}
	ask($_, 'COMMIT') for @sessions;
	$_->quit for @sessions;
	is($faults . value($node, "SELECT count(*) FROM envcrypt_data_keys WHERE owner LIKE '$round %'"), '1200',
		"two transactions make 600 keys each ($round)");
}

my $output;
my $pgbench = start_pgbench($node, <<'SQL', \$output, [ '-c', 4, '-j', 2, '-t', 2 ]);
\set r random(1, 1000000000)
INSERT INTO sealed SELECT 'bulk', encrypt_for_user(format('bulk %s %s %s', :client_id, :r, n), 'x')
FROM generate_series(1, 1500) n;
SQL
$pgbench->finish;
like($output, qr{actually processed: 8/8}, 'four bulk loads at once') or diag($output);
unlike($output, qr/ERROR|deadlock/, 'none of them dies');

# A sign-up during a bulk load that stays open.
my $bulk = session($node);
ask($bulk, q{BEGIN; INSERT INTO sealed SELECT 'open', encrypt_for_user('open ' || n, 'x')
		FROM generate_series(1, 2000) n});
is(value($node, q{SET statement_timeout = '20s'; SELECT encrypt_for_user('sign-up', 'x')::text}), 'x',
	'a sign-up does not wait for it');
is(value($node, q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}), '0', 'no owner is locked');
fails($node, q{SET lock_timeout = '100ms'; SELECT encrypt_for_user('open 7', 'x')::text}, '55P03', qr/lock timeout/,
	'only who means one of its owners does');
ask($bulk, 'ROLLBACK');
is(value($node, q{SELECT encrypt_for_user('open 7', 'x')::text}), 'x', 'until it ends');
$bulk->quit;

# A transaction that shreds very many owners.
value($node, q{CREATE TABLE users (name text PRIMARY KEY);
SELECT envcrypt_manage_owners('users', 'name', on_delete => 'shred');
	INSERT INTO users SELECT 'user ' || n FROM generate_series(1, 1500) n});
my $one = session($node);
ask($one, q{BEGIN; DELETE FROM users WHERE name = 'user 1'});
value($node, q{SET statement_timeout = '60s'; DELETE FROM users WHERE name <> 'user 1'});
ask($one, 'COMMIT');
$one->quit;
is(value($node, q{SELECT count(*) FROM envcrypt_data_keys WHERE kind = 'shredded'}), '1500',
	'two transactions destroy 1,500 keys');
value($node, q{INSERT INTO users SELECT 'again ' || n FROM generate_series(1, 1500) n; TRUNCATE users});
is(value($node, q{SELECT count(*) FROM envcrypt_data_keys WHERE kind = 'shredded'}), '3000', 'TRUNCATE destroys 1,500');

$node->stop;
done_testing();
