#!/usr/bin/env bash
# Kafka and the schema registry away, at a start and in the middle, and settings that do not fit: what
# is wrong, where, and what to do is said; nothing is lost; it goes on by itself.
source tests/lib/servers.sh
source tests/lib/shop.sh
servers_own
owns='area=journey msg="worker 0 owns'
said_ready() { [[ $(curl -s -m 5 "$ADMIN/readyz?verbose") == *"$1"* ]]; }

# broker_dies_under_load EVENTS SECONDS: so long after their load has begun.
broker_dies_under_load() {
    EVENTS=$1
    background "$WORK/load" "$PLAY" load --topics "$RUN.clickstream,$RUN.pos,$RUN.support" \
        --limit "$EVENTS" --speed 2000000
    load=$BACKGROUND_PID
    sleep "$2"
    server kafka kill
}
broker_comes_back() {
    server kafka start
    wait "$load" || fail "load: $(tail -n 3 "$WORK/load")"
    shop_wait 120
    sleep 3 # a call that the broker's end has left behind is a stated wait by now
    shop_wait 120
    shop_stop
    shop_compare
}

# --- the broker
shop_project
server kafka stop
shop_start
await_said 20 'no broker answers: waiting for one; check kafka.brokers'
server kafka start
await_said 60 "$owns"
ok "a broker away at a start is waited for"

broker_dies_under_load 20000 3
sleep 1
broker_comes_back
ok "a broker killed in the middle"

# Away for longer than the watchdog looks on (two minutes): it waits, says so, and goes on.
RUN=$RUN.away
shop_project
shop_start
await_said 60 "$owns"
broker_dies_under_load 40000 2
for _ in {1..4}; do
    sleep 34
    kill -0 "$RUN_PID" || fail "ended while the broker was away: $(tail -n 3 "$RUN_LOG")"
    said_ready 'journey 0: 4 partitions, 0 stopped, lag' && said_ready 'waiting: ' ||
        fail "it does not say that it waits: $(curl -s -m 5 "$ADMIN/readyz?verbose")"
done
broker_comes_back
ok "a broker away for over two minutes"

server kafka stop
shop_start
await_said 20 'no broker answers'
shop_stop
ok "SIGTERM ends a wait for a broker"
server kafka start
shop_start
await_said 60 "$owns"
server kafka stop
sleep 1
start=$SECONDS
shop_stop
[ $((SECONDS - start)) -le 20 ] || fail "with the broker away it took $((SECONDS - start)) s to end"
server kafka start
ok "SIGTERM ends it while the broker is away"

# --- the registry
RUN=$RUN.reg
shop_project
shop_load 2000
server registry stop
shop_start
await_said 60 "is not registered"
wait_until 20 said_ready 'the schema registry does not answer' || fail "/readyz does not name the registry"
server registry start
shop_wait 60
shop_compare
ok "a registry away at a start is waited for"

# A schema it has not met, while the registry is away: a copy of the first receipt, framed anew.
jq -c '. + {doc: "the same under a new id"}' schemas/sources/clickstream.avsc >"$WORK/new.avsc"
id=$(register "$RUN.new" AVRO "$WORK/new.avsc")
server registry stop
consume "$RUN.clickstream" -c 1 -f '%s' >"$WORK/old.record" 2>/dev/null
big_endian=$(printf '\\%03o' $((id >> 24 & 255)) $((id >> 16 & 255)) $((id >> 8 & 255)) $((id & 255)))
{ printf '%b' "\\0$big_endian"; tail -c +6 "$WORK/old.record"; } >"$WORK/new.record"
kcat -P -b "$STAGECOACH_KAFKA" -t "$RUN.clickstream" "$WORK/new.record"
wait_until 20 said_ready 'the schema registry does not answer' || fail "a new schema id did not wait for the registry"
before=$(metric duplicates_total)
more_duplicates() { [ "$(metric duplicates_total)" -gt "$before" ]; }
consume "$RUN.support" -c 1 -f '%s' >"$WORK/old.support" 2>/dev/null
kcat -P -b "$STAGECOACH_KAFKA" -t "$RUN.support" "$WORK/old.support"
wait_until 30 more_duplicates || fail "another source does not go on meanwhile"
said_ready 'the schema registry does not answer' || fail "nor does the registry"
before=$(metric duplicates_total)
server registry start
wait_until 30 more_duplicates || fail "the record under the new id was not taken"
[ "$(metric dead_letters_total)" -eq 0 ] || fail "the wait for the registry left dead letters"
shop_stop
ok "a new schema id waits for the registry"

# --- settings that do not fit
faulty() { sed "$1" "$SHOP/stagecoach.yaml" >"$SHOP/faulty.yaml" && cp "$SHOP/stagecoach.admin" "$SHOP/faulty.admin"; }

faulty 's#\(url: "http://[^/]*\)[^"]*#\1/nothing/here#'
rm -rf "$SHOP/schemas"
shop_start faulty
shop_exits 30 78 registry.url
ok "a wrong URL of the registry"

faulty 's/partitions: 4/partitions: 6/'
shop_start faulty
shop_exits 30 78 "topic $RUN.journal (the journal) has 4 partitions, the settings say 6" \
    "topic $RUN.state (the state log) has 4 partitions" 'set journal.partitions to 4'
ok "a wrong number of partitions"

sed -i "s/topic: $RUN.pos/topic: $RUN.tills/" "$SHOP/taxonomy.yaml"
shop_start
shop_exits 30 78 "topic $RUN.tills (a source) does not exist: create it, or correct its name"
ok "a missing source topic"

# --- a broker that wants a login: one more, with a SASL listener
# shellcheck source=../lib/sasl.sh
source tests/lib/sasl.sh
sasl_broker transaction.max.timeout.ms=10000 offsets.retention.minutes=60
sasl=$SASL
login() { faulty "s/^kafka:.*/kafka: { brokers: \"127.0.0.1:$sasl\", group: \"$RUN\", sasl: { mechanism: $1, username: shop, password_file: password } }/"; }
echo wrong >"$SHOP/password"
login PLAIN
shop_start faulty
shop_exits 30 78 'login refused' 'check kafka.sasl.username, the password file'
ok "a wrong password of Kafka"
login SCRAM-SHA-256
shop_start faulty
shop_exits 30 78 'login refused'
ok "a SASL mechanism the broker has not"
echo right >"$SHOP/password"
login PLAIN
shop_start faulty
shop_exits 30 78 "topic $RUN.clickstream (a source) does not exist" \
    "the broker allows transactions of 10000 ms (transaction.max.timeout.ms)" \
    "the broker forgets a group's offsets after 60 minutes"
ok "the right password logs in; settings of the broker that break the protocol are said"
sasl_end
passed
