# What the documents tell people to type does what they say: every SQL block of the documents below, and every command
# that touches the key file, runs here as it is printed (but for the place of the key file, and who the server's user
# is).
use strict;
use warnings;
use EnvcryptTest;
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = dirname(__FILE__) . '/../..';
my $etc    = PostgreSQL::Test::Utils::tempdir() . '/etc_envcrypt';
my $me     = getpwuid($<);
my $group  = getgrgid($();

sub document
{
	my ($name) = @_;
	return -e "$source/$name" ? slurp_file("$source/$name") : undef;
}

sub as_here
{
	my ($text) = @_;
	$text =~ s{/etc/envcrypt}{$etc}g;
	return $text;
}

# Runs a command line of a document in a shell, with a careless umask and somewhere else, as people do.
sub shell
{
	my ($line) = @_;
	$line = as_here($line);
	$line =~ s/sudo -u postgres //;
	$line =~ s/sudo //;
	$line =~ s/-o postgres -g postgres/-o $me -g $group/;
	my $output = '';
	my $ok = IPC::Run::run([ 'sh', '-c', "umask 000; cd /; $line" ], '>', \$output, '2>&1');
	return ($ok, $output);
}

sub sql_blocks { return $_[0] =~ /^```sql\n(.*?)^```$/msg; }

# Command lines that touch the key file, in order.
sub key_commands
{
	return grep { /master\.key/ } $_[0] =~ /^ {4,7}(\S.*)$/mg;
}

# The steps of a section: command lines and statements in code marks, in order.
sub steps
{
	my ($text, $section) = @_;
	my ($part) = $text =~ /^## \Q$section\E\n(.*?)^##/ms;
	my @steps;
	while ($part =~ /^ {7}(\S.*)$|`((?:SELECT|UPDATE) [^`]*)`/mg)
	{
		push @steps, defined $1 ? { shell => $1 } : { sql => $2 };
	}
	return @steps;
}

sub mode { return sprintf '%04o', (stat $_[0])[2] & 07777; }
sub no_leftovers { return join(' ', map { basename($_) } grep { !/master\.key$/ } glob "$etc/*"); }

my %text = map { $_ => document($_) } ('README.md', map { "docs/$_.md" } qw(operations migrating threat-model));
ok(defined $text{$_}, "$_ is there") for sort keys %text;

my $node = new_server('printed', conf => "wal_level = logical\nfsync = off");
my $file = "$etc/master.key";
my $done = 0;    # blocks that ran

# Runs the blocks of a document that match, as printed.
sub run_block
{
	my ($document, $pattern, %options) = @_;
	my @found = grep { $_ =~ $pattern } sql_blocks($text{$document});
	is(scalar @found, 1, "$document has one block with $pattern") or return '';
	$done++;
	return value($node, as_here($found[0]), %options);
}

# The key file: made once. Pasted again, the line changes nothing.
for my $document ('README.md', 'docs/operations.md')
{
	system_or_bail('rm', '-rf', $etc);
	my @commands = grep { !/mktemp/ } key_commands($text{$document});
	is(scalar @commands, 1, "$document prints one command that makes the key file");
	my ($directory) = $text{$document} =~ /^    (sudo install -d .*)$/m;
	my ($ok, $output) = shell($directory);
	ok($ok, "$document: the directory is made") or diag($output);
	is(mode($etc), '0700', 'and closed');
	($ok, $output) = shell($commands[0]);
	ok($ok, 'the key is made') or diag($output);
	is(mode($file), '0600', 'and nobody else may read it');
	my $first = slurp_file($file);
	is(length $first, 45, 'it is 32 bytes in base64');
	shell($directory);
	($ok, $output) = shell($commands[0]);
	ok(!$ok && $output =~ /exists/, 'pasted again, the command says why it does nothing') or diag($output);
	is(slurp_file($file), $first, 'and the key is what it was');
}

# README.md, from the first line to the last.
$node->safe_psql('postgres', 'CREATE DATABASE readme');
run_block('README.md', qr/shared_preload_libraries/);
$node->restart;
run_block('README.md', qr/CREATE EXTENSION/, db => 'readme');
$node->safe_psql('postgres', 'GRANT ALL ON SCHEMA public TO PUBLIC');
$node->safe_psql('readme', 'GRANT ALL ON SCHEMA public TO PUBLIC');
run_block('README.md', qr/CREATE TABLE patients/, db => 'readme');
run_block('README.md', qr/SELECT envcrypt_protect/, db => 'readme', user => 'app');
like(run_block('README.md', qr/INSERT INTO patients VALUES \(3/, db => 'readme', user => 'app'),
	qr/^1\|Ann\|asthma, mild\n.*^\|diagnosis\|\|3\|/ms,
		'README.md: the column reads as before, and every value verifies');
unlike(run_block('README.md', qr/DELETE FROM patients/, db => 'readme'), qr/asthma/, 'a superuser sees nothing');
is(value($node, 'SELECT diagnosis FROM patients ORDER BY id', db => 'readme', user => 'app'), "migraine\ngout",
	'the others read on');
is(value($node, q(SELECT count(*) FROM envcrypt_data_keys WHERE kind = 'shredded'), db => 'readme'), '1',
	"Ann's key is destroyed");

# Rotation, as each of the two documents has it.
sub follow_rotation
{
	my ($document, $db, $read) = @_;
	my @steps = steps($text{$document}, 'Rotating the master key');
	my $before = $read->();
	my $shell = 0;
	for my $step (@steps)
	{
		if ($step->{shell})
		{
			my $old = slurp_file($file);
			my ($ok, $output) = shell($step->{shell});
			ok($ok, "$document: $step->{shell}") or diag($output);
			is(mode($file), '0600', 'nobody else may read the key file');
			is(no_leftovers(), '', 'nothing is left beside it');
			my $new = slurp_file($file);
			if ($shell++ == 0)
			{
				like($new, qr{^[A-Za-z0-9+/]{43}=\n\Q$old\E\z}, 'a new key stands above the old ones');
			}
			else
			{
				is($new, (split /^/, $old)[0], 'the first key alone is left');
				shell($step->{shell});
				is(slurp_file($file), $new, 'pasted again, it is still there');
				($ok) = shell("ulimit -f 0; trap '' XFSZ; $step->{shell}");
				is(slurp_file($file), $new, 'on a full disk, the key file is what it was');
				unlink glob "$etc/new.*";
			}
		}
		else
		{
			value($node, $step->{sql}, db => $db);
		}
		is($read->(), $before, 'everything opens');
	}
	is($shell, 2, "$document: one command puts a key in, one takes the old one out");
	return;
}
follow_rotation('README.md', 'readme',
	sub { value($node, 'SELECT diagnosis FROM patients ORDER BY id', db => 'readme', user => 'app') });

# docs/operations.md.
$node->safe_psql('postgres', 'CREATE ROLE intake; CREATE ROLE report LOGIN; CREATE ROLE key_officer; CREATE ROLE dba SUPERUSER LOGIN');
$node->safe_psql('postgres', 'CREATE TABLE patients (id int PRIMARY KEY, name text, diagnosis text);
	INSERT INTO patients VALUES (42, \'Ann\', \'asthma\'), (43, \'Bob\', \'gout\'); ALTER TABLE patients OWNER TO app');
run_block('docs/operations.md', qr/shared_preload_libraries/);
run_block('docs/operations.md', qr/ALTER SYSTEM SET envcrypt.master_key_file/);
$node->restart;
run_block('docs/operations.md', qr/SELECT envcrypt_rotate_master/);
run_block('docs/operations.md', qr/GRANT envcrypt_encrypt/);
value($node, "SELECT envcrypt_protect('patients', 'diagnosis', 'id')", user => 'app');
value($node, 'CREATE TABLE free (t encrypted_text); GRANT SELECT ON patients, free TO report');
is(join("\n", sort split /\n/, run_block('docs/operations.md', qr/envcrypt_verify\(t.oid\)/, user => 'report')),
	"free||t||0|\npatients||diagnosis||2|", 'the verification of all tables lists each column');
like(run_block('docs/operations.md', qr/protection <> 'owner'/), qr/^free\|t\|/,
	'what is not bound to owners is listed');
run_block('docs/operations.md', qr/CREATE PUBLICATION/);
value($node, 'DROP PUBLICATION p; DROP TABLE free');
is(run_block('docs/operations.md', qr/envcrypt_status\(\) WHERE/), '', 'no row: all is well');
follow_rotation('docs/operations.md', 'postgres',
	sub { value($node, 'SELECT diagnosis FROM patients ORDER BY id', user => 'app') });
is(value($node, q(SELECT count(*) FROM envcrypt_master_keys WHERE state = 'retired')), '1',
	'the old key is retired at the end');

# docs/threat-model.md: after a theft. Whoever kept the old master key and the old rows opens nothing that is there now.
value($node, 'GRANT envcrypt_decrypt TO dba; CREATE TABLE stolen_rows AS SELECT * FROM envcrypt_data_keys;
	CREATE TABLE stolen AS SELECT id, diagnosis FROM patients');
write_file($file, new_master_key() . "\n" . slurp_file($file));
$node->reload;
my $rekeyed = run_block('docs/threat-model.md', qr/envcrypt_rekey_users/, user => 'dba');
like($rekeyed, qr/^[1-9]\d*\n4\z/, 'after a theft: the values of both owners in both tables are sealed again');
is(value($node, 'SELECT count(*) FROM patients JOIN stolen_rows ON key_id = envcrypt_key_id(diagnosis)', user => 'dba'),
	'0', 'none is under a key that was there before');
is(value($node, 'SELECT string_agg(diagnosis, $$,$$ ORDER BY id) FROM patients', user => 'app'), 'asthma,gout',
	'and all open');
my ($everybody) = $text{'docs/threat-model.md'} =~ /`(ARRAY\(SELECT DISTINCT owner .*?\))`/;
is(value($node, "SELECT envcrypt_rekey_users($everybody)", user => 'dba'), '4', 'of everybody: the same');

# docs/operations.md: shredding, and again after a restore.
my $receipt = run_block('docs/operations.md', qr/SELECT envcrypt_shred_user/);
like($receipt, qr/"destroyed"/, 'shredding gives a receipt');
fails($node, 'SELECT diagnosis FROM patients WHERE id = 42', 'ZE003', qr/destroyed/, 'and the values are gone',
	user => 'app');
my ($again) = $text{'docs/operations.md'} =~ /`(SELECT \* FROM envcrypt_shred_users\(.*?\);)`/;
like(value($node, $again), qr/^42\|shredded before\|\n43\|shredded\|/, 'a list is gone through again');

# docs/migrating.md.
value($node, 'CREATE TABLE payroll (user_id int, salary int8, iban text, note text); CREATE TABLE notes (id int PRIMARY KEY, user_id int, body text);
	ALTER TABLE payroll OWNER TO app; ALTER TABLE notes OWNER TO app');
value($node, q(INSERT INTO payroll VALUES (1, 100, 'DE1', 'n'), (2, 200, 'DE2', 'n'); INSERT INTO notes VALUES (1, 1, 'b')));
run_block('docs/migrating.md', qr/'note'/, user => 'app');
run_block('docs/migrating.md', qr/CALL envcrypt_protect_online\(/, user => 'app');
is(value($node, 'SELECT body FROM notes', user => 'app'), 'b', 'protected online');
value($node, "SELECT envcrypt_unprotect('notes', 'body')", user => 'app');
value($node, "SELECT envcrypt_online_attempt('prepare', 'notes', 'body', 'user_id', 'error', '1s', 0)", user => 'app');
run_block('docs/migrating.md', qr/online_cancel/, user => 'app');
is(value($node, q(SELECT count(*) FROM pg_attribute WHERE attrelid = 'notes'::regclass AND attnum > 0 AND NOT attisdropped)),
	'3', 'cancelled');
value($node, "SELECT envcrypt_shred_user('1')");
run_block('docs/migrating.md', qr/SET salary = NULL/);
value($node, q(UPDATE payroll SET iban = NULL WHERE user_id = 1));
{
	# One of the two statements, in this order: the second takes what is left.
	my ($block) = grep { /ARRAY\['salary', 'iban'\]\);\n\z/ } sql_blocks($text{'docs/migrating.md'});
	my ($one, $both) = split /^/, $block;
	value($node, $one, user => 'app');
	value($node, "SELECT envcrypt_protect('payroll', 'salary', 'user_id')", user => 'app');
	value($node, $both, user => 'app');
	is(value($node, 'SELECT * FROM payroll ORDER BY 1', user => 'app'), "1|||n\n2|200|DE2|n", 'and back');
	$done++;
}

# Destroying on purpose, in a database of its own.
$node->safe_psql('postgres', 'CREATE DATABASE doomed');
value($node, 'CREATE EXTENSION envcrypt; CREATE TABLE secrets (v encrypted_text)', db => 'doomed');
run_block('docs/operations.md', qr/allow_data_loss/, db => 'doomed');
is(value($node, q(SELECT count(*) FROM pg_extension WHERE extname = 'envcrypt'), db => 'doomed'), '0',
	'everything is gone');

my $printed = 0;
$printed += () = sql_blocks($_) for values %text;
is($done, $printed, 'every SQL block of these documents was run');

$node->stop;
done_testing();
