#!/bin/sh
# questions.sh N - three questions for the hall about exercise N, made of what is known to go wrong: each wrong choice is
# what a wrong answer really prints, or what was wrong in it. Where too few print something else, it is shown what they
# changed. The key stands at the end. make questions-N calls us.
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

# prints SOURCE OUTPUT: what its program prints; fails if it does not come to an end like others. Where it is killed a
# shell would say so.
prints()
{
    (
    # shellcheck disable=SC2046,SC2086  # lists of flags
        $CC $FLAGS -w -Iruntime -Iruntime/extra "-I$room" "$1" $(sh tools/extra.sh link "$room") $LIBS -o "$place/program" &&
            rm -rf "$place/in" && mkdir "$place/in" && cd "$place/in" && ASYNC_CLOCK=virtual prlimit --cpu=2 timeout 20 "$place/program" < /dev/null | head -c 2000 > "$2" && [ -s "$2" ]
    ) 2>/dev/null
}

# what_of ANSWER: its first sentences, on one line.
what_of() { sed -n '/Python twin/q; /^ *$/q; /^ \*$/q; /^--- /q; s/^\(\/\* \| \* \)//; p' "$1" | tr '\n' ' ' | sed 's/ $//'; }

prints "solutions/$name/exercise.c" "$place/right" || { echo "The solution of exercise $1 prints nothing here." >&2; exit 2; }

# What is known to go wrong: what its program prints, if that is something else, or what it has changed; and what is wrong.
wrong=0 changed=0
for answer in "$known"/*; do
    case $answer in */hostile_*) continue ;; esac
    [ "$(head_says answer "$answer")" = wrong ] && [ "$wrong" -lt 6 ] || continue
    rm -f "$place/exercise.c"
    unpack "$answer" "$place/exercise.c" >/dev/null 2>&1 || continue
    # Many have no program of their own: they get the solution's.
    if grep -q '^int main(void) { return 0; }' "$place/exercise.c"; then
        { sed '/^int main(void) { return 0; }/d' "$place/exercise.c"; awk '/ try_it\(void \*p\)$|^int main\(void\)$/ { on = 1 } on' "solutions/$name/exercise.c"; } > "$place/whole.c" &&
            mv "$place/whole.c" "$place/exercise.c"
    fi
    prints "$place/exercise.c" "$place/out" || : > "$place/out"
    for other in "$place"/wrong-*; do ! cmp -s "$place/out" "$other" || continue 2; done     # as a choice it would be right, too
    diff "solutions/$name/exercise.c" "$place/exercise.c" | sed -n 's/^</-/p; s/^>/+/p' > "$place/change"
    if [ -s "$place/out" ] && ! cmp -s "$place/out" "$place/right"; then
        wrong=$((wrong + 1))
        mv "$place/out" "$place/wrong-$wrong"
        what_of "$answer" > "$place/what-wrong-$wrong"
    elif [ "$changed" -lt 6 ] && [ "$(wc -l < "$place/change")" -le 14 ]; then
        changed=$((changed + 1))
        mv "$place/change" "$place/changed-$changed"
        what_of "$answer" > "$place/what-changed-$changed"
    else
        what_of "$answer" > "$place/what-more"
    fi
done

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

# ask_about KIND-I WORDS: it is shown; what is wrong?
ask_about()
{
    [ -f "$place/$1" ] && [ "$asked" -lt 3 ] || return
    asked=$((asked + 1))
    printf '\n%s. %s\n\n' "$asked" "$2"
    sed 's/^/    /' "$place/$1"
    # shellcheck disable=SC2046  # names of ours
    choices "$asked" "$place/what-$1" $(few $(for other in "$place"/what-*; do [ "$other" = "$place/what-$1" ] || echo "$other"; done) | head -n 3)
}

echo "Exercise $name"
asked=0
if [ "$wrong" -gt 0 ]; then
    asked=1
    printf '\n1. What does its program print when all is right?\n'
    # shellcheck disable=SC2046
    choices 1 $(few "$place/right" "$place"/wrong-*)
fi
for i in 1 2; do ask_about wrong-$i 'And here it prints this. What is wrong?'; done
for i in 1 2 3; do ask_about changed-$i 'Here + stands instead of -, which is right. What is wrong with it?'; done
[ -f "$place/key" ] || { echo "Of the known answers to exercise $1 no question can be made here." >&2; exit 1; }
printf '\nKey: '
paste -sd ' ' "$place/key"
