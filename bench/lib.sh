# shellcheck shell=bash
# Shared by run-reference and shares: servers of their own, the reference job's topic, what a contender spent.
# Sourced, never run. Callers have `set -euo pipefail` and set $events, $customers and $bin (empty: built here).
# shellcheck disable=SC2034,SC2154,SC2120 # callers' variables; an option that few give

# shellcheck source=../deploy/local/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../deploy/local/lib.sh"
# shellcheck source=../deploy/local/servers.sh
source "$LOCAL_DIR/servers.sh"

unset STAGECOACH_KAFKA STAGECOACH_REDIS STAGECOACH_REGISTRY # its own
DIR=$ROOT/.local/bench
WORK=$DIR/work
topic=ref.clicks

runner=
leave() {
    local rc=$?
    trap '' INT TERM HUP
    step_abort
    [ -z "$runner" ] || kill "$runner" 2>/dev/null || true
    "$LOCAL_DIR/down" --dir "$DIR" --delete --quiet
    exit $rc
}

# bench_build: sets $bin, and $what: which code it is, known only of what is built here, and before
# others change it.
bench_build() {
    what="build $bin"
    [ -z "$bin" ] || return 0
    what="commit $(git -C "$ROOT" rev-parse --short HEAD)$([ -z "$(git -C "$ROOT" status --porcelain -- src)" ] || echo ' with changes')"
    build release stagecoach stagecoach-play bench_clicks bench_consume bench_plain
    bin=$ROOT/build/release
}

# bench_servers: they end with this script.
bench_servers() {
    trap leave EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    "$LOCAL_DIR/up" --dir "$DIR" --fresh
    # shellcheck source=/dev/null
    source "$DIR/env"
    rm -rf "$WORK"
    mkdir -p "$WORK"
    : >"$WORK/notes"
}

# fill [OPTION]: the events, as bench_clicks makes them.
fill() {
    local id
    "$bin/stagecoach-play" topics $topic:4 retention.ms=-1 segment.ms=9000000000000000
    id=$(jq -n --rawfile schema "$ROOT/bench/reference/click.avsc" '{schema: $schema}' |
        curl -sf -m 10 -H 'Content-Type: application/vnd.schemaregistry.v1+json' --data-binary @- \
            "$STAGECOACH_REGISTRY/subjects/$topic-value/versions" | jq .id)
    step "filling $topic" "$WORK/fill.log" \
        "$bin/bench/bench_clicks" kafka "$STAGECOACH_KAFKA" $topic "$id" "$events" "$customers" "$@"
}

# --- measuring --------------------------------------------------------------------------------

# ticks PID: user and system time, in hundredths of a second.
ticks() {
    local stat
    stat=$(<"/proc/$1/stat")
    # shellcheck disable=SC2086 # split into fields on purpose
    set -- ${stat##*) }
    echo $((${12} + ${13}))
}

server_ticks() {
    running "$1" && ticks "$PID"
}

# note CONTENDER FIELD VALUE: one measurement of this round.
note() { printf '%s %s %s\n' "$1" "$2" "$3" >>"$WORK/notes"; }

# median CONTENDER FIELD: with its range, as "median low high"; nothing if it was not measured.
median() {
    awk -v c="$1" -v f="$2" '$1 == c && $2 == f { print $3 }' "$WORK/notes" | sort -n |
        awk '{ v[NR] = $1 } END { if (NR) print v[int((NR + 1) / 2)], v[1], v[NR] }'
}

# with_servers CONTENDER COMMAND…: what broker and Redis spent on it, an event.
with_servers() {
    local name=$1 kafka redis
    shift
    kafka=$(server_ticks kafka)
    redis=$(server_ticks redis)
    "$@"
    note "$name" broker $((($(server_ticks kafka) - kafka) * 10000000 / events))
    note "$name" redis $((($(server_ticks redis) - redis) * 10000000 / events))
}

metric() { curl -sf -m 5 "http://$REF_ADMIN/metrics" | awk -v m="stagecoach_$1" 'index($1, m "{") == 1 { s += $2 } END { printf "%d", s }'; }

# all_written: nothing waits for Redis any more. A flush.interval of a minute is not waited for.
all_written() {
    [ "${REF_FLUSH:-1s}" = 1s ] || return 0
    for _ in {1..100}; do
        if [ "$(metric states_dirty)" = 0 ]; then return; fi
        sleep 0.1
    done
    die "states still wait for Redis 10 s after the last event"
}

# stagecoach CONTENDER RUN: the job, from a quarter of its work to the last, and from half of it: starting up is
# nobody's throughput. An event is half done when it is resolved, for resolve may be ahead of journey. REF_COMMIT,
# REF_FLUSH and REF_CLOUDEVENTS may be set (reference/stagecoach.yaml).
stagecoach() {
    local name=$1 resolved=0 applied=0 work=0 began=$SECONDS quarters=1 all
    local -a done_at=() spent_at=()
    export REF_RUN=$2 REF_TOPIC=$topic
    port_of stagecoach
    export REF_ADMIN=127.0.0.1:$PORT
    "$bin/stagecoach" run "$ROOT/bench/reference/stagecoach.yaml" 2>"$WORK/stagecoach.log" &
    runner=$!
    while [ "$applied" -lt "$events" ]; do
        sleep 0.1
        kill -0 $runner 2>/dev/null || die "stagecoach ended" "$(log_end "$WORK/stagecoach.log" 20)"
        [ $((SECONDS - began)) -lt 600 ] || die "stagecoach applied $applied of $events events in 10 minutes"
        applied=$(metric applied_total) || applied=0
        [ $quarters -le 2 ] || continue
        resolved=$(metric records_total) || resolved=0
        work=$(((resolved + applied) / 2))
        if [ $work -ge $((events * quarters / 4)) ]; then
            done_at[quarters]=$work spent_at[quarters]=$(ticks $runner)
            quarters=$((quarters + 1))
        fi
    done
    [ "${done_at[2]:-$applied}" -lt "$applied" ] || die "too few events to measure" "try --events 1000000"
    all=$(ticks $runner)
    note "$name" ns $(((all - spent_at[1]) * 10000000 / (applied - done_at[1])))
    note "$name" late $(((all - spent_at[2]) * 10000000 / (applied - done_at[2])))
    note "$name" whole $((all * 10000000 / applied))
    note "$name" rss "$(awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$runner/status")"
    note "$name" transactions "$(metric transactions_total)"
    all_written
    note "$name" writes "$(awk -v w="$(metric state_writes_total)" -v n="$applied" 'BEGIN { printf "%.3f", w / n }')"
    note "$name" transitions "$(metric transitions_total)"
    note "$name" triggers "$(metric triggers_total)"
    kill $runner
    wait $runner
    runner=
}
