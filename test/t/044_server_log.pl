# What PostgreSQL adds to log lines (CONTEXT, DETAIL) is hidden where it may hold what is to be encrypted, whatever way
# the value takes there, and nowhere else: not in databases without envcrypt, not of the server's own processes.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('log', init => { allows_streaming => 1 },
	conf => "envcrypt.master_key_file = '" . key_file(new_master_key())
		. "'\nlog_min_messages = debug1\nlog_min_error_statement = panic");
my $dir = PostgreSQL::Test::Utils::tempdir();
value($node, 'SELECT envcrypt_rotate_master(); CREATE DATABASE bare');
my $setup = <<'SQL';
CREATE TABLE audit (n int, line text);
CREATE VIEW plain_view AS SELECT 1 AS id, ''::text AS owner, ''::text AS body;
CREATE TABLE gate (id int, owner text, body text);
CREATE TABLE plain (id int, owner text, body text);
CREATE FUNCTION forward() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF new.id < 0 THEN RAISE EXCEPTION 'refused'; END IF;
	INSERT INTO note (id, owner, body) VALUES (new.id, new.owner, new.body);
	IF new.id > 100 THEN RAISE EXCEPTION 'refused'; END IF;
	RETURN NULL; END $$;
CREATE TRIGGER forward INSTEAD OF INSERT ON plain_view FOR EACH ROW EXECUTE FUNCTION forward();
CREATE TRIGGER forward BEFORE INSERT ON gate FOR EACH ROW EXECUTE FUNCTION forward();
GRANT ALL ON plain_view, gate, plain TO PUBLIC;
SQL
value($node, 'GRANT ALL ON SCHEMA public TO PUBLIC', db => 'bare');
value($node, "CREATE TABLE note (id int, owner text, body text);
	SELECT envcrypt_protect('note', 'body', owner_column => 'owner');
	CREATE VIEW note_view AS SELECT id, owner, body::text AS body FROM note;
	CREATE VIEW view_of_view AS SELECT * FROM note_view;
	GRANT ALL ON note, note_view, view_of_view TO PUBLIC;
	$setup
	CREATE TRIGGER forward INSTEAD OF INSERT ON note_view FOR EACH ROW EXECUTE FUNCTION forward();
	CREATE TRIGGER forward INSTEAD OF INSERT ON view_of_view FOR EACH ROW EXECUTE FUNCTION forward();", user => 'clerk');
value($node, "CREATE TABLE note (id int, owner text, body text); GRANT ALL ON note TO PUBLIC; $setup", db => 'bare',
	user => 'clerk');

# What the server logs while a file is copied.
sub logged
{
	my ($target, $text, %options) = @_;
	write_file("$dir/in.copy", $text, 0644);
	my $position = -s $node->logfile;
	my (undef, $err, $state) = run_sql($node, "\\copy $target FROM '$dir/in.copy'", user => 'clerk', %options);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($state ne '', "$target: COPY fails");
	like($err, qr/COPY $target, line/, "$target: the client is told where");
	return substr(slurp_file($node->logfile), $position);
}
my $bad    = "xx\tann\tMarker-Word\n";
my %texts  = (
	'no number'               => $bad,
	'a column too many'       => "1\tann\tMarker-Word\textra\n",
	'refused by the trigger'  => "-1\tann\tMarker-Word\n",
	'refused after the write' => "101\tann\tMarker-Word\n",
	'no number in line 2'     => "1\tann\tfirst\nxx\tann\tMarker-Word\n",
	'no owner'                => "1\t\\N\tMarker-Word\n",
);
for my $target ('note_view', 'view_of_view', 'plain_view')
{
	unlike(logged($target, $texts{$_}), qr/Marker-Word/, "$target, $_: no line of the file in the log")
		for sort keys %texts;
}
for my $case ('no number', 'a column too many', 'no number in line 2')
{
	unlike(logged('note', $texts{$case}), qr/Marker-Word/, "note, $case: no line of the file in the log");
}
# A plain table, whose trigger has it encrypted: from the first value that was sealed.
unlike(logged('gate', $texts{$_}), qr/Marker-Word/, "gate, $_: no line of the file in the log")
	for 'refused after the write', 'no number in line 2';
# A table that becomes encrypted while COPY waits for it.
{
	value($node, 'CREATE TABLE late (id int, owner text, body text); GRANT ALL ON late TO PUBLIC', user => 'clerk');
	my $admin = session($node, user => 'clerk');
	ask($admin, q{BEGIN; SELECT envcrypt_protect('late', 'body', owner_column => 'owner')});
	write_file("$dir/late.copy", $texts{'a column too many'}, 0644);
	my $position = -s $node->logfile;
	my $copy     = session($node, user => 'clerk');
	$copy->query_until(qr/asking/, "\\echo asking\n\\copy late FROM '$dir/late.copy'\n");
	$node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)}) or die 'nobody waits';
	ask($admin, 'COMMIT');
	ask_fails($copy, '', '22P04', qr/Marker-Word/, 'COPY waited and failed');
	unlike(substr(slurp_file($node->logfile), $position), qr/Marker-Word/, 'and no line of the file is in the log');
	$copy->quit;
	$admin->quit;
}
# Plain tables keep their log lines; so does everything in a database without envcrypt.
like(logged('plain', $bad), qr/CONTEXT:  COPY plain.*xx/, 'plain: the line of the file is in the log');
like(logged($_, $bad, db => 'bare'), qr/CONTEXT:  COPY $_.*xx/,
	"$_ in a database without envcrypt: the line of the file is in the log")
  for 'note', 'plain', 'gate', 'plain_view';

