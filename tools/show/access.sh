#!/bin/sh
# access.sh AXE PAGE.html... - can these pages be used without a mouse, and read by a screen reader? axe-core, in the file
# AXE, looks at each in light and in dark, as wide as a screen and as a phone. Prints what it finds wrong, a line each, and
# which page it did not look at four times. A copy of each page lies beside it meanwhile.
set -u
axe=$1
shift
frames=$(mktemp -d) || exit 1
copies() { for page; do rm -f "${page%.html}.seen.html"; done; }
trap 'rm -rf "$frames"; copies "$@"' EXIT
trap 'exit 1' HUP INT TERM

for page; do
    {
        cat "$page"
        printf '<script>'
        cat "$axe"
        cat <<'END'
</script><script>
addEventListener('load', async () => {
    for (const theme of ['light', 'dark']) {
        document.documentElement.dataset.theme = theme;
        for (const v of (await axe.run()).violations)
            for (const n of v.nodes) parent.postMessage(`axe: ${v.impact} ${v.id} ${theme} ${location.pathname} ${n.target}`, '*');
        parent.postMessage(`looked ${location.pathname}`, '*');
    }
});
</script>
END
    } > "${page%.html}.seen.html"
done
{
    printf '%s\n' '<!doctype html><meta charset="utf-8"><body><script>' \
        'addEventListener("message", e => document.body.append("\n" + e.data + "\n"))</script>'
    for page; do
        for width in 1000 390; do
            echo "<iframe width=$width height=700 src='file://$(realpath "${page%.html}.seen.html")'></iframe>"
        done
    done
} > "$frames/all.html"
sh "$(dirname "$0")/browser.sh" --virtual-time-budget=60000 --dump-dom "file://$frames/all.html" > "$frames/said"

grep '^axe: ' "$frames/said" | sort -u
for page; do
    looks=$(grep -c "^looked .*/$(basename "${page%.html}").seen\.html$" "$frames/said")
    [ "$looks" -ge 4 ] || echo "axe looked $looks times at $page"
done
