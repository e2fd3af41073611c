#!/usr/bin/env bash
# `stagecoach test --watch` plays again when one of its files changes, also in an editor's way; what
# `explain` prints of a customer is a case that passes.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
pid=
cleanup() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    [ $failed -eq 0 ] || cat "$work/said"
}
cp "$root"/docs/examples/{polite,dictionary}.yaml "$root/docs/examples/polite.trace" "$work"
cd "$work"

# says N TEXT: within 20 s the N-th run has ended, and its part of the output has the text.
says() {
    local end=$((SECONDS + 20))
    until [ "$(grep -c 'waiting for a change' said)" -ge "$1" ]; do
        [ $SECONDS -lt $end ] || { not_ok "no run $1: $2"; return; }
        sleep 0.05
    done
    # From the summary before it to its own.
    if awk -v n="$1" '/waiting for a change/ { runs++ } runs == n - 1 || runs == n' said | grep -qF -e "$2"; then
        ok
    else
        not_ok "run $1 does not say: $2"
    fi
}

"$stagecoach" test polite.yaml polite.trace --watch >said 2>&1 &
pid=$!
says 1 "2 passed, 0 failed"
sed -i 's/value=40/value=4/' polite.trace # sed puts a new file in its place
says 2 "1 passed, 1 failed"
says 2 "-- polite.trace changed"
sed 's/^version:.*/version: 9.9.9/; s/^events:/event:/' dictionary.yaml >new && cat new >dictionary.yaml
says 3 "error: "
says 3 "-- dictionary.yaml changed"
cp "$root/docs/examples/polite.trace" new && mv new polite.trace
says 4 "-- polite.trace changed"
cp "$root/docs/examples/dictionary.yaml" dictionary.yaml
says 5 "2 passed, 0 failed"
touch other.yaml
sleep 0.3
holds "a file of no concern starts no run" [ "$(grep -c 'waiting for a change' said)" = 5 ]
kill "$pid"
wait "$pid" 2>/dev/null || true
pid=

cp "$root"/docs/examples/{journey.yaml,taxonomy.yaml,events.jsonl} .
"$stagecoach" explain customer --identifier email=ada@example.org journey.yaml --events events.jsonl |
    sed '/^$/,$d' | grep -vE '^  (link|stage) ' >told.trace
holds "explain tells of a timer" grep -q '^\[.*timer cart_abandoned' told.trace
played() { "$stagecoach" test journey.yaml told.trace >said 2>&1; }
holds "what explain told passes" played
sed -i '/guard/d' told.trace
fails() { ! played; }
holds "a message that is not in the case fails it" fails
holds "and it is said" grep -qF "a message that the case does not have" said
