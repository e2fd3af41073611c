#!/usr/bin/env bash
# What all commands share: options, help, standard streams that are full, closed or named twice, and
# that nothing which is read is written over.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
needs jq
cp "$root"/docs/examples/* "$work"
cd "$work"

# says STATUS TEXT WORD…: `stagecoach WORD…` ends with STATUS and says TEXT.
says() {
    local status=$1 text=$2 rc=0 out
    shift 2
    out=$("$stagecoach" "$@" 2>&1 <carts.jsonl) || rc=$?
    if [ $rc = "$status" ] && [[ $out == *"$text"* ]]; then
        ok
    else
        not_ok "$*: exit $rc, expected $status and: $text"
        echo "$out"
    fi
}

# Help, and words that are not known.
for command in run dev simulate check test explain tap dlq taxonomy identity forget expr version; do
    says 0 "usage: stagecoach $command" $command --help
    says 0 "usage: stagecoach $command" help $command
done
says 0 "usage: stagecoach explain rule NAME JOURNEY" help explain rule
says 1 "the journey has no rule 'thakns'; did you mean 'thanks'?" explain rule thakns polite.yaml
says 1 "the journey has no rule 'zzzz'; it has cart_abandoned thanks visitor customer" explain rule zzzz polite.yaml
says 1 "there is no code 'quiet_huors'; did you mean 'QUIET_HOURS'?" explain code quiet_huors
says 1 "there is no code 'WRONGTYPE'; did you mean 'wrong_type'?" explain code WRONGTYPE
says 64 "there is no command 'nope'" nope
says 64 "there is no command 'nope'" help nope
says 64 "there is no command 'simulat'; did you mean 'simulate'?" simulat
says 64 "there is no command 'taxonomy dosc'; did you mean 'docs'?" taxonomy dosc
says 64 "there is no command 'dlq reply'; did you mean 'replay'?" dlq reply
says 64 "there is no command 'identity nope'" identity nope
says 64 "usage: stagecoach explain customer" explain
says 0 "usage: stagecoach dlq replay" dlq replay --help
says 64 "the taxonomy has no namespace 'emial'; it has" identity node -c polite.yaml emial=a@b.no
says 64 "unknown option '--evens'; did you mean '--events'?" simulate polite.yaml --evens carts.jsonl
says 64 "unknown option '--unril=1'; did you mean '--until'?" simulate polite.yaml --unril=1
says 64 "unknown option '-z'" check -z polite.yaml
says 64 "unknown option '-1'; an argument that begins with - stands behind --" expr -1
says 0 "-1" expr -- -1
for command in explain dlq taxonomy identity; do
    says 64 "a word is missing after '$command'" $command
done
says 64 "there is no page 'nope'" docs nope
says 64 "there is no page 'schema nope'" docs schema nope
says 64 "there is no page 'config extra'" docs config extra
says 64 "an argument is missing" check
says 64 "one argument too many: 'extra'" version extra
says 64 "one argument too many: 'next.yaml'" taxonomy diff dictionary.yaml dictionary.yaml next.yaml
says 64 "--key-version: expected 0 to 15, found '16'" identity node -c dictionary.yaml email=a@x.no --key-version 16
says 64 "two settings files: live.yaml and --config carts.yaml" run live.yaml -c carts.yaml
says 66 "cannot read stagecoach.yaml: No such file or directory; --config FILE names another" run
says 66 "a new one: openssl rand -hex 32" run -c live.yaml
# Words are judged before settings and servers.
for word in a:b:c shop.events:0 shop.events:0:-1 shop.events:x:1 :0:1 shop.events:0:1:; do
    says 64 "explain: '$word': expected TOPIC:PARTITION:OFFSET" explain event "$word" --config live.yaml
done
says 66 "a new one: openssl rand -hex 32" explain event shop.events:0:1 --config live.yaml
says 64 "forget: expected one of CUSTOMER and --identifier NS=VALUE" forget
says 64 "forget: expected one of CUSTOMER and --identifier NS=VALUE" forget x -i email=a@b.no
says 64 "forget: a customer's id has 32 hex digits, 'x' is none" forget x -c live.yaml
says 64 "forget: expected NAMESPACE=VALUE (email=ann@example.org), found 'email'" forget -i email -c live.yaml
says 64 "'y' is none; NAMESPACE=VALUE finds one by an identifier" identity split email=a@b.no y -c live.yaml
says 64 "identity unlink: expected NAMESPACE=VALUE (email=ann@example.org), found '=x'" identity unlink =x y -c live.yaml
says 64 "explain: expected NAMESPACE=VALUE (email=ann@example.org), found 'email='" explain customer -i email= -c live.yaml
says 64 "dlq: --code: no dead letter has 'nope'; docs/errors.md lists them" dlq replay --code nope -c live.yaml
says 64 "dlq: --code: no dead letter has 'duplicate'" dlq replay --code duplicate -c live.yaml
says 64 "dlq: --stage: no dead letter has 'nope'; there are VALUE_CONVERTER and" dlq replay --stage nope -c live.yaml
says 64 "dlq: --since: expected a time" dlq replay --since yesterday -c live.yaml
printf '%064d' 1 >identity.key
says 64 "dlq: --topic: no source reads topic nope; sources read shop.events" dlq replay --topic nope -c live.yaml
says 64 "forget: expected NAMESPACE=VALUE with one of account_id email device_id, found 'fax=1'" forget -i fax=1 -c live.yaml
says 64 "with one of account_id email device_id, found 'fax=1'" identity split email=a@b.no fax=1 -c live.yaml
rm identity.key
ada="--identifier email=ada@example.org"
says 64 "explain: --events FILE… (or --config SETTINGS" explain customer $ada polite.yaml
says 64 "explain: --events or --config" explain customer $ada polite.yaml --events carts.jsonl --config live.yaml
says 64 "explain: expected the customer's ID, or --identifier NS=VALUE, and then" explain customer polite.yaml --events carts.jsonl
says 64 "explain: expected the customer's ID, or --identifier NS=VALUE" explain customer --config live.yaml
columns() { "$stagecoach" simulate --help | sed -n '/^  -e/,$p' | LC_ALL=C.UTF-8 grep -vc '^  .\{32\} [^ ]'; }
holds "meanings stand in one column" [ "$(columns)" = 0 ]

# Values.
says 64 "--reorder: expected a duration (30m, 24h, 1h30m, 7d), found '-5h'" \
    simulate polite.yaml --events carts.jsonl --reorder -5h
says 64 "--until: expected a time (2026-03-02T10:00:00Z), found '2026-03-05'" \
    simulate polite.yaml --events carts.jsonl --until 2026-03-05
says 64 "a value is missing after '--report'" simulate polite.yaml --events carts.jsonl --report
says 64 "a value is missing after '--report='" simulate polite.yaml --events carts.jsonl --report=
says 64 "a value is missing after '--report'" simulate polite.yaml --events carts.jsonl --report --quiet
says 64 "a value is missing after '--report'" simulate polite.yaml --events carts.jsonl --report -- x
says 64 "a value is missing after '--events'" simulate polite.yaml --events ""
says 64 "a value is missing after '--events'" simulate polite.yaml --events --quiet
says 64 "an argument is empty" simulate "" --events carts.jsonl
says 64 "given twice: '--until=2026-03-05T00:00:00Z'" \
    simulate polite.yaml --events carts.jsonl --until 2026-03-05T00:00:00Z --until=2026-03-05T00:00:00Z
says 64 "given twice; all values go after one '--events'" simulate polite.yaml --events carts.jsonl --events carts.jsonl
says 0 "" simulate polite.yaml --events carts.jsonl --quiet -q
for value in -1 1.5 5s 0x10 99999999999999999999; do
    says 64 "--max-invalid: expected a whole number, found '$value'" \
        simulate polite.yaml --events carts.jsonl --max-invalid "$value"
done
for value in 5 h 1hh 1h30 "1 h" 999999999999d; do
    says 64 "--reorder: expected a duration (30m, 24h, 1h30m, 7d), found '$value'" \
        simulate polite.yaml --events carts.jsonl --reorder "$value"
done
says 0 "--until lies before the last event: it moves time on, and leaves no event out" \
    simulate polite.yaml --events carts.jsonl --until 2026-03-02T00:00:00Z
for word in shop.events@2026 shop.events@ @2026-03-02T10:00:00Z; do
    says 64 "--events: '$word' is no file; a topic is read from a time on, as shop.events@2026-03-02T10:00:00Z" \
        simulate polite.yaml --events "$word"
done
says 64 "there is no source of topic 'nope'; there are shop.events" \
    simulate polite.yaml --events nope@2026-03-02T10:00:00Z
says 64 "there is no source 'nope'; there are web" simulate polite.yaml --source nope carts.jsonl
says 64 "--limit: expected a whole number, found '1e3'" simulate polite.yaml --events carts.jsonl --limit 1e3
says 64 "--exit-code and --limit belong to --against" simulate polite.yaml --events carts.jsonl --exit-code
says 64 "--exit-code and --limit belong to --against" simulate polite.yaml --events carts.jsonl --limit 3
says 64 "--source NAME FILE…: the files are missing" simulate polite.yaml --source web

# Files.
says 66 "$work: Is a directory" simulate polite.yaml --events "$work"
says 66 "$work: Is a directory" simulate polite.yaml --source web "$work"
says 66 "$work: Is a directory" simulate polite.yaml --events carts.jsonl --key-file "$work"
says 0 "no cases" test polite.yaml
says 78 "polite.yaml:2:1: error: this is no file of cases" test polite.yaml polite.yaml

# Files that are in the way are told before anything is read or written.
printf '{"event":' >torn.jsonl
for option in effects customers analytics report; do
    says 74 "simulate: --$option: no/such: No such file or directory" \
        simulate polite.yaml --events carts.jsonl torn.jsonl --$option no/such
    says 74 "simulate: --$option: $work: Is a directory" simulate polite.yaml --events carts.jsonl --$option "$work"
done
says 74 "test: --junit: no/such: No such file or directory" test polite.yaml polite-tests.yaml --junit no/such
says 66 "simulate: --events: nope.jsonl: No such file or directory" \
    simulate polite.yaml --events carts.jsonl nope.jsonl --effects early.out
says 66 "simulate: --against: nope.yaml: No such file or directory" \
    simulate polite.yaml --events carts.jsonl --against nope.yaml --effects early.out
says 78 "dictionary.yaml is a taxonomy, expected a journey" \
    simulate polite.yaml --events carts.jsonl --against dictionary.yaml --effects early.out
holds "before anything is written" [ ! -e early.out ]

# Files that are none.
gzip -c carts.jsonl >whole.gz
head -c 200 whole.gz >cut.gz
says 65 "stagecoach: cut.gz: unexpected end of file" simulate polite.yaml --events cut.gz
"$stagecoach" simulate polite.yaml --quiet --events whole.gz >whole.out
"$stagecoach" simulate polite.yaml --quiet --events carts.jsonl >plain.out
holds "a whole one is read" cmp plain.out whole.out
sed 's/$/\r/' carts.jsonl >crlf.jsonl
"$stagecoach" simulate polite.yaml --quiet --events crlf.jsonl >crlf.out
holds "lines may end with CR LF" cmp plain.out crlf.out
jq -s . carts.jsonl >list.json
says 65 "lines is an event: a file has JSON lines, one object a line" simulate polite.yaml --events list.json
says 65 "none of 2 lines is an event" simulate polite.yaml --events <(printf 'event,id\ncart_updated,1\n')
says 0 '"events":0' simulate polite.yaml --events /dev/null
long() { printf '{"event":"cart_updated","properties":{"x":"'; head -c 2000000 /dev/zero | tr '\0' y; printf '"}}\n'; }
(long; cat carts.jsonl) >long.jsonl
says 0 "long.jsonl:1: invalid: the line is longer than 1 MiB" simulate polite.yaml --events long.jsonl
deep() { printf "$1"%.0s $(seq 100); }
{ printf 'journey: a\nfacts: '; deep '['; deep ']'; } >deep.yaml
says 1 "deep.yaml:2:71: error: nested deeper than 64 levels" check deep.yaml
printf 'journey: a\nstages:\n\t- { name: x }\n' >tab.yaml
says 1 "tab.yaml:3:1: error: found character that cannot start any token while scanning for the next token; indent with spaces" check tab.yaml
(printf '\xEF\xBB\xBF'; sed 's/$/\r/' polite.yaml) >crlf.yaml
says 0 "0 errors" check crlf.yaml
printf "journey: a\nstages: [ { name: \xff } ]\n" >latin.yaml
says 1 "latin.yaml:2:19: error: invalid leading UTF-8 octet: the file must be UTF-8 text" check latin.yaml
: >empty.yaml
says 1 "empty.yaml:1:1: error: the file is empty" check empty.yaml

# Properties of librdkafka are asked of it, before anything runs.
kafka() { sed "s/^kafka:.*/kafka: { brokers: 127.0.0.1:9092, properties: { $1 } }/" live.yaml >kafka.yaml; }
kafka 'sessoin.timeout.ms: 1000'
says 1 "kafka.yaml:2:49: error: librdkafka has no property 'sessoin.timeout.ms'; did you mean 'session.timeout.ms'?" \
    check kafka.yaml
