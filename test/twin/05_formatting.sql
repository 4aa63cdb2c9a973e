-- Chapter 9.8: data type formatting functions.

-- name: to_char_timestamptz
SELECT id, to_char(seen, 'YYYY-MM-DD HH24:MI:SS.US TZ'), to_char(seen, 'FMDay, DD Month YYYY'),
    to_char(seen, 'IYYY-IW-ID') FROM t
WHERE isfinite(seen) ORDER BY id;

-- name: to_char_date
SELECT id, to_char(born, 'YYYY-MM-DD BC'), to_char(born, 'Dy DDth Mon YY'), to_char(born, 'Q J') FROM t
WHERE isfinite(born)
ORDER BY id;

-- name: to_char_int8
SELECT id, to_char(n, '999'), to_char(n, 'FM000000'), to_char(n, 'RN'), to_char(n, 'S99,999') FROM t WHERE abs(n) < 1000
ORDER BY id;

-- name: to_char_numeric
SELECT id, to_char(amount, '999,990.99'), to_char(price, 'FM9999990.00'), to_char(amount, '9.99EEEE') FROM t
WHERE abs(amount) BETWEEN 0.01 AND 1000 ORDER BY id;

-- name: to_char_float8
SELECT id, to_char(ratio, '990.999'), to_char(ratio, 'S9.9') FROM t WHERE abs(ratio) BETWEEN 0.01 AND 100 ORDER BY id;

-- name: to_char_format_column
SELECT to_char(1234, name) FROM t WHERE id = 3;

-- name: to_date
SELECT to_date(note, 'YYYY-MM-DD'), to_timestamp(note, 'YYYY-MM-DD'), to_number(note, '9999') FROM t WHERE id = 15;

-- name: to_number
SELECT to_number(note, '99999'), to_number(name, '99') FROM t WHERE id = 16;

-- name: to_timestamp_epoch
SELECT id, to_timestamp(n), to_timestamp(ratio) FROM t WHERE abs(n) < 1000 AND abs(ratio) < 1e6 AND abs(ratio) > 1e-6
ORDER BY id;

-- name: to_timestamp_numeric
SELECT id, to_timestamp(amount) FROM t WHERE abs(amount) BETWEEN 0.01 AND 1000 ORDER BY id;

-- name: to_char_group
SELECT to_char(seen, 'YYYY-MM') AS month, count(*) FROM t GROUP BY 1 ORDER BY 1;

-- name: to_char_text_fails
SELECT to_char(note, '999') FROM t;

-- name: number_to_text_casts
SELECT id, n::text, amount::text, price::text, ratio::text, n::varchar(3), n::char(2) FROM t ORDER BY id;
