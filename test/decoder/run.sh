#!/usr/bin/env bash
# Checks the decoder, and the server against it. Started by test/run with $WORK and $SOURCE set.
set -uo pipefail

here=$SOURCE/test/decoder
export PYTHONDONTWRITEBYTECODE=1

# shellcheck source=test/cluster.sh
. "$SOURCE/test/cluster.sh"

/usr/bin/python3 "$here/check_vectors.py" "$SOURCE/docs/format.md" || exit 1

# The log is to show whether a backend died; what the tests raise on purpose would only fill it.
cluster_start server log_min_messages=log log_min_error_statement=log \
    restart_after_crash=off max_connections=20 || exit 1
/usr/bin/python3 "$here/check_server.py" "$SOURCE/docs/format.md" "$WORK"
status=$?
if grep -qE 'terminated by signal|PANIC|TRAP:' "$WORK/server.log"; then
    echo "not ok - the server's log tells of a crash"
    grep -E 'terminated by signal|PANIC|TRAP:' "$WORK/server.log" | sed 's/^/#   /'
else
    echo "ok - the server's log tells of no crash"
fi
cluster_stop server
exit $status
