# The same characters, whatever the encodings of client and database.
use strict;
use warnings;
use Encode qw(encode);
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key  = new_master_key();
my $node = new_server('encodings', conf => "envcrypt.master_key_file = '@{[ key_file($key) ]}'");
my @encodings = qw(UTF8 LATIN1 SQL_ASCII EUC_JP WIN1252);
for my $encoding (@encodings)
{
	my $db = lc $encoding;
	$node->safe_psql('postgres', "CREATE DATABASE $db ENCODING '$encoding' LOCALE 'C' TEMPLATE template0");
	$node->safe_psql($db, 'CREATE EXTENSION envcrypt; GRANT ALL ON SCHEMA public TO PUBLIC; SELECT envcrypt_rotate_master()');
	value($node, <<'SQL', db => $db, user => 'clerk');
CREATE TABLE t (id int, plain text, literal encrypted_text, secret encrypted_text);
GRANT ALL ON t TO PUBLIC;
CREATE VIEW differing AS SELECT id FROM t WHERE literal::text IS DISTINCT FROM plain OR secret::text IS DISTINCT FROM plain
    OR decrypt_for_user('o', secret) IS DISTINCT FROM plain;
SQL
}

# Writes the characters as COPY in one client encoding, reads them in another. COPY takes the encoding of the file
# from the client's. Plain and encrypted column hold the same text; the plain one is what PostgreSQL makes of it.
sub round_trip
{
	my ($db, $written_in, $read_in, $characters, $bytes_of) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir();
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $id    = 0;
	my $lines = '';
	my $expected = '';
	for my $chunk (@$characters)
	{
		$id++;
		my $in  = $bytes_of->($chunk, $written_in) =~ s/([\\\n\r\t])/\\$1/gr;
		my $out = $bytes_of->($chunk, $read_in);
		$lines    .= "$id\t$in\t$in\n";
		$expected .= "$id\t$out\n";
	}
	write_file("$dir/in.copy", $lines);
	my %as = (db => $db, user => 'clerk');
	value($node, 'TRUNCATE t', %as);
	value($node, "\\copy t (id, plain, literal) FROM '$dir/in.copy'", %as, encoding => $written_in);
	value($node, "UPDATE t SET secret = encrypt_for_user('o', plain)", %as);
	is(value($node, 'SELECT count(*), (SELECT count(*) FROM differing) FROM t', %as), "$id|0",
		"$db: written in $written_in, sealed values equal the plain column");
	value($node, "\\copy (SELECT id, secret FROM t ORDER BY id) TO '$dir/out.copy'", %as, encoding => $read_in);
	# COPY escapes a few control characters.
	my %escaped = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t", v => "\x0b", '\\' => '\\');
	my $got = slurp_file("$dir/out.copy") =~ s/\\([bfnrtv\\])/$escaped{$1}/gr;
	ok($got eq $expected, "$db: read in $read_in, they are the same characters")
		or diag(first_difference($got, $expected));
	return;
}

sub first_difference
{
	my ($got, $expected) = @_;
	my $at = 0;
	$at++ while $at < length($got) && substr($got, $at, 1) eq substr($expected, $at, 1);
	return sprintf('%d and %d bytes; at %d: %s, expected %s', length $got, length $expected, $at,
		unpack('H*', substr($got, $at, 8)), unpack('H*', substr($expected, $at, 8)));
}

# All characters in chunks of 512, without newline, carriage return, tab and backslash, which are COPY's.
sub chunks
{
	my @characters = grep { $_ != 9 && $_ != 10 && $_ != 13 && $_ != 92 } @_;
	my @chunks;
	push @chunks, join('', map { chr } splice(@characters, 0, 512)) while @characters;
	return \@chunks;
}

no warnings 'utf8';    # noncharacters are characters, too
my $utf8     = sub { encode('utf8', $_[0]) };
my $by_name  = sub {
	my ($text, $encoding) = @_;
	return encode({ UTF8 => 'utf8', LATIN1 => 'iso-8859-1', WIN1252 => 'cp1252', EUC_JP => 'euc-jp' }->{$encoding},
		$text);
};
round_trip('utf8', 'UTF8', 'UTF8', chunks(1 .. 0xD7FF, 0xE000 .. 0x10FFFF), $utf8);
round_trip('utf8',   'LATIN1',  'UTF8',    chunks(1 .. 255), $by_name);
round_trip('utf8',   'UTF8',    'LATIN1',  chunks(1 .. 255), $by_name);
round_trip('latin1', 'UTF8',    'LATIN1',  chunks(1 .. 255), $by_name);
round_trip('latin1', 'LATIN1',  'UTF8',    chunks(1 .. 255), $by_name);
my @windows = (1 .. 0x7F, 0xA0 .. 0xFF, map { ord(Encode::decode('cp1252', chr)) } grep {
	!/^(129|141|143|144|157)$/ } 0x80 .. 0x9F);
