# What a type of ours seals, and which code an opened value reaches, is known by what only superusers can make: never by
# a cast, a domain or a function that others make so that it looks like ours.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use EnvcryptTest;

my $key  = new_master_key();
my $node = new_server('identity', conf => "fsync = off\njit = off");
my @key  = (key => $key);
my @reader = (@key, user => 'reader');
my @clerk  = (@key, user => 'clerk');
my @nobody = (user => 'nobody');
value($node, 'GRANT envcrypt_encrypt, envcrypt_decrypt TO postgres; SELECT envcrypt_rotate_master()', @key,
	user => 'postgres');

# What nobody's functions are given, and as whom.
value($node, q{
	CREATE TABLE loot (who text, what text);
	GRANT ALL ON loot TO PUBLIC;
	CREATE SCHEMA other;
	CREATE FUNCTION loot(what text) RETURNS boolean LANGUAGE plpgsql AS $$
		BEGIN IF current_user <> 'nobody' THEN INSERT INTO public.loot VALUES (current_user, what); END IF; RETURN true;
		END $$;
	CREATE FUNCTION loot(int) RETURNS boolean LANGUAGE sql AS 'SELECT public.loot($1::text)'}, user => 'postgres');
value($node, 'GRANT ALL ON SCHEMA other TO nobody; GRANT USAGE ON SCHEMA other TO PUBLIC');

sub loot { return value($node, q{WITH taken AS (DELETE FROM loot RETURNING *) SELECT count(*) FROM taken}); }

# Runs SQL as nobody; where that is refused to him, a superuser does it, so that the second line of defence is tried,
# too.
sub as_nobody
{
	my ($session, $sql) = @_;
	my ($out) = $session->query($sql);
	my $err = $session->{stderr};
	$session->{stderr} = '';
	return if $err !~ /ERROR/;
	die "failed: $err\nin: $sql\n" if $err !~ /ERROR:\s+42501/;
	$sql =~ s/pg_temp\./value($node, q{SELECT nspname FROM pg_namespace n WHERE nspname ~ '^pg_temp' AND
		EXISTS (SELECT FROM pg_type WHERE typnamespace = n.oid AND typname = 'd')}) . '.'/ge;
	value($node, $sql);
	return;
}

sub make_types
{
	my @names = map { "'$_'" } @_;
	return 'SET client_min_messages = warning; ' . join '; ', map { "SELECT envcrypt_create_type($_)" } @names;
}

# A cast that looks like the one to the base.

value($node, make_types('int4'));
value($node, q{
	CREATE TABLE m (id int, owner text, pin int);
	INSERT INTO m SELECT i, 'u' || i, 1000 + i FROM generate_series(1, 5) AS i;
	SELECT envcrypt_protect('m', 'pin', 'owner')}, @key);
my $read = q{SELECT count(pin::int), sum(pin), min(pin), max(pin + 0) FROM m; SELECT pin FROM m ORDER BY pin LIMIT 1;
SELECT pin::text
	FROM m ORDER BY id LIMIT 1};
my $expected = "5|5015|1001|1005\n1001\n1001";
my $old_session = session($node, @reader);
is(ask($old_session, $read), $expected, 'a made type');
my $nobody = session($node, @nobody);
my @casts = (
	[ 'to a domain with checks, from the temporary schema', 'pg_temp', 'int4', 'CHECK (public.loot(VALUE))' ],
	[ 'to a domain with checks, from another schema', 'other', 'int4', 'CHECK (public.loot(VALUE))' ],
	[ 'to a base of another width', 'other', 'bigint', '' ],
	[ 'to a base that is passed by reference', 'other', 'text', '' ],
	[ 'to a base of one byte', 'other', 'bool', '' ]);
