# What depends on a column is after envcrypt_protect() and after envcrypt_protect_online() the same, and after
# envcrypt_unprotect() what it was: one schema that has everything, three times.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key  = new_master_key();
my $node = new_server('dependents', conf => "envcrypt.master_key_file = '" . key_file($key) . "'\nwal_level = logical");
value($node, <<'SQL');
SELECT envcrypt_rotate_master();
GRANT CREATE ON DATABASE postgres TO clerk;
CREATE EXTENSION citext;
ALTER ROLE clerk IN DATABASE postgres SET client_min_messages = error;
SQL

my $schema = <<'SQL';
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';

-- Partitions, one with another order of columns, one with partitions of its own.
CREATE TABLE part (id int NOT NULL, owner int, v text DEFAULT 'nothing', w int, at date,
	CONSTRAINT short CHECK (length(v) < 1000), CONSTRAINT named CHECK (v IS NOT NULL)) PARTITION BY RANGE (at);
CREATE TABLE part_1 (gone int, at date, w int, v text DEFAULT 'first', owner int, id int NOT NULL,
	CONSTRAINT short CHECK (length(v) < 1000), CONSTRAINT named CHECK (v IS NOT NULL), CONSTRAINT own CHECK (v <> 'not here') NOT VALID);
ALTER TABLE part_1 DROP gone;
ALTER TABLE part ATTACH PARTITION part_1 FOR VALUES FROM ('2000-01-01') TO ('2001-01-01');
CREATE TABLE part_2 PARTITION OF part (v DEFAULT NULL) FOR VALUES FROM ('2001-01-01') TO ('2002-01-01');
CREATE TABLE part_3 PARTITION OF part FOR VALUES FROM ('2002-01-01') TO ('2003-01-01') PARTITION BY LIST (w);
CREATE TABLE part_31 PARTITION OF part_3 DEFAULT;
COMMENT ON CONSTRAINT short ON part IS 'short, for a "reason"';
COMMENT ON CONSTRAINT short ON part_1 IS 'of a partition';
COMMENT ON COLUMN part.v IS 'its column';
COMMENT ON COLUMN part_1.v IS 'of a partition';
CREATE TRIGGER t_all AFTER INSERT OR UPDATE OF v, w ON part FOR EACH ROW WHEN (new.v <> 'x') EXECUTE FUNCTION touched();
CREATE TRIGGER t_off BEFORE UPDATE ON part FOR EACH ROW WHEN (new.v IS DISTINCT FROM old.v) EXECUTE FUNCTION touched('an argument');
CREATE TRIGGER t_statement AFTER UPDATE OF v ON part FOR EACH STATEMENT EXECUTE FUNCTION touched();
CREATE TRIGGER t_own BEFORE UPDATE OF v ON part_1 FOR EACH ROW EXECUTE FUNCTION touched();
CREATE TRIGGER t_untouched AFTER UPDATE OF w ON part FOR EACH ROW EXECUTE FUNCTION touched();
ALTER TABLE part DISABLE TRIGGER t_off;
ALTER TABLE part_2 ENABLE TRIGGER t_off;
ALTER TABLE part_1 DISABLE TRIGGER t_all;
ALTER TABLE part_2 ENABLE REPLICA TRIGGER t_all;
ALTER TABLE part_31 ENABLE ALWAYS TRIGGER t_all;
ALTER TABLE part_1 DISABLE TRIGGER t_own;
ALTER TABLE part ENABLE REPLICA TRIGGER t_statement;
COMMENT ON TRIGGER t_all ON part IS 'all';
COMMENT ON TRIGGER t_all ON part_1 IS 'of a partition';
COMMENT ON TRIGGER t_own ON part_1 IS 'own';
ALTER TRIGGER t_all ON part DEPENDS ON EXTENSION citext;
ALTER TRIGGER t_all ON part_2 DEPENDS ON EXTENSION citext;
ALTER TRIGGER t_own ON part_1 DEPENDS ON EXTENSION citext;

