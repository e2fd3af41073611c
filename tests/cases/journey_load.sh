#!/usr/bin/env bash
# What `stagecoach check` says of right and wrong files: journey_load/NAME.yaml and NAME.err, with the
# exit status as last line. `--update` writes the .err files: read the difference before committing.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
cd "$root/tests/cases/journey_load"
said=$work/said
for file in *.yaml; do
    name=${file%.yaml}
    [ "$name" != taxonomy ] || continue
    rc=0
    "$stagecoach" check "$file" >"$said" 2>&1 || rc=$?
    echo "exit $rc" >>"$said"
    [ "${1-}" != --update ] || cp "$said" "$name.err"
    holds "$name" diff -u --label "$name.err" --label "check $file" "$name.err" "$said"
done
