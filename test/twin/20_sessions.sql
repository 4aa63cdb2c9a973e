-- Cursors, prepared statements, and what else a client does.

-- name: cursor_fetch
DECLARE c SCROLL CURSOR FOR SELECT id, note, n FROM t WHERE id <> 20 ORDER BY note, id;
FETCH c;
FETCH NEXT FROM c;
FETCH 3 FROM c;
FETCH PRIOR FROM c;
FETCH FIRST FROM c;
FETCH LAST FROM c;
FETCH ABSOLUTE 5 FROM c;
FETCH ABSOLUTE -2 FROM c;
FETCH RELATIVE -3 FROM c;
FETCH BACKWARD 2 FROM c;
MOVE FORWARD 1 IN c;
FETCH FORWARD ALL FROM c;
CLOSE c;

-- name: cursor_no_sort
DECLARE c SCROLL CURSOR FOR SELECT id, note, amount, doc FROM t WHERE note LIKE '%a%' AND id < 20;
FETCH 2 FROM c;
FETCH BACKWARD ALL FROM c;
FETCH ALL FROM c;

-- name: cursor_no_scroll
DECLARE c NO SCROLL CURSOR FOR SELECT note, flag, born FROM t WHERE flag ORDER BY born;
FETCH 3 FROM c;

-- name: cursor_with_hold
DECLARE held CURSOR WITH HOLD FOR SELECT id, note, n, amount, born FROM t WHERE id < 8 ORDER BY id;
COMMIT;
FETCH 2 FROM held;
FETCH ALL FROM held;
CLOSE held;

-- name: cursor_binary
DECLARE c BINARY CURSOR FOR SELECT note FROM t WHERE id IN (1, 2) ORDER BY id;
FETCH ALL FROM c;

-- name: cursor_where_current
DECLARE c CURSOR FOR SELECT * FROM t WHERE note = 'apple' FOR UPDATE;
FETCH c;
UPDATE t SET note = 'current', n = n + 1 WHERE CURRENT OF c;
FETCH c;
DELETE FROM t WHERE CURRENT OF c;
CLOSE c;

-- name: prepare_untyped
PREPARE q AS SELECT id FROM t WHERE note = $1 ORDER BY id;
EXECUTE q('apple');
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'q';
DEALLOCATE q;

-- name: prepare_untyped_all_types
PREPARE q AS SELECT id FROM t WHERE note = $1 OR raw = $2 OR doc = $3 OR n = $4 OR amount = $5 OR ratio = $6
    OR born = $7
    OR seen = $8 OR uid = $9 OR
    host = $10 ORDER BY id;
EXECUTE q('apple', '\x27', '42', 7, 2, 0.1, '2024-02-29', 'infinity', '12345678-1234-5678-1234-567812345678', '::1');
EXECUTE q(NULL, NULL, NULL, 12, NULL, NULL, NULL, NULL, NULL, NULL);
DEALLOCATE q;

-- name: prepare_untyped_operators
PREPARE q AS SELECT id FROM t WHERE note LIKE $1 AND n > $2 AND amount BETWEEN $3 AND $4 AND flag IS DISTINCT FROM $5
ORDER BY id;
EXECUTE q('note%', 2, 0, 50, false);
DEALLOCATE q;

-- name: prepare_typed
PREPARE q (text, bigint, numeric, date) AS SELECT id FROM t WHERE note = $1 OR n = $2 OR amount = $3 OR born = $4
ORDER BY id;
EXECUTE q('apple', 12, 2, '2024-02-29');
DEALLOCATE q;

-- name: prepare_typed_narrow
PREPARE q (varchar, int, float8, timestamp) AS SELECT id FROM t WHERE note = $1 OR n = $2 OR amount = $3 OR born = $4
ORDER BY id;
EXECUTE q('apple', 12, 2, '2024-02-29');
DEALLOCATE q;

-- name: prepare_insert_untyped
PREPARE q AS INSERT INTO t (id, note, raw, doc, n, amount, ratio, flag, born, seen, uid, host)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);
EXECUTE q(100, 'x', '\x00', '{"a": 1}', 5, 1.5, 0.5, true, '2024-01-01', '2024-01-01 00:00+00',
    'c0ffee00-0000-4000-8000-000000000001', '::1');
EXECUTE q(101, upper('y'), NULL, to_jsonb(1), 2 + 3, 2, 2, 1 > 2, current_date - current_date + date '2024-01-01', NULL,
    NULL, NULL);
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'q';
DEALLOCATE q;

-- name: prepare_insert_typed
PREPARE q (int, text, bigint, numeric, jsonb) AS INSERT INTO t (id, note, n, amount, doc) VALUES ($1, $2, $3, $4, $5)
RETURNING *;
EXECUTE q(100, 'x', 5, 1.5, '{}');
DEALLOCATE q;

-- name: prepare_update_untyped
PREPARE q AS UPDATE t SET note = $2, n = $3, amount = coalesce($4, amount) WHERE id = $1 RETURNING note, n, amount;
EXECUTE q(1, 'x', 5, NULL);
EXECUTE q(2, 'y', NULL, 7);
DEALLOCATE q;

