#!/usr/bin/env bash
# A login that lacks a right: `check --connect` and `run` name it, what it is for and what gives it,
# before anything is read or written; asking changes nothing and disturbs nobody.
source tests/lib/servers.sh
source tests/lib/shop.sh
servers_up
# shellcheck source=../lib/sasl.sh
source tests/lib/sasl.sh
sasl_broker authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer \
    super.users=User:ANONYMOUS

# acls WORD…: add what a user may do, or not.
acls() {
    java -XX:TieredStopAtLevel=1 -cp "$KAFKA_HOME/lib/*" org.apache.kafka.tools.AclCommand \
        --bootstrap-server "127.0.0.1:$PLAIN" --add "$@" >"$WORK/acls" 2>&1 || fail "$(<"$WORK/acls")"
}
# finds STATUS TEXT…: `check --connect` ends so and says each text.
finds() {
    local status=$1 rc=0 text
    shift
    "$STAGECOACH" check --connect "$SHOP/stagecoach.yaml" >"$WORK/found" 2>&1 || rc=$?
    [ $rc -eq "$status" ] || fail "exit status $rc, not $status: $(<"$WORK/found")"
    for text in "$@"; do
        said "$WORK/found" "$text" || fail "not said: $text; said: $(<"$WORK/found")"
    done
}
# ends: where each partition ends.
ends() {
    local topic p asked=()
    for topic in clickstream journal state customers dead; do
        for p in 0 1 2 3; do asked+=(-t "$RUN.$topic:$p:-1"); done
    done
    kcat -Q -b "127.0.0.1:$PLAIN" "${asked[@]}"
}

STAGECOACH_KAFKA=127.0.0.1:$PLAIN
shop_project
echo right >"$SHOP/password"
sed -i "s/^kafka:.*/kafka: { brokers: \"127.0.0.1:$SASL\", group: \"$RUN\", sasl: { mechanism: PLAIN, username: shop, password_file: password } }/" "$SHOP/stagecoach.yaml"
finds 1 "this login may not see topic $RUN.clickstream (a source), if there is one"
shop_start
shop_exits 30 78 "this login may not see topic $RUN.clickstream (a source)" \
    "this login may not see topic $RUN.journal (the journal)" \
    "this login may not use the consumer group $RUN-resolve"
ok "no right at all"

acls --allow-principal User:shop --operation All --topic '*' --group '*' --transactional-id '*' --cluster
shop_start
shop_wait 60
aborts=$(metric aborts_total) acquisitions=$(metric acquisitions_total)
finds 0 "0 errors"
! said "$WORK/found" "this login may not" || fail "$(<"$WORK/found")"
sleep 1
[ "$(metric aborts_total) $(metric acquisitions_total)" = "$aborts $acquisitions" ] || fail "asking disturbs a worker"
shop_stop
ends >"$WORK/before"
finds 0 "0 errors"
ends | cmp - "$WORK/before" || fail "asking writes something"
ok "every right; asking changes nothing, and disturbs no worker"

acls --deny-principal User:shop --operation Read --topic "$RUN.pos" --group "$RUN-journey"
acls --deny-principal User:shop --operation Write --topic "$RUN.customers" --transactional-id "$RUN-r" \
    --resource-pattern-type prefixed
give="give it that right: kafka-acls --add --allow-principal User:shop --operation"
lacks=("this login may not read topic $RUN.pos (a source); $give Read --topic $RUN.pos"
    "this login may not write to topic $RUN.customers (an outbound topic); $give Write --topic $RUN.customers"
    "this login may not use the consumer group $RUN-journey; $give Read --group $RUN-journey"
    "this login may not use the transactional id $RUN-r"
    "--operation Write --transactional-id")
finds 1 "${lacks[@]}" "4 errors"
shop_start
shop_exits 30 78 "${lacks[@]}"
ok "each right that is lacking is named, with what gives it"
shop_start stagecoach --role journey
shop_exits 30 78 "consumer group $RUN-journey" "write to topic $RUN.customers"
! said "$RUN_LOG" "$RUN.pos" || fail "a role is asked for what it does not do: $(<"$RUN_LOG")"
ok "a role alone is asked for what it does"
sasl_end
passed
