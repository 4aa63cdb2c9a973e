-- One attempt at a step that needs the table for itself; null if the lock could not be had in that time. The n-th
-- attempt in vain is now and then longer, so that PostgreSQL cancels an autovacuum that is in the way.
CREATE FUNCTION envcrypt_online_attempt(step text, "table" regclass, "column" name, owner_column name, null_owner text,
    patience interval, attempt integer) RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    milliseconds integer := greatest(1, ceil(extract(epoch FROM patience) * 1000));
    holders text;
BEGIN
    IF attempt % 5 = 4 AND EXISTS (SELECT FROM pg_locks
            WHERE locktype = 'relation' AND mode = 'ShareUpdateExclusiveLock'
            AND granted AND relation IN (SELECT relid FROM @extschema@.envcrypt_tree("table"))) THEN
        milliseconds := milliseconds + (SELECT setting::integer FROM pg_settings WHERE name = 'deadlock_timeout');
    END IF;
    BEGIN
        PERFORM set_config('lock_timeout', milliseconds::text, true);
        PERFORM @extschema@.envcrypt_lock_relation("table"::oid, 'AccessExclusiveLock'::text, true);
        IF step = 'prepare' THEN
            RETURN @extschema@.envcrypt_online_prepare("table", "column", owner_column, null_owner);
        ELSIF step = 'constrain' THEN
            RETURN @extschema@.envcrypt_online_constrain("table", "column");
        ELSIF step = 'swap' THEN
            RETURN @extschema@.envcrypt_online_swap("table", "column");
        END IF;
        RETURN @extschema@.envcrypt_online_undo("table", "column");
    EXCEPTION WHEN lock_not_available THEN
        IF attempt % 20 = 5 THEN
            SELECT string_agg(DISTINCT coalesce('process ' || l.pid, 'a prepared transaction'), ', ') INTO holders
            FROM pg_locks l
            WHERE l.locktype = 'relation' AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND l.relation IN (SELECT relid FROM @extschema@.envcrypt_tree("table"));
            RAISE NOTICE 'envcrypt_protect_online() waits for a lock on table %', "table"
                USING DETAIL = format('In its way: %s.', coalesce(holders, 'a transaction that has just ended'));
        END IF;
        RETURN NULL;
    END;
END $$;
COMMENT ON FUNCTION envcrypt_online_attempt(text, regclass, name, name, text, interval, integer) IS
    'envcrypt: tries a step that locks the table, for a short time';

-- The tables whose rows are to be written; null, if one lacks its trigger.
CREATE FUNCTION envcrypt_online_leaves("table" regclass, "column" name) RETURNS oid[]
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN bool_and(EXISTS (SELECT FROM pg_trigger WHERE tgenabled = 'A'
            AND oid = (@extschema@.envcrypt_online_state(t.relid, "column")).shadow_trigger))
        THEN coalesce(array_agg(t.relid::oid ORDER BY t.relid::oid) FILTER (WHERE c.relkind = 'r'), '{}') ELSE NULL END
    FROM @extschema@.envcrypt_tree("table") t JOIN pg_class c ON c.oid = t.relid
$$;
COMMENT ON FUNCTION envcrypt_online_leaves(regclass, name) IS
    'envcrypt: the tables whose rows are to be written; null, where a trigger is missing';

CREATE FUNCTION envcrypt_online_first_step("table" regclass, "column" name) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN @extschema@.envcrypt_online_leaves("table", "column") IS NULL THEN 'prepare' ELSE 'backfill' END
$$;
COMMENT ON FUNCTION envcrypt_online_first_step(regclass, name) IS 'envcrypt: where envcrypt_protect_online() begins';

CREATE FUNCTION envcrypt_online_blocks(leaf oid) RETURNS bigint
LANGUAGE sql VOLATILE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(pg_relation_size(leaf::regclass) / current_setting('block_size')::bigint, 0)
$$;
COMMENT ON FUNCTION envcrypt_online_blocks(oid) IS 'envcrypt: how many blocks a table has';

-- One batch. A table that is gone, or was cancelled, has nothing to do. Waits are given up before PostgreSQL would take
-- them for a deadlock of someone else's making.
CREATE FUNCTION envcrypt_online_batch(leaf oid, "column" name, first bigint, "end" bigint, batch_size integer,
    OUT next bigint, OUT written bigint, OUT skipped bigint)
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state record;
BEGIN
    next := "end";
    written := 0;
    skipped := 0;
    state := @extschema@.envcrypt_online_state(leaf::regclass, "column");
    IF state.shadow_trigger IS NULL OR NOT EXISTS (SELECT FROM pg_class WHERE oid = leaf) THEN
        RETURN;
    END IF;
    PERFORM set_config('lock_timeout', '500ms', true);
    SELECT b.next, b.written, b.skipped INTO next, written, skipped
    FROM @extschema@.envcrypt_backfill(leaf::regclass, state.shadow_trigger, first, "end", batch_size) AS b;
