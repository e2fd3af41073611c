#!/usr/bin/env bash
# `explain` asked of the running system: a record of a source and what became of it, a customer with
# what happened to it. Groups and topics are as before: nothing is disturbed by looking.
source tests/lib/servers.sh
source tests/lib/shop.sh
command -v protoc >/dev/null || skip "protoc is not installed"
servers_up
shop_project "flush: { interval: 1s }"
# Without a purpose, so that it does not matter whether consents are read before or behind the rest.
sed -i -e 's/email: *{ topic/email: { format: avro, topic/' -e '/purpose: marketing/d' "$SHOP/journey.yaml"
shop_load 4000
printf '%s\n' '{"type":"case_opened","id":"bad-1","at":"2019-01-01T10:00:00Z","customer":{"email":"x@example.org"},"case":{"id":7}}' |
    produce "$RUN.support" -p 1
shop_start
shop_wait 60

# explains STATUS WORD…: what it says is in $WORK/said.
explains() {
    local status=$1 rc=0
    shift
    (cd "$SHOP" && "$STAGECOACH" explain "$@") >"$WORK/said" 2>&1 || rc=$?
    [ $rc -eq "$status" ] || fail "explain $*: exit status $rc, not $status: $(<"$WORK/said")"
}
says() {
    local text
    for text in "$@"; do said "$WORK/said" "$text" || fail "not said: $text; said: $(<"$WORK/said")"; done
}
# The groups with their members (whose ids change when they join anew), those a reader would have made
# too, and the topics' ends.
standing() {
    "$BUILD_DIR/tests/test_groups" "$STAGECOACH_KAFKA" "$RUN" stagecoach-tap stagecoach-replay | sort >"$WORK/groups"
    [ "$(grep -c " member " "$WORK/groups")" -eq 2 ] || fail "not one member of each role: $(<"$WORK/groups")"
    cat "$WORK/groups"
    kcat -L -b "$STAGECOACH_KAFKA" -J | jq -S "[.topics[] | select(.topic | startswith(\"$RUN\")) | .topic, (.partitions | length)]"
    for partition in 0 1 2 3; do kcat -Q -b "$STAGECOACH_KAFKA" -t "$RUN.triggers.email:$partition:-1" 2>/dev/null; done
}

# --- a record that fired a message, by the message
consume "$RUN.triggers.agent" -c 1 >"$WORK/trigger"
[ -s "$WORK/trigger" ] || fail "no message to ask about"
id=$(jq -r '.events[-1]' "$WORK/trigger")
customer=$(jq -r .customer "$WORK/trigger")
place=$(kcat -C -q -e -o beginning -b "$STAGECOACH_KAFKA" -t "$RUN.support" -f '%p:%o\t%s\n' |
    awk -F '\t' -v id="\"$id\"" 'index($2, id) && !seen++ { print $1 }')
[ -n "$place" ] || fail "event $id is not in $RUN.support"
standing >"$WORK/before"
explains 0 event "$RUN.support:$place"
says "record $RUN.support:$place" "accepted: case_" "  id          $id" "journal " \
    "customer $customer, " "trigger    $(jq -r .rule "$WORK/trigger") on agent" "id $(jq -r .id "$WORK/trigger")"
grep -qE '^  (phone|email|loyalty_id) +[0-9a-f]{32}$' "$WORK/said" || fail "no identifier's node: $(<"$WORK/said")"
explains 0 event "$RUN.support:$place" --reveal
grep -qE '^  (phone|email|loyalty_id) +[0-9a-f]{32}  .' "$WORK/said" || fail "--reveal shows no value: $(<"$WORK/said")"
identifier=$(awk '$1 ~ /^(phone|email|loyalty_id)$/ && $3 { print $1 "=" $3; exit }' "$WORK/said")
ok "a record, its customer and its messages"

# --- a record that became a dead letter
explains 0 event "$RUN.support:1:$(($(kcat -Q -b "$STAGECOACH_KAFKA" -t "$RUN.support:1:-1" | grep -oE '[0-9]+$') - 1))"
says "dead letter: " "case_id" "stagecoach explain code " "of $RUN.dead"
! said "$WORK/said" accepted || fail "a bad record is accepted"
ok "a record that became a dead letter"

# --- what is none
explains 64 event "$RUN.nothing:0:0"
says "no source reads topic $RUN.nothing; sources read $RUN.clickstream"
explains 64 event "$RUN.support:0"
says "expected TOPIC:PARTITION:OFFSET"
explains 1 event "$RUN.support:0:999999"
says "there is no record at $RUN.support:0:999999"
explains 69 event "$RUN.support:77:0"
says "has 2 partitions, counted from 0"
ok "places that are none"

# --- the customer
explains 0 customer "$customer" --config stagecoach.yaml
says "] event      case_" "trigger    $(jq -r .rule "$WORK/trigger") on agent" "customer $customer: " "as stored: {\"id\":\"$customer\""
says "what the rules saw, played again from the journal:" "case_" " -> match" " -> no"
! said "$WORK/said" "the journal told" || fail "not all events are played: $(grep 'the journal told' "$WORK/said")"
[ -z "$(grep '] event ' "$WORK/said" | sort | uniq -d)" ] || fail "an event is told twice"
sort -c -k1,1 <(sed '/^what the rules saw/,$d' "$WORK/said" | grep -oE '^\[[^]]*\]') || fail "not in order of time"
explains 0 customer --identifier "$identifier" --config stagecoach.yaml
says "customer $customer: "
key=$(consume "$RUN.triggers.email" -c 1 -f "%k\n")
[ -n "$key" ] || fail "no trigger by email"
explains 0 customer "$key" --config stagecoach.yaml
says "on email"
explains 1 customer ffffffffffffffffffffffffffffffff --config stagecoach.yaml
says "nothing is stored of this customer"
standing >"$WORK/after"
cmp "$WORK/before" "$WORK/after" || fail "looking changed something: $(diff "$WORK/before" "$WORK/after")"
curl -sf -m 5 -o /dev/null "$ADMIN/readyz" || fail "run is disturbed"
before=$(metric acquisitions_total)
explains 0 customer "$customer" --config stagecoach.yaml
[ "$(metric acquisitions_total)" = "$before" ] || fail "looking moved partitions"
ok "a customer, by id and by identifier"

# --- without Redis: from the state log
cp "$WORK/said" "$WORK/with_redis"
sed -i 's#^redis: .*#redis: { address: "127.0.0.1:1" }#' "$SHOP/stagecoach.yaml"
explains 0 customer "$customer" --config stagecoach.yaml
says "Redis does not answer: read from the state log alone"
diff <(grep -v 'Redis does not answer' "$WORK/said") "$WORK/with_redis" >"$WORK/diff" || fail "the state log says otherwise: $(<"$WORK/diff")"
ok "without Redis the state log tells the same"
shop_stop
passed
