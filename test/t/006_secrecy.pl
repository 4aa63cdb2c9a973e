# Plaintext and keys appear in no log line, statistics row, file or setting. The marker is typed backwards only, so
# that no statement holds it: wherever it is found, it leaked.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $marker    = 'Xq7Marker9Kv';
my $control   = 'Xq7Control9Kv';    # the same, in a plain column: shows that the search would find it
my $typed     = "reverse('" . reverse($marker) . "')";
my $other     = "reverse('" . reverse($control) . "')";
my $key       = new_master_key();
my $typed_key = new_master_key();    # for statements that PostgreSQL logs as they were typed
my $file      = key_file($key);
my $node      = new_server('secrecy', conf => <<"CONF");
envcrypt.master_key_file = '$file'
log_statement = all
log_min_messages = debug1
log_min_error_statement = debug5
log_error_verbosity = verbose
CONF
my $dir = PostgreSQL::Test::Utils::tempdir();
my $log = sub { slurp_file($node->logfile) };

value($node, 'SELECT envcrypt_rotate_master()');
value($node, <<"SQL", user => 'clerk');
CREATE TABLE account (id int, owner text, secret encrypted_text, raw encrypted_bytea, plain text);
INSERT INTO account SELECT i, 'o' || i % 3, encrypt_for_user('o' || i % 3, $typed || i),
    encrypt_for_user('o' || i % 3, convert_to($typed || i, 'UTF8')), $other || i FROM generate_series(1, 300) i;
UPDATE account SET secret = $typed WHERE id < 20;
SQL

# Errors of ours, with the marker in the value.
my $sealed = 'SELECT secret FROM account WHERE id = 1';
my $armored = value($node, $sealed, user => 'nobody');
write_file("$dir/plain.copy", "1\t$marker in plain\n", 0644);
write_file("$dir/broken.copy", "1\tenvcrypt1:$marker\n", 0644);
write_file("$dir/sealed.copy", "1\t$armored\n", 0644);
write_file("$dir/bytes.copy", "1\t\\\\x$marker\n", 0644);
value($node, 'CREATE TABLE target (id int, secret encrypted_text, raw encrypted_bytea)', user => 'clerk');
value($node, <<'SQL');
CREATE FUNCTION inside(v text) RETURNS encrypted_text LANGUAGE plpgsql AS 'BEGIN RETURN encrypt_for_user(NULL, v); END';
CREATE TYPE holder AS (secret encrypted_text);
SQL
my @cases = (
	[ 'sealing without the right', "SELECT encrypt_for_user('o', $typed)", '42501', 'nobody' ],
	[ 'sealing for nobody', "SELECT encrypt_for_user(NULL, $typed)", '22004', 'clerk' ],
	[ 'sealing for an empty owner', "SELECT encrypt_for_user('', $typed)", '22\w{3}', 'clerk' ],
	[ 'sealing for too long an owner', "SELECT encrypt_for_user(repeat('o', 256), $typed)", '\w{5}', 'clerk' ],
	[ 'sealing in a PL/pgSQL function', "SELECT inside($typed)", '22004', 'clerk' ],
	[ 'a prepared statement', "PREPARE p(text) AS SELECT encrypt_for_user(NULL, \$1); EXECUTE p($typed)", '22004',
		'clerk' ],
	[ 'opening for the wrong owner', 'SELECT decrypt_for_user($$o2$$, secret) FROM account WHERE id = 1', '22023',
		'clerk' ],
	[ 'opening without the right', 'SELECT upper(secret) FROM account', '42501', 'nobody' ],
	[ 'COPY of plaintext by who may not seal', "\\copy target (id, secret) FROM '$dir/plain.copy'", '42501', 'nobody' ],
	[ 'COPY of broken armored text', "SET envcrypt.io = ciphertext;\n\\copy target (id, secret) FROM '$dir/broken.copy'", '\w{5}', 'clerk' ],
	[ 'COPY of armored text as plaintext', "\\copy target (id, secret) FROM '$dir/broken.copy'", '22P02', 'clerk' ],
	[ 'COPY of a value of another type', "SET envcrypt.io = ciphertext;\n\\copy target (id, raw) FROM '$dir/sealed.copy'", 'ZE002', 'clerk' ],
	[ 'COPY of bad bytea', "\\copy target (id, raw) FROM '$dir/bytes.copy'", '22023', 'clerk' ],
	[ 'a composite value', "SELECT ('(' || $typed || ')')::holder", '42501', 'nobody' ],
	[ 'an array', "SELECT ('{' || $typed || '}')::encrypted_text[]", '42501', 'nobody' ],
	map {
		[ "an opened value that is no $_", "SELECT secret::$_ FROM account WHERE id = 30", '\w{5}', 'clerk' ]
	} qw(int2 int4 int8 numeric float4 float8 bool date time timestamptz interval uuid inet cidr jsonb oid regclass money));
