# Dumps of protected tables: restored byte for byte, without a key, in every format and order, triggers and all.
use strict;
use warnings;
use EnvcryptTest;
use ProtectedTables;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The harness names all connections; pg_restore is known by its own name.
delete $ENV{PGAPPNAME};
my $key = new_master_key();
my $old = new_server('old', conf => "envcrypt.master_key_file = '" . key_file($key) . "'");
my $new = new_server('new', extension => 0);    # never sees a key but in a session
my $dir = PostgreSQL::Test::Utils::tempdir();

$new->safe_psql('postgres', <<'SQL');
CREATE ROLE reader LOGIN; CREATE ROLE writer LOGIN; CREATE ROLE clerk LOGIN; CREATE ROLE nobody LOGIN; CREATE ROLE keeper LOGIN;
SQL
value($old, 'CREATE ROLE keeper LOGIN; SELECT envcrypt_rotate_master();' . make_types());
value($old, make_tables(50), key => $key);
# Columns are renamed after they were protected, a key is shredded, an owner has two: the trigger must bear it.
value($old, <<'SQL', key => $key);
ALTER TABLE person RENAME t TO "Te xt";
ALTER TABLE person RENAME user_id TO "the ""user";
ALTER TABLE "Other Schema".late RENAME TO "later than";
ALTER TABLE setting RENAME TO "set ting";
ALTER TABLE "set ting" RENAME TO setting;
CREATE VIEW happy AS SELECT id, "Te xt" || '!' AS "Te xt" FROM person WHERE m = 'happy';
ALTER TABLE person ADD CHECK (id < 10000), OWNER TO keeper;
ALTER TABLE setting OWNER TO keeper;
INSERT INTO person (id, "the ""user", n) VALUES (1000, 'shredded', 1);
INSERT INTO person (id, "the ""user") VALUES (1001, 'defaults only');
SELECT envcrypt_shred_user('shredded');
SQL

my $keys = q{SELECT md5(string_agg(k::text, ',' ORDER BY key_id)) FROM envcrypt_data_keys k
	UNION ALL SELECT md5(string_agg(m::text, ',' ORDER BY fingerprint)) FROM envcrypt_master_keys m};
my $opened = q{SELECT count(*), md5(string_agg(p::text, ',' ORDER BY id)) FROM person p WHERE id <> 1000
	UNION ALL SELECT count(*), md5(string_agg(r::text, ',' ORDER BY id)) FROM "Other Schema"."Visits" r
	UNION ALL SELECT count(*), md5(string_agg(s::text, ',' ORDER BY id)) FROM setting s
	UNION ALL SELECT count(*), md5(string_agg(h::text, ',' ORDER BY id)) FROM happy h WHERE id <> 1000};
my $sealed_before = value($old, sealed_bytes());
my $keys_before   = value($old, $keys);
my $opened_before = value($old, $opened, key => $key);

