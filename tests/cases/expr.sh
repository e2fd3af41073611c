#!/usr/bin/env bash
# `stagecoach expr`: an expression and its variables on the command line.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"

# says STATUS TEXT WORD…: `expr WORD…` ends with STATUS and says TEXT, all of it when the status is 0.
says() {
    local status=$1 text=$2 rc=0 out
    shift 2
    out=$("$stagecoach" expr "$@" 2>&1) || rc=$?
    [ $rc -eq 0 ] || out=${out/*"$text"*/"$text"}
    holds "expr $*: exit $rc, and: $out" [ "$rc:$out" = "$status:$text" ]
}
nested() { printf '{"x":%s1%s}' "$(printf '[%.0s' $(seq "$1"))" "$(printf ']%.0s' $(seq "$1"))"; }

says 0 3 '1 + 2'
says 0 true 'name.startsWith("A") && lines[1] == 2' --json '{"name":"Ada","lines":[1,2]}'
says 1 "nothing is named 'nobody' here" nobody
says 1 "no function 'count'; there is one of this name, but not here" 'count("x")'
says 1 "no function 'cunt'; did you mean 'count'?" 'cunt("x")'
# Variables are read as a record's values are: exact where a number can be.
says 0 0.3 'a + b' --json '{"a":0.1,"b":0.2}'
says 0 0.1 a --json '{"a":0.10}'
says 0 true 'a == 9.38 && a <= 9.38 && a >= 9.38 && a in [9.38] && a < 9.381' --json '{"a":9.38}'
says 0 true 'a.b[0] == 0.1 && a.b[0] != 0.1000001 && dyn(a) == {"b": [0.1]}' --json '{"a":{"b":[0.1]}}'
says 0 9223372036854775807 a --json '{"a":9223372036854775807}'
says 0 1000 'a' --json '{"a":1e3}'
says 0 null 'a.b' --json '{"a":{"b":null}}'
# What JSON has no number for, as CEL puts it; null would be another value.
says 0 '"Infinity"' '1.0 / 0.0'
says 0 '["-Infinity","NaN",{"a":"Infinity"},null]' '[-1.0 / 0.0, 0.0 / 0.0, {"a": 1.0 / 0.0}, null]'
says 64 "expected an object" 1 --json '[1]'
says 64 "expected an object" 1 --json null
says 64 "twice" 1 --json '{"a":{"b":1,"b":2}}'
says 64 "at byte 5" 1 --json '{"a":'
says 64 "nested too deep" 1 --json "$(nested 64)"
says 1 "error:" x --json "$(nested 40)"
says 0 true 'x == x' --json "$(nested 60)"
