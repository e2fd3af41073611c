#!/usr/bin/env bash
# Any arrival order: the same customers (semantics 1-7, 13), and with `reorder` the same effects to the
# byte (13). People come under three kinds of identifiers, first apart, then joined; who is who is known
# here, so the groups are compared with the truth, not only with each other.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
people=${PEOPLE:-300}
cd "$work"
cp "$root/tests/cases/simulate/_shop/taxonomy.yaml" .

# same WHAT COMMAND…: the command is true; what it says is shown, in part, only if not.
same() {
    local what=$1
    shift
    if "$@" >"$work/said" 2>&1; then ok; else not_ok "$what"; cut -c1-200 "$work/said" | head -20; fi
}

# A generator that every awk has alike (Park and Miller's).
random='function roll(n) { seed = (seed * 16807) % 2147483647; return seed % n }'

# history SEED: events of a week, in order of time, then id: each "MINUTE <tab> ID <tab> LINE". A person has an
# email, a card and two devices; the first event of each is alone, later ones carry one to three of them.
history() {
    awk -v seed="$1" -v people="$people" "$random"'
    function name(p, k) {
        return k == 0 ? "\"email\":\"p" p "@x.no\"" : k == 1 ? "\"loyalty_id\":\"c" p "\"" : "\"device_id\":\"d" p "-" k "\""
    }
    BEGIN {
        split("order_completed cart_updated product_viewed ping visit", events, " ")
        for (p = 1; p <= people; p++) {
            n = 8 + roll(12)
            for (i = 0; i < n; i++) {
                t = roll(7 * 1440)
                e = events[1 + roll(5)]
                a = i < 4 ? i : roll(4)
                ids = name(p, a)
                for (k = 0; k < 3 && i >= 4; k++) # one device a line: an object has each key once
                    if (k != a && roll(2) && !(k == 2 && a == 3)) ids = ids "," name(p, k)
                if (i == n - 1) ids = name(p, 0) "," name(p, 1) "," name(p, 2)
                if (i == n - 2) ids = name(p, 0) "," name(p, 3)
                props = e == "order_completed" ? "\"total\":" roll(10000) / 100 : \
                        e == "cart_updated" ? "\"cart_id\":\"k" roll(3) "\"" : e == "product_viewed" ? "\"sku\":\"s" roll(9) "\"" : ""
                printf "%d\te%d-%d\t{\"event\":\"%s\",\"id\":\"e%d-%d\",\"occurred_at\":\"2026-01-%02dT%02d:%02d:00Z\",\"identifiers\":{%s},\"properties\":{%s}}\n",
                       t, p, i, e, p, i, 1 + t / 1440, t % 1440 / 60, t % 60, ids, props
            }
        }
    }' | LC_ALL=C sort -t "$(printf '\t')" -k1,1n -k2,2
}

# shuffle SEED MINUTES: arrival up to so many minutes after its time.
shuffle() {
    awk -F '\t' -v seed="$1" -v within="$2" "$random"'{ roll(2); printf "%.3f\t%s\n", $1 + roll(within * 1000) / 1000, $3 }' |
        sort -t "$(printf '\t')" -k1,1n | cut -f2
}

simulate() { # NAME OPTION…
    local name=$1
    shift
    "$stagecoach" simulate journey.yaml --events "$name.jsonl" --effects "$name.effects" --customers "$name.customers" --quiet "$@"
}

# ---- the same customers in any order of all of the input

cat >journey.yaml <<'YAML'
journey: shop
facts:
  orders: count("order_completed")
  spent: sum("order_completed", "total")
  dearest: max("order_completed", "total")
  lately: count("visit", "48h")
  skus: distinct("product_viewed", "sku")
  first_sku: 'first("product_viewed", "sku")'
  last_sku: 'last("product_viewed", "sku")'
  first_at: first("order_completed")
  last_at: last("order_completed")
  before: 'recent("*", 5)'
milestones:
  first_order: seen("order_completed")
  second_order: count("order_completed") >= 2
  big_order: 'count("order_completed", where: event.total > 50.0) >= 1'
