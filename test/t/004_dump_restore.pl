# Dumps hold sealed values only, restore byte for byte, and need no key.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $marker = 'Plaintext-Marker';
my $key    = new_master_key();
my $conf   = "envcrypt.master_key_file = '" . key_file($key) . "'";
my $old    = new_server('old', conf => $conf);
my $new    = new_server('new', conf => $conf);
my $none   = new_server('keyless', extension => 0);
my $dir    = PostgreSQL::Test::Utils::tempdir();
my @tables = qw(account note);

value($old, 'SELECT envcrypt_rotate_master()');
value($old, <<"SQL", user => 'clerk');
CREATE TABLE account (id int PRIMARY KEY, owner text NOT NULL, secret encrypted_text DEFAULT '$marker default',
    raw encrypted_bytea, plain text);
INSERT INTO account SELECT i, 'owner ' || i % 50, encrypt_for_user('owner ' || i % 50, '$marker ' || i),
    encrypt_for_user('owner ' || i % 50, decode(md5(i::text), 'hex')), 'row ' || i FROM generate_series(1, 2000) i;
INSERT INTO account VALUES (0, 'none', NULL, NULL, NULL), (-1, 'empty', '', '', ''),
    (-2, 'long', encrypt_for_user('long', repeat('$marker', 10000)), encrypt_for_user('long', '\\x00ff00'::bytea), NULL);
INSERT INTO account (id, owner) VALUES (-3, 'default');
CREATE TABLE note (id int REFERENCES account, words encrypted_text[]);
INSERT INTO note VALUES (1, ARRAY[encrypt_for_user('owner 1', '$marker, 1'), NULL, encrypt_for_user('owner 2', '$marker, 2')]);
CREATE VIEW shouting AS SELECT id, upper(coalesce(secret, '$marker if null')) AS secret FROM account;
SQL
value($old, "SELECT envcrypt_create_user_key('shredded'); SELECT envcrypt_shred_user('shredded')");

# What is opened, by a member of envcrypt_decrypt; and the sealed bytes themselves.
my $opened = <<'SQL';
SELECT count(*), count(secret), md5(string_agg(a::text, ',' ORDER BY id)), (SELECT words::text FROM note),
    (SELECT md5(string_agg(secret, ',' ORDER BY id)) FROM shouting) FROM account a
SQL
my $sealed = <<'SQL';
SET envcrypt.io = ciphertext;
SELECT md5(string_agg(encrypted_text_send(secret) || coalesce(encrypted_bytea_send(raw), ''), '' ORDER BY id))
    || (SELECT md5(words::text) FROM note) FROM account;
SQL
my $keys = "SELECT md5(string_agg(k::text, ',' ORDER BY key_id)) FROM envcrypt_data_keys k
	UNION ALL SELECT md5(string_agg(m::text, ',' ORDER BY fingerprint)) FROM envcrypt_master_keys m";
my $opened_before = value($old, $opened, user => 'reader');
my $sealed_before = value($old, $sealed);
my $keys_before   = value($old, $keys);
like($opened_before, qr/^2004\|2003\|.*"$marker, 1",NULL,"$marker, 2"/, 'the values open before the dump');

sub tool
{
	my ($node, $tool, @arguments) = @_;
	return [ $node->installed_command($tool), '-h', $node->host, '-p', $node->port, @arguments ];
}

sub succeeds
{
	my ($command, $name, @redirect) = @_;
	my $err = '';
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(IPC::Run::run($command, @redirect, '2>', \$err), $name) or diag($err);
	return $err;
}

# Dumps differ in comments and in psql's \restrict token.
sub dumped_text
{
	my ($file) = @_;
	return join('', grep { !/^(--|\\(un)?restrict)/ } split(/^/, slurp_file($file)));
}

sub is_restored
{
	my ($node, $db, $how) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(value($node, $sealed, db => $db), $sealed_before, "$how: the sealed bytes are the same");
	is(value($node, $keys,   db => $db), $keys_before,   "$how: the key rows are the same");
	is(value($node, $opened, db => $db, user => 'reader'), $opened_before, "$how: everything opens for a member");
	my ($file) = "$dir/$db.again.sql";
	IPC::Run::run(tool($node, 'pg_dump', '--data-only', '-f', $file, $db)) or die 'pg_dump failed';
	ok(dumped_text($file) eq dumped_text("$dir/data.sql"), "$how: a second dump of the data equals the first");
	return;
}

