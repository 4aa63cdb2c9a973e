-- Chapter 7: FROM, joins, ORDER BY, LIMIT, set operations, WITH.

-- name: select_star
SELECT * FROM t WHERE id <> 20 ORDER BY id;

-- name: select_long_values
SELECT * FROM t WHERE id = 20;

-- name: table_command
TABLE u ORDER BY id;

-- name: select_column_order
SELECT host, uid, seen, born, flag, ratio, amount, n, doc, raw, name, note FROM t WHERE id < 10 ORDER BY id;

-- name: select_alias
SELECT x.note AS "the note", x.n total, x.* FROM t AS x WHERE x.id = 1;

-- name: select_column_aliases
SELECT a, b, c FROM t AS x(a, b, c) WHERE a = 1;

-- name: select_no_table
SELECT (SELECT note FROM t WHERE id = 1) AS note, (SELECT count(*) FROM t) AS n;

-- name: inner_join
SELECT t.id, u.id FROM t JOIN u ON t.note = u.note ORDER BY 1, 2;

-- name: inner_join_all_types
SELECT t.id, u.id FROM t JOIN u ON t.raw = u.raw AND t.doc = u.doc AND t.n = u.n AND t.amount = u.amount
    AND t.ratio = u.ratio
    AND t.born = u.born
    AND t.seen = u.seen AND t.uid = u.uid AND t.host = u.host ORDER BY 1, 2;

-- name: inner_join_plain
SELECT t.id, p.id FROM t JOIN p ON t.note = p.note AND t.n = p.n AND p.amount = t.amount AND p.born = t.born
ORDER BY 1, 2;

-- name: inner_join_other_type
SELECT t.id, u.id FROM t JOIN u ON t.n = u.amount ORDER BY 1, 2;

-- name: inner_join_int4
SELECT t.id, u.id FROM t JOIN u ON t.id = u.n ORDER BY 1, 2;

-- name: left_join
SELECT t.id, u.note, u.n FROM t LEFT JOIN u ON t.uid = u.uid WHERE t.id <> 20 ORDER BY 1, 2, 3;

-- name: right_join
SELECT t.note, u.id FROM t RIGHT JOIN u ON t.born = u.born AND t.flag WHERE u.id <> 20 ORDER BY 2, 1;

-- name: full_join
SELECT t.id, u.id FROM t FULL JOIN u ON t.n = u.n AND t.note = u.note ORDER BY 1, 2;

-- name: full_join_amount
SELECT t.id, u.id FROM t FULL JOIN u ON t.amount = u.amount ORDER BY 1, 2;

-- name: full_join_plain
SELECT t.id, p.id FROM t FULL JOIN p ON t.note = p.note ORDER BY 1, 2;

-- name: cross_join
SELECT count(*), count(t.note), max(u.n) FROM t CROSS JOIN u;

-- name: join_using
SELECT note, t.id, u.id FROM t JOIN u USING (note) WHERE t.id <> 20 ORDER BY 1, 2, 3;

-- name: join_using_several
SELECT note, n, born, t.id, u.id FROM t LEFT JOIN u USING (note, n, born) WHERE t.id <> 20 ORDER BY t.id, u.id;

-- name: join_using_full
SELECT n, t.id, u.id FROM t FULL JOIN u USING (n) ORDER BY n, 2, 3;

-- name: join_using_alias
SELECT j.note, j.n, t.id FROM t JOIN u USING (note, n) AS j WHERE t.id <> 20 ORDER BY t.id, u.id;

-- name: join_using_plain
SELECT note, n, uid, t.id, p.id FROM t JOIN p USING (note, n, uid) WHERE t.id <> 20 ORDER BY t.id, p.id;

-- name: join_using_full_plain
SELECT note, t.id, p.id FROM t FULL JOIN p USING (note) WHERE coalesce(t.id, 0) <> 20 ORDER BY note, 2, 3;

-- name: natural_join
SELECT note, n, t.id FROM t NATURAL JOIN (SELECT note, n, amount FROM u) x WHERE t.id <> 20 ORDER BY id;

-- name: natural_left_join
SELECT x.* FROM (SELECT id, note, flag FROM t) x NATURAL LEFT JOIN (SELECT id, note, n FROM u) y WHERE x.id <> 20
ORDER BY id;

