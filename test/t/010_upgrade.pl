# pg_upgrade: sealed values, key rows, constants of encrypted types in defaults, domains, views and functions; protected
# tables, made types, managed owners, and a column that is being protected online.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key = '0' x 64;
my $set = "SET envcrypt.master_key = '$key';";
my ($old, $new) = map { new_server($_, extension => 0) } qw(old new);
$new->stop;
$old->safe_psql('postgres', qq{
	CREATE EXTENSION envcrypt;
	$set
	SELECT envcrypt_rotate_master();
	CREATE DOMAIN short AS encrypted_text DEFAULT 'domain default' CHECK (VALUE *<> 'never'::encrypted_text);
	CREATE TABLE t (id int, v encrypted_text DEFAULT 'column default', d short, a encrypted_text[] DEFAULT '{x,y}');
	INSERT INTO t (id) VALUES (1);
	INSERT INTO t SELECT 2, encrypt_for_user('alice', 'owned'), 'short', NULL;
	CREATE VIEW w AS SELECT id, coalesce(v, 'none') AS v FROM t;
	CREATE FUNCTION f(encrypted_text DEFAULT 'argument default') RETURNS text LANGUAGE sql AS 'SELECT \$1::text';
	SELECT envcrypt_create_user_key('gone');
	SELECT envcrypt_shred_user('gone');});
$old->safe_psql('postgres', qq{
	$set
	CREATE TYPE mood AS ENUM ('sad', 'happy');
	CREATE DOMAIN zip AS varchar(5) CHECK (VALUE ~ '^[0-9]+\$');
	SELECT envcrypt_create_type(t) FROM unnest('{mood,zip,int[]}'::regtype[]) AS t;
	CREATE TABLE users (id text PRIMARY KEY);
	INSERT INTO users VALUES ('u1'), ('u2');
	SELECT envcrypt_manage_owners('users', 'id', on_delete => 'shred');
	CREATE TABLE pay (dropped int, id int, who text NOT NULL, salary numeric(12, 2) CHECK (salary > 0), feels mood
		DEFAULT 'happy', at zip, lots int[], seen timestamptz(0)) PARTITION BY RANGE (id);
	ALTER TABLE pay DROP COLUMN dropped;
	CREATE TABLE pay_1 PARTITION OF pay FOR VALUES FROM (0) TO (10);
	CREATE TABLE pay_2 PARTITION OF pay FOR VALUES FROM (10) TO (20);
	INSERT INTO pay VALUES (1, 'u1', 100, 'sad', '123', '{1,2}', '2026-01-01 00:00Z'),
	(11, 'u2', 200, 'happy', '9', '{}', NULL);
	SELECT envcrypt_protect('pay', ARRAY['salary', 'feels', 'at', 'lots', 'seen'], 'who');
	ALTER TABLE pay RENAME COLUMN who TO person;
	CREATE TABLE busy (id int, who text, v text);
	INSERT INTO busy VALUES (1, 'u1', 'one'), (2, 'u2', NULL);
	SELECT envcrypt_online_attempt('prepare', 'busy', 'v', 'who', 'error', '1s', 1);});
my $protected =
	qq{$set SET timezone = 'UTC'; SELECT *, envcrypt_owner(salary), salary * 1.5, feels > 'sad', lots[1] FROM pay
	ORDER BY id;
	SELECT "table", "column", type, owner_column, protection, original_type FROM envcrypt_columns ORDER BY 1, 2;
	SELECT * FROM envcrypt_verify('pay')};
my $protected_before = $old->safe_psql('postgres', $protected);
like($protected_before, qr/1\|u1\|100\.00\|sad\|123\|\{1,2\}\|2026-01-01 00:00:00\+00\|u1\|150\.000\|f\|1\n/,
	'and those of protected columns');
my $query = qq{$set SELECT id, v, d, a FROM t ORDER BY id; SELECT * FROM w ORDER BY id; SELECT f();
	SELECT count(*), string_agg(kind, ',' ORDER BY kind) FROM envcrypt_data_keys};
my $before = $old->safe_psql('postgres', $query);
like($before, qr/1\|column default\|domain default\|\{x,y\}\n2\|owned\|short\|/, 'the old cluster opens its values');
$old->stop;

# pg_upgrade writes into the current directory.
chdir $new->basedir or die $!;
command_ok(
	[
		'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $old->config_data('--bindir'),
		'-B', $new->config_data('--bindir'), '-s', $new->host, '-p', $old->port, '-P', $new->port
	],
	'pg_upgrade');
$new->start;
is($new->safe_psql('postgres', $query), $before, 'the new cluster opens the same values');
is( $new->safe_psql('postgres', "$set INSERT INTO t (id) VALUES (3); SELECT v, d, a FROM t WHERE id = 3"),
	'column default|domain default|{x,y}', 'its defaults are the same');
is($new->safe_psql('postgres', $protected), $protected_before, 'protected columns are what they were');
$new->safe_psql('postgres', qq{$set
	INSERT INTO users VALUES ('u3');
	INSERT INTO pay (id, person, salary, at) VALUES (2, 'u3', 300, '77');
	UPDATE pay SET id = 12, salary = salary + 1 WHERE id = 2;
	DELETE FROM users WHERE id = 'u2';
	CALL envcrypt_protect_online('busy', 'v', 'who');});
is( $new->safe_psql('postgres',
	"$set SELECT id, person, salary, feels, at, envcrypt_owner(at) FROM pay WHERE id = 12;
		SELECT * FROM busy ORDER BY id"),
	"12|u3|301.00|happy|77|u3\n1|u1|one\n2|u2|", 'they are written, and what was begun online is ended');
is($new->safe_psql('postgres', "$set SELECT DISTINCT problem FROM envcrypt_verify('pay') WHERE problem IS NOT NULL"),
	'data key destroyed', 'a managed owner dies with its row');
my ($rc, $out, $err) = $new->psql('postgres', "$set SELECT encrypt_for_user('gone', 'x')");
like($err, qr/data key of owner "gone" was destroyed/, 'it remembers who was shredded');
$new->stop;
done_testing();
