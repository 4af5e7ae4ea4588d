#!/bin/sh
# test.sh [BUILD] - the desk, as a learner uses it: what is remembered, how text flows, make watch in a
# terminal. Works in a copy of one exercise. Prints one line for each check, then
# "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$(pwd)
build=$(cd "${1:-build}" && pwd) || exit 1
desk=$(mktemp -d) || exit 1
terminal="tmux -L evlings-$$"
trap '$terminal kill-server 2>/dev/null; rm -rf "$desk"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0 skipped=0
export BUILD="$build"
unset COLUMNS NO_COLOR PLAIN FROM

for part in Makefile tools lessons runtime solutions; do [ ! -e "$part" ] || ln -s "$root/$part" "$desk/$part"; done
mkdir "$desk/exercises"
for room in 04-await 05-tasks; do
    cp -Rp "exercises/$room" "$desk/exercises/"
    cp "exercises/$room/grader/stub.c" "$desk/exercises/$room/exercise.c"
done
cd "$desk" || exit 1

# holds WHAT COMMAND...: does it succeed?
holds() {
    what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok    $what"
    else
        failed=$((failed + 1))
        echo "FAIL  $what"
    fi
}
says() { grep -q -- "$1" "$desk/said"; }
evlings() { sh tools/evlings.sh "$@" > "$desk/said" 2>&1 < /dev/null; }

# ------------------------------------------------------------------------------- remembered

evlings list
holds 'nothing is passed at first' says '^0 of 2 passed'
evlings hint 4
holds 'the first hint' says 'Hint 1'
evlings hint 4
holds 'the second time the second hint' says 'Hint 2'
evlings graded 4 6/6
evlings graded 4 2/6
holds 'the best points stay' grep -qx 'exercise 4 points 6/6 hints 2' .evlings
evlings list
holds 'what is passed is counted' says '^1 of 2 passed, 6 points'
evlings task 0
holds 'lesson 0 has no exercise, and that is said kindly' says 'Lesson 0, how-this-works, has no exercise'
echo garbage > .evlings
evlings next
holds 'a broken state only loses ticks' says 'How this works'
rm -f .evlings

# ------------------------------------------------------------------------------------- text

if [ -x "$build/flow" ]; then
    printf '# Head\n\none two three **four five** six\n\n- a list whose line is long\n\n| a | b |\n|---|---|\n| x | yy |\n' > text.md
    printf '\n```\n  one two three four five six\n```\n' >> text.md
    printf '# Head\n\none two three four\nfive six\n\n- a list whose line\n  is long\n\na  b\n-  --\nx  yy\n' > wanted
    printf '\n  one two three four\n      five six\n' >> wanted
    COLUMNS=21 "$build/flow" text.md > got
    holds 'text flows' cmp wanted got
    COLUMNS=60 "$build/flow" "$root/exercises/04-await/README.md" > got
    holds 'no line of a task is wider than 60 columns' awk 'length($0) > 60 { bad = 1 } END { exit bad }' got
    COLUMNS=80 "$build/flow" "$root/lessons/20-task-groups/README.md" | grep -v '[^ -~]' > got
    holds 'no listing of a chapter is wider than 80' awk 'length($0) > 80 { bad = 1 } END { exit bad }' got
else
    skipped=$((skipped + 1))
    echo 'skipped: text: there is no cmark-gfm (make deps)'
fi

# ------------------------------------------------------------------------------------ watch

screen() { $terminal capture-pane -p 2>/dev/null; }

# Of the terminal's processes: how many want to run, and the time that they had, in the kernel's ticks.
work() {
    cat /proc/[0-9]*/stat 2>/dev/null |
        awk -v session="$($terminal display-message -p '#{pane_pid}' 2>/dev/null)" '
            { sub(/.*\) /, "") } $4 == session { time += $12 + $13; busy += $1 ~ /[RD]/ } END { print busy + 0, time + 0 }'
}

