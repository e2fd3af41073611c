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
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
cd "$root/tests/cases/simulate"
needs jq
update=
[ "${1-}" != --update ] || { update=yes; shift; }

play() {
    local args=()
    [ ! -f args ] || read -ra args <args
    "$stagecoach" simulate journey.yaml --events events.jsonl --quiet "${args[@]}" "$@"
}

# One s-command a member: the pseudonym of the plain run beside the identifier of the revealed one.
names() {
    jq -nr --slurpfile raw "$work/revealed" --slurpfile hex "$work/plain" '
        [$raw, $hex] | map([.[].members | to_entries[].value[]]) | transpose[] |
        "s|\"\(.[1])\"|\"\(.[0])\"|g"' >"$work/names"
}

run() {
    local rc=0
    play --effects "$work/effects.jsonl" --customers "$work/revealed" --reveal 2>"$work/stderr" || rc=$?
    play --effects "$work/again" --customers "$work/plain" 2>/dev/null || true
    if [ $rc != 0 ] || [ -s "$work/stderr" ]; then echo "exit $rc" >>"$work/stderr"; fi
    names
    sed -f "$work/names" "$work/effects.jsonl" | jq -nr -f ../compact.jq >"$work/effects"
    sed -f "$work/names" "$work/revealed" | LC_ALL=C sort >"$work/customers"
}

# same EXPECTED SEEN
same() {
    [ -z "$update" ] || cp "$2" "$1"
    diff -u --label "$name/$1" --label "seen" "$1" "$2"
}

check() {
    local file ok=0
    rm -f "$work"/*
    run
    [ -f stderr ] || touch "$work/silent"
    for file in effects customers effects.jsonl; do
        if [ -f $file ]; then same $file "$work/$file" || ok=1; fi
    done
    if [ -f stderr ]; then same stderr "$work/stderr" || ok=1
    elif [ -s "$work/stderr" ]; then cat "$work/stderr"; ok=1; fi
    cmp "$work/effects.jsonl" "$work/again" || ok=1
    return $ok
}

for about in ${1:-*}/about; do
    name=${about%/about}
    if (cd "$name" && check); then ok; else not_ok "$name"; fi
done