like($opened_before, qr/^51\|.*\n50\|.*\n50\|/, 'the tables open before the dump');
is(join("\n", sort(map { s/.*[|]//r } split(/\n/, faults($old, key => $key)))), join("\n", ('data key destroyed') x 4),
	'every value is bound to its owner and column, but those whose key was destroyed');

sub tool
{
	my ($node, $tool, @arguments) = @_;
	return [ $node->installed_command($tool), '-h', $node->host, '-p', $node->port, @arguments ];
}

sub succeeds
{
	my ($command, $name) = @_;
	my $err = '';
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok(IPC::Run::run($command, '2>', \$err, '>', \my $out), $name) or diag(substr($err, 0, 2000));
	return $err;
}

sub dumped_text
{
	return join('', grep { !/^(--|\\(un)?restrict)/ } split(/^/, slurp_file($_[0])));
}

sub database
{
	my ($db) = @_;
	$new->safe_psql('postgres', "CREATE DATABASE \"$db\" TEMPLATE template0");
	return $db;
}

my @databases;

sub is_restored
{
	my ($db, $how) = @_;
	push @databases, $db;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is(value($new, sealed_bytes(), db => $db), $sealed_before, "$how: the sealed bytes are the same");
	is(value($new, $keys,          db => $db), $keys_before,   "$how: the key rows are the same");
	is(value($new, $opened, db => $db, key => $key), $opened_before, "$how: with the master key everything opens");
	return;
}

my $psql = sub { my ($db, $file, @more) = @_; tool($new, 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $db, @more,
	'-f', $file) };
my $restore = sub { my ($db, $file, @more) = @_; tool($new, 'pg_restore', '--exit-on-error', '-d', $db, @more, $file) };

# Dumps, by a superuser who may not open.
succeeds(tool($old, 'pg_dump', @$_, 'postgres'), "pg_dump @$_[0 .. $#$_ - 2]")
  for [ '-f', "$dir/all.sql" ], [ '-Fc', '-f', "$dir/all.custom" ], [ '-Fd', '-j4', '-f', "$dir/all.dir" ],
  [ '--data-only', '-f', "$dir/data.sql" ], [ '--data-only', '--disable-triggers', '-f', "$dir/disable.sql" ],
  [ '--inserts', '-f', "$dir/inserts.sql" ], [ '--data-only', '--inserts', '-f', "$dir/rows.sql" ],
	[ '--schema-only', '-f', "$dir/schema.sql" ];
for my $file (qw(all.sql inserts.sql schema.sql))
{
	my $text = slurp_file("$dir/$file");
	ok($text !~ /$_/, "no $_ in $file") for markers();
}

# All at once.
succeeds($psql->(database('plain'), "$dir/all.sql"), 'psql restores');
is_restored('plain', 'plain');
is(faults($new, db => 'plain', key => $key) =~ s/.*[|]//gmr, join("\n", ('data key destroyed') x 4),
	'envcrypt_check() says nothing of the restored values but what it said before');
succeeds($restore->(database('Custom x'), "$dir/all.custom"), 'pg_restore restores');
is_restored('Custom x', 'custom');
succeeds($restore->(database('parallel'), "$dir/all.dir", '-j4'), 'pg_restore -j4 restores');
is_restored('parallel', 'directory, four jobs');

# In parts. The last ones load data into tables whose triggers fire.
database('sections');
succeeds($restore->('sections', "$dir/all.custom", "--section=$_"), "pg_restore --section=$_")
	for qw(pre-data data post-data);
is_restored('sections', 'by sections');
succeeds($psql->(database('schema'), "$dir/schema.sql"), 'the schema alone');
is(value($new, 'SELECT count(*) FROM envcrypt_data_keys', db => 'schema'), '0', 'has no keys');
$new->safe_psql('postgres', "CREATE DATABASE \"$_\" TEMPLATE schema") for qw(disable order member with_key);
succeeds($psql->('schema', "$dir/data.sql"), 'then the data, while triggers fire');
is_restored('schema', 'data only');
succeeds($psql->('disable', "$dir/disable.sql"), 'the data with --disable-triggers');
is_restored('disable', '--disable-triggers');
succeeds($psql->(database('inserts'), "$dir/inserts.sql"), 'rows as INSERT');
is_restored('inserts', '--inserts');

# Tables first, keys last; then keys first. (pg_dump itself sorts by name.)
my $list = '';
IPC::Run::run(tool($old, 'pg_restore', '-l', "$dir/all.custom"), '>', \$list) or die 'pg_restore -l failed';
my @entries = grep { / TABLE DATA / } split(/^/, $list);
my @is_key  = grep { / envcrypt_/ } @entries;
my @no_key  = grep { !/ envcrypt_/ } @entries;
is(@is_key, 2, 'two tables of keys are dumped');
write_file("$dir/order.list", join('', @no_key, reverse @is_key));
succeeds($restore->('order', "$dir/all.custom", '-L', "$dir/order.list"), 'data before keys, while triggers fire');
is_restored('order', 'data before keys');

# In a session with the key.
my $truncate = 'SET envcrypt.allow_data_loss = on; TRUNCATE person, "Other Schema"."Visits", setting, envcrypt_data_keys, envcrypt_master_keys';
my $err = '';
# INSERT checks what it writes, for which it would have to open it. (Where a whole dump is restored, constraints that
# open come after the data.)
value($new, 'ALTER TABLE setting DROP CONSTRAINT setting_t_check', db => 'with_key');
with_key($key, sub { ok(!IPC::Run::run($psql->('with_key', "$dir/data.sql"), '2>', \$err),
	'psql in a session with a key, in auto mode, does not restore') });
like($err, qr/sealed value given where type .*encrypted_\w+ expects plaintext.*PGOPTIONS='-c envcrypt\.io=ciphertext'/s,
	'and says how it would');
for my $way ([ 'psql, io = ciphertext', [ 'envcrypt.io=ciphertext' ], $psql->('with_key', "$dir/data.sql") ],
	[ 'psql, INSERT', [ 'envcrypt.io=ciphertext' ], $psql->('with_key', "$dir/rows.sql") ],
	[ 'pg_restore', [], $restore->('with_key', "$dir/all.custom", '--data-only') ],
	[ 'pg_restore, keys last', [], $restore->('with_key', "$dir/all.custom", '-L', "$dir/order.list") ])
{
	my ($name, $settings, $command) = @$way;
	value($new, $truncate, db => 'with_key');
	with_key($key, sub { succeeds($command, "with a key: $name") }, @$settings);
	is_restored('with_key', "with a key: $name");
}
value($new, $truncate, db => 'with_key');
with_key(new_master_key(), sub { succeeds($restore->('with_key', "$dir/all.custom", '--data-only'),
	'with another key') });
is_restored('with_key', 'with another key');

# By the table's owner, who is no superuser.
succeeds($restore->('member', "$dir/all.custom", '--data-only', '-t', 'envcrypt_data_keys', '-t',
	'envcrypt_master_keys'),
	'the keys, by a superuser');
my @as_keeper = ('member', "$dir/all.custom", '--data-only', '-U', 'keeper', '-t');
$err = '';
ok(!IPC::Run::run($restore->(@as_keeper, 'setting'), '2>', \$err),
	'an owner without any right does not restore what nobody can authenticate');
like($err, qr/permission denied to store sealed values that cannot be authenticated/, 'and is told why');
with_key($key, sub { succeeds($restore->(@as_keeper, 'setting'), 'with the key he does') });
value($new, 'GRANT envcrypt_encrypt TO keeper');
succeeds($restore->(@as_keeper, 'person'), 'as a member of envcrypt_encrypt he needs no key');
my @lines = split(/\n/, $sealed_before);
is(value($new, sealed_bytes(), db => 'member'), "$lines[0]\n0|\n$lines[2]", 'byte for byte');

# What was restored is alive.
my @with = (db => 'order', key => $key);
is(value($new, 'INSERT INTO person (id, "the ""user", n) VALUES (2000, $$user 1$$, 1.234) RETURNING m, e, n, note',
	@with),
	'happy|by@default|1.23|a default', 'defaults and type modifiers hold');
is(value($new, 'UPDATE person SET v = "Te xt", "the ""user" = $$a new one$$ WHERE id = 1 RETURNING v', @with),
	'Marker-Word 1',
	'the triggers bind');
value($new, 'UPDATE "Other Schema"."Visits" SET id = id + 100, "User Id" = 77 WHERE id = 5', @with);
is(faults($new, @with) =~ s/.*[|]//gmr, join("\n", ('data key destroyed') x 4), 'to the right owner and column');
fails($new, 'INSERT INTO setting VALUES (2001, $$short$$)', '23514', qr/setting_t_check/, 'CHECK constraints hold',
	@with);
fails($new, 'INSERT INTO person (id, n) VALUES (2001, 1)', '23502', qr{no owner to encrypt for},
	'a row needs its owner', @with);
fails($new, 'INSERT INTO person (id, "the ""user", v) VALUES (2001, $$x$$, repeat($$x$$, 41))', '22001', qr/too long/,
	'and its values fit', @with);

# A second dump is the first.
for my $db (@databases[ 0, 2, -1 ])
{
	succeeds(tool($new, 'pg_dump', '--data-only', '-f', "$dir/again.sql", $db), "a dump of $db");
	ok(dumped_text("$dir/again.sql") eq dumped_text("$dir/data.sql"), 'is the first');
}
succeeds(tool($new, 'pg_dump', '--schema-only', '-f', "$dir/again.sql", 'parallel'), 'a dump of a restored schema');
ok(dumped_text("$dir/again.sql") eq dumped_text("$dir/schema.sql"), 'is the first, triggers enabled always') or
  system('diff', "$dir/again.sql", "$dir/schema.sql");

$_->stop for $old, $new;
done_testing();