says 78 "librdkafka has no property 'sessoin.timeout.ms'" run -c kafka.yaml
kafka 'session.timeout.ms: soon'
says 1 "kafka.yaml:2:69: error: librdkafka: " check kafka.yaml
kafka 'linger.ms: ""'
says 1 "kafka.yaml:2:61: error: librdkafka: " check kafka.yaml
kafka 'session.timeout.ms: 30000, ssl.endpoint.identification.algorithm: none'
printf '%064d' 1 >identity.key
says 0 "0 errors" check kafka.yaml
rm identity.key

# What settings, journey and taxonomy must agree on is judged before anything runs.
(cat live.yaml; echo 'topics: { dead_letters: shop.events }') >shared.yaml
says 1 "shared.yaml:6:25: error: topic 'shop.events' is that of source 'web' and of \`topics.dead_letters\`" check shared.yaml
says 78 "shared.yaml:6:25: error: topic 'shop.events' is that of source 'web'" run shared.yaml
redis() { sed "s/^redis:.*/redis: { $1 }/" live.yaml >redis.yaml; }
redis 'tls: {}'
says 1 "redis.yaml:3:15: error: redis.tls: this build's hiredis has no TLS" check redis.yaml
redis 'cluster: [a, b]'
says 1 "redis.yaml:3:20: error: redis.cluster: not built yet" check redis.yaml
says 78 "redis.yaml:3:20: error: redis.cluster: not built yet" run redis.yaml
(cat live.yaml; echo 'topics: { dead_letters: off }') >off.yaml
says 78 "off.yaml:6:25: error: this topic cannot be switched off" run off.yaml
sed 's/topic: shop.events, format: json/topic: shop.events, format: avro/' dictionary.yaml >avro.yaml
sed 's/^taxonomy:.*/taxonomy: avro.yaml/' polite.yaml >avro-polite.yaml
sed 's/^journey:.*/journey: avro-polite.yaml/' live.yaml >avro-live.yaml
says 1 "avro.yaml:29:17: error: source 'web' is framed for a registry, and the settings name none" check avro-live.yaml
says 78 "source 'web' is framed for a registry, and the settings name none" run avro-live.yaml

