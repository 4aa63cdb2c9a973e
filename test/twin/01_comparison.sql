-- Chapter 9.1 and 9.2: logical operators, comparison operators, functions and predicates.

-- name: compare_text
SELECT id, note = 'apple' AS eq, note <> 'apple' AS ne, note < 'b' AS lt, note <= 'apple' AS le, note > 'b' AS gt,
    note >= 'b' AS ge
FROM t ORDER BY id;

-- name: compare_varchar
SELECT id, name = 'Ann' AS eq, name != 'Ann' AS ne, name < 'b' AS lt, name >= 'b' AS ge FROM t ORDER BY id;

-- name: compare_bytea
SELECT id, raw = '\x00' AS eq, raw <> '\x00' AS ne, raw < '\x10' AS lt, raw <= '\x00' AS le, raw > '\x30' AS gt,
    raw >= '\xff' AS ge
FROM t ORDER BY id;

-- name: compare_jsonb
SELECT id, doc = '{"a": 1, "b": [1, 2, 3]}' AS eq, doc <> '42' AS ne, doc < '[1]' AS lt, doc >= '{}' AS ge FROM t
ORDER BY id;

-- name: compare_int8
SELECT id, n = 1 AS eq, n <> 1 AS ne, n < 12 AS lt, n <= 12 AS le, n > 12 AS gt, n >= 12 AS ge FROM t ORDER BY id;

-- name: compare_int8_other_widths
SELECT id, n = 1::int2, n < 12::int4, n > 12::int8, n <= 12.5, n >= 12.5::float8, n <> 1.5::float4 FROM t ORDER BY id;

-- name: compare_int8_literal_left
SELECT id, 1 = n, 12 > n, 12::int2 <= n, 12.5 < n, 1.5::float8 >= n FROM t ORDER BY id;

-- name: compare_int8_untyped
SELECT id, n = '1', '12' > n FROM t ORDER BY id;

-- name: compare_numeric
SELECT id, amount = 1.5 AS eq, amount <> 1.5 AS ne, amount < 0 AS lt, amount <= 0 AS le, amount > 12 AS gt,
    amount >= 12 AS ge
FROM t ORDER BY id;

-- name: compare_numeric_integers
SELECT id, amount = 2, amount > 2::int2, amount < 2::bigint, 2 < amount, amount = '2' FROM t ORDER BY id;

-- name: compare_numeric_floats
SELECT id, amount > 0.5::float8, amount = 1.5::float4, 1.5::float8 < amount FROM t ORDER BY id;

-- name: compare_numeric_nan
SELECT id, amount = 'NaN', amount < 'NaN', amount = 'Infinity', amount > '-Infinity' FROM t ORDER BY id;

-- name: compare_numeric_typmod
SELECT id, price = 12.34, price > 1.5, price BETWEEN 0 AND 20 FROM t ORDER BY id;

-- name: compare_float8
SELECT id, ratio = 0.5 AS eq, ratio <> 0.5 AS ne, ratio < 0 AS lt, ratio <= 0 AS le, ratio > 1 AS gt, ratio >= 1 AS ge
FROM t ORDER BY id;

-- name: compare_float8_special
SELECT id, ratio = 'NaN', ratio < 'NaN', ratio = 'inf', ratio > '-Infinity', ratio = '-0' FROM t ORDER BY id;

-- name: compare_float8_others
SELECT id, ratio > 1::float4, ratio < 10::int8, ratio = 12.5::numeric, 1 < ratio, 0.5::float4 = ratio FROM t
ORDER BY id;

-- name: compare_bool
SELECT id, flag = true AS eq, flag <> true AS ne, flag < true AS lt, flag >= true AS ge, flag = 't', flag = 'no' FROM t
ORDER BY id;

-- name: compare_date
SELECT id, born = '1988-08-08' AS eq, born <> '1988-08-08' AS ne, born < '2000-01-01' AS lt,
    born > date '2000-01-01' AS gt, born >= 'infinity' AS ge FROM t ORDER BY id;

-- name: compare_date_literal_with_time
SELECT id, born = '1999-12-31 12:00' AS eq, born < '2000-02-29 23:59' AS lt, born >= '2000-02-29 00:01' AS ge,
    born IN ('1970-01-01 05:00') AS "in"
FROM t ORDER BY id;

