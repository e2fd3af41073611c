#!/usr/bin/env bash
# What `stagecoach simulate` makes of small journeys: one line of semantics a case, worked out by hand.
#
# tests/cases/simulate/NAME/ holds `about` (the line, and why the figures are right), journey.yaml,
# events.jsonl, `args` (further options) and what is expected:
#   effects        one a line in the short form of compact.jq: always there
#   customers      the --customers lines, names for ids, in order of line
#   effects.jsonl  the effects to the byte
#   stderr         what it says there and `exit STATUS`; without the file nothing and 0
# In all but effects.jsonl a node stands by its raw identifier. Timers of one instant go by node, so bob's come before
# ann's; no line of semantics says which. Each case runs twice, once with pseudonyms:
# the effects must be the same. `--update` writes what is expected: read the difference before committing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
stagecoach=$(realpath "${STAGECOACH:-$root/build/dev/stagecoach}")
cd "$root/tests/cases/simulate"
command -v jq >/dev/null || { echo "jq is missing: apt install jq"; exit 77; }
update=
[ "${1-}" != --update ] || { update=yes; shift; }
passed=0 failed=0
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

play() {
    local args=()
    [ ! -f args ] || read -ra args <args
    "$stagecoach" simulate journey.yaml --events events.jsonl --quiet "${args[@]}" "$@"
}

# One s-command a member: the pseudonym of the plain run beside the identifier of the revealed one.
names() {
    jq -nr --slurpfile raw "$out/revealed" --slurpfile hex "$out/plain" '
        [$raw, $hex] | map([.[].members | to_entries[].value[]]) | transpose[] |
        "s|\"\(.[1])\"|\"\(.[0])\"|g"' >"$out/names"
}

run() {
    local rc=0
    play --effects "$out/effects.jsonl" --customers "$out/revealed" --reveal 2>"$out/stderr" || rc=$?
    play --effects "$out/again" --customers "$out/plain" 2>/dev/null || true
    if [ $rc != 0 ] || [ -s "$out/stderr" ]; then echo "exit $rc" >>"$out/stderr"; fi
    names
    sed -f "$out/names" "$out/effects.jsonl" | jq -nr -f ../compact.jq >"$out/effects"
    sed -f "$out/names" "$out/revealed" | LC_ALL=C sort >"$out/customers"
}

# same EXPECTED SEEN
same() {
    [ -z "$update" ] || cp "$2" "$1"
    diff -u --label "$name/$1" --label "seen" "$1" "$2"
}

check() {
    local file ok=0
    rm -f "$out"/*
    run
    [ -f stderr ] || touch "$out/silent"
    for file in effects customers effects.jsonl; do
        if [ -f $file ]; then same $file "$out/$file" || ok=1; fi
    done
    if [ -f stderr ]; then same stderr "$out/stderr" || ok=1
    elif [ -s "$out/stderr" ]; then cat "$out/stderr"; ok=1; fi
    cmp "$out/effects.jsonl" "$out/again" || ok=1
    return $ok
}

for about in ${1:-*}/about; do
    name=${about%/about}
    if (cd "$name" && check); then passed=$((passed + 1)); else failed=$((failed + 1)); echo "not ok: $name"; fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
