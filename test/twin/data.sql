-- The rows, in schema "plain": NULLs, duplicates, empty strings, Unicode, signs, extremes. The twin is a copy.
SET search_path = plain, public;
SET TimeZone = 'Europe/Berlin';

INSERT INTO t (id, owner, note, name, raw, doc, n, amount, price, ratio, flag, born, seen, uid, host) VALUES
(1, 'ann', 'apple', 'Ann', '\x00', '{"a": 1, "b": [1, 2, 3]}', 1, 1.50, 1.50, 0.5, true,
    '1999-12-31', '2024-01-31 23:59:59.999999+01', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '192.168.1.5/24'),
(2, 'ann', 'Apple', 'anna', '\x01', '{"a": 2, "b": {"c": "deep"}}', 2, 2, 2, 1, false,
    '2000-02-29', '2024-02-29 12:00:00+00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', '192.168.1.6'),
(3, 'bob', 'banana', 'Bob', '\xdeadbeef', '["x", "y", {"z": null}]', -3, -3.333, -3.33, -1.25, NULL,
    '1970-01-01', '1970-01-01 00:00:00+00', 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '10.0.0.0/8'),
(4, 'bob', '', '', '', '{}', 0, 0, 0, 0, true,
    '0001-01-01 BC', '1900-01-01 00:00:00+00', '00000000-0000-0000-0000-000000000000', '0.0.0.0/0'),
(5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
(6, 'cyd', 'Straße', 'Müller', '\xc39f', '"just a string"', 9223372036854775807, 12345678901234567890.123456789,
    1234567890.12, 1.7976931348623157e308, false, '9999-12-31', '9999-12-31 23:59:59+00',
    'ffffffff-ffff-ffff-ffff-ffffffffffff', '2001:db8::1'),
(7, 'cyd', '日本語', '東京', '\xe697a5', '42', -9223372036854775807, -0.000000001, -0.01, 2.2250738585072014e-308, true,
    '1582-10-15', '2024-03-31 02:30:00+01', '12345678-1234-5678-1234-567812345678', '::1'),
(8, 'cyd', 'naïve café', 'Zoë', '\x5c5c', 'true', 100, 'NaN', 100, 'NaN', NULL,
    'infinity', 'infinity', 'c0ffee00-0000-4000-8000-000000000001', 'fe80::1/64'),
(9, NULL, 'apple', 'Ann', '\x00', '{"b": [1, 2, 3], "a": 1}', 1, 1.5, 1.5, 0.5, true,
    '1999-12-31', '2024-01-31 22:59:59.999999+00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '192.168.1.5/24'),
(10, 'dan', 'with ''quotes'' and "more"', 'O''Hara', '\x27', '{"it''s": "\"quoted\""}', 7, 1e20, 7.77, 1e20, false,
    '2024-02-29', '2024-02-29 00:00:00+00', 'd0000000-0000-4000-8000-00000000000a', '172.16.0.1/12'),
(11, 'dan', E'tab\tand\nline', 'back\slash', '\x090a', '{"tab": "a\tb", "n": null}', 8, 1e-20, 0, 1e-20, true,
    '2024-03-01', '2024-03-01 00:00:00+00', 'd0000000-0000-4000-8000-00000000000b', '172.16.0.2/32'),
(12, 'dan', 'comma, separated, list', 'a,b', '\x2c', '{"list": [1, "two", [3], {"four": 4}]}', 12, 12, 12.34, 12.5,
    NULL, '1988-08-08', '1988-08-08 08:08:08+02', 'd0000000-0000-4000-8000-00000000000c', '10.1.2.3/16'),
(13, 'eve', '  spaces  ', ' x ', '\x2020', '{"a": {"b": {"c": {"d": 1}}}}', 12, 12.0, 12.34, 12.5, false,
    '1988-08-08', '1988-08-08 06:08:08+00', 'd0000000-0000-4000-8000-00000000000c', '10.1.2.3/16'),
(14, 'eve', '50% off_all', 'per%cent', '\x25', '{"a": 1.50, "e": 1e3}', 50, 0.50, 0.50, 0.1, true,
    '2001-09-11', '2001-09-11 08:46:00-04', 'e0000000-0000-4000-8000-00000000000e', '10.1.2.4'),
(15, 'eve', '2024-05-06', '15', '\x31', '[1, 2, 3]', 15, 15.15, 15.15, 15.15, NULL,
    '2024-05-06', '2024-05-06 07:08:09.123456+00', 'e0000000-0000-4000-8000-00000000000f', '10.1.2.5'),
(16, 'eve', '12345', '16', '\x3132333435', '[3, 2, 1]', 16, 16.016, 16.02, 16.016, false,
    '2024-10-27', '2024-10-27 02:30:00+01', 'e0000000-0000-4000-8000-000000000010', '10.1.2.6'),
(17, NULL, '{"a": 17}', '17', '\x7b7d', '{"a": 17, "A": "big"}', 17, 'Infinity', 17, 'Infinity', true,
    '-infinity', '-infinity', 'e0000000-0000-4000-8000-000000000011', '2001:db8::/32'),
(18, 'fay', 'The quick brown fox jumps over the lazy dog', 'fox', '\xffff',
    '{"text": "quick foxes", "tags": ["a", "b"]}', 18, '-Infinity', 18, '-Infinity', true, '1905-06-07',
    '1905-06-07 12:34:56+00', 'f0000000-0000-4000-8000-000000000012', '203.0.113.7'),
(19, 'fay', '<b>bold</b> & more', 'x@y.example', '\x3c623e', '{"a": [], "b": {}, "c": ""}', 19, 19.999, 20.00, -0.0,
    false, '2020-12-31', '2020-12-31 23:59:60+00', 'f0000000-0000-4000-8000-000000000013', '203.0.113.8/25'),
(20, 'fay', repeat('long ', 600), 'long', decode(repeat('ab', 3000), 'hex'),
    jsonb_build_object('long', repeat('x', 3000)), 20, 20, 20, 20, true, '2020-02-02', '2020-02-02 20:02:02+00',
    'f0000000-0000-4000-8000-000000000014', '198.51.100.0/24');

INSERT INTO t
SELECT i, CASE WHEN i % 4 > 0 THEN 'o' || i % 5 END, 'note ' || i % 7, 'name' || i % 5,
    decode(lpad(to_hex(i), 4, '0'), 'hex'), jsonb_build_object('k', i % 4, 'tags', jsonb_build_array('t' || i % 3, i)),
    i % 6, i * 1.25, i * 1.25, i / 8.0, i % 2 = 0, date '1990-01-31' + i * 37,
    timestamptz '2024-01-01 00:00+00' + i * interval '7 hours 13 minutes',
    ('00000000-0000-4000-8000-' || lpad((i % 11)::text, 12, '0'))::uuid, inet '10.0.0.0' + i
FROM generate_series(21, 40) i;

INSERT INTO u SELECT id, note, raw, doc, n, amount, ratio, flag, born, seen, uid, host FROM t WHERE id % 5 IN (0, 3);
UPDATE u SET note = 'only here', n = n + 1000, born = born + 1, host = host + 1 WHERE id > 30 AND id % 5 = 3;
INSERT INTO p TABLE u;
