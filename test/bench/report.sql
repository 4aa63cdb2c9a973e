-- The comparison, medians of the rounds that count. Variables: rows, few, limit_open, limit_seal (nanoseconds).

CREATE TEMP VIEW median AS
SELECT name, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms FROM times WHERE round > 0 GROUP BY name;

CREATE TEMP VIEW cost AS
SELECT work, label, place, m.ms, n.count AS values,
       1e6 * (m.ms - b.ms) / n.count AS ns
FROM (VALUES
    (1, 'open', 'envcrypt, a key for each of 1,000 owners', 'open sealed', 'open plain', :rows),
    (2, 'open', 'pgcrypto decrypt_iv AES-256-CBC, one key', 'open raw_aes', 'open plain', :rows),
    (3, 'open', 'pgcrypto pgp_sym_decrypt', 'open pgp', 'open plain_few', :few),
    (4, 'seal', 'envcrypt encrypt_for_user, 1,000 owners', 'seal sealed', 'seal plain', :rows),
    (5, 'seal', 'pgcrypto encrypt_iv AES-256-CBC, one key', 'seal raw_aes', 'seal plain', :rows),
    (6, 'seal', 'pgcrypto pgp_sym_encrypt', 'seal pgp', 'open plain_few', :few))
    AS n (place, work, label, name, base, count)
JOIN median m USING (name)
JOIN median b ON b.name = n.base
UNION ALL VALUES
    ('open', 'limit: bare OpenSSL EVP, AES-256-GCM', 0, NULL::float8, :rows, :limit_open::float8),
    ('seal', 'limit: bare OpenSSL EVP, AES-256-GCM', 3.5, NULL, :rows, :limit_seal);

\pset footer off
\pset null ''
\echo
\echo 'Opening and sealing: execution time of EXPLAIN (ANALYZE, TIMING OFF);'
\echo 'ns a value beyond the same query on plain text'
SELECT c.work, c.label AS "by", c.values, round(c.ms::numeric, 1) AS "query ms", round(c.ns::numeric) AS "ns a value",
       round((c.ns / l.ns)::numeric, 2) AS "times the limit",
       CASE c.place WHEN 1 THEN '<= 1.5 times the limit' WHEN 4 THEN '<= 700 ns' END AS target
FROM cost c JOIN cost l ON l.work = c.work AND l.label LIKE 'limit%'
ORDER BY c.place;

\echo 'Plain text beside it: whole queries'
SELECT p.label AS query, round(a.ms::numeric, 1) AS "plain ms", round(b.ms::numeric, 1) AS "envcrypt ms",
       round((b.ms / a.ms)::numeric, 1) AS "times plain",
       round((1e6 * (b.ms - a.ms) / :rows)::numeric) AS "ns a row more"
FROM (VALUES (1, 'scan and open, sum(length(body))', 'open plain', 'open sealed'),
             (2, 'scan of text, numeric and date', 'row plain', 'row sealed'),
             (3, 'ORDER BY body (target: 4 times)', 'order plain', 'order sealed'),
             (4, 'SELECT DISTINCT body (target: 4 times)', 'distinct plain', 'distinct sealed'),
             (5, 'GROUP BY body (target: 4 times)', 'group plain', 'group sealed'),
             (6, 'INSERT through the owner trigger (target: 2,000 ns)', 'insert plain', 'insert protected'),
             (7, 'COPY through the owner trigger (target: 2,000 ns)', 'copy plain', 'copy protected'))
    AS p (place, label, plain, sealed)
JOIN median a ON a.name = p.plain
JOIN median b ON b.name = p.sealed
ORDER BY p.place;

\echo 'A row of text, numeric and date: what opening it adds, and the limit:'
\echo '1.5 times bare EVP, and the base types'' own input'
SELECT round(1e6 * (sealed.ms - plain.ms) / :rows) AS "ns a row more", round(3 * 1.5 * :limit_open) AS "1.5 times EVP",
       round(1e6 * (input.ms - plain.ms) / :rows) AS "own input",
       round(3 * 1.5 * :limit_open + 1e6 * (input.ms - plain.ms) / :rows) AS "limit"
FROM median sealed, median plain, median input
WHERE sealed.name = 'row sealed' AND plain.name = 'row plain' AND input.name = 'row input';

\echo 'Table sizes'
SELECT relname AS table, pg_size_pretty(pg_table_size(oid)) AS size
FROM pg_class WHERE relname IN ('plain', 'sealed', 'raw_aes') ORDER BY relname;
