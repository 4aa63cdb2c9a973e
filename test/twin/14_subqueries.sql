-- Chapters 4.2.11, 4.2.13, 8.16, 9.23 and 9.24: subqueries, rows and composites.

-- name: exists
SELECT id FROM t WHERE EXISTS (SELECT FROM u WHERE u.note = t.note) ORDER BY id;

-- name: not_exists
SELECT id FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.n = t.n AND u.flag) ORDER BY id;

-- name: exists_plain
SELECT id FROM t WHERE EXISTS (SELECT FROM p WHERE p.note = t.note AND p.n = t.n) ORDER BY id;

-- name: in_subquery
SELECT id FROM t WHERE note IN (SELECT note FROM u) ORDER BY id;

-- name: in_subquery_all_types
SELECT id, raw IN (SELECT raw FROM u), doc IN (SELECT doc FROM u), n IN (SELECT n FROM u), amount IN (SELECT amount
    FROM u), ratio IN
    (SELECT ratio FROM u), flag IN (SELECT flag FROM u), born IN (SELECT born FROM u), seen IN (SELECT seen
        FROM u), uid IN (SELECT uid FROM u),
    host IN (SELECT host FROM u) FROM t ORDER BY id;

-- name: in_subquery_plain
SELECT id FROM t WHERE note IN (SELECT note FROM p) AND n IN (SELECT n FROM p) AND doc IN (SELECT doc FROM p)
ORDER BY id;

-- name: plain_in_subquery
SELECT id FROM p WHERE note IN (SELECT note FROM t) AND n IN (SELECT n FROM t) AND amount IN (SELECT amount
    FROM t) AND uid IN (SELECT uid FROM t)
ORDER BY id;

-- name: in_subquery_other_type
SELECT id FROM t WHERE id IN (SELECT n FROM u) OR amount IN (SELECT n FROM u) OR n IN (SELECT amount FROM u)
    OR ratio IN (SELECT n
    FROM u) ORDER BY id;

-- name: in_subquery_text_types
SELECT id FROM t WHERE name IN (SELECT note FROM u) OR note IN (SELECT name FROM t) OR owner IN (SELECT name FROM t)
ORDER BY id;

-- name: not_in_subquery
SELECT id FROM t WHERE note NOT IN (SELECT note FROM u WHERE note IS NOT NULL) ORDER BY id;

-- name: not_in_subquery_null
SELECT id, n NOT IN (SELECT n FROM u) FROM t ORDER BY id;

-- name: in_subquery_hashed
SELECT id, note IN (SELECT note FROM u) OR n IN (SELECT n FROM u) AS either FROM t ORDER BY id;

-- name: in_values
SELECT id FROM t WHERE note IN (VALUES ('apple'), ('banana')) OR n IN (VALUES (7), (8)) ORDER BY id;

-- name: in_subquery_rows
SELECT id FROM t WHERE (note, born) IN (SELECT note, born FROM u) ORDER BY id;

-- name: in_subquery_rows_numbers
SELECT id FROM t WHERE (note, n) IN (SELECT note, n FROM u) ORDER BY id;

-- name: any_subquery
SELECT id FROM t WHERE n > ANY (SELECT n FROM u WHERE n > 10) ORDER BY id;

-- name: all_subquery
SELECT id FROM t WHERE amount <= ALL (SELECT amount FROM u WHERE amount > 0) ORDER BY id;

-- name: any_subquery_plain
SELECT id FROM t WHERE note = ANY (SELECT note FROM p) AND born < ALL (SELECT born FROM p WHERE id = 15) ORDER BY id;

-- name: any_subquery_like
SELECT id FROM t WHERE note LIKE ANY (SELECT left(note, 2) || '%' FROM u WHERE note <> '' AND id < 20) ORDER BY id;

-- name: scalar_subquery
SELECT id, (SELECT max(note) FROM u), (SELECT note FROM u WHERE u.id = t.id), (SELECT n FROM u WHERE u.id = t.id) + 1
FROM t
WHERE id <> 20 ORDER BY id;

