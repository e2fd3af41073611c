# shellcheck shell=bash
# The three servers as processes: Kafka (one KRaft node), Redis, a schema registry. Sourced after
# lib.sh by up, down and server.
#
# A set of servers lives in one folder, $DIR:
#   env                       three exports, for the shell
#   <server>/port             taken once, kept while it is free, so a restarted server is found again
#   <server>/pid              "pid start-time": a pid alone could be someone else's by now
#   <server>/log, data        its output and its data
# Nothing here kills by name, and every listener is on 127.0.0.1.

SERVERS=(redis registry kafka)

# --- processes --------------------------------------------------------------------------------

# start_time PID: field 22 of /proc/PID/stat, counted after the name, which may hold blanks.
start_time() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    # shellcheck disable=SC2086 # split into fields on purpose
    set -- ${stat##*) }
    [ "$1" != Z ] && printf '%s' "${20}"
}

# running SERVER: is the process that we started alive? Sets PID.
running() {
    local began
    PID=
    [ -s "$DIR/$1/pid" ] || return 1
    read -r PID began <"$DIR/$1/pid"
    # Empty: it was gone before its time could be noted.
    [ -n "$began" ] && [ "$(start_time "$PID")" = "$began" ]
}

# spawn SERVER COMMAND…: start it apart from our terminal and locks, and note who it is. A signal that
# comes between the two waits until it is noted: the exit trap then knows whom to end.
spawn() {
    local name=$1 interrupted='' traps
    shift
    traps=$(trap -p INT TERM HUP)
    trap 'interrupted=1' INT TERM HUP
    setsid "$@" >"$DIR/$name/log" 2>&1 </dev/null 8>&- 9>&- &
    printf '%s %s\n' "$!" "$(start_time "$!")" >"$DIR/$name/pid"
    disown
    trap - INT TERM HUP
    eval "$traps"
    [ -z "$interrupted" ] || exit 130
}

# --- ports ------------------------------------------------------------------------------------

# port_free PORT: nobody listens on it, on any address.
port_free() {
    local hex
    printf -v hex '%04X' "$1"
    ! grep -qE "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F]+:[0-9A-F]{4} 0A " /proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# port_of NAME: the port of this server, chosen below the range of outgoing connections. Sets PORT.
port_of() {
    local file=$DIR/$1/port
    if [ -s "$file" ]; then
        PORT=$(<"$file")
        # A killed server is gone before the last of its threads has let its port go.
        for _ in {1..30}; do
            if running "${1%/*}" || port_free "$PORT"; then return; fi
            sleep 0.1
        done
    fi
    until PORT=$((20000 + (RANDOM * 32768 + RANDOM) % 12000)) && port_free "$PORT"; do :; done
    mkdir -p "${file%/*}"
    echo "$PORT" >"$file"
}

# --- Java -------------------------------------------------------------------------------------

# cds NAME: the flags that start a JVM faster. The first run of a server writes an archive of its
# classes as it ends; `keep_archive` moves it to the cache, where later runs find it.
cds() {
    local java
    java=$(readlink -f "$(command -v java)")
    ARCHIVE=$CACHE/$1-$(stat -c '%Y%s' "$java").jsa
    if [ -s "$ARCHIVE" ]; then
        CDS=-XX:SharedArchiveFile=$ARCHIVE
    else
        CDS=-XX:ArchiveClassesAtExit=$DIR/$1/classes.jsa
    fi
}

keep_archive() {
    [ -s "$DIR/$1/classes.jsa" ] || return 0
    cds "$1"
    [ -s "$ARCHIVE" ] || { cp "$DIR/$1/classes.jsa" "$ARCHIVE.$$" && mv "$ARCHIVE.$$" "$ARCHIVE"; }
    rm -f "$DIR/$1/classes.jsa"
}

# --- Kafka ------------------------------------------------------------------------------------

# kafka_properties DATA PORT CONTROLLER_PORT
kafka_properties() {
    cat <<EOF
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$3
listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$3
advertised.listeners=PLAINTEXT://127.0.0.1:$2
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
EOF
}

launch_kafka() {
    local control
    port_of kafka/controller
    control=$PORT
    port_of kafka
    [ -d "$DIR/kafka/data" ] || { cp -r "$KAFKA_HOME/formatted" "$DIR/kafka/data.new" &&
        mv -T "$DIR/kafka/data.new" "$DIR/kafka/data"; }
    kafka_properties "$DIR/kafka/data" "$PORT" "$control" >"$DIR/kafka/server.properties"
    cds kafka
    spawn kafka java -Xmx1g -XX:+UseSerialGC "$CDS" -Dlog4j2.level=WARN \
        -cp "$KAFKA_HOME/lib/*" kafka.Kafka "$DIR/kafka/server.properties"
}

# answers_kafka PORT: an ApiVersions request (key 18, version 0, correlation 1) is answered.
answers_kafka() {
    local answer
    # shellcheck disable=SC2016 # the inner shell expands $0
    answer=$(timeout 2 bash -c '
        exec 3<>"/dev/tcp/127.0.0.1/$0" || exit
        printf "\0\0\0\012\0\022\0\0\0\0\0\001\377\377" >&3
        head -c 10 <&3 | od -An -v -tx1 -j4' "$1" 2>/dev/null | tr -d ' \n') || true
    [ "$answer" = 000000010000 ]
}

# --- Redis ------------------------------------------------------------------------------------

launch_redis() {
    port_of redis
    mkdir -p "$DIR/redis/data"
    # redis-tools has the server too, under the name of its dump checker: it looks at its own name.
    # shellcheck disable=SC2016 # the inner shell expands
    spawn redis bash -c 'exec -a redis-server "$(command -v redis-server redis-check-rdb | head -n 1)" "$@"' \
        redis-server --port "$PORT" --bind 127.0.0.1 --save '' --appendonly yes \
        --appendfsync everysec --maxmemory-policy noeviction --dir "$DIR/redis/data"
}

answers_redis() { [ "$(redis-cli -h 127.0.0.1 -p "$1" ping 2>/dev/null)" = PONG ]; }

# --- schema registry --------------------------------------------------------------------------

launch_registry() {
    port_of registry
    mkdir -p "$DIR/registry/data"
    cds registry
    spawn registry java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "$CDS" \
        -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$PORT" \
        -Dapicurio.datasource.url="jdbc:h2:file:$DIR/registry/data/db" \
        -jar "$REGISTRY_HOME/apicurio-registry-app-$REGISTRY_VERSION-runner.jar"
}

answers_registry() {
    curl -sf -m 2 -o /dev/null "http://127.0.0.1:$1/apis/ccompat/v7/subjects"
}

# --- any of them ------------------------------------------------------------------------------

address() {
    case $1 in
    kafka) echo "127.0.0.1:$(<"$DIR/kafka/port")" ;;
    redis) echo "127.0.0.1:$(<"$DIR/redis/port")" ;;
    registry) echo "http://127.0.0.1:$(<"$DIR/registry/port")/apis/ccompat/v7" ;;
    esac
}

