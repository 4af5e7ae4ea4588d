#!/bin/sh
# own.sh - programs of your own: the commands of the Makefile for what stands in no lesson.
#
#   own.sh run              builds and runs $FILE with the words in $ARGS, read as a shell reads them
#   own.sh new              writes $NAME.c, a program to begin with
#   own.sh install          puts async.h, the library and a file for pkg-config below $PREFIX, with the bridges
#                           in $BRIDGES: "http sqlite"
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
    eval "exec \"\$program\" ${ARGS:-}"
}

new() {
    NAME=${NAME:-}
    NAME=${NAME%.c}
    case $NAME in
    '')
        say "What shall it be called? make new NAME=proxy"
        exit 2
        ;;
    *[!A-Za-z0-9_./-]*)
        say "NAME=$NAME: letters, digits and _ . / - may stand in it, and no blank. make new NAME=proxy"
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
    to=${DESTDIR:-}$PREFIX headers=runtime/async.h
    # shellcheck disable=SC2086,SC2046  # lists of words
    set -- $(printf '%s\n' ${BRIDGES:-} | sort -u)
    name=async libs=
    for bridge; do
        if [ ! -f "runtime/extra/$bridge.libs" ]; then
            say "There is no bridge $bridge. There are: $(cd runtime/extra && echo *.libs | sed 's/\.libs//g')"
            exit 2
        fi
        [ "$name" = async ] && name=async-$bridge || name=$name+$bridge
        read -r library flags < "runtime/extra/$bridge.libs"
        libs="$libs $(pkg-config --libs "$library" 2>/dev/null || echo "$flags")"
        headers="$headers runtime/extra/$bridge.h"
        [ "$bridge" = http ] || headers="$headers runtime/extra/database.h runtime/extra/db[pr]o*.h"
    done
    # shellcheck disable=SC2086
    mkdir -p "$to/include" "$to/lib/pkgconfig" && cp $headers "$to/include/" &&
        cp "$build/lib$name.a" "$to/lib/" && cat > "$to/lib/pkgconfig/lib$name.pc" <<END || exit 1
prefix=$PREFIX

Name: lib$name
Description: coroutines, tasks and futures in C, after Python's asyncio
Version: 1
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -l$name -lev -lm -pthread$libs
END
    echo "lib$name.a, its headers and lib$name.pc are below $to: cc my.c \$(pkg-config --cflags --libs lib$name)"
}

case ${1:-} in
run) run ;;
new) new ;;
install) install_all ;;
*) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