-- name: scalar_subquery_compare
SELECT id FROM t WHERE note = (SELECT note FROM u WHERE id = 5 OR id = 10 ORDER BY note LIMIT 1)
    OR amount > (SELECT avg(amount)
    FROM u WHERE n < 100) ORDER BY id;

-- name: scalar_subquery_too_many_fails
SELECT (SELECT note FROM t);

-- name: correlated
SELECT id, (SELECT count(*) FROM t x WHERE x.note = t.note AND x.id < t.id),
    (SELECT max(u.amount) FROM u WHERE u.n < t.n) FROM t
ORDER BY id;

-- name: correlated_update
UPDATE t SET note = (SELECT u.note FROM u WHERE u.id = t.id) || '!', n = (SELECT count(*) FROM u) WHERE id IN (3, 5, 8);

-- name: subquery_in_from
SELECT s.note, s.total FROM (SELECT note, sum(n) AS total FROM t WHERE abs(n) < 1000 GROUP BY note) s WHERE s.total > 5
ORDER BY s.note;

-- name: subquery_alias_columns
SELECT b, a FROM (SELECT note, n FROM t WHERE id < 10) s(a, b) ORDER BY b, a;

-- name: row_compare
SELECT id, (note, name) >= ('a', 'b'), (note, name) = ('apple', 'Ann'), ROW(flag, born) <> ROW(true, '1999-12-31')
FROM t
ORDER BY id;

-- name: row_compare_numbers
SELECT id, (note, n) = ('apple', 1), (n, amount) < (12, 12.5), (ratio, n) >= (0.5, 1) FROM t ORDER BY id;

-- name: row_compare_columns
SELECT a.id, b.id FROM t a JOIN t b ON (a.note, a.born) = (b.note, b.born) AND a.id < b.id ORDER BY 1, 2;

-- name: row_compare_columns_numbers
SELECT a.id, b.id FROM t a JOIN t b ON (a.n, a.amount) = (b.n, b.amount) AND a.id < b.id ORDER BY 1, 2;

-- name: row_compare_less_columns
SELECT a.id, b.id FROM t a JOIN t b ON (a.born, a.seen) < (b.born, b.seen) WHERE a.id < 5 AND b.id < 15 ORDER BY 1, 2;

-- name: row_compare_keyset
SELECT id, note, n FROM t WHERE (note, id) > ('note 1', 22) ORDER BY note, id LIMIT 5;

-- name: row_compare_keyset_mixed
SELECT id, born FROM t WHERE (born, n, id) <= ('1994-01-01', 3, 33) ORDER BY born DESC, n DESC,
    id DESC FETCH FIRST 5 ROWS ONLY;

