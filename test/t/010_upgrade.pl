# pg_upgrade: sealed values, key rows, and constants of encrypted types in defaults, domains, views and functions.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $key = '0' x 64;
my $set = "SET envcrypt.master_key = '$key';";
my @nodes;
for my $name (qw(old new))
{
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init;
	$node->append_conf('postgresql.conf', "shared_preload_libraries = 'envcrypt'");
	push @nodes, $node;
}
my ($old, $new) = @nodes;
$old->start;
$old->safe_psql('postgres', qq{
	CREATE EXTENSION envcrypt;
	$set
	SELECT envcrypt_rotate_master();
	CREATE DOMAIN short AS encrypted_text DEFAULT 'domain default' CHECK (VALUE *<> 'never'::encrypted_text);
	CREATE TABLE t (id int, v encrypted_text DEFAULT 'column default', d short, a encrypted_text[] DEFAULT '{x,y}');
	INSERT INTO t (id) VALUES (1);
	INSERT INTO t SELECT 2, encrypt_for_user('alice', 'owned'), 'short', NULL;
	CREATE VIEW w AS SELECT id, coalesce(v, 'none') AS v FROM t;
	CREATE FUNCTION f(encrypted_text DEFAULT 'argument default') RETURNS text LANGUAGE sql AS 'SELECT \$1::text';
	SELECT envcrypt_create_user_key('gone');
	SELECT envcrypt_shred_user('gone');});
my $query = qq{$set SELECT id, v, d, a FROM t ORDER BY id; SELECT * FROM w ORDER BY id; SELECT f();
	SELECT count(*), string_agg(kind, ',' ORDER BY kind) FROM envcrypt_data_keys};
my $before = $old->safe_psql('postgres', $query);
like($before, qr/1\|column default\|domain default\|\{x,y\}\n2\|owned\|short\|/, 'the old cluster opens its values');
$old->stop;

# pg_upgrade writes into the current directory.
chdir $new->basedir or die $!;
command_ok(
	[
		'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $old->config_data('--bindir'),
		'-B', $new->config_data('--bindir'), '-s', $new->host, '-p', $old->port, '-P', $new->port
	],
	'pg_upgrade');
$new->start;
is($new->safe_psql('postgres', $query), $before, 'the new cluster opens the same values');
is( $new->safe_psql('postgres', "$set INSERT INTO t (id) VALUES (3); SELECT v, d, a FROM t WHERE id = 3"),
	'column default|domain default|{x,y}', 'its defaults are the same');
my ($rc, $out, $err) = $new->psql('postgres', "$set SELECT encrypt_for_user('gone', 'x')");
like($err, qr/data key of owner "gone" was destroyed/, 'it remembers who was shredded');
$new->stop;
done_testing();
