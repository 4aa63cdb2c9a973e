-- One round of all queries that are compared. Variables: round; 0 warms up and does not count. copy_file.

SET max_parallel_workers_per_gather = 0;
SET jit = off;

SELECT measure('open plain', :round, 'SELECT sum(length(body)) FROM plain');
SELECT measure('open sealed', :round, 'SELECT sum(length(body)) FROM sealed');
SELECT measure('open raw_aes', :round,
    $$SELECT sum(length(convert_from(decrypt_iv(body, sha256('key'), iv, 'aes-cbc'), 'UTF8'))) FROM raw_aes$$);
SELECT measure('open plain_few', :round, 'SELECT sum(length(body)) FROM plain_few');
SELECT measure('open pgp', :round, $$SELECT sum(length(pgp_sym_decrypt(body, 'key'))) FROM pgp$$);

-- A row of three, and what the base types' own input of the same costs.
SELECT measure('row plain', :round, 'SELECT sum(length(body)), sum(amount), max(born) FROM plain_row');
SELECT measure('row sealed', :round, 'SELECT sum(length(body)), sum(amount), max(born) FROM sealed_row');
SELECT measure('row input', :round, 'SELECT sum(length(body)), sum(amount_text::numeric), max(born_text::date)
    FROM plain_row');

SELECT measure('seal plain', :round, 'SELECT count(length(body)) FROM plain');
SELECT measure('seal sealed', :round, 'SELECT count(encrypt_for_user(owner, body)) FROM plain');
SELECT measure('seal raw_aes', :round,
    $$SELECT count(encrypt_iv(convert_to(body, 'UTF8'), sha256('key'), gen_random_bytes(16), 'aes-cbc')) FROM plain$$);
SELECT measure('seal pgp', :round,
    $$SELECT count(pgp_sym_encrypt(body, 'key', 'cipher-algo=aes256')) FROM plain_few$$);

SET work_mem = '1GB';
SELECT measure('order plain', :round, 'SELECT count(*) FROM (SELECT body FROM plain ORDER BY body OFFSET 0) AS s');
SELECT measure('order sealed', :round, 'SELECT count(*) FROM (SELECT body FROM sealed ORDER BY body OFFSET 0) AS s');
SELECT measure('distinct plain', :round, 'SELECT count(*) FROM (SELECT DISTINCT body FROM plain) AS s');
SELECT measure('distinct sealed', :round, 'SELECT count(*) FROM (SELECT DISTINCT body FROM sealed) AS s');
SELECT measure('group plain', :round, 'SELECT count(*) FROM (SELECT body, count(*) FROM plain GROUP BY body) AS s');
SELECT measure('group sealed', :round, 'SELECT count(*) FROM (SELECT body, count(*) FROM sealed GROUP BY body) AS s');
RESET work_mem;

SELECT measure('insert plain', :round, 'INSERT INTO written_plain SELECT id, owner, body FROM plain');
SELECT measure('insert protected', :round, 'INSERT INTO written_protected SELECT id, owner, body FROM plain');
TRUNCATE written_plain, written_protected;
SELECT measure_statement('copy plain', :round, format('COPY written_plain FROM %L', :'copy_file'));
SELECT measure_statement('copy protected', :round, format('COPY written_protected FROM %L', :'copy_file'));
TRUNCATE written_plain, written_protected;
