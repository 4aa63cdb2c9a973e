-- Chapters 38 and 43: SQL functions, PL/pgSQL, procedures, DO.

-- name: sql_function
CREATE FUNCTION add_one(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE RETURN $1 + 1;
CREATE FUNCTION shout(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT upper($1) || '!' $$;
SELECT id, add_one(n), shout(note), shout(name) FROM t WHERE abs(n) < 1000 AND id <> 20 ORDER BY id;

-- name: sql_function_all_types
CREATE FUNCTION f(text, bytea, jsonb, bigint, numeric, float8, bool, date, timestamptz, uuid, inet) RETURNS text
LANGUAGE sql
    AS $$ SELECT concat_ws('|', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) $$;
SELECT id, f(note, raw, doc, n, amount, ratio, flag, born, seen, uid, host) FROM t WHERE id < 20 ORDER BY id;

-- name: sql_function_other_types
CREATE FUNCTION f(numeric) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'numeric ' || $1;
CREATE FUNCTION g(float8) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'float8 ' || $1;
CREATE FUNCTION h(timestamptz) RETURNS text LANGUAGE sql STABLE RETURN 'timestamptz ' || $1;
CREATE FUNCTION i(varchar) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'varchar ' || $1;
SELECT id, f(n), g(n), g(amount), h(born), i(note), f(price) FROM t WHERE id < 10 ORDER BY id;

-- name: sql_function_overloaded
CREATE FUNCTION kind(bigint) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'bigint';
CREATE FUNCTION kind(numeric) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'numeric';
CREATE FUNCTION kind(float8) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'float8';
CREATE FUNCTION kind(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'text';
CREATE FUNCTION kind(date) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'date';
CREATE FUNCTION kind(timestamptz) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'timestamptz';
CREATE FUNCTION kind(bool) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'bool';
SELECT kind(n), kind(amount), kind(ratio), kind(note), kind(name), kind(born), kind(seen), kind(flag) FROM t
WHERE id = 1;

-- name: sql_function_narrow_fails
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1;
SELECT f(n) FROM t;

-- name: sql_function_default_named
CREATE FUNCTION f(a text, b bigint DEFAULT 5, c bool DEFAULT false) RETURNS text
LANGUAGE sql IMMUTABLE RETURN a || b || c;
SELECT id, f(note), f(note, n), f(note, c => flag), f(a => name, b => n) FROM t WHERE id < 5 ORDER BY id;

-- name: sql_function_variadic
CREATE FUNCTION joined(VARIADIC text[]) RETURNS text LANGUAGE sql IMMUTABLE RETURN array_to_string($1, '+');
SELECT id, joined(note), joined(note, name), joined(note, 'x'), joined(VARIADIC ARRAY[note, name]) FROM t WHERE id < 5
ORDER BY id;

-- name: sql_function_polymorphic
CREATE FUNCTION pick(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce($1, $2) $$;
SELECT id, pick(note, 'x'), pick(n, n), pick(amount, NULL) FROM t WHERE id < 10 ORDER BY id;

-- name: sql_function_polymorphic_mixed
CREATE FUNCTION pick(anycompatible, anycompatible) RETURNS anycompatible LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce($1, $2) $$;
SELECT id, pick(note, 'x'), pick(n, 0), pick(0, n), pick(amount, 0), pick(note, owner) FROM t WHERE id < 10
ORDER BY id;

-- name: sql_function_polymorphic_mixed_numbers
CREATE FUNCTION pick(anycompatible, anycompatible) RETURNS anycompatible LANGUAGE sql IMMUTABLE AS $$
SELECT coalesce($1, $2) $$;
SELECT id, pick(n, amount) FROM t WHERE id < 10 ORDER BY id;

-- name: sql_function_polymorphic_strict_types
CREATE FUNCTION pick(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce($1, $2) $$;
SELECT id, pick(n, 0::bigint), pick(note, 'x'::text) FROM t WHERE id < 10 ORDER BY id;

-- name: sql_function_returns_column
CREATE FUNCTION note_of(int) RETURNS text LANGUAGE sql STABLE AS $$ SELECT note FROM t WHERE id = $1 $$;
CREATE FUNCTION n_of(int) RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT n FROM t WHERE id = $1 $$;
SELECT note_of(1), n_of(1) + 1, note_of(5), n_of(7);

-- name: sql_function_returns_setof_table
CREATE FUNCTION rows_of(bigint) RETURNS SETOF t LANGUAGE sql STABLE AS $$ SELECT * FROM t WHERE n = $1 ORDER BY id $$;
SELECT id, note, n FROM rows_of(12);
SELECT (rows_of(1)).note;

-- name: sql_function_returns_table
CREATE FUNCTION rows_of(bigint) RETURNS TABLE (a int, b text, c bigint) LANGUAGE sql STABLE AS $$ SELECT id, note, n
FROM t
WHERE n = $1 ORDER BY id $$;
SELECT * FROM rows_of(12);

-- name: sql_function_returns_table_numeric
CREATE FUNCTION totals() RETURNS TABLE (note text, total numeric, first date) LANGUAGE sql STABLE
    AS $$ SELECT note, sum(n), min(born) FROM t WHERE id > 20 GROUP BY note $$;
SELECT * FROM totals() ORDER BY note;

-- name: sql_function_returns_percent_type
CREATE FUNCTION note_of(t.id%TYPE) RETURNS t.note%TYPE LANGUAGE sql STABLE AS $$ SELECT note FROM t WHERE id = $1 $$;
CREATE FUNCTION same(t.note%TYPE) RETURNS t.note%TYPE LANGUAGE sql STABLE AS $$ SELECT $1 $$;
SELECT note_of(1), note_of(2) || '!', same('literal'), same(note) FROM t WHERE id = 3;

-- name: sql_function_out_parameters
CREATE FUNCTION parts(int, OUT a text, OUT b bigint) LANGUAGE sql STABLE AS $$ SELECT note, n FROM t WHERE id = $1 $$;
SELECT * FROM parts(1);
SELECT (parts(2)).a;

-- name: sql_function_row_argument
CREATE FUNCTION label(t) RETURNS text LANGUAGE sql STABLE AS $$ SELECT $1.note || '#' || $1.n $$;
SELECT id, label(t), t.label FROM t WHERE id < 10 ORDER BY id;

-- name: sql_function_inline_where
CREATE FUNCTION is_small(bigint) RETURNS bool LANGUAGE sql IMMUTABLE RETURN $1 BETWEEN 0 AND 5;
SELECT id FROM t WHERE is_small(n) ORDER BY id;

-- name: sql_function_modifies
CREATE FUNCTION rename(int, text) RETURNS text LANGUAGE sql AS $$ UPDATE t SET note = $2, n = n + 1 WHERE id = $1
RETURNING note $$;
SELECT rename(1, 'renamed');
SELECT rename(2, note || '2') FROM t WHERE id = 2;

-- name: sql_function_array_argument
CREATE FUNCTION total(bigint[]) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT sum(x) FROM unnest($1) x $$;
SELECT total(ARRAY[n, n]), total(ARRAY[n, 1]) FROM t WHERE id = 2;

-- name: sql_function_array_agg_argument
CREATE FUNCTION total(bigint[]) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT sum(x) FROM unnest($1) x $$;
SELECT total(array_agg(n)) FROM t WHERE id < 4;

-- name: sql_atomic_body
CREATE FUNCTION rows_like(pattern text) RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM t
WHERE note LIKE pattern; END;
SELECT rows_like('note%'), rows_like('%a%');

-- name: plpgsql_variables
DO $$
DECLARE
    a text; b bigint; c numeric; d date; e bool; f float8; g jsonb; h uuid; i inet; j bytea; k timestamptz;
BEGIN
    SELECT note, n, amount, born, flag, ratio, doc, uid, host, raw, seen INTO a, b, c, d, e, f, g, h, i, j, k FROM t
    WHERE id = 1;
    RAISE NOTICE '% % % % % % % % % % %', a, b + 1, c * 2, d + 1, NOT e, f / 2, g -> 'a', h, i, j, k;
END $$;

-- name: plpgsql_variables_other_types
DO $$
DECLARE a varchar; b int; c float8; d timestamp; e text; f smallint; g text;
BEGIN
    SELECT note, n, amount, born, n, amount, born INTO a, b, c, d, e, f, g FROM t WHERE id = 2;
    RAISE NOTICE '% % % % % % %', a, b, c, d, e, f, g;
END $$;

-- name: plpgsql_percent_type
DO $$
DECLARE a t.note%TYPE; b t.n%TYPE := 5; c t.amount%TYPE; d t.name%TYPE := 'x'; e t.flag%TYPE;
f t.born%TYPE := '2024-01-01';
BEGIN
    SELECT note, amount INTO a, c FROM t WHERE id = 1;
    b := b + 1;
    c := c * 2;
    d := d || 'y';
    e := b > 5;
    f := f + 1;
    a := upper(a) || b;
    RAISE NOTICE '% % % % % %', a, b, c, d, e, f;
    IF a LIKE 'APP%' AND b = 6 AND e THEN RAISE NOTICE 'right'; END IF;
END $$;

-- name: plpgsql_percent_rowtype
DO $$
DECLARE r t%ROWTYPE;
BEGIN
    SELECT * INTO r FROM t WHERE id = 1;
    RAISE NOTICE '% % % %', r.note, r.n + 1, r.amount, r.born;
    r.note := r.note || ' pie';
    r.n := r.n + 100;
    r.id := 100;
    INSERT INTO t VALUES (r.*);
    RAISE NOTICE '%', r;
END $$;
SELECT id, note, n FROM t WHERE id = 100;

-- name: plpgsql_record
DO $$
DECLARE r record;
BEGIN
    FOR r IN SELECT id, note, n, amount, flag FROM t WHERE id < 6 ORDER BY id LOOP
        RAISE NOTICE '% % % % %', r.id, r.note, r.n, coalesce(r.amount, 0), CASE WHEN r.flag THEN 'yes' ELSE 'no' END;
    END LOOP;
END $$;

-- name: plpgsql_loop_scalars
DO $$
DECLARE a text; b bigint;
BEGIN
    FOR a, b IN SELECT note, n FROM t WHERE id < 5 ORDER BY id LOOP RAISE NOTICE '% %', a, b; END LOOP;
    FOR i IN 1 .. (SELECT n FROM t WHERE id = 2) LOOP RAISE NOTICE 'i %', i; END LOOP;
END $$;

-- name: plpgsql_conditions
DO $$
DECLARE r t%ROWTYPE;
BEGIN
    SELECT * INTO STRICT r FROM t WHERE note = 'banana';
    IF r.flag IS NULL AND r.n < 0 THEN RAISE NOTICE 'negative'; END IF;
    IF r.note = 'banana' THEN RAISE NOTICE 'banana'; ELSIF r.note > 'c' THEN RAISE NOTICE 'after'; END IF;
    CASE r.n WHEN 1 THEN RAISE NOTICE 'one'; WHEN -3 THEN RAISE NOTICE 'minus three'; END CASE;
    WHILE r.n < 0 LOOP r.n := r.n + 1; END LOOP;
    RAISE NOTICE '%', r.n;
    ASSERT r.n = 0;
END $$;

-- name: plpgsql_flag_condition
DO $$
DECLARE r record;
BEGIN
    FOR r IN SELECT * FROM t WHERE id < 5 ORDER BY id LOOP
        IF r.flag THEN RAISE NOTICE '% true', r.id; ELSE RAISE NOTICE '% not', r.id; END IF;
        CONTINUE WHEN r.flag;
        EXIT WHEN r.n < 0;
    END LOOP;
END $$;

-- name: plpgsql_strict_fails
DO $$ DECLARE a text; BEGIN SELECT note INTO STRICT a FROM t WHERE note = 'nothing'; END $$;

-- name: plpgsql_strict_many_fails
DO $$ DECLARE a text; BEGIN SELECT note INTO STRICT a FROM t WHERE note = 'apple'; END $$;

-- name: plpgsql_bad_assignment_fails
DO $$ DECLARE a int; BEGIN SELECT note INTO a FROM t WHERE id = 1; END $$;

-- name: plpgsql_text_to_int_assignment
DO $$ DECLARE a int; b date; BEGIN SELECT note INTO a FROM t WHERE id = 16; SELECT note INTO b FROM t
WHERE id = 15; RAISE NOTICE '% %', a + 1, b + 1; END $$;

-- name: plpgsql_function_arguments
CREATE FUNCTION describe(a text, b bigint, c numeric, d date) RETURNS text LANGUAGE plpgsql AS $$
BEGIN RETURN format('%s/%s/%s/%s', a, b, c, d); END $$;
SELECT id, describe(note, n, amount, born) FROM t WHERE id < 10 ORDER BY id;

-- name: plpgsql_returns_base_type
CREATE FUNCTION note_of(int) RETURNS text
LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT note FROM t WHERE id = $1); END $$;
CREATE FUNCTION n_of(int) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE r record; BEGIN SELECT * INTO r FROM t
WHERE id = $1; RETURN r.n; END $$;
SELECT note_of(1), n_of(2) + 1, note_of(5);

-- name: plpgsql_percent_type_argument
CREATE FUNCTION rename(t.id%TYPE, t.note%TYPE) RETURNS t.note%TYPE LANGUAGE plpgsql AS $$
BEGIN UPDATE t SET note = $2 || '!' WHERE id = $1; RETURN (SELECT note FROM t WHERE id = $1); END $$;
SELECT rename(1, 'literal'), rename(3, note) FROM t WHERE id = 3;

-- name: plpgsql_percent_type_argument_expression
CREATE FUNCTION rename(t.id%TYPE, t.note%TYPE) RETURNS t.note%TYPE LANGUAGE plpgsql AS $$
BEGIN UPDATE t SET note = $2 || '!' WHERE id = $1; RETURN (SELECT note FROM t WHERE id = $1); END $$;
SELECT rename(2, upper('x'));

-- name: plpgsql_return_next
CREATE FUNCTION rows_of() RETURNS SETOF t LANGUAGE plpgsql AS $$
DECLARE r t%ROWTYPE;
BEGIN
    FOR r IN SELECT * FROM t WHERE id < 4 ORDER BY id LOOP r.note := r.note || '!'; RETURN NEXT r; END LOOP;
END $$;
SELECT id, note, n FROM rows_of();

-- name: plpgsql_return_query_table
CREATE FUNCTION rows_of(bigint) RETURNS SETOF t LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT * FROM t WHERE n = $1
ORDER BY id; END $$;
SELECT id, note FROM rows_of(12);

-- name: plpgsql_return_query_base_types
CREATE FUNCTION rows_of() RETURNS TABLE (a int, b text) LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT id, note FROM t
WHERE id < 5; END $$;
SELECT * FROM rows_of() ORDER BY a;

-- name: plpgsql_return_query_expressions
CREATE FUNCTION rows_of() RETURNS TABLE (a int, b text, c bigint) LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY SELECT id, upper(note), n + 0 FROM t WHERE id < 5; END $$;
SELECT * FROM rows_of() ORDER BY a;

-- name: plpgsql_return_next_out
CREATE FUNCTION rows_of(OUT a text, OUT b bigint) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN FOR a, b IN SELECT note, n FROM t WHERE id < 5 ORDER BY id LOOP RETURN NEXT; END LOOP; END $$;
SELECT * FROM rows_of();

-- name: plpgsql_return_query_execute
CREATE FUNCTION rows_of(text) RETURNS SETOF t LANGUAGE plpgsql AS $$
BEGIN RETURN QUERY EXECUTE 'SELECT * FROM t WHERE note = $1 ORDER BY id' USING $1; END $$;
SELECT id, note, n FROM rows_of('apple');

-- name: plpgsql_execute_using
DO $$
DECLARE c int; a text; r record;
BEGIN
    EXECUTE 'SELECT count(*) FROM t WHERE note = $1 AND n > $2 AND born < $3' INTO c USING 'apple'::text, 0,
    date '2024-01-01';
    EXECUTE 'UPDATE t SET note = $1, n = $2, amount = $3 WHERE id = $4' USING 'executed', 5, 2.5, 1;
    EXECUTE 'SELECT note FROM t WHERE id = $1' INTO a USING 1;
    EXECUTE format('SELECT * FROM t WHERE note = %L', 'banana') INTO r;
    RAISE NOTICE '% % % %', c, a, r.n, r.note;
END $$;

-- name: plpgsql_execute_using_column
DO $$
DECLARE r t%ROWTYPE; c int;
BEGIN
    SELECT * INTO r FROM t WHERE id = 1;
    EXECUTE 'SELECT count(*) FROM t WHERE note = $1 AND n = $2 AND amount = $3 AND uid = $4' INTO c
    USING r.note, r.n, r.amount, r.uid;
    EXECUTE 'UPDATE t SET note = $1, n = $2 WHERE id = 2' USING r.note, r.n;
    EXECUTE 'INSERT INTO p (id, note, n) VALUES (500, $1, $2)' USING r.note, r.n;
    RAISE NOTICE '%', c;
END $$;
SELECT note, n FROM p WHERE id = 500;

-- name: plpgsql_quote_dynamic
DO $$
DECLARE r record; c int;
BEGIN
    FOR r IN SELECT note, n, born FROM t WHERE id IN (1, 10) ORDER BY id LOOP
        EXECUTE 'SELECT count(*) FROM t WHERE note = ' || quote_literal(r.note) || ' AND n = ' || r.n || ' AND born = '
            || quote_literal(r.born) INTO c;
        RAISE NOTICE '%', c;
    END LOOP;
END $$;

-- name: plpgsql_arrays
DO $$
DECLARE notes text[]; x text; s text := ''; numbers bigint[];
BEGIN
    notes := ARRAY(SELECT note FROM t WHERE id < 5 ORDER BY id);
    FOREACH x IN ARRAY notes LOOP s := s || x || ','; END LOOP;
    SELECT array_agg(n ORDER BY id) INTO numbers FROM t WHERE id < 5;
    RAISE NOTICE '% % %', s, numbers[2] + 1, array_length(notes, 1);
END $$;

-- name: plpgsql_array_append
DO $$
DECLARE notes text[] := '{}'; r record;
BEGIN
    FOR r IN SELECT note, n FROM t WHERE id < 5
    ORDER BY id LOOP notes := notes || r.note; notes := array_append(notes, r.n::text); END LOOP;
    RAISE NOTICE '%', notes;
END $$;

-- name: plpgsql_exceptions
DO $$
DECLARE a bigint;
BEGIN
    BEGIN SELECT n + 1 INTO a FROM t WHERE id = 6;
    EXCEPTION WHEN numeric_value_out_of_range THEN RAISE NOTICE 'overflow'; END;
    BEGIN SELECT 1 / n INTO a FROM t WHERE id = 4; EXCEPTION WHEN division_by_zero THEN RAISE NOTICE 'zero: %', SQLERRM;
    END;
    BEGIN INSERT INTO t (id, n) VALUES (100, 5), (1, 6); EXCEPTION WHEN unique_violation THEN RAISE NOTICE 'duplicate';
    END;
END $$;

-- name: plpgsql_get_diagnostics
DO $$
DECLARE c int;
BEGIN
    UPDATE t SET note = 'x' WHERE note LIKE 'note%' AND n > 2;
    GET DIAGNOSTICS c = ROW_COUNT;
    RAISE NOTICE '% %', c, FOUND;
    PERFORM note FROM t WHERE note = 'nothing';
    RAISE NOTICE '%', FOUND;
END $$;

-- name: plpgsql_cursor
DO $$
DECLARE c CURSOR (wanted text) FOR SELECT * FROM t WHERE note = wanted ORDER BY id; r t%ROWTYPE; d refcursor; a text;
BEGIN
    OPEN c('apple');
    LOOP FETCH c INTO r; EXIT WHEN NOT FOUND; RAISE NOTICE '% %', r.id, r.note; END LOOP;
    CLOSE c;
    OPEN d SCROLL FOR SELECT note FROM t WHERE id < 5 ORDER BY note DESC;
    FETCH LAST FROM d INTO a; RAISE NOTICE '%', a;
    FETCH PRIOR FROM d INTO a; RAISE NOTICE '%', a;
    MOVE FIRST FROM d; FETCH RELATIVE 1 FROM d INTO a; RAISE NOTICE '%', a;
END $$;

-- name: plpgsql_cursor_loop
DO $$
DECLARE c CURSOR FOR SELECT id, note, n FROM t WHERE id < 5 ORDER BY id FOR UPDATE;
BEGIN
    FOR r IN c LOOP UPDATE t SET note = r.note || '!', n = r.n * 2 WHERE CURRENT OF c; END LOOP;
END $$;

-- name: plpgsql_returning_into
DO $$
DECLARE a text; b bigint; r t%ROWTYPE;
BEGIN
    INSERT INTO t (id, note, n) VALUES (100, 'x', 5) RETURNING note, n INTO a, b;
    UPDATE t SET note = a || 'y', n = b + 1 WHERE id = 100 RETURNING * INTO r;
    DELETE FROM t WHERE id = 2 RETURNING note INTO a;
    RAISE NOTICE '% % % %', a, b, r.note, r.n;
END $$;

-- name: plpgsql_insert_variables
DO $$
DECLARE a text := 'variable'; b int := 5; c numeric := 1.5; d date := '2024-01-01'; e bool := true;
f jsonb := '{"a": 1}';
BEGIN
    INSERT INTO t (id, note, n, amount, born, flag, doc) VALUES (100, a, b, c, d, e, f);
    UPDATE t SET note = a, n = n + b, amount = c WHERE note = 'apple' OR n = b OR born = d;
END $$;

-- name: plpgsql_where_variables
CREATE FUNCTION find(a text, b bigint, c numeric, d date, e uuid) RETURNS int[] LANGUAGE plpgsql STABLE AS $$
BEGIN RETURN ARRAY(SELECT id FROM t WHERE note = a OR n = b OR amount = c OR born = d OR uid = e ORDER BY id); END $$;
SELECT find('apple', 12, 2, '2024-02-29', 'c0ffee00-0000-4000-8000-000000000001'), find(NULL, 7, NULL, NULL, NULL);

-- name: plpgsql_raise_fails
DO $$ DECLARE r t%ROWTYPE; BEGIN SELECT * INTO r FROM t WHERE id = 1; RAISE EXCEPTION 'note % n %', r.note, r.n
USING DETAIL = r.note || '/' || r.amount,
    ERRCODE = '22012'; END $$;

-- name: plpgsql_composite_assignment
DO $$
DECLARE r u; s u;
BEGIN
    r := ROW(100, 'composite', '\x00', '{}', 5, 1.5, 0.5, true, '2024-01-01', NULL, NULL, '::1');
    s := r;
    s.id := 101;
    INSERT INTO u SELECT r.*;
    INSERT INTO u VALUES (s.*);
    IF r.note = s.note THEN RAISE NOTICE 'same %', (r).n + (s).n; END IF;
END $$;

-- name: procedure
CREATE PROCEDURE put(a int, b text, c bigint)
LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t (id, note, n) VALUES (a, b, c); END $$;
CALL put(100, 'by procedure', 5);
DO $$ DECLARE r t%ROWTYPE; BEGIN SELECT * INTO r FROM t WHERE id = 1; CALL put(101, r.note, r.n); END $$;

-- name: procedure_inout
CREATE PROCEDURE bump(INOUT a text, INOUT b bigint) LANGUAGE plpgsql AS $$ BEGIN a := a || '!'; b := b + 1; END $$;
CALL bump('x', 5);
DO $$ DECLARE a text; b bigint; BEGIN SELECT note, n INTO a, b FROM t
WHERE id = 1; CALL bump(a, b); RAISE NOTICE '% %', a, b; END $$;

-- name: set_returning_in_select
CREATE FUNCTION words(text) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$ SELECT unnest(string_to_array($1, ' ')) $$;
SELECT id, words(note) FROM t WHERE id IN (1, 12, 18) ORDER BY id;

-- name: function_in_check
CREATE FUNCTION allowed(text) RETURNS bool LANGUAGE sql IMMUTABLE RETURN $1 IS NULL OR length($1) < 10000;
ALTER TABLE t ADD CHECK (allowed(note));
INSERT INTO t (id, note) VALUES (100, 'fine');
