#!/usr/bin/env bash
# For the scripts in tests/cases: begins and ends them. Sourced first:
#
#     source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
#     holds "a stage has a name" grep -q customer "$work/said"
#
# $root is the checkout, $stagecoach the binary under test, $work a folder that goes away. The script may end
# anywhere: its last line counts, its status is 0 only if nothing failed and nothing broke off.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034 # the scripts' own
stagecoach=$(realpath "${STAGECOACH:-$root/build/dev/stagecoach}")
unset STAGECOACH_IDENTITY_KEY_FILE
passed=0 failed=0 skipped=0
work=$(mktemp -d)

cleanup() { :; } # a script's own, in its place

leave() {
    local rc=$?
    cleanup
    rm -rf "$work"
    [ $rc -ne 77 ] || exit 77
    echo "$passed passed, $failed failed, $skipped skipped"
    [ $rc -eq 0 ] && [ $failed -eq 0 ]
    exit
}
trap leave EXIT

# needs COMMAND: else the script is skipped.
needs() { command -v "$1" >/dev/null || { echo "$1 is missing"; exit 77; }; }
ok() { passed=$((passed + 1)); }
not_ok() {
    failed=$((failed + 1))
    echo "not ok: $1"
}
# holds WHAT COMMAND…: the command is true.
holds() {
    local what=$1
    shift
    if "$@"; then ok; else not_ok "$what"; fi
}
