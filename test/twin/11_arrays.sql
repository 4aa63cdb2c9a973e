-- Chapters 8.15, 9.19 and 9.24: arrays, and comparisons with them.

-- name: array_constructor
SELECT id, ARRAY[note, name], ARRAY[n, n / 2], ARRAY[amount, price], ARRAY[flag, true], ARRAY[born, '2000-01-01'] FROM t
WHERE id <> 20 ORDER BY id;

-- name: array_constructor_more
SELECT id, ARRAY[raw], ARRAY[doc], ARRAY[ratio, 1], ARRAY[seen], ARRAY[uid], ARRAY[host] FROM t WHERE id <> 20
ORDER BY id;

-- name: array_constructor_literal
SELECT id, ARRAY[note, 'x'], ARRAY['x', note], ARRAY[n, 0], ARRAY[0, n], ARRAY[id, n], ARRAY[owner, note] FROM t
WHERE id <> 20
ORDER BY id;

-- name: array_constructor_int8_fraction
SELECT id, ARRAY[n, 1.5], ARRAY[n, amount] FROM t ORDER BY id;

-- name: array_constructor_nested
SELECT id, ARRAY[[n, 1], [2, n]], ARRAY[ARRAY[note], ARRAY[name]] FROM t WHERE id <> 20 ORDER BY id;

-- name: array_constructor_typed
SELECT id, ARRAY[note]::text[], ARRAY[n]::bigint[], ARRAY[n, amount]::numeric[], ARRAY[n]::text[], ARRAY[born]::text[]
FROM t
WHERE id <> 20 ORDER BY id;

-- name: array_subscript
SELECT id, (ARRAY[note, name])[2], (ARRAY[n, 5])[1] - id, (ARRAY[note, 'b', 'c'])[1:2] FROM t
WHERE id < 20 AND abs(n) < 1000
ORDER BY id;

-- name: array_subscript_by_column
SELECT id, (ARRAY['a', 'b', 'c'])[n], ('{x,y,z}'::text[])[n] FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: array_compare
SELECT id, ARRAY[note] = '{apple}', ARRAY[n, 1] = '{1,1}', ARRAY[note] < '{b}', ARRAY[n] <> '{12}' FROM t ORDER BY id;

-- name: array_compare_typed
SELECT id, ARRAY[note] = ARRAY['apple'], ARRAY[n, 1] = ARRAY[1, 1]::bigint[], ARRAY['b'] > ARRAY[note],
    ARRAY[n] <> ARRAY[12::bigint] FROM t ORDER BY id;

-- name: array_compare_columns
SELECT id, ARRAY[note] = ARRAY[note], ARRAY[n] < ARRAY[n], ARRAY[born] = ARRAY[born], ARRAY[amount] <= ARRAY[price]
FROM t
ORDER BY id;

-- name: array_contains
SELECT id, ARRAY[note, name] @> '{apple}', '{apple,pear}' @> ARRAY[note], ARRAY[n] <@ '{1,12}' FROM t ORDER BY id;

-- name: array_contains_typed
SELECT id, ARRAY[note, name] @> ARRAY['apple'], ARRAY['apple', 'pear'] @> ARRAY[note],
    ARRAY[n] <@ ARRAY[1, 12]::bigint[] FROM t
ORDER BY id;

-- name: array_contains_int4_fails
SELECT ARRAY[n] @> ARRAY[1] FROM t;

-- name: array_overlap
SELECT id, ARRAY[note, name] && '{apple,Bob}', ARRAY[n] && '{1,2,3}' FROM t ORDER BY id;

-- name: array_overlap_typed
SELECT id, ARRAY[note, name] && ARRAY['apple', 'Bob'], ARRAY[n] && ARRAY[1, 2, 3]::bigint[] FROM t ORDER BY id;

-- name: array_contains_subquery
SELECT id FROM t WHERE ARRAY(SELECT note FROM t WHERE flag) @> ARRAY[note] ORDER BY id;

-- name: array_agg_contains
SELECT array_agg(note) @> '{apple}', array_agg(n) @> '{12,1}', array_agg(born) && '{1988-08-08}' FROM t;

-- name: array_agg_contains_typed
SELECT array_agg(note) @> ARRAY['apple']::text[], array_agg(n) @> ARRAY[12, 1]::bigint[] FROM t;

-- name: array_concat
SELECT id, ARRAY[note] || 'x'::text, 'x'::text || ARRAY[note], ARRAY[note] || ARRAY['y'], ARRAY[n] || 5,
    ARRAY[n] || ARRAY[5, 6]
FROM t
WHERE id <> 20 ORDER BY id;

-- name: array_concat_column
SELECT id, ARRAY['x'] || note, note || ARRAY['x'], ARRAY[1, 2] || n, n || ARRAY[1, 2], '{a,b}'::text[] || note FROM t
WHERE id <> 20 ORDER BY id;

-- name: array_append_prepend
SELECT id, array_append(ARRAY['a'], note), array_prepend(note, ARRAY['a']), array_append(ARRAY[1, 2], n),
    array_append(ARRAY[n], 3) FROM t
WHERE id <> 20 ORDER BY id;

