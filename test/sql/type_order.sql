-- Order, equality, hashing, window frames: what the base type gives, its encrypted type gives.
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SET TimeZone = 'UTC';
CREATE TABLE plain (id int, t text, b bytea, j jsonb, i int8, n numeric, f float8, o bool, d date, z timestamptz,
    u uuid, a inet);
CREATE TABLE sealed (id int, t encrypted_text, b encrypted_bytea, j encrypted_jsonb, i encrypted_int8,
    n encrypted_numeric, f encrypted_float8,
    o encrypted_bool, d encrypted_date, z encrypted_timestamptz, u encrypted_uuid, a encrypted_inet);
INSERT INTO plain SELECT g, chr(97 + g % 5), decode(to_hex(16 + g % 7), 'hex'), jsonb_build_object('k', g % 4),
    (g * 37) % 11 - 5, ((g * 37) % 11 - 5) / 4.0, CASE WHEN g % 6 = 0 THEN 'NaN'::float8 ELSE (g % 5 - 2) END,
    g % 2 = 0, date '2026-01-01' + g % 8 - 4, timestamptz '2026-01-01' + (g % 9 - 4) * interval '1 hour',
    md5((g % 3)::text)::uuid, inet '10.0.0.0' + g % 6 FROM generate_series(1, 60) g;
INSERT INTO plain (id, t, b, n, f, d, z, a) VALUES (61, '', '', 'NaN', '-0', 'infinity', '-infinity', '::1'),
    (62, 'Z', '\x00', '1.0', '0', '-infinity', 'infinity', '10.0.0.0/8'), (63, 'ä', '\xff', '1.00', 'Infinity',
        '0001-01-01 BC', '294276-12-31', '0.0.0.0/0');
