-- What an encrypted column cannot have: indexes, partition keys, statistics on what it holds.
CREATE TABLE sealed (id int, t encrypted_text, b encrypted_bytea);
CREATE INDEX ON sealed (t);
CREATE INDEX ON sealed USING hash (b);
ALTER TABLE sealed ADD UNIQUE (t);
ALTER TABLE sealed ADD PRIMARY KEY (b);
ALTER TABLE sealed ADD EXCLUDE (t WITH *=);
CREATE TABLE keyed (t encrypted_text PRIMARY KEY);
CREATE INDEX ON sealed (upper(t));
-- Arrays, ranges and rows compare the values inside by operator classes that know nothing of us.
CREATE TYPE sealed_row AS (t encrypted_text);
CREATE TYPE sealed_range AS RANGE (subtype = encrypted_text);
CREATE TABLE inside (id int, a encrypted_text[], r sealed_row, g sealed_range);
CREATE UNIQUE INDEX ON inside (a);
CREATE INDEX ON inside (id, r);
CREATE INDEX ON inside (g);
ALTER TABLE inside ADD PRIMARY KEY (a);
CREATE TABLE inside2 (a encrypted_text[] UNIQUE);
ALTER TABLE inside ADD p text[];
CREATE INDEX on_p ON inside (p);
ALTER TABLE inside ALTER p TYPE encrypted_text[] USING NULL;
DROP TABLE inside;
DROP TYPE sealed_row, sealed_range;
CREATE INDEX ON sealed (id) INCLUDE (t);
CREATE INDEX ON sealed (id) WHERE t IS NOT NULL;
CREATE TABLE parted (id int, t encrypted_text) PARTITION BY RANGE (id);
CREATE INDEX ON parted (t);
CREATE TABLE by_value (t encrypted_text) PARTITION BY RANGE (t);
CREATE TABLE by_value (t encrypted_text) PARTITION BY LIST (t);
CREATE TABLE by_value (t encrypted_text) PARTITION BY HASH (t);
CREATE TABLE by_value (t encrypted_text) PARTITION BY LIST ((upper(t)));
CREATE STATISTICS s ON (upper(t)), id FROM sealed;
CREATE STATISTICS s ON (t || 'x') FROM sealed;
CREATE STATISTICS s ON (t = 'x'), id FROM sealed;
CREATE STATISTICS s ON (sealed.*::text) FROM sealed;
-- Nor by a way around: inside CREATE SCHEMA, or by a type that changes under statistics that exist.
CREATE SCHEMA around CREATE TABLE by_value (t encrypted_text) PARTITION BY LIST (t);
CREATE TABLE changing (id int, t text);
CREATE STATISTICS under ON (upper(t)), id FROM changing;
ALTER TABLE changing ALTER t TYPE encrypted_text USING NULL;
DROP STATISTICS under;
ALTER TABLE changing ALTER t TYPE encrypted_text USING NULL;
DROP TABLE changing;
CREATE STATISTICS s ON t, b FROM sealed;
CREATE STATISTICS s2 ON (t IS NULL), id FROM sealed;

-- ANALYZE opens nothing, with no key and none needed, over all that it reaches.
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE TYPE pair AS (a encrypted_text, n int);
ALTER TABLE sealed ADD a encrypted_text[], ADD p pair;
INSERT INTO sealed SELECT i, CASE WHEN i % 2 = 0 THEN 'common' END, '\x00', ARRAY['common', 'x']::encrypted_text[],
    ROW('common', 1)::pair
FROM generate_series(1, 1000) i;
RESET envcrypt.master_key;
SET envcrypt.io = ciphertext;
ANALYZE sealed;
SELECT attname, null_frac, n_distinct, most_common_vals IS NULL AS no_values, histogram_bounds IS NULL AS no_bounds
FROM pg_stats WHERE tablename = 'sealed' AND attname IN ('t', 'b') ORDER BY attname;
SELECT count(*) FROM pg_stats WHERE tablename = 'sealed' AND (most_common_vals::text LIKE '%common%'
    OR histogram_bounds::text LIKE '%common%' OR most_common_elems::text LIKE '%common%');
VACUUM (ANALYZE, FULL) sealed;
RESET envcrypt.io;
-- The planner's estimates are the defaults, not nonsense.
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
EXPLAIN SELECT id FROM sealed WHERE t = 'x';
EXPLAIN (COSTS OFF) SELECT t, count(*) FROM sealed GROUP BY t ORDER BY t;
-- Opening refuses while ANALYZE runs, where an expression hides it.
CREATE FUNCTION hidden(encrypted_text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN length($1::text); END';
CREATE INDEX by_length ON sealed (hidden(t));
\set SHOW_CONTEXT never
ANALYZE sealed;
DROP TABLE sealed, parted;
DROP TYPE pair;
DROP FUNCTION hidden;
