# The guard of DDL where nothing is preloaded, in a schema that others may not use, while other DDL runs inside a
# command, over a restore; and what it leaves to be seen by those who have no encrypted column: nothing.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use EnvcryptTest;

my $key  = new_master_key();
my $node = new_server('guard', extension => 0,
	conf => "shared_preload_libraries = 'pg_stat_statements'\npg_stat_statements.track = all");
value($node, 'CREATE EXTENSION pg_stat_statements; CREATE SCHEMA hidden; CREATE EXTENSION envcrypt SCHEMA hidden');
value($node, 'CREATE ROLE maker LOGIN; CREATE SCHEMA m AUTHORIZATION maker; ALTER ROLE maker SET search_path = m');
value($node, 'SELECT hidden.envcrypt_rotate_master()', key => $key);
my @maker = (user => 'maker');

# A plain table does not notice, whoever makes it: no right of ours is needed, no statement of ours is run.
value($node, 'SELECT pg_stat_statements_reset()');
my @plain = split /\n/, <<'SQL';
CREATE TABLE t (id int PRIMARY KEY, owner text, a text)
CREATE TABLE c () INHERITS (t)
CREATE TABLE p (id int) PARTITION BY LIST (id)
CREATE TABLE p_1 PARTITION OF p DEFAULT
ALTER TABLE t ALTER a SET STATISTICS 10
ALTER TABLE t ADD COLUMN b int REFERENCES t
CREATE INDEX i ON t (a)
CREATE STATISTICS s ON (lower(a)), b FROM t
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'
CREATE TRIGGER "~z" BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()
CREATE FUNCTION upper(int) RETURNS text LANGUAGE sql AS 'SELECT $$x$$'
CREATE TYPE y AS (a int)
CREATE TABLE of_y OF y
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)
DROP TYPE y CASCADE
DROP TABLE c
SQL
value($node, join(";\n", @plain), @maker);
my $seen = value($node,
	q{SELECT string_agg(query, ' | ') FROM pg_stat_statements
		WHERE query !~ '^(CREATE|ALTER|DROP|SELECT pg_stat|SELECT string_agg)'});
is($seen, '', 'no statement but their own is seen');
is(value($node, q{SELECT count(*) FROM pg_stat_statements WHERE query ~ 'envcrypt'}), '0', 'and none of ours');

