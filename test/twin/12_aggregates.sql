-- Chapters 4.2.7, 7.2.3-7.2.4 and 9.21: aggregates and grouping.

-- name: count
SELECT count(*), count(note), count(raw), count(doc), count(n), count(amount), count(ratio), count(flag), count(born),
    count(seen), count(uid),
    count(host) FROM t;

-- name: count_distinct
SELECT count(DISTINCT note), count(DISTINCT raw), count(DISTINCT doc), count(DISTINCT n), count(DISTINCT amount),
    count(DISTINCT ratio),
    count(DISTINCT flag), count(DISTINCT born), count(DISTINCT seen), count(DISTINCT uid), count(DISTINCT host) FROM t;

-- name: count_distinct_rows
SELECT count(DISTINCT (note, n)), count(DISTINCT t) FROM t;

-- name: min_max
SELECT min(note), max(note), min(name), max(name), min(n), max(n), min(amount), max(amount), min(ratio), max(ratio),
    min(born), max(born),
    min(seen), max(seen), min(host), max(host) FROM t;

-- name: min_bool_fails
SELECT min(flag) FROM t;

-- name: min_jsonb_fails
SELECT max(doc) FROM t;

-- name: max_bool_fails
SELECT max(flag) FROM t;

-- name: sum_avg_int8
SELECT sum(n), avg(n), sum(n + 1), sum(n::int) FROM t WHERE abs(n) < 1000;

-- name: sum_avg_numeric
SELECT sum(amount), avg(amount), sum(price), avg(price), sum(-amount) FROM t WHERE amount < 1000;

-- name: sum_avg_float8
SELECT sum(ratio), avg(ratio) FROM t WHERE abs(ratio) < 1000;

-- name: sum_text_fails
SELECT sum(note) FROM t;

-- name: sum_date_fails
SELECT sum(born) FROM t;

-- name: sum_distinct
SELECT sum(DISTINCT n), avg(DISTINCT amount), count(DISTINCT n % 3) FROM t WHERE abs(n) < 1000 AND amount < 1000;

-- name: sum_special_values
SELECT sum(amount), avg(amount), sum(ratio), max(amount), max(ratio) FROM t;

-- name: statistics
SELECT round(stddev(n), 6), round(variance(n), 6), round(stddev_pop(amount), 6), round(var_samp(amount), 6),
    stddev(ratio) > 0, var_pop(ratio) > 0,
    stddev_samp(n) = stddev(n) FROM t WHERE abs(n) < 1000 AND abs(amount) < 1000 AND abs(ratio) < 1000;

-- name: regression
SELECT corr(ratio, n) IS NOT NULL, regr_count(ratio, n), regr_avgx(ratio, n), regr_slope(n, ratio) IS NOT NULL,
    covar_pop(ratio, ratio) >= 0,
    regr_r2(amount, n) <= 1 FROM t WHERE abs(n) < 1000 AND abs(ratio) < 1000 AND abs(ratio) > 0.01
    AND abs(amount) < 1000;

-- name: bool_aggregates
SELECT bool_and(flag), bool_or(flag), every(flag), bool_and(n > 0), bool_or(note = 'apple') FROM t;

-- name: bool_aggregates_group
SELECT n % 3 AS k, bool_and(flag), bool_or(NOT flag), count(*) FILTER (WHERE flag) FROM t GROUP BY n % 3 ORDER BY 1;

-- name: bit_aggregates
SELECT bit_and(n), bit_or(n), bit_xor(n) FROM t WHERE n BETWEEN 0 AND 100;

-- name: string_agg
SELECT string_agg(note, ', ' ORDER BY id), string_agg(name, '|' ORDER BY name, id), string_agg(DISTINCT note, ',')
FROM t
WHERE id <> 20;

-- name: string_agg_delimiter_column
SELECT string_agg(note, name ORDER BY id) FROM t WHERE id < 10;

-- name: string_agg_number_fails
SELECT string_agg(n, ',') FROM t;

-- name: string_agg_cast
SELECT string_agg(n::text, ',' ORDER BY n, id), string_agg(born::text, ',' ORDER BY id),
    string_agg(note || n, ';' ORDER BY id)
FROM t WHERE id <> 20;

-- name: aggregate_order_by_encrypted
SELECT array_agg(id ORDER BY note, id), array_agg(id ORDER BY amount DESC, id), string_agg(id::text, ','
    ORDER BY born DESC NULLS LAST, id) FROM t;

-- name: aggregate_order_collate
SELECT string_agg(name, ',' ORDER BY name COLLATE "en-x-icu", id), string_agg(name, ',' ORDER BY name COLLATE "C" DESC,
    id)
