# Rows that come sealed, to a superuser's COPY or an apply worker, pass the checks of what they bring, unopened. What
# else is opened on the way, as by a column's DEFAULT, is opened or fails: never silently NULL.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key  = new_master_key();
my $conf = "wal_level = logical\nmax_wal_senders = 10\nmax_replication_slots = 10\n"
	. "wal_retrieve_retry_interval = 100ms\nenvcrypt.master_key_file = '" . key_file($key) . "'";
my $node = new_server('loading', conf => $conf);
my $dir  = PostgreSQL::Test::Utils::tempdir();
value($node, 'SELECT envcrypt_rotate_master(); CREATE ROLE trusted SUPERUSER LOGIN IN ROLE envcrypt_decrypt');
my $schema = <<'SQL';
CREATE TABLE config (v encrypted_text, n encrypted_int8);
CREATE FUNCTION configured() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT v::text FROM public.config);
END $$;
CREATE FUNCTION configured_sql() RETURNS text LANGUAGE sql AS $$ SELECT upper(v) FROM public.config;
SELECT upper(v) FROM public.config $$;
CREATE FUNCTION configured_sealed() RETURNS encrypted_text
LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT v FROM public.config); END $$;
CREATE FUNCTION last_loaded() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT max(secret::text)
	FROM public.loaded); END $$;
CREATE FUNCTION is_short(encrypted_text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN length($1::text) < 10000;
END $$;
CREATE FUNCTION all_short(encrypted_text[]) RETURNS boolean
LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT bool_and(x::text < 'z') FROM unnest($1) x); END $$;
CREATE DOMAIN word AS encrypted_text CHECK (VALUE::text <> '' AND is_short(VALUE));
CREATE DOMAIN words AS encrypted_text[] CHECK (all_short(VALUE) AND VALUE[1]::text < 'zz');
CREATE TABLE loaded (id int, secret encrypted_text CHECK (length(secret) > 1) CHECK (is_short(secret)), word word,
	words words, n encrypted_int8 CHECK (n::int4 > 0) CHECK (n::json::text <> ''),
	CHECK (id > 0 AND secret || word <> ''));
SQL
value($node, $schema, user => 'clerk');
value($node, q{INSERT INTO config VALUES ('configured', 1);
	INSERT INTO loaded SELECT i, 'secret ' || i, 'word', ARRAY['a','b']::encrypted_text[], i FROM generate_series(1, 3) i},
		user => 'clerk');
my @sealed = (set => ['envcrypt.io=ciphertext']);
value($node, "\\copy loaded TO '$dir/rows'", user => 'nobody');
value($node, "\\copy loaded TO '$dir/rows.bin' (FORMAT binary)", user => 'nobody', @sealed);
value($node, "\\copy config (v) TO '$dir/v'", user => 'nobody');
my $armored = slurp_file("$dir/v") =~ s/\s//gr;

# As a restore does it.
my $columns = 'id, secret, word, words, n';
for my $how ("'$dir/rows'", "'$dir/rows.bin' (FORMAT binary)")
{
	value($node, "TRUNCATE loaded");
	value($node, "\\copy loaded ($columns) FROM $how", @sealed);
	is(value($node, q{SELECT string_agg(secret, ',' ORDER BY id) FROM loaded}, user => 'reader'),
		'secret 1,secret 2,secret 3', "COPY $how: sealed rows pass their checks");
}
fails($node, "\\copy loaded ($columns) FROM '$dir/rows'", '42501', qr/permission denied|plaintext/, 'not for others',
	user => 'nobody');

