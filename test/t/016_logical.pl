# Logical replication of protected tables: sealed bytes on the wire and on the subscriber, key or no key.
use strict;
use warnings;
use EnvcryptTest;
use ProtectedTables;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key  = new_master_key();
my $conf = 'max_logical_replication_workers = 20
max_sync_workers_per_subscription = 4
max_worker_processes = 30
max_wal_senders = 20
max_replication_slots = 20
wal_retrieve_retry_interval = 100ms
wal_level = logical';
my $from = new_server('publisher', conf => "$conf\nenvcrypt.master_key_file = '" . key_file($key) . "'");
my $to   = new_server('subscriber', conf => $conf);
my $dir  = PostgreSQL::Test::Utils::tempdir();
my @with = (key => $key);

value($from, 'SELECT envcrypt_rotate_master();' . make_types());
value($from, make_tables(40), @with);
value($from, <<'SQL', @with);
ALTER TABLE person REPLICA IDENTITY FULL;
ALTER TABLE "Other Schema"."Visits" REPLICA IDENTITY FULL;
ALTER TABLE "Other Schema".early REPLICA IDENTITY FULL;
CREATE TABLE no_key (n int, user_id text, t text);
INSERT INTO no_key SELECT i, 'user ' || i % 3, 'Marker-Word ' || i FROM generate_series(1, 20) i;
ALTER TABLE no_key REPLICA IDENTITY FULL;
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION keys FOR TABLE envcrypt_master_keys, envcrypt_data_keys;
CREATE PUBLICATION tables FOR TABLE person, "Other Schema"."Visits", setting, no_key
WITH (publish_via_partition_root = true);
SQL
value($from, protect('no_key', 't', 'user_id') . "SELECT pg_create_logical_replication_slot('peek', 'test_decoding')",
	@with);

# The subscriber's databases: one with the keys, which are replicated, too, and context ids of its own; one without any
# key; one whose columns are of encrypted types, but not protected; one that is the publisher's copy.
my %databases = (
	keyed   => [ 'tables, keys', 'other',   'false' ],
	keyless => [ 'tables',       'other',   'true' ],
	loose   => [ 'tables',       'dropped', 'false' ],
	copy    => [ 'everything',   'same',    'true' ],
);
IPC::Run::run([ $from->installed_command('pg_dump'), '-h', $from->host, '-p', $from->port, '--schema-only', '-f',
	"$dir/schema.sql", 'postgres' ])
  or die 'pg_dump failed';
