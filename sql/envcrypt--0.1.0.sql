\echo Use "CREATE EXTENSION envcrypt" to load this file. \quit

-- This script runs as a superuser, in a schema in which others may have made functions and operators that fit a call
-- better than PostgreSQL's own. So nothing here is found by a search path that contains that schema: what is called is
-- exactly pg_catalog's, or runs with a search_path of its own, and what dynamic statements name is qualified.
--
-- What is for users is described so. A comment that begins with "envcrypt:" is of a part of something else. All of that
-- runs as the caller, so that table owners can execute it: each function that opens, seals or makes keys checks the right.

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

-- Functions that have our names already, from before anything could refuse them. A call with literals would prefer them.

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
    'makes the keyring''s first key the current master key and re-wraps all data keys with it; returns how many; '
    'touches no value';

CREATE FUNCTION envcrypt_shred_user(owner text, missing_ok boolean DEFAULT false) RETURNS jsonb
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_shred_user(text, boolean) IS
    'destroys an owner''s data keys, and with them everything sealed for that owner; returns a receipt';

CREATE FUNCTION envcrypt_shred_users(owners text[]) RETURNS TABLE (owner text, result text, receipt jsonb)
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_shred_users(text[]) IS
    'the same for a list, also one that was shredded before: says of each owner what happened';

REVOKE ALL ON FUNCTION envcrypt_generate_master_key(), envcrypt_create_user_key(text, boolean),
    envcrypt_rotate_master(), envcrypt_shred_user(text, boolean), envcrypt_shred_users(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION envcrypt_generate_master_key(), envcrypt_create_user_key(text, boolean),
    envcrypt_rotate_master(), envcrypt_shred_user(text, boolean), envcrypt_shred_users(text[]) TO envcrypt_keyadmin;

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

CREATE FUNCTION envcrypt_coerce_support(internal) RETURNS internal
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_coerce_support(internal) IS 'envcrypt: leaves out type modifiers that a value is known to fit';

-- Defines operators `names` for a pair of types, as those of their base types. Where they are comparisons, they become
-- members of a btree operator family, through which PostgreSQL understands (a, b) < (c, d); values are compared there as
-- `compared_as` by `comparison`.

CREATE FUNCTION envcrypt_define_operators(names text[], left_type regtype, left_base regtype, right_type regtype,
                                          right_base regtype, family name, comparison text, compared_as regtype) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    schema CONSTANT text := '@extschema@.';
    words CONSTANT jsonb := '{"=": "equal", "<>": "unequal", "<": "less", "<=": "less_or_equal", ">": "greater",
        ">=": "greater_or_equal", "+": "plus", "-": "minus", "*": "times", "/": "divided_by", "^": "power", "%": "modulo",
        "||": "concatenated", "@>": "contains", "<@": "contained", "&&": "overlaps", "<<": "left_of", ">>": "right_of",
        "&<": "not_right_of", "&>": "not_left_of", "-|-": "adjacent"}';
    pair CONSTANT text := format('(%s, %s)', left_type, right_type);
    name text;
    function text;
    result text;
    plain CONSTANT regtype[] := ARRAY(
        WITH RECURSIVE under (n, oid, below) AS (
            SELECT n, b.type::oid, typbasetype FROM unnest(ARRAY[left_base, right_base]) WITH ORDINALITY AS b (type, n)
            JOIN pg_type t ON t.oid = b.type
            UNION ALL SELECT n, t.oid, t.typbasetype FROM under u JOIN pg_type t ON t.oid = u.below
        )
        SELECT oid FROM under WHERE below = 0 ORDER BY n);  -- what domains are over: their checks are not run here
BEGIN
    FOREACH name IN ARRAY names LOOP
        function := schema || 'envcrypt_' || (words ->> name);
        EXECUTE format('SELECT pg_typeof(NULL::%s %s NULL::%s)', plain[1], name, plain[2]) INTO result;
        EXECUTE format('CREATE FUNCTION %s%s RETURNS %s LANGUAGE sql STABLE STRICT PARALLEL SAFE '
            'RETURN $1::%s OPERATOR(pg_catalog.%s) $2::%s', function, pair, result, left_base, name, right_base);
        EXECUTE format('COMMENT ON FUNCTION %s%s IS ''implementation of %s operator''', function, pair, name);
        -- (a, b) <> (c, d) is understood through the operator's negator.
        EXECUTE format('CREATE OPERATOR %s%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = %s%s)', schema, name, left_type,
            right_type, function, CASE WHEN name IN ('=', '<>') AND names @> '{=,<>}'
                THEN format(', NEGATOR = OPERATOR(%s%s)', schema, CASE name WHEN '=' THEN '<>' ELSE '=' END) ELSE '' END);
        EXECUTE format('COMMENT ON OPERATOR %s%s %s IS ''of what was sealed''', schema, name, pair);
    END LOOP;
    IF names @> '{<,<=,=,>=,>}' THEN
        function := schema || 'envcrypt_comparison';
        EXECUTE format('CREATE FUNCTION %s%s RETURNS integer LANGUAGE sql STABLE STRICT PARALLEL SAFE '
            'RETURN pg_catalog.%I($1::%s::%s, $2::%s::%s)', function, pair, comparison, left_base, compared_as, right_base,
            compared_as);
        EXECUTE format('COMMENT ON FUNCTION %s%s IS ''less-equal-greater''', function, pair);
        EXECUTE format('ALTER OPERATOR FAMILY %s%I USING btree ADD OPERATOR 1 %s< %s, OPERATOR 2 %s<= %s, '
            'OPERATOR 3 %s= %s, OPERATOR 4 %s>= %s, OPERATOR 5 %s> %s, FUNCTION 1 %s %s%s', schema, family, schema, pair,
            schema, pair, schema, pair, schema, pair, schema, pair, pair, function, pair);
    END IF;
END
$$;
COMMENT ON FUNCTION envcrypt_define_operators(text[], regtype, regtype, regtype, regtype, name, text, regtype) IS
    'envcrypt: operators that the implicit cast to the base type does not reach';
REVOKE ALL ON FUNCTION envcrypt_define_operators(text[], regtype, regtype, regtype, regtype, name, text, regtype)
    FROM PUBLIC;

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

CREATE FUNCTION envcrypt_require_sealable(type oid) RETURNS void
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_require_sealable(oid) IS
    'envcrypt: raises for a type that cannot be encrypted, or contains one at any depth';

CREATE FUNCTION envcrypt_create_type(base regtype) RETURNS regtype
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning AS $$
DECLARE
    type pg_type;
    ultimate oid := base;
    name text;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE 'permission denied to create an encrypted type'
            USING ERRCODE = 'insufficient_privilege',
                HINT = 'Must be superuser: it is a base type whose functions are in C.';
    END IF;
    SELECT * INTO type FROM pg_type WHERE oid = base;
    IF NOT FOUND THEN
        RAISE 'type with OID % does not exist', base::oid USING ERRCODE = 'undefined_object';
    END IF;
    name := 'encrypted_' || type.typname;
    WHILE (SELECT typtype = 'd' FROM pg_type WHERE oid = ultimate) LOOP
        SELECT typbasetype INTO STRICT ultimate FROM pg_type WHERE oid = ultimate;
    END LOOP;
    IF @extschema@.envcrypt_base_type(ultimate::regtype) IS NOT NULL THEN
        RAISE 'type % is encrypted already', base USING ERRCODE = 'wrong_object_type';
    END IF;
    PERFORM @extschema@.envcrypt_require_sealable(base::oid);
    -- The template's statements are made by replacing words in them: whose name the type has is not to write any.
    IF base::text ~ '[''<>\\$;]' OR type.typname ~ '["''<>\\$;]' THEN
        RAISE EXCEPTION 'type % cannot have an encrypted type, because of characters in its name', base
            USING ERRCODE = 'invalid_name', DETAIL = 'Quotes, backslashes, dollar signs, semicolons, < and > are refused.';
    END IF;
    -- Functions of the type have its name and a suffix of up to 14 characters.
    IF octet_length(name) > 49 THEN
        RAISE 'name of type % is too long for an encrypted type', base
            USING ERRCODE = 'name_too_long', HINT = 'Names of up to 39 bytes can have one.';
    END IF;
    IF to_regtype('@extschema@.' || quote_ident(name)) IS NOT NULL
        AND to_regprocedure(format('@extschema@.envcrypt_open(@extschema@.%I)', name)) IS NULL THEN
        RAISE 'type % exists already, of a base type that was dropped', quote_ident(name) USING ERRCODE = 'duplicate_object',
            HINT = format('Drop it, then call this again: DROP TYPE @extschema@.%I CASCADE;', name);
    END IF;
    -- What DROP TYPE ... CASCADE leaves of an earlier one, because it depends on no type.
    IF to_regtype('@extschema@.' || quote_ident(name)) IS NULL THEN
        EXECUTE format('DROP FUNCTION IF EXISTS @extschema@.%I(internal)', name || '_sortsupport');
        EXECUTE format('DROP OPERATOR FAMILY IF EXISTS @extschema@.%I USING btree', name || '_comparison_ops');
    END IF;
    RETURN @extschema@.envcrypt_define_type(base, true);
END
$$;
COMMENT ON FUNCTION envcrypt_create_type(regtype) IS
    'makes encrypted_<name> for any base type with binary send and receive functions: enum, domain, composite type, array, '
    'another extension''s type; superusers only';
REVOKE ALL ON FUNCTION envcrypt_create_type(regtype) FROM PUBLIC;

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
CREATE FUNCTION envcrypt_float8_operand(bigint) RETURNS envcrypt_float8_operand
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'i8tod';
CREATE CAST (bigint AS envcrypt_float8_operand) WITH FUNCTION envcrypt_float8_operand(bigint) AS IMPLICIT;
CREATE CAST (envcrypt_float8_operand AS float8) WITHOUT FUNCTION AS IMPLICIT;
CREATE FUNCTION envcrypt_open_operand(encrypted_float8) RETURNS envcrypt_float8_operand
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'envcrypt_open';
CREATE CAST (encrypted_float8 AS envcrypt_float8_operand) WITH FUNCTION envcrypt_open_operand(encrypted_float8) AS IMPLICIT;

-- What encrypted_int8 alone is taken for, in functions that exist of numeric only: div(numeric, numeric) of plain integers
-- would be ambiguous beside div(encrypted_int8, encrypted_int8).
CREATE TYPE envcrypt_int8_operand;
CREATE FUNCTION envcrypt_int8_operand_in(cstring) RETURNS envcrypt_int8_operand
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8in';
CREATE FUNCTION envcrypt_int8_operand_out(envcrypt_int8_operand) RETURNS cstring
    LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'int8out';
CREATE TYPE envcrypt_int8_operand (INPUT = envcrypt_int8_operand_in, OUTPUT = envcrypt_int8_operand_out,
    LIKE = pg_catalog.int8, CATEGORY = 'N');
CREATE CAST (envcrypt_int8_operand AS int8) WITHOUT FUNCTION AS IMPLICIT;
CREATE FUNCTION envcrypt_open_operand(encrypted_int8) RETURNS envcrypt_int8_operand
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'envcrypt_open';
CREATE CAST (encrypted_int8 AS envcrypt_int8_operand) WITH FUNCTION envcrypt_open_operand(encrypted_int8) AS IMPLICIT;

-- Times beside an encrypted date, in functions that exist for both: with timestamp itself, calls of plain times and untyped
-- literals would be ambiguous.
CREATE TYPE envcrypt_timestamp_operand;
CREATE FUNCTION envcrypt_timestamp_operand_in(cstring, oid, integer) RETURNS envcrypt_timestamp_operand
    LANGUAGE internal STABLE STRICT PARALLEL SAFE AS 'timestamp_in';
CREATE FUNCTION envcrypt_timestamp_operand_out(envcrypt_timestamp_operand) RETURNS cstring
    LANGUAGE internal STABLE STRICT PARALLEL SAFE AS 'timestamp_out';
CREATE TYPE envcrypt_timestamp_operand (INPUT = envcrypt_timestamp_operand_in, OUTPUT = envcrypt_timestamp_operand_out,
    LIKE = pg_catalog."timestamp", CATEGORY = 'D');
CREATE CAST (timestamp AS envcrypt_timestamp_operand) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (envcrypt_timestamp_operand AS timestamp) WITHOUT FUNCTION AS IMPLICIT;

CREATE TYPE envcrypt_timestamptz_operand;
CREATE FUNCTION envcrypt_timestamptz_operand_in(cstring, oid, integer) RETURNS envcrypt_timestamptz_operand
    LANGUAGE internal STABLE STRICT PARALLEL SAFE AS 'timestamptz_in';
CREATE FUNCTION envcrypt_timestamptz_operand_out(envcrypt_timestamptz_operand) RETURNS cstring
    LANGUAGE internal STABLE STRICT PARALLEL SAFE AS 'timestamptz_out';
CREATE TYPE envcrypt_timestamptz_operand (INPUT = envcrypt_timestamptz_operand_in, OUTPUT = envcrypt_timestamptz_operand_out,
    LIKE = pg_catalog.timestamptz, CATEGORY = 'D', PREFERRED = true);
CREATE FUNCTION envcrypt_timestamptz_operand(date) RETURNS envcrypt_timestamptz_operand
    LANGUAGE internal STABLE STRICT PARALLEL SAFE AS 'date_timestamptz';
CREATE FUNCTION envcrypt_open_operand(encrypted_timestamptz) RETURNS envcrypt_timestamptz_operand
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 2 AS 'MODULE_PATHNAME', 'envcrypt_open';
CREATE CAST (timestamptz AS envcrypt_timestamptz_operand) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (envcrypt_timestamptz_operand AS timestamptz) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (date AS envcrypt_timestamptz_operand) WITH FUNCTION envcrypt_timestamptz_operand(date) AS IMPLICIT;
CREATE CAST (encrypted_timestamptz AS envcrypt_timestamptz_operand)
    WITH FUNCTION envcrypt_open_operand(encrypted_timestamptz)
    AS IMPLICIT;

