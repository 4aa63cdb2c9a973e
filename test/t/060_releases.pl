# Upgrades: every released version (sql/releases), installed and updated to this one, leaves the same catalogs as a
# fresh install: members, definitions, rights, comments, dependencies, and the types that users made. Where nothing has
# been released, a copy of this version under an older number, and changed copies, show that the comparison sees
# differences.
use strict;
use warnings;
use EnvcryptTest;
use File::Basename;
use File::Copy;
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = dirname(__FILE__) . '/../..';
my ($version) = slurp_file("$source/envcrypt.control") =~ /^default_version = '(.*)'/m;
my $same      = '0.0.9';
my $different = '0.0.8';

# Older scripts are not installed: a server of ours finds them in another place, before the installed ones. That is
# PostgreSQL 18's extension_control_path, and extension_destdir of Debian's servers.
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--locale=C', '--encoding=UTF8' ]);
my $place     = PostgreSQL::Test::Utils::tempdir() . '/place';
my $installed = $node->config_data('--sharedir') . '/extension';
my ($setting, $scripts);

sub has_setting
{
	my ($name) = @_;
	return IPC::Run::run([ 'postgres', '-D', $node->data_dir, '-C', $name ], '>', \my $shown, '2>', \my $error);
}
if (has_setting('extension_control_path'))
{
	($setting, $scripts) = ("extension_control_path = '$place:\$system'", "$place/extension");
}
elsif (has_setting('extension_destdir'))
{
	($setting, $scripts) = ("extension_destdir = '$place'", "$place$installed");
}
else
{
	plan skip_all => 'this PostgreSQL finds extensions in one place only';
}
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'envcrypt'\n$setting\n");
make_path($scripts);
copy("$installed/$_", "$scripts/$_") or die "$_: $!" for ('envcrypt.control', "envcrypt--$version.sql");

# Released: as they lie in the tree, with their upgrades.
my @released = map { /^[0-9a-f]{64}  envcrypt--(.*)\.sql$/ ? $1 : () } split(/\n/, slurp_file("$source/sql/releases"));
for my $file (glob "$source/sql/envcrypt--*.sql")
{
	my $name = basename($file);
	copy($file, "$scripts/$name") or die "$name: $!" unless $name eq "envcrypt--$version.sql";
}

my $script = slurp_file("$installed/envcrypt--$version.sql");
write_file("$scripts/envcrypt--$same.sql", $script, 0644);
write_file("$scripts/envcrypt--$different.sql", $script . <<'SQL', 0644);
COMMENT ON FUNCTION envcrypt_status() IS 'what it was once';
GRANT EXECUTE ON FUNCTION envcrypt_rotate_master() TO PUBLIC;
ALTER FUNCTION envcrypt_generate_master_key() COST 7;
CREATE FUNCTION envcrypt_forgotten() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 1';
SQL
write_file("$scripts/envcrypt--$_--$version.sql", "-- Nothing changed.\n", 0644) for ($same, $different);
chmod 0755, $place;
$node->start;

# All that belongs to the extension and to a made type, as lines that name objects, not OIDs.
my $catalogs = <<'SQL';
CREATE TEMP TABLE ours AS
WITH made AS (SELECT oid FROM pg_type WHERE typname ~ '^_?(encrypted|searchable)_mood$')
SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'envcrypt')
UNION SELECT 'pg_type'::regclass, oid FROM made
UNION SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p JOIN made m ON m.oid = ANY (p.proargtypes)
	OR m.oid = p.prorettype
UNION SELECT 'pg_operator'::regclass, o.oid FROM pg_operator o JOIN made m ON m.oid IN (o.oprleft, o.oprright)
UNION SELECT 'pg_cast'::regclass, c.oid FROM pg_cast c JOIN made m ON m.oid IN (c.castsource, c.casttarget)
UNION SELECT 'pg_opclass'::regclass, c.oid FROM pg_opclass c JOIN made m ON m.oid = c.opcintype;
-- What belongs to them, too: array types and row types, indexes, constraints, defaults, rules, triggers, families'
-- members.
INSERT INTO ours
WITH RECURSIVE inner_parts AS (
	SELECT classid, objid FROM ours
	UNION SELECT d.classid, d.objid FROM pg_depend d JOIN inner_parts i ON d.refclassid = i.classid
	AND d.refobjid = i.objid
		WHERE d.deptype IN ('i', 'a', 'I'))
