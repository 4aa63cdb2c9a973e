# What PostgreSQL's parser finds for encrypted columns: test/twin/resolution.sql tries all operators, functions, casts and
# constructs mechanically. What an encrypted column lacks, or gives in another type, stands in the file
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

cmp_ok(value($node, 'SELECT count(*) FROM resolution.tried'), '>', 30_000, 'very many expressions were tried');
is(value($node, 'SELECT kind, name, expression, bare, plain FROM resolution.disturbed ORDER BY 1, 2, 3'),
	'', 'plain expressions mean what they meant without the extension');

# A line for each name of a type: how it differs, the type, the kind and name, in how many expressions. The list joins types
# and names for which all else is the same with commas.
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
