#!/usr/bin/env bash
# Dead letters are corrected by a new dictionary and sent again: as they came, once each, by what they are
# chosen by; nothing is sent without --yes, and what went through before is a copy.
source tests/lib/servers.sh
source tests/lib/shop.sh
servers_up
shop_project
shop_load 1000
send() { # send KEY VALUE: a support record with headers of its own, one as of an earlier dead letter
    printf '%s\t%s\n' "$1" "$2" | produce "$RUN.support" -K '\t' -H "__connect.errors.topic=elsewhere" \
        -H "traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
}
case=$(consume "$RUN.support" -c 1 -f '%s' | sed 's/^[^{]*//')
later=$(jq -c '.id = "later-1"' <<<"$case")
send a "$(jq -c '.event = "not_yet" | .type = "not_yet" | .name = "not_yet"' <<<"$later")"
send b '{"torn'
shop_start
shop_wait 60
shop_stop
replay() { "$STAGECOACH" dlq replay --config "$SHOP/stagecoach.yaml" "$@"; }
letters() { consume "$RUN.dead" -f '%k\n' | wc -l; }
[ "$(letters)" -eq 2 ] || fail "$(letters) dead letters, 2 were sent"
records() { consume "$RUN.support" -f '%k\n' | wc -l; }
before=$(records)

replay >"$WORK/said"
said "$WORK/said" '2 dead letters read, 2 to be sent again' || fail "it says: $(<"$WORK/said")"
said "$WORK/said" 'nothing was sent: --yes sends them' || fail "it says: $(<"$WORK/said")"
[ "$(records)" -eq "$before" ] || fail "something was sent without --yes"
ok "nothing is sent without --yes"

code=$(consume "$RUN.dead" -f '%k,%h\n' | sed -n 's/^b,.*stagecoach.error.code=\([a-z_]*\).*/\1/p')
[ -n "$code" ] || fail "the torn one has no code"
replay --yes --code "$code" >"$WORK/said"
said "$WORK/said" '2 dead letters read, 1 sent again' || fail "it says: $(<"$WORK/said")"
[ "$(records)" -eq $((before + 1)) ] || fail "$(records) records, expected $((before + 1))"
replay --code poison | grep -q ' 0 to be sent again' || fail "a code that none has chooses some"
replay --stage TRANSFORMATION | grep -q ' 1 to be sent again' || fail "the stage of one chooses not that one"
replay --topic "$RUN.support" | grep -q ' 2 to be sent again' || fail "their topic chooses not all"
replay --topic "$RUN.pos" | grep -q ' 0 to be sent again' || fail "another topic chooses some"
replay --since 2999-01-01T00:00:00Z | grep -q ' 0 to be sent again' || fail "a later time chooses some"
replay --until 2999-01-01T00:00:00Z | grep -q ' 2 to be sent again' || fail "an end that is far chooses not all"
ok "chosen by code, stage, topic and time"

consume "$RUN.support" -f '%k|%T|%h|%s\n' | grep -a '^b|' >"$WORK/copies"
[ "$(sort -u "$WORK/copies" | wc -l)" -eq 1 ] || fail "it was not sent as it came: $(<"$WORK/copies")"
[ "$(wc -l <"$WORK/copies")" -eq 2 ] || fail "it was sent $(($(wc -l <"$WORK/copies") - 1)) times"
ok "key, value, time and headers as they came"

# The same choice goes on behind what it sent; another one, and --again, begin at the start.
replay --yes --code "$code" >"$WORK/said"
said "$WORK/said" '0 dead letters read, 0 sent again' || fail "it says: $(<"$WORK/said")"
said "$WORK/said" '--again begins anew' || fail "it says: $(<"$WORK/said")"
[ "$(records)" -eq $((before + 1)) ] || fail "a second replay sent something: $(records) records"
replay --code "$code" --again | grep -q ' 1 to be sent again' || fail "--again chooses not the one"
replay | grep -q '2 dead letters read, 2 to be sent again' || fail "another choice begins not at the start"
ok "a second replay sends nothing twice"

# It fails again: two dead letters of one record go once.
shop_start
shop_wait 60
shop_stop
[ "$(letters)" -eq 3 ] || fail "$(letters) dead letters after the replay, expected 3"
replay --code "$code" >"$WORK/said"
said "$WORK/said" '1 dead letters read, 1 to be sent again; 0 several of one record' || fail "it says: $(<"$WORK/said")"
replay --code "$code" --again >"$WORK/said"
said "$WORK/said" '1 to be sent again; 1 several of one record' || fail "it says: $(<"$WORK/said")"
rc=0
replay --since yesterday 2>"$WORK/said" || rc=$?
[ $rc -eq 64 ] || fail "a wrong time ends with $rc"
rc=0
replay --topic no.such.topic 2>"$WORK/said" || rc=$?
[ $rc -eq 64 ] || fail "a topic of no source ends with $rc"
said "$WORK/said" 'no source reads topic no.such.topic; sources read' || fail "it says: $(<"$WORK/said")"
ok "one record goes once"
passed