EXCEPTION WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN
    next := first;
    written := 0;
    skipped := 0;
END $$;
COMMENT ON FUNCTION envcrypt_online_batch(oid, name, bigint, bigint, integer) IS
    'envcrypt: one batch of envcrypt_protect_online()';

-- After a pass over all rows: the next step.
CREATE FUNCTION envcrypt_online_after_pass("table" regclass, "column" name, passes integer, written bigint,
    skipped bigint) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    leaf oid;
    leaves oid[] := @extschema@.envcrypt_online_leaves("table", "column");
    shadow_trigger oid;
BEGIN
    IF leaves IS NULL THEN
        RETURN 'check';
    END IF;
    FOREACH leaf IN ARRAY leaves LOOP
        shadow_trigger := (@extschema@.envcrypt_online_state(leaf::regclass, "column")).shadow_trigger;
        IF @extschema@.envcrypt_lacks_shadow(leaf::regclass, shadow_trigger) THEN
            IF passes % 20 = 5 AND written = 0 THEN
                RAISE NOTICE 'envcrypt_protect_online() waits for rows of table % that other transactions have locked',
                    leaf::regclass;
            END IF;
            RETURN 'backfill';
        END IF;
    END LOOP;
    RETURN 'constrain';
END $$;
COMMENT ON FUNCTION envcrypt_online_after_pass(regclass, name, integer, bigint, bigint) IS
    'envcrypt: whether all rows have their shadow values';