FROM t;

-- name: aggregate_filter
SELECT sum(n) FILTER (WHERE flag), count(*) FILTER (WHERE note LIKE 'a%'), max(amount) FILTER (WHERE n < 10),
    avg(ratio) FILTER (WHERE born < '2000-01-01')
FROM t WHERE abs(n) < 1000 AND abs(ratio) < 1000;

-- name: ordered_set_percentile
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ratio), percentile_disc(0.5) WITHIN GROUP (ORDER BY n),
    percentile_disc(0.25) WITHIN GROUP (ORDER BY amount), percentile_disc(0.5) WITHIN GROUP (ORDER BY note),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY born) FROM t;

-- name: ordered_set_percentile_cont
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY n), percentile_cont(0.5) WITHIN GROUP (ORDER BY amount),
    percentile_cont(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY ratio) FROM t WHERE abs(n) < 1000 AND abs(amount) < 1000;

-- name: ordered_set_percentile_array
SELECT percentile_disc(ARRAY[0.1, 0.9]) WITHIN GROUP (ORDER BY n),
    percentile_disc('{0,1}'::float8[]) WITHIN GROUP (ORDER BY note DESC)
FROM t WHERE id <> 20;

-- name: ordered_set_mode
SELECT mode() WITHIN GROUP (ORDER BY note), mode() WITHIN GROUP (ORDER BY n), mode() WITHIN GROUP (ORDER BY flag),
    mode() WITHIN GROUP (ORDER BY uid),
    mode() WITHIN GROUP (ORDER BY born) FROM t;

-- name: ordered_set_mode_more
SELECT mode() WITHIN GROUP (ORDER BY raw), mode() WITHIN GROUP (ORDER BY doc), mode() WITHIN GROUP (ORDER BY price),
    mode() WITHIN GROUP (ORDER BY host),
    mode() WITHIN GROUP (ORDER BY seen) FROM t WHERE id <> 20;

-- name: distinct_aggregates_all_types
SELECT array_agg(DISTINCT uid), array_agg(DISTINCT host), array_agg(DISTINCT born), array_agg(DISTINCT price),
    array_agg(DISTINCT ratio) FROM t;
SELECT array_agg(DISTINCT raw), array_agg(DISTINCT doc), array_agg(DISTINCT seen), json_agg(DISTINCT n) FROM t
WHERE id <> 20;

-- name: hypothetical_rank
SELECT rank(12) WITHIN GROUP (ORDER BY n), dense_rank('banana') WITHIN GROUP (ORDER BY note),
    percent_rank(5) WITHIN GROUP (ORDER BY amount),
    cume_dist('2000-01-01') WITHIN GROUP (ORDER BY born) FROM t;

-- name: hypothetical_rank_two_columns
SELECT rank('apple', 5) WITHIN GROUP (ORDER BY note, n DESC), rank(0.5) WITHIN GROUP (ORDER BY ratio),
    rank(true) WITHIN GROUP (ORDER BY flag) FROM t;

-- name: percentile_fraction_column
SELECT percentile_disc((SELECT ratio FROM t WHERE id = 1)) WITHIN GROUP (ORDER BY id) FROM t;

-- name: group_by_each
SELECT note, count(*) FROM t WHERE id <> 20 GROUP BY note ORDER BY note;
SELECT n, count(*), sum(id) FROM t GROUP BY n ORDER BY n;
SELECT trim_scale(amount), count(*) FROM t GROUP BY amount ORDER BY amount;
SELECT flag, count(*) FROM t GROUP BY flag ORDER BY flag;

-- name: group_by_numeric_scale
SELECT trim_scale(amount), count(*), min(id) FROM t WHERE id IN (1, 9, 12, 13) GROUP BY amount ORDER BY amount;

-- name: group_by_others
SELECT ratio, count(*) FROM t GROUP BY ratio ORDER BY ratio;
SELECT born, count(*) FROM t GROUP BY born ORDER BY born;
SELECT seen, count(*) FROM t GROUP BY seen ORDER BY seen;
SELECT uid, count(*) FROM t GROUP BY uid ORDER BY uid;
SELECT host, count(*) FROM t GROUP BY host ORDER BY host;

-- name: group_by_several
SELECT note, n, count(*) FROM t WHERE id <> 20 GROUP BY note, n ORDER BY note, n;

-- name: group_by_expression
SELECT upper(note), left(name, 1), count(*) FROM t WHERE id <> 20 GROUP BY upper(note), left(name, 1) ORDER BY 1, 2;

-- name: group_by_position
SELECT n % 2 AS odd, extract(year FROM born) AS y, count(*) FROM t GROUP BY 1, 2 ORDER BY 1, 2;

