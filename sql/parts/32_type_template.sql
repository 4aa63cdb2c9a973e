-- The template of an encrypted type. Casts of the base are read from the catalogs, so that an encrypted type converts as
-- its base does: implicitly to the base alone, by assignment or explicitly to all else. `made`: later than this script, by
-- envcrypt_create_type().

CREATE FUNCTION envcrypt_define_type(base regtype, made boolean) RETURNS regtype
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $template$
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
    trusted oid[];             -- whose types' casts are looked at: anyone can make one to or from a type of his own
    item record;
    statement text;  -- <T> stands for the type, <B> for the base, <U> for what it is over, <S> for our schema and a dot
BEGIN
    SELECT * INTO STRICT type FROM pg_type WHERE oid = base;
    trusted := ARRAY(SELECT oid FROM pg_roles WHERE rolsuper) || type.typowner;
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
        EXECUTE format('SELECT FROM (VALUES (NULL::%s)) AS v (x) ORDER BY x', ultimate);  -- runs no domain's checks
    EXCEPTION WHEN undefined_function THEN
        can_sort := false;
    END;
    BEGIN
        EXECUTE format('SELECT hash_array(ARRAY[NULL::%s])', ultimate);
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
        $$REVOKE ALL ON FUNCTION <T:_recv>(internal, oid, integer) FROM PUBLIC$$,

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
            'seals a value for an owner, whose data key is made on first use; '
            'needs envcrypt_encrypt or the session''s own master key'$$,
        $$CREATE FUNCTION <S>decrypt_for_user(owner text, value <T>) RETURNS <B>
            LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2
            AS '$libdir/envcrypt', 'envcrypt_decrypt_for_user'$$,
        $$COMMENT ON FUNCTION <S>decrypt_for_user(text, <T>) IS
            'opens a value that was sealed for this owner and refuses any other; '
            'needs envcrypt_decrypt or the session''s own master key'$$,
        $$CREATE FUNCTION <S>envcrypt_owner(value <T>) RETURNS text LANGUAGE c STABLE STRICT PARALLEL SAFE
            AS '$libdir/envcrypt', 'envcrypt_owner'$$,
        $$COMMENT ON FUNCTION <S>envcrypt_owner(<T>) IS
            'the owner a value is sealed for; null for the database key and for a shredded owner; '
            'for those who may open, and key administrators'$$,
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
            SUPPORT <S>envcrypt_coerce_support AS '$libdir/envcrypt', 'envcrypt_coerce_typmod'$$,
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
    -- coalesce(amount, 0) finds its type. (Object identifiers by assignment: beside them, our operators could be taken.)
    FOR item IN
        SELECT castsource::regtype AS source,
            min(CASE WHEN castcontext = 'i' AND s.typname !~ '^(oid|reg)' THEN 1 WHEN castcontext IN ('i', 'a') THEN 2
                ELSE 3 END) AS context
        FROM (
            SELECT castsource, castcontext FROM pg_cast
            WHERE casttarget = ultimate AND castsource <> ultimate AND (made OR oid < 16384)
            UNION ALL SELECT ultimate, 'a' WHERE ultimate <> base
        ) AS c
        JOIN pg_type s ON s.oid = castsource
        WHERE s.typname !~ '^(encrypted|searchable)_' AND s.typowner = ANY (trusted)
        GROUP BY castsource ORDER BY castsource
    LOOP
        EXECUTE format('CREATE FUNCTION %1$s(%2$s%3$s) RETURNS %1$s LANGUAGE c VOLATILE STRICT PARALLEL RESTRICTED COST 2 '
            '%4$s AS ''$libdir/envcrypt'', ''envcrypt_seal''', sealed, item.source, arguments,
            CASE WHEN item.context = 1 THEN 'SUPPORT ' || schema || 'envcrypt_seal_support' ELSE '' END);
        EXECUTE format('COMMENT ON FUNCTION %s(%s%s) IS ''converts, and seals under the database key''', sealed, item.source,
            arguments);
        EXECUTE format('CREATE CAST (%2$s AS %1$s) WITH FUNCTION %1$s(%2$s%3$s) %4$s', sealed, item.source, arguments,
            CASE item.context WHEN 1 THEN 'AS IMPLICIT' WHEN 2 THEN 'AS ASSIGNMENT' ELSE '' END);
    END LOOP;

    -- To what the base converts to. Without these, PostgreSQL would go through the output function, which for a role that
    -- may not open gives armored text: it would be stored as if it were the value.
    FOR item IN
        SELECT target::regtype AS target, t.typname, min(context) AS context,
            CASE WHEN bool_or(takes_modifier) THEN ', integer, boolean' ELSE '' END AS arguments
        FROM (
            SELECT casttarget AS target, CASE WHEN castcontext = 'e' THEN 2 ELSE 1 END AS context,
                (SELECT pronargs > 1 FROM pg_proc p WHERE p.oid = castfunc) AS takes_modifier FROM pg_cast
            WHERE castsource = ultimate AND casttarget <> ultimate AND (made OR oid < 16384)
            UNION ALL SELECT unnest('{text,varchar,bpchar,name}'::regtype[]), 1, false
            UNION ALL SELECT unnest('{int2,int4,int8,numeric,float4,float8,bool,date,time,timetz,timestamp,timestamptz,
                interval,uuid,inet,cidr,macaddr,jsonb,bytea,oid,regclass,money,xml}'::regtype[]), 2, false
                WHERE type.typcategory = 'S'
        ) AS c
        JOIN pg_type t ON t.oid = target
        WHERE target NOT IN (ultimate, 'json'::regtype) AND t.typtype <> 'd' AND t.typname !~ '^(encrypted|searchable)_'
            AND (t.typname !~ '^reg' OR type.typcategory = 'S') AND t.typowner = ANY (trusted)
        GROUP BY target, t.typname ORDER BY target
    LOOP
        statement := schema || quote_ident('envcrypt_open_as_' || item.typname);
        EXECUTE format('CREATE FUNCTION %1$s(%3$s%4$s) RETURNS %2$s LANGUAGE c STABLE STRICT PARALLEL SAFE COST 4 '
            'AS ''$libdir/envcrypt'', ''envcrypt_open_as''', statement, item.target, sealed, item.arguments);
        EXECUTE format('COMMENT ON FUNCTION %s(%s%s) IS ''opens a sealed value and converts it''', statement, sealed,
            item.arguments);
        EXECUTE format('CREATE CAST (%3$s AS %2$s) WITH FUNCTION %1$s(%3$s%5$s) %4$s', statement, item.target, sealed,
            CASE WHEN item.context = 1 THEN 'AS ASSIGNMENT' ELSE '' END, item.arguments);
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
            EXECUTE format('CREATE OPERATOR FAMILY %s USING btree', schema
                || quote_ident('encrypted_' || type.typname || '_comparison_ops'));
        END IF;
        PERFORM @extschema@.envcrypt_define_operators(array_agg(DISTINCT oprname::text), left_type, base, right_type, base,
            ('encrypted_' || type.typname || '_comparison_ops')::name, CASE WHEN type.typtype = 'e' THEN 'enum_cmp'
                WHEN type.typtype = 'r' THEN 'range_cmp' WHEN type.typtype = 'm' THEN 'multirange_cmp'
                WHEN type.typtype = 'c' THEN 'btrecordcmp' ELSE 'btarraycmp' END, base)
        FROM (VALUES (sealed::regtype, base), (base, sealed::regtype), (sealed::regtype, sealed::regtype))
                AS pair (left_type, right_type),
            pg_operator
        WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft = oprright AND oprleft = CASE
                WHEN type.typtype = 'e' THEN 'anyenum' WHEN type.typtype = 'r' THEN 'anyrange'
                WHEN type.typtype = 'm' THEN 'anymultirange' WHEN type.typtype = 'c' THEN 'record'
                ELSE 'anyarray' END::regtype
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
        EXECUTE format('CREATE FUNCTION %1$sin_range(%2$s, %2$s, %3$s, boolean, boolean) RETURNS boolean LANGUAGE c STABLE '
            'STRICT PARALLEL SAFE COST 4 AS ''$libdir/envcrypt'', ''envcrypt_in_range''', schema, sealed, item.offset_type);
        EXECUTE format('COMMENT ON FUNCTION %1$sin_range(%2$s, %2$s, %3$s, boolean, boolean) IS ''window RANGE support''',
            schema, sealed, item.offset_type);
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
        $$REVOKE ALL ON FUNCTION <T:_sortsupport>(internal) FROM PUBLIC$$,
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
