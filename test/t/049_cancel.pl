# Statements that end in their midst, by statement_timeout and by pg_cancel_backend: after each, the session works, and
# in the end everything is one thing or the other: sealed or plain, under one master key or the other.
use strict;
use warnings;
use EnvcryptTest;
use Fuzzing;
use PostgreSQL::Test::Utils;
use Test::More;

my $node   = fuzz_server('cancel');
my $rounds = rounds(10);
my ($old)  = grep { length == 44 } secrets();
my $new    = new_master_key();
write_file(value($node, 'SHOW envcrypt.master_key_file'), "$old\n$new\n");
value($node, 'SELECT pg_reload_conf()');

my $owners = q{CASE WHEN i % 3 = 0 THEN 'ann' WHEN i % 3 = 1 THEN 'bob' ELSE 'owner ' || i % 50 END};
value($node, <<"SQL");
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN query_canceled THEN
	RETURN 'cancelled';
END \$\$;
CREATE TABLE work (id int PRIMARY KEY, owner text, note text, n int8, CHECK (id > 0));
INSERT INTO work SELECT i, $owners, 'Marker-Word ' || i, i FROM generate_series(1, 2000) i;
CREATE TABLE live (id int PRIMARY KEY, owner text, note text);
INSERT INTO live SELECT i, $owners, 'Marker-Word ' || i FROM generate_series(1, 2000) i;
CREATE TABLE bulk (id int, owner text, note text);
CREATE TABLE users (name text PRIMARY KEY);
ALTER TABLE work OWNER TO clerk;
ALTER TABLE live OWNER TO clerk;
ALTER TABLE bulk OWNER TO clerk;
SET ROLE clerk;
SELECT envcrypt_protect('bulk', 'note', 'owner');
RESET ROLE;
SELECT envcrypt_manage_owners('users', 'name', 'shred');
SQL

# Who does what. Each statement is given a random time. What belongs together is in one list.
my %work = (
	clerk => [
		q{SELECT envcrypt_protect('work', '{note,n}'::name[], 'owner')},
		q{SELECT envcrypt_unprotect('work', '{note,n}'::name[])},
		q{SELECT count(*) FROM envcrypt_verify('work')},
		q{SELECT count(*) FROM (SELECT note FROM work ORDER BY note OFFSET 10) x},
		q{SELECT count(DISTINCT note), max(note::text) FROM work},
		q{UPDATE work SET note = note::text || '', owner = owner},
		q{UPDATE work SET note = 'Marker-Word ' || id WHERE id % 7 = 0} ],
	writer => [
		q{INSERT INTO bulk SELECT i, 'new ' || random(), 'Marker-Word ' || i FROM generate_series(1, 300) i},
		q{INSERT INTO bulk SELECT i, 'ann', 'Marker-Word ' || i FROM generate_series(1, 3000) i},
		q{SELECT attempt($$INSERT INTO bulk SELECT i, 'inner ' || random(), 'Marker-Word' FROM generate_series(1, 100) i$$)},
		q{SELECT count(encrypt_for_user('w ' || random(), 'x'::text)) FROM generate_series(1, 300)} ],
	reader => [
		q{CALL envcrypt_protect_online('live', 'note', 'owner', batch_size => 100)},
		q{CALL envcrypt_protect_online('live', 'note', 'owner', batch_size => 500)},
		q{CALL envcrypt_protect_online_cancel('live', 'note')},
		q{SELECT envcrypt_unprotect('live', 'note')},
		q{SELECT count(*) FROM envcrypt_verify('live')} ],
	keyadmin => [
		"SET envcrypt.master_key = '$new:$old'", q{SELECT envcrypt_rotate_master()},
		"SET envcrypt.master_key = '$old:$new'", q{SELECT envcrypt_rotate_master()},
		q{RESET envcrypt.master_key},
		q{SELECT count(envcrypt_create_user_key('k ' || random())) FROM generate_series(1, 200)},
		q{SELECT attempt($$SELECT count(envcrypt_create_user_key('s ' || random())) FROM generate_series(1, 50)$$)} ],
	postgres => [
		q{INSERT INTO users SELECT 'u' || i FROM generate_series(1, 100) i ON CONFLICT DO NOTHING},
		q{DELETE FROM users WHERE name IN (SELECT name FROM users ORDER BY random() LIMIT 20)},
		q{SELECT count(*) FROM envcrypt_status()},
		q{VACUUM ANALYZE work},
		q{SELECT envcrypt_create_type('int2')},
		q{DROP TYPE IF EXISTS encrypted_int2 CASCADE} ]);

