# Every function of the extension and of made types, called by each role with NULLs and with random arguments of the
# declared types: no crash, no internal error, no plaintext or key for who may not open.
use strict;
use warnings;
use EnvcryptTest;
use Fuzzing;
use Test::More;

my $node = fuzz_server('fuzz_functions');

# Internal errors that are right, each with its reason.
my @allowed = (
	[ qr/^cannot accept a value of type|^cannot display a value of type/, 'PostgreSQL, of pseudotypes' ],
);

my @functions = map { [ split /[|;]/ ] } split /\n/, value($node, <<'SQL');
SELECT p.oid::regproc, prokind, provolatile, array_to_string(ARRAY(
	SELECT format_type(t, NULL) FROM unnest(proargtypes) WITH ORDINALITY AS a (t, n) ORDER BY n), ';')
FROM pg_proc p
WHERE probin LIKE '%envcrypt%' OR EXISTS (
	SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
	WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND e.extname = 'envcrypt')
ORDER BY p.oid
SQL
cmp_ok(scalar @functions, '>', 1000, 'there are many functions');

# Sealed values of each encrypted type, in their text form: whole, changed, cut, and those of another type.
my %armored;
for my $type (qw(text bytea jsonb int8 numeric float8 bool date timestamptz uuid inet))
{
	my @whole = split /\n/, value($node, "SET envcrypt.io = ciphertext; SELECT c_$type FROM sealed");
	my @changed = map { substr($_, 0, 30) . 'AAAA' . substr($_, 34) } @whole[ 0, 1 ];
	$armored{$type} = [ @whole, @changed, substr($whole[0], 0, 40) ];
}

my @numbers = qw(0 1 -1 2 7 42 255 32767 -32768 65535 65536 2147483647 -2147483648 1000000000000);
my @texts   = ("''", q{'1'}, q{'ann'}, q{'bob'}, q{'gone'}, q{'owner'}, q{'error'}, q{'database'}, q{'shred'},
	q{'keep'}, q{'%s%I%L'}, q{'a''b"c'}, q{E'\u00e4\U0001F600'}, q{repeat('x', 300)}, q{repeat('x', 100000)}, q{'notes'},
	q{'note'}, q{'sealed'}, q{'public'}, q{'SELECT 1'}, q{'{}'}, q{'1 day'}, q{'envcrypt1:AAAA'}, q{'<'}, q{'*='},
	q{'2020-01-01'});
my @relations = map { "'$_'" } qw(notes parts parts_1 sealed plain notes_pkey pg_class pg_toast.pg_toast_1255
  envcrypt_data_keys envcrypt_master_keys envcrypt_columns pg_stat_activity information_schema.tables 0 4294967295);
my %random = (
	'boolean' => [ 'true', 'false' ],
	'"char"'  => [ q{'a'}, q{''}, q{'='} ],
	'smallint' => [ grep { abs($_) < 32768 } @numbers ],
	'integer'  => [ grep { abs($_) < 2147483648 } @numbers ],
	'bigint'   => [ @numbers, '9223372036854775807', '-9223372036854775807' ],
	'oid'      => [ qw(0 1 10 16 25 1007 1259 2249 2281 16384 16390 16400 16450 4294967295) ],
	'numeric'  => [ @numbers, q{'NaN'}, q{'Infinity'}, '1e300', '0.000001' ],
	'real'     => [ @numbers, q{'NaN'}, '1e30' ],
	'double precision' => [ @numbers, q{'NaN'}, q{'-Infinity'}, '1e300', '50', '100' ],
	'interval' => [ q{'1 day'}, q{'-1 month'}, q{'0'}, q{'178000000 years'}, q{'1 us'} ],
	'date'     => [ q{'2020-02-29'}, q{'infinity'}, q{'4713-01-01 BC'}, q{'5874897-12-31'} ],
	'timestamp without time zone' => [ q{'2020-02-29 12:00'}, q{'infinity'}, q{'294276-12-31'} ],
	'timestamp with time zone'    => [ q{'2020-02-29 12:00'}, q{'-infinity'}, q{'4713-01-01 BC'} ],
	'uuid'  => [q{'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'}],
	'inet'  => [ q{'10.0.0.1'}, q{'::1/64'}, q{'0.0.0.0/0'} ],
	'cidr'  => [q{'10.0.0.0/8'}],
	'jsonb' => [ q{'{}'}, q{'null'}, q{'[1,{"a":"b"}]'} ],
	'json'  => [q{'{"a": [1, null]}'}],
	'bytea' => [ q{'\x'}, q{'\x00ff'}, q{'\x21'}, q{decode(repeat('ab', 60), 'hex')} ],
	'money' => ['1'],
	'bit'   => [q{B'101'}],
	'xml'   => [q{'<a/>'}],
	'name'  => [ @texts[ 0, 1, 2, 5, 15, 16, 17, 18, 24 ] ],
	'regclass' => \@relations,
	'regtype'  => [ map { "'$_'" } qw(text int4 mood point encrypted_text encrypted_int4 envcrypt_numeric_operand notes
		record internal trigger anyelement pg_node_tree cstring 0 4294967295) ],
	'name[]'    => [ map { "'$_'" } split / /, '{} {NULL} {note} {note,n} {note,note} {owner} {{a,b},{c,d}}' ],
	'text[]'    => [ q{'{}'}, q{'{NULL}'}, q{'{a,b,c}'}, q{'{17,error,text}'}, q{'[5:6]={x,y}'} ],
	'integer[]' => [ q{'{}'}, q{'{NULL,1}'}, q{'{-1,99999}'} ],
	'regtype[]' => [ q{'{}'}, q{'{int4,text}'} ],
	'tid'       => [ q{'(0,1)'}, q{'(4294967295,65535)'} ],
	'tid[]'     => [ q{'{}'}, q{'{"(0,1)"}'} ],
	'point'     => [q{'(1,2)'}],
	'mood'      => [q{'sad'}],
	'cstring'   => \@texts,
	'pg_attribute' => ['(SELECT a FROM pg_attribute a LIMIT 1)'],
);

