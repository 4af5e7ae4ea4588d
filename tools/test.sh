#!/bin/sh
# test.sh - runs the tests and counts.
#
#   test.sh          one compiler, no sanitizer; of the exercises the stubs and the solutions
#   test.sh runtime  less: only the tests of the runtime and the programs of the lessons
#   test.sh all      more: also the other compiler, sanitizers, valgrind, all known answers
#
# A test is a program that ends with "N passed, N failed[, N skipped]", or with the summary of
# libcheck; one that prints neither counts as one, by its exit status. Its output shows only when
# something failed in it, and what it skipped always does. The last line is the sum.
#
# Lanes run beside each other, the longest first, one more than there are processors, as many a test waits;
# each is a row of tests that follow one another:
#
#   test.sh lane VARIANT:PART...    a lane of ours: PART is one of the functions below
set -u

cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL FROM SEED LEVEL DB DATABASE_URL  # we call make afresh, from a clean desk
export ASYNC_CLOCK=virtual
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

if [ "${1:-}" != lane ]; then
    TEST_BASE=${BUILD:-build} TEST_FLAGS=${EXTRA:-}
    if ! { mkdir -p "$TEST_BASE" && TEST_LOGS=$(mktemp -d "$TEST_BASE/test.XXXXXX"); }; then
        echo "We cannot write into $TEST_BASE/."
        exit 1
    fi
    export TEST_BASE TEST_FLAGS TEST_LOGS
    trap 'rm -rf "$TEST_LOGS"' EXIT
fi
log=$TEST_LOGS/log.$$
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Reads a log; prints "passed failed skipped", or nothing if it has no summary.
summary() {
    awk '
        /^[0-9]+ passed, [0-9]+ failed/ { p = $1; f = $3; s = $5 + 0; found = 1 }
        /^[0-9]+%: Checks: / {
            gsub(/[^0-9 ]/, ""); p = $2 - $3 - $4; f = $3 + $4; s = 0; found = 1
        }
        END { if (found) print p, f, s }' "$log"
}

# count TITLE PASSED FAILED SKIPPED: what is said is written in one piece, as others write, too.
count() {
    echo "$2 $3 $4" >> "$TEST_LOGS/counts"
    if [ "$3" -gt 0 ]; then
        grep -v '^ok ' "$log" | sed 's/^/    /'
        printf 'FAIL  %s (%d passed, %d failed)\n' "$1" "$2" "$3"
    else
        grep -i '^skipped' "$log" | sed 's/^/    /'
        printf 'ok    %s (%d%s)\n' "$1" "$2" "${took:-}"
    fi > "$log.said"
    cat "$log.said"
}

# check TITLE COMMAND...: runs a test.
check() {
    title=$1 began=$(date +%s)
    shift
    "$@" > "$log" 2>&1 < /dev/null
    status=$? took=$(($(date +%s) - began))
    if [ "$took" -ge 5 ]; then took="; $took s"; else took=; fi
    [ "$status" -ne 130 ] || exit 130
    counts=$(summary)
    case $status:$counts in
    0: ) counts='1 0 0' ;;
    *: ) counts='0 1 0' ;;
    0:*) ;;
    *:*' 0 '*) counts='0 1 0'; echo "It counts no failure, but ended with status $status." >> "$log" ;;
    esac
    # shellcheck disable=SC2086  # three numbers
    count "$title" $counts
}

skip() {
    echo '0 0 1' >> "$TEST_LOGS/counts"
    printf 'skip  %s: %s\n' "$1" "$2"
}

have() { sh tools/deps.sh have "$1"; }

# --------------------------------------------------------------------------------- what we run

