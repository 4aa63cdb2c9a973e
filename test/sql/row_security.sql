-- Row-level security on protected tables and with encrypted columns, and what a role that may not open can learn:
-- nothing.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET envcrypt.master_key = '0000000000000000000000000000000000000000000000000000000000000000';
CREATE ROLE regress_rs_doctor IN ROLE envcrypt_encrypt, envcrypt_decrypt;
CREATE ROLE regress_rs_nurse IN ROLE envcrypt_encrypt, envcrypt_decrypt;
CREATE ROLE regress_rs_spy;
CREATE ROLE regress_rs_intake IN ROLE envcrypt_encrypt;
CREATE SCHEMA spy AUTHORIZATION regress_rs_spy;
GRANT USAGE ON SCHEMA spy TO PUBLIC;
SELECT envcrypt_rotate_master();
CREATE TABLE patient (id int PRIMARY KEY, user_id text NOT NULL, doctor encrypted_text NOT NULL,
    diagnosis encrypted_text(30) DEFAULT 'healthy', fee encrypted_numeric(8,2), born encrypted_date,
    notes encrypted_jsonb, CHECK (id < 1000), CONSTRAINT positive CHECK (fee > 0));
CREATE TRIGGER "~envcrypt_101" BEFORE INSERT OR UPDATE ON patient FOR EACH ROW
    WHEN (new.doctor IS NOT NULL OR new.user_id IS NULL) EXECUTE FUNCTION envcrypt_owner_trigger('101', 'error',
        'text');
CREATE TRIGGER "~envcrypt_102" BEFORE INSERT OR UPDATE ON patient FOR EACH ROW
    WHEN (new.diagnosis IS NOT NULL OR new.user_id IS NULL) EXECUTE FUNCTION envcrypt_owner_trigger('102', 'error',
        'character varying(30)');
CREATE TRIGGER "~envcrypt_103" BEFORE INSERT OR UPDATE ON patient FOR EACH ROW
    WHEN (new.fee IS NOT NULL OR new.user_id IS NULL) EXECUTE FUNCTION envcrypt_owner_trigger('103', 'error',
        'numeric(8,2)');
CREATE TRIGGER "~envcrypt_104" BEFORE INSERT OR UPDATE ON patient FOR EACH ROW
    WHEN (new.notes IS NOT NULL OR new.user_id IS NULL) EXECUTE FUNCTION envcrypt_owner_trigger('104', 'error',
        'jsonb');
INSERT INTO patient VALUES
    (1, 'ann', 'regress_rs_doctor', 'asthma', 100, '1970-01-01', '{"room": 1}'),
    (2, 'bob', 'regress_rs_doctor', 'gout', 200, '1980-01-01', '{"room": 2}'),
    (3, 'cid', 'regress_rs_nurse', 'flu', 300, '1990-01-01', '{"room": 3}');
GRANT SELECT, INSERT, UPDATE, DELETE ON patient TO PUBLIC;
CREATE FUNCTION peek(VARIADIC anyarray) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
    'BEGIN RAISE WARNING ''peeked at %'', regexp_replace($1::text, ''envcrypt1:[A-Za-z0-9+/=]*'', ''SEALED'', ''g''); '
        'RETURN true; END';
CREATE VIEW open_patients WITH (security_barrier) AS SELECT id, diagnosis, fee FROM patient
    WHERE doctor = 'regress_rs_doctor';
CREATE VIEW shown AS SELECT id, upper(diagnosis) AS diagnosis, coalesce(diagnosis, 'a literal of a view') AS d
    FROM patient;
GRANT SELECT ON open_patients, shown TO PUBLIC;

-- The server has the key: rights come from membership alone.
COPY (SELECT '0000000000000000000000000000000000000000000000000000000000000000') TO PROGRAM
    'umask 077; cat > /tmp/regress_row_security.$PPID; mv /tmp/regress_row_security.$PPID '
        '/tmp/regress_row_security.key';
