# Protecting tables as real roles do it, dumps before, during and after, and several at once.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key  = new_master_key();
my $conf = "envcrypt.master_key_file = '" . key_file($key) . "'";
my $node = new_server('main', conf => $conf);
my $dir  = PostgreSQL::Test::Utils::tempdir();
value($node, 'SELECT envcrypt_rotate_master(); GRANT CREATE ON DATABASE postgres TO clerk');

sub dump_of
{
	my (@arguments) = @_;
	my ($out, $err) = ('', '');
	IPC::Run::run([ $node->installed_command('pg_dump'), '-h', $node->host, '-p', $node->port, @arguments, 'postgres' ],
		'>', \$out, '2>', \$err) or die "pg_dump: $err";
	$out =~ s/^\\(?:un)?restrict .*$//mg;    # random in every dump
	return $out;
}

# A schema with tables of every kind, owned by one who is no superuser.
value($node, <<'SQL', user => 'clerk');
CREATE SCHEMA shop;
SET search_path = shop;
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE TABLE staff (id bigserial PRIMARY KEY, "Who's" varchar(30) NOT NULL, salary numeric(12,2) NOT NULL DEFAULT 0.5 CHECK (salary >= 0),
    at timestamptz(3) DEFAULT now(), note text COLLATE "C" DEFAULT 'none', code varchar(8) DEFAULT 'x', doc jsonb DEFAULT '{"a": 1}');
ALTER TABLE staff ADD CONSTRAINT later CHECK (salary < 100000 AND note <> '(salary)::numeric') NOT VALID, ALTER note SET STORAGE EXTERNAL,
    ALTER salary SET STATISTICS 5, ENABLE ROW LEVEL SECURITY;
COMMENT ON COLUMN staff.salary IS 'euros';
COMMENT ON CONSTRAINT later ON staff IS 'one day';
GRANT SELECT (salary, note), INSERT ON staff TO nobody;
CREATE POLICY own ON staff AS RESTRICTIVE FOR SELECT TO writer, reader USING (note = CURRENT_USER AND salary > 5);
CREATE TRIGGER t AFTER UPDATE OF note, salary ON staff FOR EACH ROW WHEN (old.salary IS DISTINCT FROM new.salary) EXECUTE FUNCTION touched();
ALTER TABLE staff ENABLE ALWAYS TRIGGER t;
CREATE STATISTICS s ON note, salary FROM staff;
CREATE INDEX i ON staff (id) INCLUDE (note) WHERE salary IS NOT NULL;
CREATE TABLE visit (id int, owner int, what text DEFAULT 'nothing', at date) PARTITION BY RANGE (at);
CREATE TABLE visit_1 (at date, what text DEFAULT 'first', owner int, id int);
ALTER TABLE visit ATTACH PARTITION visit_1 FOR VALUES FROM ('2000-01-01') TO ('2001-01-01');
CREATE TABLE visit_2 PARTITION OF visit FOR VALUES FROM ('2001-01-01') TO ('2002-01-01');
CREATE TABLE base (id int, t text);
ALTER TABLE base ADD u text;
CREATE TABLE derived (more int DEFAULT 1) INHERITS (base);
CREATE TABLE again () INHERITS (derived);
INSERT INTO staff ("Who's", salary, note) SELECT 'staff ' || i % 40, i, 'Secret ' || i FROM generate_series(1, 1000) i;
INSERT INTO visit SELECT i, i % 7, 'Secret ' || i, date '2000-06-06' + i % 400 FROM generate_series(1, 1000) i;
INSERT INTO base VALUES (1, 'Secret base');
INSERT INTO derived VALUES (2, 'Secret derived');
SQL
my $schema = dump_of('--schema-only', '--schema=shop');
my $data   = dump_of('--data-only',   '--schema=shop', '--inserts');
value($node, <<'SQL', user => 'clerk');
SELECT envcrypt_protect('shop.staff', '{salary,at,note,code,doc}'::name[], 'Who''s');
SELECT envcrypt_protect('shop.visit', 'what', 'owner');
SELECT envcrypt_protect('shop.base', '{t,u}'::name[], 'id');
SQL
my $sealed = dump_of('--schema=shop');
unlike($sealed, qr/Secret/, 'a dump of protected tables holds no plaintext');

# Into another database: sealed values byte for byte, triggers as they were.
sub restored
{
	my ($name, $db, @arguments) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $file = "$dir/$db";
	$node->command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, @arguments, '-f', $file, 'postgres' ],
		"$name: dumped");
	return $file;
}
my $all = <<'SQL';
SET envcrypt.io = ciphertext;
SELECT md5(string_agg(s::text, ',' ORDER BY id)) FROM shop.staff s
UNION ALL SELECT md5(string_agg(v::text, ',' ORDER BY id)) FROM shop.visit v
UNION ALL SELECT md5(string_agg(b::text, ',' ORDER BY id)) FROM shop.base b
UNION ALL SELECT string_agg(format('%s %s %s %s', "table", "column", protection, type), ',' ORDER BY "table"::text) FROM envcrypt_columns GROUP BY context_id
UNION ALL SELECT string_agg(format('%s %s', tgname, tgenabled), ',' ORDER BY tgrelid::regclass::text, tgname) FROM pg_trigger WHERE NOT tgisinternal AND tgname ~ '~'
ORDER BY 1
SQL
my $expected = value($node, $all);
$node->safe_psql('postgres', 'CREATE DATABASE copy');
my $file = restored('custom format', 'copy', '-Fc');
$node->command_ok([ 'pg_restore', '-h', $node->host, '-p', $node->port, '-d', 'copy', '--exit-on-error', $file ],
	'restored');
