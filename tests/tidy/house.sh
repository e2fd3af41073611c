#!/usr/bin/env bash
# The house rules that a reader would have to check by eye (docs/principles.md): who includes whom,
# third-party headers in one folder each, a pure core, sizes, every code named in a test, a corpus for
# every fuzz target. Faults that are known stand in `known`; one that is there no more must be taken
# off, so the list only shrinks.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
passed=0 failed=0

known=$(sed '/^$/d' <<'EOF'
EOF
)
met=

# check RULE: standard input is the rule's faults, one a line, a file or name first. None: passed.
check() {
    local rule=$1 bad=0 line what
    while IFS= read -r line; do
        what=${line%%[: ]*}
        case $'\n'$known$'\n' in
        *$'\n'"$rule $what"$'\n'*) met+="$rule $what"$'\n' ;;
        *) echo "$rule: $line"; bad=1 ;;
        esac
    done
    if [ $bad = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

# find REGEX FOLDER…: lines of C sources that match, outside comments and strings that start a line.
find_lines() {
    local regex=$1
    shift
    { grep -rnE --include='*.[ch]' "$regex" "$@" || true; } | { grep -vE '^[^:]+:[0-9]+: *(/?\*|")' || true; }
}

# ---- who includes whom

# A folder, then the folders it may include beside its own.
includes() {
    local folder allowed
    while read -r folder allowed; do
        { grep -roE --include='*.[ch]' '^#include "[a-z]+/' "src/$folder" || true; } |
            awk -F '[:"/]+' -v ok=" $folder $allowed " \
                '!index(ok, " " $(NF - 1) " ") { split($0, f, ":"); print f[1] ": includes " $(NF - 1) "/" }'
    done <<'EOF'
base
config base
core base config
codec base core
engine base core codec
kafka base config core engine
redis base config core engine
registry base core codec engine
sim base core codec engine
admin base core engine
cli base config core codec engine kafka redis registry sim admin
EOF
}

# A header, and the folders that may see it.
third_party() {
    local header folders
    while read -r header folders; do
        { grep -rlE --include='*.[ch]' "^#include <$header" src || true; } |
            { grep -vE "^src/($folders)/" || true; } | sed "s|\$|: includes <$header…>|"
    done <<'EOF'
yaml config
openssl base
xxhash base
pcre2 base
sodium base
avro codec
protobuf-c codec
google/protobuf codec
jansson codec|registry
librdkafka kafka
hiredis redis
curl registry
microhttpd admin
zlib cli
EOF
}

check includes < <(includes)
check third_party < <(third_party)

# ---- core reads no clock, stream, environment or chance, starts nothing, ends nothing

impure='time|clock|clock_gettime|gettimeofday|localtime|localtime_r|gmtime|mktime|usleep|sleep|nanosleep'
impure+='|malloc|calloc|realloc|strdup|printf|fprintf|vfprintf|puts|fputs|putchar|fwrite|fopen|getenv'
impure+='|setenv|rand|random|srand|getrandom|exit|_exit|abort|signal|setlocale|pthread_[a-z_]+'
impure+='|sc_logf?|sc_time_now_ms|sc_time_mono_ms'
check pure_core < <(
    find_lines "(^|[^A-Za-z0-9_.>])($impure)\(" src/core
    find_lines '^#include <(time|unistd|pthread|fcntl|signal|stdatomic|sys/)' src/core
)
check banned_calls < <(find_lines '(^|[^A-Za-z0-9_])(sprintf|strcpy|strcat|gets|alloca|strtok|strdup|strndup)\(' src)
check no_todo < <(find_lines '\b(TODO|FIXME|XXX)\b' src tests bench deploy)

# ---- workers are threads: static data that is neither constant, atomic nor made once is all theirs

statics() {
    local ok
    ok=$(cut -d' ' -f1 <<'EOF'
src/cli/cli.c:word one thread, before there are workers
src/cli/host.c:signalled set before there are workers
src/codec/outbound.c:schemas made once, under `made`
EOF
)
    find_lines '^ *static [^(]*(;|=|\{)' src |
        { grep -vE 'static (const [^*]*|[^=;]*\*const [^*]*|(_Atomic|atomic_|pthread_once_t)[^;]*)(;|=|\{)' || true; } |
        awk -F: -v ok=" ${ok//$'\n'/ } " '{
            name = $3; sub(/[[=;].*/, "", name); sub(/ *$/, "", name); sub(/.*[ *]/, "", name)
            if (!index(ok, " " $1 ":" name " ")) print $1 ":" $2 ": " name " may be written by every thread"
        }'
}
check statics < <(statics)

# ---- sizes

mapfile -t sources < <(find src deploy bench tests -name '*.[ch]' | sort)
mapfile -t targets < <(find tests/fuzz -maxdepth 1 -name '*.c' -not -name replay.c | sort)
check file_size < <(wc -l "${sources[@]}" | awk '$2 != "total" && $1 > 800 { print $2 ": " $1 " lines, 800 at most" }')
check fuzz_size < <(wc -l "${targets[@]}" | awk '$2 != "total" && $1 > 40 { print $2 ": " $1 " lines, 40 at most" }')
# A body stands between a `{` and a `}` in the first column.
check function_size < <(awk '
    FNR == 1 { start = 0 }
    /^\{$/ { start = FNR; name = head; next }
    /^\}$/ && start {
        if (FNR - start - 1 > 70) print FILENAME ": " name ": " FNR - start - 1 " lines, 70 at most"
        start = 0
    }
    /^[a-zA-Z]/ { head = $0 }' "${sources[@]}")

# ---- what a test must name

# Names of an X-macro table.
table() { sed -n "/#define $2(X)/,/[^\\\\]\$/p" "$1" | grep -oE '\bX\([A-Z0-9_]+' | sed 's/X(//' | grep -vx NONE; }
words=$'\n'$(grep -rhoE --exclude-dir=tidy --exclude-dir=corpus '["!]?[A-Za-z][A-Za-z_0-9]+' tests | sort -u)$'\n'
# Names on standard input that no test says: as a constant, in capitals, or as a quoted label.
unnamed() {
    local name
    while read -r name; do
        case $words in
        *$'\n'"$1$name"$'\n'* | *$'\n'"$name"$'\n'* | *[\"!]"$name"$'\n'* | *[\"!]"${name,,}"$'\n'*) ;;
        *) echo "$name: in no test" ;;
        esac
    done
}
check drops_tested < <(table src/core/drop.h SC_DROP_TABLE | unnamed SC_DROP_)
check reasons_tested < <(table src/core/journey/effects.h SC_REASON_TABLE | unnamed SC_REASON_)
check fuzz_corpus < <(
    for target in "${targets[@]}"; do
        [ -n "$(ls -A "tests/fuzz/corpus/$(basename "$target" .c)" 2>/dev/null)" ] || echo "$target: no corpus"
    done
)

# ---- the list of known faults only shrinks

check known < <(
    while read -r fault; do
        case $'\n'$met in
        *$'\n'"$fault"$'\n'*) ;;
        *) [ -z "$fault" ] || echo "${fault#* }: no fault of ${fault% *} any more: take it off the list" ;;
        esac
    done <<<"$known"
)

echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
