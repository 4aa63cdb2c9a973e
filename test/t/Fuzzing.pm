# What the fuzz tests share: a server with values of every type, roles, and what must not happen to it. FUZZ_SEED and
# FUZZ_ROUNDS are taken from the environment, so that a failure can be repeated, or looked for longer.
package Fuzzing;
use strict;
use warnings;
use Exporter 'import';
use EnvcryptTest;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(rounds pick fuzz_server run_statements start_statements finish_statements report no_crash secrets);

my $seed = $ENV{FUZZ_SEED} // time();
srand($seed);

sub rounds
{
	my ($default) = @_;
	return $ENV{FUZZ_ROUNDS} // $default;
}

sub pick { return $_[ rand @_ ] }

my @types = qw(text bytea jsonb int8 numeric float8 bool date timestamptz uuid inet);
my $key   = new_master_key();

# Words that stand in the sealed values, and the master key.
sub secrets { return ('Marker-Word', unpack('H*', 'Marker-Word'), $key) }

# fuzz_server(NAME): a server with a key file, new_server's roles and `keyadmin`, the table `sealed` with a column of
# each type, the protected tables `notes` and `parts` of `clerk`, who may open, and `plain`. The superuser may open,
# too.
sub fuzz_server
{
	my ($name) = @_;
	my $node = new_server($name, conf => <<"CONF");
envcrypt.master_key_file = '@{[ key_file($key) ]}'
max_parallel_workers_per_gather = 0
restart_after_crash = off
log_min_error_statement = panic
fsync = off
CONF
	my $values = q{'Marker-Word ' || i, convert_to('Marker-Word ' || i, 'UTF8'), jsonb_build_object('k', 'Marker-Word'), i,
		i / 3.0, i / 7.0, i % 2 = 0, date '2020-01-01' + i, timestamptz '2020-01-01' + i * interval '1 h', md5(i::text)::uuid,
		inet '10.0.0.1' + i};
	my $columns = join(', ', map { "c_$_ encrypted_$_" } @types);
	value($node, <<"SQL");
SELECT envcrypt_rotate_master();
CREATE ROLE keyadmin LOGIN IN ROLE envcrypt_keyadmin;
CREATE TYPE mood AS ENUM ('sad', 'happy');
SELECT envcrypt_create_type('int4'), envcrypt_create_type('mood'), envcrypt_create_type('point');
GRANT envcrypt_encrypt, envcrypt_decrypt TO postgres;
CREATE TABLE sealed (id int, $columns);
INSERT INTO sealed SELECT i, $values FROM generate_series(1, 8) i;
SELECT count(encrypt_for_user('ann', c_text::text)) FROM sealed;
SELECT envcrypt_create_user_key('gone'), envcrypt_shred_user('gone') IS NULL;
CREATE TABLE plain (id int PRIMARY KEY, owner text, word text);
CREATE TABLE notes (id int PRIMARY KEY, owner text, note text, n int8);
INSERT INTO notes SELECT i, (ARRAY['ann', 'bob'])[1 + i % 2], 'Marker-Word ' || i, i FROM generate_series(1, 20) i;
CREATE TABLE parts (id int, owner text, note text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (10);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (MAXVALUE);
INSERT INTO parts SELECT i, 'ann', 'Marker-Word ' || i FROM generate_series(1, 20) i;
ALTER TABLE notes OWNER TO clerk;
ALTER TABLE parts OWNER TO clerk;
SELECT envcrypt_protect('notes', '{note,n}'::name[], 'owner'), envcrypt_protect('parts', 'note', 'owner');
GRANT ALL ON ALL TABLES IN SCHEMA public TO reader, writer, keyadmin, clerk;
REVOKE ALL ON envcrypt_data_keys, envcrypt_master_keys FROM reader, writer, keyadmin, clerk;
GRANT SELECT ON notes, parts, sealed, plain TO nobody;
SQL
	$node->{fuzz_log}   = -s $node->logfile;
	$node->{fuzz_start} = value($node, 'SELECT pg_postmaster_start_time()');
	return $node;
}

# run_statements(NODE, USER, [LINES]): what psql says to a file of them: a list of [SQLSTATE, message, line], and all
# that came out, and all that went wrong. A statement, or several, on each line.
sub run_statements
{
	my ($node, $user, $lines) = @_;
	my ($out, $err) = finish_statements(start_statements($node, $user, $lines, 'psql'));
	my @errors;
	push @errors, [ $2, $3, $lines->[ $1 - 1 ] ]
	  while $err =~ /^psql:[^:]*:(\d+): (?:ERROR|FATAL|PANIC):  (\w{5}): (.*)$/mg;
	return (\@errors, $out, $err);
}

# start_statements(NODE, USER, [LINES]) and finish_statements(STARTED): the same while others do something.
sub start_statements
{
	my ($node, $user, $lines, $name) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . "/statements.$user";
	write_file($file, join("\n", @$lines) . "\n");
	local $ENV{PGAPPNAME} = $name // 'fuzz';
	my $run = IPC::Run::start(
		[
			$node->installed_command('psql'), '-XqAt', '-v', 'VERBOSITY=verbose', '-U', $user, '-d',
			$node->connstr('postgres'), '-f', $file
		],
		'<', \undef, '>', "$file.out", '2>', "$file.err");
	return { run => $run, file => $file, lines => $lines };
}

sub finish_statements
{
	my ($started) = @_;
	$started->{run}->finish;
	return map { PostgreSQL::Test::Utils::slurp_file("$started->{file}.$_") } 'out', 'err';
}

# report(ERROR...): how to see it again, and the first of those errors.
sub report
{
	my (@errors) = @_;
	diag("seed $seed");
	diag("@$_") for grep { defined } @errors[ 0 .. 9 ];
	return;
}

# no_crash(NODE, NAME): two tests.
sub no_crash
{
	my ($node, $name) = @_;
	my ($started, undef, $sqlstate) = run_sql($node, 'SELECT pg_postmaster_start_time()');
	is($started, $node->{fuzz_start}, "$name: the server has not restarted");
	my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile, $node->{fuzz_log});
	my @bad = $log =~ /^.*(?:terminated by signal|TRAP:|PANIC:|stack smashing|corrupted).*$/mg;
	is("@bad", '', "$name: no process has crashed");
	return;
}

1;
