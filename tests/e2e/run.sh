#!/usr/bin/env bash
# `stagecoach run` on real servers, the plain path: start, drain, go on; what its listener says; what
# others read of what it publishes; one role a process; three formats without a registry.
source tests/lib/servers.sh
source tests/lib/shop.sh
command -v protoc >/dev/null || skip "protoc is not installed"
servers_up
name=$RUN

# --- start, drain, go on: the second load begins with all of the first, which are copies
shop_project
shop_load 3000
shop_start
shop_wait 60
[ "$(curl -s -m 5 "$ADMIN/livez")" = ok ] || fail "/livez does not say ok"
curl -sf -m 5 "$ADMIN/readyz?verbose" >"$WORK/ready" || fail "/readyz is not ready"
for line in "[+] resolve 0: 10 partitions, 0 stopped, lag 0" "[+] journey 0: 4 partitions, 0 stopped"; do
    said "$WORK/ready" "$line" || fail "/readyz?verbose lacks: $line; it says $(<"$WORK/ready")"
done
curl -sf -m 5 -D "$WORK/headers" "$ADMIN/metrics" >"$WORK/metrics"
grep -qi '^content-type: text/plain; version=0.0.4' "$WORK/headers" || fail "/metrics has another content type"
[ "$(metric records_total)" -eq 3000 ] || fail "$(metric records_total) of 3000 records counted"
if command -v promtool >/dev/null; then
    promtool check metrics <"$WORK/metrics" || fail "promtool finds faults"
