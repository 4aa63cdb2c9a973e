-- Chapters 8.14 and 9.16: JSON.

-- name: jsonb_arrow
SELECT id, doc -> 'a', doc -> 0, doc ->> 'a', doc ->> 1, doc -> -1 FROM t WHERE id <> 20 ORDER BY id;

-- name: jsonb_path_arrow
SELECT id, doc #> '{a,b}', doc #>> '{b,0}', doc #> '{}' FROM t WHERE id <> 20 ORDER BY id;

-- name: jsonb_arrow_columns
SELECT id, doc -> name, doc ->> note, doc -> n::int FROM t WHERE abs(n) < 1000 ORDER BY id;

-- name: jsonb_contains
SELECT id, doc @> '{"a": 1}', doc <@ '{"a": 1, "b": [1, 2, 3], "c": 2}', '[1, 2, 3]'::jsonb @> doc FROM t ORDER BY id;

-- name: jsonb_contains_columns
SELECT t.id, u.id FROM t JOIN u ON t.doc @> u.doc ORDER BY 1, 2;

-- name: jsonb_contains_plain
SELECT t.id, p.id FROM t JOIN p ON t.doc @> p.doc AND p.doc <@ t.doc ORDER BY 1, 2;

-- name: jsonb_exists
SELECT id, doc ? 'a', doc ?| ARRAY['a', 'x'], doc ?& ARRAY['a', 'b'], doc ? 'x' FROM t ORDER BY id;

-- name: jsonb_exists_column
SELECT id, '{"Ann": 1}'::jsonb ? name, doc ? note FROM t ORDER BY id;

-- name: jsonb_concat
SELECT id, doc || '{"new": true}', '[0]'::jsonb || doc, doc || doc, doc || '[]'::jsonb FROM t WHERE id <> 20
ORDER BY id;

-- name: jsonb_minus
SELECT id, doc - 'a', doc - ARRAY['a', 'b'], doc #- '{b,0}' FROM t WHERE jsonb_typeof(doc) = 'object' AND id <> 20
ORDER BY id;

-- name: jsonb_minus_index
SELECT id, doc - 0, doc - (-1) FROM t WHERE jsonb_typeof(doc) = 'array' ORDER BY id;

-- name: jsonb_minus_text_column
SELECT id, doc - name FROM t WHERE jsonb_typeof(doc) = 'object' AND id <> 20 ORDER BY id;

-- name: jsonb_jsonpath
SELECT id, doc @? '$.a', doc @@ '$.a == 1', doc @? '$.tags[*] ? (@ > 30)' FROM t ORDER BY id;

-- name: jsonb_subscript
SELECT id, doc['a'], doc['b'][0], doc[0], doc['a']['b']['c'] FROM t WHERE id <> 20 ORDER BY id;

-- name: jsonb_subscript_qualified
SELECT t.id, (t.doc)['a'], t.doc['tags'][0] FROM t WHERE id <> 20 ORDER BY id;

-- name: jsonb_subscript_where
SELECT id FROM t WHERE doc['a'] = '1' OR doc['k'] = '2' ORDER BY id;

-- name: jsonb_subscript_text
SELECT id, doc['a']::text, (doc['a'])::int FROM t WHERE doc['a'] IS NOT NULL AND jsonb_typeof(doc['a']) = 'number'
ORDER BY id;

-- name: jsonb_subscript_update
UPDATE t SET doc['a'] = '"set"' WHERE id = 1;

-- name: jsonb_subscript_update_path
UPDATE t SET doc['new']['path'] = '[1]', n = n + 1 WHERE id IN (2, 4);

-- name: jsonb_casts
SELECT id, doc::int, doc::numeric, doc::float8, doc::text FROM t WHERE jsonb_typeof(doc) = 'number' ORDER BY id;

-- name: jsonb_cast_bool
SELECT id, doc::bool FROM t WHERE doc = 'true' ORDER BY id;

-- name: jsonb_cast_bigint
SELECT id, (doc -> 'k')::int, (doc ->> 'k')::numeric, (doc -> 'k')::bigint + n FROM t WHERE doc ? 'k' ORDER BY id;

-- name: jsonb_cast_json
SELECT id, doc::json, doc::json -> 'a', doc::text::json ->> 'a' FROM t WHERE jsonb_typeof(doc) = 'object' AND id <> 20
ORDER BY id;

-- name: jsonb_cast_fails
SELECT doc::int FROM t WHERE id = 1;

-- name: json_functions_on_jsonb_fails
SELECT json_typeof(doc) FROM t;

-- name: jsonb_typeof
SELECT id, jsonb_typeof(doc), jsonb_typeof(doc -> 'a') FROM t ORDER BY id;

