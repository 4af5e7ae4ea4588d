#!/bin/sh
# surroundings.sh - a verdict is the same wherever and however a grading is called; and whatever ends
# it, nothing is left.
#
#   surroundings.sh      BUILD, CC and so on as for make
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
answer=solutions/04-await/exercise.c
[ -f "$answer" ] || { echo 'skipped: surroundings: there is no solution in this copy'; exit 0; }
unset MAKEFLAGS MFLAGS MAKELEVEL FROM PART LEVEL
export SEED=7

mkdir -p "$build" && place=$(mktemp -d "$PWD/$build/surroundings.XXXXXX") || exit 1
trap 'rm -rf "$place"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
passed=0 failed=0

ok() { passed=$((passed + 1)); }
not_ok()
{
    echo "FAIL  $1"
    sed 's/^/      /' "$place/said"
    failed=$((failed + 1))
}

# expect TITLE SCORE STATUS COMMAND...: what is the verdict, and what is left?
expect()
{
    title=$1 score=$2 status=$3
    shift 3
    "$@" > "$place/said" 2>&1 < /dev/null
    got=$?
    problem=
    [ "$got" -eq "$status" ] || problem=" (status $got, expected $status)"
    grep -qx "Score: $score" "$place/said" || problem=" (expected Score: $score)"
    nothing_left || problem=" (something is left)"
    if [ -z "$problem" ]; then ok; else not_ok "$title$problem"; fi
}

# Neither a folder nor a process: those of a grading run in its folder or name it.
nothing_left()
{
    for left in "$build"/grade.*; do [ ! -e "$left" ] || { echo "$left is left" >> "$place/said"; return 1; }; done
    ! find /proc/[0-9]*/cwd -maxdepth 0 -lname "${place%/*}/grade.*" 2>/dev/null | grep . >> "$place/said"
}

grade() { "${MAKE:-make}" -s grade-4 FROM="$1"; }
# shellcheck disable=SC3045  # wherever there is no such limit it fails, and the test with it
few_files() { (ulimit -n 64; grade "$1"); }

# What others set, and how little there is of everything.
mkdir "$place/right" "$place/stub"
cp "$answer" "$place/right/exercise.c"
cp exercises/04-await/grader/stub.c "$place/stub/exercise.c"
grade "$place/right" > "$place/said" 2>&1      # the first one in a new tree says what it makes
expect 'a right answer' 6/6 0 grade "$place/right"
cp "$place/said" "$place/first"
expect 'the stub' 0/6 1 grade "$place/stub"
expect 'a strange environment' 6/6 0 env ASYNC_DEBUG=1 ASYNC_SHUFFLE=3 ASYNC_TRACE=/nowhere/at/all ASYNC_CLOCK=real \
    CK_RUN_CASE=none CK_RUN_SUITE=none CK_INCLUDE_TAGS=none CK_FORK=no CK_DEFAULT_TIMEOUT=1 EVLINGS_SEED=1 \
    GRADER=/nowhere SCRATCH=/nowhere PICTURE=/nowhere LEVEL=x TZ=Asia/Tokyo "${MAKE:-make}" -s grade-4 FROM="$place/right"
cmp -s "$place/said" "$place/first" || not_ok 'the same seed, but other words'
expect 'few descriptors' 6/6 0 few_files "$place/right"
expect 'a seed that is none' 'not judged' 2 env SEED=x "${MAKE:-make}" -s grade-4 FROM="$place/right"

# Names are data.
# shellcheck disable=SC2016  # they are not expanded
cd "$place" || exit 1
newline='a
b'
for name in 'two words' "a'quote" '$HOME' '$(touch pwned)' '-x' 'Übung' "$newline"; do
    mkdir -- "./$name" && cp stub/exercise.c "./$name/"
done
cd "$OLDPWD" || exit 1
for folder in "$place"/*/; do
    folder=${folder%/}
    case $folder in */right | */stub) continue ;; esac
    expect "a folder named ${folder##*/}" 0/6 1 grade "$folder"
done
[ ! -e pwned ] && [ ! -e "$place/pwned" ] || { rm -f pwned; not_ok 'a name ran a command'; }
mkdir "$place/link" "$place/pipe"
ln -s ../right/exercise.c "$place/link/exercise.c"
mkfifo "$place/pipe/exercise.c"
expect 'a link' 6/6 0 grade "$place/link"
expect 'a pipe instead of a file' 'not judged' 2 grade "$place/pipe"
! grep -q 'make reset' "$place/said" || not_ok 'advice about another file than the pipe'
mkdir "$place/empty"
expect 'a folder without the file' 'not judged' 2 grade "$place/empty"
expect 'no folder' 'not judged' 2 grade "$place/nowhere"
printf '#define ROOM "/dev/zero"\n#include ROOM\n' > "$place/empty/exercise.c"
expect 'an include without an end' 0/6 1 grade "$place/empty"

# Ended from outside, after moments in which one compiles, runs, or is watched; timeout signals the whole
# group, as a terminal does.
for signal in INT TERM HUP; do
    for moment in 0.2 0.7 1.5; do
        timeout -s "$signal" "$moment" "${MAKE:-make}" -s grade-4 FROM="$place/right" > "$place/said" 2>&1 < /dev/null
        for _ in 1 2 3 4 5 6 7 8 9; do nothing_left && break; sleep 0.3; done      # make need not have waited for it
        if nothing_left; then ok; else not_ok "$signal after $moment s"; fi
    done
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
