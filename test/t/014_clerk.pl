# The clerk's attack: a role that may write and sees armored text, but may not open, tries to have other people's values
# served to him: by planting them where others' rights open them for him, and by learning them where they pass by.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $file = key_file(new_master_key());
my $node = new_server('clerk', conf => "envcrypt.master_key_file = '$file'\nautovacuum = off\nlog_min_messages = info");
my $dir  = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql('postgres', 'SELECT envcrypt_rotate_master()');

# mallory may seal. boss owns what is attacked and may open. reader looks at what mallory achieved.
$node->safe_psql('postgres', <<'SQL');
CREATE ROLE boss LOGIN IN ROLE envcrypt_encrypt, envcrypt_decrypt;
CREATE ROLE mallory LOGIN IN ROLE envcrypt_encrypt;
CREATE ROLE pool LOGIN NOINHERIT IN ROLE boss, mallory;
GRANT pg_read_all_data TO reader;
ALTER DEFAULT PRIVILEGES FOR ROLE boss GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO mallory, reader;
ALTER DATABASE postgres SET client_min_messages = notice;
SQL
my $setup = <<'SQL';
CREATE TABLE users (id text PRIMARY KEY);
INSERT INTO users VALUES ('ann'), ('mallory'), ('other');
CREATE TABLE staff (id int PRIMARY KEY, owner text REFERENCES users ON UPDATE CASCADE, grade int CHECK (grade > 0),
    salary encrypted_text, bonus encrypted_text, pay encrypted_numeric, note text, UNIQUE (owner, grade));
CREATE TRIGGER "~envcrypt_11" BEFORE INSERT OR UPDATE ON staff FOR EACH ROW WHEN (new.salary IS NOT NULL OR new.owner IS NULL)
    EXECUTE FUNCTION envcrypt_owner_trigger('11', 'error', 'text');
CREATE TRIGGER "~envcrypt_12" BEFORE INSERT OR UPDATE ON staff FOR EACH ROW WHEN (new.bonus IS NOT NULL OR new.owner IS NULL)
    EXECUTE FUNCTION envcrypt_owner_trigger('12', 'error', 'text');
CREATE TRIGGER "~envcrypt_13" BEFORE INSERT OR UPDATE ON staff FOR EACH ROW WHEN (new.pay IS NOT NULL OR new.owner IS NULL)
    EXECUTE FUNCTION envcrypt_owner_trigger('13', 'error', 'numeric');
CREATE TABLE parted (region text, owner text, salary encrypted_text) PARTITION BY LIST (region);
CREATE TABLE parted_n PARTITION OF parted FOR VALUES IN ('n');
CREATE TABLE parted_s PARTITION OF parted FOR VALUES IN ('s');
CREATE TRIGGER "~envcrypt_14" BEFORE INSERT OR UPDATE ON parted FOR EACH ROW WHEN (new.salary IS NOT NULL OR new.owner IS NULL)
    EXECUTE FUNCTION envcrypt_owner_trigger('14', 'error', 'text');
CREATE TABLE loose (id int, v encrypted_text, n encrypted_numeric, a encrypted_text[]);
CREATE TABLE texts (owner text, t text);
INSERT INTO staff VALUES (1, 'ann', 1, 'SECRET salary', 'SECRET bonus', 8675309, 'note'),
    (2, 'mallory', 2, 'mine', 'my bonus', 1, 'note');
INSERT INTO parted VALUES ('n', 'ann', 'SECRET parted'), ('n', 'mallory', 'mine');
INSERT INTO loose VALUES (1, 'SECRET loose', 8675309, ARRAY['SECRET element']::encrypted_text[]);
CREATE VIEW staff_view AS SELECT id, owner, grade, salary, bonus FROM staff;
CREATE VIEW barrier WITH (security_barrier) AS SELECT id, owner, salary, pay FROM staff WHERE owner = 'mallory' OR length(note) > 3;
CREATE VIEW opening AS SELECT id, upper(salary) AS salary FROM staff;
CREATE MATERIALIZED VIEW kept AS SELECT id, salary FROM staff;
CREATE VIEW instead AS SELECT id, owner, salary FROM staff;
CREATE FUNCTION instead_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN INSERT INTO staff (id, owner, grade, salary) VALUES (new.id, new.owner, new.id, new.salary); RETURN new; END $$;
CREATE TRIGGER instead INSTEAD OF INSERT ON instead FOR EACH ROW EXECUTE FUNCTION instead_row();
CREATE VIEW ruled AS SELECT id, owner, salary FROM staff;
CREATE RULE ruled AS ON INSERT TO ruled DO INSTEAD
    INSERT INTO staff (id, owner, grade, salary) VALUES (new.id, new.owner, new.id, new.salary);
CREATE FUNCTION hire(id int, who text, salary encrypted_text) RETURNS void LANGUAGE sql SECURITY DEFINER AS
    'INSERT INTO staff (id, owner, grade, salary) VALUES ($1, $2, $1, $3)';