-- name: natural_plain_join
SELECT id, note, host FROM u NATURAL JOIN p WHERE id <> 20 ORDER BY id;

-- name: join_inequality
SELECT t.id, u.id FROM t JOIN u ON t.n < u.n AND t.born > u.born WHERE t.id < 10 ORDER BY 1, 2;

-- name: join_expression
SELECT t.id, u.id FROM t JOIN u ON lower(t.note) = lower(u.note) AND t.id <> u.id ORDER BY 1, 2;

-- name: join_three
SELECT a.id, b.id, c.id FROM t a JOIN t b ON a.note = b.note AND a.id < b.id JOIN u c ON c.n = a.n ORDER BY 1, 2, 3;

-- name: join_merge
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_nestloop = off;
SELECT t.id, u.id FROM t JOIN u ON t.note = u.note AND t.n = u.n ORDER BY 1, 2;
SELECT t.id, p.id FROM t JOIN p ON t.amount = p.amount ORDER BY 1, 2;
SELECT t.id, u.id FROM t FULL JOIN u ON t.host = u.host ORDER BY 1, 2;

-- name: join_hash
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_nestloop = off;
SELECT t.id, u.id FROM t JOIN u ON t.note = u.note AND t.n = u.n ORDER BY 1, 2;
SELECT t.id, p.id FROM t LEFT JOIN p ON t.amount = p.amount AND t.uid = p.uid ORDER BY 1, 2;

-- name: join_nestloop
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_hashjoin = off;
SELECT t.id, u.id FROM t LEFT JOIN u ON t.note = u.note AND t.born = u.born ORDER BY 1, 2;

-- name: join_memoize
SELECT t.id, x.id FROM t, LATERAL (SELECT max(u.id) AS id FROM u WHERE u.n = t.n AND u.note = t.note) x ORDER BY 1;

-- name: semi_join_hash
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_nestloop = off;
SELECT id FROM t WHERE EXISTS (SELECT FROM u WHERE u.note = t.note AND u.uid = t.uid) ORDER BY id;
SELECT id FROM t WHERE NOT EXISTS (SELECT FROM u WHERE u.raw = t.raw) ORDER BY id;

-- name: lateral
SELECT t.id, x.note FROM t, LATERAL (SELECT u.note FROM u WHERE u.n = t.n ORDER BY u.id LIMIT 1) x WHERE t.id <> 20
ORDER BY t.id;

-- name: lateral_left
SELECT t.id, x.* FROM t LEFT JOIN LATERAL (SELECT count(*) AS c, max(u.note) AS m FROM u WHERE u.amount <= t.amount) x
    ON true
WHERE t.id <> 20
ORDER BY t.id;

-- name: lateral_function
SELECT t.id, w, o FROM t, regexp_split_to_table(note, ' ') WITH ORDINALITY AS x(w, o) WHERE t.id < 20 ORDER BY t.id, o;

-- name: rows_from
SELECT * FROM ROWS FROM (unnest(ARRAY(SELECT note FROM t WHERE id < 5 ORDER BY id)), generate_series(1, 6)) x(a, b)
ORDER BY b;

-- name: order_by_each
SELECT id FROM t ORDER BY note, id;
SELECT id FROM t ORDER BY n DESC, id;
SELECT id FROM t ORDER BY amount NULLS FIRST, id;
SELECT id FROM t ORDER BY ratio DESC NULLS LAST, id;
SELECT id FROM t ORDER BY flag, id;
SELECT id FROM t ORDER BY born, id;
SELECT id FROM t ORDER BY seen DESC NULLS FIRST, id;
SELECT id FROM t ORDER BY uid, id;
SELECT id FROM t ORDER BY host, id;
SELECT id FROM t ORDER BY raw, id;
SELECT id FROM t ORDER BY doc, id;

-- name: order_by_several
SELECT id, note, n FROM t WHERE id <> 20 ORDER BY flag DESC NULLS LAST, n, note DESC, id;

-- name: order_by_expression
SELECT id FROM t ORDER BY upper(note), -n, id;

-- name: order_by_position_alias
SELECT note AS label, n FROM t WHERE id < 20 ORDER BY label, 2;

