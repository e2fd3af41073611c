# shellcheck shell=bash
# For the scripts in tests/e2e and tests/fault: real servers, topics, records, and an end that leaves
# nothing behind. Source it first:
#
#     source tests/lib/servers.sh
#     servers_up
#     topic "$RUN.clicks" 3
#
# ctest sets STAGECOACH (the binary) and BUILD_DIR, and starts the script in the root of the checkout.
# Kafka and the registry are shared with other tests, so every name of a topic, group or subject begins
# with $RUN. $WORK is the script's own folder; it is kept if the script fails.

set -euo pipefail

BUILD_DIR=${BUILD_DIR:-$PWD/build/release}
STAGECOACH=${STAGECOACH:-$BUILD_DIR/stagecoach}
PLAY=$BUILD_DIR/stagecoach-play
mkdir -p "$BUILD_DIR/work"
WORK=$(mktemp -d "$BUILD_DIR/work/$(basename "$0" .sh).XXXXXX")
# shellcheck disable=SC2034 # for the caller
RUN=t$$-$(date +%s)
SERVERS_DIR=

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# skip TEXT: this machine cannot run the test; ctest counts it as skipped.
skip() {
    printf 'skipped: %s\n' "$*" >&2
    exit 77
}

cleanup() {
    local rc=$? pid
    trap '' INT TERM HUP
    for pid in $(jobs -pr); do kill -KILL "$pid" 2>/dev/null || true; done
    wait
    [ -z "$SERVERS_DIR" ] || deploy/local/down --dir "$SERVERS_DIR" --delete --quiet || true
    if [ $rc -eq 0 ] || [ $rc -eq 77 ]; then rm -rf "$WORK"; else echo "kept: $WORK" >&2; fi
    exit $rc
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# servers_up: STAGECOACH_KAFKA, STAGECOACH_REDIS, STAGECOACH_REGISTRY answer. What is set already (by
# tests/run, or by you) is used; the rest is started for this test alone.
servers_up() {
    SERVERS_DIR=$WORK/servers
    deploy/local/up --dir "$SERVERS_DIR" --quiet
    # shellcheck source=/dev/null
    source "$SERVERS_DIR/env"
}

# servers_own: a set that nobody else uses, so that it may be killed and paused.
servers_own() {
    unset STAGECOACH_KAFKA STAGECOACH_REDIS STAGECOACH_REGISTRY
    servers_up
}

# server kafka|redis|registry start|stop|kill|pause|resume|status: one of a set of our own.
server() { deploy/local/server "$1" "$2" --dir "$SERVERS_DIR"; }

# topic NAME [PARTITIONS [CONFIG=VALUE…]]
topic() { "$PLAY" topics --brokers "$STAGECOACH_KAFKA" "$1:${2:-1}" "${@:3}"; }

# produce TOPIC [KCAT ARGUMENT…]: one record a line of stdin.
produce() { kcat -P -b "$STAGECOACH_KAFKA" -t "$1" "${@:2}"; }

# consume TOPIC [KCAT ARGUMENT…]: what is committed, from the start to the end, one record a line.
consume() {
    kcat -C -q -e -o beginning -X isolation.level=read_committed -b "$STAGECOACH_KAFKA" -t "$1" "${@:2}"
}

# register SUBJECT TYPE FILE: a schema into the registry; prints its id.
register() {
    jq -n --arg type "$2" --rawfile schema "$3" '{schemaType: $type, schema: $schema}' |
        curl -sf -m 10 -H 'Content-Type: application/vnd.schemaregistry.v1+json' --data-binary @- \
            "$STAGECOACH_REGISTRY/subjects/$1/versions" | jq .id
}

# background LOG COMMAND…: start it, ended at the latest with the script. Sets BACKGROUND_PID.
background() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 </dev/null &
    # shellcheck disable=SC2034 # for the caller
    BACKGROUND_PID=$!
}

# wait_until SECONDS COMMAND…: until the command is true; false if it never is.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# wait_exit PID SECONDS: until a background process has ended; its exit status. Fails the test if it lives on.
wait_exit() {
    local rc=0 pid=$1
    wait_until "$2" is_gone "$pid" || fail "process $pid does not end within $2 s"
    wait "$pid" || rc=$?
    return $rc
}

# It may go between two looks; a redirection that fails would end the script (bash 5.2, set -e).
is_gone() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    [[ $stat == *') Z '* ]]
}
