# shellcheck shell=bash
# The demo's shop as a project of one test's own: topics, groups and files under names that begin with
# $RUN, `stagecoach run` started, killed, awaited, and what it published compared with `simulate` over
# the same events. Source servers.sh first:
#
#     shop_project           # $SHOP/{stagecoach,journey,taxonomy}.yaml and its source topics
#     shop_load 20000        # events in three formats
#     shop_start             # stagecoach run; RUN_PID, RUN_LOG, ADMIN
#     shop_wait 60           # until all is processed
#     shop_stop              # SIGTERM: exit 0
#     shop_compare 20000     # customers, trigger ids, seals

SHOP=$WORK/shop
SEALS=$BUILD_DIR/tests/test_seals
KEY=$SHOP/key
EVENTS=0
starts=0
promises=0

# ok TEXT: one promise held.
ok() {
    promises=$((promises + 1))
    printf 'ok: %s\n' "$*"
}

# passed: the script's last line.
passed() { echo "$promises passed, 0 failed, 0 skipped"; }

free_port() {
    local port hex
    for ((;;)); do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
        printf -v hex '%04X' "$port"
        grep -qE "^ *[0-9]+: [0-9A-F]+:$hex " /proc/net/tcp /proc/net/tcp6 || break
    done
    echo "$port"
}

# shop_settings NAME [LINE…]: $SHOP/NAME.yaml, with further lines of YAML. ADMIN of the process that
# runs it is in $SHOP/NAME.admin.
shop_settings() {
    local name=$1 admin
    shift
    admin=127.0.0.1:$(free_port)
    echo "$admin" >"$SHOP/$name.admin"
    cat >"$SHOP/$name.yaml" <<END
journey: journey.yaml
kafka: { brokers: "$STAGECOACH_KAFKA", group: "$RUN" }
redis: { address: "$STAGECOACH_REDIS"${REDIS_MORE:-} }
registry: { url: "$STAGECOACH_REGISTRY", cache_dir: "$SHOP/schemas" }
clock: event
commit_interval: 20ms
journal: { topic: "$RUN.journal", state_topic: "$RUN.state", partitions: 4 }
topics:
  customers: $RUN.customers
  transitions: $RUN.transitions
  suppressed: $RUN.suppressed
  analytics: $RUN.analytics
  identity: $RUN.identity
  dead_letters: $RUN.dead
identity: { key_file: key }
instance: $name
admin: { listen: "$admin" }
END
    printf '%s\n' "$@" >>"$SHOP/$name.yaml"
}

# shop_project: the demo's journey with two facts more, over topics of this test.
shop_project() {
    rm -rf "$SHOP"
    mkdir -p "$SHOP/schemas"
    od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' >"$KEY"
    sed "s/topic: shop\./topic: $RUN./" deploy/local/demo.d/taxonomy.yaml >"$SHOP/taxonomy.yaml"
    sed -e 's/^  orders:.*/&\n  revenue: sum("order_completed", "total")/' \
        -e 's/^  first_purchase:.*/&\n  second_purchase: orders >= 2/' \
        -e "s/topic: triggers\./topic: $RUN.triggers./" \
        deploy/local/demo.d/journey.yaml >"$SHOP/journey.yaml"
    shop_settings stagecoach "$@"
    "$STAGECOACH" check "$SHOP/stagecoach.yaml" >"$WORK/check" 2>&1 || fail "the shop's own files have faults"
    for source in clickstream:4 pos:4 support:2; do
        topic "$RUN.${source%:*}" "${source#*:}" retention.ms=-1 segment.ms=9000000000000000
    done
    topic "$RUN.dead" 4 retention.ms=-1 segment.ms=9000000000000000
}

# shop_load N [LOAD ARGUMENT…]: the year's first N events into the three source topics.
shop_load() {
    EVENTS=$1
    "$PLAY" load --topics "$RUN.clickstream,$RUN.pos,$RUN.support" --limit "$1" "${@:2}" \
        >"$WORK/load" 2>&1 || fail "load: $(tail -n 3 "$WORK/load")"
}