-- name: prepare_update_expression
PREPARE q AS UPDATE t SET note = note || $2, n = n + $3 WHERE id = $1;
EXECUTE q(1, 'x', 5);
DEALLOCATE q;

-- name: prepare_array
PREPARE q (text[], bigint[]) AS SELECT id FROM t WHERE note = ANY ($1) OR n = ANY ($2) ORDER BY id;
EXECUTE q('{apple,banana}', '{7,8}');
DEALLOCATE q;

-- name: prepare_array_untyped
PREPARE q AS SELECT id FROM t WHERE note = ANY ($1) OR n = ANY ($2) ORDER BY id;
EXECUTE q('{apple,banana}', '{7,8}');
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'q';
DEALLOCATE q;

-- name: prepare_in_untyped
PREPARE q AS SELECT id FROM t WHERE note IN ($1, $2) OR n IN ($3, $4, 16) ORDER BY id;
EXECUTE q('apple', 'banana', 7, 8);
DEALLOCATE q;

-- name: prepare_coalesce
PREPARE q AS SELECT id, coalesce(note, $1), coalesce(n, $2), nullif(amount, $3), greatest(born, $4) FROM t WHERE id < 6
ORDER BY id;
EXECUTE q('none', 0, 2, '2000-01-01');
DEALLOCATE q;

-- name: prepare_limit
PREPARE q AS SELECT id, note FROM t WHERE ($1::text IS NULL OR note = $1) AND ($2::bigint IS NULL OR n = $2) ORDER BY id
LIMIT $3;
EXECUTE q(NULL, NULL, 3);
EXECUTE q('apple', NULL, 3);
EXECUTE q('apple', 1, 1);
DEALLOCATE q;

-- name: prepare_generic_plan
SET LOCAL plan_cache_mode = force_generic_plan;
PREPARE q AS SELECT id FROM t WHERE note = $1 AND n < $2 ORDER BY id;
EXECUTE q('apple', 5);
EXECUTE q('banana', 5);
DEALLOCATE q;

-- name: prepare_custom_plan
SET LOCAL plan_cache_mode = force_custom_plan;
PREPARE q AS SELECT id FROM t WHERE note = $1 AND n < $2 ORDER BY id;
EXECUTE q('apple', 5);
EXECUTE q('note 1', 5);
DEALLOCATE q;

-- name: prepare_many_executions
PREPARE q AS SELECT count(*) FROM t WHERE note > $1;
EXECUTE q('a');
EXECUTE q('b');
EXECUTE q('c');
EXECUTE q('d');
EXECUTE q('e');
EXECUTE q('f');
EXECUTE q('g');
DEALLOCATE q;

-- name: prepare_bad_value_fails
PREPARE q AS SELECT id FROM t WHERE n = $1;
EXECUTE q('five');

-- name: client_gset
SELECT note, n FROM t WHERE id = 1 \gset got_
\echo :got_note :got_n
SELECT id FROM t WHERE note = :'got_note' AND n = :got_n ORDER BY id;

-- name: client_crosstab
SELECT flag, n, count(*) FROM t WHERE id > 20 GROUP BY flag, n ORDER BY flag, n \crosstabview

-- name: client_expanded
SELECT * FROM t WHERE id = 1 \gx

-- name: client_bound_by_gexec
SELECT format('SELECT count(*) FROM t WHERE note = %L', note) FROM t WHERE id IN (1, 10) ORDER BY id \gexec

-- name: explain
EXPLAIN (COSTS OFF) SELECT id FROM t WHERE note = 'apple';

-- name: explain_analyze
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM t WHERE n > 5;

-- name: explain_runs
DO $$
DECLARE q text; line text;
BEGIN
    FOREACH q IN ARRAY ARRAY['SELECT * FROM t WHERE note = ''x'' ORDER BY n',
        'SELECT note, count(*) FROM t GROUP BY note', 'UPDATE t SET n = 5',
        'SELECT * FROM t JOIN u ON t.note = u.note AND t.amount = u.amount',
        'INSERT INTO t (id, note) VALUES (100, ''x'')', 'SELECT rank() OVER (ORDER BY born) FROM t',
        'SELECT DISTINCT doc FROM t', 'SELECT note FROM t UNION SELECT note FROM u']
            LOOP
        EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, BUFFERS, FORMAT json) ' || q INTO line;
        EXECUTE 'EXPLAIN (VERBOSE, FORMAT yaml) ' || q INTO line;
        RAISE NOTICE 'explained';
    END LOOP;
END $$;

-- name: copy_select_count
COPY (SELECT count(*) FROM t WHERE note = 'apple') TO STDOUT;

-- name: system_functions
SELECT count(*) FROM t WHERE tableoid = 't'::regclass AND xmin IS NOT NULL AND note IS NOT NULL;

-- name: advisory_lock_by_column
SELECT pg_try_advisory_xact_lock(n) FROM t WHERE id = 1;

-- name: set_config_from_column
SELECT set_config('my.note', note, true), set_config('my.n', n::text, true) FROM t WHERE id = 1;
SELECT id FROM t WHERE note = current_setting('my.note') AND n = current_setting('my.n')::bigint ORDER BY id;

-- name: sequence_setval
CREATE SEQUENCE counter;
SELECT setval('counter', max(n)) FROM t WHERE n < 1000;
SELECT nextval('counter');
