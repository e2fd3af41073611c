#!/usr/bin/env bash
# `check --connect`: faults of brokers, topics, Redis and schemas are found before a start, each at the
# setting that wants it otherwise, with what to do; nothing is changed by looking.
source tests/lib/servers.sh
source tests/lib/shop.sh
command -v protoc >/dev/null || skip "protoc is not installed"
servers_up

# finds STATUS TEXT…: `check --connect stagecoach.yaml` in $SHOP ends so and says each text.
finds() {
    local status=$1 rc=0 text
    shift
    (cd "$SHOP" && "$STAGECOACH" check --connect stagecoach.yaml) >"$WORK/found" 2>&1 || rc=$?
    [ $rc -eq "$status" ] || fail "exit status $rc, not $status: $(<"$WORK/found")"
    for text in "$@"; do
        said "$WORK/found" "$text" || fail "not said: $text; said: $(<"$WORK/found")"
    done
}
# faulty FILE SED: change a file of the shop, for one `finds`.
faulty() {
    cp "$SHOP/$1" "$WORK/right"
    changed=$1
    sed -i "$2" "$SHOP/$1"
    ! cmp -s "$WORK/right" "$SHOP/$1" || fail "$2 changes nothing in $1"
}
mended() { cp "$WORK/right" "$SHOP/$changed"; }
# column FILE TEXT: "FILE:line:column: " of the text's first place.
place() { awk -v file="$1" -v text="$2" 'i = index($0, text) { print file ":" NR ":" i ": "; exit }' "$SHOP/$1"; }

shop_project
finds 0 "note: topic $RUN.journal (the journal) does not exist yet: the first start makes it" \
    "$(place stagecoach.yaml "$RUN.journal")" \
    "warning: the registry has no subject '$RUN.clickstream-value' for source 'clickstream'" \
    "3 files: 0 errors"
[ "$(kcat -L -b "$STAGECOACH_KAFKA" | grep -c "\"$RUN.journal\"")" = 0 ] || fail "looking made a topic"
shop_load 2000
shop_start
shop_wait 60
shop_stop
finds 0 "3 files: 0 errors, 0 warnings"
ok "a deployment that is well"

# --- topics
faulty stagecoach.yaml 's/partitions: 4/partitions: 6/'
finds 1 "$(place stagecoach.yaml '6 }')error: topic $RUN.journal (the journal) has 4 partitions, the settings say 6" \
    "set journal.partitions to 4"
mended
faulty taxonomy.yaml "s/topic: $RUN.pos/topic: $RUN.tills/"
finds 1 "$(place taxonomy.yaml "$RUN.tills")error: topic $RUN.tills (a source) does not exist: create it, or correct its name"
mended
topic "$RUN.wrong" 4 cleanup.policy=compact retention.ms=3600000 max.message.bytes=1000000 min.insync.replicas=2
faulty stagecoach.yaml "s/state_topic: \"$RUN.state\"/state_topic: \"$RUN.wrong\"/"
at=$(place stagecoach.yaml "$RUN.wrong")
finds 1 "${at}error: topic $RUN.wrong (the state log) has cleanup.policy=compact: it must be delete" \
    "${at}error: topic $RUN.wrong (the state log) has retention.ms=3600000: it must be -1" \
    "${at}error: topic $RUN.wrong (the state log) has max.message.bytes=1000000: it must be 2097152 or more" \
    "${at}error: topic $RUN.wrong (the state log) has 1 replicas and min.insync.replicas=2: nothing can be written" \
    "kafka-configs --alter --entity-type topics --entity-name $RUN.wrong --add-config retention.ms=-1"
shop_start
shop_exits 30 78 "topic $RUN.wrong (the state log) has retention.ms=3600000: it must be -1"
mended
topic "$RUN.odd" 4 retention.ms=3600000
faulty stagecoach.yaml "s/dead_letters: $RUN.dead/dead_letters: $RUN.odd/"
finds 0 "$(place stagecoach.yaml "$RUN.odd")note: topic $RUN.odd (an outbound topic) has retention.ms=3600000: it should be -1"
mended
topic "$RUN.default" 4 message.timestamp.type=LogAppendTime retention.ms=604800000
faulty stagecoach.yaml "s/journal: { topic: \"$RUN.journal\"/journal: { topic: \"$RUN.default\"/"
finds 0 "$(place stagecoach.yaml "$RUN.default")warning: topic $RUN.default (the journal) has max.message.bytes=1048588: it should be 2097152 or more"
mended
ok "topics that break the protocol; run refuses them with the same words"

# --- schemas
faulty taxonomy.yaml 's/client_ts/client_tss/'
finds 1 "$(place taxonomy.yaml '$.client_tss')error: schema " "has no \$.client_tss: the event's time is never there" \
    "every such record would be a dead letter"
mended
faulty taxonomy.yaml 's/\$\.receipt_no/$.receipt_noo/'
finds 1 "(subject $RUN.pos-value) has no \$.receipt_noo: the event's id is never there"
mended
faulty taxonomy.yaml 's/device_id: \$\.device\.id/device_id: $.device.name/'
finds 0 "$(place taxonomy.yaml '$.device.name')warning: schema " "has no \$.device.name: identifier 'device_id' is never there"
mended
faulty taxonomy.yaml "s/topic: $RUN.clickstream/&\n    subject: $RUN.pos-value/"
finds 1 "subject '$RUN.pos-value' holds a schema in Protobuf, source 'clickstream' says Avro"
mended
ok "schemas that lack what the taxonomy reads"

# --- servers away, wrong, not allowed
faulty stagecoach.yaml 's#^kafka: .*#kafka: { brokers: "127.0.0.1:1", group: x }#'
finds 1 "$(place stagecoach.yaml '127.0.0.1:1')error: no broker can be asked" "check kafka.brokers"
mended
faulty stagecoach.yaml 's#^redis: .*#redis: { address: "127.0.0.1:1" }#'
finds 1 "$(place stagecoach.yaml '127.0.0.1:1')error: Redis does not answer: Connection refused" "check redis.address"
mended
redis-cli -h "${STAGECOACH_REDIS%:*}" -p "${STAGECOACH_REDIS#*:}" acl setuser "$RUN" on ">right" '~sc:*' '&*' +@all -@dangerous >/dev/null
echo right >"$SHOP/redis.password"
faulty stagecoach.yaml "s#^redis: .*#redis: { address: \"$STAGECOACH_REDIS\", username: \"$RUN\", password_file: redis.password }#"
finds 1 "$(place stagecoach.yaml "$STAGECOACH_REDIS\", user")error: INFO refused" "what that user may do"
echo wrong >"$SHOP/redis.password"
finds 1 "error: login refused: check redis.username and its password file"
mended
faulty stagecoach.yaml 's#^registry: .*#registry: { url: "http://127.0.0.1:1/apis" }#'
finds 1 "$(place stagecoach.yaml 'http://127.0.0.1:1')error: the schema registry cannot be used: 127.0.0.1:1"
mended
(cd "$SHOP" && "$STAGECOACH" check --connect journey.yaml) >"$WORK/found" 2>&1 && fail "--connect without settings is taken"
said "$WORK/found" "none of these files is a settings file" || fail "$(<"$WORK/found")"
ok "servers that are away or refuse"
passed
