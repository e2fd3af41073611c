#!/usr/bin/env bash
# An operator's commands on the running system: split and unlink take identifiers off a customer for good,
# forget leaves nothing of one. Each is written to the journal, audited with who and why, and done by `run`.
source tests/lib/servers.sh
source tests/lib/shop.sh
servers_up
shop_project "flush: { interval: 200ms }"

# event ID AT CUSTOMER: a support record; CUSTOMER is a JSON object of identifiers.
event() {
    printf '{"type":"case_opened","id":"%s","at":"%s","customer":%s,"case":{"id":"c-%s","topic":"delivery"}}\n' \
        "$1" "$2" "$3" "$1" | produce "$RUN.support" -p 0
}
# command STATUS WORD…: what it says is in $WORK/said.
command() {
    local status=$1 rc=0
    shift
    (cd "$SHOP" && "$STAGECOACH" "$@") >"$WORK/said" 2>&1 || rc=$?
    [ $rc -eq "$status" ] || fail "$*: exit status $rc, not $status: $(<"$WORK/said")"
}
says() { said "$WORK/said" "$1" || fail "not said: $1; said: $(<"$WORK/said")"; }
node() { "$STAGECOACH" identity node -c "$SHOP/stagecoach.yaml" "$1"; }
# customer NODE: its newest line, empty when it is withdrawn.
customer() { consume "$RUN.customers" -f '%k\t%s\n' | awk -F '\t' -v k="$1" '$1 == k { row = $2 } END { print row }'; }
audit() { consume "$RUN.identity" | jq -c "select($1)"; }

# Ada: a card, two addresses, a phone that came by the second one. Bob and Cy, to be forgotten.
event a1 2026-01-01T10:00:00Z '{"card":"7001","email":"ada@example.org"}'
event a2 2026-01-01T11:00:00Z '{"card":"7001","email":"bea@example.org"}'
event a3 2026-01-01T12:00:00Z '{"email":"bea@example.org","phone":"+4791000001"}'
event a4 2026-01-01T13:00:00Z '{"card":"7001","phone":"+4791000002"}'
event b1 2026-01-01T10:00:00Z '{"card":"7002","email":"bob@example.org"}'
event b2 2026-01-01T11:00:00Z '{"email":"bob@example.org"}'
event c1 2026-01-01T10:00:00Z '{"email":"cy@example.org","phone":"+4791000003"}'
shop_start
shop_wait 60
ada=$(node loyalty_id=7001) bob=$(node loyalty_id=7002) bea=$(node email=bea@example.org)
phone=$(node phone=+4791000002)
[ "$(customer "$ada" | jq '.members | add | length')" -eq 5 ] || fail "Ada is not one customer: $(customer "$ada")"
[ -n "$(customer "$bob")" ] || fail "Bob has no line"

# --- what is no order to be given
command 65 identity split "$ada" "$ada" -c stagecoach.yaml
says "names the customer itself"
command 65 identity split "$ada" email=bob@example.org -c stagecoach.yaml
says "email=bob@example.org is not of this customer"
command 1 identity split "$(node loyalty_id=nobody)" "$bea"
says "nothing is stored of this customer"
command 64 identity split "$ada" bea
says "'bea' is none"
command 64 identity split "$ada"
command 64 identity join "$ada" "$bea"
command 64 forget
command 64 forget "$ada" --until 2999-01-01T00:00:00Z
says "--until is to come"
command 64 forget "$ada" --why "$(printf 'two\nlines')"
says "--why: expected one line"
ok "what cannot be meant is refused"

command 0 identity split "$ada" "$bea" --dry-run
says "customer loyalty_id $ada: 4 events stay with it"
says "leaves  email $bea, joined by event a2"
says "nothing was written: --dry-run"
command 0 forget --identifier email=ada@example.org --dry-run
says "forgets email $bea"
says "nothing was written: --dry-run"
event z1 2026-01-02T09:00:00Z '{"card":"7009"}'
shop_wait 60 # behind it, anything written before has been taken
audit '.by' >"$WORK/audit" || fail "audit cannot be read"
[ ! -s "$WORK/audit" ] || fail "a dry run did something: $(<"$WORK/audit")"
[ "$(customer "$ada" | jq '.members | add | length')" -eq 5 ] || fail "a dry run changed Ada"
ok "a dry run says what would be done and does nothing"

# --- split: two customers, for good
command 0 identity split "$ada" email=bea@example.org "$phone" --by ops --why 'ticket 17' --wait 30s
says "they become one customer"
says "written to $RUN.journal by ops; what it comes to is published on $RUN.identity"
says "done"
event a5 2026-01-02T10:00:00Z '{"card":"7001","email":"bea@example.org"}'
event a6 2026-01-02T11:00:00Z '{"email":"bea@example.org","phone":"+4791000002"}'
event a7 2026-01-02T12:00:00Z '{"card":"7001","phone":"+4791000001"}'
event a8 2026-01-02T13:00:00Z '{"card":"7001","email":"ada@example.org"}'
shop_wait 60
[ "$(customer "$ada" | jq -c '[(.members | add | length), .facts.orders]')" = '[2,0]' ] || fail "Ada after the split: $(customer "$ada")"
[ "$(customer "$bea" | jq '.members | add | length')" -eq 3 ] || fail "Bea after the split: $(customer "$bea")"
[ "$(audit '.action == "split" and .by == "ops" and .why == "ticket 17"' | wc -l)" -ge 4 ] || fail "audit: $(audit '.by')"
[ -z "$(audit 'select(.by == null) | .customer == "'"$ada"'" and .node == "'"$bea"'" and (.events | index("a5"))')" ] || fail "joined again"
command 0 explain customer "$phone" --config stagecoach.yaml
says "is part of customer $bea"
command 65 identity unlink "$ada" "$bea"
ok "split: two customers, which events that name both join no more"