# Dump in every format.
succeeds(tool($old, 'pg_dump', '-f', "$dir/all.sql", 'postgres'), 'pg_dump by a superuser who is no member works');
succeeds(tool($old, 'pg_dump', '--data-only',   '-f', "$dir/data.sql",   'postgres'), 'pg_dump --data-only works');
succeeds(tool($old, 'pg_dump', '--schema-only', '-f', "$dir/schema.sql", 'postgres'), 'pg_dump --schema-only works');
succeeds(tool($old, 'pg_dump', '-Fc', '-Z0', '-f', "$dir/all.custom", 'postgres'), 'pg_dump -Fc works');
succeeds(tool($old, 'pg_dump', '-Fd', '-j4', '-f', "$dir/all.dir", 'postgres'), 'pg_dump -Fd -j4 works');
value($old, 'GRANT envcrypt_decrypt TO CURRENT_USER');
succeeds(tool($old, 'pg_dump', '-f', "$dir/member.sql", 'postgres'), 'pg_dump by a member works');
ok(dumped_text("$dir/member.sql") eq dumped_text("$dir/all.sql"), 'a member, who could open, dumps the same');
value($old, 'REVOKE envcrypt_decrypt FROM CURRENT_USER');
for my $file (qw(all.sql data.sql schema.sql all.custom))
{
	my $text = slurp_file("$dir/$file");
	# ok, not like: a failure must not print the dump.
	ok($text !~ /$marker/, "no plaintext in $file");
	ok($text =~ /envcrypt1:/ || $file eq 'all.custom', "sealed values in $file");
}
ok(slurp_file("$dir/schema.sql") =~ /DEFAULT 'envcrypt1:[^']*'::public\.encrypted_text/, 'a default is dumped sealed');

# Restore in every way.
my $psql = sub { my ($node, $db, $file) = @_; tool($node, 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $db, '-f',
	$file) };
$new->safe_psql('postgres', "CREATE DATABASE $_ TEMPLATE template0")
  for qw(plain custom parallel prepared with_key);

succeeds($psql->($new, 'plain', "$dir/all.sql"), 'pg_dump | psql restores');
is_restored($new, 'plain', 'plain format');
succeeds(tool($new, 'pg_restore', '--exit-on-error', '-d', 'custom', "$dir/all.custom"), 'pg_restore restores');
is_restored($new, 'custom', 'custom format');
succeeds(tool($new, 'pg_restore', '--exit-on-error', '-j4', '-d', 'parallel', "$dir/all.dir"),
	'pg_restore -j4 restores');
is_restored($new, 'parallel', 'directory format in parallel');
succeeds($psql->($new, 'prepared', "$dir/schema.sql"), 'the schema alone is restored');
is(value($new, 'SELECT count(*) FROM envcrypt_data_keys', db => 'prepared'), '0', 'which holds no data keys');
succeeds($psql->($new, 'prepared', "$dir/data.sql"), 'the data alone is restored');
is_restored($new, 'prepared', 'data only');
is(value($new, "INSERT INTO account (id, owner) VALUES (5000, 'd') RETURNING secret", db => 'plain', user => 'clerk'),
	"$marker default", 'a restored default opens in a new row');

# psql in a session that may seal takes text for plaintext: it is refused, not sealed twice.
my $err = '';
with_key($key, sub { ok(!IPC::Run::run($psql->($new, 'with_key', "$dir/all.sql"), '2>', \$err),
	'psql in a session with a key in auto mode does not restore') });
like($err, qr/sealed value given where type .*encrypted_text expects plaintext/, 'it says what happened');
like($err, qr/PGOPTIONS='-c envcrypt\.io=ciphertext'/, 'and names the way out');
$new->safe_psql('postgres', 'DROP DATABASE with_key');
$new->safe_psql('postgres', 'CREATE DATABASE with_key TEMPLATE template0');
with_key($key, sub { succeeds($psql->($new, 'with_key', "$dir/all.sql"), 'with that it restores') },
	'envcrypt.io=ciphertext');
is_restored($new, 'with_key', 'with a key and envcrypt.io=ciphertext');