-- name: array_cat
SELECT id, array_cat(ARRAY[note], ARRAY['z']), array_cat(ARRAY['z'], ARRAY[note, name]) FROM t WHERE id <> 20
ORDER BY id;

-- name: array_functions
SELECT id, array_length(ARRAY[note, name], 1), cardinality(ARRAY[n, n]), array_ndims(ARRAY[[n]]),
    array_upper(ARRAY[flag], 1), array_dims(ARRAY[born])
FROM t ORDER BY id;

-- name: array_position
SELECT id, array_position(ARRAY['apple', 'banana'], note), array_positions(ARRAY[1, 12, 1]::bigint[], n),
    array_position(ARRAY[note, name], 'Bob')
FROM t ORDER BY id;

-- name: array_position_mixed
SELECT id, array_position(ARRAY[1, 12], n), array_positions(ARRAY[n, n], 12) FROM t ORDER BY id;

-- name: array_remove_replace
SELECT id, array_remove(ARRAY[note, name], 'apple'), array_replace(ARRAY[n, 2], 12, 13),
    array_remove(ARRAY['apple', 'x'], note), array_replace(ARRAY['a', 'b'], 'a', note) FROM t WHERE id <> 20
    ORDER BY id;

-- name: array_to_string
SELECT id, array_to_string(ARRAY[note, name], ', '), array_to_string(ARRAY[n, NULL, 3], ',', '-'),
    array_to_string(ARRAY[born], '') FROM t
WHERE id <> 20 ORDER BY id;

-- name: array_fill_trim
SELECT id, array_fill(n, ARRAY[2]), array_fill(note, ARRAY[2]), trim_array(ARRAY[n, 1, 2], 1) FROM t WHERE id <> 20
ORDER BY id;

-- name: array_agg_basic
SELECT array_agg(note ORDER BY id), array_agg(n ORDER BY id), array_agg(amount ORDER BY id), array_agg(flag ORDER BY id)
FROM t
WHERE id <> 20;

-- name: array_agg_more
SELECT array_agg(raw ORDER BY id), array_agg(doc ORDER BY id), array_agg(ratio ORDER BY id), array_agg(born
    ORDER BY id), array_agg(seen ORDER BY id),
    array_agg(uid ORDER BY id), array_agg(host ORDER BY id) FROM t WHERE id <> 20;

-- name: array_agg_distinct
SELECT array_agg(DISTINCT note), array_agg(DISTINCT n ORDER BY n DESC), array_agg(DISTINCT flag) FROM t WHERE id <> 20;

-- name: array_agg_filter_group
SELECT flag, array_agg(note ORDER BY note, id) FILTER (WHERE n > 5) FROM t GROUP BY flag ORDER BY flag;

-- name: array_agg_to_string
SELECT array_to_string(array_agg(note ORDER BY id), '|'), array_to_string(array_agg(n ORDER BY n), ',') FROM t
WHERE id < 20;

-- name: array_agg_arrays
SELECT array_agg(ARRAY[note, name] ORDER BY id), array_agg(ARRAY[n, 0] ORDER BY id) FROM t WHERE id < 5;

-- name: array_agg_element
SELECT (array_agg(note ORDER BY amount DESC NULLS LAST, id))[1], (array_agg(n ORDER BY id))[2:3] FROM t;

-- name: array_agg_unnest
SELECT x FROM (SELECT array_agg(note) AS a FROM t WHERE id <> 20) s, unnest(a) x ORDER BY x;

-- name: unnest_several
SELECT * FROM unnest(ARRAY(SELECT note FROM t WHERE id < 6 ORDER BY id), ARRAY(SELECT n FROM t WHERE id < 6
    ORDER BY id)) WITH ORDINALITY
    AS x(note, n, o) ORDER BY o;

-- name: unnest_where
SELECT x, count(*) FROM t, unnest(ARRAY[note, name]) AS x WHERE x LIKE 'a%' GROUP BY x ORDER BY x;

-- name: unnest_sum
SELECT sum(x), max(x) FROM (SELECT unnest(array_agg(n)) AS x FROM t WHERE abs(n) < 1000) s;

-- name: array_subquery
SELECT ARRAY(SELECT note FROM t WHERE id < 10 ORDER BY id), ARRAY(SELECT n FROM t WHERE flag ORDER BY id);

-- name: any_array_literal
SELECT id FROM t WHERE note = ANY ('{apple,banana}') OR n = ANY ('{7,8}') OR born = ANY ('{2024-02-29}') ORDER BY id;

-- name: any_array_constructor
SELECT id FROM t WHERE note = ANY (ARRAY['apple', 'banana']) OR n = ANY (ARRAY[7, 8]) OR amount = ANY (ARRAY[2, 12.0])
ORDER BY id;

-- name: any_array_typed
SELECT id FROM t WHERE note = ANY (ARRAY['apple']::text[]) OR n = ANY (ARRAY[7]::int[]) OR n = ANY (ARRAY[50]::int2[])
    OR amount = ANY (ARRAY[12]::numeric[]) OR uid = ANY (ARRAY['c0ffee00-0000-4000-8000-000000000001']::uuid[])
    ORDER BY id;