# Runs cases, which must fail; returns what the server logged meanwhile, and what the clients were told.
sub run_cases
{
	my ($position, $told) = (-s $node->logfile, '');
	for my $case (@_)
	{
		my ($name, $sql, $expected, $user) = @$case;
		my (undef, $err, $sqlstate) = run_sql($node, $sql, user => $user);
		local $Test::Builder::Level = $Test::Builder::Level + 1;
		like($sqlstate, qr/^$expected$/, "$name fails") or diag($err);
		$told .= $err;
	}
	return (substr($log->(), $position), $told);
}

# The lines of a text that have the marker.
sub leaks { return join('', grep { /\Q$marker\E/ } split(/^/, $_[0])) }

my ($logged, $errors) = run_cases(@cases);
my ($err, $state);
value($node, "SELECT envcrypt_shred_user('o2')");
for my $sql ("SELECT encrypt_for_user('o2', $typed)", 'SELECT secret FROM account WHERE owner = $$o2$$')
{
	(undef, $err, $state) = run_sql($node, $sql, user => 'clerk');
	is($state, 'ZE003', 'a shredded owner is refused');
	$errors .= $err;
}
value($node, 'SET envcrypt.allow_data_loss = on; DELETE FROM envcrypt_data_keys WHERE owner = $$o0$$');
(undef, $err, $state) = run_sql($node, 'SELECT secret FROM account WHERE owner = $$o0$$', user => 'clerk');
is($state, 'ZE002', 'a lost key is reported');
$errors .= $err;

