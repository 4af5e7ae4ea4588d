#!/bin/sh
# questions.sh N - three questions for the hall about exercise N, made of what is known to go wrong: each wrong choice is
# what a wrong answer really prints, or what was wrong in it. The key stands at the end. make questions-N calls us.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tools/grading/answer.sh
number=$(printf %02d "${1#0}")
for room in exercises/"$number"-*; do name=${room##*/}; done
known=solutions/$name/answers
[ -d "$known" ] || { echo "There are no known answers for exercise $1 in this copy." >&2; exit 2; }
sh tools/deps.sh have patch || { echo 'patch is missing: make deps-dev' >&2; exit 2; }
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
trap 'exit 130' INT

# prints SOURCE OUTPUT: what its program prints; fails if it does not come to an end like others.
prints()
{
    # shellcheck disable=SC2046,SC2086  # lists of flags
    $CC $FLAGS -w -Iruntime -Iruntime/extra "-I$room" "$1" $(sh tools/extra.sh link "$room") $LIBS -o "$place/program" 2>/dev/null &&
        ASYNC_CLOCK=virtual prlimit --cpu=2 timeout 20 "$place/program" < /dev/null 2>/dev/null | head -c 2000 > "$2" && [ -s "$2" ]
}

# what_of ANSWER: its first sentences, on one line.
what_of() { sed -n '/Python twin/q; /^ *$/q; /^ \*$/q; /^--- /q; s/^\(\/\* \| \* \)//; p' "$1" | tr '\n' ' ' | sed 's/ $//'; }

prints "solutions/$name/exercise.c" "$place/right" || { echo "The solution of exercise $1 prints nothing here." >&2; exit 2; }
wrong=0
for answer in "$known"/*; do
    case $answer in */hostile_*) continue ;; esac
    [ "$(head_says answer "$answer")" = wrong ] && [ "$wrong" -lt 6 ] || continue
    rm -f "$place/exercise.c"
    unpack "$answer" "$place/exercise.c" >/dev/null 2>&1 || continue
    # Many have no program of their own: they get the solution's.
    if grep -q '^int main(void) { return 0; }' "$place/exercise.c"; then
        { sed '/^int main(void) { return 0; }/d' "$place/exercise.c"; sed -n '/ try_it(void \*p)$/,$p' "solutions/$name/exercise.c"; } > "$place/whole.c" &&
            mv "$place/whole.c" "$place/exercise.c"
    fi
    prints "$place/exercise.c" "$place/out" && ! cmp -s "$place/out" "$place/right" || continue
    for other in "$place"/wrong-*; do ! cmp -s "$place/out" "$other" || continue 2; done
    wrong=$((wrong + 1))
    mv "$place/out" "$place/wrong-$wrong"
    what_of "$answer" > "$place/what-$wrong"
done
[ "$wrong" -gt 0 ] || { echo "Whatever is known to go wrong in exercise $1, its program prints the same." >&2; exit 2; }

# choices NUMBER FILE...: the first of them is right; in an order that nobody can guess from that.
choices()
{
    question=$1 right=$2 letter=0
    shift
    for file; do printf '%s %s\n' "$(cat "$file" "$place/right" | cksum | cut -d ' ' -f 1)" "$file"; done | sort > "$place/order"
    while read -r _ file; do
        letter=$((letter + 1))
        mark=$(printf ABCD | cut -c $letter)
        echo
        case $(wc -l < "$file") in
        0) echo "$mark. $(cat "$file")" ;;
        *) echo "$mark." && sed 's/^/    /' "$file" ;;
        esac
        [ "$file" != "$right" ] || echo "$question$mark" >> "$place/key"
    done < "$place/order"
}

few() { for i in "$@"; do [ ! -f "$i" ] || echo "$i"; done | head -n 4; }
echo "Exercise $name"
printf '\n1. What does its program print when all is right?\n'
# shellcheck disable=SC2046  # names of ours
choices 1 $(few "$place/right" "$place"/wrong-*)
for i in 1 2; do
    [ -f "$place/wrong-$i" ] || continue
    printf '\n%s. And here it prints this. What is wrong?\n\n' $((i + 1))
    sed 's/^/    /' "$place/wrong-$i"
    # shellcheck disable=SC2046
    choices $((i + 1)) $(few "$place/what-$i" $(for k in 1 2 3 4 5 6; do [ $k -eq $i ] || echo "$place/what-$k"; done))
done
printf '\nKey: '
paste -sd ' ' "$place/key"