INSERT INTO plain (id) VALUES (64), (65);
INSERT INTO sealed SELECT * FROM plain;
-- @ stands for the table, # for the column: the same with both, for each column; or the columns for which it is not.
CREATE FUNCTION compare(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    col text; p text; s text;
    different text; errors text;
BEGIN
    FOR col IN SELECT attname FROM pg_attribute WHERE attrelid = 'plain'::regclass AND attnum > 1 ORDER BY attnum LOOP
        BEGIN EXECUTE format('SELECT string_agg(q::text, '';'') FROM (%s) AS q', replace(replace(query, '@', 'plain'),
            '#', col)) INTO p; EXCEPTION WHEN OTHERS THEN p := 'error ' || SQLSTATE; END;
        BEGIN EXECUTE format('SELECT string_agg(q::text, '';'') FROM (%s) AS q', replace(replace(query, '@', 'sealed'),
            '#', col)) INTO s; EXCEPTION WHEN OTHERS THEN s := 'error ' || SQLSTATE; END;
        IF p IS DISTINCT FROM s THEN different := concat(different, format('%s: %s, %s; ', col, left(p, 80),
            left(s, 80))); END IF;
        IF p = s AND p LIKE 'error%' THEN errors := concat_ws(', ', errors, format('%s %s', col, p)); END IF;
    END LOOP;
    RETURN concat_ws('; both ', coalesce(different, 'same'), errors);
END $$;
SELECT compare('SELECT id FROM @ ORDER BY #, id');
SELECT compare('SELECT id FROM @ ORDER BY # DESC NULLS LAST, id LIMIT 7');
SELECT compare('SELECT id FROM (SELECT * FROM @ ORDER BY id % 3, #, id) AS _');
SELECT compare('SELECT count(*) FROM @ GROUP BY # ORDER BY #');
SELECT compare('SELECT count(*) FROM (SELECT DISTINCT # FROM @) AS _');
SELECT compare('SELECT DISTINCT ON (#) id FROM @ ORDER BY #, id');
SELECT compare('SELECT count(DISTINCT #), count(#) FROM @');
SELECT compare('SELECT string_agg(DISTINCT #::text, '','') FROM @');
SELECT compare('SELECT array_length(array_agg(DISTINCT #), 1), array_length(array_agg(DISTINCT # ORDER BY # DESC), '
    '1) FROM @');
SELECT compare('SELECT mode() WITHIN GROUP (ORDER BY #) FROM (SELECT # FROM @ WHERE id IN (1, 2, '
    '3) UNION ALL SELECT # FROM @ WHERE id = 2) AS _');
SELECT compare('SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY #) FROM @');
SELECT compare('SELECT rank() OVER w, dense_rank() OVER w, ntile(3) OVER w, lag(#) OVER w, '
    'first_value(#) OVER w FROM @ WINDOW w AS (ORDER BY #, id) ORDER BY id');
SELECT compare('SELECT rank() OVER w, dense_rank() OVER w, cume_dist() OVER w, '
    'count(*) OVER (PARTITION BY #) FROM @ WINDOW w AS (ORDER BY #) ORDER BY id');
SELECT compare('SELECT id FROM @ WHERE # = (SELECT # FROM @ WHERE id = 4) ORDER BY id');
SELECT compare('SELECT count(*) FROM @ l JOIN @ r ON l.# = r.#');
SELECT compare('SELECT count(*) FROM @ l JOIN @ r USING (#)');
SELECT compare('SELECT count(*) FROM @ l LEFT JOIN plain r ON l.# = r.#');
SELECT compare('SELECT # FROM @ UNION SELECT # FROM @ ORDER BY 1');
SELECT compare('SELECT # FROM @ WHERE id < 20 INTERSECT SELECT # FROM @ WHERE id > 40 ORDER BY 1');
SELECT compare('SELECT # FROM @ EXCEPT SELECT # FROM @ WHERE id > 10 ORDER BY 1');
SELECT compare('SELECT id FROM @ WHERE # IN (SELECT # FROM @ WHERE id < 3) ORDER BY id');
SELECT compare('SELECT count(*) FROM @ l WHERE l.# IS DISTINCT FROM (SELECT # FROM @ WHERE id = 64)');
SELECT compare('SELECT greatest(l.#, r.#), least(l.#, r.#) FROM @ l JOIN @ r ON r.id = l.id + 1 ORDER BY l.id');
SELECT compare('SELECT #, count(*), grouping(#) FROM @ GROUP BY ROLLUP (#) ORDER BY 1, 2');
-- (bytea has these from PostgreSQL 18 on.)
SELECT replace(compare('SELECT max(#), min(#) FROM @'), 'b error 42883, ', '');
SELECT compare('WITH RECURSIVE r AS (SELECT #, 1 AS s FROM @ WHERE id = 4 UNION SELECT #, '
    's % 3 + 1 FROM r) SELECT count(*) FROM r');
-- The same by sorting alone, by hashing alone, on disk, in parallel.
SET enable_hashagg = off;
SET enable_hashjoin = off;
SELECT compare('SELECT count(*) FROM @ GROUP BY # ORDER BY #');
SELECT compare('SELECT count(*) FROM @ l JOIN @ r ON l.# = r.#');
RESET enable_hashagg;
RESET enable_hashjoin;
SET enable_sort = off;
SET enable_mergejoin = off;
SET enable_nestloop = off;
SELECT compare('SELECT count(*) FROM (SELECT DISTINCT # FROM @) AS _');
SELECT compare('SELECT count(*) FROM @ l JOIN @ r ON l.# = r.#');
RESET enable_sort;
RESET enable_mergejoin;
RESET enable_nestloop;
SET work_mem = '64kB';
SELECT compare('SELECT count(*), count(DISTINCT #) FROM (SELECT # FROM @ CROSS JOIN generate_series(1, '
    '100) ORDER BY #) AS _');
RESET work_mem;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT compare('SELECT id FROM @ ORDER BY #, id');
SELECT compare('SELECT count(*) FROM @ GROUP BY # ORDER BY #');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- The operators of the operator classes, between all pairs.
SELECT compare('SELECT count(*) FILTER (WHERE l.# < r.#), count(*) FILTER (WHERE l.# >= r.#), '
    'count(*) FILTER (WHERE l.# <> r.#) FROM @ l, @ r WHERE l.id % 4 = 1 AND r.id % 3 = 0');
SELECT count(*) FILTER (WHERE (l.n *< r.n) <> (l.n::numeric < r.n)) AS lt, count(*)
    FILTER (WHERE (l.n *<= r.n) <> (l.n::numeric <= r.n)) AS le, count(*)
        FILTER (WHERE (l.n *= r.n) <> (l.n::numeric = r.n)) AS eq, count(*)
            FILTER (WHERE (l.n *<> r.n) <> (l.n::numeric <> r.n)) AS ne,
    count(*) FILTER (WHERE (l.n *>= r.n) <> (l.n::numeric >= r.n)) AS ge, count(*)
        FILTER (WHERE (l.n *> r.n) <> (l.n::numeric > r.n)) AS gt FROM sealed l, sealed r;
SELECT opcname, amname, opcdefault, amvalidate(o.oid) FROM pg_opclass o JOIN pg_am m ON m.oid = opcmethod
    WHERE opcname ~ '^encrypted_' ORDER BY 1, 2;

-- RANGE frames.
CREATE FUNCTION frames(col text, frame text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    p text; s text;
    query CONSTANT text :=
        'SELECT string_agg(q::text, '';'') FROM (SELECT id, count(*) OVER w, min(id) OVER w, '
            'max(id) OVER w FROM %s WINDOW w AS (ORDER BY %s RANGE %s) ORDER BY id) AS q';
BEGIN
    BEGIN EXECUTE format(query, 'plain', col, frame) INTO p; EXCEPTION WHEN OTHERS THEN p := SQLSTATE; END;
    BEGIN EXECUTE format(query, 'sealed', col, frame) INTO s; EXCEPTION WHEN OTHERS THEN s := SQLSTATE; END;
    RETURN CASE WHEN p IS DISTINCT FROM s THEN format('plain %s, sealed %s', p, s) WHEN length(p) = 5 THEN p
        ELSE 'same' END;
END $$;
SELECT c, f, frames(c, f) FROM (VALUES ('i', 'BETWEEN 1 PRECEDING AND CURRENT ROW'),
    ('i', 'BETWEEN 2::bigint PRECEDING AND 3::bigint FOLLOWING'),
    ('i', 'BETWEEN 9223372036854775807 PRECEDING AND 1 FOLLOWING'),
    ('i', 'BETWEEN 1::smallint FOLLOWING AND 2::smallint FOLLOWING'),
    ('i DESC', 'BETWEEN 1 PRECEDING AND 1 FOLLOWING'), ('i', 'BETWEEN -1 PRECEDING AND CURRENT ROW')) AS _ (c, f);
SELECT c, f, frames(c, f) FROM (VALUES ('n', 'BETWEEN 0.5 PRECEDING AND CURRENT ROW'),
    ('n DESC', 'BETWEEN 0.25 PRECEDING AND 0.25 FOLLOWING'), ('n', 'BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING'),
    ('n', 'BETWEEN ''NaN'' PRECEDING AND CURRENT ROW'), ('f', 'BETWEEN 1 PRECEDING AND 1::float8 FOLLOWING'),
    ('f', 'BETWEEN ''Infinity'' PRECEDING AND 0 FOLLOWING')) AS _ (c, f);
SELECT c, f, frames(c, f) FROM (VALUES ('d', 'BETWEEN ''1 day'' PRECEDING AND ''2 days'' FOLLOWING'),
    ('d', 'BETWEEN interval ''1 month'' PRECEDING AND CURRENT ROW'), ('d', 'BETWEEN 1 PRECEDING AND CURRENT ROW'),
    ('z', 'BETWEEN ''1 hour'' PRECEDING AND ''30 min'' FOLLOWING'),
    ('z DESC', 'BETWEEN interval ''90 min'' PRECEDING AND CURRENT ROW'),
    ('z', 'BETWEEN interval ''-1 hour'' PRECEDING AND CURRENT ROW')) AS _ (c, f);
SELECT c, f, frames(c, f) FROM (VALUES ('t', 'BETWEEN ''a'' PRECEDING AND CURRENT ROW'),
    ('o', 'BETWEEN 1 PRECEDING AND CURRENT ROW'), ('u', 'BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW'),
    ('j', 'BETWEEN CURRENT ROW AND CURRENT ROW'), ('a', 'BETWEEN 1 PRECEDING AND CURRENT ROW')) AS _ (c, f);

-- Collations of text.
SELECT t FROM sealed WHERE id > 58 ORDER BY t COLLATE "C";
SELECT compare('SELECT id FROM @ ORDER BY #::text COLLATE "C" DESC, id');
-- Rows of values, and arrays, sort and hash.
SELECT (SELECT string_agg(id::text, ',' ORDER BY (d, i), id) FROM sealed) = (SELECT string_agg(id::text, ','
    ORDER BY (d, i), id) FROM plain) AS rows, (SELECT count(DISTINCT ARRAY[n, n])
        FROM sealed) = (SELECT count(DISTINCT ARRAY[n, n]) FROM plain) AS arrays;
DROP TABLE plain, sealed;
DROP FUNCTION compare, frames;
