-- Chapters 9.18 and 10.5: CASE, COALESCE, NULLIF, GREATEST, LEAST, with literals and columns of mixed types.

-- name: coalesce_literals
SELECT id, coalesce(note, 'x'), coalesce(name, 'nobody'), coalesce(raw, '\x'), coalesce(doc, '{}'), coalesce(n, 0),
    coalesce(amount, 0),
    coalesce(price, 0), coalesce(ratio, 0), coalesce(flag, false), coalesce(born, '2000-01-01'),
    coalesce(seen, 'epoch'), coalesce(uid, '00000000-0000-0000-0000-000000000000'), coalesce(host, '0.0.0.0') FROM t
    WHERE id <> 20 ORDER BY id;

-- name: coalesce_literal_first
SELECT id, coalesce(NULL, note), coalesce('x', note), coalesce(0, n), coalesce(NULL::int, n), coalesce(NULL, flag, true)
FROM t
WHERE id <> 20 ORDER BY id;

-- name: coalesce_int8_types
SELECT id, coalesce(n, 0::int2), coalesce(n, 0::bigint), coalesce(n, '0') FROM t ORDER BY id;

-- name: coalesce_int8_fraction
SELECT id, coalesce(n, 0.5) FROM t ORDER BY id;

-- name: coalesce_int8_float
SELECT id, coalesce(n, 0.5::float8), coalesce(1.5::float8, n) FROM t ORDER BY id;

-- name: coalesce_numeric_types
SELECT id, coalesce(amount, 0.0), coalesce(amount, 1::bigint), coalesce(amount, '0.00'), coalesce(price, 0.00) FROM t
ORDER BY id;

-- name: coalesce_numeric_float
SELECT id, coalesce(amount, 0::float8) FROM t ORDER BY id;

-- name: coalesce_float8_types
SELECT id, coalesce(ratio, 0.5), coalesce(ratio, 1::bigint), coalesce(ratio, 'NaN'), coalesce(ratio, 1::float4) FROM t
ORDER BY id;

-- name: coalesce_dates
SELECT id, coalesce(born, current_date) IS NOT NULL, coalesce(seen, now()) IS NOT NULL,
    coalesce(seen, date '2000-01-01'), coalesce(born, date '2000-01-01') FROM t ORDER BY id;

-- name: coalesce_date_timestamp
SELECT id, coalesce(born, timestamp '2000-01-01') FROM t ORDER BY id;

-- name: coalesce_text_types
SELECT id, coalesce(note, 'x'::text), coalesce(note, 'x'::varchar), coalesce(name, 'x'::char(3)), coalesce(note, owner),
    coalesce(owner, note),
    coalesce(note, name), coalesce(name, note, owner, 'none') FROM t WHERE id <> 20 ORDER BY id;

-- name: coalesce_columns
SELECT id, coalesce(n, id), coalesce(id, n), coalesce(price, amount), coalesce(name, note) FROM t WHERE id <> 20
ORDER BY id;

-- name: coalesce_columns_numbers
SELECT id, coalesce(n, amount), coalesce(amount, n) FROM t ORDER BY id;

-- name: coalesce_columns_floats
SELECT id, coalesce(amount, ratio), coalesce(n, ratio) FROM t ORDER BY id;

-- name: coalesce_columns_dates
SELECT id, coalesce(born, seen), coalesce(seen, born) FROM t ORDER BY id;

-- name: coalesce_in_arithmetic
SELECT id, coalesce(amount, 0) + 1, coalesce(n, 0) * 2, coalesce(ratio, 0) / 2, coalesce(price, 0) * 1.19 FROM t
WHERE abs(coalesce(n, 0)) < 1000
ORDER BY id;

-- name: coalesce_expression
SELECT id, coalesce(n + 1, -1), coalesce(note || '!', 'none'), coalesce(amount / nullif(n, 0), 0),
    coalesce(upper(note), name)
FROM t
WHERE n IS NULL OR abs(n) < 1000 ORDER BY id;

-- name: coalesce_where
SELECT id FROM t WHERE coalesce(flag, true) AND coalesce(n, 0) < 10 AND coalesce(note, '') <> 'apple' ORDER BY id;

-- name: coalesce_subquery
SELECT t.id, coalesce((SELECT u.n FROM u WHERE u.id = t.id), 0), coalesce((SELECT u.note FROM u WHERE u.id = t.id),
    t.note, '-')
FROM t
WHERE t.id <> 20 ORDER BY t.id;

