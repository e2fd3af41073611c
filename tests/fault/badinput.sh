#!/usr/bin/env bash
# A thousand bad records of each kind among 100,000 good ones, as Avro, Protobuf and JSON: each is a dead
# letter once, with its reason and all that it was; each good one counts; and too many stop the process.
source tests/lib/servers.sh
source tests/lib/shop.sh
servers_up
SPOIL=$BUILD_DIR/tests/test_spoil
good=33334 bad=1000
[ -z "${STAGECOACH_TEST_LONG:-}" ] || { good=333334 bad=10000; }

rm -rf "$SHOP" && mkdir -p "$SHOP"
od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' >"$KEY"
sed "s/RUN/$RUN/" tests/lib/orders/taxonomy.yaml >"$SHOP/taxonomy.yaml"
cp tests/lib/orders/journey.yaml "$SHOP/"
shop_settings stagecoach 'max_error_rate: 100%'
sent=0 cents=0
for format in avro protobuf json; do
    topic "$RUN.$format" 4 retention.ms=-1
    case $format in
    avro) id=$(register "$RUN.avro-value" AVRO tests/lib/orders/order.avsc) ;;
    protobuf) id=$(register "$RUN.protobuf-value" PROTOBUF tests/lib/orders/order.proto) ;;
    json) id=1 ;; # of no meaning to the reader
    esac
    "$SPOIL" send "$STAGECOACH_KAFKA" "$RUN.$format" $format "$id" $good $bad >"$WORK/sent"
    read -r bad_ones worth <"$WORK/sent"
    sent=$((sent + bad_ones)) cents=$((cents + worth))
done
topic "$RUN.dead" 4 retention.ms=-1

PARTITIONS=16
shop_start
shop_wait 120
dead=$(metric dead_letters_total)
shop_stop
for format in avro protobuf json; do
    "$SPOIL" check "$STAGECOACH_KAFKA" "$RUN.$format" "$RUN.dead" >"$WORK/checked" || fail "$(cat "$WORK/checked")"
    ok "$(<"$WORK/checked")"
done
[ "$dead" -eq "$sent" ] || fail "the metric counts $dead dead letters, $sent bad records were sent"
ok "$dead dead letters counted"

# Every good order counts: orders and revenue over all customers.
consume "$RUN.customers" -f '%k\t%s\n' |
    awk -F '\t' '{ row[$1] = $2 } END { for (k in row) if (row[k] != "") print row[k] }' |
    jq -rs '[(map(.facts.orders) | add), (map(.facts.revenue * 100 | round) | add)] | @tsv' >"$WORK/sums"
read -r orders revenue <"$WORK/sums"
[ "$orders" -eq $((3 * good)) ] || fail "$orders orders of $((3 * good)) count"
[ "$revenue" -eq "$cents" ] || fail "$revenue cents of $cents"
ok "$orders good orders through, to the cent"

# Among fewer, a tenth is too much: exit 65, and the reason.
sed -i '/^max_error_rate/d; s/group: "[^"]*/&.strict/' "$SHOP/stagecoach.yaml"
sed -i "s/$RUN\.\(journal\|state\)\"/$RUN.strict.\1\"/g" "$SHOP/stagecoach.yaml"
shop_start
shop_exits 60 65 'dead letters: over max_error_rate; look at the dead letters'
ok "max_error_rate stops it"
passed
