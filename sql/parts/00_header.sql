\echo Use "CREATE EXTENSION envcrypt" to load this file. \quit

-- This script runs as a superuser, in a schema in which others may have made functions and operators that fit a call
-- better than PostgreSQL's own. So nothing here is found by a search path that contains that schema: what is called is
-- exactly pg_catalog's, or runs with a search_path of its own, and what dynamic statements name is qualified.
--
-- What is for users is described so. A comment that begins with "envcrypt:" is of a part of something else. All of that
-- runs as the caller, so that table owners can execute it: each function that opens, seals or makes keys checks the
-- right.
