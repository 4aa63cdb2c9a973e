# The twin test: what SQL makes of encrypted columns is what it makes of plain ones. Each query of test/twin/*.sql runs
# in schema "plain" and, letter for letter the same, in schema "twin", where the columns are encrypted. Rows, column
# names, command tags, notices and errors must be the same. Where they may differ, test/twin/differences says how, and
# why; it must be exact, too: a difference that is gone is a failure. docs/differences.md must document each.
#
# Each query runs in a transaction that is rolled back; one that changes data is followed by a look at the tables. A
# query may be several statements. Its name ends in _fails or _refuses where PostgreSQL refuses it for plain columns,
# too.
use strict;
use warnings;
use EnvcryptTest;
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $twin   = dirname(__FILE__) . '/../twin';
my $marker = '=== query';

# The types of the columns in schema.sql, by the names of psql variables.
my %types = (
	(map { $_ => "encrypted_$_" } qw(text bytea jsonb int8 numeric float8 bool date timestamptz uuid inet)),
	varchar20   => 'encrypted_text(20)',
	numeric12_2 => 'encrypted_numeric(12,2)');
my %plain_types = ((map { $_ => $_ } keys %types), varchar20 => 'varchar(20)', numeric12_2 => 'numeric(12,2)');

# What PostgreSQL calls the base types in messages.
my %spelling = (int8 => 'bigint', float8 => 'double precision', bool => 'boolean',
	timestamptz => 'timestamp with time zone');

my $file = key_file(new_master_key());
my $node = new_server(
	'twin',
	init => { extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ] },
	conf => "envcrypt.master_key_file = '$file'\nautovacuum = off\nfsync = off\nlog_min_messages = panic");
value($node, 'SELECT envcrypt_rotate_master(); GRANT envcrypt_encrypt, envcrypt_decrypt TO CURRENT_USER');
value($node, settings('plain', \%plain_types) . slurp_file("$twin/schema.sql"));
value($node, settings('twin',  \%types) . slurp_file("$twin/schema.sql"));
value($node, slurp_file("$twin/data.sql"));
value($node, slurp_file("$twin/seal.sql"));

my %expected = differences("$twin/differences");
my (%seen, @misnamed);
for my $path (sort glob "$twin/[0-9]*.sql")
{
	my $chapter = basename($path, '.sql');
	my @queries = queries($path);
	my $plain   = results('plain', @queries);
	my $sealed  = results('twin', @queries);
	for my $query (@queries)
	{
		my $name = $query->{name};
		die "two queries are named $name" if $seen{$name}++;
		my $difference = difference($plain->{$name}, $sealed->{$name});
		my $listed     = $expected{$name} // '';
		my $verdict    = $difference eq '' ? 'no longer differs' : $listed eq '' ? 'differs' : 'differs otherwise';
		ok($difference eq $listed, "$chapter: $name")
		  or diag(join "\n", $query->{text}, "$verdict:", "== $name", $difference);
		push @misnamed, $name if ($name =~ /_(fails|refuses)$/) != ($plain->{$name}[0] =~ /^ERROR/m);
	}
}
is(join(' ', grep { !$seen{$_} } sort keys %expected), '', 'no difference is listed of a query that is not there');
is("@misnamed", '', 'in plain, those queries fail whose names say so, and no others');