round_trip('win1252', 'WIN1252', 'UTF8',    chunks(@windows), $by_name);
round_trip('win1252', 'UTF8',    'WIN1252', chunks(@windows), $by_name);
round_trip('utf8',    'WIN1252', 'UTF8',    chunks(@windows), $by_name);

# EUC_JP: hiragana, katakana, Greek, Cyrillic, and the kanji that Perl's and PostgreSQL's tables both have.
my @japanese = (1 .. 0x7E, 0x3041 .. 0x3093, 0x30A1 .. 0x30F6, 0x0391 .. 0x03A1, 0x0410 .. 0x044F, 0xFF71 .. 0xFF9D,
	grep { my $c = chr; encode('euc-jp', $c, Encode::FB_QUIET()) ne '' } 0x4E00 .. 0x9FA5);
cmp_ok(scalar @japanese, '>', 6000, 'EUC_JP has thousands of characters');
round_trip('euc_jp', 'UTF8',   'EUC_JP', chunks(@japanese), $by_name);
round_trip('euc_jp', 'EUC_JP', 'UTF8',   chunks(@japanese), $by_name);

# SQL_ASCII knows bytes only.
my $bytes = sub { $_[0] };
round_trip('sql_ascii', 'SQL_ASCII', 'LATIN1', chunks(1 .. 255), $bytes);

# A sealed value moves with its key.
sub move
{
	my ($from, $to) = @_;
	my @utf8 = (encoding => 'UTF8');    # as pg_dump: owners' names are text
	my $dir = PostgreSQL::Test::Utils::tempdir();
	value($node, "\\copy envcrypt_data_keys TO '$dir/keys'\n\\copy envcrypt_master_keys TO '$dir/masters'", db => $from,
		@utf8);
	value($node, "SET envcrypt.io = ciphertext;\n\\copy (SELECT id, literal, secret FROM t) TO '$dir/t'", db => $from,
		@utf8);
	value($node, "CREATE DATABASE moved ENCODING '$to' LOCALE 'C' TEMPLATE template0");
	value($node, 'CREATE EXTENSION envcrypt; CREATE TABLE t (id int, literal encrypted_text, secret encrypted_text); GRANT ALL ON t TO PUBLIC',
		db => 'moved', @utf8);
	value($node, "\\copy envcrypt_data_keys FROM '$dir/keys'\n\\copy envcrypt_master_keys FROM '$dir/masters'",
		db => 'moved', @utf8);
	value($node, "SET envcrypt.io = ciphertext;\n\\copy t FROM '$dir/t'", db => 'moved', @utf8);
	return;
}
my $unicode = 'SELECT md5(string_agg(convert_to(literal, $$UTF8$$) || convert_to(secret, $$UTF8$$), $$$$ ORDER BY id)) FROM t';
for my $case ([ 'latin1', 'UTF8' ], [ 'euc_jp', 'UTF8' ], [ 'win1252', 'UTF8' ])
{
	my ($from, $to) = @$case;
	my $before = value($node, $unicode, db => $from, user => 'reader');
	move($from, $to);
	is(value($node, $unicode, db => 'moved', user => 'reader'), $before,
		"values of a $from database open to the same characters in $to");
	is(value($node, "SELECT count(*) FROM t WHERE decrypt_for_user('o', secret) = literal", db => 'moved',
		user => 'reader'),
		value($node, 'SELECT count(*) FROM t', db => $from), 'also for their owner');
	$node->safe_psql('postgres', 'DROP DATABASE moved');
}

# An owner's name is the same owner in every encoding.
value($node, "INSERT INTO t VALUES (-1, '', '', encrypt_for_user(convert_from('\\x6ae9', 'LATIN1'), 'of j\x{c3}\x{a9}'))",
	db => 'latin1', user => 'clerk', encoding => 'UTF8');
