# A table is known by its OID: who owns it cannot put another relation in its place while someone waits for it, and who
# owns its schema cannot rename that meanwhile. Nothing of his runs as the one who waits.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key  = new_master_key();
my $node = new_server('swap', conf => "envcrypt.master_key_file = '" . key_file($key) . "'");
value($node, <<'SQL');
SELECT envcrypt_rotate_master();
GRANT envcrypt_encrypt, envcrypt_decrypt TO CURRENT_USER;
CREATE ROLE mallory LOGIN IN ROLE envcrypt_encrypt;
GRANT CREATE ON DATABASE postgres TO mallory;
CREATE SCHEMA atk AUTHORIZATION mallory;
CREATE TABLE loot (who text, what text);
GRANT ALL ON loot TO PUBLIC;
CREATE FUNCTION steal(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_user <> 'mallory' THEN INSERT INTO public.loot VALUES (current_user, what); END IF;
    RETURN true;
END $$;
ALTER FUNCTION steal OWNER TO mallory;
SQL

# What mallory may put into the place of atk.t. Each has the columns, and runs steal() where it can.
my %decoys = (
	view => q{CREATE VIEW atk.t AS SELECT 1 AS id, 'ann'::text AS owner, NULL::encrypted_text AS v WHERE public.steal('view')},
	table => q{CREATE TABLE atk.t (id int, owner text, v text DEFAULT 'x', CONSTRAINT own CHECK (public.steal(v)));
		INSERT INTO atk.t VALUES (1, 'decoy', 'decoy')},
);

# swapped(NAME, PREPARE, CALL, DECOY, CHECK): mallory holds the table while CALL waits for it, and swaps. CHECK is what
# must then be true of the table that was meant, whose OID stands in psql's variable t.
sub swapped
{
	my ($name, $prepare, $call, $decoy, $check) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	value($node, <<"SQL", user => 'mallory');
CREATE TABLE atk.t (id int, owner text, v text);
INSERT INTO atk.t VALUES (1, 'ann', 'a secret'), (2, 'bob', 'another');
SQL
	value($node, $prepare) if $prepare;
	my $oid = value($node, q{SELECT 'atk.t'::regclass::oid});
	my $mallory = session($node, user => 'mallory');
	my $victim  = session($node);
	ask($mallory, 'BEGIN; LOCK TABLE atk.t IN ACCESS EXCLUSIVE MODE');
	$victim->query_until(qr/started/, "\\echo started\n$call;\n\\echo answered\n");
	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = $oid")
		or die 'nobody waits';
	ask($mallory, "ALTER TABLE atk.t RENAME TO moved; $decoys{$decoy}; COMMIT");
	$victim->query_until(qr/answered/, '');
	my $answer = $victim->{stderr};
	$victim->{stderr} = '';
	$_->quit for $mallory, $victim;
	is(value($node, 'SELECT * FROM loot'), '', "$name: nothing of the swapped relation ran as the one who waited");
	(my $query = $check) =~ s/:t\b/$oid/g;
	is((run_sql($node, $query))[0], 't', "$name: it worked on the table that was meant") or diag($answer);
	value($node, 'TRUNCATE loot');
	run_sql($node, 'DROP VIEW IF EXISTS atk.t');
	run_sql($node, 'DROP TABLE IF EXISTS atk.t, atk.moved');
	return;
}

my $protected = q{SELECT count(*) = 1 FROM envcrypt_columns WHERE "table" = :t AND "column" = 'v' AND protection = 'owner'};
my $protect   = q{SELECT envcrypt_protect('atk.t', 'v', 'owner')};
my $online    = q{CALL envcrypt_protect_online('atk.t', 'v', 'owner')};
my $managed   = q{SELECT count(*) = %d FROM pg_trigger WHERE tgrelid = :t AND tgname LIKE '!envcrypt_owners%%'};
for my $decoy (sort keys %decoys)
{
	swapped("envcrypt_verify(), $decoy", $protect, q{CREATE TABLE verified AS SELECT * FROM envcrypt_verify('atk.t')},
		$decoy,
		q{SELECT string_agg(concat_ws(' ', "column", problem, rows), ',') = 'v 2' FROM verified});
	value($node, 'DROP TABLE IF EXISTS verified');
	swapped("envcrypt_protect(), $decoy", '', $protect, $decoy, $protected);
	swapped("envcrypt_unprotect(), $decoy", $protect, q{SELECT envcrypt_unprotect('atk.t', 'v')}, $decoy,
		q{SELECT atttypid = 'text'::regtype FROM pg_attribute WHERE attrelid = :t AND attname = 'v'});
	swapped("envcrypt_protect_online(), $decoy", '', $online, $decoy, $protected);
	swapped("envcrypt_manage_owners(), $decoy", '', q{SELECT envcrypt_manage_owners('atk.t', 'owner')}, $decoy,
		sprintf($managed, 1));
	swapped("envcrypt_unmanage_owners(), $decoy", q{SELECT envcrypt_manage_owners('atk.t', 'owner')},
		q{SELECT envcrypt_unmanage_owners('atk.t')}, $decoy, sprintf($managed, 0));
	# Steps in the middle: the table is prepared for protection, and has a CHECK constraint.
	my $prepared = q{ALTER TABLE atk.t ADD CONSTRAINT own CHECK (v <> '');
		SELECT envcrypt_online_attempt('prepare', 'atk.t', 'v', 'owner', 'error', '1 s', 0);
		SELECT envcrypt_backfill('atk.t', (envcrypt_online_state('atk.t', 'v')).shadow_trigger, 0, 1, 100);
		SELECT envcrypt_online_attempt('constrain', 'atk.t', 'v', 'owner', 'error', '1 s', 0)};
	swapped("the validation of envcrypt_protect_online(), $decoy", $prepared,
		q{SELECT envcrypt_online_validate('atk.t', 'v', true)}, $decoy,
		q{SELECT bool_and(convalidated) FROM pg_constraint WHERE conrelid = :t});
	swapped("the swap of envcrypt_protect_online(), $decoy",
		"$prepared; SELECT envcrypt_online_validate('atk.t', 'v', true)",
		q{SELECT envcrypt_online_attempt('swap', 'atk.t', 'v', 'owner', 'error', '1 h', 0)}, $decoy, $protected);
	swapped("envcrypt_protect_online_cancel(), $decoy", $prepared, q{CALL envcrypt_protect_online_cancel('atk.t', 'v')},
		$decoy,
		q{SELECT count(*) = 0 FROM pg_attribute WHERE attrelid = :t AND attname ~ '__envcrypt'});
}

# Whose table it is may change, too, while someone waits.
for my $case (
	[ 'envcrypt_protect', $protect ],
	[ 'envcrypt_protect_online', q{SELECT envcrypt_online_attempt('prepare', 'atk.t', 'v', 'owner', 'error', '1 h', 0)} ])
{
	my ($name, $call) = @$case;
	value($node, q{CREATE TABLE atk.t (id int, owner text, v text); ALTER TABLE atk.t OWNER TO mallory});
	my $holder  = session($node);
	my $mallory = session($node, user => 'mallory');
	ask($holder, 'BEGIN; LOCK TABLE atk.t');
	$mallory->query_until(qr/started/, "\\echo started\n$call;\n\\echo answered\n");
	$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'atk.t'::regclass}) or die;
	ask($holder, 'ALTER TABLE atk.t OWNER TO CURRENT_USER; COMMIT');
	$mallory->query_until(qr/answered/, '');
	like($mallory->{stderr}, qr/42501.*must be owner of table/,
		"$name() of a table that has got another owner is refused");
	$mallory->{stderr} = '';
	$_->quit for $holder, $mallory;
	value($node, 'DROP TABLE atk.t');
}