# docs/differences.md: each line of its table ends in <!-- test: the queries that differ; and what to write instead -->.
my %documented;
for my $line (grep { /^\|/ } split /\n/, slurp_file("$twin/../../docs/differences.md"))
{
	my ($query, $happens, $instead) = $line =~ /^\| (.*?) \| (.*) \| (.*) \|$/ or next;
	my ($differing, $same) = $instead =~ /<!-- test: ([\w ]+)(?:; ([\w ]+))? -->$/ or next;
	my @names = split ' ', $differing;
	$documented{$_} = 1 for @names;
	my $observed = join '', map { $expected{$_} // '' } @names;
	my @unlike   = grep { !$expected{$_} } @names;
	push @unlike, grep { !$seen{$_} || $expected{$_} } split ' ', $same // '';
	push @unlike, grep { / / && index($observed, $_) < 0 } map { spelled($_) } $happens =~ /`(.*?)`/g;
	is(join('; ', @unlike), '', "documented: $query");
}
is(join(' ', grep { !$documented{$_} } sort keys %expected), '', 'every difference is documented');
cmp_ok(scalar(keys %documented), '>', 50, 'the table was read');

# And below that table: what else a role needs.
value($node, <<'SQL');
CREATE TABLE checked (id int, n encrypted_int8 CHECK (n > 0));
CREATE TABLE defaults (id int, n bigint DEFAULT 7, note text DEFAULT 'hello');
SELECT envcrypt_protect('defaults', '{n,note}'::name[]);
CREATE TABLE owners (owner text PRIMARY KEY);
CREATE TABLE owned (owner text REFERENCES owners ON UPDATE CASCADE, note text);
SELECT envcrypt_protect('owned', 'note', 'owner');
INSERT INTO owners VALUES ('ann');
INSERT INTO owned VALUES ('ann', 'apple');
ALTER TABLE owned OWNER TO writer;
ALTER TABLE owners OWNER TO writer;
GRANT ALL ON owners TO clerk;
SQL
fails($node, 'INSERT INTO checked VALUES (1, 1)', '42501', qr/permission denied to open encrypted values/,
	'a check constraint needs the right to open', user => 'writer');
value($node, 'INSERT INTO checked VALUES (1, 1)', user => 'clerk');
value($node, 'INSERT INTO defaults VALUES (1)', user => 'writer');
my $misplaced = qr/permission denied to store a value that was sealed for another row owner or column/;
value($node, q{ALTER TABLE defaults ALTER note SET DEFAULT 'hello'});
fails($node, 'INSERT INTO defaults VALUES (2)', '42501', $misplaced, 'a default of the encrypted type',
	user => 'writer');
value($node, q{ALTER TABLE defaults ALTER note SET DEFAULT 'hello'::text});
value($node, 'INSERT INTO defaults VALUES (3)', user => 'writer');
is(value($node, 'SELECT * FROM defaults ORDER BY id'), "1|7|hello\n3|7|hello", 'defaults of base types');
my $rename = q{UPDATE owners SET owner = 'bob'};
fails($node, $rename, '42501', $misplaced, 'ON UPDATE CASCADE as a role that may not open', user => 'clerk');
value($node, "ALTER TABLE owned OWNER TO clerk; $rename");
is(value($node, 'SELECT *, envcrypt_owner(note) FROM owned'), 'bob|apple|bob', 'ON UPDATE CASCADE as one that may');

$node->stop;
done_testing();

# psql's variables for a schema.
sub settings
{
	my ($schema, $of) = @_;
	return join '', "\\set schema $schema\n", map { "\\set $_ '$of->{$_}'\n" } sort keys %$of;
}

# The queries of a file: ({ name, text }, ...).
sub queries
{
	my ($path) = @_;
	my (undef, @parts) = split /^-- name: (\S+)\n/m, slurp_file($path);
	my @queries;
	while (my ($name, $text) = splice @parts, 0, 2)
	{
		$text =~ s/\s+\z/\n/;
		$text =~ s/force_parallel_mode/debug_parallel_query/ if $node->pg_version >= 16;
		push @queries, { name => $name, text => $text };
	}
	return @queries;
}

# Runs queries in a schema with one psql: { name => what they print, and the server's messages }.
sub results
{
	my ($schema, @queries) = @_;
	my $copy   = PostgreSQL::Test::Utils::tempdir() . '/copy';
	my $script = <<"SQL";
\\set file '$copy'
\\set QUIET off
\\set ON_ERROR_ROLLBACK on
\\set VERBOSITY verbose
\\pset tuples_only off
\\pset footer off
\\pset null (null)
SET search_path = $schema, public;
SET TimeZone = 'Europe/Berlin';
SQL
	for my $query (@queries)
	{
		$script .= "\\echo $marker $query->{name}\n\\warn $marker $query->{name}\nBEGIN;\n$query->{text}";
		$script .= "TABLE t ORDER BY id;\nTABLE u ORDER BY id;\n"
		  if $query->{text} =~ /\b(INSERT|UPDATE|DELETE|MERGE|TRUNCATE|COPY \w+( \([^)]*\))? FROM)\b/;
		$script .= "ROLLBACK;\n";
	}
	my ($rc, $out, $err) = $node->psql('postgres', $script, on_error_stop => 0);
	die "psql ended early: $err" if $rc != 0;
	my $messages = by_query($err);
	my $printed  = by_query($out);
	return { map { $_ => [ messages($messages->{$_}), $printed->{$_} ] } map { $_->{name} } @queries };
}

