#!/usr/bin/env bash
# Holdouts and arms (semantics 32): by experiment and customer alone, so the same in every run and for every trigger of the
# experiment; contiguous ranges, so that another weight moves only the difference; near the share asked for.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
cd "$work"
cp "$root/tests/cases/simulate/_shop/taxonomy.yaml" .

for ((i = 0; i < 3000; i++)); do
    for event in ping visit; do
        echo "{\"event\":\"$event\",\"id\":\"$event$i\",\"occurred_at\":\"2026-01-01T10:00:00Z\",\"identifiers\":{\"email\":\"p$i@x.no\"}}"
    done
done >events.jsonl

# held SHARE EVENT [NAME]: the customers held out, into SHARE.EVENT
held() {
    cat >journey.yaml <<YAML
journey: shop
triggers:
  - { name: ping, when: event.name == "ping", channels: [email], experiment: { name: ${3-spring}, holdout: $1 } }
  - { name: visit, when: event.name == "visit", channels: [email], experiment: { name: ${3-spring}, holdout: $1 } }
channels: { email: {} }
YAML
    "$stagecoach" simulate journey.yaml --events events.jsonl --effects effects --quiet
    jq -r "select(.rule == \"$2\" and .type == \"suppressed\" and .reason == \"HOLDOUT\") | .customer" effects |
        LC_ALL=C sort >"$1.$2"
}

subset() { [ -z "$(LC_ALL=C comm -23 "$1" "$2")" ]; }
between() { local n; n=$(wc -l <"$1"); [ "$n" -ge "$2" ] && [ "$n" -le "$3" ]; }

for share in 0% 0.5% 10% 20% 50% 100%; do held $share ping; done
# five standard deviations around the share of 3,000
holds "none of 0 %" between 0%.ping 0 0
holds "15 of 0.5 %" between 0.5%.ping 1 34
holds "300 of 10 %" between 10%.ping 218 382
holds "1,500 of 50 %" between 50%.ping 1364 1636
holds "all of 100 %" between 100%.ping 3000 3000
holds "0.5 % are among the 10 %" subset 0.5%.ping 10%.ping
holds "10 % are among the 20 %" subset 10%.ping 20%.ping
holds "20 % are among the 50 %" subset 20%.ping 50%.ping
held 10% visit
holds "one experiment, one holdout for all its triggers" cmp 10%.ping 10%.visit
mv 10%.ping spring
held 10% ping autumn
holds "another experiment holds out others" bash -c '! cmp -s spring 10%.ping'
LC_ALL=C comm -12 spring 10%.ping >both
holds "30 of the 300 are in both: they are independent" between both 4 58
held 10% ping
holds "the same in every run" cmp spring 10%.ping
[ "$(jq -r 'select(.type == "trigger" and .rule == "ping")' effects | jq -s length)" = $((3000 - $(wc -l <spring))) ] && everyone=true || everyone=false
holds "all others get it" "$everyone"

# A merged customer is held out if either side was (semantics 7).
for ((i = 0; i < 300; i++)); do
    email="\"email\":\"p$i@x.no\"" device="\"device_id\":\"d$i\""
    for line in "ping:0:$email" "ping:1:$device" "visit:2:$email,$device" "ping:3:$email"; do
        IFS=: read -r event minute ids <<<"$line"
        echo "{\"event\":\"$event\",\"id\":\"$minute-$i\",\"occurred_at\":\"2026-01-01T10:0$minute:00Z\",\"identifiers\":{$ids}}"
    done
done | sort -t, -k3 >events.jsonl
held 50% ping
# people NUMBER…: those whose ping of one of these minutes was held out
people() {
    jq -r --arg minutes "$*" 'select(.rule == "ping" and .reason == "HOLDOUT") | .events[0] | split("-") |
        select(.[0] as $m | $minutes | contains($m)) | .[1]' effects | sort -u
}
people 0 1 >apart
people 3 >together
holds "three of four are held out by one side or the other" between apart 188 262
holds "held out together if either was" cmp apart together

# Arms: by weight, in contiguous ranges, of those not held out.
for ((i = 0; i < 3000; i++)); do
    echo "{\"event\":\"ping\",\"id\":\"p$i\",\"occurred_at\":\"2026-01-01T10:00:00Z\",\"identifiers\":{\"email\":\"p$i@x.no\"}}"
done >events.jsonl
# arms HOLDOUT A B C: customer, arm and message of each, into arms.$1.$2.$3.$4
arms() {
    cat >journey.yaml <<YAML
journey: shop
triggers:
  - name: ping
    when: event.name == "ping"
    channels: [email]
    message: plain
    experiment:
      name: spring
      holdout: $1
      arms: [ { name: a, weight: $2 }, { name: b, weight: $3, message: bright }, { name: c, weight: $4, send: false } ]
channels: { email: {} }
YAML
    "$stagecoach" simulate journey.yaml --events events.jsonl --effects effects --quiet
    jq -r 'select(.rule == "ping") | "\(.customer) \(.experiment) \(.arm) \(.type) \(.reason) \(.message)"' effects |
        LC_ALL=C sort >"arms.$1.$2.$3.$4"
}
share() { local n; n=$(grep -c " spring $2 " "$1"); [ "$n" -ge "$3" ] && [ "$n" -le "$4" ]; }
# moved ONE OTHER: "FROM TO" of those whose arm differs, with how many
moved() { LC_ALL=C join <(cut -d' ' -f1,3 "$1") <(cut -d' ' -f1,3 "$2") | awk '$2 != $3 { print $2, $3 }' | sort | uniq -c; }
only() { [ "$(awk '{ print $2, $3 }' moved)" = "$1" ]; }

arms 0% 1 1 2
holds "750 of weight 1 in 4" share arms.0%.1.1.2 a 632 868
holds "750 of weight 1 in 4, the second" share arms.0%.1.1.2 b 632 868
holds "1,500 of weight 2 in 4" share arms.0%.1.1.2 c 1363 1637
holds "an arm's own message, the trigger's where it has none, nothing where it sends none" test \
    "$(cut -d' ' -f3- arms.0%.1.1.2 | sort -u | tr '\n' ',')" = \
    "a trigger null plain,b trigger null bright,c suppressed HOLDOUT plain,"
arms 0% 2 1 1
moved arms.0%.1.1.2 arms.0%.2.1.1 >moved
holds "cuts at 25 and 50 move to 50 and 75: b to a, c to b, nobody else" only $'b a\nc b'
arms 40% 1 1 2
moved arms.0%.1.1.2 arms.40%.1.1.2 >moved
holds "a holdout takes from all arms, and moves nobody between them" only $'a holdout\nb holdout\nc holdout'
