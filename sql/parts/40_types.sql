-- The types.

SELECT @extschema@.envcrypt_define_type(base::pg_catalog.regtype, false)
FROM pg_catalog.unnest('{text,bytea,jsonb,int8,numeric,float8,bool,date,timestamptz,uuid,inet}'::pg_catalog.text[])
    AS base;

-- From one encrypted type to another, as between their bases: coalesce(quantity, amount) finds its type.

CREATE FUNCTION envcrypt_define_conversions() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT c.castcontext, jsonb_build_object(
            'X', '@extschema@.' || quote_ident('encrypted_' || s.typname),
            'T', '@extschema@.' || quote_ident('encrypted_' || t.typname),
            'A', CASE WHEN t.typname IN ('numeric', 'timestamptz', 'text') THEN ', integer, boolean' ELSE '' END)
                AS "values"
        FROM pg_cast c JOIN pg_type s ON s.oid = c.castsource JOIN pg_type t ON t.oid = c.casttarget
        WHERE c.oid < 16384 AND s.oid <> t.oid
            AND s.typname = ANY ('{text,bytea,jsonb,int8,numeric,float8,bool,date,timestamptz,uuid,inet}')
            AND t.typname = ANY ('{text,bytea,jsonb,int8,numeric,float8,bool,date,timestamptz,uuid,inet}')
        ORDER BY s.typname, t.typname
    LOOP
        PERFORM @extschema@.envcrypt_define_function('<T>(<X><A>)'::text, '<T>'::text,
            'VOLATILE STRICT PARALLEL RESTRICTED COST 4'::text, 'envcrypt_seal'::text,
            'opens, converts, and seals under the database key'::text, item."values");
        PERFORM @extschema@.envcrypt_define('CREATE CAST (<X> AS <T>) WITH FUNCTION <T>(<X><A>)'
            || CASE item.castcontext WHEN 'i' THEN ' AS IMPLICIT' WHEN 'a' THEN ' AS ASSIGNMENT' ELSE '' END,
            item."values");
    END LOOP;
END
$$;
SELECT @extschema@.envcrypt_define_conversions();
DROP FUNCTION @extschema@.envcrypt_define_conversions();
