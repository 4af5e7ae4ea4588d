#!/bin/sh
# student-cc.sh - runs a compiler for somebody who is learning.
#
#   student-cc.sh COMPILER FLAG... SOURCE
#
# When it succeeds its warnings are shown: a forgotten await is one. When it fails only the first
# error is, with its line; the others mostly follow from it. The exit status is the compiler's.
set -u

messages=$(mktemp) || { echo "No temporary file can be made: is the disk full?" >&2; exit 1; }
trap 'rm -f "$messages"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# We read the messages, so they have to be in English.
LC_ALL=C.UTF-8 LANGUAGE=en
export LC_ALL LANGUAGE

# Macros of async.h shall not show: the learner wrote `await`, and that line is the one to name.
case $("$@" --version 2>/dev/null) in
*clang*) set -- "$@" -ferror-limit=1 -fmacro-backtrace-limit=1 ;;
*) set -- "$@" -fmax-errors=1 -ftrack-macro-expansion=0 ;;
esac

# The first error with the lines that show it. If it lies in a file that was included, also by whom.
first_error() {
    awk '
        /^(In file included from|                 from) / { if (!shown) from = from $0 "\n"; next }
        /^[^ ].*:[0-9]+(:[0-9]+)?: (fatal )?error: / && !shown { printf "%s", from; shown = showing = 1; print; next }
        /^[^ ].*:[0-9]+(:[0-9]+)?: / || /: (In function|At top level)/ { from = ""; showing = 0; next }
        /^compilation terminated|^(fatal error|note|cc1): |^[0-9]+ .*generated\.$/ { showing = 0 }
        showing
        END { exit !shown }' "$messages"
}

# What the linker misses, in our words. Its line names the place if the compiler left one.
first_undefined() {
    awk -v here="$PWD/" '
        /undefined reference to / && !shown {
            name = $0; sub(/.*undefined reference to [`'\'']/, "", name); sub(/'\''.*/, "", name)
            place = ""
            for (i = 1; i <= NF; i++) if ($i ~ /\.c:[0-9]+:$/) place = $i " "
            if (index(place, here) == 1) place = substr(place, length(here) + 1)
            printf "%serror: there is no function %s(): is it missing, misspelt, or static?\n", place, name
            shown = 1
        }
        END { exit !shown }' "$messages"
}

# An error that await brought about says nothing of await: reads it, copies it, adds a word.
explain_await() {
    awk '
        { print }
        /error: .*(void|await)/ { odd = 1 }
        odd && /[^a-zA-Z_]await +[a-zA-Z_]/ { bare = 1 }
        /[^a-zA-Z_]await\(/ { called = 1 }
        /async_value.*(return|result)|return.*async_value|return.* with a value|should not return a value/ { left = 1 }
        END {
            if (bare)
                print "await takes parentheses: await(x)."
            else if (called && left)
                print "await leaves its function when there is an error, so it can stand only in one that returns\n" \
                      "async_value: a coroutine function. Elsewhere: async_run(x), or in an exit function async_catch(x)."
        }'
}

if "$@" 2> "$messages"; then
    cat "$messages" >&2
else
    status=$?
    { first_error || first_undefined || cat "$messages"; } | explain_await >&2
    exit "$status"
fi
