#!/usr/bin/env bash
# The sample journeys of schemas/examples: `check --strict` has nothing to say of them, their own tests pass,
# and what their events (where they have any) lead to by the end of the year is in the file `effects`, a line each:
#
#   AT TYPE RULE CHANNEL|REASON|STAGE-LEFT [until TIME] by EVENT-IDS
#
# `--update` writes `effects` anew: read the difference before committing.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
cd "$root/schemas/examples"
needs jq

short='select(.type != "summary") |
    [.at, .type, .rule,
     .channel // .reason // (if .type == "transition" then .from else empty end),
     (.until // empty | "until " + .), "by " + (.events | join(","))] | join(" ")'

# told NAME COMMAND…: counts whether the command went well, and shows what it said when not.
told() {
    local name=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        ok
    else
        not_ok "$name: $*"
        cat "$work/said"
    fi
}

clean() {
    "$stagecoach" check --strict journey.yaml >"$work/check" || { cat "$work/check"; return 1; }
    grep -qx '2 files: 0 errors, 0 warnings' "$work/check"
}

plays() {
    "$stagecoach" simulate journey.yaml --events events.jsonl --max-invalid 0 \
        --until 2026-12-31T00:00:00Z --effects "$work/effects.jsonl" || return 1
    jq -r "$short" "$work/effects.jsonl" >"$work/effects" || return 1
    [ "$1" != --update ] || cp "$work/effects" effects
    diff -u effects "$work/effects"
}

for example in */; do
    cd "$example"
    told "$example" clean
    told "$example" "$stagecoach" test journey.yaml
    [ ! -e events.jsonl ] || told "$example" plays "${1-}"
    cd ..
done