# What is opened beside them.
my %defaults = (
	'a function'                  => q{configured()},
	'an SQL function'             => q{configured_sql()},
	'a sealed result, opened'     => q{upper(configured_sealed())},
	'a sealed result, as another' => q{configured_sealed()::varchar},
	'a constant'                  => qq{'$armored'::encrypted_text::text},
	'what was loaded before'      => q{last_loaded()},
);
value($node, 'ALTER TABLE loaded ADD extra text');
for my $name (sort keys %defaults)
{
	value($node, "ALTER TABLE loaded ALTER extra SET DEFAULT $defaults{$name}", @sealed);
	value($node, 'DELETE FROM loaded WHERE id > 1');
	value($node, 'UPDATE loaded SET extra = $$old$$, secret = $$first$$', user => 'clerk');
	my (undef, $err, $state) = run_sql($node, "\\copy loaded ($columns) FROM '$dir/rows'", @sealed);
	like($state, qr/^42501$/, "DEFAULT by $name: a superuser who may not open gets an error") or diag($err);
	is(value($node, 'SELECT count(*) FROM loaded WHERE extra IS NULL'), '0', "DEFAULT by $name: no NULL is stored");
	value($node, 'DELETE FROM loaded WHERE id > 1');
	(undef, $err, $state) = run_sql($node, "\\copy loaded ($columns) FROM '$dir/rows'", user => 'trusted', @sealed);
	is($state, '', "DEFAULT by $name: one who may open loads") or diag($err);
	is(value($node, 'SELECT count(*) FROM loaded WHERE extra IS NULL'), '0', "DEFAULT by $name: and no NULL is stored");
}
# A constraint that looks at another table than the row.
value($node, 'ALTER TABLE loaded ALTER extra DROP DEFAULT;
	ALTER TABLE loaded ADD CONSTRAINT elsewhere CHECK (configured() = $$configured$$)', user => 'trusted');
fails($node, "\\copy loaded ($columns) FROM '$dir/rows'", '42501', qr/permission denied to open/,
	'a CHECK that opens something else fails', @sealed);
value($node, "\\copy loaded ($columns) FROM '$dir/rows'", user => 'trusted', @sealed);
value($node, 'UPDATE config SET v = $$other$$', user => 'clerk');
fails($node, "\\copy loaded ($columns) FROM '$dir/rows'", '23514', qr/violates check/, 'or says what it has to say',
	user => 'trusted', @sealed);
value($node, 'ALTER TABLE loaded DROP CONSTRAINT elsewhere');

# Many values in one row.
value($node, q{CREATE TABLE wide (words words); INSERT INTO wide SELECT array_agg('a' || i)::encrypted_text[]
	FROM generate_series(1, 1500) i}, user => 'clerk');
value($node, "\\copy wide TO '$dir/wide'", user => 'nobody');
value($node, "\\copy wide FROM '$dir/wide'", @sealed);
is(value($node, 'SELECT count(*) FROM wide'), '2', 'an array of 1500 values passes');

# Apply workers.
my $to = new_server('applying', conf => $conf);
value($to, $schema, user => 'clerk');
value($to, 'ALTER TABLE loaded ADD extra text DEFAULT $$plain$$, ADD local encrypted_text CHECK (length(local) > 1)');
value($node, 'ALTER TABLE loaded DROP extra; TRUNCATE loaded; ALTER TABLE loaded ADD PRIMARY KEY (id)');
value($to, 'ALTER TABLE loaded ADD PRIMARY KEY (id)');
value($node, 'CREATE PUBLICATION loaded FOR TABLE loaded; CREATE PUBLICATION keys FOR TABLE envcrypt_data_keys,
	envcrypt_master_keys, config');
# From 16 on, the worker is the table's owner, who may open, unless it is told otherwise.
my $as_owner = $to->pg_version < 16 ? '' : ' WITH (run_as_owner = true)';
value($to, 'CREATE SUBSCRIPTION s CONNECTION $$' . $node->connstr
	. " dbname=postgres\$\$ PUBLICATION loaded, keys$as_owner");
$to->wait_for_subscription_sync($node, 's');
my $insert = sub
	{ value($node, qq{INSERT INTO loaded SELECT $_[0], 'secret', repeat('long', 2400), ARRAY['a']::encrypted_text[], 1},
	user => 'clerk') };
$insert->(1);
$node->wait_for_catchup('s');
is(value($to, 'SELECT extra FROM loaded'), 'plain', 'a replicated row passes its checks');
value($to, q{UPDATE loaded SET local = 'only here'}, user => 'clerk');
value($node, 'UPDATE loaded SET id = 2', user => 'clerk');
$node->wait_for_catchup('s');
is(value($to, 'SELECT id, secret, length(word), local FROM loaded', user => 'reader'), '2|secret|9600|only here',
	'an update that leaves long and local values alone passes, too');
value($to, 'ALTER TABLE loaded ALTER extra SET DEFAULT configured()');
my $position = -s $to->logfile;
$insert->(3);
my $denied = qr/permission denied to open encrypted values/;
for (1 .. 300)
{
	last if substr(slurp_file($to->logfile), $position) =~ $denied;
	select(undef, undef, undef, 0.1);
}
like(substr(slurp_file($to->logfile), $position), $denied, 'DEFAULT by a function: the worker says what it lacks');
is(value($to, 'SELECT count(*) FROM loaded WHERE extra IS NULL'), '0', 'and stores no NULL');
value($to, 'GRANT envcrypt_decrypt TO ' . getpwuid($<));
$node->wait_for_catchup('s');
is(value($to, 'SELECT extra FROM loaded WHERE id = 3'), 'other', 'with the right, it opens');
done_testing();