my $connection = $from->connstr . ' dbname=postgres';
value($to, 'CREATE DATABASE model TEMPLATE template0');
value($to, "\\i $dir/schema.sql", db => 'model');
value($to, 'DROP PUBLICATION everything, tables, keys', db => 'model');
for my $db (sort keys %databases)
{
	my ($publication, $how, $binary) = @{ $databases{$db} };
	value($to, "CREATE DATABASE $db TEMPLATE model");
	if ($how ne 'same')
	{
		# As on a server that was set up on its own: other context ids, no trigger at all.
		value($to, <<"SQL", db => $db);
DO \$\$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT tgname, tgrelid::regclass AS rel, pg_get_triggerdef(oid) AS def FROM pg_trigger
	WHERE tgname LIKE '~%' AND tgparentid = 0
	LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', t.tgname, t.rel);
		CONTINUE WHEN '$how' = 'dropped';
		EXECUTE regexp_replace(t.def, '_owner_trigger\\(''\\d+''',
			'_owner_trigger(''' || (random() * 65534 + 1)::int || '''');
		EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.rel, t.tgname);
	END LOOP;
END \$\$;
SQL
	}
	value($to, "CREATE SUBSCRIPTION $db CONNECTION '$connection' PUBLICATION $publication
		WITH (binary = $binary, slot_name = $db)",
		db => $db);
}

# caught_up(SYNC): every database has what the publisher has. SYNC: also tables that are new to a subscription.
sub caught_up
{
	my ($sync) = @_;
	for my $db (sort keys %databases)
	{
		$to->wait_for_subscription_sync($from, $db, $db) if $sync;
		$from->wait_for_catchup($db);
	}
	return;
}

my $sealed = sealed_bytes() =~ s/;\s*$//r
  . ' UNION ALL SELECT count(*), md5(string_agg(r::text, $$,$$ ORDER BY n)) FROM no_key r';
my $opened = $sealed =~ s/ciphertext/auto/r;

sub is_the_same
{
	my ($what, $sync) = @_;
	my $sealed_here = value($from, $sealed);
	my $opened_here = value($from, $opened, @with);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	caught_up($sync);
	is(value($to, $sealed, db => $_), $sealed_here, "$what: the bytes in $_ are the same") for sort keys %databases;
	is(value($to, $opened, db => 'keyed',  @with), $opened_here, "$what: they open where the keys are");
	is(value($to, $opened, db => 'copy', @with), $opened_here, "$what: and in the copy");
	return;
}

is_the_same('initial copy', 1);
like(value($from, $sealed), qr/^40\|.*\n40\|.*\n40\|.*\n20\|/, 'of all tables');

value($from, <<'SQL', @with);
INSERT INTO person (id, user_id, t, b, n, l, m, e, c)
VALUES (100, 'somebody new', 'Marker-Word', 'Marker-Word', 27182818, true,
	'sad', 'x@marker.example', ROW('Marker-Word', 27182818)::address);
INSERT INTO person (id, user_id) VALUES (101, 'defaults');
INSERT INTO "Other Schema"."Visits" (id, "User Id", d, a) VALUES (100, 5, '1914-06-28', '14.14.21.35'),
	(101, NULL, '1914-06-28', NULL);
INSERT INTO setting VALUES (100, 'Marker-Word here', NULL), (101, 'Marker-Word of the database', true);
INSERT INTO no_key VALUES (100, 'user 1', 'Marker-Word'), (101, 'user 2', NULL);
SQL
is_the_same('INSERT');

value($from, <<'SQL', @with);
UPDATE person SET t = t || '!', n = n + 1, m = 'happy' WHERE id BETWEEN 3 AND 8;
UPDATE person SET plain = 'changed' WHERE id = 9;
UPDATE person SET user_id = 'owner changed' WHERE id IN (10, 11);
UPDATE person SET user_id = 'user 1', id = 1000 WHERE id = 12;
UPDATE person SET note = NULL, t = NULL WHERE id = 13;
UPDATE "Other Schema"."Visits" SET id = id + 50 WHERE id IN (7, 8);
UPDATE "Other Schema"."Visits" SET "User Id" = 3, ts = 'epoch' WHERE id = 30;
UPDATE setting SET t = 'Marker-Word, again', l = NOT l WHERE id = 3;
UPDATE no_key SET t = t || '?' WHERE n < 4;
UPDATE no_key SET user_id = 'user 0' WHERE n = 5;
DELETE FROM person WHERE id < 3;
DELETE FROM "Other Schema"."Visits" WHERE id IN (1, 31);
DELETE FROM setting WHERE id = 1;
DELETE FROM no_key WHERE n IN (6, 7);
BEGIN;
UPDATE no_key SET t = 'Marker-Word in a transaction' WHERE n = 8;
SAVEPOINT a;
DELETE FROM person WHERE id = 20;
ROLLBACK TO a;
DELETE FROM no_key WHERE n = 8;
COMMIT;
SQL
is_the_same('UPDATE and DELETE');

# A table that is added later, and truncated.
my $later = 'CREATE TABLE later (id int PRIMARY KEY, user_id text, t encrypted_text);';
value($to, $later, db => $_) for sort keys %databases;
value($from, 'CREATE TABLE later (id int PRIMARY KEY, user_id text, t text);' . protect('later', 't', 'user_id')
	. <<'SQL', @with);
INSERT INTO later VALUES (1, 'user 1', 'Marker-Word');
ALTER PUBLICATION tables ADD TABLE later;
TRUNCATE setting;
SQL
value($to, "ALTER SUBSCRIPTION $_ REFRESH PUBLICATION", db => $_) for sort keys %databases;
$sealed .= ' UNION ALL SELECT count(*), md5(string_agg(r::text, $$,$$)) FROM later r';
$opened = $sealed =~ s/ciphertext/auto/r;
is_the_same('TRUNCATE, and a table that came later', 1);

# The wire.
my $decoded = value($from, "SELECT string_agg(data, E'\\n') FROM pg_logical_slot_peek_changes('peek', NULL, NULL)",
	@with);
my $columns = () = $decoded =~ /\[(?:public\.)?encrypted_\w+\](?:\(\d[\d,]*\))?:'envcrypt1:/g;
cmp_ok($columns, '>', 100, 'logical decoding shows sealed values, also to who may open');
ok($decoded !~ /\Q$_\E/, "and no $_") for markers();
value($from, "SELECT pg_create_logical_replication_slot('raw', 'pgoutput')");
value($from, "UPDATE person SET t = 'Marker-Word', n = 27182818, l = true WHERE id = 20", @with);
my $raw = value($from, <<'SQL', @with);
SELECT encode(string_agg(data, ''), 'escape')
FROM pg_logical_slot_peek_binary_changes('raw', NULL, NULL, 'proto_version', '2',
	'publication_names', 'tables', 'binary', 'false')
SQL
ok($raw =~ /envcrypt1:/ && $raw !~ /Marker-Word|27182818/, 'so does pgoutput');

# What lies on the subscriber, and in the publisher's WAL.
value($_, 'CHECKPOINT') for $from, $to;
for my $marker (markers())
{
	isnt(system_log('grep', '-raqF', '--', $marker, $to->data_dir), 0, "no $marker in the subscriber's files");
}
my $trouble = join('', grep { /ERROR|FATAL|PANIC/ && !/terminating|canceling|could not receive/ } split(/^/,
	slurp_file($to->logfile)));
is($trouble, '', 'nothing was raised on the subscriber');

is(faults($to, db => 'copy', @with), '', 'with the publisher\'s context ids every value is bound');

# Keys that are destroyed on the publisher are gone on the subscriber, at once.
my $warm = session($to, db => 'keyed', @with);
my $read = q{SELECT count(t::text) FROM person WHERE user_id = 'user 5'};
is(ask($warm, $read), '5', 'a session on the subscriber is warm');
value($from, q{SELECT envcrypt_shred_user('user 5')});
caught_up();
ask_fails($warm, $read, 'ZE003', qr/destroyed/,
	'a key that is destroyed on the publisher opens nothing there any more');
$warm->quit;

# It is alive.
value($to, "ALTER SUBSCRIPTION $_ DISABLE; ALTER SUBSCRIPTION $_ SET (slot_name = NONE); DROP SUBSCRIPTION $_",
	db => $_)
  for sort keys %databases;
is(value($to, "UPDATE person SET t = 'written here' WHERE id = 20 RETURNING t", db => 'keyed', @with), 'written here',
	'the subscriber binds values of its own');

$_->stop for $from, $to;
done_testing();
