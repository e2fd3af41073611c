#!/usr/bin/env bash
# `stagecoach test` and `explain` as transcripts: in tests/cases/{test,explain}/*.txt each line `$ COMMAND` is run in
# that folder, and what it prints, errors included and `exit STATUS` unless 0, must stand below it.
# `--update` writes the transcripts anew: read the difference before committing.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
cd "$root/tests/cases"
mkdir "$work/bin"
ln -s "$stagecoach" "$work/bin/stagecoach"
export PATH=$work/bin:$PATH TMP=$work

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
    holds "$file" diff -u --label "$file" --label "$file as it runs" "$file" "$work/now"
done
