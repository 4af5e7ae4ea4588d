#!/bin/sh
# evlings.sh - the numbered commands of the Makefile, which builds what they need and calls
#
#   evlings.sh lesson|timeline|show|read|task|exercise|grade|hint|solution|reset NUMBER
#   evlings.sh next|list|end|stubs
#
# BUILD, CC, FLAGS and LIBS come from there; FROM, SEED, PART, LEVEL and DB from the user.
# EVLINGS_WATCH comes from make watch, which shows what we say on a screen of its own.
#
# A lesson's room is lessons/NN-name/, its exercise's is exercises/NN-name/. Where a reader is, what
# is passed, and which hints were seen, is remembered in .evlings: see desk/state.sh.
set -u
cd "$(dirname "$0")/.." || exit 1

build=${BUILD:-build}

# What is said flows to the width of the terminal, as do the programs that we start.
if [ -z "${COLUMNS:-}" ] && [ -t 1 ]; then COLUMNS=$(stty size <&1 2>/dev/null | cut -d' ' -f2); fi
case ${COLUMNS:-0} in
0 | *[!0-9]*) COLUMNS=80 ;;
esac
export COLUMNS

say() { printf '%s\n' "$*" | fold -s -w "$COLUMNS" >&2; }

. tools/desk/state.sh

# Temporary files go on every way out. Nothing that a reader wrote is ever among them.
scratch=
trap '[ -z "$scratch" ] || rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# ------------------------------------------------------------------------------- finding rooms

# at KIND N: sets `n`, the number as one says it, and `room`. Fails if there is no such room.
at() {
    case $2 in
    '' | *[!0-9]*) return 1 ;;
    esac
    n=${2#0}
    case $n in
    '' | ?) two=0${n:-0} n=${n:-0} ;;
    *) two=$n ;;
    esac
    for room in "$1/$two"-*/; do
        room=${room%/} name=${room#*-}
        name=${name%/}
        [ ! -d "$room" ] || return 0
    done
    return 1
}

list_rooms() {
    for dir in "$1"/[0-9]*/; do
        dir=${dir#*/}
        at "$1" "${dir%%-*}" && printf '  %2d  %s\n' "$n" "$name"
    done
}

# find_room KIND NUMBER: as `at`, but where there is no such room it lists those that are, and ends.
find_room() {
    ! at "$@" || return 0
    if [ "$1" = exercises ] && at lessons "$2"; then
        say "Lesson $n, $name, has no exercise. These have one:"
    elif [ -n "$2" ]; then
        say "There is no ${1%s} $2. These are here:"
    else
        say "Which one? make $command-4, for example. These are here:"
    fi
    list_rooms "$1" >&2
    exit 2
}

# ask QUESTION: yes only for an answer that begins with y.
ask() {
    printf '%s [y/N] ' "$1" >&2
    reply=
    read -r reply || say ''
    case $reply in
    [yY]*) return 0 ;;
    esac
    return 1
}

# ------------------------------------------------------------------------------------- reading

# Shows stdin in a pager if somebody looks at a terminal, else just copies it.
page() {
    if [ ! -t 1 ]; then cat
    elif [ -n "${PAGER:-}" ]; then sh -c "$PAGER"
    elif [ "$COLUMNS" -lt 80 ] && command -v less >/dev/null; then less -FRXS      # figures keep their form
    elif command -v less >/dev/null; then less -FRX
    elif command -v more >/dev/null; then more
    else cat
    fi
}

# Markdown, set for the terminal, and bold where that can be shown.
bold=
if [ "${EVLINGS_WATCH:-}" = --bold ]; then
    bold=--bold
elif [ -t 1 ] && [ "${TERM:-dumb}" != dumb ] && [ -z "${NO_COLOR:-}" ]; then bold=--bold; fi

render() {
    # shellcheck disable=SC2086  # none, or one word
    if [ -x "$build/flow" ]; then
        "$build/flow" $bold "$@"
    else
        sed '/^ *<!--.*-->$/d' "$@"
        printf '\n(Lines may be longer than your terminal: to set them it takes cmark-gfm. make deps)\n'
    fi
}

