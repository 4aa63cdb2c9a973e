-- What no operator class can refuse, and what keeps protected tables protected. The first makes sure that the library
-- is there before a command begins. Both are there for all commands: which of them concern us, C knows at once.

CREATE FUNCTION envcrypt_begin_ddl() RETURNS event_trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_begin_ddl() IS 'envcrypt: begins to note what a DDL command makes, changes and drops';
CREATE FUNCTION envcrypt_guard_ddl() RETURNS event_trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME';
COMMENT ON FUNCTION envcrypt_guard_ddl() IS
    'envcrypt: refuses what would make encrypted columns leak or lose values, '
    'and keeps the triggers of protected tables';
REVOKE ALL ON FUNCTION envcrypt_begin_ddl(), envcrypt_guard_ddl() FROM PUBLIC;
CREATE EVENT TRIGGER envcrypt_begin_ddl ON ddl_command_start EXECUTE FUNCTION envcrypt_begin_ddl();
CREATE EVENT TRIGGER envcrypt_guard_ddl ON ddl_command_end EXECUTE FUNCTION envcrypt_guard_ddl();
ALTER EVENT TRIGGER envcrypt_begin_ddl ENABLE ALWAYS;
ALTER EVENT TRIGGER envcrypt_guard_ddl ENABLE ALWAYS;
