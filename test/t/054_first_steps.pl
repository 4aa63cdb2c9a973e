# README's first steps, as they are printed, on a new server, and in a second database; what happens to a user who names
# the key file too early, and what CREATE EXTENSION says of roles that are there already.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = $ENV{SOURCE} or plan skip_all => 'SOURCE is not set: test/run sets it';
my $file   = key_file(new_master_key());
my $node   = PostgreSQL::Test::Cluster->new('first_steps');
$node->init(extra => [ '--locale=C', '--encoding=UTF8' ]);
$node->start;
# The cluster's superuser has the name of whoever runs this.
value($node, q{SELECT 'CREATE ROLE postgres SUPERUSER LOGIN' WHERE to_regrole('postgres') IS NULL \gexec});

# Before the library is loaded, PostgreSQL knows none of its settings. From 17 on, it takes them all the same.
my $early = "ALTER SYSTEM SET envcrypt.master_key_file = '$file'";
if ($node->pg_version < 17)
{
	fails($node, $early, '42704', qr/unrecognized configuration parameter/, 'too early, before the library is loaded');
}
else
{
	is((run_sql($node, "$early; ALTER SYSTEM RESET envcrypt.master_key_file"))[2], '', 'before the library is loaded');
}
like(
	PostgreSQL::Test::Utils::slurp_file("$source/docs/operations.md"),
	qr/unrecognized configuration\s+parameter "envcrypt.master_key_file"/,
	'which the documentation says, and what to do');
my (undef, $err, $sqlstate) = run_sql($node, "LOAD 'envcrypt'; $early; ALTER SYSTEM RESET envcrypt.master_key_file");
is($sqlstate, '', 'after LOAD it can') or diag($err);

# Roles of our names that somebody made before the extension was anywhere: a warning, whatever else they were granted.
value($node, q{CREATE ROLE maker LOGIN CREATEROLE; CREATE DATABASE scratch; GRANT ALL ON SCHEMA public TO maker});
value($node, q{CREATE ROLE envcrypt_decrypt; CREATE ROLE early IN ROLE envcrypt_decrypt;
	CREATE FUNCTION feigned() RETURNS int LANGUAGE sql AS 'SELECT 1';
	GRANT EXECUTE ON FUNCTION feigned() TO envcrypt_decrypt}, user => 'maker');
my (undef, $warning) = run_sql($node, 'CREATE EXTENSION envcrypt', db => 'scratch');
like($warning, qr/WARNING: .*role "envcrypt_decrypt" exists already and has members: (maker, )?early/,
	'members of roles from before the extension are warned of');
value($node, 'DROP DATABASE scratch; DROP FUNCTION feigned(); REVOKE ALL ON SCHEMA public FROM maker;
	DROP ROLE early, maker, envcrypt_encrypt, envcrypt_decrypt, envcrypt_search, envcrypt_keyadmin');

my ($steps) = PostgreSQL::Test::Utils::slurp_file("$source/README.md") =~ /^## Five minutes[^\n]*\n(.*?)^## /ms;
my @blocks = $steps =~ /^```sql\n(.*?)^```$/msg;
is(scalar @blocks, 7, 'README has its steps in seven blocks');
s{/etc/envcrypt/master\.key}{$file}g for @blocks;
like($blocks[0], qr/shared_preload_libraries/, 'first, the library');
value($node, shift @blocks);
$node->restart;
value($node, 'CREATE DATABASE mydb');

# From there on in one session, which becomes `app` and the superuser again.
my $psql = session($node, db => 'mydb');
for my $block (@blocks)
{
	my $out = ask($psql, $block);
	# What the comments promise.
	like($out, qr/^0$/m, 'the first call registers the key') if $block =~ /envcrypt_rotate_master/;
	like($out, qr/^1\|Ann\|asthma, mild$/m, 'the SQL stays as it was') if $block =~ /LIKE 'a%'/;
	like($out, qr/^\|diagnosis\|\|3\|/m, 'three values opened') if $block =~ /envcrypt_verify/;
	like($out, qr/^envcrypt1:/m, 'the superuser sees sealed values') if $block =~ /envcrypt_status/;
}
$psql->quit;
my @app = (db => 'mydb', user => 'app');
is(value($node, q{SELECT count(diagnosis::text) FROM patients}, @app), 2, "others' values read as before");
fails($node, 'SELECT diagnosis::text FROM patients', '42501', qr/permission denied to open/, 'the superuser opens none',
	db => 'mydb');
value($node, q{SELECT envcrypt_unprotect('patients', 'diagnosis')}, @app);
is(value($node, 'SELECT diagnosis FROM patients WHERE id = 2', db => 'mydb'), 'migraine',
	'and the plain column comes back');

# A second database: what README promises, and no warning of what is as it is meant.
value($node, 'CREATE DATABASE second');
my ($out, $told, $state) =
  run_sql($node, 'CREATE EXTENSION envcrypt; SELECT envcrypt_rotate_master()', db => 'second');
is("$state$out", '0', 'two statements make a second database ready') or diag($told);
unlike($told, qr/WARNING/, 'without a warning');
like(value($node, q{SELECT * FROM envcrypt_status() WHERE "check" = 'members'}, db => 'second'),
	qr/envcrypt_decrypt.*app/, 'and envcrypt_status() names those who may open there, too');
$node->stop;
done_testing();
