# INSERT ... ON CONFLICT DO UPDATE by a role that may seal and not open. Where the row that is there has another owner
# than the one that was to be inserted, EXCLUDED is bound to the wrong owner, by the statement itself: what the role has
# typed goes into the row that is there, and nothing else does.
use strict;
use warnings;
use EnvcryptTest;
use Test::More;

my $node = new_server('upsert', conf => "envcrypt.master_key_file = '" . key_file(new_master_key()) . "'");
value($node, <<'SQL');
SELECT envcrypt_rotate_master();
CREATE ROLE maker LOGIN IN ROLE envcrypt_encrypt;
CREATE TABLE card (id int PRIMARY KEY, owner text, number text, pin int8, seen int DEFAULT 0);
INSERT INTO card VALUES (1, 'ann', '4111', 1111), (2, 'bob', '4222', 2222), (3, 'cyd', NULL, 3333);
ALTER TABLE card OWNER TO clerk;
SET ROLE clerk;
SELECT envcrypt_protect('card', ARRAY['number', 'pin'], 'owner');
RESET ROLE;
SQL

# What is stored, and for whom. Nothing is ever wrong.
sub state_of_cards
{
	my $wrong = value($node, q{SELECT * FROM envcrypt_verify('card') WHERE problem IS NOT NULL}, user => 'clerk');
	return $wrong if $wrong ne '';
	return value(
		$node, q{SELECT concat_ws(' ', id, owner, left(number::text, 9), length(number::text), pin::int8, seen,
			envcrypt_owner(number), envcrypt_owner(pin)) FROM card ORDER BY id}, user => 'clerk');
}

my $set = 'SET number = EXCLUDED.number, pin = EXCLUDED.pin';
my $upsert = "ON CONFLICT (id) DO UPDATE $set";
for my $user ('writer', 'clerk')
{
	my $n = $user eq 'writer' ? 5 : 6;
	value($node, "INSERT INTO card VALUES (1, 'bob', '${n}111', ${n}1) $upsert", user => $user);
	value(
		$node,
		"INSERT INTO card VALUES (2, 'ann', repeat('long ', 20000), ${n}2), (3, 'new', '${n}333', NULL) $upsert",
		user => $user);
	is(state_of_cards(), <<"STATE" =~ s/\n\z//r, "$user: values typed go to the owner of the row that is there");
1 ann ${n}111 4 ${n}1 0 ann ann
2 bob long long 100000 ${n}2 0 bob bob
3 cyd ${n}333 4 0 cyd
STATE
	value($node, "INSERT INTO card VALUES (1, 'bob', '${n}000', ${n}9) $upsert, owner = EXCLUDED.owner", user => $user);
	value(
		$node, "INSERT INTO card VALUES (1, 'ann', '${n}001', ${n}8) $upsert, owner = 'ann' WHERE card.seen = 0",
		user => $user);
	like(state_of_cards(), qr/^1 ann ${n}001 4 ${n}8 0 ann ann$/m, "$user: with the owner, too");
	value($node, <<"SQL", user => $user);
INSERT INTO card SELECT i, 'someone', 'from select ' || i, i FROM generate_series(1, 3) i $upsert;
PREPARE p AS INSERT INTO card VALUES (\$1, 'someone', \$2, \$3) $upsert;
EXECUTE p (2, 'prepared', 2);
SQL
	like(
		state_of_cards(), qr/^1 ann from sele 13 1 0 ann ann\n2 bob prepared 8 2 0 bob bob$/m,
		"$user: many rows, and prepared");
}

# Not what he has not typed.
my $before = state_of_cards();
for my $attack (
	[ 'the row that is there', "INSERT INTO card VALUES (1, 'mallory', 'x', 1)
		ON CONFLICT (id) DO UPDATE SET owner = EXCLUDED.owner" ],
	[ 'another row', "INSERT INTO card VALUES (1, 'mallory', 'x', 1) ON CONFLICT (id) DO UPDATE SET owner = EXCLUDED.owner,
		number = (SELECT number FROM card WHERE id = 2), pin = EXCLUDED.pin" ],
	[ 'another row, by EXCLUDED', "INSERT INTO card SELECT 1, 'mallory', number, pin FROM card WHERE id = 2 $upsert" ],
	[ 'another column', "INSERT INTO card SELECT 1, 'bob', number, 1 FROM card WHERE id = 2 $upsert" ],
	[ 'a function of another', "INSERT INTO card VALUES (1, 'mallory', made(), 1) $upsert" ],
	[ 'an earlier command', "BEGIN; INSERT INTO card VALUES (9, 'bob', 'typed', 9);
		INSERT INTO card SELECT 1, 'mallory', number, 1 FROM card WHERE id = 9 $upsert" ])
{
	my ($what, $sql) = @$attack;
	value($node, <<'SQL') if $sql =~ /made/;
CREATE FUNCTION made() RETURNS encrypted_text LANGUAGE sql SECURITY DEFINER AS
$$ SELECT encrypt_for_user('bob', 'hidden'::text) $$;
ALTER FUNCTION made() OWNER TO maker;
SQL
	fails($node, $sql, '42501', qr/permission denied to (?:store|open)/, "refused: a value of $what", user => 'writer');
}
is(state_of_cards(), $before, 'nothing has changed');
$node->stop;
done_testing();
