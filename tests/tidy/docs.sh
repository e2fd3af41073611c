#!/usr/bin/env bash
# What the pages say is what happens: each ```console block is run in a copy of docs/examples (`$ ` a
# command, below it what it prints, errors included), each link to a file leads to one, and each test
# that is named (`suite.name`, `prop.name`) exists.
# `tests/tidy/docs.sh --update` writes the outputs anew: read the difference before committing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
stagecoach=$(realpath "${STAGECOACH:-build/dev/stagecoach}")
command -v jq >/dev/null || { echo "jq is missing"; exit 77; }
[ -x "$stagecoach" ] || { echo "$stagecoach is not built"; exit 1; } # --update would write that on every page
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp docs/examples/* "$work"
mkdir "$work/bin" && ln -s "$stagecoach" "$work/bin/stagecoach"
passed=0 failed=0
unset STAGECOACH_IDENTITY_KEY_FILE

# rewritten PAGE: the page with every console block as it runs now.
rewritten() {
    local line inside=0
    while IFS= read -r line; do
        case $inside$line in
        0'```console') inside=1 ;;
        1'```') inside=0 ;;
        1'$ '*)
            printf '%s\n' "$line"
            (cd "$work" && PATH=$work/bin:$PATH bash -c "${line#'$ '}" 2>&1 </dev/null) || true
            continue
            ;;
        1*) continue ;; # an output: written anew
        esac
        printf '%s\n' "$line"
    done <"$1"
}

# named_tests PAGE: does every `suite.name` stand in a test?
named_tests() {
    local suite name missing=0
    # shellcheck disable=SC2016 # Markdown's backquotes
    while IFS=. read -r suite name; do
        case $suite in
        prop) [ -e "tests/prop/$name.c" ] && continue ;;
        *) grep -rqE "^Test\($suite, ${name}[,)]" tests/unit && continue ;;
        esac
        echo "$1: no test $suite.$name"
        missing=1
    done < <(grep -oE '`[a-z_0-9]+\.[a-z_0-9]+`' "$1" | tr -d '`' | grep -vE '\.(c|h|md|err|sh)$' | sort -u)
    return $missing
}

for page in *.md docs/*.md docs/adr/*.md; do
    rewritten "$page" >"$work/page"
    [ "${1-}" != --update ] || cmp -s "$work/page" "$page" || cp "$work/page" "$page"
    bad=0
    diff -u --label "$page" --label "$page as it runs" "$page" "$work/page" || bad=1
    while IFS= read -r link; do
        [ -e "$(dirname "$page")/$link" ] || { echo "$page: no file $link"; bad=1; }
    done < <({ grep -oE '\]\([^)#: ]+[)#]' "$page" || true; } | sed 's/^](//; s/[)#]$//')
    [ "$page" != docs/semantics-tests.md ] || named_tests "$page" || bad=1
    if [ $bad = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
