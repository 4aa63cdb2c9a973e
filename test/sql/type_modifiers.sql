-- Type modifiers: encrypted_numeric(p, s), encrypted_timestamptz(n), and encrypted_text(n), which is as varchar(n).
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SET TimeZone = 'UTC';
CREATE TABLE m (id serial, n encrypted_numeric(12,2), t encrypted_text(5), z encrypted_timestamptz(0));
CREATE TABLE p (id serial, n numeric(12,2), t varchar(5), z timestamptz(0));
\d m
-- What format_type prints, pg_dump writes: it can be read back.
SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'm'::regclass AND attnum > 1 ORDER BY attnum;
DO $$ BEGIN EXECUTE (SELECT format('CREATE TABLE m2 (%s)',
    string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)) FROM pg_attribute
        WHERE attrelid = 'm'::regclass AND attnum > 1); END $$;
SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'm2'::regclass AND attnum > 0
    ORDER BY attnum;
CREATE TABLE bad (n encrypted_numeric(0));
CREATE TABLE bad (n encrypted_numeric(2000));
CREATE TABLE bad (t encrypted_text(0));
CREATE TABLE bad (t encrypted_text(1, 2));
CREATE TABLE bad (i encrypted_int8(4));
CREATE TABLE bad (b encrypted_bytea(4));

