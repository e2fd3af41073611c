#!/usr/bin/env bash
# Redis away, emptied, thrown back to an older state, full, read-only, in the middle of the work: it is
# a view, so nothing is lost and nothing wrong; and what may not be at a start is refused by name.
source tests/lib/servers.sh
source tests/lib/shop.sh
unset STAGECOACH_REDIS # one of our own
servers_up
port=${STAGECOACH_REDIS##*:}
redis() { redis-cli -p "$port" --no-auth-warning "$@"; }
name=$RUN

# under NAME TEXT COMMAND [SPEED]: 8,000 events in four seconds; a first life stops in between, so that the second
# reads its states from Redis; then the fault.
under() {
    RUN=$name.$1
    shop_project 'flush: { interval: 200ms, stall: 2s }'
    EVENTS=8000
    background "$WORK/load" "$PLAY" load --topics "$RUN.clickstream,$RUN.pos,$RUN.support" \
        --limit $EVENTS --speed "${4:-1600000}"
    local load=$BACKGROUND_PID
    shop_start
    await_said 40 'area=journey msg="worker 0 owns'
    sleep 1
    shop_stop
    shop_start
    await_said 40 'area=journey msg="worker 0 owns'
    sleep 1
    "$3"
    wait "$load" || fail "load: $(tail -n 3 "$WORK/load")"
    shop_wait 60
    shop_stop
    shop_compare
    ok "$2"
}

not_ready() { [[ $(curl -s -m 5 "$ADMIN/readyz?verbose") == *"$1"* ]]; }

# Away for longer than `stall`: said, waited for, and gone on with.
away() {
    server redis stop
    wait_until 20 not_ready Redis || fail "Redis is away and /readyz does not say so"
    server redis start
}

# A start without Redis waits for it, and says so.
away_at_start() {
    shop_stop
    server redis stop
    shop_start
    await_said 20 'not reachable: waiting; check redis.address'
    server redis start
    await_said 20 'area=journey msg="worker 0 owns'
}

emptied() { redis flushall >/dev/null; }

emptied_at_rest() {
    shop_kill "$RUN_PID"
    redis flushall >/dev/null
    shop_start
}

restarted_empty() {
    server redis kill
    rm -rf "$SERVERS_DIR/redis/data"
    server redis start
}

# kill -9, then what a backup held half a second before, or a replica that had not heard of the rest.
went_back() {
    cp -r "$SERVERS_DIR/redis/data" "$WORK/old"
    sleep 0.7
    server redis kill
    rm -rf "$SERVERS_DIR/redis/data"
    mv "$WORK/old" "$SERVERS_DIR/redis/data"
    redis-check-aof --fix "$SERVERS_DIR"/redis/data/appendonlydir/*.incr.aof >/dev/null 2>&1 <<<y || true
    server redis start
}

full() {
    redis config set maxmemory 1mb >/dev/null
    await_said 20 'a flush was refused'
    redis config set maxmemory 0 >/dev/null
}

# A failover: the server one is connected to is a replica now, then a master again.
read_only() {
    redis replicaof 127.0.0.1 1 >/dev/null
    await_said 20 READONLY
    redis replicaof no one >/dev/null
}

without_scripts() { redis script flush >/dev/null; }

# Somebody touches the stamps all the time, so also between a flush's question and its values.
touched() {
    redis -r 2000 -i 0.001 eval "for _, k in ipairs(redis.call('KEYS', '*stamp')) do
        redis.call('HSET', k, 'x', '1') end" 0 >/dev/null
    await_said 20 'the stamp in Redis is not ours'
}

# Every command is answered with BUSY for a while, whichever comes then.
busy() {
    redis config set busy-reply-threshold 10 >/dev/null
    redis eval "local t = redis.call('TIME') while redis.call('TIME')[1] - t[1] < 3 do end" 0 >/dev/null
    redis config set busy-reply-threshold 5000 >/dev/null
    wait_until 20 met_busy || fail "BUSY was not met: $(tail -n 20 "$RUN_LOG")"
}

# By a flush, by one who reads a state, or by one who connects anew.
met_busy() { grep -qsE 'BUSY|server not reachable' "$RUN_LOG"; }

paused() {
    server redis pause
    sleep 3
    server redis resume
}

under away "Redis away and back" away 600000 # ten seconds: who has nothing to write misses nothing
under start "Redis away at a start" away_at_start
under flushall "FLUSHALL in the middle" emptied
under flushrest "FLUSHALL after kill -9" emptied_at_rest
under empty "Redis restarted without its data" restarted_empty
under back "Redis killed and back with older data" went_back
under full "Redis full" full
under readonly "Redis read-only, then not" read_only 600000
under noscript "SCRIPT FLUSH in the middle" without_scripts
under touched "somebody touches the stamps" touched 600000
under busy "Redis busy with another's script" busy 600000
under paused "Redis silent for three seconds" paused

# Refused at a start, by name.
RUN=$name.refused
shop_project
shop_start # creates the topics
await_said 40 'area=journey msg="worker 0 owns'
shop_stop

redis config set maxmemory 100mb >/dev/null
redis config set maxmemory-policy allkeys-lru >/dev/null
shop_start
shop_exits 20 78 'set maxmemory-policy noeviction'
redis config set maxmemory 0 >/dev/null
redis config set maxmemory-policy noeviction >/dev/null
ok "a server that evicts is refused"

redis replicaof 127.0.0.1 1 >/dev/null
shop_start
shop_exits 20 78 'name the master, or Sentinel'
redis replicaof no one >/dev/null
ok "a replica is refused"

redis config set requirepass right >/dev/null
shop_start
shop_exits 20 78 NOAUTH redis.password_file
ok "a missing password is said"
echo wrong >"$SHOP/password"
REDIS_MORE=', password_file: password' shop_settings stagecoach
shop_start
shop_exits 20 78 'login refused: check redis.username and its password file'
ok "a wrong password is said"
echo right >"$SHOP/password"
shop_start
await_said 40 'area=journey msg="worker 0 owns'
shop_stop
ok "the right one is taken"
passed
