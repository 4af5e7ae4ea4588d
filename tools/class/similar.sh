#!/bin/sh
# similar.sh N - who wrote the same? Lays $FROM out in $OUT as JPlag wants it, and runs that where it is installed.
#
#   submissions/STUDENT/exercise.c   what would be graded
#   base/exercise.c                  the stub, which everybody has in common
#   known/NAME/exercise.c            the solution and the right answers, from which somebody may have copied
#
# JPLAG is the command, such as "java -jar jplag.jar"; otherwise jplag.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tools/grading/answer.sh
number=$(printf %02d "${1#0}")
room=$(echo exercises/"$number"-*) name=${room#*/}
[ -n "${FROM:-}" ] && [ -n "${OUT:-}" ] || { echo "make similar-$1 FROM=submissions.zip OUT=dir" >&2; exit 2; }
[ -d "$room" ] || { echo "There is no exercise $1." >&2; exit 2; }
mkdir -p "$OUT/submissions" "$OUT/base" "$OUT/known/solution" || exit 1
"$BUILD/grade-class" --collect --from "$FROM" --out "$OUT/submissions" --exercise "$1" || exit
rmdir "$OUT/submissions/results" "$OUT/submissions/feedback"
rm -f "$OUT/submissions/.lock"
cp "$room/grader/stub.c" "$OUT/base/exercise.c"
[ ! -f "solutions/$name/exercise.c" ] || cp "solutions/$name/exercise.c" "$OUT/known/solution/"
for answer in solutions/"$name"/answers/*; do
    [ -f "$answer" ] && [ "$(head_says answer "$answer")" = right ] || continue
    to=$OUT/known/$(basename "${answer%.*}")
    mkdir -p "$to"
    unpack "$answer" "$to/exercise.c" || rm -rf "$to"
done
set -- -l c -bc "$OUT/base" -old "$OUT/known" -r "$OUT/result" "$OUT/submissions"
# shellcheck disable=SC2086  # a command of several words
if command -v ${JPLAG:-jplag} >/dev/null; then
    ${JPLAG:-jplag} "$@"
else
    echo "JPlag is not installed here (https://github.com/jplag/JPlag). Where it is: jplag $*"
fi