-- name: order_by_collate
SELECT note FROM t WHERE id <> 20 ORDER BY note COLLATE "en-x-icu" NULLS FIRST, note COLLATE "C";

-- name: order_by_collate_varchar
SELECT id, name FROM t ORDER BY name COLLATE "de-x-icu" DESC NULLS LAST, id;

-- name: order_by_using
SELECT id FROM t ORDER BY id USING >;

-- name: order_by_using_encrypted
SELECT id, n FROM t ORDER BY n USING >, id;

-- name: order_by_using_text
SELECT id, note FROM t WHERE id <> 20 ORDER BY note USING <, id;

-- name: order_by_using_pattern
SELECT id FROM t ORDER BY note USING ~<~, id;

-- name: order_by_cast
SELECT id FROM t ORDER BY note::text, n::int8, id;

-- name: order_by_not_selected_distinct_fails
SELECT DISTINCT note FROM t ORDER BY n;

-- name: order_by_jsonb_key
SELECT id FROM t ORDER BY doc ->> 'k' DESC NULLS LAST, doc -> 'a' NULLS FIRST, id;

-- name: order_by_incremental
SELECT id FROM (SELECT * FROM t ORDER BY note) s ORDER BY note, n, id;

-- name: limit_offset
SELECT id, note FROM t WHERE id <> 20 ORDER BY amount DESC, id LIMIT 5 OFFSET 3;

-- name: limit_from_column
SELECT id FROM t ORDER BY id LIMIT (SELECT n FROM t WHERE id = 2) OFFSET (SELECT n FROM t WHERE id = 1);

-- name: fetch_first
SELECT id FROM t ORDER BY born, id FETCH FIRST 3 ROWS ONLY;

-- name: fetch_first_with_ties
SELECT n FROM t ORDER BY n NULLS FIRST FETCH FIRST 5 ROWS WITH TIES;

-- name: fetch_first_with_ties_text
SELECT note FROM t WHERE note LIKE 'note%' ORDER BY note OFFSET 2 ROWS FETCH FIRST 2 ROWS WITH TIES;

-- name: limit_sort_all_types
SELECT id FROM t ORDER BY uid DESC NULLS LAST, host, seen, id LIMIT 7;

-- name: union
SELECT note FROM t WHERE id <> 20 UNION SELECT note FROM u WHERE id <> 20 ORDER BY 1;

-- name: union_all_types
SELECT raw, doc, n, ratio, flag, born, seen, uid, host FROM t WHERE id < 15 UNION
SELECT raw, doc, n, ratio, flag, born, seen, uid, host FROM u WHERE id < 15 ORDER BY 3, 4, 6, 1;

-- name: union_all
SELECT id, note FROM t WHERE id < 5 UNION ALL SELECT id, note FROM u WHERE id < 10 ORDER BY 1, 2;

-- name: union_literal
SELECT note, n FROM t WHERE id < 5 UNION SELECT 'literal', 0 ORDER BY 1, 2;

-- name: union_literal_first
SELECT 'literal' AS note, 0 AS n UNION SELECT note, n FROM t WHERE id < 5 ORDER BY 1, 2;

-- name: union_literal_more
SELECT amount, born, flag FROM t WHERE id < 5 UNION ALL SELECT 0.5, '2000-01-01', NULL ORDER BY 1, 2;

-- name: union_null
SELECT n FROM t WHERE id < 5 UNION ALL SELECT NULL ORDER BY 1;
SELECT NULL AS x UNION ALL SELECT n FROM t WHERE id < 5 ORDER BY 1;

-- name: union_plain
SELECT note, n, amount FROM t WHERE id < 9 UNION SELECT note, n, amount FROM p WHERE id < 9 ORDER BY 1, 2, 3;

-- name: union_plain_first
SELECT note, born, uid FROM p WHERE id < 15 UNION SELECT note, born, uid FROM t WHERE id < 15 ORDER BY 1, 2, 3;

-- name: union_mixed_types
SELECT n FROM t WHERE id < 9 UNION SELECT amount FROM t WHERE id < 9 ORDER BY 1;

-- name: union_mixed_int4
SELECT id FROM t WHERE id < 15 UNION SELECT n FROM t WHERE id < 15 ORDER BY 1;

