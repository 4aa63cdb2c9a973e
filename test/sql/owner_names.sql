-- What SQL takes for one owner is one owner: one data key, which shredding destroys.
\set SHOW_CONTEXT never
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SET client_min_messages = warning;
CREATE EXTENSION citext;
CREATE SCHEMA names;
SET search_path = names, public;
CREATE TABLE before AS SELECT owner FROM envcrypt_data_keys WHERE kind = 'data' AND owner IS NOT NULL;
CREATE FUNCTION keys() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(owner, ' ' ORDER BY owner COLLATE "C") FROM envcrypt_data_keys
    WHERE kind = 'data' AND owner NOT IN (SELECT owner FROM before)
$$;
CREATE DOMAIN person AS citext CHECK (VALUE <> '');
CREATE DOMAIN amount AS numeric;

-- Owner columns: before and after they are protected, each way of writing.
CREATE TABLE n (id int, o numeric, v text);
INSERT INTO n VALUES (1, 701, 'a'), (2, 701.0, 'b'), (3, 701.000, 'c'), (4, 0.50, 'd'), (5, .5, 'e'), (6, -70.0, 'f'),
    (7, '-7e1', 'g'), (8, 7e3, 'h'), (9, 7000.00, 'i'),
    (10, 'NaN', 'j'), (11, '-inf', 'k');
SELECT envcrypt_protect('n', 'v', 'o');
INSERT INTO n VALUES (12, 701.00, 'l'), (13, '0.500', 'm'), (14, '-Infinity', 'n'), (15, 'nan', 'o'), (16, 700e1, 'p'),
    (17, 1e-3, 'q'), (18, 0.0010, 'r');
UPDATE n SET o = 701.0000, v = 'C' WHERE id = 3;
SELECT envcrypt_owner(v), string_agg(id::text, ' ' ORDER BY id) FROM n GROUP BY 1 ORDER BY 1;
SELECT * FROM envcrypt_verify('n');
SELECT keys();
SELECT envcrypt_shred_user('701') IS NOT NULL AS done;
SELECT count(*) FILTER (WHERE envcrypt_owner(v) IS NULL) AS shredded, count(*) FROM n WHERE o = 701;

CREATE TABLE c (id int, o citext, v text);
INSERT INTO c VALUES (1, 'Name-Ann', 'a'), (2, 'name-ann', 'b'), (3, 'NAME-ANN', 'c'), (4, 'Name-ann ', 'with a blank');
SELECT envcrypt_protect('c', 'v', 'o');
INSERT INTO c VALUES (5, 'nAME-aNN', 'd');
UPDATE c SET o = 'NAME-Ann', v = 'B' WHERE id = 2;
SELECT envcrypt_owner(v) || '.' AS owner, string_agg(id::text, ' ' ORDER BY id) FROM c GROUP BY 1 ORDER BY 1;
SELECT * FROM envcrypt_verify('c');
SELECT envcrypt_shred_user('name-ann') IS NOT NULL AS done;
SELECT count(*) FILTER (WHERE envcrypt_owner(v) IS NULL) AS shredded, count(*) FROM c WHERE o = 'Name-Ann';

CREATE TABLE b (id int, o char(12), v text);
INSERT INTO b VALUES (1, 'name-bob', 'a'), (2, 'name-bob   ', 'b');
SELECT envcrypt_protect('b', 'v', 'o');
INSERT INTO b VALUES (3, 'name-bob ', 'c');
SELECT envcrypt_owner(v) || '.' AS owner, count(*) FROM b GROUP BY 1;
SELECT * FROM envcrypt_verify('b');

-- By domains, online, and in partitions of another form.
CREATE TABLE d (id int, o person, p amount, v text, w text);
INSERT INTO d VALUES (1, 'Name-Dom', 702.0, 'a', 'a'), (2, 'name-dom', 702, 'b', 'b');
SELECT envcrypt_protect('d', 'v', 'o');
SELECT envcrypt_protect('d', 'w', 'p');
INSERT INTO d VALUES (3, 'name-DOM', 702.00, 'c', 'c');
SELECT envcrypt_owner(v), envcrypt_owner(w), count(*) FROM d GROUP BY 1, 2;
SELECT * FROM envcrypt_verify('d');
CREATE TABLE online (id int, o numeric, v text) PARTITION BY RANGE (id);
CREATE TABLE online_1 PARTITION OF online FOR VALUES FROM (0) TO (10);
INSERT INTO online VALUES (1, 703.0, 'a'), (2, 703, 'b');
CALL envcrypt_protect_online('online', 'v', 'o');
INSERT INTO online VALUES (3, 703.00, 'c');
SELECT envcrypt_owner(v), count(*) FROM online GROUP BY 1;
SELECT "column", problem, rows FROM envcrypt_verify('online');

