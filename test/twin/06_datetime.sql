-- Chapter 9.9: dates and times.

-- name: date_plus_days
SELECT id, born + 7, 7 + born, born - 7, born + n::int FROM t
WHERE isfinite(born) AND abs(n) < 1000 AND born < '5000-01-01' ORDER BY id;

-- name: date_plus_interval
SELECT id, born + interval '1 month', interval '1 day' + born, born - interval '1 hour', born + '1 year' :: interval
FROM t
ORDER BY id;

-- name: date_plus_time
SELECT id, born + time '03:00', time '03:00' + born, born + timetz '03:00+02' FROM t WHERE id < 20 ORDER BY id;

-- name: date_minus_date
SELECT id, born - date '2000-01-01', date '2024-01-01' - born, born - '2000-01-01' FROM t WHERE isfinite(born)
ORDER BY id;

-- name: date_minus_date_column
SELECT t.id, t.born - u.born, t.born - p.born, p.born - t.born FROM t JOIN u USING (id) JOIN p USING (id)
WHERE isfinite(t.born)
ORDER BY 1;

-- name: date_minus_timestamp
SELECT id, born - timestamp '2000-01-01 12:00', timestamp '2000-01-01' - born FROM t WHERE isfinite(born) ORDER BY id;

-- name: timestamptz_plus_interval
SELECT id, seen + interval '1 day 2 hours', interval '1 month' + seen, seen - interval '23 hours' FROM t ORDER BY id;

-- name: timestamptz_plus_untyped
SELECT id, seen + '1 day', seen - '2024-01-01 00:00+00' FROM t WHERE isfinite(seen) ORDER BY id;

-- name: timestamptz_minus
SELECT id, seen - timestamptz '2000-01-01 00:00+00', timestamptz '2024-07-01 00:00+00' - seen FROM t
WHERE isfinite(seen)
ORDER BY id;

-- name: timestamptz_minus_columns
SELECT t.id, t.seen - u.seen, t.seen - p.seen, p.seen - t.seen FROM t JOIN u USING (id) JOIN p USING (id)
WHERE isfinite(t.seen) ORDER BY 1;

-- name: timestamptz_minus_date_column
SELECT t.id, t.seen - t.born, t.born - p.seen, p.born - t.seen FROM t JOIN p USING (id)
WHERE isfinite(t.seen) AND isfinite(t.born) ORDER BY 1;

-- name: timestamptz_minus_date
SELECT id, seen - date '2000-01-01', born - seen FROM t WHERE isfinite(seen) AND isfinite(born) ORDER BY id;

-- name: interval_times_number
SELECT id, ratio * interval '1 day', interval '1 hour' * ratio, interval '1 day' / nullif(ratio, 0) FROM t
WHERE abs(ratio) BETWEEN 0.01 AND 100 ORDER BY id;

-- name: interval_times_int8
SELECT id, n * interval '1 day', interval '1 hour' * n, interval '1 day' / nullif(n, 0) FROM t WHERE abs(n) < 100
ORDER BY id;

-- name: interval_times_numeric
SELECT id, amount * interval '1 day', interval '1 hour' * amount FROM t WHERE abs(amount) < 100 AND abs(amount) > 0.001
ORDER BY id;

-- name: date_plus_int8_fails
SELECT born + n FROM t;

-- name: age_one
SELECT age(seen) = age(current_date, seen) FROM t WHERE id = 1;

-- name: age_one_date
SELECT age(born) = age(current_date, born) FROM t WHERE id = 1;

-- name: age_two
SELECT id, age(seen, '2000-01-01'), age(timestamptz '2024-01-01', seen), age(seen, seen) FROM t WHERE isfinite(seen)
ORDER BY id;

-- name: age_dates
SELECT id, age(born, '1950-06-07'), age(timestamp '2024-01-01', born), age(date '2024-01-01', born), age(born, born)
FROM t
WHERE isfinite(born) ORDER BY id;

-- name: age_date_timestamptz
SELECT id, age(seen, born), age(born, seen) FROM t WHERE isfinite(seen) AND isfinite(born) ORDER BY id;

