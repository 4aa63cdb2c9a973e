-- envcrypt_verify(): opens everything, and says what does not open or is not the row owner's.
\set SHOW_CONTEXT never
SET envcrypt.allow_data_loss = on;
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE SCHEMA "Verify Me";
CREATE TABLE "Verify Me"."T" (id int PRIMARY KEY, "Owner" text, pay encrypted_numeric, "Mo ""od" encrypted_text,
    loose encrypted_date, list encrypted_text[], note text);
CREATE TRIGGER "~envcrypt_101" BEFORE INSERT OR UPDATE ON "Verify Me"."T" FOR EACH ROW
    WHEN (new.pay IS NOT NULL OR new."Owner" IS NULL) EXECUTE FUNCTION envcrypt_owner_trigger('101', 'error',
        'numeric');
CREATE TRIGGER "~envcrypt_102" BEFORE INSERT OR UPDATE ON "Verify Me"."T" FOR EACH ROW
    WHEN (new."Mo ""od" IS NOT NULL) EXECUTE FUNCTION envcrypt_owner_trigger('102', 'database', 'text');
ALTER TABLE "Verify Me"."T" DROP COLUMN note;
INSERT INTO "Verify Me"."T" SELECT i, 'v-' || i % 3, i, 'mood ' || i, date '2020-01-01' + i, ARRAY['a', 'b', NULL]
FROM generate_series(1, 10) i;
INSERT INTO "Verify Me"."T" (id, "Owner") VALUES (11, 'v-x');
SELECT * FROM envcrypt_verify('"Verify Me"."T"');
SELECT * FROM envcrypt_verify('"Verify Me"."T"', 100, 0) WHERE problem IS NOT NULL;
-- Every fault there is.
ALTER TABLE "Verify Me"."T" DISABLE TRIGGER USER;
UPDATE "Verify Me"."T" SET "Owner" = 'v-new' WHERE id IN (1, 2, 3);
UPDATE "Verify Me"."T" SET pay = '77' WHERE id = 4;
UPDATE "Verify Me"."T" SET pay = encrypt_for_user("Owner", 55::numeric) WHERE id = 5;
UPDATE "Verify Me"."T" SET pay = envcrypt_bind(55::numeric, "Owner", 9) WHERE id = 6;
UPDATE "Verify Me"."T" SET "Mo ""od" = encrypt_for_user('v-1', 'mine') WHERE id = 7;
UPDATE "Verify Me"."T" SET loose = encrypt_for_user('v-gone', date '2020-01-01'), list[2] = encrypt_for_user('v-gone',
    'x')
