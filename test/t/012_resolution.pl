# What PostgreSQL's parser finds for encrypted columns: test/twin/resolution.sql tries all operators, functions, casts
# and constructs mechanically. What an encrypted column lacks, or gives in another type, stands in the file
# resolution.differences there, with the reason; anything else is a failure, and so is what no longer differs. For plain
# values the extension must change nothing at all.
use strict;
use warnings;
use EnvcryptTest;
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $twin = dirname(__FILE__) . '/../twin';
my $file = key_file(new_master_key());
my $node = new_server('resolution', conf => "envcrypt.master_key_file = '$file'\nautovacuum = off\nfsync = off");
value($node, 'SELECT envcrypt_rotate_master(); GRANT envcrypt_encrypt, envcrypt_decrypt TO CURRENT_USER');
value($node, 'CREATE SCHEMA plain; CREATE SCHEMA twin');
value($node, slurp_file("$twin/resolution.sql"));

# In a copy of the database, without the extension; at the same time, here, with it. Of constructs that PostgreSQL
# refuses for plain values, no more is asked; and names that the extension does not have mean what they mean without it.
value($node, 'CREATE DATABASE bare TEMPLATE postgres');
value($node, 'SET envcrypt.allow_data_loss = on; DROP EXTENSION envcrypt CASCADE', db => 'bare');
my ($found_bare, $errors) = (PostgreSQL::Test::Utils::tempdir() . '/bare', '');
my $bare = IPC::Run::start(
	[ $node->installed_command('psql'), '-XqAt', '-d', $node->connstr('bare'), '-v', 'ON_ERROR_STOP=1' ],
	'<', \<<"SQL", '2>', \$errors);
SET search_path = plain;
UPDATE resolution.tried SET bare = resolution.outcome(query);
COPY (SELECT query, bare FROM resolution.tried) TO '$found_bare';
SQL
value($node, <<'SQL');
SET search_path = plain, public;
UPDATE resolution.tried SET plain = resolution.outcome(query)
WHERE kind IN ('construct', 'parameter') OR name IN (SELECT name FROM resolution.extended);
SET search_path = twin, public;
UPDATE resolution.tried SET sealed = resolution.outcome(query)
WHERE encrypted AND NOT (kind = 'construct' AND resolution.failed(plain));
SQL
$bare->finish or die "without the extension: $errors";
value($node, <<"SQL");
CREATE TEMP TABLE found (query text, bare text);
COPY found FROM '$found_bare';
CREATE INDEX ON found (query);
UPDATE resolution.tried t SET bare = f.bare, plain = coalesce(t.plain, f.bare) FROM found f WHERE f.query = t.query;
SQL

cmp_ok(value($node, 'SELECT count(*) FROM resolution.tried WHERE bare IS NOT NULL'), '>', 20_000,
	'very many expressions were tried');
is(value($node, 'SELECT kind, name, expression, bare, plain FROM resolution.disturbed ORDER BY 1, 2, 3'),
	'', 'plain expressions mean what they meant without the extension');

# A line for each name of a type: how it differs, the type, the kind and name, in how many expressions. The list joins
# types and names for which all else is the same with commas.
my %expected;
for my $line (grep { /^\w/ } split /\n/, slurp_file("$twin/resolution.differences"))
{
	my ($how, $types, $kind, $names, $count) = $line =~ /^([\w ]+): (\S+) (window function|\w+) (.+) (\(\d+\))$/
	  or die "cannot read: $line";
	for my $type (split /,/, $types)
	{
		$expected{"$how: $type $kind $_ $count"} = 1 for split /, /, $names;
	}
}
my %found    = map { $_ => 1 } split /\n/, value($node, <<'SQL');
SELECT how || ': ' || type || ' ' || kind || ' ' || name || ' (' || count(*) || ')' FROM resolution.differences
GROUP BY how, type, kind, name
SQL
for my $type (split /\n/, value($node, 'SELECT name FROM resolution.types WHERE encrypted ORDER BY name'))
{
	my @more = sort grep { /: $type / && !$expected{$_} } keys %found;
	my @less = sort grep { /: $type / && !$found{$_} } keys %expected;
	ok(!@more && !@less, "encrypted_$type resolves as $type does")
	  or diag(join "\n", (map { "differs: $_\n" . examples($_) } @more), map { "no longer differs so: $_" } @less);
}

$node->stop;
done_testing();

# The expressions that a line stands for.
sub examples
{
	my ($how, $type, $kind, $name) = $_[0] =~ /^([\w ]+): (\w+) (window function|\w+) (.*) \(\d+\)$/;
	$name =~ s/'/''/g;
	return value($node, <<"SQL");
SELECT format('    %s gives %s, encrypted %s', expression, plain, sealed) FROM resolution.differences
WHERE how = '$how' AND type = '$type' AND kind = '$kind' AND name = '$name' ORDER BY 1
SQL
}
