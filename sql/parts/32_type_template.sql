-- The template of an encrypted type. Casts of the base are read from the catalogs, so that an encrypted type converts
-- as its base does: implicitly to the base alone, by assignment or explicitly to all else.
--
-- Statements are written with placeholders, whose values are the same for all statements about a type:
--
--   <T>  the encrypted type       <T:_in>  our name for a part of it, here encrypted_x_in
--   <B>  its base type            <U>      what the base is over, where it is a domain; else the base
--   <S>  our schema and a dot     <A>      what a sealing cast takes beside the value, where there are type modifiers
--   <C>, <L>, <M>  category, collatability and modifiers for CREATE TYPE
--   <X>, <F>, <R>  another type, a function and functions for ranges, where a statement has such

CREATE FUNCTION envcrypt_define(statement text, "values" jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Each part of the statement is looked at once: no value is searched for placeholders.
    EXECUTE (SELECT string_agg(CASE WHEN part[1] ~ '^<T:'
                THEN '@extschema@.' || quote_ident("values" ->> 'name' || substr(part[1], 4, length(part[1]) - 4))
            WHEN part[1] ~ '^<[A-Z]>' THEN "values" ->> substr(part[1], 2, 1)
            ELSE part[1] END, '' ORDER BY n)
        FROM regexp_matches(statement, '<T:\w+>|<[A-Z]>|<|[^<]+', 'g') WITH ORDINALITY AS p (part, n));
END $$;
COMMENT ON FUNCTION envcrypt_define(text, jsonb) IS 'envcrypt: runs a statement of the template of types';

CREATE FUNCTION envcrypt_define_function(declaration text, result text, traits text, source text, comment text,
                                         "values" jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM @extschema@.envcrypt_define(format(
        'CREATE FUNCTION %s RETURNS %s LANGUAGE c %s AS ''$libdir/envcrypt'', %L', declaration, result, traits, source),
        "values");
    PERFORM @extschema@.envcrypt_define(format('COMMENT ON FUNCTION %s IS %L', declaration, comment), "values");
END $$;
COMMENT ON FUNCTION envcrypt_define_function(text, text, text, text, text, jsonb) IS
    'envcrypt: a function in C of the template of types';

-- The type itself, what opens and seals it, and its type modifiers.
CREATE FUNCTION envcrypt_define_base_type("values" jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $define$
BEGIN
    PERFORM @extschema@.envcrypt_define('CREATE TYPE <T>'::text, "values");
    PERFORM @extschema@.envcrypt_define_function(f.declaration, f.result, f.traits, f.source, f.comment, "values")
    FROM (VALUES
        -- Input is STABLE, as PostgreSQL wants it of types whose input depends on settings. It writes nothing.
        -- Sealing is restricted to the leader: a value in transit carries the id of the backend that sealed it.
        ('<T:_in>(cstring, oid, integer)', '<T>', 'STABLE STRICT PARALLEL RESTRICTED', 'envcrypt_type_in', 'I/O'),
        ('<T:_out>(<T>)', 'cstring', 'STABLE STRICT PARALLEL SAFE', 'envcrypt_type_out', 'I/O'),
        ('<T:_recv>(internal, oid, integer)', '<T>', 'STABLE STRICT PARALLEL RESTRICTED', 'envcrypt_type_recv', 'I/O'),
        ('<T:_send>(<T>)', 'bytea', 'STABLE STRICT PARALLEL SAFE', 'envcrypt_type_send', 'I/O'))
        AS f (declaration, result, traits, source, comment);
    PERFORM @extschema@.envcrypt_define('REVOKE ALL ON FUNCTION <T:_recv>(internal, oid, integer) FROM PUBLIC'::text,
        "values");
    PERFORM @extschema@.envcrypt_define($$CREATE TYPE <T> (INPUT = <T:_in>, OUTPUT = <T:_out>, RECEIVE = <T:_recv>,
        SEND = <T:_send>, ANALYZE = <S>envcrypt_type_analyze, INTERNALLENGTH = VARIABLE, ALIGNMENT = int4,
        STORAGE = external, CATEGORY = '<C>', COLLATABLE = '<L>'<M>)$$::text, "values");
    PERFORM @extschema@.envcrypt_define(
        $$COMMENT ON TYPE <T> IS 'envcrypt: <B>, sealed under its owner''s data key'$$::text, "values");

    PERFORM @extschema@.envcrypt_define_function(f.declaration, f.result, f.traits, f.source, f.comment, "values")
    FROM (VALUES
        ('<S>envcrypt_open(<T>)', '<B>', 'STABLE STRICT PARALLEL SAFE COST 2', 'envcrypt_open',
            'opens a sealed value; needs envcrypt_decrypt or the session''s own master key'),
        ('<T>(<B>)', '<T>', 'VOLATILE STRICT PARALLEL RESTRICTED COST 2', 'envcrypt_seal',
            'seals under the database key; the row''s owner is bound when the row is written'),

        -- For one owner by name.
        ('<S>encrypt_for_user(owner text, value <B>)', '<T>', 'VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 2',
            'envcrypt_encrypt_for_user', 'seals a value for an owner, whose data key is made on first use; '
            'needs envcrypt_encrypt or the session''s own master key'),
        ('<S>decrypt_for_user(owner text, value <T>)', '<B>', 'STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2',
            'envcrypt_decrypt_for_user', 'opens a value that was sealed for this owner and refuses any other; '
            'needs envcrypt_decrypt or the session''s own master key'),
        ('<S>envcrypt_owner(value <T>)', 'text', 'STABLE STRICT PARALLEL SAFE', 'envcrypt_owner',
            'the owner a value is sealed for; null for the database key and for a shredded owner; '
            'for those who may open, and key administrators'),
        ('<S>envcrypt_key_id(value <T>)', 'bigint', 'STABLE STRICT PARALLEL SAFE', 'envcrypt_key_id',
            'the id of the data key a value is sealed under; for those who may open, and key administrators'),

        -- What envcrypt_protect() and envcrypt_verify() work with. An owner of NULL is the database key.
        ('<S>envcrypt_bind(value <B>, owner text, context_id integer)', '<T>',
            'VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 2', 'envcrypt_bind_plain',
            'envcrypt: seals for an owner and a column'),
        ('<S>envcrypt_bind(value <T>, owner text, context_id integer)', '<T>',
            'VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 4', 'envcrypt_bind_sealed',
            'envcrypt: the value sealed for an owner and a column, as the owner trigger does it'),
        ('<S>envcrypt_check(value <T>, owner text, context_id integer)', 'text',
            'STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 2', 'envcrypt_check_value',
            'envcrypt: what is wrong with a value in a row of that owner, or null'))
        AS f (declaration, result, traits, source, comment);
    -- The one implicit cast: PostgreSQL's functions and operators of the base type take sealed values through it.
    PERFORM @extschema@.envcrypt_define(
        'CREATE CAST (<T> AS <U>) WITH FUNCTION <S>envcrypt_open(<T>) AS IMPLICIT'::text, "values");

    IF "values" ->> 'A' <> '' THEN
        PERFORM @extschema@.envcrypt_define_function(f.declaration, '<T>', f.traits, f.source, f.comment, "values")
        FROM (VALUES
            ('<T>(<B>, integer, boolean)', 'VOLATILE STRICT PARALLEL RESTRICTED COST 2', 'envcrypt_seal',
                'seals under the database key, applying a type modifier'),
            ('<T>(<T>, integer, boolean)', 'VOLATILE STRICT PARALLEL RESTRICTED COST 4 '
                'SUPPORT <S>envcrypt_coerce_support', 'envcrypt_coerce_typmod',
                'applies a type modifier to what was sealed'))
            AS f (declaration, traits, source, comment);
        PERFORM @extschema@.envcrypt_define(
            'CREATE CAST (<T> AS <T>) WITH FUNCTION <T>(<T>, integer, boolean) AS IMPLICIT'::text, "values");
    END IF;
    IF "values" ->> 'B' = "values" ->> 'U' THEN
        PERFORM @extschema@.envcrypt_define('CREATE CAST (<B> AS <T>) WITH FUNCTION <T>(<B><A>) AS ASSIGNMENT'::text,
            "values");
    END IF;
END
$define$;
COMMENT ON FUNCTION envcrypt_define_base_type(jsonb) IS 'envcrypt: the type itself, and what opens and seals it';

-- Casts as the base's. `made`: all that there are now, not only PostgreSQL's own. `trusted`: whose types' casts are
-- looked at, for anyone can make one to or from a type of his own.
CREATE FUNCTION envcrypt_define_casts("values" jsonb, made boolean, trusted oid[]) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    base CONSTANT regtype := "values" ->> 'B';
    ultimate CONSTANT regtype := "values" ->> 'U';
    category CONSTANT text := "values" ->> 'C';
    item record;
BEGIN
    -- From what PostgreSQL takes for the base, as it takes it: an integer goes into an encrypted numeric, and
    -- coalesce(amount, 0) finds its type. (Object identifiers by assignment: beside them, our operators could be
    -- taken.)
    FOR item IN
        SELECT "values" || jsonb_build_object('X', castsource::regtype) AS "values",
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
        PERFORM @extschema@.envcrypt_define_function('<T>(<X><A>)'::text, '<T>'::text,
            'VOLATILE STRICT PARALLEL RESTRICTED COST 2'
            || CASE WHEN item.context = 1 THEN ' SUPPORT <S>envcrypt_seal_support' ELSE '' END,
            'envcrypt_seal'::text, 'converts, and seals under the database key'::text, item."values");
        PERFORM @extschema@.envcrypt_define('CREATE CAST (<X> AS <T>) WITH FUNCTION <T>(<X><A>)'
            || CASE item.context WHEN 1 THEN ' AS IMPLICIT' WHEN 2 THEN ' AS ASSIGNMENT' ELSE '' END, item."values");
    END LOOP;

    -- To what the base converts to. Without these, PostgreSQL would go through the output function, which for a role
    -- that may not open gives armored text: it would be stored as if it were the value.
    FOR item IN
        SELECT "values" || jsonb_build_object('X', target::regtype,
                'F', '@extschema@.' || quote_ident('envcrypt_open_as_' || t.typname),
                'A', CASE WHEN bool_or(takes_modifier) THEN ', integer, boolean' ELSE '' END) AS "values",
            min(context) AS context
        FROM (
            SELECT casttarget AS target, CASE WHEN castcontext = 'e' THEN 2 ELSE 1 END AS context,
                (SELECT pronargs > 1 FROM pg_proc p WHERE p.oid = castfunc) AS takes_modifier FROM pg_cast
            WHERE castsource = ultimate AND casttarget <> ultimate AND (made OR oid < 16384)
            UNION ALL SELECT unnest('{text,varchar,bpchar,name}'::regtype[]), 1, false
            UNION ALL SELECT unnest('{int2,int4,int8,numeric,float4,float8,bool,date,time,timetz,timestamp,timestamptz,
                interval,uuid,inet,cidr,macaddr,jsonb,bytea,oid,regclass,money,xml}'::regtype[]), 2, false
                WHERE category = 'S'
        ) AS c
        JOIN pg_type t ON t.oid = target
        WHERE target NOT IN (ultimate, 'json'::regtype) AND t.typtype <> 'd' AND t.typname !~ '^(encrypted|searchable)_'
            AND (t.typname !~ '^reg' OR category = 'S') AND t.typowner = ANY (trusted)
        GROUP BY target, t.typname ORDER BY target
    LOOP
        PERFORM @extschema@.envcrypt_define_function('<F>(<T><A>)'::text, '<X>'::text,
            'STABLE STRICT PARALLEL SAFE COST 4'::text, 'envcrypt_open_as'::text,
            'opens a sealed value and converts it'::text, item."values");
        PERFORM @extschema@.envcrypt_define('CREATE CAST (<T> AS <X>) WITH FUNCTION <F>(<T><A>)'
            || CASE item.context WHEN 1 THEN ' AS ASSIGNMENT' ELSE '' END, item."values");
    END LOOP;

    -- PostgreSQL's functions that build JSON use a cast to json where there is one; else a number, a date or a document
    -- would be taken for a string. (Not for strings: their cast to json parses them.)
    IF ultimate <> 'json'::regtype AND (category IN ('N', 'B', 'D', 'A', 'C') OR ultimate = 'jsonb'::regtype) THEN
        PERFORM @extschema@.envcrypt_define_function('<S>envcrypt_to_json(<T>)'::text, 'json'::text,
            'STABLE STRICT PARALLEL SAFE COST 4'::text, 'envcrypt_to_json'::text,
            'opens a sealed value, as to_json() gives it'::text, "values");
        PERFORM @extschema@.envcrypt_define('CREATE CAST (<T> AS json) WITH FUNCTION <S>envcrypt_to_json(<T>)'
            || CASE ultimate WHEN 'jsonb'::regtype THEN ' AS ASSIGNMENT' ELSE '' END, "values");
    END IF;
END
$$;
COMMENT ON FUNCTION envcrypt_define_casts(jsonb, boolean, oid[]) IS 'envcrypt: the casts of an encrypted type';

-- Polymorphic operators look at no cast.
CREATE FUNCTION envcrypt_define_polymorphic("values" jsonb, typtype "char", can_sort boolean) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sealed CONSTANT regtype := "values" ->> 'T';
    base CONSTANT regtype := "values" ->> 'B';
    parameter regtype;
    comparison text;
BEGIN
    SELECT p.parameter, p.comparison INTO parameter, comparison
    FROM (VALUES ('e', 'anyenum'::regtype, 'enum_cmp'), ('r', 'anyrange', 'range_cmp'),
            ('m', 'anymultirange', 'multirange_cmp'), ('c', 'record', 'btrecordcmp'), ('b', 'anyarray', 'btarraycmp'))
        AS p (typtype, parameter, comparison)
    WHERE p.typtype = CASE "values" ->> 'C' WHEN 'A' THEN 'b' ELSE nullif(envcrypt_define_polymorphic.typtype, 'b') END;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF can_sort THEN
        PERFORM @extschema@.envcrypt_define('CREATE OPERATOR FAMILY <T:_comparison_ops> USING btree'::text, "values");
    END IF;
    PERFORM @extschema@.envcrypt_define_operators(array_agg(DISTINCT oprname::text), left_type, base, right_type, base,
        ("values" ->> 'name' || '_comparison_ops')::name, comparison, base)
    FROM (VALUES (sealed, base), (base, sealed), (sealed, sealed)) AS pair (left_type, right_type), pg_operator
    WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft = oprright AND oprleft = parameter
        AND oprname !~ '[*]' AND (can_sort OR oprname !~ '^[<>=]+$')
    GROUP BY left_type, right_type;
END
$$;
COMMENT ON FUNCTION envcrypt_define_polymorphic(jsonb, "char", boolean) IS
    'envcrypt: operators of an encrypted enum, range, composite type or array';

-- Order and equality for ORDER BY, GROUP BY, DISTINCT. The operators are not named = and <, so that col = 'x' still
-- finds the base type's.
CREATE FUNCTION envcrypt_define_order("values" jsonb, can_hash boolean) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    opening CONSTANT text := 'STABLE STRICT PARALLEL SAFE COST 4';
    item record;
    ranges text := '';
BEGIN
    FOR item IN
        SELECT * FROM (VALUES
            ('*<', '_lt', '*>', '*>=', 'scalarltsel', 'scalarltjoinsel', ''),
            ('*<=', '_le', '*>=', '*>', 'scalarlesel', 'scalarlejoinsel', ''),
            ('*=', '_eq', '*=', '*<>', 'eqsel', 'eqjoinsel',
                CASE WHEN can_hash THEN ', HASHES, MERGES' ELSE ', MERGES' END),
            ('*<>', '_ne', '*<>', '*=', 'neqsel', 'neqjoinsel', ''),
            ('*>=', '_ge', '*<=', '*<', 'scalargesel', 'scalargejoinsel', ''),
            ('*>', '_gt', '*<', '*<=', 'scalargtsel', 'scalargtjoinsel', ''))
        AS o (name, suffix, commutator, negator, restriction, join_restriction, more)
    LOOP
        PERFORM @extschema@.envcrypt_define_function(format('<T:%s>(<T>, <T>)', item.suffix), 'boolean'::text, opening,
            'envcrypt' || item.suffix, format('implementation of %s operator', item.name), "values");
        PERFORM @extschema@.envcrypt_define(format('CREATE OPERATOR <S>%s (LEFTARG = <T>, RIGHTARG = <T>, '
            'FUNCTION = <T:%s>, COMMUTATOR = OPERATOR(<S>%s), NEGATOR = OPERATOR(<S>%s), RESTRICT = %s, JOIN = %s%s)',
            item.name, item.suffix, item.commutator, item.negator, item.restriction, item.join_restriction, item.more),
            "values");
        PERFORM @extschema@.envcrypt_define(format(
            'COMMENT ON OPERATOR <S>%s (<T>, <T>) IS ''compares what was sealed''', item.name), "values");
    END LOOP;

    -- Offsets of window frames.
    FOR item IN
        SELECT p.amprocrighttype::regtype AS offset_type
        FROM pg_opclass o JOIN pg_amproc p ON p.amprocfamily = o.opcfamily AND p.amproclefttype = o.opcintype
        WHERE o.opcmethod = (SELECT oid FROM pg_am WHERE amname = 'btree') AND o.opcdefault
            AND o.opcintype = ("values" ->> 'U')::regtype AND p.amprocnum = 3
        ORDER BY p.amprocrighttype
    LOOP
        PERFORM @extschema@.envcrypt_define_function('<S>in_range(<T>, <T>, <X>, boolean, boolean)'::text,
            'boolean'::text, opening, 'envcrypt_in_range'::text, 'window RANGE support'::text,
            "values" || jsonb_build_object('X', item.offset_type));
        ranges := ranges || format(', FUNCTION 3 (%1$s, %2$s) %3$sin_range(%1$s, %1$s, %2$s, boolean, boolean)',
            "values" ->> 'T', item.offset_type, "values" ->> 'S');
    END LOOP;

    PERFORM @extschema@.envcrypt_define_function(f.declaration, f.result, f.traits, f.source, f.comment, "values")
    FROM (VALUES
        ('<T:_cmp>(<T>, <T>)', 'integer', opening, 'envcrypt_compare', 'less-equal-greater', true),
        ('<T:_sortsupport>(internal)', 'void', 'STABLE STRICT PARALLEL SAFE', 'envcrypt_sortsupport',
            'sort support: opens each value once', true),
        ('<T:_hash>(<T>)', 'integer', opening, 'envcrypt_hash', 'hash', can_hash),
        ('<T:_hash_extended>(<T>, bigint)', 'bigint', opening, 'envcrypt_hash_extended', 'hash', can_hash))
        AS f (declaration, result, traits, source, comment, is_wanted)
    WHERE f.is_wanted;
    PERFORM @extschema@.envcrypt_define('REVOKE ALL ON FUNCTION <T:_sortsupport>(internal) FROM PUBLIC'::text,
        "values");
    PERFORM @extschema@.envcrypt_define('CREATE OPERATOR CLASS <T:_ops> DEFAULT FOR TYPE <T> USING btree AS '
        'OPERATOR 1 <S>*<, OPERATOR 2 <S>*<=, OPERATOR 3 <S>*=, OPERATOR 4 <S>*>=, OPERATOR 5 <S>*>, '
        'FUNCTION 1 <T:_cmp>(<T>, <T>), FUNCTION 2 <T:_sortsupport>(internal)<R>, '
        'FUNCTION 5 <S>envcrypt_refuse_index(internal)'::text, "values" || jsonb_build_object('R', ranges));
    IF can_hash THEN
        PERFORM @extschema@.envcrypt_define('CREATE OPERATOR CLASS <T:_ops> DEFAULT FOR TYPE <T> USING hash AS '
            'OPERATOR 1 <S>*=, FUNCTION 1 <T:_hash>(<T>), FUNCTION 2 <T:_hash_extended>(<T>, bigint), '
            'FUNCTION 3 <S>envcrypt_refuse_index(internal)'::text, "values");
    END IF;
END
$$;
COMMENT ON FUNCTION envcrypt_define_order(jsonb, boolean) IS 'envcrypt: how values of an encrypted type sort and group';

-- All of it. `made`: later than this script, by envcrypt_create_type().
CREATE FUNCTION envcrypt_define_type(base regtype, made boolean) RETURNS regtype
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    type pg_type;
    ultimate regtype := base;
    sealed text;
    modifiers text;  -- what CREATE TYPE says of them
    arguments text;
    can_sort boolean := true;
    can_hash boolean := true;
    "values" jsonb;
BEGIN
    SELECT * INTO STRICT type FROM pg_type WHERE oid = base;
    WHILE (SELECT typtype = 'd' FROM pg_type WHERE oid = ultimate) LOOP
        SELECT typbasetype INTO STRICT ultimate FROM pg_type WHERE oid = ultimate;
    END LOOP;
    sealed := '@extschema@.' || quote_ident('encrypted_' || type.typname);
    -- encrypted_text(20) is as varchar(20). The modifiers of times are printed with words that only the grammar of
    -- their own names takes, "(3) with time zone": varbit's are printed as a number. Those of interval are not numbers
    -- alone.
    SELECT format(', TYPMOD_IN = %s, TYPMOD_OUT = %s', typmodin,
            CASE WHEN typname ~ '^time' THEN 'varbittypmodout'::regproc ELSE typmodout END),
        ', integer, boolean' INTO modifiers, arguments
    FROM pg_type WHERE oid = CASE base WHEN 'text'::regtype THEN 'varchar'::regtype ELSE base END AND typmodin <> 0
        AND oid <> 'interval'::regtype;
    IF (SELECT typsubscript <> 0 AND typlen = -1 FROM pg_type WHERE oid = ultimate) THEN
        modifiers := concat(modifiers, ', SUBSCRIPT = @extschema@.envcrypt_subscript');
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

    "values" := jsonb_build_object('T', sealed, 'B', base, 'U', ultimate, 'S', '@extschema@.',
        'A', coalesce(arguments, ''), 'C', type.typcategory, 'L', type.typcollation <> 0, 'M', coalesce(modifiers, ''),
        'name', 'encrypted_' || type.typname);
    PERFORM @extschema@.envcrypt_define_base_type("values");
    PERFORM @extschema@.envcrypt_define_casts("values", made,
        ARRAY(SELECT oid FROM pg_roles WHERE rolsuper) || type.typowner);
    PERFORM @extschema@.envcrypt_define_polymorphic("values", type.typtype, can_sort);
    IF can_sort THEN
        PERFORM @extschema@.envcrypt_define_order("values", can_hash);
    END IF;
    RETURN sealed::regtype;
END
$$;
COMMENT ON FUNCTION envcrypt_define_type(regtype, boolean) IS 'envcrypt: the template of an encrypted type';

REVOKE ALL ON FUNCTION envcrypt_define(text, jsonb), envcrypt_define_function(text, text, text, text, text, jsonb),
    envcrypt_define_base_type(jsonb), envcrypt_define_casts(jsonb, boolean, oid[]),
    envcrypt_define_polymorphic(jsonb, "char", boolean), envcrypt_define_order(jsonb, boolean),
    envcrypt_define_type(regtype, boolean) FROM PUBLIC;
