-- Chapter 6: INSERT, UPDATE, DELETE, MERGE, RETURNING. The driver shows t and u after each.

-- name: insert_literals
INSERT INTO t
VALUES (100, 'o', 'text', 'name', '\x0102', '{"a": [1]}', 5, 1.5, 2.25, 0.5, true, '2024-01-01', '2024-01-01 00:00+00',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.0.0.1/8');

-- name: insert_columns
INSERT INTO t (id, note, n) VALUES (100, 'only these', 7);

-- name: insert_several_rows
INSERT INTO t (id, note, n, amount, flag) VALUES (100, 'a', 1, 1, true), (101, NULL, NULL, NULL, NULL),
    (102, 'c', 3, 3.5, false);

-- name: insert_several_rows_mixed
INSERT INTO t (id, n, amount, ratio)
VALUES (100, 1, 1, 1), (101, 2.6, 2.5, 2.5), (102, '3', '3', '3'), (103, NULL, 4::int2, 4::numeric);

-- name: insert_default_keyword
INSERT INTO t (id, note, n, flag) VALUES (100, DEFAULT, DEFAULT, true), (101, 'x', 1, DEFAULT);

-- name: insert_expressions
INSERT INTO t (id, note, n, amount, born, flag, raw)
VALUES (100, upper('x') || 'y', 2 + 3, 10 / 4.0, date '2024-01-31' + 1, 1 > 0, decode('ff', 'hex'));

-- name: insert_typed_literals
INSERT INTO t (id, note, n, amount, ratio, born, seen, uid, host, doc)
VALUES (100, 'x'::varchar, 5::int2, 5::int4, 1.5::numeric, timestamp '2024-01-01',
    date '2024-01-01', md5('')::uuid, cidr '10.0.0.0/8', to_jsonb(1));

-- name: insert_select
INSERT INTO t SELECT id + 100, owner, note, name, raw, doc, n, amount, price, ratio, flag, born, seen, uid, host FROM t
WHERE id < 5;

-- name: insert_select_expressions
INSERT INTO t (id, note, n, amount, born) SELECT id + 100, note || '!', n + 1, amount * 2, born + 1 FROM t WHERE id < 5;

-- name: insert_select_plain
INSERT INTO t (id, note, raw, doc, n, amount, ratio, flag, born, seen, uid, host)
SELECT id + 100, note, raw, doc, n, amount, ratio, flag, born, seen, uid,
    host FROM p;

-- name: insert_into_plain
INSERT INTO p SELECT id + 100, note, raw, doc, n, amount, ratio, flag, born, seen, uid, host FROM t WHERE id < 20;
SELECT * FROM p ORDER BY id;

-- name: insert_other_types
INSERT INTO t (id, note, amount, ratio, flag) SELECT id + 100, n, id, id, flag FROM t WHERE id IN (1, 2, 21);

-- name: insert_other_encrypted_types
INSERT INTO t (id, n, amount, ratio) SELECT id + 100, amount, n, amount FROM t WHERE id IN (1, 2, 21);
INSERT INTO t (id, n, seen) SELECT id + 200, ratio, born FROM t WHERE id IN (1, 2, 21);
INSERT INTO t (id, born) SELECT id + 300, seen FROM t WHERE id IN (1, 2, 21);

-- name: insert_text_from_everything
INSERT INTO t (id, note) SELECT id + 100, born FROM t WHERE id < 4;
INSERT INTO t (id, note) SELECT id + 200, uid FROM t WHERE id < 4;
INSERT INTO t (id, note) VALUES (301, 5), (302, 6);
INSERT INTO t (id, note) VALUES (303, true);
INSERT INTO t (id, note) VALUES (304, 1.5), (305, 2);

-- name: insert_returning
INSERT INTO t (id, note, n, flag) VALUES (100, 'x', 5, true) RETURNING *;

-- name: insert_returning_expressions
INSERT INTO t (id, note, n) VALUES (100, 'x', 5) RETURNING id, note || '!' AS shout, n * 2, n + 1.5, length(note);

-- name: insert_returning_select
INSERT INTO u (id, note, n) SELECT id + 100, note, n FROM t WHERE id < 4 RETURNING u.*;

-- name: insert_on_conflict_nothing
INSERT INTO t (id, note) VALUES (1, 'conflict'), (100, 'new') ON CONFLICT DO NOTHING RETURNING id, note;

-- name: insert_on_conflict_update
INSERT INTO t (id, note, n) VALUES (1, 'upsert', 5) ON CONFLICT (id) DO UPDATE SET note = excluded.note,
    n = t.n + excluded.n
RETURNING note, n;

-- name: insert_on_conflict_where
INSERT INTO t (id, note, amount) VALUES (1, 'upsert', 9), (2, 'other', 1) ON CONFLICT (id) DO UPDATE
SET note = t.note || '/' || excluded.note,
    amount = coalesce(excluded.amount, 0) + 0.5 WHERE t.amount < excluded.amount;

-- name: insert_on_conflict_row
INSERT INTO u SELECT id, note, raw, doc, n, amount, ratio, flag, born, seen, uid, host FROM t WHERE id < 10
ON CONFLICT (id) DO UPDATE SET
    (note, n, doc) = (excluded.note, u.n, coalesce(u.doc, '{}')), flag = NOT u.flag;

-- name: insert_bad_value_fails
INSERT INTO t (id, n) VALUES (100, 'five');

-- name: insert_bad_date_fails
INSERT INTO t (id, born) VALUES (100, '2024-02-30');

-- name: insert_bad_json_fails
INSERT INTO t (id, doc) VALUES (100, '{bad');

-- name: insert_bad_uuid_fails
INSERT INTO t (id, uid) VALUES (100, 'xyz');

-- name: insert_bad_bool_fails
INSERT INTO t (id, flag) VALUES (100, 'maybe');

-- name: insert_bad_inet_fails
INSERT INTO t (id, host) VALUES (100, '1.2.3');

-- name: insert_out_of_range_fails
INSERT INTO t (id, n) VALUES (100, 9223372036854775808);

-- name: insert_wrong_type_fails
INSERT INTO t (id, n) VALUES (100, 'x'::text);

-- name: insert_wrong_type_bool_fails
INSERT INTO t (id, flag) VALUES (100, 1);

-- name: insert_wrong_type_date_fails
INSERT INTO t (id, born) VALUES (100, 20240101);

-- name: insert_wrong_column_count_fails
INSERT INTO t (id, note) VALUES (100);

-- name: insert_duplicate_key_fails
INSERT INTO t (id, note) VALUES (1, 'x');

-- name: insert_rounds
INSERT INTO t (id, n, price) VALUES (100, 2.5, 1.005), (101, 3.5, 1.995), (102, -2.5::float8, 1e3);

-- name: insert_bigint_text
INSERT INTO t (id, n, amount, ratio) VALUES (100, ' 12 ', ' 1.50 ', ' 1e3 ');

-- name: insert_special
INSERT INTO t (id, amount, ratio, born, seen)
VALUES (100, 'NaN', '-inf', 'epoch', '-infinity'), (101, 'Infinity', 'nan', '2024-02-29', 'epoch');

-- name: insert_current
INSERT INTO t (id, born, seen) VALUES (100, current_date, now()) RETURNING born = current_date, seen = now();
DELETE FROM t WHERE id = 100;

-- name: insert_subselect_value
INSERT INTO t (id, note, n) VALUES (100, (SELECT note FROM u WHERE id = 3), (SELECT max(n) FROM u WHERE n < 100) + 1);

-- name: insert_cte
WITH source AS (SELECT id, note, n FROM t WHERE flag AND id < 10) INSERT INTO u (id, note, n) SELECT id + 100, note, n
FROM source;

-- name: insert_overlong_text
INSERT INTO t (id, note) VALUES (100, repeat('x', 20000));
SELECT length(note), md5(note) FROM t WHERE id = 100;
DELETE FROM t WHERE id = 100;

-- name: insert_array_elements
INSERT INTO t (id, note, n) SELECT 100 + o, x, length(x) FROM unnest(ARRAY['a', 'bb', 'ccc']) WITH ORDINALITY s(x, o);

-- name: update_literals
UPDATE t SET note = 'changed', raw = '\xee', doc = '{"new": 1}', n = 5, amount = 2.5, price = 3, ratio = 0.25,
    flag = false, born = '2024-01-01',
    seen = '2024-01-01 00:00+00', uid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', host = '10.0.0.1' WHERE id = 1;

-- name: update_expressions
UPDATE t SET note = upper(note) || '!', n = n + 1, amount = amount * 1.1, ratio = ratio / 2, flag = NOT flag,
    born = born + 1, seen = seen + interval '1 hour', host = host + 1, raw = raw || '\x00', doc = doc || '{"x": 1}'
    WHERE id IN (1, 2, 12, 14);

-- name: update_null
UPDATE t SET note = NULL, n = NULL, doc = NULL, flag = NULL WHERE note = 'apple';

-- name: update_default
UPDATE t SET note = DEFAULT, n = DEFAULT WHERE n = 12;

-- name: update_where_each
UPDATE t SET note = 'by note' WHERE note = 'banana';
UPDATE t SET note = 'by n' WHERE n = 8;
UPDATE t SET note = 'by amount' WHERE amount = 2;
UPDATE t SET note = 'by flag' WHERE flag AND id > 35;
UPDATE t SET note = 'by born' WHERE born = '1905-06-07';
UPDATE t SET note = 'by uid' WHERE uid = 'c0ffee00-0000-4000-8000-000000000001';
UPDATE t SET note = 'by host' WHERE host << '192.168.0.0/16';

-- name: update_row
UPDATE t SET (note, n, born) = ('row', 5, '2024-01-01') WHERE id = 1;

-- name: update_row_subselect
UPDATE t SET (note, n, flag) = (SELECT u.note, u.n, NOT u.flag FROM u WHERE u.id = t.id) WHERE id IN (3, 5, 10);

-- name: update_row_constructor
UPDATE t SET (note, amount) = ROW(name, price) WHERE id < 4;

-- name: update_from
UPDATE t SET note = u.note || ' from u', n = u.n FROM u WHERE u.id = t.id AND u.n > 10;

-- name: update_from_plain
UPDATE t SET note = p.note, n = p.n, amount = p.amount, doc = p.doc FROM p WHERE p.id = t.id + 1;

-- name: update_plain_from
UPDATE p SET note = t.note, n = t.n + 1, amount = t.amount, born = t.born, doc = t.doc, raw = t.raw, uid = t.uid FROM t
WHERE p.id = t.id + 1;
SELECT * FROM p ORDER BY id;

-- name: update_returning
UPDATE t SET n = n * 2, note = note || '?' WHERE id < 4 RETURNING id, note, n, n + 1 AS next;

-- name: update_swap
UPDATE t SET note = name, name = left(note, 20) WHERE id < 5;

-- name: update_self
UPDATE t SET note = note, n = n, doc = doc, flag = flag WHERE id < 5;

-- name: update_other_type
UPDATE t SET note = n, name = id, amount = id WHERE id IN (1, 2, 21);

-- name: update_other_encrypted_type
UPDATE t SET n = amount, amount = n, ratio = n WHERE id IN (1, 2, 21);

-- name: update_column_of_text_fails
UPDATE t SET n = note;

-- name: update_case
UPDATE t SET note = CASE WHEN n > 10 THEN 'big' WHEN flag THEN note ELSE name END, n = CASE WHEN flag THEN n + 1
ELSE n END
WHERE id > 20;

-- name: update_coalesce
UPDATE t SET note = coalesce(note, 'none'), n = coalesce(n, 0), amount = coalesce(amount, 0),
    flag = coalesce(flag, false), born = coalesce(born, '2000-01-01'),
    doc = coalesce(doc, '{}');

-- name: update_all_rows_twice
UPDATE t SET n = n % 100 WHERE n IS NOT NULL;
UPDATE t SET n = n + 1;

-- name: update_jsonb_set
UPDATE t SET doc = jsonb_set(doc, '{a}', to_jsonb(n)) WHERE doc ? 'a';

-- name: update_order_dependent
UPDATE t SET amount = s.total FROM (SELECT name, sum(n) AS total FROM t WHERE abs(n) < 1000 GROUP BY name) s
WHERE s.name = t.name;

-- name: delete_where
DELETE FROM t WHERE note LIKE 'note%' OR n = 12;

-- name: delete_using
DELETE FROM t USING u WHERE t.note = u.note AND t.id <> u.id;

-- name: delete_using_plain
DELETE FROM t USING p WHERE t.uid = p.uid AND p.flag;

-- name: delete_subselect
DELETE FROM t WHERE n IN (SELECT n FROM u) OR note = (SELECT max(note) FROM u);

-- name: delete_returning
DELETE FROM t WHERE flag AND id < 20 RETURNING id, note, n, born;

-- name: delete_not_exists
DELETE FROM t WHERE NOT EXISTS (SELECT FROM u WHERE u.note = t.note);

-- name: truncate
TRUNCATE t, u;

-- name: merge
MERGE INTO t USING u ON t.id = u.id + 5 WHEN MATCHED AND u.flag THEN UPDATE SET note = u.note, n = u.n
WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED THEN INSERT (id, note, n) VALUES (u.id + 500, u.note, u.n);

-- name: merge_literals
MERGE INTO t USING (VALUES (1, 'merged', 5), (100, 'new', 6)) v(id, note, n) ON v.id = t.id WHEN MATCHED THEN UPDATE
SET note = v.note, n = t.n + v.n
    WHEN NOT MATCHED THEN INSERT (id, note, n) VALUES (v.id, v.note, v.n);

-- name: merge_on_encrypted
MERGE INTO u USING (SELECT DISTINCT ON (note) note, n FROM t WHERE abs(n) < 1000
    ORDER BY note, n) s ON u.note = s.note AND u.n = s.n
    WHEN MATCHED THEN UPDATE SET amount = s.n * 1.5 WHEN NOT MATCHED AND s.n > 15 THEN INSERT (id, note, n)
    VALUES (1000 + s.n, s.note, s.n)
    WHEN NOT MATCHED THEN DO NOTHING;

-- name: merge_plain_source
MERGE INTO t USING p ON t.id = p.id WHEN MATCHED AND t.n = p.n THEN UPDATE
SET note = p.note || ' merged', doc = p.doc, amount = p.amount, uid = p.uid
    WHEN MATCHED THEN DO NOTHING;

-- name: merge_into_plain
MERGE INTO p USING t ON t.id = p.id WHEN MATCHED THEN UPDATE
SET note = t.note || ' merged', n = t.n, amount = t.amount, flag = t.flag
    WHEN NOT MATCHED AND t.id < 10 THEN INSERT (id, note, n, born, doc) VALUES (t.id, t.note, t.n, t.born, t.doc);
SELECT * FROM p ORDER BY id;

-- name: merge_default
MERGE INTO t USING (SELECT 200 AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id, note, n)
VALUES (s.id, DEFAULT, DEFAULT);

-- name: savepoints
INSERT INTO t (id, note) VALUES (100, 'kept');
SAVEPOINT s;
INSERT INTO t (id, note) VALUES (101, 'undone');
UPDATE t SET note = 'undone' WHERE id = 1;
ROLLBACK TO s;
UPDATE t SET note = note || ' on' WHERE id = 100;
RELEASE s;