ALTER SYSTEM SET envcrypt.master_key_file = '/tmp/regress_row_security.key';
SELECT pg_reload_conf();
\c
\set SHOW_CONTEXT never
SET client_min_messages = warning;

-- Policies with an encrypted column open it for the role that asks.
ALTER TABLE patient ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON patient USING (doctor = current_user) WITH CHECK (doctor = current_user);
SET ROLE regress_rs_doctor;
SELECT id, user_id, diagnosis, fee FROM patient ORDER BY id;
SELECT id FROM patient WHERE peek(diagnosis::text) ORDER BY id;
SELECT id FROM patient WHERE 1 / (fee - 300) > 0 OR true ORDER BY id;
UPDATE patient SET diagnosis = 'better' WHERE id IN (2, 3) RETURNING id, diagnosis;
INSERT INTO patient VALUES (4, 'dan', 'regress_rs_doctor', 'cold', 400) RETURNING id, diagnosis, fee;
INSERT INTO patient VALUES (5, 'eve', 'regress_rs_nurse', 'cold', 400);
UPDATE patient SET doctor = 'regress_rs_nurse' WHERE id = 4;
DELETE FROM patient WHERE diagnosis = 'cold' RETURNING id;
SET ROLE regress_rs_nurse;
SELECT id, user_id, diagnosis, fee FROM patient ORDER BY id;
-- Without the right, the policy is an error, not an empty or a full table; nor does it help to write.
SET ROLE regress_rs_spy;
SELECT id FROM patient;
UPDATE patient SET id = 10;
DELETE FROM patient;
INSERT INTO patient (id, user_id) VALUES (6, 'spy');
SET ROLE regress_rs_intake;
SELECT id FROM patient;
INSERT INTO patient VALUES (6, 'fay', 'regress_rs_intake', 'cold', 1);
RESET ROLE;
DROP POLICY own ON patient;

-- A policy on what is plain lets the role see sealed values of its own rows. And an owner is bound by his own policy.
CREATE POLICY own ON patient USING (user_id = 'ann' OR current_user <> 'regress_rs_spy');
SET ROLE regress_rs_spy;
SELECT id, left(format('%s', diagnosis), 10) FROM patient;
RESET ROLE;
ALTER TABLE patient DISABLE ROW LEVEL SECURITY;
DROP POLICY own ON patient;

-- A security_barrier view shows its rows alone to functions, operators and errors of those who ask, who may open.
SET ROLE regress_rs_nurse;
SELECT id, diagnosis FROM open_patients WHERE peek(diagnosis::text) ORDER BY id;
SELECT id FROM open_patients WHERE 1 / (fee - 300) <> 2 ORDER BY id;
SELECT id FROM open_patients WHERE diagnosis = 'flu';
RESET ROLE;
-- A view lends nobody its owner's right.
ALTER VIEW open_patients OWNER TO regress_rs_doctor;
ALTER VIEW shown OWNER TO regress_rs_doctor;
SET ROLE regress_rs_spy;
SELECT id FROM open_patients;
SELECT diagnosis FROM shown;
RESET ROLE;

-- What a spy tries. Each statement in a subtransaction that is undone; what it saw, with sealed values masked.
CREATE FUNCTION attempt(what text, who text DEFAULT 'regress_rs_spy') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    item record;
    result text := '';
    state text;
    message text;
    detail text;
    hint text;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', who);
    BEGIN
        IF what ~ '^(SELECT|TABLE|EXPLAIN|.* RETURNING )' THEN
            FOR item IN EXECUTE what LOOP
                result := result || item::text;
            END LOOP;
        ELSE
            EXECUTE what;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = result;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
            hint = PG_EXCEPTION_HINT;
        RESET ROLE;
        RETURN regexp_replace(CASE state WHEN 'P0099' THEN message WHEN '42501' THEN '42501' ELSE concat_ws(' ', state,
            message, detail) END, 'envcrypt1:[A-Za-z0-9+/=]+|\\x2[0-9a-f]{60,}', 'SEALED', 'g');
    END;