-- A table and those that inherit from it, with columns and constraints of their own.
CREATE TABLE base (id int PRIMARY KEY, owner int NOT NULL, v varchar(40) COLLATE "C" NOT NULL DEFAULT 'base', w int, free text);
CREATE TABLE child (more int) INHERITS (base);
CREATE TABLE own (id int NOT NULL, owner int NOT NULL, v varchar(40) COLLATE "C" NOT NULL DEFAULT 'own', w int, free text, x int);
ALTER TABLE own INHERIT base;
CREATE TABLE grandchild (y int) INHERITS (own);
CREATE SEQUENCE numbers OWNED BY base.free;
ALTER TABLE child ALTER v SET DEFAULT 'child', ALTER v SET COMPRESSION pglz;
ALTER TABLE own ALTER v DROP DEFAULT, ALTER v SET COMPRESSION pglz;
ALTER TABLE grandchild ALTER v SET COMPRESSION pglz;
ALTER TABLE base ALTER v SET STORAGE EXTERNAL, ALTER v SET COMPRESSION pglz, ALTER free SET DEFAULT nextval('numbers')::text;
ALTER TABLE own ADD CONSTRAINT pair CHECK (v <> 'both' AND w > 0);
ALTER TABLE base ADD CONSTRAINT pair CHECK (v <> 'both' AND w > 0);
ALTER TABLE base ADD CONSTRAINT only_base CHECK (v <> 'base only') NO INHERIT;
ALTER TABLE base ADD CONSTRAINT later CHECK (v <> '(v)::text') NOT VALID;
ALTER TABLE base ADD CONSTRAINT untouched CHECK (w < 100000);
ALTER TABLE child ADD CONSTRAINT of_child CHECK (v || free <> '');
COMMENT ON CONSTRAINT pair ON base IS 'both';
COMMENT ON CONSTRAINT pair ON own IS 'own';
COMMENT ON CONSTRAINT later ON base IS 'one day';
COMMENT ON CONSTRAINT of_child ON child IS 'of a child';
ALTER TABLE base ALTER v SET STATISTICS 77, ALTER v SET (n_distinct = 7, n_distinct_inherited = -0.5);
ALTER TABLE ONLY own ALTER v SET STATISTICS 5;
ALTER TABLE ONLY child ALTER v SET (n_distinct = 3);
COMMENT ON COLUMN base.v IS 'base''s';
COMMENT ON COLUMN own.v IS 'own''s';
GRANT SELECT (v), UPDATE (v, w) ON base TO reader;
GRANT SELECT (v, w), REFERENCES (v) ON base TO writer WITH GRANT OPTION;
GRANT SELECT (v) ON base TO PUBLIC;
GRANT INSERT (v, id) ON own TO nobody;
CREATE CONSTRAINT TRIGGER deferred AFTER UPDATE OF v ON base DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION touched();
ALTER TABLE base DISABLE TRIGGER deferred;
CREATE TRIGGER of_own BEFORE INSERT ON own FOR EACH ROW WHEN (new.v <> '') EXECUTE FUNCTION touched();
ALTER TABLE own ENABLE ALWAYS TRIGGER of_own;
ALTER TABLE base ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON base AS RESTRICTIVE FOR UPDATE TO reader, writer USING (v = CURRENT_USER) WITH CHECK (v <> '' AND w > 1);
CREATE POLICY everybody ON base FOR SELECT USING (v = 'public');
CREATE POLICY untouched ON base FOR INSERT WITH CHECK (w > 1);
COMMENT ON POLICY mine ON base IS 'one''s own';
CREATE TABLE other (id int);
ALTER TABLE other ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY looks ON other FOR ALL TO nobody USING (EXISTS (SELECT FROM base b WHERE b.v = 'seen' AND b.id = other.id));
COMMENT ON POLICY looks ON other IS 'looks at another table';
CREATE STATISTICS kinds (ndistinct, mcv) ON v, w FROM base;
CREATE STATISTICS of_own ON w, v FROM own;
ALTER STATISTICS kinds SET STATISTICS 50;
COMMENT ON STATISTICS kinds IS 'of kinds';
ALTER TABLE base REPLICA IDENTITY USING INDEX base_pkey;
ALTER TABLE part REPLICA IDENTITY FULL;
ALTER TABLE part_1 REPLICA IDENTITY FULL;
ALTER TABLE part_2 REPLICA IDENTITY FULL;
ALTER TABLE part_3 REPLICA IDENTITY FULL;
ALTER TABLE part_31 REPLICA IDENTITY FULL;
ALTER TABLE child REPLICA IDENTITY FULL;
ALTER TABLE own ADD PRIMARY KEY (id), REPLICA IDENTITY DEFAULT;
ALTER TABLE grandchild REPLICA IDENTITY FULL;
CREATE INDEX by_w ON base (w);

