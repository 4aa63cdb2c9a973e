#!/usr/bin/env bash
# What DDL costs where the extension is installed and no column is encrypted: ratios of a backend's processor time to
# that in a database without the extension, with few tables and with 4,000 more. Expects a server, as PGHOST and PGUSER
# say.
#
# Two sessions take turns every ten statements, so that what else the machine does falls on both.
#
#   BENCH_DDL_ROUNDS   turns of each kind of statement, of which the lower quartile counts (60)
set -euo pipefail

rounds=${BENCH_DDL_ROUNDS:-60}
turn=10
more=4000
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run_psql() { psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }

# Nanoseconds that a backend has been on a processor.
clock="split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint"

kinds=(
    'CREATE TEMP TABLE|CREATE TEMP TABLE passing_@ (a int, b text)'
    'CREATE TABLE|CREATE TABLE staying_@ (a int, b text)'
    'ALTER TABLE SET STATISTICS|ALTER TABLE staying_@ ALTER a SET STATISTICS 100'
    'ALTER TABLE ADD COLUMN|ALTER TABLE staying_@ ADD COLUMN c int'
    'CREATE INDEX|CREATE INDEX ON staying_@ (a)'
    'CREATE FUNCTION|CREATE FUNCTION made_@(int) RETURNS int LANGUAGE sql RETURN 1'
    'GRANT|GRANT SELECT ON staying_@ TO pg_monitor'
    'DROP FUNCTION|DROP FUNCTION made_@'
    'DROP TABLE|DROP TABLE staying_@'
    'DROP TABLE (temporary)|DROP TABLE passing_@'
)

# measure DESCRIPTOR STATEMENT: asks a session; @ in the statement is a number.
measure() {
    local i
    {
        echo "SELECT $clock AS start \\gset"
        for ((i = 1; i <= turn; i++)); do echo "${2//@/$i};"; done
        echo "SELECT ($clock - :start) / 1000.0 / $turn;"
    } >&"$1"
}

for database in ddl_plain ddl_installed; do
    run_psql --command="CREATE DATABASE $database"
done
run_psql --dbname=ddl_installed --command="SET client_min_messages = error; CREATE EXTENSION envcrypt"

for tables in 0 $more; do
    for database in ddl_plain ddl_installed; do
        for ((i = 1; i <= tables; i++)); do
            echo "CREATE TABLE more_$i (a int PRIMARY KEY, b text);"
        done | run_psql --dbname="$database"
        mkfifo "$work/$database.in.$tables" "$work/$database.out.$tables"
        run_psql --tuples-only --no-align --dbname="$database" <"$work/$database.in.$tables" \
            >"$work/$database.out.$tables" &
    done
    exec 3>"$work/ddl_plain.in.$tables" 4<"$work/ddl_plain.out.$tables" \
        5>"$work/ddl_installed.in.$tables" 6<"$work/ddl_installed.out.$tables"
    # The first turn fills caches.
    for ((round = 0; round <= rounds; round++)); do
        for kind in "${kinds[@]}"; do
            measure 3 "${kind#*|}" && read -r plain <&4
            measure 5 "${kind#*|}" && read -r installed <&6
            [ "$round" -eq 0 ] || echo "$tables|${kind%%|*}|$plain|$installed"
        done
    done >>"$work/figures"
    exec 3>&- 4<&- 5>&- 6<&-
    wait
done

echo "Microseconds of a backend's processor time a statement, without the extension, and the ratio with it"
quartile() { # TABLES KIND COLUMN
    awk -F'|' -v tables="$1" -v kind="$2" -v at="$3" '$1 == tables && $2 == kind { print $at }' "$work/figures" |
        sort -g | sed -n "$((rounds / 4 + 1))p"
}
ratio() { awk -v a="$(quartile "$1" "$2" 4)" -v b="$(quartile "$1" "$2" 3)" 'BEGIN { printf "%.2f", a / b }'; }
printf '%-28s %10s %8s   %s\n' "" us ratio "ratio with $more tables more"
for kind in "${kinds[@]}"; do
    name=${kind%%|*}
    printf '%-28s %10.1f %8s   %s\n' "$name" "$(quartile 0 "$name" 3)" "$(ratio 0 "$name")" "$(ratio "$more" "$name")"
done
echo "Target: <= 1.10"