-- name: date_bin
SELECT id, date_bin('15 minutes', seen, timestamptz '2001-01-01 00:00+00'), date_bin('1 hour', seen, '2001-01-01')
FROM t
WHERE seen > '2001-01-01' AND isfinite(seen) ORDER BY id;

-- name: date_part
SELECT id, date_part('year', seen), date_part('month', born), date_part('epoch', seen), date_part('dow', born) FROM t
ORDER BY id;

-- name: date_trunc
SELECT id, date_trunc('month', seen), date_trunc('hour', seen), date_trunc('day', seen, 'Australia/Sydney') FROM t
ORDER BY id;

-- name: date_trunc_date
SELECT id, date_trunc('year', born), date_trunc('month', born)::date FROM t ORDER BY id;

-- name: extract_timestamptz
SELECT id, extract(year FROM seen), extract(epoch FROM seen), extract(isodow FROM seen), extract(timezone FROM seen),
    extract(microseconds FROM seen) FROM t WHERE isfinite(seen) ORDER BY id;

-- name: extract_date
SELECT id, extract(century FROM born), extract(decade FROM born), extract(doy FROM born), extract(quarter FROM born),
    extract(julian FROM born) FROM t WHERE isfinite(born) ORDER BY id;

-- name: extract_date_hour_fails
SELECT extract(hour FROM born) FROM t WHERE id = 1;

-- name: isfinite
SELECT id, isfinite(born), isfinite(seen) FROM t ORDER BY id;

-- name: make_date
SELECT id, make_date(2024, n::int, 1), make_timestamptz(2024, n::int, 1, 1, 2, ratio) FROM t
WHERE n BETWEEN 1 AND 12 AND ratio BETWEEN 0 AND 59
ORDER BY id;

-- name: make_interval
SELECT id, make_interval(days => n::int), make_interval(secs => ratio), justify_hours(ratio * interval '100 hours')
FROM t
WHERE abs(n) < 100 AND abs(ratio) BETWEEN 0.01 AND 100 ORDER BY id;

-- name: at_time_zone
SELECT id, seen AT TIME ZONE 'UTC', seen AT TIME ZONE 'America/New_York', seen AT TIME ZONE interval '-08:00' FROM t
ORDER BY id;

-- name: at_time_zone_date
SELECT id, born AT TIME ZONE 'UTC' FROM t ORDER BY id;

-- name: at_time_zone_text_column
SELECT timestamptz '2024-01-01 00:00+00' AT TIME ZONE note FROM (SELECT note FROM t WHERE id = 1 UNION ALL SELECT 'UTC')
    s
WHERE note = 'UTC';

-- name: timezone_function
SELECT id, timezone('Asia/Tokyo', seen) FROM t ORDER BY id;

-- name: overlaps
SELECT id, (born, interval '30 years') OVERLAPS (date '1999-01-01', date '2000-12-31'),
    (born, born + 10) OVERLAPS (date '1988-08-10', date '1990-03-10') FROM t
    WHERE isfinite(born) AND born < '5000-01-01'
    ORDER BY id;

-- name: overlaps_timestamptz
SELECT id, (seen, seen + interval '1 day') OVERLAPS (timestamptz '2024-01-31', timestamptz '2024-03-01') FROM t
ORDER BY id;

-- name: overlaps_columns
SELECT id, (seen, seen) OVERLAPS ('2000-01-01', '2001-01-01'), (seen, interval '1 day') OVERLAPS (seen, seen) FROM t
WHERE id < 10
ORDER BY id;

-- name: generate_series_dates
SELECT id, g FROM t, generate_series(born, born + 2, '1 day') g WHERE id IN (1, 2) ORDER BY 1, 2;

-- name: generate_series_date_timestamp
SELECT id, g FROM t, generate_series(born, born + interval '2 days', '1 day') g WHERE id IN (1, 2) ORDER BY 1, 2;

-- name: generate_series_timestamptz
SELECT id, g FROM t, generate_series(seen, seen + interval '1 hour', interval '30 minutes') g WHERE id IN (2, 10)
ORDER BY 1, 2;

