# shellcheck shell=bash
# stages.sh: runs commands that each end with a line "N passed, N failed", and adds them up. Sourced by bash scripts.
#
#   stage NAME WHY COMMAND...   runs it; one that exits with 75 cannot be run here and now, for the reason WHY, and is
#                               counted as skipped
#   stages_result               names what failed and what was skipped, prints the sum; returns whether nothing failed

stages_passed=0
stages_failed=0
stages_failures=
stages_skipped=

stage() {
    local name=$1 why=$2 log line status
    shift 2
    log=$(mktemp)
    printf '\n==== %s\n' "$name"
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    if [ "$status" -eq 75 ]; then
        stages_skipped+="skipped: $name ($why)"$'\n'
    else
        line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
        stages_skipped+=$(grep '^skipped: ' "$log")
        stages_skipped=${stages_skipped:+${stages_skipped%$'\n'}$'\n'}
        local passed=${line%% *} failed=${line##*, }
        failed=${failed%% *}
        stages_passed=$((stages_passed + ${passed:-0}))
        stages_failed=$((stages_failed + ${failed:-0}))
        stages_failures+=$(awk -v name="$name" '/^== failed/ { on = 1; next } /^==/ { on = 0 }
            on && NF { print name ": " $0 }' "$log")
        stages_failures=${stages_failures:+${stages_failures%$'\n'}$'\n'}
        # A stage that ended early has no line, or none that tells.
        if [ -z "$line" ] || { [ "$status" -ne 0 ] && [ "${failed:-0}" -eq 0 ]; }; then
            stages_failed=$((stages_failed + 1))
            stages_failures+="$name: ended with status $status before its result"$'\n'
        fi
    fi
    rm -f "$log"
}

stages_result() {
    [ -z "$stages_failures" ] || printf '\n== failed\n%s' "$stages_failures"
    printf '\n== result\n%s' "$stages_skipped"
    echo "$stages_passed passed, $stages_failed failed"
    [ "$stages_failed" -eq 0 ]
}
