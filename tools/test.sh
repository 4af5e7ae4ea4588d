#!/bin/sh
# test.sh - runs the tests and counts.
#
#   test.sh          what is quick: one compiler, no sanitizer
#   test.sh runtime  less: only the tests of the runtime and the programs of the lessons
#   test.sh all      more: also the other compiler, sanitizers, valgrind
#
# A test is a program that ends with "N passed, N failed[, N skipped]", or with the summary of
# libcheck; one that prints neither counts as one, by its exit status. Its output shows only when
# something failed in it, and what it skipped always does. The last line is the sum.
set -u

cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL FROM SEED LEVEL DB DATABASE_URL  # we call make afresh, from a clean desk
export ASYNC_CLOCK=virtual
base=${BUILD:-build}
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
passed=0 failed=0 skipped=0

if ! { mkdir -p "$base" && log=$(mktemp "$base/test.XXXXXX"); }; then
    echo "We cannot write into $base/."
    exit 1
fi
trap 'rm -f "$log"' EXIT
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

# count TITLE PASSED FAILED SKIPPED
count() {
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
    if [ "$3" -gt 0 ]; then
        grep -v '^ok ' "$log" | sed 's/^/    /'
        printf 'FAIL  %s (%d passed, %d failed)\n' "$1" "$2" "$3"
        return
    fi
    grep -i '^skipped' "$log" | sed 's/^/    /'
    printf 'ok    %s (%d%s)\n' "$1" "$2" "${took:-}"
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
    skipped=$((skipped + 1))
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

# make_all FLAG...: builds into $BUILD everything that there is.
make_all() {
    : > "$log"
    EXTRA="$EXTRA $*" "${MAKE:-make}" -s -j"$jobs" all > "$log" 2>&1 && return 0
    count "${label}build" 0 1 0
    return 1
}

# made FLAG...: whatever is asked for first, nothing of what make_all has made is made again.
made() {
    for goal in runtime/core/outside.c.o libasync.a lessons/01-event-loop/hello; do
        words=$(EXTRA="$EXTRA $*" "${MAKE:-make}" -s "$BUILD/$goal" 2>&1) && [ -z "$words" ] && continue
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

# units PREFIX...: runs every test of the runtime, with these words before it.
units() {
    for source in runtime/tests/test_*.c; do
        lacking "$source" || check "$label${source%.c}" timeout -k 5 300 "$@" "$BUILD/${source%.c}"
    done
}

# programs PREFIX...: those, and every solution.
programs() {
    units "$@"
    for source in solutions/*/*.c; do
        [ -f "$source" ] || continue              # a copy without solutions
        lacking "$source" || check "$label${source%.c}" until_ctrl_c "$@" "$BUILD/${source%.c}"
    done
}

# variant LABEL COMPILER FLAGS FLAGS-OF-OURS-ONLY: all that a compiler may change.
variant() {
    label=${1:+$1: }
    export CC="$2" EXTRA="$3" BUILD="$base${1:+/test-$1}"
    make_all "$4" || return 0
    check "${label}what is made stays made" made "$4"
    check "${label}objects stand on floors" sh .ci/floors "$BUILD"
    programs
    for script in runtime/tests/*.sh; do
        [ ! -f "$script" ] || check "$label${script%.sh}" sh "$script"
    done
    check "${label}lessons" sh tools/check-lessons.sh "$BUILD"
    check "${label}timelines" sh tools/timeline/timelines.sh check "$BUILD"
    case $1 in
    '' | gcc)
        check "${label}desk" sh tools/desk/test.sh "$BUILD"
        check "${label}pages" sh tools/show/pages.sh "$BUILD"
        check "${label}class" sh tools/class/test.sh "$BUILD"
        check "${label}book" sh tools/book/test.sh "$BUILD"
        check "${label}answers" "${MAKE:-make}" -s answers      # each grading looks at memory itself
        ;;
    esac
}

only_runtime() {
    label='' BUILD=$base
    make_all || return 0
    units
    check 'lessons' sh tools/check-lessons.sh "$BUILD"
}

compilers() {
    for compiler in gcc clang; do
        if ! have "$compiler"; then
            skip "$compiler" 'not installed (make deps-dev)'
            continue
        fi
        variant "$compiler" "$compiler" "$flags" -Werror
        if have "$compiler-sanitizers"; then
            variant "$compiler-sanitizers" "$compiler" "$flags -fsanitize=address,undefined" -Werror
        else
            skip "$compiler-sanitizers" 'not installed (make deps-dev)'
        fi
    done
}

# Once more what a compiler without sanitizers has made, lessons included.
under_valgrind() {
    label='valgrind: '
    if ! have valgrind; then
        skip valgrind 'not installed (make deps-dev)'
        return
    fi
    for compiler in gcc clang; do ! have "$compiler" || break; done
    export CC="$compiler" EXTRA="$flags" BUILD="$base/test-$compiler"
    make_all -Werror || return 0
    set -- valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect
    programs "$@"
    for source in lessons/*/*.c; do
        lacking "$source" || check "$label${source%.c}" "$@" "$BUILD/${source%.c}"
    done
}

words()
{
    check 'words of the compiler' sh tools/words/words.sh "$1"
    check 'gradings anywhere' env BUILD="$1" sh tools/grading/surroundings.sh
}

flags=${EXTRA:-}
[ "${1:-}" = runtime ] || style
case ${1:-} in
runtime) only_runtime ;;
all) compilers; under_valgrind; words "$base/test-gcc" ;;
*) variant '' "${CC:-cc}" "$flags" ''; words "$base" ;;
esac

[ "$skipped" -eq 0 ] || more=", $skipped skipped"
echo "$passed passed, $failed failed${more:-}"
[ "$failed" -eq 0 ]
