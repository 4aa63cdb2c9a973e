-- What programs send: the statements of object mappers and drivers, bulk loads, reports.

-- name: application_find_by
SELECT "t".* FROM "t" WHERE "t"."note" = 'apple' AND "t"."flag" = TRUE ORDER BY "t"."id" ASC LIMIT 1;

-- name: application_exists
SELECT 1 AS one FROM "t" WHERE "t"."name" = 'Ann' LIMIT 1;
SELECT EXISTS (SELECT 1 FROM t WHERE uid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');

-- name: application_contains
SELECT id FROM t WHERE UPPER(t.note::text) LIKE UPPER('%AN%') OR t.name::text LIKE '%nn%' ORDER BY id;

-- name: application_page
SELECT id, left(note, 20) AS note, count(*) OVER () AS total FROM t WHERE n >= 0
ORDER BY born DESC NULLS LAST, id LIMIT 5 OFFSET 5;

-- name: application_date_parts
SELECT id FROM t WHERE EXTRACT('year' FROM seen AT TIME ZONE 'UTC') = 2024 AND EXTRACT('month' FROM born) = 2
ORDER BY id;

-- name: application_day
SELECT id FROM t WHERE (seen AT TIME ZONE 'UTC')::date = '2024-02-29' OR seen::date = date '2024-01-31' ORDER BY id;

-- name: application_day_range
SELECT id FROM t WHERE seen >= '2024-01-01'::date AND seen < '2024-01-01'::date + interval '1 month' ORDER BY id;

-- name: application_search_all
SELECT id FROM t WHERE concat_ws(' ', note, name, n, host) ILIKE '%192.168%' ORDER BY id;

-- name: application_parameter_types
PREPARE q AS SELECT id FROM t WHERE note = $1 AND ratio < $2 AND seen <= $3 AND uid <> $4 AND host = $5 AND flag = $6
    AND raw = $7
    AND doc @> $8 AND name LIKE $9;
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'q';
DEALLOCATE q;

-- name: application_parameter_types_numbers
PREPARE q AS SELECT id FROM t WHERE n = $1 AND amount > $2;
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'q';
DEALLOCATE q;

-- name: application_parameter_types_date
PREPARE q AS SELECT id FROM t WHERE born >= $1 AND born <> $2 AND born BETWEEN $3 AND $4 AND born IN ($5);
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'q';
DEALLOCATE q;

-- name: application_typed_parameters
PREPARE q (varchar, int8, numeric, float8, date, timestamptz, uuid, inet, bool, bytea) AS SELECT id FROM t
WHERE note = $1 OR n = $2 OR amount = $3
    OR ratio = $4 OR born = $5 OR seen = $6 OR uid = $7 OR host = $8 OR flag = $9 OR raw = $10 ORDER BY id;
EXECUTE q('apple', 7, 2, 0.1, '2024-02-29', 'infinity', '12345678-1234-5678-1234-567812345678', '::1', false, '\x27');
DEALLOCATE q;

-- name: application_cast_parameters
PREPARE q AS SELECT id FROM t WHERE note = $1::VARCHAR AND n = ANY ($2::BIGINT[]) AND amount >= $3::NUMERIC
    AND born < $4::DATE
ORDER BY id;
EXECUTE q('note 1', '{0,1,2,3,4,5}', 1, '2024-01-01');
DEALLOCATE q;

-- name: application_optional_filters
PREPARE q (text, bigint, date) AS SELECT id FROM t
WHERE ($1 IS NULL OR note = $1) AND ($2 IS NULL OR n >= $2) AND ($3 IS NULL OR born >= $3) ORDER BY id;
EXECUTE q('note 1', NULL, NULL);
EXECUTE q(NULL, 15, '2000-01-01');
DEALLOCATE q;

-- name: application_insert_returning_id
INSERT INTO t (id, owner, note, name, n, amount, flag, born, seen, uid, doc)
VALUES (100, NULL, 'x', 'y', '5', '1.50', 't', '2024-01-01',
    '2024-01-01T00:00:00.000Z', 'c0ffee00-0000-4000-8000-000000000009', '{"a":[1,2]}') RETURNING "id", "note", "seen";

-- name: application_bulk_insert_arrays
INSERT INTO t (id, note, n, amount) SELECT *
FROM unnest('{100,101}'::int[], '{a,b}'::text[], '{1,2}'::bigint[], '{1.5,2.5}'::numeric[]);

-- name: application_bulk_insert_json
INSERT INTO t (id, note, n, amount, flag, born, doc) SELECT *
FROM jsonb_to_recordset('[{"id": 100, "note": "a", "n": 1, "amount": 1.5, "flag": true,
    "born": "2024-01-01", "doc": {"x": 1}},
        {"id": 101}]') AS x(id int, note text, n bigint, amount numeric, flag bool, born date, doc jsonb);

-- name: application_bulk_insert_json_narrow
INSERT INTO t (id, note, n, ratio, seen) SELECT *
FROM json_to_recordset('[{"id": 100, "note": "a", "n": 1, "ratio": 2, "seen": "2024-01-01"}]')
    AS x(id int, note varchar, n int, ratio real, seen timestamp);

-- name: application_bulk_update_values
UPDATE t SET note = v.note, n = v.n, amount = v.amount
FROM (VALUES (1, 'first', 10, 1.5), (2, 'second', 20, 2.5)) AS v(id, note, n, amount) WHERE t.id = v.id;

