# envcrypt_protect_online(): nothing that is written meanwhile is lost, whatever interrupts it, and nobody waits for
# long.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $key  = new_master_key();
my $node = new_server('online', conf => "envcrypt.master_key_file = '" . key_file($key) . "'\nwal_level = replica");
$node->safe_psql('postgres',
	'GRANT envcrypt_encrypt, envcrypt_decrypt TO CURRENT_USER; SELECT envcrypt_rotate_master()');

my $state = 'SELECT (envcrypt_online_state(%s)).shadow_trigger IS NOT NULL,
	(envcrypt_online_state(%s)).protected_by IS NOT NULL';
sub is_state
{
	my ($arguments, $expected, $name) = @_;
	(my $query = $state) =~ s/%s/$arguments/g;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(value($node, $query), $expected, $name);
	return;
}

# 1. The same statements to a plain table and to one that becomes encrypted meanwhile.
$node->safe_psql('postgres', <<'SQL');
CREATE SEQUENCE statements;
CREATE TABLE fired (n int);
CREATE FUNCTION count_firing() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NEW.id < 0 THEN INSERT INTO fired VALUES (1); END IF;
    RETURN NEW;
END $$;
CREATE TABLE plain (id int PRIMARY KEY, owner text NOT NULL, value text DEFAULT 'none', note int);
CREATE TABLE live (LIKE plain INCLUDING ALL);
CREATE INDEX ON live (note);
INSERT INTO plain SELECT i, 'o' || i % 50, CASE WHEN i % 9 > 0 THEN md5(i::text) END, i
FROM generate_series(1, 30000) i;
INSERT INTO plain SELECT -i, 'o' || i % 50, repeat(md5(i::text), 300), i FROM generate_series(1, 20) i;
INSERT INTO live TABLE plain;
ALTER TABLE live ALTER value SET STATISTICS 50;
COMMENT ON COLUMN live.value IS 'a "comment"';
GRANT SELECT (value) ON live TO reader WITH GRANT OPTION;
CREATE TRIGGER count_firing AFTER UPDATE ON live FOR EACH ROW EXECUTE FUNCTION count_firing();
SQL
# The lock comes first: a statement that finds no row locks nothing, so that another client's INSERT of that id could
# come between the two.
my $mixed = <<'SQL';
\set what random(1, 100)
\set id random(1, 33000)
\set owner random(1, 60)
\set r random(1, 1000000)
BEGIN;
SELECT nextval('statements');
SELECT pg_advisory_xact_lock(:id);
\if :what <= 20
INSERT INTO plain (id, owner, value, note) VALUES (:id, 'o:owner', 'inserted :r', :r) ON CONFLICT DO NOTHING;
INSERT INTO live (id, owner, value, note) VALUES (:id, 'o:owner', 'inserted :r', :r) ON CONFLICT DO NOTHING;
\elif :what <= 40
UPDATE plain SET value = 'updated :r' WHERE id = :id;
UPDATE live SET value = 'updated :r' WHERE id = :id;
\elif :what <= 45
UPDATE plain SET value = NULL WHERE id = :id;
UPDATE live SET value = NULL WHERE id = :id;
\elif :what <= 60
UPDATE plain SET owner = 'o:owner' WHERE id = :id;
UPDATE live SET owner = 'o:owner' WHERE id = :id;
\elif :what <= 75
UPDATE plain SET note = :r WHERE id = :id;
UPDATE live SET note = :r WHERE id = :id;
\elif :what <= 85
DELETE FROM plain WHERE id = :id;
DELETE FROM live WHERE id = :id;
\else
INSERT INTO plain (id, owner, value, note) VALUES (:id, 'o:owner', 'merged :r', :r)
    ON CONFLICT (id) DO UPDATE SET value = plain.value || 'x', owner = excluded.owner;
INSERT INTO live (id, owner, value, note) VALUES (:id, 'o:owner', 'merged :r', :r)
    ON CONFLICT (id) DO UPDATE SET value = live.value || 'x', owner = excluded.owner;
