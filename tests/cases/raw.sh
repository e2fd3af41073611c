#!/usr/bin/env bash
# `simulate --source NAME FILE…`: raw records of a source, in its three formats, come to the same as in
# `run`: one decoder, one intake. And what it says where it cannot.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
cd "$work"
cp "$root"/tests/lib/orders/* .
sed -i -e 's/RUN/t/' -e 's/^    format: avro/&\n    schema: order.avsc/' \
    -e 's/^    format: protobuf/&\n    schema: order.proto/' taxonomy.yaml

simulate() { effects=/dev/null simulate_to "$@"; }
simulate_to() { "$stagecoach" simulate journey.yaml --quiet --effects "$effects" --customers - "$@"; }
# says STATUS TEXT WORD…
says() {
    local status=$1 text=$2 rc=0 out
    shift 2
    out=$("$stagecoach" simulate "$@" 2>&1) || rc=$?
    holds "simulate $*: exit $rc, and: $out" [ "$rc:${out/*"$text"*/said}" = "$status:said" ]
}
hex() { printf '%b' "$(sed 's/ //g; s/../\\x&/g' <<<"$1")"; }
# length: standard input, its length before it.
length() {
    cat >one
    hex "$(printf %08x "$(wc -c <one)")"
    cat one
}

# ---- JSON: a line each, or behind its length

a='{"name":"order","at":"2026-03-02T10:00:00Z","id":"1","who":"ann","total":"10.5","note":""}'
b='{"name":"order","at":"2026-03-02T11:00:00Z","id":"2","who":"bob","total":"4","note":"x"}'
printf '%s\n' "$a" "$b" >lines.json
simulate --source three lines.json >expected
holds "two customers" [ "$(jq -r .facts.revenue expected | sort | tr '\n' ' ')" = "10.5 4 " ]
"$stagecoach" simulate journey.yaml --effects /dev/null --report page.html --quiet --source three lines.json
holds "the report names its input" grep -q '"files":\["lines.json (three)"\]' page.html
{ printf %s "$a" | length; printf %s "$b" | length; } >lengths.json
holds "JSON behind its length" cmp -s expected <(simulate --source three lengths.json)
gzip -k lengths.json
holds "gzip" cmp -s expected <(simulate --source three lengths.json.gz)
printf '%s\n' "$a" >first.json
printf '%s\n' "$b" >second.json
holds "several files" cmp -s expected <(simulate --source three first.json second.json)
holds "standard input" cmp -s expected <(simulate --source three - <lengths.json)

# ---- Protobuf, Avro: the same records

at=$(($(date -ud '2026-03-02 10:00' +%s) * 1000))
if command -v protoc >/dev/null; then
    encode() { protoc --encode=test.Order order.proto | length; }
    {
        encode <<<"name:'order' at:$at id:'1' who:'ann' total:'10.5' note:''"
        encode <<<"name:'order' at:$((at + 3600000)) id:'2' who:'bob' total:'4' note:'x'"
    } >proto.bin
    holds "Protobuf" cmp -s expected <(simulate --source two proto.bin)
