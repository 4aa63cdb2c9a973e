# Tables of users, on_delete => 'shred': whatever runs at the same time, a name that a row has keeps its key, and one
# that no row has any more loses it.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key  = new_master_key();
my $node = new_server('shred_races', conf => 'fsync = off');
value($node, 'SELECT envcrypt_rotate_master()', key => $key);
value($node, <<'SQL', key => $key);
CREATE TABLE members (tenant text, who text);
CREATE TABLE guests (tenant text, who text);
CREATE INDEX ON members (tenant);
CREATE INDEX ON guests (tenant);
SELECT envcrypt_manage_owners('members', 'tenant', on_delete => 'shred');
SELECT envcrypt_manage_owners('guests', 'tenant', on_delete => 'shred');
SQL

my $kind = q(SELECT kind FROM envcrypt_data_keys WHERE key_id = %d);

sub key_id
{
	my ($owner) = @_;
	return value($node, "SELECT key_id FROM envcrypt_data_keys WHERE owner = '$owner'");
}

# A prepared transaction has written a row of the owner: who deletes the other waits for its end, however it ends.
for my $end ('COMMIT PREPARED', 'ROLLBACK PREPARED')
{
	my $owner = $end =~ /^C/ ? 'kept' : 'gone';
	value($node, "INSERT INTO members VALUES ('$owner', '1')", key => $key);
	my $id = key_id($owner);
	value($node, "BEGIN; INSERT INTO guests VALUES ('$owner', '2'); PREPARE TRANSACTION '$owner'", key => $key);
	my $deleter = session($node, key => $key);
	$deleter->query_until(qr/started/, "\\echo started\nDELETE FROM members WHERE tenant = '$owner';\n");
	ok( $node->poll_query_until('postgres', q(SELECT count(*) > 0 FROM pg_locks WHERE NOT granted)),
		"a deletion waits for a prepared transaction, before $end");
	value($node, "$end '$owner'");
	ask($deleter, 'SELECT 1');
	is( value($node, sprintf($kind, $id)),
		$owner eq 'kept' ? 'data' : 'shredded',
		"$end: the key is $owner");
	$deleter->quit;
}

# A rotation waits for nobody who has written a row of an owner whose key is there.
value($node, "INSERT INTO members VALUES ('idle', '1')", key => $key);
my $writer = session($node, key => $key);
ask($writer, "BEGIN; INSERT INTO members VALUES ('idle', '2')");
my $next = new_master_key();
cmp_ok(value($node, "SET lock_timeout = '20s'; SELECT envcrypt_rotate_master()", key => "$next:$key"),
	'>', 0, 'a rotation is not held up by a new row of an owner who has a key');
my $deleter = session($node, key => "$next:$key");
$deleter->query_until(qr/started/, "\\echo started\nDELETE FROM members WHERE tenant = 'idle' AND who = '1';\n");
ok( $node->poll_query_until('postgres', q(SELECT count(*) > 0 FROM pg_locks WHERE NOT granted)),
	'a deletion waits for that row, though the key was wrapped anew since');
ask($writer, 'COMMIT');
ask($deleter, 'SELECT 1');
is(value($node, "SELECT count(*) FROM envcrypt_data_keys WHERE owner = 'idle'"), '1', 'and keeps the key');
$writer->quit;
$deleter->quit;

# Shredding waits for a key that is just being made.
my $maker = session($node, key => $next);
ask($maker, "BEGIN; SELECT envcrypt_create_user_key('new') IS NOT NULL");
my $shredder = session($node, key => $next);
$shredder->query_until(qr/started/, "\\echo started\nSELECT 'receipt' WHERE envcrypt_shred_user('new') IS NOT NULL;\n");
ok( $node->poll_query_until('postgres', q(SELECT count(*) > 0 FROM pg_locks WHERE NOT granted)),
	'shredding waits for the transaction that makes the key');
my $new = ask($maker, "SELECT key_id FROM envcrypt_data_keys WHERE owner = 'new'");
ask($maker, 'COMMIT');
like(ask($shredder, 'SELECT 1'), qr/receipt/, 'and then destroys it');
is(value($node, sprintf($kind, $new)), 'shredded', 'for good');
$maker->quit;
$shredder->quit;

# Deletions of more owners than there is room for in the table of locks, two at a time, in opposite orders of tables.
value($node, <<"SQL", key => $next);
INSERT INTO members SELECT 'many' || i, 'm' FROM generate_series(1, 2000) AS i;
INSERT INTO guests SELECT 'more' || i, 'g' FROM generate_series(1, 2000) AS i;
SQL
my @sessions = map { session($node, key => $next) } 1 .. 2;
ask($sessions[0], "BEGIN; DELETE FROM members WHERE tenant LIKE 'many%' AND length(tenant) < 7");
ask($sessions[1], "BEGIN; DELETE FROM guests WHERE tenant LIKE 'more%' AND length(tenant) < 7");
ask($sessions[0], "DELETE FROM members WHERE tenant LIKE 'many%'");
ask($sessions[1], "DELETE FROM guests WHERE tenant LIKE 'more%'");
is(ask($sessions[0], "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), '0',
	'owners take no room in the table of locks');
ask($_, 'COMMIT') for @sessions;
$_->quit for @sessions;
is(value($node, "SELECT count(*) FROM envcrypt_data_keys WHERE owner ~ '^m(any|ore)'"), '0',
	'two large deletions do not meet');

# Everything at once.
my $script = <<'SQL';
\set n random(1, 200)
\set what random(1, 6)
\set sub random(1, 4)
DO $$ BEGIN
    IF :what = 1 THEN INSERT INTO members VALUES ('o' || :n, '1');
    ELSIF :what = 2 THEN INSERT INTO guests VALUES ('o' || :n, '1');
    ELSIF :what = 3 THEN DELETE FROM members WHERE tenant = 'o' || :n;
    ELSIF :what = 4 THEN DELETE FROM guests WHERE tenant = 'o' || :n;
    ELSIF :what = 5 THEN UPDATE members SET tenant = 'o' || :n
    WHERE ctid = (SELECT max(ctid) FROM members WHERE tenant LIKE 'o%');
    ELSE
        BEGIN
            INSERT INTO members VALUES ('o' || :n, '2');
            IF :sub = 1 THEN RAISE division_by_zero; END IF;
        EXCEPTION WHEN division_by_zero THEN NULL;
        END;
        DELETE FROM guests WHERE tenant = 'o' || :n;
    END IF;
    IF :sub = 2 THEN RAISE division_by_zero; END IF;
EXCEPTION WHEN division_by_zero OR SQLSTATE 'ZE003' OR deadlock_detected THEN NULL;
END $$;
SQL
my $output;
my $bench = start_pgbench($node, $script, \$output, [ '-c', 8, '-j', 2, '-t', 250 ], $next, 'deadlock_timeout=50ms');
$bench->finish;
unlike($output, qr/ERROR|abort/, 'eight sessions write and delete rows of the same owners') or diag($output);
my $living = "SELECT tenant FROM members WHERE tenant LIKE 'o%' UNION SELECT tenant FROM guests WHERE tenant LIKE 'o%'";
my $owners = "SELECT owner FROM envcrypt_data_keys WHERE owner LIKE 'o%'";
is(value($node, "$living EXCEPT $owners"), '', 'each name that a row has, has its key');
cmp_ok(value($node, "SELECT count(*) FROM envcrypt_data_keys WHERE kind = 'shredded'"), '>', 4010,
	'keys were destroyed meanwhile');

$node->stop;
done_testing();