\endif
COMMIT;
SQL
$mixed =~ s/'o:owner'/'o' || :owner/g;
$mixed =~ s/'(\w+) :r'/'$1 ' || :r/g;
my ($traffic, $notes);
my $pgbench = start_pgbench($node, $mixed, \$traffic, [ '-U', 'clerk', '-c', 16, '-j', 1, '-T', 300 ]);
my $bystander = start_pgbench($node, <<'SQL', \$notes, [ '-U', 'nobody', '-c', 1, '-T', 300 ]);
\set id random(1, 33000)
\set r random(1, 1000000)
BEGIN;
SELECT pg_advisory_xact_lock(:id);
UPDATE plain SET note = :r WHERE id = :id;
UPDATE live SET note = :r WHERE id = :id;
COMMIT;
SQL
$node->poll_query_until('postgres', 'SELECT last_value > 500 FROM statements') or die "no traffic: $traffic";
my $from = value($node, 'SELECT last_value FROM statements');
my ($out, $err, $sqlstate) =
  run_sql($node, "CALL envcrypt_protect_online('live', 'value', 'owner', batch_size => 500, pause => '80 ms')");
is($sqlstate, '', 'a table with traffic is protected') or diag($err);
like($err, qr/verified \d+ rows/, 'its values were verified');
like($err, qr/last column now/,   'a NOTICE says where the column is now');
my $during = value($node, 'SELECT last_value FROM statements') - $from;
note("$during transactions meanwhile");
$node->poll_query_until('postgres', 'SELECT last_value > 20500 FROM statements') or die "no traffic: $traffic";
for ($pgbench, $bystander)
{
	$_->signal('TERM');
	$_->pump while $_->pumpable;
	eval { $_->finish };
}
cmp_ok($during, '>', 200, 'the traffic went on meanwhile');
unlike("$traffic$notes", qr/ERROR|abort/, 'no client got an error') or diag("$traffic$notes");
$node->poll_query_until('postgres',
	"SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'pgbench'") or die;
my $difference = <<'SQL';
SELECT id, row(plain.owner, left(plain.value, 100), plain.note, plain.xmin),
	row(live.owner, left(live.value::text, 100), live.note, live.xmin)
FROM plain FULL JOIN live USING (id)
WHERE (plain.id, plain.owner, plain.value, plain.note) IS DISTINCT FROM (live.id, live.owner, live.value::text,
	live.note)