# Nor does a command read more of the catalogs where there are more tables. (Caches are warm: it has run once.)
my $catalogs = value($node, q{SELECT string_agg(oid::text, ',') FROM pg_class
	WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'});
sub catalog_reads
{
	my ($sql) = @_;
	my $session = session($node, @maker);
	my $count = "SELECT 'rows', sum(pg_stat_get_xact_tuples_returned(c)), sum(pg_stat_get_xact_tuples_fetched(c))
		FROM unnest('{$catalogs}'::oid[]) c";
	my $reads = ask($session, "BEGIN; $sql; ROLLBACK; BEGIN; $count; $sql; $count; ROLLBACK");
	$session->quit;
	my ($scanned, $fetched, $scanned_after, $fetched_after) = $reads =~ /rows\|(\d+)\|(\d+)/g;
	return ($scanned_after - $scanned, $fetched_after - $fetched);
}
my @repeated = ('ALTER TABLE t ALTER a SET STATISTICS 20', 'CREATE TEMP TABLE more (id int PRIMARY KEY, a text)',
	'CREATE INDEX ON t (b)', 'DROP TABLE of_it');
value($node, 'CREATE TABLE of_it (a int)', @maker);
my %reads = map { $_ => [ catalog_reads($_) ] } @repeated;
value($node, q{DO $$ BEGIN FOR i IN 1..400 LOOP
	EXECUTE format('CREATE TABLE many_%s (id int PRIMARY KEY, a int)', i); END LOOP; END $$}, @maker);
for my $sql (@repeated)
{
	my ($scanned, $fetched) = catalog_reads($sql);
	is($scanned, $reads{$sql}[0], "no scan of a catalog grows with the number of tables: $sql");
	cmp_ok($fetched, '<', $reads{$sql}[1] + 200, "nor does what is read by index: $sql");
}
value($node, q{DO $$ BEGIN FOR i IN 1..400 LOOP EXECUTE format('DROP TABLE many_%s', i); END LOOP; END $$;
	DROP TABLE of_it}, @maker);

# Each refusal as a session's first command. The schema is named, as the maker may not use it.
value($node, 'GRANT USAGE ON SCHEMA hidden TO maker; CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER there FOREIGN DATA WRAPPER nowhere;
	GRANT USAGE ON FOREIGN SERVER there TO maker');
value($node, q{CREATE TABLE sealed (id int, owner text, v hidden.encrypted_text, a hidden.encrypted_text[]);
CREATE TABLE codes (v text PRIMARY KEY);
	CREATE TABLE kept (id int, owner text, a text);
	CREATE FUNCTION same(hidden.encrypted_text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true'}, @maker);
value($node, q{SELECT hidden.envcrypt_protect('m.kept', 'a', 'owner')}, key => $key);
my $f = '0A000';
my @refused = (
	[ 'ALTER TABLE sealed ADD FOREIGN KEY (v) REFERENCES codes', $f,
		qr/cannot create a foreign key on an encrypted column/ ],
	[ 'CREATE FOREIGN TABLE abroad (v hidden.encrypted_text) SERVER there', $f, qr/cannot have encrypted column "v"/ ],
	[ 'CREATE TRIGGER "~z" BEFORE INSERT ON kept FOR EACH ROW EXECUTE FUNCTION f()', '55000',
		qr/would fire after envcrypt's/ ],
	[ 'CREATE FUNCTION upper(hidden.encrypted_text) RETURNS text LANGUAGE sql AS $$SELECT NULL::text$$', '42501',
		qr/permission denied to create function/ ],
	[ 'CREATE OPERATOR = (LEFTARG = hidden.encrypted_text, RIGHTARG = text, FUNCTION = same)', '42501',
		qr/permission denied to create operator/ ],
	[ 'CREATE TABLE by_value (v hidden.encrypted_text) PARTITION BY LIST (v)', $f, qr/cannot partition by/ ],
	[ 'CREATE INDEX ON sealed (a)', $f, qr/cannot index/ ],
	[ 'CREATE STATISTICS s2 ON (upper(v)), id FROM sealed', $f, qr/cannot create statistics/ ],
);
for my $case (@refused)
{
	my ($sql, $state, $message) = @$case;
	fails($node, $sql, $state, $message, "refused at once: $sql", @maker);
	(my $quoted = $sql) =~ s/'/''/g;
	fails($node, "DO 'BEGIN EXECUTE \$do\$$quoted\$do\$; END'", $state, $message, "and inside a block: $sql", @maker);
}

# DDL that a function runs while a command is under way does not make the guard forget the command, preloaded or not.
value($node, q{CREATE FUNCTION makes(x int) RETURNS int LANGUAGE plpgsql AS $$
	BEGIN CREATE TEMP TABLE IF NOT EXISTS inside (a int); DROP TABLE inside; RETURN x; END $$;
	CREATE TABLE busy (id int, v hidden.encrypted_text); INSERT INTO busy VALUES (1)}, @maker);
my $nested = 'ALTER TABLE busy ADD FOREIGN KEY (v) REFERENCES codes, ALTER id TYPE int USING m.makes(id)';
fails($node, $nested, $f, qr/cannot create a foreign key/, 'refused with DDL inside, as the first command', @maker);
fails($node, "CREATE TEMP TABLE first (a int); $nested", $f, qr/cannot create a foreign key/, 'and as a later one',
	@maker);
fails($node, q{CREATE TEMP TABLE first (a int);
	DO $$ BEGIN ALTER TABLE busy ADD FOREIGN KEY (v) REFERENCES codes; EXCEPTION WHEN feature_not_supported THEN NULL;
	END $$;
	ALTER TABLE busy ADD FOREIGN KEY (v) REFERENCES codes}, $f, qr/cannot create a foreign key/,
		'and after an error that was caught', @maker);
value($node, 'BEGIN; SAVEPOINT a; CREATE TABLE gone (v hidden.encrypted_text); ROLLBACK TO a;
	CREATE TABLE stays (id int); COMMIT', @maker);

# What a session-level hook of another library would add changes nothing: LOAD in the middle of things.
value($node, q{LOAD 'auto_explain'; CREATE TABLE after_load (id int)});

# A restore of data as pg_restore --disable-triggers does it.
my $dump = PostgreSQL::Test::Utils::tempdir() . '/data.dump';
value($node, q{CREATE TABLE people (id text PRIMARY KEY); SELECT hidden.envcrypt_manage_owners('people', 'id', 'shred');
	CREATE TABLE notes (who text, note text); INSERT INTO people VALUES ('ann'), ('bob');
	SELECT hidden.envcrypt_protect('notes', 'note', 'who'); INSERT INTO notes VALUES ('ann', 'one')}, key => $key);
$node->command_ok([ 'pg_dump', '-Fc', '-a', '-t', 'people', '-t', 'notes', '-f', $dump, 'postgres' ], 'a dump of data');
value($node, 'ALTER TABLE people DISABLE TRIGGER ALL; DELETE FROM people; DELETE FROM notes;
	ALTER TABLE people ENABLE TRIGGER ALL');
my $modes = q{SELECT string_agg(DISTINCT tgenabled::text, '') FROM pg_trigger
WHERE tgrelid IN ('people'::regclass, 'notes'::regclass)
	AND tgname ~ 'envcrypt'};
is(value($node, $modes), 'A', 'ENABLE TRIGGER ALL leaves our triggers enabled always');
with_key(undef, sub { $node->command_ok([ 'pg_restore', '--disable-triggers', '-a', '-d', 'postgres', $dump ],
	'restored without triggers') });
is(value($node, $modes), 'A', 'and so does pg_restore --disable-triggers');
value($node, q{SET session_replication_role = replica; DELETE FROM people WHERE id = 'ann'}, key => $key);
is(value($node, q{SELECT kind FROM hidden.envcrypt_data_keys WHERE owner = 'ann'}), '',
	'a user deleted as a replica is shredded');
is(value($node, q{SELECT count(*) FROM hidden.envcrypt_data_keys WHERE owner = 'bob'}), '1', 'and no other');

# A whole dump restores, in one transaction, with everything that is guarded.
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, 'postgres' ], 'a dump of all');
value($node, 'CREATE DATABASE again');
$node->command_ok([ 'pg_restore', '-1', '-d', 'again', $dump ], 'restored');
is(value($node, $modes, db => 'again'), 'A', 'with its triggers enabled always');
is(value($node, q{SELECT string_agg(evtname || evtenabled::text, ' ' ORDER BY evtname) FROM pg_event_trigger},
	db => 'again'),
	'envcrypt_begin_ddlA envcrypt_guard_ddlA', 'and the guard with them');
value($node, 'DROP TABLE notes, people; DROP TABLE m.kept, m.sealed, m.busy CASCADE; DROP FUNCTION m.same;
	DROP EXTENSION envcrypt', db => 'again');

# What stood there before the extension is named when it comes.
value($node, 'CREATE ROLE earlier');
value($node, 'CREATE DATABASE before OWNER earlier');
value($node, "SET ROLE earlier; CREATE FUNCTION public.envcrypt_protect(text, text) RETURNS void LANGUAGE sql AS ''",
	db => 'before');
my (undef, $warning) = run_sql($node, 'CREATE EXTENSION envcrypt', db => 'before');
like($warning, qr/WARNING: .*names of envcrypt's.*envcrypt_protect\(text,text\)/s,
	'a function that has the name of one of ours is told of');

done_testing();