# launch SERVER: start the process if it does not run; it need not answer yet.
launch() {
    running "$1" && return
    mkdir -p "$DIR/$1"
    "launch_$1"
}

# await SERVER: until it answers; 3 min at most (a first start on a busy machine), and not longer than
# it lives.
await() {
    local start=$SECONDS port beat=-1
    port=$(<"$DIR/$1/port")
    until "answers_$1" "$port"; do
        running "$1" || { tick_end; failed "$1" "ended while starting"; }
        [ $((SECONDS - start)) -lt 180 ] || { tick_end; failed "$1" "does not answer on port $port after 180 s"; }
        if [ $beat -ne $((SECONDS - start)) ]; then
            beat=$((SECONDS - start))
            tick $beat "  starting $1"
        fi
        sleep 0.1
    done
    # Another program may have taken the port between our look and the start: then ours is gone.
    running "$1" || { tick_end; failed "$1" "ended while starting"; }
    tick_end
}

failed() {
    local name=$1
    die "$name $2" "the end of $DIR/$name/log:" "$(log_end "$DIR/$name/log" 20)"
}

# signal SERVER NAME: to our own process only; false if it does not run.
signal() { running "$1" && kill "-$2" "$PID"; }

# wait_gone SERVER SECONDS: false if it is still there.
wait_gone() {
    local start=$SECONDS beat=-1
    while running "$1"; do
        [ $((SECONDS - start)) -lt "$2" ] || return 1
        if [ $beat -ne $((SECONDS - start)) ]; then
            beat=$((SECONDS - start))
            tick $beat "  ending $1"
        fi
        sleep 0.1
    done
    tick_end
}

# stop SERVER…: ask all of them to end, then see to it.
stop() {
    local name
    for name in "$@"; do
        # A stopped process takes no TERM until it goes on.
        if signal "$name" TERM; then signal "$name" CONT || true; fi
    done
    for name in "$@"; do
        wait_gone "$name" 60 || { signal "$name" KILL || true; wait_gone "$name" 5 || die "$name does not end"; }
        rm -f "$DIR/$name/pid"
        keep_archive "$name"
    done
}

# with_lock: one script at a time works on $DIR.
with_lock() {
    mkdir -p "$DIR"
    [ -e "$DIR/.gitignore" ] || echo '*' >"$DIR/.gitignore"
    exec 9>"$DIR/lock"
    flock -n 9 || { say "another script works on $DIR: waiting for it"; flock 9; }
}
