-- Chapters 9.12 and 9.14: network addresses and UUIDs.

-- name: uuid_order
SELECT id, uid FROM t ORDER BY uid, id;

-- name: uuid_in
SELECT id FROM t WHERE uid IN ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'c0ffee00-0000-4000-8000-000000000001')
ORDER BY id;

-- name: uuid_any
SELECT id FROM t WHERE uid = ANY ('{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,d0000000-0000-4000-8000-00000000000c}')
ORDER BY id;

-- name: uuid_text
SELECT id, uid::text, upper(uid::text), replace(uid::text, '-', ''), left(uid::text, 8) FROM t ORDER BY id;

-- name: uuid_from_text
SELECT id FROM t WHERE uid::text LIKE 'a0%' OR uid = (repeat('f', 32))::uuid ORDER BY id;

-- name: uuid_coalesce
SELECT id, coalesce(uid, '00000000-0000-0000-0000-000000000000'), nullif(uid, '00000000-0000-0000-0000-000000000000')
FROM t
ORDER BY id;

-- name: uuid_group
SELECT uid, count(*) FROM t GROUP BY uid HAVING count(*) > 1 ORDER BY uid;

-- name: uuid_join
SELECT t.id, u.id FROM t JOIN u ON t.uid = u.uid ORDER BY 1, 2;

-- name: uuid_max_fails
SELECT max(uid) FROM t;

-- name: uuid_random
SELECT count(*) FROM t WHERE uid <> gen_random_uuid();

-- name: inet_containment
SELECT id, host << '10.0.0.0/8', host <<= '192.168.1.0/24', host >> '192.168.1.5', host >>= '10.1.2.3',
    host && '203.0.113.0/24'
FROM t ORDER BY id;

-- name: inet_containment_cidr
SELECT id, host << cidr '10.0.0.0/8', cidr '10.0.0.0/8' >> host, inet '10.0.0.0/8' >>= host, cidr '10.0.0.0/8' && host
FROM t
ORDER BY id;

-- name: inet_containment_columns
SELECT t.id, u.id FROM t JOIN u ON t.host << u.host ORDER BY 1, 2;

-- name: inet_bits
SELECT id, ~ host, host & '0.0.255.255', host | '0.0.0.255' FROM t WHERE family(host) = 4 ORDER BY id;

-- name: inet_arithmetic
SELECT id, host + 25, 25 + host, host - 1, host - inet '10.0.0.1' FROM t WHERE family(host) = 4 AND host > '9.0.0.0'
ORDER BY id;

-- name: inet_minus_columns
SELECT t.id, t.host - u.host, t.host - p.host FROM t JOIN u USING (id) JOIN p USING (id) WHERE t.id <> 5 ORDER BY 1;

-- name: inet_plus_column
SELECT id, host + n FROM t WHERE family(host) = 4 AND n BETWEEN 0 AND 100 AND host < '240.0.0.0' ORDER BY id;

-- name: inet_functions
SELECT id, abbrev(host), broadcast(host), family(host), host(host), hostmask(host), masklen(host), netmask(host),
    network(host)
FROM t ORDER BY id;

-- name: inet_functions_two
SELECT id, inet_merge(host, '10.1.0.0/16'), inet_same_family(host, '::1'), set_masklen(host, 16), text(host) FROM t
WHERE family(host) = 4 ORDER BY id;

-- name: inet_merge_columns
SELECT t.id, inet_merge(t.host, u.host), inet_same_family(t.host, u.host) FROM t JOIN u USING (id) WHERE t.id <> 5
ORDER BY 1;

-- name: inet_set_masklen_column
SELECT id, set_masklen(host, n::int) FROM t WHERE n BETWEEN 0 AND 32 ORDER BY id;

-- name: inet_casts
SELECT id, host::text, host::cidr, set_masklen(host::cidr, 8), host::varchar FROM t WHERE id IN (1, 3, 6, 17)
ORDER BY id;

-- name: inet_order
SELECT id, host FROM t ORDER BY host, id;

-- name: inet_group_by_network
SELECT network(set_masklen(host, 24)) AS net, count(*) FROM t WHERE family(host) = 4 GROUP BY 1 ORDER BY 1;

-- name: inet_aggregates
SELECT min(host), max(host), count(DISTINCT host) FROM t;

-- name: inet_in
SELECT id FROM t WHERE host IN ('192.168.1.6', '::1', inet '10.1.2.3/16') ORDER BY id;

-- name: inet_coalesce
SELECT id, coalesce(host, '0.0.0.0'), coalesce(host, cidr '10.0.0.0/8'), nullif(host, '::1') FROM t ORDER BY id;

-- name: inet_like_text
SELECT id FROM t WHERE host::text LIKE '10.%' OR host(host) = '::1' ORDER BY id;

-- name: inet_different_families_fails
SELECT host & '255.0.0.0' FROM t WHERE id = 6;

-- name: inet_out_of_range_fails
SELECT host - 1 FROM t WHERE id = 4;
