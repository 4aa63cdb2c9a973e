# Protected tables on a standby, in prepared transactions, savepoints and parallel plans; what ANALYZE keeps of them,
# and what the log says of their rows.
use strict;
use warnings;
use EnvcryptTest;
use ProtectedTables;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key  = new_master_key();
my $file = key_file($key);
my $node = new_server('primary', init => { allows_streaming => 1 }, conf => "envcrypt.master_key_file = '$file'");
my @with = (key => $key);
my @clerk = (user => 'clerk');

value($node, 'SELECT envcrypt_rotate_master();' . make_types());
value($node, make_tables(300), @with);
value($node, 'GRANT ALL ON ALL TABLES IN SCHEMA "Other Schema" TO PUBLIC; GRANT USAGE ON SCHEMA "Other Schema" TO PUBLIC; GRANT ALL ON person, setting TO PUBLIC');
value($node, 'CREATE TABLE vault (id int, user_id text, t text);' . protect('vault', 't', 'user_id')
	. 'GRANT ALL ON vault TO PUBLIC', @with);
my $owned = 'SELECT count(*), count(DISTINCT envcrypt_owner(t)) FILTER (WHERE envcrypt_owner(t) = user_id) FROM vault';

# Savepoints.
my $session = session($node, @clerk);
ask($session, $_) for 'BEGIN', 'SAVEPOINT a', q{INSERT INTO vault VALUES (1, 'undone', 'x')}, 'ROLLBACK TO a',
  q{INSERT INTO vault VALUES (2, 'undone', 'y')}, 'SAVEPOINT b', q{INSERT INTO vault VALUES (3, 'released', 'z')},
	'RELEASE b',
  q{UPDATE vault SET user_id = 'changed' WHERE id = 2}, 'COMMIT';
is(value($node, 'SELECT id, user_id, t FROM vault ORDER BY id', @clerk), "2|changed|y\n3|released|z", 'savepoints');
ask($session, <<'SQL');
DO $$
BEGIN
	BEGIN
		INSERT INTO vault VALUES (4, 'of a block', 'x');
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		INSERT INTO vault VALUES (5, 'of a block', 'handler');
	END;
END $$
SQL
is(value($node, "$owned WHERE t IS NOT NULL", @clerk), '3|3',
	'and blocks that were undone leave every value with its owner');
ask_fails($session, q{INSERT INTO vault VALUES (1, 'a', 'x'), (2, NULL, 'y')}, '23502', qr/no owner to encrypt for/,
	'a statement fails after it made a key');
is(ask($session, q{INSERT INTO vault VALUES (6, 'a', 'x') RETURNING t}), 'x', 'the next makes it again');

# Read-only transactions.
ask($session, 'BEGIN READ ONLY');
is(ask($session, 'SELECT t FROM vault WHERE id = 2'), 'y', 'a read-only transaction reads');
ask_fails($session, q{INSERT INTO vault VALUES (7, 'read only', 'x')}, '25006', qr/read-only transaction/,
	'and writes nothing');
ask($session, 'ROLLBACK');
ask($session, 'CREATE TEMP TABLE scratch (user_id text, t encrypted_text)');
ask($session, q{CREATE TRIGGER "~envcrypt_9" BEFORE INSERT OR UPDATE ON scratch FOR EACH ROW
	WHEN (new.t IS NOT NULL OR new.user_id IS NULL) EXECUTE FUNCTION envcrypt_owner_trigger('9', 'error', 'text')});
ask($session, 'BEGIN READ ONLY');
is(ask($session, q{INSERT INTO scratch VALUES ('a', 'temporary') RETURNING t}), 'temporary',
	'but into temporary tables');
ask_fails($session, q{INSERT INTO scratch VALUES ('read only', 'x')}, '25006', qr/read-only transaction/,
	'where it needs no new key');
ask($session, 'ROLLBACK');
ask($session, 'DROP TABLE scratch');

