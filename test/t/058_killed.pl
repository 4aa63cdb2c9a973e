# A backend, or all of the server, killed at any moment of what changes keys, columns or the extension itself:
# afterwards all of it is done, or nothing, everything opens, and the status is clean.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $conf = "autovacuum = off\nrestart_after_crash = on\n";
my $node = new_server('killed', conf => $conf . "envcrypt.master_key_file = '" . key_file(new_master_key()) . "'");
my @clerk = (user => 'clerk');
value($node, 'ALTER ROLE clerk SUPERUSER');

# What is compared in the end: the values of the owners that are left, and what is not as it should be.
my $values = "SELECT md5(string_agg(v::text, ',' ORDER BY id)) FROM t WHERE owner > 'u0500'";
my $faults = <<'SQL';
SELECT (SELECT count(*) FROM envcrypt_status() WHERE state <> 'ok'),
	(SELECT count(*) FROM envcrypt_verify('t') WHERE problem IS NOT NULL),
	(SELECT count(*) FROM pg_prepared_xacts), (SELECT count(*) FROM pg_index WHERE NOT indisvalid)
SQL
my $fill = <<'SQL';
CREATE EXTENSION envcrypt;
SELECT envcrypt_rotate_master();
CREATE TABLE person (id text PRIMARY KEY);
INSERT INTO person SELECT 'u' || to_char(i, 'FM0000') FROM generate_series(1, 1000) i;
CREATE TABLE t (id int PRIMARY KEY, owner text, v text);
INSERT INTO t SELECT i, 'u' || to_char(1 + i % 1000, 'FM0000'), 'value ' || i FROM generate_series(1, 5000) i;
SQL
my $protect = "SELECT envcrypt_protect('t', 'v', 'owner')";
my $manage  = "SELECT envcrypt_manage_owners('person', 'id', on_delete => 'shred')";

# For each: its name, what is done before, what is done, and what tells how far it came: either of two values.
my @cases = (
	[
		'protect', '', $protect,
		'SELECT count(*), (SELECT count(*) FROM envcrypt_data_keys) FROM envcrypt_columns',
		'0|1', '1|1001'
	],
	[
		'unprotect', $protect, q{SELECT envcrypt_unprotect('t', 'v')},
		'SELECT count(*) FROM envcrypt_columns', '1', '0'
	],
	[
		'manage_owners', $protect, $manage,
		q{SELECT count(*) FROM pg_trigger WHERE tgrelid = 'person'::regclass}, '0', '3'
	],
	[
		'rekey_users', $protect,
		'SELECT envcrypt_rekey_users(ARRAY(SELECT id FROM person))',
		'SELECT max(key_version), count(*) FROM envcrypt_data_keys', '1|1001', '2|2001'
	],
	[
		'rekey_user', $protect, q{SELECT envcrypt_rekey_user('u0700')},
		'SELECT max(key_version), count(*) FROM envcrypt_data_keys', '1|1001', '2|1002'
	],
	[
		'shred_users', $protect,
		q{SELECT count(result) FROM envcrypt_shred_users(ARRAY(SELECT id FROM person WHERE id <= 'u0500'))},
		q{SELECT count(*) FROM envcrypt_data_keys WHERE kind = 'shredded'}, '0', '500'
	],
	[
		'shred_user', $protect, q{SELECT envcrypt_shred_user('u0001')},
		q{SELECT count(*) FROM envcrypt_data_keys WHERE kind = 'shredded'}, '0', '1'
	],
	[
		'delete of managed owners', "$protect; $manage", q{DELETE FROM person WHERE id <= 'u0500'},
		q{SELECT count(*) FROM envcrypt_data_keys WHERE kind = 'shredded'}, '0', '500'
	],
	[
		'drop extension', '', 'DROP EXTENSION envcrypt',
		q{SELECT count(*) FROM pg_extension WHERE extname = 'envcrypt'}, '1', '0'
	],
	[
		'create extension', 'DROP EXTENSION envcrypt', 'CREATE EXTENSION envcrypt',
		q{SELECT count(*) FROM pg_extension WHERE extname = 'envcrypt'}, '0', '1'
	]);

value($node, 'CREATE DATABASE model');
value($node, $fill, @clerk, db => 'model');
my %seen;
for my $case (@cases)
{
	my ($name, $before, $sql, $state, $not_done, $done) = @$case;
	my $db;
	my $prepare = sub {
		value($node, 'DROP DATABASE IF EXISTS trial');
		value($node, 'CREATE DATABASE trial TEMPLATE model');
		value($node, "SET envcrypt.allow_data_loss = on; $before", @clerk, db => 'trial') if $before ne '';
	};
	my $clean = sub {
		return value($node, "SELECT count(*) FROM pg_extension WHERE extname = 'envcrypt'", db => 'trial') == 0
		  ? 'not there'
		  : value($node, $faults, @clerk, db => 'trial');
	};
	$prepare->();
	my %clean = ($not_done => $clean->());
	my $start = time;
	value($node, "SET envcrypt.allow_data_loss = on; $sql", @clerk, db => 'trial');
	my $took = time - $start;
	is(value($node, $state, @clerk, db => 'trial'), $done, "$name, not killed");
	$clean{$done} = $clean->();
	note "$name: $clean{$not_done}, $clean{$done}";
	for my $trial (1 .. 2)
	{
		$prepare->();
		my $plain = value($node, $values, @clerk, db => 'trial');
		my $session = session($node, @clerk, db => 'trial');
		$session->{stdin} .= "SET envcrypt.allow_data_loss = on; SELECT 'started ' || pg_backend_pid();\n$sql;\n";
		$session->{run}->pump until $session->{stdout} =~ /started (\d+)/;
		my ($pid) = $session->{stdout} =~ /started (\d+)/;
		$session->{run}->pump_nb;
		my $after = $took * rand(1.1);
		usleep(1e6 * $after);
		if ($trial % 2)
		{
			kill_server($node);
			eval { $session->{run}->kill_kill };
			$node->start;
		}
		else
		{
			kill('KILL', $pid);
			eval { $session->{run}->kill_kill };
			# It stands there until all of the server has started again.
			my $gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = $pid";
			for (1 .. 600)
			{
				my ($out, undef, $sqlstate) = run_sql($node, $gone);
				last if $sqlstate eq '' && $out eq '0';
				usleep(100_000);
			}
		}
		my $came = value($node, $state, @clerk, db => 'trial');
		my $label = sprintf '%s, %s killed after %.3f s of %.3f: %s', $name, $trial % 2 ? 'server' : 'backend', $after,
		  $took, $came eq $not_done ? 'nothing done' : 'done';
		ok($came eq $not_done || $came eq $done, $label) or diag($came);
		$seen{$came eq $done ? 'done' : 'not done'}++;
		is(value($node, $values, @clerk, db => 'trial'), $plain, "$name: everything opens");
		is($clean->(), $clean{$came} // '', "$name: as if nothing had been killed");
		# And it can be done now.
		next if $came eq $done;
		value($node, "SET envcrypt.allow_data_loss = on; $sql", @clerk, db => 'trial');
		is(value($node, $state, @clerk, db => 'trial'), $done, "$name: done the second time");
	}
}
note join ', ', map { "$seen{$_} $_" } sort keys %seen;
$node->stop;
done_testing();
