# What a backend remembers of roles and of the extension's tables: a lookup that failed half-way leaves nothing behind,
# and neither does one that others' changes overtook.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('memos', conf => "envcrypt.master_key_file = '" . key_file(new_master_key()) . "'");
value($node, 'SELECT envcrypt_rotate_master()');
value($node, <<'SQL');
CREATE TABLE t (v encrypted_text);
GRANT ALL ON t TO PUBLIC;
CREATE ROLE lead NOLOGIN IN ROLE envcrypt_decrypt, envcrypt_encrypt, envcrypt_keyadmin;
GRANT lead TO clerk;
REVOKE envcrypt_decrypt, envcrypt_encrypt FROM clerk;
CREATE ROLE other NOLOGIN;
SQL
value($node, q{INSERT INTO t VALUES ('a secret')}, user => 'clerk');
my $admin = session($node);
my $lock  = 'BEGIN; LOCK TABLE %s IN ACCESS EXCLUSIVE MODE';

# Each right: revoked, and the first look at the memberships after that fails.
for my $case (
	[ 'reading', q{SELECT v::text FROM t},                  qr/permission denied to open/ ],
	[ 'sealing', q{SELECT encrypt_for_user('ann', 'b')},    qr/permission denied to seal/ ],
	[ 'keys',    q{SELECT envcrypt_create_user_key('ann')}, qr{permission denied (for function|to manage)} ])
{
	my ($what, $sql, $denied) = @$case;
	my $session = session($node, user => 'clerk');
	ok(ask($session, $sql), "$what: a member may");
	ask($session, q{SET lock_timeout = '100ms'});
	ask($admin, 'REVOKE lead FROM clerk');
	ask($admin, sprintf $lock, 'pg_auth_members');
	ask_fails($session, $sql, '55P03', qr/lock timeout/, "$what: the memberships cannot be read");
	ask($admin, 'COMMIT');
	ask_fails($session, $sql, '42501', $denied, "$what: and nothing is left of what they were");
	ask($admin, 'GRANT lead TO clerk');
	ok(ask($session, $sql), "$what: granted again");
	# The other way round: a failed look is no refusal.
	ask($admin, 'GRANT other TO lead; REVOKE other FROM lead');
	ask($admin, sprintf $lock, 'pg_auth_members');
	ask_fails($session, $sql, '55P03', qr/lock timeout/, "$what: the memberships cannot be read again");
	ask($admin, 'COMMIT');
	ok(ask($session, $sql), "$what: a member still may");
	$session->quit;
}

# The memberships change while they are looked up.
{
	my $session = session($node, user => 'clerk');
	is(ask($session, 'SELECT v::text FROM t'), 'a secret', 'a member reads');
	ask($admin, 'GRANT other TO lead; REVOKE other FROM lead');
	ask($admin, sprintf $lock, 'pg_auth_members');
	$session->query_until(qr/asking/, "\\echo asking\nSELECT v::text FROM t;\n");
	$node->poll_query_until('postgres',
		q{SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'pg_auth_members'::regclass)})
	  or die 'nobody waits';
	ask($admin, 'REVOKE lead FROM clerk; COMMIT');
	ask_fails($session, '', '42501', qr/permission denied to open/, 'revoked while he waits');
	ask_fails($session, 'SELECT v::text FROM t', '42501', qr/permission denied to open/, 'and afterwards');
	ask($admin, 'GRANT lead TO clerk');
	is(ask($session, 'SELECT v::text FROM t'), 'a secret', 'granted again, he reads');
	$session->quit;
}

# The extension's own tables.
{
	my $session = session($node, user => 'clerk');
	ask($session, q{SET lock_timeout = '100ms'});
	ask($admin, sprintf $lock, 'pg_extension');
	ask_fails($session, 'SELECT v::text FROM t', '55P03', qr/lock timeout/, 'where the tables are cannot be found out');
	ask($admin, 'COMMIT');
	is(ask($session, 'SELECT v::text FROM t'), 'a secret', 'the next statement finds them');
	$session->quit;
}
# Installed again, in one session.
value($node, 'CREATE DATABASE again');
{
	my $session = session($node, db => 'again', key => new_master_key());
	for my $round (1 .. 2)
	{
		ask($session, 'CREATE EXTENSION envcrypt');
		ok(ask($session, q{SELECT envcrypt_create_user_key('ann')}), "round $round: a key is made");
		ask($session, 'DROP EXTENSION envcrypt CASCADE');
	}
	$session->quit;
}
$admin->quit;
done_testing();