CREATE FUNCTION hire_text(id int, who text, salary text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS
    'BEGIN INSERT INTO staff (id, owner, grade, salary) VALUES ($1, $2, $1, $3); END';
CREATE FUNCTION take_loose(id int, who text) RETURNS void LANGUAGE sql SECURITY DEFINER AS
    'INSERT INTO staff (id, owner, grade, salary) SELECT $1, $2, $1, v FROM loose';
CREATE FUNCTION take_over(id int, who text) RETURNS void LANGUAGE sql SECURITY DEFINER AS
    'UPDATE staff SET owner = $2 WHERE staff.id = $1';
CREATE FUNCTION boss_types() RETURNS void LANGUAGE sql SECURITY DEFINER AS
    $$INSERT INTO loose (id, v) VALUES (50, 'SECRET typed by a function')$$;
CREATE TABLE guarded (id int, owner text, v encrypted_text);
INSERT INTO guarded VALUES (1, 'ann', 'SECRET guarded'), (2, 'mallory', 'mine');
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON guarded USING (owner = current_user OR v = 'nothing');
CREATE TABLE defaulted (id int, v encrypted_text DEFAULT 'SECRET default');
CREATE FUNCTION typed() RETURNS encrypted_text LANGUAGE plpgsql AS $$
DECLARE v encrypted_text := 'SECRET literal'; BEGIN RETURN v; END $$;
ANALYZE;
SQL
value($node, $setup, user => 'boss');
value($node, 'ANALYZE', user => 'postgres');

# What reader finds of others' in what is mallory's: nothing, ever. His rows stay his by every account.
my $planted = q{SELECT 'staff', id::text, salary::text FROM staff WHERE owner <> 'ann' AND concat(salary::text, bonus::text, pay::text) ~ 'SECRET|8675309'
	UNION ALL SELECT 'parted', region, salary FROM parted WHERE owner <> 'ann' AND salary ~ 'SECRET'};
my $faults = join ' UNION ALL ',
  map { "SELECT '$_', \"column\"::text, problem FROM envcrypt_verify('$_') WHERE problem IS NOT NULL" } qw(staff parted);

# attack(NAME, SQL, SQLSTATE or pattern of several, OPTIONS of run_sql): refused with that, or, where that is '', done
# and harmless. Never does he see a secret.
sub attack
{
	my ($name, $sql, $expected, %options) = @_;
	my ($out, $err, $sqlstate) = run_sql($node, $sql, user => 'mallory', %options);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($sqlstate =~ /^(?:$expected)$/ && "$out$err" !~ /SECRET|8675309/, $name)
	  or diag("expected $expected, got $sqlstate: $err$out");
	harmless($name);
	return;
}

sub harmless
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 2;
	my $found = value($node, "$planted UNION ALL $faults", user => 'reader');
	is($found, '', "$name: reader finds nothing planted") or diag($found);
	return;
}