# Two-phase commit, with keys that the trigger made; the server is killed in between.
sub prepared
{
	my ($end, $kill) = @_;
	my $name = lc "$end $kill";
	ask($session, $_) for 'BEGIN', "INSERT INTO vault VALUES (100, 'new in $name', 'prepared')",
	  "UPDATE vault SET user_id = 'moved in $name' WHERE id = 3", "PREPARE TRANSACTION 'p'";
	if ($kill)
	{
		kill_server($node);
		eval { $session->quit };
		$node->start;
		$session = session($node, @clerk);
	}
	my $other = session($node, @clerk);
	ask($other, "SET lock_timeout = '100ms'");
	ask_fails($other, "INSERT INTO vault VALUES (101, 'new in $name', 'waits')", '55P03', qr/lock timeout/,
		"$name: others wait for whether the key is there");
	value($node, "$end PREPARED 'p'");
	is(value($node, 'SELECT t FROM vault WHERE id = 100', @clerk), $end eq 'COMMIT' ? 'prepared' : '',
		"$name: the row is there or not");
	is(ask($other, "INSERT INTO vault VALUES (101, 'new in $name', 'afterwards') RETURNING t"), 'afterwards',
		"$name: the owner can be used");
	is(ask($session, "INSERT INTO vault VALUES (102, 'new in $name', 'by it') RETURNING t"), 'by it',
		"$name: also by who prepared");
	is(value($node, "SELECT count(*) FROM envcrypt_data_keys WHERE owner = 'new in $name'"), '1', "$name: one key");
	value($node, 'DELETE FROM vault WHERE id >= 100', @clerk);
	$other->quit;
	return;
}
prepared(@$_) for [ 'ROLLBACK', 0 ], [ 'COMMIT', 0 ], [ 'ROLLBACK', 1 ], [ 'COMMIT', 1 ];
$session->quit;
is(faults($node, @with), '', 'every value of every table is bound to its owner and column');

# Parallel plans give what serial ones give.
my $parallel = "SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET parallel_leader_participation = off; SET max_parallel_workers_per_gather = 2;";
my $launched = 0;
value($node, 'ALTER TABLE person SET (parallel_workers = 2); ALTER TABLE setting SET (parallel_workers = 2)');
value($node, "ALTER TABLE \"Other Schema\".$_ SET (parallel_workers = 2)") for qw(early late);
for my $query (
	'SELECT count(*), sum(n), max(f), max(t), min(d), bool_or(l), sum(length(note)) FROM person',
	'SELECT m, count(*), sum(i) FROM person GROUP BY m ORDER BY m',
	'SELECT l, d - d, count(DISTINCT u) FROM person GROUP BY 1, 2 ORDER BY 1',
	'SELECT id FROM person WHERE t LIKE $$%7$$ AND a << inet $$14.14.0.0/16$$ AND j ->> $$k$$ = $$Marker-Word$$ ORDER BY n DESC',
	'SELECT count(*), sum(p.n + v.n) FROM person p JOIN "Other Schema"."Visits" v ON p.t = v.t AND p.ts >= v.ts',
	'SELECT count(*) FROM person p JOIN setting s ON p.t *= s.t',
	'SELECT e, (c).street FROM (SELECT e, c::address AS c FROM person) p ORDER BY e, 2 LIMIT 5',
	'SELECT envcrypt_owner(t), count(*) FROM person GROUP BY 1 ORDER BY 1',
	'SELECT count(*) FROM person WHERE envcrypt_check(t, user_id, NULL) IS NOT NULL')
{
	my $serial = value($node, "SET max_parallel_workers_per_gather = 0; $query", user => 'reader');
	is(value($node, "$parallel $query", user => 'reader'), $serial, "in parallel: $query");
	is(value($node, "$parallel $query", @with), $serial, 'also with the session\'s key');
	$launched++ if value($node, "$parallel EXPLAIN (ANALYZE, COSTS off) $query",
		user => 'reader') =~ /Workers Launched: [12]/;
}
cmp_ok($launched, '>=', 8, 'workers did it');
fails($node, "$parallel SELECT max(t) FROM person", '42501', qr/permission denied to open/,
	'workers lend nobody a right', user => 'nobody');

# ANALYZE, and what it leaves. Few values, so that each would be a most common one.
value($node, <<'SQL', @with);
INSERT INTO person (id, user_id, t, n, l, d, j) SELECT i, 'user 1', 'Few-Marker ' || i % 2, 31415926, true, date '1915-07-29',
	'{"Few-Marker": 31415926}' FROM generate_series(1000, 1299) i;
