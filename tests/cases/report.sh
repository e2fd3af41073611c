#!/usr/bin/env bash
# `simulate --report`: one page, well formed, that asks the network for nothing, whose figures are
# those of the effects; `--analytics`: the same figures, whatever the order of arrival.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
cd "$work"

not() { ! "$@"; }
# figure WHAT ANALYTICS-FILTER EFFECTS-FILTER: the two sums are one.
figure() {
    local a b
    a=$(jq -s "[.[] | select($2) | .count] | add // 0" cells.jsonl)
    b=$(jq -s "[.[] | select($3)] | length" effects.jsonl)
    holds "$1: $a, in the effects $b" [ "$a" = "$b" ]
}
# cells FILTER: of the cells, in one line.
cells() { jq -sc "[.[] | select($1)]" cells.jsonl; }

for name in retail saas subscription; do
    example=$root/schemas/examples/$name
    "$stagecoach" simulate "$example/journey.yaml" --quiet --events "$example/events.jsonl" \
        --effects effects.jsonl --analytics cells.jsonl --report "$name.html" >said
    holds "$name: nothing else is said" cmp -s said /dev/null
    figure "$name: sent" '.metric == "message" and .key.outcome == "sent"' '.type == "trigger"'
    figure "$name: deferred" '.metric == "message" and .key.outcome == "deferred"' '.type == "deferred"'
    figure "$name: suppressed" '.metric == "suppressed"' '.type == "suppressed"'
    # A stage that a merge takes over from its other side was counted there.
    figure "$name: transitions" '.metric == "transition" and .key.cause != "merge"' \
        '.type == "transition" and .cause != "merge"'
    # Who was forgotten stays in the count, and in no other place.
    forgotten=$(grep -c '"event":"erasure' "$example/events.jsonl") || true
    holds "$name: customers" [ "$(jq -s '[.[] | select(.metric == "customers") | .count] | add' cells.jsonl)" = \
        "$(($(tail -n 1 effects.jsonl | jq .customers) + forgotten))" ]
    holds "$name: time in stages" [ "$(jq -s '[.[] | select(.metric == "in_stage") | .sum] | add // 0' cells.jsonl)" = \
        "$(jq -s '[.[] | select(.from != null and .cause != "merge") | .in_stage_ms] | add // 0' effects.jsonl)" ]

    page=$name.html
    sed -n 's|^<script type="application/json" id="data">\(.*\)</script>$|\1|p' "$page" >data.json
    holds "$name: the page holds its figures" [ "$(jq '.journey != "" and .summary.events > 0' data.json)" = true ]
    holds "$name: the page's cells are the analytics'" cmp -s \
        <(jq -c '.metrics | to_entries[] | .key as $m | .value.rows[] | [$m, .[0] * 86400, .[1], .[2] // 0]' data.json) \
        <(jq -c '[.metric, (.window_start | fromdate), .count, .sum // 0]' cells.jsonl)
    holds "$name: no address outside the page" not grep -qE '(src|href|action|data)="[^#"]|url\(|@import|https?://' \
        <(sed 's|http://www.w3.org/2000/svg||; /id="data"/d' "$page")
    holds "$name: the network is forbidden to it" grep -q "default-src 'none'" "$page"
    holds "$name: both schemes" grep -q 'prefers-color-scheme: dark' "$page"
    holds "$name: nothing beside it" [ ! -e "$page.part" ]
done

# Elements are opened and closed in order: every tag of the page, its scripts left out, on a stack.
well_formed() {
    sed 's/<script[^>]*>.*<\/script>//; /^<script>$/,/^<\/script>$/d; /^<style>$/,/^<\/style>$/d' "$1" |
        grep -oE '</?[a-z0-9]+' | awk '
            /^<(meta|br|link)$/ { next }
            /^<\// { if (stack[n--] != substr($0, 3)) { print "closes " $0; bad = 1 } next }
            { stack[++n] = substr($0, 2) }
            END { if (n) { print "open: " stack[n]; bad = 1 } exit bad }'
}
holds "well formed" well_formed retail.html

# Stages say which track is theirs: each is drawn by itself.
"$stagecoach" simulate "$root/tests/cases/simulate/tracks/journey.yaml" --events "$root/tests/cases/simulate/tracks/events.jsonl" \
    --effects /dev/null --report tracks.html