# An argument of a type, or NULL.
sub argument
{
	my ($type) = @_;
	return 'NULL' if $type =~ /^(?:internal|pg_ddl_command)$/ || rand() < 0.06;
	return '(' . pick(@{ $random{$type} }) . ")::$type" if $random{$type};
	if ($type =~ /^encrypted_(\w+)(\[\])?$/)
	{
		my $base = $1;
		my $array = $2 // '';
		return "ARRAY[$base]::$type" if $array ne '' && ($base = argument("encrypted_$base"));
		my $of = rand() < 0.05 ? pick(keys %armored) : $base;
		return "'" . pick(@{ $armored{$of} }) . "'::$type" if $armored{$of} && rand() < 0.7;
		return '(' . pick(@{ $random{$base} // \@texts }) . ")::text::$type";
	}
	return '(' . pick(@texts) . ")::text::$type" if $type =~ /_operand$/;
	return pick(@texts) . "::$type";
}

# call(FUNCTION, NULLS): a statement on one line.
sub call
{
	my ($function, $nulls) = @_;
	my ($name, $kind, $volatile, @types) = @$function;
	my @arguments = map { $nulls ? ($_ eq 'internal' ? 'NULL' : "NULL::$_") : argument($_) } @types;
	my $call      = "$name(" . join(', ', @arguments) . ')';
	return "CALL $call;" if $kind eq 'p';
	# Types without output are asked for nothing but whether they are NULL. What changes something is undone.
	my $select = "SELECT ($call) IS NULL;";
	return $volatile eq 'v' ? "BEGIN; $select ROLLBACK;" : $select;
}

my $rounds = rounds(10);
my %seen;
for my $user (qw(postgres clerk reader writer keyadmin nobody))
{
	my @lines = ("SET statement_timeout = '400ms'; SET lock_timeout = '200ms'; SET client_min_messages = error;");
	push @lines, map { call($_, 1) } @functions;
	for my $round (1 .. $rounds)
	{
		push @lines, 'SET envcrypt.io = ' . pick(qw(auto auto plaintext ciphertext ciphertext)) . ';';
		push @lines, map { call($_, 0) } @functions;
	}
	my ($errors, $out, $err) = run_statements($node, $user, \@lines);
	$seen{ $_->[0] }++ for @$errors;
	my @internal = grep { my $message = $_->[1]; $_->[0] =~ /^XX/ && !grep { $message =~ $_->[0] } @allowed } @$errors;
	is(scalar @internal, 0, "$user: no internal error") or report(@internal);
	unlike($err, qr/server closed the connection|connection to server was lost/, "$user: no connection was lost")
	  or report([ substr($err, -1000) ]);
	no_crash($node, $user);
	next unless $user =~ /writer|keyadmin|nobody/;
	my @leaks = grep { index($out . $err, $_) >= 0 } secrets();
	is(scalar @leaks, 0, "$user: no secret");
}
note(join(' ', map { "$_: $seen{$_}" } sort { $seen{$b} <=> $seen{$a} } keys %seen));
is(value($node, 'SELECT count(note || note) FROM notes', user => 'reader'), 20, 'all values open afterwards');
$node->stop;
done_testing();
