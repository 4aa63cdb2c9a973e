-- Encrypted types in queries that know nothing of them.
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE TABLE plain (id int PRIMARY KEY, t text, b bytea);
CREATE TABLE sealed (id int PRIMARY KEY, t encrypted_text, b encrypted_bytea);
INSERT INTO plain VALUES (1, 'one', '\x01'), (2, '', ''), (3, NULL, NULL), (4, 'Straße', '\x00ff00'),
    (5, 'one', '\x01'),
    (6, repeat('long ', 5000), decode(repeat('ab', 20000), 'hex')), (7, E'tab\tquote''back\\slash', '\x5c');
INSERT INTO sealed SELECT * FROM plain;
\d sealed

-- Each line compares the plain table with its sealed twin.
CREATE FUNCTION twin(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    a text;
    b text;
BEGIN
    EXECUTE format('SELECT string_agg(q::text, E''\n'') FROM (%s) q', replace(query, '@', 'plain')) INTO a;
    EXECUTE format('SELECT string_agg(q::text, E''\n'') FROM (%s) q', replace(query, '@', 'sealed')) INTO b;
    RETURN CASE WHEN a IS NOT DISTINCT FROM b THEN 'same' ELSE format('plain: %s sealed: %s', a, b) END;
END $$;
SELECT twin('SELECT * FROM @ ORDER BY id');
SELECT twin($$SELECT id FROM @ WHERE t = 'one' ORDER BY id$$);
SELECT twin($$SELECT id FROM @ WHERE t <> 'one' ORDER BY id$$);
SELECT twin($$SELECT id FROM @ WHERE t < 'p' ORDER BY id$$);
SELECT twin($$SELECT id FROM @ WHERE t LIKE 'o%' ORDER BY id$$);
SELECT twin($$SELECT id FROM @ WHERE t ILIKE 'ST%' ORDER BY id$$);
SELECT twin($$SELECT id FROM @ WHERE t ~ '^[a-z]+$' ORDER BY id$$);
SELECT twin($$SELECT id FROM @ WHERE t IN ('one', 'two') ORDER BY id$$);
SELECT twin($$SELECT id FROM @ WHERE t = ANY (ARRAY['one', '']) ORDER BY id$$);
SELECT twin($$SELECT id FROM @ WHERE t BETWEEN 'a' AND 'z' ORDER BY id$$);
SELECT twin($$SELECT id FROM @ WHERE t IS NULL$$);
SELECT twin($$SELECT id FROM @ WHERE (id, t) = (1, 'one')$$);
SELECT twin($$SELECT id FROM @ WHERE b = '\x01' ORDER BY id$$);
SELECT twin($$SELECT id, t || '!', 'a' || t, upper(t), length(t), octet_length(t), substr(t, 2, 3), md5(t)
    FROM @ ORDER BY id$$);
SELECT twin($$SELECT id, coalesce(t, 'none'), nullif(t, 'one'), CASE WHEN id = 1 THEN t ELSE 'x' END, greatest(t, 'm')
    FROM @ ORDER BY id$$);
SELECT twin($$SELECT id, length(b), encode(b, 'hex'), get_byte(b || '\x01', 0), md5(b)
    FROM @ WHERE id <> 3 ORDER BY id$$);
SELECT twin($$SELECT t FROM @ ORDER BY t, id$$);
SELECT twin($$SELECT t FROM @ ORDER BY t DESC NULLS LAST, id$$);
SELECT twin($$SELECT t FROM @ ORDER BY t COLLATE "C" DESC NULLS LAST, id$$);
SELECT twin($$SELECT b FROM @ ORDER BY b, id$$);
SELECT twin($$SELECT t, count(*) FROM @ GROUP BY t ORDER BY t$$);
SELECT twin($$SELECT count(DISTINCT t), min(t), max(t), string_agg(t, ',' ORDER BY t) FROM @$$);
SELECT twin($$SELECT DISTINCT t FROM @ ORDER BY t$$);
SELECT twin($$SELECT DISTINCT ON (t) t, id FROM @ ORDER BY t, id$$);
SELECT twin($$SELECT t FROM @ UNION SELECT 'two' ORDER BY 1$$);
SELECT twin($$SELECT t FROM @ EXCEPT SELECT 'one' ORDER BY 1$$);
SELECT twin($$SELECT t FROM @ INTERSECT SELECT t FROM @ ORDER BY 1$$);
SELECT twin($$SELECT a.id, b.id FROM @ a JOIN @ b ON a.t = b.t ORDER BY 1, 2$$);
SELECT twin($$SELECT a.id, b.id FROM @ a JOIN plain b ON a.t = b.t ORDER BY 1, 2$$);
SELECT twin($$SELECT a.id FROM @ a WHERE EXISTS (SELECT FROM @ b WHERE b.t = a.t AND b.id <> a.id) ORDER BY 1$$);
SELECT twin($$SELECT id, row_number() OVER (PARTITION BY t ORDER BY id), lag(t) OVER (ORDER BY id)
    FROM @ ORDER BY id$$);
SELECT twin($$SELECT t::varchar(3), t::char(3), t::name FROM @ WHERE id < 3 ORDER BY id$$);
SELECT twin($$SELECT json_build_object('t', t), to_jsonb(t), row_to_json(@) FROM @ ORDER BY id$$);
SELECT twin($$SELECT array_agg(t ORDER BY id) FROM @$$);
SELECT twin($$WITH RECURSIVE r AS (SELECT t, 1 AS n FROM @ WHERE id = 1 UNION SELECT t, n + 1 FROM r WHERE n < 3)
    SELECT * FROM r$$);
SELECT twin($$SELECT GROUPING(t), t, count(*) FROM @ GROUP BY ROLLUP (t) ORDER BY 1, 2$$);
SET enable_hashagg = off;
SELECT twin($$SELECT t, count(*) FROM @ GROUP BY t ORDER BY t$$);
SET enable_hashagg = on;
SET enable_sort = off;
SELECT twin($$SELECT count(*) FROM (SELECT DISTINCT t, b FROM @) d$$);
RESET enable_sort;
RESET enable_hashagg;

-- Writing: assignment from the base type, its relatives and literals.
PREPARE by_text (text) AS INSERT INTO sealed VALUES (10, $1);
EXECUTE by_text ('prepared');
INSERT INTO sealed VALUES (11, 'abc'::varchar), (12, 'abc  '::char(5)), (13, 'abc'::name), (14, 42);
INSERT INTO sealed VALUES (1, 'upsert') ON CONFLICT (id) DO UPDATE SET t = excluded.t || '!' RETURNING t;
UPDATE sealed SET t = t || '?', b = b || '\x02' WHERE id = 1 RETURNING t, b;
MERGE INTO sealed s USING (VALUES (1, 'merged'), (20, 'new')) v (id, t) ON s.id = v.id
    WHEN MATCHED THEN UPDATE SET t = v.t WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.t);
