#!/usr/bin/env bash
# Records that are deleted before they were read (retention, DeleteRecords): they are never passed over in
# silence. The partition stops and says which, what was asked and what is there; the others go on; on the
# operator's word it goes on with what is left.
source tests/lib/servers.sh
source tests/lib/shop.sh
# shellcheck source=../../deploy/local/lib.sh
source deploy/local/lib.sh
servers_up
owns='area=journey msg="worker 0 owns'

# delete TOPIC PARTITION: all its records.
delete() {
    jq -n --arg topic "$1" --argjson partition "$2" \
        '{version: 1, partitions: [{topic: $topic, partition: $partition, offset: -1}]}' >"$WORK/delete.json"
    java -cp "$KAFKA_HOME/lib/*" org.apache.kafka.tools.DeleteRecordsCommand \
        --bootstrap-server "$STAGECOACH_KAFKA" --offset-json-file "$WORK/delete.json" >"$WORK/deleted" 2>&1 ||
        fail "delete $1 $2: $(tail -n 3 "$WORK/deleted")"
}

stopped_is() { [ "$(metric partitions_stopped)" -eq "$1" ]; }
records() { metric records_total; }

# --- a source, before a start
shop_project
shop_load 3000
shop_start
shop_wait 60
shop_stop
shop_load 3000 # the same once more: copies
delete "$RUN.pos" 1
shop_start
await_said 40 'source pos, partition 1 stopped: offset '
await_said 1 "of topic $RUN.pos is to be read next, but it has"
await_said 1 'start once with --adopt'
wait_until 10 stopped_is 1 || fail "the gauge of stopped partitions says $(metric partitions_stopped)"
more() { [ "$(records)" -gt 1000 ]; }
wait_until 30 more || fail "the other partitions do not go on: $(records) records"
[ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$ADMIN/readyz")" = 503 ] || fail "it says that it is ready"
shop_stop
ok "a source's records deleted before a start"

shop_start stagecoach --adopt
await_said 40 "topic $RUN.pos, partition 1: offset"
shop_wait 60
stopped_is 0 || fail "the operator's word was not taken"
shop_stop
shop_compare
ok "--adopt goes on at the first that is left"

# --- a source, behind the back of one that runs
shop_start
shop_wait 60
kill -STOP "$RUN_PID"
shop_load 3000
delete "$RUN.clickstream" 2
kill -CONT "$RUN_PID"
await_said 60 'source clickstream, partition 2 stopped: offset '
shop_stop
shop_start stagecoach --adopt
shop_wait 60
shop_stop
ok "a source's records deleted behind its back"

# --- the journal
shop_start stagecoach --role resolve
await_said 40 'area=resolve msg="worker 0 owns'
shop_load 3000
drained() { [ "$(metric lag_records)" -eq 0 ] && [ "$(records)" -ge 3000 ]; }
wait_until 30 drained || fail "resolve does not come to the end"
shop_stop
delete "$RUN.journal" 3
shop_start
await_said 40 'partition 3 stopped: offset '
await_said 1 "of topic $RUN.journal is to be read next, but it has"
await_said 20 "$owns"
wait_until 10 stopped_is 1 || fail "the gauge of stopped partitions says $(metric partitions_stopped)"
shop_stop
ok "the journal's records deleted before a start"

# --- the state log
shop_start stagecoach --adopt
shop_wait 60
shop_stop
delete "$RUN.state" 0
shop_start
await_said 40 'partition 0 stopped: the state log has no offset '
shop_stop
ok "the state log's records deleted"
passed
