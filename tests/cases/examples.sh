#!/usr/bin/env bash
# The sample journeys of schemas/examples: `check --strict` has nothing to say of them, their own tests pass,
# and what their events (where they have any) lead to by the end of the year is in the file `effects`, a line each:
#
#   AT TYPE RULE CHANNEL|REASON|STAGE-LEFT [until TIME] by EVENT-IDS
#
# `--update` writes `effects` anew: read the difference before committing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
stagecoach=$(realpath "${STAGECOACH:-$root/build/dev/stagecoach}")
cd "$root/schemas/examples"
command -v jq >/dev/null || { echo "jq is missing: apt install jq"; exit 77; }
passed=0 failed=0
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

short='select(.type != "summary") |
    [.at, .type, .rule,
     .channel // .reason // (if .type == "transition" then .from else empty end),
     (.until // empty | "until " + .), "by " + (.events | join(","))] | join(" ")'

# told NAME COMMAND…: counts whether the command went well, and shows what it said when not.
told() {
    local name=$1
    shift
    if "$@" >"$out/said" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok: $name: $*"
        cat "$out/said"
    fi
}

clean() {
    "$stagecoach" check --strict journey.yaml >"$out/check" || { cat "$out/check"; return 1; }
    grep -qx '2 files: 0 errors, 0 warnings' "$out/check"
}

plays() {
    "$stagecoach" simulate journey.yaml --events events.jsonl --max-invalid 0 \
        --until 2026-12-31T00:00:00Z --effects "$out/effects.jsonl" || return 1
    jq -r "$short" "$out/effects.jsonl" >"$out/effects" || return 1
    [ "$1" != --update ] || cp "$out/effects" effects
    diff -u effects "$out/effects"
}

for example in */; do
    cd "$example"
    told "$example" clean
    told "$example" "$stagecoach" test journey.yaml
    [ ! -e events.jsonl ] || told "$example" plays "${1-}"
    cd ..
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
