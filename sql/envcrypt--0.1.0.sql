\echo Use "CREATE EXTENSION envcrypt" to load this file. \quit

-- Roles. They belong to the cluster, so another database, or a dump restored earlier, may have made them already.

-- This script runs as a superuser, in a schema in which others may have made functions and operators that fit a call
-- better than PostgreSQL's own. So nothing here is found by a search path that contains that schema: what is called is
-- exactly pg_catalog's, or runs with a search_path of its own, and what dynamic statements name is qualified.

CREATE FUNCTION @extschema@.envcrypt_make_roles() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
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

-- Key tables. Their rows are safe in a backup's hands, so they are always dumped, and have no row-level security:
-- with it, pg_dump --enable-row-security would silently leave all keys out.

CREATE TABLE envcrypt_master_keys (
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 16),
    state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'current', 'retiring', 'retired', 'compromised')),
    registered_at timestamptz NOT NULL DEFAULT now(),
    state_since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (fingerprint)
);
COMMENT ON TABLE envcrypt_master_keys IS
    'envcrypt: the master keys of this database by fingerprint; the keys themselves are never stored';
COMMENT ON COLUMN envcrypt_master_keys.state IS
    'pending, current (exactly one: wraps new data keys), retiring (unwraps only), retired and compromised (unwrap nothing)';

CREATE TABLE envcrypt_data_keys (
    key_id bigint NOT NULL CHECK (key_id <> 0),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('data', 'token', 'shredded')),
    owner text COLLATE "C" CHECK (owner <> ''),
    key_version integer NOT NULL CHECK (key_version > 0),
    algorithm text COLLATE "C" NOT NULL CHECK (algorithm IN ('aes-256-gcm', 'xaes-256-gcm')),
    master_fingerprint bytea CHECK (octet_length(master_fingerprint) = 16),
    wrapped_key bytea CHECK (octet_length(wrapped_key) = 73),
    tombstone bytea CHECK (octet_length(tombstone) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    shredded_at timestamptz,
    PRIMARY KEY (key_id),
    CONSTRAINT envcrypt_data_keys_owner_key UNIQUE (kind, owner, key_version),
    CHECK ((kind = 'shredded') = (tombstone IS NOT NULL)),
    CHECK ((kind = 'shredded') = (shredded_at IS NOT NULL)),
    CHECK ((kind = 'shredded') = (wrapped_key IS NULL)),
    CHECK ((kind = 'shredded') = (master_fingerprint IS NULL)),
    CHECK (kind <> 'shredded' OR owner IS NULL)
) WITH (fillfactor = 50, vacuum_truncate = off);
CREATE INDEX envcrypt_data_keys_tombstone_idx ON envcrypt_data_keys (tombstone) WITH (deduplicate_items = on);
COMMENT ON TABLE envcrypt_data_keys IS
    'envcrypt: data keys, wrapped by a master key; every row is needed to open what its key sealed';
COMMENT ON COLUMN envcrypt_data_keys.owner IS 'null: the database key, or shredded';

REVOKE ALL ON envcrypt_master_keys, envcrypt_data_keys FROM PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('envcrypt_master_keys', '');
SELECT pg_catalog.pg_extension_config_dump('envcrypt_data_keys', '');

CREATE FUNCTION envcrypt_key_table_trigger() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_key_table_trigger() IS 'envcrypt: makes every session check its opened keys again';
REVOKE ALL ON FUNCTION envcrypt_key_table_trigger() FROM PUBLIC;

CREATE TRIGGER envcrypt_announce BEFORE INSERT OR UPDATE OR DELETE ON envcrypt_data_keys
    FOR EACH ROW EXECUTE FUNCTION envcrypt_key_table_trigger();
CREATE TRIGGER envcrypt_announce_truncate BEFORE TRUNCATE ON envcrypt_data_keys
    FOR EACH STATEMENT EXECUTE FUNCTION envcrypt_key_table_trigger();
CREATE TRIGGER envcrypt_announce BEFORE INSERT OR UPDATE OR DELETE ON envcrypt_master_keys
    FOR EACH ROW EXECUTE FUNCTION envcrypt_key_table_trigger();
CREATE TRIGGER envcrypt_announce_truncate BEFORE TRUNCATE ON envcrypt_master_keys
    FOR EACH STATEMENT EXECUTE FUNCTION envcrypt_key_table_trigger();
ALTER TABLE envcrypt_data_keys ENABLE ALWAYS TRIGGER envcrypt_announce;
ALTER TABLE envcrypt_data_keys ENABLE ALWAYS TRIGGER envcrypt_announce_truncate;
ALTER TABLE envcrypt_master_keys ENABLE ALWAYS TRIGGER envcrypt_announce;
ALTER TABLE envcrypt_master_keys ENABLE ALWAYS TRIGGER envcrypt_announce_truncate;

-- What all encrypted types share.

CREATE FUNCTION envcrypt_type_analyze(internal) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_type_analyze(internal) IS 'envcrypt: statistics without values';

CREATE FUNCTION envcrypt_refuse_index(internal) RETURNS void
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_refuse_index(internal) IS 'envcrypt: refuses an index on a randomly encrypted column';

