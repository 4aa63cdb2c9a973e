# docs/reference.md against the catalogs: what the extension has is described, and what is described is there.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = $ENV{SOURCE} or plan skip_all => 'SOURCE is not set: test/run sets it';
my $text   = PostgreSQL::Test::Utils::slurp_file("$source/docs/reference.md");
my $node   = new_server('reference');

sub rows { return split /\n/, value($node, $_[0]) }

# section(HEADING): from it to the next one of its level.
sub section
{
	my ($heading) = @_;
	my ($level)   = $text =~ /^(#+) \Q$heading\E$/m or die "no section $heading";
	my ($body)    = $text =~ /^$level \Q$heading\E\n(.*?)(?=^#{1,@{[ length $level ]}} |\z)/ms;
	return $body;
}

# table_rows(TEXT): the cells of each row of its tables, without headings.
sub table_rows
{
	my @rows;
	for my $line (split /\n/, $_[0])
	{
		next unless $line =~ /^\| *`/;
		my @cells = split / *(?<!\\)\| */, $line =~ s/^\| *//r;
		push @rows, \@cells;
	}
	return @rows;
}

# words(TEXT): what stands in backticks.
sub words { return $_[0] =~ /`([^`]+)`/g }

sub same
{
	my ($described, $there, $name) = @_;
	my %described = map { $_ => 1 } @$described;
	my %there     = map { $_ => 1 } @$there;
	my @missing   = grep { !$described{$_} } sort keys %there;
	my @stale     = grep { !$there{$_} } sort keys %described;
	ok(%there && !@missing && !@stale, $name) or diag("not described: @missing\nnot there: @stale");
	return;
}

# Schema `our` has the extension's rows of each catalog that it has any in.
my @catalogs = qw(pg_type pg_proc pg_operator pg_opclass pg_opfamily pg_cast pg_class pg_event_trigger);
value($node, <<'SQL');
CREATE SCHEMA our;
CREATE VIEW our.members AS SELECT d.classid, d.objid
	FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
	WHERE d.deptype = 'e' AND e.extname = 'envcrypt';
SQL
for my $catalog (@catalogs)
{
	value($node, "CREATE VIEW our.$catalog AS SELECT * FROM pg_catalog.$catalog
		WHERE oid IN (SELECT objid FROM our.members WHERE classid = 'pg_catalog.$catalog'::regclass)");
}

# Everything that belongs to the extension is of a kind that is looked at below.
same(\@catalogs, [ rows('SELECT DISTINCT classid::regclass FROM our.members') ], 'kinds of objects');

# Types.
my @types = table_rows(section('Types') =~ s/^###.*//msr);
same(
	[ map { words($_->[0]) } @types ],
	[ rows("SELECT typname FROM our.pg_type WHERE typname LIKE 'encrypted%'") ], 'types');
same(
	[ map { join ' ', (words($_->[0]))[0], (words($_->[1]))[0], $_->[3] eq 'none' ? 'f' : 't' } @types ],
	[ rows(q{SELECT concat_ws(' ', typname, substr(typname, 11), typmodin <> 0) FROM our.pg_type
		WHERE typname LIKE 'encrypted%'}) ],
	'base types, and which have modifiers');
my @operands = rows("SELECT typname FROM our.pg_type WHERE typtype = 'b'
	AND typname !~ '^(encrypted|_)'");
for my $type (@operands) { like(section('Operators'), qr/`\Q$type\E`/, "type $type is described") }

# Casts: what opens by itself.
is( value($node, <<'SQL'), '', 'implicit casts from a type that is encrypted to one that is not go to the base type');
SELECT s.typname, t.typname
FROM our.pg_cast c JOIN pg_catalog.pg_type s ON s.oid = castsource JOIN pg_catalog.pg_type t ON t.oid = casttarget
WHERE castcontext = 'i' AND s.typname LIKE 'encrypted%'
	AND t.typname !~ '^encrypted_|_operand$' AND substr(s.typname, 11) <> t.typname
SQL

# Operator families and classes.
my $operators = section('Operators');
for my $family (rows("SELECT DISTINCT opfname FROM our.pg_opfamily WHERE opfname !~ '^encrypted_'"))
{
	like($operators, qr/`\Q$family\E`/, "operator family $family is described");
}
like($operators, qr/`encrypted_\.\.\._ops`/, 'and the classes of the types');
my @signs = rows("SELECT DISTINCT oprname FROM our.pg_operator");
my %described = map { s/\\\|/|/gr => 1 } map { split / / } words($operators);
is(join(' ', grep { !$described{$_} } sort @signs), '', 'operators are described');

# Functions for users: all that a name and a comment of their own tell from the parts of others.
my $functions = section('Functions');
my @public = rows(<<'SQL');
SELECT DISTINCT proname FROM our.pg_proc WHERE proname ~ '^(envcrypt|encrypt|decrypt)_'
	AND proname NOT IN ('envcrypt_to_json', 'envcrypt_open_operand') AND proname NOT LIKE 'envcrypt_open_as_%'
	AND obj_description(oid, 'pg_proc') !~ '^(envcrypt:|implementation of|I/O|less-equal-greater)'
SQL
my %in_table;
for my $row (table_rows($functions =~ s/^### Functions that implement.*//msr))
{
	my ($first, $kind) = @$row;
	next unless $kind =~ /\b(volatile|stable|immutable)\b|^procedures/;
	for my $call (words($first))
	{
		my ($name) = $call =~ /(\w+)\(/ or next;
		$in_table{$name} = 1;
		my ($volatile) = $kind =~ /\b(volatile|stable|immutable)\b/;
		my ($parallel) = $kind =~ /\b(unsafe|safe|restricted)\b/;
		my $described = $kind =~ /^procedures/ ? 'p u' : join ' ', map { substr($_ // '?', 0, 1) } $volatile, $parallel;
		my @kinds = rows("SELECT DISTINCT concat_ws(' ', CASE prokind WHEN 'p' THEN 'p' ELSE provolatile::text END,
			proparallel) FROM our.pg_proc WHERE proname = '$name'");
		next if !@kinds && $name =~ /^encrypted_|^envcrypt_open_as_/;
		is("@kinds", $described, "$name: volatility, parallel");
		next unless my ($arguments, $result) = $call =~ /^\w+\((.*)\) RETURNS (.*)$/;
		next if $call =~ /\b[TE]\b/;
		$result =~ tr/"//d;
		is( value($node, "SELECT CASE WHEN pronargs > 0 THEN pg_get_function_identity_arguments(oid) ELSE '' END
				|| ' RETURNS ' || CASE WHEN proallargtypes IS NULL THEN pg_get_function_result(oid)
				ELSE 'TABLE (' || array_to_string(ARRAY(SELECT format('%s %s', n, t::regtype)
					FROM unnest(proargnames, proallargtypes, proargmodes) AS a (n, t, mode) WHERE mode <> 'i'), ', ') || ')' END
				FROM our.pg_proc WHERE proname = '$name'"),
			($arguments =~ s/ DEFAULT \w+//gr) . " RETURNS $result",
			"$name: arguments and result");
	}
}
same([ grep { !/^encrypted_|^envcrypt_open_as_|^envcrypt_to_json/ } keys %in_table ], \@public, 'functions for users');

# The parts of others: `_two` after `envcrypt_one` is envcrypt_two; `envcrypt_online_...` all that begin so; `x` any
# type.
my %parts;
my @patterns;
my $before = '';
for my $word (words(section('Functions that implement these') . ' ' . $functions . $operators))
{
	$word =~ s/^CALL |\(.*//gs;
	if ($word =~ /^_\w+$/)
	{
		my @pieces = split /_/, $before;
		$parts{ join('_', @pieces[ 0 .. $_ ]) . $word } = 1 for 0 .. $#pieces;
		push @patterns, qr/^encrypted_\w+?$word$/ if $before =~ /^encrypted_x/;
		next;
	}
	$before = $word if $word =~ /^\w+$/;
	$parts{$word} = 1;
	push @patterns, qr/^\Q$1\E/ if $word =~ /^(\w+)\.\.\.$/;
	push @patterns, qr/^encrypted_\w+?$1$/ if $word =~ /^encrypted_x(_\w+)$/;
}
push @patterns, qr/^encrypted_/, qr/^envcrypt_open_as_/;
my @hidden = grep { my $name = $_; !$parts{$name} && !grep { $name =~ $_ } @patterns } rows(
	"SELECT DISTINCT proname FROM our.pg_proc WHERE proname ~ '^(envcrypt|encrypted)_'");
is("@hidden", '', 'functions that implement others are listed');
# Those with names of PostgreSQL's own.
my @borrowed = rows("SELECT DISTINCT proname FROM our.pg_proc WHERE proname !~ '^(envcrypt|encrypt|decrypt)'");
is(join(' ', grep { !$parts{$_} } @borrowed), '', 'functions named as those of base types');

# Whatever PUBLIC may execute is for users, or is executed in their name: by a function of ours, which runs as its
# caller, or by PostgreSQL, which asks for the right.
my %executed_by = (
	'a cast'     => q(envcrypt_open_operand envcrypt_float8_operand envcrypt_timestamptz_operand),
	'an operator' => q(envcrypt_equal envcrypt_unequal envcrypt_less envcrypt_less_or_equal envcrypt_greater
		envcrypt_greater_or_equal envcrypt_plus envcrypt_minus envcrypt_times envcrypt_divided_by envcrypt_modulo
		envcrypt_power envcrypt_square_root envcrypt_cube_root envcrypt_concatenated envcrypt_comparison in_range),
	'CREATE TRIGGER by the table\'s owner' => q(envcrypt_owner_trigger envcrypt_shadow_trigger),
	'a view'           => q(envcrypt_expression_columns envcrypt_trigger_arguments),
	'envcrypt_verify'  => q(envcrypt_add_tid envcrypt_join_tids envcrypt_some_tids envcrypt_check envcrypt_column_checks
		envcrypt_verify_query envcrypt_query_table envcrypt_tree envcrypt_owner_name envcrypt_folded_owner_name
		envcrypt_owner_text envcrypt_require_right),
	'envcrypt_protect' => q(envcrypt_alter_columns envcrypt_base_type envcrypt_bind envcrypt_checks envcrypt_checks_again
		envcrypt_dependents_again envcrypt_find_column envcrypt_find_owner_column envcrypt_free_context_id
		envcrypt_lock_relation envcrypt_lock_table envcrypt_make_trigger envcrypt_needs_protection envcrypt_obstacles
		envcrypt_original_storage envcrypt_plain_expression envcrypt_plain_trigger envcrypt_refuse_inherited
		envcrypt_refuse_obstacles envcrypt_refuse_row envcrypt_run envcrypt_spread_triggers envcrypt_drop_dependents
		envcrypt_encrypted_type envcrypt_ultimate_type),
	'envcrypt_protect_online' => q(envcrypt_backfill envcrypt_lacks_shadow envcrypt_verify_shadow
		envcrypt_require_own_transaction envcrypt_online_add_constraints envcrypt_online_after_pass
		envcrypt_online_attempt envcrypt_online_batch envcrypt_online_blocks envcrypt_online_check
		envcrypt_online_check_cancel envcrypt_online_column envcrypt_online_constrain envcrypt_online_constraints
		envcrypt_online_drop_column envcrypt_online_drop_constraints envcrypt_online_drop_triggers
		envcrypt_online_first_step envcrypt_online_leaves envcrypt_online_make_triggers envcrypt_online_pause
		envcrypt_online_prepare envcrypt_online_progress envcrypt_online_refuse_begun
		envcrypt_online_refuse_obstacles envcrypt_online_rest envcrypt_online_state envcrypt_online_swap
		envcrypt_online_type envcrypt_online_undo envcrypt_online_validate envcrypt_online_verify),
	'envcrypt_unmanage_owners' => q(envcrypt_drop_owner_triggers));
my %executed = map { $_ => 1 } map { split ' ' } values %executed_by;
# Of each type: casts, input and output as of PostgreSQL's own types, comparison, which sorting and hashing ask for.
my $of_types = qr/^envcrypt_open_as_|^encrypted_[a-z0-9]+(_(in|out|send|lt|le|eq|ne|ge|gt|cmp|hash|hash_extended))?$/;
my %executable = map { $_ => 1 } rows("SELECT DISTINCT proname FROM our.pg_proc WHERE EXISTS (
	SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) AS a WHERE a.grantee = 0)");
my %borrowed = map { $_ => 1 } @borrowed;
same([ grep { !/$of_types/ && !$in_table{$_} && (!$borrowed{$_} || $executed{$_}) } keys %executable ],
	[ keys %executed ], 'what PUBLIC may execute is for users, or is executed in their name');

# Settings.
my @settings = table_rows(section('Settings'));
my @visible = rows(q{SELECT name FROM pg_settings WHERE name LIKE 'envcrypt.%'});
same([ map { words($_->[0]) } @settings ], [ 'envcrypt.master_key', @visible ], 'settings');
for my $row (@settings)
{
	my ($name) = words($row->[0]);
	my ($default) = $row->[1] =~ /`([^`]*)`/ ? $1 : $row->[1] =~ /, (\d+)/ ? $1 : '';
	is(value($node, "SHOW $name"), $default, "$name: default");
	next if $name eq 'envcrypt.master_key';
	my ($context) = $row->[2] =~ /^(\w+)/;
	is(value($node, "SELECT context FROM pg_settings WHERE name = '$name'"), $context, "$name: context");
}

# Roles.
same([ map { words($_->[0]) } grep { @$_ == 2 && $_->[0] =~ /envcrypt_/ } table_rows(section('Rights')) ],
	[ rows(q{SELECT rolname FROM pg_roles WHERE rolname LIKE 'envcrypt\_%'}) ], 'roles');

# Tables and views, with their columns.
my %relations;
$relations{$_} = 1 for grep { /^envcrypt_\w+$/ } words(section('Views') . section('Tables'));
my @relations = rows("SELECT relname FROM our.pg_class WHERE relkind IN ('r', 'v', 'm', 'p', 'S')");
is(join(' ', grep { !$relations{$_} } @relations), '', 'tables and views are described');
for my $relation (qw(envcrypt_columns envcrypt_data_keys envcrypt_master_keys))
{
	my ($part) = (section('Views') . section('Tables')) =~ /`$relation`(?::[^|]*)?\n\n?(.*?)(?=\n`envcrypt_|\z)/s;
	same([ map { words($_->[0]) } table_rows($part) ],
		[ rows("SELECT attname FROM pg_attribute WHERE attrelid = '$relation'::regclass AND attnum > 0") ],
		"columns of $relation");
}

# Event triggers.
my $event_triggers = section('Event triggers');
for my $name (rows("SELECT evtname FROM our.pg_event_trigger"))
{
	like($event_triggers, qr/`\Q$name\E`/, "event trigger $name is described");
}

# Errors of our own.
my $codes = PostgreSQL::Test::Utils::slurp_file("$source/src/server/errors.h");
same([ map { words($_->[0]) } grep { $_->[0] =~ /ZE/ } table_rows(section('SQLSTATEs')) ],
	[ map { tr/', //dr } $codes =~ /MAKE_SQLSTATE\(([^)]*)\)/g ], 'errors of class ZE');

# What README, reference and operations name is there.
my %there = map { $_ => 1 } rows(<<"SQL");
SELECT proname FROM pg_proc UNION SELECT relname FROM pg_class UNION SELECT typname FROM pg_type
UNION SELECT rolname FROM pg_roles UNION SELECT evtname FROM pg_event_trigger UNION SELECT opfname FROM pg_opfamily
UNION SELECT tgname FROM pg_trigger
SQL
for my $file (qw(docs/reference.md docs/operations.md docs/migrating.md docs/threat-model.md README.md))
{
	my $words = PostgreSQL::Test::Utils::slurp_file("$source/$file");
	my @named = $words =~ /(?<![~!])\b((?:envcrypt|decrypt_for|encrypt_for)_[a-z_0-9]+)\b(?![.])/g;
	my %stale = map { $_ => 1 } grep { !$there{$_} && !/_$/ } @named;
	is(join(' ', sort keys %stale), '', "$file names nothing that is not there");
}
$node->stop;
done_testing();