SELECT classid, objid FROM inner_parts EXCEPT SELECT classid, objid FROM ours;
CREATE TEMP TABLE lines (line text);
INSERT INTO lines
SELECT format('object %s, described as %L', pg_describe_object(classid, objid, 0),
	obj_description(objid, (SELECT relname FROM pg_class WHERE oid = classid))) FROM ours
UNION ALL SELECT format('column %s of %s: %s not null %s, default %s, described as %L', attname, attrelid::regclass,
	format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum))
	FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
	WHERE attnum > 0 AND attrelid IN (SELECT objid FROM ours WHERE classid = 'pg_class'::regclass)
UNION ALL SELECT format('function %s: %s, rights %s', oid::regprocedure,
	CASE WHEN prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(oid) END, proacl)
	FROM pg_proc WHERE oid IN (SELECT objid FROM ours WHERE classid = 'pg_proc'::regclass)
UNION ALL SELECT format('aggregate %s', (to_jsonb(a) - 'aggsortop')::text)
	FROM pg_aggregate a WHERE aggfnoid IN (SELECT objid FROM ours WHERE classid = 'pg_proc'::regclass)
UNION ALL SELECT format('operator %s: %s', oid::regoperator, (SELECT jsonb_object_agg(key, CASE
	WHEN key ~ '^opr(com|negate)$' THEN value::oid::regoperator::text ELSE value END)
	FROM jsonb_each_text(to_jsonb(o) - '{oid,oprowner,oprnamespace,oprleft,oprright,oprresult}'::text[])))
	FROM pg_operator o WHERE oid IN (SELECT objid FROM ours WHERE classid = 'pg_operator'::regclass)
UNION ALL SELECT format('cast %s to %s: %s', castsource::regtype, casttarget::regtype,
	concat_ws(' ', castfunc::regprocedure, castcontext, castmethod))
	FROM pg_cast WHERE oid IN (SELECT objid FROM ours WHERE classid = 'pg_cast'::regclass)
UNION ALL SELECT format('type %s: %s', oid::regtype,
	to_jsonb(t) - ('{oid,typowner,typnamespace,typrelid,typarray,typelem,'
	'typbasetype,typcollation,typdefaultbin}')::text[])
	FROM pg_type t WHERE oid IN (SELECT objid FROM ours WHERE classid = 'pg_type'::regclass)
UNION ALL SELECT format('relation %s: %s', oid::regclass, concat_ws('; ', relkind, relpersistence, relrowsecurity,
	relacl::text, reloptions::text, CASE relkind WHEN 'v' THEN pg_get_viewdef(oid) WHEN 'i' THEN pg_get_indexdef(oid) END))
	FROM pg_class WHERE oid IN (SELECT objid FROM ours WHERE classid = 'pg_class'::regclass)
UNION ALL SELECT format('constraint %s', pg_get_constraintdef(oid))
	FROM pg_constraint WHERE oid IN (SELECT objid FROM ours WHERE classid = 'pg_constraint'::regclass)
UNION ALL SELECT format('trigger %s, enabled %s', pg_get_triggerdef(oid), tgenabled)
	FROM pg_trigger WHERE oid IN (SELECT objid FROM ours WHERE classid = 'pg_trigger'::regclass)
UNION ALL SELECT format('event trigger %s: %s', evtname, concat_ws(' ', evtevent, evtfoid::regproc, evtenabled,
	evttags))
	FROM pg_event_trigger WHERE oid IN (SELECT objid FROM ours WHERE classid = 'pg_event_trigger'::regclass)
UNION ALL SELECT format('schema %s, rights %s', nspname, nspacl)
	FROM pg_namespace WHERE oid IN (SELECT objid FROM ours WHERE classid = 'pg_namespace'::regclass)
UNION ALL SELECT format('initial rights of %s: %s', pg_describe_object(classoid, objoid, objsubid), initprivs)
	FROM pg_init_privs JOIN ours ON classoid = classid AND objoid = objid
UNION ALL SELECT format('%s depends on %s (%s)', pg_describe_object(d.classid, d.objid, d.objsubid),
	pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid), d.deptype)
	FROM pg_depend d JOIN ours USING (classid, objid)
UNION ALL SELECT format('dumped: %s where %L', t.oid::regclass, t.condition)
	FROM pg_extension e, unnest(e.extconfig, e.extcondition) AS t (oid, condition) WHERE extname = 'envcrypt';
-- Tables of long values have their table's OID for a name.
SELECT regexp_replace(regexp_replace(line, 'pg_toast_\d+', 'pg_toast_N', 'g'), E'\n', ' ', 'g') FROM lines;
SQL

