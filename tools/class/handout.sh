#!/bin/sh
# handout.sh - what students get: this tree without solutions and history, in $OUT.
#
#   handout.sh handout      makes it; of LESSONS='1-6,9' only these, with HINTS=1 only the first hint of each exercise.
#                           Where $OUT is there already it is brought up to date, and what a student has written stays:
#                           exercises/*/exercise.c is written only where there is none
#   handout.sh release N    puts the solution of exercise N there, and nothing else
#
# Nothing is written but into a new folder, an empty one, or one that has the file .handout, as each that was made here.
# A student who has an older one gets the new one the same way, from within it: make handout OUT=the older one
set -u
cd "$(dirname "$0")/../.." || exit 1
say() { printf '%s\n' "$*" >&2; }
[ -n "${OUT:-}" ] || { say "OUT is missing: where is it to be? make ${1:-handout} OUT=../students"; exit 2; }
[ -f "$OUT/.handout" ] || { [ "${1:-}" = handout ] && [ -z "$(ls -A "$OUT" 2>/dev/null)" ]; } ||
    { say "OUT=$OUT was not made by make handout (it has no file .handout), so nothing is written there."; exit 2; }
case $(cd "$(dirname "$OUT")" && pwd -P)/$(basename "$OUT")/ in
"$(pwd -P)"/*) say "OUT=$OUT lies in this tree. Please name a place outside of it."; exit 2 ;;
esac

# The files of this tree that students may have.
files() {
    if [ -e .git ]; then git ls-files; else find . -type f | sed 's|^\./||'; fi |
        grep -Ev '^(solutions/|\.git/|build[^/]*/|\.evlings|compile_commands|exercises/.*/exercise\.c)'
}

# numbers: what "1-6,9" stands for, with two digits, one a line; and the lesson that explains the commands.
numbers() {
    echo 00
    echo "$LESSONS" | tr ', ' '\n\n' | awk -F - 'NF { for (i = $1; i <= $NF; i++) printf "%02d\n", i }'
}

# wanted PATTERN: of the lines that name a lesson or an exercise as that says, only those of one that is wanted.
wanted() {
    if [ -z "${LESSONS:-}" ]; then cat; else
        numbers | awk -v pattern="$1" '
            NR == FNR { wanted[$1]; next }
            match($0, pattern) { number = substr($0, RSTART, RLENGTH); sub(/.*\//, "", number); if (!((number + 0 < 10 ? "0" : "") (number + 0) in wanted)) next }
            { print }' - /dev/fd/3
    fi 3<&0
}

case ${1:-} in
handout)
    case ${HINTS:-0} in
    [0-3]) ;;
    *) say "HINTS is how many hints they get, 0 to 3."; exit 2 ;;
    esac
    for number in $([ -z "${LESSONS:-}" ] || numbers); do
        ls -d lessons/"$number"-*/ >/dev/null 2>&1 || { say "LESSONS=$LESSONS: there is no lesson $number."; exit 2; }
    done
    mkdir -p "$OUT" && echo 'Made by make handout, which may write here again.' > "$OUT/.handout" || exit 1
    list=$(mktemp) || exit 1
    trap 'rm -f "$list"' EXIT
    files | wanted '^(lessons|exercises)/[0-9][0-9]' > "$list"
    tar cf - -T "$list" | tar xf - -C "$OUT" --unlink-first || { say "$OUT could not be written."; exit 1; }
    for stub in "$OUT"/exercises/*/grader/stub.c; do
        exercise=${stub%/grader/stub.c}/exercise.c
        [ -e "$exercise" ] || cp "$stub" "$exercise" || exit 1
    done
    for hints in "$OUT"/exercises/*/hints.md; do
        [ -z "${HINTS:-}" ] || { awk -v most="$HINTS" '/^## / { n++ } n <= most' "$hints" > "$list" && cat "$list" > "$hints"; }
    done
    wanted '\\(lessons/[0-9][0-9]' < README.md > "$OUT/README.md"
    say "$OUT is what students get. Pack it as it is, or make it a repository of its own." ;;
release)
    for solution in solutions/"$(printf %02d "${2#0}")"-*/exercise.c; do
        [ -f "$solution" ] || { say "There is no solution ${2:-} here."; exit 1; }
        mkdir -p "$OUT/$(dirname "$solution")" && cp "$solution" "$OUT/$solution" && say "$OUT/$solution"
    done ;;
*) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
