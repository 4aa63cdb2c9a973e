-- One round of all queries that are compared. Variable: round; 0 warms up and does not count.

SET max_parallel_workers_per_gather = 0;
SET jit = off;

SELECT measure('open plain', :round, 'SELECT sum(length(body)) FROM plain');
SELECT measure('open sealed', :round, 'SELECT sum(length(body)) FROM sealed');
SELECT measure('open raw_aes', :round,
    $$SELECT sum(length(convert_from(decrypt_iv(body, sha256('key'), iv, 'aes-cbc'), 'UTF8'))) FROM raw_aes$$);
SELECT measure('open plain_few', :round, 'SELECT sum(length(body)) FROM plain_few');
SELECT measure('open pgp', :round, $$SELECT sum(length(pgp_sym_decrypt(body, 'key'))) FROM pgp$$);

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
RESET work_mem;
