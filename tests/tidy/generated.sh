#!/usr/bin/env bash
# Pages and schemas that are written from the tables in the code are committed as they come out.
# `tests/tidy/generated.sh --update` writes them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
stagecoach=${STAGECOACH:-build/dev/stagecoach}
passed=0 failed=0

# page FILE WORD…: FILE is what `stagecoach docs WORD…` writes.
page() {
    local file=$1
    shift
    if [ "$update" = 1 ]; then
        local text
        text=$("$stagecoach" docs "$@") # before the file is opened: a failure must not empty it
        mkdir -p "$(dirname "$file")"
        printf '%s\n' "$text" >"$file"
    fi
    if "$stagecoach" docs "$@" | diff -u --label "$file" --label "docs $*" "$file" -; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
}

update=0
[ "${1-}" != --update ] || update=1
page docs/configuration.md config
page docs/errors.md errors
page docs/expressions.md expressions
for name in taxonomy journey stagecoach; do
    page schemas/config/$name.schema.json schema $name
done
for kind in trigger suppressed transition identity customer analytics; do
    page schemas/outbound/$kind.avsc outbound $kind avro
    page schemas/outbound/$kind.proto outbound $kind protobuf
    page schemas/outbound/$kind.schema.json outbound $kind json
done
[ $failed = 0 ] || echo "written from the code: run tests/tidy/generated.sh --update and commit"
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