-- name: union_text_varchar
SELECT note FROM t WHERE id < 15 UNION SELECT name FROM t WHERE id < 15 UNION SELECT owner FROM t WHERE id < 15
ORDER BY 1;

-- name: union_aggregate
SELECT 'total' AS note, sum(n) FROM t WHERE abs(n) < 1000 UNION ALL SELECT note, n FROM t WHERE id < 5 ORDER BY 1, 2;

-- name: union_mismatch_fails
SELECT n FROM t UNION SELECT note FROM t;

-- name: union_mismatch_bool_fails
SELECT flag FROM t UNION SELECT n FROM t;

-- name: union_three_literals
SELECT 'a' UNION SELECT 'b' UNION SELECT note FROM t WHERE id = 1 ORDER BY 1;

-- name: intersect
SELECT note, n FROM t INTERSECT SELECT note, n FROM u ORDER BY 1, 2;

-- name: intersect_all
SELECT note FROM t WHERE id <> 20 INTERSECT ALL SELECT note FROM u WHERE id <> 20 ORDER BY 1;

-- name: except
SELECT note FROM t WHERE id <> 20 EXCEPT SELECT note FROM u ORDER BY 1;

-- name: except_all
SELECT n FROM t EXCEPT ALL SELECT n FROM u ORDER BY 1;

-- name: except_literal
SELECT note FROM t WHERE id < 10 EXCEPT SELECT 'apple' ORDER BY 1;

-- name: except_plain
SELECT id, note, n, doc FROM t WHERE id <> 20 EXCEPT SELECT id, note, n, doc FROM p ORDER BY 1;

-- name: set_operation_order_by
(SELECT note FROM t WHERE id < 10 ORDER BY note LIMIT 3) UNION ALL (SELECT name FROM t WHERE id < 10 ORDER BY name DESC
    LIMIT 2)
ORDER BY 1;

-- name: set_operation_nested
SELECT n FROM t WHERE id > 20 EXCEPT (SELECT n FROM u UNION SELECT 2) ORDER BY 1;

-- name: set_operation_subquery
SELECT count(*), max(x) FROM (SELECT note AS x FROM t UNION SELECT name FROM t UNION SELECT 'zzz') s;

-- name: values_table
SELECT t.id, v.label FROM t JOIN (VALUES (1, 'one'), (12, 'twelve')) v(n, label) ON v.n = t.n ORDER BY 1;

-- name: values_table_text
SELECT t.id, v.color FROM t JOIN (VALUES ('apple', 'red'), ('banana', 'yellow')) v(note, color) USING (note) ORDER BY 1;

-- name: values_table_dates
SELECT t.id FROM t JOIN (VALUES (date '1999-12-31'), ('2000-02-29')) v(born) USING (born) ORDER BY 1;

-- name: values_from_columns
SELECT v.* FROM t, LATERAL (VALUES ('note', note), ('name', name), ('n', n::text)) v(k, v) WHERE id < 5 ORDER BY id, k;

-- name: cte
WITH x AS (SELECT note, n FROM t WHERE n > 5) SELECT note, count(*) FROM x WHERE note IS NOT NULL GROUP BY note
ORDER BY note;

-- name: cte_materialized
WITH x AS MATERIALIZED (SELECT * FROM t), y AS NOT MATERIALIZED (SELECT * FROM u) SELECT x.id, y.id FROM x
JOIN y ON x.note = y.note ORDER BY 1, 2;

-- name: cte_columns
WITH x(a, b) AS (SELECT note, n FROM t WHERE id < 5) SELECT a, b + 1 FROM x ORDER BY b;

-- name: cte_modifying
WITH x AS (UPDATE t SET n = n + 1 WHERE id < 4 RETURNING id, n, note) SELECT x.id, x.n, t.n AS before, x.note FROM x
JOIN t
USING (id) ORDER BY 1;

-- name: cte_delete_insert
WITH gone AS (DELETE FROM t WHERE id > 35 RETURNING *) INSERT INTO u
SELECT id + 100, note, raw, doc, n, amount, ratio, flag, born, seen, uid, host FROM gone;