-- name: jsonb_array_functions
SELECT id, jsonb_array_length(doc) FROM t WHERE jsonb_typeof(doc) = 'array' ORDER BY id;

-- name: jsonb_array_elements
SELECT id, e FROM t, jsonb_array_elements(doc) WITH ORDINALITY x(e, o) WHERE jsonb_typeof(doc) = 'array' ORDER BY id, o;

-- name: jsonb_array_elements_text
SELECT id, e FROM t, jsonb_array_elements_text(doc -> 'tags') WITH ORDINALITY x(e, o) WHERE doc ? 'tags' ORDER BY id, o;

-- name: jsonb_each
SELECT id, key, value FROM t, jsonb_each(doc) WHERE jsonb_typeof(doc) = 'object' AND id <> 20 ORDER BY id, key;

-- name: jsonb_each_text
SELECT id, key, value FROM t, LATERAL jsonb_each_text(doc) AS e WHERE jsonb_typeof(doc) = 'object' AND id <> 20
ORDER BY id, key;

-- name: jsonb_object_keys
SELECT id, jsonb_object_keys(doc) AS k FROM t WHERE jsonb_typeof(doc) = 'object' ORDER BY id, k;

-- name: jsonb_extract_path
SELECT id, jsonb_extract_path(doc, 'a'), jsonb_extract_path_text(doc, 'b', '0') FROM t WHERE id <> 20 ORDER BY id;

-- name: jsonb_set
SELECT id, jsonb_set(doc, '{a}', '"new"'), jsonb_set(doc, '{z}', '1', false), jsonb_insert(doc, '{q}', 'true') FROM t
WHERE jsonb_typeof(doc) = 'object' AND id <> 20 ORDER BY id;

-- name: jsonb_set_column
SELECT id, jsonb_set('{"a": 0}', '{a}', doc), jsonb_set_lax(doc, '{a}', CASE WHEN id < 0 THEN doc END) FROM t
WHERE jsonb_typeof(doc) = 'object' AND id <> 20 ORDER BY id;

-- name: jsonb_set_to_jsonb
SELECT id, jsonb_set(doc, '{note}', to_jsonb(note)), jsonb_set(doc, '{n}', to_jsonb(n)) FROM t
WHERE jsonb_typeof(doc) = 'object' AND id <> 20 ORDER BY id;

-- name: jsonb_strip_pretty
SELECT id, jsonb_strip_nulls(doc), jsonb_pretty(doc) FROM t WHERE id <> 20 ORDER BY id;

-- name: jsonb_path_functions
SELECT id, jsonb_path_exists(doc, '$.a'), jsonb_path_match(doc, 'exists($.a)'), jsonb_path_query_array(doc, '$.*'),
    jsonb_path_query_first(doc, '$.tags[0]') FROM t WHERE id <> 20 ORDER BY id;

-- name: jsonb_path_vars
SELECT id, jsonb_path_exists(doc, '$.tags[*] ? (@ >= $min)', '{"min": 35}'),
    jsonb_path_query_array(doc, '$[*] ? (@ > $n)', jsonb_build_object('n', n)) FROM t WHERE id <> 20 ORDER BY id;

-- name: jsonb_path_query
SELECT id, v FROM t, jsonb_path_query(doc, '$.tags[*]') WITH ORDINALITY q(v, o) ORDER BY id, o;

-- name: jsonb_populate_record
SELECT r.id, r.note, r.n, r.flag, r.born FROM jsonb_populate_record(NULL::t,
    '{"id": 99, "note": "from json", "n": 5, "flag": true, "born": "2024-01-01"}') r;