CREATE STATISTICS extended (ndistinct, dependencies, mcv) ON t, l, d, n, plain FROM person;
CREATE STATISTICS nulls ON (t IS NULL), user_id FROM person;
SQL
my @few = (markers(), qw(Few-Marker 31415926 1915-07-29));
value($node, 'ANALYZE', $_->[0] => $_->[1]) for [ set => [] ], [ key => $key ];
is(value($node, q{SELECT count(*) FROM pg_stats WHERE attname = 't' AND tablename IN ('person', 'Visits', 'early', 'setting')}), '4',
	'ANALYZE has looked at the tables');
for my $catalog (qw(pg_statistic pg_statistic_ext_data pg_stats pg_stats_ext pg_stats_ext_exprs))
{
	my $text = value($node, "SELECT string_agg(c::text, '') FROM $catalog c WHERE c::text ~ 'Marker|31415926|1915-07-29|27182'");
	is($text, '', "no value in $catalog");
}
is(value($node, q{SELECT string_agg(attname, ',') FROM pg_stats WHERE tablename IN ('person', 'Visits', 'early', 'later than', 'setting')
	AND attname NOT IN ('id', 'user_id', 'User Id', 'plain') AND coalesce(most_common_vals::text, histogram_bounds::text, correlation::text) IS NOT NULL}),
	'', 'nor anything but null fractions and widths of encrypted columns');
is(value($node, q{SELECT DISTINCT null_frac FROM pg_stats WHERE tablename = 'person' AND attname IN ('v', 'b', 'u', 'c')}), '0.5', 'null fractions');
is(value($node, q{SELECT bool_and(avg_width = w), count(*) FROM pg_stats, LATERAL (SELECT avg(pg_column_size(t))::int, avg(pg_column_size(l))::int,
	avg(pg_column_size(d))::int FROM person) AS x (t, l, d), LATERAL (SELECT CASE attname WHEN 't' THEN t WHEN 'l' THEN l WHEN 'd' THEN d END) AS y (w)
	WHERE tablename = 'person' AND attname IN ('t', 'l', 'd')}), 't|3', 'and widths are right');
my $rows = sub { value($node, "EXPLAIN $_[0]", @clerk) =~ /rows=(\d+)/ or die; $1 };
my $all = $rows->('SELECT * FROM person');
is($all, 600, 'the planner knows how many rows there are');
for my $condition (q{t = 'x'}, q{t LIKE 'x%'}, q{n > 5}, q{n = 5}, q{d < now()}, q{d = '2000-01-01'}, q{i = 5},
	q{i BETWEEN 3 AND 5},
	q{t *= 'x'::encrypted_text}, q{m = 'sad'}, q{j @> '{}'}, q{u = '00000000-0000-0000-0000-000000000000'},
		q{a << '10/8'}, q{l})
{
	my $some = $rows->("SELECT * FROM person WHERE $condition");
	ok($some >= 1 && $some < $all, "between nothing and everything is expected for $condition") or diag("$some rows");
}
is($rows->('SELECT * FROM person WHERE v IS NULL'), 300, 'IS NULL is estimated from the null fraction');
like(value($node, q{EXPLAIN (COSTS off) SELECT * FROM person WHERE id = 5 AND t = 'x'}, @clerk),
	qr/Index Scan using person_pkey/,
	'an index on another column is used');
like(value($node, q{EXPLAIN (COSTS off) SELECT * FROM person p JOIN setting s ON s.id = p.id WHERE p.t = s.t}, @clerk),
	qr/Join/,
	'joins are planned');
value($node, 'ALTER TABLE person SET (autovacuum_analyze_threshold = 1, autovacuum_analyze_scale_factor = 0, autovacuum_vacuum_threshold = 1,
	autovacuum_vacuum_scale_factor = 0); UPDATE person SET plain = plain || $$!$$; ALTER SYSTEM SET autovacuum_naptime = 1; SELECT pg_reload_conf()', @with);

