# Names without types: 'sin'::regproc finds PostgreSQL's function while it is the only one of its name. For encrypted
# columns there are others, and docs/differences.md says beside which. There are no more than it says.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = $ENV{SOURCE} or plan skip_all => 'SOURCE is not set: test/run sets it';
my $node   = new_server('names');

# Found in pg_catalog alone, and not where the extension's objects are found, too.
sub ambiguous
{
	my ($names, $lookup) = @_;
	my $query = "SELECT n FROM ($names) AS v (n) WHERE $lookup IS NOT NULL ORDER BY 1";
	my $alone = value($node, "SET search_path = pg_catalog; $query");
	my %both  = map { $_ => 1 } split /\n/, value($node, $query);
	return join ' ', grep { !$both{$_} } split /\n/, $alone;
}
my %names = map { $_->[0] => "SELECT DISTINCT $_->[2]::text FROM $_->[1] WHERE oid < 16384" } (
	[ 'functions', 'pg_proc',     'proname' ],
	[ 'operators', 'pg_operator', 'oprname' ],
	[ 'types',     'pg_type',     'typname' ]);

my ($said) = slurp_file("$source/docs/differences.md") =~
  /^(Names without types.*?)(?:\n\n|\n\z)/ms or die 'the paragraph is missing';
my ($functions, $operators) = $said =~
  /functions\s+(`[^`]*`)\s+and\s+the\s+operators\s+(`[^`]*`)\./s or die 'the lists are missing';
# Not every version of PostgreSQL has all of them.
my %here = map { $_ => 1 } split /\n/, value($node, "$names{functions} UNION $names{operators}");
my $listed = sub { join ' ', sort grep { $here{$_} } $_[0] =~ /[^`\s]+/g };
is(ambiguous($names{functions}, 'to_regproc(n)'),
	$listed->($functions), 'functions that the documentation lists, no others');
is(join(' ', sort split / /, ambiguous($names{operators}, 'to_regoper(n)')),
	$listed->($operators), 'operators that the documentation lists, no others');
is(ambiguous($names{types}, 'to_regtype(quote_ident(n))'), '', 'no types');

fails($node, q{SELECT 'sin'::regproc}, '42725', qr/more than one function named "sin"/, 'a name alone is ambiguous');
is(value($node, q{SELECT 'pg_catalog.sin'::regproc, 'sin(float8)'::regprocedure, 'pg_catalog.||/'::regoper}),
	'pg_catalog.sin|sin(double precision)|pg_catalog.||/', 'with its schema, or with types, it is not');
# A dump names everything so: what it has found by one name, it finds again.
value($node,
	q{CREATE TABLE by_name (f regproc, o regoper); INSERT INTO by_name VALUES ('pg_catalog.sin', 'pg_catalog.||/')});
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-t', 'by_name', '-f', $dump ], 'dumped');
value($node, 'DROP TABLE by_name');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', $dump ],
	'restored');
is(value($node, 'SELECT f::oid, o::oid FROM public.by_name'),
	value($node, q{SELECT 'sin(float8)'::regprocedure::oid, '||/(NONE,float8)'::regoperator::oid}), 'the same');

done_testing();
