#!/usr/bin/env bash
# What `stagecoach check` says of right and wrong files: journey_load/NAME.yaml and NAME.err, with the
# exit status as last line. `--update` writes the .err files: read the difference before committing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
stagecoach=$(realpath "${STAGECOACH:-$root/build/dev/stagecoach}")
cd "$root/tests/cases/journey_load"
passed=0 failed=0
said=$(mktemp)
trap 'rm -f "$said"' EXIT
for file in *.yaml; do
    name=${file%.yaml}
    [ "$name" != taxonomy ] || continue
    rc=0
    "$stagecoach" check "$file" >"$said" 2>&1 || rc=$?
    echo "exit $rc" >>"$said"
    [ "${1-}" != --update ] || cp "$said" "$name.err"
    if diff -u --label "$name.err" --label "check $file" "$name.err" "$said"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
