-- Triggers: their functions, and the one place that reads them. A WHEN clause names the columns, so that renaming,
-- dumping and partitioning keep it right; the arguments are the context id, what a row without an owner is, the
-- column's type, its storage and its valid checks as they were before.

CREATE FUNCTION envcrypt_owner_trigger() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_owner_trigger() IS
    'envcrypt: binds the values of a protected column to their row''s owner';

CREATE FUNCTION envcrypt_shadow_trigger() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_shadow_trigger() IS
    'envcrypt: keeps the encrypted shadow column of a plain column in step while envcrypt_protect_online() works';

CREATE FUNCTION envcrypt_managed_owner_trigger() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_managed_owner_trigger() IS
    'envcrypt: makes a data key with each user, and destroys it with the user where that was asked for';

CREATE FUNCTION envcrypt_expression_columns(expression pg_catalog.pg_node_tree, with_null_tests boolean)
    RETURNS smallint[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_expression_columns(pg_catalog.pg_node_tree, boolean) IS
    'envcrypt: the numbers of the columns that an expression names, 0 for the whole row; null tests may be left out';

CREATE FUNCTION envcrypt_trigger_arguments(arguments bytea) RETURNS text[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_trigger_arguments(bytea) IS 'envcrypt: pg_trigger.tgargs as an array';

SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);

CREATE VIEW @extschema@.envcrypt_triggers AS
SELECT t.oid AS trigger, f.kind, t.tgrelid AS relid, t.tgname AS name, t.tgenabled AS enabled, t.tgparentid AS parent,
    c.numbers[1] AS column_number, CASE f.kind WHEN 'shadow' THEN c.numbers[2] END AS shadow_number,
    CASE f.kind WHEN 'owner' THEN c.numbers[2] WHEN 'shadow' THEN c.numbers[3] END AS owner_number,
    CASE WHEN a.words[1] ~ '^[0-9]{1,5}$' THEN a.words[1]::integer END AS context_id,
    a.words[2] AS null_owner, a.words[3] AS original_type, a.words[4] AS original_storage, a.words[5:] AS valid_checks
FROM pg_trigger t
JOIN (VALUES ('@extschema@.envcrypt_owner_trigger()'::regprocedure, 'owner'),
             ('@extschema@.envcrypt_shadow_trigger()', 'shadow'),
             ('@extschema@.envcrypt_managed_owner_trigger()', 'users')) AS f (function, kind) ON t.tgfoid = f.function
CROSS JOIN LATERAL (SELECT @extschema@.envcrypt_expression_columns(t.tgqual, true)) AS c (numbers)
CROSS JOIN LATERAL (SELECT @extschema@.envcrypt_trigger_arguments(t.tgargs)) AS a (words);
COMMENT ON VIEW @extschema@.envcrypt_triggers IS
    'envcrypt: our triggers: of protected columns (owner), of columns being protected (shadow), '
    'of tables of users (users)';
GRANT SELECT ON @extschema@.envcrypt_triggers TO PUBLIC;

CREATE VIEW @extschema@.envcrypt_owner_triggers AS
SELECT * FROM @extschema@.envcrypt_triggers WHERE kind = 'owner';
COMMENT ON VIEW @extschema@.envcrypt_owner_triggers IS 'envcrypt: the triggers of protected columns';
GRANT SELECT ON @extschema@.envcrypt_owner_triggers TO PUBLIC;

SELECT pg_catalog.set_config('search_path', '@extschema@, pg_temp', true);