move('latin1', 'UTF8');
is(value($node, "SELECT decrypt_for_user('j\x{c3}\x{a9}', secret) FROM t WHERE id = -1", db => 'moved',
	user => 'reader', encoding => 'UTF8'),
	"of j\x{c3}\x{a9}", 'an owner with an accent has the same key in another encoding');
$node->safe_psql('postgres', 'DROP DATABASE moved');

# A character that the target lacks. (Its bytes: e2 82 ac.)
value($node, 'TRUNCATE t', db => 'utf8');
value($node, "INSERT INTO t VALUES (1, '', 'costs \x{e2}\x{82}\x{ac} 5', encrypt_for_user('o', 'costs \x{e2}\x{82}\x{ac} 5'))",
	db => 'utf8', user => 'clerk', encoding => 'UTF8');
move('utf8', 'LATIN1');
for my $column (qw(literal secret))
{
	my $err = fails($node, "SELECT $column FROM t", '22P05', qr/ERROR:/,
		"a character without an equivalent is an error ($column)",
		db => 'moved', user => 'reader');
	is(() = $err =~ /ERROR:/g, 1, 'one error');
	ok($err !~ /e2 ?(0x)?82|\x{e2}\x{82}|costs/, 'which shows no bytes of the value') or diag($err);
}
like(value($node, 'SELECT secret FROM t', db => 'moved', user => 'nobody'), qr/^envcrypt1:/,
	'who sees it sealed has no trouble');
$node->safe_psql('postgres', 'DROP DATABASE moved');
my $log = slurp_file($node->logfile);
ok($log !~ /0xe2 0x82 0xac/, 'nor does the server log show the bytes');

# A value of a SQL_ASCII database that is no UTF-8.
value($node, 'TRUNCATE t', db => 'sql_ascii');
value($node, "INSERT INTO t VALUES (1, '', NULL, encrypt_for_user('o', E'caf\\xe9'))", db => 'sql_ascii',
	user => 'clerk');
move('sql_ascii', 'UTF8');
fails($node, 'SELECT secret FROM t', '22021', qr/not valid in encoding "UTF8".*SQL_ASCII/s,
	'bytes of a SQL_ASCII database that are no UTF-8 do not get into a UTF8 database', db => 'moved', user => 'reader');
$node->safe_psql('postgres', 'DROP DATABASE moved');

# Sizes.
value($node, 'CREATE TABLE sizes (id int, secret encrypted_text, raw encrypted_bytea)', db => 'utf8', user => 'clerk');
my %as = (db => 'utf8', user => 'clerk');
for my $case ([ 0, '0 bytes' ], [ 1, '1 byte' ], [ 15, '15 bytes' ], [ 16, '16 bytes' ], [ 17, '17 bytes' ],
	[ 1_000_000, '1 MB' ], [ 100_000_000, '100 MB' ])
{
	my ($size, $name) = @$case;
	value($node, <<"SQL", %as);
INSERT INTO sizes SELECT $size, encrypt_for_user('o', repeat('x', $size)), encrypt_for_user('o', decode(repeat('00', $size), 'hex'));
SQL
	is(value($node, <<"SQL", %as), 't|t|t|t', "$name of text, and of zero bytes, come back");
SELECT md5(secret::text) = md5(repeat('x', $size)), octet_length(secret::text) = $size,
    md5(raw::bytea) = md5(decode(repeat('00', $size), 'hex')), octet_length(raw::bytea) = $size FROM sizes WHERE id = $size
SQL
}
is(value($node, "INSERT INTO sizes VALUES (-1, NULL, NULL); SELECT secret IS NULL, raw IS NULL, encrypt_for_user('o', NULL::text) IS NULL
	FROM sizes WHERE id = -1", %as), 't|t|t', 'NULL stays NULL');
is(value($node, "INSERT INTO sizes VALUES (-2, '', ''); SELECT secret = '', raw = '', secret IS NULL FROM sizes WHERE id = -2", %as),
	't|t|f', 'the empty string is a value');
is(value($node, "INSERT INTO sizes (id, raw) VALUES (-3, '\\x00ff00'); SELECT raw FROM sizes WHERE id = -3", %as), '\x00ff00',
	'zero bytes in a bytea literal');

$node->stop;
done_testing();