SQL
is(value($node, $difference), '', 'after 20,000 statements both tables have the same content');
is( value($node, 'SELECT count(*) FROM live, envcrypt_online_state(\'live\', \'value\') s
	WHERE envcrypt_check(value, live.owner, s.context_id::int) IS NOT NULL'),
	'0', 'every value is sealed for its row\'s owner and the column');
is(value($node, 'SELECT count(*) FROM fired'), '0', 'no user trigger fired for what was backfilled');
is( value($node, "SELECT count(*) FROM live WHERE note = (SELECT note FROM live WHERE id = -7)",
	set => ['enable_seqscan=off']),
	value($node, "SELECT count(*) FROM live WHERE note = (SELECT note FROM live WHERE id = -7)",
		set => ['enable_indexscan=off', 'enable_bitmapscan=off']),
	'an index finds what a scan finds');
is( value($node, "SELECT attstattarget, col_description('live'::regclass, attnum), attacl::text FROM pg_attribute
	WHERE attrelid = 'live'::regclass AND attname = 'value'"),
	'50|a "comment"|{reader=r*/' . value($node, 'SELECT current_user') . '}',
	'statistics target, comment and privileges are kept');
is(value($node, "INSERT INTO live (id, owner) VALUES (0, 'o1') RETURNING value::text"), 'none', 'the default is kept');
is(value($node, "SELECT count(*) FROM pg_constraint WHERE conrelid = 'live'::regclass AND contype = 'c'"), '0',
	'no constraint is left');
like((run_sql($node, "CALL envcrypt_protect_online('live', 'value', 'owner')"))[1], qr/is protected already/,
	'called again, it says that it is done');
fails($node, "CALL envcrypt_protect_online('live', 'value')", '55000', qr/protected otherwise/,
	'but not with other arguments');

# 2. Refusals.
fails($node, "BEGIN; CALL envcrypt_protect_online('plain', 'value', 'owner')", '2D000', qr/transaction block/,
	'not in a transaction block');
fails($node, "DO \$\$ BEGIN BEGIN CALL envcrypt_protect_online('plain', 'value');
	EXCEPTION WHEN division_by_zero THEN END; END \$\$",
	'2D000', qr/./, 'nor below an exception block');
# Procedures cannot be STRICT.
fails($node, 'BEGIN; CALL envcrypt_require_own_transaction(NULL)', '2D000', qr/transaction block/,
	'a procedure called with NULL raises', user => 'nobody');
is(value($node, 'SELECT 1'), '1', 'and the server is up');
fails($node, "CALL envcrypt_protect_online('plain', 'value', 'owner')", '42501', qr/must be owner/, 'only by the owner',
	user => 'clerk');
$node->safe_psql('postgres',
	'CREATE ROLE sealless LOGIN; CREATE TABLE seallesses (v text); ALTER TABLE seallesses OWNER TO sealless');
fails($node, "CALL envcrypt_protect_online('seallesses', 'v')", '42501', qr/denied to seal/,
	'only with the right to seal', user => 'sealless');
fails($node, "CALL envcrypt_protect_online('plain', 'nothing')", '42703', qr/does not exist/, 'a missing column');
fails($node, "CALL envcrypt_protect_online('plain', 'value', 'nobody')", '42703', qr/does not exist/,
	'a missing owner column');
fails($node, "CALL envcrypt_protect_online('plain', 'value', 'value')", '22023', qr/own owner/, 'its own owner');
fails($node, "CALL envcrypt_protect_online('plain', 'value', null_owner => 'x')", '22023', qr/null_owner/,
	'a wrong null_owner');
fails($node, "CALL envcrypt_protect_online('plain', 'value', batch_size => 0)", '22023', qr/batch_size/,
	'a batch of nothing');
$node->safe_psql('postgres', 'CREATE VIEW seen AS SELECT value FROM plain; CREATE INDEX by_value ON plain (value)');
my $refusal = fails($node, "CALL envcrypt_protect_online('plain', 'value', 'owner')", '2BP01', qr/by_value/,
	'an index is in the way');
like($refusal, qr/view public.seen/, 'the same error names the view');
$node->safe_psql('postgres', 'DROP VIEW seen; DROP INDEX by_value');
is_state("'plain', 'value'", 'f|f', 'nothing was begun');

# 3. Interrupted, continued, cancelled.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE many (id int PRIMARY KEY, owner text, v text NOT NULL CHECK (v <> 'forbidden'));
INSERT INTO many SELECT i, 'o' || i % 7, 'value ' || i FROM generate_series(1, 20000) i;
SQL
my $wrong   = "SELECT count(*), count(*) FILTER (WHERE v::text IS DISTINCT FROM 'value ' || id) FROM many";
my $protect = "CALL envcrypt_protect_online('many', 'v', 'owner', batch_size => 500, pause => '100 ms')";
my $filled  = 'SELECT count(*) > 1000 FROM many WHERE v__envcrypt IS NOT NULL';
sub start_many
{
	my $session = session($node);
	$session->query_until(qr/started/, "\\echo started\n$protect;\n");
	$node->poll_query_until('postgres',
		"SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 'many'::regclass AND attname = 'v__envcrypt'") or die;
	$node->poll_query_until('postgres', $filled) or die 'no backfill';
	return $session;
}
my $session = start_many();
is(value($node,
	"SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'CALL%many%'
		AND pid <> pg_backend_pid()"), '1', 'cancelled in the backfill');
$session->quit;
is_state("'many', 'v'", 't|f', 'the shadow column and its trigger stay');
value($node, "UPDATE many SET v = 'other' WHERE id = 20000; UPDATE many SET v = 'value 20000' WHERE id = 20000;
	DELETE FROM many WHERE id = 19999; INSERT INTO many VALUES (19999, 'o2', 'value 19999')");
is(value($node, 'SELECT count(*) FROM many WHERE id > 19998 AND v__envcrypt::text = v'), '2',
	'the trigger keeps the shadow column in step meanwhile');
is(value($node, "UPDATE many SET id = id WHERE id = 15000 RETURNING v__envcrypt IS NULL", user => 'nobody'), 't',
	'who may not seal updates other columns of a row that is not done');
fails($node, "UPDATE many SET v = 'x' WHERE id = 15000", '42501', qr/denied to seal/, 'but not the value',
	user => 'nobody');
fails($node, "CALL envcrypt_protect_online('many', 'v')", '55000', qr/being protected with other arguments/,
	'other arguments are refused');

fails($node, "SELECT envcrypt_protect('many', '$_->[0]')", '55000', qr/in use by envcrypt_protect_online/,
	"envcrypt_protect() keeps off $_->[1]")
  for [ 'v', 'the column' ], [ 'owner', 'its owner column' ];
fails($node, "CALL envcrypt_protect_online('many', 'owner')", '55000', qr/in use by/, 'so does another call');

# A dump of the table in this state.
$node->safe_psql('postgres', 'CREATE DATABASE restored');
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$node->command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-f', $dump, 'postgres' ], 'a dump in the middle');
($out, $err, $sqlstate) = run_sql($node, "\\set ON_ERROR_STOP on\n\\i $dump", db => 'restored',
	set => ['envcrypt.io=ciphertext']);
is($sqlstate, '', 'is restored') or diag($err);
value($node, $protect, db => 'restored');
is(value($node, "$wrong WHERE envcrypt_owner(v) = owner", db => 'restored'), '20000|0', 'and continued in the copy');

value($node, "CALL envcrypt_protect_online_cancel('many', 'v')");
is_state("'many', 'v'", 'f|f', 'cancelled for good');
is(value($node,
	"$wrong UNION ALL SELECT count(*), 0 FROM pg_attribute WHERE attrelid = 'many'::regclass AND attnum > 0
	AND NOT attisdropped
	UNION ALL SELECT count(*), 0 FROM pg_trigger WHERE tgrelid = 'many'::regclass"), "20000|0\n3|0\n0|0",
		'nothing is left or lost');
like((run_sql($node, "CALL envcrypt_protect_online_cancel('many', 'v')"))[1], qr/is not being protected/,
	'a second cancel says so');

$session = start_many();
kill_server($node);
eval { $session->quit };
$node->start;
is_state("'many', 'v'", 't|f', 'after a kill -9 in the backfill the state is kept');
cmp_ok(value($node, 'SELECT count(*) FROM many WHERE v__envcrypt IS NULL'), '>', 0, 'with rows to do');
value($node, 'ALTER TABLE many RENAME v TO w; ALTER TABLE many RENAME w TO v');

# Each later phase: a function that the phase calls raises once.
for my $phase ('constrain', 'validate', 'verify', 'swap')
{
	my $failing = value($node, "SELECT pg_get_functiondef('envcrypt_online_$phase'::regproc)");
	(my $broken = $failing) =~ s/\nBEGIN\n/\nBEGIN\n    RAISE division_by_zero;\n/;
	value($node, $broken);
	fails($node, "CALL envcrypt_protect_online('many', 'v', 'owner')", '22012', qr/division/, "interrupted before $phase");
	value($node, $failing);
	value($node, "UPDATE many SET v = v || '!' WHERE id = 5; UPDATE many SET v = 'value 5' WHERE id = 5");
}
is(value($node,
	"SELECT count(*), bool_and(convalidated) FROM pg_constraint WHERE conrelid = 'many'::regclass
		AND conname ~ '^~envcrypt'"), '2|t', 'then all but the swap is done');
value($node, "CALL envcrypt_protect_online('many', 'v', 'owner')");
is_state("'many', 'v'", 'f|t', 'and continued to the end');
is(value($node, "$wrong WHERE envcrypt_owner(v) = owner"), '20000|0', 'with every value');
fails($node, "UPDATE many SET v = 'forbidden' WHERE id = 1", '23514', qr/many_v_check/, 'the CHECK constraint is kept');
is(value($node,
	"SELECT string_agg(conname, ',') FROM pg_constraint WHERE conrelid = 'many'::regclass AND contype = 'c'"),
	'many_v_check', 'and no other is left');
is(value($node, "SELECT convalidated FROM pg_constraint WHERE conname = 'many_v_check'"),
	'f', 'and is NOT VALID, as envcrypt_protect() leaves it, so that a dump loads without opening');
fails($node, "UPDATE many SET v = NULL WHERE id = 1", '23502', qr/not-null/, 'NOT NULL is kept');

# 4. What is locked, and who waits.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE busy (id int PRIMARY KEY, owner text, v bigint);
INSERT INTO busy SELECT i, CASE WHEN i % 5 > 0 THEN 'o' || i % 7 END, i FROM generate_series(1, 1000) i;
CREATE TABLE child (id int REFERENCES busy);
SQL
fails($node, "CALL envcrypt_protect_online('busy', 'v', 'owner')", '23502', qr/has no owner/,
	'a row without an owner stops it');
value($node, "CALL envcrypt_protect_online_cancel('busy', 'v')");
my $locker = session($node);
ask($locker, 'BEGIN; UPDATE busy SET id = id WHERE id = 500');
my $referrer = session($node);
ask($referrer, 'BEGIN; INSERT INTO child VALUES (400)');
my $worker = session($node);
$worker->query_until(qr/started/,
	"\\echo started\nCALL envcrypt_protect_online('busy', 'v', 'owner', 'database');\n\\echo finished\n");

# It needs the table for itself to begin, so that it is begun before the row is locked again. What it waits for ends
# only below: writers that queued behind it would not return at all. How long they took is no test, as it depends on the
# load.
sub writes
{
	my ($sql, $name) = @_;
	my $start = time;
	my ($out, $err, $sqlstate) = run_sql($node, "SET lock_timeout = '30s'; $sql", user => 'clerk');
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($sqlstate, '', $name) or diag($err);
	note(sprintf('%.1f s', time - $start));
	return;
}
for my $i (1 .. 8)
{
	writes("UPDATE busy SET v = $i WHERE id = $i; SELECT pg_sleep(0.3)",
		"while an idle transaction keeps it from beginning, others do not wait for its end ($i)");
}
is_state("'busy', 'v'", 'f|f', 'it has not begun');
ask($locker, 'COMMIT');
ask($referrer, 'COMMIT');
ok($worker->query_until(qr/finished/, "\n") =~ /finished/, 'it begins and ends when the transaction does');
$worker->quit;
is(value($node,
	"SELECT count(*) FILTER (WHERE v::int8 = id), count(*) FILTER (WHERE envcrypt_owner(v) IS NOT DISTINCT FROM owner),
		pg_typeof(min(v::int8))::text FROM busy"),
	'1000|1000|bigint', 'rows without an owner are under the database key');

$node->safe_psql('postgres',
	'CREATE TABLE held (id int PRIMARY KEY, v text); INSERT INTO held SELECT i, i FROM generate_series(1, 20000) i');
$worker = session($node);
$worker->query_until(qr/started/,
	"\\echo started\nCALL envcrypt_protect_online('held', 'v', batch_size => 1000, pause => '200 ms');\n"
		. "\\echo finished\n");
$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_trigger WHERE tgrelid = 'held'::regclass") or die;
ask($locker, 'BEGIN; SELECT 1 FROM held WHERE id = 19000 FOR UPDATE');
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM held WHERE v__envcrypt IS NULL') or die;
is(value($node, 'SELECT id FROM held WHERE v__envcrypt IS NULL'), '19000', 'a locked row blocks nothing but itself');
writes("UPDATE held SET v = 'new' WHERE id = 1", 'and nobody waits for it');
ask($locker, 'COMMIT');
ok($worker->query_until(qr/finished/, "\n") =~ /finished/, 'once it is free, it is done, too');
is(value($node,
	"SELECT count(v::text), count(DISTINCT envcrypt_key_id(v)), min(v::text) FROM held WHERE id IN (1, 19000)"),
	'2|1|19000', 'with what was written meanwhile');
$_->quit for $worker, $locker, $referrer;

# 5. Partitions, inheritance, generated columns, triggers and policies that name the column, names that need quotes.
$node->safe_psql('postgres', <<'SQL');
CREATE SCHEMA "Other Schema";
CREATE TABLE "Other Schema"."Parts" (id int, gone int, "User Id" uuid, "The Value" numeric(12, 2)
    CHECK ("The Value" > 0), twice int GENERATED ALWAYS AS (id * 2) STORED) PARTITION BY RANGE (id);
ALTER TABLE "Other Schema"."Parts" DROP COLUMN gone;
CREATE TABLE parts_1 PARTITION OF "Other Schema"."Parts" FOR VALUES FROM (0) TO (1000);
CREATE TABLE parts_2 (twice int GENERATED ALWAYS AS (id * 2) STORED, "The Value" numeric(12, 2) NOT NULL CONSTRAINT
    "Parts_The Value_check" CHECK ("The Value" > 0), "User Id" uuid, id int);
ALTER TABLE "Other Schema"."Parts" ATTACH PARTITION parts_2 FOR VALUES FROM (1000) TO (2000);
ALTER TABLE parts_1 ALTER "The Value" SET DEFAULT 3;
INSERT INTO "Other Schema"."Parts" SELECT i, md5((i % 5)::text)::uuid, i + 1 FROM generate_series(0, 1999) i;
CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER named BEFORE UPDATE OF "The Value" ON "Other Schema"."Parts" FOR EACH ROW
    WHEN (new."The Value" > 100) EXECUTE FUNCTION pass();
ALTER TABLE "Other Schema"."Parts" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY rich ON "Other Schema"."Parts" FOR SELECT TO reader USING ("The Value" > 1000);
COMMENT ON POLICY rich ON "Other Schema"."Parts" IS 'the rich';
CREATE TABLE old (id int, v date, CHECK (v > '1900-01-01') NO INHERIT);
CREATE TABLE younger (w serial, CONSTRAINT late CHECK (v > '1950-01-01')) INHERITS (old);
INSERT INTO old VALUES (1, '1999-01-01'), (2, NULL);
INSERT INTO younger VALUES (3, '2001-01-01');
SQL
value($node, 'CALL envcrypt_protect_online(\'"Other Schema"."Parts"\', \'The Value\', \'User Id\')');
is( value($node,
	'SELECT count(*), sum(id + 1 - "The Value"), sum(twice - 2 * id), count(DISTINCT tableoid)
		FROM "Other Schema"."Parts"'),
	'2000|0.00|0|2', 'a partitioned table');
is( value($node, 'SELECT count(*) FROM "Other Schema"."Parts" WHERE envcrypt_owner("The Value") = "User Id"::text'),
	'2000', 'each value has its owner');
is( value($node,
	"SELECT string_agg(tgrelid::regclass::text || ' ' || tgenabled::text, ', ' ORDER BY tgrelid::regclass::text)
		FROM pg_trigger WHERE tgname ~ '^~envcrypt' AND tgrelid::regclass::text ~* 'parts'"),
	'"Other Schema"."Parts" A, parts_1 A, parts_2 A', 'each partition has the trigger, always enabled');
is(value($node, "SELECT polname, obj_description(oid, 'pg_policy'), pg_get_expr(polqual, polrelid) FROM pg_policy"),
	'rich|the rich|(("The Value")::numeric > (1000)::numeric)', 'the policy is kept');
like(value($node, "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'named' AND tgparentid = 0"),
	qr/UPDATE OF "The Value" .* WHEN \(\(\(new."The Value"\)::numeric > /, 'the trigger, too');
fails($node, 'INSERT INTO parts_2 (id, "User Id") VALUES (1500, md5(\'1\')::uuid)', '23502', qr/not-null/,
	'a partition\'s own NOT NULL, too');
is(value($node, 'INSERT INTO parts_1 (id, "User Id") VALUES (500, md5(\'1\')::uuid) RETURNING "The Value"'), '3.00',
	'a partition\'s own default, too');
value($node, 'UPDATE "Other Schema"."Parts" SET id = id + 1000 WHERE id = 7');
is(value($node, 'SELECT "The Value" FROM parts_2 WHERE id = 1007 ORDER BY 1 LIMIT 1'), '8.00',
	'a row moves between partitions');

$node->safe_psql('postgres', 'CREATE TABLE no_parts (id int, v text) PARTITION BY LIST (id)');
value($node, "CALL envcrypt_protect_online('no_parts', 'v')");
is_state("'no_parts', 'v'", 'f|t', 'a partitioned table without partitions');
value($node, "CALL envcrypt_protect_online('old', 'v')");
is(value($node, 'SELECT id, v FROM old ORDER BY id'), "1|1999-01-01\n2|\n3|2001-01-01", 'tables that inherit');
is(value($node, "SELECT count(*) FROM pg_trigger WHERE tgrelid IN ('old'::regclass, 'younger'::regclass)"), '2',
	'each with its trigger');
fails($node, "INSERT INTO younger (id, v) VALUES (4, '1930-01-01')", '23514', qr/late/, 'and its constraint');
fails($node, "INSERT INTO old VALUES (4, '1830-01-01')", '23514', qr/old_v_check/, 'NO INHERIT is kept');

# 6. Verification finds what the trigger did not see.
$node->safe_psql('postgres', "CREATE TABLE bent (id int, v text); INSERT INTO bent VALUES (1, 'a'), (2, 'b')");
value($node, "SELECT envcrypt_online_attempt('prepare', 'bent', 'v', NULL, 'error', '1s', 0)");
my $sync = value($node, "SELECT tgname FROM pg_trigger WHERE tgrelid = 'bent'::regclass");
value($node, qq(UPDATE bent SET v = 'c' WHERE id = 2; ALTER TABLE bent DISABLE TRIGGER "$sync";
	UPDATE bent SET v = 'd' WHERE id = 2; ALTER TABLE bent ENABLE ALWAYS TRIGGER "$sync"));
my $fault = fails($node, "CALL envcrypt_protect_online('bent', 'v')", 'XX001', qr/opens to another value/,
	'a shadow value that differs stops it before the swap');
unlike($fault, qr/'d'|"d"/, 'without showing a value');
is_state("'bent', 'v'", 't|f', 'nothing was swapped');
value($node, "UPDATE bent SET v = 'e' WHERE id = 2; CALL envcrypt_protect_online('bent', 'v')");
is(value($node, "SELECT string_agg(v, ',' ORDER BY id) FROM bent"), 'a,e', 'it is continued once that is put right');

# 7. A role that may seal and not open.
$node->safe_psql('postgres',
	"CREATE TABLE blind (v text); ALTER TABLE blind OWNER TO writer; INSERT INTO blind VALUES ('x')");
like((run_sql($node, "CALL envcrypt_protect_online('blind', 'v')", user => 'writer'))[1], qr/were not verified/,
	'who may not open is told that nothing was verified');
is(value($node, 'SELECT v FROM blind'), 'x', 'and has it protected');

$node->stop;
done_testing();
