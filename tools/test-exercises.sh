#!/bin/sh
# test-exercises.sh - are the graders to be trusted? For every exercise:
#   the stub compiles without a warning and fails, in every part;
#   the solution passes, and so does every answer in right/;
#   every answer in wrong/ fails, with the words that its first line names: /* expect: words */
#
#   test-exercises.sh [NAME...]     exercises that have NAME in their folder's name; without: all
#
# BUILD, CC, CFLAGS and EXTRA are as for make. BUILD/libasync.a has to be there.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build} CC=${CC:-cc} CFLAGS=${CFLAGS:--O2} EXTRA=${EXTRA:-}
flags="-std=gnu11 -Wall -Wextra -Werror=return-type -gdwarf-4 $CFLAGS $EXTRA -Iruntime -Iruntime/extra -Itools"
check="$(pkg-config --libs check 2>/dev/null || echo -lcheck)"
work=$BUILD/test-exercises

trap 'exit 130' INT
[ -f "$BUILD/libasync.a" ] || { echo "$BUILD/libasync.a is missing: make $BUILD/libasync.a" >&2; exit 1; }
mkdir -p "$work" || exit 1

ok() { printf 'ok    %s\n' "$1"; }
not_ok()
{
    echo "FAIL  $1"
    sed 's/^/      /' "$2"
}

# Compiles our own part of an exercise: its grader, its stage. $flags are words.
prepare()
{
    $CC $flags "-I$1" -c "$1/stage.c" -o "$2/stage.o" &&
        $CC $flags "$1/grader.c" "$work"/grader*.o $check $EXTRA -lm -pthread -o "$2/grader"
}

# Grades source $3 of the exercise $1 in $2; what the compiler and the grader say is in $2/said.
grade()
{
    $CC $flags "-I$1" -Dmain=student_main -c "$3" -o "$2/student.o" >"$2/said" 2>&1 &&
        $CC $flags "$work/stage.o" "$2/stage.o" "$2/student.o" $bridges "$BUILD/libasync.a" \
            $EXTRA -lev -lm -pthread -o "$2/stage" >>"$2/said" 2>&1 || return 9
    "$2/grader" "$2/stage" >>"$2/said" 2>&1
}

must_pass()
{
    grade "$1" "$2" "$3"
    if [ $? -eq 0 ] && ! grep -q 'warning:' "$2/said"; then ok "$3"; else not_ok "$3" "$2/said"; fi
}

# No part of a stub may pass.
must_be_stub()
{
    grade "$1" "$2" "$3"
    if [ $? -eq 1 ] && grep -q '^Score: 0/' "$2/said" && ! grep -q 'warning:' "$2/said"; then
        ok "$3 (fails, as it must)"
    else
        not_ok "$3" "$2/said"
    fi
}

# The grader wraps long lines, so the words are looked for in one long line.
must_fail()
{
    words=$(sed -n '1s|^/\* expect: \(.*\) \*/$|\1|p' "$3")
    grade "$1" "$2" "$3"
    if [ $? -eq 1 ] && [ -n "$words" ] && tr -s ' \n' ' ' <"$2/said" | grep -qF -- "$words"; then
        ok "$3 (\"$words\")"
    else
        echo "(expected these words: $words)" >>"$2/said"
        not_ok "$3" "$2/said"
    fi
}

for source in tools/grader*.c tools/stage.c; do
    $CC $flags -c "$source" -o "$work/$(basename "$source" .c).o" || exit 1
done

# Everything of one exercise.
check_exercise()
{
    exercise=$1 name=$(basename "$1")
    lacking=$(sh tools/extra.sh lacking "$exercise")
    [ -z "$lacking" ] || { echo "skipped: $exercise: no library for $lacking (make deps)"; return; }
    bridges=$(sh tools/extra.sh link "$exercise")
    into=$work/$name
    mkdir -p "$into"
    prepare "$exercise" "$into" 2>"$into/said" || { not_ok "$exercise" "$into/said"; return; }
    must_be_stub "$exercise" "$into" "$exercise/exercise.c"
    must_pass "$exercise" "$into" "solutions/$name/exercise.c"
    for source in "$exercise"/right/*.c; do must_pass "$exercise" "$into" "$source"; done
    for source in "$exercise"/wrong/*.c; do must_fail "$exercise" "$into" "$source"; done
}

# Do they have NAME in their folder's name? Without NAMEs all do.
chosen=
for exercise in exercises/*/; do
    exercise=${exercise%/} name=$(basename "$exercise")
    wanted=${1-$name}
    for word; do case $name in *"$word"*) wanted=$name ;; esac; done
    [ "$wanted" != "$name" ] || [ ! -f "$exercise/grader.c" ] || chosen="$chosen $exercise"
done

# As many at a time as there are processors; each of these workers takes the next that is free.
rm -rf "$work"/*.log "$work"/*.taken
for _ in $(seq "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)"); do
    for exercise in $chosen; do
        name=$(basename "$exercise")
        ! mkdir "$work/$name.taken" 2>/dev/null || check_exercise "$exercise" > "$work/$name.log"
    done &
done
wait
for exercise in $chosen; do cat "$work/$(basename "$exercise").log"; done
passed=$(cat "$work"/*.log /dev/null | grep -c '^ok ')
failed=$(cat "$work"/*.log /dev/null | grep -c '^FAIL ')
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
