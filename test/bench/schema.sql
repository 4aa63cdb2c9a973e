-- Data of the benchmark. Variables: rows, few, copy_file. Values of 32 bytes; 1,000 owners take turns from row to row.

CREATE EXTENSION envcrypt;
CREATE EXTENSION pgcrypto;
GRANT envcrypt_encrypt, envcrypt_decrypt TO postgres;
SELECT envcrypt_rotate_master();

CREATE TABLE plain AS
SELECT i AS id, 'owner' || i % 1000 AS owner, md5(i::text) AS body FROM generate_series(1, :rows) AS i;

CREATE TABLE sealed (id int, owner text, body encrypted_text);
INSERT INTO sealed SELECT id, owner, encrypt_for_user(owner, body) FROM plain;

-- A row of three: text, numeric, date.
CREATE TABLE plain_row AS
SELECT id, owner, body, (id * 7 % 1000000)::numeric / 100 AS amount, date '1950-01-01' + id % 20000 AS born,
       ((id * 7 % 1000000)::numeric / 100)::text AS amount_text, (date '1950-01-01' + id % 20000)::text AS born_text
FROM plain;
CREATE TABLE sealed_row (id int, owner text, body encrypted_text, amount encrypted_numeric, born encrypted_date);
INSERT INTO sealed_row
SELECT id, owner, encrypt_for_user(owner, body), encrypt_for_user(owner, amount), encrypt_for_user(owner, born)
FROM plain_row;

-- What INSERT and COPY write into.
CREATE TABLE written_plain (id int, owner text, body text);
CREATE TABLE written_protected (id int, owner text, body text);
SELECT envcrypt_protect('written_protected', 'body', 'owner');
COPY plain TO :'copy_file';

-- pgcrypto has no key per owner; one key for all rows is the easier case.
CREATE TABLE raw_aes (id int, owner text, iv bytea, body bytea);
INSERT INTO raw_aes
SELECT id, owner, iv, encrypt_iv(convert_to(body, 'UTF8'), sha256('key'), iv, 'aes-cbc')
FROM (SELECT *, gen_random_bytes(16) AS iv FROM plain OFFSET 0) AS s;

CREATE TABLE plain_few AS SELECT * FROM plain LIMIT :few;
CREATE TABLE pgp AS SELECT id, owner, pgp_sym_encrypt(body, 'key', 'cipher-algo=aes256') AS body FROM plain_few;

CREATE TABLE times (name text, round int, ms float8);

-- Runs a query and notes its execution time: in the server, without sending rows.
CREATE FUNCTION measure(name text, round int, query text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    report json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || query INTO report;
    INSERT INTO times VALUES (name, round, (report -> 0 ->> 'Execution Time')::float8);
END
$$;

-- The same for a utility statement, by the clock.
CREATE FUNCTION measure_statement(name text, round int, statement text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    start timestamptz := clock_timestamp();
BEGIN
    EXECUTE statement;
    INSERT INTO times VALUES (name, round, 1000 * extract(epoch FROM clock_timestamp() - start));
END
$$;
