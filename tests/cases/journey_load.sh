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

# As many facts as anyone may write are read in about their number, not its square: this took minutes.
# What is past the limit is one finding, at the first.
rc=0
cp taxonomy.yaml "$work"
awk 'BEGIN { print "journey: many\nfacts:"
             for (i = 1; i <= 66000; i++) printf "  f%d: count(\"order_completed\", \"%dm\")\n  g%d: f%d + 1\n", i, i, i, i }' \
    >"$work/many.yaml"
timeout 30 "$stagecoach" check "$work/many.yaml" >"$said" || rc=$?
holds "66,000 facts are refused in time: exit $rc" grep -q "^$work/many.yaml:32771:11: error: \
the rules of a journey name at most 16384 facts: this one and 49615 more are too many" "$said"
holds "in one finding" grep -q "^2 files: 1 error, 0 warnings" "$said"
