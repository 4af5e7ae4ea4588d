#!/bin/sh
# pages.sh [BUILD] - are the pages of make show-N right? Each lesson's steps through itself in a browser, forwards, back
# and in predict mode (see selftest in page.html), and tells; what it shows as printed in the end is what the program
# prints; after each event it shows what model.js, a second opinion, expects; and axe-core, where it is, finds nothing.
# Many at a time are frames of one page: a browser takes long to begin. FEW=1: one of each lesson.
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD="${1:-${BUILD:-build}}" DISPLAY='' WAYLAND_DISPLAY='' FROM='' SEED=''
if ! sh tools/show/browser.sh; then
    echo 'skipped: there is no chromium to open the pages of make show-N in (make deps-dev)'
    echo '0 passed, 0 failed, 1 skipped'
    exit 0
fi
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0

fail() {
    failed=$((failed + 1))
    echo "failed: $1"
}

for room in lessons/[0-9]*/; do
    number=${room#lessons/}
    sh tools/evlings.sh show "${number%%-*}" 2>/dev/null | grep '\.html$' | sed -n "1,${FEW:-$}p"
done > "$scratch/pages"
if [ -f solutions/04-await/exercise.c ]; then       # what a grader saw, and another order of what is ready
    "${MAKE:-make}" -s show-4 FROM=solutions/04-await PART=3 SEED=5 2>/dev/null
    "${MAKE:-make}" -s show-4 SEED=5 2>/dev/null
    echo "$BUILD/show/lessons/04-await/beside.html"
fi >> "$scratch/pages"

# A copy of each page, which brings the model along.
grep -v '/beside\.html$' "$scratch/pages" | while read -r page; do
    mkdir -p "$scratch/${page%/*}"
    sed "s|</script></html>|</script><script src='file://$PWD/tools/show/model.js'></script></html>|" "$page" > "$scratch/$page"
done

# opened PAGE: the file that is opened for it. last PAGE: what begins the last thing that is said of it.
opened() { case $1 in */beside.html) realpath "$1" ;; *) realpath "$scratch/$1" ;; esac; }
last() { case $1 in */beside.html) opened "$1" ;; *) echo "model $(opened "$1")" ;; esac; }

# ask FILE: opens the pages that it names, and adds what they say of themselves to $scratch/said.
ask() {
    {
        echo '<!doctype html><meta charset="utf-8"><body><script>'
        printf '%s\n' 'addEventListener("message",e=>document.body.append("\n"+e.data+"\n"))</script>'
        while read -r page; do echo "<iframe src='file://$(opened "$page")#selftest'></iframe>"; done < "$1"
    } > "$scratch/all.html"
    sh tools/show/browser.sh --virtual-time-budget=100000 --dump-dom "file://$scratch/all.html" >> "$scratch/said"
}

# silent: those of which nothing was said. A browser on a busy machine may end before it has looked at all.
silent() {
    while read -r page; do
        grep -q " $(last "$page"): " "$scratch/said" || echo "$page"
    done < "$scratch/pages"
}

: > "$scratch/said"
for _ in 1 2 3; do
    silent | split -l 15 - "$scratch/some."
    for pages in "$scratch"/some.*; do [ ! -f "$pages" ] || ask "$pages"; done
    rm -f "$scratch"/some.*
done

while read -r page; do
    said=$(opened "$page") size=$(wc -c < "$page")
    if grep -q "failed.* $said: " "$scratch/said"; then
        fail "$(grep "failed.* $said: " "$scratch/said")"
    elif ! grep -q "ok $said: " "$scratch/said" || ! grep -q "ok $(last "$page"): " "$scratch/said"; then
        fail "$page: the browser says nothing of it"
    elif [ "$size" -gt 300000 ]; then
        fail "$page: a page of $size bytes"
    else
        passed=$((passed + 1))
    fi
done < "$scratch/pages"
[ -s "$scratch/pages" ] || fail 'no page was made'

skipped=''
axe=$BUILD/node_modules/axe-core/axe.min.js
if [ -f "$axe" ]; then
    # shellcheck disable=SC2046  # words
    sh tools/show/access.sh "$axe" $(grep -e /breakfast.html -e /beside.html -e /producer_consumer.html "$scratch/pages") > "$scratch/wrong"
    if [ -s "$scratch/wrong" ]; then fail "access: $(cat "$scratch/wrong")"; else passed=$((passed + 1)); fi
else
    echo "skipped: access: there is no axe-core (npm install --prefix $BUILD axe-core)"
    skipped=', 1 skipped'
fi

echo "$passed passed, $failed failed$skipped"
[ "$failed" -eq 0 ]
