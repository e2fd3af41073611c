#!/usr/bin/env bash
# The registry's client and the schema parsers against a real registry: Avro and Protobuf with
# references, a descriptor in base64 as the Python client registers it, unknown ids, registration.
source tests/lib/servers.sh

[ -x "$BUILD_DIR/tests/unit_registry" ] || skip "unit_registry is not built (Criterion is missing)"
command -v protoc >/dev/null || skip "protoc is not installed"
servers_up

# register_refs SUBJECT TYPE FILE [REFERENCES]: prints the id.
register_refs() {
    jq -n --arg type "$2" --rawfile schema "$3" --argjson refs "${4:-[]}" \
        '{schemaType: $type, schema: $schema, references: $refs}' |
        curl -sf -m 10 -H 'Content-Type: application/vnd.schemaregistry.v1+json' --data-binary @- \
            "$STAGECOACH_REGISTRY/subjects/$1/versions" | jq -e .id
}

space=${RUN//-/_}
fields='[{"name":"s","type":"string"},{"name":"n","type":"long"}]'
echo '{"type":"record","name":"Inner","namespace":"'"$space"'","fields":'"$fields"'}' >"$WORK/inner.avsc"
echo '{"type":"record","name":"Outer","fields":[{"name":"inner","type":"'"$space"'.Inner"}]}' >"$WORK/outer.avsc"
printf 'syntax = "proto3";\npackage in;\nmessage Inner { int64 n = 1; }\n' >"$WORK/inner.proto"
printf 'syntax = "proto3";\nimport "inner.proto";\nmessage Outer { in.Inner inner = 1; }\n' >"$WORK/outer.proto"
printf 'syntax = "proto3";\nmessage Coded { int64 n = 1; }\n' >"$WORK/coded.proto"
# A FileDescriptorSet of one short file is the tag, a byte of length, and the file's descriptor.
protoc -I"$WORK" -o "$WORK/coded.desc" coded.proto
tail -c +3 "$WORK/coded.desc" | base64 -w0 >"$WORK/coded.base64"

REAL_RUN=$RUN
REAL_AVRO_ID=$(register_refs "$RUN.inner" AVRO "$WORK/inner.avsc")
REAL_AVRO_REF_ID=$(register_refs "$RUN.outer" AVRO "$WORK/outer.avsc" \
    '[{"name":"'"$space"'.Inner","subject":"'"$RUN"'.inner","version":1}]')
register_refs "$RUN.inner-proto" PROTOBUF "$WORK/inner.proto" >/dev/null
REAL_PROTO_ID=$(register_refs "$RUN.outer-proto" PROTOBUF "$WORK/outer.proto" \
    '[{"name":"inner.proto","subject":"'"$RUN"'.inner-proto","version":1}]')
REAL_BASE64_ID=$(register_refs "$RUN.coded" PROTOBUF "$WORK/coded.base64")
export REAL_RUN REAL_AVRO_ID REAL_AVRO_REF_ID REAL_PROTO_ID REAL_BASE64_ID
"$BUILD_DIR/tests/unit_registry" --color=never --filter 'real/*'
