# shellcheck shell=bash
# A broker of a test's own that wants a login: user `shop` with the password `right`. Source servers.sh
# and shop.sh first.

# shellcheck source=../../deploy/local/lib.sh
source deploy/local/lib.sh
# shellcheck disable=SC2034 # read by servers.sh
DIR=$WORK
# shellcheck source=../../deploy/local/servers.sh
source deploy/local/servers.sh

# sasl_broker [PROPERTY=VALUE…]: start it. Sets SASL, where one logs in, and PLAIN, where nobody need.
sasl_broker() {
    local control
    SASL=$(free_port) PLAIN=$(free_port) control=$(free_port)
    cp -r "$KAFKA_HOME/formatted" "$WORK/sasl"
    kafka_properties "$WORK/sasl" "$PLAIN" "$control" | sed -E \
        -e "s#^((advertised\.)?listeners)=#\1=SASL_PLAINTEXT://127.0.0.1:$SASL,#" >"$WORK/sasl.properties"
    cat >>"$WORK/sasl.properties" <<'END'
sasl.enabled.mechanisms=PLAIN
listener.security.protocol.map=SASL_PLAINTEXT:SASL_PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_shop="right";
END
    printf '%s\n' "$@" >>"$WORK/sasl.properties"
    background "$WORK/sasl.log" java -Xmx512m -XX:+UseSerialGC -cp "$KAFKA_HOME/lib/*" kafka.Kafka "$WORK/sasl.properties"
    SASL_PID=$BACKGROUND_PID
    wait_until 60 answers_kafka "$SASL" || fail "the broker with a login does not start: $(tail -n 5 "$WORK/sasl.log")"
}

sasl_end() {
    kill -KILL "$SASL_PID"
    wait "$SASL_PID" 2>/dev/null || true
}
