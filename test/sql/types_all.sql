-- All encrypted types: input, output, storage, ciphertext. Each does what its base type does.
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SET TimeZone = 'UTC';
SELECT typname, typlen, typalign, typstorage, typcategory, typispreferred, typcollation <> 0 AS collatable, typmodin,
    typmodout,
    typanalyze, (SELECT count(*) FROM pg_opclass o WHERE o.opcintype = t.oid) AS classes, typarray <> 0 AS has_array
FROM pg_type t WHERE typname ~ '^encrypted_' ORDER BY 1;

-- Every value in and out again: by literal, cast, parameter and binary form; what is not the same is shown.
CREATE TABLE edge (id serial, type text, value text);
INSERT INTO edge (type, value) VALUES ('text', ''), ('text', 'x'), ('text', 'Grüße 😀'),
    ('text', E'tab\t, ''quote'' "\\'), ('text', 'null');
INSERT INTO edge (type, value) VALUES ('bytea', ''), ('bytea', '\x'), ('bytea', '\x00ff'), ('bytea', 'plain \000');
INSERT INTO edge (type, value) VALUES ('jsonb', 'null'), ('jsonb', '{"b": [1, 2.50, {"ü": null}], "a": "x"}'),
    ('jsonb', '{"a":1,"a":2}'), ('jsonb', '1e400'), ('jsonb', '""'), ('jsonb', ' [ ] ');
INSERT INTO edge (type, value) VALUES ('int8', '0'), ('int8', '-9223372036854775808'), ('int8', '9223372036854775807'),
    ('int8', ' 7 ');
INSERT INTO edge (type, value) VALUES ('numeric', '0'), ('numeric', '-0.000'), ('numeric', '1.50'), ('numeric', 'NaN'),
    ('numeric', 'inf'), ('numeric', '-infinity'), ('numeric', '1e-16383'), ('numeric', '1e131071'),
    ('numeric', '123456789012345678901234567890.0987654321');
INSERT INTO edge (type, value) VALUES ('float8', '0'), ('float8', '-0'), ('float8', 'NaN'), ('float8', 'Infinity'),
    ('float8', '-Infinity'), ('float8', '5e-324'), ('float8', '1.7976931348623157e308'), ('float8', '0.1');
INSERT INTO edge (type, value) VALUES ('bool', 'true'), ('bool', 'off'), ('bool', '1'), ('bool', 'n');
INSERT INTO edge (type, value) VALUES ('date', '2026-11-21'), ('date', '4714-11-24 BC'), ('date', '5874897-12-31'),
    ('date', 'infinity'), ('date', '-infinity'), ('date', '0001-12-31 BC'), ('date', 'epoch');
INSERT INTO edge (type, value) VALUES ('timestamptz', '2026-11-21 07:00:00.123456+02'),
    ('timestamptz', '4714-11-24 00:00:00+00 BC'), ('timestamptz', '294276-12-31 23:59:59.999999+00'),
    ('timestamptz', 'infinity'), ('timestamptz', '-infinity'), ('timestamptz', '2026-03-29 02:30 Europe/Berlin');
INSERT INTO edge (type, value) VALUES ('uuid', '00000000-0000-0000-0000-000000000000'),
    ('uuid', '{A0EEBC999C0B4EF8BB6D6BB9BD380A11}');
INSERT INTO edge (type, value) VALUES ('inet', '10.1.2.3/8'), ('inet', '0.0.0.0/0'), ('inet', '::1'),
    ('inet', '2001:db8::1/64'), ('inet', '::ffff:1.2.3.4');
