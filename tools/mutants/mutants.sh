#!/bin/sh
# mutants.sh - would the graders notice? Small mistakes are made in every solution, one at a time, and
# each is graded: a wait that is forgotten, a limit that is one too high, an error that nobody looks at.
#
#   mutants.sh [N]      of exercise N only
#
# A mutant that compiles to the same object as the solution, or not at all, says nothing. A line for
# each of the others: under the numbers of the parts an x where that part has refused it. Who is refused
# nowhere is graded once more as make grade-N does it, by a compiler with warnings and with its memory
# watched. Who comes through that has survived: either the grader is to be mended, or nobody can tell the
# difference, and then solutions/NN-name/survivors.txt has the line (WHAT: the changed line), and under it,
# indented, why. make mutants calls us and says how to compile.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(cd "${BUILD:-build}" && pwd) || exit 1
trap '[ -z "${work:-}" ] || rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
work=$(mktemp -d "$build/mutants.XXXXXX") || exit 1
unset LEVEL PART CASE
export SEED=1

# shellcheck disable=SC2086  # FLAGS is a list
compile() { $CC $FLAGS -g0 -w -Iruntime -Iruntime/extra "-I$exercise" -Dmain=student_main -c "$1" -o "$2" 2>/dev/null; }

# shellcheck disable=SC2046,SC2086
link() { $CC "$build"/tools/grading/stage*.o "$build/$exercise/grader/stage.o" "$1" \
    $(sh tools/extra.sh link "$exercise") $LIBS -o "$2" 2>/dev/null; }

# try NUMBER LINE WHAT TEXT: grades one mutant.
try()
{
    "$build/tools/mutants/mutants" "$solution" "$exercise/grader/stub.c" "$1" > "$work/exercise.c"
    compile "$work/exercise.c" "$work/mutant.o" && link "$work/mutant.o" "$work/stage" ||
        { echo no > "$work/$1.no"; return; }
    ! cmp -s "$work/mutant.o" "$work/solution.o" || { echo same > "$work/$1.same"; return; }
    (cd "$work" && timeout 100 "$build/$exercise/grader/grader" "$work/stage" < /dev/null > said 2>&1)
    row=$(sed -n 's/^ok  .*/./p; s/^FAIL  .*/x/p' "$work/said" | tr -d '\n')
    case $row in
    *x* | '') mark= ;;
    *) if FROM=$work sh tools/evlings.sh grade "${name%%-*}" > "$work/said" 2>&1 < /dev/null
        then mark=' survived'
        else row=warned mark=
        fi ;;
    esac
    if [ -n "$mark" ] && [ -f "$known" ] && grep -qxF -- "$3: $4" "$known"; then mark=' survived, as known'; fi
    echo "$mark" > "$work/$1.mark"
    printf '%-7s%4s  %s: %s%s\n' "${row:-xxxx}" "$2" "$3" "$4" "$mark"
}

count() { grep -lx -- "$1" "$work"/*."$2" 2>/dev/null | grep -c .; }

check_exercise()
{
    name=$(basename "$exercise") solution=solutions/$name/exercise.c known=solutions/$name/survivors.txt
    [ -f "$solution" ] || { echo "skipped: $name: its solution is not in this copy"; return; }
    lacking=$(sh tools/extra.sh lacking "$exercise")
    [ -z "$lacking" ] || { echo "skipped: $exercise: no library for $lacking (make deps)"; return; }
    echo "$name"
    rm -f "$work"/*
    cp "$solution" "$work/exercise.c"
    compile "$work/exercise.c" "$work/solution.o" || exit 1
    "$build/tools/mutants/mutants" "$solution" "$exercise/grader/stub.c" > "$work/list"
    tab=$(printf '\t')
    while IFS="$tab" read -r number line what text; do
        try "$number" "$line" "$what" "$text"
    done < "$work/list"
    killed=$(count '' mark) survived=$(count ' survived' mark) alike=$(count ' survived, as known' mark)
    all=$((killed + survived))
    echo "$name: $killed of $all noticed ($((all ? killed * 1000 / all / 10 : 0)) %); besides, $alike make no" \
        "difference to anybody, $(count same same) are the same object, $(count no no) do not compile"
    [ "$survived" -eq 0 ] || unnoticed=$((unnoticed + survived))
}

unnoticed=0
for exercise in exercises/${1:+$(printf %02d "${1#0}")}*/; do
    exercise=${exercise%/}
    [ ! -d "$exercise" ] || check_exercise
done
[ "$unnoticed" -eq 0 ]
