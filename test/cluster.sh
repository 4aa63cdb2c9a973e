# cluster.sh: throw-away PostgreSQL clusters for demo, benchmark and tests. Sourced by bash scripts that run as an
# unprivileged user in a directory of their own (test/run sees to both).
#
#   cluster_start NAME [SETTING=VALUE ...]   initdb, start on a Unix socket in $WORK, export PGHOST, PGUSER, PGDATA
#   cluster_restart NAME                     restart it
#   cluster_stop NAME                        stop it at once
#   cluster_master_key                       print a new master key
#
# test/run stops every server below $WORK and removes $WORK, also after a failure.

cluster_start() {
    local name=$1 data=$WORK/$1
    shift
    initdb --pgdata="$data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-instructions \
        --no-sync >"$WORK/$name.initdb.log" 2>&1 || { cat "$WORK/$name.initdb.log" >&2; return 1; }
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$WORK'"
        echo "shared_preload_libraries = 'envcrypt'"
        local setting
        for setting in "$@"; do
            echo "${setting%%=*} = '${setting#*=}'"
        done
    } >>"$data/postgresql.conf"
    export PGHOST=$WORK PGUSER=postgres PGDATABASE=postgres PGDATA=$data
    pg_ctl --pgdata="$data" --log="$WORK/$name.log" --wait start >/dev/null || { cat "$WORK/$name.log" >&2; return 1; }
}

cluster_restart() {
    pg_ctl --pgdata="$WORK/$1" --log="$WORK/$1.log" --mode=fast --wait restart >/dev/null
}

cluster_stop() {
    pg_ctl --pgdata="$WORK/$1" --mode=immediate stop >/dev/null
}

cluster_master_key() {
    head -c 32 /dev/urandom | base64 -w 0
}
