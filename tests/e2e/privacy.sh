#!/usr/bin/env bash
# No raw identifier leaves resolve (semantics 36): after a run, none of the e-mails, phones, cards and
# devices of its events is in the bytes of the journal, the state log, any outbound topic, Redis, the log or the
# metrics. That they can be found at all is shown on the sources and the dead letters, which keep records.
source tests/lib/servers.sh
source tests/lib/shop.sh
servers_up
shop_project
sed -i 's/^      total:    {/& pii: true,/' "$SHOP/taxonomy.yaml" # a property that the journal has
grep -q 'total:    { pii: true' "$SHOP/taxonomy.yaml" || fail "the shop's totals are written otherwise by now"
shop_load 3000
produce "$RUN.support" <<<'{"type":"no_such_event","email":"torn@example.org"}'
shop_start
shop_wait 60

"$PLAY" events --limit 3000 | jq -r '.identifiers | to_entries[].value | if type == "array" then .[] else . end' |
    awk 'length($0) >= 8' | sort -u >"$WORK/raw" # shorter ones are found by chance
grep -qE '^[0-9]+$' "$WORK/raw" || fail "no card is looked for"
echo torn@example.org >>"$WORK/raw"
[ "$(wc -l <"$WORK/raw")" -gt 100 ] || fail "the events have only $(wc -l <"$WORK/raw") identifiers"

# found FILE: how many raw identifiers stand in it.
found() { { LC_ALL=C grep -aoFf "$WORK/raw" "$1" || true; } | sort -u | wc -l; }

topic_bytes() { consume "$1" -f '%k %h %s\n' >"$WORK/bytes" 2>"$WORK/kcat" || fail "$1 cannot be read: $(<"$WORK/kcat")"; }

topic_bytes "$RUN.support"
[ "$(found "$WORK/bytes")" -gt 0 ] || fail "the search finds nothing in the source, where they are"
topic_bytes "$RUN.dead"
[ "$(found "$WORK/bytes")" -eq 1 ] || fail "the search finds $(found "$WORK/bytes") in the dead letters, not the one"
ok "the search finds them where they are kept"

for name in journal state transitions suppressed identity customers triggers.email triggers.agent; do
    topic_bytes "$RUN.$name"
    # Only what the first three thousand events of the year do not give may be empty.
    [ -s "$WORK/bytes" ] || [ $name = suppressed ] || [[ $name == triggers.* ]] || fail "$name is empty"
    [ "$(found "$WORK/bytes")" -eq 0 ] || fail "$(found "$WORK/bytes") raw identifiers in $name"
done
ok "none in the journal, the state log and the outbound topics"

(cd "$SHOP" && "$STAGECOACH" tap journal --config stagecoach.yaml) >"$WORK/bytes"
[ "$(found "$WORK/bytes")" -eq 0 ] || fail "tap shows $(found "$WORK/bytes") raw identifiers"
[ "$(jq -r 'select(.event == "order_completed") | .properties.total' "$WORK/bytes" | sort -u)" = "<pii>" ] ||
    fail "tap shows a personal property"
jq -se 'any(.[].properties // {} | .[]; . != "<pii>")' "$WORK/bytes" >/dev/null || fail "tap shows no property at all"
jq -se 'all(.[]; if .kind == "heartbeat" then has("progress") elif .kind == "trailer" then has("writer")
    else has("hops") end) and (map(.kind) | contains(["event", "heartbeat", "trailer"]))' "$WORK/bytes" >/dev/null ||
    fail "tap names kinds wrongly: $(jq -r .kind "$WORK/bytes" | sort | uniq -c)"
ok "tap redacts what is marked pii, and that alone"

# shown TOPIC [OPTION…]: what tap shows of it.
shown() { (cd "$SHOP" && "$STAGECOACH" tap "$@") >"$WORK/bytes"; }
for name in support dead clickstream; do
    shown "$RUN.$name"
    [ -s "$WORK/bytes" ] || fail "tap shows nothing of $name"
    [ "$(found "$WORK/bytes")" -eq 0 ] || fail "tap shows $(found "$WORK/bytes") raw identifiers of $name"
done
shown "$RUN.dead" --values
[ "$(<"$WORK/bytes")" = '{"type":"no_such_event","email":"<identifier>"}' ] || fail "tap shows $(<"$WORK/bytes")"
shown "$RUN.clickstream" --values --limit 1
grep -qE '^"<[0-9]+ bytes>"$' "$WORK/bytes" || fail "of what is no JSON tap shows $(<"$WORK/bytes")"
shown "$RUN.dead" --values --reveal
[ "$(<"$WORK/bytes")" = '{"type":"no_such_event","email":"torn@example.org"}' ] || fail "--reveal: $(<"$WORK/bytes")"
ok "nor does it show identifiers of sources and dead letters, unless asked to"

curl -s -m 5 "$ADMIN/metrics" >"$WORK/bytes"
curl -s -m 5 "$ADMIN/readyz?verbose" >>"$WORK/bytes"
cat "$RUN_LOG" >>"$WORK/bytes"
[ "$(found "$WORK/bytes")" -eq 0 ] || fail "raw identifiers in the log or the metrics"
shop_stop
[ "$(found "$RUN_LOG")" -eq 0 ] || fail "raw identifiers in the log"
ok "none in the log and the metrics"

redis_bytes "$WORK/bytes"
keys=$(head -n 1 "$WORK/bytes")
[[ $keys == *' keys' && $(wc -c <"$WORK/bytes") -gt 100000 ]] || fail "not read of Redis: $keys, $(wc -c <"$WORK/bytes") bytes"
[ "$(found "$WORK/bytes")" -eq 0 ] || fail "raw identifiers in Redis"
ok "none in Redis: $keys"
passed