my $number = 0;
for my $cast (@casts)
{
	my ($name, $schema, $base, $check) = @$cast;
	my $domain = $schema . '.d' . ($schema eq 'other' ? ++$number : '');
	ask($nobody, "CREATE DOMAIN $domain AS $base $check");
	as_nobody($nobody,
		"CREATE FUNCTION ${domain}_of(public.encrypted_int4) RETURNS $domain LANGUAGE sql AS 'SELECT NULL::$domain'");
	as_nobody($nobody,
		"CREATE CAST (public.encrypted_int4 AS $domain) WITH FUNCTION ${domain}_of(public.encrypted_int4) AS IMPLICIT");
	for my $reader (\@reader, [ @key, user => 'postgres' ])
	{
		is(value($node, $read, @$reader), $expected, "a cast $name: " . $reader->[3]);
		is(value($node,
			q{INSERT INTO m VALUES (6, 'u6', 1006); UPDATE m SET pin = pin + 1 WHERE id = 6; SELECT pin FROM m WHERE id = 6;
			DELETE FROM m WHERE id = 6}, @$reader), '1007', "a cast $name: written") if $reader->[3] eq 'postgres';
	}
	is(ask($old_session, $read), $expected, "a cast $name: in a session that knew the type");
	is(loot(), '0', "a cast $name gets nothing");
}
is(value($node, q{SELECT problem, rows FROM envcrypt_verify('m')}, @key), '|5', 'nor does verification go another way');

