#!/bin/sh
# answers.sh - are the graders to be trusted? For every exercise:
#   the stub compiles without a warning and fails, in every part;
#   the solution passes, and so does every right answer;
#   every wrong answer fails, in the parts and with the words that its head names;
#   with FEW=1 the stub and the solution are enough;
#   and with SEEDS=50, which the graders read, each has the same points with so many seeds: no verdict is a
#   matter of luck.
#
#   answers.sh [N...]     exercise N, which may be written 4 or 04, or in words; without: all
#
# Each is graded as `make grade-N FROM=dir` does it; make answers calls us and says how to compile.
#
# An answer is solutions/NN-name/answers/NAME.patch, what differs from a base, or where that would be
# nearly everything, a whole NAME.c. A head stands above the patch, or in the file's first comment:
#
#     What it is about, in a sentence or two.
#
#     answer: wrong               or right
#     points: 2/2 3/3 0/3         of each part
#     says: words                 of the message; as often as needed
#     base: other.c               beside it, or stub.c; if not the solution
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
. tools/grading/answer.sh
work=$build/answers
unset LEVEL
export SEED="${SEED:-2026}"     # graders choose at random; a test gives the same twice

trap 'exit 130' INT
mkdir -p "$work" || exit 1
exec 9> "$work/lock"
flock -n 9 || { echo "Another make answers is at work in $work, and would meet this one. Try again when it has ended."; exit 1; }
sh tools/deps.sh have patch || { echo 'skipped: answers: patch is not installed (make deps-dev)'; exit 0; }

ok() { printf 'ok    %s\n' "$1"; }
not_ok()
{
    echo "FAIL  $1"
    sed 's/^/      /' "$2"
}

# grade NUMBER PLACE: PLACE/exercise.c, as make grade-N; what is said is in PLACE/said.
grade() { FROM=$2 sh tools/evlings.sh grade "$1" > "$2/said" 2>&1 < /dev/null; }

# What is said of a part in the second pass, in which memory is watched, replaces what was said before.
points()
{
    sed -n 's/^\(ok  \|FAIL\)  \([0-9]*\/[0-9]*\)  \(.*\)/\2 \3/p' "$1/said" | awk '
        { got = $1; sub(/^[^ ]* /, ""); if (!($0 in points)) titles[++n] = $0; points[$0] = got }
        END { for (i = 1; i <= n; i++) printf "%s%s", (i > 1 ? " " : ""), points[titles[i]] }'
}

# check TITLE NUMBER PLACE right|wrong|stub POINTS [ANSWER]: is the verdict on PLACE/exercise.c as expected?
check()
{
    grade "$2" "$3"
    status=$?
    problem=
    case $4:$status in
    right:0 | wrong:1 | stub:1) ;;
    *) problem="expected to be graded as $4, but the grader ended with status $status" ;;
    esac
    [ "$4" = wrong ] || ! grep -q 'warning:' "$3/said" || problem='a warning of the compiler'
    [ -z "$5" ] || [ "$(points "$3")" = "$5" ] || problem="expected these points: $5"
    if [ $# -gt 5 ]; then
        head_says says "$6" > "$3/words"
        tr -s ' \n' ' ' < "$3/said" > "$3/line"        # the grader wraps long lines
        while IFS= read -r words; do
            grep -qF -- "$words" "$3/line" || problem="expected these words: $words"
        done < "$3/words"
        [ "$4" = right ] || [ -s "$3/words" ] || problem='its head does not name the words of the message'
    fi
    ! grep -q '^A matter of luck' "$3/said" || problem='the points depend on the seed'
    few=$(sed -n 's/^\(Only .* seeds were tried\).*/ (\1)/p' "$3/said")
    if [ -z "$problem" ]; then ok "$1$few"; else echo "($problem)" >> "$3/said"; not_ok "$1" "$3/said"; fi
}

# Everything of one exercise, room by room.
check_exercise()
{
    exercise=$1 name=$(basename "$1")
    number=${name%%-*} solution=solutions/$name/exercise.c place=$work/$name
    lacking=$(sh tools/extra.sh lacking "$exercise")
    [ -z "$lacking" ] || { echo "skipped: $exercise: no library for $lacking (make deps)"; return; }
    rm -rf "$place"
    mkdir -p "$place"
    cp "$exercise/grader/stub.c" "$place/exercise.c"
    check "$exercise/grader/stub.c (fails, as it must)" "$number" "$place" stub ''
    grep -q '^Score: 0/' "$place/said" || not_ok "$exercise/grader/stub.c has points" "$place/said"
    [ -d "solutions/$name" ] || { echo "skipped: $name: its solution is not in this copy"; return; }
    cp "$solution" "$place/exercise.c"
    check "$solution" "$number" "$place" right ''
    [ -z "${FEW:-}" ] || return 0
    for answer in "solutions/$name/answers"/*.patch "solutions/$name/answers"/*.c; do
        [ -f "$answer" ] || continue
        if unpack "$answer" "$place/exercise.c" > "$place/said" 2>&1; then
            check "$answer" "$number" "$place" "$(head_says answer "$answer")" \
                "$(head_says points "$answer")" "$answer"
        else
            not_ok "$answer" "$place/said"
        fi
    done
}

# Those whose number or words are given; without them all are.
chosen=
for exercise in exercises/[0-9]*/; do
    exercise=${exercise%/} name=$(basename "$exercise")
    wanted=${1-$name}
    for word; do case $name in [0]"$word"-* | "$word"-* | *-*"$word"*) wanted=$name ;; esac; done
    [ "$wanted" != "$name" ] || chosen="$chosen $exercise"
done
[ -n "$chosen" ] || { echo "There is no such exercise: $*" >&2; exit 2; }

# What watches memory is made once, and not by each of them. Without a sanitizer they say so.
numbers=
for exercise in $chosen; do numbers="$numbers watched-$(basename "$exercise" | sed 's/-.*//')"; done
# shellcheck disable=SC2086  # goals
env -u MAKEFLAGS "${MAKE:-make}" -s -k -j2 BUILD="$build/memory" EXTRA="${EXTRA:-} -fsanitize=address" $numbers \
    > "$work/watched" 2>&1

# As many at a time as there are processors; each of these workers takes the next that is free.
rm -rf "$work"/*.log "$work"/*.taken
for _ in $(seq "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)"); do
    for exercise in $chosen; do
        name=$(basename "$exercise")
        ! mkdir "$work/$name.taken" 2>/dev/null || check_exercise "$exercise" > "$work/$name.log"
    done &
done
wait
for exercise in $chosen; do cat "$work/$(basename "$exercise").log"; done
passed=$(cat "$work"/*.log /dev/null | grep -c '^ok ')
failed=$(cat "$work"/*.log /dev/null | grep -c '^FAIL ')
skipped=$(cat "$work"/*.log /dev/null | grep -c '^skipped')
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
