-- The types.

SELECT @extschema@.envcrypt_define_type(base::pg_catalog.regtype, false)
FROM pg_catalog.unnest('{text,bytea,jsonb,int8,numeric,float8,bool,date,timestamptz,uuid,inet}'::pg_catalog.text[]) AS base;

-- From one encrypted type to another, as between their bases: coalesce(quantity, amount) finds its type.

CREATE FUNCTION envcrypt_define_conversions() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    schema CONSTANT text := '@extschema@.';
    item record;
BEGIN
    FOR item IN
        SELECT schema || quote_ident('encrypted_' || s.typname) AS source,
            schema || quote_ident('encrypted_' || t.typname) AS target, c.castcontext,
            CASE WHEN t.typname IN ('numeric', 'timestamptz', 'text') THEN ', integer, boolean' ELSE '' END AS arguments
        FROM pg_cast c JOIN pg_type s ON s.oid = c.castsource JOIN pg_type t ON t.oid = c.casttarget
        WHERE c.oid < 16384 AND s.oid <> t.oid
            AND s.typname = ANY ('{text,bytea,jsonb,int8,numeric,float8,bool,date,timestamptz,uuid,inet}')
            AND t.typname = ANY ('{text,bytea,jsonb,int8,numeric,float8,bool,date,timestamptz,uuid,inet}')
        ORDER BY s.typname, t.typname
    LOOP
        EXECUTE format('CREATE FUNCTION %1$s(%2$s%3$s) RETURNS %1$s LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED COST 4 '
            'AS ''$libdir/envcrypt'', ''envcrypt_seal''', item.target, item.source, item.arguments);
        EXECUTE format('COMMENT ON FUNCTION %s(%s%s) IS ''opens, converts, and seals under the database key''', item.target,
            item.source, item.arguments);
        EXECUTE format('CREATE CAST (%2$s AS %1$s) WITH FUNCTION %1$s(%2$s%3$s) %4$s', item.target, item.source,
            item.arguments, CASE item.castcontext WHEN 'i' THEN 'AS IMPLICIT' WHEN 'a' THEN 'AS ASSIGNMENT' ELSE '' END);
    END LOOP;
END
$$;
SELECT @extschema@.envcrypt_define_conversions();
DROP FUNCTION @extschema@.envcrypt_define_conversions();