# shop_start [NAME [ARGUMENT…]]: run with $SHOP/NAME.yaml.
shop_start() {
    local name=${1:-stagecoach}
    starts=$((starts + 1))
    RUN_LOG=$WORK/run.$name.$starts.log
    ADMIN=http://$(<"$SHOP/$name.admin")
    background "$RUN_LOG" "$STAGECOACH" run "$SHOP/$name.yaml" "${@:2}"
    RUN_PID=$BACKGROUND_PID
}

# said LOG TEXT: the text is in it.
said() { grep -qsF -- "$2" "$1"; }

# await_said SECONDS TEXT: in the log of the run started last.
await_said() {
    wait_until "$1" said "$RUN_LOG" "$2" || fail "not said within $1 s: $2; said:
$(tail -n 20 "$RUN_LOG")"
}

shop_kill() {
    kill -KILL "$1" 2>/dev/null || fail "it had ended before its kill: $(tail -n 5 "$RUN_LOG")"
    wait "$1" 2>/dev/null || true
}

# shop_stop [PID]: SIGTERM drains, exit 0.
shop_stop() {
    local rc=0 pid=${1:-$RUN_PID}
    kill -TERM "$pid" 2>/dev/null || fail "it had ended before SIGTERM: $(tail -n 5 "$RUN_LOG")"
    wait_exit "$pid" 40 || rc=$?
    [ $rc -eq 0 ] || fail "SIGTERM ended it with exit status $rc: $(tail -n 5 "$RUN_LOG")"
}

# shop_exits SECONDS CODE TEXT…: the run started last ends by itself with this code, having said this.
shop_exits() {
    local rc=0 want=$2 limit=$1
    wait_exit "$RUN_PID" "$limit" || rc=$?
    [ $rc -eq "$want" ] || fail "exit status $rc, not $want: $(tail -n 5 "$RUN_LOG")"
    shift 2
    for text in "$@"; do
        said "$RUN_LOG" "$text" || fail "exit $want without saying: $text; said: $(tail -n 5 "$RUN_LOG")"
    done
}

# metric NAME [ADMIN]: summed over its rows; -1 if nobody answers.
metric() {
    local page
    page=$(curl -s -m 5 "${2:-$ADMIN}/metrics") || { echo -1; return; }
    awk -v name="stagecoach_$1" '{ split($1, n, "{") } n[1] == name { sum += $2 } END { print sum + 0 }' <<<"$page"
}

