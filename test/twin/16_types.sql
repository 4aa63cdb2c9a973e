-- Chapters 4.2.9, 8 and 10: type casts, type names, implicit conversions.

-- name: cast_to_base
SELECT id, note::text, raw::bytea, doc::jsonb, n::int8, amount::numeric, ratio::float8, flag::bool, born::date,
    seen::timestamptz, uid::uuid,
    host::inet FROM t WHERE id <> 20 ORDER BY id;

-- name: cast_to_text
SELECT id, note::text, raw::text, doc::text, n::text, amount::text, ratio::text, flag::text, born::text, seen::text,
    uid::text, host::text FROM t
WHERE id <> 20 ORDER BY id;

-- name: cast_to_varchar
SELECT id, note::varchar(4), n::varchar, amount::varchar(5), flag::varchar, born::varchar, uid::varchar(8),
    host::varchar FROM t
ORDER BY id;

-- name: cast_to_bpchar
SELECT id, note::char(4), note::bpchar, name::"char", n::char(2), flag::char FROM t ORDER BY id;

-- name: cast_to_name
SELECT id, note::name, name::name FROM t ORDER BY id;

-- name: cast_syntaxes
SELECT id, CAST(note AS text), CAST(n AS numeric), CAST(born AS timestamp), date(seen), float8 '0.5' * ratio FROM t
WHERE id <> 20 ORDER BY id;

-- name: cast_function_syntax
SELECT id, int8(amount), int4(n), float8(n), "numeric"(ratio), "timestamptz"(born), date(born), jsonb(doc), bool(flag)
FROM t
WHERE id = 1;

-- name: cast_function_syntax_text
SELECT id, text(note), "varchar"(note), text(host) FROM t WHERE id = 1;

-- name: cast_int8
SELECT id, n::int2, n::int4, n::int, n::numeric, n::numeric(10, 2), n::float4, n::float8, n::oid, n::money FROM t
WHERE n BETWEEN 0 AND 100
ORDER BY id;

-- name: cast_int8_bits
SELECT id, n::bit(8), n::bit(4), n::bit FROM t WHERE n BETWEEN 0 AND 20 ORDER BY id;

-- name: cast_numeric
SELECT id, amount::int2, amount::int4, amount::int8, amount::float4, amount::float8, amount::numeric(10, 1),
    amount::money FROM t
WHERE abs(amount) < 1000 ORDER BY id;

-- name: cast_float8
SELECT id, ratio::int2, ratio::int4, ratio::int8, ratio::numeric, ratio::float4, ratio::numeric(10, 1) FROM t
WHERE abs(ratio) < 1000 AND
    (abs(ratio) > 0.001 OR ratio = 0) ORDER BY id;

-- name: cast_bool
SELECT id, flag::int, flag::text, n::int::bool FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: cast_int8_bool_fails
SELECT n::bool FROM t;

-- name: cast_uuid_bytea_fails
SELECT uid::bytea FROM t;

-- name: cast_date_int_fails
SELECT born::int FROM t;

-- name: cast_bool_float_fails
SELECT flag::float8 FROM t;

-- name: cast_through_text
SELECT id, n::text::numeric, flag::text::bool, born::text::timestamp, uid::text::uuid, host::text::inet,
    doc::text::jsonb, raw::text::bytea,
    amount::text::float8 FROM t WHERE id <> 20 AND abs(amount) < 1e10 AND (abs(amount) > 1e-10 OR amount = 0)
    ORDER BY id;

-- name: cast_out_of_range_fails
SELECT n::int4 FROM t WHERE id = 6;

-- name: cast_numeric_nan_fails
SELECT amount::int8 FROM t WHERE id = 8;

-- name: cast_smallint_fails
SELECT amount::int2 FROM t WHERE id = 6;

-- name: cast_array
SELECT id, ARRAY[n]::int[], ARRAY[note]::varchar(2)[], ARRAY[amount]::float8[], ARRAY[born]::timestamp[] FROM t
WHERE abs(n) < 1000 AND
    abs(amount) < 1000 ORDER BY id;

-- name: pg_typeof
SELECT pg_typeof(note), pg_typeof(name), pg_typeof(raw), pg_typeof(doc), pg_typeof(n), pg_typeof(amount),
    pg_typeof(price), pg_typeof(ratio),
    pg_typeof(flag), pg_typeof(born), pg_typeof(seen), pg_typeof(uid), pg_typeof(host) FROM t WHERE id = 1;

