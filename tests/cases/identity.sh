#!/usr/bin/env bash
# `stagecoach identity node` against OpenSSL: whose key it takes, in which order.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
mkdir "$work/etc"
cp "$root/docs/examples/"{journey,taxonomy}.yaml "$work/etc"
printf 'the key of the settings.........' >"$work/etc/key"
printf 'another key, from elsewhere.....' >"$work/other"
cat >"$work/etc/stagecoach.yaml" <<'EOF'
journey: journey.yaml
kafka: { brokers: "127.0.0.1:1" }
redis: { address: "127.0.0.1:2" }
identity: { key_file: key, key_version: 3 }
EOF

# node NAME FIRST_BYTE KEY WORD…: `identity node email=… WORD…` is that byte (0xf less the
# version, rank) and HMAC-SHA-256 with that key.
node() {
    local name=$1 want=$2 key=$3 seen
    shift 3
    want+=$(printf 'email\0ada@example.org' | openssl dgst -sha256 -hmac "$key" -r | cut -c 1-30)
    seen=$(cd "$work" && "$stagecoach" identity node email=Ada@example.org "$@" 2>&1) || true
    holds "$name: expected $want, got $seen" [ "$seen" = "$want" ]
}

settings="$(<"$work/etc/key")" other="$(<"$work/other")"
node "settings name key and version" c2 "$settings" -c etc/stagecoach.yaml
node "the command line goes before them" a2 "$other" -c etc/stagecoach.yaml --key-file other --key-version 5
node "a taxonomy has no key" f2 "stagecoach development key: not a secret" -c etc/taxonomy.yaml
STAGECOACH_IDENTITY_KEY_FILE=other node "else the environment" f2 "$other" -c etc/journey.yaml