CREATE FUNCTION envcrypt_online_progress(leaf oid, done bigint, blocks bigint, told bigint, pass integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    percent bigint := 100 * done / blocks;
BEGIN
    -- Small tables are done before anybody reads it.
    IF blocks < 1000 OR percent < told + 10 THEN
        RETURN told;
    END IF;
    RAISE NOTICE 'envcrypt_protect_online(): pass % over table %: % %%', pass, leaf::regclass, percent;
    RETURN percent;
END $$;
COMMENT ON FUNCTION envcrypt_online_progress(oid, bigint, bigint, bigint, integer) IS
    'envcrypt: says how far the backfill is; returns the percentage that was told last';

CREATE FUNCTION envcrypt_online_pause(pause interval, written bigint) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN written > 0 THEN extract(epoch FROM pause)::float8 ELSE 0 END
$$;
COMMENT ON FUNCTION envcrypt_online_pause(interval, bigint) IS 'envcrypt: how long to rest after a batch, in seconds';

CREATE FUNCTION envcrypt_online_rest(patience interval) RETURNS void
LANGUAGE sql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_sleep(least(5, greatest(0.1, 4 * extract(epoch FROM patience)))::float8)
$$;
COMMENT ON FUNCTION envcrypt_online_rest(interval) IS
    'envcrypt: sleeps after an attempt in vain, so that others have the table for most of the time';

CREATE FUNCTION envcrypt_online_check_cancel("table" regclass, "column" name, lock_timeout interval) RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF "table" IS NULL OR "column" IS NULL THEN
        RAISE 'table and column must not be null' USING ERRCODE = 'null_value_not_allowed';
    ELSIF lock_timeout IS NULL OR lock_timeout <= '0' THEN
        RAISE 'lock_timeout must be positive' USING ERRCODE = 'invalid_parameter_value';
    ELSIF NOT EXISTS (SELECT FROM pg_class WHERE oid = "table") THEN
        RAISE 'relation with OID % does not exist', "table"::oid USING ERRCODE = 'undefined_table';
    ELSIF NOT (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = "table") THEN
        RAISE 'must be owner of table %', "table" USING ERRCODE = 'insufficient_privilege';
    ELSIF (@extschema@.envcrypt_online_state("table", "column")).number IS NULL THEN
        RAISE 'column "%" of table % does not exist', "column", "table" USING ERRCODE = 'undefined_column';
    END IF;
END $$;
COMMENT ON FUNCTION envcrypt_online_check_cancel(regclass, name, interval) IS
    'envcrypt: checks of envcrypt_protect_online_cancel()';

-- The steps, each in transactions of its own: check, prepare, backfill (batches, and passes until nothing is left),
-- constrain, validate, verify, swap. Any of them may lead back to an earlier one. Called again after an interruption,
-- it begins with what the table says is done.
CREATE PROCEDURE envcrypt_protect_online("table" regclass, "column" name, owner_column name DEFAULT NULL,
    null_owner text DEFAULT 'error', batch_size integer DEFAULT 10000, pause interval DEFAULT '0',
    lock_timeout interval DEFAULT '200 milliseconds', verify boolean DEFAULT true)
LANGUAGE plpgsql AS $$
DECLARE
    what CONSTANT text := 'envcrypt_protect_online()';
    step text := 'check';
    answer text;
    attempt integer := 0;
    passes integer := 0;
    leaves oid[];
    leaf oid;
    first bigint;
    blocks bigint;
    told bigint;
    batch record;
    written bigint;
    skipped bigint;
    seconds double precision;
BEGIN
    CALL @extschema@.envcrypt_require_own_transaction(what);
    COMMIT;
    -- Whatever the session's default is; it is kept by AND CHAIN.
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    LOOP
        IF step OPERATOR(pg_catalog.=) 'check' THEN
            EXIT WHEN NOT @extschema@.envcrypt_online_check("table", "column", owner_column, null_owner, batch_size,
                pause, lock_timeout);
            step := @extschema@.envcrypt_online_first_step("table", "column");
        ELSIF step OPERATOR(pg_catalog.=) 'backfill' THEN
            leaves := @extschema@.envcrypt_online_leaves("table", "column");
            IF leaves IS NULL THEN
                step := 'check';
                CONTINUE;
            END IF;
            passes := passes OPERATOR(pg_catalog.+) 1;
            written := 0;
            skipped := 0;
            FOREACH leaf IN ARRAY leaves LOOP
                first := 0;
                told := 0;
                blocks := @extschema@.envcrypt_online_blocks(leaf);
                WHILE first OPERATOR(pg_catalog.<) blocks LOOP
                    batch := @extschema@.envcrypt_online_batch(leaf, "column", first, blocks, batch_size);
                    COMMIT AND CHAIN;
                    first := batch.next;
                    written := written OPERATOR(pg_catalog.+) batch.written;
                    skipped := skipped OPERATOR(pg_catalog.+) batch.skipped;
                    told := @extschema@.envcrypt_online_progress(leaf, first, blocks, told, passes);
                    seconds := @extschema@.envcrypt_online_pause(pause, batch.written);
                    IF seconds OPERATOR(pg_catalog.>) 0::pg_catalog.float8 THEN
                        PERFORM pg_catalog.pg_sleep(seconds);
                        COMMIT AND CHAIN;
                    END IF;
                END LOOP;
            END LOOP;
            step := @extschema@.envcrypt_online_after_pass("table", "column", passes, written, skipped);
            IF step OPERATOR(pg_catalog.=) 'backfill' AND written OPERATOR(pg_catalog.=) 0::pg_catalog.int8 THEN
                -- What is left is locked.
                COMMIT AND CHAIN;
                PERFORM pg_catalog.pg_sleep(0.5::pg_catalog.float8);
            END IF;
        ELSIF step OPERATOR(pg_catalog.=) 'validate' THEN
            step := @extschema@.envcrypt_online_validate("table", "column", verify);
        ELSIF step OPERATOR(pg_catalog.=) 'verify' THEN
            step := @extschema@.envcrypt_online_verify("table", "column");
        ELSIF step OPERATOR(pg_catalog.=) 'done' THEN
            EXIT;
        ELSE
            answer := @extschema@.envcrypt_online_attempt(step, "table", "column", owner_column, null_owner,
                lock_timeout, attempt);
            COMMIT AND CHAIN;
            IF answer IS NULL THEN
                attempt := attempt OPERATOR(pg_catalog.+) 1;
                PERFORM @extschema@.envcrypt_online_rest(lock_timeout);
            ELSE
                attempt := 0;
                step := answer;
            END IF;
        END IF;
        COMMIT AND CHAIN;
    END LOOP;
END $$;
COMMENT ON PROCEDURE envcrypt_protect_online(regclass, name, name, text, integer, interval, interval, boolean) IS
    'makes a column of a table with traffic encrypted; commits as it goes; called again, it continues';

CREATE PROCEDURE envcrypt_protect_online_cancel("table" regclass, "column" name,
    lock_timeout interval DEFAULT '200 milliseconds')
LANGUAGE plpgsql AS $$
DECLARE
    attempt integer := 0;
BEGIN
    CALL @extschema@.envcrypt_require_own_transaction('envcrypt_protect_online_cancel()'::pg_catalog.text);
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    PERFORM @extschema@.envcrypt_online_check_cancel("table", "column", lock_timeout);
    WHILE @extschema@.envcrypt_online_attempt('undo'::pg_catalog.text, "table", "column", NULL::pg_catalog.name,
        NULL::pg_catalog.text, lock_timeout, attempt) IS NULL LOOP
        COMMIT AND CHAIN;
        attempt := attempt OPERATOR(pg_catalog.+) 1;
        PERFORM @extschema@.envcrypt_online_rest(lock_timeout);
        COMMIT AND CHAIN;
    END LOOP;
END $$;
COMMENT ON PROCEDURE envcrypt_protect_online_cancel(regclass, name, interval) IS
    'ends envcrypt_protect_online() before it is done: the column stays plain, and nothing else is left';