is(value($node, $all, db => 'copy'), $expected, 'sealed bytes and triggers are the same');
is(value($node, 'SELECT count(*) FROM shop.staff s WHERE envcrypt_check(note, "Who\'s", (SELECT context_id FROM envcrypt_columns
		WHERE "table" = \'shop.staff\'::regclass AND "column" = \'note\')) IS NOT NULL', db => 'copy', user => 'reader',
			set => []), 0,
	'and open there') if value($node, 'GRANT USAGE ON SCHEMA shop TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO PUBLIC;
		ALTER TABLE shop.staff DISABLE ROW LEVEL SECURITY; SELECT true', db => 'copy');
$node->safe_psql('copy', 'TRUNCATE shop.staff, shop.visit, shop.base');
# Check constraints that are there already read what comes in.
value($node, 'GRANT envcrypt_decrypt TO CURRENT_USER');
$file = restored('data only, triggers disabled', 'data', '-Fc', '--data-only', '--disable-triggers', '--schema=shop');
with_key(
	undef,
	sub {
		$node->command_ok([ 'pg_restore', '-h', $node->host, '-p', $node->port, '-d', 'copy', '--exit-on-error',
			'--disable-triggers',
				'--data-only', $file ], 'restored');
	},
	'envcrypt.io=ciphertext');    # here, pg_restore has another application_name
is(value($node, $all, db => 'copy'), $expected, 'sealed bytes are the same, and the triggers enabled always');
value($node, 'REVOKE envcrypt_decrypt FROM CURRENT_USER');

# And back.
value($node, <<'SQL', user => 'clerk');
SELECT envcrypt_unprotect('shop.staff', '{salary,at,note,code,doc}'::name[]);
SELECT envcrypt_unprotect('shop.visit', 'what');
SELECT envcrypt_unprotect('shop.base', '{u,t}'::name[]);
SQL
is(dump_of('--schema-only', '--schema=shop'), $schema, 'the schema is dumped as before, to the letter');
is(dump_of('--data-only', '--schema=shop', '--inserts'), $data, 'and so is the data');

# With the right to seal alone, no value is opened, whatever its type modifier.
value($node, <<'SQL', user => 'writer');
CREATE TABLE intake (id int, amount numeric(12,2), name varchar(10), at timestamptz(0), CHECK (amount IS NOT NULL));
INSERT INTO intake SELECT i, i, 'n' || i, now() FROM generate_series(1, 10) i;
GRANT SELECT ON intake TO clerk;
SELECT envcrypt_protect('intake', '{amount,name,at}'::name[], 'id');
INSERT INTO intake VALUES (11, 11, 'n11', now());
SQL
is(value($node, 'SELECT sum(amount), count(DISTINCT envcrypt_owner(name)) FROM intake', user => 'clerk'),
	'66.00|11', 'a role that may only seal protects a column');
fails($node, "SELECT envcrypt_unprotect('intake', 'name')", '42501', qr/permission denied to open/,
	'and cannot unprotect it', user => 'writer');
fails($node, "SELECT envcrypt_unprotect('intake', 'name')", '42501', qr/permission denied to open/,
	'nor can a superuser');
fails($node, "SELECT envcrypt_unprotect('intake', 'name')", '42501', qr/must be owner/,
	'nor one who may open, but does not own it', user => 'clerk');
value($node, 'CREATE TABLE readers (t encrypted_text, n numeric CHECK (n > 0), p text)', user => 'writer');
fails($node, "SELECT envcrypt_protect('readers', 't')", '42501', qr/permission denied to open/,
	'adopting needs the right to open', user => 'writer');
fails($node, "SELECT envcrypt_protect('readers', 'n')", '42501', qr/check constraints need.*readers_n_check/s,
	'so does a check constraint', user => 'writer');
value($node, 'CREATE TABLE lookers (p text)', user => 'reader');
fails($node, "SELECT envcrypt_protect('lookers', 'p')", '42501', qr/permission denied to seal/,
	'who may only open cannot protect', user => 'reader');

# Several at once, each with a context id of its own.
value($node, join('', map { "CREATE TABLE many_$_ (id int, t text); INSERT INTO many_$_ VALUES ($_, 't');" } 1 .. 8),
	user => 'clerk');
my @sessions = map { session($node, user => 'clerk') } 1 .. 4;
for my $i (0 .. 3)
{
	ask($sessions[$i], 'BEGIN');
	ask($sessions[$i], "SELECT setseed(0.5); SELECT envcrypt_protect('many_" . ($i + 1) . "', 't', 'id')");
}
ask($_, 'COMMIT') for @sessions;
for my $i (0 .. 3)
{
	ask($sessions[$i], "SELECT setseed(0.5); SELECT envcrypt_protect('many_" . ($i + 5) . "', 't', 'id')");
}
is(value($node, q{SELECT count(DISTINCT context_id) FROM envcrypt_columns WHERE "table"::text ~ 'many'}),
	8, 'transactions at the same time do not choose the same context id');
# Two on one table: the second waits, and finds it done.
value($node, 'CREATE TABLE once (id int, t text)', user => 'clerk');
ask($sessions[0], 'BEGIN');
ask($sessions[0], "SELECT envcrypt_protect('once', 't', 'id')");
$sessions[1]->query_until(qr/started/, "\\echo started\nSELECT envcrypt_protect('once', 't', 'id');\n");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE NOT granted AND relation = 'once'::regclass})
  or die 'nobody waits';
ask($sessions[0], 'COMMIT');
is(ask($sessions[1], q{SELECT count(*) FROM envcrypt_columns WHERE "table" = 'once'::regclass AND protection = 'owner'}) =~ /1\s*$/, 1,
	'the second of two protects finds the column protected');
$_->quit for @sessions;

done_testing();