-- Tables of users: one key for one user, and it dies with the last row that SQL takes for him.
CREATE TABLE users (o numeric, note text);
INSERT INTO users VALUES (704, ''), (704.0, '');
SELECT envcrypt_manage_owners('users', 'o', on_delete => 'shred');
INSERT INTO users VALUES (704.00, ''), (705.10, '');
SELECT keys();
DELETE FROM users WHERE o::text = '704.0';
SELECT keys();
DELETE FROM users WHERE o = 704;
SELECT keys();
TRUNCATE users;
SELECT keys();
CREATE TABLE members (o citext);
INSERT INTO members VALUES ('Name-Eve'), ('NAME-EVE');
SELECT envcrypt_manage_owners('members', 'o', on_delete => 'shred');
INSERT INTO members VALUES ('name-eve'), ('Name-Fay');
UPDATE members SET o = 'NAME-fay' WHERE o = 'name-fay';
SELECT keys();
DELETE FROM members WHERE o::text = 'Name-Eve';
SELECT keys();
DELETE FROM members WHERE o = 'name-eve';
SELECT keys();
CREATE TABLE cards (o char(12));
SELECT envcrypt_manage_owners('cards', 'o', on_delete => 'shred');
INSERT INTO cards VALUES ('name-gus'), ('name-gus  ');
SET envcrypt.auto_create_owners = managed;
INSERT INTO c VALUES (6, 'Name-FAY', 'a');
INSERT INTO b VALUES (4, 'name-gus', 'a');
INSERT INTO c VALUES (7, 'Name-unknown', 'a');
RESET envcrypt.auto_create_owners;

-- What has no such form is refused, with what to use instead.
CREATE TYPE mood AS ENUM ('name-sad');
CREATE DOMAIN mood_domain AS mood;
CREATE TYPE pg_temp.citext AS ENUM ('x');
CREATE DOMAIN names.citext AS text;
CREATE COLLATION same (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE refused (e mood, ed mood_domain, k text COLLATE same, kv varchar(10) COLLATE same,
    kc char(10) COLLATE same, f float8, b bool, d date, ts timestamptz,
    j jsonb, a int[], r int4range, x pg_temp.citext, fine names.citext, v text);
SELECT envcrypt_protect('refused', 'v', 'e');
DO $$
DECLARE
    owner name;
BEGIN
    FOREACH owner IN ARRAY '{e,ed,k,kv,kc,f,b,d,ts,j,a,r,x,fine}'::name[] LOOP
        BEGIN
            PERFORM envcrypt_protect('refused', 'v', owner);
            RAISE WARNING '%: protected', owner;
            PERFORM envcrypt_unprotect('refused', 'v');
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING '%: % %', owner, SQLSTATE, SQLERRM;
        END;
        BEGIN
            PERFORM envcrypt_manage_owners('refused', owner);
            RAISE WARNING '%: managed', owner;
            PERFORM envcrypt_unmanage_owners('refused');
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING '%: % %', owner, SQLSTATE, SQLERRM;
        END;
    END LOOP;
END $$;
CALL envcrypt_protect_online('refused', 'v', 'k');

-- A trigger made by hand for such a column refuses every row, and verification names it.
CREATE TABLE by_hand (o text COLLATE same, v encrypted_text);
CREATE TRIGGER "~envcrypt_9" BEFORE INSERT OR UPDATE ON by_hand FOR EACH ROW WHEN (new.v IS NOT NULL OR new.o IS NULL)
    EXECUTE FUNCTION envcrypt_owner_trigger('9', 'error', 'text');
INSERT INTO by_hand VALUES ('Name-Ann', 'a');
SELECT * FROM envcrypt_verify('by_hand');

SET client_min_messages = error;
DROP SCHEMA names CASCADE;
DROP EXTENSION citext;
