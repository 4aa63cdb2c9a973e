# A statement that is kept (prepared, in a function, in a cursor) and holds values to be sealed serves whoever runs it;
# one that holds none is not planned again because the role changed.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('plans', conf => "envcrypt.master_key_file = '" . key_file(new_master_key()) . "'");
value($node, 'SELECT envcrypt_rotate_master()');
value($node, <<'SQL');
CREATE ROLE first LOGIN IN ROLE envcrypt_encrypt;
CREATE ROLE second LOGIN IN ROLE envcrypt_encrypt;
CREATE ROLE pool LOGIN IN ROLE first, second, reader, nobody;
GRANT ALL ON SCHEMA public TO PUBLIC;
CREATE TABLE note (id serial, owner text, body text);
INSERT INTO note (owner, body) VALUES ('ann', 'old');
ALTER TABLE note OWNER TO clerk;
SQL
value($node, q{SELECT envcrypt_protect('note', 'body', owner_column => 'owner')}, user => 'clerk');
value($node, <<'SQL', user => 'clerk');
GRANT ALL ON note, note_id_seq TO PUBLIC;
CREATE VIEW noted AS SELECT owner, body FROM note;
GRANT ALL ON noted TO PUBLIC;
CREATE VIEW ruled AS SELECT owner, body FROM note;
GRANT ALL ON ruled TO PUBLIC;
CREATE RULE write AS ON INSERT TO ruled DO INSTEAD INSERT INTO note (owner, body) VALUES (new.owner, new.body);
SQL
# Ways in which a literal is kept. None is SECURITY DEFINER itself.
my %bodies = (
	statement   => q{INSERT INTO note (owner, body) VALUES ('ann', 'a literal')},
	values      => q{INSERT INTO note (owner, body) VALUES ('ann', 'a literal'), ('bea', 'another')},
	with        => q{WITH x AS (SELECT 'a literal'::encrypted_text AS v) INSERT INTO note (owner, body) SELECT 'ann', v FROM x},
	subquery    => q{INSERT INTO note (owner, body) SELECT 'ann', (SELECT v FROM (SELECT 'a literal'::encrypted_text AS v OFFSET 0) q)},
	array       => q{INSERT INTO note (owner, body) SELECT 'ann', ('{a literal,b}'::encrypted_text[])[1]},
	view        => q{INSERT INTO noted VALUES ('ann', 'a literal')},
	rule        => q{INSERT INTO ruled VALUES ('ann', 'a literal')},
	'rule with' => q{WITH x AS (SELECT 'a literal'::encrypted_text AS v) INSERT INTO ruled SELECT 'ann', v FROM x},
	update      => q{UPDATE note SET body = 'a literal' WHERE owner = 'ann'},
	upsert      => q{MERGE INTO note n USING (SELECT 1) q ON n.owner = 'nobody' WHEN NOT MATCHED THEN INSERT (owner, body) VALUES ('ann', 'a literal')},
	cast        => q{INSERT INTO note (owner, body) VALUES ('ann', ('a lit' || 'eral')::encrypted_text)},
	constant    => q{INSERT INTO note (owner, body) VALUES ('ann', 'a literal'::text::encrypted_text)},
	inlined     => q{INSERT INTO note (owner, body) VALUES ('ann', inlined())},
	returning   => q{INSERT INTO note (owner, body) VALUES ('ann', 'a literal') RETURNING 'x'::encrypted_text},
);
my $functions = q{CREATE FUNCTION inlined() RETURNS encrypted_text LANGUAGE sql AS $$ SELECT coalesce(NULL, 'a literal'::encrypted_text) $$;};
my $in_plpgsql = sub { my $sql = shift; $sql =~ s/ RETURNING .*/ RETURNING body INTO kept/; $sql };
my %ways;
for my $name (sort keys %bodies)
{
	(my $function = $name) =~ s/\W/_/g;
	$functions .= "CREATE FUNCTION p_$function() RETURNS void LANGUAGE plpgsql AS \$\$ DECLARE kept encrypted_text; BEGIN " . $in_plpgsql->($bodies{$name}) . "; END \$\$;\n";
	$ways{"PL/pgSQL: $name"} = "p_$function";
	next if $name =~ /returning/;
	$functions .= "CREATE FUNCTION s_$function() RETURNS void LANGUAGE sql AS \$\$ $bodies{$name} \$\$;\n";
	$ways{"SQL: $name"} = "s_$function";
}
my %more = (
	variable => q{DECLARE v encrypted_text; BEGIN v := 'a literal'::encrypted_text; INSERT INTO note (owner, body) VALUES ('ann', v); END},
	loop     => q{DECLARE r record; BEGIN FOR r IN SELECT 'a literal'::encrypted_text AS v LOOP INSERT INTO note (owner, body) VALUES ('ann', r.v); END LOOP; END},
	cursor   => q{DECLARE c CURSOR FOR SELECT 'a literal'::encrypted_text AS v; r record; BEGIN OPEN c; FETCH c INTO r; CLOSE c; INSERT INTO note (owner, body) VALUES ('ann', r.v); END},
	create   => q{BEGIN CREATE TEMP TABLE kept AS SELECT 'a literal'::encrypted_text AS v; INSERT INTO note (owner, body) SELECT 'ann', v FROM kept; DROP TABLE kept; END},
	default  => q{DECLARE v encrypted_text DEFAULT 'a literal'; BEGIN INSERT INTO note (owner, body) VALUES ('ann', v); END},
	dynamic  => q{BEGIN EXECUTE $q$INSERT INTO note (owner, body) VALUES ('ann', 'a literal')$q$; END},
	param    => q{DECLARE v text := 'a literal'; BEGIN INSERT INTO note (owner, body) VALUES ('ann', v); END},
);
for my $name (sort keys %more)
{
	$functions .= "CREATE FUNCTION m_$name() RETURNS void LANGUAGE plpgsql AS \$f\$ $more{$name} \$f\$;\n";
	$ways{"PL/pgSQL: $name"} = "m_$name";
}
value($node, $functions, user => 'clerk');
for my $role ('first', 'second', 'reader', 'nobody')
{
	my $wrappers = "CREATE SCHEMA own_$role; GRANT ALL ON SCHEMA own_$role TO PUBLIC;";
	$wrappers .= "CREATE FUNCTION own_$role.$_() RETURNS void SECURITY DEFINER LANGUAGE plpgsql AS \$\$ BEGIN PERFORM public.$_(); END \$\$;\n" .
	  "ALTER FUNCTION own_$role.$_() OWNER TO $role;\n"
	  for values %ways;
	value($node, "$wrappers;");
}

