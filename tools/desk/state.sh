#!/bin/sh
# state.sh - where a reader is; a part of evlings.sh.
#
# .evlings is a small file for people, too. Its first line says where they are, and what they did last:
#
#     current 4 hint
#     exercise 3 points 5/5 hints 0
#     exercise 4 points 3/6 hints 1
#
# The points are the best that there were. Whoever loses the file loses ticks, nothing else.
# shellcheck disable=SC2154  # evlings.sh has set n, room, name
state=.evlings
tick=x

# update PROGRAM VARIABLE...: puts awk's version of the state in its place; several may do so at once.
update() {
    program=$1
    shift
    (
        exec 2>/dev/null
        command -v flock >/dev/null && flock 9
        { cat "$state" || echo "# for make next and make list; losing it loses ticks, nothing else"; } |
            awk "$@" "$program" > "$state.$$" && mv "$state.$$" "$state" || { rm -f "$state.$$"; false; }
    ) 9< tools
}

# remember FIELD VALUE: of exercise $n. Of points only what is better than before.
remember() {
    # shellcheck disable=SC2016
    update '
        function share(points,   of) { split(points, of, "/"); return of[2] ? of[1] / of[2] : 0 }
        function print_changed() {
            if (field == "hints") hints = value
            else if (share(value) >= share(points)) points = value
            print "exercise", n, "points", points, "hints", hints
            n = ""
        }
        BEGIN { points = "-"; hints = 0 }
        $1 == "exercise" && $2 == n { points = $4; hints = $6; print_changed(); next }
        { print }
        END { if (n != "") print_changed() }' -v n="$n" -v field="$1" -v value="$2"
}

# recall FIELD: of exercise $n.
recall() {
    awk -v n="$n" -v field="$1" '$1 == "exercise" && $2 == n { print field == "hints" ? $6 : $4; exit }' \
        "$state" 2>/dev/null
}

# passed: exercise $n, with full marks, at any time?
passed() {
    best=$(recall points)
    case $best in
    */*) [ "${best%/*}" = "${best#*/}" ] ;;
    *) return 1 ;;
    esac
}

# has_solution: is that of exercise $n here? It is in no hand-out.
has_solution() { ls solutions/"$(printf %02d "$n")"-*/exercise.c >/dev/null 2>&1; }

# step WHAT: that was done in lesson $n. Notes it, and says what comes next. make watch says that itself,
# and to have opened a task there is all that counts.
step() {
    [ -z "${EVLINGS_WATCH:-}" ] || [ "$1" = task ] || return 0
    update 'BEGIN { print "current", n, step } $1 != "current"' -v n="$n" -v step="$1"
    [ -z "${EVLINGS_WATCH:-}" ] || return 0
    say ''
    come_next "$1"
}

# come_next WHAT: what follows that, in lesson $n.
come_next() {
    at exercises "$n" || {
        case $1 in
        read) say "Next: make lesson-$n runs its program." ;;
        lesson) say "Next: make timeline-$n draws what it did. Then lesson $(after lessons): make read-$(after lessons)" ;;
        *) say "Next: make read-$(after lessons)" ;;
        esac
        return
    }
    case $1 in
    read) say "Next: make lesson-$n runs the chapter's programs." ;;
    lesson) say "Next: make timeline-$n draws what they did. Or on to the exercise: make task-$n" ;;
    timeline) say "Next: make task-$n, what there is to do for you." ;;
    task) say "Next: edit $room/exercise.c. make exercise-$n runs it, make watch grades it whenever you save." ;;
    *)
        if ! passed; then
            say "Next: make grade-$n after each change in $room/exercise.c (make watch does it when you save)." \
                "Stuck? make hint-$n"
        elif [ -n "$(after exercises)" ]; then
            say "Exercise $n is passed. Next: make read-$(after exercises).$(
                ! has_solution || echo " Another way to do this one: make solution-$n")"
        else
            the_end
        fi
        ;;
    esac
}

# after KIND: the number that follows $n, or nothing.
after() {
    for following in "$1"/[0-9]*/; do
        following=${following#*/} following=${following%%-*} following=${following#0}
        [ "$following" -le "$n" ] || { echo "$following"; return; }
    done
}

# each_exercise PROGRAM: runs awk over the state and then over the folders of all exercises, in order; for
# each of those, n, name, points, hints and passed are set before the program.
each_exercise() {
    { cat "$state" 2>/dev/null; printf '%s\n' exercises/[0-9]*/; } | awk -v tick="$tick" '
        function full(points,   of) { split(points, of, "/"); return of[2] != "" && of[1] == of[2] }
        $1 == "current" { here = $2 }
        $1 == "exercise" { all_points[$2] = $4; all_hints[$2] = $6; next }
        !/^exercises\// { next }
        {
            name = $0; gsub(/^exercises\/|\/$/, "", name); n = name + 0; sub(/^[0-9]*-/, "", name)
            points = all_points[n]; hints = all_hints[n] + 0; passed = full(points)
            sub(/^-$/, "", points)
        }'"$1"
}

# The exercises that are not passed, in words: "3, 7".
still_open() {
    each_exercise '!passed { printf "%s%d", comma, n; comma = ", " }'
}

the_end() {
    rest=$(still_open)
    if [ -n "$rest" ]; then
        say "That was the last exercise, and it is passed. Still open: $rest. make list shows them all."
        return
    fi
    render >&2 <<END
That was the last one, and all of them are passed.

You began with a function that could not wait. Since then you have written programs that do many
things at once in one thread: that give up in time, clean up behind themselves on every way out,
pass errors to whom they concern, and end when they are asked to. You know what each await costs and
who runs meanwhile. There is nothing in asyncio that will surprise you now.

From here on:
  - Read what you have been standing on: runtime/README.md is a tour of an hour.
  - Write what you missed while you read: a server, a crawler, a game for two.
    build/libasync.a and runtime/async.h are all that it takes.
  - Explain it to somebody. make read-1 is where they begin.
END
}

# make next: where am I, what now?
next() {
    read -r key n what 2>/dev/null < "$state"
    if [ "${key:-}" != current ] || ! at lessons "${n:-}"; then
        read_chapter 0
        return
    fi
    title=$name
    ! at exercises "$n" || points=$(recall points)
    case ${points:-} in
    *[0-9]*) points="; exercise $n: $points points" ;;
    *) points= ;;
    esac
    say "You are in lesson $n, $title$points."
    come_next "$what"
    say "All of it: make list. All commands: make help"
}

# make list: a line for each exercise.
list() {
    case ${LC_ALL:-${LC_CTYPE:-${LANG:-}}} in
    *[Uu][Tt][Ff]*8*) tick=✓ ;;
    esac
    # shellcheck disable=SC2016
    each_exercise '
        {
            line = sprintf("%s %2d  %-20s %7s  %-8s %s", passed ? tick : " ", n, name, points,
                           hints ? hints " hint" (hints > 1 ? "s" : "") : "", n == here ? "<- you are here" : "")
            sub(/ *$/, "", line); print line
            rooms++; sum += points; well += passed
        }
        END { printf "%d of %d passed, %d points. What now: make next\n", well, rooms, sum }'
}
