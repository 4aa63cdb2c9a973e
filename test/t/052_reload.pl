# Scripts that change where the master key comes from, ask for a reload, and go on at once: pg_reload_conf() returns
# before any session has reloaded.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = 20;
my $node   = new_server('reload', conf => 'log_min_messages = warning');
my $dir    = PostgreSQL::Test::Utils::tempdir();
my $first  = new_master_key();
my $file   = write_file("$dir/first", "$first\n");
my $set    = "ALTER SYSTEM SET envcrypt.master_key_file = '$file';\n";

# without_key(): no session that begins now has a master key, or learns of one.
sub without_key
{
	value($node, 'ALTER SYSTEM RESET ALL');
	value($node, 'SELECT pg_reload_conf()');
	$node->poll_query_until('postgres', q{SELECT current_setting('envcrypt.master_key_file') = ''}) or die 'no reload';
	return;
}

# succeeded(SCRIPT, CODE...): in how many rounds the script succeeds, without a master key before.
sub succeeded
{
	my ($script) = @_;
	my $count = 0;
	for (1 .. $rounds)
	{
		without_key();
		my ($out, $err, $sqlstate) = run_sql($node, $script);
		$count++ if $sqlstate eq '';
		diag($err) if $sqlstate ne '';
	}
	return $count;
}

is(succeeded("$set SELECT pg_reload_conf(); SELECT envcrypt_rotate_master();"), $rounds, 'a key is registered');
is( succeeded("$set SELECT pg_reload_conf(); SELECT envcrypt_create_user_key('1') IS NULL;"),
	$rounds, "so is an owner's key made");
is( succeeded("$set DO 'BEGIN PERFORM pg_reload_conf(); PERFORM envcrypt_rotate_master(); END'"),
	$rounds, 'in one statement, too');
is( succeeded("$set BEGIN; SELECT pg_reload_conf(); SELECT envcrypt_rotate_master(); COMMIT"),
	$rounds, 'and in a transaction');

# What else is in the files comes with it, and what the session has set stays.
without_key();
my $session = session($node);
ask($session, q{SET work_mem = '3MB'; ALTER SYSTEM SET work_mem = '5MB'});
ask($session, q{ALTER SYSTEM SET maintenance_work_mem = '7MB'});
ask($session, $set);
ask($session, q{BEGIN});
ask($session, q{SET LOCAL maintenance_work_mem = '2MB'});
is( ask($session, q{SELECT pg_reload_conf(), envcrypt_rotate_master(), current_setting('work_mem'),
	current_setting('maintenance_work_mem')}),
	't|0|3MB|2MB', "the session's own settings stay");
ask($session, 'COMMIT');
is(ask($session, 'SHOW maintenance_work_mem'), '7MB', 'the new ones hold afterwards');
is(ask($session, 'RESET work_mem; SHOW work_mem'), '5MB', 'below those of the session, too');

# A function with settings of its own, which are taken back when it ends.
without_key();
value($node, <<'SQL');
CREATE FUNCTION register() RETURNS text LANGUAGE plpgsql SET work_mem = '4MB' SET search_path = pg_catalog, public AS
$$BEGIN PERFORM pg_reload_conf(); PERFORM envcrypt_rotate_master(); RETURN current_setting('work_mem'); END$$;
SQL
ask($session, q{ALTER SYSTEM SET work_mem = '6MB'});
ask($session, $set);
is(ask($session, 'SELECT register()'), '4MB', 'inside a function with settings');
is(ask($session, 'SHOW work_mem'), '6MB', 'and after it');

# Nobody asked for a reload.
without_key();
fails($node, "$set SELECT envcrypt_rotate_master()", 'ZE001', qr/HINT: .*pg_reload_conf/, 'without a reload, a hint');
value($node, 'GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC; CREATE TABLE t (c encrypted_text)');
fails(
	$node, q{INSERT INTO t VALUES ('x')},
	'ZE001', qr/no master key is available.*HINT: .*changed after this session had read it/s,
	'and to who writes', user => 'writer');
without_key();
fails($node, 'SELECT envcrypt_rotate_master()', 'ZE001', qr/HINT: .*Set envcrypt.master_key/, 'nothing was changed');

# The wait can be ended.
fails(
	$node, "$set SET statement_timeout = 300; SELECT envcrypt_rotate_master()",
	'57014', qr/statement timeout/, 'the wait can be cancelled');

# A key file that is replaced in its place.
value($node, 'SELECT pg_reload_conf()');
$node->poll_query_until('postgres', q{SELECT current_setting('envcrypt.master_key_file') <> ''}) or die 'no reload';
my $rotated = 0;
my $old     = $first;
for (1 .. $rounds)
{
	$session = session($node);
	ask($session, 'SELECT envcrypt_rotate_master()');
	my $new = new_master_key();
	rename(write_file("$dir/new", "$new\n$old\n"), $file) or die "rename: $!";
	ask($session, 'SELECT pg_reload_conf()');
	$rotated++ if ask($session, 'SELECT envcrypt_rotate_master()') > 0;
	$old = $new;
	$session->quit;
}
is($rotated, $rounds, 'a key put into the file is rotated to at once');
$session = session($node);
ask($session, 'SELECT envcrypt_rotate_master()');
rename(write_file("$dir/new", new_master_key() . "\n$old\n"), $file) or die "rename: $!";
ask_fails(
	$session, 'SELECT envcrypt_rotate_master()',
	'55000', qr/was changed after this session had read it.*HINT: .*pg_reload_conf/s,
	'without a reload that is an error, not a rotation to the key before');
is(ask($session, 'SELECT pg_reload_conf(), envcrypt_rotate_master() > 0'), 't|t', 'with one it is done');
$session->quit;
$node->stop;
done_testing();
