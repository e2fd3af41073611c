#!/usr/bin/env bash
# `simulate --against`: the sample shop's journey against variants of itself, worked out by hand from
# schemas/examples/retail/effects (two cart reminders, by WhatsApp, at 09:05 on the 2nd and 13:10 on the 16th; one of
# a customer who is held out, one held back by a failed payment).
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
cp "$root"/schemas/examples/retail/{taxonomy.yaml,journey.yaml,events.jsonl} "$work"
cd "$work"

# variant SED: journey.yaml, changed, as new.yaml.
variant() {
    sed "$1" journey.yaml >new.yaml
    ! cmp -s journey.yaml new.yaml || not_ok "$1 changes nothing"
}

# says NAME STATUS OPTION…: the comparison ends with STATUS and prints what comes on standard input,
# blanks squeezed.
says() {
    local name=$1 status=$2 rc=0
    shift 2
    "$stagecoach" simulate new.yaml --events events.jsonl --until 2026-12-31T00:00:00Z \
        --against journey.yaml "$@" >seen 2>&1 || rc=$?
    echo "exit $rc" >>seen
    { cat; echo "exit $status"; } >expected
    holds "$name" diff -u expected <(tr -s ' ' <seen | sed 's/ $//')
}

cp journey.yaml new.yaml
says "the same journey" 0 --exit-code <<'END'
trigger channel new lost moved same
cart_abandoned whatsapp 0 0 0 2
case_handover agent 0 0 0 1
close_the_loop agent 0 0 0 1
payment_help email 0 0 0 1
win_back email 0 0 0 1
all 0 0 0 6
END

variant 's/^journey: retail/journey: renamed/; s/after: 1h without/after: 2h without/'
says "another time, under another name" 1 --exit-code <<'END'
trigger channel new lost moved same
cart_abandoned whatsapp 0 0 2 0
case_handover agent 0 0 0 1
close_the_loop agent 0 0 0 1
payment_help email 0 0 0 1
win_back email 0 0 0 1
all 0 0 2 4

moved 2026-03-02T10:05:00Z cart_abandoned whatsapp f2e0a2df259b45c268eb256d897b88ff was: 2026-03-02T09:05:00Z whatsapp
moved 2026-03-16T14:10:00Z cart_abandoned whatsapp f20fe9df0b48ea82e951a09bf28e308d was: 2026-03-16T13:10:00Z whatsapp
END

variant 's/\[whatsapp, email\]/[email]/; s/seen("payment_failed", "6h")/seen("payment_failed", "9m")/; s/value >= 20/value >= 42/; /name: close_the_loop/,/rating, orders/d'
says "gained, lost, by another channel" 1 --exit-code --limit 9 <<'END'
trigger channel new lost moved same
cart_abandoned email 1 0 1 0
cart_abandoned whatsapp 0 1 0 0
case_handover agent 0 0 0 1
close_the_loop agent 0 1 0 0
payment_help email 0 0 0 1
win_back email 0 0 0 1
all 1 2 1 3

lost 2026-03-02T09:05:00Z cart_abandoned whatsapp f2e0a2df259b45c268eb256d897b88ff now: did not come up
new 2026-03-02T11:10:00Z cart_abandoned email f25d8a9bf705f2bf00689efeb601cb9f was: HOLD
lost 2026-03-15T10:00:00Z close_the_loop agent f25d8a9bf705f2bf00689efeb601cb9f now: did not come up
moved 2026-03-16T13:10:00Z cart_abandoned email f20fe9df0b48ea82e951a09bf28e308d was: 2026-03-16T13:10:00Z whatsapp
END

variant 's/holdout: 10%/holdout: 100%/'
says "no more names than asked for; differences alone are no failure" 0 --limit 1 <<'END'
trigger channel new lost moved same
cart_abandoned whatsapp 0 2 0 0
case_handover agent 0 0 0 1
close_the_loop agent 0 0 0 1
payment_help email 0 0 0 1
win_back email 0 0 0 1
all 0 2 0 4

lost 2026-03-02T09:05:00Z cart_abandoned whatsapp f2e0a2df259b45c268eb256d897b88ff now: HOLDOUT
and 1 more
END

sed 's/cart_updated/cart_changed/' taxonomy.yaml >older.yaml
sed 's/cart_updated/cart_changed/; s/^taxonomy: .*/taxonomy: older.yaml/' journey.yaml >new.yaml
mv new.yaml older_journey.yaml
cp journey.yaml new.yaml && mv older_journey.yaml journey.yaml
says "a taxonomy that knows less of the input" 0 --limit 0 <<'END'
stagecoach: journey.yaml: 8 lines are invalid to its taxonomy
trigger channel new lost moved same
cart_abandoned whatsapp 2 0 0 0
case_handover agent 0 0 0 1
close_the_loop agent 0 0 0 1
payment_help email 0 0 0 1
win_back email 0 0 0 1
all 2 0 0 4
and 2 more
END

rc=0
"$stagecoach" simulate new.yaml --events - --against journey.yaml </dev/null 2>seen || rc=$?
holds "standard input ends with 64" [ $rc = 64 ]
holds "and why" grep -q 'reads the events twice' seen
