#!/usr/bin/env bash
# The ways in and out of `stagecoach simulate`: files, gzip, standard input, options, what it says when it cannot.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
case=$root/tests/cases/simulate/withdrawn
mkdir "$work/withdrawn" "$work/_shop"
cp "$case/journey.yaml" "$case/events.jsonl" "$work/withdrawn"
cp "$root/tests/cases/simulate/_shop/taxonomy.yaml" "$work/_shop"
cd "$work/withdrawn"

# says STATUS TEXT WORD…: `simulate WORD…` ends with STATUS and says TEXT.
says() {
    local status=$1 text=$2 rc=0 out
    shift 2
    out=$("$stagecoach" simulate "$@" 2>&1 <events.jsonl) || rc=$?
    if [ $rc = "$status" ] && [[ $out == *"$text"* ]]; then
        ok
    else
        not_ok "simulate $*: exit $rc, expected $status and: $text"
        echo "$out"
    fi
}
simulate() { "$stagecoach" simulate journey.yaml --quiet "$@"; }

simulate --events events.jsonl >expected
holds "effects go to standard output" grep -q '"type":"cancelled"' expected
gzip -k events.jsonl
holds "gzip" cmp expected <(simulate --events events.jsonl.gz)
holds "standard input" cmp expected <(simulate --events - <events.jsonl)
holds "gzip on standard input" cmp expected <(simulate --events - <events.jsonl.gz)
head -2 events.jsonl >first.jsonl
tail -n +3 events.jsonl | gzip >rest.jsonl.gz
holds "several files are one input" cmp expected <(simulate --events first.jsonl rest.jsonl.gz)
gzip -c first.jsonl | cat - rest.jsonl.gz >members.gz
cat >old.jsonl <<<'{"event":"cart_updated","id":"old","occurred_at":"2020-01-01T00:00:00Z","identifiers":{"account_id":"o"},"properties":{"cart_id":"o","value":1}}'
says 0 "1 of 6 events are later than \`lateness\` allows" journey.yaml --events events.jsonl old.jsonl
says 0 "merge them by occurred_at first" journey.yaml --events events.jsonl old.jsonl
printf '{"event":"cart_updated","id":"big","occurred_at":"2026-03-02T10:00:00Z","identifiers":{"account_id":"b"},"properties":{"cart_id":"%300000d","value":1}}\n' 1 >large.jsonl
says 65 "up to here its properties take 300016 bytes, at most 262144 are taken" journey.yaml --events large.jsonl
cat events.jsonl old.jsonl >late.jsonl
says 0 "let --reorder do it" journey.yaml --events late.jsonl
holds "--quiet does not say it" [ "$(simulate --events late.jsonl 2>&1 >/dev/null)" = "" ]
holds "gzip of several members" cmp expected <(simulate --events members.gz)
holds "no newline at the end" cmp expected <(printf %s "$(cat events.jsonl)" | simulate --events -)
holds "carriage returns" cmp expected <(sed 's/$/\r/' events.jsonl | simulate --events -)
holds "no events: a summary" cmp <(simulate --events /dev/null) - <<'JSON'
{"type":"summary","events":0,"customers":0,"duplicates":0,"invalid":0,"anonymous":0,"late":0,"merges":0,"reorder_early":0}
JSON
simulate --events events.jsonl --effects effects --customers customers >nothing
holds "files that are named" cmp expected effects
holds "nothing beside them" cmp nothing /dev/null
holds "pseudonyms unless --reveal" bash -c '! grep -q x.no customers'
echo "a secret of our own, long enough for a key" >key
simulate --events events.jsonl --effects effects --customers other --key-file key
holds "another key, other pseudonyms" bash -c '[ -z "$(jq -r .id customers other | sort | uniq -d)" ]'

(head -c 1100000 /dev/zero | tr '\0' x; echo; cat events.jsonl) >long.jsonl
says 0 "long.jsonl:1: invalid: the line is longer than 1 MiB" journey.yaml --events long.jsonl
says 1 '"invalid":1' journey.yaml --events long.jsonl --max-invalid 0
says 0 '"invalid":1' journey.yaml --events long.jsonl --max-invalid 1
sed 's/^journey: .*/journey: "${STAGECOACH_NOWHERE}"/' journey.yaml >variable.yaml
says 78 "environment variable 'STAGECOACH_NOWHERE' is not set" variable.yaml --events events.jsonl
(cat journey.yaml; echo "journey: again") >twice.yaml
says 78 "key 'journey' stands here twice" twice.yaml --events events.jsonl
says 66 "nowhere.jsonl: No such file or directory" journey.yaml --events nowhere.jsonl
head -c 100 events.jsonl.gz >cut.gz
says 65 "cut.gz: " journey.yaml --events cut.gz
says 74 "nowhere/effects: No such file or directory" journey.yaml --events events.jsonl --effects nowhere/effects
says 74 "/dev/full: writing failed: No space left on device" journey.yaml --events events.jsonl --effects /dev/full
says 64 "--events FILE… or --source NAME FILE… is missing" journey.yaml
says 64 "all values go after one '--events'" journey.yaml --events events.jsonl --events events.jsonl
says 64 "usage: stagecoach simulate JOURNEY" --events events.jsonl
says 64 "--until" journey.yaml --events events.jsonl --until tomorrow
says 64 "--disorder" journey.yaml --events events.jsonl --disorder much
says 66 "nothing.yaml" nothing.yaml --events events.jsonl
sed 's/order_completed/order_complete/' journey.yaml >typo.yaml
says 78 "did you mean 'order_completed'" typo.yaml --events events.jsonl
says 0 "usage: stagecoach simulate JOURNEY" --help