END $$;
CREATE TABLE tries (n serial, what text);
SET ROLE regress_rs_spy;
CREATE FUNCTION spy.see(encrypted_text) RETURNS text LANGUAGE sql AS 'SELECT format(''%s'', $1)';
CREATE FUNCTION spy.see_text(text) RETURNS boolean
    LANGUAGE plpgsql COST 0.0001 AS 'BEGIN RAISE WARNING ''seen %'', $1; RETURN true; END';
CREATE FUNCTION spy.see_both(encrypted_text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
    'BEGIN RAISE EXCEPTION ''seen % and %'', $1, $2; END';
CREATE FUNCTION spy.see_texts(text, text) RETURNS boolean
    LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''seen % and %'', $1, $2; END';
CREATE FUNCTION spy.see_any(anyelement) RETURNS text LANGUAGE plpgsql AS 'BEGIN RETURN $1 || ''!''; END';
CREATE FUNCTION spy.see_state(text, text) RETURNS text LANGUAGE sql AS 'SELECT concat($1, $2)';
CREATE FUNCTION spy.trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''seen %'', new::text; END';
CREATE FUNCTION spy.assign() RETURNS text LANGUAGE plpgsql AS
    'DECLARE v varchar; n numeric; BEGIN SELECT diagnosis INTO v FROM patient WHERE id = 1; SELECT fee INTO n FROM '
        'patient WHERE id = 1; RETURN v || n; END';
CREATE OPERATOR spy.=== (LEFTARG = encrypted_text, RIGHTARG = text, FUNCTION = spy.see_both);
CREATE OPERATOR spy.==== (LEFTARG = text, RIGHTARG = text, FUNCTION = spy.see_texts);
CREATE OPERATOR spy.= (LEFTARG = encrypted_text, RIGHTARG = text, FUNCTION = spy.see_both);
CREATE AGGREGATE spy.agg (text) (SFUNC = spy.see_state, STYPE = text);
CREATE DOMAIN spy.seen AS encrypted_text CHECK (spy.see(VALUE) LIKE 'envcrypt1:%');
CREATE DOMAIN spy.plain AS text CHECK (spy.see_text(VALUE));
CREATE TABLE spy.sealed (id int, t encrypted_text, plain text);
CREATE TABLE spy.bound (id int, user_id text, t encrypted_text);
CREATE TRIGGER t BEFORE INSERT OR UPDATE ON spy.bound FOR EACH ROW WHEN (new.t IS NOT NULL OR new.user_id IS NULL)
    EXECUTE FUNCTION envcrypt_owner_trigger('5', 'database', 'text');
CREATE TABLE spy.triggered (t encrypted_text);
CREATE TRIGGER t BEFORE INSERT ON spy.triggered FOR EACH ROW EXECUTE FUNCTION spy.trigger();
RESET ROLE;
GRANT ALL ON ALL TABLES IN SCHEMA spy TO regress_rs_intake;
INSERT INTO tries (what)
SELECT format('SELECT diagnosis::%s FROM patient WHERE id = 1', t)
FROM unnest('{text,varchar(5),char(5),name,json,jsonb,bytea,xml,int,numeric,date,uuid,inet,bool,regclass,'
    'encrypted_text(3),encrypted_bytea,encrypted_int8,encrypted_jsonb,encrypted_text[],spy.seen,spy.plain}'::text[]) t;
INSERT INTO tries (what) SELECT format('SELECT %s FROM patient WHERE id = 1', e) FROM unnest(ARRAY[
    'fee::int', 'fee + 1', '-fee', 'fee > 0', 'sum(fee)', 'avg(fee)', 'round(fee)', 'fee::text', 'fee::float8',
    'fee::json', 'fee::encrypted_int8',
    'born + 1', 'extract(year FROM born)', 'age(born)', 'to_char(born, $$YYYY$$)', 'born::timestamptz',
    'notes -> $$room$$', 'notes[$$room$$]', 'notes @> $${}$$', 'jsonb_pretty(notes)', 'jsonb_each(notes)',
    'notes::json',
    'diagnosis = $$asthma$$', 'diagnosis LIKE $$a%$$', 'diagnosis || $$$$', 'upper(diagnosis)', 'length(diagnosis)',
    'diagnosis IN ($$asthma$$, $$flu$$)',
    'diagnosis *= doctor', 'diagnosis *< doctor', 'diagnosis *= diagnosis', 'diagnosis = ANY (ARRAY[doctor])',
    'nullif(diagnosis, doctor)',
    'greatest(diagnosis, doctor)', 'coalesce(diagnosis, $$x$$)', 'diagnosis IS DISTINCT FROM doctor',
    '(diagnosis, 1) < (doctor, 1)',
    'ROW(diagnosis) = ROW(doctor)', 'ROW(diagnosis) *= ROW(doctor)', 'ROW(diagnosis) *< ROW(doctor)',
    'ARRAY[diagnosis] = ARRAY[doctor]', 'hash_record(ROW(diagnosis))',
    'hash_array(ARRAY[diagnosis])', 'array_position(ARRAY[diagnosis], doctor)',
    'array_remove(ARRAY[diagnosis], doctor)', 'count(DISTINCT diagnosis)',
    'max(diagnosis)', 'array_agg(diagnosis)', 'string_agg(diagnosis, $$,$$)', 'json_agg(diagnosis)',
    'to_jsonb(patient)', 'row_to_json(patient)', 'patient::text',
    'format($$%s$$, diagnosis)', 'concat(diagnosis)', 'quote_literal(diagnosis)', 'quote_nullable(diagnosis)',
    'to_json(diagnosis)', 'jsonb_build_object($$k$$, diagnosis)', 'xmlelement(name x, diagnosis)',
    'array_to_string(ARRAY[diagnosis], $$,$$)', 'encrypted_text_out(diagnosis)', 'encrypted_text_send(diagnosis)',
    'octet_length(encrypted_text_send(diagnosis))',
    'encrypted_text_cmp(diagnosis, doctor)', 'encrypted_text_eq(diagnosis, doctor)', 'encrypted_text_hash(diagnosis)',
    'encrypted_text_hash_extended(diagnosis, 0)',
    'envcrypt_open(diagnosis)', 'envcrypt_open_as_int4(diagnosis)', 'envcrypt_to_json(fee)',
    'envcrypt_owner(diagnosis)', 'envcrypt_key_id(diagnosis)',
    'envcrypt_check(diagnosis, $$ann$$, 102)', 'envcrypt_check(diagnosis, NULL, NULL)',
    'decrypt_for_user($$ann$$, diagnosis)', 'envcrypt_bind(diagnosis, $$spy$$, 5)',
    'envcrypt_bind(diagnosis, $$ann$$, 102)', 'encrypt_for_user($$spy$$, diagnosis)',
    'encrypted_text(diagnosis, 7, true)', 'encrypted_text(diagnosis, 7, false)',
    'in_range(fee, fee, 1, true, true)', 'encrypted_text_in(encrypted_text_out(diagnosis), 0, -1)',
    'spy.see(diagnosis)', 'spy.see_text(diagnosis)', 'spy.see_any(diagnosis)', 'spy.agg(diagnosis)', 'spy.assign()',
    'diagnosis OPERATOR(spy.===) $$x$$', 'diagnosis OPERATOR(spy.====) $$x$$',
    'diagnosis OPERATOR(spy.=) $$x$$', '(SELECT x FROM (VALUES (diagnosis::text)) v (x))', 'pg_column_size(diagnosis)',
    'pg_typeof(diagnosis)']) e;
INSERT INTO tries (what) VALUES
    ('SELECT id FROM patient ORDER BY diagnosis'), ('SELECT count(*) FROM patient GROUP BY diagnosis'),
        ('SELECT count(*) FROM (SELECT DISTINCT fee FROM patient) d'),
    ('SELECT rank() OVER (ORDER BY fee) FROM patient'),
    ('SELECT count(*) FROM patient a JOIN patient b ON a.doctor = b.doctor'),
    ('SELECT count(*) FROM patient a JOIN patient b ON a.doctor *= b.doctor'),
    ('SELECT count(*) FROM patient a JOIN patient b USING (doctor)'),
    ('SELECT id FROM patient WHERE spy.see_text(diagnosis)'), ('SELECT id FROM shown WHERE spy.see_text(diagnosis)'),
    ('SELECT d FROM shown WHERE id = 1'),
    ('SELECT * FROM pg_stats WHERE tablename = ''patient'' AND attname = ''diagnosis'' AND most_common_vals IS NOT '
        'NULL'),
    ('SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = ''patient''::regclass'),
    ('SELECT column_default FROM information_schema.columns WHERE column_name = ''diagnosis'''),
    ('EXPLAIN (VERBOSE, COSTS off) SELECT diagnosis FROM patient WHERE id = 1'),
    ('EXPLAIN (VERBOSE, COSTS off) INSERT INTO patient (id, user_id) VALUES (7, ''x'')'),
    ('EXPLAIN (ANALYZE, VERBOSE, COSTS off, TIMING off, SUMMARY off) SELECT id FROM patient WHERE diagnosis '
        '= ''asthma'''),
    ('EXPLAIN (ANALYZE, VERBOSE, COSTS off, TIMING off, SUMMARY off) SELECT diagnosis FROM patient WHERE id = 1'),
    ('UPDATE patient SET id = 20 WHERE id = 1 RETURNING id, diagnosis'),
    ('UPDATE patient SET id = 20 WHERE id = 1 RETURNING upper(diagnosis)'),
    ('DELETE FROM patient WHERE id = 1 RETURNING diagnosis::text'),
    ('DELETE FROM patient WHERE id = 1 RETURNING diagnosis'),
    ('INSERT INTO patient (id, user_id, doctor) SELECT 21, ''ann'', doctor FROM patient WHERE id = 1 RETURNING '
        'diagnosis'),
    -- Constraint messages.
    ('UPDATE patient SET id = 5000 WHERE id = 1'), ('UPDATE patient SET user_id = NULL WHERE id = 1'),
        ('UPDATE patient SET id = 2 WHERE id = 1'),
    ('UPDATE patient SET doctor = NULL WHERE id = 1'), ('UPDATE patient SET fee = fee WHERE id = 1'),
    ('INSERT INTO patient SELECT id, user_id, doctor, diagnosis FROM patient WHERE id = 1'),
    ('INSERT INTO patient SELECT 5000, user_id, doctor, diagnosis FROM patient WHERE id = 1'),
    -- What is planted elsewhere to be opened or compared.
    ('INSERT INTO spy.sealed SELECT id, diagnosis, diagnosis FROM patient WHERE id = 1'),
    ('INSERT INTO spy.sealed (t) SELECT diagnosis FROM patient WHERE id = 1 RETURNING t'),
    ('INSERT INTO spy.bound SELECT id, ''spy'', diagnosis FROM patient WHERE id = 1'),
    ('INSERT INTO spy.bound SELECT id, NULL, diagnosis FROM patient WHERE id = 1'),
    ('INSERT INTO spy.bound SELECT id, user_id, diagnosis FROM patient WHERE id = 1'),
    ('INSERT INTO spy.triggered SELECT diagnosis FROM patient WHERE id = 1'),
    ('UPDATE patient SET diagnosis = doctor WHERE id = 1'), ('UPDATE patient SET user_id = ''spy'' WHERE id = 1'),
    ('UPDATE patient SET diagnosis = p.diagnosis FROM patient p WHERE patient.id = 1 AND p.id = 2'),
    ('UPDATE patient SET notes[''room''] = ''5'' WHERE id = 1'),
    ('CREATE MATERIALIZED VIEW spy.m AS SELECT upper(diagnosis) FROM patient'),
    ('CREATE TABLE spy.c AS SELECT diagnosis::text FROM patient'),
    ('CREATE TABLE spy.c AS SELECT format(''%s'', diagnosis) FROM patient'),
    ('CREATE INDEX ON spy.sealed (spy.see(t))'),
    ('CREATE STATISTICS spy.s ON (upper(t)), id FROM spy.sealed'),
    ('ALTER TABLE spy.sealed ALTER t TYPE text USING t::text'),
    ('CREATE CAST (encrypted_text AS box) WITH INOUT'),
    ('CREATE OPERATOR CLASS spy.o FOR TYPE encrypted_text USING btree AS OPERATOR 1 *<'),
    ('CREATE TYPE spy.fake (INPUT = encrypted_text_in, OUTPUT = encrypted_text_out)'),
    ('CREATE FUNCTION spy.f(bytea) RETURNS text LANGUAGE c AS ''$libdir/envcrypt'', ''envcrypt_open'''),
    ('ALTER FUNCTION envcrypt_open(encrypted_text) LEAKPROOF'), ('TABLE envcrypt_data_keys'),
    ('SELECT envcrypt_create_type(''money'')');
\pset format unaligned
\pset fieldsep ' => '
\pset tuples_only on
-- (EXPLAIN says more from PostgreSQL 18 on.)
SELECT what, regexp_replace(attempt(what), '\("  (Index Searches|Buffers): [^"]*"\)|(rows=\d+)[.]00', '\2', 'g')
    FROM tries ORDER BY n;
\pset tuples_only off
\pset format aligned
-- An intake role, which may seal, is told no more.
SELECT count(*), array_agg(what) FILTER (WHERE seen ~* '\masthma|\mgout|\mflu\M|[123]00[.]00|19[789]0-01|"room"')
    AS seen
FROM (SELECT what, attempt(what, 'regress_rs_intake') AS seen FROM tries) t;
-- And the superuser, who is granted nothing.
SELECT count(*), array_agg(what) FILTER (WHERE seen ~* '\masthma|\mgout|\mflu\M|[123]00[.]00|19[789]0-01|"room"')
    AS seen
FROM (SELECT what, attempt(what, session_user) AS seen FROM tries) t;

-- A plan that someone who may open made, and a cursor of his, open nothing for the next role.
GRANT regress_rs_doctor, regress_rs_spy TO CURRENT_USER;
SET ROLE regress_rs_doctor;
PREPARE by_name (text) AS SELECT id FROM patient WHERE diagnosis = $1;
PREPARE sealing AS SELECT id FROM patient WHERE diagnosis *= 'asthma'::encrypted_text;
EXECUTE by_name ('asthma');
EXECUTE sealing;
BEGIN;
DECLARE c CURSOR FOR SELECT diagnosis::text FROM patient ORDER BY id;
FETCH 1 FROM c;
SET LOCAL ROLE regress_rs_spy;
SAVEPOINT s;
FETCH 1 FROM c;
ROLLBACK TO s;
EXECUTE by_name ('asthma');
ROLLBACK TO s;
EXECUTE sealing;
ROLLBACK;
RESET ROLE;

DROP VIEW open_patients, shown;
DROP SCHEMA spy CASCADE;
DROP TABLE patient, tries;
DROP FUNCTION attempt, peek;
DROP ROLE regress_rs_doctor, regress_rs_nurse, regress_rs_spy, regress_rs_intake;
ALTER SYSTEM RESET envcrypt.master_key_file;
SELECT pg_reload_conf();
COPY (SELECT ''::text) TO PROGRAM 'rm -f /tmp/regress_row_security.key';