sub by_query
{
	my ($output) = @_;
	my (undef, @parts) = split /^$marker (\S+)\n/m, "$output\n";
	return {@parts};
}

# Messages without the places in PostgreSQL's source and in the script. Encrypted types count as their base types.
sub messages
{
	my ($text) = @_;
	my ($kept, $result) = (0, '');
	for my $line (split /\n/, $text)
	{
		$line =~ s/^psql:<stdin>:\d+: //;
		$kept = 0 if $line =~ /^(LINE \d+|QUERY|CONTEXT|LOCATION|[A-Z]+ NAME):/;
		$kept = 1 if $line =~ /^(ERROR|WARNING|NOTICE|INFO|DETAIL|HINT):/;
		$result .= "$line\n" if $kept;
	}
	return spelled($result);
}

sub spelled
{
	my ($text) = @_;
	$text =~ s{encrypted_([a-z0-9]+)}{$spelling{$1} // $1}ge;
	$text =~ s/column "\w+" \(position (\d+)\)/column $1/g;    # from PostgreSQL 18 on
	return $text;
}

# How the second of two results differs: in messages, and, unless it fails where the first does not, in what is printed.
sub difference
{
	my ($old, $new) = @_;
	my $difference = changed_lines($old->[0], $new->[0]);
	return $difference if $difference =~ /^\+ ERROR/m && $old->[0] !~ /^ERROR/m;
	return $difference . changed_lines($old->[1], $new->[1]);
}

# Lines that only one of two texts has: "- " of the first, "+ " of the second, in the order of a longest common
# subsequence.
sub changed_lines
{
	my @old = split /\n/, $_[0];
	my @new = split /\n/, $_[1];
	while (@old && @new && $old[0] eq $new[0]) { shift @old; shift @new; }
	while (@old && @new && $old[-1] eq $new[-1]) { pop @old; pop @new; }
	my @length = map { [ (0) x (@new + 1) ] } 0 .. @old;
	for my $i (reverse 0 .. $#old)
	{
		for my $j (reverse 0 .. $#new)
		{
			my ($skip_old, $skip_new) = ($length[ $i + 1 ][$j], $length[$i][ $j + 1 ]);
			$length[$i][$j] = $old[$i] eq $new[$j] ? 1 + $length[ $i + 1 ][ $j + 1 ] : $skip_old >= $skip_new
				? $skip_old : $skip_new;
		}
	}
	my ($i, $j, $changes) = (0, 0, '');
	while ($i < @old || $j < @new)
	{
		if    ($i < @old && $j < @new && $old[$i] eq $new[$j]) { $i++; $j++; }
		elsif ($i < @old && ($j == @new || $length[ $i + 1 ][$j] >= $length[$i][ $j + 1 ])) {
			$changes .= "- $old[$i++]\n"; }
		else                                                                             { $changes .= "+ $new[$j++]\n";
		}
	}
	return $changes;
}

# The listed differences: (name => lines, ...). The comment above one or more of them is their reason.
sub differences
{
	my ($path) = @_;
	my ($name, $reason, %listed);
	for my $line (split /\n/, slurp_file($path))
	{
		if    ($line =~ /^# /) { $reason = 1; }
		elsif ($line =~ /^== (\S+)$/)
		{
			$name = $1;
			die "two differences of $name, or one without a reason" if exists $listed{$name} || !$reason;
			$listed{$name} = '';
		}
		elsif ($line =~ /^[-+] /) { $listed{$name} .= "$line\n"; }
		elsif ($line ne '')       { die "cannot read: $line"; }
	}
	return %listed;
}
