# shellcheck shell=bash
# Shared by the scripts here and by tests/run: talk, show progress, install packages, fetch servers.
# Sourced, never run. Callers have `set -euo pipefail`.
#
# Two promises shape this file. Nothing outside the checkout and one cache folder is touched (packages
# excepted, which apt installs). What is fetched is complete or absent: it is made under a temporary
# name, by one process at a time, and renamed.

KAFKA_VERSION=4.1.0
REGISTRY_VERSION=3.0.9
LOCAL_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$LOCAL_DIR/../.." && pwd)
CACHE=${STAGECOACH_CACHE:-${HOME:-/root}/.cache/stagecoach}
KAFKA_HOME=$CACHE/kafka-$KAFKA_VERSION
REGISTRY_HOME=$CACHE/apicurio-registry-$REGISTRY_VERSION
QUIET=${QUIET:-}
export CCACHE_DIR=${CCACHE_DIR:-$CACHE/ccache}

say() { [ -n "$QUIET" ] || printf '%s\n' "$*" >&2; }

die() {
    printf '%s: error: %s\n' "$(basename "$0")" "$1" >&2
    shift
    [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
    exit 1
}

# --- progress ---------------------------------------------------------------------------------

# tick SECONDS TEXT: say that TEXT goes on. A terminal gets one living line from the second second on;
# a log file gets a line every ten seconds.
tick() {
    [ -z "$QUIET" ] || return 0
    if [ -t 2 ]; then
        [ "$1" -lt 2 ] || printf '\r\033[K%s … %d s' "$2" "$1" >&2
    elif [ "$1" -gt 0 ] && [ $(($1 % 10)) -eq 0 ]; then
        printf '%s … %d s\n' "$2" "$1" >&2
    fi
}

tick_end() { [ -n "$QUIET" ] || [ ! -t 2 ] || printf '\r\033[K' >&2; }

log_end() { tail -n "$2" "$1" | sed 's/^/    /'; }

STEP_PID=

# step TEXT LOG COMMAND…: run a command that may take long, output into LOG; on failure show the
# log's end. The command runs in the background, so that a signal to us is acted on at once.
step() {
    local text=$1 log=$2 start=$SECONDS rc=0 beat=-1
    shift 2
    say "$text"
    "$@" >"$log" 2>&1 </dev/null 8>&- 9>&- &
    STEP_PID=$!
    while kill -0 "$STEP_PID" 2>/dev/null; do
        if [ $beat -ne $((SECONDS - start)) ]; then
            beat=$((SECONDS - start))
            tick $beat "  $text"
        fi
        sleep 0.2
    done
    wait "$STEP_PID" || rc=$?
    STEP_PID=
    tick_end
    [ $rc -eq 0 ] || die "$text failed (exit $rc)" "the end of $log:" "$(log_end "$log" 40)"
}

# step_abort: end a running step; from exit traps.
step_abort() {
    [ -n "$STEP_PID" ] || return 0
    kill "$STEP_PID" 2>/dev/null || true
    wait "$STEP_PID" 2>/dev/null || true
    STEP_PID=
}

# build PRESET TARGET…: configure and build into build/PRESET.
build() {
    local preset=$1 log=$ROOT/build/$1.log
    shift
    mkdir -p "$ROOT/build"
    step "configuring the $preset build" "$log" cmake -S "$ROOT" --preset "$preset"
    step "building it" "$log" cmake --build "$ROOT/build/$preset" --target "$@" -- --quiet
}

# --- packages ---------------------------------------------------------------------------------

# packages_missing: names of the list's packages that are not installed, one a line.
packages_missing() {
    local have line alternative
    have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
    sed 's/#.*//; s/[[:space:]]//g; /^$/d' "$LOCAL_DIR/packages" | while read -r line; do
        for alternative in ${line//|/ }; do
            grep -qxF "$alternative" <<<"$have" && continue 2
        done
        printf '%s\n' "${line%%|*}"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
            install -y --no-install-recommends "$@"
}

# install_packages: Debian packages that are missing. Nothing missing: a tenth of a second.
install_packages() {
    local missing log
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "not a Debian system: taking for granted what $LOCAL_DIR/packages lists"
        return
    fi
    missing=$(packages_missing)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
        # A password may be asked for on the terminal, once; without one, say what to do.
        { [ -t 0 ] && command -v sudo >/dev/null && sudo -v; } ||
            die "packages are missing and neither root nor sudo is at hand" \
                "as root: apt-get install $(tr '\n' ' ' <<<"$missing")"
    fi
    mkdir -p "$CACHE"
    log=$CACHE/apt.$$.log
    # shellcheck disable=SC2086 # one word a package
    step "installing $(wc -l <<<"$missing") packages" "$log" apt_install $missing
    rm -f "$log"
}

# --- servers from Maven Central ---------------------------------------------------------------

# Version 2.8, for it takes an artifact alone: later ones want its parent's pom too, and Apicurio's is
# not published.
MAVEN_DEPENDENCY=org.apache.maven.plugins:maven-dependency-plugin:2.8

maven() {
    command -v mvn >/dev/null || die "mvn is missing" "run $LOCAL_DIR/up, or: apt-get install maven"
    mvn -B -ntp -Dmaven.repo.local="$CACHE/m2" "$@"
}

fetch_kafka() {
    local new=$CACHE/tmp.kafka
    mkdir -p "$new"
    step "fetching Kafka $KAFKA_VERSION (54 MB)" "$CACHE/fetch.log" \
        maven -f "$LOCAL_DIR/pom.xml" "$MAVEN_DEPENDENCY:copy-dependencies" \
        -DincludeScope=runtime -DoutputDirectory="$new/lib"
    # An empty, formatted data folder is copied for each new broker: a second start of a JVM saved.
    kafka_properties "$new/formatted" 1 2 >"$new/format.properties"
    step "formatting an empty broker" "$CACHE/fetch.log" \
        java -cp "$new/lib/*" kafka.tools.StorageTool format \
        -t "$(java -cp "$new/lib/*" kafka.tools.StorageTool random-uuid 2>/dev/null)" \
        -c "$new/format.properties"
    mv -T "$new" "$KAFKA_HOME"
}

fetch_registry() {
    local new=$CACHE/tmp.registry tar=apicurio-registry-app-$REGISTRY_VERSION-all.tar.gz
    mkdir -p "$new"
    step "fetching Apicurio Registry $REGISTRY_VERSION (109 MB)" "$CACHE/fetch.log" \
        maven "$MAVEN_DEPENDENCY:copy" -DoutputDirectory="$new" \
        -Dartifact="io.apicurio:apicurio-registry-app:$REGISTRY_VERSION:tar.gz:all"
    step "unpacking it" "$CACHE/fetch.log" tar xzf "$new/$tar" -C "$new"
    rm "$new/$tar"
    mv -T "$new" "$REGISTRY_HOME"
}

# fetch_servers: whatever of Kafka and the registry is not in the cache. One process at a time; what
# an earlier one left half done is removed.
fetch_servers() {
    [ ! -d "$KAFKA_HOME" ] || [ ! -d "$REGISTRY_HOME" ] || return 0
    mkdir -p "$CACHE"
    exec 8>"$CACHE/lock"
    if ! flock -n 8; then
        say "another checkout is filling $CACHE: waiting for it"
        flock 8
    fi
    rm -rf "$CACHE"/tmp.*
    [ -d "$KAFKA_HOME" ] || fetch_kafka
    [ -d "$REGISTRY_HOME" ] || fetch_registry
    rm -rf "$CACHE/m2" "$CACHE/fetch.log"
    exec 8>&-
}