my $none = '42501';
# Armored texts as mallory sees them.
sub seen { return value($node, "SELECT format('%s', $_[0])", user => 'mallory') }
my $salary  = seen('(SELECT salary FROM staff WHERE id = 1)');
my $bonus   = seen('(SELECT bonus FROM staff WHERE id = 2)');
my $loose   = seen('(SELECT v FROM loose WHERE id = 1)');
my $element = seen('(SELECT a[1] FROM loose WHERE id = 1)');
my $pay     = seen('(SELECT pay FROM staff WHERE id = 1)');
my $given   = value($node, q{SET envcrypt.io = ciphertext; SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'defaulted'::regclass}, user => 'mallory');
($given) = $given =~ /(envcrypt1:[^']+)/;
like($_, qr/^envcrypt1:/, 'mallory sees armored text') for $salary, $bonus, $loose, $element, $pay, $given;

# Planting. With what he types himself everything goes.
is(value($node, q{INSERT INTO staff VALUES (3, 'mallory', 3, 'typed', 'typed', 5) RETURNING id; UPDATE staff SET salary = 'typed again' WHERE id = 3;
	DELETE FROM staff WHERE id = 3}, user => 'mallory'), '3', 'mallory may write his own');
my %foreign = (
	"another owner's value"                  => [ 'salary', $salary ],
	'a database-key value'                   => [ 'salary', $loose ],
	'a value of another column of his'       => [ 'salary', $bonus ],
	'an element of an array'                 => [ 'salary', $element ],
	"another owner's number"                 => [ 'pay',    $pay ],
	'a default'                              => [ 'salary', $given ],
);
for my $what (sort keys %foreign)
{
	my ($column, $armored) = @{ $foreign{$what} };
	my $type = $column eq 'pay' ? 'encrypted_numeric' : 'encrypted_text';
	for my $io (qw(auto ciphertext plaintext))
	{
		my $set = "SET envcrypt.io = $io;";
		my $state = $io eq 'ciphertext' ? $none : '22P02';
		attack("$what by INSERT ($io)", "$set INSERT INTO staff (id, owner, grade, $column) VALUES (10, 'mallory', 10, '$armored')", $state);
		attack("$what by UPDATE ($io)", "$set UPDATE staff SET $column = '$armored' WHERE id = 2", $state);
		attack("$what by COPY ($io)", "$set COPY staff (id, owner, grade, $column) FROM stdin;\n10\tmallory\t10\t$armored\n\\.\n", $state);
		attack("$what by ON CONFLICT ($io)",
			"$set INSERT INTO staff (id, owner) VALUES (2, 'mallory') ON CONFLICT (id) DO UPDATE SET $column = '$armored'", $state);
		attack("$what by a prepared statement ($io)",
			"$set PREPARE p ($type) AS UPDATE staff SET $column = \$1 WHERE id = 2; EXECUTE p ('$armored')", $state);
		attack("$what by a parameter of type text ($io)",
			"$set PREPARE p (text) AS UPDATE staff SET $column = \$1" . ($column eq 'pay' ? '::numeric' : '')
				. " WHERE id = 2; EXECUTE p ('$armored')", '22P02');
	}
	local $ENV{PGAPPNAME} = 'pg_restore';
	attack("$what as pg_restore", "INSERT INTO staff (id, owner, grade, $column) VALUES (10, 'mallory', 10, '$armored')", $none);
}
my %from = (
	"another owner's value"            => '(SELECT salary FROM staff WHERE id = 1)',
	'a database-key value'             => '(SELECT v FROM loose WHERE id = 1)',
	'a value of another column of his' => '(SELECT bonus FROM staff WHERE id = 2)',
	'an element of an array'           => '(SELECT a[1] FROM loose WHERE id = 1)',
	'a materialized view'              => '(SELECT salary FROM kept WHERE id = 1)',
	'a view'                           => '(SELECT salary FROM staff_view WHERE id = 1)',
	'a row of a barrier'               => q{(SELECT (json_populate_record(NULL::staff, to_json(s))).salary FROM staff_view s WHERE id = 1)},
);
for my $what (sort keys %from)
{
	my $value = $from{$what};
	my $state = $what =~ /barrier/ ? '42501|22P02' : $none;
	attack("$what by INSERT SELECT", "INSERT INTO staff (id, owner, grade, salary) SELECT 10, 'mallory', 10, $value",
		$state);
	attack("$what by UPDATE from it", "UPDATE staff SET salary = $value WHERE id = 2", $state);
	attack("$what by MERGE", "MERGE INTO staff USING (VALUES (2)) v (id) ON staff.id = v.id WHEN MATCHED THEN UPDATE SET salary = $value", $state);
	attack("$what by MERGE that inserts",
		"MERGE INTO staff USING (VALUES (10)) v (id) ON staff.id = v.id WHEN NOT MATCHED THEN INSERT (id, owner, grade, salary) VALUES (10, 'mallory', 10, $value)", $state);
	attack("$what by ON CONFLICT from it",
		"INSERT INTO staff (id, owner, grade) VALUES (2, 'mallory', 2) ON CONFLICT (id) DO UPDATE SET salary = $value",
		$state);
	attack("$what by a view", "INSERT INTO staff_view (id, owner, grade, salary) SELECT 10, 'mallory', 10, $value",
		$state);
	attack("$what by a barrier", "INSERT INTO barrier (id, owner, salary) SELECT 10, 'mallory', $value", $state);
	attack("$what by an INSTEAD OF trigger", "INSERT INTO instead SELECT 10, 'mallory', $value", $state);
	attack("$what by a rule", "INSERT INTO ruled SELECT 10, 'mallory', $value", $state);
	attack("$what by the owner's function", "SELECT hire(10, 'mallory', $value)", $state);
	attack("$what by the owner's function of text", "SELECT hire_text(10, 'mallory', $value)", $state);
	attack("$what by the owner's function of text, printed", "SELECT hire_text(10, 'mallory', format('%s', $value))",
		'22P02');
	attack("$what by PL/pgSQL", "DO \$\$ DECLARE mine encrypted_text; BEGIN mine := $value; UPDATE staff SET salary = mine WHERE id = 2; END \$\$", $state);
	attack("$what through a partition", "INSERT INTO parted SELECT 's', 'mallory', $value", $state);
	attack("$what sealed by him again", "UPDATE staff SET salary = encrypt_for_user('mallory', $value) WHERE id = 2",
		'42501|22P02');
	attack("$what bound by him", "UPDATE staff SET salary = envcrypt_bind($value, 'mallory', 11) WHERE id = 2", $state);
}
attack("UPDATE of the owner", "UPDATE staff SET owner = 'mallory' WHERE id = 1", $none);
attack("UPDATE of owner and partition", "UPDATE parted SET region = 's', owner = 'mallory' WHERE owner = 'ann'", $none);
attack("ON UPDATE CASCADE", "UPDATE users SET id = 'mallory2' WHERE id = 'ann'", $none);
attack("the owner's function that copies", "SELECT take_loose(10, 'mallory')", $none);
attack("the owner's function that changes owners", "SELECT take_over(1, 'mallory')", $none);
attack("a value that the owner's function typed in this session",
	"SELECT boss_types(); INSERT INTO staff (id, owner, grade, salary) SELECT 10, 'mallory', 10, v FROM loose WHERE id = 50", $none);
attack("a default of the owner's", "INSERT INTO defaulted (id) VALUES (1); INSERT INTO staff (id, owner, grade, salary) SELECT 10, 'mallory', 10, v FROM defaulted", $none);
# Known (docs/threat-model.md): one function of the owner's hands out what it typed, another one stores what it is
# handed.
value($node, q{DELETE FROM loose WHERE id = 50; SELECT boss_types(); SELECT hire(10, 'mallory', (SELECT v FROM loose WHERE id = 50))}, user => 'mallory');
is(value($node, $planted, user => 'reader'), 'staff|10|SECRET typed by a function',
	'two functions of the owner that work together can be used against him');
value($node, 'DELETE FROM staff WHERE id = 10', user => 'boss');
attack("the owner's function handed what it typed in another session",
	"SELECT hire(10, 'mallory', (SELECT v FROM loose WHERE id = 50))", $none);
attack("the owner's function of text handed what it typed",
	"DELETE FROM loose WHERE id = 50; SELECT boss_types(); SELECT hire_text(10, 'mallory', (SELECT v FROM loose WHERE id = 50))", $none);
for my $fit ('encrypted_text(v, 104, true)', 'v::encrypted_text(100)', 'encrypted_text(v, 104, false)')
{
	attack("a type modifier ($fit)", "INSERT INTO staff (id, owner, grade, salary) SELECT 10, 'mallory', 10, $fit FROM loose WHERE id = 1", $none);
	attack("a type modifier of another owner's value ($fit)",
		"INSERT INTO staff (id, owner, grade, salary) SELECT 10, 'mallory', 10, $fit FROM (SELECT salary AS v FROM staff WHERE id = 1) q", $none);
}
attack("a numeric type modifier", "UPDATE staff SET pay = (SELECT pay::encrypted_numeric(20,4) FROM staff WHERE id = 1) WHERE id = 2", $none);
attack("a made-up master key", "SET envcrypt.master_key = '" . ('1' x 64)
	. "'; INSERT INTO staff (id, owner, grade, salary) SELECT 10, 'mallory', 10, v FROM loose", 'ZE001');
attack("a made-up master key, armored", "SET envcrypt.master_key = '" . ('1' x 64)
	. "'; SET envcrypt.io = ciphertext; INSERT INTO staff (id, owner, grade, salary) VALUES (10, 'mallory', 10, '$salary')", 'ZE001|42501');
attack("replication role", "SET session_replication_role = replica", '42501');
attack("another order of columns in COPY BINARY",
	"\\copy (SELECT 10, 'mallory'::text, 10, salary FROM staff WHERE id = 1) TO '$dir/mine' (FORMAT binary)\n\\copy staff (id, owner, grade, salary) FROM '$dir/mine' (FORMAT binary)", $none, set => ['envcrypt.io=ciphertext']);

# His own table, with our trigger and whatever he likes in it.
my $number = 0;
for my $arguments ("'11', 'error', 'text'", "'12', 'error', 'text'", "'0', 'error', 'text'", "'0', 'database', 'text'",
	"'77', 'database', ''")
{
	for my $when ('new.v IS NOT NULL OR new.owner IS NULL', 'new.v IS NOT NULL',
		'new.owner IS NOT NULL OR new.v IS NULL', 'new.v IS NOT NULL OR new.id IS NULL')
	{
		my $table = 'own' . ++$number;
		my ($out, $err) = run_sql($node, qq{CREATE TABLE $table (id int, owner text, v encrypted_text);
			CREATE TRIGGER t BEFORE INSERT OR UPDATE ON $table FOR EACH ROW WHEN ($when) EXECUTE FUNCTION envcrypt_owner_trigger($arguments);
			INSERT INTO $table SELECT id, owner, salary FROM staff WHERE id = 1;
			UPDATE $table SET owner = 'mallory', id = 7;
			UPDATE $table SET owner = 'mallory';
			INSERT INTO $table SELECT 7, 'mallory', salary FROM staff WHERE id = 1;
			INSERT INTO $table SELECT 7, 'mallory', v FROM loose;
			INSERT INTO staff (id, owner, grade, salary) SELECT 10, 'mallory', 10, v FROM $table;
			SELECT * FROM $table}, user => 'mallory');
		unlike("$out$err", qr/SECRET/, "his own table, WHEN ($when), ($arguments)");
		harmless("his own table $number");
		# What got in is still sealed for whom it was sealed for.
		is(value($node, "SELECT count(*) FROM $table WHERE envcrypt_owner(v) = 'mallory' AND v ~ 'SECRET'",
			user => 'reader'), '0', "his own table $number keeps the owner");
	}
}

# A foreign key's action runs with the rights of the table's owner, and so does what he put into its way.
value($node, 'GRANT REFERENCES ON users TO mallory', user => 'boss');
value($node, q{CREATE TABLE child (owner text REFERENCES users ON UPDATE CASCADE ON DELETE SET NULL, v encrypted_text);
	INSERT INTO child VALUES ('other', NULL);
	CREATE TABLE child_copy (id int, owner text, v encrypted_text);
	CREATE TRIGGER t BEFORE INSERT OR UPDATE ON child_copy FOR EACH ROW WHEN (new.v IS NOT NULL OR new.owner IS NULL)
		EXECUTE FUNCTION envcrypt_owner_trigger('11', 'error', 'text');
	CREATE FUNCTION in_the_way() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		RAISE NOTICE 'runs as %', current_user;
		BEGIN INSERT INTO child_copy SELECT 1, 'mallory', salary FROM staff WHERE id = 1; EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%', SQLERRM; END;
		BEGIN INSERT INTO staff (id, owner, grade, salary) SELECT 10, 'mallory', 10, salary FROM staff WHERE id = 1; EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%', SQLERRM; END;
		BEGIN INSERT INTO texts SELECT owner, salary FROM staff WHERE id = 1; EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%', SQLERRM; END;
		RETURN new;
	END $$;
	CREATE TRIGGER in_the_way BEFORE UPDATE ON child FOR EACH ROW EXECUTE FUNCTION in_the_way()}, user => 'mallory');
{
	my ($out, $err) = run_sql($node, q{UPDATE users SET id = 'other2' WHERE id = 'other'; DELETE FROM users WHERE id = 'other2'}, user => 'boss');
	like($err, qr/runs as mallory.*runs as mallory/s, 'his trigger ran in two actions of a foreign key');
	unlike("$out$err", qr/SECRET/, 'it learned nothing');
	is(value($node, q{SELECT (SELECT count(*) FROM child_copy WHERE v ~ 'SECRET') + (SELECT count(*) FROM staff WHERE owner = 'mallory' AND salary ~ 'SECRET')
		+ (SELECT count(*) FROM texts WHERE t ~ 'SECRET')}, user => 'postgres', set => ['role=reader']), '0',
			'and planted nothing');
	harmless('a trigger in the way of a foreign key');
}

# A pooled session. What one role left in transit is nothing that another can pass off as his, nor the next client.
my $session = session($node, user => 'pool');
ask($session, 'SET ROLE boss');
ask($session, q{INSERT INTO loose (id, v) VALUES (60, 'SECRET of a pool')});
ask($session, q{CREATE TEMP TABLE left_here AS SELECT 'SECRET temp'::encrypted_text AS v; GRANT ALL ON left_here TO mallory});
ask($session, 'PREPARE p AS SELECT salary::text FROM staff WHERE id = 1');
ask($session, 'PREPARE s AS SELECT salary FROM staff WHERE id = 1');
like(ask($session, 'EXECUTE p'), qr/SECRET/, 'boss opens');
ask($session, 'SELECT typed()');
ask($session, 'BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT salary FROM staff WHERE id = 1; COMMIT');
ask($session, 'SET ROLE mallory');
ask_fails($session, $_->[1], $none, qr/permission denied/, "pooled session: $_->[0]") for
  [ 'from a table',            q{INSERT INTO staff (id, owner, grade, salary) SELECT 10, 'mallory', 10, v FROM loose WHERE id = 60} ],
  [ 'from a temporary table',  q{INSERT INTO staff (id, owner, grade, salary) SELECT 10, 'mallory', 10, v FROM left_here} ],
  [ 'a prepared statement',    'EXECUTE p' ],
  [ 'opening',                 'SELECT v::text FROM left_here' ];
unlike(ask($session, $_), qr/SECRET/, "pooled session sees armored text: $_") for 'EXECUTE s', 'FETCH c',
	'SELECT v FROM left_here', 'SELECT typed()';
harmless('pooled session');
# A cursor that is open while the role changes.
ask($session, 'SET ROLE boss');
ask($session, 'BEGIN');
ask($session, 'DECLARE o CURSOR FOR SELECT salary::text FROM staff WHERE id = 1');
ask($session, 'SET LOCAL ROLE mallory');
ask_fails($session, 'FETCH o', $none, qr/permission denied/, 'a cursor opens for the role of the FETCH');
ask($session, 'ROLLBACK');
# What boss has opened stays his, also while mallory holds a key that he made up.
for my $query ('SELECT id FROM staff ORDER BY salary', 'SELECT id FROM staff WHERE salary *< bonus',
	'SELECT count(*) FROM (SELECT DISTINCT salary, bonus FROM staff) q',
	'SELECT salary::text FROM staff', q{SELECT id FROM staff WHERE salary = 'x'})
{
	ask($session, 'SET ROLE boss');
	ask($session, $query);
	ask($session, 'SET ROLE mallory');
	ask_fails($session, $query, $none, qr/permission denied to open/, "pooled session, after boss: $query");
	ask($session, "SET envcrypt.master_key = '" . ('1' x 64) . "'");
	ask_fails($session, $query, 'ZE001', qr/not registered/, "pooled session, with a made-up key: $query");
	ask($session, 'RESET envcrypt.master_key');
}
# The next client of the same role, after the pool's DISCARD ALL.
ask($session, 'SET ROLE mallory');
ask($session, q{INSERT INTO loose (id, v) VALUES (61, 'SECRET of the client before')});
my $armored = ask($session, 'SELECT v FROM loose WHERE id = 61');
ask($session, 'DISCARD ALL');
ask($session, 'SET ROLE mallory');
ask_fails($session, q{INSERT INTO staff (id, owner, grade, salary) SELECT 10, 'mallory', 10, v FROM loose WHERE id = 61}, $none, qr/permission denied|sealed for/, 'the next client of a pooled session');
ask($session, 'SET envcrypt.io = ciphertext');
ask_fails($session, "INSERT INTO staff (id, owner, grade, salary) VALUES (10, 'mallory', 10, '$armored')", $none, qr/./,
	'the next client with armored text');
harmless('next client');
$session->quit;

# Learning. He makes functions, operators, casts and types of his own, and has errors, plans and statistics talk.
value($node, <<'SQL', user => 'mallory');
CREATE FUNCTION leak(anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS 'BEGIN RAISE NOTICE ''leak: %'', $1; RETURN true; END';
CREATE FUNCTION leak_sealed(encrypted_text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS 'BEGIN RAISE NOTICE ''leak: %'', $1; RETURN true; END';
CREATE FUNCTION leak_text(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS 'BEGIN RAISE NOTICE ''leak: %'', $1; RETURN true; END';
CREATE FUNCTION fixed(encrypted_text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1; END';
CREATE FUNCTION compare_leak(encrypted_text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE NOTICE ''leak: %'', $1; RETURN true; END';
CREATE DOMAIN nosy AS encrypted_text CHECK (leak_sealed(VALUE::encrypted_text));
CREATE DOMAIN nosy_text AS text CHECK (leak_text(VALUE));
CREATE TYPE pair AS (a encrypted_text, b text);
CREATE TYPE text_pair AS (a text, b text);
CREATE AGGREGATE first (encrypted_text) (SFUNC = array_append, STYPE = encrypted_text[], INITCOND = '{}');
SQL
attack('CREATE OPERATOR', 'CREATE OPERATOR <<<< (LEFTARG = encrypted_text, RIGHTARG = text, FUNCTION = compare_leak)',
	'42501');
value($node, 'CREATE OPERATOR <<<< (LEFTARG = encrypted_text, RIGHTARG = text, FUNCTION = compare_leak)');
attack("CREATE CAST $_", "CREATE CAST (encrypted_text AS $_", '42501|42P17|42809|0A000|42P16|42710')
  for 'int4) WITH FUNCTION fixed(encrypted_text)', 'bytea) WITHOUT FUNCTION', 'json) WITH INOUT';
attack('CREATE TYPE', 'CREATE FUNCTION mine_in(cstring) RETURNS mine LANGUAGE internal IMMUTABLE STRICT AS \'textin\'',
	'42501');
for my $sql (
	'SELECT * FROM staff', 'SELECT * FROM staff_view', 'SELECT * FROM barrier', 'SELECT * FROM kept',
		'SELECT * FROM parted',
	'SELECT * FROM barrier WHERE leak(salary)', 'SELECT * FROM barrier WHERE leak_sealed(salary)',
		'SELECT * FROM guarded WHERE leak(owner)',
	q{SELECT * FROM barrier WHERE salary <<<< 'x'},
	'SELECT format(\'%s %L\', salary, pay) FROM staff', 'SELECT concat(salary, pay) FROM staff',
		'SELECT row_to_json(s) FROM (SELECT salary, bonus FROM staff) s',
	'SELECT to_json(salary) FROM staff', 'SELECT to_jsonb(salary) FROM staff', 'SELECT jsonb_agg(salary) FROM staff',
		'SELECT json_object_agg(id, salary) FROM staff',
	'SELECT array_agg(salary)::text FROM staff', 'SELECT s::text FROM staff s', 'SELECT hstore(s) FROM staff s',
		'SELECT first(salary) FROM staff',
	'SELECT ROW(salary)::pair FROM staff', 'SELECT (ROW(salary, note)::text_pair).a FROM staff',
		'SELECT salary::nosy FROM staff', 'SELECT salary::nosy_text FROM staff',
	'SELECT salary::text FROM staff', 'SELECT salary::varchar FROM staff', 'SELECT salary::name FROM staff',
		'SELECT salary::bytea FROM staff', 'SELECT salary::int FROM staff',
	'SELECT salary::regclass FROM staff', 'SELECT salary::jsonb FROM staff', 'SELECT salary::xml FROM staff',
		'SELECT pay::int FROM staff', 'SELECT pay + 1 FROM staff', 'SELECT sum(pay) FROM staff',
	'SELECT pay::text FROM staff', 'SELECT to_json(pay) FROM staff', 'SELECT numeric_send(pay) FROM staff',
		'SELECT textsend(salary) FROM staff', 'SELECT encrypted_text_send(salary) FROM staff',
	'SELECT encrypted_text_out(salary) FROM staff', 'SELECT envcrypt_open(salary) FROM staff',
		q{SELECT decrypt_for_user('ann', salary) FROM staff},
	q{SELECT envcrypt_check(salary, 'ann', 11) FROM staff}, q{SELECT * FROM envcrypt_verify('staff')},
		'SELECT envcrypt_owner(salary) FROM staff', 'SELECT fixed(salary) FROM staff',
	'SELECT length(salary), md5(salary) FROM staff', q{SELECT salary LIKE 'S%' FROM staff},
		q{SELECT id FROM staff WHERE salary = 'SECR' || 'ET salary'},
	'SELECT max(salary) FROM staff', 'SELECT salary FROM staff, generate_series(1, 2) ORDER BY salary',
		'SELECT DISTINCT salary FROM staff', 'SELECT salary, count(*) FROM staff GROUP BY salary',
	'SELECT s.id FROM staff s JOIN staff t USING (salary)', 'SELECT salary FROM staff UNION SELECT bonus FROM staff',
		'SELECT lag(salary) OVER (PARTITION BY bonus ORDER BY salary) FROM staff',
	'SELECT id FROM staff WHERE salary IN (SELECT bonus FROM staff)',
		'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY salary) FROM staff', 'SELECT * FROM opening',
		'SELECT * FROM guarded',
	'SELECT typed()', 'SELECT typed()::text', 'SELECT width_bucket(pay, 0, 10, 2) FROM staff',
		'SELECT string_agg(salary, \',\') FROM staff', 'SELECT xmlelement(name a, salary) FROM staff',
	q{SELECT query_to_xml('SELECT salary FROM staff', true, true, '')}, 'SELECT xmlforest(salary) FROM staff',
		q{SELECT table_to_xml('staff', true, false, '')},
	q{EXPLAIN (VERBOSE, ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT salary FROM staff},
		q{EXPLAIN (VERBOSE) SELECT * FROM staff WHERE salary = bonus},
		'EXPLAIN (VERBOSE) INSERT INTO defaulted (id) VALUES (1)',
	q{EXPLAIN (VERBOSE, ANALYZE) UPDATE staff SET note = format('%s', salary) WHERE id = 2}, 'SELECT * FROM pg_stats',
		q{SELECT count(*) FROM pg_statistic}, 'SELECT * FROM pg_stats_ext_exprs',
	q{SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef}, q{SELECT adbin::text FROM pg_attrdef},
		'SELECT * FROM pg_prepared_statements', 'SELECT query FROM pg_stat_activity',
	'COPY staff TO stdout', 'COPY (SELECT salary, pay FROM staff) TO stdout (FORMAT csv)',
		'COPY (SELECT salary, pay FROM staff) TO stdout (FORMAT binary)',
	'UPDATE staff SET note = salary WHERE id = 1', 'UPDATE staff SET note = salary::text WHERE id = 1 RETURNING note',
		q{INSERT INTO texts SELECT owner, salary FROM staff RETURNING t},
	'UPDATE staff SET grade = grade RETURNING *', 'DELETE FROM texts RETURNING *',
		'INSERT INTO defaulted (id) VALUES (2) RETURNING v',
		q{INSERT INTO staff VALUES (1, 'ann', 1) ON CONFLICT (id) DO UPDATE SET grade = 1 RETURNING staff.*},
	'UPDATE staff SET grade = -1 WHERE id = 1', q{UPDATE staff SET grade = 2, owner = 'mallory' WHERE id = 1},
		'UPDATE staff SET id = 1', q{INSERT INTO staff SELECT * FROM staff},
		'UPDATE staff SET owner = NULL WHERE id = 1',
	q{UPDATE staff SET salary = 'x'::text::encrypted_text || 1 WHERE id = 1}, q{UPDATE loose SET n = v::text::numeric},
		q{UPDATE loose SET a[2] = v WHERE id = 1 RETURNING a},
	q{SELECT lo_from_bytea(0, salary::text::bytea) FROM staff},
		q{SELECT convert_from(lo_get(lo_from_bytea(0, encrypted_text_send(salary))), 'latin1') FROM staff},
	q{DO $$ DECLARE t text; BEGIN SELECT salary INTO t FROM staff WHERE id = 1; RAISE NOTICE '%', t; END $$},
	q{DO $$ DECLARE r record; BEGIN SELECT * INTO r FROM staff WHERE id = 1; RAISE NOTICE '%', r; PERFORM 1 / (length(r.salary) - length(r.salary)); END $$},
	q{DO $$ BEGIN PERFORM salary::text::int FROM staff; EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%', SQLERRM; END $$},
	q{CREATE TABLE my_copy AS SELECT salary::text FROM staff},
		q{CREATE TABLE my_sealed AS SELECT salary, pay FROM staff; SELECT * FROM my_sealed},
		q{SELECT salary::text INTO my_copy FROM staff},
	q{ALTER TABLE my_sealed ALTER salary TYPE text},
		q{ALTER TABLE my_sealed ALTER salary TYPE text USING format('%s', salary)},
		q{ALTER TABLE my_sealed ADD o text GENERATED ALWAYS AS (fixed(salary::encrypted_text)) STORED; SELECT o FROM my_sealed},
	q{CREATE MATERIALIZED VIEW my_kept AS SELECT salary::text FROM staff},
		q{CREATE MATERIALIZED VIEW my_opening AS SELECT upper(salary) FROM staff WITH NO DATA},
	q{CREATE TABLE my_index (v encrypted_text); INSERT INTO my_index SELECT salary FROM staff; CREATE INDEX ON my_index (fixed(v)); SELECT reltuples FROM pg_class WHERE relname = 'my_index'},
	q{CREATE STATISTICS my_stats ON fixed(v), length(v) FROM my_index},
		q{ALTER TABLE my_index ADD CHECK (leak_sealed(v))}, q{ALTER TABLE my_index ADD CHECK (v <> 'x')},
		q{ALTER TABLE my_index ADD PRIMARY KEY (v)},
	q{CREATE TABLE my_parts (v encrypted_text) PARTITION BY LIST (v)}, 'ANALYZE my_index',
		q{SELECT * FROM pg_stats WHERE tablename LIKE 'my%'}, 'CLUSTER my_index', 'VACUUM my_index',
	q{SET plpgsql.extra_errors = 'all'; SET debug_print_plan = on; SET client_min_messages = debug5; SELECT salary FROM staff},
	q{SET log_statement_stats = on; SELECT salary FROM staff}, q{SET envcrypt.io = plaintext; SELECT salary FROM staff},
		q{SET envcrypt.io = plaintext; COPY staff TO stdout},
	"SET envcrypt.master_key = '" . ('1' x 64) . q{'; SELECT salary FROM staff}, "SET envcrypt.master_key = '"
		. ('1' x 64) . q{'; SELECT * FROM opening},
	'CREATE EXTENSION pageinspect', q{SELECT pg_read_file('postgresql.conf')}, 'LISTEN x', q{SELECT dblink('x', 'y')},
		q{SELECT * FROM envcrypt_data_keys}, q{SELECT * FROM envcrypt_master_keys},
	q{SELECT envcrypt_make_managed_key('x')}, q{SELECT envcrypt_manage_owners('texts', 'owner')})
{
	my ($out, $err) = run_sql($node, $sql, user => 'mallory');
	unlike("$out$err", qr/SECRET (?!de|sa\S*' \|\|)|8675309/, "learns nothing: $sql") or diag("$out$err");
}
harmless('learning');

# What others do with his things does it as him.
value($node, 'ALTER DEFAULT PRIVILEGES FOR ROLE mallory GRANT ALL ON TABLES TO PUBLIC', user => 'postgres');
fails($node, 'REFRESH MATERIALIZED VIEW my_opening', $none, qr/permission denied to open/,
	'his materialized view is refreshed as him', user => 'postgres');
{
	my ($ignored, $err) = run_sql($node, 'GRANT envcrypt_decrypt, envcrypt_encrypt TO postgres; REFRESH MATERIALIZED VIEW my_opening', user => 'postgres');
	like($err, qr/permission denied to open/, 'also by a superuser who may open');
	($ignored, $err) = run_sql($node, 'REINDEX TABLE my_index; ANALYZE my_index; VACUUM FULL my_index',
		user => 'postgres');
	unlike($err, qr/SECRET/, 'his indexes are built as him');
}
is(value($node, q{SET envcrypt.io = ciphertext; SELECT count(*) FROM pg_statistic WHERE concat(stavalues1::text, stavalues2::text, stavalues3::text, stavalues4::text, stavalues5::text) ~ 'SECRET|8675309'}, user => 'postgres'),
	'0', 'statistics hold no value');
is(value($node, q{SELECT count(*) FROM texts WHERE t ~ 'SECRET'}, user => 'reader'), '0', 'no plaintext was stored');

# Nothing of all that is in the server log, where what failed was written.
my $log = slurp_file($node->logfile);
unlike($log, qr/SECRET (salary|bonus|parted|loose|element|guarded|temp|of|literal)|8675309/,
	'the log has no plaintext');
like($log, qr/permission denied to open/, 'the log has the errors');

$node->stop;
done_testing();
