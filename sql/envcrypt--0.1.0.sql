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

CREATE FUNCTION envcrypt_seal_support(internal) RETURNS internal
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_seal_support(internal) IS 'envcrypt: seals constants while a statement is planned';

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
        WHERE s.typname !~ '^(encrypted|searchable)_'
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
        EXECUTE format('CREATE CAST (%2$s AS json) WITH FUNCTION %1$senvcrypt_to_json(%2$s)', schema, sealed);
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

-- The types.

SELECT @extschema@.envcrypt_define_type(base::pg_catalog.regtype, false)
FROM pg_catalog.unnest('{text,bytea,jsonb,int8,numeric,float8,bool,date,timestamptz,uuid,inet}'::pg_catalog.text[]) AS base;

-- Operators that the implicit cast does not reach: an encrypted bytea or jsonb beside || would be taken for
-- anynonarray || text.

CREATE FUNCTION encrypted_bytea_cat(encrypted_bytea, bytea) RETURNS bytea
    LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN $1::bytea || $2;
CREATE FUNCTION encrypted_bytea_cat(bytea, encrypted_bytea) RETURNS bytea
    LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN $1 || $2::bytea;
CREATE FUNCTION encrypted_bytea_cat(encrypted_bytea, encrypted_bytea) RETURNS bytea
    LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN $1::bytea || $2::bytea;
COMMENT ON FUNCTION encrypted_bytea_cat(encrypted_bytea, bytea) IS 'implementation of || operator';
COMMENT ON FUNCTION encrypted_bytea_cat(bytea, encrypted_bytea) IS 'implementation of || operator';
COMMENT ON FUNCTION encrypted_bytea_cat(encrypted_bytea, encrypted_bytea) IS 'implementation of || operator';
CREATE OPERATOR || (LEFTARG = encrypted_bytea, RIGHTARG = bytea, FUNCTION = encrypted_bytea_cat);
CREATE OPERATOR || (LEFTARG = bytea, RIGHTARG = encrypted_bytea, FUNCTION = encrypted_bytea_cat);
CREATE OPERATOR || (LEFTARG = encrypted_bytea, RIGHTARG = encrypted_bytea, FUNCTION = encrypted_bytea_cat);
COMMENT ON OPERATOR || (encrypted_bytea, bytea) IS 'concatenates what was sealed';
COMMENT ON OPERATOR || (bytea, encrypted_bytea) IS 'concatenates what was sealed';
COMMENT ON OPERATOR || (encrypted_bytea, encrypted_bytea) IS 'concatenates what was sealed';

CREATE FUNCTION encrypted_jsonb_cat(encrypted_jsonb, jsonb) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN $1::jsonb || $2;
CREATE FUNCTION encrypted_jsonb_cat(jsonb, encrypted_jsonb) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN $1 || $2::jsonb;
CREATE FUNCTION encrypted_jsonb_cat(encrypted_jsonb, encrypted_jsonb) RETURNS jsonb
    LANGUAGE sql STABLE STRICT PARALLEL SAFE RETURN $1::jsonb || $2::jsonb;
COMMENT ON FUNCTION encrypted_jsonb_cat(encrypted_jsonb, jsonb) IS 'implementation of || operator';
COMMENT ON FUNCTION encrypted_jsonb_cat(jsonb, encrypted_jsonb) IS 'implementation of || operator';
COMMENT ON FUNCTION encrypted_jsonb_cat(encrypted_jsonb, encrypted_jsonb) IS 'implementation of || operator';
CREATE OPERATOR || (LEFTARG = encrypted_jsonb, RIGHTARG = jsonb, FUNCTION = encrypted_jsonb_cat);
CREATE OPERATOR || (LEFTARG = jsonb, RIGHTARG = encrypted_jsonb, FUNCTION = encrypted_jsonb_cat);
CREATE OPERATOR || (LEFTARG = encrypted_jsonb, RIGHTARG = encrypted_jsonb, FUNCTION = encrypted_jsonb_cat);
COMMENT ON OPERATOR || (encrypted_jsonb, jsonb) IS 'concatenates what was sealed';
COMMENT ON OPERATOR || (jsonb, encrypted_jsonb) IS 'concatenates what was sealed';
COMMENT ON OPERATOR || (encrypted_jsonb, encrypted_jsonb) IS 'concatenates what was sealed';

-- Protected columns.

CREATE FUNCTION envcrypt_owner_trigger() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_owner_trigger() IS 'envcrypt: binds the values of a protected column to their row''s owner';

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
