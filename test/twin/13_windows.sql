-- Chapters 3.5, 4.2.8, 7.2.5 and 9.22: window functions.

-- name: row_number
SELECT id, row_number() OVER (ORDER BY note, id), row_number() OVER (PARTITION BY n ORDER BY id) FROM t ORDER BY id;

-- name: rank_functions
SELECT id, rank() OVER (ORDER BY n), dense_rank() OVER (ORDER BY amount), percent_rank() OVER (ORDER BY born),
    cume_dist() OVER (ORDER BY note),
    ntile(4) OVER (ORDER BY id) FROM t ORDER BY id;

-- name: rank_all_types
SELECT id, rank() OVER (ORDER BY raw), rank() OVER (ORDER BY doc), rank() OVER (ORDER BY ratio),
    rank() OVER (ORDER BY flag), rank() OVER (ORDER BY seen), rank() OVER (ORDER BY uid),
    rank() OVER (ORDER BY host DESC NULLS LAST) FROM t ORDER BY id;

-- name: lag_lead
SELECT id, lag(note) OVER w, lead(n) OVER w, lag(amount, 2) OVER w, lead(born, 1) OVER w FROM t WHERE id <> 20
WINDOW w AS (ORDER BY id) ORDER BY id;

-- name: lag_lead_default
SELECT id, lag(note, 1, 'none') OVER w, lead(n, 1, 0) OVER w, lag(amount, 1, 0) OVER w, lag(flag, 1, false) OVER w,
    lead(born, 1, '2000-01-01') OVER w
FROM t WHERE id <> 20 WINDOW w AS (ORDER BY id) ORDER BY id;

-- name: lag_lead_default_types
SELECT id, lag(n, 1, 1::int2) OVER w, lead(ratio, 1, 0) OVER w, lag(note, 1, name) OVER w, lag(doc, 1, '{}') OVER w
FROM t
WHERE id <> 20 WINDOW w AS (ORDER BY id) ORDER BY id;

-- name: lag_lead_default_numeric
SELECT id, lag(amount, 1, n) OVER w, lag(n, 1, 0.5) OVER w FROM t WINDOW w AS (ORDER BY id) ORDER BY id;

-- name: lag_offset_column
SELECT id, lag(note, n::int) OVER (ORDER BY id) FROM t WHERE n BETWEEN 0 AND 5 ORDER BY id;

-- name: lag_difference
SELECT id, n - lag(n) OVER w, amount - lag(amount) OVER w, born - lag(born) OVER w, seen - lag(seen) OVER w FROM t
WHERE id > 20
WINDOW w AS (ORDER BY id) ORDER BY id;

-- name: first_last_nth
SELECT id, first_value(note) OVER w, last_value(n) OVER w, nth_value(amount, 2) OVER w FROM t WHERE id > 20
WINDOW w AS (PARTITION BY flag ORDER BY id) ORDER BY id;

-- name: window_aggregates
SELECT id, sum(n) OVER (ORDER BY id), avg(amount) OVER (PARTITION BY flag), count(note) OVER (),
    max(born) OVER (ORDER BY id), string_agg(note, ',') OVER (ORDER BY id) FROM t WHERE id > 20 ORDER BY id;

-- name: window_partition_all_types
SELECT id, count(*) OVER (PARTITION BY note), count(*) OVER (PARTITION BY raw), count(*) OVER (PARTITION BY doc),
    count(*) OVER (PARTITION BY amount),
    count(*) OVER (PARTITION BY ratio), count(*) OVER (PARTITION BY uid), count(*) OVER (PARTITION BY host),
        count(*) OVER (PARTITION BY seen)
FROM t ORDER BY id;

-- name: window_peers
SELECT id, sum(id) OVER (ORDER BY note), sum(id) OVER (ORDER BY amount), count(*) OVER (ORDER BY born) FROM t
ORDER BY id;

-- name: window_rows_frame
SELECT id, sum(n) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING),
    array_agg(note) OVER (ORDER BY id ROWS 2 PRECEDING)
FROM t WHERE id > 30
ORDER BY id;

-- name: window_groups_frame
SELECT id, sum(id) OVER (ORDER BY n GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW),
    count(*) OVER (ORDER BY note GROUPS 1 PRECEDING)
FROM t ORDER BY id;

-- name: window_range_int8
SELECT id, n, sum(id) OVER (ORDER BY n RANGE BETWEEN 2 PRECEDING AND 2 FOLLOWING),
    count(*) OVER (ORDER BY n DESC RANGE 1 PRECEDING) FROM t
