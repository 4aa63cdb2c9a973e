#!/usr/bin/env bash
# Compares envcrypt with plain text, with pgcrypto and with what OpenSSL alone costs; then rotates many data keys.
# Asserts nothing: targets stand beside the figures. Run it with `test/run bench`.
#
#   BENCH_ROWS   rows of each table (1,000,000)
#   BENCH_KEYS   data keys in the rotation (1,000,000); a tenth of them is measured first
set -euo pipefail

# shellcheck source=test/cluster.sh
source "$SOURCE/test/cluster.sh"

rows=${BENCH_ROWS:-1000000}
data_keys=${BENCH_KEYS:-1000000}
few=${BENCH_PGP_ROWS:-20000} # pgcrypto's PGP functions take a millisecond a value
few=$((rows < few ? rows : few))
rounds=5
here=$SOURCE/test/bench
keys=$WORK/secrets/master.keys

group() { sed ':a; s/\B[0-9]\{3\}\>/,&/; ta' <<<"$1"; }
say() { printf '\n== %s\n' "$*"; }
run_psql() { psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$@"; }
answers() { run_psql --tuples-only --no-align "$@"; }

compile() {
    g++ -O2 -std=c++20 "$here/evp_limit.cpp" -lcrypto -o "$WORK/evp_limit"
    g++ -O2 -std=c++20 -I"$SOURCE/src" "$here/core_bench.cpp" "$SOURCE"/src/core/*.cpp -lbenchmark -lcrypto -lpthread \
        -o "$WORK/core_bench"
}

# A new key on top of the file; every backend started from now on reads it.
add_key() {
    (umask 077 && { cluster_master_key; echo; cat "$keys" 2>/dev/null || true; } >"$keys.new")
    mv "$keys.new" "$keys"
}

start() {
    mkdir -p "$WORK/secrets"
    add_key
    cluster_start bench shared_buffers=512MB fsync=off synchronous_commit=off autovacuum=off max_wal_size=8GB \
        "envcrypt.master_key_file=$keys"
    echo "PostgreSQL $(answers --command='SHOW server_version'), $(openssl version | cut -d' ' -f1,2)," \
        "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors"
}

# All rounds run in one backend; the limit is measured between them, on the machine as it is then.
compare() {
    local round
    run_psql --output=/dev/null --set=rows="$rows" --set=few="$few" \
        --set=copy_file="$WORK/plain.copy" --file="$here/schema.sql"
    run_psql --command="VACUUM ANALYZE"
    for ((round = 0; round <= rounds; round++)); do
        printf '\\set round %s\n\\i %s/round.sql\n' "$round" "$here"
        [ "$round" -eq 0 ] || printf '\\! "%s/evp_limit" %s 1000 >>"%s/limit"\n' "$WORK" "$rows" "$WORK"
    done >"$WORK/rounds.sql"
    run_psql --output=/dev/null --set=copy_file="$WORK/plain.copy" --file="$WORK/rounds.sql"
    run_psql --set=rows="$rows" --set=few="$few" --set=limit_open="$(limit open)" --set=limit_seal="$(limit seal)" \
        --file="$here/report.sql"
}

# limit open|seal: the median of the rounds.
limit() { sed -n "s/^$1 //p" "$WORK/limit" | sort -g | sed -n "$(((rounds + 1) / 2))p"; }

protect() { run_psql --set=rows="$rows" --file="$here/protect.sql"; }

milliseconds() { sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' <<<"$1"; }

# rotate FIRST LAST: makes the data keys of those numbers, and rotates all there are.
rotate() {
    local report made
    report=$(answers --dbname=many_keys --set=first="$1" --set=last="$2" --file="$here/keys.sql")
    made=$(milliseconds "$report")
    add_key
    answers --command="SELECT pg_reload_conf()" >/dev/null
    sleep 1
    report=$(answers --dbname=many_keys --file="$here/rotate.sql")
    awk -v made="$made" -v number="$(($2 - $1 + 1))" -v ms="$(milliseconds "$report")" '
        $1 == "before" { whole = $3; private = $5 }
        $1 == "after" { whole_after = $3; private_after = $5 }
        /^[0-9]+$/ { rewrapped = $1 }
        END {
            printf "%12d %14.0f %12.2f %14.2f   %6.1f -> %7.1f   %6.1f -> %7.1f\n", rewrapped, number / made * 1000,
                ms / 1000, ms * 1000 / rewrapped, whole / 1024, whole_after / 1024, private / 1024, private_after / 1024
        }' <<<"$report"
}

rotation() {
    run_psql --command="CREATE DATABASE many_keys"
    run_psql --output=/dev/null --dbname=many_keys \
        --command="SET client_min_messages = error" --command="CREATE EXTENSION envcrypt" \
        --command="SELECT envcrypt_rotate_master()"
    echo "Times by psql's timing. Memory in MB of the backend before the call,"
    echo "and at its peak: VmHWM, which counts the shared buffers that it touched, \
and its own alone (RssAnon, sampled)."
    echo "   re-wrapped   keys made/s   rotation s      us a key   VmHWM               own"
    rotate 1 $((data_keys / 10))
    rotate $((data_keys / 10 + 1)) "$data_keys"
    echo "Target: rotation of 1,000,000 data keys <= 15 s"
}

# SET ROLE, in a database without envcrypt, of a server that preloads the library and of one that does not; by turns.
set_role() {
    local round
    run_psql --command="CREATE DATABASE bare"
    (cluster_start without "shared_preload_libraries=" "port=5433" autovacuum=off fsync=off)
    for ((round = 1; round <= rounds; round++)); do
        answers --field-separator=' ' --dbname=bare --file="$here/set_role.sql" | sed 's/^/with /'
        PGPORT=5433 answers --field-separator=' ' --file="$here/set_role.sql" | sed 's/^/without /'
    done | awk '
        { key = $1 " " $2; if (!(key in least) || $3 < least[key]) least[key] = $3 }
        END {
            split("two seven", tables)
            for (i = 1; i <= 2; i++)
                printf "SET ROLE; a function that joins %s tables; RESET ROLE: %.1f us, " \
                    "with the library preloaded %.1f us, ratio %.2f\n",
                    tables[i], least["without " tables[i]], least["with " tables[i]],
                    least["with " tables[i]] / least["without " tables[i]]
        }'
    echo "Target: ratio <= 1.05"
    cluster_stop without
}

compile
start
say "$(group "$rows") rows of 32 bytes, 1,000 owners, one backend, no parallel query, no JIT; medians of $rounds"
compare
protect
say "DDL on plain tables"
bash "$here/ddl.sh"
say "SET ROLE where nothing is encrypted"
set_role
say "rotation of the master key"
rotation
say "src/core alone (Google Benchmark)"
"$WORK/core_bench" --benchmark_min_time=0.2 2>/dev/null