COMMENT ON TYPE envcrypt_int8_operand IS 'envcrypt: an encrypted integer as a number; not for columns';
COMMENT ON FUNCTION envcrypt_int8_operand_in(cstring) IS 'I/O';
COMMENT ON FUNCTION envcrypt_int8_operand_out(envcrypt_int8_operand) IS 'I/O';
COMMENT ON FUNCTION envcrypt_open_operand(encrypted_int8) IS 'opens a sealed value';
COMMENT ON TYPE envcrypt_timestamp_operand IS 'envcrypt: timestamp beside an encrypted date; not for columns';
COMMENT ON FUNCTION envcrypt_timestamp_operand_in(cstring, oid, integer) IS 'I/O';
COMMENT ON FUNCTION envcrypt_timestamp_operand_out(envcrypt_timestamp_operand) IS 'I/O';
COMMENT ON TYPE envcrypt_timestamptz_operand IS 'envcrypt: timestamptz beside an encrypted date; not for columns';
COMMENT ON FUNCTION envcrypt_timestamptz_operand_in(cstring, oid, integer) IS 'I/O';
COMMENT ON FUNCTION envcrypt_timestamptz_operand_out(envcrypt_timestamptz_operand) IS 'I/O';
COMMENT ON FUNCTION envcrypt_timestamptz_operand(date) IS 'envcrypt: converts';
COMMENT ON FUNCTION envcrypt_open_operand(encrypted_timestamptz) IS 'opens a sealed value';
COMMENT ON TYPE envcrypt_numeric_operand IS 'envcrypt: numeric beside an encrypted number; not for columns';
COMMENT ON TYPE envcrypt_float8_operand IS 'envcrypt: double precision beside an encrypted number; not for columns';
COMMENT ON FUNCTION envcrypt_numeric_operand_in(cstring, oid, integer) IS 'I/O';
COMMENT ON FUNCTION envcrypt_numeric_operand_out(envcrypt_numeric_operand) IS 'I/O';
COMMENT ON FUNCTION envcrypt_float8_operand_in(cstring) IS 'I/O';
COMMENT ON FUNCTION envcrypt_float8_operand_out(envcrypt_float8_operand) IS 'I/O';
COMMENT ON FUNCTION envcrypt_float8_operand(real) IS 'envcrypt: converts';
COMMENT ON FUNCTION envcrypt_float8_operand(bigint) IS 'envcrypt: converts';
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
SELECT @extschema@.envcrypt_define_operators('{=,<>,<,<=,>,>=,+,-,*,/}'::pg_catalog.text[], left_type::pg_catalog.regtype,
    left_base::pg_catalog.regtype, right_type::pg_catalog.regtype, right_base::pg_catalog.regtype,
    'envcrypt_number_ops'::pg_catalog.name,
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
SELECT @extschema@.envcrypt_define_operators('{||}'::pg_catalog.text[], left_type, base, right_type, base,
    NULL::pg_catalog.name, NULL::pg_catalog.text, NULL::pg_catalog.regtype)
FROM (VALUES ('encrypted_bytea'::pg_catalog.regtype, 'bytea'::pg_catalog.regtype),
             ('encrypted_jsonb', 'jsonb')) AS b (encrypted, base),
     LATERAL (VALUES (encrypted, base), (base, encrypted), (encrypted, encrypted)) AS p (left_type, right_type);

SELECT @extschema@.envcrypt_define_operators(names, left_type::pg_catalog.regtype, left_base::pg_catalog.regtype,
    right_type::pg_catalog.regtype, right_base::pg_catalog.regtype, NULL::pg_catalog.name, NULL::pg_catalog.text,
    NULL::pg_catalog.regtype)
FROM (VALUES ('{^,%}'::pg_catalog.text[], 'encrypted_int8', 'int8', 'encrypted_int8', 'int8'),
             ('{^,%}', 'encrypted_int8', 'int8', 'envcrypt_numeric_operand', 'numeric'),
             ('{^,%}', 'envcrypt_numeric_operand', 'numeric', 'encrypted_int8', 'int8'),
             ('{^,%}', 'encrypted_numeric', 'numeric', 'encrypted_numeric', 'numeric'),
             ('{^}', 'encrypted_int8', 'int8', 'envcrypt_float8_operand', 'float8'),
             ('{^}', 'envcrypt_float8_operand', 'float8', 'encrypted_int8', 'int8'))
    AS p (names, left_type, left_base, right_type, right_base);

CREATE FUNCTION envcrypt_square_root(encrypted_int8) RETURNS double precision LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.dsqrt($1::bigint);
CREATE FUNCTION envcrypt_square_root(encrypted_numeric) RETURNS double precision LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.dsqrt($1::numeric);
CREATE FUNCTION envcrypt_cube_root(encrypted_int8) RETURNS double precision LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.dcbrt($1::bigint);
CREATE FUNCTION envcrypt_cube_root(encrypted_numeric) RETURNS double precision LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.dcbrt($1::numeric);
COMMENT ON FUNCTION envcrypt_square_root(encrypted_int8) IS 'implementation of |/ operator';
COMMENT ON FUNCTION envcrypt_square_root(encrypted_numeric) IS 'implementation of |/ operator';
COMMENT ON FUNCTION envcrypt_cube_root(encrypted_int8) IS 'implementation of ||/ operator';
COMMENT ON FUNCTION envcrypt_cube_root(encrypted_numeric) IS 'implementation of ||/ operator';
CREATE OPERATOR |/ (RIGHTARG = encrypted_int8, FUNCTION = envcrypt_square_root);
CREATE OPERATOR |/ (RIGHTARG = encrypted_numeric, FUNCTION = envcrypt_square_root);
CREATE OPERATOR ||/ (RIGHTARG = encrypted_int8, FUNCTION = envcrypt_cube_root);
CREATE OPERATOR ||/ (RIGHTARG = encrypted_numeric, FUNCTION = envcrypt_cube_root);
COMMENT ON OPERATOR |/ (NONE, encrypted_int8) IS 'of what was sealed';
COMMENT ON OPERATOR |/ (NONE, encrypted_numeric) IS 'of what was sealed';
COMMENT ON OPERATOR ||/ (NONE, encrypted_int8) IS 'of what was sealed';
COMMENT ON OPERATOR ||/ (NONE, encrypted_numeric) IS 'of what was sealed';

SELECT @extschema@.envcrypt_define_operators(names, left_type, left_base, right_type, right_base,
    NULL::pg_catalog.name, NULL::pg_catalog.text, NULL::pg_catalog.regtype)
FROM (VALUES ('{*}'::pg_catalog.text[], 'encrypted_int8'::pg_catalog.regtype, 'int8'::pg_catalog.regtype,
                 'interval'::pg_catalog.regtype, 'interval'::pg_catalog.regtype),
             ('{*,/}', 'interval', 'interval', 'encrypted_int8', 'int8'),
             ('{*}', 'encrypted_numeric', 'numeric', 'interval', 'interval'),
             ('{*,/}', 'interval', 'interval', 'encrypted_numeric', 'numeric'))
    AS p (names, left_type, left_base, right_type, right_base);

-- A date beside an untyped literal would be compared as timestamp with time zone, which PostgreSQL prefers.
CREATE OPERATOR FAMILY envcrypt_date_ops USING btree;
SELECT @extschema@.envcrypt_define_operators('{=,<>,<,<=,>,>=}'::pg_catalog.text[], encrypted, base, encrypted, base,
    'envcrypt_date_ops'::pg_catalog.name, 'date_cmp'::pg_catalog.text, base)
FROM (VALUES ('encrypted_date'::pg_catalog.regtype, 'date'::pg_catalog.regtype)) AS d (encrypted, base);
SELECT @extschema@.envcrypt_define_operators('{-}'::pg_catalog.text[], left_type, left_base, right_type, right_base,
    NULL::pg_catalog.name, NULL::pg_catalog.text, NULL::pg_catalog.regtype)
FROM (VALUES ('encrypted_date'::pg_catalog.regtype, 'date'::pg_catalog.regtype,
                 'encrypted_date'::pg_catalog.regtype, 'date'::pg_catalog.regtype),
             ('encrypted_date', 'date', 'date', 'date'),
             ('date', 'date', 'encrypted_date', 'date'),
             ('encrypted_date', 'date', 'timestamp', 'timestamp'),
             ('timestamp', 'timestamp', 'encrypted_date', 'date'),
             ('encrypted_date', 'date', 'timestamptz', 'timestamptz'),
             ('timestamptz', 'timestamptz', 'encrypted_date', 'date'),
             ('encrypted_date', 'date', 'encrypted_timestamptz', 'timestamptz'),
             ('encrypted_timestamptz', 'timestamptz', 'encrypted_date', 'date'),
             ('encrypted_timestamptz', 'timestamptz', 'encrypted_timestamptz', 'timestamptz'))
    AS p (left_type, left_base, right_type, right_base);

-- Functions that the implicit cast does not reach, because the base type itself needs a cast there: age(date) is
-- age(timestamptz). SQL functions again, which the planner replaces. OVERLAPS and AT TIME ZONE look for theirs in
-- pg_catalog alone.

CREATE FUNCTION envcrypt_define_functions(names text[], arguments text[], conversions text[]) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema CONSTANT text := '@extschema@.';
    place text;
    name text;
    volatility "char";
    result text;
    nulls text;
    parameters text;
    actual text;
BEGIN
    SELECT string_agg(format('NULL::%s', c), ', ' ORDER BY n), string_agg(format('$%s::%s', n, c), ', ' ORDER BY n)
        INTO nulls, actual
    FROM unnest(conversions) WITH ORDINALITY AS u (c, n);
    SELECT string_agg(CASE WHEN a ~ '^(encrypted|envcrypt)_' THEN schema || a ELSE a END, ', ' ORDER BY n) INTO parameters
    FROM unnest(arguments) WITH ORDINALITY AS u (a, n);
    FOREACH name IN ARRAY names LOOP
        -- Later versions of PostgreSQL have more of them.
        SELECT provolatile INTO volatility FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = name
            AND cardinality(arguments) BETWEEN pronargs - pronargdefaults AND pronargs;
        CONTINUE WHEN NOT FOUND;
        place := CASE WHEN name IN ('overlaps', 'timezone') THEN 'pg_catalog.' ELSE schema END;
        EXECUTE format('CREATE TEMP VIEW envcrypt_result AS SELECT %s(%s) AS x', name, nulls);
        SELECT atttypid::regtype INTO STRICT result FROM pg_attribute
        WHERE attrelid = 'pg_temp.envcrypt_result'::regclass AND attname = 'x';
        DROP VIEW pg_temp.envcrypt_result;
        EXECUTE format('CREATE FUNCTION %s%s(%s) RETURNS %s %s LANGUAGE sql %s %s PARALLEL %s '
            'RETURN pg_catalog.%s(%s)', place, name, parameters,
            CASE name WHEN 'generate_series' THEN 'SETOF' ELSE '' END, result,
            CASE volatility WHEN 'v' THEN 'VOLATILE' ELSE 'STABLE' END,
            CASE name WHEN 'overlaps' THEN 'CALLED ON NULL INPUT' ELSE 'STRICT' END,
            CASE volatility WHEN 'v' THEN 'RESTRICTED' ELSE 'SAFE' END, name, actual);
        EXECUTE format('COMMENT ON FUNCTION %s%s(%s) IS ''of what was sealed''', place, name, parameters);
    END LOOP;
END
$$;

SELECT @extschema@.envcrypt_define_functions(
    '{acos,acosd,acosh,asin,asind,asinh,atan,atand,atanh,cbrt,ceil,ceiling,cos,cosd,cosh,cot,cotd,degrees,erf,erfc,exp,floor,
        gamma,lgamma,ln,log,log10,radians,random_normal,round,sign,sin,sind,sinh,sqrt,tan,tand,tanh,trunc}'::pg_catalog.text[],
    '{encrypted_int8}'::pg_catalog.text[], '{int8}'::pg_catalog.text[]);
SELECT @extschema@.envcrypt_define_functions(
    '{acos,acosd,acosh,asin,asind,asinh,atan,atand,atanh,cbrt,cos,cosd,cosh,cot,cotd,degrees,erf,erfc,gamma,lgamma,radians,
        random_normal,sin,sind,sinh,tan,tand,tanh,to_timestamp}'::pg_catalog.text[],
    '{encrypted_numeric}'::pg_catalog.text[], '{numeric}'::pg_catalog.text[]);
SELECT @extschema@.envcrypt_define_functions('{to_timestamp}'::pg_catalog.text[], '{encrypted_int8}'::pg_catalog.text[],
    '{int8}'::pg_catalog.text[]);
SELECT @extschema@.envcrypt_define_functions(names, arguments, conversions)
FROM (VALUES
    ('{pow,power}'::pg_catalog.text[], '{encrypted_int8,encrypted_int8}'::pg_catalog.text[],
        '{int8,int8}'::pg_catalog.text[]),
    ('{pow,power}', '{encrypted_int8,envcrypt_float8_operand}', '{int8,float8}'),
    ('{pow,power}', '{envcrypt_float8_operand,encrypted_int8}', '{float8,int8}'),
    ('{pow,power}', '{encrypted_int8,envcrypt_numeric_operand}', '{int8,numeric}'),
    ('{pow,power}', '{envcrypt_numeric_operand,encrypted_int8}', '{numeric,int8}'),
    ('{pow,power}', '{encrypted_numeric,encrypted_numeric}', '{numeric,numeric}'),
    ('{atan2,atan2d,random_normal}', '{encrypted_int8,float8}', '{int8,float8}'),
    ('{atan2,atan2d,random_normal}', '{float8,encrypted_int8}', '{float8,int8}'),
    ('{atan2,atan2d,random_normal}', '{encrypted_int8,encrypted_int8}', '{int8,int8}'),
    ('{atan2,atan2d,random_normal}', '{encrypted_numeric,float8}', '{numeric,float8}'),
    ('{atan2,atan2d,random_normal}', '{float8,encrypted_numeric}', '{float8,numeric}'),
    ('{atan2,atan2d,random_normal}', '{encrypted_numeric,encrypted_numeric}', '{numeric,numeric}'),
    ('{div,log}', '{envcrypt_int8_operand,numeric}', '{int8,numeric}'),
    ('{div,log}', '{numeric,envcrypt_int8_operand}', '{numeric,int8}'),
    ('{div,log}', '{envcrypt_int8_operand,envcrypt_int8_operand}', '{int8,int8}'),
    ('{gcd,lcm,mod,random}', '{envcrypt_int8_operand,envcrypt_numeric_operand}', '{int8,numeric}'),
    ('{gcd,lcm,mod,random}', '{envcrypt_numeric_operand,envcrypt_int8_operand}', '{numeric,int8}'),
    ('{round,trunc}', '{envcrypt_int8_operand,integer}', '{int8,integer}'),
    ('{scale,min_scale,trim_scale}', '{envcrypt_int8_operand}', '{int8}'))
    AS v (names, arguments, conversions);
SELECT @extschema@.envcrypt_define_functions(names, arguments, conversions)
FROM (VALUES
    ('{age}'::pg_catalog.text[], '{encrypted_date}'::pg_catalog.text[], '{date}'::pg_catalog.text[]),
    ('{age}', '{encrypted_date,encrypted_date}', '{date,date}'),
    ('{age}', '{encrypted_date,timestamptz}', '{date,timestamptz}'),
    ('{age}', '{timestamptz,encrypted_date}', '{timestamptz,date}'),
    ('{age}', '{encrypted_date,timestamp}', '{date,timestamp}'),
    ('{age}', '{timestamp,encrypted_date}', '{timestamp,date}'),
    ('{date_add,date_subtract}', '{encrypted_date,interval}', '{date,interval}'),
    ('{date_add,date_subtract}', '{encrypted_date,interval,text}', '{date,interval,text}'),
    ('{date_trunc}', '{text,encrypted_date}', '{text,date}'),
    ('{date_trunc}', '{text,encrypted_date,text}', '{text,date,text}'),
    ('{date_bin}', '{interval,encrypted_date,envcrypt_timestamptz_operand}', '{interval,date,timestamptz}'),
    ('{to_char}', '{encrypted_date,text}', '{date,text}'),
    ('{timezone}', '{encrypted_date}', '{date}'),
    ('{timezone}', '{text,encrypted_date}', '{text,date}'),
    ('{timezone}', '{interval,encrypted_date}', '{interval,date}'),
    ('{date_bin}', '{interval,encrypted_date,envcrypt_timestamp_operand}', '{interval,date,timestamp}'),
    ('{date_bin}', '{interval,envcrypt_timestamptz_operand,encrypted_date}', '{interval,timestamptz,date}'),
    ('{date_bin}', '{interval,envcrypt_timestamp_operand,encrypted_date}', '{interval,timestamp,date}'),
    ('{date_bin}', '{interval,encrypted_date,encrypted_date}', '{interval,date,date}'),
    ('{generate_series}', '{encrypted_date,envcrypt_timestamp_operand,interval}', '{date,timestamp,interval}'),
    ('{generate_series}', '{envcrypt_timestamp_operand,encrypted_date,interval}', '{timestamp,date,interval}'),
    ('{generate_series}', '{encrypted_date,encrypted_date,interval}', '{date,date,interval}'),
    ('{generate_series}', '{encrypted_date,envcrypt_timestamptz_operand,interval}', '{date,timestamptz,interval}'),
    ('{generate_series}', '{envcrypt_timestamptz_operand,encrypted_date,interval}', '{timestamptz,date,interval}'),
    ('{generate_series}', '{encrypted_date,envcrypt_timestamptz_operand,interval,text}', '{date,timestamptz,interval,text}'),
    ('{generate_series}', '{envcrypt_timestamptz_operand,encrypted_date,interval,text}', '{timestamptz,date,interval,text}'),
    ('{generate_series}', '{encrypted_date,encrypted_date,interval,text}', '{date,date,interval,text}'))
    AS v (names, arguments, conversions);
SELECT @extschema@.envcrypt_define_functions('{overlaps}'::pg_catalog.text[], arguments,
    pg_catalog.array_replace(arguments, 'encrypted_date', 'date'))
FROM pg_catalog.unnest('{encrypted_date,timestamptz}'::pg_catalog.text[]) AS a,
    pg_catalog.unnest('{encrypted_date,timestamptz,interval}'::pg_catalog.text[]) AS b,
    pg_catalog.unnest('{encrypted_date,timestamptz}'::pg_catalog.text[]) AS c,
    pg_catalog.unnest('{encrypted_date,timestamptz,interval}'::pg_catalog.text[]) AS d,
    LATERAL (SELECT ARRAY[a, b, c, d]) AS e (arguments)
WHERE 'encrypted_date' IN (a, b, c, d);
DROP FUNCTION @extschema@.envcrypt_define_functions(text[], text[], text[]);

-- Triggers: their functions, and the one place that reads them. A WHEN clause names the columns, so that renaming, dumping
-- and partitioning keep it right; the arguments are the context id, what a row without an owner is, the column's type, its
-- storage and its valid checks as they were before.

CREATE FUNCTION envcrypt_owner_trigger() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_owner_trigger() IS 'envcrypt: binds the values of a protected column to their row''s owner';

CREATE FUNCTION envcrypt_sync_trigger() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_sync_trigger() IS
    'envcrypt: keeps the encrypted twin of a plain column in step while envcrypt_protect_online() works';

CREATE FUNCTION envcrypt_managed_owner_trigger() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_managed_owner_trigger() IS
    'envcrypt: makes a data key with each user, and destroys it with the user where that was asked for';

CREATE FUNCTION envcrypt_expression_columns(expression pg_catalog.pg_node_tree, with_null_tests boolean) RETURNS smallint[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_expression_columns(pg_catalog.pg_node_tree, boolean) IS
    'envcrypt: the numbers of the columns that an expression names, 0 for the whole row; null tests may be left out';

CREATE FUNCTION envcrypt_trigger_arguments(arguments bytea) RETURNS text[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_trigger_arguments(bytea) IS 'envcrypt: pg_trigger.tgargs as an array';

SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

CREATE VIEW @extschema@.envcrypt_triggers AS
SELECT t.oid AS trigger, f.kind, t.tgrelid AS relid, t.tgname AS name, t.tgenabled AS enabled, t.tgparentid AS parent,
    c.numbers[1] AS column_number, CASE f.kind WHEN 'sync' THEN c.numbers[2] END AS twin_number,
    CASE f.kind WHEN 'owner' THEN c.numbers[2] WHEN 'sync' THEN c.numbers[3] END AS owner_number,
    CASE WHEN a.words[1] ~ '^[0-9]{1,5}$' THEN a.words[1]::integer END AS context_id,
    a.words[2] AS null_owner, a.words[3] AS original_type, a.words[4] AS original_storage, a.words[5:] AS valid_checks
FROM pg_trigger t
JOIN (VALUES ('@extschema@.envcrypt_owner_trigger()'::regprocedure, 'owner'),
             ('@extschema@.envcrypt_sync_trigger()', 'sync'),
             ('@extschema@.envcrypt_managed_owner_trigger()', 'users')) AS f (function, kind) ON t.tgfoid = f.function
CROSS JOIN LATERAL (SELECT @extschema@.envcrypt_expression_columns(t.tgqual, true)) AS c (numbers)
CROSS JOIN LATERAL (SELECT @extschema@.envcrypt_trigger_arguments(t.tgargs)) AS a (words);
COMMENT ON VIEW @extschema@.envcrypt_triggers IS
    'envcrypt: our triggers: of protected columns (owner), of columns being protected (sync), of tables of users (users)';
GRANT SELECT ON @extschema@.envcrypt_triggers TO PUBLIC;

CREATE VIEW @extschema@.envcrypt_owner_triggers AS
SELECT * FROM @extschema@.envcrypt_triggers WHERE kind = 'owner';
COMMENT ON VIEW @extschema@.envcrypt_owner_triggers IS 'envcrypt: the triggers of protected columns';
GRANT SELECT ON @extschema@.envcrypt_owner_triggers TO PUBLIC;

SELECT pg_catalog.set_config('search_path', '@extschema@, pg_temp', true);

-- Protecting and unprotecting. All of this runs as the caller, who owns the table. Nothing is found by the caller's
-- search path, and no text from a catalog gets into a statement but PostgreSQL's own renderings.

CREATE FUNCTION envcrypt_require_right("right" text) RETURNS void
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_require_right(text) IS 'envcrypt: insufficient_privilege without the right to seal or open';

CREATE FUNCTION envcrypt_base_type(sealed regtype) RETURNS regtype
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.prorettype::regtype
    FROM pg_type t
    JOIN pg_proc i ON i.oid = t.typinput AND i.prosrc = 'envcrypt_type_in'
    JOIN pg_language l ON l.oid = i.prolang AND l.lanname = 'c'
    JOIN pg_proc o ON o.prolang = l.oid AND o.prosrc = 'envcrypt_open' AND o.proname = 'envcrypt_open' AND o.pronargs = 1
        AND o.proargtypes[0] = t.oid
    WHERE t.oid = sealed
$$;
COMMENT ON FUNCTION envcrypt_base_type(regtype) IS 'envcrypt: what an encrypted type seals; null for any other type';

CREATE FUNCTION envcrypt_twin(base oid) RETURNS regtype
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.proargtypes[0]::regtype
    FROM pg_proc o
    JOIN pg_language l ON l.oid = o.prolang AND l.lanname = 'c'
    WHERE o.prosrc = 'envcrypt_open' AND o.proname = 'envcrypt_open' AND o.pronargs = 1
        AND o.prorettype = CASE base WHEN 'varchar'::regtype::oid THEN 'text'::regtype::oid ELSE base END
        AND @extschema@.envcrypt_base_type(o.proargtypes[0]::regtype) = o.prorettype
    LIMIT 1
$$;
COMMENT ON FUNCTION envcrypt_twin(oid) IS 'envcrypt: the encrypted type that seals a type; null if none does';

CREATE FUNCTION envcrypt_ultimate_type(type oid) RETURNS regtype
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE under (oid, below) AS (
        SELECT oid, typbasetype FROM pg_type WHERE oid = type
        UNION ALL SELECT t.oid, t.typbasetype FROM under u JOIN pg_type t ON t.oid = u.below
    )
    SELECT oid::regtype FROM under WHERE below = 0
$$;
COMMENT ON FUNCTION envcrypt_ultimate_type(oid) IS 'envcrypt: what a domain is over; any other type itself';

-- One name for all values that SQL takes for equal (src/pg/owner_type.h). A function for each type, of which all calls are
-- exact matches.
CREATE FUNCTION envcrypt_owner_name(value text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value varchar) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value bpchar) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value name) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value smallint) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value integer) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value bigint) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value oid) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value numeric) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
CREATE FUNCTION envcrypt_owner_name(value uuid) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_owner_name(text) IS 'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(varchar) IS 'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(bpchar) IS 'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(name) IS 'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(smallint) IS 'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(integer) IS 'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(bigint) IS 'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(oid) IS 'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(numeric) IS 'envcrypt: the name of the owner that a value of an owner column means';
COMMENT ON FUNCTION envcrypt_owner_name(uuid) IS 'envcrypt: the name of the owner that a value of an owner column means';

