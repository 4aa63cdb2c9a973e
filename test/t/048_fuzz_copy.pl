# Files of COPY (FORMAT binary) with values of every type, sealed and plain, that were changed at random: each is
# refused with one error or holds values that open as what they were; no crash, no internal error, no other plaintext.
use strict;
use warnings;
use EnvcryptTest;
use Fuzzing;
use PostgreSQL::Test::Utils;
use Test::More;

my $node   = fuzz_server('fuzz_copy');
my $dir    = PostgreSQL::Test::Utils::tempdir();
my $rounds = rounds(10);
my @types  = qw(text bytea jsonb int8 numeric float8 bool date timestamptz uuid inet int4 mood point);

value($node, <<'SQL');
CREATE TABLE more (c_int4 encrypted_int4, c_mood encrypted_mood, c_point encrypted_point);
INSERT INTO more SELECT i, (enum_range(NULL::mood))[1 + i % 2], point(i, i) FROM generate_series(1, 8) i;
GRANT ALL ON more TO clerk;
SQL

sub noise { return join('', map { chr(int(rand(256))) } 1 .. $_[0]) }

# A change of a file, after PostgreSQL's header of 19 bytes as a rule.
my @lengths = (0, 1, 2, 12, 40, 41, 255, 65536, 0x3fffffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff);
my @changes = (
	sub { my ($bytes, $at) = @_; vec($$bytes, $at * 8 + int(rand(8)), 1) ^= 1 },
	sub { my ($bytes, $at) = @_; $$bytes = substr($$bytes, 0, $at) },
	sub { my ($bytes, $at) = @_; substr($$bytes, $at, 1 + int(rand(4))) = '' },
	sub { my ($bytes, $at) = @_; substr($$bytes, $at, 0) = noise(1 + rand(8)) },
	sub { my ($bytes, $at) = @_; substr($$bytes, $at, 4) = pack('N', pick(@lengths)) },
	sub { my ($bytes, $at) = @_; my $length = 1 + int(rand(40)); substr($$bytes, $at, $length) = noise($length) },
	sub { my ($bytes, $at) = @_; substr($$bytes, $at, 8) = substr($$bytes, 19 + int(rand(length($$bytes) - 19)), 8) });

sub change
{
	my ($bytes) = @_;
	my $at = rand() < 0.95 ? 19 + int(rand(length($bytes) - 19)) : int(rand(length($bytes)));
	pick(@changes)->(\$bytes, $at);
	return rand() < 0.3 && length($bytes) > 30 ? change($bytes) : $bytes;
}

my %tried;
my %loaded;
for my $user ('clerk', 'writer', 'keyadmin', 'postgres')
{
	my @lines = ("SET statement_timeout = '5s';");
	for my $type (@types)
	{
		my ($table, $base) = (($type =~ /int4|mood|point/ ? 'more' : 'sealed'), "encrypted_$type");
		for my $language ('ciphertext', 'plaintext')
		{
			my $valid = "$dir/$type.$language";
			my $copy = "\\copy (SELECT c_$type FROM $table LIMIT 3) TO '$valid' (FORMAT binary)";
			value($node, "SET envcrypt.io = $language;\n$copy", user => 'clerk') unless -e $valid;
			my $bytes = PostgreSQL::Test::Utils::slurp_file($valid);
			for my $n (1 .. 3 * $rounds)
			{
				my $file = write_file("$dir/$user.$type.$language.$n", $n == 1 ? $bytes : change($bytes), 0644);
				push @lines, 'BEGIN;', "CREATE TEMP TABLE loaded (c $base) ON COMMIT DROP;",
				  "SET LOCAL envcrypt.io = $language;", "\\copy loaded FROM '$file' (FORMAT binary)",
				  "SELECT '$type loaded' FROM loaded LIMIT 1;", 'SET LOCAL envcrypt.io = auto; SET LOCAL ROLE clerk;';
				# What was sealed opens as what it was; from plaintext, any value can have been made.
				push @lines, "SELECT '$type wrong: ' || c::$type::text FROM loaded WHERE c::$type::text NOT IN ("
				  . "SELECT c_$type\::$type\::text FROM $table);"
				  if $language eq 'ciphertext' && $user ne 'writer' && $user ne 'keyadmin';
				push @lines, 'ROLLBACK;';
				$tried{$user}++;
			}
		}
	}
	value($node, 'GRANT clerk TO postgres; GRANT SELECT ON sealed, more TO clerk');
	my ($errors, $out, $err) = run_statements($node, $user, \@lines);
	my @internal = grep { $_->[0] =~ /^XX/ } @$errors;
	is(scalar @internal, 0, "$user: no internal error") or report(@internal);
	unlike($err, qr/server closed the connection|connection to server was lost/, "$user: no connection was lost")
	  or report();
	unlike($out, qr/wrong/, "$user: no value opens as another") or report([$out]);
	$loaded{$user} = () = $out =~ /loaded/g;
	no_crash($node, $user);
	next if $user eq 'clerk' || $user eq 'postgres';
	my @leaks = grep { index($err, $_) >= 0 } secrets();
	is(scalar @leaks, 0, "$user: no secret");
}
cmp_ok($loaded{clerk}, '>=', 2 * @types, 'what was not changed is loaded') or diag("$loaded{clerk} of $tried{clerk}");
cmp_ok($loaded{clerk}, '<', $tried{clerk}, 'not everything is');
note(join(', ', map { "$_: $loaded{$_} of $tried{$_} loaded" } sort keys %tried));
$node->stop;
done_testing();
