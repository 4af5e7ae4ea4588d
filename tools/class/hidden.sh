#!/bin/sh
# hidden.sh ROOM... - the graders of these exercises with the parts of an instructor's: ROOM's grader.c with
# $HIDDEN/NAME.c, which has a function hidden_parts() (tools/grading/grader.h), as $BUILD/hidden/NAME.
set -u
mkdir -p "$BUILD/hidden" || exit 2
for room; do
    name=${room##*/}
    [ -f "$HIDDEN/$name.c" ] || { echo "HIDDEN=$HIDDEN: there is no $name.c with the parts for exercise $name." >&2; exit 2; }
    # shellcheck disable=SC2086  # CC, FLAGS and CHECK are words
    $CC $FLAGS -Iruntime -Itools/grading "$room/grader/grader.c" "$HIDDEN/$name.c" "$BUILD"/tools/grading/grader*.o \
        "$BUILD/tools/grading/child.o" $CHECK -lm -o "$BUILD/hidden/$name.$$" &&
        mv -f "$BUILD/hidden/$name.$$" "$BUILD/hidden/$name" || exit 2
done