-- name: recursive_counter
WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < (SELECT n FROM t WHERE id = 10)) SELECT i
FROM r
ORDER BY i;

-- name: recursive_encrypted_column
WITH RECURSIVE r AS (SELECT id, note, 1 AS depth FROM t WHERE id = 1 UNION ALL SELECT t.id, t.note, depth + 1 FROM r
    JOIN t ON t.id = r.id + 1
    WHERE depth < 5) SELECT * FROM r ORDER BY depth;

-- name: recursive_union_distinct
WITH RECURSIVE r AS (SELECT note, n FROM t WHERE id = 1 UNION SELECT t.note, t.n FROM r
    JOIN t ON t.n > r.n AND t.n < r.n + 5)
SELECT * FROM r ORDER BY n, note;

-- name: recursive_expression
WITH RECURSIVE r AS (SELECT n, note FROM t WHERE id = 1 UNION ALL SELECT n + 1, note || '.' FROM r WHERE n < 4)
SELECT * FROM r
ORDER BY n;

-- name: recursive_expression_numeric
WITH RECURSIVE r AS (SELECT amount AS a FROM t WHERE id = 1 UNION ALL SELECT a * 2 FROM r WHERE a < 10) SELECT * FROM r
ORDER BY a;

-- name: recursive_string_building
WITH RECURSIVE r AS (SELECT 1 AS id, (SELECT note FROM t WHERE id = 1)::text AS path UNION ALL
    SELECT r.id + 1, path || '/' || t.note FROM r JOIN t
    ON t.id = r.id + 1 WHERE r.id < 4) SELECT * FROM r ORDER BY id;

-- name: recursive_search_depth
WITH RECURSIVE r AS (SELECT id, note, n FROM t WHERE id = 1 UNION ALL SELECT t.id, t.note, t.n FROM r
    JOIN t ON t.id = r.id * 2
    WHERE t.id < 40)
    SEARCH DEPTH FIRST BY note, id SET path SELECT id, note FROM r ORDER BY path;

-- name: recursive_cycle
WITH RECURSIVE r AS (SELECT note, n FROM t WHERE id = 21 UNION ALL SELECT t.note, t.n FROM r
    JOIN t ON t.n = (r.n + 1) % 6 AND t.id BETWEEN 21 AND 26)
    CYCLE n SET looped USING path SELECT note, n, looped FROM r ORDER BY note, n, looped;

-- name: tablesample
SELECT count(*), count(note) FROM t TABLESAMPLE BERNOULLI (100);

-- name: tablesample_repeatable
SELECT id, note FROM t TABLESAMPLE SYSTEM (100) REPEATABLE (7) WHERE id < 5 ORDER BY id;

-- name: for_update
SELECT id, note FROM t WHERE note = 'apple' ORDER BY id FOR UPDATE;

-- name: for_share_skip_locked
SELECT id, n FROM t WHERE n > 10 AND id < 16 ORDER BY id FOR NO KEY UPDATE SKIP LOCKED;
SELECT id, n FROM t WHERE flag AND id < 5 ORDER BY id FOR KEY SHARE NOWAIT;

-- name: select_into
SELECT id, note, n INTO TEMP TABLE copied FROM t WHERE id < 5;
SELECT * FROM copied ORDER BY id;
SELECT id, note || '!', n + 1 FROM copied ORDER BY id;

-- name: select_distinct_count_subquery
SELECT count(*) FROM (SELECT DISTINCT ON (note) note, n FROM t ORDER BY note, n) s;

-- name: inline_case_search
SELECT id FROM t WHERE CASE WHEN flag THEN n > 5 ELSE amount < 0 END ORDER BY id;

-- name: with_ordinality
SELECT o, x FROM unnest((SELECT array_agg(name ORDER BY id) FROM t WHERE id < 5)) WITH ORDINALITY AS s(x, o) ORDER BY o;

-- name: parallel
SET LOCAL force_parallel_mode = on;
SELECT count(*), max(note), sum(n), sum(amount) FROM t WHERE abs(n) < 1000 AND note LIKE '%n%';

-- name: parallel_group
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT note, count(*), sum(n) FROM t WHERE abs(n) < 1000 AND id <> 20 GROUP BY note ORDER BY note;