CREATE FUNCTION envcrypt_subscript(internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_subscript(internal) IS 'envcrypt: subscripts of encrypted documents and arrays';

CREATE FUNCTION envcrypt_seal_support(internal) RETURNS internal
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_seal_support(internal) IS 'envcrypt: seals constants while a statement is planned';

-- Defines operators `names` for a pair of types, as those of their base types. Where they are comparisons, they become
-- members of a btree operator family, through which PostgreSQL understands (a, b) < (c, d); values are compared there as
-- `compared_as` by `comparison`.

CREATE FUNCTION envcrypt_define_operators(names text[], left_type regtype, left_base regtype, right_type regtype,
                                          right_base regtype, family name DEFAULT NULL, comparison text DEFAULT NULL,
                                          compared_as regtype DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    schema CONSTANT text := '@extschema@.';
    words CONSTANT jsonb := '{"=": "equal", "<>": "unequal", "<": "less", "<=": "less_or_equal", ">": "greater",
        ">=": "greater_or_equal", "+": "plus", "-": "minus", "*": "times", "/": "divided_by", "^": "power",
        "||": "concatenated", "@>": "contains", "<@": "contained", "&&": "overlaps", "<<": "left_of", ">>": "right_of",
        "&<": "not_right_of", "&>": "not_left_of", "-|-": "adjacent"}';
    pair CONSTANT text := format('(%s, %s)', left_type, right_type);
    name text;
    function text;
    result text;
BEGIN
    FOREACH name IN ARRAY names LOOP
        function := schema || 'envcrypt_' || (words ->> name);
        EXECUTE format('SELECT pg_typeof(NULL::%s %s NULL::%s)', left_base, name, right_base) INTO result;
        EXECUTE format('CREATE FUNCTION %s%s RETURNS %s LANGUAGE sql STABLE STRICT PARALLEL SAFE '
            'RETURN $1::%s OPERATOR(pg_catalog.%s) $2::%s', function, pair, result, left_base, name, right_base);
        EXECUTE format('COMMENT ON FUNCTION %s%s IS ''implementation of %s operator''', function, pair, name);
        EXECUTE format('CREATE OPERATOR %s%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s)', schema, name, left_type,
            right_type, function);
        EXECUTE format('COMMENT ON OPERATOR %s%s %s IS ''of what was sealed''', schema, name, pair);
    END LOOP;
    IF names @> '{<,<=,=,>=,>}' THEN
        function := schema || 'envcrypt_comparison';
        EXECUTE format('CREATE FUNCTION %s%s RETURNS integer LANGUAGE sql STABLE STRICT PARALLEL SAFE '
            'RETURN pg_catalog.%I($1::%s::%s, $2::%s::%s)', function, pair, comparison, left_base, compared_as, right_base,
            compared_as);
        EXECUTE format('COMMENT ON FUNCTION %s%s IS ''less-equal-greater''', function, pair);
        EXECUTE format('ALTER OPERATOR FAMILY %s%I USING btree ADD OPERATOR 1 %s< %s, OPERATOR 2 %s<= %s, OPERATOR 3 %s= %s, '
            'OPERATOR 4 %s>= %s, OPERATOR 5 %s> %s, FUNCTION 1 %s %s%s', schema, family, schema, pair, schema, pair, schema,
            pair, schema, pair, schema, pair, pair, function, pair);
    END IF;
END
$$;
COMMENT ON FUNCTION envcrypt_define_operators(text[], regtype, regtype, regtype, regtype, name, text, regtype) IS
    'envcrypt: operators that the implicit cast to the base type does not reach';
REVOKE ALL ON FUNCTION envcrypt_define_operators(text[], regtype, regtype, regtype, regtype, name, text, regtype) FROM PUBLIC;

-- The template of an encrypted type. Casts of the base are read from the catalogs, so that an encrypted type converts as
-- its base does: implicitly to the base alone, by assignment or explicitly to all else. `made`: later than this script, by
-- envcrypt_create_type().

CREATE FUNCTION envcrypt_define_type(base regtype, made boolean) RETURNS regtype
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $template$
DECLARE
    schema CONSTANT text := '@extschema@.';  -- quoted already where it must be
    type pg_type;
    ultimate regtype := base;  -- what a domain is over
    sealed text;
    modifiers text := '';
    arguments text := '';      -- what a sealing cast takes beside the value, where there are type modifiers
    ranges text := '';
    can_sort boolean := true;
    can_hash boolean := true;
    item record;
    statement text;  -- <T> stands for the type, <B> for the base, <U> for what it is over, <S> for our schema and a dot
BEGIN
    SELECT * INTO STRICT type FROM pg_type WHERE oid = base;
    WHILE (SELECT typtype = 'd' FROM pg_type WHERE oid = ultimate) LOOP
        SELECT typbasetype INTO STRICT ultimate FROM pg_type WHERE oid = ultimate;
    END LOOP;
    sealed := schema || quote_ident('encrypted_' || type.typname);
    -- encrypted_text(20) is as varchar(20). The modifiers of times are printed with words that only the grammar of their own
    -- names takes, "(3) with time zone": varbit's are printed as a number. Those of interval are not numbers alone.
    SELECT format(', TYPMOD_IN = %s, TYPMOD_OUT = %s', typmodin,
            CASE WHEN typname ~ '^time' THEN 'varbittypmodout'::regproc ELSE typmodout END),
        ', integer, boolean' INTO modifiers, arguments
    FROM pg_type WHERE oid = CASE base WHEN 'text'::regtype THEN 'varchar'::regtype ELSE base END AND typmodin <> 0
        AND oid <> 'interval'::regtype;
    modifiers := coalesce(modifiers, '');
    arguments := coalesce(arguments, '');
    IF (SELECT typsubscript <> 0 AND typlen = -1 FROM pg_type WHERE oid = ultimate) THEN
        modifiers := modifiers || format(', SUBSCRIPT = %senvcrypt_subscript', schema);
    END IF;
    BEGIN
        EXECUTE format('SELECT FROM (VALUES (NULL::%s)) AS v (x) ORDER BY x', base);
    EXCEPTION WHEN undefined_function THEN
        can_sort := false;
    END;
    BEGIN
        EXECUTE format('SELECT hash_array(ARRAY[NULL::%s])', base);
    EXCEPTION WHEN undefined_function THEN
        can_hash := false;
    END;

    FOREACH statement IN ARRAY ARRAY[
        $$CREATE TYPE <T>$$,

        -- Input is STABLE, as PostgreSQL wants it of types whose input depends on settings. It writes nothing.
        -- Sealing is restricted to the leader: a value in transit carries the id of the backend that sealed it.
        $$CREATE FUNCTION <T:_in>(cstring, oid, integer) RETURNS <T> LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
            AS '$libdir/envcrypt', 'envcrypt_type_in'$$,
        $$CREATE FUNCTION <T:_out>(<T>) RETURNS cstring LANGUAGE c STABLE STRICT PARALLEL SAFE
            AS '$libdir/envcrypt', 'envcrypt_type_out'$$,
        $$CREATE FUNCTION <T:_recv>(internal, oid, integer) RETURNS <T> LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
            AS '$libdir/envcrypt', 'envcrypt_type_recv'$$,
        $$CREATE FUNCTION <T:_send>(<T>) RETURNS bytea LANGUAGE c STABLE STRICT PARALLEL SAFE
            AS '$libdir/envcrypt', 'envcrypt_type_send'$$,
        $$CREATE TYPE <T> (INPUT = <T:_in>, OUTPUT = <T:_out>, RECEIVE = <T:_recv>, SEND = <T:_send>,
            ANALYZE = <S>envcrypt_type_analyze, INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = external,
            CATEGORY = '<C>', COLLATABLE = '<L>'<M>)$$,
        $$COMMENT ON TYPE <T> IS 'envcrypt: <B>, sealed under its owner''s data key'$$,
        $$COMMENT ON FUNCTION <T:_in>(cstring, oid, integer) IS 'I/O'$$,
        $$COMMENT ON FUNCTION <T:_out>(<T>) IS 'I/O'$$,
        $$COMMENT ON FUNCTION <T:_recv>(internal, oid, integer) IS 'I/O'$$,
        $$COMMENT ON FUNCTION <T:_send>(<T>) IS 'I/O'$$,

        -- The one implicit cast: PostgreSQL's functions and operators of the base type take sealed values through it.
        $$CREATE FUNCTION <S>envcrypt_open(<T>) RETURNS <B> LANGUAGE c STABLE STRICT PARALLEL SAFE COST 2
            AS '$libdir/envcrypt', 'envcrypt_open'$$,
        $$COMMENT ON FUNCTION <S>envcrypt_open(<T>) IS
            'opens a sealed value; needs envcrypt_decrypt or the session''s own master key'$$,
        $$CREATE CAST (<T> AS <U>) WITH FUNCTION <S>envcrypt_open(<T>) AS IMPLICIT$$,
        $$CREATE FUNCTION <T>(<B>) RETURNS <T> LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED COST 2
            AS '$libdir/envcrypt', 'envcrypt_seal'$$,
        $$COMMENT ON FUNCTION <T>(<B>) IS
            'seals under the database key; the row''s owner is bound when the row is written'$$,

        -- For one owner by name.
        $$CREATE FUNCTION <S>encrypt_for_user(owner text, value <B>) RETURNS <T>
            LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 2
            AS '$libdir/envcrypt', 'envcrypt_encrypt_for_user'$$,
        $$COMMENT ON FUNCTION <S>encrypt_for_user(text, <B>) IS
            'seals a value for an owner, whose data key is made on first use; needs envcrypt_encrypt or the session''s own master key'$$,
        $$CREATE FUNCTION <S>decrypt_for_user(owner text, value <T>) RETURNS <B>
            LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2
            AS '$libdir/envcrypt', 'envcrypt_decrypt_for_user'$$,
        $$COMMENT ON FUNCTION <S>decrypt_for_user(text, <T>) IS
            'opens a value that was sealed for this owner and refuses any other; needs envcrypt_decrypt or the session''s own master key'$$,
        $$CREATE FUNCTION <S>envcrypt_owner(value <T>) RETURNS text LANGUAGE c STABLE STRICT PARALLEL SAFE
            AS '$libdir/envcrypt', 'envcrypt_owner'$$,
        $$COMMENT ON FUNCTION <S>envcrypt_owner(<T>) IS
            'the owner a value is sealed for; null for the database key and for a shredded owner; for those who may open, and key administrators'$$,
        $$CREATE FUNCTION <S>envcrypt_key_id(value <T>) RETURNS bigint LANGUAGE c STABLE STRICT PARALLEL SAFE
            AS '$libdir/envcrypt', 'envcrypt_key_id'$$,
        $$COMMENT ON FUNCTION <S>envcrypt_key_id(<T>) IS
            'the id of the data key a value is sealed under; for those who may open, and key administrators'$$,

        -- What envcrypt_protect() and envcrypt_verify() work with. An owner of NULL is the database key.
        $$CREATE FUNCTION <S>envcrypt_bind(value <B>, owner text, context_id integer) RETURNS <T>
            LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 2
            AS '$libdir/envcrypt', 'envcrypt_bind_plain'$$,
        $$COMMENT ON FUNCTION <S>envcrypt_bind(<B>, text, integer) IS 'envcrypt: seals for an owner and a column'$$,
        $$CREATE FUNCTION <S>envcrypt_bind(value <T>, owner text, context_id integer) RETURNS <T>
            LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 4
            AS '$libdir/envcrypt', 'envcrypt_bind_sealed'$$,
        $$COMMENT ON FUNCTION <S>envcrypt_bind(<T>, text, integer) IS
            'envcrypt: the value sealed for an owner and a column, as the owner trigger does it'$$,
        $$CREATE FUNCTION <S>envcrypt_check(value <T>, owner text, context_id integer) RETURNS text
            LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2
            AS '$libdir/envcrypt', 'envcrypt_check_value'$$,
        $$COMMENT ON FUNCTION <S>envcrypt_check(<T>, text, integer) IS
            'envcrypt: what is wrong with a value in a row of that owner, or null'$$
    ] || CASE WHEN arguments = '' THEN '{}' ELSE ARRAY[
        $$CREATE FUNCTION <T>(<B>, integer, boolean) RETURNS <T> LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED COST 2
            AS '$libdir/envcrypt', 'envcrypt_seal'$$,
        $$COMMENT ON FUNCTION <T>(<B>, integer, boolean) IS 'seals under the database key, applying a type modifier'$$,
        $$CREATE FUNCTION <T>(<T>, integer, boolean) RETURNS <T> LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED COST 4
            AS '$libdir/envcrypt', 'envcrypt_coerce_typmod'$$,
        $$COMMENT ON FUNCTION <T>(<T>, integer, boolean) IS 'applies a type modifier to what was sealed'$$,
        $$CREATE CAST (<T> AS <T>) WITH FUNCTION <T>(<T>, integer, boolean) AS IMPLICIT$$
    ] END || CASE WHEN base <> ultimate THEN '{}' ELSE ARRAY[
        $$CREATE CAST (<B> AS <T>) WITH FUNCTION <T>(<B><A>) AS ASSIGNMENT$$
    ] END LOOP
        statement := regexp_replace(statement, '<T:(\w+)>',
            replace(schema || quote_ident('encrypted_' || type.typname || '<suffix>'), '<suffix>', '\1'), 'g');
        EXECUTE replace(replace(replace(replace(replace(replace(replace(replace(statement, '<T>', sealed),
            '<B>', base::text), '<U>', ultimate::text), '<S>', schema), '<C>', type.typcategory::text),
            '<L>', (type.typcollation <> 0)::text), '<M>', modifiers), '<A>', arguments);
    END LOOP;

    -- From what PostgreSQL takes for the base, as it takes it: an integer goes into an encrypted numeric, and
    -- coalesce(amount, 0) finds its type.
    FOR item IN
        SELECT castsource::regtype AS source, min(CASE castcontext WHEN 'i' THEN 1 WHEN 'a' THEN 2 ELSE 3 END) AS context
        FROM (
            SELECT castsource, castcontext FROM pg_cast
            WHERE casttarget = ultimate AND castsource <> ultimate AND (made OR oid < 16384)
            UNION ALL SELECT ultimate, 'a' WHERE ultimate <> base
        ) AS c
        JOIN pg_type s ON s.oid = castsource
        WHERE s.typname !~ '^(encrypted|searchable)_' AND castsource <> 'oid'::regtype
        GROUP BY castsource ORDER BY castsource
    LOOP
        EXECUTE format('CREATE FUNCTION %1$s(%2$s%3$s) RETURNS %1$s LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED COST 2 %4$s '
            'AS ''$libdir/envcrypt'', ''envcrypt_seal''', sealed, item.source, arguments,
            CASE WHEN item.context = 1 THEN 'SUPPORT ' || schema || 'envcrypt_seal_support' ELSE '' END);
        EXECUTE format('COMMENT ON FUNCTION %s(%s%s) IS ''converts, and seals under the database key''', sealed, item.source,
            arguments);
        EXECUTE format('CREATE CAST (%2$s AS %1$s) WITH FUNCTION %1$s(%2$s%3$s) %4$s', sealed, item.source, arguments,
            CASE item.context WHEN 1 THEN 'AS IMPLICIT' WHEN 2 THEN 'AS ASSIGNMENT' ELSE '' END);
    END LOOP;

    -- To what the base converts to. Without these, PostgreSQL would go through the output function, which for a role that
    -- may not open gives armored text: it would be stored as if it were the value.
    FOR item IN
        SELECT target::regtype AS target, t.typname, min(context) AS context
        FROM (
            SELECT casttarget AS target, CASE WHEN castcontext = 'e' THEN 2 ELSE 1 END AS context FROM pg_cast
            WHERE castsource = ultimate AND casttarget <> ultimate AND (made OR oid < 16384)
            UNION ALL SELECT unnest('{text,varchar,bpchar,name}'::regtype[]), 1
            UNION ALL SELECT unnest('{int2,int4,int8,numeric,float4,float8,bool,date,time,timetz,timestamp,timestamptz,interval,uuid,inet,cidr,macaddr,jsonb,bytea,oid,regclass,money,xml}'::regtype[]), 2
                WHERE type.typcategory = 'S'
        ) AS c
        JOIN pg_type t ON t.oid = target
        WHERE target NOT IN (ultimate, 'json'::regtype) AND t.typtype <> 'd' AND t.typname !~ '^(encrypted|searchable)_'
            AND (t.typname !~ '^reg' OR type.typcategory = 'S')
        GROUP BY target, t.typname ORDER BY target
    LOOP
        statement := schema || quote_ident('envcrypt_open_as_' || item.typname);
        EXECUTE format('CREATE FUNCTION %1$s(%3$s) RETURNS %2$s LANGUAGE c STABLE STRICT '
            'PARALLEL SAFE COST 4 AS ''$libdir/envcrypt'', ''envcrypt_open_as''', statement, item.target, sealed);
        EXECUTE format('COMMENT ON FUNCTION %s(%s) IS ''opens a sealed value and converts it''', statement, sealed);
        EXECUTE format('CREATE CAST (%3$s AS %2$s) WITH FUNCTION %1$s(%3$s) %4$s', statement, item.target, sealed,
            CASE WHEN item.context = 1 THEN 'AS ASSIGNMENT' ELSE '' END);
    END LOOP;

    -- PostgreSQL's functions that build JSON use a cast to json where there is one; else a number, a date or a document
    -- would be taken for a string. (Not for strings: their cast to json parses them.)
    IF ultimate <> 'json'::regtype AND (type.typcategory IN ('N', 'B', 'D', 'A', 'C') OR ultimate = 'jsonb'::regtype) THEN
        EXECUTE format('CREATE FUNCTION %1$senvcrypt_to_json(%2$s) RETURNS json LANGUAGE c STABLE STRICT '
            'PARALLEL SAFE COST 4 AS ''$libdir/envcrypt'', ''envcrypt_to_json''', schema, sealed);
        EXECUTE format('COMMENT ON FUNCTION %1$senvcrypt_to_json(%2$s) IS ''opens a sealed value, as to_json() gives it''',
            schema, sealed);
        EXECUTE format('CREATE CAST (%2$s AS json) WITH FUNCTION %1$senvcrypt_to_json(%2$s) %3$s', schema, sealed,
            CASE ultimate WHEN 'jsonb'::regtype THEN 'AS ASSIGNMENT' ELSE '' END);
    END IF;

    -- Polymorphic operators look at no cast.
    IF type.typtype IN ('e', 'r', 'm', 'c') OR type.typcategory = 'A' THEN
        IF can_sort THEN
            EXECUTE format('CREATE OPERATOR FAMILY %s USING btree', replace(schema || quote_ident('encrypted_' || type.typname
                || '<suffix>'), '<suffix>', '_comparison_ops'));
        END IF;
        PERFORM @extschema@.envcrypt_define_operators(array_agg(DISTINCT oprname::text), left_type, base, right_type, base,
            'encrypted_' || type.typname || '_comparison_ops', CASE WHEN type.typtype = 'e' THEN 'enum_cmp'
                WHEN type.typtype = 'r' THEN 'range_cmp' WHEN type.typtype = 'm' THEN 'multirange_cmp'
                WHEN type.typtype = 'c' THEN 'btrecordcmp' ELSE 'btarraycmp' END, base)
        FROM (VALUES (sealed::regtype, base), (base, sealed::regtype), (sealed::regtype, sealed::regtype))
                AS pair (left_type, right_type),
            pg_operator
        WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft = oprright AND oprleft = CASE
                WHEN type.typtype = 'e' THEN 'anyenum' WHEN type.typtype = 'r' THEN 'anyrange'
                WHEN type.typtype = 'm' THEN 'anymultirange' WHEN type.typtype = 'c' THEN 'record' ELSE 'anyarray' END::regtype
            AND oprname !~ '[*]' AND (can_sort OR oprname !~ '^[<>=]+$')
        GROUP BY left_type, right_type;
    END IF;

    -- Order and equality for ORDER BY, GROUP BY, DISTINCT. The operators are not named = and <, so that col = 'x'
    -- still finds the base type's.
    IF NOT can_sort THEN
        RETURN sealed::regtype;
    END IF;
    FOR item IN
        SELECT * FROM (VALUES
            ('*<', '_lt', '*>', '*>=', 'scalarltsel', 'scalarltjoinsel'),
            ('*<=', '_le', '*>=', '*>', 'scalarlesel', 'scalarlejoinsel'),
            ('*=', '_eq', '*=', '*<>', 'eqsel', 'eqjoinsel'),
            ('*<>', '_ne', '*<>', '*=', 'neqsel', 'neqjoinsel'),
            ('*>=', '_ge', '*<=', '*<', 'scalargesel', 'scalargejoinsel'),
            ('*>', '_gt', '*<', '*<=', 'scalargtsel', 'scalargtjoinsel'))
        AS o (name, suffix, commutator, negator, restriction, join_restriction)
    LOOP
        statement := schema || quote_ident('encrypted_' || type.typname || item.suffix);
        EXECUTE format('CREATE FUNCTION %2$s(%1$s, %1$s) RETURNS boolean LANGUAGE c STABLE STRICT PARALLEL SAFE '
            'COST 4 AS ''$libdir/envcrypt'', ''envcrypt%3$s''', sealed, statement, item.suffix);
        EXECUTE format('COMMENT ON FUNCTION %2$s(%1$s, %1$s) IS ''implementation of %3$s operator''', sealed,
            statement, item.name);
        EXECUTE format('CREATE OPERATOR %1$s%2$s (LEFTARG = %3$s, RIGHTARG = %3$s, FUNCTION = %4$s, '
            'COMMUTATOR = OPERATOR(%1$s%5$s), NEGATOR = OPERATOR(%1$s%6$s), RESTRICT = %7$s, JOIN = %8$s %9$s)', schema,
            item.name, sealed, statement, item.commutator, item.negator, item.restriction, item.join_restriction,
            CASE WHEN item.name = '*=' THEN CASE WHEN can_hash THEN ', HASHES, MERGES' ELSE ', MERGES' END ELSE '' END);
        EXECUTE format('COMMENT ON OPERATOR %1$s%2$s (%3$s, %3$s) IS ''compares what was sealed''', schema,
            item.name, sealed);
    END LOOP;

    -- Offsets of window frames.
    FOR item IN
        SELECT p.amprocrighttype::regtype AS offset_type
        FROM pg_opclass o JOIN pg_amproc p ON p.amprocfamily = o.opcfamily AND p.amproclefttype = o.opcintype
        WHERE o.opcmethod = (SELECT oid FROM pg_am WHERE amname = 'btree') AND o.opcdefault AND o.opcintype = ultimate
            AND p.amprocnum = 3
        ORDER BY p.amprocrighttype
    LOOP
        EXECUTE format('CREATE FUNCTION %1$sin_range(%2$s, %2$s, %3$s, boolean, boolean) RETURNS boolean LANGUAGE c STABLE STRICT '
            'PARALLEL SAFE COST 4 AS ''$libdir/envcrypt'', ''envcrypt_in_range''', schema, sealed, item.offset_type);
        EXECUTE format('COMMENT ON FUNCTION %1$sin_range(%2$s, %2$s, %3$s, boolean, boolean) IS ''window RANGE support''', schema,
            sealed, item.offset_type);
        ranges := ranges || format(', FUNCTION 3 (%1$s, %2$s) %3$sin_range(%1$s, %1$s, %2$s, boolean, boolean)', sealed,
            item.offset_type, schema);
    END LOOP;

    FOREACH statement IN ARRAY ARRAY[
        $$CREATE FUNCTION <T:_cmp>(<T>, <T>) RETURNS integer LANGUAGE c STABLE STRICT PARALLEL SAFE COST 4
            AS '$libdir/envcrypt', 'envcrypt_compare'$$,
        $$COMMENT ON FUNCTION <T:_cmp>(<T>, <T>) IS 'less-equal-greater'$$,
        $$CREATE FUNCTION <T:_sortsupport>(internal) RETURNS void LANGUAGE c STABLE STRICT PARALLEL SAFE
            AS '$libdir/envcrypt', 'envcrypt_sortsupport'$$,
        $$COMMENT ON FUNCTION <T:_sortsupport>(internal) IS 'sort support: opens each value once'$$,
        $$CREATE OPERATOR CLASS <T:_ops> DEFAULT FOR TYPE <T> USING btree AS OPERATOR 1 <S>*<, OPERATOR 2 <S>*<=,
            OPERATOR 3 <S>*=, OPERATOR 4 <S>*>=, OPERATOR 5 <S>*>, FUNCTION 1 <T:_cmp>(<T>, <T>),
            FUNCTION 2 <T:_sortsupport>(internal)<R>, FUNCTION 5 <S>envcrypt_refuse_index(internal)$$
    ] || CASE WHEN NOT can_hash THEN '{}' ELSE ARRAY[
        $$CREATE FUNCTION <T:_hash>(<T>) RETURNS integer LANGUAGE c STABLE STRICT PARALLEL SAFE COST 4
            AS '$libdir/envcrypt', 'envcrypt_hash'$$,
        $$COMMENT ON FUNCTION <T:_hash>(<T>) IS 'hash'$$,
        $$CREATE FUNCTION <T:_hash_extended>(<T>, bigint) RETURNS bigint LANGUAGE c STABLE STRICT PARALLEL SAFE COST 4
            AS '$libdir/envcrypt', 'envcrypt_hash_extended'$$,
        $$COMMENT ON FUNCTION <T:_hash_extended>(<T>, bigint) IS 'hash'$$,
        $$CREATE OPERATOR CLASS <T:_ops> DEFAULT FOR TYPE <T> USING hash AS OPERATOR 1 <S>*=, FUNCTION 1 <T:_hash>(<T>),
            FUNCTION 2 <T:_hash_extended>(<T>, bigint), FUNCTION 3 <S>envcrypt_refuse_index(internal)$$
    ] END LOOP
        statement := regexp_replace(statement, '<T:(\w+)>',
            replace(schema || quote_ident('encrypted_' || type.typname || '<suffix>'), '<suffix>', '\1'), 'g');
        EXECUTE replace(replace(replace(statement, '<T>', sealed), '<S>', schema), '<R>', ranges);
    END LOOP;
    RETURN sealed::regtype;
END
$template$;
COMMENT ON FUNCTION envcrypt_define_type(regtype, boolean) IS 'envcrypt: the template of an encrypted type';
REVOKE ALL ON FUNCTION envcrypt_define_type(regtype, boolean) FROM PUBLIC;

CREATE FUNCTION envcrypt_create_type(base regtype) RETURNS regtype
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    type pg_type;
    ultimate oid := base;
    name text;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION 'permission denied to create an encrypted type'
            USING ERRCODE = 'insufficient_privilege', HINT = 'Must be superuser: it is a base type whose functions are in C.';
    END IF;
    SELECT * INTO STRICT type FROM pg_type WHERE oid = base;
    name := 'encrypted_' || type.typname;
    WHILE (SELECT typtype = 'd' FROM pg_type WHERE oid = ultimate) LOOP
        SELECT typbasetype INTO STRICT ultimate FROM pg_type WHERE oid = ultimate;
    END LOOP;
    IF EXISTS (SELECT FROM pg_type t JOIN pg_proc p ON p.oid = t.typinput
               WHERE t.oid = ultimate AND p.prosrc = 'envcrypt_type_in') THEN
        RAISE EXCEPTION 'type % is encrypted already', base USING ERRCODE = 'wrong_object_type';
    END IF;
    IF type.typtype = 'p' OR NOT type.typisdefined OR type.typinput = 0 OR type.typreceive = 0 OR type.typsend = 0 THEN
        RAISE EXCEPTION 'cannot encrypt values of type %', base
            USING ERRCODE = 'wrong_object_type',
                DETAIL = 'A type that is to be encrypted needs binary send and receive functions.';
    END IF;
    -- Functions of the type have its name and a suffix of up to 14 characters.
    IF octet_length(name) > 49 THEN
        RAISE EXCEPTION 'name of type % is too long for an encrypted type', base
            USING ERRCODE = 'name_too_long', HINT = 'Names of up to 39 bytes can have one.';
    END IF;
    RETURN @extschema@.envcrypt_define_type(base, true);
END
$$;
COMMENT ON FUNCTION envcrypt_create_type(regtype) IS
    'makes encrypted_<name> for any base type with binary send and receive functions: enum, domain, composite type, array, another extension''s type; superusers only';
REVOKE ALL ON FUNCTION envcrypt_create_type(regtype) FROM PUBLIC;

-- The types.

SELECT @extschema@.envcrypt_define_type(base::pg_catalog.regtype, false)
FROM pg_catalog.unnest('{text,bytea,jsonb,int8,numeric,float8,bool,date,timestamptz,uuid,inet}'::pg_catalog.text[]) AS base;

-- From one encrypted type to another, as between their bases: coalesce(quantity, amount) finds its type.

CREATE FUNCTION @extschema@.envcrypt_define_conversions() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    schema CONSTANT text := '@extschema@.';
    item record;
BEGIN
    FOR item IN
        SELECT schema || quote_ident('encrypted_' || s.typname) AS source, schema || quote_ident('encrypted_' || t.typname) AS target,
            c.castcontext, CASE WHEN t.typname IN ('numeric', 'timestamptz', 'text') THEN ', integer, boolean' ELSE '' END AS arguments
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
        EXECUTE format('CREATE CAST (%2$s AS %1$s) WITH FUNCTION %1$s(%2$s%3$s) %4$s', item.target, item.source, item.arguments,
            CASE item.castcontext WHEN 'i' THEN 'AS IMPLICIT' WHEN 'a' THEN 'AS ASSIGNMENT' ELSE '' END);
    END LOOP;
END
$$;
SELECT @extschema@.envcrypt_define_conversions();
DROP FUNCTION @extschema@.envcrypt_define_conversions();

-- Operators that the implicit cast does not reach.
--
-- encrypted_int8 beside numeric needs two casts in a row, which PostgreSQL does not look for. An operator for the pair
-- must never be taken for a plain pair, such as 2 * 1.5, whose integer has an implicit cast to encrypted_int8. So it is
-- defined on operand types of its own, to which numeric and double precision have implicit casts and nothing else has.
-- With an operator of its own on one side, a type needs them for integers and for itself, too, or untyped literals would
-- find two. All are SQL functions that the planner replaces with the base type's operator: joins and estimates stay.

CREATE TYPE envcrypt_numeric_operand;
CREATE FUNCTION envcrypt_numeric_operand_in(cstring, oid, integer) RETURNS envcrypt_numeric_operand
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'numeric_in';
CREATE FUNCTION envcrypt_numeric_operand_out(envcrypt_numeric_operand) RETURNS cstring
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'numeric_out';
CREATE TYPE envcrypt_numeric_operand (INPUT = envcrypt_numeric_operand_in, OUTPUT = envcrypt_numeric_operand_out,
    LIKE = pg_catalog.numeric, CATEGORY = 'N');
CREATE CAST (numeric AS envcrypt_numeric_operand) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (envcrypt_numeric_operand AS numeric) WITHOUT FUNCTION AS IMPLICIT;

CREATE TYPE envcrypt_float8_operand;
CREATE FUNCTION envcrypt_float8_operand_in(cstring) RETURNS envcrypt_float8_operand
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'float8in';
CREATE FUNCTION envcrypt_float8_operand_out(envcrypt_float8_operand) RETURNS cstring
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'float8out';
CREATE TYPE envcrypt_float8_operand (INPUT = envcrypt_float8_operand_in, OUTPUT = envcrypt_float8_operand_out,
    LIKE = pg_catalog.float8, CATEGORY = 'N');
CREATE FUNCTION envcrypt_float8_operand(real) RETURNS envcrypt_float8_operand
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'ftod';
CREATE CAST (float8 AS envcrypt_float8_operand) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (real AS envcrypt_float8_operand) WITH FUNCTION envcrypt_float8_operand(real) AS IMPLICIT;
CREATE CAST (envcrypt_float8_operand AS float8) WITHOUT FUNCTION AS IMPLICIT;
CREATE FUNCTION envcrypt_open_operand(encrypted_float8) RETURNS envcrypt_float8_operand
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'envcrypt_open';
CREATE CAST (encrypted_float8 AS envcrypt_float8_operand) WITH FUNCTION envcrypt_open_operand(encrypted_float8) AS IMPLICIT;

COMMENT ON TYPE envcrypt_numeric_operand IS 'envcrypt: numeric beside an encrypted number; not for columns';
COMMENT ON TYPE envcrypt_float8_operand IS 'envcrypt: double precision beside an encrypted number; not for columns';
COMMENT ON FUNCTION envcrypt_numeric_operand_in(cstring, oid, integer) IS 'I/O';
COMMENT ON FUNCTION envcrypt_numeric_operand_out(envcrypt_numeric_operand) IS 'I/O';
COMMENT ON FUNCTION envcrypt_float8_operand_in(cstring) IS 'I/O';
COMMENT ON FUNCTION envcrypt_float8_operand_out(envcrypt_float8_operand) IS 'I/O';
COMMENT ON FUNCTION envcrypt_float8_operand(real) IS 'envcrypt: converts';
COMMENT ON FUNCTION envcrypt_open_operand(encrypted_float8) IS 'opens a sealed value';

CREATE OPERATOR FAMILY envcrypt_number_ops USING btree;

WITH pair AS (
    SELECT encrypted, base, other, other_base
    FROM (VALUES
        ('encrypted_int8', 'int8', 'int2', 'int2'),
        ('encrypted_int8', 'int8', 'int4', 'int4'),
        ('encrypted_int8', 'int8', 'int8', 'int8'),
        ('encrypted_int8', 'int8', 'encrypted_int8', 'int8'),
        ('encrypted_int8', 'int8', 'encrypted_numeric', 'numeric'),
        ('encrypted_int8', 'int8', 'envcrypt_numeric_operand', 'numeric'),
        ('encrypted_int8', 'int8', 'envcrypt_float8_operand', 'float8'),
        ('encrypted_numeric', 'numeric', 'int2', 'int2'),
        ('encrypted_numeric', 'numeric', 'int4', 'int4'),
        ('encrypted_numeric', 'numeric', 'int8', 'int8'),
        ('encrypted_numeric', 'numeric', 'encrypted_numeric', 'numeric'),
        ('encrypted_numeric', 'numeric', 'envcrypt_float8_operand', 'float8'))
        AS v (encrypted, base, other, other_base)
)
SELECT @extschema@.envcrypt_define_operators('{=,<>,<,<=,>,>=,+,-,*,/}', left_type::pg_catalog.regtype,
    left_base::pg_catalog.regtype, right_type::pg_catalog.regtype, right_base::pg_catalog.regtype, 'envcrypt_number_ops',
    CASE WHEN 'float8' IN (left_base, right_base) THEN 'btfloat8cmp'
        WHEN 'numeric' IN (left_base, right_base) THEN 'numeric_cmp' ELSE 'btint8cmp' END,
    CASE WHEN 'float8' IN (left_base, right_base) THEN 'float8'
        WHEN 'numeric' IN (left_base, right_base) THEN 'numeric' ELSE 'int8' END::pg_catalog.regtype)
FROM (
    TABLE pair
    UNION
    SELECT other, other_base, encrypted, base FROM pair
    ORDER BY 1, 3
) AS both_ways (left_type, left_base, right_type, right_base);

-- Beside ||, PostgreSQL would take these for anynonarray || text.
SELECT @extschema@.envcrypt_define_operators('{||}', left_type, base, right_type, base)
FROM (VALUES ('encrypted_bytea'::pg_catalog.regtype, 'bytea'::pg_catalog.regtype),
             ('encrypted_jsonb', 'jsonb')) AS b (encrypted, base),
     LATERAL (VALUES (encrypted, base), (base, encrypted), (encrypted, encrypted)) AS p (left_type, right_type);

SELECT @extschema@.envcrypt_define_operators('{^}', left_type, left_base, right_type, right_base)
FROM (VALUES ('encrypted_int8'::pg_catalog.regtype, 'int8'::pg_catalog.regtype, 'encrypted_int8'::pg_catalog.regtype, 'int8'::pg_catalog.regtype),
             ('encrypted_int8', 'int8', 'float8', 'float8'),
             ('float8', 'float8', 'encrypted_int8', 'int8')) AS p (left_type, left_base, right_type, right_base);

SELECT @extschema@.envcrypt_define_operators(names, left_type, left_base, right_type, right_base)
FROM (VALUES ('{*}'::pg_catalog.text[], 'encrypted_int8'::pg_catalog.regtype, 'int8'::pg_catalog.regtype, 'interval'::pg_catalog.regtype, 'interval'::pg_catalog.regtype),
             ('{*,/}', 'interval', 'interval', 'encrypted_int8', 'int8'),
             ('{*}', 'encrypted_numeric', 'numeric', 'interval', 'interval'),
             ('{*,/}', 'interval', 'interval', 'encrypted_numeric', 'numeric')) AS p (names, left_type, left_base, right_type, right_base);

-- Functions that the implicit cast does not reach, because the base type itself needs a cast there: age(date) is
-- age(timestamptz). SQL functions again, which the planner replaces.

CREATE FUNCTION @extschema@.envcrypt_define_functions(names text[], arguments text[], conversions text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema CONSTANT text := '@extschema@.';
    name text;
    result text;
    nulls text;
    parameters text;
    actual text;
BEGIN
    SELECT string_agg(format('NULL::%s', c), ', ' ORDER BY n), string_agg(format('$%s::%s', n, c), ', ' ORDER BY n)
        INTO nulls, actual
    FROM unnest(conversions) WITH ORDINALITY AS u (c, n);
    SELECT string_agg(CASE WHEN a ~ '^encrypted_' THEN schema || a ELSE a END, ', ' ORDER BY n) INTO parameters
    FROM unnest(arguments) WITH ORDINALITY AS u (a, n);
    FOREACH name IN ARRAY names LOOP
        EXECUTE format('SELECT %s pg_typeof(x) FROM (SELECT %s(%s)) AS f (x)',
            CASE name WHEN 'generate_series' THEN '''SETOF timestamptz'' --' ELSE '' END, name, nulls) INTO result;
        result := coalesce(result, 'SETOF timestamptz');
        EXECUTE format('CREATE FUNCTION %s%s(%s) RETURNS %s LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN pg_catalog.%s(%s)',
            schema, name, parameters, result, name, actual);
        EXECUTE format('COMMENT ON FUNCTION %s%s(%s) IS ''of what was sealed''', schema, name, parameters);
    END LOOP;
END
$$;

SELECT @extschema@.envcrypt_define_functions(
    '{acos,acosd,acosh,asin,asind,asinh,atan,atand,atanh,cbrt,ceil,ceiling,cos,cosd,cosh,cot,cotd,degrees,exp,floor,ln,log,log10,radians,round,sign,sin,sind,sinh,sqrt,tan,tand,tanh,trunc}',
    '{encrypted_int8}', '{int8}');
SELECT @extschema@.envcrypt_define_functions(
    '{acos,acosd,acosh,asin,asind,asinh,atan,atand,atanh,cbrt,cos,cosd,cosh,cot,cotd,degrees,radians,sin,sind,sinh,tan,tand,tanh,to_timestamp}',
    '{encrypted_numeric}', '{numeric}');
SELECT @extschema@.envcrypt_define_functions('{to_timestamp}', '{encrypted_int8}', '{int8}');
SELECT @extschema@.envcrypt_define_functions('{pow,power,atan2}', arguments, conversions)
FROM (VALUES ('{encrypted_int8,float8}'::pg_catalog.text[], '{int8,float8}'::pg_catalog.text[]),
             ('{float8,encrypted_int8}', '{float8,int8}'), ('{encrypted_int8,encrypted_int8}', '{int8,int8}'))
    AS v (arguments, conversions);
SELECT @extschema@.envcrypt_define_functions(names, arguments, conversions)
FROM (VALUES
    ('{age}'::pg_catalog.text[], '{encrypted_date}'::pg_catalog.text[], '{date}'::pg_catalog.text[]),
    ('{age}', '{encrypted_date,encrypted_date}', '{date,date}'),
    ('{age}', '{encrypted_date,timestamptz}', '{date,timestamptz}'),
    ('{age}', '{timestamptz,encrypted_date}', '{timestamptz,date}'),
    ('{age}', '{encrypted_date,timestamp}', '{date,timestamp}'),
    ('{age}', '{timestamp,encrypted_date}', '{timestamp,date}'),
    ('{date_trunc}', '{text,encrypted_date}', '{text,date}'),
    ('{date_trunc}', '{text,encrypted_date,text}', '{text,date,text}'),
    ('{date_bin}', '{interval,encrypted_date,timestamptz}', '{interval,date,timestamptz}'),
    ('{to_char}', '{encrypted_date,text}', '{date,text}'),
    ('{generate_series}', '{encrypted_date,encrypted_date,interval}', '{date,date,interval}'),
    ('{generate_series}', '{encrypted_date,timestamptz,interval}', '{date,timestamptz,interval}'),
    ('{generate_series}', '{timestamptz,encrypted_date,interval}', '{timestamptz,date,interval}'))
    AS v (names, arguments, conversions);
DROP FUNCTION @extschema@.envcrypt_define_functions(text[], text[], text[]);

-- Integers beside text and the other overloads of encrypt_for_user() would be taken for double precision.
CREATE FUNCTION encrypt_for_user(owner text, value integer) RETURNS encrypted_int8
    LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE RETURN @extschema@.encrypt_for_user($1, $2::int8);
CREATE FUNCTION encrypt_for_user(owner text, value smallint) RETURNS encrypted_int8
    LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE RETURN @extschema@.encrypt_for_user($1, $2::int8);
COMMENT ON FUNCTION encrypt_for_user(text, integer) IS
    'seals a value for an owner, whose data key is made on first use; needs envcrypt_encrypt or the session''s own master key';
COMMENT ON FUNCTION encrypt_for_user(text, smallint) IS
    'seals a value for an owner, whose data key is made on first use; needs envcrypt_encrypt or the session''s own master key';

-- Protected columns.

CREATE FUNCTION envcrypt_owner_trigger() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_owner_trigger() IS 'envcrypt: binds the values of a protected column to their row''s owner';

CREATE FUNCTION envcrypt_trigger_columns(trigger oid) RETURNS smallint[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_trigger_columns(oid) IS
    'envcrypt: the columns that a trigger''s WHEN clause names, in its order: of an owner trigger, the value and the owner';

-- Keys. Each of these functions checks the caller's right itself, too.

CREATE FUNCTION envcrypt_generate_master_key() RETURNS text
    LANGUAGE c VOLATILE PARALLEL RESTRICTED AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_generate_master_key() IS
    'returns a new random master key in base64; nothing keeps it, so store it where no database is';

CREATE FUNCTION envcrypt_create_user_key(owner text, after_shred boolean DEFAULT false) RETURNS bigint
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_create_user_key(text, boolean) IS
    'makes an owner''s data key if there is none and returns its id; after_shred gives a shredded owner a new one';

CREATE FUNCTION envcrypt_rotate_master() RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_rotate_master() IS
    'makes the keyring''s first key the current master key and re-wraps all data keys with it; returns how many; touches no value';

CREATE FUNCTION envcrypt_shred_user(owner text) RETURNS jsonb
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_shred_user(text) IS
    'destroys an owner''s data keys, and with them everything sealed for that owner; returns a receipt';

CREATE FUNCTION envcrypt_status(OUT "check" text, OUT state text, OUT detail text, OUT advice text)
    RETURNS SETOF record LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 20 SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_status() IS 'one row for each thing to check, with what to do where something is wrong';

REVOKE ALL ON FUNCTION envcrypt_generate_master_key(), envcrypt_create_user_key(text, boolean),
    envcrypt_rotate_master(), envcrypt_shred_user(text), envcrypt_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION envcrypt_generate_master_key(), envcrypt_create_user_key(text, boolean),
    envcrypt_rotate_master(), envcrypt_shred_user(text) TO envcrypt_keyadmin;
GRANT EXECUTE ON FUNCTION envcrypt_status() TO envcrypt_keyadmin, envcrypt_encrypt, envcrypt_decrypt, envcrypt_search;

-- Tables whose rows are owners. The triggers' names sort first: a new name has its key before a foreign key's
-- ON UPDATE CASCADE seals for it, and a deleted user's is gone before ON DELETE SET NULL could seal for nobody.

CREATE FUNCTION envcrypt_managed_owner_trigger() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_managed_owner_trigger() IS
    'envcrypt: makes a data key with each user, and destroys it with the user where that was asked for';

CREATE FUNCTION envcrypt_make_managed_key(owner text) RETURNS boolean
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_make_managed_key(text) IS
    'envcrypt: makes an owner''s data key; false if there was one, null if it was destroyed';

CREATE FUNCTION envcrypt_manage_owners("table" regclass, "column" name, on_delete text DEFAULT 'keep') RETURNS bigint
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    users pg_class;
    users_column pg_attribute;
    base oid;
    present record;
    part regclass;
    made bigint;
    shredded bigint;
BEGIN
    IF "table" IS NULL OR "column" IS NULL OR on_delete IS NULL THEN
        RAISE EXCEPTION 'arguments of envcrypt_manage_owners() must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF on_delete NOT IN ('keep', 'shred') THEN
        RAISE EXCEPTION 'on_delete must be "keep" or "shred", not "%"', on_delete USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO users FROM pg_class WHERE oid = "table";
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no table with OID %', "table"::oid USING ERRCODE = 'undefined_table';
    END IF;
    IF users.relkind NOT IN ('r', 'p') OR users.relpersistence = 't' OR users.oid < 16384 THEN
        RAISE EXCEPTION '"%" cannot be managed', users.relname USING ERRCODE = 'wrong_object_type',
            DETAIL = 'Only a permanent or unlogged table of users can be.';
    END IF;
    IF NOT pg_has_role(users.relowner, 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of table %', users.relname USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT * INTO users_column FROM pg_attribute
    WHERE attrelid = "table" AND attname = "column" AND attnum > 0 AND NOT attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of table "%" does not exist', "column", users.relname USING ERRCODE = 'undefined_column';
    END IF;
    base := users_column.atttypid;
    WHILE (SELECT typtype = 'd' FROM pg_type WHERE oid = base) LOOP
        SELECT typbasetype INTO STRICT base FROM pg_type WHERE oid = base;
    END LOOP;
    IF base <> ALL ('{text,varchar,bpchar,name,int2,int4,int8,oid,numeric,uuid}'::regtype[]::oid[])
        AND NOT EXISTS (SELECT FROM pg_type WHERE oid = base AND typtype = 'e')
        AND NOT EXISTS (SELECT FROM pg_cast WHERE castsource = base AND casttarget = 'text'::regtype AND castmethod = 'b'
            AND castcontext = 'i')
    THEN
        RAISE EXCEPTION 'column "%" of type % cannot name owners', "column",
            format_type(users_column.atttypid, users_column.atttypmod)
            USING ERRCODE = 'datatype_mismatch',
            DETAIL = 'An owner''s name must be the same text whatever the session''s settings are.',
            HINT = 'Use a column of type text, varchar, char, name, an integer type, numeric, uuid, oid, or an enum.';
    END IF;

    -- Nobody adds a user between the trigger and the keys of those who are there.
    EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', "table");
    FOR present IN
        SELECT t.tgparentid, t.tgname, a.attname,
            (SELECT p.tgrelid FROM pg_trigger AS p WHERE p.oid = t.tgparentid)::regclass AS parent
        FROM pg_trigger AS t JOIN pg_attribute AS a
            ON a.attrelid = t.tgrelid AND a.attnum = (@extschema@.envcrypt_trigger_columns(t.oid))[1]
        WHERE t.tgrelid = "table" AND t.tgfoid = '@extschema@.envcrypt_managed_owner_trigger()'::regprocedure
    LOOP
        IF present.tgparentid <> 0 THEN
            RAISE EXCEPTION 'the owners of table "%" are managed already', users.relname USING
                ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It is a partition of %s.', present.parent);
        ELSIF present.attname <> "column" THEN
            RAISE EXCEPTION 'the owners of table "%" are managed already, in column "%"', users.relname, present.attname
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Call envcrypt_unmanage_owners() first.';
        END IF;
    END LOOP;
    PERFORM @extschema@.envcrypt_drop_owner_triggers("table");
    EXECUTE format('CREATE TRIGGER "!envcrypt_owners" AFTER INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.%I IS NOT NULL) '
        'EXECUTE FUNCTION @extschema@.envcrypt_managed_owner_trigger()', "table", "column");
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER "!envcrypt_owners"', "table");
    IF on_delete = 'shred' THEN
        EXECUTE format('CREATE TRIGGER "!envcrypt_owners_delete" AFTER DELETE ON %s FOR EACH ROW WHEN (old.%I IS NOT NULL) '
            'EXECUTE FUNCTION @extschema@.envcrypt_managed_owner_trigger()', "table", "column");
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER "!envcrypt_owners_delete"', "table");
        -- PostgreSQL copies no statement trigger to a partition.
        FOR part IN SELECT "table" UNION SELECT relid FROM pg_partition_tree("table") LOOP
            EXECUTE format('CREATE TRIGGER "!envcrypt_owners_truncate" BEFORE TRUNCATE ON %s FOR EACH STATEMENT '
                'EXECUTE FUNCTION @extschema@.envcrypt_managed_owner_trigger()', part);
            EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER "!envcrypt_owners_truncate"', part);
        END LOOP;
    END IF;

    EXECUTE format('SELECT count(*) FILTER (WHERE made), count(*) FILTER (WHERE made IS NULL) FROM (SELECT '
        '@extschema@.envcrypt_make_managed_key(name) AS made FROM (SELECT DISTINCT %I::text COLLATE "C" AS name '
        'FROM %s%s WHERE %I IS NOT NULL ORDER BY 1) AS sorted OFFSET 0) AS done', "column",
        CASE users.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, "table", "column") INTO made, shredded;
    IF shredded > 0 THEN
        RAISE NOTICE 'table "%" has users whose data keys were destroyed: %', users.relname, shredded
            USING HINT = 'A key administrator gives one a new key with envcrypt_create_user_key(owner, after_shred => true).';
    END IF;
    RETURN made;
END $$;
COMMENT ON FUNCTION envcrypt_manage_owners(regclass, name, text) IS
    'makes a data key for each user of a table, now and from now on; on_delete => ''shred'' destroys it with the user; how many were made';

CREATE FUNCTION envcrypt_unmanage_owners("table" regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent regclass;
BEGIN
    SELECT p.tgrelid INTO parent FROM pg_trigger AS t JOIN pg_trigger AS p ON p.oid = t.tgparentid
    WHERE t.tgrelid = "table" AND t.tgfoid = '@extschema@.envcrypt_managed_owner_trigger()'::regprocedure;
    IF FOUND THEN
        RAISE EXCEPTION 'table % is managed as a partition of %', "table", parent USING
            ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Call envcrypt_unmanage_owners(%L).', parent);
    END IF;
    IF NOT @extschema@.envcrypt_drop_owner_triggers("table") THEN
        RAISE EXCEPTION 'the owners of table % are not managed', "table" USING ERRCODE = 'undefined_object';
    END IF;
END $$;
COMMENT ON FUNCTION envcrypt_unmanage_owners(regclass) IS 'ends envcrypt_manage_owners(); all data keys stay';

CREATE FUNCTION envcrypt_drop_owner_triggers("table" regclass) RETURNS boolean
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    old record;
    dropped boolean := false;
BEGIN
    FOR old IN
        SELECT t.tgrelid::regclass AS place, t.tgname FROM pg_trigger AS t
        WHERE t.tgrelid IN (SELECT "table" UNION SELECT relid FROM pg_partition_tree("table")) AND t.tgparentid = 0
            AND t.tgfoid = '@extschema@.envcrypt_managed_owner_trigger()'::regprocedure
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', old.tgname, old.place);
        dropped := true;
    END LOOP;
    RETURN dropped;
END $$;
COMMENT ON FUNCTION envcrypt_drop_owner_triggers(regclass) IS
    'envcrypt: drops the triggers of envcrypt_manage_owners(); false if there is none';

REVOKE ALL ON FUNCTION envcrypt_managed_owner_trigger(), envcrypt_make_managed_key(text),
    envcrypt_manage_owners(regclass, name, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION envcrypt_managed_owner_trigger(), envcrypt_make_managed_key(text),
    envcrypt_manage_owners(regclass, name, text) TO envcrypt_keyadmin;

-- Verification. Faults are counted where the rows are scanned, in parallel workers, too; a few places are kept of each.

CREATE FUNCTION envcrypt_add_tid(places tid[], place tid) RETURNS tid[]
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    RETURN CASE WHEN place IS NULL OR cardinality(places) >= 100 THEN places ELSE array_append(places, place) END;
COMMENT ON FUNCTION envcrypt_add_tid(tid[], tid) IS 'envcrypt: transition of envcrypt_some_tids()';
CREATE FUNCTION envcrypt_join_tids(places tid[], others tid[]) RETURNS tid[]
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE RETURN (array_cat(places, others))[1:100];
COMMENT ON FUNCTION envcrypt_join_tids(tid[], tid[]) IS 'envcrypt: combination of envcrypt_some_tids()';
CREATE AGGREGATE envcrypt_some_tids(tid) (SFUNC = envcrypt_add_tid, STYPE = tid[], INITCOND = '{}',
    COMBINEFUNC = envcrypt_join_tids, PARALLEL = SAFE);
COMMENT ON AGGREGATE envcrypt_some_tids(tid) IS 'envcrypt: at most 100 of many places';

-- What is to be asked of each encrypted column of a table, with the triggers of all its partitions and children:
-- `fault` is an SQL expression over alias t, null for a null value and '' for a good one.
CREATE FUNCTION envcrypt_column_checks("table" regclass, OUT "column" name, OUT fault text) RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE tree AS (
        SELECT "table"::oid AS relid UNION SELECT i.inhrelid FROM pg_inherits AS i JOIN tree ON i.inhparent = tree.relid
    ), base AS (  -- domains down to what they are over
        SELECT oid AS type, oid AS base, typbasetype AS below, typelem FROM pg_type
        UNION ALL SELECT base.type, t.oid, t.typbasetype, t.typelem FROM base JOIN pg_type AS t ON t.oid = base.below
    ), sealed AS (
        SELECT p.proargtypes[0] AS type FROM pg_proc AS p
        WHERE p.proname = 'envcrypt_check' AND p.pronamespace = '@extschema@'::regnamespace
    ), columns AS (
        SELECT a.attnum, a.attname, base.base NOT IN (SELECT type FROM sealed) AS is_array
        FROM pg_attribute AS a JOIN base ON base.type = a.atttypid AND base.below = 0
        WHERE a.attrelid = "table" AND a.attnum > 0 AND NOT a.attisdropped
            AND (base.base IN (SELECT type FROM sealed)
                OR base.typelem IN (SELECT e.type FROM base AS e JOIN sealed ON sealed.type = e.base))
    ), bindings AS (
        SELECT t.tgrelid, v.attname AS value_name, o.attname AS owner_name,
            split_part(encode(t.tgargs, 'escape'), '\000', 1)::integer AS context_id
        FROM pg_trigger AS t
        JOIN tree ON tree.relid = t.tgrelid
        JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.pronamespace = '@extschema@'::regnamespace
            AND p.proname IN ('envcrypt_owner_trigger', 'envcrypt_sync_trigger')
        CROSS JOIN LATERAL (SELECT @extschema@.envcrypt_trigger_columns(t.oid) AS named,
            CASE p.proname WHEN 'envcrypt_owner_trigger' THEN 1 ELSE 2 END AS value_at) AS c
        JOIN pg_attribute AS v ON v.attrelid = t.tgrelid AND v.attnum = c.named[c.value_at]
        LEFT JOIN pg_attribute AS o ON o.attrelid = t.tgrelid AND o.attnum = c.named[c.value_at + 1]
    ), calls AS (
        SELECT c.attnum, c.attname, c.is_array, r.oid AS relid, format('@extschema@.envcrypt_check(%s, %s, %s)',
            CASE WHEN c.is_array THEN 'e' ELSE format('t.%I', c.attname) END,
            CASE WHEN b.owner_name IS NULL THEN 'NULL' ELSE format('t.%I::pg_catalog.text', b.owner_name) END,
            coalesce(b.context_id::text, 'NULL')) AS call
        FROM columns AS c CROSS JOIN tree JOIN pg_class AS r ON r.oid = tree.relid AND r.relkind IN ('r', 'm')
        LEFT JOIN bindings AS b ON b.tgrelid = r.oid AND b.value_name = c.attname
    ), choices AS (
        SELECT attnum, attname, is_array, CASE WHEN min(call) = max(call) THEN min(call)
            ELSE 'CASE t.tableoid ' || string_agg(format('WHEN %s THEN %s', relid, call), ' ') || ' END' END AS call
        FROM calls GROUP BY attnum, attname, is_array
    )
    SELECT attname, format('CASE WHEN t.%I IS NOT NULL THEN coalesce(%s, '''') END', attname, CASE WHEN is_array
        THEN format('(SELECT pg_catalog.min(%s) FROM pg_catalog.unnest(t.%I) AS e WHERE e IS NOT NULL)', call, attname)
        ELSE call END)
    FROM choices ORDER BY attnum
$$;
COMMENT ON FUNCTION envcrypt_column_checks(regclass) IS 'envcrypt: what envcrypt_verify() asks of each column';

-- One scan for all columns. unnest() keeps the planner from evaluating a check twice.
CREATE FUNCTION envcrypt_verify_query("table" regclass, sample_percent double precision, checks text[]) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN format('SELECT t.tableoid AS place, c.n, c.fault, count(*) AS n, '
    '@extschema@.envcrypt_some_tids(t.ctid) FILTER (WHERE c.fault OPERATOR(pg_catalog.<>) '''') AS tids '
    'FROM %s AS t%s, LATERAL pg_catalog.unnest(ARRAY[%s]) WITH ORDINALITY AS c (fault, n) '
    'WHERE c.fault IS NOT NULL GROUP BY t.tableoid, c.n, c.fault', "table",
    CASE WHEN sample_percent < 100 THEN format(' TABLESAMPLE SYSTEM (%s)', sample_percent) ELSE '' END,
    array_to_string(checks, ', '));
COMMENT ON FUNCTION envcrypt_verify_query(regclass, double precision, text[]) IS 'envcrypt: the scan of envcrypt_verify()';

CREATE FUNCTION envcrypt_verify("table" regclass, sample_percent double precision DEFAULT 100, max_examples integer DEFAULT 5)
RETURNS TABLE (partition regclass, "column" name, problem text, "rows" bigint, examples tid[])
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
DECLARE
    checked pg_class;
    columns name[];
    checks text[];
BEGIN
    IF "table" IS NULL OR sample_percent IS NULL OR max_examples IS NULL THEN
        RAISE EXCEPTION 'arguments of envcrypt_verify() must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT sample_percent BETWEEN 0 AND 100 THEN
        RAISE EXCEPTION 'sample_percent must be between 0 and 100' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT max_examples BETWEEN 0 AND 100 THEN
        RAISE EXCEPTION 'max_examples must be between 0 and 100' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO checked FROM pg_class WHERE oid = "table";
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no table with OID %', "table"::oid USING ERRCODE = 'undefined_table';
    END IF;
    IF checked.relkind NOT IN ('r', 'p', 'm') THEN
        RAISE EXCEPTION '"%" is not a table or materialized view', checked.relname USING ERRCODE = 'wrong_object_type';
    END IF;
    IF NOT has_table_privilege("table", 'SELECT') THEN
        RAISE EXCEPTION 'permission denied for table %', checked.relname USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM @extschema@.envcrypt_check(NULL::@extschema@.encrypted_text, NULL, NULL);  -- the right to open
    SELECT array_agg(c."column"), array_agg(c.fault) INTO columns, checks FROM @extschema@.envcrypt_column_checks("table") AS c;
    IF columns IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format('WITH found (place, n, fault, n_rows, tids) AS MATERIALIZED (%s) '
        'SELECT NULL::regclass, $1[n], NULL::text, coalesce(sum(n_rows), 0)::bigint, NULL::tid[] '
        'FROM generate_subscripts($1, 1) AS n LEFT JOIN found USING (n) GROUP BY n '
        'UNION ALL SELECT NULLIF(place, $2)::regclass, $1[n], fault, n_rows, tids[1:$3] FROM found WHERE fault <> '''' '
        'ORDER BY 2, 3 NULLS FIRST, 1', @extschema@.envcrypt_verify_query("table", sample_percent, checks))
        USING columns, "table"::oid, max_examples;
END $$;
COMMENT ON FUNCTION envcrypt_verify(regclass, double precision, integer) IS
    'opens every value of a table''s encrypted columns, or of a sample: how many, and what is wrong with how many and where';

-- What no operator class can refuse.

CREATE FUNCTION envcrypt_guard_ddl() RETURNS event_trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_guard_ddl() IS
    'envcrypt: refuses partitioning by an encrypted column, indexes on arrays and rows of one, and statistics on expressions over one';
REVOKE ALL ON FUNCTION envcrypt_guard_ddl() FROM PUBLIC;
CREATE EVENT TRIGGER envcrypt_guard_ddl ON ddl_command_end
    WHEN TAG IN ('CREATE TABLE', 'CREATE SCHEMA', 'ALTER TABLE', 'CREATE INDEX', 'CREATE STATISTICS')
    EXECUTE FUNCTION envcrypt_guard_ddl();
ALTER EVENT TRIGGER envcrypt_guard_ddl ENABLE ALWAYS;
