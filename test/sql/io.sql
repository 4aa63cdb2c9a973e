-- envcrypt.io: plaintext, ciphertext, auto, in both directions.
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE TABLE sealed (id int, t encrypted_text, b encrypted_bytea);
INSERT INTO sealed VALUES (1, 'value', '\xff'), (2, '', ''), (3, NULL, NULL);
SET envcrypt.io = ciphertext;
SELECT id, left(t::text, 11), length(b::text) FROM sealed ORDER BY id;
CREATE TABLE armored AS SELECT id, format('%s', t) AS t, format('%s', b) AS b FROM sealed;
SELECT id, left(t, 13), length(t), left(b, 13), length(b) FROM armored ORDER BY id;
INSERT INTO sealed VALUES (4, 'plain');
-- A cast is no input: it would seal.
INSERT INTO sealed SELECT id + 10, t::encrypted_text FROM armored WHERE t LIKE 'envcrypt1:%';
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT * FROM armored WHERE t LIKE 'envcrypt1:%' LOOP
        EXECUTE format('INSERT INTO sealed VALUES (%s, %L, %L)', r.id + 10, r.t, r.b);
    END LOOP;
END $$;
INSERT INTO sealed VALUES (5, 'envcrypt1:');
INSERT INTO sealed VALUES (5, 'envcrypt1:AAAA');
INSERT INTO sealed VALUES (5, 'envcrypt1:not base64');
-- A sealed bytea is no sealed text.
DO $$
BEGIN
    EXECUTE format('INSERT INTO sealed VALUES (6, %L)', (SELECT b FROM armored WHERE id = 1));
EXCEPTION WHEN SQLSTATE 'ZE002' THEN
    RAISE NOTICE '%', SQLERRM;
END $$;
SET envcrypt.io = plaintext;
SELECT id, t, b FROM sealed ORDER BY id;
-- Never sealed twice.
INSERT INTO sealed SELECT 7, t::encrypted_text FROM armored WHERE id = 1;
INSERT INTO sealed SELECT 7, encrypt_for_user('x', t) FROM armored WHERE id = 1;
SET envcrypt.io = auto;
INSERT INTO sealed SELECT 7, t::encrypted_text FROM armored WHERE id = 1;
\set text `echo envcrypt1:AAAA`
INSERT INTO sealed VALUES (7, :'text');
SELECT id, t, b FROM sealed ORDER BY id;
-- pg_dump and pg_restore speak ciphertext by themselves, in auto.
SET application_name = 'pg_dump';
SELECT left(format('%s', t), 11) FROM sealed WHERE id = 1;
SET envcrypt.io = plaintext;
SELECT left(format('%s', t), 11) FROM sealed WHERE id = 1;
RESET envcrypt.io;
RESET application_name;

-- Bytes as they are, in binary.
SET envcrypt.io = ciphertext;
COPY (SELECT t, b FROM sealed WHERE id < 10 ORDER BY id) TO '/tmp/regress_envcrypt.bin' (FORMAT binary);
CREATE TABLE copied (t encrypted_text, b encrypted_bytea);
COPY copied FROM '/tmp/regress_envcrypt.bin' (FORMAT binary);
SELECT count(*) FROM sealed s JOIN copied c ON format('%s', s.t) = format('%s', c.t) WHERE s.id < 10;
SET envcrypt.io = plaintext;
COPY copied FROM '/tmp/regress_envcrypt.bin' (FORMAT binary);
COPY (SELECT t, b FROM sealed WHERE id < 10 ORDER BY id) TO '/tmp/regress_envcrypt.bin' (FORMAT binary);
TRUNCATE copied;
COPY copied FROM '/tmp/regress_envcrypt.bin' (FORMAT binary);
SELECT * FROM copied;
RESET envcrypt.io;
SELECT t::text FROM copied;
COPY (SELECT ''::text) TO PROGRAM 'cat >/dev/null; rm -f /tmp/regress_envcrypt.bin';

-- Damage: every bit, every truncation, every extension; one error for all. Binary input is what takes any bytes.
CREATE FUNCTION opens(sealed bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE format('SELECT %L::encrypted_text', 'envcrypt1:' || translate(encode(sealed, 'base64'), E'\n', ''));
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SET envcrypt.io = ciphertext;
CREATE TABLE one AS SELECT decode(substr(format('%s', t), 11), 'base64') AS bytes FROM sealed WHERE id = 1;
SELECT opens(bytes) FROM one;
SELECT opens(set_bit(bytes, i, 1 - get_bit(bytes, i))), count(*) FROM one, generate_series(0, length(bytes) * 8 - 1) i
WHERE i / 8 NOT BETWEEN 4 AND 11 GROUP BY 1;
SELECT opens(substr(bytes, 1, i)), count(*) FROM one, generate_series(0, length(bytes) - 1) i GROUP BY 1;
SELECT opens(bytes || '\x00') FROM one;
-- Another key id is one that no key has. A role that is trusted with sealed values may store it; it does not open.
SELECT opens(set_bit(bytes, i, 1 - get_bit(bytes, i))), count(*) FROM one, generate_series(0, length(bytes) * 8 - 1) i
WHERE i / 8 BETWEEN 4 AND 11 GROUP BY 1;
CREATE TABLE foreign_key_id (t encrypted_text);
DO $$
BEGIN
    EXECUTE format('INSERT INTO foreign_key_id VALUES (%L)', (SELECT 'envcrypt1:' ||
        translate(encode(set_byte(bytes, 11, get_byte(bytes, 11) # 1), 'base64'), E'\n', '') FROM one));
END $$;
SET envcrypt.io = auto;
SELECT t FROM foreign_key_id;
DROP TABLE sealed, armored, copied, one, foreign_key_id;
DROP FUNCTION opens;