read_chapter() {
    find_room lessons "$1"
    [ -f "$room/README.md" ] || { say "$room has no README.md yet."; exit 1; }
    ! grep -q '^!\[.*\.svg' "$room/README.md" || MAKEFLAGS='' "${MAKE:-make}" -s "drawable-$n" || :
    render "$room/README.md" | page
    step read
}

read_task() {
    find_room exercises "$1"
    render "$room/README.md" | page
    step task
}

# --------------------------------------------------------------------------------- the lessons

# The programs of a lesson, in the order in which its chapter first names them.
programs() {
    { tr -c 'a-zA-Z0-9_.' '\n' < "$room/README.md"; cd "$room" && printf '%s\n' *.c; } 2>/dev/null |
        while read -r word; do
            [ "${word#*.}" != c ] || [ ! -f "$room/$word" ] || echo "${word%.c}"
        done | awk '!seen[$0]++'
}

# With DB=postgres the whole lesson has a server of its own, with what lies in its room as .sql.
run_lesson() {
    find_room lessons "$1"
    case ${DB:-} in
    '' | sqlite) ;;
    postgres)
        set -- "$1" "$room"/*.sql
        [ -f "$2" ] || { say "$room needs no database."; exit 2; }
        DB='' exec sh tools/postgres.sh run "$2" -- sh tools/evlings.sh lesson "$1"
        ;;
    *) say "DB=$DB: there are sqlite, which needs nothing, and postgres."; exit 2 ;;
    esac
    gap='' began=$(date +%s)
    for program in $(programs); do
        printf '%s--- %s\n' "$gap" "$room/$program.c"
        gap='
'
        "$build/$room/$program"
        status=$?
        [ "$status" -lt 128 ] || exit "$status"
        [ "$status" -eq 0 ] || printf -- '--- %s ended with status %d\n' "$program" "$status"
    done
    patience "lesson-$n"
    step lesson
}

# ------------------------------------------------------------------------------- the exercises

# readable FILE: is it something that a compiler could read? If not, a sentence about it.
readable() {
    if [ "$(head -c 1000000 "$1" | wc -c)" -eq 1000000 ]; then
        say "$1 has a million bytes or more: that is no program any more. make reset-$n puts the stub back."
    elif [ "$(head -c 400 "$1" | tr -d '\000' | wc -c)" -ne "$(head -c 400 "$1" | wc -c)" ]; then
        say "$1 has bytes that are no text. If your editor saves it as UTF-16, choose UTF-8 there."
    else
        return 0
    fi
    return 1
}

# compile OUTPUT: a program of $source, with messages that fit a reader.
compile() {
    readable "$source" || exit 2
    # shellcheck disable=SC2046,SC2086  # lists of flags
    sh tools/student-cc.sh ${CC:-cc} $FLAGS -O1 -Iruntime -Iruntime/extra "-I$room" "$source" \
        $(sh tools/extra.sh link "$room") $LIBS -o "$1" || exit 1
}

# only_a_file PATH: ends where something else has its name.
only_a_file() {
    [ -e "$1" ] && [ ! -f "$1" ] || return 0
    say "$1 is no file but something else, a folder or a pipe. Move it away; then make reset-$n puts the stub back."
    exit 2
}

# The file to work on; sets `source`.
find_source() {
    source=${FROM:-$room}/exercise.c
    [ ! -f "$source" ] || return 0
    if [ -n "${FROM:-}" ] && [ -e "$source" ]; then
        say "FROM=$FROM: $source is no file but something else, a folder or a pipe."
    elif [ -n "${FROM:-}" ]; then
        say "FROM=$FROM: there is no $source. FROM is the folder of an exercise.c."
    else
        only_a_file "$source"
        say "$source is gone. make reset-$n puts the stub back."
    fi
    exit 2
}

# patience COMMAND: whoever has waited long since $began may like to know how not to.
patience() {
    [ -z "${ASYNC_CLOCK:-}" ] && [ $(($(date +%s) - began)) -ge 3 ] || return 0
    say "That was $(($(date +%s) - began)) real seconds. ASYNC_CLOCK=virtual make $1 prints the same without the wait."
}

run_exercise() {
    find_room exercises "$1"
    find_source
    mkdir -p "$build/$room" || exit 1
    compile "$build/$room/exercise"
    began=$(date +%s)
    "$build/$room/exercise"
    status=$?
    patience "exercise-$n"
    ! cmp -s "$source" "$room/grader/stub.c" ||
        say "$source is still as it came: look for TODO in it. The task: make task-$n"
    step exercise
    exit "$status"
}

# Draws the lesson's programs, or with FROM one exercise.
draw_timeline() {
    if [ -n "${PART:-}" ]; then
        find_room exercises "$1"
        find_source
        exec "$build/grade" "$room" "$source" show "$PART" timeline
    fi
    if [ -n "${FROM:-}" ]; then
        find_room exercises "$1"
        find_source
        scratch=$(mktemp -d "$build/timeline.XXXXXX") || exit 1
        compile "$scratch/exercise"
        "$build/timeline" --title "$source" "$scratch/exercise"
        exit
    fi
    find_room lessons "$1"
    gap=
    for program in $(programs); do
        printf '%s' "$gap"
        gap='

'
        "$build/timeline" --title "$program" "$build/$room/$program"
    done
    step timeline
}

# show_page PAGE COMMAND...: what the command writes becomes a page, which is opened where there is somebody to see it.
show_page() {
    page=$1
    shift
    "$@" > "$scratch/page"
    status=$?
    [ "$status" -ne 3 ] || return 0             # there is nothing to step through, and that was said
    if [ "$(head -c 15 "$scratch/page")" != '<!doctype html>' ]; then
        cat "$scratch/page"
        exit "$status"
    fi
    { mkdir -p "${page%/*}" && mv "$scratch/page" "$page"; } || exit 1
    echo "$page"
    [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || ! command -v xdg-open >/dev/null ||
        xdg-open "$page" >/dev/null 2>&1 || :
}

# beside FOLDER: where several pages lie, one more shows two of them side by side.
beside() {
    [ -d "$1" ] || return 0                     # there was nothing to step through
    pages=$(cd "$1" && ls | sed '/^beside.html$/d; /\.html$/!d; s/.*/"&",/' | tr -d '\n')
    case $pages in
    *,\"*) ;;
    *) return 0 ;;
    esac
    sed "s|/\*PAGES\*/\[\]|[$pages]|" tools/show/beside.html > "$1/beside.html" &&
        say "Two of them side by side: $1/beside.html"
}

