-- Roles. They belong to the cluster, so another database, or a dump restored earlier, may have made them already.

CREATE FUNCTION envcrypt_make_roles() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
    members text;
BEGIN
    FOREACH name IN ARRAY ARRAY['envcrypt_encrypt', 'envcrypt_decrypt', 'envcrypt_search', 'envcrypt_keyadmin'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            CONTINUE;
        END IF;
        SELECT string_agg(quote_ident(m.rolname), ', ' ORDER BY m.rolname) INTO members
        FROM pg_auth_members a
        JOIN pg_roles r ON r.oid = a.roleid
        JOIN pg_roles m ON m.oid = a.member
        WHERE r.rolname = name;
        IF members IS NOT NULL THEN
            RAISE WARNING 'role "%" exists already and has members: %', name, members
                USING HINT = 'They have its rights in this database, too. Revoke what is not meant so.';
        END IF;
    END LOOP;
END $$;
SELECT @extschema@.envcrypt_make_roles();
DROP FUNCTION @extschema@.envcrypt_make_roles();

COMMENT ON ROLE envcrypt_encrypt IS 'envcrypt: may seal values';
COMMENT ON ROLE envcrypt_decrypt IS 'envcrypt: may open every value';
COMMENT ON ROLE envcrypt_search IS 'envcrypt: may compute search tokens';
COMMENT ON ROLE envcrypt_keyadmin IS 'envcrypt: may make, rotate and shred keys, not open values';

-- Functions that have our names already, from before anything could refuse them. A call with literals would prefer
-- them.

CREATE FUNCTION envcrypt_warn_of_lookalikes() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lookalikes text;
BEGIN
    SELECT string_agg(p.oid::regprocedure::text, ', ' ORDER BY p.oid::regprocedure::text COLLATE "C") INTO lookalikes
    FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
    WHERE p.proname ~ '^(envcrypt_|encrypted_|(encrypt|decrypt)_for_user$)' AND NOT r.rolsuper;
    IF lookalikes IS NOT NULL THEN
        RAISE WARNING 'functions that no superuser owns have names of envcrypt''s'
            USING DETAIL = format('They may be called in the place of envcrypt''s own: %s.', lookalikes),
                HINT = 'Drop them, unless you know what they are.';
    END IF;
END $$;
SELECT @extschema@.envcrypt_warn_of_lookalikes();
DROP FUNCTION @extschema@.envcrypt_warn_of_lookalikes();