my $newest = q{SELECT body::text FROM note WHERE owner = 'ann' ORDER BY xmin::text::bigint DESC, id DESC LIMIT 1};
# Runs SQL and tells what it stored, or why not; undone.
sub stored
{
	my ($session, $sql) = @_;
	$session->query('BEGIN');
	$session->query($sql);
	my $err = $session->{stderr};
	$session->{stderr} = '';
	$session->query('RESET ROLE');
	$session->{stderr} = '';
	my $found = $err =~ /ERROR:\s+(\w+):/ ? $1 : ask($session, $newest);
	ask($session, 'ROLLBACK');
	return $found;
}

# Functions of two owners that call the same function, in one session, in both directions, and in one transaction.
for my $way (sort keys %ways)
{
	my $session  = session($node, set => ['role=clerk']);
	my $function = $ways{$way};
	my @found = map { stored($session, "SELECT own_$_.$function()") } qw(first second first second);
	is("@found", join(' ', ('a literal') x 4), "$way: functions of two owners");
	is(stored($session, "SELECT own_nobody.$function()"), '42501', "$way: not for who may not seal");
	is(stored($session, "SELECT own_second.$function()"), 'a literal', "$way: and then for one who may");
	is(stored($session, "SELECT own_first.$function(), own_second.$function(), own_first.$function()"), 'a literal',
		"$way: in one transaction");
	is(stored($session, "SET ROLE first; SELECT $function(); SET ROLE second; SELECT $function()"), 'a literal',
		"$way: SET ROLE");
	$session->quit;
}