command 0 identity unlink "$bea" "$phone" --by ops --wait 30s
[ "$(customer "$bea" | jq '.members | add | length')" -eq 2 ] || fail "Bea after unlink: $(customer "$bea")"
ok "unlink: one identifier goes its own way"

# --- forget: tombstone, receipt, nothing of it in Redis; what was is dropped, what comes is new
# How many of all that is in Redis contain a text.
values() {
    redis_bytes "$WORK/redis"
    grep -ac "$1" "$WORK/redis" || [ $? -eq 1 ]
}
wait_until 10 eval '[ "$(values c-b2)" -gt 0 ]' || fail "Bob's case is not in Redis, so nothing is shown by its absence"
command 0 forget --identifier email=bob@example.org --until 2026-01-03T00:00:00Z --why 'asked for' --by ops --wait 30s
says "customer loyalty_id $bob: 2 events of 2026-01-01T10:00:00Z to 2026-01-01T11:00:00Z"
says "done"
wait_until 10 eval '[ "$(values c-b2)" -eq 0 ]' || fail "Redis still has Bob's case"
[ -z "$(customer "$bob")" ] || fail "Bob's line stands: $(customer "$bob")"
consume "$RUN.customers" -f '%k %S\n' | grep -q "^$bob -1" || fail "no tombstone of Bob"
[ "$(audit '.action == "erase"' | jq -c '[.customer, .by, .why]')" = "[\"$bob\",\"ops\",\"asked for\"]" ] || fail "receipt: $(audit '.action == "erase"')"
command 1 explain customer "$bob" --config stagecoach.yaml
says "this customer was forgotten"
command 1 explain customer --identifier email=bob@example.org --config stagecoach.yaml
says "this customer was forgotten"
erased=$(metric erased_events_total)
event b1 2026-01-01T10:00:00Z '{"card":"7002","email":"bob@example.org"}'
event b3 2026-01-02T10:00:00Z '{"card":"7002"}'
shop_wait 60
[ "$(metric erased_events_total)" -eq $((erased + 2)) ] || fail "$(metric erased_events_total) events are counted as erased"
[ -z "$(customer "$bob")" ] || fail "a replay brought Bob back"
event b4 2026-01-04T10:00:00Z '{"card":"7002"}'
shop_wait 60
command 0 explain customer "$bob" --config stagecoach.yaml
says "event      case_opened"
[ "$(customer "$bob" | jq -c '.members | add')" = "[\"$bob\"]" ] || fail "who comes after is not new: $(customer "$bob")"
ok "forget: withdrawn, a receipt, gone from Redis; a replay is dropped, what is later is new"

# --- while nobody runs it waits in the journal; a second owner takes it over
shop_stop
command 69 forget "$bob" --until 2026-01-05T00:00:00Z --wait 1s
says "not done yet: the record waits in the journal"
# Cy's address, forgotten by a command that looks again only once the address is somebody else's.
(cd "$SHOP" && exec "$STAGECOACH" forget email=cy@example.org --until 2026-01-05T00:00:00Z --wait 5m) >"$WORK/cy" 2>&1 &
waiting=$!
wait_until 20 said "$WORK/cy" "written to" || fail "not written: $(<"$WORK/cy")"
kill -STOP $waiting
event c2 2026-01-06T10:00:00Z '{"card":"7003","email":"cy@example.org"}'
shop_start
shop_wait 60
command 0 explain customer --identifier email=cy@example.org --config stagecoach.yaml
says "is part of customer $(node loyalty_id=7003)"
kill -CONT $waiting
wait_until 20 said "$WORK/cy" "done" || fail "linked again at once, so never done: $(<"$WORK/cy")"
wait $waiting || fail "it was done: $(<"$WORK/cy")"
command 1 explain customer "$bob" --config stagecoach.yaml
says "this customer was forgotten"
command 0 forget loyalty_id=nobody --wait 30s
says "nothing is stored of this customer"
says "done"
ok "a command waits in the journal for its owner"

# --- it must be the right journal
sed 's/partitions: 4/partitions: 5/' "$SHOP/stagecoach.yaml" >"$SHOP/five.yaml"
command 78 forget "$bob" --config five.yaml
says "has 4 partitions, the settings say 5"
sed "s/$RUN.journal/$RUN.nothing/" "$SHOP/stagecoach.yaml" >"$SHOP/none.yaml"
command 78 forget "$bob" --config none.yaml
says "does not exist"
sed "s#brokers: \"[^\"]*\"#brokers: \"127.0.0.1:1\"#" "$SHOP/stagecoach.yaml" >"$SHOP/away.yaml"
command 69 forget "$bob" --config away.yaml
says "no broker can be asked"
ok "a journal that is another, or none, is refused"
shop_stop
"$SEALS" "$STAGECOACH_KAFKA" "$RUN.state" 4 >"$WORK/seals" || fail "seals: $(<"$WORK/seals")"
passed