-- name: group_by_output_expression
SELECT n, n * 2, count(*) FROM t WHERE abs(n) < 1000 GROUP BY n ORDER BY n;

-- name: group_by_cast
SELECT note::text, n::int, count(*) FROM t WHERE id <> 20 AND abs(n) < 1000 GROUP BY note::text, n::int ORDER BY 1, 2;

-- name: group_by_implicit_cast_fails
SELECT note || 'x' FROM t GROUP BY name;

-- name: group_by_hash
SET LOCAL enable_sort = off;
SELECT note, count(*) FROM t WHERE id <> 20 GROUP BY note ORDER BY note;
SELECT n, price, count(*) FROM t GROUP BY n, price ORDER BY n, price;

-- name: group_by_sort
SET LOCAL enable_hashagg = off;
SELECT note, count(*) FROM t WHERE id <> 20 GROUP BY note ORDER BY note;
SELECT doc, count(*) FROM t WHERE id <> 20 GROUP BY doc ORDER BY doc;

-- name: group_by_functional_dependency
SELECT id, note, n FROM t WHERE id < 10 GROUP BY id ORDER BY id;

-- name: having
SELECT note, count(*) FROM t GROUP BY note HAVING count(*) > 1 AND max(n) < 10 ORDER BY note;

-- name: having_encrypted
SELECT name, sum(amount) FROM t WHERE abs(amount) < 1000 GROUP BY name HAVING sum(amount) > 10 AND name LIKE 'n%'
ORDER BY name;

-- name: grouping_sets
SELECT note, n, count(*), grouping(note, n) FROM t WHERE id > 20 GROUP BY GROUPING SETS ((note), (n), ())
ORDER BY 4, 1, 2;

-- name: rollup
SELECT flag, n, sum(amount), grouping(flag) AS g FROM t WHERE id > 20 GROUP BY ROLLUP (flag, n) ORDER BY g, flag, n;

-- name: cube
SELECT flag, name, count(*), grouping(flag, name) AS g FROM t WHERE id > 20 GROUP BY CUBE (flag, name) ORDER BY g, flag,
    name;

-- name: grouping_sets_mixed
SELECT born, uid, count(*) FROM t WHERE id < 10 GROUP BY GROUPING SETS (born, uid, (born, uid)) ORDER BY 1, 2, 3;

-- name: grouping_distinct
SELECT note, name, count(*) FROM t WHERE id > 20 GROUP BY DISTINCT ROLLUP (note), ROLLUP (note, name) ORDER BY 1, 2, 3;

-- name: distinct
SELECT DISTINCT note FROM t WHERE id <> 20 ORDER BY note;
SELECT DISTINCT n, flag FROM t ORDER BY n, flag;
SELECT DISTINCT amount FROM t WHERE id NOT IN (9, 13) ORDER BY amount DESC;

-- name: distinct_all_types
SELECT DISTINCT note, raw, doc, n, price, ratio, flag, born, seen, uid, host FROM t WHERE id <> 20 ORDER BY note, raw,
    doc, n;

-- name: distinct_on
SELECT DISTINCT ON (note) note, id, n FROM t WHERE id <> 20 ORDER BY note, id DESC;

-- name: distinct_on_several
SELECT DISTINCT ON (flag, n % 2) flag, n % 2, id FROM t ORDER BY flag, n % 2, id;

-- name: distinct_on_expression
SELECT DISTINCT ON (lower(note)) note, id FROM t WHERE id <> 20 ORDER BY lower(note), note, id;

-- name: any_value_like
SELECT n, min(note), (array_agg(born ORDER BY id))[1] FROM t WHERE id > 20 GROUP BY n ORDER BY n;

-- name: user_aggregate
CREATE AGGREGATE concat_all (text) (SFUNC = textcat, STYPE = text, INITCOND = '');
SELECT concat_all(note ORDER BY id), concat_all(name ORDER BY id) FROM t WHERE id < 10;

-- name: user_aggregate_polymorphic
CREATE AGGREGATE collect (anycompatible) (SFUNC = array_append, STYPE = anycompatiblearray, INITCOND = '{}');
SELECT collect(note ORDER BY id), collect(n ORDER BY id), collect(born ORDER BY id) FROM t WHERE id < 10;

-- name: nested_aggregate
SELECT max(c), sum(s) FROM (SELECT note, count(*) AS c, sum(n) AS s FROM t WHERE abs(n) < 1000 GROUP BY note) g;

-- name: group_by_all_types_hash
SELECT count(*) FROM (SELECT raw, doc, seen, host FROM t GROUP BY raw, doc, seen, host) g;