# A REPEATABLE READ transaction sees old catalogs, whatever it has locked.
for my $case (
	[ 'a child', 'CREATE TABLE atk.child () INHERITS (atk.t)', 'DROP TABLE atk.child' ],
	[ 'a default', q{ALTER TABLE atk.t ALTER v SET DEFAULT 'x'}, '' ],
	[ 'a policy', q{CREATE POLICY p ON atk.t USING (v = 'x')}, '' ],
	[ 'a trigger', q{CREATE TRIGGER z BEFORE UPDATE ON atk.t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()}, '' ])
{
	my ($name, $change, $undo) = @$case;
	value($node, 'CREATE TABLE atk.t (id int, owner text, v text)');
	my $old = session($node);
	ask($old, 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM loot');
	value($node, $change);
	ask_fails($old, $protect, '40001', qr/concurrent change of table/,
		"$name that came after the transaction's snapshot is noticed");
	ask($old, 'ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ');
	ask($old, "ALTER TABLE atk.t ADD more int; $protect; COMMIT");
	is(value($node, q{SELECT count(*) FROM envcrypt_columns WHERE "column" = 'v' AND protection <> 'owner'}), '0',
		'a retry protects it');
	$old->quit;
	value($node, 'DROP TABLE atk.t CASCADE');
}

# The schema's owner can rename it without a lock on the table. While our statements name the table, he waits.
value($node, q{CREATE TABLE atk.t (id int, owner text, v text); INSERT INTO atk.t VALUES (1, 'ann', 'a secret')});
my $victim  = session($node);
my $mallory = session($node, user => 'mallory');
for my $call ($protect, q{SELECT envcrypt_unprotect('atk.t', 'v')}, q{SELECT envcrypt_manage_owners('atk.t', 'owner')},
	q{SELECT envcrypt_unmanage_owners('atk.t')})
{
	ask($victim, 'BEGIN');
	ask($victim, $call);
	$mallory->query_until(qr/started/, "\\echo started\nALTER SCHEMA atk RENAME TO other;\n\\echo answered\n");
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE usename = 'mallory' AND wait_event_type = 'Lock'})
	  or die 'the schema was renamed';
	ask($victim, 'COMMIT');
	$mallory->query_until(qr/answered/, '');
	is(value($node, q{SELECT to_regnamespace('atk') IS NULL; ALTER SCHEMA other RENAME TO atk}), 't',
		"renaming waited for: $call");
}
$_->quit for $victim, $mallory;