# Prepared statements.
{
	my $session = session($node, set => ['role=clerk']);
	my $n       = 0;
	for my $name (sort keys %bodies)
	{
		$n++;
		ask($session, 'SET ROLE first');
		ask($session, "PREPARE p$n AS $bodies{$name}");
		ask($session, 'RESET ROLE');
		my @found = map { stored($session, "SET LOCAL ROLE $_; EXECUTE p$n") } qw(first second first second);
		is("@found", join(' ', ('a literal') x 4), "prepared: $name") if $name ne 'update';
		ask($session, 'RESET ROLE');
	}
	# More roles than anybody would keep a list of.
	value($node, join(';', map { "CREATE ROLE many_$_ IN ROLE envcrypt_encrypt" } 1 .. 40));
	ask($session, "SET ROLE many_1");
	ask($session, q{PREPARE mine AS INSERT INTO note (owner, body) VALUES ('ann', 'a literal')});
	ask($session, 'EXECUTE mine');
	for (2 .. 40)
	{
		ask($session, "SET ROLE many_$_");
		ask($session, q{INSERT INTO note (owner, body) VALUES ('ann', 'theirs')});
	}
	ask($session, "SET ROLE many_1");
	ask($session, 'EXECUTE mine');
	ask($session, 'RESET ROLE');
	is(ask($session, $newest), 'a literal', 'one role after forty others');
	$session->quit;
}

# The plan cache does not look at a CALL's arguments: a literal there is refused for another role, never taken for his.
{
	value($node, q{CREATE PROCEDURE called(v encrypted_text) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO note (owner, body) VALUES ('ann', v); END $$;
		CREATE FUNCTION calls() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL called('a literal'); END $$;
		CREATE FUNCTION calls_well() RETURNS void LANGUAGE plpgsql AS $$ DECLARE v encrypted_text := 'a literal'; BEGIN CALL called(v); END $$}, user => 'clerk');
	my $session = session($node, set => ['role=clerk']);
	my %found   = map { my $f = $_; $f => join ' ', map { stored($session, "SET LOCAL ROLE $_; SELECT $f()") } 'first',
		'second' } 'calls', 'calls_well';
	is($found{calls}, 'a literal 42501', 'CALL: a literal is refused for another role');
	is($found{calls_well}, 'a literal a literal', 'CALL: a variable is not');
	$session->quit;
}

# What is planned again: counted by the reports that PostgreSQL gives of its planner.
{
	my $session = session($node);
	ask($session, 'SET ROLE first; PREPARE sealed AS SELECT $$x$$::encrypted_text IS NULL FROM note LIMIT 1; RESET ROLE');
	ask($session, 'PREPARE plain AS SELECT count(*) FROM note WHERE owner = $$ann$$');
	ask($session, 'SET plan_cache_mode = force_generic_plan; CREATE FUNCTION plain_count() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM note WHERE owner = $q$ann$q$); END $$');
	my $plans = sub {
		my ($role, $sql) = @_;
		ask($session, "SET ROLE $role");
		$session->query('RESET client_min_messages');
		ask($session, 'RESET ROLE; SET log_planner_stats = on; SET client_min_messages = log');
		ask($session, "SET ROLE $role");
		$session->{stderr} = '';
		$session->query($sql);
		my $count = () = $session->{stderr} =~ /PLANNER STATISTICS/g;
		$session->{stderr} = '';
		$session->query('RESET ROLE; RESET log_planner_stats; RESET client_min_messages');
		$session->{stderr} = '';
		return $count;
	};
	$plans->('first', $_) for 'EXECUTE plain', 'EXECUTE sealed', 'DO $$ BEGIN PERFORM plain_count(); END $$';
	is($plans->('first', 'EXECUTE sealed'), 0, 'the same role: not planned again');
	is($plans->('second', 'EXECUTE sealed'), 1, 'another role: planned again where a value is sealed');
	is($plans->('second', 'EXECUTE plain'), 0, 'and not where none is');
	is($plans->('first', 'EXECUTE plain'), 0, 'nor for the first role');
	ask($session, 'SET SESSION AUTHORIZATION second');
	ask($session, 'RESET SESSION AUTHORIZATION');
	is($plans->('first', 'EXECUTE plain'), 0, 'nor after SET SESSION AUTHORIZATION');
	$session->quit;
}

# What is stored does not say that it depends on the role.
value($node, q{CREATE VIEW constant AS SELECT 'x'::encrypted_text AS v; CREATE MATERIALIZED VIEW constants AS SELECT 'x'::encrypted_text AS v;
	CREATE FUNCTION atomic() RETURNS encrypted_text BEGIN ATOMIC SELECT 'x'::encrypted_text; END}, user => 'clerk');
is(value($node, q{SELECT count(*) FROM pg_rewrite WHERE ev_action LIKE '%:hasRowSecurity true%'}), '0',
	'no stored view depends on the role');
is(value($node, q{SELECT count(*) FROM pg_proc WHERE prosqlbody LIKE '%:hasRowSecurity true%'}), '0',
	'no stored function does');
done_testing();