# (Who sends a line of COPY gets it back with PostgreSQL's context.)
is(leaks($errors =~ s/^CONTEXT:  COPY .*\n//mgr), '', 'no error shows plaintext to the client');
is(leaks($log->()), '', 'no line of the server log has plaintext');
like($logged, qr/42501: permission denied to seal values/, 'which has the errors themselves');

# PostgreSQL adds the text of a dynamic statement (QUERY) where the error has a position in it.
($logged) = run_cases(
	[ 'dynamic SQL whose text has the value',
		"DO \$\$ BEGIN EXECUTE format('SELECT %L::encrypted_text', 'envcrypt1:' || $typed); END \$\$",
		'\w{5}', 'clerk' ],
	[ 'dynamic SQL by who may not seal', "DO \$\$ BEGIN EXECUTE format('SELECT %L::encrypted_text', $typed); END \$\$",
		'42501', 'nobody' ],
	[ 'dynamic SQL with sealed text', "DO \$\$ BEGIN EXECUTE format('SELECT encrypt_for_user(''o'', %L)', 'envcrypt1:' || $typed); END \$\$",
		'22P02', 'clerk' ],
);
is(leaks($logged), '', 'errors of ours keep the text of dynamic SQL out of the log');

# There is no cast to json, so this goes through PostgreSQL's json_in, which quotes what it was given.
($logged) = run_cases([ 'an opened value that is no json', 'SELECT secret::json FROM account WHERE id = 31', '22P02',
	'clerk' ]);
is(leaks($logged), '', 'conversion through text keeps the value out of the log');
my $position = -s $node->logfile;

# Statistics, made by who may open.
value($node, 'ALTER TABLE account OWNER TO clerk; CREATE STATISTICS pair (mcv, ndistinct) ON secret, plain FROM account');
value($node, 'ANALYZE account', user => 'clerk');
for my $catalog (qw(pg_statistic pg_stats pg_statistic_ext_data pg_stats_ext))
{
	is(value($node, "SELECT count(*) FROM $catalog c WHERE c::text LIKE '%' || $typed || '%'"), '0',
		"no plaintext in $catalog");
}
isnt(value($node, "SELECT count(*) FROM pg_stats c WHERE c::text LIKE '%' || $other || '%'"), '0',
	'where the plain column is found');
is(value($node, "SELECT null_frac FROM pg_stats WHERE tablename = 'account' AND attname = 'secret'"), '0',
	'the sealed column has statistics');

# Files of the server: tables, WAL, everything.
value($node, "CREATE TABLE sorted AS SELECT id, secret FROM account WHERE owner = 'o1' ORDER BY secret; CHECKPOINT",
	key => $key);
is(system_log('grep', '-raq', $control, $node->data_dir . '/base'),   0, 'plain values are found in table files');
is(system_log('grep', '-raq', $control, $node->data_dir . '/pg_wal'), 0, 'and in WAL');
isnt(system_log('grep', '-raq', $marker, $node->data_dir), 0, 'encrypted ones in no file of the data directory');
isnt(system_log('grep', '-raqF', '--', $key, $node->data_dir), 0, 'nor the master key');

# The master key, in a session that has it from connection options, and from a computed set_config.
my $key_backwards = reverse $key;
for my $way ([ '', key => $key ], [ "SELECT set_config('envcrypt.master_key', reverse('$key_backwards'), false);" ])
{
	my ($set, @options) = @$way;
	my $shown = value($node, <<"SQL", @options);
$set
SHOW envcrypt.master_key;
SELECT current_setting('envcrypt.master_key');
SHOW ALL;
SELECT * FROM pg_settings;
SELECT * FROM pg_stat_activity;
SELECT * FROM pg_db_role_setting;
SELECT * FROM envcrypt_status();
SELECT set_config('envcrypt.master_key', current_setting('envcrypt.master_key'), false) FROM account WHERE false;
SQL
	like($shown, qr/^\*{8}$/m, 'a set master key is shown as asterisks');
	ok($shown !~ /\Q$key\E/, 'no view shows it');
}
is(value($node, 'SHOW envcrypt.master_key'), '', 'unset, it is empty');
$err = fails($node, "SELECT set_config('envcrypt.master_key', '$typed_key:' || $typed, false)", '22023',
	qr/Entry 2 is not a key/, 'a keyring with a typing error is refused by the number of its entry');
ok($err !~ /\Q$marker\E/, 'without the entry itself');

# Every place that would keep it. PostgreSQL logs these statements as typed, so they have a key of their own.
for my $sql ("ALTER ROLE clerk SET envcrypt.master_key = '$typed_key'",
	"ALTER DATABASE postgres SET envcrypt.master_key = '$typed_key'",
	"ALTER ROLE ALL SET envcrypt.master_key = '$typed_key'",
	"ALTER SYSTEM SET envcrypt.master_key = '$typed_key'",
	"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET envcrypt.master_key = '$typed_key' AS 'SELECT 1'",
	"SET check_function_bodies = off; CREATE FUNCTION f() RETURNS int LANGUAGE sql SET envcrypt.master_key = '$typed_key' AS 'SELECT 1'",
	"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION f() SET envcrypt.master_key = '$typed_key'",
	"SET envcrypt.master_key = '$typed_key'; ALTER ROLE clerk SET envcrypt.master_key FROM CURRENT")
{
	my ($out, $error, $sqlstate) = run_sql($node, $sql);
	(my $name = $sql) =~ s/'[^' ]{44}'/'...'/g;
	like($sqlstate, qr/^(55P02|22023|42501)$/, "refused: $name") or diag($error);
	ok($error !~ /^(?!.*(LINE|STATEMENT)).*\Q$typed_key\E/m, 'without printing the key');
}
is(value($node, "SELECT count(*) FROM pg_db_role_setting WHERE setconfig::text LIKE '%master_key=%'"), '0',
	'no catalog has it');
is(value($node, "SELECT count(*) FROM pg_proc WHERE proconfig::text LIKE '%envcrypt.master%'"), '0',
	'no function has it');
ok(slurp_file($node->data_dir . '/postgresql.auto.conf') !~ /master_key/, 'nor postgresql.auto.conf');

# In postgresql.conf it is refused with a warning that does not show it.
my $conf       = $node->data_dir . '/postgresql.conf';
my $plain_conf = slurp_file($conf);
my $conf_key   = new_master_key();
$node->append_conf('postgresql.conf', "envcrypt.master_key = '$conf_key'");
my $reloaded = -s $node->logfile;
$node->reload;
$node->wait_for_log(qr/parameter "envcrypt\.master_key" can be set only in a session|invalid value for parameter "envcrypt\.master_key"/,
	$reloaded);
like(substr($log->(), $reloaded), qr/can be set only in a session/, 'a reload warns of a key in postgresql.conf');
is(value($node, 'SHOW envcrypt.master_key'), '', 'and does not take it');
$node->stop;
my $started = -s $node->logfile;
$node->start;
pass('a server with a key in postgresql.conf starts');
like(substr($log->(), $started), qr/WARNING:.*parameter "envcrypt\.master_key" can be set only in a session/,
	'with a warning');
is(value($node, 'SHOW envcrypt.master_key'), '', 'without taking the key');
is(value($node, "SELECT secret FROM account WHERE id = 1", user => 'reader'), $marker, 'the key file counts');
ok($log->() !~ /\Q$conf_key\E/, 'the log shows nothing of the key in postgresql.conf');
ok($log->() !~ /\Q$key\E/, 'nor the key of connection options and of the key file') or
  diag(grep { /\Q$key\E/ } split(/^/, $log->()));
write_file($conf, $plain_conf);
$node->restart;

# The key file.
my $session = session($node, user => 'reader');

sub reload
{
	my ($path) = @_;
	$node->append_conf('postgresql.conf', "envcrypt.master_key_file = '$path'") if defined $path;
	my $before = ask($session, 'SELECT pg_conf_load_time()');
	$node->reload;
	for (1 .. 500)
	{
		return if ask($session, 'SELECT pg_conf_load_time()') ne $before;
		select(undef, undef, undef, 0.02);
	}
	die 'the session did not reload';
}

my $read = 'SELECT secret FROM account WHERE id = 1';
is(ask($session, $read), $marker, 'a session is warm with the key file');

chmod 0644, $file;
reload();
ask_fails($session, $read, 'F0000', qr/not private.*0600/s, 'a key file that others may read is refused');
chmod 0600, $file;
reload();
is(ask($session, $read), $marker, 'made private again and reloaded, it is taken');

reload(write_file($node->data_dir . '/master_keys', "$key\n"));
ask_fails($session, $read, 'F0000', qr/inside a data directory/, 'a key file inside the data directory is refused');
unlink $node->data_dir . '/master_keys';
my $tablespace = PostgreSQL::Test::Utils::tempdir();
value($node, "CREATE TABLESPACE away LOCATION '$tablespace'");
reload(write_file("$tablespace/master_keys", "$key\n"));
ask_fails($session, $read, 'F0000', qr/inside a data directory or tablespace/, 'so is one inside a tablespace');

reload("$dir/missing");
ask_fails($session, $read, '58P01', qr/could not read master key file.*missing/s, 'a missing key file is an error');
my $garbage = write_file("$dir/garbage", "$key\n$marker\n");
reload($garbage);
$err = ask_fails($session, $read, 'F0000', qr/is not a keyring.*Entry 2 is not a key/s,
	'a broken key file is named by its entry');
ok($err !~ /\Q$marker\E|\Q$key\E/, 'without its content');
write_file($garbage, '');
reload();
ask_fails($session, $read, 'F0000', qr/holds no key/, 'an empty key file is an error');
reload($dir);
ask_fails($session, $read, '(F0000|42809|58\w{3})', qr/master key file/, 'a directory is refused');
symlink $file, "$dir/link" or die "symlink: $!";
reload("$dir/link");
is(ask($session, $read), $marker, 'a symbolic link is followed (secrets of Kubernetes are links)');

write_file($file, "$typed_key\n");
reload();
ask_fails($session, $read, 'ZE001', qr/master key/,
	'a key taken out of the file opens nothing after a reload, also in a warm session');
write_file($file, "$typed_key\n$key\n");
reload();
is(ask($session, $read), $marker, 'put back, it opens again');
is(value($node, 'SELECT envcrypt_rotate_master() > 0'), 't',
	'the first key of the changed file is what a rotation makes current');
write_file($file, "$typed_key\n");
reload();
is(ask($session, $read), $marker, 'then it is enough');
reload('');
ask_fails($session, $read, 'ZE001', qr/no master key is available/, 'with the setting emptied there is no key');
is(leaks(substr($log->(), $position)), '', 'still the log has no plaintext');
ok($log->() !~ /\Q$key\E/, 'nor the key');

$session->quit;
$node->stop;
done_testing();
