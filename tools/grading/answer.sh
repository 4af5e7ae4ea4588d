#!/bin/sh
# answer.sh - what a known answer is made of; answers.sh says how it is written. For scripts, with a dot before it.

# head_says FIELD ANSWER: its values, a line each.
head_says() { sed -n "/^--- /q; /\*\//q; s/^\( \* \)\{0,1\}$1: //p" "$2"; }

# unpack ANSWER FILE: makes FILE of solutions/NN-name/answers/NAME.patch, or .c. Fails if the patch does not apply.
unpack()
{
    base=$(head_says base "$1") name=${1%/answers/*} name=${name##*/}
    case $1:$base in
    *.c:*) cp "$1" "$2"; return ;;
    *:) base=solutions/$name/exercise.c ;;
    *:stub.c) base=exercises/$name/grader/stub.c ;;
    *) base=${1%/*}/$base ;;
    esac
    # Not with the fuzz that patch allows by itself: an answer has to say what it says.
    patch -s -F0 -r - -o "$2" "$base" "$1" && return
    echo "(the patch does not apply to $base)"
    return 1
}
