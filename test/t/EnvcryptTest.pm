# What the TAP tests share: servers with envcrypt, master keys, sessions that hold one, errors by SQLSTATE.
package EnvcryptTest;
use strict;
use warnings;
use Exporter 'import';
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_master_key write_file key_file new_server with_key run_sql value fails
  session ask ask_fails start_pgbench kill_server);

# A new master key, as an operator makes one.
sub new_master_key
{
	open(my $random, '<:raw', '/dev/urandom') or die "cannot read random bytes: $!";
	read($random, my $bytes, 32) == 32 or die 'too few random bytes';
	close $random;
	return encode_base64($bytes, '');
}

sub write_file
{
	my ($path, $content, $mode) = @_;
	unlink $path;
	open(my $file, '>:raw', $path) or die "cannot write $path: $!";
	chmod($mode // 0600, $path) or die "chmod $path: $!";
	print $file $content;
	close $file or die "cannot write $path: $!";
	return $path;
}

# A key file of mode 0600 outside every data directory.
sub key_file
{
	my (@keys) = @_;
	return write_file(PostgreSQL::Test::Utils::tempdir() . '/master_keys', join('', map { "$_\n" } @keys));
}

# new_server(NAME, init => [...], conf => 'lines', extension => 1): a running server that preloads envcrypt. The roles
# `reader` (may open), `writer` (may seal), `clerk` (both) and `nobody` are there, and may use everything in schema
# public.
sub new_server
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => [ '--locale=C', '--encoding=UTF8' ], %{ $options{init} // {} });
	$node->append_conf('postgresql.conf', <<"CONF");
shared_preload_libraries = 'envcrypt'
log_statement = none
max_prepared_transactions = 10
max_connections = 120
autovacuum_naptime = 5s
@{[ $options{conf} // '' ]}
CONF
	$node->start;
	$node->safe_psql('postgres', <<'SQL') if $options{extension} // 1;
CREATE EXTENSION envcrypt;
CREATE ROLE reader LOGIN IN ROLE envcrypt_decrypt;
CREATE ROLE writer LOGIN IN ROLE envcrypt_encrypt;
CREATE ROLE clerk LOGIN IN ROLE envcrypt_encrypt, envcrypt_decrypt;
CREATE ROLE nobody LOGIN;
GRANT ALL ON SCHEMA public TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE CURRENT_USER, clerk GRANT ALL ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE CURRENT_USER, clerk GRANT ALL ON SEQUENCES TO PUBLIC;
SQL
	return $node;
}

# with_key(KEYRING, CODE, OPTION...): runs code whose connections hold the keyring, and have further settings.
sub with_key
{
	my ($keyring, $code, @settings) = @_;
	unshift @settings, "envcrypt.master_key=$keyring" if defined $keyring && $keyring ne '';
	local $ENV{PGOPTIONS} = join(' ', map { "-c $_" } @settings);
	return $code->();
}

# run_sql(NODE, SQL, db =>, user =>, key =>, set => [...], encoding =>): (stdout, stderr, SQLSTATE of the first error).
sub run_sql
{
	my ($node, $sql, %options) = @_;
	my $db     = $options{db} // 'postgres';
	my $string = $node->connstr($db) . ($options{user} ? " user=$options{user}" : '');
	local $ENV{PGCLIENTENCODING} = $options{encoding} if $options{encoding};
	my ($rc, $out, $err) = with_key(
		$options{key},
		sub {
			$node->psql($db, $sql, connstr => $string, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
		},
		@{ $options{set} // [] });
	my ($sqlstate) = $err =~ /(?:ERROR|FATAL|PANIC):\s+(\w{5}):/;
	$sqlstate //= $rc == 0 ? '' : 'no SQLSTATE';
	return ($out, $err, $sqlstate);
}

# The output of SQL that must succeed.
sub value
{
	my ($node, $sql, %options) = @_;
	my ($out, $err, $sqlstate) = run_sql($node, $sql, %options);
	die "failed: $err\nin: $sql\n" if $sqlstate ne '';
	return $out;
}

# fails(NODE, SQL, SQLSTATE, PATTERN, NAME, options of run_sql): one test; returns the error's text.
sub fails
{
	my ($node, $sql, $expected, $pattern, $name, %options) = @_;
	my ($out, $err, $sqlstate) = run_sql($node, $sql, %options);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($sqlstate eq $expected && $err =~ $pattern, $name)
	  or diag("expected $expected and $pattern, got $sqlstate: $err$out");
	return $err;
}

# session(NODE, db =>, user =>, key =>, set => [...]): a psql that stays.
sub session
{
	my ($node, %options) = @_;
	my $db = $options{db} // 'postgres';
	local $ENV{PGUSER} = $options{user} if $options{user};
	my $session = with_key(
		$options{key},
		sub {
			$node->background_psql($db, on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
		},
		@{ $options{set} // [] });
	$session->set_query_timer_restart;
	return $session;
}

# ask(SESSION, SQL): its output; dies if it fails. ask_fails(...): one test of how it fails.
sub ask
{
	my ($session, $sql) = @_;
	my ($out) = $session->query($sql);
	my $err = $session->{stderr};
	$session->{stderr} = '';
	die "failed: $err\nin: $sql\n" if $err =~ /ERROR|FATAL|PANIC/;
	return $out;
}

sub ask_fails
{
	my ($session, $sql, $expected, $pattern, $name) = @_;
	my ($out) = $session->query($sql);
	my $err = $session->{stderr};
	$session->{stderr} = '';
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($err =~ /ERROR:\s+$expected: / && $err =~ $pattern, $name)
	  or diag("expected $expected and $pattern, got: $err$out");
	return $err;
}

# start_pgbench(NODE, SCRIPT, \OUTPUT, [ARGUMENTS], options of with_key): an IPC::Run handle.
sub start_pgbench
{
	my ($node, $script, $output, $arguments, $key, @settings) = @_;
	my $file = write_file(PostgreSQL::Test::Utils::tempdir() . '/script.sql', $script);
	$$output = '';
	return with_key(
		$key,
		sub {
			IPC::Run::start(
				[
					$node->installed_command('pgbench'), '-n', '-h', $node->host, '-p', $node->port, @$arguments, '-f',
					$file, 'postgres'
				],
				'>', $output, '2>&1');
		},
		@settings);
}

# Kills postmaster and backends with signal 9, the way a power cut does: kill9 of the postmaster alone would let a
# backend finish what it does.
sub kill_server
{
	my ($node) = @_;
	my $postmaster = $node->{_pid};
	my @children;
	for my $stat (glob '/proc/[0-9]*/stat')
	{
		open(my $file, '<', $stat) or next;
		my $line = <$file> // '';
		push @children, $1 if $line =~ /^(\d+) \(.*\) \S (\d+) / && $2 == $postmaster;
	}
	kill('STOP', $postmaster);
	kill('KILL', @children);
	$node->kill9;
	for my $pid (@children)
	{
		for (1 .. 1000)
		{
			last unless kill(0, $pid);
			select(undef, undef, undef, 0.01);
		}
	}
	return;
}

1;
