#!/bin/sh
# book.sh - make book: all that there is to read, as a site in $BUILD/book that needs no network and no server.
#
# The pages of make show-N come along, beside their chapters; where a browser without a window is
# installed, evlings.pdf is all of it for paper (PDF=no: not now).
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
book=$build/book
export DISPLAY='' WAYLAND_DISPLAY='' FROM='' SEED='' PART=''

if [ ! -x "$build/tools/book/book" ]; then
    echo "There is no cmark-gfm, which reads the texts: make deps brings it." >&2
    exit 1
fi
rm -rf "$book"
for room in lessons/[0-9]*/; do
    room=${room#lessons/}
    said=$(sh tools/evlings.sh show "${room%%-*}" 2>&1) || { echo "$said" >&2; exit 1; }
done
"$build/tools/book/book" "$book" "$build/show" || exit 1

print() {
    if ! sh tools/show/browser.sh; then
        echo "(There is no chromium to make a PDF with: make deps-dev. Any browser can print $book/whole.html.)"
    else
        PATIENCE=900 sh tools/show/browser.sh --no-pdf-header-footer --generate-pdf-document-outline \
            --print-to-pdf="$book/evlings.pdf" "file://$(realpath "$book")/whole.html" > /dev/null
        if [ -s "$book/evlings.pdf" ]; then
            echo "$book/evlings.pdf"
        else
            echo "(The browser made no PDF of $book/whole.html; any browser can print that.)"
        fi
    fi
}

[ "${PDF:-}" = no ] || print
echo "$book/index.html"