# Only a function in C is envcrypt_open(), and only the one that stands beside the type's own.
value($node, q{CREATE FUNCTION other.envcrypt_open(encrypted_int4) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'});
is(value($node, $read, @reader), $expected, 'a function of the same name in another schema');
value($node, 'ALTER EVENT TRIGGER envcrypt_guard_ddl DISABLE;
	ALTER FUNCTION envcrypt_open(encrypted_int4) RENAME TO opens');
fails($node, 'SELECT pin::text FROM m', '42704', qr/has no function envcrypt_open\(\) to its base type/,
	'without its function, nothing is guessed', @reader);
value($node, q{CREATE FUNCTION envcrypt_open(encrypted_int4) RETURNS text LANGUAGE plpgsql AS
	$$ BEGIN PERFORM public.loot('opened'); RETURN 'x'; END $$});
fails($node, 'SELECT pin::text FROM m', '42704', qr/has no function envcrypt_open\(\) to its base type/,
	'nor by a function in another language', @reader);
value($node, 'DROP FUNCTION envcrypt_open(encrypted_int4); ALTER FUNCTION opens RENAME TO envcrypt_open;
	ALTER EVENT TRIGGER envcrypt_guard_ddl ENABLE ALWAYS');
is(ask($old_session, $read), $expected, 'and it is found again');
is(loot(), '0', 'with nothing lost');

# A superuser's own mistakes: an error, not a crash.
for my $declared ([ 'RETURNS text', 'envcrypt_open' ], [ 'RETURNS bigint', 'envcrypt_open' ],
	[ 'RETURNS bool', 'envcrypt_open' ])
{
	my ($returns, $source) = @$declared;
	value($node, "CREATE FUNCTION other.wrong(encrypted_int4) $returns
		LANGUAGE c STRICT AS '\$libdir/envcrypt', '$source'");
	fails($node, 'SELECT other.wrong(pin) FROM m', '42P13', qr/is not declared with type integer/,
		"$source() that $returns", @reader);
	value($node, 'DROP FUNCTION other.wrong(encrypted_int4)');
}
value($node, q{CREATE FUNCTION other.wrong(text, text, integer) RETURNS encrypted_int4 LANGUAGE c AS '$libdir/envcrypt',
	'envcrypt_bind_plain'});
fails($node, q{SELECT other.wrong('1', NULL, NULL)}, '42P13', qr/is not declared with type integer/,
	'envcrypt_bind_plain() of text', @clerk);

# A type that is dropped and made again over another base, while a session knows the first.
my $session = session($node, @clerk);
for my $base ('text', 'int4', 'numeric(6,2)', 'bool', 'text[]')
{
	my $value = { text => 'long enough for no register', int4 => 7, 'numeric(6,2)' => '1.50', bool => 't',
		'text[]' => '{a,b}' }->{$base};
	value($node, "CREATE DOMAIN changing AS $base; " . make_types('changing'));
	value($node, 'CREATE TABLE changes (v encrypted_changing); GRANT ALL ON changes TO PUBLIC');
	is(ask($session,
		"INSERT INTO changes VALUES ('$value'), ('$value'); SELECT DISTINCT v FROM changes;
			SELECT v FROM changes ORDER BY v LIMIT 1"),
		"$value\n$value", "a type made again over $base");
	value($node, 'SET client_min_messages = warning; DROP TABLE changes; DROP TYPE encrypted_changing CASCADE;
		DROP DOMAIN changing');
}
value($node, q{CREATE DOMAIN one AS int4; CREATE DOMAIN two AS text; } . make_types('one'));
value($node, q{CREATE TABLE ones AS SELECT 1::one::encrypted_one AS v}, @key);
is(ask($session, 'SELECT v::int FROM ones'), '1', 'a base');
value($node, q{SET client_min_messages = warning; SET envcrypt.allow_data_loss = on;
DROP FUNCTION envcrypt_open(encrypted_one) CASCADE;
	CREATE FUNCTION envcrypt_open(encrypted_one) RETURNS two LANGUAGE c STABLE STRICT AS '$libdir/envcrypt',
	'envcrypt_open'});
my ($out) = $session->query('SELECT envcrypt_open(v) FROM ones; SELECT v FROM ones; SELECT v FROM ones ORDER BY v');
unlike($out . $session->{stderr}, qr/server closed|terminat/, 'a superuser who changes a base stops no server');
$session->{stderr} = '';

# The owner of a base type, or of a type in it, changes it once it is in use.

value($node, q{
	CREATE DOMAIN zip AS text;
	CREATE TYPE place AS (street text, at zip);
	CREATE DOMAIN amount AS numeric;
	CREATE TYPE span AS RANGE (subtype = amount)}, @nobody);
my @bases = ('zip', 'zip[]', 'place', 'place[]', 'span',
	value($node, q{SELECT rngmultitypid::regtype FROM pg_range WHERE rngtypid = 'span'::regtype}));
value($node, make_types(@bases));
my %values = (zip => '12345', 'zip[]' => '{12345,NULL,6}', place => '(Road,12345)',
	'place[]' => '{"(Road,12345)","(,6)"}', span => '[1,5)',
	$bases[5] => '{[1,5),[7,8)}');
my @columns = map { "v$_" } 0 .. $#bases;
value($node, 'CREATE TABLE held (id int, '
	. join(', ', map { "v$_ " . value($node, qq{SELECT envcrypt_encrypted_type('$bases[$_]'::regtype)}) } 0 .. $#bases)
	. ')');
value($node, 'INSERT INTO held VALUES (1, ' . join(', ', map { "'$values{$_}'" } @bases) . ')', @clerk);
value($node, 'ALTER DOMAIN zip ADD CHECK (loot(VALUE)) NOT VALID;
	ALTER DOMAIN amount ADD CHECK (loot(VALUE::text)) NOT VALID', @nobody);
my $all = 'SELECT ' . join(', ', @columns) . ' FROM held ORDER BY ' . join(', ', @columns);
is(value($node, $all, @reader), join('|', map { $values{$_} } @bases), 'values of domains at any depth');
is(value($node, 'SELECT ' . join(', ', map { "count(DISTINCT $_)" } @columns) . ' FROM held', @reader),
	join('|', map { 1 } @bases), 'and compared');
is(value($node, q{SELECT (v2::place).at, v0::text FROM held}, @reader), '12345|12345', 'and cast');
is(value($node, q{SELECT v0 || 'x', v4::text FROM held}, @reader), '12345x|[1,5)', 'and operated on');
is(loot(), '0', "no domain's check runs when a value is read");
value($node, "UPDATE held SET v0 = '777' WHERE id = 1", @clerk);
cmp_ok(loot(), '>', 0, 'and as with plain columns, it runs when one is written');

# The owner of a base type replaces its casts. Where a plain value's cast would be run, so is it; not where it would
# not.
value($node, q{CREATE TYPE mood AS ENUM ('sad', 'happy')}, @nobody);
value($node, make_types('mood'));
value($node, q{CREATE TABLE felt (v encrypted_mood, plain mood); CREATE TABLE notes (body text)});
value($node, q{INSERT INTO felt VALUES ('sad', 'sad')}, @clerk);
value($node, q{CREATE FUNCTION tells(mood) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM public.loot('mood');
RETURN 'x'; END $$;
	CREATE CAST (mood AS text) WITH FUNCTION tells(mood)}, @nobody);
fails($node, 'INSERT INTO notes SELECT plain FROM felt', '42804', qr/expression is of type mood/,
	'an assignment of a plain value', @reader);
value($node, 'INSERT INTO notes SELECT v FROM felt', @reader);
is(loot(), '0', 'an assignment runs no explicit cast');
is(value($node, 'SELECT v::text, plain::text FROM felt', @reader), 'x|x',
	'a cast that is asked for is the one of the plain type');
value($node, q{CREATE CAST (mood AS mood) WITH FUNCTION same(mood, integer, boolean) AS IMPLICIT}, @nobody) if
	(run_sql($node, q{CREATE FUNCTION same(mood, integer, boolean) RETURNS mood LANGUAGE plpgsql AS
		$$ BEGIN PERFORM public.loot('modifier'); RETURN $1; END $$}, @nobody))[2] eq '';
loot();
is(value($node, q{INSERT INTO felt VALUES ('happy'); SELECT v FROM felt ORDER BY v}, @clerk), "sad\nhappy",
	'a cast of the type to itself');
is(loot(), '0', 'has nothing to do where there are no modifiers');

# Casts between a base and types of others', which they name as they like, are no part of an encrypted type.
value($node, q{CREATE TYPE other.text AS (a pg_catalog.text);
	CREATE FUNCTION other.to_text(smallint) RETURNS other.text
	LANGUAGE sql AS 'SELECT ROW(public.loot($1::int)::pg_catalog.text)::other.text';
	CREATE FUNCTION other.from_text(other.text) RETURNS smallint LANGUAGE sql AS 'SELECT 1::smallint';
	CREATE CAST (smallint AS other.text) WITH FUNCTION other.to_text(smallint) AS IMPLICIT;
	CREATE CAST (other.text AS smallint) WITH FUNCTION other.from_text(other.text) AS IMPLICIT}, @nobody);
is(value($node, make_types('int2')), 'encrypted_int2', "others' casts do not keep a type from being made");
is(value($node, q{SELECT count(*) FROM pg_cast WHERE 'other.text'::regtype IN (castsource, casttarget)
	AND 'encrypted_int2'::regtype IN (castsource, casttarget)}), '0', 'nor become its own');

# Functions of the same name as ours are no columns' checks.
value($node, q{CREATE DOMAIN mine AS text; CREATE TABLE checked (v mine); INSERT INTO checked VALUES ('x')}, @nobody);
value($node, q{CREATE FUNCTION envcrypt_check(mine, text, integer) RETURNS text LANGUAGE plpgsql AS
		$$ BEGIN PERFORM public.loot('checked'); RETURN NULL; END $$;
	ALTER FUNCTION envcrypt_check(mine, text, integer) OWNER TO nobody});
is(value($node, q{SELECT count(*) FROM envcrypt_verify('checked')}, @key, user => 'postgres'), '0',
	'a column that is not encrypted is not checked');
is(loot(), '0', 'nor is a function called that only looks like ours');

$node->stop;
done_testing();