# Files that settings and sources name: beside the settings, from wherever it is called; each that is
# missing has its place, also of schemas that cannot be read as such.
mkdir -p conf
cp polite.yaml conf
printf '%064d' 1 >conf/identity.key
echo pem >conf/ca.pem
cat >conf/schema.proto <<'END'
syntax = "proto3";
message Event { string event = 1; string id = 2; string occurred_at = 3; }
END
# source KEYS: conf/live.yaml, with a source of these keys.
source_of() {
    sed "s/^  web: .*/  web: { topic: shop.events, event: \$.event, id: \$.id, occurred_at: \$.occurred_at, $1 }/" dictionary.yaml >conf/dictionary.yaml
}
tls() { sed "s/^kafka:.*/kafka: { brokers: 127.0.0.1:9092, $1 }/" live.yaml >conf/live.yaml; }
source_of 'format: json, identifiers: { email: $.email }'
tls 'tls: { ca_file: ca.pem }'
says 0 "0 errors" check conf/live.yaml
tls 'tls: { ca_file: cb.pem }'
says 0 "conf/live.yaml:2:51: note: cannot use the file 'cb.pem': No such file or directory; a relative path begins at the settings file" \
    check --strict conf/live.yaml
says 1 "conf/live.yaml:2:51: error: cannot use the file 'cb.pem': No such file or directory" check --connect conf/live.yaml
says 66 "conf/live.yaml:2:51: error: cannot use the file 'cb.pem': No such file or directory" run conf/live.yaml
tls 'sasl: { username: me, password_file: . }'
says 1 "cannot use the file '.': Is a directory" check conf/live.yaml
cp live.yaml conf
printf short >conf/identity.key
says 1 "identity.key': it must have 16 to 4096 bytes" check conf/live.yaml
: >conf/identity.key
says 1 "identity.key': it is empty" check --connect conf/live.yaml
rm conf/identity.key
says 1 "conf/live.yaml:5:23: error: cannot use the file 'identity.key': No such file or directory; a new one: openssl rand -hex 32" \
    check --connect conf/live.yaml
