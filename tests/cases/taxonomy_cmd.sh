#!/usr/bin/env bash
# `stagecoach taxonomy`: the dictionary as a page (tests/cases/taxonomy_cmd/*.md, *.html: `--update` writes
# them anew), and what changes of it break, one variant of taxonomy.yaml a line.
source "$(dirname "${BASH_SOURCE[0]}")/../lib/case.sh"
cd "$root/tests/cases/taxonomy_cmd"
update=${1-}

# page EXPECTED WORD…: `taxonomy docs WORD…` is that file.
page() {
    local file=$1
    shift
    "$stagecoach" taxonomy docs "$@" >"$work/page" || true
    [ "$update" != --update ] || cp "$work/page" "$file"
    if diff -u "$file" "$work/page"; then ok; else not_ok "docs $*"; fi
}

page taxonomy.md taxonomy.yaml
page journeys.md journey.yaml other.yaml
page journey.html journey.yaml -o html

# says STATUS TEXT WORD…: `taxonomy WORD…` ends with STATUS and says TEXT.
says() {
    local status=$1 text=$2 rc=0 said
    shift 2
    said=$("$stagecoach" taxonomy "$@" 2>&1) || rc=$?
    if [ $rc = "$status" ] && [[ $said == *"$text"* ]]; then ok; else
        not_ok "taxonomy $*: exit $rc, expected $status and: $text"
        echo "$said"
    fi
}

# change STATUS LINE SED: taxonomy.yaml, changed so, gives that line and status. A status of 1 is 0
# once the major version is raised, and what breaks is said all the same.
change() {
    sed "$3" taxonomy.yaml >"$work/new.yaml"
    cmp -s taxonomy.yaml "$work/new.yaml" && not_ok "$3 changes nothing"
    says "$1" "$2" diff taxonomy.yaml "$work/new.yaml"
    sed -i 's/^version: .*/version: 2.0.0/' "$work/new.yaml"
    says 0 "$2" diff taxonomy.yaml "$work/new.yaml"
}

says 0 "1.4.0 to 1.4.0: 0 breaking, 0 allowed" diff taxonomy.yaml taxonomy.yaml

change 1 "breaking  tea_brewed.minutes: removed" '/minutes:/d'
change 1 "breaking  tea_brewed.price: type int, was decimal" 's/type: decimal, scale: 2/type: int/; s/max: 99.5/max: 99/; s/price: 2.5/price: 2/'
change 1 "breaking  tea_brewed.price: scale 1, was 2" 's/scale: 2/scale: 1/'
change 0 "allowed   tea_brewed.price: scale 3, was 2" 's/scale: 2/scale: 3/'
change 1 "breaking  tea_brewed.price: unit 'USD', was 'EUR'" 's/EUR/USD/'
change 1 "breaking  tea_brewed.price: min tightened" 's/min: 0/min: 1/'
change 0 "allowed   tea_brewed.price: min loosened" 's/min: 0, //'
change 1 "breaking  tea_brewed.price: max tightened" 's/99.5/50/'
change 0 "allowed   tea_brewed.price: max loosened" 's/99.5/100/'
change 1 "breaking  tea_brewed.minutes: required now" 's/max: 10,/max: 10, required: true,/'
change 0 "allowed   tea_brewed.price: optional now" 's/unit: EUR, required: true/unit: EUR/'
change 1 "breaking  tea_brewed.leaf: value 'black' removed" 's/\[green, black\]/[green]/'
change 0 "allowed   tea_brewed.leaf: value 'red' added" 's/\[green, black\]/[green, black, red]/'
change 0 "allowed   tea_brewed.guest: no longer personal" 's/, pii: true//'
change 0 "allowed   tea_brewed.sugar: added" 's/extras:  {/sugar: { type: int }\n      extras:  {/'
change 1 "breaking  tea_brewed.sugar: added, required" 's/extras:  {/sugar: { type: int, required: true }\n      extras:  {/'
change 1 "breaking  tea_brewed: role 'none', was 'purchase'" '/role: purchase/d'
change 1 "breaking  tea_brewed: value '', was 'price'" '/value: price/d'
change 0 "allowed   tea_brewed: owner 'cellar', was 'kitchen'" 's/kitchen/cellar/'
change 0 "allowed   tea_brewed: channel 'pot', was 'kettle'" 's/kettle/pot/'
change 0 "allowed   tea_brewed: stage 'noon', was 'morning'" 's/morning/noon/'
change 1 "breaking  tea_brewed: the name 'tea_made' is no longer accepted" '/aliases:/d'
change 0 "allowed   tea_drawn: renamed, was 'tea_brewed', which is still accepted" 's/tea_brewed:/tea_drawn:/; s/aliases: \[/aliases: [ { name: tea_brewed },/'
change 1 "breaking  tea_brewed: removed" 's/tea_brewed:/tea_drawn:/'
change 0 "allowed   tea_spilt: added" 's/^cases:/  tea_spilt: {}\ncases:/'
change 1 "breaking  identifier device_id: removed" '/device_id:/d'
change 1 "breaking  identifier email: unique now" 's/priority: 2,/priority: 2, unique: true,/'
change 1 "breaking  identifier account_id: no longer unique" 's/, unique: true//'
change 1 "breaking  identifier email: normalised otherwise" 's/normalize: email/normalize: trim/'
change 1 "breaking  identifier email: 3. in strength, was 2." 's/^events:/  card: { priority: 1 }\nevents:/'
change 0 "allowed   identifier card: added" 's/^events:/  card: { priority: 99 }\nevents:/'
change 0 "allowed   identifier device_id: another limit" 's/limit: 20/limit: 10/'
change 1 "breaking  case pot: removed" '/^cases:/d; /^  pot:/d'
change 1 "breaking  case pot: opened, closed or told apart otherwise" 's/closes: \[pot_closed\]/closes: [pot_closed, pot_opened]/; s/opens: \[pot_opened\]/opens: [pot_closed]/'
change 0 "allowed   case lid: added" 's/^cases:/cases:\n  lid: { opens: [pot_opened], closes: [pot_closed], key: pot }/'

sed '/minutes:/d' taxonomy.yaml >"$work/new.yaml"
says 1 "breaking changes need version 2.0.0" diff taxonomy.yaml "$work/new.yaml"

says 66 "nowhere.yaml: No such file or directory" docs nowhere.yaml
echo 'taxonomy: tea' >"$work/wrong.yaml"
says 78 "error: " docs "$work/wrong.yaml"
says 78 "error: " diff taxonomy.yaml "$work/wrong.yaml"
cp taxonomy.yaml "$work/again.yaml"
says 78 "is about another taxonomy than" docs taxonomy.yaml "$work/again.yaml"
says 64 "expected md or html, found 'pdf'" docs taxonomy.yaml -o pdf
says 64 "usage: stagecoach taxonomy diff OLD NEW" diff taxonomy.yaml
says 64 "usage: stagecoach taxonomy docs" paint
says 0 "usage: stagecoach taxonomy docs" --help
