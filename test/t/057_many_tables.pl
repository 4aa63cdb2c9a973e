# A database of many tables and owners: what is done to one table, or to one owner, does not read the catalogs or
# the key table once more for each of the others, and takes no more than one lock of a table.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($tables, $owners) = (250, 200);
my $node = new_server('many', conf => "envcrypt.master_key_file = '" . key_file(new_master_key()) . "'");
my @clerk = (user => 'clerk');
value($node, 'SELECT envcrypt_rotate_master(); ALTER ROLE clerk SUPERUSER');
value($node, <<"SQL", @clerk);
CREATE TABLE person (id text PRIMARY KEY);
INSERT INTO person SELECT 'p' || i FROM generate_series(1, $owners) i;
SELECT envcrypt_manage_owners('person', 'id', on_delete => 'shred');
DO \$\$ BEGIN FOR i IN 1..$tables LOOP
	EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, owner text, v text, plain text, a int, b int, c int)', i);
	EXECUTE format('CREATE INDEX ON t%s (a)', i);
	EXECUTE format('CREATE INDEX ON t%s (b)', i);
	EXECUTE format('INSERT INTO t%s SELECT j, ''p'' || 1 + (j * 17 + %s) %% $owners, ''value '' || j
		FROM generate_series(1, 5) j', i, i);
	EXECUTE format('SELECT envcrypt_protect(%L, ''v'', ''owner'')', 't' || i);
	COMMIT;
END LOOP; END \$\$;
CREATE TABLE one_more (id int, owner text, v text);
SQL

# reads(SQL, RELATION): how many rows of it a sequential scan has read, and how often an index of it was used, while
# SQL ran.
sub reads
{
	my ($sql, $relation) = @_;
	return value($node, <<"SQL", @clerk);
BEGIN;
$sql \\g /dev/null
SELECT pg_stat_get_xact_tuples_returned('$relation'::regclass),
	(SELECT sum(pg_stat_get_xact_numscans(indexrelid)) FROM pg_index WHERE indrelid = '$relation'::regclass);
ROLLBACK;
SQL
}

# Planning reads pg_attribute of the same few tables, whatever else there is.
for my $case (
	[ q{SELECT envcrypt_protect('one_more', 'v', 'owner')}, 'pg_attribute' ],
	[ q{SELECT envcrypt_verify('t1')}, 'pg_type' ],
	[ q{SELECT envcrypt_verify('t1')}, 'pg_attribute' ],
	[ q{SELECT envcrypt_manage_owners('person', 'id', on_delete => 'shred')}, 'pg_attribute' ],
	[ q{SELECT envcrypt_shred_user('p7')}, 'pg_attribute' ])
{
	my ($sql, $relation) = @$case;
	my ($rows) = split /\|/, reads($sql, $relation);
	cmp_ok($rows, '<', $tables, "$sql does not read all of $relation");
}

# rekey_users(OWNERS) of so many tables
my $all = "SELECT envcrypt_rekey_users(ARRAY(SELECT id FROM person))";
my (undef, $lookups) = split /\|/, reads($all, 'envcrypt_data_keys');
cmp_ok($lookups, '<', 30 * $owners, 'envcrypt_rekey_users() looks for each key some times, not once for each table');
my $locked = "SELECT count(DISTINCT relation) FROM pg_locks WHERE locktype = 'relation'";
cmp_ok(value($node, "BEGIN; $all \\g /dev/null\n$locked; ROLLBACK", @clerk),
	'<', 1.3 * $tables, 'and locks tables, and not their indexes');
is(value($node, $all, @clerk), 5 * $tables, 'it seals all values again');
is(value($node, "SELECT count(*) FROM envcrypt_columns WHERE protection = 'owner'", @clerk),
	$tables, 'all columns are reported');
is(
	value($node, "SELECT envcrypt_rekey_users(ARRAY['p3']) > 0, envcrypt_rekey_users(ARRAY['p5']) > 0", @clerk),
	't|t', 'other owners in the same statement');
# What one call has read of keys is not taken for the next.
is(value($node, <<'SQL', @clerk), "f\n1", 'an owner whose keys were destroyed, and made again, between two calls');
DO $$
DECLARE
	n bigint;
BEGIN
	FOR i IN 1..2 LOOP
		n := envcrypt_rekey_users(ARRAY['p3', 'p4']);
		ASSERT n > 0;
		PERFORM envcrypt_shred_user('p4');
		PERFORM envcrypt_create_user_key('p4', after_shred => true);
		UPDATE t1 SET owner = 'p4', v = 'again' WHERE id = 1;
	END LOOP;
END $$;
SELECT envcrypt_rekey_users(ARRAY['p3', 'p4']) = 0;
SELECT count(*) FROM t1 WHERE owner = 'p4' AND v = 'again';
SQL
is(value($node, "SELECT count(*) FROM envcrypt_status() WHERE state <> 'ok'", @clerk), '0', 'the status is clean');

# The catalogs tell the planner of so many rows that it would compile these with LLVM, which takes seconds.
my $cost = "SELECT count(*) FROM pg_proc WHERE proname IN ('envcrypt_column_checks', 'envcrypt_column_report')
	AND 'jit=off' = ANY (proconfig)";
is(value($node, $cost), '2', 'queries of the catalogs are not compiled');
my ($plan) = value($node, 'EXPLAIN SELECT * FROM envcrypt_columns') =~ /cost=[0-9.]+\.\.([0-9]+)/;
cmp_ok($plan, '<', 100_000, 'nor is envcrypt_columns');

value($node, "DELETE FROM person WHERE id <> 'p9'", @clerk);
is(value($node, "SELECT DISTINCT owner FROM envcrypt_data_keys WHERE kind = 'data' AND owner IS NOT NULL"), 'p9',
	'all versions of the keys of all the others are destroyed');
$node->stop;
done_testing();
