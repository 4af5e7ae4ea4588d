#!/bin/sh
# extra.sh - what programs need that use a bridge of runtime/extra/ to somebody else's library.
#
#   extra.sh link FILE|DIR...   what to link with: the runtime, in one piece with the bridges that these
#                               programs (or the sources in these rooms) include, and their libraries
#   extra.sh libs FILE|DIR...   only the libraries
#   extra.sh flags NAME         what the compiler needs for runtime/extra/NAME.c and NAME_*.c
#   extra.sh lacking [FILE|DIR...]
#                               the bridges that these use and whose library is missing here;
#                               without arguments the bridges of all that are missing
#
# runtime/extra/NAME.libs is one line: what pkg-config calls the library, and deps.sh as well; then
# the flags to link with where pkg-config does not know it. A runtime/extra/*.c without such a file is
# what bridges have in common.
set -u
build=${BUILD:-build}

# The bridges whose header is included there, each once. A shell reads faster than sed is started.
bridges() {
    found=' '
    for place; do
        if [ -d "$place" ]; then set -- "$@" "$place"/*.[ch]; else set -- "$@" "$place"; fi
        shift
    done
    for place; do           # a reader's may be a pipe, and then would be waited for
        [ -f "$place" ] && [ -r "$place" ] || continue
        while read -r include name _; do
            name=${name#[\"<]} name=${name%%.h[\">]*} name=${name##*/}
            [ "$include" = '#include' ] && [ -f "runtime/extra/$name.libs" ] || continue
            case $found in *" $name "*) ;; *) found="$found$name " ;; esac
        done < "$place"
    done
    echo "$found"
}

# libs NAME...
libs() {
    for name; do
        read -r library flags < "runtime/extra/$name.libs"
        pkg-config --libs "$library" 2>/dev/null || echo "$flags"
    done
}

# link NAME...
link() {
    pieces=
    for name; do pieces=$pieces${pieces:++}$name; done
    echo "$build/libasync${pieces:+-$pieces}.a"
    libs "$@"
}

# What was found once need not be looked for again, until the compiler or its flags change.
lacking() {
    for name; do
        read -r library flags < "runtime/extra/$name.libs"
        [ -f "$build/have-$library" ] || sh tools/deps.sh have "$library" || echo "$name"
    done
}

command=${1:-}
[ $# -eq 0 ] || shift
# shellcheck disable=SC2046  # names are words
case $command:$# in
link:*) link $(bridges "$@") ;;
libs:*) libs $(bridges "$@") ;;
flags:1) read -r library flags < "runtime/extra/$1.libs" && pkg-config --cflags "$library" 2>/dev/null || : ;;
lacking:0) lacking $(basename -s .libs runtime/extra/*.libs) ;;
lacking:*) lacking $(bridges "$@") ;;
*) sed -n '2,15s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
