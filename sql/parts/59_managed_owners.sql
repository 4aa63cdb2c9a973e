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
        SELECT t.parent, a.attname,
            (SELECT p.tgrelid FROM pg_trigger AS p WHERE p.oid = t.parent)::regclass AS parent_table
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
    EXECUTE format('CREATE TRIGGER "!envcrypt_owners" AFTER INSERT OR UPDATE ON %s FOR EACH ROW '
        'WHEN (new.%I IS NOT NULL) EXECUTE FUNCTION @extschema@.envcrypt_managed_owner_trigger()', "table", "column");
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER "!envcrypt_owners"', "table");
    IF on_delete = 'shred' THEN
        EXECUTE format('CREATE TRIGGER "!envcrypt_owners_delete" AFTER DELETE ON %s FOR EACH ROW '
            'WHEN (old.%I IS NOT NULL) EXECUTE FUNCTION @extschema@.envcrypt_managed_owner_trigger()',
            "table", "column");
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
            USING HINT = 'For a new key, a key administrator runs '
                'envcrypt_create_user_key(owner, after_shred => true).';
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