# The server's own processes, which run no statement.
{
	my $position = -s $node->logfile;
	$node->append_conf('postgresql.conf', "log_destination = 'nonsense'");
	$node->reload;
	my $log = '';
	for (1 .. 300)
	{
		$log = substr(slurp_file($node->logfile), $position);
		last if $log =~ /not applied|contains errors/;
		select(undef, undef, undef, 0.1);
	}
	like($log, qr/invalid value for parameter "log_destination".*\n.*DETAIL:  Unrecognized key word: "nonsense"/,
		'the postmaster tells what is wrong with a parameter');
	$node->append_conf('postgresql.conf', "log_destination = 'stderr'");
	$node->reload;
}
# Constraint violations print whole rows: to the client who may read them, not into the log.
{
	value($node, 'ALTER ROLE clerk SET log_min_error_statement = error');
	my $position = -s $node->logfile;
	value($node, "CREATE TABLE violated (id int PRIMARY KEY, v encrypted_text, o int NOT NULL CHECK (o > 0));
		INSERT INTO violated VALUES (1, reverse('TERCESPOT'), 1)", user => 'clerk');
	fails($node, 'UPDATE violated SET o = NULL', '23502', qr/Failing row contains \(1, TOPSECRET, null\)/,
		'the client sees the failing row', user => 'clerk');
	fails($node, 'UPDATE violated SET o = -1', '23514', qr/Failing row contains \(1, TOPSECRET, -1\)/,
		'also of a CHECK constraint', user => 'clerk');
	is((run_sql($node, q{DO $$ BEGIN PERFORM v FROM violated;
			RAISE WARNING USING ERRCODE = '23505', DETAIL = (SELECT format('%s', v) FROM violated); END $$},
			user => 'clerk'))[2], '', 'a warning of that class does no harm');
	my $log = substr(slurp_file($node->logfile), $position);
	unlike($log, qr/TOPSECRET/, 'the log has none of it');
	like($log, qr/violates not-null constraint/, 'the log has the error itself');

	# A typing error in one key of a ring does not put the others into the log.
	my $typo = ('a' x 64) . ':' . ('b' x 63) . 'z';
	fails($node, "SET envcrypt.master_key = '$typo'", '22023', qr/invalid keyring.*\n?DETAIL:  Entry 2/,
		'the error names the entry', user => 'clerk');
	unlike(substr(slurp_file($node->logfile), $position), qr/a{64}/, 'the log does not hold the ring');
	value($node, 'ALTER ROLE clerk RESET log_min_error_statement');
}
{
	$node->backup('copy');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'copy', has_streaming => 1);
	$standby->start;
	like(slurp_file($standby->logfile), qr/recovery snapshots are now enabled\n.*CONTEXT:  WAL redo at/,
		'recovery tells where it is');
	$standby->stop;
}
done_testing();