printf '%064d' 1 >conf/identity.key
proto='format: protobuf, schema: schema.proto, message: Event'
source_of "$proto"
says 0 "dictionary.yaml" check -v conf/live.yaml
source_of "${proto/schema.proto/none.proto}"
says 1 "error: cannot use the schema file 'none.proto': No such file or directory" check conf/live.yaml
says 1 "error: cannot use the schema file 'none.proto': No such file or directory" check conf/dictionary.yaml
says 66 "error: cannot use the schema file 'none.proto': No such file or directory" run conf/live.yaml
source_of "${proto/: Event/: Evnt}"
says 1 "schema.proto cannot be used for source 'web': the schema has no message \`Evnt\`" check conf/live.yaml
echo 'message Torn { string = 1; }' >>conf/schema.proto
source_of "$proto"
says 1 "schema.proto cannot be used for source 'web': line 3: a name is expected, at \`=\`" check conf/polite.yaml

# What the parser finds is an error to every command.
sed "s/^    cooldown: 24h/&\n    cooldown: 1h/" polite.yaml >twice.yaml
says 78 "twice.yaml:16:5: error: key 'cooldown' stands here twice" simulate twice.yaml --events carts.jsonl
says 78 "stands here twice" test twice.yaml polite-tests.yaml
says 78 "stands here twice" simulate polite.yaml --events carts.jsonl --against twice.yaml
sed "s/journey: polite.yaml/journey: twice.yaml/" live.yaml >twice-live.yaml
says 78 "stands here twice" run -c twice-live.yaml
sed 's/total: {.*/total: !!binary x/' dictionary.yaml >tagged.yaml
says 1 "is not supported" check tagged.yaml
says 78 "is not supported" taxonomy docs tagged.yaml
(printf '\xEF\xBB\xBF'; cat carts.jsonl) >marked.jsonl
"$stagecoach" simulate polite.yaml --quiet --events carts.jsonl >plain.out
"$stagecoach" simulate polite.yaml --quiet --events marked.jsonl >marked.out
holds "a byte order mark is no part of the first line" cmp plain.out marked.out

