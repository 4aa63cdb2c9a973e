-- Makes data keys up to a number. Variables: first, last.

\timing on
SELECT count(envcrypt_create_user_key('owner' || i)) FROM generate_series(:first, :last) AS i;
\timing off
VACUUM ANALYZE envcrypt_data_keys;