lateness: 30d
YAML
history 7 >history
cut -f3 history >sorted.jsonl
simulate sorted --reveal
# What ids it had before depends on what came first: that alone.
same_customers() { # ORDER
    simulate "$1" --reveal
    diff <(sed 's/"former_ids":[^]]*]//' sorted.customers) <(sed 's/"former_ids":[^]]*]//' "$1.customers")
}
same "people are told apart and put together" diff \
    <(jq -c '[.members[][]] | sort' sorted.customers | LC_ALL=C sort) \
    <(for ((p = 1; p <= people; p++)); do echo "[\"c$p\",\"d$p-2\",\"d$p-3\",\"p$p@x.no\"]"; done | LC_ALL=C sort)
same "revenue is what the lines say" diff <(jq -s 'map(.facts.spent) | add * 100 | round' sorted.customers) \
    <(jq -s 'map(.properties.total // 0) | add * 100 | round' sorted.jsonl)
for seed in 11 12 13 14 15; do
    shuffle $seed 10080 <history >shuffled.jsonl
    same "customers in the order of seed $seed" same_customers shuffled
done
{ cat sorted.jsonl; shuffle 16 10080 <history; } >shuffled.jsonl
same "customers with every line twice" same_customers shuffled

# ---- the same effects where the order is within `reorder`

cat >journey.yaml <<'YAML'
journey: shop
facts:
  orders: count("order_completed")
stages:
  - { name: new, initial: true }
  - { name: visitor, when: event.name == "product_viewed", target: 12h }
  - { name: buyer, when: event.name == "order_completed" }
  - { name: loyal, when: 'orders >= 3 || sum("order_completed", "total") >= 120.0' }
  - { name: lapsed, from: [buyer, loyal], after: '2d without [order_completed]' }
milestones:
  hundred: sum("order_completed", "total") >= 100.0
triggers:
  - name: cart_left
    start: event.name == "cart_updated"
    after: 3h without [order_completed]
    key: 'has(event.cart_id) ? event.cart_id : ""'
    channels: [sms, email]
  - name: win_back
    start: event.name == "order_completed"
    after: 40h without [order_completed]
    unless: 'count("visit", "6h") >= 2'
    channels: [email]
    cooldown: 12h
  - { name: busy, when: 'count("visit", "24h") >= 2', channels: [email], priority: 80 }
  - { name: hello, when: event.name == "ping", channels: [sms], expires: 6h }
channels: { sms: {}, email: {} }
guardrails:
  arbitration: 0s
  caps:
    - { max: 3, per: 24h }
    - { channels: [sms], max: 1, calendar: day, timezone: Europe/Oslo }
  quiet_hours: { from: "22:00", to: "07:00", timezone: Europe/Oslo }
  fatigue: { half_life: 24h, add: { "trigger:*": 1, ping: 0.5 }, pause_at: 4, resume_at: 2 }
YAML
simulate sorted
for type in trigger suppressed deferred transition milestone; do
    same "there are effects of type $type" grep -q "\"type\":\"$type\"" sorted.effects
done
same "none is early" grep -q '"reorder_early":0' sorted.effects
mv sorted.effects in_order.effects
simulate sorted --reorder 6h
same "in order, reorder changes nothing" diff in_order.effects sorted.effects
for seed in 21 22 23 24 25; do
    shuffle $seed 360 <history >shuffled.jsonl
    simulate shuffled --reorder 6h
    same "effects in the order of seed $seed" diff sorted.effects shuffled.effects
    same "customers in the order of seed $seed, with reorder" diff sorted.customers shuffled.customers
done
# Rivals over a span wait, and so do those that are put in order.
sed -i 's/arbitration: 0s/arbitration: 60s/' journey.yaml
simulate sorted --reorder 6h
same "rivals over a span are others" bash -c '! cmp -s in_order.effects sorted.effects'
for seed in 26 27; do
    shuffle $seed 360 <history >shuffled.jsonl
    simulate shuffled --reorder 6h
    same "effects in the order of seed $seed, rivals over a span" diff sorted.effects shuffled.effects
done
simulate shuffled --reorder 0s
same "without reorder the shuffled order does differ" bash -c '! cmp -s sorted.effects shuffled.effects'