# Makes pages of the lesson's programs, or with FROM one of an exercise, or with PART one of what the grader saw of
# that. With SEED what is ready in a turn runs in an order of chance, and a grading has those inputs.
show() {
    if [ -n "${FROM:-}${PART:-}" ]; then
        find_room exercises "$1"
        find_source
    else
        find_room lessons "$1"
    fi
    case ${SEED:-0} in
    *[!0-9]*) say "SEED=$SEED: it is a number, another order of what is ready for each."; exit 2 ;;
    esac
    scratch=$(mktemp -d "$build/steps.XXXXXX") || exit 1
    if [ -n "${PART:-}" ]; then
        show_page "$build/show/$room/part-$PART.html" "$build/grade" "$room" "$source" show "$PART" tools/show/show
        beside "$build/show/$room"
        return
    fi
    export ASYNC_SHUFFLE="${SEED:-}"
    if [ -n "${FROM:-}" ]; then
        compile "$scratch/exercise"
        case $FROM in
        exercises/*) whose=mine ;;
        solutions/*) whose=solution ;;
        *) whose=$(basename "$FROM" | tr -c 'A-Za-z0-9\n' -) ;;
        esac
        show_page "$build/show/$room/$whose${SEED:+-seed-$SEED}.html" "$build/tools/show/show" --source "$source" \
            --title "$source${SEED:+, SEED=$SEED}" "$scratch/exercise"
        beside "$build/show/$room"
        return
    fi
    for program in $(programs); do
        show_page "$build/show/$room/$program${SEED:+-seed-$SEED}.html" "$build/tools/show/show" \
            --source "$room/$program.c" --title "$room/$program.c${SEED:+, SEED=$SEED}" "$build/$room/$program"
    done
    beside "$build/show/$room"
}

# A program of its own from here on, which leaves nothing behind whatever happens.
grade() {
    trap 'echo; echo "Score: not judged"' EXIT      # unless the program says it
    find_room exercises "$1"
    find_source
    set -- "$room" "$source"
    [ -n "${FROM:-}" ] || set -- "$@" mine
    exec "$build/grade" "$@"
}

# graded NUMBER POINTS: the reader's own was; grade says so.
graded() {
    find_room exercises "$1"
    [ "$(recall points)" = "$2" ] || remember points "$2"
    step grade
}

# ------------------------------------------------------------------------------ help and reset

# hints.md holds a section for each, headed "## Hint 1" and so on.
hint() {
    find_room exercises "$1"
    last=$(grep -c '^## ' "$room/hints.md") || { say "$room has no hints."; exit 1; }
    level=${LEVEL:-$(($(recall hints) + 1))}
    case $level in
    *[!0-9]* | '' | 0*) say "LEVEL is a number from 1 to $last."; exit 2 ;;
    esac
    [ "$level" -le "$last" ] || level=$last
    remember hints "$level" || unsaved=" LEVEL=$((level + 1))"
    awk -v level="$level" '/^## / { n++ } n == level' "$room/hints.md" | render
    if [ -n "${EVLINGS_WATCH:-}" ]; then
        echo "($level of $last)"
    elif [ "$level" -lt "$last" ]; then
        echo "($level of $last. The next one: make hint-$n${unsaved:-})"
    elif has_solution; then
        echo "($level of $last, the last one. A solution: make solution-$n)"
    else
        echo "($level of $last, the last one)"
    fi
}

solution() {
    find_room exercises "$1"
    answer=solutions/${room#exercises/}/exercise.c
    [ -f "$answer" ] || { say "There is no $answer here."; exit 1; }
    if [ -t 0 ] && [ -t 1 ] && ! passed; then
        ask "You have not passed exercise $n yet. Show its solution all the same?" || exit 0
    fi
    page < "$answer"
}

# keep FILE: copies it to FILE.bak-N with the first N that is free.
keep() {
    n=1
    while [ -e "$1.bak-$n" ]; do n=$((n + 1)); done
    if cp -p "$1" "$1.bak-$n" && cmp -s "$1" "$1.bak-$n"; then
        echo "What you wrote is kept in $1.bak-$n"
    else
        rm -f "$1.bak-$n"
        say "No copy of $1 could be kept, so it was not changed. Is the disk full?"
        exit 1
    fi
}

# The stub comes from exercises/NN-name/grader/stub.c and not from git: there are copies without git, and
# a reader who commits an answer has made it what git remembers.
reset() {
    find_room exercises "$1"
    mine=$room/exercise.c stub=$room/grader/stub.c
    [ -f "$stub" ] || { say "$stub is missing: get it again from where you got evlings."; exit 1; }
    only_a_file "$mine"
    if cmp -s "$stub" "$mine"; then
        echo "$mine is as it was in the beginning: nothing to do."
        exit 0
    fi
    if [ -e "$mine" ]; then
        ask "Start $mine afresh? A copy of yours will be kept beside it." ||
            { echo "Nothing was changed."; exit 0; }
        keep "$mine"
    fi
    scratch=$mine.new
    if cp "$stub" "$scratch" && mv "$scratch" "$mine"; then
        echo "$mine is the stub again."
    else
        say "$mine was not changed."
        exit 1
    fi
}

stubs() {
    for source in exercises/*/exercise.c; do
        cmp -s "$source" "${source%/*}/grader/stub.c" || cp -v "$source" "${source%/*}/grader/stub.c"
    done
}

command=${1:-}
shift
case $command in
lesson) run_lesson "$@" ;;
timeline) draw_timeline "$@" ;;
show) show "$@" ;;
read) read_chapter "$@" ;;
task) read_task "$@" ;;
exercise) run_exercise "$@" ;;
grade) grade "$@" ;;
graded) graded "$@" ;;
hint) hint "$@" ;;
solution) solution "$@" ;;
reset) reset "$@" ;;
next) next ;;
list) list ;;
end) the_end 2>&1 ;;
stubs) stubs ;;
*) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