WHERE abs(n) < 1000 ORDER BY id;

-- name: window_range_int8_offsets
SELECT id, count(*) OVER (ORDER BY n RANGE BETWEEN 1::int2 PRECEDING AND 3::int8 FOLLOWING) FROM t WHERE abs(n) < 1000
ORDER BY id;

-- name: window_range_numeric
SELECT id, amount, count(*) OVER (ORDER BY amount RANGE BETWEEN 1.5 PRECEDING AND 1.5 FOLLOWING),
    count(*) OVER (ORDER BY amount RANGE 10 PRECEDING)
FROM t ORDER BY id;

-- name: window_range_float8
SELECT id, ratio, count(*) OVER (ORDER BY ratio RANGE BETWEEN 0.5 PRECEDING AND 0.5 FOLLOWING) FROM t ORDER BY id;

-- name: window_range_date
SELECT id, born, count(*) OVER (ORDER BY born RANGE BETWEEN interval '1 year' PRECEDING AND interval '1 year' FOLLOWING)
FROM t
WHERE isfinite(born) AND born < '5000-01-01' ORDER BY id;

-- name: window_range_date_untyped
SELECT id, count(*) OVER (ORDER BY born RANGE BETWEEN '10 days' PRECEDING AND '1 month' FOLLOWING) FROM t
WHERE isfinite(born) AND born < '5000-01-01' ORDER BY id;

-- name: window_range_timestamptz
SELECT id, seen, count(*) OVER (ORDER BY seen RANGE BETWEEN '1 day' PRECEDING AND '12 hours' FOLLOWING) FROM t
ORDER BY id;

-- name: window_range_timestamptz_desc
SELECT id, count(*) OVER (ORDER BY seen DESC NULLS LAST RANGE interval '7 days' PRECEDING) FROM t ORDER BY id;

-- name: window_range_unbounded
SELECT id, count(*) OVER (ORDER BY note RANGE UNBOUNDED PRECEDING),
    count(*) OVER (ORDER BY uid RANGE BETWEEN CURRENT ROW
    AND UNBOUNDED FOLLOWING)
FROM t ORDER BY id;

-- name: window_range_text_fails
SELECT count(*) OVER (ORDER BY note RANGE 1 PRECEDING) FROM t;

-- name: window_range_negative_fails
SELECT count(*) OVER (ORDER BY n RANGE -1 PRECEDING) FROM t;

-- name: window_exclude
SELECT id, sum(n) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE CURRENT ROW),
    array_agg(id) OVER (ORDER BY n, id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM t WHERE id > 30
    ORDER BY id;

-- name: window_filter
SELECT id, count(*) FILTER (WHERE flag) OVER (ORDER BY id), sum(amount) FILTER (WHERE n > 2) OVER (PARTITION BY flag
    ORDER BY id)
FROM t WHERE id > 20
ORDER BY id;

-- name: window_named_inherit
SELECT id, sum(id) OVER (w ORDER BY n, id), max(note) OVER (w) FROM t WHERE id > 20 WINDOW w AS (PARTITION BY flag)
ORDER BY id;

-- name: window_over_aggregate
SELECT note, sum(n), rank() OVER (ORDER BY sum(n) DESC, note), sum(sum(n)) OVER (ORDER BY note) FROM t WHERE id > 20
GROUP BY note
ORDER BY note;

-- name: window_top_n
SELECT * FROM (SELECT id, note, row_number() OVER (PARTITION BY note ORDER BY amount DESC, id) AS r FROM t
    WHERE id > 20) s
WHERE r <= 2 ORDER BY note, r;

-- name: window_running_bool
SELECT id, bool_and(flag) OVER (ORDER BY id), bool_or(flag) OVER (ORDER BY id ROWS 1 PRECEDING),
    every(n > 0) OVER (ORDER BY id)
FROM t ORDER BY id;

-- name: window_collation
SELECT id, rank() OVER (ORDER BY note COLLATE "en-x-icu"), rank() OVER (ORDER BY note COLLATE "C") FROM t ORDER BY id;

-- name: window_moving_average
SELECT id, round(avg(amount) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING), 4) FROM t WHERE id > 20
ORDER BY id;

-- name: window_distinct_partition
SELECT DISTINCT note, count(*) OVER (PARTITION BY note) FROM t WHERE id > 20 ORDER BY note;

-- name: window_lag_coalesce
SELECT id, coalesce(lag(note) OVER (ORDER BY id), 'start') || ' > ' || coalesce(note, '?') FROM t WHERE id < 20
ORDER BY id;