-- name: coalesce_aggregate
SELECT coalesce(sum(n), 0), coalesce(max(amount), 0), coalesce(max(note), 'none'), coalesce(sum(ratio), 0),
    coalesce(bool_or(flag), false)
FROM t WHERE id > 100;

-- name: coalesce_outer_join
SELECT t.id, coalesce(u.n, t.n), coalesce(u.note, t.note), coalesce(p.n, t.n), coalesce(t.note, p.note),
    coalesce(u.amount, p.amount, 0)
FROM t LEFT JOIN u ON u.id = t.id LEFT JOIN p ON p.id = t.id - 1 WHERE t.id <> 20 ORDER BY t.id;

-- name: coalesce_mismatch_fails
SELECT coalesce(n, 'x') FROM t;

-- name: coalesce_mismatch_types_fails
SELECT coalesce(n, note) FROM t;

-- name: coalesce_mismatch_bool_fails
SELECT coalesce(flag, 0) FROM t;

-- name: nullif_literals
SELECT id, nullif(note, 'apple'), nullif(name, ''), nullif(raw, '\x00'), nullif(n, 0), nullif(amount, 0),
    nullif(ratio, 0.5), nullif(flag, true),
    nullif(born, '1999-12-31'), nullif(seen, 'infinity'), nullif(uid, '00000000-0000-0000-0000-000000000000'),
    nullif(host, '::1')
FROM t WHERE id <> 20 ORDER BY id;

-- name: nullif_jsonb
SELECT id, nullif(doc, '{}'), nullif(doc, 'true'::jsonb) FROM t WHERE id <> 20 ORDER BY id;

-- name: nullif_types
SELECT id, nullif(n, 1::int2), nullif(n, 12.0), nullif(amount, 2), nullif(amount, n), nullif(n, id), nullif(note, name),
    nullif(ratio, 1)
FROM t WHERE id <> 20 ORDER BY id;

-- name: nullif_literal_first
SELECT id, nullif('apple', note), nullif(1, n), nullif(1.5, amount) FROM t ORDER BY id;

-- name: greatest_least_literals
SELECT id, greatest(note, 'm'), least(note, 'm'), greatest(n, 10), least(n, 10), greatest(amount, 5),
    least(amount, 5.5), greatest(ratio, 1),
    least(flag, false), greatest(born, '2000-01-01'), least(seen, '2000-01-01') FROM t WHERE id <> 20 ORDER BY id;

-- name: greatest_least_other_types
SELECT id, greatest(raw, '\x10'), least(doc, '{}'), greatest(uid, 'b0000000-0000-0000-0000-000000000000'),
    least(host, '10.1.0.0')
FROM t
WHERE id <> 20 ORDER BY id;

-- name: greatest_columns
SELECT id, least(amount, price), greatest(note, name), greatest(n, id), least(id, n) FROM t WHERE id <> 20 ORDER BY id;

-- name: greatest_columns_numbers
SELECT id, greatest(n, amount), greatest(n, ratio), least(amount, ratio) FROM t ORDER BY id;

-- name: greatest_columns_dates
SELECT id, least(born, seen) FROM t ORDER BY id;

-- name: greatest_mixed
SELECT id, least(amount, 10, NULL), greatest(ratio, 1.5, 2), greatest(note, 'a'::varchar, name) FROM t WHERE id <> 20
ORDER BY id;

-- name: greatest_int8_fraction
SELECT id, greatest(n, 5, 2.5) FROM t ORDER BY id;

-- name: greatest_collation
SELECT id, greatest(note, 'B' COLLATE "en-x-icu"), least(note COLLATE "C", name) FROM t WHERE id <> 20 ORDER BY id;

-- name: case_searched
SELECT id, CASE WHEN n < 0 THEN 'negative' WHEN n = 0 THEN 'zero' WHEN n > 0 THEN 'positive' ELSE 'unknown' END FROM t
ORDER BY id;

-- name: case_simple
SELECT id, CASE note WHEN 'apple' THEN 1 WHEN 'banana' THEN 2 ELSE 0 END, CASE n WHEN 1 THEN 'one'
WHEN 12 THEN 'dozen' END,
    CASE flag WHEN true THEN 'yes' WHEN false THEN 'no' ELSE 'maybe' END FROM t ORDER BY id;