# `reader` of this test owns `live` by being its owner's member.
value($node, 'GRANT clerk TO reader; GRANT ALL ON bulk TO writer; GRANT SELECT ON notes TO PUBLIC');
my $usable = q{SELECT 'usable' FROM notes WHERE id = 1 AND owner = 'bob';};
my %sessions;
for my $user (sort keys %work)
{
	my @lines = (q{SET client_min_messages = error; SET lock_timeout = '2s';});
	for my $round (1 .. 4 * $rounds)
	{
		for my $statement (@{ $work{$user} })
		{
			my $time = int(exp(rand(6))) + 1;
			push @lines, "SET statement_timeout = $time;", "$statement;", 'SET statement_timeout = 0;', $usable;
		}
	}
	$sessions{$user} = start_statements($node, $user, \@lines);
}
# And from outside, at any moment, also between statements, until they have ended.
my (undef, $cancels) = run_statements($node, 'postgres', [ split /\n/, <<'SQL' ]);
CREATE TEMP TABLE asked (pid int);
DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'fuzz') LOOP
	INSERT INTO asked SELECT pid FROM pg_stat_activity WHERE application_name = 'fuzz' AND state = 'active'
		AND random() < 0.2 AND pg_cancel_backend(pid);
	PERFORM pg_sleep(0.02), pg_stat_clear_snapshot(); END LOOP; END $$;
SELECT count(*) FROM asked;
SQL
chomp $cancels;
my $cut = 0;
for my $user (sort keys %sessions)
{
	my ($out, $err) = finish_statements($sessions{$user});
	my $expected = 4 * $rounds * @{ $work{$user} };
	my $cancelled = () = $err =~ /ERROR:  57014:/g;
	$cut += $cancelled;
	my $probed = () = $out =~ /^usable$/mg;
	# A cancel, or the time that is left, can hit the probe itself, or what takes the time's limit away before it.
	my @cut_lines = map { $sessions{$user}{lines}[ $_ - 1 ] } $err =~ /^psql:[^:]*:(\d+): ERROR:  57014/mg;
	my $hit = grep { $_ eq $usable || /^SET statement_timeout/ } @cut_lines;
	cmp_ok($probed, '>=', $expected - $hit, "$user: the session works after each")
	  or report([ substr($err, -2000) ]);
	my @internal = $err =~ /^.*(?:ERROR|FATAL|PANIC):  XX.*$/mg;
	is("@internal", '', "$user: no internal error") or report();
	unlike($err, qr/connection/, "$user: no connection was lost") or report();
}
no_crash($node, 'after all');
cmp_ok($cut, '>', 100, "many statements were cut short ($cut, $cancels of them asked from outside)");

# The state of things.
for my $table (qw(work live))
{
	my $count = value($node, "SELECT count(*) FROM $table WHERE note = 'Marker-Word ' || id", user => 'clerk');
	is($count, 2000, "$table: every value is there and right");
	is(value($node, "SELECT * FROM envcrypt_columns WHERE \"table\" = '$table'::regclass AND protection <> 'owner'"),
		'', "$table: protected or plain");
}
is(value($node, 'SELECT count(*) FROM bulk WHERE note NOT LIKE $$Marker-Word%$$', user => 'clerk'), 0, 'so is bulk');
for my $table (qw(work live bulk notes parts sealed))
{
	my $problems = value($node, "SELECT * FROM envcrypt_verify('$table') WHERE problem IS NOT NULL", user => 'clerk');
	is($problems, '', "$table: every value opens");
}
is(value($node, q{SELECT count(*) FROM envcrypt_master_keys WHERE state = 'current'}), 1, 'one master key is current');
is(value($node, q{SELECT "check", detail FROM envcrypt_status() WHERE state = 'error'}), '', 'status: no error');
is( value($node, <<'SQL'), '', 'each user has a key, and nobody else');
SELECT * FROM users u FULL JOIN (SELECT owner FROM envcrypt_data_keys WHERE owner ~ '^u[0-9]') k ON k.owner = u.name
WHERE u.name IS NULL OR k.owner IS NULL
SQL
value($node, "SET envcrypt.master_key = '$new:$old'; SELECT envcrypt_rotate_master()");
is(value($node, q{SELECT count(DISTINCT master_fingerprint) FROM envcrypt_data_keys}), 1, 'a rotation re-wraps all');
value($node, q{CALL envcrypt_protect_online_cancel('live', 'note')}, user => 'clerk')
  if value($node, q{SELECT count(*) FROM pg_trigger WHERE tgname LIKE '%shadow'}) > 0;
is( value($node, <<'SQL'), '', 'nothing is left over');
SELECT attname FROM pg_attribute WHERE attrelid = 'live'::regclass AND attname ~ 'envcrypt' AND NOT attisdropped
SQL
$node->stop;
done_testing();
