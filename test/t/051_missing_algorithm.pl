# An OpenSSL that lacks what envcrypt needs: the server starts, says so once, serves everything else, and raises one
# clear error where a value or key is to be used. Whole configurations come from openssl.cnf; a library that stands
# before OpenSSL takes away one algorithm at a time.
use strict;
use warnings;
use EnvcryptTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $dir = PostgreSQL::Test::Utils::tempdir();

# What a FIPS configuration without FIPS module does. The generator is left: without it PostgreSQL takes no connections.
my $nothing = write_file("$dir/openssl.cnf", <<'CNF');
openssl_conf = start
[start]
alg_section = properties
random = generator
[properties]
default_properties = fips=yes
[generator]
random = HASH-DRBG
digest = SHA256
properties = -fips
CNF

my $source = write_file("$dir/without.c", <<'C');
#define _GNU_SOURCE
#include <dlfcn.h>
#include <openssl/core.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
/* From envcrypt alone: OpenSSL needs some of them itself. */
static int is_envcrypt(void *caller)
{
	Dl_info library;
	return dladdr(caller, &library) && strstr(library.dli_fname, "/envcrypt.so");
}
static int withheld(const char *name, void *caller)
{
	const char *without = getenv("WITHOUT_ALGORITHM");
	return without && strcasecmp(name, without) == 0 && is_envcrypt(caller);
}
#define FETCH(function) \
	void *function(void *context, const char *name, const char *properties) \
	{ \
		void *(*next)(void *, const char *, const char *) = dlsym(RTLD_NEXT, #function); \
		return withheld(name, __builtin_return_address(0)) ? NULL : next(context, name, properties); \
	}
FETCH(EVP_CIPHER_fetch)
FETCH(EVP_MD_fetch)
FETCH(EVP_KDF_fetch)
FETCH(EVP_MAC_fetch)
/* What a FIPS provider does with keys of less than 112 bits. */
static int refused(size_t bytes) { return getenv("REFUSE_SHORT_KEYS") && bytes < 14; }
int EVP_MAC_init(void *context, const unsigned char *key, size_t bytes, const OSSL_PARAM *params)
{
	int (*next)(void *, const unsigned char *, size_t, const OSSL_PARAM *) = dlsym(RTLD_NEXT, "EVP_MAC_init");
	return refused(bytes) && is_envcrypt(__builtin_return_address(0)) ? 0 : next(context, key, bytes, params);
}
int EVP_KDF_derive(void *context, unsigned char *out, size_t bytes, const OSSL_PARAM *params)
{
	int (*next)(void *, unsigned char *, size_t, const OSSL_PARAM *) = dlsym(RTLD_NEXT, "EVP_KDF_derive");
	for (const OSSL_PARAM *param = params; param && param->key; param++)
		if (strcmp(param->key, "key") == 0 && refused(param->data_size))
			return 0;
	return next(context, out, bytes, params);
}
C
system('cc', '-shared', '-fPIC', '-o', "$dir/without.so", $source, '-ldl') == 0 or die 'cannot compile';

my $key  = new_master_key();
my $node = new_server('openssl', conf => "envcrypt.master_key_file = '" . key_file($key) . "'");
value($node, <<'SQL');
SELECT envcrypt_rotate_master();
CREATE TABLE t (id int, c text, plain text);
INSERT INTO t SELECT i, 'value ' || i, 'plain ' || i FROM generate_series(1, 50) i;
ALTER TABLE t OWNER TO clerk;
SELECT encrypt_for_user('1', 'value'::text) IS NULL FROM (SELECT set_config('role', 'clerk', false)) x;
SELECT envcrypt_protect('t', 'c', 'id');
RESET ROLE;
SELECT envcrypt_shred_user('50') IS NULL;
SQL
my $sealed = value($node, 'COPY t TO STDOUT');

# restart(WARNING, ENVIRONMENT...): restarts the server in that environment.
my $log_size = 0;

sub restart
{
	my ($warning, %environment) = @_;
	local @ENV{ keys %environment } = values %environment;
	$node->stop;
	$log_size = -s $node->logfile;
	ok($node->start(fail_ok => 1), 'starts without ' . ($warning || 'short keys')) or BAIL_OUT('it did not start');
	my $log = PostgreSQL::Test::Utils::slurp_file($node->logfile, $log_size);
	my @warnings = $log =~ /WARNING:  (OpenSSL provides no [^\n]*)/g;
	is("@warnings", $warning ? "OpenSSL provides no $warning" : '', 'one warning says so, if something is missing');
	return;
}

# What must go on whatever is missing.
sub everything_else
{
	my ($name) = @_;
	is(value($node, 'SELECT count(*) FROM t WHERE plain <> $$$$', user => 'nobody'), 50,
		"$name: plain columns are read");
	is(value($node, 'COPY t TO STDOUT'), $sealed, "$name: sealed values are copied out");
	is( value(
			$node, "BEGIN; SET envcrypt.io = ciphertext; CREATE TEMP TABLE u (LIKE t);
			INSERT INTO u SELECT * FROM t; SELECT count(*) FROM u; COMMIT; VACUUM ANALYZE t"),
		50,
		"$name: and moved");
	return;
}

restart('AES-256-GCM, AES-256-ECB, SHA-256, HKDF, HMAC', OPENSSL_CONF => $nothing);
everything_else('no algorithm at all');
for my $case (
	[ 'SELECT c FROM t',                              'reader' ],
	[ q{INSERT INTO t VALUES (1, 'x', 'y')},          'clerk' ],
	[ q{SELECT encrypt_for_user('1', 'x'::text)},     'clerk' ],
	[ q{SELECT encrypt_for_user('77', 'x'::text)},    'clerk' ],
	[ q{SELECT envcrypt_create_user_key('78')},       'postgres' ],
	[ q{SELECT envcrypt_rotate_master()},             'postgres' ],
	[ q{SELECT envcrypt_shred_user('2')},             'postgres' ],
	[ q{SELECT * FROM envcrypt_verify('t')},          'reader' ])
{
	my ($sql, $user) = @$case;
	my $error = fails($node, $sql, '58000', qr/OpenSSL provides no /, "as $user: $sql", user => $user);
	like($error, qr/HINT: .*openssl\.cnf/, 'with a hint');
}
fails($node, 'SELECT c FROM t', '58000', qr/OpenSSL provides no /, 'with a session key', key => $key);
is( value($node, q{SELECT state, detail FROM envcrypt_status() WHERE "check" = 'OpenSSL'}, user => 'reader'),
	'error|OpenSSL provides no AES-256-GCM, AES-256-ECB, SHA-256, HKDF, HMAC: values cannot be sealed or opened.',
	'the status report names them');
like(
	value($node, q{SELECT "check" FROM envcrypt_status()}, user => 'reader', key => $key),
	qr/OpenSSL/, 'also to a session with a key of its own');

# One at a time.
for my $algorithm ('AES-256-GCM', 'AES-256-ECB', 'SHA256', 'HKDF', 'HMAC')
{
	my $name = $algorithm eq 'SHA256' ? 'SHA-256' : $algorithm;
	restart($name, LD_PRELOAD => "$dir/without.so", WITHOUT_ALGORITHM => $algorithm);
	everything_else("without $algorithm");
	my $missing = qr/OpenSSL provides no \Q$name\E$/m;
	if ($algorithm eq 'HMAC')
	{
		is(value($node, 'SELECT c FROM t WHERE id = 3', user => 'reader'), 'value 3', 'without HMAC values open');
		fails($node, q{SELECT envcrypt_shred_user('2')}, '58000', $missing, 'and nobody is shredded');
	}
	else
	{
		fails($node, 'SELECT c FROM t WHERE id = 3', '58000', $missing, "without $algorithm none opens",
			user => 'reader');
	}
}

restart('', LD_PRELOAD => "$dir/without.so", REFUSE_SHORT_KEYS => 1);
everything_else('without short keys');
is(value($node, q{SELECT encrypt_for_user('79', 'x'::text) IS NULL}, user => 'clerk'), 'f', 'values are sealed');
is(value($node, 'SELECT c FROM t WHERE id = 3', user => 'reader'), 'value 3', 'and opened');
like(value($node, q{SELECT envcrypt_shred_user('79')}), qr/tombstone/, 'and owners shredded');

# Loaded on demand: a warning for the session, and again no error.
$node->stop;
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
{
	local @ENV{qw(LD_PRELOAD WITHOUT_ALGORITHM)} = ("$dir/without.so", 'HKDF');
	$node->start;
}
my ($out, $err) = run_sql($node, "LOAD 'envcrypt'; SELECT count(*) FROM t");
is($out, 50, 'loaded on demand, the session goes on');
is(() = $err =~ /WARNING: .*OpenSSL provides no HKDF/g, 1, 'and is warned once') or diag($err);
($out, $err) = run_sql($node, "LOAD 'envcrypt'; SET force_parallel_mode = on; SELECT count(plain) FROM t");
is(() = $err =~ /OpenSSL provides no HKDF/g, 1, 'by the session, not by each parallel worker') or diag($err);

$node->stop;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'envcrypt'");
$node->start;
is(value($node, 'SELECT count(c || c) FROM t WHERE id < 50', user => 'reader'), 49, 'with all back, values open');
$node->stop;
done_testing();