CREATE FUNCTION envcrypt_folded_owner_name(value text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_folded_owner_name(text) IS 'envcrypt: the same for a value of type citext';

CREATE FUNCTION envcrypt_owner_text("table" oid, number smallint, expression text) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_owner_text(oid, smallint, text) IS
    'envcrypt: an SQL expression of the name of a column''s owner, or an error for a column that can name none';

CREATE FUNCTION envcrypt_tree("table" regclass, OUT relid regclass, OUT level integer) RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE tree (relid, level) AS (
        SELECT "table"::oid, 0
        UNION SELECT i.inhrelid, t.level + 1 FROM tree t JOIN pg_inherits i ON i.inhparent = t.relid
    )
    SELECT t.relid::regclass, max(t.level) FROM tree t GROUP BY t.relid
$$;
COMMENT ON FUNCTION envcrypt_tree(regclass) IS 'envcrypt: a table, its partitions and those that inherit from it';

SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

CREATE VIEW @extschema@.envcrypt_columns AS
WITH RECURSIVE sealed (type) AS (
    SELECT t.oid FROM pg_type t
    JOIN pg_proc i ON i.oid = t.typinput AND i.prosrc = 'envcrypt_type_in'
    JOIN pg_language l ON l.oid = i.prolang AND l.lanname = 'c'
    UNION ALL SELECT d.oid FROM sealed s JOIN pg_type d ON d.typbasetype = s.type
)
SELECT c.oid::regclass AS "table", a.attname AS "column", format_type(a.atttypid, a.atttypmod) AS type,
    o.attname AS owner_column,
    CASE WHEN p.trigger IS NULL THEN 'unprotected' WHEN p.enabled IN ('D', 'R') THEN 'disabled'
        WHEN p.owner_number IS NULL THEN 'database key' ELSE 'owner' END AS protection,
    p.context_id, p.null_owner, p.original_type,
    CASE WHEN c.reltuples >= 0 THEN (c.reltuples * (1 - st.null_frac))::bigint END AS rows,
    CASE WHEN c.reltuples >= 0 THEN (c.reltuples * (1 - st.null_frac) * st.avg_width)::bigint END AS bytes
FROM sealed s
JOIN pg_attribute a ON a.atttypid = s.type AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm', 'f')
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT * FROM @extschema@.envcrypt_owner_triggers t WHERE t.relid = c.oid AND t.column_number = a.attnum
    ORDER BY t.name DESC LIMIT 1
) AS p ON true
LEFT JOIN pg_attribute o ON o.attrelid = c.oid AND o.attnum = p.owner_number
LEFT JOIN pg_stats st ON st.schemaname = n.nspname AND st.tablename = c.relname AND st.attname = a.attname
    AND st.inherited = (c.relkind = 'p');
COMMENT ON VIEW @extschema@.envcrypt_columns IS
    'every encrypted column of this database, how it is protected, and estimates of its values and their bytes';
GRANT SELECT ON @extschema@.envcrypt_columns TO PUBLIC;

SELECT pg_catalog.set_config('search_path', '@extschema@, pg_temp', true);

-- What is to be locked is known by its OID; after this, its name, and its schema's, stay what they are until the
-- transaction ends, so that statements may name it.
CREATE FUNCTION envcrypt_lock_relation("table" oid, mode text, with_children boolean) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_lock_relation(oid, text, boolean) IS
    'envcrypt: locks a table that its caller owns, or may read, and keeps its name from changing';

CREATE FUNCTION envcrypt_query_table("table" oid, query text) RETURNS SETOF record
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_query_table(oid, text) IS
    'envcrypt: runs a SELECT, unless a name in it means another relation than the table';

CREATE FUNCTION envcrypt_lock_table("table" regclass) RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    named text;
    class pg_class;
BEGIN
    IF "table" IS NULL THEN
        RAISE 'table must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    FOR pass IN 1 .. 2 LOOP
        named := "table"::text;
        SELECT * INTO class FROM pg_class WHERE oid = "table";
        IF NOT FOUND THEN
            RAISE 'table with OID % does not exist', "table"::oid USING ERRCODE = 'undefined_table';
        ELSIF class.relkind NOT IN ('r', 'p') THEN
            RAISE '% is not a table', named USING ERRCODE = 'wrong_object_type',
                DETAIL = 'Only columns of ordinary and partitioned tables can be protected.';
        ELSIF class.oid < 16384 THEN
            RAISE 'permission denied: % is a system catalog', named USING ERRCODE = 'insufficient_privilege';
        ELSIF pg_is_other_temp_schema(class.relnamespace) THEN
            RAISE 'cannot protect temporary tables of other sessions' USING ERRCODE = 'feature_not_supported';
        ELSIF class.reloftype <> 0 THEN
            RAISE 'cannot change columns of typed table %', named USING ERRCODE = 'wrong_object_type',
                HINT = format('Make it an ordinary table: ALTER TABLE %s NOT OF;', named);
        ELSIF EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'envcrypt'
                WHERE d.classid = 'pg_class'::regclass AND d.objid = class.oid AND d.refclassid = 'pg_extension'::regclass
                AND d.deptype = 'e') THEN
            RAISE 'cannot protect tables of envcrypt itself' USING ERRCODE = 'feature_not_supported';
        ELSIF NOT pg_has_role(class.relowner, 'USAGE') THEN
            RAISE 'must be owner of table %', named USING ERRCODE = 'insufficient_privilege';
        END IF;
        EXIT WHEN pass = 2;
        PERFORM @extschema@.envcrypt_lock_relation("table"::oid, 'AccessExclusiveLock'::text, true);
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_lock_table(regclass) IS 'envcrypt: locks a table that its caller may protect, or says why not';

CREATE FUNCTION envcrypt_find_column("table" regclass, "column" name) RETURNS pg_attribute
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    attribute pg_attribute;
BEGIN
    IF "column" IS NULL THEN
        RAISE 'column must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    SELECT * INTO attribute FROM pg_attribute WHERE attrelid = "table" AND attname = "column" AND NOT attisdropped;
    IF NOT FOUND THEN
        -- An untyped literal is taken for one name.
        IF starts_with("column"::text, '{') THEN
            RAISE 'column "%" of table % does not exist', "column", "table" USING ERRCODE = 'undefined_column',
                HINT = 'Several columns are written ARRAY[''a'', ''b''] or columns => ''{a,b}''; '
                    'envcrypt_protect_online() takes one at a time.';
        END IF;
        RAISE 'column "%" of table % does not exist', "column", "table" USING ERRCODE = 'undefined_column';
    ELSIF attribute.attnum < 0 THEN
        RAISE 'cannot use system column "%"', "column" USING ERRCODE = 'feature_not_supported';
    END IF;
    RETURN attribute;
END $$;
COMMENT ON FUNCTION envcrypt_find_column(regclass, name) IS 'envcrypt: a column''s row of pg_attribute';

CREATE FUNCTION envcrypt_refuse_inherited("column" pg_attribute) RETURNS void
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parents text;
BEGIN
    IF "column".attinhcount = 0 THEN
        RETURN;
    END IF;
    SELECT string_agg(coalesce(pg_partition_root(inhparent), inhparent::regclass)::text, ', ') INTO parents
    FROM pg_inherits WHERE inhrelid = "column".attrelid;
    RAISE 'column "%" of table % is inherited', "column".attname, "column".attrelid::regclass
        USING ERRCODE = 'invalid_table_definition', HINT = format('Name the parent table instead: %s.', parents);
END $$;
COMMENT ON FUNCTION envcrypt_refuse_inherited(pg_attribute) IS 'envcrypt: a column is protected where it is defined';

CREATE FUNCTION envcrypt_find_owner_column("table" regclass, columns name[], owner_column name) RETURNS pg_attribute
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner pg_attribute := @extschema@.envcrypt_find_column("table", owner_column);
BEGIN
    IF owner_column = ANY (columns) THEN
        RAISE 'column "%" cannot be its own owner column', owner_column USING ERRCODE = 'invalid_parameter_value',
            HINT = 'The owner column is what is written in clear: a user''s id, a customer number.';
    ELSIF @extschema@.envcrypt_base_type(@extschema@.envcrypt_ultimate_type(owner.atttypid)) IS NOT NULL THEN
        RAISE 'owner column "%" is encrypted itself', owner_column USING ERRCODE = 'invalid_parameter_value',
            HINT = 'The owner column is what is written in clear: a user''s id, a customer number.';
    ELSIF owner.attgenerated <> '' THEN
        RAISE 'owner column "%" is generated', owner_column USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'It is computed after the triggers have run that would need it.';
    END IF;
    PERFORM @extschema@.envcrypt_owner_text("table"::oid, owner.attnum, ''::text);
    RETURN owner;
END $$;
COMMENT ON FUNCTION envcrypt_find_owner_column(regclass, name[], name) IS
    'envcrypt: a column that may name owners, or an error that says why not';

CREATE FUNCTION envcrypt_needs_protection("table" regclass, "column" name, owner_column name, null_owner text)
RETURNS boolean LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    attribute pg_attribute := @extschema@.envcrypt_find_column("table", "column");
    present record;
    type text := format_type(attribute.atttypid, NULL);
BEGIN
    PERFORM @extschema@.envcrypt_refuse_inherited(attribute);
    SELECT t.*, o.attname AS owner_name INTO present
    FROM @extschema@.envcrypt_owner_triggers t
    LEFT JOIN pg_attribute o ON o.attrelid = t.relid AND o.attnum = t.owner_number
    WHERE t.relid = "table" AND t.column_number = attribute.attnum;
    IF NOT FOUND THEN
        IF @extschema@.envcrypt_base_type(@extschema@.envcrypt_ultimate_type(attribute.atttypid)) IS NULL
            AND @extschema@.envcrypt_twin(attribute.atttypid) IS NULL THEN
            RAISE 'column "%" of table % is of type %, which has no encrypted type', "column", "table", type
                USING ERRCODE = 'datatype_mismatch',
                HINT = format('A superuser can make one: SELECT %s(%L);',
                    '@extschema@.envcrypt_create_type', type);
        END IF;
        RETURN true;
    ELSIF present.owner_name IS DISTINCT FROM owner_column
        OR owner_column IS NOT NULL AND present.null_owner IS DISTINCT FROM null_owner THEN
        RAISE 'column "%" of table % is protected otherwise', "column", "table"
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = CASE WHEN present.owner_name IS NULL THEN 'Its values are under the database key.'
                ELSE format('Its owner column is "%s", with null_owner => %L.', present.owner_name, present.null_owner) END,
            HINT = 'Call envcrypt_unprotect() first.';
    ELSIF present.enabled IN ('D', 'R') THEN
        RAISE 'column "%" of table % is protected, but its trigger "%" is disabled', "column", "table", present.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format(
                'ALTER TABLE %s ENABLE ALWAYS TRIGGER %I; what was written meanwhile is not bound to its owner.',
                "table", present.name);
    END IF;
    RAISE NOTICE 'column "%" of table % is protected already, skipping', "column", "table";
    RETURN false;
END $$;
COMMENT ON FUNCTION envcrypt_needs_protection(regclass, name, name, text) IS
    'envcrypt: false, with a notice, for a column that is protected so already; an error for one that cannot be';

CREATE FUNCTION envcrypt_obstacles("table" regclass, columns name[]) RETURNS SETOF text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH tree AS MATERIALIZED (
        SELECT c.* FROM @extschema@.envcrypt_tree("table") t JOIN pg_class c ON c.oid = t.relid
    ), col AS MATERIALIZED (
        SELECT a.* FROM pg_attribute a JOIN tree t ON t.oid = a.attrelid
        WHERE a.attname = ANY (columns) AND a.attnum > 0 AND NOT a.attisdropped
    ), dependent AS MATERIALIZED (
        SELECT DISTINCT d.classid, d.objid, col.attrelid, col.attname
        FROM pg_depend d JOIN col ON d.refclassid = 'pg_class'::regclass AND d.refobjid = col.attrelid
            AND d.refobjsubid = col.attnum
    )
    SELECT format('table %s: you must own it, too, or take it out with NO INHERIT or DETACH PARTITION', oid::regclass)
    FROM tree WHERE NOT pg_has_role(relowner, 'USAGE')
    UNION ALL
    SELECT format('foreign table %s: take it out with NO INHERIT or DETACH PARTITION', oid::regclass)
    FROM tree WHERE relkind = 'f'
    UNION ALL
    SELECT format('column "%s" of table %s: it is inherited from another table, too; end that with NO INHERIT', attname,
        attrelid::regclass)
    FROM col
    WHERE attinhcount > (SELECT count(*) FROM pg_inherits i WHERE i.inhrelid = attrelid
        AND EXISTS (SELECT FROM col p WHERE p.attrelid = i.inhparent AND p.attname = col.attname))
    UNION ALL
    SELECT CASE WHEN attgenerated <> '' THEN format('generated column "%s": make it an ordinary one with DROP EXPRESSION',
        attname) ELSE format('identity column "%s": make it an ordinary one with DROP IDENTITY', attname) END
    FROM col WHERE (attgenerated <> '' OR attidentity <> '') AND attrelid = "table"
    UNION ALL
    SELECT format('generated column "%s" of table %s: drop it; it would have to open values', a.attname,
        a.attrelid::regclass)
    FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum AND a.attgenerated <> ''
    WHERE a.attrelid = "table" AND EXISTS (SELECT FROM col WHERE col.attrelid = a.attrelid
        AND col.attnum = ANY (@extschema@.envcrypt_expression_columns(d.adbin, true)))
    UNION ALL
    SELECT DISTINCT CASE WHEN k.oid IS NULL THEN format('index %s', x.indexrelid::regclass)
        ELSE format('constraint "%s" of table %s', k.conname, k.conrelid::regclass) END
        || ': drop it; equal values are stored as different bytes'
    FROM pg_index x JOIN col ON col.attrelid = x.indrelid
    LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x')
    WHERE NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = x.indexrelid)
        AND (col.attnum = ANY ((x.indkey::int2[])[0:x.indnkeyatts - 1])
            OR ARRAY[0, col.attnum]::int2[] && (@extschema@.envcrypt_expression_columns(x.indexprs, false)
                || @extschema@.envcrypt_expression_columns(x.indpred, false)))
    UNION ALL
    SELECT DISTINCT format('foreign key "%s" of table %s: drop it; it would compare sealed values', k.conname,
        k.conrelid::regclass)
    FROM pg_constraint k JOIN col ON k.conrelid = col.attrelid AND col.attnum = ANY (k.conkey)
        OR k.confrelid = col.attrelid AND col.attnum = ANY (k.confkey)
    WHERE k.contype = 'f' AND k.conparentid = 0
    UNION ALL
    SELECT DISTINCT CASE WHEN w.ev_class IN (SELECT oid FROM tree)
        THEN format('rule "%s" of table %s: drop it and create it again afterwards', w.rulename, w.ev_class::regclass)
        ELSE format('%s %s: drop it and create it again afterwards',
            CASE v.relkind WHEN 'm' THEN 'materialized view' ELSE 'view' END, w.ev_class::regclass) END
    FROM dependent d JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
    JOIN pg_class v ON v.oid = w.ev_class
    UNION ALL
    SELECT DISTINCT format('function %s: drop it and create it again afterwards', d.objid::regprocedure)
    FROM dependent d WHERE d.classid = 'pg_proc'::regclass
    UNION ALL
    SELECT DISTINCT format('statistics %I.%I: drop them; they would hold values in clear', n.nspname, s.stxname)
    FROM pg_statistic_ext s JOIN col ON col.attrelid = s.stxrelid JOIN pg_namespace n ON n.oid = s.stxnamespace
    WHERE ARRAY[0, col.attnum]::int2[] && @extschema@.envcrypt_expression_columns(s.stxexprs, false)
    UNION ALL
    SELECT DISTINCT format('partition key of table %s: partition by another column; sealed bytes differ each time',
        col.attrelid::regclass)
    FROM pg_partitioned_table p JOIN col ON col.attrelid = p.partrelid
    WHERE col.attnum = ANY (p.partattrs::int2[])
        OR ARRAY[0, col.attnum]::int2[] && @extschema@.envcrypt_expression_columns(p.partexprs, true)
    UNION ALL
    SELECT DISTINCT format('publication "%s", in its row filter or column list of table %s: take the column out of it',
        b.pubname, r.prrelid::regclass)
    FROM pg_publication_rel r JOIN col ON col.attrelid = r.prrelid JOIN pg_publication b ON b.oid = r.prpubid
    WHERE col.attnum = ANY (r.prattrs::int2[])
        OR col.attnum = ANY (@extschema@.envcrypt_expression_columns(r.prqual, true))
    UNION ALL
    SELECT format('column "%s" of table %s: it is of the table''s row type', a.attname, a.attrelid::regclass)
    FROM tree t JOIN pg_type y ON y.oid = t.reltype JOIN pg_attribute a ON a.atttypid IN (y.oid, y.typarray)
    JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm', 'f') WHERE NOT a.attisdropped
    UNION ALL
    SELECT DISTINCT format('policy "%s" of table %s: its owner must drop it, and create it again afterwards', p.polname,
        p.polrelid::regclass)
    FROM dependent d JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
    JOIN pg_class c ON c.oid = p.polrelid WHERE NOT pg_has_role(c.relowner, 'USAGE')
    UNION ALL
    SELECT DISTINCT format('protected column "%s" of table %s: "%s" is its owner column; unprotect it', a.attname,
        t.relid::regclass, col.attname)
    FROM @extschema@.envcrypt_owner_triggers t JOIN col ON col.attrelid = t.relid AND col.attnum = t.owner_number
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attnum = t.column_number
    WHERE t.relid = "table"
    UNION ALL
    SELECT format('trigger "%s" of table %s: rename it; by its name, it would fire after envcrypt''s', g.tgname,
        g.tgrelid::regclass)
    FROM pg_trigger g JOIN tree t ON t.oid = g.tgrelid
    WHERE g.tgtype & 3 = 3 AND g.tgtype & 20 <> 0 AND g.tgname COLLATE "C" > '~envcrypt_' AND g.tgparentid = 0
        AND NOT g.tgisinternal AND g.tgfoid NOT IN ('@extschema@.envcrypt_owner_trigger()'::regprocedure,
            '@extschema@.envcrypt_sync_trigger()'::regprocedure)