sed -n 's|^<script type="application/json" id="data">\(.*\)</script>$|\1|p' tracks.html >data.json
holds "tracks: $(jq -c '[.stages[].track] | unique' data.json)" [ "$(jq '[.stages[].track] | unique | length' data.json)" -gt 1 ]

# Names that look like the end of the script stay data.
sed 's/journey: .*/journey: shop/' "$root/tests/cases/simulate/withdrawn/journey.yaml" >journey.yaml
sed 's|\.\./_shop|'"$root"'/tests/cases/simulate/_shop|' journey.yaml >there.yaml
cp "$root/tests/cases/simulate/withdrawn/events.jsonl" '<!--<script>.jsonl'
"$stagecoach" simulate there.yaml --events '<!--<script>.jsonl' --effects /dev/null --report names.html
holds "a name stays a name" grep -qF '"\u003c!--\u003cscript>.jsonl"' names.html
holds "and starts nothing" not grep -qF '<!--<script>' names.html

# The same bytes again; and a page that cannot be written leaves the old one.
cp names.html first.html
"$stagecoach" simulate there.yaml --events '<!--<script>.jsonl' --effects /dev/null --report names.html
holds "the same input, the same page" cmp -s first.html names.html
rc=0
"$stagecoach" simulate there.yaml --events '<!--<script>.jsonl' --effects /dev/null --report no/such/page.html 2>said || rc=$?
holds "a page that cannot be written: exit 74" [ $rc = 74 ]
holds "and says so" grep -q 'simulate: --report: no/such/page.html: No such file or directory' said

# ---- what is measured, by hand

cat >taxonomy.yaml <<'YAML'
taxonomy: desk
version: 1.0.0
namespaces:
  account: { priority: 1, unique: true }
  device_id: { priority: 9 }
events:
  seen: {}
  bought: { role: purchase, value: total, properties: { total: { type: decimal, scale: 2, required: true } } }
  opened: { channel: mail, properties: { ticket: { type: string, required: true } } }
  chatted: { channel: chat, properties: { ticket: { type: string, required: true } } }
  replied: { properties: { ticket: { type: string } } }
  escalated: { channel: phone }
  closed: { properties: { ticket: { type: string, required: true } } }
  scored: { properties: { points: { type: int, required: true } } }
  rated: { properties: { points: { type: int, required: true } } }
  found: { properties: { points: { type: int, required: true } } }
cases: { ticket: { opens: [opened], closes: [closed], key: ticket } }
YAML
cat >desk.yaml <<'YAML'
journey: desk
taxonomy: taxonomy.yaml
facts: { orders: count("bought") }
stages:
  - { name: new, initial: true, target: 2d }
  - { name: buyer, when: event.name == "bought", target: 30d }
milestones: { second: orders >= 2 }
personas: { at_risk: 'seen("bought") && since("bought") > duration("1440h")' }
analytics:
  contacts: { opened: {}, chatted: { topic: ticket } }
  answers: { replied: { topic: ticket } }
  escalations: [escalated]
  nps: { event: scored, score: points }
  csat: { event: rated, score: points, satisfied: 4 }
  ces: { event: found, score: points }
