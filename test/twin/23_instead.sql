-- What docs/differences.md says to write instead, and differences that no other chapter shows.

-- name: instead_ranges
SELECT id, int8range(1, 10) @> n::bigint, amount::numeric <@ numrange(1, 20), daterange('1988-01-01', '2000-01-01')
    @> born::date, '{[1,3),[10,20)}'::int8multirange @> n::bigint FROM t ORDER BY id;

-- name: range_of_other_type_int8
SELECT id, numrange(n, 1000000000000) FROM t WHERE id < 5 ORDER BY id;

-- name: range_of_other_type_date
SELECT id, tsrange(born, NULL), tstzrange(born, NULL) FROM t ORDER BY id;

-- name: instead_range_of_other_type
SELECT id, numrange(n::numeric, NULL), tsrange(born::timestamp, NULL), int8range(n, NULL), daterange(born, NULL),
    numrange(amount, NULL) FROM t ORDER BY id;

-- name: instead_arrays
SELECT id, ARRAY[note::text] = ARRAY['apple'], ARRAY[note, name] && '{apple}', note IN ('apple', 'pear'),
    note = ANY (ARRAY['apple']), ARRAY[n::bigint] <@ ARRAY[1, 12]::bigint[] FROM t ORDER BY id;

-- name: instead_common_type
SELECT id, coalesce(n::numeric, 0.5), greatest(n::numeric, 0.5), CASE
WHEN id < 5 THEN born::timestamp ELSE '2020-01-01 12:00' END
FROM t ORDER BY id;

-- name: instead_aggregates
SELECT corr(ratio, n::float8), percentile_cont(0.5) WITHIN GROUP (ORDER BY n::float8) FROM t WHERE abs(n) < 1000;

-- name: functions_without_overload
SELECT make_time(1, 2, n) FROM t WHERE id = 1;

-- name: functions_without_overload_series
SELECT generate_series(1.5, 10.5, n) FROM t WHERE id = 1;

-- name: functions_without_overload_point
SELECT point(n, amount) FROM t WHERE id = 1;

-- name: numeric_power_float8
SELECT amount ^ ratio FROM t WHERE id = 1;

-- name: numeric_power_function_float8
SELECT power(amount, ratio) FROM t WHERE id = 1;

-- name: instead_functions
SELECT id, width_bucket(n::numeric, 0, 20, 4), make_time(1, 2, n::float8), amount::float8 ^ ratio,
    power(amount::float8, ratio), point(n::float8, amount::float8) FROM t WHERE id = 1;

-- name: int8_power_untyped
SELECT n ^ '0.5' FROM t WHERE id = 1;

-- name: instead_int8_power
SELECT n ^ 0.5, n ^ '0.5'::float8, n ^ 2, n ^ id, n ^ n, 2 ^ n, n ^ amount, pg_typeof(n ^ 0.5),
    pg_typeof(n ^ id::bigint) FROM t
WHERE id = 1;

-- name: nullif_type
SELECT pg_typeof(nullif(ratio, n)) FROM t WHERE id = 1;

-- name: instead_nullif
SELECT id, nullif(ratio, n), pg_typeof(nullif(ratio, n)::float8), nullif(n, 12) FROM t ORDER BY id;

-- name: instead_order_by
SELECT id FROM t ORDER BY note DESC, id LIMIT 5;

-- name: instead_recursive
WITH RECURSIVE r(x) AS (SELECT n::bigint FROM t WHERE id = 1 UNION ALL SELECT x + 1 FROM r WHERE x < 20) SELECT x
FROM r;

-- name: instead_return_query
CREATE FUNCTION f() RETURNS TABLE (a int, b text) LANGUAGE plpgsql AS
    $$ BEGIN RETURN QUERY SELECT t.id, t.note::text FROM t WHERE t.id < 3 ORDER BY t.id; END $$;
SELECT * FROM f();

-- name: instead_json_keys
SELECT json_build_object(n::text, note), jsonb_object_agg(n::text, amount) FROM t WHERE id = 1 GROUP BY n, note;

-- name: instead_json_assign
UPDATE t SET doc = jsonb_set(doc, '{a}', '5') WHERE id = 1;

-- name: instead_xml
SELECT id, xmlelement(name a, flag::bool), xmlelement(name a, raw::bytea), xmlelement(name a, seen::timestamptz) FROM t
WHERE id = 1;

-- name: instead_cast_function_syntax
SELECT id, born::date, note::text, CAST(n AS numeric), CAST(note AS varchar(3)) FROM t WHERE id = 1;

-- name: row_unequal
SELECT id, (note, n) <> ('apple', 1), ROW(born, seen) <> ROW('1999-12-31', '2024-01-01 00:00+00') FROM t ORDER BY id;

-- name: overlaps_open
SELECT id, (born, NULL::date) OVERLAPS (date '1900-01-01', date '2100-01-01'),
    (born, interval '1 day') OVERLAPS (date '1900-01-01', NULL::date) FROM t WHERE isfinite(born) ORDER BY id;

-- name: plain_times_beside_literals
SELECT count(*), pg_typeof(min(g)) FROM generate_series('2024-01-01', timestamp '2024-01-05', '1 day') g;

-- name: modulo_mixed
SELECT id, n % 2.5, 13 % n, n % n, amount % n, n % amount, mod(n, 2.5), |/ abs(n), ||/ amount, div(n, 7), round(n, -1),
    trunc(n, -1), log(2, abs(n) + 1), gcd(n, 6.0) FROM t WHERE n <> 0 AND amount > 0 AND abs(n) < 1000 ORDER BY id;