-- name: pg_typeof_expressions
SELECT pg_typeof(note || 'x'), pg_typeof(n + 1), pg_typeof(n * 1.5), pg_typeof(amount * 2), pg_typeof(amount * ratio),
    pg_typeof(ratio + 1),
    pg_typeof(NOT flag), pg_typeof(born + 1), pg_typeof(born - born), pg_typeof(seen - seen), pg_typeof(host + 1),
        pg_typeof(doc -> 'a'),
    pg_typeof(raw || raw) FROM t WHERE id = 1;

-- name: pg_typeof_functions
SELECT pg_typeof(upper(note)), pg_typeof(length(note)), pg_typeof(abs(n)), pg_typeof(round(amount, 1)),
    pg_typeof(sqrt(amount)), pg_typeof(floor(ratio)), pg_typeof(date_trunc('day', seen)), pg_typeof(age(seen)),
    pg_typeof(network(host)), pg_typeof(extract(year FROM born)), pg_typeof(sha256(raw)) FROM t WHERE id = 1;

-- name: pg_typeof_functions_overloaded
SELECT pg_typeof(sqrt(n)), pg_typeof(ceil(n)), pg_typeof(round(n)), pg_typeof(date_trunc('day', born)),
    pg_typeof(age(born))
FROM t WHERE id = 1;

-- name: pg_typeof_aggregates
SELECT pg_typeof(max(note)), pg_typeof(sum(n)), pg_typeof(avg(n)), pg_typeof(sum(amount)), pg_typeof(avg(ratio)),
    pg_typeof(max(born)),
    pg_typeof(min(host)), pg_typeof(bool_and(flag)), pg_typeof(stddev(n)), pg_typeof(string_agg(note, '')),
    pg_typeof(json_agg(n))
    FROM t
WHERE id < 5;

-- name: pg_typeof_polymorphic
SELECT pg_typeof(coalesce(note, 'x')), pg_typeof(coalesce(n, 0)), pg_typeof(ARRAY[note]), pg_typeof(array_agg(n)),
    pg_typeof(nullif(amount, 0)),
    pg_typeof(greatest(born, born)), pg_typeof(CASE WHEN flag THEN n END), pg_typeof(max(ARRAY[n])) FROM t
    GROUP BY note, n, amount, born, flag, id
HAVING id = 1;

-- name: pg_typeof_mixed
SELECT pg_typeof(CASE WHEN flag THEN id ELSE n END), pg_typeof(n / 2), pg_typeof(n / 2.0), pg_typeof(n + amount),
    pg_typeof(n * ratio),
    pg_typeof(id + n), pg_typeof(born + interval '1 day') FROM t WHERE id = 1;

-- name: pg_typeof_common_type
SELECT pg_typeof(coalesce(n, 0.5)), pg_typeof(coalesce(amount, ratio)), pg_typeof(greatest(n, amount)) FROM t
WHERE id = 1;

-- name: column_sizes
SELECT pg_column_size(n), pg_column_size(born), pg_column_size(uid) FROM t WHERE id = 1;

-- name: result_columns
SELECT id, note, n, amount FROM t \gdesc

-- name: result_columns_expressions
SELECT note || 'x' AS a, n + 1 AS b, amount * 2 AS c, count(*) AS d, max(born) AS e, array_agg(note) AS f FROM t
GROUP BY 1, 2, 3 \gdesc

-- name: typmod_varchar_truncates
SELECT id, (name || ' and more')::varchar(5) FROM t ORDER BY id;

-- name: typmod_numeric_rounds
UPDATE t SET price = 12.345 WHERE id = 1 RETURNING price;
UPDATE t SET price = n / 3.0 WHERE id = 2 RETURNING price;
UPDATE t SET price = '7.005' WHERE id = 3 RETURNING price;
UPDATE t SET price = amount WHERE id = 14 RETURNING price;

-- name: typmod_numeric_overflow_fails
UPDATE t SET price = 12345678901.5 WHERE id = 1;

-- name: typmod_numeric_overflow_column_fails
UPDATE t SET price = amount WHERE id = 6;

-- name: typmod_varchar_too_long_fails
UPDATE t SET name = 'a name that is much too long' WHERE id = 1;

-- name: typmod_varchar_too_long_column_fails
UPDATE t SET name = note WHERE id = 18;

-- name: typmod_varchar_trailing_spaces
UPDATE t SET name = rpad('x', 30) WHERE id = 1 RETURNING name, length(name);

-- name: typmod_varchar_exact
UPDATE t SET name = repeat('ü', 20) WHERE id = 1 RETURNING name, length(name), octet_length(name);

-- name: typmod_format_type
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = 't'::regclass AND attname IN ('name', 'price', 'note', 'amount')
ORDER BY attname;

