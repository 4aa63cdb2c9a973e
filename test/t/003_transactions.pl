# What a session keeps of a key must end with the transaction that made it, and with the key itself.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($key, $next_key) = (new_master_key(), new_master_key());
my $node = new_server('transactions');
value($node, 'SELECT envcrypt_rotate_master()', key => $key);
$node->safe_psql('postgres', 'CREATE TABLE vault (owner text, secret encrypted_text)');

# Seals for the owner in the same session, and opens in another.
sub usable_afterwards
{
	my ($session, $owner, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $id =
	  ask($session, "INSERT INTO vault VALUES ('$owner', encrypt_for_user('$owner', 'kept')) RETURNING envcrypt_key_id(secret)");
	is(value($node, "SELECT decrypt_for_user(owner, secret) FROM vault WHERE owner = '$owner'", key => $key),
		'kept', "$name: the next seal opens in a new session");
	is(value($node, "SELECT string_agg(key_id::text, ',') FROM envcrypt_data_keys WHERE owner = '$owner'"),
		$id, "$name: the owner has that one key");
	return;
}

my $session = session($node, key => $key);
my $seal    = sub { "SELECT length(encrypt_for_user('$_[0]', 'lost'))" };

ask($session, 'BEGIN');
ask($session, $seal->('rollback'));
ask($session, 'ROLLBACK');
is(value($node, "SELECT count(*) FROM envcrypt_data_keys WHERE owner = 'rollback'"), '0', 'a rolled back key is gone');
usable_afterwards($session, 'rollback', 'key of a rolled back transaction');

ask($session, 'BEGIN');
ask($session, 'SAVEPOINT s');
ask($session, $seal->('savepoint'));
ask($session, 'ROLLBACK TO s');
ask($session, "INSERT INTO vault VALUES ('savepoint', encrypt_for_user('savepoint', 'in between'))");
ask($session, 'COMMIT');
is(value($node, "SELECT secret FROM vault WHERE owner = 'savepoint'", key => $key),
	'in between', 'key of a rolled back savepoint: a seal in the same transaction opens');
value($node, 'TRUNCATE vault');
usable_afterwards($session, 'savepoint', 'key of a rolled back savepoint');

ask($session, 'BEGIN');
ask($session, 'SAVEPOINT a');
ask($session, 'SAVEPOINT b');
ask($session, $seal->('released'));
ask($session, 'RELEASE b');
ask($session, 'ROLLBACK TO a');
ask($session, 'COMMIT');
usable_afterwards($session, 'released', 'key of a savepoint released into one that is rolled back');

ask($session, <<'SQL');
DO $$
BEGIN
    PERFORM encrypt_for_user('exception', 'lost');
    RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
    INSERT INTO vault VALUES ('handler', encrypt_for_user('exception', 'from the handler'));
END $$
SQL
is(value($node, "SELECT secret FROM vault WHERE owner = 'handler'", key => $key),
	'from the handler', 'key of an exception block: a seal in its handler opens');
usable_afterwards($session, 'exception', 'key of an exception block');

ask_fails($session, "SELECT encrypt_for_user('failed', 'lost'), 1 / (random() * 0)::int", '22012', qr/division by zero/,
	'a statement fails after it made a key');
usable_afterwards($session, 'failed', 'key of a failed statement');

# A key made again elsewhere after the rollback.
ask($session, 'BEGIN');
ask($session, $seal->('again'));
ask($session, 'ROLLBACK');
value($node, "SELECT envcrypt_create_user_key('again')", key => $key);
usable_afterwards($session, 'again', 'key made by another session after the rollback');

# Prepared transactions.
ask($session, 'BEGIN');
ask($session, $seal->('prepared, rolled back'));
ask($session, "PREPARE TRANSACTION 'one'");
value($node, "ROLLBACK PREPARED 'one'");
usable_afterwards($session, 'prepared, rolled back', 'key of a transaction prepared and rolled back elsewhere');

ask($session, 'BEGIN');
ask($session, "INSERT INTO vault VALUES ('p', encrypt_for_user('prepared, committed', 'prepared'))");
ask($session, "PREPARE TRANSACTION 'two'");
value($node, "COMMIT PREPARED 'two'");
usable_afterwards($session, 'prepared, committed', 'key of a transaction prepared and committed elsewhere');
is(value($node, "SELECT decrypt_for_user('prepared, committed', secret) FROM vault WHERE owner = 'p'", key => $key),
	'prepared', 'what the prepared transaction sealed opens, too');

for my $end ('COMMIT', 'ROLLBACK')
{
	my $owner = lc "prepared, crash, $end";
	ask($session, 'BEGIN');
	ask($session, "INSERT INTO vault VALUES ('crash $end', encrypt_for_user('$owner', 'survives'))");
	ask($session, "PREPARE TRANSACTION 'crash'");
	kill_server($node);
	eval { $session->quit };
	$node->start;
	value($node, "$end PREPARED 'crash'");
	$session = session($node, key => $key);
	usable_afterwards($session, $owner, "key of a transaction prepared before a crash, then $end");
	is(value($node, "SELECT string_agg(secret::text, '') FROM vault WHERE owner = 'crash $end'", key => $key),
		$end eq 'COMMIT' ? 'survives' : '', "its value after $end");
}

# A cache that is too small.
my $small = session($node, key => $key, set => ['envcrypt.cache_size=16']);
ask($small, 'CREATE TABLE many (owner text, secret encrypted_text)');
ask($small, "INSERT INTO many SELECT i, encrypt_for_user(i::text, 'v' || i) FROM generate_series(1, 100) i");
is(ask($small, "SELECT count(*) FILTER (WHERE decrypt_for_user(a.owner, a.secret) = 'v' || a.owner) FROM many a,
	generate_series(1, 5)"), '500', 'a cache of 16 keys serves 100 owners');
is(ask($small, "SELECT count(DISTINCT a.secret), count(*) FROM many a JOIN many b ON a.secret *= b.secret"), '100|100',
	'also where values of many owners are compared');
is(value($node, "SELECT count(DISTINCT key_id) FROM envcrypt_data_keys WHERE owner ~ '^[0-9]+\$'"), '100',
	'it made one key for each');
ask($small, 'BEGIN');
ask($small, "SELECT count(encrypt_for_user('r' || i, 'x')) FROM generate_series(1, 100) i");
ask($small, 'ROLLBACK');
ask($small, "INSERT INTO many SELECT 'r' || i, encrypt_for_user('r' || i, 'v') FROM generate_series(1, 100) i");
is(value($node, "SELECT count(*) FROM many WHERE owner LIKE 'r%' AND decrypt_for_user(owner, secret) = 'v'",
	key => $key),
	'100', 'after 100 rolled back keys, new ones are made');
$small->quit;

# Keys that go away in another session.
sub warm_owner
{
	my ($owner) = @_;
	value($node, "INSERT INTO vault SELECT '$owner', encrypt_for_user('$owner', 'value ' || i) FROM generate_series(1, 3) i",
		key => $key);
	is(ask($session, "SELECT count(secret::text) FROM vault WHERE owner = '$owner'"), '3',
		"owner $owner opens in a warm session");
	return "SELECT secret FROM vault WHERE owner = '$owner'";
}

my $read = warm_owner('shredded');
ask($session, "PREPARE read_it AS $read");
ask($session, 'EXECUTE read_it') for 1 .. 7;
value($node, "SELECT envcrypt_shred_user('shredded')", key => $key);
ask_fails($session, $read, 'ZE003', qr/destroyed/, 'a key shredded elsewhere is refused at once in a warm session');
ask_fails($session, 'EXECUTE read_it', 'ZE003', qr/destroyed/, 'also by a prepared statement');
ask_fails($session, $seal->('shredded'), 'ZE003', qr/owner "shredded" was destroyed/,
	'nothing is sealed for that owner any more');
is(value($node, "SELECT count(*) FROM envcrypt_data_keys WHERE owner = 'shredded' OR wrapped_key IS NULL AND kind <> 'shredded'"),
	'0', 'the row has neither name nor key');

$read = warm_owner('inside a transaction');
ask($session, 'BEGIN ISOLATION LEVEL REPEATABLE READ');
is(ask($session, "$read LIMIT 1"), 'value 1', 'a REPEATABLE READ transaction opens it');
value($node, "SELECT envcrypt_shred_user('inside a transaction')", key => $key);
ask_fails($session, $read, 'ZE003', qr/destroyed/,
	'after shredding its next statement is refused, whatever its snapshot');
ask($session, 'ROLLBACK');

$read = warm_owner('cursor');
ask($session, 'BEGIN');
ask($session, "DECLARE c CURSOR FOR $read");
is(ask($session, 'FETCH 1 FROM c'), 'value 1', 'an open cursor gives a row');
value($node, "SELECT envcrypt_shred_user('cursor')", key => $key);
ask_fails($session, 'FETCH 1 FROM c', 'ZE003', qr/destroyed/,
	'after shredding the next FETCH of an open cursor is refused');
ask($session, 'ROLLBACK');

$read = warm_owner('deleted');
value($node, "SET envcrypt.allow_data_loss = on; DELETE FROM envcrypt_data_keys WHERE owner = 'deleted'");
ask_fails($session, $read, 'ZE002', qr/could not open encrypted value/, 'a key row deleted by hand is refused at once');

$read = warm_owner('renamed');
value($node, "UPDATE envcrypt_data_keys SET owner = 'usurper' WHERE owner = 'renamed'");
ask_fails($session, $read, 'ZE002', qr/could not open encrypted value/,
	'a key row given to another owner is refused at once');
value($node, "UPDATE envcrypt_data_keys SET owner = 'renamed' WHERE owner = 'usurper'");
is(ask($session, "$read LIMIT 1"), 'value 1', 'given back, it opens');

$read = warm_owner('exchanged');
value($node, "UPDATE envcrypt_data_keys k SET wrapped_key = o.wrapped_key FROM envcrypt_data_keys o
	WHERE k.owner = 'exchanged' AND o.owner = 'renamed'");
ask_fails($session, $read, 'ZE002', qr/could not open encrypted value/,
	"another owner's wrapped key is refused at once");

$read = warm_owner('truncated');
value($node, 'SET envcrypt.allow_data_loss = on; CREATE TABLE kept AS TABLE envcrypt_data_keys; TRUNCATE envcrypt_data_keys');
ask_fails($session, $read, 'ZE002', qr/could not open encrypted value/,
	'keys that were truncated away are refused at once');
value($node, 'INSERT INTO envcrypt_data_keys TABLE kept');
is(ask($session, "$read LIMIT 1"), 'value 1', 'put back, they open');

$read = warm_owner('reprieved');
ask($session, 'BEGIN');
ask($session, "SELECT envcrypt_shred_user('reprieved')");
ask_fails($session, $read, 'ZE003', qr/destroyed/, 'inside the transaction that shreds, the values are gone');
ask($session, 'ROLLBACK');
is(ask($session, "$read LIMIT 1"), 'value 1', 'shredding rolled back leaves them readable in the session');
is(value($node, "$read LIMIT 1", key => $key), 'value 1', 'and in a new one');
usable_afterwards($session, 'reprieved and new', 'sealing after that');

# A rotation that is rolled back.
my $all = 'SELECT md5(string_agg(k::text, $$,$$ ORDER BY key_id)) FROM envcrypt_data_keys k
	UNION ALL SELECT md5(string_agg(m::text, $$,$$ ORDER BY fingerprint)) FROM envcrypt_master_keys m';
my $before = value($node, $all);
my $rotating = session($node, key => "$next_key:$key");
ask($rotating, 'BEGIN');
cmp_ok(ask($rotating, 'SET envcrypt.allow_data_loss = on; DELETE FROM envcrypt_data_keys WHERE owner = $$exchanged$$; SELECT envcrypt_rotate_master()'),
	'>', 100, 'a rotation in a transaction re-wraps the data keys');
is(ask($rotating, "$read LIMIT 1"), 'value 1', 'values open inside it');
ask($rotating, $seal->('made while rotating'));
ask($rotating, 'ROLLBACK');
is(value($node, $all), $before, 'rolled back, it has changed nothing');
is(ask($rotating, "$read LIMIT 1"), 'value 1', 'values open in the session that rolled back');
usable_afterwards($rotating, 'made after the rotation', 'sealing with the new key first in the ring');
is(ask($session, "$read LIMIT 1"), 'value 1', 'and in a session that has only the old key');
$rotating->quit;

$session->quit;
$node->stop;
done_testing();
