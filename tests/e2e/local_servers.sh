# What the demo and every other test here stand on: deploy/local starts servers that answer, once, on
# ports of their own, keeps their data, and leaves nothing behind when it is interrupted.
source tests/lib/servers.sh

# processes_of FOLDER: how many processes have a file of the folder on their command line.
processes_of() {
    local n=0 file
    for file in /proc/[0-9]*/cmdline; do
        if { tr '\0' ' ' <"$file"; } 2>/dev/null | grep -qF "$1/"; then n=$((n + 1)); fi
    done
    echo $n
}

# An interrupted start, at three moments: before, between and after the launches. The last may come too
# late on a quick machine: then all of it runs, and goes by down.
unset STAGECOACH_KAFKA STAGECOACH_REDIS STAGECOACH_REGISTRY
for after in 0.2 0.8 2; do
    deploy/local/up --dir "$WORK/cut" --quiet &
    up=$!
    sleep "$after"
    kill -TERM "$up" 2>/dev/null || true
    if wait "$up"; then
        [ "$after" != 0.2 ] || fail "up came up in $after s, too quick to be cut"
        deploy/local/down --dir "$WORK/cut" --quiet
    fi
    [ "$(processes_of "$WORK/cut")" -eq 0 ] || fail "up left processes, cut after $after s"
done

servers_own
one=$STAGECOACH_KAFKA
pids=$(cat "$SERVERS_DIR"/*/pid)
start=$SECONDS
deploy/local/up --dir "$SERVERS_DIR" --quiet
[ "$(cat "$SERVERS_DIR"/*/pid)" = "$pids" ] || fail "a second up started something anew"
[ $((SECONDS - start)) -le 3 ] || fail "a second up took $((SECONDS - start)) s"

# A set beside it that takes Kafka and the registry from the user starts a Redis, on another port.
deploy/local/up --dir "$WORK/beside" --quiet
[ ! -e "$WORK/beside/kafka/pid" ] || fail "up started a Kafka though the user has one"
(
    source "$WORK/beside/env"
    [ "$STAGECOACH_KAFKA" = "$one" ] || fail "the user's Kafka was not kept"
)
deploy/local/down --dir "$WORK/beside" --quiet
server kafka status || fail "ending one set ended another's Kafka"

# Data and ports outlive a kill.
topic "$RUN.kept" 2
seq 100 | produce "$RUN.kept"
redis_port=${STAGECOACH_REDIS##*:}
redis-cli -p "$redis_port" set kept 1 >/dev/null
register "$RUN.kept-value" JSON schemas/sources/support.schema.json >"$WORK/id"
[ -s "$WORK/id" ] || fail "the registry took no schema"
sleep 1.1 # Redis syncs once a second
for name in kafka redis registry; do
    server $name kill
    if server $name status; then fail "$name lives after its kill"; fi
    server $name start
done
[ "$(consume "$RUN.kept" | sort -n | tail -n 1)" = 100 ] || fail "Kafka lost records"
[ "$(redis-cli -p "$redis_port" get kept)" = 1 ] || fail "Redis lost a key"
schema() { curl -sS -m 5 "$@" "$STAGECOACH_REGISTRY/schemas/ids/$(cat "$WORK/id")"; }
kept() { schema -f -o /dev/null 2>/dev/null; }
wait_until 10 kept || fail "the registry lost a schema: $(schema 2>&1)"

# A paused server holds its connections and says nothing.
server redis pause
if timeout 1 redis-cli -p "$redis_port" ping >/dev/null; then fail "a paused Redis answers"; fi
server redis resume
[ "$(redis-cli -p "$redis_port" ping)" = PONG ] || fail "a resumed Redis does not answer"

# One that ends at once is said to have ended, and not waited for.
server redis stop
echo '#!/bin/sh' >"$WORK/redis-server" && chmod +x "$WORK/redis-server"
start=$SECONDS
if PATH=$WORK:$PATH server redis start 2>"$WORK/said"; then fail "a Redis that ends at once came up"; fi
grep -q 'redis ended while starting' "$WORK/said" || fail "not said: redis ended while starting"
[ $((SECONDS - start)) -le 10 ] || fail "it took $((SECONDS - start)) s to see that Redis had ended"

deploy/local/down --dir "$SERVERS_DIR" --quiet
[ "$(processes_of "$SERVERS_DIR")" -eq 0 ] || fail "down left processes"