# What does not depend on a compiler.
style() {
    check 'includes go bottom to top' sh .ci/includes
    check 'READMEs name commands that exist' sh .ci/commands
    if have shellcheck; then
        check 'shell scripts' shellcheck -S warning tools/*.sh tools/*/*.sh .ci/*
    else
        skip 'shell scripts' 'shellcheck is not installed'
    fi
}

# lacking SOURCE: says so if a library is missing that this program needs, a solution as its exercise.
lacking() {
    room=exercises/${1#solutions/}
    lost=$(sh tools/extra.sh lacking "$1" "${room%/*}")
    [ -n "$lost" ] && skip "$label${1%.c}" "no library for $lost (make deps)"
}

# Builds into $BUILD everything that there is.
build() {
    : > "$log"
    EXTRA="$EXTRA $werror" "${MAKE:-make}" -s -j"$jobs" all > "$log" 2>&1 && return 0
    count "${label}build" 0 1 0
    exit 1
}

# Whatever is asked for first, nothing of what build has made is made again.
stays_made() {
    for goal in runtime/core/poll.c.o libasync.a lessons/01-event-loop/hello; do
        words=$(EXTRA="$EXTRA $werror" "${MAKE:-make}" -s "$BUILD/$goal" 2>&1) && [ -z "$words" ] && continue
        echo "make $BUILD/$goal, which is there:"
        echo "$words"
        return 1
    done
}

# until_ctrl_c COMMAND...: a solution may be a server; after a while it is told to end, and may.
until_ctrl_c() {
    timeout -k 20 -s INT 10 "$@"
    status=$?
    [ "$status" -eq 124 ] || return "$status"
}

# each SOURCE COMMAND...: the program that was made of it; the command is what watches it, or ends it.
each() {
    program=${1%.c}
    lacking "$1" && return
    shift
    # shellcheck disable=SC2086  # words
    check "$label$program" "$@" $under "$BUILD/$program"
}

units() { for source in runtime/tests/test_*.c; do each "$source" timeout -k 5 900; done; }
programs() { for source in lessons/*/*.c; do each "$source"; done; }        # lessons compares what they print, too

solutions() {
    for source in solutions/*/*.c; do
        [ ! -f "$source" ] || each "$source" until_ctrl_c                   # there is none in a copy without solutions
    done
}

scripts() {
    check "${label}what is made stays made" stays_made
    check "${label}objects stand on floors" sh .ci/floors "$BUILD"
    for script in runtime/tests/*.sh; do
        [ ! -f "$script" ] || check "$label${script%.sh}" sh "$script"
    done
}

lessons() {
    check "${label}lessons" sh tools/check-lessons.sh "$BUILD"
    check "${label}timelines" sh tools/timeline/timelines.sh check "$BUILD"
}

answers() { check "${label}answers" "${MAKE:-make}" -s answers; }    # each grading looks at memory itself

# What a learner and a teacher have before them.
desk() { check "${label}desk" sh tools/desk/test.sh "$BUILD"; }
pages() { check "${label}pages" sh tools/show/pages.sh "$BUILD"; }
book() { check "${label}book" sh tools/book/test.sh "$BUILD"; }
class() { check "${label}class" sh tools/class/test.sh "$BUILD"; }
words() { check "${label}words of the compiler" sh tools/words/words.sh "$BUILD"; }
# What a grading leaves behind is nothing: others that grade have to wait, as they lie in the same lane.
anywhere() { check "${label}gradings anywhere" sh tools/grading/surroundings.sh; }

own=${CC:-cc}

# variant NAME: with which compiler the parts after this build, with which flags, and where.
variant() {
    label="$1: " werror=-Werror under=''
    export CC="$1" EXTRA="$TEST_FLAGS" BUILD="$TEST_BASE/test-$1"
    case $1 in
    own) label='' werror=''; export CC="$own" BUILD="$TEST_BASE" ;;
    sanitizers) export CC=gcc EXTRA="$TEST_FLAGS -fsanitize=address,undefined" FAULTS=few ;;
    valgrind)                                     # what the variant gcc has built
        export CC=gcc BUILD="$TEST_BASE/test-gcc"
        under='valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect'
        ;;
    esac
}

# lane VARIANT:PART...: these parts of a variant, one after the other, if there is such a compiler here.
lane() {
    name=${1%%:*}
    variant "$name"
    case $name in
    own) ;;
    sanitizers) have gcc-sanitizers ;;
    *) have "$name" ;;
    esac || { skip "$name" 'not installed (make deps-dev)'; exit 1; }
    for part in $(echo "${1#*:}" | tr : ' '); do "$part"; done
}

lanes() { printf '%s\n' "$@" | xargs -P $((jobs + 1)) -n 1 sh tools/test.sh lane; }

case ${1:-} in
lane)
    lane "$2"
    exit 0
    ;;
runtime)
    (lane own:build) && lanes own:units own:lessons
    ;;
all)
    style
    (lane gcc:build) && lanes gcc:answers:anywhere:desk sanitizers:build:units:solutions:scripts:lessons valgrind:units \
        clang:build:units:solutions:lessons valgrind:programs:solutions gcc:scripts gcc:class gcc:pages gcc:units \
        gcc:book:words gcc:lessons gcc:solutions
    ;;
*)
    style
    export FEW=1 FAULTS=few
    (lane own:build) && lanes own:answers:anywhere:desk own:class own:scripts own:units own:pages \
        own:lessons own:book:words own:solutions
    ;;
esac

awk '{ p += $1; f += $2; s += $3 }
     END { printf "%d passed, %d failed%s\n", p, f, s ? ", " s " skipped" : ""; exit f > 0 || p == 0 }' "$TEST_LOGS/counts"
