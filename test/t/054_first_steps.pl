# README's first steps, as they are printed, on a new server; and what happens to who names the key file too early.
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

my ($steps) = PostgreSQL::Test::Utils::slurp_file("$source/README.md") =~ /^## Five minutes[^\n]*\n(.*?)^## /ms;
my @blocks = $steps =~ /^```sql\n(.*?)^```$/msg;
is(scalar @blocks, 6, 'README has its steps in six blocks');
s{/etc/envcrypt/master\.key}{$file}g for @blocks;
my @users = ('postgres', 'postgres', 'postgres', 'app', 'app', 'postgres');
for my $n (0 .. $#blocks)
{
	my ($first, $then) = split /^-- restart PostgreSQL; then\n/m, $blocks[$n];
	for my $part (grep { defined } $first, $then)
	{
		my ($out, $error, $state) = run_sql($node, $part, user => $users[$n]);
		is($state, '', 'step ' . ($n + 1) . " as $users[$n]") or diag($error);
		$node->restart if defined $then && $part eq $first;
		# What the comments promise.
		like($out, qr/^0$/m, 'the first call registers the key') if $part =~ /envcrypt_rotate_master/;
		like($out, qr/^1\|Ann\|asthma, mild$/m, 'the SQL stays as it was') if $part =~ /LIKE 'a%'/;
		like($out, qr/^\|diagnosis\|\|3\|/m, 'three values opened') if $part =~ /envcrypt_verify/;
		like($out, qr/^envcrypt1:/m, 'the superuser sees sealed values') if $part =~ /envcrypt_status/;
	}
}
is(value($node, q{SELECT count(diagnosis::text) FROM patients}, user => 'app'), 2, "others' values read as before");
value($node, q{SELECT envcrypt_unprotect('patients', 'diagnosis')}, user => 'app');
is(value($node, 'SELECT diagnosis FROM patients WHERE id = 2'), 'migraine', 'and the plain column comes back');
$node->stop;
done_testing();
