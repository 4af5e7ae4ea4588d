#!/bin/sh
# library.sh - what programs see of the library: names of async.h and no others, so that a function of
# theirs may bear the name of one of ours.
#
# Ends with "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
case ${EXTRA:-} in
*-fsanitize*)
    echo 'skipped: sanitizers bring names of their own into every object'
    echo '0 passed, 0 failed, 1 skipped'
    exit 0
    ;;
esac
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0

verdict() {
    if [ "$1" -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAIL  $2"; fi
}

names() { nm -g --defined-only "$@" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u; }

names "$build/libasync.a" > "$work/seen"
grep -v '^async_' "$work/seen"
verdict $((! $?)) 'libasync.a shows names that are none of async.h'

# A program with a global function for each name that the runtime has inside.
names "$build/libruntime.a" | grep -v '^async_' |
    awk '{ print "void " $1 "(void); void " $1 "(void) { }" }' > "$work/theirs.c"
cat > "$work/program.c" <<'END'
#include "async.h"
#include <stdio.h>

static async_value nap(void *p)
{
    (void)p;
    await(async_sleep(1));
    puts("slept");
    return async_none;
}

int main(void) { return async_main(async_coro(nap)); }
END
# shellcheck disable=SC2086  # lists of words
said=$(${CC:-cc} ${EXTRA:-} -Iruntime "$work/program.c" "$work/theirs.c" "$build/libasync.a" \
    -lev -lm -pthread -o "$work/program" 2>&1 && ASYNC_CLOCK=virtual "$work/program" 2>&1)
[ "$(wc -l < "$work/theirs.c")" -gt 100 ] && [ "$said" = slept ]
verdict $? "a program with functions of our names: $said"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
