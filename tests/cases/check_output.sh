#!/usr/bin/env bash
# The forms and exit codes of `stagecoach check`.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
cd "$root/tests/cases/journey_load"

# says STATUS TEXT WORD…: `check WORD…` ends with STATUS and says TEXT.
says() {
    local status=$1 text=$2 rc=0 out
    shift 2
    out=$("$stagecoach" check "$@" 2>&1) || rc=$?
    if [ $rc = "$status" ] && [[ $out == *"$text"* ]]; then
        ok
    else
        not_ok "check $*: exit $rc, expected $status and: $text"
        echo "$out"
    fi
}

says 0 "2 files: 0 errors, 1 warning" whole.yaml
says 0 "2 files: 0 errors, 1 warning" whole.yaml taxonomy.yaml ../journey_load/whole.yaml
says 1 "2 files: 0 errors, 1 warning" --strict whole.yaml
says 0 "1 file: 0 errors, 0 warnings" --strict taxonomy.yaml
says 1 "no function 'cont'" facts.yaml
says 1 '{"severity":"warning","code":"undeclared-channel","file":"whole.yaml","line":42' \
    --strict -o json whole.yaml
says 0 '"version":"2.1.0"' -o sarif whole.yaml
says 0 '"ruleId":"undeclared-channel"' --output=sarif whole.yaml
says 0 '::warning file=whole.yaml,line=42' -o github whole.yaml
says 0 "stage      consideration" --verbose whole.yaml
says 0 "exact to 64 events, then its edge is off by 2h37m30s at most" -v whole.yaml
says 0 'count("ticket_opened", "7d") exact                           exact to 4096 events' -v whole.yaml
says 1 "the event has no such property; did you mean 'value'?" ../../../docs/examples/polite.yaml ../../../docs/examples/fault-tests.yaml
says 64 "files of cases need one journey beside them" ../../../docs/examples/polite-tests.yaml
says 66 "cannot read nowhere.yaml: No such file or directory" whole.yaml nowhere.yaml
says 66 '[]' -o json nowhere.yaml
says 66 '"results":[]' -o sarif nowhere.yaml
says 64 "expected text, json, sarif or github, found 'xml'" -o xml whole.yaml
says 64 "usage: stagecoach check FILE" --strict
says 64 "unknown option '--strickt'" --strickt whole.yaml
says 0 "usage: stagecoach check FILE" --help