INSERT INTO part SELECT i, i % 7, 'value ' || i, i, date '2000-06-01' + i * 30 FROM generate_series(1, 30) i;
INSERT INTO base SELECT i, i % 7, 'value ' || i, i FROM generate_series(1, 10) i;
INSERT INTO child SELECT 100 + i, i % 7, 'value ' || i, i FROM generate_series(1, 10) i;
INSERT INTO own SELECT 200 + i, i % 7, 'value ' || i, i FROM generate_series(1, 10) i;
INSERT INTO grandchild SELECT 300 + i, i % 7, 'value ' || i, i FROM generate_series(1, 10) i;
SQL

for my $name (qw(whole online))
{
	value($node, "CREATE SCHEMA $name; SET search_path = $name, public; $schema", user => 'clerk');
	value($node, "CREATE PUBLICATION ${name}_all FOR TABLE $name.part, $name.base; CREATE PUBLICATION ${name}_list FOR TABLE $name.other, ONLY $name.own (id, owner, w)
		WHERE (id > 0); GRANT CREATE ON SCHEMA $name TO reader; ALTER STATISTICS $name.of_own OWNER TO reader; GRANT reader TO clerk");
}

# catalogs(SCHEMA): all that the catalogs say of a schema's tables, one line each, without the columns' order, OIDs and
# the numbers of protected columns. Owner triggers' arguments are kept.
sub catalogs
{
	my ($name) = @_;
	my $lines = value($node, <<"SQL");
SET search_path = $name, public;
WITH rel AS (SELECT * FROM pg_class WHERE relnamespace = '$name'::regnamespace AND relkind IN ('r', 'p'))
SELECT format('column %s.%s: %s collation %s not null %s local %s parents %s statistics %s options %s storage %s compression %s identity %s default %s comment %s rights %s', r.relname, a.attname,
	format_type(a.atttypid, a.atttypmod), a.attcollation, a.attnotnull, a.attislocal, a.attinhcount, a.attstattarget,
	(SELECT string_agg(x, ' ' ORDER BY x) FROM unnest(a.attoptions) x WHERE x ~ '^n_distinct'), a.attstorage, a.attcompression, a.attidentity,
	pg_get_expr(d.adbin, d.adrelid), col_description(r.oid, a.attnum), (SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM unnest(a.attacl) x))
FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
UNION ALL SELECT format('constraint %s.%s: %s local %s parents %s comment %s', r.relname, c.conname, pg_get_constraintdef(c.oid), c.conislocal, c.coninhcount, obj_description(c.oid, 'pg_constraint'))
FROM rel r JOIN pg_constraint c ON c.conrelid = r.oid
UNION ALL SELECT format('trigger %s.%s: %s state %s copy of %s deferrable %s %s comment %s needs %s', r.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled, (SELECT p.tgrelid::regclass FROM pg_trigger p WHERE p.oid = t.tgparentid),
	t.tgdeferrable, t.tginitdeferred, obj_description(t.oid, 'pg_trigger'),
	(SELECT string_agg(e.extname, ' ') FROM pg_depend x JOIN pg_extension e ON e.oid = x.refobjid WHERE x.classid = 'pg_trigger'::regclass AND x.objid = t.oid AND x.deptype = 'x'))
FROM rel r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
UNION ALL SELECT format('policy %s.%s: %s %s to %s using %s check %s comment %s', r.relname, p.polname, p.polcmd, p.polpermissive, (SELECT string_agg(CASE x WHEN 0 THEN 'public' ELSE pg_get_userbyid(x)::text END, ' ' ORDER BY x) FROM unnest(p.polroles) x),
	pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid), obj_description(p.oid, 'pg_policy'))
FROM rel r JOIN pg_policy p ON p.polrelid = r.oid
UNION ALL SELECT format('statistics %s: %s owner %s target %s comment %s columns %s', s.stxname, regexp_replace(pg_get_statisticsobjdef(s.oid), ' ON .* FROM ', ' FROM '), pg_get_userbyid(s.stxowner), s.stxstattarget, obj_description(s.oid, 'pg_statistic_ext'),
	(SELECT string_agg(a.attname, ' ' ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum = ANY (s.stxkeys::int2[])))
FROM rel r JOIN pg_statistic_ext s ON s.stxrelid = r.oid
UNION ALL SELECT format('index %s: %s', x.indexrelid::regclass, pg_get_indexdef(x.indexrelid)) FROM rel r JOIN pg_index x ON x.indrelid = r.oid
UNION ALL SELECT format('table %s: identity %s security %s %s rights %s', relname, relreplident, relrowsecurity, relforcerowsecurity, relacl) FROM rel
UNION ALL SELECT format('publication %s: %s columns %s where %s', regexp_replace(b.pubname, '.*_', ''), r.relname, (SELECT string_agg(a.attname, ' ' ORDER BY a.attname) FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum = ANY (p.prattrs::int2[])),
	pg_get_expr(p.prqual, p.prrelid)) FROM rel r JOIN pg_publication_rel p ON p.prrelid = r.oid JOIN pg_publication b ON b.oid = p.prpubid
UNION ALL SELECT format('sequence %s: of %s.%s', s.relname, d.refobjid::regclass, a.attname) FROM pg_class s JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.deptype = 'a'
	JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE s.relkind = 'S' AND s.relnamespace = '$name'::regnamespace
UNION ALL SELECT format('inheritance %s of %s', i.inhrelid::regclass, i.inhparent::regclass) FROM rel r JOIN pg_inherits i ON i.inhrelid = r.oid
ORDER BY 1
SQL
	$lines =~ s/\b$name\b/SCHEMA/g;
	my %numbers;
	$lines =~ s/~envcrypt_(\d+)/$numbers{$1} = 1; '~envcrypt_N'/ge;
	$lines =~ s/owner_trigger\('\d+'/owner_trigger('N'/g;
	$lines =~ s/'envcrypt1:[^']*'/'sealed'/g;
	return join("\n", sort split(/\n/, $lines)) . "\n";
}

# One test; shows the lines that differ.
sub same
{
	my ($got, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return pass($name) if $got eq $expected;
	my %got = map { $_ => 1 } split(/\n/, $got);
	my %expected = map { $_ => 1 } split(/\n/, $expected);
	fail($name);
	diag(map { "missing: $_\n" } grep { !$got{$_} } sort keys %expected);
	diag(map { "added:   $_\n" } grep { !$expected{$_} } sort keys %got);
	return;
}

my $before = catalogs('whole');
same(catalogs('online'), $before, 'both schemas are the same before');
my @columns = (['part', 'v'], ['base', 'v'], ['base', 'free']);
for (@columns)
{
	my ($table, $column) = @$_;
	value($node, "SELECT envcrypt_protect('whole.$table', '$column', 'owner')", user => 'clerk');
	value($node, "CALL envcrypt_protect_online('online.$table', '$column', 'owner')", user => 'clerk');
	same(catalogs('online'), catalogs('whole'),
		"$table.$column: after envcrypt_protect() and envcrypt_protect_online(), everything is the same");
}
my $protected = catalogs('whole');
like($protected, qr/^trigger part_1\.t_all: .* state D copy of part .* comment of a partition/m,
	'a trigger that is disabled on a partition stays so');
like($protected, qr/^trigger part_2\.t_all: .* state R .* needs citext$/m, 'and keeps what it depends on');
my $rows = q{SELECT 'part', id, owner, v::text, w FROM part UNION ALL SELECT tableoid::regclass::text, id, owner, v::text || free::text, w FROM base ORDER BY 1, 2};
is(value($node, "SET search_path = online; $rows", user => 'clerk'), value($node, "SET search_path = whole; $rows",
	user => 'clerk'), 'and so are the values');
for my $name (qw(whole online))
{
	value($node, "SELECT envcrypt_unprotect('$name.$_->[0]', '$_->[1]')", user => 'clerk') for @columns;
	same(catalogs($name), $before, "$name: after envcrypt_unprotect() everything is as it was");
}

# Cancelled, nothing is left, in tables with columns of their own, too.
value($node, q{SELECT envcrypt_online_attempt('prepare', 'online.base', 'v', 'owner', 'error', '10 s', 0)},
	user => 'clerk');
value($node, q{CALL envcrypt_protect_online_cancel('online.base', 'v')}, user => 'clerk');
same(catalogs('online'), $before, 'after envcrypt_protect_online_cancel() everything is as it was');

# Where the session speaks ciphertext, the literals in defaults and constraints are plaintext all the same.
value($node, q{SET envcrypt.io = ciphertext; CALL envcrypt_protect_online('online.part', 'v', 'owner')},
	user => 'clerk');
value($node, q{SELECT envcrypt_unprotect('online.part', 'v')}, user => 'clerk');
same(catalogs('online'), $before, 'in a session that speaks ciphertext, too');

done_testing();