CREATE FUNCTION round_trip(type text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    expected text;
    printed boolean;
    got text[];
    base bytea;
    plain bytea;
BEGIN
    EXECUTE format('SELECT %1$L::%2$I::text, format(''%%s'', %1$L::%2$I) = format(''%%s'', %1$L::encrypted_%2$s)',
        value, type) INTO expected, printed;
    EXECUTE format('SELECT ARRAY[%1$L::encrypted_%2$s::text, %1$L::%2$s::encrypted_%2$s::%2$s::text,
        encrypt_for_user(''alice'', %1$L::%2$s)::%2$s::text, decrypt_for_user(''alice'', encrypt_for_user(''alice'', '
            '%1$L::%2$s))::text,
        ($1::encrypted_%2$s)::text, ($2::encrypted_%2$s)::%2$s::text, envcrypt_bind(%1$L::%2$s, ''alice'', '
            '7)::%2$s::text,
        envcrypt_bind(%1$L::encrypted_%2$s, NULL, 8)::%2$s::text]', value, type) INTO got USING value, value;
    IF (SELECT count(DISTINCT g) FROM unnest(got) AS g) <> 1 OR got[1] IS DISTINCT FROM expected OR NOT printed THEN
        RETURN format('%s, not %s', got, expected);
    END IF;
    EXECUTE format('SELECT %s(%L::%I), encrypted_%s_send(%L::encrypted_%s)', t.typsend, value, type, type, value, type)
        FROM pg_type t WHERE typname = type INTO base, plain;
    RETURN CASE WHEN base = plain THEN 'same' ELSE format('binary %s, not %s', plain, base) END;
END $$;
SELECT type, round_trip(type, value), count(*), string_agg(CASE WHEN round_trip(type, value) <> 'same' THEN value END,
    ',') FROM edge GROUP BY 1, 2 ORDER BY 1, 2;

-- NULL is never sealed.
SELECT NULL::encrypted_int8 IS NULL, NULL::text::encrypted_text IS NULL, encrypt_for_user('alice', NULL::jsonb)
    IS NULL, envcrypt_bind(NULL::uuid, 'alice', 1) IS NULL, NULL::encrypted_date::date IS NULL,
        NULL::encrypted_bool::text IS NULL;

-- Bad input: the base type's SQLSTATE, and no word of the value.
CREATE FUNCTION refuses(type text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    base text; m text; d text; h text;
BEGIN
    BEGIN EXECUTE format('SELECT %L::%I', value, type); EXCEPTION WHEN OTHERS THEN base := SQLSTATE; END;
    EXECUTE format('SELECT %L::encrypted_%s', value, type);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(' / ', SQLSTATE, m, nullif(d, ''), nullif(h, ''), CASE WHEN base IS DISTINCT FROM SQLSTATE
        THEN 'base type: ' || base END, CASE WHEN position(value IN m || d || h) > 0 AND value <> ''
            THEN 'SHOWS IT' END);
END $$;
SELECT t, v, replace(refuses(t, v), 'The value is not shown, because it is or was to be encrypted.', '...') AS refuses
    FROM (VALUES ('bytea', '\x123'), ('bytea', '\xzz'), ('jsonb', ''), ('jsonb', '{"secret": 1'),
        ('jsonb', '"\ud800"'), ('jsonb', '"\u0000"')) AS _ (t, v);
SELECT t, v, replace(refuses(t, v), 'The value is not shown, because it is or was to be encrypted.', '...') AS refuses
    FROM (VALUES ('int8', ''), ('int8', 'secret'), ('int8', '1.5'), ('int8', '9223372036854775808'), ('numeric', ''),
        ('numeric', '1,5'), ('numeric', '1e200000'), ('float8', ''), ('float8', 'secret'), ('float8', '1e309')) AS _
            (t, v);
SELECT t, v, replace(refuses(t, v), 'The value is not shown, because it is or was to be encrypted.', '...') AS refuses
    FROM (VALUES ('bool', ''), ('bool', 'maybe'), ('date', ''), ('date', '2026-02-30'), ('date', '5874898-01-01'),
        ('date', 'secret'), ('timestamptz', '2026-01-01 25:00'), ('timestamptz', '294277-01-01'),
        ('timestamptz', '2026-01-01 Mars/Base')) AS _ (t, v);
SELECT t, v, replace(refuses(t, v), 'The value is not shown, because it is or was to be encrypted.', '...') AS refuses
    FROM (VALUES ('uuid', ''), ('uuid', '123'), ('inet', ''), ('inet', '1.2.3'), ('inet', '1.2.3.256'),
        ('inet', '1.2.3.4/33'), ('inet', '::1/129')) AS _ (t, v);
SELECT 'secret'::encrypted_uuid;
SELECT 'secret'::text::encrypted_uuid;
SELECT '{"secret": '::text::encrypted_jsonb;
PREPARE bad (text) AS SELECT $1::encrypted_int8;
EXECUTE bad ('secret');

-- A table of all, by COPY in text and binary, plain and sealed.
CREATE TABLE every (id int, t encrypted_text, b encrypted_bytea, j encrypted_jsonb, i encrypted_int8,
    n encrypted_numeric,
    f encrypted_float8, o encrypted_bool, d encrypted_date, z encrypted_timestamptz, u encrypted_uuid,
    a encrypted_inet);
\d every
COPY every FROM stdin;
1	text	\\x00ff	{"a": [1, null]}	42	1.50	-0	t	2026-11-21	2026-11-21 07:00:00.5+00	00112233-4455-6677-8899-aabbccddeeff	10.1.2.3/8
2	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N	\N
3		\\x	{}	0	0	0	f	-infinity	infinity	00000000-0000-0000-0000-000000000000	::
\.
COPY every FROM stdin;
4	text	\\x00ff	{"a": secret	42	1.50	-0	t	2026-11-21	2026-11-21 07:00:00.5+00	00112233-4455-6677-8899-aabbccddeeff	10.1.2.3/8
\.
SELECT * FROM every ORDER BY id;
COPY every TO '/tmp/regress_envcrypt_every.bin' (FORMAT binary);
CREATE TABLE plain (id int, t text, b bytea, j jsonb, i int8, n numeric, f float8, o bool, d date, z timestamptz,
    u uuid, a inet);
COPY plain FROM '/tmp/regress_envcrypt_every.bin' (FORMAT binary);
SELECT * FROM plain ORDER BY id;
COPY plain TO '/tmp/regress_envcrypt_every.bin' (FORMAT binary);
CREATE TABLE again (LIKE every);
COPY again FROM '/tmp/regress_envcrypt_every.bin' (FORMAT binary);
SELECT count(*) FROM again, plain WHERE again::text = plain::text;
SET envcrypt.io = ciphertext;
SELECT id, left(t::text, 11), left(concat(j), 11), left(concat(i), 11), length(concat(o)), length(concat(d)),
    length(concat(i)), length(concat(u)) FROM every ORDER BY id;
TRUNCATE again;
COPY every TO '/tmp/regress_envcrypt_every.bin' (FORMAT binary);
COPY again FROM '/tmp/regress_envcrypt_every.bin' (FORMAT binary);
SELECT count(*) FROM every JOIN again ON every::text = again::text;
TRUNCATE again;
COPY every TO '/tmp/regress_envcrypt_every.txt';
COPY again FROM '/tmp/regress_envcrypt_every.txt';
SELECT count(*) FROM every JOIN again ON every::text = again::text;
INSERT INTO every (i) VALUES (42);
INSERT INTO every (i) VALUES ('42');
RESET envcrypt.io;
\set SHOW_CONTEXT never
COPY again FROM '/tmp/regress_envcrypt_every.txt';
COPY again FROM '/tmp/regress_envcrypt_every.bin' (FORMAT binary);
\set SHOW_CONTEXT errors
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -f /tmp/regress_envcrypt_every.bin /tmp/regress_envcrypt_every.txt';

-- How long values are: 40 bytes more than the plaintext for an owner, 52 under the database key.
CREATE TABLE sizes AS SELECT encrypt_for_user('alice', 42::int8) AS i, encrypt_for_user('alice', true) AS o,
    encrypt_for_user('alice', now()) AS z, 'x'::text::encrypted_text AS t;
SELECT pg_column_size(i) - 1, pg_column_size(o) - 1, pg_column_size(z) - 1, pg_column_size(t) - 1 FROM sizes;

-- A value of one type is none of another, in text and binary form.
SET envcrypt.io = ciphertext;
CREATE TABLE armored AS SELECT k.type, k.value FROM every e, LATERAL (VALUES ('text', concat(t)), ('bytea', concat(b)),
    ('jsonb', concat(j)),
    ('int8', concat(i)), ('numeric', concat(n)), ('float8', concat(f)), ('bool', concat(o)), ('date', concat(d)),
    ('timestamptz', concat(z)),
    ('uuid', concat(u)), ('inet', concat(a))) AS k (type, value) WHERE id = 1;
CREATE FUNCTION takes(type text, armored text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT %L::encrypted_%s', armored, type);
    RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT takes(asked.type, given.value), count(*), count(*) FILTER (WHERE asked.type = given.type) AS own_type
    FROM armored asked, armored given GROUP BY 1 ORDER BY 1;
RESET envcrypt.io;
SELECT replace(takes(type, value), type, '...'), count(*) FROM armored GROUP BY 1;
-- As binary fields: COPY of one type into the other.
CREATE TABLE one (i encrypted_int8);
CREATE TABLE other (z encrypted_timestamptz);
INSERT INTO one VALUES (1);
SET envcrypt.io = ciphertext;
COPY one TO '/tmp/regress_envcrypt_one.bin' (FORMAT binary);
COPY other FROM '/tmp/regress_envcrypt_one.bin' (FORMAT binary);
RESET envcrypt.io;
-- Plainly they are: eight bytes of int8 are a timestamp, as between PostgreSQL's own types.
COPY one TO '/tmp/regress_envcrypt_one.bin' (FORMAT binary);
COPY other FROM '/tmp/regress_envcrypt_one.bin' (FORMAT binary);
SELECT * FROM other;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -f /tmp/regress_envcrypt_one.bin';

-- The same bytes are sealed whatever the client speaks.
CREATE TABLE spoken (t encrypted_text, j encrypted_jsonb);
INSERT INTO spoken VALUES (U&'\00fc', U&'{"\00fc": 1}');
SET client_encoding = latin1;
INSERT INTO spoken VALUES (U&'\00fc', U&'{"\00fc": 1}');
SELECT count(*) FROM spoken WHERE t = U&'\00fc' AND j ? U&'\00fc' AND j::text = U&'{"\00fc": 1}';
RESET client_encoding;
SELECT octet_length(t::text), octet_length(j::text), t, j FROM spoken;
SET envcrypt.io = ciphertext;
SELECT DISTINCT octet_length(encrypted_text_send(t)) - 52, octet_length(encrypted_jsonb_send(j)) - 52 FROM spoken;
RESET envcrypt.io;

-- Arrays, domains, composites, ranges of them.
CREATE DOMAIN age AS encrypted_int8 CHECK (VALUE BETWEEN 0 AND 150);
CREATE DOMAIN price AS encrypted_numeric(8, 2);
CREATE TYPE visit AS (at encrypted_timestamptz, address encrypted_inet, data encrypted_jsonb);
CREATE TABLE nested (id int, dates encrypted_date[], ages age, cost price, v visit, vs visit[], flags encrypted_bool[]);
INSERT INTO nested VALUES (1, '{2026-01-01,infinity,NULL}', 42, 1.005, ROW('2026-01-01 00:00+00', '10.0.0.1',
    '{"a": "b,c"}'), ARRAY[ROW('2026-01-01 00:00+00', NULL, '[]')::visit], ARRAY[true, false]::encrypted_bool[]);
INSERT INTO nested (id, ages) VALUES (2, 151);
INSERT INTO nested (id, ages) VALUES (2, 'secret');
INSERT INTO nested (id, dates) VALUES (2, '{secret}');
SELECT * FROM nested;
SELECT dates[1] + 1, ages + 1, cost * 2, (v).at + interval '1 day', host((v).address), (v).data ->> 'a', (vs[1]).data,
    flags[2] OR true, array_length(dates, 1), '2026-01-01' = ANY (dates::date[]) FROM nested;
SELECT unnest(dates) FROM nested;
UPDATE nested SET dates[2] = '2000-01-01', v.address = '::1' RETURNING dates, (v).address;
SELECT count(*) FROM (SELECT DISTINCT dates, v, flags FROM nested) AS _;
SET envcrypt.io = ciphertext;
SELECT dates::text ~ '^\{envcrypt1:[^,]*,envcrypt1:[^,]*,NULL\}$',
    v::text ~ '^\(envcrypt1:[^,]*,envcrypt1:[^,]*,envcrypt1:[^,]*\)$' FROM nested;
RESET envcrypt.io;

-- Huge values.
CREATE TABLE huge (n encrypted_numeric, j encrypted_jsonb, t encrypted_text);
INSERT INTO huge SELECT ('1' || repeat('0', 100000) || '.' || repeat('3', 10000))::numeric,
    jsonb_build_object('k', repeat('ü', 500000)), repeat('x', 2000000);
SELECT length(n::text), length(j ->> 'k'), length(t), n = ('1' || repeat('0', 100000) || '.' || repeat('3',
    10000))::numeric AS same, envcrypt_owner(n) IS NULL AS database_key FROM huge;
INSERT INTO huge SELECT * FROM huge;
SELECT count(DISTINCT n), count(DISTINCT j), count(DISTINCT t) FROM huge;

-- No index on any of them, and ANALYZE keeps no value.
CREATE FUNCTION takes_index(type text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TEMP TABLE indexed (c encrypted_%s)', type);
    EXECUTE 'CREATE INDEX ON indexed (c)';
    RETURN 'indexed';
EXCEPTION WHEN OTHERS THEN
    BEGIN
        EXECUTE format('CREATE TEMP TABLE indexed (c encrypted_%s UNIQUE)', type);
        RETURN 'unique';
    EXCEPTION WHEN OTHERS THEN
        BEGIN
            EXECUTE format('CREATE TEMP TABLE indexed (c encrypted_%s, EXCLUDE USING hash (c WITH '
                'OPERATOR(public.*=)))', type);
            RETURN 'excluded';
        EXCEPTION WHEN OTHERS THEN RETURN SQLERRM;
        END;
    END;
END $$;
SELECT takes_index(type), count(DISTINCT type) FROM edge GROUP BY 1;
ANALYZE every;
SELECT tablename, count(*) FILTER (WHERE most_common_vals IS NOT NULL OR histogram_bounds IS NOT NULL
    OR most_common_elems IS NOT NULL) AS with_values, count(*) AS columns
FROM pg_stats WHERE tablename = 'every' AND attname <> 'id' GROUP BY 1 ORDER BY 1;
DROP TABLE edge, every, plain, again, sizes, armored, one, other, spoken, nested, huge;
DROP TYPE visit;
DROP DOMAIN age, price;
DROP FUNCTION round_trip, refuses, takes, takes_index;