# What has been done so far; "" while not every partition has an owner that goes on, or a source has a
# rest; heartbeats come meanwhile, so the journal is never quite at its end.
PARTITIONS=14 # of the sources and of the journal
progress() {
    local name admin
    for name in "${RUNNING[@]}"; do
        admin=http://$(<"$SHOP/$name.admin")
        curl -sf -m 5 -o /dev/null "$admin/readyz" || return 0
        curl -s -m 5 "$admin/metrics" || return 0
    done | awk -v all=$PARTITIONS '
        /^stagecoach_lag_records.*resolve/ { lag += $2 }
        /^stagecoach_lag_records.*journey/ { behind += $2 }
        /^stagecoach_partitions[{]/ { owned += $2 }
        /^stagecoach_(records|applied|forwarded|duplicates|timers_fired)_total/ { sum += $2 }
        END { if (lag == 0 && behind < 50 && owned == all) print sum }'
}
settled() {
    local before now n
    before=$(progress)
    for n in 1 2 3 4; do
        sleep 0.5
        now=$(progress)
        [ -n "$now" ] && [ "$now" = "$before" ] || return 1
    done
}

# shop_wait SECONDS [NAME…]: until all that is there is processed.
shop_wait() {
    RUNNING=("${@:2}")
    [ ${#RUNNING[@]} -gt 0 ] || RUNNING=(stagecoach)
    wait_until "$1" settled || fail "not processed within $1 s: $(curl -s -m 5 "$ADMIN/readyz?verbose"; tail -n 5 "$RUN_LOG")"
}

# What a customer's row says that no order of arrival may change.
facts='{id, members: (.members | map_values(sort)), orders: .facts.orders, revenue: .facts.revenue,
    first: .milestones.first_purchase, second: .milestones.second_purchase, tenth: .milestones.tenth_purchase}'

# shop_compare [N]: what is published equals what `simulate` computes of the same events; each trigger
# has been sent once; each partition's seals count 1, 2, 3 ….
shop_compare() {
    local n=${1:-$EVENTS} name
    "$PLAY" events --limit "$n" | "$STAGECOACH" simulate "$SHOP/journey.yaml" --quiet --events - \
        --key-file "$KEY" --effects /dev/null --customers "$WORK/simulated.jsonl"
    jq -Sc "$facts" "$WORK/simulated.jsonl" | sort >"$WORK/simulated"
    # The last row of each key stands; an empty one ends it.
    consume "$RUN.customers" -f '%k\t%s\n' |
        awk -F '\t' '{ row[$1] = $2 } END { for (k in row) if (row[k] != "") print row[k] }' >"$WORK/published.jsonl"
    jq -Sc "$facts" "$WORK/published.jsonl" | sort >"$WORK/published"
    [ -s "$WORK/simulated" ] || fail "simulate gave no customers"
    diff "$WORK/simulated" "$WORK/published" >"$WORK/diff" ||
        fail "$(grep -c '^[<>]' "$WORK/diff") rows of customers differ (< simulated, > published): $(head -n 6 "$WORK/diff")"
    for name in email agent; do
        # (a withdrawal has the id of what it withdraws)
        consume "$RUN.triggers.$name" | jq -r 'if .type == "trigger" then .id // error("no id") elif .type == "cancelled" then empty else error("a \(.type)") end' >"$WORK/triggers.$name" ||
            fail "a trigger without an id"
        [ -z "$(sort "$WORK/triggers.$name" | uniq -d)" ] ||
            fail "$(sort "$WORK/triggers.$name" | uniq -d | wc -l) triggers were sent twice to $name"
    done
    "$SEALS" "$STAGECOACH_KAFKA" "$RUN.state" 4 >"$WORK/seals" || fail "seals: $(cat "$WORK/seals")"
    ok "$(wc -l <"$WORK/published") customers as simulated, $(cat "$WORK"/triggers.* | wc -l) triggers once, $(<"$WORK/seals")"
}

# redis_bytes FILE: every key of this shop in Redis and all that each has, behind a line that counts the
# keys. They are bytes, so the server puts them together.
read -r -d '' redis_everything <<'END' || true
local out, keys, cursor = {}, 0, '0'
repeat
    local found = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 1000)
    cursor = found[1]
    for _, key in ipairs(found[2]) do
        local kind, has = redis.call('TYPE', key).ok
        if kind == 'string' then has = { redis.call('GET', key) }
        elseif kind == 'hash' then has = redis.call('HGETALL', key)
        elseif kind == 'zset' then has = redis.call('ZRANGE', key, 0, -1)
        else error('a key of type ' .. kind) end
        out[#out + 1] = key
        for _, value in ipairs(has) do out[#out + 1] = value end
        keys = keys + 1
    end
until cursor == '0'
return keys .. ' keys\n' .. table.concat(out, '\n')
END
redis_bytes() {
    redis-cli -p "${STAGECOACH_REDIS##*:}" --raw eval "$redis_everything" 0 "sc:$RUN*" >"$1" &&
        [[ $(head -n 1 "$1") == *' keys' ]] || fail "Redis cannot be read: $(head -c 200 "$1")"
}
