#!/usr/bin/env bash
# `stagecoach taxonomy asyncapi` is valid AsyncAPI 3.0 (the specification's own JSON schema, fetched from
# npm into the cache where npm and Python's jsonschema are at hand), and says what the files say.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
needs jq
# document NAME FILE: the document of a file.
document() {
    if "$stagecoach" taxonomy asyncapi "$2" >"$work/$1.json" 2>"$work/said"; then ok; else not_ok "$2: $(<"$work/said")"; fi
}
# says NAME FILTER: the jq filter holds of the document.
says() { if jq -e "$2" "$work/$1.json" >/dev/null; then ok; else not_ok "$1: $2"; fi; }

export STAGECOACH_KAFKA=x:1 STAGECOACH_REDIS=x:1 STAGECOACH_REGISTRY=http://x STAGECOACH_DATA=/x STAGECOACH_ADMIN=127.0.0.1:1
document shop "$root/deploy/local/demo.d/stagecoach.yaml"
document journey "$root/deploy/local/demo.d/journey.yaml"
document taxonomy "$root/deploy/local/demo.d/taxonomy.yaml"
document tea "$root/tests/cases/taxonomy_cmd/taxonomy.yaml"
sed 's/email: *{ topic/email: { format: protobuf, topic/; s/agent: *{ topic/agent: { format: avro, topic/' \
    "$root/deploy/local/demo.d/journey.yaml" >"$work/journey.yaml"
cp "$root/deploy/local/demo.d/taxonomy.yaml" "$work"
document formats "$work/journey.yaml"
sed 's/^topics: { /&cloudevents: false, /' "$root/deploy/local/demo.d/stagecoach.yaml" >"$work/bare.yaml"
document bare "$work/bare.yaml"
for name in retail saas subscription; do
    [ ! -e "$root/schemas/examples/$name/journey.yaml" ] || document "$name" "$root/schemas/examples/$name/journey.yaml"
done

says shop '.asyncapi == "3.0.0" and .info.title == "shop" and .info.version == "1.0.0"'
says shop '[.channels[].address] | contains(["shop.clickstream", "shop.pos", "shop.support", "transitions", "suppressed", "stagecoach.identity", "customers"])'
says shop '[.operations[].channel["$ref"][11:]] - (.channels | keys) == []'
says shop '(.channels | length) == (.operations | length)'
says shop '.operations.receive_source_pos.action == "receive" and .operations.send_transitions.action == "send"'
says shop '.channels.source_pos.messages.record | .contentType == "application/protobuf" and ."x-subject" == "shop.pos-value" and .payload.properties.lines.items.properties.discount_cents != null'
says shop '.channels.source_pos.messages.record | ."x-event-names".CARD == "card_registered" and ([."x-events"[]."$ref"[21:]] | contains(["card_registered", "coupon_redeemed", "order_completed"]))'
says shop '.channels.source_clickstream.messages.record | has("x-event-names") | not'
says shop '.channels.source_support.messages.record.payload.properties.customer.properties.email.type == "string"'
says shop '[.. | objects | ."$ref"? | strings | select(startswith("#/components/schemas/")) | .[21:]] - (.components.schemas | keys) == []'
says shop '.components.schemas.order_completed | .required == ["total"] and ."x-owner" == "finance" and .properties.total.minimum == 0'
says shop '.components.schemas.product_viewed.examples[0].product_id == "1234"'
says shop '.channels.customers.messages.record | .headers == null and .payload.schema.title == "Customer"'
says shop '.channels.triggers_email.messages.record.headers.properties.ce_id.type == "string"'
says bare '.channels.triggers_email.messages.record.headers.properties | keys == ["traceparent"]'
says journey '[.channels | keys[] | select(startswith("source_") | not)] | all(startswith("triggers_"))'
says taxonomy '.channels | keys == ["source_clickstream", "source_pos", "source_support"]'
says tea '.components.schemas.tea_brewed | ."x-deprecated-names"[0].name == "tea_made" and .properties.guest."x-personal" and .properties.extras.items.type == "string" and .properties.leaf.enum == ["green", "black"]'
says formats '.channels.triggers_email.messages.record.payload | (.schemaFormat | startswith("application/vnd.google.protobuf")) and (.schema | startswith("syntax"))'
says formats '.channels.triggers_agent.messages.record.payload | (.schemaFormat | startswith("application/vnd.apache.avro")) and .schema.type == "record"'

# The specification's schema: kept, as it never changes.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/stagecoach/asyncapi-specs-6.8.0
if [ ! -s "$cache/3.0.0.json" ] && command -v npm >/dev/null; then
    if (cd "$work" && timeout 120 npm pack --silent @asyncapi/specs@6.8.0 && tar xzf asyncapi-specs-6.8.0.tgz) >/dev/null 2>&1; then
        mkdir -p "$cache"
        cp "$work/package/schemas/3.0.0-without-\$id.json" "$cache/new.$$"
        mv "$cache/new.$$" "$cache/3.0.0.json"
    fi
fi
cat >"$work/validate.py" <<'END'
import json, sys
from jsonschema import Draft7Validator
validator = Draft7Validator(json.load(open(sys.argv[1])))
faults = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in validator.iter_errors(json.load(open(sys.argv[2])))]
print("\n".join(faults[:5]))
sys.exit(bool(faults))
END
if [ -s "$cache/3.0.0.json" ] && python3 -c 'import jsonschema' 2>/dev/null; then
    for file in "$work"/*.json; do
        if python3 "$work/validate.py" "$cache/3.0.0.json" "$file" >"$work/said"; then ok; else not_ok "$file: $(<"$work/said")"; fi
    done
    jq 'del(.info) | .operations.receive_source_pos.action = "take"' "$work/shop.json" >"$work/wrong"
    if python3 "$work/validate.py" "$cache/3.0.0.json" "$work/wrong" >/dev/null; then not_ok "the schema takes anything"; else ok; fi
else
    echo "skipped: the specification's schema (npm) or Python's jsonschema is not at hand"
    skipped=1
fi