-- name: compare_date_literal_in_time_zones
SET LOCAL TimeZone = 'America/Sao_Paulo';
SELECT id FROM t WHERE born = '2018-11-04' OR born = '1999-12-31' OR born > '9999-01-01' ORDER BY id;

-- name: compare_date_timestamps
SELECT id, born < timestamp '2000-01-01 12:00', born >= timestamptz '2000-01-01 00:00+00', timestamp '2000-01-01' > born
FROM t ORDER BY id;

-- name: compare_timestamptz
SELECT id, seen = '2024-02-29 12:00:00+00' AS eq, seen < '2000-01-01' AS lt,
    seen > timestamptz '2020-01-01 00:00+02' AS gt, seen >= 'infinity' AS ge, seen <> '-infinity' AS ne FROM t
    ORDER BY id;

-- name: compare_timestamptz_others
SELECT id, seen < date '2000-01-01', seen >= timestamp '2020-02-02 21:02:02', date '2024-01-01' <= seen FROM t
ORDER BY id;

-- name: compare_uuid
SELECT id, uid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' AS eq, uid <> 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' AS ne,
    uid < 'b0000000-0000-0000-0000-000000000000' AS lt, uid >= 'd0000000-0000-4000-8000-00000000000c' AS ge FROM t
    ORDER BY id;

-- name: compare_uuid_spellings
SELECT id FROM t WHERE uid = 'A0EEBC999C0B4EF8BB6D6BB9BD380A11' OR uid = '{d0000000-0000-4000-8000-00000000000c}'::uuid
ORDER BY id;

-- name: compare_inet
SELECT id, host = '192.168.1.5/24' AS eq, host <> '192.168.1.6' AS ne, host < '192.168.1.6' AS lt,
    host > '10.1.2.3/16' AS gt, host <= '::' AS le, host >= 'fe80::1/64' AS ge FROM t ORDER BY id;

-- name: compare_inet_cidr
SELECT id, host = cidr '10.0.0.0/8', host >= '192.168.1.0/24'::cidr, cidr '10.0.0.0/8' < host FROM t ORDER BY id;

-- name: compare_same_column_types
SELECT id, note = name AS text_varchar, n = amount AS int8_numeric, n < ratio AS int8_float8,
    amount >= ratio AS numeric_float8, price = amount AS numeric_numeric, born < seen AS date_timestamptz FROM t
    ORDER BY id;

-- name: compare_column_with_itself
SELECT id FROM t WHERE note = note AND n = n AND amount <= amount AND ratio >= ratio AND flag = flag AND born = born
    AND seen = seen AND uid = uid AND host = host AND raw = raw AND doc = doc ORDER BY id;

-- name: compare_plain_column
SELECT id FROM t WHERE n = id ORDER BY id;

-- name: compare_text_plain_column
SELECT id, note > owner, owner < note FROM t ORDER BY id;

-- name: compare_expression_both_sides
SELECT id FROM t WHERE n / 2 > id - 5 AND n < 1000000 ORDER BY id;

-- name: compare_text_name_type
SELECT id FROM t WHERE note = 'apple'::name OR name = 'Bob'::name ORDER BY id;

-- name: compare_text_char_type
SELECT id FROM t WHERE note = 'apple'::char(10) ORDER BY id;

-- name: compare_text_varchar_type
SELECT id FROM t WHERE note = 'apple'::varchar OR name = 'Ann'::text ORDER BY id;

-- name: compare_text_number_fails
SELECT id FROM t WHERE note = 5;

-- name: compare_int8_bad_literal_fails
SELECT id FROM t WHERE n = 'five';

-- name: compare_date_bad_literal_fails
SELECT id FROM t WHERE born = '2024-02-30';

-- name: compare_uuid_bad_literal_fails
SELECT id FROM t WHERE uid = 'not a uuid';

-- name: compare_inet_bad_literal_fails
SELECT id FROM t WHERE host = '300.1.1.1';

-- name: compare_numeric_text_fails
SELECT id FROM t WHERE amount = '5'::text;

-- name: compare_bool_int_fails
SELECT id FROM t WHERE flag = 1;

-- name: compare_jsonb_text_fails
SELECT id FROM t WHERE doc = '42'::text;

-- name: compare_uuid_text_fails
SELECT id FROM t WHERE uid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::text;

-- name: is_null
SELECT id, note IS NULL, raw IS NULL, doc IS NULL, n ISNULL, amount IS NULL, ratio IS NULL, flag IS NULL,
    born IS NOT NULL, seen NOTNULL, uid IS NOT NULL, host IS NOT NULL FROM t ORDER BY id;