YAML
n=0
event() { # TIME NAME IDENTIFIERS PROPERTIES
    n=$((n + 1))
    printf '{"event":"%s","id":"%s","occurred_at":"2026-%s:00Z","source":"s","identifiers":{%s},"properties":{%s}}\n' \
        "$2" $n "$1" "$3" "${4-}"
}
{
    # One person on two devices, known as one only on March 20.
    event 03-02T10:00 seen '"device_id":"a"'
    event 03-03T10:00 bought '"device_id":"a"' '"total":10.25'
    event 03-04T10:00 seen '"device_id":"b"'
    event 03-10T10:00 bought '"device_id":"b"' '"total":5'
    event 03-11T10:00 opened '"device_id":"b"' '"ticket":"t1"'
    event 03-11T12:00 chatted '"device_id":"a"' '"ticket":"t1"'
    event 03-11T13:00 replied '"device_id":"b"' '"ticket":"t1"'
    event 03-11T13:30 escalated '"device_id":"b"'
    event 03-12T10:00 closed '"device_id":"b"' '"ticket":"t1"'
    event 03-12T11:00 scored '"device_id":"b"' '"points":10'
    event 03-12T12:00 scored '"device_id":"a"' '"points":6'
    event 03-12T13:00 rated '"device_id":"a"' '"points":4'
    event 03-12T14:00 rated '"device_id":"a"' '"points":3'
    event 03-12T15:00 found '"device_id":"a"' '"points":2'
    event 03-20T10:00 seen '"device_id":"a","account":"ada"'
    event 03-20T11:00 seen '"device_id":"b","account":"ada"'
    event 04-01T10:00 seen '"account":"bob"'
} >events.jsonl
"$stagecoach" simulate desk.yaml --quiet --events events.jsonl --effects effects.jsonl --analytics cells.jsonl --customers customers.jsonl
short() { cells "$1" | jq -c '[.[] | [(.window_start | .[5:10]), (.key | [.[]] | join(" ")), .count] + (if .sum == null then [] else [.sum] end)]'; }
expect() { # METRIC TEXT
    holds "$1: $(short ".metric == \"$1\"")" [ "$(short ".metric == \"$1\"")" = "$2" ]
}
expect customers '[["03-02","",1],["04-01","",1]]'
expect active '[["03-02","new",1],["03-09","returning",1],["03-16","returning",1],["03-30","new",1]]'
expect retention '[["03-02","0",1],["03-02","1",1],["03-02","2",1],["03-30","0",1]]'
expect reached '[["03-02","new",1],["03-03","buyer",1],["04-01","new",1]]'
expect target '[["03-03","new within",1],["03-06","new overdue",1],["03-10","new after",1]]'
expect contact '[["03-11","opened mail",1],["03-11","chatted chat",1]]'
expect first_contact '[["03-11","opened mail",1,1]]'
expect switch '[["03-11","mail chat",1]]'
expect waiting '[["03-11","mail 10485760",1,10800000]]'
expect handling '[["03-12","ticket mail 83886080",1,86400000]]'
expect escalation '[["03-11","escalated phone",1]]'
expect nps '[["03-12","buyer detractor",1,6],["03-12","buyer promoter",1,10]]'
expect csat '[["03-12","buyer unsatisfied",1,3],["03-12","buyer satisfied",1,4]]'
expect ces '[["03-12","buyer",1,2]]'
expect purchase '[["03-03","bought new",1,10.25],["03-10","bought new",1,5]]'
expect buyers '[["03-03","1",1,7]]'
expect repeat_value '[["03-03","1",1,5]]'
expect time_to_value '[["03-10","second 671088640",1,691200000]]'

# Ada bought on the 3rd and the 10th; it is April 1. Bob never did.
holds "clv: $(jq -c .clv customers.jsonl | tr '\n' ' ')" [ "$(jq -sc '[.[].clv] | sort' customers.jsonl)" = \
    '[null,{"frequency":1,"recency":7,"T":29,"repeat_value":5}]' ]
"$stagecoach" simulate desk.yaml --quiet --events events.jsonl --effects /dev/null --customers plain.jsonl
holds "no clv where nothing is measured" not grep -q clv plain.jsonl

# In any order of arrival, where events may wait to be put in order: the same cells.
cp cells.jsonl expected.jsonl
sort -R --random-source=taxonomy.yaml events.jsonl >shuffled.jsonl
sed 's/^facts:/lateness: 60d\n&/' desk.yaml >late.yaml
for file in events shuffled; do
    "$stagecoach" simulate late.yaml --quiet --events $file.jsonl --reorder 60d --effects /dev/null --analytics $file.cells
done
holds "any order of arrival" cmp events.cells shuffled.cells

# What is off costs no word, and a wrong name is said where it stands.
sed 's/score: points }$/score: pionts }/' desk.yaml >wrong.yaml
rc=0
"$stagecoach" check wrong.yaml >said 2>&1 || rc=$?
holds "a wrong property" [ $rc = 1 ]
holds "is named, with the one that is meant" grep -q "no property 'pionts'" said
grep -q "points" said || not_ok "no suggestion"
