#!/usr/bin/env bash
# What DDL costs where the extension is installed and no column is encrypted: ratios of a backend's processor time to that
# in a database without the extension, with few tables and with 4,000 more. Expects a server, as PGHOST and PGUSER say.
#
#   BENCH_DDL_ROUNDS   rounds, of which each figure is the least (5)     BENCH_DDL_COUNT   statements of a kind in each (200)
set -euo pipefail

rounds=${BENCH_DDL_ROUNDS:-5}
count=${BENCH_DDL_COUNT:-200}
more=4000
script=$(mktemp)
figures=$(mktemp)
trap 'rm -f "$script" "$figures"' EXIT

run_psql() { psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }

# Nanoseconds that this backend has been on a processor.
clock="split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint"

# measure NAME STATEMENT: @ in the statement is the number of its turn.
measure() {
    local i
    echo "SELECT $clock AS start \\gset"
    for ((i = 1; i <= count; i++)); do echo "${2//@/$i};"; done
    echo "SELECT '$1', ($clock - :start) / 1000.0 / $count;"
}

{
    echo "SET client_min_messages = error; CREATE TEMP TABLE first (a int); DROP TABLE first;"
    measure 'CREATE TEMP TABLE' 'CREATE TEMP TABLE passing_@ (a int, b text)'
    measure 'CREATE TABLE' 'CREATE TABLE staying_@ (a int, b text)'
    measure 'ALTER TABLE SET STATISTICS' 'ALTER TABLE staying_@ ALTER a SET STATISTICS 100'
    measure 'ALTER TABLE ADD COLUMN' 'ALTER TABLE staying_@ ADD COLUMN c int'
    measure 'CREATE INDEX' 'CREATE INDEX ON staying_@ (a)'
    measure 'CREATE FUNCTION' 'CREATE FUNCTION made_@(int) RETURNS int LANGUAGE sql RETURN 1'
    measure 'GRANT' 'GRANT SELECT ON staying_@ TO pg_monitor'
    measure 'DROP FUNCTION' 'DROP FUNCTION made_@'
    measure 'DROP TABLE' 'DROP TABLE staying_@'
    measure 'DROP TABLE (temporary)' 'DROP TABLE passing_@'
} >"$script"

for database in ddl_plain ddl_installed; do
    run_psql --command="CREATE DATABASE $database"
done
run_psql --dbname=ddl_installed --command="SET client_min_messages = error; CREATE EXTENSION envcrypt"

for tables in 0 $more; do
    if [ "$tables" -gt 0 ]; then
        for database in ddl_plain ddl_installed; do
            for ((i = 1; i <= tables; i++)); do
                echo "CREATE TABLE more_$i (a int PRIMARY KEY, b text);"
            done | run_psql --dbname="$database"
            run_psql --dbname="$database" --command=CHECKPOINT
        done
    fi
    for ((round = 1; round <= rounds; round++)); do
        for database in ddl_plain ddl_installed; do
            run_psql --dbname="$database" --tuples-only --no-align --file="$script" | sed "s/^/$database|$tables|/"
        done
    done
done >"$figures"

echo "Microseconds of a backend's processor time a statement, without the extension, and the ratio with it"
awk -F'|' -v more="$more" '
    { key = $1 "|" $2 "|" $3; if (!(key in least) || $4 < least[key]) least[key] = $4
      if (!($3 in seen)) { seen[$3] = 1; name[++names] = $3 } }
    function ratio(tables, what) { return least["ddl_installed|" tables "|" what] / least["ddl_plain|" tables "|" what] }
    END {
        printf "%-28s %10s %8s   %s\n", "", "us", "ratio", "ratio with " more " tables more"
        for (i = 1; i <= names; i++)
            printf "%-28s %10.1f %8.2f   %.2f\n", name[i], least["ddl_plain|0|" name[i]], ratio(0, name[i]), ratio(more, name[i])
    }' "$figures"
echo "Target: <= 1.10"
