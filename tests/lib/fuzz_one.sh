#!/usr/bin/env bash
# Run one libFuzzer target for FUZZ_SECONDS: `ok fuzz.NAME` or `not ok fuzz.NAME` with the finding.
# What it finds stays in build/fuzz/found; the committed corpus is read, never written.
set -euo pipefail
cd "$ROOT"
name=$1
work=build/fuzz/found/$name
mkdir -p "$work/corpus"
if build/fuzz/tests/fuzz_"$name" -max_total_time="$FUZZ_SECONDS" -rss_limit_mb=2048 -timeout=10 \
    -artifact_prefix="$work/" "$work/corpus" tests/fuzz/corpus/"$name" >"$work/log" 2>&1 </dev/null; then
    runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$work/log")
    echo "ok fuzz.$name ($runs runs)"
else
    echo "not ok fuzz.$name: see $work"
    tail -n 30 "$work/log" | sed 's/^/    /'
fi