-- Each statement for both: what the table with encrypted columns does, the plain one does.
CREATE FUNCTION for_both(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    a text; b text;
BEGIN
    BEGIN EXECUTE replace(statement, '@', 'm') INTO a; EXCEPTION WHEN OTHERS THEN a := SQLSTATE || ' ' || SQLERRM; END;
    BEGIN EXECUTE replace(statement, '@', 'p') INTO b; EXCEPTION WHEN OTHERS THEN b := SQLSTATE || ' ' || SQLERRM; END;
    RETURN CASE WHEN a IS NOT DISTINCT FROM b THEN a ELSE format('%s, plain: %s', a, b) END;
END $$;
-- By literal.
SELECT for_both($$INSERT INTO @ (n, t, z) VALUES ('1.005', 'abcde', '2026-01-01 00:00:00.5+00') RETURNING (n, t, z)$$);
SELECT for_both($$INSERT INTO @ (n) VALUES ('12345678901') RETURNING n$$);
SELECT for_both($$INSERT INTO @ (n) VALUES ('NaN') RETURNING n$$);
SELECT for_both($$INSERT INTO @ (n) VALUES ('Infinity') RETURNING n$$);
SELECT for_both($$INSERT INTO @ (n) VALUES ('-0.004') RETURNING n$$);
SELECT for_both($$INSERT INTO @ (t) VALUES ('abcdef') RETURNING t$$);
SELECT for_both($$INSERT INTO @ (t) VALUES ('abcde   ') RETURNING t || '!'$$);
SELECT for_both($$INSERT INTO @ (t) VALUES ('äöüßé') RETURNING t$$);
SELECT for_both($$INSERT INTO @ (z) VALUES ('2026-12-31 23:59:59.6') RETURNING z$$);
SELECT for_both($$INSERT INTO @ (z) VALUES ('infinity') RETURNING z$$);
-- By assignment from other types and from unmodified encrypted values.
SELECT for_both($$INSERT INTO @ (n, t, z) VALUES (1.005, 'abc'::text, timestamptz '2026-01-01 00:00:00.5+00')
    RETURNING (n, t, z)$$);
SELECT for_both($$INSERT INTO @ (n, t, z) VALUES (7, 'abc'::varchar, date '2026-01-01') RETURNING (n, t, z)$$);
SELECT for_both($$INSERT INTO @ (n, t, z) VALUES (1.005::float8, 'abc'::char(9), timestamp '2026-01-01 00:00:00.4')
    RETURNING (n, t, z)$$);
SELECT for_both($$INSERT INTO @ (n) VALUES ('$1.50'::money) RETURNING n$$);
SELECT for_both($$INSERT INTO @ (n) VALUES (12345678901::bigint) RETURNING n$$);
SELECT for_both($$INSERT INTO @ (t) VALUES ('abcdef'::text) RETURNING t$$);
SELECT for_both($$INSERT INTO @ (t) VALUES ('abcdef'::name) RETURNING t$$);
SELECT for_both($$INSERT INTO @ (t) VALUES ('abcde '::text) RETURNING t || '!'$$);
INSERT INTO m (n, t, z) VALUES ('2.345'::encrypted_numeric, 'abcde '::encrypted_text,
    '2026-01-01 00:00:00.5+00'::encrypted_timestamptz) RETURNING n, t || '!' AS t, z;
INSERT INTO m (t) VALUES ('abcdef'::encrypted_text);
INSERT INTO m (n) VALUES ('12345678901'::encrypted_numeric);
UPDATE m SET n = n * 1.005, t = left(t || 'xyz', 5), z = z + interval '0.7 s' WHERE id = 1 RETURNING n, t, z;
UPDATE m SET t = t || 'too long' WHERE id = 1;
-- By cast: an explicit one cuts text off, as varchar's.
SELECT 'abcdef'::encrypted_text(5), 'abcdef'::text::encrypted_text(5), 'abcdef'::encrypted_text::encrypted_text(5),
    'äöüßéx'::encrypted_text(5);
SELECT '1.555'::encrypted_numeric(3,1), 1.555::encrypted_numeric(3,1),
    1.555::encrypted_numeric::encrypted_numeric(3,1), 15::encrypted_numeric(4), (-1555)::encrypted_numeric(2,-2);
SELECT 1555::encrypted_numeric(3,1);
SELECT '2026-01-01 00:00:00.55+00'::encrypted_timestamptz(1),
    timestamptz '2026-01-01 00:00:00.55+00'::encrypted_timestamptz(0), date '2026-01-01'::encrypted_timestamptz(0);
-- By parameter.
PREPARE plain_parameters (numeric, text, timestamptz) AS INSERT INTO m (n, t, z) VALUES ($1, $2, $3) RETURNING n, t, z;
EXECUTE plain_parameters (1.005, 'abc', '2026-01-01 00:00:00.5+00');
EXECUTE plain_parameters (1, 'abcdef', now());
PREPARE own_parameters AS INSERT INTO m (n, t, z) VALUES ($1, $2, $3) RETURNING n, t, z;
EXECUTE own_parameters ('1.005', 'abc', '2026-01-01 00:00:00.5+00');
EXECUTE own_parameters ('1', 'abcdef', now());
SELECT parameter_types FROM pg_prepared_statements WHERE name LIKE '%parameters' ORDER BY name;
-- By COPY, in text and binary form.
COPY m (n, t, z) FROM stdin;
3.14159	abc	2026-01-01 00:00:00.9+00
\.
COPY m (n, t, z) FROM stdin;
3.14159	abcdef	2026-01-01 00:00:00.9+00
\.
SELECT n, t, z FROM m ORDER BY id DESC LIMIT 1;
COPY (SELECT 2.005::numeric, 'abcde  '::text, timestamptz '2026-01-01 00:00:00.6+00')
    TO '/tmp/regress_envcrypt_modifiers.bin' (FORMAT binary);
COPY m (n, t, z) FROM '/tmp/regress_envcrypt_modifiers.bin' (FORMAT binary);
SELECT n, t || '!' AS t, z FROM m ORDER BY id DESC LIMIT 1;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -f /tmp/regress_envcrypt_modifiers.bin';
-- A sealed value is stored as it is, also by a session without a key: its column's modifier was applied when it was
-- sealed.
SET envcrypt.io = ciphertext;
CREATE TABLE armored AS SELECT concat('abcdefgh'::text::encrypted_text) AS t;
SELECT t FROM armored \gset
\c -
SET envcrypt.io = ciphertext;
INSERT INTO m (t) VALUES (:'t');
RESET envcrypt.io;
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SELECT t FROM m ORDER BY id DESC LIMIT 1;
-- Changing the modifier.
CREATE TABLE change AS SELECT '1.239'::encrypted_numeric AS n, 'abcdef'::encrypted_text AS t;
ALTER TABLE change ALTER n TYPE encrypted_numeric(4,1), ALTER t TYPE encrypted_text(3) USING t::encrypted_text(3);
SELECT * FROM change;
\d change
ALTER TABLE change ALTER t TYPE encrypted_text(2);
-- Domains, arrays and PL/pgSQL variables have them, too.
CREATE DOMAIN price AS encrypted_numeric(6,2);
SELECT '1.005'::price, 1.005::price, '{1.005,2}'::encrypted_numeric(6,2)[], ARRAY[1.005, 2]::encrypted_numeric(6,2)[];
SELECT '{abc,abcdef}'::encrypted_text(5)[], ARRAY['abcdef']::encrypted_text(5)[];
DO $$ DECLARE v encrypted_numeric(6,2) := 1.005; w encrypted_text(3); BEGIN RAISE NOTICE '% %', v, v + 1;
    w := 'abcd'; END $$;
DROP DOMAIN price;
DROP TABLE m, m2, p, armored, change;
DROP FUNCTION for_both;
