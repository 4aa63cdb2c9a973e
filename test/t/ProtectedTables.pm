# What the tests of protected tables share: how a column is protected, and tables that have every type.
package ProtectedTables;
use strict;
use warnings;
use Exporter 'import';
use EnvcryptTest;

our @EXPORT = qw(protect make_types make_tables markers sealed_bytes faults);

# protect(TABLE, COLUMNS, OWNER, NULL_OWNER): SQL that makes columns transparent. COLUMNS is a list such as 'a,b';
# without OWNER the values stay under the database key.
sub protect
{
	my ($table, $columns, $owner, $null_owner) = @_;
	$owner = defined $owner ? "'$owner'" : 'NULL';
	$null_owner //= 'error';
	return "SELECT envcrypt_protect('$table', '{$columns}'::name[], $owner, '$null_owner');\n";
}

# Words that stand in the values of make_tables(), and are typed nowhere else.
sub markers { return qw(Marker-Word 27182818 14.14.21.35 1914-06-28 marker.example) }

# An enum, a domain and a composite type, with their encrypted types. By a superuser.
sub make_types
{
	return <<'SQL';
CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE TYPE address AS (street text, zip int);
SELECT envcrypt_create_type('mood'), envcrypt_create_type('email'), envcrypt_create_type('address');
SQL
}

# make_tables(ROWS): tables person (every type, an owner column), "Visits" in schema "Other Schema" (partitions, a
# quoted owner column) and setting (no owner), all protected. The right to seal is needed, and make_types().
sub make_tables
{
	my ($rows) = @_;
	my $values = <<'SQL';
'Marker-Word ' || i, 'Marker-Word ' || i, convert_to('Marker-Word ' || i, 'UTF8'),
	jsonb_build_object('k', 'Marker-Word', 'i', i), 27182818 + i, i + 0.25, i / 3.0, i % 2 = 0, date '1914-06-28' + i,
	timestamptz '1914-06-28 10:00:00+00' + i * interval '1 day 0.123456 s', md5(i::text)::uuid, inet '14.14.21.35' + i
SQL
	my $columns = 't text, v varchar(40), b bytea, j jsonb, i int8, n numeric(12,2), f float8, l bool, d date,
	ts timestamptz(3), u uuid, a inet';
	my $names = 't,v,b,j,i,n,f,l,d,ts,u,a';
	return <<"SQL"
CREATE TABLE person (id int PRIMARY KEY, user_id text NOT NULL, $columns, m mood DEFAULT 'happy', e email
	DEFAULT 'by\@default', c address, note text DEFAULT 'a default', plain text);
INSERT INTO person SELECT i, 'user ' || i % 7, $values, (enum_range(NULL::mood))[1 + i % 3], i || '\@marker.example',
	ROW('Marker-Word ' || i, i)::address, CASE WHEN i % 10 > 0 THEN repeat('Marker-Word', i % 500) END, 'row ' || i
	FROM generate_series(1, $rows) i;
CREATE SCHEMA "Other Schema";
CREATE TABLE "Other Schema"."Visits" (id int, "User Id" int, $columns, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE "Other Schema".early PARTITION OF "Other Schema"."Visits" FOR VALUES FROM (MINVALUE) TO (20);
CREATE TABLE "Other Schema".late (v varchar(40), id int NOT NULL, gone int, "User Id" int, t text, b bytea, j jsonb,
	i int8, n numeric(12,2), f float8, l bool, d date, ts timestamptz(3), u uuid, a inet);
ALTER TABLE "Other Schema".late DROP gone;
ALTER TABLE "Other Schema"."Visits" ATTACH PARTITION "Other Schema".late FOR VALUES FROM (20) TO (MAXVALUE);
INSERT INTO "Other Schema"."Visits" SELECT i, CASE WHEN i % 4 > 0 THEN i % 5 END, $values
FROM generate_series(1, $rows) i;
CREATE TABLE setting (id int PRIMARY KEY, t text NOT NULL CHECK (length(t) > 10), l bool);
INSERT INTO setting SELECT i, 'Marker-Word ' || i, i % 2 = 0 FROM generate_series(1, $rows) i;
SQL
	  . protect('person', "$names,m,e,c,note", 'user_id')
	  . protect('"Other Schema"."Visits"', $names, 'User Id', 'database')
	  . protect('setting', 't,l');
}

# What make_tables() made, as it is stored. The order of columns is that of each table.
sub sealed_bytes
{
	return <<'SQL';
SET envcrypt.io = ciphertext;
SELECT count(*), md5(string_agg(p::text, ',' ORDER BY id)) FROM person p
UNION ALL SELECT count(*), md5(string_agg(r::text, ',' ORDER BY id)) FROM "Other Schema"."Visits" r
UNION ALL SELECT count(*), md5(string_agg(s::text, ',' ORDER BY id)) FROM setting s;
SQL
}

# faults(NODE, options of value): what envcrypt_check() says of each value of each protected column of the database.
# The right to open is needed.
sub faults
{
	my ($node, @options) = @_;
	my $queries = value($node, <<'SQL', @options);
SELECT string_agg(format('SELECT %L, envcrypt_check(%I, %s, %s) AS fault FROM %s', t.tgrelid::regclass || '.' || c[1],
	c[1], coalesce(quote_ident(c[2]) || '::text', 'NULL'), substring(t.tgname FROM '\d+'), t.tgrelid::regclass),
	' UNION ALL ')
FROM pg_trigger t, LATERAL (
	SELECT array_agg(a.attname ORDER BY n)
	FROM regexp_matches(pg_get_triggerdef(t.oid), 'new[.]("(?:[^"]|"")*"|\w+) IS', 'g') WITH ORDINALITY AS m (word, n)
		JOIN pg_attribute a ON a.attrelid = t.tgrelid AND quote_ident(a.attname) = word[1]) AS x (c)
WHERE t.tgname LIKE '~envcrypt%';
SQL
	die 'no column is protected' if $queries eq '';
	return value($node, "SELECT * FROM ($queries) f WHERE fault IS NOT NULL LIMIT 20", @options);
}

1;