-- name: case_simple_other_types
SELECT id, CASE amount WHEN 1.5 THEN 'a' WHEN 2 THEN 'b' END, CASE born WHEN '1999-12-31' THEN 'nye' END, CASE raw
WHEN '\x00' THEN 'zero' END,
    CASE uid WHEN '00000000-0000-0000-0000-000000000000' THEN 'nil' END, CASE host WHEN '::1' THEN 'local' END,
    CASE ratio WHEN 0.5 THEN 'half' END, CASE doc WHEN '42' THEN 'answer' END, CASE seen WHEN 'infinity' THEN 'never'
    END FROM t
    ORDER BY id;

-- name: case_flag
SELECT id, CASE WHEN flag THEN note ELSE name END, CASE WHEN NOT flag THEN n END FROM t WHERE id <> 20 ORDER BY id;

-- name: case_results_literal
SELECT id, CASE WHEN id < 5 THEN note ELSE 'x' END, CASE WHEN id < 5 THEN n ELSE 0 END, CASE WHEN id < 5 THEN amount
ELSE 0 END,
    CASE WHEN id < 5 THEN ratio ELSE 1 END, CASE WHEN id < 5 THEN flag ELSE false END, CASE
    WHEN id < 5 THEN born ELSE '2000-01-01' END,
    CASE WHEN id < 5 THEN doc ELSE '{}' END, CASE WHEN id < 5 THEN raw END FROM t WHERE id <> 20 ORDER BY id;

-- name: case_results_literal_first
SELECT id, CASE WHEN id < 5 THEN 'x' ELSE note END, CASE WHEN id < 5 THEN 0 ELSE n END, CASE WHEN id < 5 THEN 0.5
ELSE amount END,
    CASE WHEN id < 5 THEN NULL ELSE born END, CASE WHEN id < 5 THEN 1 ELSE ratio END FROM t WHERE id <> 20 ORDER BY id;

-- name: case_results_columns
SELECT id, CASE WHEN id < 5 THEN note ELSE name END, CASE WHEN id < 5 THEN id ELSE n END, CASE
WHEN id < 5 THEN note ELSE owner END
FROM t WHERE id <> 20 ORDER BY id;

-- name: case_results_columns_numbers
SELECT id, CASE WHEN id < 5 THEN n ELSE amount END, CASE WHEN id < 5 THEN n ELSE ratio END FROM t ORDER BY id;

-- name: case_results_columns_dates
SELECT id, CASE WHEN id < 5 THEN born ELSE seen END FROM t ORDER BY id;

-- name: case_results_plain_types
SELECT id, CASE WHEN id < 5 THEN n ELSE 1::int2 END, CASE WHEN id < 5 THEN ratio ELSE 1.5::numeric END,
    CASE WHEN id < 5 THEN note ELSE 'x'::varchar END FROM t WHERE id <> 20 ORDER BY id;

-- name: case_results_int8_fraction
SELECT id, CASE WHEN id < 5 THEN n ELSE 1.5 END FROM t ORDER BY id;

-- name: case_results_date_timestamp
SELECT id, CASE WHEN id < 5 THEN born ELSE timestamp '2000-01-01' END FROM t ORDER BY id;

-- name: case_in_order_by
SELECT id FROM t ORDER BY CASE WHEN flag THEN n ELSE -1 END DESC NULLS LAST, CASE WHEN id > 20 THEN note END, id;

-- name: case_in_aggregate
SELECT sum(CASE WHEN flag THEN amount ELSE 0 END), count(CASE WHEN n > 10 THEN 1 END), max(CASE
    WHEN id < 20 THEN note ELSE '' END) FROM t
WHERE abs(amount) < 1000;

-- name: case_guards_division
SELECT id, CASE WHEN n <> 0 THEN 100 / n ELSE 0 END, CASE WHEN amount <> 0 THEN 1 / amount END FROM t ORDER BY id;

-- name: case_mismatch_fails
SELECT CASE WHEN id < 5 THEN n ELSE note END FROM t;

-- name: case_not_boolean_fails
SELECT CASE WHEN n THEN 1 END FROM t;

-- name: case_collation
SELECT id, CASE WHEN id < 10 THEN note ELSE name END COLLATE "C" < 'b' FROM t ORDER BY id;

-- name: values_mixed
SELECT * FROM (VALUES (1, 'a'), (2, (SELECT note FROM t WHERE id = 1))) v(i, s) ORDER BY i;

-- name: values_mixed_numbers
SELECT * FROM (VALUES (0), ((SELECT n FROM t WHERE id = 2))) v(x) ORDER BY x;

-- name: values_int8_fraction
SELECT * FROM (VALUES (0), ((SELECT n FROM t WHERE id = 2)), (1.5)) v(x) ORDER BY x;
