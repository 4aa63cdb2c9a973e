-- Rotates the master key in a backend of its own, and reports that backend's memory before and after.

SELECT pg_backend_pid() AS pid \gset
\setenv BACKEND :pid
\! bash "$SOURCE/test/bench/memory.sh" before
\timing on
SELECT envcrypt_rotate_master();
\timing off
\! bash "$SOURCE/test/bench/memory.sh" after
