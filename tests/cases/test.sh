#!/usr/bin/env bash
# `stagecoach test` and `explain` as transcripts: in tests/cases/{test,explain}/*.txt each line `$ COMMAND` is run in
# that folder, and what it prints, errors included and `exit STATUS` unless 0, must stand below it.
# `--update` writes the transcripts anew: read the difference before committing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
stagecoach=$(realpath "${STAGECOACH:-$root/build/dev/stagecoach}")
cd "$root/tests/cases"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
ln -s "$stagecoach" "$work/bin/stagecoach"
export PATH=$work/bin:$PATH TMP=$work
unset STAGECOACH_IDENTITY_KEY_FILE
passed=0 failed=0

# replayed FILE: the transcript as it runs now.
replayed() {
    local line rc
    while IFS= read -r line; do
        case $line in
        '$ '*) ;;
        '#'*) echo "$line"; continue ;;
        *) continue ;; # an output: written anew
        esac
        printf '%s\n' "$line"
        rc=0
        (cd "$(dirname "$1")" && bash -c "${line#'$ '}" 2>&1 </dev/null) || rc=$?
        [ $rc = 0 ] || echo "exit $rc"
    done <"$1"
}

for file in {test,explain}/*.txt; do
    [ -e "$file" ] || continue
    replayed "$file" >"$work/now"
    [ "${1-}" != --update ] || cp "$work/now" "$file"
    if diff -u --label "$file" --label "$file as it runs" "$file" "$work/now"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