-- name: row_compare_all_types
SELECT id FROM t
WHERE (raw, doc, ratio, flag, seen, uid, host) = ('\x00', '{"a": 1, "b": [1, 2, 3]}', 0.5, true,
    '2024-01-31 22:59:59.999999+00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '192.168.1.5/24') ORDER BY id;

-- name: row_in_list
SELECT id FROM t WHERE (note, born) IN (('apple', '1999-12-31'), ('banana', '1970-01-01'), (NULL, NULL)) ORDER BY id;

-- name: row_in_list_numbers
SELECT id FROM t WHERE (note, n) IN (('apple', 1), ('banana', -3), (NULL, NULL)) ORDER BY id;

-- name: row_is_null
SELECT id, ROW(note, n) IS NULL, ROW(note, flag) IS NOT NULL, (note, n) IS DISTINCT FROM ('apple', 1) FROM t
ORDER BY id;

-- name: row_subquery
SELECT id FROM t WHERE (note, born) = (SELECT note, born FROM u WHERE u.id = 3) ORDER BY id;

-- name: row_subquery_numbers
SELECT id FROM t WHERE (note, n) = (SELECT note, n FROM u WHERE u.id = 3) ORDER BY id;

-- name: row_constructor
SELECT id, ROW(note, n, amount, flag), (note, born) FROM t WHERE id <> 20 ORDER BY id;

-- name: row_constructor_all
SELECT ROW(t.*), ROW(raw, doc, ratio, seen, uid, host) FROM t WHERE id < 5 ORDER BY id;

-- name: whole_row
SELECT t FROM t WHERE id <> 20 ORDER BY id;

-- name: whole_row_text
SELECT t::text FROM t WHERE id <> 20 ORDER BY id;

-- name: whole_row_is_null
SELECT id, t IS NULL, t IS NOT NULL FROM t ORDER BY id;

-- name: whole_row_compare
SELECT a.id FROM t a JOIN t b ON a = b ORDER BY a.id;

-- name: whole_row_compare_literal
SELECT u.id FROM u WHERE u = (SELECT x FROM u x WHERE x.id = 10) OR u < (SELECT x FROM u x WHERE x.id = 5)
ORDER BY u.id;

-- name: whole_row_order
SELECT u FROM u WHERE id <> 20 ORDER BY u;

-- name: whole_row_count
SELECT count(t), count(DISTINCT u) FROM t, u;

-- name: whole_row_expand
SELECT (t).* FROM t WHERE id = 1;

-- name: whole_row_field
SELECT (t).note, (t).n / 2, (x.row).amount FROM t, (SELECT t AS row, id AS i FROM t) x WHERE t.id = x.i AND t.id < 10
ORDER BY t.id;

-- name: whole_row_function
SELECT t.note, note(t), n(t) FROM t WHERE id < 4 ORDER BY id;

-- name: whole_row_left_join
SELECT t.id, u FROM t LEFT JOIN u ON u.id = t.id WHERE t.id < 10 ORDER BY t.id;

-- name: composite_cast
CREATE TYPE pair AS (a text, b bigint);
SELECT id, ROW(note, n)::pair, (ROW(note, n)::pair).a || '!' FROM t WHERE id <> 20 ORDER BY id;

-- name: composite_column
CREATE TYPE pair AS (a text, b bigint);
CREATE TABLE pairs (id int, p pair);
INSERT INTO pairs SELECT id, ROW(note, n)::pair FROM t WHERE id < 10;
INSERT INTO pairs (id, p.a, p.b) SELECT id, note, n FROM t WHERE id = 10;
UPDATE pairs SET p.a = (SELECT name FROM t WHERE t.id = pairs.id);
SELECT id, p, (p).a, (p).b FROM pairs ORDER BY id;

-- name: composite_of_table
CREATE TABLE history (at int, old t, new u);
INSERT INTO history SELECT 1, t, u FROM t JOIN u USING (id) WHERE id < 10;
SELECT at, (old).note, (new).n, old FROM history ORDER BY (old).id;

-- name: row_text_cast_back
SELECT (ROW(1, NULL, NULL, NULL, NULL, 5, 1.5, 0.5, true, '2024-01-01', NULL, '::1')::text) FROM t WHERE id = 1;

-- name: row_from_literal
SELECT (r).note, (r).n + 1 FROM (SELECT '(1,x,"\\x00",{},5,1.5,0.5,t,2024-01-01,,,::1)'::u AS r) s;

-- name: record_agg
SELECT array_agg((note, n) ORDER BY id) FROM t WHERE id < 5;

-- name: subquery_limit
SELECT id, note FROM t WHERE id IN (SELECT id FROM t WHERE n > 0 ORDER BY amount DESC, id LIMIT 5) ORDER BY id;

-- name: subquery_order_by_encrypted
SELECT id FROM t ORDER BY (SELECT u.note FROM u WHERE u.id = t.id) NULLS FIRST, id;

-- name: exists_in_select
SELECT id, EXISTS (SELECT FROM u WHERE u.uid = t.uid), note IS NOT DISTINCT FROM (SELECT max(name) FROM t) FROM t
ORDER BY id;
