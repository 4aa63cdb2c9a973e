#!/usr/bin/env bash
# Prints the peak memory of the process $BACKEND: all of it, and without the buffers that it shares with the server.
# The latter has no peak counter in the kernel, so `before` leaves a sampler behind, whose result `after` prints.
set -euo pipefail

peak=$WORK/private_peak
field() { sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$BACKEND/status"; }

sample() {
    local most=0 now
    while now=$(field RssAnon 2>/dev/null) && [ -n "$now" ] && [ ! -e "$peak.stop" ]; do
        [ "$now" -le "$most" ] || { most=$now; echo "$most" >"$peak"; }
        sleep 0.02
    done
}

case $1 in
before)
    rm -f "$peak" "$peak.stop"
    sample >/dev/null 2>&1 </dev/null &
    ;;
after) touch "$peak.stop" ;;
esac
echo "$1 VmHWM $(field VmHWM) RssAnon $(if [ "$1" = after ]; then cat "$peak"; else field RssAnon; fi)"
