#!/bin/sh
# own.sh - programs of your own: the commands of the Makefile for what stands in no lesson.
#
#   own.sh run              builds and runs $FILE with the words in $ARGS
#   own.sh new              writes $NAME.c, a program to begin with
#   own.sh install          puts async.h, the library and a file for pkg-config below $PREFIX
#
# BUILD, CC, FLAGS and LIBS come from the Makefile.
set -u
build=${BUILD:-build}

say() { printf '%s\n' "$*" >&2; }

run() {
    if [ ! -f "${FILE:-}" ]; then
        say "${FILE:+There is no $FILE. }Which program? make run FILE=my.c ARGS=\"one two\""
        exit 2
    fi
    mkdir -p "$build/own" || exit 1
    program=$build/own/$(basename "$FILE" .c)
    # shellcheck disable=SC2046,SC2086  # lists of words
    sh tools/student-cc.sh ${CC:-cc} $FLAGS -Iruntime -Iruntime/extra "$FILE" \
        $(sh tools/extra.sh link "$FILE") $LIBS -o "$program" || exit 1
    # shellcheck disable=SC2086
    exec "$program" ${ARGS:-}
}

new() {
    NAME=${NAME:-}
    NAME=${NAME%.c}
    case $NAME in
    '' | *[!A-Za-z0-9_./-]*)
        say "What shall it be called? make new NAME=proxy"
        exit 2
        ;;
    esac
    if [ -e "$NAME.c" ]; then
        say "$NAME.c is there already; it stays as it is."
        exit 1
    fi
    cat > "$NAME.c" <<'END' || exit 1
#include "async.h"
#include <stdio.h>

static async_value program(void *p)
{
    (void)p;
    puts("begins");
    await(async_sleep(1));
    puts("ends");
    return async_none;
}

int main(void) { return async_main(async_coro(program)); }
END
    echo "$NAME.c is yours now. To run it: make run FILE=$NAME.c"
}

install_all() {
    if [ -z "${PREFIX:-}" ]; then
        say 'Where to? make install PREFIX=/usr/local'
        exit 2
    fi
    to=${DESTDIR:-}$PREFIX
    mkdir -p "$to/include" "$to/lib/pkgconfig" && cp runtime/async.h "$to/include/" &&
        cp "$build/libasync.a" "$to/lib/" && cat > "$to/lib/pkgconfig/libasync.pc" <<END || exit 1
prefix=$PREFIX

Name: libasync
Description: coroutines, tasks and futures in C, after Python's asyncio
Version: 1
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -lasync -lev -lm -pthread
END
    echo "async.h, libasync.a and libasync.pc are below $to: cc my.c \$(pkg-config --cflags --libs libasync)"
}

case ${1:-} in
run) run ;;
new) new ;;
install) install_all ;;
*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
