# Comparing and sorting opened values: while key rows change, and in how much memory.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key  = '0' x 64;
my $node = new_server('comparisons', conf => 'autovacuum = off');
my $set = "SET envcrypt.master_key = '$key';";
$node->safe_psql('postgres', "$set SELECT envcrypt_rotate_master()");

# The two values of one comparison stay opened, also if keys change between them.
$node->safe_psql('postgres', qq{$set
	CREATE TABLE u (id int, v encrypted_text);
	INSERT INTO u SELECT 1, encrypt_for_user('w1', 'AAAA-first');
	INSERT INTO u SELECT 2, encrypt_for_user('w2', 'ZZZZ-other');
	INSERT INTO u SELECT 3, encrypt_for_user('w3', 'AAAA-first');
	INSERT INTO u SELECT 4, encrypt_for_user('w4', 'ZZZZ-other');});
my $reader = $node->background_psql('postgres');
$reader->query_safe($set);
$reader->query_safe('SELECT a.v *= b.v FROM u a, u b WHERE a.id = 1 AND b.id = 2');
$reader->query_until(qr/started/, q{\echo started
SELECT 'equal: ' || (a.v *= b.v) FROM (SELECT *, pg_sleep(2) FROM u WHERE id = 3 OFFSET 0) a, u b WHERE b.id = 4;
});
$node->safe_psql('postgres', "UPDATE envcrypt_data_keys SET created_at = created_at WHERE owner = 'w1'");
like($reader->query_safe('SELECT 1'), qr/equal: false/, 'a comparison during which a key row changes is right');
$reader->quit;

# The same under load: one client changes a key row all the time, the other sorts.
$node->safe_psql('postgres', qq{$set
	CREATE TABLE many (n int, v encrypted_text);
	INSERT INTO many SELECT i, encrypt_for_user('o' || i % 300, 'value ' || i % 500) FROM generate_series(1, 3000) i;});
my $script = $node->basedir . '/bump.sql';
append_to_file($script, "UPDATE envcrypt_data_keys SET created_at = created_at WHERE owner = 'w1';\n");
my $bump = IPC::Run::start(
	[ 'pgbench', '-n', '-T', '12', '-c', '1', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
	'>', '/dev/null', '2>', '/dev/null');
for my $round (1 .. 8)
{
	my ($rc, $out, $err) = $node->psql('postgres',
		"$set SET enable_hashagg = off; SELECT count(*), min(v), max(v) FROM (SELECT DISTINCT v FROM many) d");
	is("$rc $out$err", '0 500|value 0|value 99', "sorting is right while key rows change ($round)");
}
$bump->kill_kill;

# A sort in a database of another encoding keeps its memory.
$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
$node->safe_psql('latin', 'CREATE EXTENSION envcrypt');
$node->safe_psql('latin', qq{$set SELECT envcrypt_rotate_master(); CREATE TABLE l (v encrypted_text);
	INSERT INTO l SELECT encrypt_for_user('o' || i % 3, md5(i::text)) FROM generate_series(1, 20000) i;});
my $bytes = $node->safe_psql('latin',
	qq{$set BEGIN; SELECT count(*) FROM (SELECT v FROM l ORDER BY v OFFSET 0) q \\g /dev/null
	SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'envcrypt%'});
cmp_ok($bytes, '<', 4_000_000, 'opened values are not kept for longer than the memo keeps them');

$node->stop;
done_testing();