# shows TEXT: sooner or later. A machine may be slow, so what counts is that nothing goes on there any more: watch
# itself looks at the file now and then, and no more.
shows() {
    idle=0 before=0
    while [ "$idle" -lt 8 ]; do
        for _ in 1 2 3 4 5; do
            ! screen | grep -q -- "$1" || return 0
            sleep 0.2
        done
        read -r busy time <<END
$(work)
END
        idle=$((idle + 1))
        { [ "$busy" -eq 0 ] && [ $((time - before)) -lt 10 ]; } || idle=0
        before=$time
    done
    screen
    return 1
}

# ended SESSION: has the last of its processes gone, sooner or later?
ended() {
    for _ in $(seq 300); do
        cat /proc/[0-9]*/stat 2>/dev/null | awk -v session="$1" '{ sub(/.*\) /, "") } $4 == session { n++ } END { exit n > 0 }' &&
            return 0
        sleep 0.2
    done
    return 1
}

watch() {
    terminal="tmux -L evlings-$$-gone"
    $terminal new-session -d -x 80 -y 24 "TERM=xterm exec make -s watch-4"
    holds 'a terminal' shows 'Score: 0/6'
    session=$($terminal display-message -p '#{pane_pid}')
    $terminal kill-server
    holds 'when it is closed nobody looks on' ended "$session"
    for columns in 60 200; do
        terminal="tmux -L evlings-$$-$columns"
        $terminal new-session -d -x $columns -y 24 "TERM=xterm make -s watch-4; sleep 1000"
        holds "$columns columns: a verdict" shows 'Score: 0/6'
        holds "$columns columns: its keys" shows 'q.*uit'
        $terminal send-keys h
        holds "$columns columns: a hint" shows 'Hint [123]'
        $terminal kill-server
    done
    mv solutions none                               # as students may have it
    terminal="tmux -L evlings-$$-none"
    $terminal new-session -d -x 80 -y 24 "TERM=xterm make -s watch-4; sleep 1000"
    holds 'without solutions: a verdict' shows 'Score: 0/6'
    $terminal send-keys h h h
    holds 'without solutions: the last hint' shows 'That was the last hint\.$'
    $terminal send-keys s
    holds 'without solutions: s' shows 'There is no solution here'
    $terminal kill-server
    mv none solutions
    rm -f .evlings
    terminal="tmux -L evlings-$$"
    $terminal new-session -d -x 80 -y 24 "TERM=xterm make -s watch-4; echo over; sleep 1000"
    holds 'before the save' shows 'Score: 0/6'
    $terminal send-keys s
    holds 'no solution before points or hints' shows 'First all points'
    $terminal send-keys n
    holds 'n asks whether to leave it' shows 'not passed yet'
    $terminal send-keys x
    cp "$root/solutions/04-await/exercise.c" exercises/04-await/new && mv exercises/04-await/new exercises/04-await/exercise.c
    holds 'an editor that replaces the file is noticed' shows 'Passed'
    $terminal send-keys r
    holds 'reset asks' shows 'afresh'
    $terminal send-keys y
    holds 'and then is graded anew' shows 'Score: 0/6'
    $terminal send-keys n
    holds 'what was passed once may be left' shows '^ 5 tasks'
    $terminal send-keys c
    holds 'c checks all' shows 'Checked: 0 of 2'
    $terminal send-keys f f
    holds 'f leaves those that are passed' shows '^  x  4  await'
    $terminal send-keys f Up Enter
    holds 'the list opens one' shows '^ 4 await'
    $terminal send-keys s
    holds 's after passing' shows '^ 4 a solution'
    cp "$root/solutions/05-tasks/exercise.c" exercises/05-tasks/exercise.c
    $terminal send-keys n
    holds 'n after passing' shows 'Passed. That was the last'
    $terminal send-keys n
    holds 'the end' shows 'You began with a function that could not wait'
    $terminal send-keys q
    holds 'q ends it' shows over
}

if ! tmux -V >/dev/null 2>&1; then
    skipped=$((skipped + 1))
    echo 'skipped: make watch: tmux is not installed'
elif [ ! -f "$root/solutions/04-await/exercise.c" ] || [ ! -f "$root/solutions/05-tasks/exercise.c" ]; then
    skipped=$((skipped + 1))
    echo 'skipped: make watch: a copy without solutions'
else
    watch
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