# What a database has after CREATE EXTENSION, its update to this version, and some use before.
sub catalogs_of
{
	my ($name, $from) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, "CREATE EXTENSION envcrypt VERSION '$from'");
	$node->safe_psql($name, "CREATE TYPE mood AS ENUM ('sad', 'happy'); SELECT envcrypt_create_type('mood')");
	$node->safe_psql($name, 'ALTER EXTENSION envcrypt UPDATE');
	is( $node->safe_psql($name, "SELECT extversion FROM pg_extension WHERE extname = 'envcrypt'"),
		$version, "$from is updated to $version") unless $from eq $version;
	# Made types are no members of the extension: the next script does not see them.
	$node->safe_psql($name, 'SELECT envcrypt_update_types()')
	  if $node->safe_psql($name, "SELECT to_regprocedure('envcrypt_update_types()') IS NOT NULL") eq 't';
	return [ split(/\n/, $node->safe_psql($name, $catalogs)) ];
}

# The lines that only one of two has.
sub differences
{
	my ($one, $other) = @_;
	my %count;
	$count{$_}++ for @$one;
	$count{$_}-- for @$other;
	return sort grep { $count{$_} != 0 } keys %count;
}

my $fresh = catalogs_of('fresh', $version);
for my $kind ('object', 'function', 'operator', 'cast', 'type', 'relation', 'initial rights', 'dumped')
{
	ok((grep { /^$kind / || /^$kind: / } @$fresh), "the comparison looks at: $kind");
}
ok((grep { /^type encrypted_mood:/ } @$fresh) && (grep { /^cast encrypted_mood to mood:/ } @$fresh),
	'and at types that were made');
ok((grep { / depends on extension envcrypt \(e\)/ } @$fresh), 'and at dependencies');

for my $from (@released, $same)
{
	my @differences = differences($fresh, catalogs_of('from_' . $from =~ tr/./_/r, $from));
	is(join("\n", @differences), '', "$from, updated, is the same as a fresh install");
}

# And it does see what an upgrade script leaves out.
my $found = join("\n", differences($fresh, catalogs_of('from_different', $different)));
like($found, qr/^object function envcrypt_status\(\), described as 'what it was once'/m,
	'a comment that is not updated is found');
like($found, qr/^function envcrypt_rotate_master\(\):.*rights \{[^}]*=X/m, 'rights that are not updated are found');
like($found, qr/^function envcrypt_generate_master_key\(\):.* COST 7 /m, 'a definition that is not updated is found');
like($found, qr/^object function envcrypt_forgotten\(\)/m, 'a function that is not dropped is found');
like($found, qr/^function envcrypt_forgotten\(\) depends on extension envcrypt \(e\)/m,
	'and that the extension has it');

# The list itself: what is not what was released, and a step that is missing, are seen.
my $lists = PostgreSQL::Test::Utils::tempdir() . '/lists';
sub list_says
{
	my ($pattern, $name, %files) = @_;
	make_path($lists);
	unlink glob "$lists/*";
	write_file("$lists/$_", $files{$_}) for keys %files;
	IPC::Run::run([ "$source/test/releases", $lists ], '>', \my $output, '2>&1');
	ok($output =~ $pattern, $name) or diag($output);
	return;
}
my $empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
my %two = (
	'releases' => "# list\n$empty  envcrypt--0.0.1.sql\n$empty  envcrypt--0.0.2.sql\n",
	'envcrypt--0.0.1.sql' => '',
	'envcrypt--0.0.2.sql' => '',
	'envcrypt--0.0.1--0.0.2.sql' => '',
	"envcrypt--0.0.2--$version.sql" => '');
list_says(qr/\A\z/, 'a good list of releases passes', %two);
list_says(qr/0\.0\.1\.sql is not what was released/, 'a changed script is seen', %two,
	'envcrypt--0.0.1.sql' => '-- changed');
my $step = 'envcrypt--0.0.1--0.0.2.sql';
list_says(qr/no upgrade from 0\.0\.1 to 0\.0\.2/, 'a missing step is seen', map { $_ => $two{$_} } grep { $_ ne $step }
	keys %two);
$step = "envcrypt--0.0.2--$version.sql";
list_says(qr/no upgrade from 0\.0\.2 to \Q$version/, 'also to this version', map { $_ => $two{$_} } grep { $_ ne $step }
	keys %two);
$node->stop;
done_testing();