-- name: information_schema_columns
SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, is_nullable
FROM information_schema.columns
WHERE table_schema = current_schema AND table_name = 't' AND column_name IN ('note', 'name', 'n', 'price') ORDER BY 1;

-- name: integer_literal_too_large
SELECT id FROM t WHERE n < 9223372036854775808 AND n > -5 ORDER BY id;

-- name: float_input_forms
SELECT id FROM t WHERE ratio = '5e-1' OR ratio = '+12.5' OR ratio = 'infinity' ORDER BY id;

-- name: bool_input_forms
SELECT count(*) FILTER (WHERE flag = 'yes'), count(*) FILTER (WHERE flag = 'off'), count(*) FILTER (WHERE flag = '1')
FROM t;

-- name: bool_is_literal
SELECT id FROM t WHERE flag = TRUE AND flag IS NOT DISTINCT FROM 't' ORDER BY id;

-- name: uuid_function_result
SELECT id FROM t WHERE uid = md5('')::uuid OR uid::text = lower('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11') ORDER BY id;

-- name: numeric_negative_zero
SELECT id, amount, -amount, ratio, -ratio FROM t WHERE amount = 0 OR ratio = 0 ORDER BY id;

-- name: quoted_string_is_type
SELECT date '2000-02-29' = born, numeric '1.5' * amount, text 'x' || note, bigint '5' + n,
    inet '10.0.0.1' > host FROM t WHERE id = 2;

-- name: text_implicitly_assigned
CREATE TEMP TABLE assigned (a varchar(10), b char(5), c name, d text) ON COMMIT DROP;
INSERT INTO assigned SELECT name, left(name, 5), name, note FROM t WHERE id < 10;
INSERT INTO assigned SELECT name, 'x', name, name FROM t WHERE id = 10;
SELECT * FROM assigned ORDER BY a;

-- name: assigned_to_text
CREATE TEMP TABLE assigned (a text, b text, c varchar, d text) ON COMMIT DROP;
INSERT INTO assigned SELECT n, amount, flag, born FROM t;
INSERT INTO assigned SELECT uid, host, seen, doc FROM t WHERE id <> 20;
SELECT * FROM assigned ORDER BY a, b, c;

-- name: assigned_to_numbers
CREATE TEMP TABLE assigned (a int, b numeric(8, 1), c float4, d smallint, e bigint, f real) ON COMMIT DROP;
INSERT INTO assigned SELECT n, n, n, n, amount, ratio FROM t
WHERE n BETWEEN 0 AND 100 AND abs(amount) BETWEEN 0.01 AND 1000 AND abs(ratio) < 1000;
INSERT INTO assigned SELECT amount, amount, amount, amount, ratio, n FROM t WHERE id IN (1, 2, 21);
INSERT INTO assigned SELECT ratio, ratio, ratio, ratio, ratio, amount FROM t WHERE id IN (1, 2, 21);
SELECT * FROM assigned ORDER BY 1, 2, 3, 4, 5, 6;

-- name: assigned_to_dates
CREATE TEMP TABLE assigned (a timestamp, b timestamptz, c date, d date) ON COMMIT DROP;
INSERT INTO assigned SELECT born, born, born, seen FROM t;
INSERT INTO assigned SELECT seen, seen, seen, born FROM t;
SELECT * FROM assigned ORDER BY 1, 2, 3, 4;

-- name: assigned_to_time
CREATE TEMP TABLE assigned (a time, b timetz) ON COMMIT DROP;
INSERT INTO assigned SELECT seen, seen FROM t WHERE isfinite(seen);
SELECT * FROM assigned ORDER BY 1, 2;

-- name: assigned_to_cidr
CREATE TEMP TABLE assigned (a cidr, b inet) ON COMMIT DROP;
INSERT INTO assigned SELECT host, host FROM t WHERE id IN (3, 6, 17);
SELECT * FROM assigned ORDER BY 1, 2;

-- name: assigned_to_json
CREATE TEMP TABLE assigned (b jsonb) ON COMMIT DROP;
INSERT INTO assigned SELECT doc FROM t WHERE id < 20;
SELECT * FROM assigned ORDER BY b;

-- name: assigned_jsonb_to_json
CREATE TEMP TABLE assigned (a json) ON COMMIT DROP;
INSERT INTO assigned SELECT doc FROM t WHERE id < 5;
SELECT * FROM assigned ORDER BY a::text;

-- name: assigned_text_to_number_fails
CREATE TEMP TABLE assigned (a int) ON COMMIT DROP;
INSERT INTO assigned SELECT note FROM t;

-- name: assigned_number_to_bool_fails
CREATE TEMP TABLE assigned (a bool) ON COMMIT DROP;
INSERT INTO assigned SELECT n FROM t;