# Binary COPY.
my $ciphertext = [ 'envcrypt.io=ciphertext' ];
value($old, "\\copy $_ TO '$dir/$_.copy' (FORMAT binary)", set => $ciphertext) for @tables;
ok(slurp_file("$dir/$_.copy") !~ /$marker/, "no plaintext in binary COPY of $_") for @tables;
value($new, 'TRUNCATE account, note', db => 'plain');
value($new, "\\copy $_ FROM '$dir/$_.copy' (FORMAT binary)", db => 'plain', set => $ciphertext) for @tables;
is(value($new, $sealed, db => 'plain'), $sealed_before, 'binary COPY: the sealed bytes are the same');
is(value($new, $opened, db => 'plain', user => 'reader'), $opened_before, 'binary COPY: everything opens');
value($old, "\\copy (SELECT id, owner, secret FROM account) TO '$dir/opened.copy' (FORMAT binary)", user => 'reader');
ok(slurp_file("$dir/opened.copy") =~ /$marker 1/, 'binary COPY by a member in auto mode opens');
value($new, 'TRUNCATE account, note', db => 'plain');
value($new, "\\copy account (id, owner, secret) FROM '$dir/opened.copy' (FORMAT binary)", db => 'plain',
	user => 'clerk');
is(value($new, "SELECT secret FROM account WHERE id = 7", db => 'plain', user => 'reader'), "$marker 7",
	'and in again seals');
fails($new, "\\copy account FROM '$dir/account.copy' (FORMAT binary)", '22P02', qr/PGOPTIONS/,
	'sealed binary values are not sealed twice', db => 'plain', user => 'clerk');

# A server that never had a key.
$none->safe_psql('postgres', 'CREATE ROLE reader LOGIN; CREATE ROLE writer LOGIN; CREATE ROLE clerk; CREATE ROLE nobody LOGIN');
$none->safe_psql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
succeeds($psql->($none, 'postgres', "$dir/all.sql"), 'a server without a key restores with psql');
$none->safe_psql('postgres', 'GRANT envcrypt_decrypt TO reader; GRANT envcrypt_encrypt TO writer');
succeeds(tool($none, 'pg_restore', '--exit-on-error', '-j2', '-d', 'restored', "$dir/all.dir"), 'and with pg_restore');
for my $db (qw(postgres restored))
{
	my $file = "$dir/keyless.$db.sql";
	succeeds(tool($none, 'pg_dump', '--data-only', '-f', $file, $db), "dumps again from $db");
	ok(dumped_text($file) eq dumped_text("$dir/data.sql"), 'with the same data');
}
for my $command ('ANALYZE', 'VACUUM FULL', 'VACUUM FREEZE ANALYZE', 'REINDEX DATABASE postgres',
	'CLUSTER account USING account_pkey',
	'ALTER TABLE account ADD COLUMN added float8 DEFAULT random()', 'ALTER TABLE account DROP COLUMN added',
		'CREATE TABLE copy AS TABLE account', 'CREATE INDEX ON account (plain)')
{
	my (undef, $error, $sqlstate) = run_sql($none, $command);
	is($sqlstate, '', "$command works without a key") or diag($error);
}
is(value($none, $sealed), $sealed_before, 'after all that the sealed bytes are the same');
my $parallel = "SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET @{[ $none->pg_version < 16 ? 'force_parallel_mode' : 'debug_parallel_query' ]} = on;";
my $scan = "SELECT count(*), sum(length(encrypted_text_send(secret))) > 80000 FROM account WHERE encrypted_text_send(secret) IS NOT NULL";
like(value($none, "$parallel EXPLAIN $scan", user => 'nobody'), qr/Gather/,
	'a plan over the sealed column is parallel');
is(value($none, "$parallel $scan", user => 'nobody'), '2003|t', 'parallel workers handle sealed values without a key');
like(value($none, 'SELECT secret FROM account WHERE id = 1', user => 'nobody'), qr/^envcrypt1:[A-Za-z0-9+\/=]+$/,
	'who may not open sees armored text');
fails($none, 'SELECT secret FROM account WHERE id = 1', 'ZE001',
	qr/no master key is available.*HINT:.*envcrypt\.master_key/s,
	'a member gets an error, not armored text', user => 'reader');
fails($none, "SELECT * FROM account WHERE secret = 'x'", 'ZE001', qr/no master key/, 'comparing needs the key',
	user => 'reader');
fails($none, 'SELECT upper(secret) FROM account', '42501', qr/permission denied to open/,
	'a function needs the right to open',
	user => 'nobody');
fails($none, 'SELECT secret::text FROM account', '42501', qr/permission denied to open/,
	'being superuser is not that right');
fails($none, "SELECT encrypt_for_user('owner 1', 'x')", 'ZE001', qr/no master key/, 'sealing needs the key',
	user => 'writer');
is(value($none, $opened, key => $key), $opened_before, 'a session that brings the key opens everything');

$_->stop for $old, $new, $none;
done_testing();
