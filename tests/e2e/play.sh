# The demo's year, as others read it: protoc and jq decode what stagecoach-play sends, and it is the same
# year every time.
source tests/lib/servers.sh
servers_up

load() {
    "$PLAY" load --topics "$1.web,$1.pos,$1.support" --limit 3000 "${@:2}" >"$WORK/load"
}
for run in "$RUN.a" "$RUN.b"; do
    topic "$run.web" && topic "$run.pos" && topic "$run.support"
    load "$run"
done

# The same bytes, frames too: a schema has one id under all subjects.
for source in web pos support; do
    for run in a b; do
        consume "$RUN.$run.$source" -f '%T %R%s' | sha256sum >"$WORK/$source.$run"
    done
    cmp "$WORK/$source.a" "$WORK/$source.b" || fail "two runs sent different $source events"
done

# One receipt, through protoc: 5 bytes of frame, 1 of message index, the message.
consume "$RUN.a.pos" -c 1 -f '%s' | tail -c +7 |
    protoc --proto_path=schemas/sources --decode=shop.Receipt pos.proto >"$WORK/receipt"
grep -q '^receipt_no: "31198705046"$' "$WORK/receipt" || fail "the first receipt is not the first receipt"
grep -q '^total_cents: 150$' "$WORK/receipt" || fail "its total is wrong"

# Every support event meets what its schema asks for.
consume "$RUN.a.support" -f '%s\n' | tr -d '\000' | sed 's/^[^{]*//' >"$WORK/support"
[ -s "$WORK/support" ] || fail "no support events"
jq -es 'all(.id and .type and .at and .case.id and .case.topic and .customer.phone)' "$WORK/support" >/dev/null ||
    fail "a support event lacks something"

# Kafka's time is the event's: the first is of the first of January 2017.
first=$(consume "$RUN.a.pos" -c 1 -f '%T')
[ "$first" = 1483273827000 ] || fail "the first receipt's record says $first"

# Faults are exactly as many as it says.
topic "$RUN.c.web" && topic "$RUN.c.pos" && topic "$RUN.c.support"
load "$RUN.c" --limit 8000 --faults
sent=0
for source in web pos support; do
    sent=$((sent + $(consume "$RUN.c.$source" -f '.' | wc -c)))
done
[ $sent -eq $((8000 + 8000 / 500 + 8000 / 4000)) ] || fail "$sent records for 8000 events"

# watch counts what came out, whatever the rate it prints at; a table's row counts while it stands.
topic "$RUN.effects" 2
topic "$RUN.table"
produce "$RUN.effects" <<'END'
{"type":"transition","at":"2017-03-01T10:00:00Z","customer":"c1","rule":"purchase","from":"awareness","to":"purchase"}
{"type":"trigger","at":"2017-03-01T11:00:00Z","customer":"c1","rule":"win_back","channel":"email"}
{"type":"trigger","at":"2017-03-01T12:00:00Z","customer":"c2","rule":"win_back","channel":"email"}
{"type":"suppressed","at":"2017-03-01T12:00:00Z","customer":"c3","rule":"win_back","reason":"CONSENT"}
END
echo torn | produce "$RUN.effects" -H stagecoach.error.code=TRUNCATED
printf 'a:{"id":"a"}\nb:{"id":"b"}\na:{"id":"a","stage":"purchase"}\nb:\n' | produce "$RUN.table" -K : -Z
"$PLAY" watch --idle 2 --rate 1 "$RUN.effects" "$RUN.table" >"$WORK/watched"
[ "$(grep -c '^2017-03-01 1' "$WORK/watched")" -lt 4 ] || fail "watch printed more than its rate"
for line in "1  transition purchase" "2  trigger email" "1  suppressed CONSENT" "1  TRUNCATED" "1  live"; do
    grep -qE "^ +$line\$" "$WORK/watched" || fail "watch's summary lacks: $line"
done