-- name: is_distinct_from_literal
SELECT id, note IS DISTINCT FROM 'apple', raw IS DISTINCT FROM '\x00', doc IS NOT DISTINCT FROM '42',
    n IS DISTINCT FROM 1, amount IS DISTINCT FROM 1.5, ratio IS NOT DISTINCT FROM 'NaN', flag IS DISTINCT FROM true,
    born IS DISTINCT FROM '1999-12-31', seen IS DISTINCT FROM 'infinity',
    uid IS NOT DISTINCT FROM 'c0ffee00-0000-4000-8000-000000000001',
    host IS NOT DISTINCT FROM '::1' FROM t ORDER BY id;

-- name: is_distinct_from_null
SELECT id, note IS DISTINCT FROM NULL, n IS NOT DISTINCT FROM NULL, doc IS DISTINCT FROM NULL FROM t ORDER BY id;

-- name: is_distinct_from_column
SELECT id, note IS DISTINCT FROM name, n IS DISTINCT FROM id, amount IS NOT DISTINCT FROM price,
    n IS NOT DISTINCT FROM amount
FROM t ORDER BY id;

-- name: bool_tests
SELECT id, flag IS TRUE, flag IS NOT TRUE, flag IS FALSE, flag IS NOT FALSE, flag IS UNKNOWN, flag IS NOT UNKNOWN FROM t
ORDER BY id;

-- name: bool_where
SELECT id FROM t WHERE flag ORDER BY id;

-- name: bool_where_not
SELECT id FROM t WHERE NOT flag ORDER BY id;

-- name: bool_and_or
SELECT id, flag AND true, flag OR false, flag AND NULL, NOT flag, flag AND n > 5, n > 5 OR flag FROM t ORDER BY id;

-- name: bool_operands_both_columns
SELECT t.id, u.id FROM t JOIN u ON t.flag AND u.flag AND t.id + 1 = u.id ORDER BY 1, 2;

-- name: between
SELECT id FROM t WHERE n BETWEEN 5 AND 17 ORDER BY id;

-- name: between_all_types
SELECT id, note BETWEEN 'a' AND 'n', raw BETWEEN '\x00' AND '\x10', doc BETWEEN '1' AND '100', n BETWEEN 0 AND 12,
    amount BETWEEN -1 AND 1.5, ratio BETWEEN 0 AND 1, born BETWEEN '1980-01-01' AND '2000-01-01',
    seen BETWEEN '2020-01-01' AND '2024-12-31', uid BETWEEN 'a0000000-0000-0000-0000-000000000000' AND
    'd0000000-0000-4000-8000-00000000000b', host BETWEEN '10.0.0.0' AND '10.255.255.255' FROM t ORDER BY id;

-- name: not_between
SELECT id FROM t WHERE amount NOT BETWEEN 0 AND 100 ORDER BY id;

-- name: between_symmetric
SELECT id, n BETWEEN SYMMETRIC 17 AND 5, born NOT BETWEEN SYMMETRIC '2000-01-01' AND '1980-01-01' FROM t ORDER BY id;

-- name: between_columns
SELECT id FROM t WHERE id BETWEEN n AND amount ORDER BY id;

-- name: between_mixed_bounds
SELECT id FROM t WHERE n BETWEEN 1.5 AND 12::int2 ORDER BY id;

-- name: num_nulls
SELECT id, num_nulls(note, raw, doc, n, amount), num_nonnulls(flag, born, seen, uid, host) FROM t ORDER BY id;

-- name: num_nulls_variadic
SELECT id, num_nonnulls(VARIADIC ARRAY[note, name]) FROM t ORDER BY id;

-- name: operator_syntax
SELECT id FROM t WHERE n OPERATOR(pg_catalog.=) 12 AND note OPERATOR(pg_catalog.~~) '%s%' ORDER BY id;

-- name: operator_syntax_same_type
SELECT a.id, b.id FROM t a JOIN t b ON a.note OPERATOR(pg_catalog.=) b.note AND a.id < b.id WHERE a.id < 21
ORDER BY 1, 2;

-- name: precedence
SELECT id FROM t WHERE NOT n = 1 AND n / 2 < 10 OR note LIKE 'a%' AND flag IS TRUE ORDER BY id;