$$;
COMMENT ON FUNCTION envcrypt_obstacles(regclass, name[]) IS 'envcrypt: what must go before columns can be changed, and how';

CREATE FUNCTION envcrypt_refuse_obstacles("table" regclass, columns name[]) RETURNS void
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    obstacles text;
    checks text;
BEGIN
    SELECT string_agg(o, E'\n' ORDER BY o COLLATE "C") INTO obstacles
    FROM @extschema@.envcrypt_obstacles("table", columns) o;
    IF obstacles IS NOT NULL THEN
        RAISE 'cannot change % of table % because of what depends on %',
            (SELECT string_agg(format('column "%s"', c), ', ') FROM unnest(columns) c), "table",
            CASE cardinality(columns) WHEN 1 THEN 'it' ELSE 'them' END
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = obstacles,
            HINT = 'Do what is said of each and try again. Nothing has been changed.';
    END IF;
    SELECT string_agg(DISTINCT format('"%s"', name), ', ') INTO checks FROM @extschema@.envcrypt_checks("table", columns);
    IF checks IS NULL THEN
        RETURN;
    END IF;
    BEGIN
        PERFORM @extschema@.envcrypt_require_right('open');
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE 'permission denied to open encrypted values, which check constraints need'
            USING ERRCODE = 'insufficient_privilege', DETAIL = format('Check constraints of table %s: %s.', "table", checks),
            HINT = 'Grant envcrypt_decrypt to this role and to all that write these columns, or drop the constraints.';
    END;
END $$;
COMMENT ON FUNCTION envcrypt_refuse_obstacles(regclass, name[]) IS 'envcrypt: one error for all that stands in the way';

