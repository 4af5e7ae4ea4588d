#!/bin/sh
# test.sh [BUILD] - is the book right? Every link leads to a page and to a place in it, tidy finds nothing to
# say about the HTML, what one sees can be used without a mouse and read by a screen reader (axe-core), and
# search finds. Prints one line for each that fails, then "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/../.." || exit 1
root=$(pwd)
build=$(cd "${1:-${BUILD:-build}}" && pwd) || exit 1
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
passed=0 failed=0 skipped=0

# verdict TITLE: good if nothing stands in $scratch/wrong.
verdict() {
    if [ ! -s "$scratch/wrong" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $1"
        head -n 10 "$scratch/wrong"
    fi
    : > "$scratch/wrong"
}

skip() {
    skipped=$((skipped + 1))
    echo "skipped: $1"
}

if [ ! -x "$build/tools/book/book" ]; then
    skip 'the book: there is no cmark-gfm (make deps)'
    echo '0 passed, 0 failed, 1 skipped'
    exit 0
fi
book=$scratch/book
"$build/tools/book/book" "$book" "$build/show" > "$scratch/wrong" 2>&1
verdict 'it is written without a word'
cd "$book" || exit 1
find . -name '*.html' ! -path './lessons/*/*' -o -path './lessons/*/index.html' -o -path './lessons/*/*.[ch].html' |
    sed 's,^\./,,' | sort > "$scratch/pages"

# ------------------------------------------------------------------------------------- links

# Prints "PAGE: LINK" for each that leads nowhere.
# shellcheck disable=SC2046  # names without blanks
awk '
    function tidied(path,   was) {
        do { was = path; sub(/[^\/]+\/\.\.\//, "", path) } while (path != was)
        return path
    }
    FNR == 1 { page[FILENAME] = 1 }
    {
        for (rest = $0; match(rest, / id="[^"]*"/); rest = substr(rest, RSTART + RLENGTH))
            id[FILENAME "#" substr(rest, RSTART + 5, RLENGTH - 6)]++
        for (rest = $0; match(rest, /(href|src)="[^"]*"/); rest = substr(rest, RSTART + RLENGTH)) {
            url = substr(rest, RSTART, RLENGTH); sub(/^[a-z]*="/, "", url); sub(/"$/, "", url)
            if (url !~ /^(https?|data):/) link[FILENAME "\t" url]
        }
    }
    END {
        for (key in id) if (id[key] > 1) print key ": twice"
        for (key in link) {
            split(key, part, "\t"); at = part[1]; url = part[2]
            folder = at; if (!sub(/[^\/]*$/, "", folder)) folder = ""
            file = url; sub(/#.*/, "", file); place = url; if (!sub(/^[^#]*#/, "", place)) place = ""
            file = file == "" ? at : tidied(folder file)
            if (!(file in page) && (getline line < file) < 0) print at ": " url ": there is no " file
            else if (place != "" && !((file "#" place) in id)) print at ": " url ": no such place"
            close(file)
        }
    }' $(cat "$scratch/pages") > "$scratch/wrong"
verdict 'links'

for name in async_gather async_create_task ASYNC_TIMEOUT await async_queue; do
    grep -q "id=\"$name\"" runtime/async.h.html || echo "$name is not told of in async.h.html"
done > "$scratch/wrong"
verdict 'names of async.h'

# ------------------------------------------------------------------------------------- HTML

if command -v tidy >/dev/null; then
    # Attributes for screen readers that are younger than tidy are fine; so are places that one cannot see.
    xargs tidy -q -e --gnu-emacs yes --drop-empty-elements no < "$scratch/pages" 2>&1 |
        grep -v 'proprietary attribute "aria-\|attribute name "loading"\|proprietary attribute "loading"' > "$scratch/wrong"
    verdict 'HTML'
else
    skip 'HTML: there is no tidy (make deps-dev)'
fi

# ---------------------------------------------------------------------------------- in a browser

# A page searches when it has been loaded, and tells what it found.
try_it() {
    cat <<'END'
<script>
addEventListener('load', async () => {
    const words = document.getElementById('words'), found = document.getElementById('found');
    words.value = 'gather';
    words.dispatchEvent(new Event('input'));
    while (found.hidden) await new Promise(done => setTimeout(done, 20));
    const links = [...found.querySelectorAll('a')].map(a => a.textContent);
    parent.postMessage(`search ${links[0] === 'async_gather' && links.length > 3 ? 'finds' : 'fails: ' + links}`, '*');
});
</script>
END
}

in_browser() {
    try_it > "$scratch/try"
    {
        printf '%s\n' '<!doctype html><meta charset="utf-8"><body><script>' \
            'addEventListener("message", e => document.body.append("\n" + e.data + "\n"))</script>'
        for page in $some; do
            cat "$page.html" "$scratch/try" > "$page.tried.html"
            echo "<iframe width=1000 height=700 src='$page.tried.html'></iframe>"
        done
    } > tried.html
    sh "$root/tools/show/browser.sh" --virtual-time-budget=60000 --dump-dom "file://$book/tried.html" > "$scratch/said"
    times=$(grep -c '^search finds$' "$scratch/said")
    [ "$times" -eq 4 ] || echo "$times of 4 pages found async_gather first" > "$scratch/wrong"
    verdict 'search'
    if [ -f "$axe" ]; then
        # shellcheck disable=SC2046,SC2086  # words
        sh "$root/tools/show/access.sh" "$axe" $(printf '%s.html ' $some) > "$scratch/wrong"
        verdict 'access'
    else
        skip "access: there is no axe-core (npm install --prefix ${build#"$root"/} axe-core)"
    fi
}

some='index lessons/04-await/index exercises/04-await/index runtime/core/sleep.c'
axe=$build/node_modules/axe-core/axe.min.js
if sh "$root/tools/show/browser.sh"; then
    in_browser
else
    skip 'search and access: there is no chromium (make deps-dev)'
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
