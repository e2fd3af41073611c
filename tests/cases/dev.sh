#!/bin/bash
# stagecoach dev: triggers within two seconds, a summary, an orderly end, nothing left behind.
set -u
bin=${STAGECOACH:?the binary under test}
[ -x "$bin" ] || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() { echo "dev.sh: $*" >&2; cat "$dir/out" "$dir/err" >&2; exit 1; }

cd "$dir" || exit 1
"$bin" dev --seconds 8 >out 2>err || fail "exit code $?"
[ -s err ] && fail "it complains"
grep -q ' trigger .* order_thanks by email' out || fail "no trigger"
grep -q ' trigger .* cart_abandoned by email' out || grep -q CONSENT out || fail "no timer fired"
grep -q ' transition .* visitor -> ' out || fail "no transition"
grep -Eq '^[0-9]+ events, ' out || fail "no summary"
grep -Eq '^dead letters 0,' out || fail "the built-in shop makes dead letters"
[ "$(ls "$dir" | wc -l)" = 2 ] || fail "files were left: $(ls "$dir")"

# A first trigger within two seconds of the start, and exit 0 on SIGTERM.
"$bin" dev >out 2>err &
pid=$!
for _ in $(seq 20); do
    sleep 0.1
    grep -q ' trigger ' out && break
done
grep -q ' trigger ' out || { kill "$pid"; fail "no trigger in two seconds"; }
kill -TERM "$pid"
wait "$pid" || fail "SIGTERM: exit code $?"
grep -Eq '^[0-9]+ events, ' out || fail "SIGTERM: no summary"

# So on SIGHUP, but under nohup.
"$bin" dev >out 2>err &
pid=$!
sleep 0.5
kill -HUP "$pid"
wait "$pid" || fail "SIGHUP: exit code $?"
grep -Eq '^[0-9]+ events, ' out || fail "SIGHUP: no summary"
nohup "$bin" dev --seconds 2 >out 2>err &
pid=$!
sleep 0.5
kill -HUP "$pid"
sleep 0.2
kill -0 "$pid" || fail "SIGHUP ends it under nohup"
kill -TERM "$pid"
wait "$pid" || fail "exit code $? under nohup"

# One's own journey: types, bounds, enumerations and roles are met, so nothing is refused.
cat >taxonomy.yaml <<'EOF'
taxonomy: own
version: 1.0.0
namespaces: { phone: { priority: 1, normalize: e164 }, card: { priority: 2 } }
events:
  everything:
    properties:
      text:   { type: string, required: true }
      kind:   { type: "enum [a, b]", required: true }
      whole:  { type: int, min: 3, max: 4, required: true }
      exact:  { type: decimal, scale: 1, min: 0.5, max: 2, required: true }
      real:   { type: double, max: -1, required: true }
      flag:   { type: bool, required: true }
      when:   { type: timestamp, required: true }
      span:   { type: duration, required: true }
      raw:    { type: bytes, required: true }
      many:   { type: list(int), required: true }
      named:  { type: map(string), required: true }
    examples: [ { text: hello, kind: a, whole: 3, exact: 1, real: -2, flag: true, when: "2026-01-01T00:00:00Z", span: 5m, raw: AAEC, many: [1], named: {a: b} } ]
  consent: { role: consent }
  preference: { role: preference }
sources:
  only: { topic: own.events, format: json }
EOF
cat >journey.yaml <<'EOF'
journey: own
taxonomy: taxonomy.yaml
stages:
  - { name: start, initial: true }
  - { name: four, when: 'event.name == "everything" && event.whole == 4' }
triggers:
  - { name: told, when: 'event.name == "everything" && event.kind == "b"', channels: [out], message: m }
channels: { out: { topic: out } }
EOF
"$bin" dev --journey journey.yaml --seconds 2 --rate 100 >out 2>err || fail "own: exit code $?"
grep -q ' transition .* start -> four' out || fail "own: no transition"
grep -q ' trigger .* told by out' out || fail "own: no trigger"
grep -Eq '^dead letters 0,' out || fail "own: events were refused"

# What cannot work says why.
"$bin" dev --journey nowhere.yaml >out 2>err && fail "a missing journey is no error"
grep -q nowhere.yaml err || fail "a missing journey is not named"
sed -i '/^sources:/,$d' taxonomy.yaml
"$bin" dev --journey journey.yaml --seconds 1 >out 2>err && fail "no sources is no error"
grep -q 'no source' err || fail "no sources: no reason"
exit 0