-- name: application_bulk_update_arrays
UPDATE t SET n = v.n, note = v.note
FROM (SELECT unnest('{1,2}'::int[]) AS id, unnest('{10,20}'::bigint[]) AS n, unnest('{x,y}'::text[]) AS note) v
WHERE v.id = t.id;

-- name: application_bulk_upsert
INSERT INTO t AS target (id, note, n) SELECT * FROM unnest('{1,100}'::int[], '{a,b}'::text[], '{1,2}'::bigint[])
ON CONFLICT (id) DO UPDATE
    SET note = EXCLUDED.note, n = GREATEST(target.n, EXCLUDED.n) WHERE target.note IS DISTINCT FROM EXCLUDED.note
    RETURNING id, note, n;

-- name: application_bulk_delete
DELETE FROM t WHERE id = ANY ('{1,2,3}'::int[]) OR note = ANY ('{banana,"naïve café"}'::text[]) RETURNING id;

-- name: application_insert_default_union
INSERT INTO t (id, note, n) SELECT 100, 'a', 1 UNION ALL SELECT 101, NULL, NULL UNION ALL SELECT id + 200, note, n
FROM t
WHERE id = 1;

-- name: application_counter
UPDATE t SET n = coalesce(n, 0) + 1, seen = greatest(seen, '2024-06-01') WHERE id = 5 RETURNING n, seen;

-- name: application_toggle
UPDATE t SET flag = NOT coalesce(flag, false) WHERE id < 6 RETURNING id, flag;

-- name: application_json_merge
UPDATE t SET doc = coalesce(doc, '{}') || jsonb_build_object('note', note, 'at', seen::date) WHERE id IN (1, 5)
RETURNING doc;

-- name: application_optimistic_lock
UPDATE t SET note = 'changed', n = n + 1 WHERE id = 1 AND n = 1;
UPDATE t SET note = 'not changed', n = n + 1 WHERE id = 1 AND n = 1;

-- name: application_report
SELECT date_trunc('quarter', seen)::date AS quarter, flag, count(*) AS rows, sum(price) AS total,
    round(avg(price), 2) AS average, min(born), max(note) FROM t WHERE seen >= '2020-01-01' AND isfinite(seen)
    GROUP BY ROLLUP (1, 2) ORDER BY 1, 2, 3;

-- name: application_report_share
SELECT name, sum(price) AS total, round(100 * sum(price) / sum(sum(price)) OVER (), 2) AS percent FROM t WHERE id > 20
GROUP BY name
ORDER BY total DESC, name;

-- name: application_pivot
SELECT n, count(*) FILTER (WHERE flag) AS yes, count(*) FILTER (WHERE NOT flag) AS no, sum(CASE
    WHEN note = 'note 1' THEN price ELSE 0 END) AS first
FROM t WHERE id > 20 GROUP BY n ORDER BY n;

-- name: application_tree_of_json
SELECT jsonb_build_object('name', name, 'items',
    jsonb_agg(jsonb_build_object('id', id, 'note', note, 'n', n, 'price', price,
    'born', born) ORDER BY id))
FROM t WHERE id > 30 GROUP BY name ORDER BY name;

-- name: application_lateral_top
SELECT x.name, y.* FROM (SELECT DISTINCT name FROM t WHERE id > 20) x CROSS JOIN LATERAL (SELECT id, note, price FROM t
    WHERE t.name = x.name
    ORDER BY price DESC LIMIT 2) y ORDER BY x.name, y.price DESC;

-- name: application_age_groups
SELECT width_bucket(extract(year FROM born), 1900, 2000, 10) AS decade, count(*), avg(n) FROM t
WHERE isfinite(born) AND abs(n) < 1000 GROUP BY 1 ORDER BY 1;

-- name: application_after_analyze
ANALYZE t;
ANALYZE u;
SELECT t.id, u.id FROM t JOIN u ON t.note = u.note AND t.n = u.n WHERE t.born > '1980-01-01' ORDER BY 1, 2;
SELECT note, count(*) FROM t WHERE n < 5 GROUP BY note HAVING count(*) > 1 ORDER BY note;

-- name: application_queue
WITH next AS (SELECT id FROM t WHERE flag AND n > 0 ORDER BY seen, id LIMIT 2 FOR UPDATE SKIP LOCKED) UPDATE t
SET flag = false, note = 'taken'
FROM next WHERE t.id = next.id RETURNING t.id, t.note;

-- name: application_soft_delete
CREATE VIEW living AS SELECT * FROM t WHERE flag IS NOT FALSE;
UPDATE living SET flag = false WHERE note = 'apple';
SELECT id, note FROM living WHERE id < 10 ORDER BY id;

-- name: application_temporary_table
CREATE TEMP TABLE batch (id int, note text, n bigint, amount numeric) ON COMMIT DROP;
INSERT INTO batch SELECT id, note, n, amount FROM t WHERE id < 5;
UPDATE batch SET note = upper(batch.note), n = batch.n + t.n FROM t WHERE t.id = batch.id;
UPDATE t SET note = batch.note, n = batch.n, amount = batch.amount FROM batch WHERE t.id = batch.id;

-- name: application_hash_compare
SELECT md5(string_agg(concat_ws('|', id, note, n, amount, flag, born, uid), E'\n' ORDER BY id)) FROM t WHERE id <> 20;

-- name: application_encode_row
SELECT encode(convert_to(t::text, 'UTF8'), 'base64') FROM t WHERE id = 1;
