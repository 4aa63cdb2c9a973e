-- Makes data keys up to a number. Variables: first, last.
-- Several transactions: each new owner takes a lock until the end of its transaction, and those are limited.

CREATE OR REPLACE PROCEDURE make_keys(first int, last int) LANGUAGE plpgsql AS $$
BEGIN
    FOR batch IN first..last BY 2000 LOOP
        PERFORM envcrypt_create_user_key('owner' || i) FROM generate_series(batch, least(batch + 1999, last)) AS i;
        COMMIT;
    END LOOP;
END
$$;
\timing on
CALL make_keys(:first, :last);
\timing off
VACUUM ANALYZE envcrypt_data_keys;