WHERE id IN (8, 9);
SELECT envcrypt_shred_user('v-gone') IS NOT NULL AS shredded;
UPDATE "Verify Me"."T" SET loose = encrypt_for_user('v-lost', date '2020-01-01') WHERE id = 10;
BEGIN;
DELETE FROM envcrypt_data_keys WHERE owner = 'v-lost';
SELECT * FROM envcrypt_verify('"Verify Me"."T"');
SELECT * FROM envcrypt_verify('"Verify Me"."T"', max_examples => 1) WHERE problem IS NOT NULL;
ROLLBACK;
-- A changed value.
CREATE FUNCTION flipped(sealed text) RETURNS text LANGUAGE sql AS $$
    SELECT 'envcrypt1:' || encode(set_byte(raw, length(raw) - 1, get_byte(raw, length(raw) - 1) # 1), 'base64')
    FROM decode(substr(sealed, 11), 'base64') AS raw
$$;
SET envcrypt.io = ciphertext;
CREATE TABLE flips AS SELECT format('%s', loose) AS sealed FROM "Verify Me"."T" WHERE id = 1;
RESET envcrypt.master_key;
GRANT envcrypt_decrypt TO CURRENT_USER;
UPDATE "Verify Me"."T" SET loose = (SELECT flipped(sealed)::encrypted_date FROM flips) WHERE id = 1;
REVOKE envcrypt_decrypt FROM CURRENT_USER;
RESET envcrypt.io;
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
SELECT * FROM envcrypt_verify('"Verify Me"."T"') WHERE "column" = 'loose';
-- A sample.
SELECT "column", problem, rows FROM envcrypt_verify('"Verify Me"."T"', 0);
SELECT count(*) FROM envcrypt_verify('"Verify Me"."T"', 99.99);

-- Who may, and of what.
CREATE ROLE regress_ec_reader IN ROLE envcrypt_decrypt;
CREATE ROLE regress_ec_writer IN ROLE envcrypt_encrypt;
CREATE TABLE mine (id int, v encrypted_text);
GRANT SELECT ON mine TO regress_ec_reader, regress_ec_writer;
INSERT INTO mine VALUES (1, 'a'), (2, NULL);
CREATE MATERIALIZED VIEW seen AS SELECT * FROM mine;
CREATE VIEW looks AS SELECT * FROM mine;
CREATE TABLE nothing_in_it (v encrypted_text, id int);
CREATE TABLE nothing_encrypted (id int);
SELECT * FROM envcrypt_verify('mine');
SELECT * FROM envcrypt_verify('seen');
SELECT * FROM envcrypt_verify('looks');
SELECT * FROM envcrypt_verify('nothing_in_it');
SELECT * FROM envcrypt_verify('nothing_encrypted');
SELECT * FROM envcrypt_verify(NULL);
SELECT * FROM envcrypt_verify(0);
SELECT * FROM envcrypt_verify('mine', 101);
SELECT * FROM envcrypt_verify('mine', 'NaN');
SELECT * FROM envcrypt_verify('mine', 50, -1);
SELECT * FROM envcrypt_verify('mine', 50, 101);
SET ROLE regress_ec_reader;
SELECT * FROM envcrypt_verify('mine');
SELECT * FROM envcrypt_verify('nothing_in_it');
SET ROLE regress_ec_writer;
RESET envcrypt.master_key;
SELECT * FROM envcrypt_verify('mine');
SET ROLE regress_ec_reader;
SELECT * FROM envcrypt_verify('mine');
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
RESET ROLE;
-- Rows that are hidden are not left out in silence.
ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
SET ROLE regress_ec_reader;
SELECT * FROM envcrypt_verify('mine');
RESET ROLE;

-- Partitions and children, each with a trigger of its own or without; owners of other types.
CREATE TABLE parted (region text, who uuid, v encrypted_text) PARTITION BY LIST (region);
CREATE TABLE parted_n PARTITION OF parted FOR VALUES IN ('n');
CREATE TABLE parted_s (v encrypted_text, who uuid, region text);
ALTER TABLE parted ATTACH PARTITION parted_s FOR VALUES IN ('s');
CREATE TRIGGER "~envcrypt_103" BEFORE INSERT OR UPDATE ON parted FOR EACH ROW
    WHEN (new.v IS NOT NULL OR new.who IS NULL) EXECUTE FUNCTION envcrypt_owner_trigger('103', 'error', 'text');
INSERT INTO parted VALUES ('n', '00000000-0000-0000-0000-000000000001', 'x'),
    ('s', '00000000-0000-0000-0000-000000000002', 'y'), ('s', '00000000-0000-0000-0000-000000000003', 'z');
SELECT envcrypt_owner(v) FROM parted ORDER BY 1;
SELECT * FROM envcrypt_verify('parted');
ALTER TABLE parted_s DISABLE TRIGGER USER;
UPDATE parted_s SET who = '00000000-0000-0000-0000-000000000004' WHERE who = '00000000-0000-0000-0000-000000000003';
SELECT * FROM envcrypt_verify('parted');
SELECT * FROM envcrypt_verify('parted_s');
CREATE TABLE parent (who smallint, v encrypted_text);
CREATE TABLE child (more encrypted_text) INHERITS (parent);
CREATE TRIGGER "~envcrypt_104" BEFORE INSERT OR UPDATE ON child FOR EACH ROW
    WHEN (new.v IS NOT NULL OR new.who IS NULL) EXECUTE FUNCTION envcrypt_owner_trigger('104', 'error', 'text');
INSERT INTO parent VALUES (1, 'x');
INSERT INTO child VALUES (1, 'x', 'more');
SELECT * FROM envcrypt_verify('parent');
ALTER TABLE child DISABLE TRIGGER USER;
UPDATE child SET v = 'loose';
SELECT * FROM envcrypt_verify('parent');
SELECT * FROM envcrypt_verify('child');

-- In parallel, and each value is opened once.
CREATE TABLE many (owner text, a encrypted_text, b encrypted_int8);
CREATE TRIGGER "~envcrypt_105" BEFORE INSERT OR UPDATE ON many FOR EACH ROW
    WHEN (new.a IS NOT NULL OR new.owner IS NULL) EXECUTE FUNCTION envcrypt_owner_trigger('105', 'error', 'text');
INSERT INTO many SELECT 'v-' || i % 5, 'a' || i, i FROM generate_series(1, 3000) i;
ALTER TABLE many DISABLE TRIGGER USER;
UPDATE many SET owner = 'v-other' WHERE owner = 'v-3';
SET max_parallel_workers_per_gather = 2;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT "column", problem, rows, cardinality(examples) FROM envcrypt_verify('many');
CREATE FUNCTION plan_of_verify() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) '
        || envcrypt_verify_query('many', 100, (SELECT array_agg(fault) FROM envcrypt_column_checks('many')))
    LOOP
        IF line ~ 'Agg|Gather|Scan|Loop|Launched' THEN
            RETURN NEXT regexp_replace(line, ' \(actual.*|^ +', '', 'g');
        END IF;
    END LOOP;
END $$;
SELECT * FROM plan_of_verify();
-- A table that has rows is told of when it begins to be protected with another; one that has none is not.
CREATE TABLE late (region text, owner text, v text) PARTITION BY LIST (region);
SELECT envcrypt_protect('late', 'v', 'owner');
CREATE TABLE late_a (region text, owner text, v encrypted_text);
CREATE TABLE late_b (region text, owner text, v encrypted_text) PARTITION BY LIST (owner);
CREATE TABLE late_bb PARTITION OF late_b FOR VALUES IN ('v-late');
CREATE TABLE late_c (region text, owner text, v encrypted_text);
CREATE TABLE late_d (region text, owner text, v encrypted_text);
CREATE TABLE early (region text, owner text, v text);
SELECT envcrypt_protect('early', 'v', 'owner');
INSERT INTO late_a VALUES ('a', 'v-late', 'x');
INSERT INTO late_b VALUES ('b', 'v-late', 'x');
INSERT INTO late_d VALUES ('d', 'v-late', 'x');
ALTER TABLE late ATTACH PARTITION late_a FOR VALUES IN ('a');
ALTER TABLE late ATTACH PARTITION late_b FOR VALUES IN ('b');
ALTER TABLE late ATTACH PARTITION late_c FOR VALUES IN ('c');
ALTER TABLE late_d INHERIT early;
SELECT * FROM envcrypt_verify('late_a');
UPDATE late_a SET v = v;
SELECT problem, rows FROM envcrypt_verify('late_a');
ALTER TABLE late_d NO INHERIT early;
ALTER TABLE late DETACH PARTITION late_b;
CREATE TABLE plain_late (region text, v text) PARTITION BY LIST (region);
CREATE TABLE plain_late_a AS SELECT 'a' AS region, 'x' AS v;
ALTER TABLE plain_late ATTACH PARTITION plain_late_a FOR VALUES IN ('a');
DROP TABLE late, late_b, late_d, early, plain_late;
DROP SCHEMA "Verify Me" CASCADE;
DROP TABLE flips, nothing_in_it, nothing_encrypted, parted, parent, child, many;
DROP TABLE mine CASCADE;
DROP FUNCTION flipped, plan_of_verify;
DROP ROLE regress_ec_reader, regress_ec_writer;