-- name: jsonb_populate_record_all
SELECT r.*
FROM jsonb_populate_record(NULL::t,
    '{"id": 99, "owner": "x", "note": "n", "name": "m", "raw": "\\x00ff", "doc": {"a": [1]},
    "n": 5, "amount": 1.50, "price": 2.345, "ratio": 0.1, "flag": false, "born": "2024-01-01",
    "seen": "2024-01-01T00:00:00Z",
    "uid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "host": "10.0.0.1/8"}') r;

-- name: jsonb_populate_record_base
SELECT (jsonb_populate_record(t, '{"note": "changed", "n": null}')).* FROM t WHERE id = 1;

-- name: jsonb_populate_recordset
SELECT id, note, amount FROM jsonb_populate_recordset(NULL::t, '[{"id": 1, "amount": 1.5}, {"id": 2, "note": "x"}]')
ORDER BY id;

-- name: json_populate_record
SELECT id, note, doc, host FROM json_populate_record(NULL::t, '{"id": 1, "note": "q", "doc": {"a": 1}, "host": "::1"}');

-- name: json_populate_recordset
SELECT id, seen, uid FROM json_populate_recordset(NULL::t, '[{"id": 1, "seen": "2024-01-01 00:00+00"}, {"id": 2}]')
ORDER BY id;

-- name: jsonb_populate_bad_value_fails
SELECT n FROM jsonb_populate_record(NULL::t, '{"n": "five"}');

-- name: jsonb_populate_roundtrip
SELECT count(*) FROM t, jsonb_populate_record(NULL::t, to_jsonb(t)) r
WHERE t.id NOT IN (6) AND (r.note, r.n, r.amount, r.born, r.uid, r.host) IS NOT DISTINCT
FROM (t.note, t.n, t.amount, t.born, t.uid, t.host);

-- name: jsonb_populate_document_string
SELECT doc, jsonb_typeof(doc) FROM jsonb_populate_record(NULL::t, '{"doc": "42"}');

-- name: jsonb_populate_insert
INSERT INTO t SELECT *
FROM jsonb_populate_record(NULL::t, '{"id": 100, "note": "inserted", "n": 1, "amount": 2.5, "flag": true}');

-- name: jsonb_to_record
SELECT id, x.* FROM t, jsonb_to_record(doc) x(a text, b jsonb, k int) WHERE jsonb_typeof(doc) = 'object' AND id <> 20
ORDER BY id;

-- name: jsonb_to_recordset
SELECT x.* FROM t, jsonb_to_recordset(jsonb_build_array(doc)) x(k int, tags text[]) WHERE t.id > 30 ORDER BY t.id;

-- name: to_json
SELECT id, to_json(note), to_json(name), to_json(n), to_json(amount), to_json(flag) FROM t ORDER BY id;

-- name: to_json_other
SELECT id, to_json(raw), to_json(doc), to_json(born), to_json(seen), to_json(uid), to_json(host) FROM t WHERE id <> 20
ORDER BY id;

-- name: to_json_float
SELECT id, to_json(ratio), to_json(price) FROM t ORDER BY id;

-- name: to_jsonb
SELECT id, to_jsonb(note), to_jsonb(name), to_jsonb(n), to_jsonb(amount), to_jsonb(flag) FROM t ORDER BY id;

-- name: to_jsonb_other
SELECT id, to_jsonb(raw), to_jsonb(doc), to_jsonb(born), to_jsonb(seen), to_jsonb(uid), to_jsonb(host), to_jsonb(ratio)
FROM t
WHERE id <> 20 ORDER BY id;

-- name: row_to_json
SELECT row_to_json(t) FROM t WHERE id <> 20 ORDER BY id;

-- name: row_to_json_pretty
SELECT row_to_json(s, true) FROM (SELECT note, n, amount, doc FROM t WHERE id < 5 ORDER BY id) s;

-- name: row_to_json_row
SELECT id, row_to_json(ROW(note, n, flag, born)) FROM t WHERE id <> 20 ORDER BY id;

-- name: to_jsonb_row
SELECT to_jsonb(t) - 'id', to_jsonb(t) -> 'doc' FROM t WHERE id <> 20 ORDER BY id;

-- name: to_json_array
SELECT to_json(ARRAY[note, name]), to_jsonb(ARRAY[n, 5]), to_json(array_agg(amount)) FROM t WHERE id < 15
GROUP BY note, name, n, id ORDER BY id;

-- name: array_to_json
SELECT array_to_json(array_agg(note ORDER BY id)), array_to_json(array_agg(n ORDER BY id)), array_to_json(array_agg(flag
    ORDER BY id)),
    array_to_json(array_agg(doc ORDER BY id)) FROM t WHERE id <> 20;

-- name: json_build_object
SELECT id, json_build_object('note', note, 'n', n, 'amount', amount, 'flag', flag, 'doc', doc) FROM t WHERE id <> 20
ORDER BY id;

-- name: json_build_object_more
SELECT id, json_build_object('raw', raw, 'ratio', ratio, 'born', born, 'seen', seen, 'uid', uid, 'host', host) FROM t
WHERE id <> 20 ORDER BY id;

-- name: json_build_object_keys
SELECT id, json_build_object(note, 1, name, 2) FROM t WHERE id IN (1, 2, 6) ORDER BY id;

-- name: json_build_object_number_keys
SELECT id, json_build_object(n, 1, flag, 2, born, 3) FROM t WHERE id IN (1, 2, 6) ORDER BY id;

-- name: jsonb_build_object
SELECT id, jsonb_build_object('note', note, 'n', n, 'amount', amount, 'flag', flag, 'doc', doc) FROM t WHERE id <> 20
ORDER BY id;

-- name: jsonb_build_object_more
SELECT id, jsonb_build_object('raw', raw, 'ratio', ratio, 'born', born, 'seen', seen, 'uid', uid, 'host', host) FROM t
WHERE id <> 20 ORDER BY id;

-- name: jsonb_build_object_keys
SELECT id, jsonb_build_object(note, 1, uid, 2, host, 3) FROM t WHERE id IN (1, 2, 6) ORDER BY id;

-- name: jsonb_build_object_number_keys
SELECT id, jsonb_build_object(n, 1, amount, 2) FROM t WHERE id IN (1, 2, 6) ORDER BY id;

-- name: json_build_array
SELECT id, json_build_array(note, n, amount, flag, doc, born), jsonb_build_array(note, n, amount, ratio, flag, doc,
    born, seen, uid, host)
FROM t WHERE id <> 20 ORDER BY id;

-- name: json_object_arrays
SELECT id, json_object(ARRAY['k1', 'k2'], ARRAY[note, name]), jsonb_object(ARRAY['note', note]),
    json_object('{a}', ARRAY[name])
FROM t
WHERE note IS NOT NULL AND id <> 20 ORDER BY id;

-- name: json_agg
SELECT json_agg(note ORDER BY id), json_agg(n ORDER BY id), json_agg(amount ORDER BY id), json_agg(flag ORDER BY id)
FROM t
WHERE id <> 20;

-- name: json_agg_more
SELECT json_agg(doc ORDER BY id), json_agg(born ORDER BY id), json_agg(seen ORDER BY id), json_agg(uid
    ORDER BY id), json_agg(ratio ORDER BY id)
FROM t WHERE id <> 20;

-- name: jsonb_agg
SELECT jsonb_agg(note ORDER BY id), jsonb_agg(n ORDER BY id), jsonb_agg(amount ORDER BY id), jsonb_agg(flag ORDER BY id)
FROM t
WHERE id <> 20;

-- name: jsonb_agg_more
SELECT jsonb_agg(doc ORDER BY id), jsonb_agg(born ORDER BY id), jsonb_agg(seen ORDER BY id), jsonb_agg(host
    ORDER BY id), jsonb_agg(raw ORDER BY id)
FROM t WHERE id <> 20;

-- name: json_agg_rows
SELECT json_agg(t ORDER BY id), jsonb_agg(t ORDER BY id) FROM t WHERE id < 10;

-- name: json_object_agg
SELECT json_object_agg(id, note ORDER BY id), json_object_agg(name, n ORDER BY id),
    jsonb_object_agg(name, doc ORDER BY id) FROM t
WHERE name IS NOT NULL AND id <> 20;

-- name: jsonb_object_agg_values
SELECT jsonb_object_agg(id, amount), jsonb_object_agg(id, flag), json_object_agg(id, born) FROM t WHERE id < 5;

-- name: jsonb_object_agg_number_keys
SELECT jsonb_object_agg(n, born) FROM t WHERE id < 5;
SELECT json_object_agg(n, born) FROM t WHERE id < 5;

-- name: json_strip_nulls
SELECT json_strip_nulls(row_to_json(t)), jsonb_strip_nulls(to_jsonb(t)) FROM t WHERE id < 10 ORDER BY id;

-- name: jsonb_order_group
SELECT doc, count(*) FROM t WHERE id <> 20 GROUP BY doc ORDER BY doc;

-- name: jsonb_in
SELECT id FROM t WHERE doc IN ('{"a": 1, "b": [1, 2, 3]}', '42', 'true') ORDER BY id;

-- name: jsonb_numeric_equality
SELECT id FROM t WHERE doc -> 'a' = '1.5' OR doc = '42.0' ORDER BY id;

-- name: jsonb_element_compare
SELECT id FROM t WHERE (doc ->> 'k')::int > 1 ORDER BY id;

-- name: jsonb_coalesce
SELECT id, coalesce(doc, '{}'), coalesce(doc -> 'a', doc -> 'k', '0'), coalesce(doc, jsonb_build_object('n', n)) FROM t
WHERE id <> 20 ORDER BY id;

-- name: jsonb_object_from_columns
SELECT id, jsonb_object(ARRAY[name, note, 'n', n::text]) FROM t WHERE name <> '' AND id <> 20 ORDER BY id;

-- name: jsonb_concat_built
SELECT id, doc || jsonb_build_object('note', note), jsonb_build_object('n', n) || doc FROM t WHERE id <> 20 ORDER BY id;

-- name: jsonb_existence_filter
SELECT count(*) FILTER (WHERE doc ? 'a'), count(*) FILTER (WHERE doc @> '{"k": 1}'), count(doc) FROM t;

-- name: jsonb_lateral_sum
SELECT t.id, s.total FROM t, LATERAL (SELECT sum((e)::numeric) AS total FROM jsonb_array_elements(t.doc -> 'b') e) s
WHERE jsonb_typeof(t.doc -> 'b') = 'array' ORDER BY t.id;