CREATE FUNCTION envcrypt_without_opening(expression text, "column" name, base regtype) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    -- PostgreSQL shows the implicit cast of an operator's argument, as in (new.salary)::numeric > 0. String constants
    -- are kept as they are.
    SELECT string_agg(CASE WHEN part[1] LIKE '''%' THEN part[1] ELSE regexp_replace(part[1],
        '\(((?:[[:alpha:]_][[:alnum:]_$]*\.|"[^"]*"\.)*'
            || regexp_replace(quote_ident("column"), '([^[:alnum:]_" ])', '\\\1', 'g')
            || ')\)::' || regexp_replace(format_type(base, NULL), '([^[:alnum:]_" ])', '\\\1', 'g')
            || '(?![[:alnum:]_$(."[])',
        '\1', 'g') END, '' ORDER BY n)
    FROM regexp_matches(expression, '''(?:[^'']|'''')*''|[^'']+', 'g') WITH ORDINALITY AS p (part, n)
$$;
COMMENT ON FUNCTION envcrypt_without_opening(text, name, regtype) IS
    'envcrypt: an expression''s text without the casts that open a column';

CREATE FUNCTION envcrypt_without_openings(expression text, columns name[], bases regtype[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    FOR i IN 1 .. cardinality(bases) LOOP
        expression := @extschema@.envcrypt_without_opening(expression, columns[i], bases[i]);
    END LOOP;
    RETURN expression;
END $$;
COMMENT ON FUNCTION envcrypt_without_openings(text, name[], regtype[]) IS 'envcrypt: the same for several columns';

-- Finds the check constraints that read columns, not only ask whether they are null. Those that were valid until another
-- column of theirs was protected count as valid.
CREATE FUNCTION envcrypt_checks("table" regclass, columns name[], OUT oid oid, OUT name name, OUT valid boolean)
RETURNS SETOF record LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT DISTINCT k.oid, k.conname, k.convalidated OR EXISTS (SELECT FROM @extschema@.envcrypt_owner_triggers g
        WHERE g.relid = "table" AND k.conname = ANY (g.valid_checks))
    FROM @extschema@.envcrypt_tree("table") t
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns)
    JOIN pg_constraint k ON k.conrelid = t.relid AND k.contype = 'c'
        AND ARRAY[0, a.attnum]::int2[] && @extschema@.envcrypt_expression_columns(k.conbin, false)
$$;
COMMENT ON FUNCTION envcrypt_checks(regclass, name[]) IS 'envcrypt: check constraints that read columns';

-- What names columns and has to be made again when they change their type, or when others take their place: the statements
-- that take it down, and those that put it back, in order. The tables are locked. `opened` and `bases`: columns that are
-- opened, and as what.

-- `valid`: of the check constraints, those that were validated before the columns were protected; null to protect them.
CREATE FUNCTION envcrypt_checks_again("table" regclass, columns name[], opened name[], bases regtype[], valid text[],
    OUT drops text[], OUT puts text[])
LANGUAGE plpgsql STABLE CALLED ON NULL INPUT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp SET envcrypt.io = plaintext AS $$
DECLARE
    item record;
BEGIN
    drops := '{}';
    puts := '{}';
    -- Check constraints. While they read sealed values they are NOT VALID: all rows have been checked, but pg_dump writes
    -- such a constraint after the data, so that loading a dump opens nothing. And where a column gets its type modifier
    -- back, a cast that the sealed column needed would stay.
    FOR item IN
        SELECT k.oid, k.conname, k.conislocal, t.relid::regclass AS rel, pg_get_constraintdef(k.oid) AS old,
            @extschema@.envcrypt_without_openings(pg_get_constraintdef(k.oid), opened, bases) AS new,
            obj_description(k.oid, 'pg_constraint') AS comment,
            EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.relid AND a.attnum = ANY (k.conkey)
                AND a.attname <> ALL (columns) AND @extschema@.envcrypt_base_type(a.atttypid::regtype) IS NOT NULL) AS stays_sealed
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_constraint k ON k.conrelid = t.relid AND k.contype = 'c'
        WHERE EXISTS (SELECT FROM @extschema@.envcrypt_checks("table", columns) c WHERE c.oid = k.oid)
        ORDER BY t.level, k.conname COLLATE "C"
    LOOP
        IF valid IS NULL AND item.new NOT LIKE '% NOT VALID' THEN
            item.new := item.new || ' NOT VALID';
        ELSIF item.conname = ANY (valid) AND item.stays_sealed THEN
            RAISE NOTICE 'check constraint "%" of table % stays NOT VALID', item.conname, item.rel
                USING DETAIL = 'It also reads a column that stays encrypted.';
        ELSIF item.conname = ANY (valid) THEN
            item.new := regexp_replace(item.new, ' NOT VALID$', '');
        END IF;
        CONTINUE WHEN item.old = item.new;
        IF item.conislocal THEN
            drops := drops || format('ALTER TABLE %s DROP CONSTRAINT %I', item.rel, item.conname);
            puts := puts || format('ALTER TABLE %s ADD CONSTRAINT %I %s', item.rel, item.conname, item.new);
        END IF;
        IF item.comment IS NOT NULL THEN
            puts := puts || format('COMMENT ON CONSTRAINT %I ON %s IS %L', item.conname, item.rel, item.comment);
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_checks_again(regclass, name[], name[], regtype[], text[]) IS
    'envcrypt: statements that drop the check constraints that read columns, and make them again';

-- `dropped`: the columns are dropped, and others take their place.
CREATE FUNCTION envcrypt_dependents_again("table" regclass, columns name[], opened name[], bases regtype[], dropped boolean,
    OUT drops text[], OUT puts text[])
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET envcrypt.io = plaintext AS $$
DECLARE
    item record;
    part record;
BEGIN
    drops := '{}';
    puts := '{}';
    -- Policies, also other tables', and triggers that mention a column: PostgreSQL would refuse.
    FOR item IN
        SELECT DISTINCT p.polrelid
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns)
        JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.refclassid = 'pg_class'::regclass
            AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
        JOIN pg_policy p ON p.oid = d.objid
        WHERE p.polrelid NOT IN (SELECT relid FROM @extschema@.envcrypt_tree("table"))
        ORDER BY p.polrelid
    LOOP
        PERFORM @extschema@.envcrypt_lock_relation(item.polrelid, 'AccessExclusiveLock'::text, false);
    END LOOP;
    FOR item IN
        SELECT p.polname, p.polrelid::regclass AS rel,
            CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END AS kind,
            CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                ELSE 'ALL' END AS command,
            (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ')
                FROM unnest(p.polroles) r) AS roles,
            @extschema@.envcrypt_without_openings(pg_get_expr(p.polqual, p.polrelid), opened, bases) AS qual,
            @extschema@.envcrypt_without_openings(pg_get_expr(p.polwithcheck, p.polrelid), opened, bases) AS with_check,
            obj_description(p.oid, 'pg_policy') AS comment
        FROM pg_policy p
        WHERE p.oid IN (SELECT d.objid FROM @extschema@.envcrypt_tree("table") t
            JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns)
            JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.refclassid = 'pg_class'::regclass
                AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum)
        ORDER BY p.oid
    LOOP
        drops := drops || format('DROP POLICY %I ON %s', item.polname, item.rel);
        puts := puts || (format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', item.polname, item.rel, item.kind, item.command,
            item.roles) || coalesce(' USING (' || item.qual || ')', '')
            || coalesce(' WITH CHECK (' || item.with_check || ')', ''));
        IF item.comment IS NOT NULL THEN
            puts := puts || format('COMMENT ON POLICY %I ON %s IS %L', item.polname, item.rel, item.comment);
        END IF;
    END LOOP;
    FOR item IN
        SELECT g.oid, g.tgname, g.tgrelid::regclass AS rel,
            @extschema@.envcrypt_without_openings(pg_get_triggerdef(g.oid), opened, bases) AS definition
        FROM pg_trigger g
        WHERE g.tgparentid = 0 AND NOT g.tgisinternal
            AND g.tgfoid NOT IN ('@extschema@.envcrypt_owner_trigger()'::regprocedure,
                '@extschema@.envcrypt_sync_trigger()'::regprocedure)
            AND g.oid IN (SELECT d.objid FROM @extschema@.envcrypt_tree("table") t
            JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns)
            JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.refclassid = 'pg_class'::regclass
                AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum)
        ORDER BY g.oid
    LOOP
        drops := drops || format('DROP TRIGGER %I ON %s', item.tgname, item.rel);
        puts := puts || item.definition;
        -- Itself first, then its copies in partitions.
        FOR part IN
            WITH RECURSIVE same (oid, level) AS (
                SELECT item.oid, 0
                UNION ALL SELECT c.oid, s.level + 1 FROM same s JOIN pg_trigger c ON c.tgparentid = s.oid
            )
            SELECT g.oid, g.tgname, g.tgrelid::regclass AS rel, obj_description(g.oid, 'pg_trigger') AS comment,
                CASE g.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS'
                    ELSE 'ENABLE' END AS state
            FROM same s JOIN pg_trigger g ON g.oid = s.oid ORDER BY s.level, g.oid
        LOOP
            puts := puts || format('ALTER TABLE %s %s TRIGGER %I', part.rel, part.state, part.tgname);
            IF part.comment IS NOT NULL THEN
                puts := puts || format('COMMENT ON TRIGGER %I ON %s IS %L', part.tgname, part.rel, part.comment);
            END IF;
            puts := puts || ARRAY(
                SELECT format('ALTER TRIGGER %I ON %s DEPENDS ON EXTENSION %I', part.tgname, part.rel, e.extname)
                FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
                WHERE d.classid = 'pg_trigger'::regclass AND d.objid = part.oid AND d.deptype = 'x' ORDER BY e.extname);
        END LOOP;
    END LOOP;

    -- Extended statistics go with a column that is dropped; where it changes its type, PostgreSQL rebuilds them, but for
    -- target and owner.
    FOR item IN
        SELECT DISTINCT s.oid, s.stxname, n.nspname, s.stxstattarget AS target, s.stxowner AS owner,
            pg_get_statisticsobjdef(s.oid) AS definition, obj_description(s.oid, 'pg_statistic_ext') AS comment
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns)
        JOIN pg_statistic_ext s ON s.stxrelid = t.relid AND a.attnum = ANY (s.stxkeys::int2[])
        JOIN pg_namespace n ON n.oid = s.stxnamespace ORDER BY s.oid
    LOOP
        IF dropped THEN
            puts := puts || item.definition;
            IF item.comment IS NOT NULL THEN
                puts := puts || format('COMMENT ON STATISTICS %I.%I IS %L', item.nspname, item.stxname, item.comment);
            END IF;
        END IF;
        IF item.target >= 0 THEN
            puts := puts || format('ALTER STATISTICS %I.%I SET STATISTICS %s', item.nspname, item.stxname, item.target);
        END IF;
        IF pg_get_userbyid(item.owner) <> current_user THEN
            puts := puts || format('ALTER STATISTICS %I.%I OWNER TO %I', item.nspname, item.stxname,
                pg_get_userbyid(item.owner));
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_dependents_again(regclass, name[], name[], regtype[], boolean) IS
    'envcrypt: statements that drop policies, triggers and statistics that name columns, and make them again';

CREATE FUNCTION envcrypt_take_down("table" regclass, columns name[], opened name[], bases regtype[], valid text[])
RETURNS text[] LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET envcrypt.io = plaintext AS $$
DECLARE
    item record;
    drops text[] := '{}';
    puts text[] := '{}';  -- what is to be run afterwards, in this order
    checks record;
    dependents record;
BEGIN
    -- Defaults, which children may have of their own. What was written as a literal has been sealed.
    FOR item IN
        SELECT a.attrelid::regclass AS rel, a.attname, pg_get_expr(d.adbin, d.adrelid) AS expression,
            @extschema@.envcrypt_base_type(a.atttypid::regtype) AS base, '::' || format_type(a.atttypid, NULL) AS suffix
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns) AND a.attgenerated = ''
        JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        ORDER BY t.level, t.relid, a.attnum
    LOOP
        IF item.base IS NOT NULL AND right(item.expression, length(item.suffix)) = item.suffix THEN
            item.expression := left(item.expression, -length(item.suffix)) || '::' || format_type(item.base, NULL);
        END IF;
        drops := drops || format('ALTER TABLE ONLY %s ALTER COLUMN %I DROP DEFAULT', item.rel, item.attname);
        puts := puts || format('ALTER TABLE ONLY %s ALTER COLUMN %I SET DEFAULT %s', item.rel, item.attname,
            item.expression);
    END LOOP;

    checks := @extschema@.envcrypt_checks_again("table", columns, opened, bases, valid);
    dependents := @extschema@.envcrypt_dependents_again("table", columns, opened, bases, false);
    PERFORM @extschema@.envcrypt_run(drops || checks.drops || dependents.drops);
    RETURN puts || checks.puts || dependents.puts;
END $$;
COMMENT ON FUNCTION envcrypt_take_down(regclass, name[], name[], regtype[], text[]) IS
    'envcrypt: drops what would keep columns from changing their type, and returns the statements that put it back';

CREATE FUNCTION envcrypt_run(statements text[]) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET envcrypt.io = plaintext AS $$
DECLARE
    statement text;
BEGIN
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_run(text[]) IS 'envcrypt: runs statements in order';

CREATE FUNCTION envcrypt_alter_columns("table" regclass, clauses text[]) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    what text;
    detail text;
BEGIN
    EXECUTE format('ALTER TABLE %s %s', "table", array_to_string(clauses, ', '));
EXCEPTION WHEN undefined_function OR ambiguous_function OR cannot_coerce THEN
    GET STACKED DIAGNOSTICS what = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RAISE '%', what USING ERRCODE = SQLSTATE, DETAIL = detail,
        HINT = format('A check constraint of table %s does not work with the new type: drop it first.', "table");
END $$;
COMMENT ON FUNCTION envcrypt_alter_columns(regclass, text[]) IS 'envcrypt: one ALTER TABLE, so one rewrite';

-- Of a plain column, as envcrypt_make_trigger() keeps it for envcrypt_unprotect(); '' where it is its type's own.
CREATE FUNCTION envcrypt_original_storage("column" pg_attribute) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT concat_ws(' ',
        CASE WHEN t.typstorage <> "column".attstorage THEN 'STORAGE ' || CASE "column".attstorage
            WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'MAIN' END END,
        CASE "column".attcompression WHEN 'p' THEN 'COMPRESSION pglz' WHEN 'l' THEN 'COMPRESSION lz4' END)
    FROM pg_type t WHERE t.oid = "column".atttypid
$$;
COMMENT ON FUNCTION envcrypt_original_storage(pg_attribute) IS 'envcrypt: the settings of a plain column that would be lost';

CREATE FUNCTION envcrypt_free_context_id(taken integer[]) RETURNS integer
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    id integer;
    own CONSTANT integer := '@extschema@.envcrypt_owner_trigger()'::regprocedure::oid::bigint::bit(32)::integer;
BEGIN
    FOR attempt IN 1 .. 100000 LOOP
        id := 1 + trunc(random() * 65535);
        -- The lock: another transaction may have chosen the same, and not be seen yet.
        CONTINUE WHEN id = ANY (taken) OR NOT pg_try_advisory_xact_lock(own, id)
            OR EXISTS (SELECT FROM @extschema@.envcrypt_triggers t WHERE t.context_id = id);
        RETURN id;
    END LOOP;
    RAISE 'no context id is free for another protected column' USING ERRCODE = 'program_limit_exceeded';
END $$;
COMMENT ON FUNCTION envcrypt_free_context_id(integer[]) IS
    'envcrypt: a number by which values tell their column, which no other protected column has';

CREATE FUNCTION envcrypt_make_trigger("table" regclass, "column" name, owner_column name, context_id integer,
    null_owner text, original_type text, original_storage text, valid_checks text[]) RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    trigger CONSTANT name := format('~envcrypt_%s', context_id);
BEGIN
    EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE ON %s FOR EACH ROW WHEN (new.%I IS NOT NULL%s) '
        'EXECUTE FUNCTION @extschema@.envcrypt_owner_trigger(%L, %L, %L%s)', trigger, "table", "column",
        coalesce(' OR new.' || quote_ident(owner_column) || ' IS NULL', ''), context_id, null_owner, original_type,
        CASE WHEN valid_checks <> '{}' OR original_storage <> '' THEN ', ' || quote_literal(original_storage) ELSE '' END
            || (SELECT coalesce(string_agg(', ' || quote_literal(c), ''), '') FROM unnest(valid_checks) c));
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', "table", trigger);
    EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', trigger, "table",
        'envcrypt: binds values to their owners; to change the column''s type or drop it, call envcrypt_unprotect() first');
END $$;
COMMENT ON FUNCTION envcrypt_make_trigger(regclass, name, name, integer, text, text, text, text[]) IS
    'envcrypt: makes the owner trigger of a protected column';

CREATE FUNCTION envcrypt_spread_triggers("table" regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item record;
    child regclass;
BEGIN
    IF (SELECT relkind <> 'r' OR relispartition FROM pg_class WHERE oid = "table") THEN
        RETURN;  -- PostgreSQL copies triggers to partitions itself
    END IF;
    FOR item IN
        SELECT p.*, a.attname AS column_name, o.attname AS owner_name, a.attnum
        FROM pg_inherits i
        JOIN @extschema@.envcrypt_owner_triggers p ON p.relid = i.inhparent
        JOIN pg_attribute pa ON pa.attrelid = p.relid AND pa.attnum = p.column_number
        JOIN pg_attribute a ON a.attrelid = i.inhrelid AND a.attname = pa.attname
        LEFT JOIN pg_attribute o ON o.attrelid = p.relid AND o.attnum = p.owner_number
        WHERE i.inhrelid = "table" ORDER BY p.name
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_trigger WHERE tgrelid = "table" AND tgname = item.name);
        PERFORM @extschema@.envcrypt_lock_relation("table"::oid, 'ShareRowExclusiveLock'::text, false);
        PERFORM @extschema@.envcrypt_make_trigger("table", item.column_name, item.owner_name, item.context_id,
            item.null_owner, item.original_type, coalesce(item.original_storage, ''), coalesce(item.valid_checks, '{}'));
    END LOOP;
    FOR child IN SELECT inhrelid FROM pg_inherits WHERE inhparent = "table" ORDER BY inhrelid LOOP
        PERFORM @extschema@.envcrypt_spread_triggers(child);
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_spread_triggers(regclass) IS
    'envcrypt: gives those that inherit from a table the triggers of its columns';

CREATE FUNCTION envcrypt_refuse_row("table" regclass, "column" name, owner_column name, has_value boolean) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT has_value THEN
        RETURN NULL;
    END IF;
    RAISE 'row of table % has no owner to encrypt for', "table" USING ERRCODE = 'not_null_violation',
        DETAIL = format('Column "%s" is null, and column "%s" is not.', owner_column, "column"),
        HINT = 'Give the row an owner, or protect the column with null_owner => ''database''.';
END $$;
COMMENT ON FUNCTION envcrypt_refuse_row(regclass, name, name, boolean) IS 'envcrypt: the error of a value without an owner';

CREATE FUNCTION envcrypt_protect("table" regclass, columns name[], owner_column name DEFAULT NULL,
    null_owner text DEFAULT 'error') RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner pg_attribute;
    attribute pg_attribute;
    "column" name;
    todo name[] := '{}';
    contexts integer[] := '{}';
    originals text[] := '{}';
    storages text[] := '{}';
    clauses text[] := '{}';
    sealed regtype;
    value text;  -- as envcrypt_bind() takes it
    owner_value text;
    checks jsonb := '{}';  -- of each column, the names of those that were valid
    saved text[];
BEGIN
    IF columns IS NULL OR columns = '{}' OR array_position(columns, NULL) IS NOT NULL THEN
        RAISE 'column must not be null' USING ERRCODE = 'null_value_not_allowed';
    ELSIF null_owner IS NULL OR null_owner NOT IN ('error', 'database') THEN
        RAISE 'null_owner must be "error" or "database"' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It says what a value in a row without an owner is: an error, or sealed under the database key.';
    END IF;
    PERFORM @extschema@.envcrypt_lock_table("table");
    PERFORM @extschema@.envcrypt_require_right('seal');
    IF owner_column IS NOT NULL THEN
        owner := @extschema@.envcrypt_find_owner_column("table", columns, owner_column);
    END IF;
    FOREACH "column" IN ARRAY columns LOOP
        IF "column" <> ALL (todo) AND @extschema@.envcrypt_needs_protection("table", "column", owner_column, null_owner) THEN
            todo := todo || "column";
        END IF;
    END LOOP;
    IF todo = '{}' THEN
        RETURN;
    END IF;
    PERFORM @extschema@.envcrypt_online_refuse_begun("table", todo, false);
    PERFORM @extschema@.envcrypt_refuse_obstacles("table", todo);

    FOREACH "column" IN ARRAY todo LOOP
        attribute := @extschema@.envcrypt_find_column("table", "column");
        contexts := contexts || @extschema@.envcrypt_free_context_id(contexts);
        sealed := @extschema@.envcrypt_ultimate_type(attribute.atttypid);
        IF @extschema@.envcrypt_base_type(sealed) IS NOT NULL THEN
            -- Sealed already, but not bound: by hand, or in a table made with LIKE.
            PERFORM @extschema@.envcrypt_require_right('open');
            value := format('%I::%s', "column", sealed);
            originals := originals || CASE WHEN @extschema@.envcrypt_base_type(sealed) = 'text'::regtype
                AND attribute.atttypmod >= 0 THEN format_type('varchar'::regtype, attribute.atttypmod)
                ELSE format_type(@extschema@.envcrypt_base_type(sealed), attribute.atttypmod) END;
            storages := storages || ''::text;
            sealed := attribute.atttypid;
        ELSE
            sealed := @extschema@.envcrypt_twin(attribute.atttypid);
            value := format(CASE attribute.atttypid WHEN 'varchar'::regtype THEN '%I::text' ELSE '%I' END, "column");
            originals := originals || format_type(attribute.atttypid, attribute.atttypmod);
            storages := storages || @extschema@.envcrypt_original_storage(attribute);
        END IF;
        owner_value := @extschema@.envcrypt_owner_text("table"::oid, owner.attnum, quote_ident(owner_column));
        owner_value := CASE WHEN owner_column IS NULL THEN 'NULL::text'
            WHEN null_owner = 'database' OR owner.attnotnull THEN owner_value
            -- No IS NULL here: in partitions with another order of columns, ALTER TABLE would look at a wrong one.
            ELSE format('coalesce(%4$s, @extschema@.envcrypt_refuse_row(%3$L::regclass, %2$L::name, %1$L::name, '
                'num_nonnulls(%2$I) > 0))',
                owner_column, "column", "table"::oid, owner_value) END;
        clauses := clauses || format('ALTER COLUMN %I TYPE %s%s USING @extschema@.envcrypt_bind(%s, %s, %s)', "column",
            format_type(sealed, attribute.atttypmod),
            CASE WHEN attribute.attcollation = 0 THEN '' ELSE ' COLLATE ' || attribute.attcollation::regcollation END,
            value, owner_value, contexts[cardinality(contexts)]);
    END LOOP;

    FOREACH "column" IN ARRAY todo LOOP
        checks := checks || jsonb_build_object("column", ARRAY(SELECT DISTINCT c.name::text
            FROM @extschema@.envcrypt_checks("table", ARRAY["column"]) c WHERE c.valid ORDER BY 1));
    END LOOP;
    saved := @extschema@.envcrypt_take_down("table", todo, '{}'::name[], '{}'::regtype[], NULL::text[]);
    PERFORM @extschema@.envcrypt_alter_columns("table", clauses);
    FOR i IN 1 .. cardinality(todo) LOOP
        PERFORM @extschema@.envcrypt_make_trigger("table", todo[i], owner_column, contexts[i], null_owner, originals[i],
            storages[i], ARRAY(SELECT jsonb_array_elements_text(checks -> todo[i]::text)));
    END LOOP;
    PERFORM @extschema@.envcrypt_spread_triggers("table");
    PERFORM @extschema@.envcrypt_run(saved);
END $$;
COMMENT ON FUNCTION envcrypt_protect(regclass, name[], name, text) IS
    'encrypts columns in one rewrite and binds their values to their row''s owner, or to the database without owner_column';

CREATE FUNCTION envcrypt_protect("table" regclass, "column" name, owner_column name DEFAULT NULL,
    null_owner text DEFAULT 'error') RETURNS void
    LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT @extschema@.envcrypt_protect("table", ARRAY["column"], owner_column, null_owner) $$;
COMMENT ON FUNCTION envcrypt_protect(regclass, name, name, text) IS
    'encrypts a column and binds its values to their row''s owner, or to the database without owner_column';

CREATE FUNCTION envcrypt_unprotect("table" regclass, columns name[]) RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    attribute pg_attribute;
    "column" name;
    present record;
    sealed regtype;
    original regtype;
    todo name[] := '{}';
    opened name[] := '{}';  -- with type modifiers other than a string's
    bases regtype[] := '{}';
    clauses text[] := '{}';
    drops text[] := '{}';
    storages text[] := '{}';
    valid text[] := '{}';
    saved text[];
BEGIN
    IF columns IS NULL OR columns = '{}' OR array_position(columns, NULL) IS NOT NULL THEN
        RAISE 'column must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    PERFORM @extschema@.envcrypt_lock_table("table");
    PERFORM @extschema@.envcrypt_require_right('open');
    FOREACH "column" IN ARRAY columns LOOP
        CONTINUE WHEN "column" = ANY (todo);
        attribute := @extschema@.envcrypt_find_column("table", "column");
        PERFORM @extschema@.envcrypt_refuse_inherited(attribute);
        SELECT * INTO present FROM @extschema@.envcrypt_owner_triggers t
        WHERE t.relid = "table" AND t.column_number = attribute.attnum ORDER BY t.name DESC LIMIT 1;
        sealed := @extschema@.envcrypt_ultimate_type(attribute.atttypid);
        IF present IS NULL OR @extschema@.envcrypt_base_type(sealed) IS NULL THEN
            RAISE 'column "%" of table % is not protected', "column", "table"
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = CASE
                WHEN @extschema@.envcrypt_base_type(sealed) IS NULL THEN 'The view envcrypt_columns has those that are.'
                ELSE format('It is only of an encrypted type: ALTER TABLE %s ALTER COLUMN %I TYPE %s;', "table", "column",
                    @extschema@.envcrypt_base_type(sealed)) END;
        END IF;
        todo := todo || "column";
        valid := valid || coalesce(present.valid_checks, '{}');
        -- What the trigger says is the table owner's word: only a type's name is taken from it.
        BEGIN
            original := to_regtype(present.original_type);
        EXCEPTION WHEN OTHERS THEN
            original := NULL;  -- no type's name
        END;
        IF @extschema@.envcrypt_twin(original::oid) IS DISTINCT FROM sealed THEN
            original := @extschema@.envcrypt_base_type(sealed);
        END IF;
        IF attribute.atttypmod >= 0 AND @extschema@.envcrypt_base_type(sealed) = 'text'::regtype THEN
            original := 'varchar';
        ELSIF attribute.atttypmod >= 0 THEN
            opened := opened || "column";
            bases := bases || original;
        END IF;
        clauses := clauses || format('ALTER COLUMN %1$I TYPE %2$s%3$s USING @extschema@.envcrypt_open(%1$I::%4$s)', "column",
            format_type(original, attribute.atttypmod), CASE WHEN attribute.attcollation = 0 THEN ''
                ELSE ' COLLATE ' || attribute.attcollation::regcollation END, sealed);
        drops := drops || ARRAY(
            SELECT format('DROP TRIGGER %I ON %s', t.name, t.relid::regclass)
            FROM @extschema@.envcrypt_tree("table") r
            JOIN pg_attribute a ON a.attrelid = r.relid AND a.attname = "column"
            JOIN @extschema@.envcrypt_owner_triggers t ON t.relid = a.attrelid AND t.column_number = a.attnum
            WHERE t.parent = 0 ORDER BY t.relid, t.name);
        storages := storages || ARRAY(
            SELECT format('ALTER TABLE ONLY %s ALTER COLUMN %I SET %s', r.relid::regclass, "column", s.setting[1])
            FROM regexp_matches(present.original_storage,
                '(STORAGE (?:PLAIN|EXTERNAL|EXTENDED|MAIN)|COMPRESSION (?:pglz|lz4))', 'g') AS s (setting)
            CROSS JOIN @extschema@.envcrypt_tree("table") r ORDER BY r.level, r.relid);
    END LOOP;
    PERFORM @extschema@.envcrypt_refuse_obstacles("table", todo);

    PERFORM @extschema@.envcrypt_run(drops);
    saved := @extschema@.envcrypt_take_down("table", todo, opened, bases, valid);
    PERFORM @extschema@.envcrypt_alter_columns("table", clauses);
    PERFORM @extschema@.envcrypt_run(storages || saved);
END $$;
COMMENT ON FUNCTION envcrypt_unprotect(regclass, name[]) IS 'makes protected columns plain again, as they were before';

CREATE FUNCTION envcrypt_unprotect("table" regclass, "column" name) RETURNS void
    LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$ SELECT @extschema@.envcrypt_unprotect("table", ARRAY["column"]) $$;
COMMENT ON FUNCTION envcrypt_unprotect(regclass, name) IS 'makes a protected column plain again, as it was before';

-- Protecting a column of a table with traffic. All state is in the table itself: a column beside the plain one, its
-- twin, and a trigger that keeps the twin in step and names both. The procedures commit, so that they cannot have a
-- search_path of their own: they call functions that have one, and qualify what they name themselves.

CREATE FUNCTION envcrypt_backfill("table" regclass, trigger oid, first bigint, "end" bigint, batch_size integer,
    OUT next bigint, OUT written bigint, OUT skipped bigint)
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_backfill(regclass, oid, bigint, bigint, integer) IS
    'envcrypt: writes missing twins of the rows in a range of blocks, of about batch_size rows at most';

CREATE FUNCTION envcrypt_verify_twin("table" regclass, trigger oid) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_verify_twin(regclass, oid) IS
    'envcrypt: raises unless every row''s twin opens to the plain value for the row''s owner; returns how many rows';

CREATE FUNCTION envcrypt_lacks_twin("table" regclass, trigger oid) RETURNS boolean
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_lacks_twin(regclass, oid) IS 'envcrypt: whether any row has a value without its twin';

CREATE PROCEDURE envcrypt_require_own_transaction(what text)
    LANGUAGE c AS 'MODULE_PATHNAME';
COMMENT ON PROCEDURE envcrypt_require_own_transaction(text) IS 'envcrypt: raises where a procedure cannot commit';

-- What is known of a column: nulls, where it has no such trigger.
CREATE FUNCTION envcrypt_online_state("table" regclass, "column" name, OUT number smallint, OUT sync oid, OUT twin name,
    OUT owner name, OUT context_id integer, OUT null_owner text, OUT type text, OUT protected_by oid)
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.attnum, CASE t.kind WHEN 'sync' THEN t.trigger END, w.attname, o.attname, t.context_id, t.null_owner,
        t.original_type, CASE t.kind WHEN 'owner' THEN t.trigger END
    FROM (SELECT) AS always
    LEFT JOIN pg_attribute a ON a.attrelid = "table" AND a.attname = "column" AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN @extschema@.envcrypt_triggers t ON t.relid = a.attrelid AND t.column_number = a.attnum AND t.kind <> 'users'
    LEFT JOIN pg_attribute w ON w.attrelid = t.relid AND w.attnum = t.twin_number
    LEFT JOIN pg_attribute o ON o.attrelid = t.relid AND o.attnum = t.owner_number
    LIMIT 1
$$;
COMMENT ON FUNCTION envcrypt_online_state(regclass, name) IS 'envcrypt: how far a column''s protection is';

-- The encrypted type for a column, as SQL, or null.
CREATE FUNCTION envcrypt_online_type("table" regclass, "column" name) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format_type(@extschema@.envcrypt_twin(atttypid), atttypmod)
        || CASE WHEN attcollation = 0 THEN '' ELSE ' COLLATE ' || attcollation::regcollation END
    FROM pg_attribute
    WHERE attrelid = "table" AND attname = "column" AND attnum > 0 AND NOT attisdropped
$$;
COMMENT ON FUNCTION envcrypt_online_type(regclass, name) IS 'envcrypt: the encrypted type for a plain column';

-- Raises for a column that envcrypt_protect_online() works on, or works with as another one's owner or twin.
CREATE FUNCTION envcrypt_online_refuse_begun("table" regclass, columns name[], may_continue boolean) RETURNS void
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    begun record;
BEGIN
    SELECT a.attname, p.attname AS plain INTO begun
    FROM @extschema@.envcrypt_triggers t
    JOIN pg_attribute p ON p.attrelid = t.relid AND p.attnum = t.column_number
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = ANY (columns)
        AND a.attnum IN (t.column_number, t.twin_number, t.owner_number)
    WHERE t.relid = "table" AND t.kind = 'sync' AND NOT (may_continue AND p.attnum = a.attnum)
    LIMIT 1;
    IF FOUND THEN
        RAISE 'column "%" of table % is in use by envcrypt_protect_online()', begun.attname, "table"
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('It has not ended for column "%s".', begun.plain),
            HINT = 'Call that again to continue, or envcrypt_protect_online_cancel().';
    END IF;
END $$;
COMMENT ON FUNCTION envcrypt_online_refuse_begun(regclass, name[], boolean) IS
    'envcrypt: raises for columns that envcrypt_protect_online() works on';

-- What stands in the way. Beside what keeps envcrypt_protect() from its work, that is what would be dropped, with the
-- plain column, without a word.
CREATE FUNCTION envcrypt_online_refuse_obstacles("table" regclass, "column" name) RETURNS void
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    obstacles text;
BEGIN
    PERFORM @extschema@.envcrypt_online_refuse_begun("table", ARRAY["column"], true);
    PERFORM @extschema@.envcrypt_refuse_obstacles("table", ARRAY["column"]);
    SELECT string_agg(DISTINCT format('%s: drop it and create it again afterwards',
        pg_describe_object(d.classid, d.objid, 0)), E'\n') INTO obstacles
    FROM @extschema@.envcrypt_tree("table") t
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.relid AND d.refobjsubid = a.attnum
    WHERE d.classid = 'pg_class'::regclass AND (SELECT relkind IN ('i', 'I') FROM pg_class WHERE oid = d.objid)
        OR d.classid = 'pg_publication_rel'::regclass
        -- NOT NULL is one from PostgreSQL 18 on.
        OR d.classid = 'pg_constraint'::regclass AND (SELECT contype NOT IN ('c', 'n') FROM pg_constraint WHERE oid = d.objid);
    IF obstacles IS NOT NULL THEN
        RAISE 'cannot protect column "%" of table % online because of what depends on it', "column", "table"
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = obstacles;
    END IF;
    SELECT string_agg(format('table %s', t.relid), E'\n') INTO obstacles
    FROM @extschema@.envcrypt_tree("table") t JOIN pg_class c ON c.oid = t.relid
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
    WHERE c.relkind NOT IN ('r', 'p') OR a.attinhcount > 1 OR a.attidentity <> '' OR a.attgenerated <> '';
    IF obstacles IS NOT NULL THEN
        RAISE 'cannot protect column "%" of table % online', "column", "table"
            USING ERRCODE = 'feature_not_supported',
            DETAIL = 'It is generated, or inherited from several tables:' || E'\n' || obstacles;
    END IF;
END $$;
COMMENT ON FUNCTION envcrypt_online_refuse_obstacles(regclass, name) IS
    'envcrypt: raises with everything that keeps a column from being protected online';

-- Checks that need no lock. Returns false if the column is protected already, as is wanted.
CREATE FUNCTION envcrypt_online_check("table" regclass, "column" name, owner_column name, null_owner text,
    batch_size integer, pause interval, lock_timeout interval) RETURNS boolean
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    class record;
    state record;
BEGIN
    IF "table" IS NULL OR "column" IS NULL OR null_owner IS NULL THEN
        RAISE 'table, column and null_owner must not be null' USING ERRCODE = 'null_value_not_allowed';
    ELSIF null_owner NOT IN ('error', 'database') THEN
        RAISE 'null_owner must be "error" or "database"' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It says what a value in a row without an owner is: an error, or sealed under the database key.';
    ELSIF batch_size IS NULL OR batch_size < 1 THEN
        RAISE 'batch_size must be at least 1' USING ERRCODE = 'invalid_parameter_value';
    ELSIF pause IS NULL OR pause < '0' THEN
        RAISE 'pause must not be negative' USING ERRCODE = 'invalid_parameter_value';
    ELSIF lock_timeout IS NULL OR lock_timeout <= '0' THEN
        RAISE 'lock_timeout must be positive' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT relkind, pg_has_role(relowner, 'USAGE') AS is_owner INTO class FROM pg_class WHERE oid = "table";
    IF NOT FOUND THEN
        RAISE 'relation with OID % does not exist', "table"::oid USING ERRCODE = 'undefined_table';
    ELSIF class.relkind NOT IN ('r', 'p') THEN
        RAISE '"%" is not a table', "table" USING ERRCODE = 'wrong_object_type';
    ELSIF NOT class.is_owner THEN
        RAISE 'must be owner of table %', "table" USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM @extschema@.envcrypt_require_right('seal');
    IF owner_column IS NOT NULL THEN
        PERFORM @extschema@.envcrypt_find_owner_column("table", ARRAY["column"], owner_column);
    END IF;
    IF NOT @extschema@.envcrypt_needs_protection("table", "column", owner_column, null_owner) THEN
        RETURN false;
    END IF;
    IF @extschema@.envcrypt_online_type("table", "column") IS NULL THEN
        RAISE 'column "%" of table % is encrypted already', "column", "table"
            USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'envcrypt_protect() binds its values to their owners.';
    END IF;
    state := @extschema@.envcrypt_online_state("table", "column");
    IF state.sync IS NOT NULL AND (state.owner, state.null_owner) IS DISTINCT FROM (owner_column, null_owner) THEN
        RAISE 'column "%" of table % is being protected with other arguments', "column", "table"
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Its owner column is %s, null_owner is %L.', coalesce(quote_ident(state.owner), 'not set'),
                state.null_owner),
            HINT = 'Continue with these, or call envcrypt_protect_online_cancel().';
    END IF;
    PERFORM @extschema@.envcrypt_online_refuse_obstacles("table", "column");
    RETURN true;
END $$;
COMMENT ON FUNCTION envcrypt_online_check(regclass, name, name, text, integer, interval, interval) IS
    'envcrypt: checks of envcrypt_protect_online() that need no lock';

-- The sync trigger of a table and all that inherits from it (partitions get theirs from PostgreSQL), where it is missing.
CREATE FUNCTION envcrypt_online_make_triggers("table" regclass, "column" name, twin name, owner name, context_id integer,
    null_owner text, type text) RETURNS void
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item regclass;
    name CONSTANT name := format('~envcrypt_%s_sync', context_id);
BEGIN
    FOR item IN SELECT t.relid FROM @extschema@.envcrypt_tree("table") t ORDER BY t.level, t.relid LOOP
        IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = item AND tgname = name) THEN
            EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE ON %s FOR EACH ROW '
                'WHEN (new.%I IS NOT NULL OR new.%I IS NOT NULL%s) '
                'EXECUTE FUNCTION @extschema@.envcrypt_sync_trigger(%L, %L, %L)', name, item, "column", twin,
                coalesce(' OR new.' || quote_ident(owner) || ' IS NULL', ''), context_id, null_owner, type);
        END IF;
    END LOOP;
    FOR item IN
        SELECT t.relid FROM @extschema@.envcrypt_tree("table") t JOIN pg_trigger g ON g.tgrelid = t.relid
        WHERE g.tgname = name AND g.tgenabled <> 'A' ORDER BY t.level, t.relid
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', item, name);
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_online_make_triggers(regclass, name, name, name, integer, text, text) IS
    'envcrypt: makes the trigger that keeps a twin in step';

-- CHECK constraints of the encrypted column: those that say that every value has its twin, and copies of the plain
-- column's. A copy's name is made from the original's name and definition.
CREATE FUNCTION envcrypt_online_constraints("table" regclass, "column" name, OUT relid regclass, OUT original name,
    OUT definition text, OUT must_hold boolean, OUT copy name, OUT copy_exists boolean, OUT copy_holds boolean)
    RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH state AS (
        SELECT s.*, format('~envcrypt_%s_', s.context_id) AS prefix
        FROM @extschema@.envcrypt_online_state("table", "column") s
    ), wanted AS (
        SELECT t.relid, t.level, NULL::name AS original,
            format('CHECK (%s%I IS NOT NULL) NOT VALID',
                CASE WHEN NOT a.attnotnull THEN format('%I IS NULL OR ', "column") END, s.twin) AS definition,
            true AS must_hold,
            (s.prefix || CASE WHEN a.attnotnull THEN 'not_null' ELSE 'complete' END)::name AS copy
        FROM state s, @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
        WHERE t.level = 0 OR a.attnotnull
        UNION ALL
        SELECT t.relid, t.level, k.conname, pg_get_constraintdef(k.oid)
            || CASE WHEN k.convalidated THEN ' NOT VALID' ELSE '' END, k.convalidated,
            s.prefix || md5(format('%s %s', k.conname, pg_get_constraintdef(k.oid)))
        FROM state s, @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
        JOIN pg_constraint k ON k.conrelid = t.relid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)
        WHERE k.conislocal AND NOT starts_with(k.conname, s.prefix)
    )
    SELECT w.relid, w.original, w.definition, w.must_hold, w.copy, c.oid IS NOT NULL, coalesce(c.convalidated, false)
    FROM wanted w
    LEFT JOIN pg_constraint c ON c.conrelid = w.relid AND c.contype = 'c' AND c.conname = w.copy
    ORDER BY w.original NULLS FIRST, w.level, w.relid
$$;
COMMENT ON FUNCTION envcrypt_online_constraints(regclass, name) IS
    'envcrypt: the CHECK constraints that an encrypted column must have before it takes the plain one''s place';

-- Adds the missing ones, unvalidated. Their text names the plain column, so the twin has its name for a moment.
CREATE FUNCTION envcrypt_online_add_constraints("table" regclass, "column" name, only_copies boolean) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state record;
    item record;
    statement text;
    statements text[];
BEGIN
    state := @extschema@.envcrypt_online_state("table", "column");
    FOR item IN
        SELECT * FROM @extschema@.envcrypt_online_constraints("table", "column")
        WHERE NOT copy_exists AND original IS NULL AND NOT only_copies
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_constraint WHERE conrelid = item.relid AND conname = item.copy);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', item.relid, item.copy, item.definition);
    END LOOP;
    SELECT array_agg(format('ALTER TABLE %s ADD CONSTRAINT %I %s', relid, copy, definition)) INTO statements
    FROM @extschema@.envcrypt_online_constraints("table", "column") WHERE NOT copy_exists AND original IS NOT NULL;
    IF statements IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO "~envcrypt"', "table", "column");
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', "table", state.twin, "column");
    FOREACH statement IN ARRAY statements LOOP
        EXECUTE statement;
    END LOOP;
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', "table", "column", state.twin);
    EXECUTE format('ALTER TABLE %s RENAME COLUMN "~envcrypt" TO %I', "table", "column");
END $$;
COMMENT ON FUNCTION envcrypt_online_add_constraints(regclass, name, boolean) IS
    'envcrypt: adds what envcrypt_online_constraints() finds missing';

CREATE FUNCTION envcrypt_online_drop_constraints("table" regclass, prefix text) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT t.relid, k.conname
        FROM @extschema@.envcrypt_tree("table") t JOIN pg_constraint k ON k.conrelid = t.relid
        WHERE starts_with(k.conname, prefix) AND k.contype = 'c' AND k.conislocal
        ORDER BY t.level, t.relid
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', item.relid, item.conname);
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_online_drop_constraints(regclass, text) IS
    'envcrypt: drops constraints by their names'' beginning';

-- The steps. Those that lock the table return the next one.

CREATE FUNCTION envcrypt_online_prepare("table" regclass, "column" name, owner_column name, null_owner text)
    RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state record;
    item record;
    twin name;
    stem text := "column";
BEGIN
    state := @extschema@.envcrypt_online_state("table", "column");
    IF state.protected_by IS NOT NULL THEN
        RETURN 'check';
    END IF;
    PERFORM @extschema@.envcrypt_online_refuse_obstacles("table", "column");
    twin := state.twin;
    IF state.sync IS NULL THEN
        WHILE octet_length(stem || '__envcrypt') > 63 LOOP
            stem := left(stem, -1);
        END LOOP;
        twin := stem || '__envcrypt';
        state.context_id := @extschema@.envcrypt_free_context_id('{}'::integer[]);
        state.type := (SELECT format_type(atttypid, atttypmod) FROM pg_attribute
                       WHERE attrelid = "table" AND attnum = state.number);
        -- First where a table that inherits has the column of its own, too.
        FOR item IN
            SELECT t.relid, t.level FROM @extschema@.envcrypt_tree("table") t
            JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
            WHERE a.attislocal OR t.level = 0 ORDER BY t.level DESC, t.relid
        LOOP
            EXECUTE format('ALTER TABLE %s ADD COLUMN %I %s', item.relid, twin,
                @extschema@.envcrypt_online_type("table", "column"));
        END LOOP;
        -- By name: a cast to regclass needs rights in the schemas of tables that have nothing to do with this one.
        IF EXISTS (SELECT FROM @extschema@.envcrypt_tree("table") t
                JOIN pg_class c ON c.oid = t.relid
                JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_publication_tables p ON p.schemaname = n.nspname AND p.tablename = c.relname) THEN
            RAISE WARNING 'table % is published, and its new column "%" with it', "table", twin
                USING DETAIL = 'Subscribers without it stop at the next change of a row, and go on once they have it.';
        END IF;
    END IF;
    PERFORM @extschema@.envcrypt_online_make_triggers("table", "column", twin, owner_column, state.context_id, null_owner,
        state.type);
    IF state.sync IS NULL THEN
        -- Whether the CHECK constraints can be kept is better known now than when all rows are done.
        PERFORM @extschema@.envcrypt_online_add_constraints("table", "column", true);
        PERFORM @extschema@.envcrypt_online_drop_constraints("table", format('~envcrypt_%s_', state.context_id));
    END IF;
    RETURN 'backfill';
END $$;
COMMENT ON FUNCTION envcrypt_online_prepare(regclass, name, name, text) IS
    'envcrypt: makes the twin column and the trigger that keeps it in step';

CREATE FUNCTION envcrypt_online_constrain("table" regclass, "column" name) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (@extschema@.envcrypt_online_state("table", "column")).sync IS NULL THEN
        RETURN 'check';
    END IF;
    PERFORM @extschema@.envcrypt_online_add_constraints("table", "column", false);
    RETURN 'validate';
END $$;
COMMENT ON FUNCTION envcrypt_online_constrain(regclass, name) IS
    'envcrypt: adds the twin''s constraints, which hold for what is written from then on';

CREATE FUNCTION envcrypt_online_validate("table" regclass, "column" name, verify boolean) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item record;
BEGIN
    PERFORM @extschema@.envcrypt_lock_relation("table"::oid, 'ShareUpdateExclusiveLock'::text, true);
    FOR item IN
        SELECT * FROM @extschema@.envcrypt_online_constraints("table", "column")
        WHERE copy_exists AND must_hold AND NOT copy_holds
    LOOP
        BEGIN
            EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', item.relid, item.copy);
        EXCEPTION WHEN check_violation THEN
            IF item.original IS NULL THEN
                RETURN 'backfill';
            END IF;
            RAISE 'constraint "%" of table % does not hold for the encrypted column', item.original, item.relid
                USING ERRCODE = 'check_violation', HINT = 'Drop the constraint, or correct the rows.';
        END;
    END LOOP;
    RETURN CASE WHEN verify THEN 'verify' ELSE 'swap' END;
END $$;
COMMENT ON FUNCTION envcrypt_online_validate(regclass, name, boolean) IS 'envcrypt: validates the twin''s constraints';

CREATE FUNCTION envcrypt_online_verify("table" regclass, "column" name) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item regclass;
    state record;
    rows bigint := 0;
BEGIN
    BEGIN
        PERFORM @extschema@.envcrypt_check(NULL::@extschema@.encrypted_text, NULL::text, NULL::integer);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE WARNING 'the encrypted values were not verified'
            USING DETAIL = 'The role may not open values.',
                HINT = 'envcrypt_verify() can be called later by a role that may.';
        RETURN 'swap';
    END;
    FOR item IN
        SELECT t.relid FROM @extschema@.envcrypt_tree("table") t JOIN pg_class c ON c.oid = t.relid
        WHERE c.relkind = 'r' ORDER BY t.relid
    LOOP
        state := @extschema@.envcrypt_online_state(item, "column");
        CONTINUE WHEN state.number IS NULL;
        IF state.sync IS NULL THEN
            RETURN 'prepare';
        END IF;
        rows := rows + @extschema@.envcrypt_verify_twin(item, state.sync);
    END LOOP;
    RAISE NOTICE 'envcrypt_protect_online() verified % rows', rows;
    RETURN 'swap';
END $$;
COMMENT ON FUNCTION envcrypt_online_verify(regclass, name) IS 'envcrypt: verifies all twins, where the role may open';

-- What belongs to the column itself, in each table, and has to be made again once the twin has its place.
CREATE FUNCTION envcrypt_online_column("table" regclass, "column" name, OUT before text, OUT after text)
    RETURNS SETOF record
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET envcrypt.io = plaintext AS $$
DECLARE
    item record;
    twin name := (@extschema@.envcrypt_online_state("table", "column")).twin;
BEGIN
    FOR item IN
        SELECT t.relid, a.*, pg_get_expr(f.adbin, f.adrelid) AS def, col_description(t.relid, a.attnum) AS description
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
        LEFT JOIN pg_attrdef f ON f.adrelid = t.relid AND f.adnum = a.attnum
        ORDER BY t.level, t.relid
    LOOP
        after := format('ALTER TABLE %s ALTER COLUMN %I %s', item.relid, "column",
            coalesce('SET DEFAULT ' || item.def, 'DROP DEFAULT'));
        RETURN NEXT;
        IF item.attstattarget >= 0 THEN  -- null from PostgreSQL 17 on
            after := format('ALTER TABLE ONLY %s ALTER COLUMN %I SET STATISTICS %s', item.relid, "column",
                item.attstattarget);
            RETURN NEXT;
        END IF;
        IF item.attoptions IS NOT NULL THEN
            after := format('ALTER TABLE ONLY %s ALTER COLUMN %I SET (%s)', item.relid, "column",
                array_to_string(item.attoptions, ', '));
            RETURN NEXT;
        END IF;
        IF item.description IS NOT NULL THEN
            after := format('COMMENT ON COLUMN %s.%I IS %L', item.relid, "column", item.description);
            RETURN NEXT;
        END IF;
        RETURN QUERY
            SELECT NULL, format('SECURITY LABEL FOR %I ON COLUMN %s.%I IS %L', l.provider, item.relid, "column", l.label)
            FROM pg_seclabel l
            WHERE l.classoid = 'pg_class'::regclass AND l.objoid = item.relid AND l.objsubid = item.attnum;
        RETURN QUERY
            SELECT NULL, format('GRANT %s (%I) ON %s TO %s%s', x.privilege_type, "column", item.relid,
                CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
                CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
            FROM aclexplode(item.attacl) AS x;
        RETURN QUERY
            SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I', s.objid::regclass, item.relid, twin), NULL
            FROM pg_depend s JOIN pg_class c ON c.oid = s.objid AND c.relkind = 'S'
            WHERE s.classid = 'pg_class'::regclass AND s.refclassid = 'pg_class'::regclass AND s.deptype = 'a'
                AND s.refobjid = item.relid AND s.refobjsubid = item.attnum;
    END LOOP;
    RETURN QUERY
        SELECT NULL, format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', c.relid, c.copy, c.original)
        FROM @extschema@.envcrypt_online_constraints("table", "column") c
        JOIN pg_constraint k ON k.conrelid = c.relid AND k.conname = c.copy AND k.coninhcount = 0
        WHERE c.original IS NOT NULL;
    RETURN QUERY
        SELECT NULL, format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, t.relid,
            obj_description(k.oid, 'pg_constraint'))
        FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
        JOIN pg_constraint k ON k.conrelid = t.relid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)
        WHERE NOT starts_with(k.conname, '~envcrypt_') AND obj_description(k.oid, 'pg_constraint') IS NOT NULL;
END $$;
COMMENT ON FUNCTION envcrypt_online_column(regclass, name) IS
    'envcrypt: statements to run before the swap, and after it, for what belongs to a column';

CREATE FUNCTION envcrypt_online_drop_column("table" regclass, "column" name) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item record;
BEGIN
    EXECUTE format('ALTER TABLE %s DROP COLUMN %I', "table", "column");
    -- Where a table that inherits has the column of its own, too.
    FOR item IN
        SELECT t.relid FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column"
        ORDER BY t.level, t.relid
    LOOP
        EXECUTE format('ALTER TABLE %s DROP COLUMN IF EXISTS %I', item.relid, "column");
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_online_drop_column(regclass, name) IS
    'envcrypt: drops a column, also where a table that inherits has it of its own';

CREATE FUNCTION envcrypt_online_swap("table" regclass, "column" name) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state record;
    item record;
    before text[];
    after text[];
    dependents record;
    checks record;
    storage text;
    valid text[];
BEGIN
    state := @extschema@.envcrypt_online_state("table", "column");
    IF state.sync IS NULL THEN
        RETURN 'check';
    ELSIF EXISTS (SELECT FROM @extschema@.envcrypt_tree("table") t
            WHERE (@extschema@.envcrypt_online_state(t.relid, "column")).sync IS NULL) THEN
        RETURN 'prepare';  -- a table came to inherit
    ELSIF EXISTS (SELECT FROM @extschema@.envcrypt_online_constraints("table", "column")
            WHERE NOT copy_exists OR must_hold AND NOT copy_holds) THEN
        RETURN 'constrain';
    END IF;
    PERFORM @extschema@.envcrypt_online_refuse_obstacles("table", "column");
    dependents := @extschema@.envcrypt_dependents_again("table", ARRAY["column"], '{}'::name[], '{}'::regtype[], true);
    SELECT coalesce(array_agg(d.before) FILTER (WHERE d.before IS NOT NULL), '{}'),
        coalesce(array_agg(d.after) FILTER (WHERE d.after IS NOT NULL), '{}') INTO before, after
    FROM @extschema@.envcrypt_online_column("table", "column") AS d;
    storage := @extschema@.envcrypt_original_storage(@extschema@.envcrypt_find_column("table", "column"));
    valid := ARRAY(SELECT DISTINCT c.name::text FROM @extschema@.envcrypt_checks("table", ARRAY["column"]) c
        WHERE c.valid ORDER BY 1);

    PERFORM @extschema@.envcrypt_run(dependents.drops || before);
    -- The validated constraints spare these a scan.
    FOR item IN
        SELECT t.relid FROM @extschema@.envcrypt_tree("table") t
        JOIN pg_attribute a ON a.attrelid = t.relid AND a.attname = "column" AND a.attnotnull
        ORDER BY t.level, t.relid
    LOOP
        EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', item.relid, state.twin);
    END LOOP;
    PERFORM @extschema@.envcrypt_online_drop_triggers("table", state.context_id);
    PERFORM @extschema@.envcrypt_online_drop_column("table", "column");
    EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', "table", state.twin, "column");
    PERFORM @extschema@.envcrypt_run(after);
    PERFORM @extschema@.envcrypt_online_drop_constraints("table", format('~envcrypt_%s_', state.context_id));
    -- From here on as envcrypt_protect().
    checks := @extschema@.envcrypt_checks_again("table", ARRAY["column"], '{}'::name[], '{}'::regtype[], NULL::text[]);
    PERFORM @extschema@.envcrypt_make_trigger("table", "column", state.owner, state.context_id, state.null_owner,
        state.type, storage, valid);
    PERFORM @extschema@.envcrypt_spread_triggers("table");
    PERFORM @extschema@.envcrypt_run(checks.drops || checks.puts || dependents.puts);
    RAISE NOTICE 'column "%" of table % is protected now', "column", "table"
        USING DETAIL = 'It is the table''s last column now: INSERT without a list of columns must follow. '
            'The plain values stay in the table''s files until VACUUM FULL or CLUSTER, '
            'and in WAL, backups and standbys until these are gone.';
    RETURN 'done';
END $$;
COMMENT ON FUNCTION envcrypt_online_swap(regclass, name) IS 'envcrypt: puts the twin into the plain column''s place';

CREATE FUNCTION envcrypt_online_drop_triggers("table" regclass, context_id integer) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT t.relid, g.name FROM @extschema@.envcrypt_tree("table") t
        JOIN @extschema@.envcrypt_triggers g ON g.relid = t.relid AND g.kind = 'sync' AND g.parent = 0
        WHERE g.context_id = envcrypt_online_drop_triggers.context_id
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', item.name, item.relid);
    END LOOP;
END $$;
COMMENT ON FUNCTION envcrypt_online_drop_triggers(regclass, integer) IS 'envcrypt: drops a column''s sync triggers';

CREATE FUNCTION envcrypt_online_undo("table" regclass, "column" name) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    state record;
BEGIN
    state := @extschema@.envcrypt_online_state("table", "column");
    IF state.sync IS NULL THEN
        RAISE NOTICE 'column "%" of table % is not being protected', "column", "table";
        RETURN 'done';
    END IF;
    PERFORM @extschema@.envcrypt_online_drop_triggers("table", state.context_id);
    PERFORM @extschema@.envcrypt_online_drop_constraints("table", format('~envcrypt_%s_', state.context_id));
    PERFORM @extschema@.envcrypt_online_drop_column("table", state.twin);
    RAISE NOTICE 'column "%" of table % stays plain', "column", "table";
    RETURN 'done';
END $$;
COMMENT ON FUNCTION envcrypt_online_undo(regclass, name) IS 'envcrypt: removes the twin column and its trigger';

-- One attempt at a step that needs the table for itself; null if the lock could not be had in that time. The n-th
-- attempt in vain is now and then longer, so that PostgreSQL cancels an autovacuum that is in the way.
CREATE FUNCTION envcrypt_online_attempt(step text, "table" regclass, "column" name, owner_column name, null_owner text,
    patience interval, attempt integer) RETURNS text
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    milliseconds integer := greatest(1, ceil(extract(epoch FROM patience) * 1000));
    holders text;
BEGIN
    IF attempt % 5 = 4 AND EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND mode = 'ShareUpdateExclusiveLock'
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
            AND oid = (@extschema@.envcrypt_online_state(t.relid, "column")).sync))
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
    IF state.sync IS NULL OR NOT EXISTS (SELECT FROM pg_class WHERE oid = leaf) THEN
        RETURN;
    END IF;
    PERFORM set_config('lock_timeout', '500ms', true);
    SELECT b.next, b.written, b.skipped INTO next, written, skipped
    FROM @extschema@.envcrypt_backfill(leaf::regclass, state.sync, first, "end", batch_size) AS b;
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
    sync oid;
BEGIN
    IF leaves IS NULL THEN
        RETURN 'check';
    END IF;
    FOREACH leaf IN ARRAY leaves LOOP
        sync := (@extschema@.envcrypt_online_state(leaf::regclass, "column")).sync;
        IF @extschema@.envcrypt_lacks_twin(leaf::regclass, sync) THEN
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
    'envcrypt: whether all rows have their twins';

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
-- constrain, validate, verify, swap. Any of them may lead back to an earlier one. Called again after an interruption, it
-- begins with what the table says is done.
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
            answer := @extschema@.envcrypt_online_attempt(step, "table", "column", owner_column, null_owner, lock_timeout,
                attempt);
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

-- Tables whose rows are owners. The triggers' names sort first: a new name has its key before a foreign key's
-- ON UPDATE CASCADE seals for it, and a deleted user's is gone before ON DELETE SET NULL could seal for nobody.

CREATE FUNCTION envcrypt_make_managed_key(owner text) RETURNS boolean
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_make_managed_key(text) IS
    'envcrypt: makes an owner''s data key; false if there was one, null if it was destroyed';

CREATE FUNCTION envcrypt_manage_owners("table" regclass, "column" name, on_delete text DEFAULT 'keep') RETURNS bigint
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    users pg_class;
    users_column pg_attribute;
    present record;
    part regclass;
    made bigint;
    shredded bigint;
BEGIN
    IF "table" IS NULL OR "column" IS NULL OR on_delete IS NULL THEN
        RAISE 'arguments of envcrypt_manage_owners() must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF on_delete NOT IN ('keep', 'shred') THEN
        RAISE 'on_delete must be "keep" or "shred", not "%"', on_delete USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO users FROM pg_class WHERE oid = "table";
    IF NOT FOUND THEN
        RAISE 'there is no table with OID %', "table"::oid USING ERRCODE = 'undefined_table';
    END IF;
    IF users.relkind NOT IN ('r', 'p') OR users.relpersistence = 't' OR users.oid < 16384 THEN
        RAISE '"%" cannot be managed', users.relname USING ERRCODE = 'wrong_object_type',
            DETAIL = 'Only a permanent or unlogged table of users can be.';
    END IF;
    IF NOT pg_has_role(users.relowner, 'USAGE') THEN
        RAISE 'must be owner of table %', users.relname USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Nobody adds a user between the trigger and the keys of those who are there.
    PERFORM @extschema@.envcrypt_lock_relation("table"::oid, 'ShareRowExclusiveLock'::text, users.relkind = 'p');
    SELECT * INTO users_column FROM pg_attribute
    WHERE attrelid = "table" AND attname = "column" AND attnum > 0 AND NOT attisdropped;
    IF NOT FOUND THEN
        RAISE 'column "%" of table "%" does not exist', "column", users.relname USING ERRCODE = 'undefined_column';
    END IF;
    PERFORM @extschema@.envcrypt_owner_text("table"::oid, users_column.attnum, ''::text);

    FOR present IN
        SELECT t.parent, a.attname, (SELECT p.tgrelid FROM pg_trigger AS p WHERE p.oid = t.parent)::regclass AS parent_table
        FROM @extschema@.envcrypt_triggers AS t
        JOIN pg_attribute AS a ON a.attrelid = t.relid AND a.attnum = t.column_number
        WHERE t.relid = "table" AND t.kind = 'users'
    LOOP
        IF present.parent <> 0 THEN
            RAISE 'the owners of table "%" are managed already', users.relname
                USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = format('It is a partition of %s.', present.parent_table);
        ELSIF present.attname <> "column" THEN
            RAISE 'the owners of table "%" are managed already, in column "%"', users.relname, present.attname
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
        '@extschema@.envcrypt_make_managed_key(name) AS made FROM (SELECT DISTINCT (%s) COLLATE "C" AS name '
        'FROM %s%s WHERE %I IS NOT NULL ORDER BY 1) AS sorted OFFSET 0) AS done',
        @extschema@.envcrypt_owner_text("table"::oid, users_column.attnum, quote_ident("column")),
        CASE users.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, "table", "column") INTO made, shredded;
    IF shredded > 0 THEN
        RAISE NOTICE 'table "%" has users whose data keys were destroyed: %', users.relname, shredded
            USING HINT = 'For a new key, a key administrator runs envcrypt_create_user_key(owner, after_shred => true).';
    END IF;
    RETURN made;
END $$;
COMMENT ON FUNCTION envcrypt_manage_owners(regclass, name, text) IS
    'makes a data key for each user of a table, from now on, too; on_delete => ''shred'' destroys it with the user';

CREATE FUNCTION envcrypt_unmanage_owners("table" regclass) RETURNS void
LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent regclass;
BEGIN
    PERFORM @extschema@.envcrypt_lock_relation("table"::oid, 'AccessExclusiveLock'::text,
        (SELECT relkind = 'p' FROM pg_class WHERE oid = "table") IS TRUE);
    SELECT p.tgrelid INTO parent FROM pg_trigger AS t JOIN pg_trigger AS p ON p.oid = t.tgparentid
    WHERE t.tgrelid = "table" AND t.tgfoid = '@extschema@.envcrypt_managed_owner_trigger()'::regprocedure;
    IF FOUND THEN
        RAISE 'table % is managed as a partition of %', "table", parent USING
            ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Call envcrypt_unmanage_owners(%L).', parent);
    END IF;
    IF NOT @extschema@.envcrypt_drop_owner_triggers("table") THEN
        RAISE 'the owners of table % are not managed', "table" USING ERRCODE = 'undefined_object';
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

-- New keys for what may have been read with the old ones. Whoever calls it must own every table with encrypted columns: what
-- is not reached would stay as it is, without a word.

CREATE FUNCTION envcrypt_new_key_version(owner text) RETURNS bigint[]
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_new_key_version(text) IS
    'envcrypt: makes a version of an owner''s key; its id, then those of the older ones';

CREATE FUNCTION envcrypt_reseal("table" regclass, old_keys bigint[], new_keys bigint[], write boolean) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_reseal(regclass, bigint[], bigint[], boolean) IS
    'envcrypt: seals a table''s values again under new keys, or only counts those under old ones';

CREATE FUNCTION envcrypt_sealed_tables(OUT relid regclass, OUT kind "char", OUT owned boolean) RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE inside (type, outside) AS MATERIALIZED (  -- of domains, arrays, rows and ranges
        SELECT typbasetype, oid FROM pg_type WHERE typbasetype <> 0
        UNION ALL SELECT typelem, oid FROM pg_type WHERE typelem <> 0 AND typlen = -1
        UNION ALL SELECT a.atttypid, c.reltype FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE a.attnum > 0 AND NOT a.attisdropped AND c.reltype <> 0
        UNION ALL SELECT rngsubtype, rngtypid FROM pg_range
        UNION ALL SELECT rngsubtype, rngmultitypid FROM pg_range
    ), holding (type) AS (
        SELECT t.oid FROM pg_type t
        JOIN pg_proc i ON i.oid = t.typinput AND i.prosrc = 'envcrypt_type_in'
        JOIN pg_language l ON l.oid = i.prolang AND l.lanname = 'c'
        UNION SELECT i.outside FROM holding h JOIN inside i ON i.type = h.type
    )
    SELECT c.oid::regclass, c.relkind, pg_has_role(c.relowner, 'USAGE')
    FROM pg_class c
    WHERE c.relkind IN ('r', 'm') AND NOT pg_is_other_temp_schema(c.relnamespace) AND EXISTS (SELECT FROM pg_attribute a
        JOIN holding h ON h.type = a.atttypid WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
    ORDER BY c.oid
$$;
COMMENT ON FUNCTION envcrypt_sealed_tables() IS 'envcrypt: tables and materialized views that may hold sealed values';

CREATE FUNCTION envcrypt_rekey_users(owners text[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owner text;
    keys bigint[];
    old_keys bigint[] := '{}';
    new_keys bigint[] := '{}';
    item record;
    others text;
    resealed bigint := 0;
    n bigint;
BEGIN
    IF owners IS NULL THEN
        RAISE 'owners must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    PERFORM @extschema@.envcrypt_require_right('open');
    SELECT string_agg(t.relid::text, ', ' ORDER BY t.relid::text COLLATE "C") INTO others
    FROM @extschema@.envcrypt_sealed_tables() t WHERE NOT t.owned;
    IF others IS NOT NULL THEN
        RAISE 'must be owner of every table with encrypted columns' USING ERRCODE = 'insufficient_privilege',
            DETAIL = format('Others own: %s.', others), HINT = 'Call it as a superuser who was granted envcrypt_decrypt.';
    END IF;
    FOR owner IN SELECT DISTINCT o COLLATE "C" AS o FROM unnest(owners) o ORDER BY o LOOP
        keys := @extschema@.envcrypt_new_key_version(owner);
        old_keys := old_keys || keys[2:];
        new_keys := new_keys || array_fill(keys[1], ARRAY[cardinality(keys) - 1]);
    END LOOP;
    IF old_keys = '{}' THEN
        RETURN 0;
    END IF;
    -- Each is locked against writers before it is read, until the end.
    FOR item IN SELECT t.relid FROM @extschema@.envcrypt_sealed_tables() t WHERE t.kind = 'r' LOOP
        resealed := resealed + @extschema@.envcrypt_reseal(item.relid, old_keys, new_keys, true);
    END LOOP;
    FOR item IN SELECT t.relid, t.kind FROM @extschema@.envcrypt_sealed_tables() t LOOP
        n := @extschema@.envcrypt_reseal(item.relid, old_keys, new_keys, false);
        CONTINUE WHEN n = 0;
        IF item.kind = 'm' THEN
            RAISE WARNING 'materialized view % has % value(s) under older keys', item.relid, n
                USING HINT = format('REFRESH MATERIALIZED VIEW %s;', item.relid);
        ELSE
            RAISE 'table % has % value(s) under older keys', item.relid, n USING ERRCODE = 'serialization_failure',
                DETAIL = 'They were written meanwhile.', HINT = 'Call it again. Nothing was changed.';
        END IF;
    END LOOP;
    RETURN resealed;
END $$;
COMMENT ON FUNCTION envcrypt_rekey_users(text[]) IS
    'gives owners new data keys, and seals all their values in this database again; returns how many values';

CREATE FUNCTION envcrypt_rekey_user(owner text) RETURNS bigint
    LANGUAGE sql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    RETURN @extschema@.envcrypt_rekey_users(ARRAY[owner]);
COMMENT ON FUNCTION envcrypt_rekey_user(text) IS
    'gives an owner a new data key, and seals all its values in this database again; returns how many values';

REVOKE ALL ON FUNCTION envcrypt_new_key_version(text), envcrypt_reseal(regclass, bigint[], bigint[], boolean),
    envcrypt_rekey_users(text[]), envcrypt_rekey_user(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION envcrypt_new_key_version(text), envcrypt_reseal(regclass, bigint[], bigint[], boolean),
    envcrypt_rekey_users(text[]), envcrypt_rekey_user(text) TO envcrypt_keyadmin;

-- Verification. Faults are counted where the rows are scanned, in parallel workers, too; a few places are kept of each.

CREATE FUNCTION envcrypt_add_tid(places tid[], place tid) RETURNS tid[]
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    RETURN CASE WHEN place IS NULL OR pg_catalog.cardinality(places) OPERATOR(pg_catalog.>=) 100 THEN places
        ELSE pg_catalog.array_append(places, place) END;
COMMENT ON FUNCTION envcrypt_add_tid(tid[], tid) IS 'envcrypt: transition of envcrypt_some_tids()';
CREATE FUNCTION envcrypt_join_tids(places tid[], others tid[]) RETURNS tid[]
    LANGUAGE sql IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    RETURN (pg_catalog.array_cat(places, others))[1:100];
COMMENT ON FUNCTION envcrypt_join_tids(tid[], tid[]) IS 'envcrypt: combination of envcrypt_some_tids()';
CREATE AGGREGATE envcrypt_some_tids(tid) (SFUNC = envcrypt_add_tid, STYPE = tid[], INITCOND = '{}',
    COMBINEFUNC = envcrypt_join_tids, PARALLEL = SAFE);
COMMENT ON AGGREGATE envcrypt_some_tids(tid) IS 'envcrypt: at most 100 of many places';

-- What is to be asked of each encrypted column of a table, with the triggers of all its partitions and children:
-- `fault` is an SQL expression over alias t, null for a null value and '' for a good one.
CREATE FUNCTION envcrypt_column_checks("table" regclass, OUT "column" name, OUT fault text) RETURNS SETOF record
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE tree AS MATERIALIZED (
        SELECT t.relid FROM @extschema@.envcrypt_tree("table") AS t
    ), base AS (  -- domains down to what they are over
        SELECT oid AS type, oid AS base, typbasetype AS below, typelem FROM pg_type
        UNION ALL SELECT base.type, t.oid, t.typbasetype, t.typelem FROM base JOIN pg_type AS t ON t.oid = base.below
    ), sealed AS (
        SELECT p.proargtypes[0] AS type FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname = 'c'
        WHERE p.proname = 'envcrypt_check' AND p.pronamespace = '@extschema@'::regnamespace
            AND p.prosrc = 'envcrypt_check_value'
    ), columns AS (
        SELECT a.attnum, a.attname, base.base NOT IN (SELECT type FROM sealed) AS is_array,
            coalesce((SELECT e.base FROM base AS e JOIN sealed ON sealed.type = e.base WHERE e.type = base.typelem),
                base.base)::regtype AS sealed_type
        FROM pg_attribute AS a JOIN base ON base.type = a.atttypid AND base.below = 0
        WHERE a.attrelid = "table" AND a.attnum > 0 AND NOT a.attisdropped
            AND (base.base IN (SELECT type FROM sealed)
                OR base.typelem IN (SELECT e.type FROM base AS e JOIN sealed ON sealed.type = e.base))
    ), bindings AS (
        SELECT t.relid, v.attname AS value_name, o.attname AS owner_name, o.attnum AS owner_number, t.context_id
        FROM @extschema@.envcrypt_triggers AS t
        JOIN tree ON tree.relid = t.relid
        JOIN pg_attribute AS v ON v.attrelid = t.relid AND v.attnum = coalesce(t.twin_number, t.column_number)
        LEFT JOIN pg_attribute AS o ON o.attrelid = t.relid AND o.attnum = t.owner_number
        WHERE t.kind IN ('owner', 'sync')
    ), calls AS (
        SELECT c.attnum, c.attname, c.is_array, r.oid AS relid, format('@extschema@.envcrypt_check(%s::%s, %s, %s)',
            CASE WHEN c.is_array THEN 'e' ELSE format('t.%I', c.attname) END, c.sealed_type,
            CASE WHEN b.owner_name IS NULL THEN 'NULL::text'
                ELSE @extschema@.envcrypt_owner_text(b.relid, b.owner_number, format('t.%I', b.owner_name)) END,
            coalesce(b.context_id::text, 'NULL::integer')) AS call
        FROM columns AS c CROSS JOIN tree JOIN pg_class AS r ON r.oid = tree.relid AND r.relkind IN ('r', 'm')
        LEFT JOIN bindings AS b ON b.relid = r.oid AND b.value_name = c.attname
    ), choices AS (
        SELECT attnum, attname, is_array, CASE WHEN min(call) = max(call) THEN min(call)
            ELSE 'CASE t.tableoid ' || string_agg(format('WHEN %s THEN %s', relid, call), ' ')
                || ' ELSE ''attached meanwhile'' END' END AS call
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
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
SELECT format('SELECT t.tableoid AS place, c.n, c.fault, count(*) AS n, '
    '@extschema@.envcrypt_some_tids(t.ctid) FILTER (WHERE c.fault OPERATOR(pg_catalog.<>) '''') AS tids '
    'FROM %s AS t%s, LATERAL pg_catalog.unnest(ARRAY[%s]) WITH ORDINALITY AS c (fault, n) '
    'WHERE c.fault IS NOT NULL GROUP BY t.tableoid, c.n, c.fault', "table",
    CASE WHEN sample_percent < 100 THEN format(' TABLESAMPLE SYSTEM (%s)', sample_percent) ELSE '' END,
    array_to_string(checks, ', '))
$$;
COMMENT ON FUNCTION envcrypt_verify_query(regclass, double precision, text[]) IS 'envcrypt: the scan of envcrypt_verify()';

CREATE FUNCTION envcrypt_verify("table" regclass, sample_percent double precision DEFAULT 100,
    max_examples integer DEFAULT 5)
RETURNS TABLE (partition regclass, "column" name, problem text, "rows" bigint, examples tid[])
LANGUAGE plpgsql VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
DECLARE
    checked pg_class;
    columns name[];
    checks text[];
BEGIN
    IF "table" IS NULL OR sample_percent IS NULL OR max_examples IS NULL THEN
        RAISE 'arguments of envcrypt_verify() must not be null' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    IF NOT sample_percent BETWEEN 0 AND 100 THEN
        RAISE 'sample_percent must be between 0 and 100' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF NOT max_examples BETWEEN 0 AND 100 THEN
        RAISE 'max_examples must be between 0 and 100' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT * INTO checked FROM pg_class WHERE oid = "table";
    IF NOT FOUND THEN
        RAISE 'there is no table with OID %', "table"::oid USING ERRCODE = 'undefined_table';
    END IF;
    IF checked.relkind NOT IN ('r', 'p', 'm') THEN
        RAISE '"%" is not a table or materialized view', checked.relname USING ERRCODE = 'wrong_object_type';
    END IF;
    IF NOT has_table_privilege("table", 'SELECT') THEN
        RAISE 'permission denied for table %', checked.relname USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM @extschema@.envcrypt_check(NULL::@extschema@.encrypted_text, NULL::text, NULL::integer);  -- the right to open
    PERFORM @extschema@.envcrypt_lock_relation("table"::oid, 'AccessShareLock'::text, true);
    SELECT array_agg(c."column"), array_agg(c.fault) INTO columns, checks
    FROM @extschema@.envcrypt_column_checks("table") AS c;
    IF columns IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY WITH found AS MATERIALIZED (
        SELECT f.* FROM @extschema@.envcrypt_query_table("table"::oid,
            @extschema@.envcrypt_verify_query("table", sample_percent, checks))
            AS f (place oid, n bigint, fault text, n_rows bigint, tids tid[])
    )
    SELECT NULL::regclass, columns[s.n], NULL::text, coalesce(sum(found.n_rows), 0)::bigint, NULL::tid[]
    FROM generate_subscripts(columns, 1) AS s (n) LEFT JOIN found ON found.n = s.n GROUP BY s.n
    UNION ALL
    SELECT NULLIF(found.place, "table"::oid)::regclass, columns[found.n::integer], found.fault, found.n_rows,
        found.tids[1:max_examples]
    FROM found WHERE found.fault <> ''
    ORDER BY 2, 3 NULLS FIRST, 1;
END $$;
COMMENT ON FUNCTION envcrypt_verify(regclass, double precision, integer) IS
    'opens every value of a table''s encrypted columns, or of a sample: how many, and what is wrong with how many and where';

-- Status.

-- What envcrypt_status() says of columns. A partition, or a table that inherits, is named only where it differs from its
-- parent.
CREATE FUNCTION envcrypt_column_report(OUT "check" text, OUT state text, OUT detail text, OUT advice text)
RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    (SELECT 'protected column', 'error', format('Trigger "%s" of table %s, which protects column "%s", is %s.', t.name,
            t.relid::regclass, a.attname, CASE t.enabled WHEN 'D' THEN 'disabled' ELSE 'not enabled always' END),
        format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I; then envcrypt_verify() finds what was written meanwhile.',
            t.relid::regclass, t.name)
    FROM @extschema@.envcrypt_triggers t
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attnum = t.column_number
    WHERE t.kind IN ('owner', 'sync') AND t.enabled <> 'A'
    ORDER BY t.relid::regclass::text COLLATE "C", t.name COLLATE "C")
    UNION ALL
    (SELECT 'managed owners', 'error', format('Trigger "%s" of table %s, whose rows are owners, is %s.', t.name,
            t.relid::regclass, CASE t.enabled WHEN 'D' THEN 'disabled' ELSE 'not enabled always' END),
        format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I; then call envcrypt_manage_owners() again for users from meanwhile.',
            t.relid::regclass, t.name)
    FROM @extschema@.envcrypt_triggers t
    WHERE t.kind = 'users' AND t.enabled <> 'A'
    ORDER BY t.relid::regclass::text COLLATE "C", t.name COLLATE "C")
    UNION ALL
    (SELECT 'managed owners', CASE WHEN m.makes AND m.destroys THEN 'advice' ELSE 'error' END,
        format('Table %s, whose rows are owners, lacks %s.', m.relid::regclass,
            CASE WHEN NOT m.makes THEN 'the trigger that makes their keys' WHEN NOT m.destroys
                THEN 'the trigger that destroys their keys' ELSE 'a trigger for TRUNCATE' END),
        format('Call envcrypt_manage_owners(%L, %L, on_delete => %L) again.',
            coalesce(pg_partition_root(m.relid), m.relid::regclass), a.attname,
            CASE WHEN m.destroys OR m.empties THEN 'shred' ELSE 'keep' END)
    FROM (
        SELECT t.relid, max(t.column_number) AS column_number, bool_or(g.tgtype & 4 > 0) AS makes,
            bool_or(g.tgtype & 8 > 0) AS destroys, bool_or(g.tgtype & 32 > 0) AS empties
        FROM @extschema@.envcrypt_triggers t JOIN pg_trigger g ON g.oid = t.trigger
        WHERE t.kind = 'users' GROUP BY t.relid
    ) AS m
    JOIN pg_attribute a ON a.attrelid = m.relid AND a.attnum = m.column_number
    WHERE NOT m.makes OR m.destroys <> m.empties
    ORDER BY m.relid::regclass::text COLLATE "C")
    UNION ALL
    (SELECT 'trigger order', 'error', format('Trigger "%s" of table %s fires after envcrypt''s "%s", by its name.', g.tgname,
            g.tgrelid::regclass, min(t.name)),
        format('ALTER TRIGGER %I ON %s RENAME TO a name that sorts before; then envcrypt_verify() finds what it has stored '
            'unbound.', g.tgname, g.tgrelid::regclass)
    FROM @extschema@.envcrypt_triggers t
    JOIN pg_trigger g ON g.tgrelid = t.relid AND g.tgname COLLATE "C" > t.name COLLATE "C" AND g.tgtype & 3 = 3
        AND g.tgtype & 20 <> 0 AND g.tgenabled <> 'D'
    WHERE t.kind IN ('owner', 'sync') AND NOT EXISTS (SELECT FROM @extschema@.envcrypt_triggers o WHERE o.trigger = g.oid)
    GROUP BY g.tgname, g.tgrelid
    ORDER BY g.tgrelid::regclass::text COLLATE "C", g.tgname COLLATE "C")
    UNION ALL
    (SELECT 'unfinished protection', 'advice',
        format('envcrypt_protect_online() has begun with column "%s" of table %s and not ended.', a.attname,
            t.relid::regclass),
        'If no session is at it, CALL it again to continue, or envcrypt_protect_online_cancel().'
    FROM @extschema@.envcrypt_triggers t
    JOIN pg_attribute a ON a.attrelid = t.relid AND a.attnum = t.column_number
    WHERE t.kind = 'sync' AND NOT EXISTS (SELECT FROM pg_inherits i
        JOIN @extschema@.envcrypt_triggers p ON p.relid = i.inhparent AND p.kind = 'sync' AND p.context_id = t.context_id
        WHERE i.inhrelid = t.relid)
    ORDER BY t.relid::regclass::text COLLATE "C", a.attname COLLATE "C")
    UNION ALL
    (WITH unprotected AS MATERIALIZED (
        SELECT c."table", c."column" FROM @extschema@.envcrypt_columns c
        JOIN pg_class r ON r.oid = c."table" AND r.relkind IN ('r', 'p') AND r.relpersistence <> 't'
        JOIN pg_attribute a ON a.attrelid = r.oid AND a.attname = c."column"
        WHERE c.protection = 'unprotected' AND NOT EXISTS (SELECT FROM @extschema@.envcrypt_triggers t
            WHERE t.relid = r.oid AND t.twin_number = a.attnum)
    )
    SELECT 'unprotected column', 'advice', format('Table %s has encrypted columns without protection: %s.', u."table",
            string_agg(format('"%s"', u."column"), ', ' ORDER BY u."column" COLLATE "C")),
        'envcrypt_protect() binds values to their columns and rows'' owners: sealed values can be moved until then.'
    FROM unprotected u
    WHERE NOT EXISTS (SELECT FROM pg_inherits i JOIN unprotected p ON p."table" = i.inhparent AND p."column" = u."column"
        WHERE i.inhrelid = u."table")
    GROUP BY u."table"
    ORDER BY u."table"::text COLLATE "C")