# Verification runs on standbys and must not wait: there, the query that was made of a name is looked at before it runs.
value($node, q{CREATE VIEW atk.decoy AS SELECT id, owner, v, public.steal(v) FROM atk.t; CREATE TABLE atk.decoy_table (LIKE atk.t)});
for my $query ('SELECT count(*) FROM atk.decoy', 'SELECT count(*) FROM atk.decoy_table',
	'WITH x AS MATERIALIZED (SELECT steal FROM atk.decoy) SELECT count(*) FROM x',
		'SELECT (SELECT count(*) FROM atk.decoy) FROM atk.t',
	'SELECT count(*) FROM atk.t JOIN atk.decoy USING (id)')
{
	fails($node, "SELECT * FROM envcrypt_query_table('atk.t'::regclass, '$query') AS (n bigint)", '55000',
		qr/renamed meanwhile/,
		"refused: $query");
}
for my $query ('DELETE FROM atk.t', 'SELECT 1; SELECT 2',
	'WITH x AS (DELETE FROM atk.t RETURNING id) SELECT count(*) FROM x', 'DROP TABLE atk.t', '')
{
	fails($node, "SELECT * FROM envcrypt_query_table('atk.t'::regclass, '$query') AS (n bigint)", '42601',
		qr/query of a table/, "refused: $query");
}
fails($node, q{SELECT * FROM envcrypt_query_table('atk.t'::regclass, 'SELECT v FROM atk.t') AS (n bigint)}, '42804',
	qr/./, 'refused: other columns');
fails($node, q{SELECT * FROM envcrypt_query_table('atk.t'::regclass, 'SELECT id FROM atk.t') AS (n int)}, '42501',
	qr/./,
	'it reads with the rights of its caller', user => 'nobody');
is(value($node, q{SELECT * FROM envcrypt_query_table('atk.t'::regclass, 'SELECT id FROM atk.t') AS (n int)}), '1',
	'the table itself is read');
is(value($node, 'SELECT * FROM loot'), '', 'and nothing of a decoy ran');

# Who locks what.
for my $case ([ 'AccessShareLock', 'permission denied' ], [ 'AccessExclusiveLock', 'must be owner' ])
{
	value($node, 'CREATE TABLE mine (id int); REVOKE ALL ON mine FROM PUBLIC');
	fails($node, "SELECT envcrypt_lock_relation('mine'::regclass, '$case->[0]', true)", '42501', qr/$case->[1]/,
		"$case->[0] is not for everybody", user => 'nobody');
	value($node, 'DROP TABLE mine');
}

done_testing();