fi
# The exposition format: each family has its HELP and TYPE first and once, each sample is of the family
# before it, no series is there twice.
awk '
    /^# HELP / { if ($3 in help) { print "HELP twice: " $3; exit 1 } help[$3]; next }
    /^# TYPE / { if (!($3 in help)) { print "TYPE before HELP: " $3; exit 1 } family = $3
                 if ($4 == "counter" && family !~ /_total$/) { print "a counter without _total: " $3; exit 1 } next }
    /^[a-z_]+([{]([a-z_]+="[^"]*",?)*[}])? -?[0-9.e+]+$/ {
        split($1, n, "{"); if (n[1] != family) { print "sample outside its family: " $0; exit 1 }
        if ($1 in seen) { print "twice: " $1; exit 1 } seen[$1]; samples++; next }
    { print "no sample: " $0; exit 1 }
    END { if (samples < 50) { print "only " samples " samples"; exit 1 } }' "$WORK/metrics" >"$WORK/faults" ||
    fail "/metrics: $(<"$WORK/faults")"
ok "/livez, /readyz and /metrics"
shop_stop
shop_load 6000
shop_start
shop_wait 60
shop_stop
shop_compare 6000
ok "SIGTERM drains, a second start goes on, copies count once"

# --- what others read of it
# Messages to agents need no consent, which may be read before or behind what it is about.
consume "$RUN.triggers.agent" -f '%k\t%h\t%s\n' >"$WORK/messages"
[ -s "$WORK/messages" ] || fail "no messages to look at"
while IFS=$'\t' read -r key headers value; do
    jq -e --arg key "$key" --arg headers ",$headers," '
        .customer == $key and
        ($headers | contains(",ce_specversion=1.0,") and contains(",content-type=application/json,")
             and contains(",ce_type=stagecoach.trigger,")) and
        (.id as $id | $headers | contains(",ce_id=\($id),")) and
        (.customer as $c | $headers | contains(",ce_subject=\($c),")) and
        (.at as $at | $headers | contains(",ce_time=\($at),"))' <<<"$value" >/dev/null ||
        fail "headers, key and value do not agree: $key $headers $value"
done <"$WORK/messages"
ok "CloudEvents headers agree with $(wc -l <"$WORK/messages") messages"

# The same keys by librdkafka's murmur2, into a topic of as many partitions.
topic "$RUN.murmur" 4
consume "$RUN.customers" -f '%k %p\n' | sort -u >"$WORK/placed"
cut -d' ' -f1 "$WORK/placed" | sed 's/$/:/' | produce "$RUN.murmur" -K : -X partitioner=murmur2
consume "$RUN.murmur" -f '%k %p\n' | sort -u | diff - "$WORK/placed" >/dev/null || fail "keys are not placed by murmur2"
[ "$(cut -d' ' -f2 "$WORK/placed" | sort -u | wc -l)" -eq 4 ] || fail "customers use not all partitions"
ok "keys are placed as Java's default partitioner does"

# Absorbed customers: a tombstone ends each, and nobody alive is among the former.
jq -r '.former_ids[]' "$WORK/published.jsonl" | sort -u >"$WORK/former"
[ -s "$WORK/former" ] || fail "no customers were merged"
jq -r .id "$WORK/published.jsonl" | sort | comm -12 - "$WORK/former" >"$WORK/both"
[ ! -s "$WORK/both" ] || fail "absorbed and alive: $(head -n 3 "$WORK/both")"
consume "$RUN.customers" -f '%k\t%s\n' | awk -F '\t' '$2 == ""' | wc -l >"$WORK/tombstones"
[ "$(<"$WORK/tombstones")" -gt 0 ] || fail "no tombstones on the customers topic"
ok "$(<"$WORK/tombstones") tombstones, $(wc -l <"$WORK/former") former ids, none of them alive"

# What was measured, added up: as many customers as there are, transitions as were published.
consume "$RUN.analytics" -f '%s\n' >"$WORK/analytics"
measured() { jq -s "[.[] | select(.metric == \"$1\") | .count] | add" "$WORK/analytics"; }
[ "$(measured customers)" = "$(wc -l <"$WORK/published.jsonl")" ] ||
    fail "analytics count $(measured customers) customers, there are $(wc -l <"$WORK/published.jsonl")"
# (a stage that a merge takes over from its other side was counted there)
[ "$(jq -s '[.[] | select(.metric == "transition" and .key.cause != "merge") | .count] | add' "$WORK/analytics")" = \
    "$(consume "$RUN.transitions" -f '%s\n' | grep '"type":"transition"' | grep -vc '"cause":"merge"')" ] ||
    fail "analytics count other transitions than were published"
jq -es 'map(select(.count < 0)) | length > 0' "$WORK/analytics" >/dev/null || fail "no merge took anything back"
consume "$RUN.analytics" -f '%k %p\n' | sort -u | cut -d' ' -f1 | uniq -d >"$WORK/twice"
[ ! -s "$WORK/twice" ] || fail "a cell stands in two partitions: $(head -n 1 "$WORK/twice")"
[ "$(consume "$RUN.analytics" -f '%h\n' | grep -o 'ce_id=[0-9a-f]*' | sort | uniq -d | wc -l)" -eq 0 ] ||
    fail "two analytics records have one ce_id"
ok "analytics: $(wc -l <"$WORK/analytics") records add up"

# A trace goes through: an escalated case, in bare JSON, with the header.
trace=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
escalate() {
    echo '{"id":"traced","type":"case_escalated","at":"2017-12-30T10:00:00Z","case":{"id":"C-1","topic":"missing points"},"customer":{"card":"traced"}}' |
        produce "$RUN.support" -k traced -H "traceparent=$trace"
    wait_until 20 traced || fail "the escalated case sent nobody"
}
traced() { consume "$RUN.triggers.agent" -f '%h\t%s\n' | grep -F '"traced"' >"$WORK/traced"; }
shop_start
escalate
grep -qF "traceparent=$trace" "$WORK/traced" || fail "no traceparent among the headers: $(<"$WORK/traced")"
ok "traceparent goes through"
shop_stop

# --- Avro and Protobuf out, without CloudEvents headers, one role a process
RUN=$name.roles
shop_project
sed -i -e "s#^  customers: .*#  customers: { topic: $RUN.customers, format: protobuf }#" \
    -e "s#^  analytics: .*#  analytics: { topic: $RUN.analytics, format: avro }#" \
    -e "s#^  transitions: .*#  transitions: { topic: $RUN.transitions, format: avro }\n  cloudevents: false#" "$SHOP/stagecoach.yaml"
cp "$SHOP/stagecoach.yaml" "$SHOP/journeys.yaml"
sed -i "s/listen: .*/listen: \"127.0.0.1:$(free_port)\" }/" "$SHOP/journeys.yaml"
sed -n 's/.*listen: "\(.*\)".*/\1/p' "$SHOP/journeys.yaml" >"$SHOP/journeys.admin"
shop_load 6000
shop_start stagecoach --role resolve
resolve=$RUN_PID
shop_start journeys --role journey
shop_wait 60 stagecoach journeys
consume "$RUN.customers" -f '%k\t%S\n' | awk -F '\t' '{ size[$1] = $2 } END { for (k in size) n += size[k] > 0; print n }' >"$WORK/live"
[ "$(<"$WORK/live")" -eq "$(wc -l <"$WORK/published")" ] ||
    fail "two roles in two processes made $(<"$WORK/live") customers, not $(wc -l <"$WORK/published")"
ok "one role a process"

escalate
cut -f1 "$WORK/traced" | grep -qxF "traceparent=$trace" || fail "other headers than traceparent: $(<"$WORK/traced")"
consume "$RUN.transitions" -f '%h|\n' | grep -vx '|' >"$WORK/traced" && fail "a transition has headers: $(head -n 1 "$WORK/traced")"
consume "$RUN.analytics" -f '%h|\n' | grep -vx '|' >"$WORK/traced" && fail "a cell has headers: $(head -n 1 "$WORK/traced")"
ok "no CloudEvents headers where none are wanted"
shop_stop "$resolve"
shop_stop

id=$(curl -sf "$STAGECOACH_REGISTRY/subjects/$RUN.transitions-value/versions/latest" | jq .id)
consume "$RUN.transitions" -c 1 -f '%s' >"$WORK/one"
od -An -tx1 -N5 "$WORK/one" | tr -d ' \n' >"$WORK/frame"
[ "$(<"$WORK/frame")" = "$(printf '00%08x' "$id")" ] || fail "transitions are framed by $(<"$WORK/frame"), the schema's id is $id"
curl -sf "$STAGECOACH_REGISTRY/schemas/ids/$id" | jq -r .schema >"$WORK/transition.avsc"
consume "$RUN.transitions" -f '%R%s' | "$BUILD_DIR/tests/test_avro_json" "$WORK/transition.avsc" >"$WORK/transitions" ||
    fail "Avro C cannot read the transitions"
jq -es 'length > 100 and all(.customer and .rule.string and .at > 1e12)' "$WORK/transitions" >/dev/null ||
    fail "a transition lacks something: $(head -n 1 "$WORK/transitions")"
ok "$(wc -l <"$WORK/transitions") transitions in Avro, read by Avro C with the registry's schema"

curl -sf "$STAGECOACH_REGISTRY/subjects/$RUN.analytics-value/versions/latest" | jq -r .schema >"$WORK/analytics.avsc"
consume "$RUN.analytics" -f '%R%s' | "$BUILD_DIR/tests/test_avro_json" "$WORK/analytics.avsc" >"$WORK/analytics" ||
    fail "Avro C cannot read the analytics"
[ "$(jq -s '[.[] | select(.metric == "customers") | .count] | add' "$WORK/analytics")" = $(($(wc -l <"$WORK/published") + 1)) ] || # who escalated
    fail "the analytics in Avro count other customers: $(head -n 1 "$WORK/analytics")"
ok "$(wc -l <"$WORK/analytics") analytics records in Avro"

# 5 bytes of frame, 1 of message index, the message.
consume "$RUN.customers" -f '%S\t%k\t%o %p\n' | awk -F '\t' '$1 > 0' | tail -n 1 >"$WORK/last"
IFS=$'\t' read -r size key place <"$WORK/last"
kcat -C -q -e -b "$STAGECOACH_KAFKA" -t "$RUN.customers" -p "${place#* }" -o "${place% *}" -c 1 -f '%s' |
    tail -c +7 | protoc --proto_path=schemas/outbound --decode=stagecoach.Customer customer.proto >"$WORK/customer" ||
    fail "protoc cannot read a customer of $size bytes"
grep -q "^id: \"$key\"\$" "$WORK/customer" || fail "the customer is not the one of its key: $(<"$WORK/customer")"
grep -q 'key: "orders"' "$WORK/customer" || fail "the customer has no facts: $(<"$WORK/customer")"
ok "customers in Protobuf, read by protoc"

# --- three formats by local schema files, no registry
RUN=$name.bare
rm -rf "$SHOP" && mkdir -p "$SHOP"
cp tests/lib/orders/* "$SHOP/"
protoc --proto_path=tests/lib/orders --descriptor_set_out="$SHOP/order.desc" order.proto
sed -i -e "s/RUN/$RUN/" -e 's/^    format: avro/&\n    schema: order.avsc/' \
    -e "s/^    format: protobuf/&\n    schema: order.proto/" "$SHOP/taxonomy.yaml"
for schema in proto desc; do
    sed -i -e "s/order\.\(proto\|desc\)\$/order.$schema/; s/${RUN}[a-z]*\./$RUN$schema./" "$SHOP/taxonomy.yaml"
    RUN=$name.bare$schema
    od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' >"$KEY"
    shop_settings stagecoach 'max_error_rate: 100%'
    sed -i '/^registry:/d' "$SHOP/stagecoach.yaml"
    for format in avro protobuf json; do
        topic "$RUN.$format" 2 retention.ms=-1 # its records are of January
        "$BUILD_DIR/tests/test_spoil" send "$STAGECOACH_KAFKA" "$RUN.$format" $format bare 1000 20 >"$WORK/sent"
    done
    topic "$RUN.dead" 1 retention.ms=-1
    PARTITIONS=10
    shop_start
    shop_wait 40
    [ "$(metric events_total)" -eq 3000 ] || fail "$(metric events_total) of 3000 bare records are events"
    shop_stop
    for format in avro protobuf json; do
        "$BUILD_DIR/tests/test_spoil" check "$STAGECOACH_KAFKA" "$RUN.$format" "$RUN.dead" >"$WORK/checked" ||
            fail "$(cat "$WORK/checked")"
    done
    ok "bare records by order.avsc, order.$schema, and as JSON"
    # A back-test of the topics, and of their records in files, comes to the same.
    for source in one:avro two:protobuf three:json; do
        topic=$RUN.${source#*:}
        "$STAGECOACH" simulate "$SHOP/stagecoach.yaml" --events "$topic@2000-01-01T00:00:00Z" \
            --effects "$WORK/topic.out" --customers - 2>"$WORK/topic.said" | sort >"$WORK/topic.customers"
        consume "$topic" -f '%R%s' >"$WORK/records"
        "$STAGECOACH" simulate "$SHOP/stagecoach.yaml" --source "${source%:*}" "$WORK/records" \
            --effects "$WORK/file.out" --customers - 2>/dev/null | sort >"$WORK/file.customers"
        [ "$(tail -n 1 "$WORK/topic.out" | jq .events)" -eq 1000 ] ||
            fail "a back-test of $topic: $(tail -n 1 "$WORK/topic.out"), $(tail -n 3 "$WORK/topic.said")"
        cmp -s "$WORK/topic.customers" "$WORK/file.customers" || fail "the topic and its records come to other customers"
    done
    # Several topics are one stream in order of time.
    from=@2000-01-01T00:00:00Z
    "$STAGECOACH" simulate "$SHOP/stagecoach.yaml" --events "$RUN.json$from" "$RUN.protobuf$from" "$RUN.avro$from" \
        --effects "$WORK/topics.out" 2>/dev/null
    [ "$(tail -n 1 "$WORK/topics.out" | jq .events)" -eq 3000 ] ||
        fail "a back-test of three topics: $(tail -n 1 "$WORK/topics.out")"
    jq -r 'select(.type == "transition") | .event_at' "$WORK/topics.out" | sort -c ||
        fail "a back-test of three topics is not in order of time"
    "$STAGECOACH" simulate "$SHOP/stagecoach.yaml" --events "$RUN.json@2100-01-01T00:00:00Z" --effects - |
        jq -e '.events == 0' >/dev/null || fail "records after the end of all time"
    ok "back-tests of the topics and of files of their records"
    RUN=$name.bare
done
passed
