#!/usr/bin/env bash
# kill -9, ten times at random moments while it works, and ten times more with two processes that share
# the work: nothing is lost, nothing repeated, every customer is what `simulate` makes of the same events.
# KILLS=N: so many instead of ten.
source tests/lib/servers.sh
source tests/lib/shop.sh
servers_up
kills=${KILLS:-${STAGECOACH_TEST_LONG:+100}}
kills=${kills:-10}

# A seed that is printed: a failure's moments can be had again.
RANDOM=${SEED:=$((RANDOM))}
echo "seed: SEED=$SEED"

# sleep_random LEAST MOST, in milliseconds.
sleep_random() {
    local ms=$(($1 + RANDOM % ($2 - $1)))
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

# begin: a shop of this script's own, and events that go on coming for as long as the kills take, so that
# there is always work.
begin() {
    RUN=$1
    shop_project
    EVENTS=40000
    background "$WORK/load" "$PLAY" load --topics "$RUN.clickstream,$RUN.pos,$RUN.support" \
        --limit $EVENTS --speed $((11000000 / kills))
    load=$BACKGROUND_PID
}

end() {
    wait "$load" || fail "load: $(tail -n 3 "$WORK/load")"
    shop_wait 90 "$@"
}

# One kill in three is anywhere from the start on, the others come once the partitions are owned, in
# the middle of transactions.
begin "$RUN.one"
for ((n = 1; n <= kills; n++)); do
    shop_start
    [ $((n % 3)) -eq 0 ] || await_said 40 'area=journey msg="worker 0 owns'
    sleep_random 0 1200
    shop_kill "$RUN_PID"
done
shop_start
end
shop_stop
shop_compare
ok "after $kills kills of one process"

# Two processes, a resolve and a journey worker each; one dies, the other takes its partitions over when
# the session has ended, or the dead one comes back first.
begin "${RUN%.one}.two"
shop_settings a
shop_settings b
shop_start a
pids=("$RUN_PID") names=(a b)
shop_start b
pids+=("$RUN_PID")
for ((n = 1; n <= kills; n++)); do
    one=$((n % 2))
    sleep_random 200 1500
    shop_kill "${pids[one]}"
    [ $((n % 5)) -ne 0 ] || sleep 11
    shop_start "${names[one]}"
    pids[one]=$RUN_PID
done
end a b
shop_stop "${pids[0]}"
shop_stop "${pids[1]}"
shop_compare
ok "after $kills kills of two processes in turn"
passed
