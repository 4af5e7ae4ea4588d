#!/bin/sh
# own.sh - programs of one's own: begun by `make new`, run by `make run`, built with what
# `make install` has installed.
#
# Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0
unset MAKEFLAGS MFLAGS MAKELEVEL
export WORD=three ASYNC_CLOCK=virtual BUILD="${BUILD:-build}" EXTRA="${EXTRA:-}" CC="${CC:-cc}"

# expect TITLE TEXT COMMAND...: it prints exactly that on stdout.
expect() {
    title=$1 text=$2
    shift 2
    said=$("$@" 2> "$work/errors")
    if [ "$said" = "$text" ]; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        printf 'FAIL  %s:\n%s\n' "$title" "$said"
        cat "$work/errors"
    fi
}

new() { "${MAKE:-make}" -s new NAME="$1"; }
run() { "${MAKE:-make}" -s run FILE="$1" ARGS="${2:-}"; }
refused() { "$@" 2>&1 > /dev/null | sed '/^make: /d'; }

# installed PROGRAM LIBRARY BRIDGES
installed() {
    "${MAKE:-make}" -s install PREFIX="$work/usr" BRIDGES="$3" >/dev/null || return
    # shellcheck disable=SC2046,SC2086  # lists of words
    $CC $EXTRA "$1.c" $(PKG_CONFIG_PATH=$work/usr/lib/pkgconfig pkg-config --cflags --libs "$2") -o "$1" && "$1"
}

answers() { run $further/query.c "sqlite:$work/questions.db" < "$work/questions" | sed 's/\(Error\):.*/\1/'; }

cat > "$work/words.c" <<'END'
#include "async.h"
#include "sqlite.h"
#include "database.h"
#include <stdio.h>

static async_value program(void *p)
{
    (void)p;
    async_with(async_db_exit) async_db *db = await(async_db_connect("sqlite::memory:")).ptr;
    printf("%ld\n", await(async_db_fetchval(db, "SELECT 6 * 7")).num);
    return async_none;
}

int main(int argc, char **argv)
{
    printf("%d %s\n", argc, argv[argc - 1]);
    return async_main(async_coro(program));
}
END

cat > "$work/arguments.c" <<'END'
#include <stdio.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) printf("[%s]", argv[i]);
}
END

expect 'make new' "$work/first.c is yours now. To run it: make run FILE=$work/first.c" new "$work/first"
expect 'make new, again' '' new "$work/first"
expect 'a name with a blank' "NAME=two words: letters, digits and _ . / - may stand in it, and no blank. make new NAME=proxy" \
    refused new 'two words'
expect 'make run' 'begins
ends' run "$work/first.c"
# shellcheck disable=SC2016  # make run has a shell that expands it, but only where it should
expect 'words in quotes' '[one two][three][$WORD][]' run "$work/arguments.c" "'one two' \$WORD '\$WORD' \"\""
expect 'make install' 'begins
ends' installed "$work/first" libasync ''
if [ -z "$(sh tools/extra.sh lacking "$work/words.c")" ]; then
    expect 'make run with a bridge and words' '3 two
42' run "$work/words.c" 'one two'
    sed 's|"sqlite.h"|<extra/sqlite.h>|' "$work/words.c" > "$work/named.c"
    expect 'make run with a bridge by its path' '2 two
42' run "$work/named.c" two
    expect 'make install with a bridge' "1 $work/words
42" installed "$work/words" libasync-sqlite sqlite
fi

# What chapter 18 leaves for further reading.
further=lessons/18-summary/further
expect 'the proxy' "$(cat $further/proxy.out)" run $further/proxy.c
if [ -z "$(sh tools/extra.sh lacking $further/crawler.c)" ]; then
    expect 'the crawler' "$(cat $further/crawler.out)" run $further/crawler.c
fi
if [ -z "$(sh tools/extra.sh lacking $further/query.c)" ]; then
    printf '%s\n' "SELECT pg_sleep(0.1), 'late' AS word" '' 'SELECT nothing' 'SELECT 2 AS n UNION SELECT 3' > "$work/questions"
    expect 'the query tool' "1: {'pg_sleep(0.1)': '', 'word': 'late'}
2: ProgrammingError
3: {'n': 2}
3: {'n': 3}" answers
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
