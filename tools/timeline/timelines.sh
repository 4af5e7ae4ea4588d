#!/bin/sh
# timelines.sh - the pictures in the chapters: lessons/NN-name/PROGRAM.svg, drawn by tools/timeline.
#
#   timelines.sh write [BUILD]     draws them anew
#   timelines.sh check [BUILD]     is what stands there what would be drawn now?
#
# A chapter says itself what it shows: a line ![...](PROGRAM.svg) in its README.md is all it takes (a
# picture without a PROGRAM.c beside it was drawn by hand), or
# ![...](PROGRAM.svg "From 1.5 to 3.5 seconds") for a part of it. Only what is the same in every run
# can be shown, or with one thing changed, the ports of servers. `check` also holds the drawing for terminals to
# tools/timeline/timeline.txt; it prints one line for each that differs, then "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/../.." || exit 1
command=${1:-}
build=${2:-${BUILD:-build}}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0 skipped=0

# "lessons/NN-name/PROGRAM[:FROM-UNTIL]" for each picture in a chapter.
shown() {
    for chapter in lessons/*/README.md; do
        sed -n -e '/^!\[.*\.svg/!d' -e 's|.*](|'"${chapter%/*}"'/|' -e 's|\.svg)$||p' \
            -e 's|\.svg "From \([0-9.]*\) to \([0-9.]*\) seconds")$|:\1-\2|p' "$chapter"
    done | while read -r picture; do
        [ ! -f "${picture%:*}.c" ] || echo "$picture"
    done
}

# draw PROGRAM[:FROM-UNTIL]
draw() {
    set -- "$build/${1%:*}" ${1#"${1%:*}"}
    "$build/timeline" --svg ${2:+--part "${2#:}"} "$1" > "$scratch/drawn.svg" &&
        sed 's/127\.0\.0\.1:[0-9]\{5\}/127.0.0.1:50000/' "$scratch/drawn.svg" > "$scratch/new.svg"
}

fail() {
    failed=$((failed + 1))
    echo "$1"
}

check() {
    if cmp -s "$scratch/new.svg" "$1.svg"; then
        passed=$((passed + 1))
    else
        fail "$1.svg is not what the program does now: make timelines"
    fi
}

# breakfast for terminals: as wide as most, and in what is left of ASCII when it is narrow.
draw_text() {
    COLUMNS=80 LC_ALL=C.UTF-8 "$build/timeline" "$build/lessons/04-await/breakfast"
    COLUMNS=44 LC_ALL=C "$build/timeline" "$build/lessons/04-await/breakfast"
}

golden() {
    draw_text > "$scratch/text"
    if [ "$command" = write ]; then
        cmp -s "$scratch/text" tools/timeline/timeline.txt || cp "$scratch/text" tools/timeline/timeline.txt
    elif ! locale -a 2>/dev/null | grep -qi '^C\.utf-*8$'; then
        skipped=$((skipped + 1))
        echo 'skipped: tools/timeline/timeline.txt: there is no locale C.UTF-8'
    elif diff tools/timeline/timeline.txt "$scratch/text"; then
        passed=$((passed + 1))
    else
        fail 'tools/timeline/timeline.txt is not what is drawn now: make timelines'
    fi
}

golden
for picture in $(shown); do
    program=${picture%:*}
    if [ ! -x "$build/$program" ]; then
        skipped=$((skipped + 1))
        echo "skipped: $program.svg: the program is not built"
    elif ! draw "$picture"; then
        fail "$program: no timeline can be drawn"
    elif [ "$command" = write ]; then
        cmp -s "$scratch/new.svg" "$program.svg" || { cp "$scratch/new.svg" "$program.svg" &&
            echo "  drew $program.svg"; }
    else
        check "$program"
    fi
done

[ "$command" = write ] || echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