-- name: date_casts
SELECT id, born::timestamp, born::timestamptz, born::text FROM t ORDER BY id;

-- name: timestamptz_casts
SELECT id, seen::date, seen::timestamp, seen::text FROM t ORDER BY id;
SELECT id, seen::time, seen::timetz, seen::timestamptz(0) FROM t WHERE isfinite(seen) ORDER BY id;

-- name: date_styles
SET LOCAL datestyle = 'German';
SELECT id, born, seen FROM t ORDER BY id;

-- name: date_styles_sql
SET LOCAL datestyle = 'SQL, MDY';
SELECT id, born, seen, born::text FROM t ORDER BY id;
SELECT id FROM t WHERE born = '02/29/2000';

-- name: time_zones
SET LOCAL TimeZone = 'Asia/Kolkata';
SELECT id, seen, seen::date, date_trunc('day', seen) FROM t ORDER BY id;

-- name: date_epoch_arithmetic
SELECT id, extract(epoch FROM seen)::bigint % 86400, (extract(epoch FROM seen) - extract(epoch FROM born))::numeric(20,
    2) FROM t
WHERE isfinite(seen) AND isfinite(born) ORDER BY id;

-- name: date_group_by_month
SELECT date_trunc('month', born) AS month, count(*), min(born), max(born) FROM t WHERE isfinite(born) GROUP BY 1
ORDER BY 1;

-- name: date_current
SELECT count(*) FROM t WHERE born < current_date AND seen < now() AND seen < current_timestamp
    AND born < localtimestamp;

-- name: date_between_intervals
SELECT id FROM t WHERE seen BETWEEN timestamptz '2024-01-01' AND timestamptz '2024-01-01' + interval '1 month'
ORDER BY id;

-- name: date_ranges
SELECT id, daterange('1988-01-01', '2000-01-01') @> born, tstzrange('2024-01-01', '2024-12-31') @> seen FROM t
ORDER BY id;

-- name: number_ranges
SELECT id, int8range(1, 10) @> n, numrange(0, 10) @> amount FROM t ORDER BY id;

-- name: date_ranges_contained
SELECT id, born <@ daterange('1988-01-01', '2000-01-01'), seen <@ tstzrange(NULL, '2024-12-31') FROM t ORDER BY id;

-- name: number_ranges_contained
SELECT id, n <@ int8range(1, 10), amount <@ numrange(1, 20) FROM t ORDER BY id;

-- name: date_range_constructors
SELECT id, daterange(born, NULL), tstzrange(seen, seen + interval '1 day'), int8range(n, n + 1),
    numrange(price, price, '[]')
FROM t
WHERE abs(n) < 1000 ORDER BY id;

-- name: date_range_from_columns
SELECT id, daterange(born, born + 7) && daterange('1988-08-10', '1990-01-01'), lower(tstzrange(seen, NULL)) = seen
FROM t
WHERE isfinite(born) AND born < '5000-01-01' ORDER BY id;

-- name: date_greatest
SELECT id, greatest(born, date '2000-01-01'), least(seen, '2000-01-01'), greatest(born, '2000-01-01') FROM t
ORDER BY id;

-- name: date_text_concat
SELECT id, 'born ' || born, born || '/' || n FROM t WHERE id < 15 ORDER BY id;

-- name: date_in
SELECT id FROM t WHERE born IN ('1999-12-31', '2000-02-29', date '2024-02-29')
    OR seen IN ('1970-01-01 00:00+00', 'infinity')
ORDER BY id;

-- name: date_any_array
SELECT id FROM t WHERE born = ANY (ARRAY['1999-12-31', '2000-02-29']::date[]) ORDER BY id;

-- name: date_months_between
SELECT id, extract(year FROM age('2024-01-01'::timestamptz, seen)) * 12 + extract(month
    FROM age('2024-01-01'::timestamptz, seen)) AS months
FROM t WHERE isfinite(seen) ORDER BY id;

-- name: date_bad_arithmetic_fails
SELECT born + born FROM t;

-- name: date_out_of_range_fails
SELECT born + 2147483647 FROM t WHERE id = 1;
