# What stands in the way of a rotation is named, waited for, and never made to wait itself.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $zeros = '0' x 64;
my $ones  = '1' x 64;
my $node  = PostgreSQL::Test::Cluster->new('locks');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'envcrypt'\nmax_prepared_transactions = 5");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION envcrypt');

my $with_old = "SET envcrypt.master_key = '$zeros';";
my $with_new = "SET envcrypt.master_key = '$ones:$zeros';";
$node->safe_psql('postgres', "$with_old SELECT envcrypt_rotate_master(); SELECT envcrypt_create_user_key('old')");

# An idle transaction that made a key.
my $idle = $node->background_psql('postgres');
$idle->query_safe("$with_old BEGIN");
$idle->query_safe("SELECT encrypt_for_user('idle', 'x')::text");
my $pid = $idle->query_safe('SELECT pg_backend_pid()');

my ($rc, $out, $err) = $node->psql('postgres', "$with_new SET lock_timeout = '700ms'; SELECT envcrypt_rotate_master()");
isnt($rc, 0, 'a rotation gives up after lock_timeout');
like($err, qr/could not lock the data keys within 700 ms/, 'it says so');
like($err, qr/In its way: process $pid\b/, 'it names the process in its way');
is($node->safe_psql('postgres', "SELECT count(*) FROM envcrypt_master_keys"), '1', 'nothing was changed');

# While a rotation waits, nobody waits behind it for long: sealing for a new owner goes on.
my $rotation = $node->background_psql('postgres', on_error_stop => 0);
$rotation->query_safe($with_new);
$rotation->query_until(qr/started/, "\\echo started\nSELECT envcrypt_rotate_master();\n");
for my $i (1 .. 5)
{
	is( $node->safe_psql('postgres',
			"$with_old SET statement_timeout = '5s'; SELECT encrypt_for_user('meanwhile $i', 'x')::text"),
		'x', "a new owner's key is made while a rotation waits ($i)");
}
is($node->safe_psql('postgres', "$with_old SELECT encrypt_for_user('old', 'y')::text"), 'y',
	'old owners are sealed for');
$idle->query_safe('COMMIT');
$node->poll_query_until('postgres', "SELECT count(*) = 2 FROM envcrypt_master_keys")
  or die 'the rotation did not finish';
is( $node->safe_psql('postgres', "SELECT count(DISTINCT master_fingerprint) FROM envcrypt_data_keys"),
	'1', 'when the transaction ends, the rotation does all keys');
$rotation->quit;

# A prepared transaction that made a key.
$idle->query_safe("SET envcrypt.master_key = '$ones'");
$idle->query_safe('BEGIN');
$idle->query_safe("SELECT encrypt_for_user('prepared', 'x')::text");
$idle->query_safe("PREPARE TRANSACTION 'in the way'");
my $back = "SET envcrypt.master_key = '$zeros:$ones';";
($rc, $out, $err) = $node->psql('postgres', "$back SET lock_timeout = '500ms'; SELECT envcrypt_rotate_master()");
like($err, qr/In its way: prepared transaction 'in the way'/, 'it names the prepared transaction in its way');
($rc, $out, $err) = $node->psql('postgres', "$back SET statement_timeout = '3s'; SELECT envcrypt_rotate_master()");
like($err, qr/NOTICE:.*waits for prepared transaction 'in the way'/, 'a NOTICE names it before that');
like($err, qr/canceling statement due to statement timeout/, 'statement_timeout ends the wait');
$node->safe_psql('postgres', "ROLLBACK PREPARED 'in the way'");
is($node->safe_psql('postgres', "$back SELECT envcrypt_rotate_master() > 0"), 't', 'then it rotates');
$idle->quit;

$node->stop;
done_testing();