# The log, for those who may open: what PostgreSQL says to the client of a row that it refuses.
value($node, <<'SQL', @with);
CREATE TABLE refusing (id int PRIMARY KEY CHECK (id < 100), user_id text NOT NULL, t encrypted_text, n encrypted_numeric, other text);
CREATE TABLE parted (id int, t encrypted_text) PARTITION BY RANGE (id);
CREATE VIEW checked AS SELECT * FROM refusing WHERE id < 50 WITH CHECK OPTION;
GRANT ALL ON refusing, parted, checked TO PUBLIC;
INSERT INTO refusing VALUES (1, 'a', 'Marker-Word', 27182818);
SQL
my $dir   = PostgreSQL::Test::Utils::tempdir();
my $value = q{reverse('droW-rekraM')};
write_file("$dir/check.copy",  "500\ta\tMarker-Word\t27182818\tx\n", 0644);
write_file("$dir/unique.copy", "1\ta\tMarker-Word\t27182818\tx\n", 0644);
write_file("$dir/null.copy",   "2\t\\N\tMarker-Word\t27182818\tx\n", 0644);
write_file("$dir/extra.copy",  "2\ta\tMarker-Word\t27182818\tx\tMarker-Word\n", 0644);
write_file("$dir/int.copy",    "2\ta\tMarker-Word\t27182818\tx\nx\ta\tMarker-Word\t27182818\tx\n", 0644);
my $position = -s $node->logfile;
for my $case (
	[ 'CHECK', '23514', "INSERT INTO refusing VALUES (500, 'a', $value, 1)" ],
	[ 'NOT NULL', '23502', "INSERT INTO refusing VALUES (2, NULL, $value, 1)" ],
	[ 'a view\'s CHECK OPTION', '44000', "INSERT INTO checked VALUES (60, 'a', $value, 1)" ],
	[ 'UPDATE', '23514', 'UPDATE refusing SET id = 500, t = t' ],
	[ 'a function', '23514', "DO \$\$ BEGIN INSERT INTO refusing VALUES (500, 'a', $value, 1); END \$\$" ],
	[ 'no partition', '23514', "INSERT INTO parted VALUES (1, $value)" ],
	[ 'COPY, CHECK', '23514', "\\copy refusing FROM '$dir/check.copy'" ],
	[ 'COPY, unique', '23505', "\\copy refusing FROM '$dir/unique.copy'" ],
	[ 'COPY, NOT NULL', '23502', "\\copy refusing FROM '$dir/null.copy'" ],
	[ 'COPY, too many columns', '22P04', "\\copy refusing FROM '$dir/extra.copy'" ],
	[ 'COPY, not an integer', '22P02', "\\copy refusing FROM '$dir/int.copy'" ])
{
	my ($name, $state, $sql) = @$case;
	fails($node, $sql, $state, qr/ERROR/, "$name fails", @clerk);
}
$node->stop('fast');
$node->start;
my $logged = substr(slurp_file($node->logfile), $position);
like($logged, qr/violates check constraint "refusing_id_check"/, 'the log has the errors');
for my $marker (@few)
{
	is(join('', grep { /\Q$marker\E/ } split(/^/, $logged)), '', "and no $marker");
}
ok($node->poll_query_until('postgres', q{SELECT last_autoanalyze IS NOT NULL FROM pg_stat_user_tables WHERE relname = 'person'}),
	'autovacuum analyzes protected tables');

# A standby.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
my $sum = 'SELECT md5(string_agg(p::text, $$,$$ ORDER BY id)) FROM person p UNION ALL SELECT md5(string_agg(r::text, $$,$$ ORDER BY id)) FROM "Other Schema"."Visits" r';
is(value($standby, $sum, user => 'reader'), value($node, $sum, user => 'reader'), 'a standby opens protected tables');
is(value($standby, sealed_bytes()), value($node, sealed_bytes()), 'which are the same bytes');
is(faults($standby, @with), '', 'all bound');
fails($standby, $_, '25006', qr/read-only transaction/, "no write on a standby: $_", @clerk)
  for q{INSERT INTO vault VALUES (200, 'a', 'x')}, q{UPDATE vault SET user_id = 'b'},
	q{INSERT INTO vault VALUES (200, 'new on a standby', 'x')};
$node->stop('immediate');
$standby->promote;
is(value($standby, q{INSERT INTO vault VALUES (200, 'a', 'known'), (201, 'promoted', 'new') RETURNING t}, @clerk),
	"known\nnew",
	'promoted, it writes through the trigger');
is(value($standby, q{UPDATE vault SET user_id = 'promoted too' WHERE id = 200 RETURNING envcrypt_owner(t)}, @clerk),
	'promoted too', 'and re-binds');
is(faults($standby, @with), '', 'all bound');

# Nothing has left a value in any file.
value($standby, 'CHECKPOINT');
for my $marker (qw(Few-Marker 31415926 1915-07-29))
{
	isnt(system_log('grep', '-raqF', '--', $marker, $_->data_dir), 0, "no $marker in the files of " . $_->name)
		for $node, $standby;
}
$standby->stop;
done_testing();