-- name: any_array_all_types
SELECT id FROM t WHERE raw = ANY ('{"\\x27"}') OR doc = ANY (ARRAY['42'::jsonb]) OR ratio = ANY ('{0.1,NaN}')
    OR flag = ANY (ARRAY[NULL, false])
    OR seen = ANY ('{infinity}') OR host = ANY (ARRAY['::1', '10.1.2.4']::inet[]) ORDER BY id;

-- name: all_array
SELECT id FROM t WHERE n > ALL (ARRAY[1, 2, 3]) AND note <> ALL ('{apple,banana}') ORDER BY id;

-- name: any_operators
SELECT id, n < ANY (ARRAY[1, 10]), note >= ALL (ARRAY['a', 'b']), amount <> ANY (ARRAY[1.5, 2]),
    born < ANY (ARRAY[date '2000-01-01']) FROM t ORDER BY id;

-- name: literal_any_column_array
SELECT id FROM t WHERE 'apple' = ANY (ARRAY[note, name]) OR 12 = ANY (ARRAY[n, 0]) ORDER BY id;

-- name: any_split
SELECT id FROM t WHERE note = ANY (string_to_array('apple,banana,naïve café', ',')) ORDER BY id;

-- name: any_array_agg
SELECT id FROM t WHERE note = ANY (SELECT unnest(array_agg(note)) FROM u) ORDER BY id;

-- name: any_array_agg_scalar
SELECT id FROM t WHERE note = ANY ((SELECT array_agg(note) FROM u)::text[]) ORDER BY id;

-- name: any_array_of_plain
SELECT id FROM t WHERE note = ANY ((SELECT array_agg(note) FROM p)::text[]) AND n = ANY (ARRAY(SELECT n FROM p))
ORDER BY id;

-- name: any_array_subquery_constructor
SELECT id FROM t WHERE note = ANY (ARRAY(SELECT note FROM u)) ORDER BY id;

-- name: in_list
SELECT id FROM t WHERE note IN ('apple', 'banana') ORDER BY id;

-- name: in_list_all_types
SELECT id, note IN ('apple', ''), raw IN ('\x00', '\x01'), doc IN ('42', '{}'), n IN (1, 2, 3), amount IN (1.5, 2),
    ratio IN (0.5, 'NaN'),
    flag IN (true, NULL), born IN ('1999-12-31'), seen IN ('infinity', '-infinity'),
        uid IN ('12345678-1234-5678-1234-567812345678'),
    host IN ('::1', '10.1.2.4') FROM t ORDER BY id;

-- name: in_list_mixed
SELECT id FROM t WHERE n IN (1, 2.0, 12::int2, '7') OR amount IN (n, 2, 1.5) OR note IN (name, 'banana') ORDER BY id;

-- name: not_in_list
SELECT id FROM t WHERE note NOT IN ('apple', 'banana') AND n NOT IN (0, 1, 2, 3, 4, 5) ORDER BY id;

-- name: in_list_null
SELECT id, note IN ('apple', NULL), n NOT IN (1, NULL) FROM t ORDER BY id;

-- name: in_list_columns
SELECT id FROM t WHERE n IN (id, id - 4) OR 'apple' IN (note, name) OR 12 IN (n, id) ORDER BY id;

-- name: in_list_single
SELECT id FROM t WHERE note IN ('apple') AND n IN (1) ORDER BY id;

-- name: in_list_expressions
SELECT id FROM t WHERE n IN (1 + 1, abs(-12), (SELECT max(id) FROM t WHERE id < 8)) ORDER BY id;

-- name: in_list_casts
SELECT id FROM t WHERE note IN ('apple'::text, 'banana'::varchar) OR n IN (7::smallint, 8::numeric) ORDER BY id;

-- name: in_list_long
SELECT id FROM t WHERE n IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    AND note NOT IN ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'apple')
ORDER BY id;

-- name: array_of_rows
SELECT array_agg(ROW(note, n) ORDER BY id), array_agg(t ORDER BY id) FROM t WHERE id < 5;

-- name: array_in_temp_table
CREATE TEMP TABLE arrays ON COMMIT DROP AS SELECT id, ARRAY[note, name] AS names, ARRAY[n, id] AS numbers FROM t
WHERE id < 10;
SELECT id, names, names[1], 'apple' = ANY (names), numbers[1] > numbers[2], cardinality(names) FROM arrays ORDER BY id;

-- name: array_foreach_slices
SELECT id, (ARRAY[n, 2, 3])[2:], array_length((ARRAY[note, 'x'])[1:1], 1) FROM t WHERE id < 10 ORDER BY id;

-- name: multirange_contains
SELECT id, '{[1,3),[10,20)}'::int8multirange @> n, n <@ '{[1,3)}'::int8multirange,
    datemultirange(daterange('1980-01-01', '2000-01-01')) @> born
FROM t ORDER BY id;

-- name: range_agg
SELECT range_agg(int8range(n, n + 2)), range_agg(daterange(born, born + 1)) FROM t WHERE n BETWEEN 0 AND 5 AND id > 20;
