-- Casts and expressions: what the base type gives, its encrypted type gives.
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SET TimeZone = 'UTC';
CREATE TABLE sample (type text, value text);
INSERT INTO sample VALUES ('text', '42'), ('bytea', '\x0102'), ('jsonb', '{"a": [1, 2.50], "b": null}'), ('int8', '5'),
    ('numeric', '2.50'), ('float8', '1.5'), ('bool', 't'),
    ('date', '2026-11-21'), ('timestamptz', '2026-11-21 10:00:00+00'),
    ('uuid', '00112233-4455-6677-8899-aabbccddeeff'), ('inet', '10.0.0.1/8');

-- The result of an expression over the base type and over the encrypted one: $1 stands for the value.
CREATE FUNCTION result(expression text, value text, type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r text;
BEGIN
    EXECUTE format('SELECT (%s)::text FROM (SELECT %L::%s AS c) AS _', replace(expression, '$1', 'c'), value, type)
        INTO r;
    RETURN coalesce(r, 'null');
EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE;
END $$;

-- Casts out, to every base type of PostgreSQL that the base type is cast to: the same value, or the same SQLSTATE.
CREATE FUNCTION casts_out(type text, value text) RETURNS TABLE (target regtype, same boolean, base text,
    encrypted text) LANGUAGE plpgsql AS $$
BEGIN
    FOR target IN SELECT t.oid FROM pg_type t WHERE typtype = 'b' AND typcategory IN ('B', 'D', 'I', 'N', 'S', 'T', 'U')
            AND typname !~ '^(_|reg|encrypted)' AND typnamespace = 'pg_catalog'::regnamespace
                AND t.oid NOT IN ('pg_snapshot'::regtype, 'txid_snapshot'::regtype)
            ORDER BY typname LOOP
        base := result(format('$1::%s', target), value, type);
        encrypted := result(format('$1::%s', target), value, 'encrypted_' || type);
        same := base = encrypted;
        RETURN NEXT;
    END LOOP;
END $$;
-- (Between bytea and integers, only from PostgreSQL 18 on.)
SELECT s.type, count(*) AS targets, count(*) FILTER (WHERE same) AS same FROM sample s, casts_out(type, value) c
WHERE c.base <> '42846' AND NOT (s.type = 'bytea' AND target::text ~ 'int' OR s.type = 'int8'
    AND target = 'bytea'::regtype) GROUP BY 1 ORDER BY 1;
SELECT s.type, c.* FROM sample s, casts_out(type, value) c WHERE NOT same ORDER BY 1, 2;

-- Assignment: every type that goes into a column of the base type goes into one of the encrypted type, and no other.
CREATE FUNCTION assigns(target text, source regtype) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('PREPARE assignment (%s) AS INSERT INTO into_%s VALUES ($1)', source, target);
    DEALLOCATE assignment;
    RETURN true;
EXCEPTION WHEN datatype_mismatch THEN RETURN false;
END $$;
SELECT format('CREATE TABLE into_%1$s (c %1$s); CREATE TABLE into_encrypted_%1$s (c encrypted_%1$s)', type)
    FROM sample \gexec
SELECT s.type, t.oid::regtype AS source, assigns(type, t.oid) AS base, assigns('encrypted_' || type, t.oid) AS encrypted
FROM sample s, pg_type t WHERE t.typtype IN ('b', 'r') AND t.typcategory <> 'A' AND t.typname !~ '^encrypted'
    AND t.typnamespace = 'pg_catalog'::regnamespace
    AND assigns(type, t.oid) <> assigns('encrypted_' || type, t.oid) ORDER BY 1, 2;
SELECT s.type, count(*) FROM sample s, pg_type t WHERE t.typtype IN ('b', 'r') AND t.typcategory <> 'A'
    AND t.typname !~ '^encrypted'
    AND t.typnamespace = 'pg_catalog'::regnamespace AND assigns('encrypted_' || type, t.oid) GROUP BY 1 ORDER BY 1;
-- One encrypted type goes into another only by way of the base.
SELECT a.type, b.type FROM sample a, sample b WHERE a.type <> b.type AND assigns('encrypted_' || a.type,
    ('encrypted_' || b.type)::regtype) ORDER BY 1, 2;
INSERT INTO into_encrypted_numeric SELECT '5'::encrypted_int8;
INSERT INTO into_encrypted_numeric SELECT '5'::encrypted_int8::int8 RETURNING c;
SELECT format('INSERT INTO into_encrypted_%s VALUES (%L::%s)', t, v, s) FROM (VALUES ('int8', '7', 'smallint'),
    ('int8', '7.6', 'numeric'), ('int8', '7.5', 'float8'), ('numeric', '7', 'integer'), ('numeric', '0.1', 'real'),
    ('numeric', '$1.20', 'money'), ('float8', '0.1', 'numeric'), ('date', '2026-01-01 23:59', 'timestamp'),
    ('timestamptz', '2026-01-01', 'date'), ('jsonb', '{"a":1}', 'json'), ('inet', '10.0.0.0/8', 'cidr'),
    ('text', 'ab ', 'char(5)'), ('text', '5', 'int')) AS _ (t, v, s) \gexec
SELECT (SELECT array_agg(c ORDER BY c) FROM into_encrypted_int8) AS int8, (SELECT array_agg(c ORDER BY c)
    FROM into_encrypted_numeric) AS numeric, (SELECT array_agg(c) FROM into_encrypted_float8) AS float8,
        (SELECT array_agg(c) FROM into_encrypted_date) AS date,
    (SELECT array_agg(c) FROM into_encrypted_timestamptz) AS timestamptz,
    (SELECT array_agg(c) FROM into_encrypted_jsonb) AS jsonb, (SELECT array_agg(c) FROM into_encrypted_inet) AS inet,
    (SELECT array_agg(c ORDER BY c) FROM into_encrypted_text) AS text;
INSERT INTO into_encrypted_int8 VALUES (1e30);
INSERT INTO into_encrypted_int8 VALUES ('text'::text);
INSERT INTO into_encrypted_bool VALUES (1);
INSERT INTO into_encrypted_uuid VALUES ('00112233-4455-6677-8899-aabbccddeeff'::text);

-- A failing conversion has the base type's SQLSTATE and shows nothing.
SELECT 100000::encrypted_int8::int2;
SELECT 'NaN'::encrypted_numeric::int;
SELECT 1e300::encrypted_float8::real;
SELECT '"secret"'::encrypted_jsonb::int;
SELECT 'secret'::encrypted_text::date;
SELECT '5'::encrypted_int8::date;

-- Functions and operators.
CREATE TABLE expression (type text, e text);
INSERT INTO expression SELECT 'int8', unnest(ARRAY['$1 + 1', '1 + $1', '$1 - 2::int2', '$1 * $1', '$1 / 2', '$1 % 3',
    '-$1', '$1 & 1', '$1 << 1', '$1 = 5', '$1 <> 4', '$1 < 6::int8', '$1 BETWEEN 1 AND 9', '$1 IN (1, 5)',
    '$1 = ANY (ARRAY[1, 5])', '$1 = ''5''', 'abs($1)', 'mod($1, 3)', 'to_char($1, ''09'')', 'to_hex($1)',
    '$1 || ''x''', 'coalesce($1, 0)', 'greatest($1, 7)', 'nullif($1, 5)', 'CASE WHEN true THEN $1 ELSE 0 END',
    '$1 IS DISTINCT FROM 5', 'sum($1)', 'avg($1)', 'min($1)', 'max($1)', 'generate_series($1, 6)', '$1::numeric * 1.5',
    '$1::int8 * 1.5']);
INSERT INTO expression SELECT 'numeric', unnest(ARRAY['$1 + 1', '2 * $1', '$1 / 3', '$1 ^ 2', '-$1', '$1 = 2.5',
    '$1 > 1', '$1 IN (1, 2.5)', '$1 BETWEEN 1 AND 3.5', 'round($1)', 'round($1, 1)', 'trunc($1)', 'sqrt($1)',
    'scale($1)', 'to_char($1, ''9.99'')', 'coalesce($1, 0)', 'coalesce($1, 0.0)', 'sum($1)', 'avg($1)', 'stddev($1)',
    '$1 * 2::int8', 'width_bucket($1, 0, 10, 5)']);
INSERT INTO expression SELECT 'float8', unnest(ARRAY['$1 + 1', '2 * $1', '$1 * 1.5', '$1 * 1.5::real', '$1 ^ 2', '-$1',
    '$1 = 1.5', '$1 > 1', '$1 IN (1, 1.5)', 'floor($1)', 'sin($1) > 0', 'coalesce($1, 0)', 'sum($1)', 'avg($1)']);
INSERT INTO expression SELECT 'bool', unnest(ARRAY['$1 AND true', 'NOT $1', '$1 OR false', '$1 = true', '$1 IS TRUE',
    '$1 IS NOT UNKNOWN', 'CASE WHEN $1 THEN 1 END', 'bool_and($1)', 'count(*) FILTER (WHERE $1)', '$1::int',
    'coalesce($1, false)']);
INSERT INTO expression SELECT 'date', unnest(ARRAY['$1 + 1', '$1 - 1', '$1 - ''2026-01-01''',
    '$1 - date ''2026-01-01''', '$1 + interval ''1 day''', '$1 + time ''10:00''', '$1 = ''2026-11-21''',
    '$1 = timestamp ''2026-11-21''', '$1 < timestamptz ''2026-11-22''', '$1 BETWEEN ''2026-01-01'' AND ''2027-01-01''',
    'extract(year FROM $1)', 'date_part(''day'', $1)', 'isfinite($1)', 'daterange($1, NULL)',
    'coalesce($1, ''epoch'')', 'max($1)', 'to_char($1::date, ''YYYY'')']);
INSERT INTO expression SELECT 'timestamptz', unnest(ARRAY['$1 + interval ''1 day''',
    '$1 - timestamptz ''2026-11-20 00:00+00''', '$1 - ''2026-01-01''', '$1 < ''2027-01-01''',
    '$1 >= date ''2026-11-21''', '$1::date', '$1::time', '$1 AT TIME ZONE ''Asia/Tokyo''', 'extract(epoch FROM $1)',
    'date_trunc(''month'', $1)', 'date_bin(''1 day'', $1, ''2001-01-01'')', 'age($1, ''2025-11-21'')',
    'to_char($1, ''YYYY-MM'')', 'tstzrange($1, NULL)', 'coalesce($1, now())', 'max($1)']);
INSERT INTO expression SELECT 'uuid', unnest(ARRAY['$1 = ''00112233-4455-6677-8899-aabbccddeeff''',
    '$1 IN (''00112233-4455-6677-8899-aabbccddeeff'')', '$1 > ''00000000-0000-0000-0000-000000000000''', '$1::text',
    '$1 || ''x''', 'md5($1::text)', 'coalesce($1, gen_random_uuid())']);
INSERT INTO expression SELECT 'inet', unnest(ARRAY['$1 << ''10.0.0.0/7''', '$1 <<= cidr ''10.0.0.0/8''',
    '$1 = ''10.0.0.1/8''', '$1 && ''10.0.0.0/8''', '$1 + 1', '$1 - inet ''10.0.0.0''', '~$1', '$1 & ''255.0.0.0''',
    'host($1)', 'family($1)', 'masklen($1)', 'network($1)', 'set_masklen($1, 16)', '$1::cidr', 'abbrev($1)', 'max($1)',
    '$1 || ''x''']);
INSERT INTO expression SELECT 'jsonb', unnest(ARRAY['$1 -> ''a''', '$1 ->> ''b''', '$1 -> ''a'' -> 1',
    '$1 #>> ''{a,0}''', '$1 @> ''{"b": null}''', '$1 <@ ''{}''', '$1 ? ''a''', '$1 ?| ARRAY[''x'', ''a'']',
    '$1 || ''{"c": 3}''', '$1 || jsonb ''{"c": 3}''', 'jsonb ''[1]'' || $1', '$1 || $1', '$1 - ''a''',
    '$1 #- ''{a,0}''', '$1 @? ''$.a''', '$1 @@ ''$.a[0] == 1''', '$1 = ''{"a": [1, 2.50], "b": null}''',
    'jsonb_typeof($1)', 'jsonb_set($1, ''{b}'', ''2'')', 'jsonb_pretty($1)', 'jsonb_object_keys($1)',
    'jsonb_array_length($1 -> ''a'')', 'jsonb_path_query_array($1, ''$.a[*]'')', 'jsonb_agg($1)', '$1::json',
    '$1::text']);
INSERT INTO expression SELECT 'bytea', unnest(ARRAY['$1 || ''\x03''', '''\x00''::bytea || $1', '$1 || $1',
    'length($1)', 'encode($1, ''hex'')', 'sha256($1)', 'get_byte($1, 1)', 'substr($1, 2)', '$1 = ''\x0102''',
    'string_agg($1, ''\x00'')']);
INSERT INTO expression SELECT 'text', unnest(ARRAY['$1 || ''x''', 'length($1)', 'upper($1)', '$1 LIKE ''4%''',
    '$1 ~ ''2$''', '$1 = ''42''', '$1::int + 1', 'string_agg($1, '','')', 'to_tsvector(''simple'', $1)',
    'coalesce($1, ''x'')', 'left($1, 1)', 'split_part($1, ''2'', 1)']);
SELECT type, count(*), count(*) FILTER (WHERE result(e, value, type) = result(e, value, 'encrypted_' || type)) AS same,
    count(*) FILTER (WHERE result(e, value, type) ~ '^[0-9A-Z]{5}$') AS errors
FROM sample JOIN expression USING (type) GROUP BY 1 ORDER BY 1;
SELECT type, e, result(e, value, type) AS base, result(e, value, 'encrypted_' || type) AS encrypted FROM sample
    JOIN expression USING (type)
WHERE result(e, value, type) <> result(e, value, 'encrypted_' || type) ORDER BY 1, 2;
-- Where the base type needs a second implicit cast, the encrypted one is to be cast first. (Never another result,
-- always an error.)
SELECT type, e, result(e, value, type) AS base, result(e, value, 'encrypted_' || type) AS encrypted,
    result(replace(e, '$1', '($1::' || type || ')'), value, 'encrypted_' || type) AS cast_first
FROM sample JOIN (VALUES ('int8', '$1 * 1.5'), ('int8', '$1 = 5.0'), ('int8', 'sqrt($1)'),
    ('numeric', '$1 * 1.5::float8'), ('jsonb', '$1[''a''][0]'), ('date', '$1 <@ daterange(''2026-01-01'', NULL)'),
    ('date', 'to_char($1, ''YYYY'')'), ('date', 'date_trunc(''month'', $1)'),
    ('date', 'age(timestamptz ''2026-12-21'', $1)')) AS _ (type, e) USING (type) ORDER BY 1, 2;

-- JSON: as to_json() of the base type gives it.
SELECT type, result('to_json($1)', value, type) AS base, result('to_json($1)', value,
    'encrypted_' || type) AS encrypted FROM sample ORDER BY 1;
SELECT type, result('jsonb_build_object(''v'', $1)', value, type) AS base, result('jsonb_build_object(''v'', $1)',
    value, 'encrypted_' || type) AS encrypted, result('json_agg($1)', value, type) = result('json_agg($1)', value,
    'encrypted_' || type) AS agg,
    result('row_to_json(_)', value, type) = result('row_to_json(_)', value, 'encrypted_' || type) AS row,
    result('to_jsonb(ARRAY[$1, NULL])', value, type) = result('to_jsonb(ARRAY[$1, NULL])', value,
        'encrypted_' || type) AS array FROM sample ORDER BY 1;
SELECT to_jsonb('NaN'::encrypted_float8), to_jsonb('Infinity'::encrypted_numeric),
    to_jsonb('infinity'::encrypted_date), to_jsonb('2026-01-01 00:00+00'::encrypted_timestamptz),
    to_jsonb('"x"'::encrypted_jsonb), to_jsonb('null'::encrypted_jsonb);
SELECT * FROM jsonb_to_record('{"i": 5, "n": "1.50", "j": {"a": 1}, "d": "2026-01-01", "o": true, "t": null}') AS _
    (i encrypted_int8, n encrypted_numeric(4,1), j encrypted_jsonb, d encrypted_date, o encrypted_bool,
        t encrypted_text);

-- Without the right to open, everything but output is refused, output is armored, and no cast stores armored text.
CREATE ROLE regress_envcrypt_blind;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO regress_envcrypt_blind;
CREATE TABLE sealed_sample AS SELECT '5'::encrypted_int8 AS i, '2026-01-01'::encrypted_date AS d,
    '{}'::encrypted_jsonb AS j, true::encrypted_bool AS o;
GRANT SELECT ON sealed_sample TO regress_envcrypt_blind;
RESET envcrypt.master_key;
SET ROLE regress_envcrypt_blind;
SELECT left(concat(i), 10), left(concat(d), 10), left(concat(j), 10), left(concat(o), 10) FROM sealed_sample;
SELECT i + 1 FROM sealed_sample;
SELECT d::text FROM sealed_sample;
SELECT j::json FROM sealed_sample;
SELECT to_jsonb(i) FROM sealed_sample;
SELECT row_to_json(s) FROM sealed_sample s;
SELECT o IS TRUE FROM sealed_sample;
SELECT i::varchar FROM sealed_sample;
SELECT i *= '6'::encrypted_int8 FROM sealed_sample;
SELECT 1 FROM sealed_sample WHERE i = 5;
SELECT 1::int8::encrypted_int8;
SELECT '1'::encrypted_int8;
RESET ROLE;
DROP TABLE sealed_sample;
SELECT format('DROP TABLE into_%1$s, into_encrypted_%1$s', type) FROM sample \gexec
DROP OWNED BY regress_envcrypt_blind;
DROP ROLE regress_envcrypt_blind;
DROP TABLE sample, expression;
DROP FUNCTION result, casts_out, assigns;
