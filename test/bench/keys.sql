-- Makes data keys in one statement. Variables: first, last.

\timing on
SELECT count(envcrypt_create_user_key('owner' || i)) FROM generate_series(:first, :last) AS i \g /dev/null
\timing off
VACUUM ANALYZE envcrypt_data_keys;