$$;
COMMENT ON FUNCTION envcrypt_column_report() IS 'envcrypt: the rows of envcrypt_status() about columns';

CREATE FUNCTION envcrypt_status(OUT "check" text, OUT state text, OUT detail text, OUT advice text)
    RETURNS SETOF record LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 20 SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_status() IS 'one row for each thing to check, with what to do where something is wrong';

REVOKE ALL ON FUNCTION envcrypt_column_report(), envcrypt_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION envcrypt_column_report(), envcrypt_status()
    TO envcrypt_keyadmin, envcrypt_encrypt, envcrypt_decrypt, envcrypt_search;

-- What no operator class can refuse, and what keeps protected tables protected. The first makes sure that the library is
-- there before a command begins. Both are there for all commands: which of them concern us, C knows at once.

CREATE FUNCTION envcrypt_begin_ddl() RETURNS event_trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_begin_ddl() IS 'envcrypt: begins to note what a DDL command makes, changes and drops';
CREATE FUNCTION envcrypt_guard_ddl() RETURNS event_trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_guard_ddl() IS
    'envcrypt: refuses what would make encrypted columns leak or lose values, and keeps the triggers of protected tables';
REVOKE ALL ON FUNCTION envcrypt_begin_ddl(), envcrypt_guard_ddl() FROM PUBLIC;
CREATE EVENT TRIGGER envcrypt_begin_ddl ON ddl_command_start EXECUTE FUNCTION envcrypt_begin_ddl();
CREATE EVENT TRIGGER envcrypt_guard_ddl ON ddl_command_end EXECUTE FUNCTION envcrypt_guard_ddl();
ALTER EVENT TRIGGER envcrypt_begin_ddl ENABLE ALWAYS;
ALTER EVENT TRIGGER envcrypt_guard_ddl ENABLE ALWAYS;