SELECT id, t, length(t) FROM sealed WHERE id IN (1, 10, 11, 12, 13, 14, 20) ORDER BY id;
CREATE TABLE texts (v varchar(3), c char(4), n name, t text);
INSERT INTO texts SELECT t, t, t, t FROM sealed WHERE id = 11;
SELECT * FROM texts;
SELECT '12'::encrypted_text::int + 1, '2026-01-02'::encrypted_text::date + 1, '{"a": 1}'::encrypted_text::jsonb -> 'a';
SELECT 'secret text'::encrypted_text::int;

-- A default and a CHECK constraint hold.
CREATE TABLE defaults (id int, t encrypted_text NOT NULL DEFAULT 'by default' CHECK (length(t) > 3));
INSERT INTO defaults (id) VALUES (1);
SELECT * FROM defaults;
INSERT INTO defaults VALUES (2, NULL);

-- Arrays, composites and domains of encrypted types.
CREATE DOMAIN short AS encrypted_text CHECK (length(VALUE) < 10);
CREATE TYPE pair AS (a encrypted_text, b int);
CREATE TABLE many (id int, a encrypted_text[], p pair, d short);
INSERT INTO many VALUES (1, ARRAY['x', 'y']::encrypted_text[], ROW('in a row', 1), 'short'), (2, '{"with space",NULL}',
    NULL, NULL);
SELECT id, a, a[1] || '!', p, (p).a || '!', d FROM many ORDER BY id;
INSERT INTO many (d) VALUES ('much too long for it');
SELECT count(*) FROM (SELECT DISTINCT a, p FROM many) d;
ANALYZE many;
-- What ANALYZE keeps of arrays and composites is sealed.
SET envcrypt.io = ciphertext;
SELECT tablename, attname, most_common_vals, histogram_bounds, most_common_elems FROM pg_stats
WHERE tablename = 'many' AND attname <> 'id' AND coalesce(most_common_vals::text, histogram_bounds::text) LIKE
    '%{x,y}%';
RESET envcrypt.io;
DROP TABLE many, texts, defaults, plain, sealed;
DROP TYPE pair;
DROP DOMAIN short;
DROP FUNCTION twin;