fi
varint() { # of a long, zigzag
    local n=$(($1 * 2)) text=
    while [ $n -ge 128 ]; do
        text+=$(printf %02x $((n & 127 | 128)))
        n=$((n >> 7))
    done
    printf '%s%02x' "$text" $n
}
string() { varint ${#1}; printf %s "$1" | od -An -v -tx1 | tr -d ' \n'; }
avro() { hex "02$(string order)02$(string "$1")02$(varint "$2")02$(string "$3")02$(string "$4")$(string "$5")" | length; }
{ avro 1 "$at" ann 10.5 ''; avro 2 $((at + 3600000)) bob 4 x; } >avro.bin
holds "Avro" cmp -s expected <(simulate --source one avro.bin)

# ---- several sources: one stream in order of time

c='{"name":"order","at":"2026-03-12T10:00:00Z","id":"3","who":"cy","total":"7","note":""}'
printf '%s\n' "$a" "$c" >web.json
{ avro 2 $((at + 3600000)) bob 4 x; avro 4 $((at + 864000000 + 60000)) di 5 ''; } >shop.bin
for order in "--source three web.json --source one shop.bin" "--source one shop.bin --source three web.json"; do
    # shellcheck disable=SC2086
    effects=order.out simulate_to --analytics /dev/null $order >/dev/null
    holds "sources are read by time: $order" \
        [ "$(jq -r 'select(.type == "transition") | .event_at' order.out | sort -c 2>&1)" = "" ]
    holds "no source is behind the other: $order" [ "$(tail -n 1 order.out | jq -c '[.events, .late]')" = "[4,0]" ]
done
says 64 'the files are missing' journey.yaml --source one shop.bin --source three

# ---- what is wrong

{ avro 1 "$at" ann 10.5 ''; printf 'junk' | length; avro 2 $((at + 3600000)) bob 4 x; } >junk.bin
says 0 'junk.bin:2: invalid:' journey.yaml --source one junk.bin
says 1 '"invalid":1' journey.yaml --source one junk.bin --max-invalid 0
{ hex ffffffff; cat avro.bin; } >null.bin
says 0 'null.bin:1: invalid: the record has no value' journey.yaml --source one null.bin
says 65 'null.bin:1: invalid: the record has no value' journey.yaml --source three null.bin
says 65 'none of 3 records is an event: compare them with the source' journey.yaml --source three null.bin
holds "a record without a value is one record" cmp -s expected <(simulate --source one null.bin 2>/dev/null)
head -c -3 avro.bin >cut.bin
says 65 'cut.bin: it ends inside a record' journey.yaml --source one cut.bin
head -c 2 avro.bin >head.bin
says 65 'head.bin: it ends inside a record' journey.yaml --source one head.bin
{ avro 2 $((at + 3600000)) bob 4 x; hex 00200000; head -c 2097152 /dev/zero; avro 1 "$at" ann 10.5 ''; } >long.bin
says 0 'long.bin:2: invalid: the record is longer than 1 MiB' journey.yaml --source one long.bin
says 0 '"events":2,"customers":2,"duplicates":0,"invalid":1' journey.yaml --source one long.bin
holds "a long record is skipped, the next is read" cmp -s expected <(simulate --source one long.bin 2>/dev/null)
says 64 "there is no source 'four'; there are one two three" journey.yaml --source four avro.bin
says 64 '--source NAME FILE…: the files are missing' journey.yaml --source one
says 66 'nowhere.bin' journey.yaml --source one nowhere.bin
printf '%s\n' "${a/order/other}" "$b" >other.json
says 1 'other.json:1: invalid: the event is not in the taxonomy' journey.yaml --source three other.json --max-invalid 0
cp taxonomy.yaml kept.yaml
printf '    unknown: ignore\n' >>taxonomy.yaml
says 0 '"events":1,"customers":1,"duplicates":0,"invalid":0' journey.yaml --source three other.json --max-invalid 0
mv kept.yaml taxonomy.yaml
rm order.avsc
says 66 'schema file' journey.yaml --source one avro.bin
sed -i '/schema: order.avsc/d' taxonomy.yaml
says 64 'are in the registry: give the settings' journey.yaml --source one avro.bin
says 64 'give stagecoach.yaml in place of the journey' journey.yaml --events t.json@2026-01-01T00:00:00Z
says 64 "there is no source of topic 'other'" journey.yaml --events other@2026-01-01T00:00:00Z
says 64 'not from - or a topic' journey.yaml --events t.json@2026-01-01T00:00:00Z --against journey.yaml
cp first.json t.json@2026-01-01T00:00:00Z
says 65 'invalid' journey.yaml --events t.json@2026-01-01T00:00:00Z

# ---- the bar stands on a terminal only

{ yes "$a" || true; } | head -n 120000 >many.json
if script -qec true /dev/null </dev/null >/dev/null 2>&1; then # it is there, and gets a terminal
    script -qec "'$stagecoach' simulate journey.yaml --effects /dev/null --source three many.json" typescript </dev/null >/dev/null
    holds "a terminal has a bar" grep -qE 'many.json \[#+\.*\] +[0-9]+ % [0-9]+ events, [0-9]+/s' typescript
    holds "which is gone at the end" grep -qaP '\r\x1b\[K *Script done' <(tr '\n' ' ' <typescript)
    script -qec "'$stagecoach' simulate journey.yaml --quiet --effects /dev/null --source three many.json" typescript </dev/null >/dev/null
    holds "--quiet has none" bash -c '! grep -q "events," typescript'
fi
holds "a file has none" [ -z "$("$stagecoach" simulate journey.yaml --effects /dev/null --source three many.json 2>&1)" ]