# Read once; not written over.
once="standard input can be read but once"
says 64 "--source and --source: $once" simulate polite.yaml --source web - --source web -
says 64 "--events and --source: $once" simulate polite.yaml --events - --source web -
says 64 "--events and --events: $once" simulate polite.yaml --events - -
mkfifo pipe
says 64 "pipe can be read but once" simulate polite.yaml --events pipe pipe
says 64 "--events and --effects: ./carts.jsonl would be written over what is read" \
    simulate polite.yaml --events carts.jsonl --effects ./carts.jsonl
says 64 "JOURNEY and --report: polite.yaml would be written over what is read" \
    simulate polite.yaml --events carts.jsonl --report polite.yaml
says 64 "JOURNEY and --junit: polite.yaml would be written over what is read" test polite.yaml --junit polite.yaml
says 64 "--effects and --customers: out.jsonl cannot take both" \
    simulate polite.yaml --events carts.jsonl --effects out.jsonl --customers out.jsonl
says 64 "--effects and --report: standard output cannot take both" \
    simulate polite.yaml --events carts.jsonl --report -
cp carts.jsonl grows.jsonl
rc=0
"$stagecoach" simulate polite.yaml --events grows.jsonl >>grows.jsonl 2>said || rc=$?
holds "nor read while it is written" [ "$rc $(wc -l <grows.jsonl)" = "64 $(wc -l <carts.jsonl)" ]
unchanged() { for file in "$root"/docs/examples/*; do cmp "$file" "$(basename "$file")" || return; done; }
holds "what is read is as it was" unchanged
says 0 "" simulate polite.yaml --events carts.jsonl --effects /dev/null --customers /dev/null
"$stagecoach" simulate polite.yaml --quiet --events carts.jsonl --effects /dev/null --report page.html
"$stagecoach" simulate polite.yaml --quiet --events carts.jsonl --effects /dev/null --report - >page.out
holds "a report to standard output" cmp page.html page.out
ln -s real.html link.html
"$stagecoach" simulate polite.yaml --quiet --events carts.jsonl --effects /dev/null --report link.html
holds "a report goes where a link leads" cmp page.html real.html
holds "and the link stays" [ -L link.html ]

# Standard output that takes nothing, or is closed.
# full WORD…: the command fails by its output, and says so.
full() {
    local rc=0
    "$stagecoach" "$@" >/dev/full 2>said || rc=$?
    holds "/dev/full: $*: exit $rc" [ $rc = 74 ]
    holds "/dev/full: $* says why" grep -q 'writing failed: ' said
    rc=0
    "$stagecoach" "$@" >&- 2>said || rc=$?
    holds "closed: $*: exit $rc" [ $rc = 74 ]
}
[ -c /dev/full ] || { echo "/dev/full is missing"; exit 77; }
full --help
full version
full check polite.yaml
full check -o sarif polite.yaml
full test polite.yaml polite-tests.yaml
full simulate polite.yaml --events carts.jsonl
full simulate polite.yaml --events carts.jsonl --against carts.yaml
full explain rule thanks polite.yaml
full explain code LATE
full explain customer --identifier email=ada@example.org polite.yaml --events carts.jsonl
full taxonomy docs polite.yaml
full taxonomy asyncapi polite.yaml
full taxonomy diff dictionary.yaml dictionary.yaml
full identity node -c dictionary.yaml email=ada@example.org
full expr '1 + 1'
full docs config
rc=0
"$stagecoach" simulate polite.yaml --events carts.jsonl --customers people.out >&- 2>said || rc=$?
holds "a closed standard output is nobody else's file" bash -c '! grep -q trigger people.out'
rc=0
"$stagecoach" simulate polite.yaml --events - <&- >nothing.out 2>said || rc=$?
holds "a closed standard input cannot be read: exit $rc" [ $rc = 66 ]
rc=0
"$stagecoach" dev --seconds 1 2>said | head -n 1 >/dev/null || rc=$?
holds "a reader that has enough: exit $rc" [ $rc = 0 ]
holds "and nothing is said" cmp said /dev/null
