#!/bin/sh
# test.sh [BUILD] - grade-class: is everybody taken in as he should be, judged as he should be, and nothing else
# touched? A class of some forty, most of whom cannot be graded, is graded, killed in between, and graded on.
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD="${1:-${BUILD:-build}}"
unset FROM OUT N JOBS SEED DUE ONLY RERUN VARIANTS SANDBOX
skip() { printf 'skipped: grade-class: %s\n0 passed, 0 failed, 1 skipped\n' "$1"; exit 0; }
for need in libarchive jansson libmd libseccomp bubblewrap; do
    sh tools/deps.sh have "$need" || skip "there is no $need (make deps-class)"
done
bwrap --ro-bind / / --unshare-pid --unshare-net --proc /proc true 2>/dev/null ||
    skip 'bubblewrap is here, but is not allowed to make a sandbox'
answer=solutions/04-await/exercise.c
[ -f "$answer" ] || skip 'there is no solution in this copy'

place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
class=$place/class out=$place/out
passed=0 failed=0
ok() { passed=$((passed + 1)); }
not_ok() { failed=$((failed + 1)); echo "FAIL  $1"; [ ! -f "$place/said" ] || sed 's/^/      /' "$place/said"; }

# ------------------------------------------------------------------------------- the class

# hand_in STUDENT FILE: what is read goes there.
hand_in() { mkdir -p "$class/$1" "$(dirname "$class/$1/$2")" && cat > "$class/$1/$2"; }
stub=exercises/04-await/grader/stub.c
mkdir "$class"
: > "$place/expected"
expect() { printf '%s,%s\n' "$1" "$2" >> "$place/expected"; }

hand_in right exercise.c < "$answer"; expect right 'graded 6'
hand_in stub exercise.c < "$stub"; expect stub 'graded 0'
hand_in name 'my great answer.c' < "$answer"; expect name 'graded 6'
hand_in nested a/b/c/exercise.c < "$answer"; expect nested 'graded 6'
hand_in broken exercise.c < /dev/null; echo 'int main(void) { return 1 }' >> "$class/broken/exercise.c"; expect broken 'does_not_compile 0'
hand_in empty exercise.c < /dev/null; expect empty 'does_not_compile 0'
sed 's/$/\r/' "$answer" | hand_in crlf exercise.c; expect crlf 'graded 6'
{ printf '\377\376'; iconv -f UTF-8 -t UTF-16LE "$answer"; } | hand_in utf16 exercise.c; expect utf16 'graded 6'
{ printf '\357\273\277'; cat "$answer"; } | hand_in bom exercise.c; expect bom 'graded 6'
# shellcheck disable=SC2016  # names are data
for odd in "a'quote" '$HOME' '$(touch pwned)' '-x' 'Übung 😀' 'two words' '"quoted"' '=1+1' 'a,b'; do
    hand_in "./$odd" exercise.c < /dev/null
    expect "$odd" 'does_not_compile 0'
done
hand_in two one.c < "$stub"; hand_in two two.c < "$stub"; expect two 'several_files 0'
mkdir "$class/none"; expect none 'no_file 0'
hand_in text answer.txt < "$answer"; expect text 'no_file 0'
{ cat "$answer"; head -c 300000 /dev/zero | tr '\0' '\n'; } | hand_in huge exercise.c; expect huge 'too_big 0'
mkdir "$class/link" "$class/pipe"
ln -s "$PWD/$answer" "$class/link/exercise.c"; expect link 'refused 0'
ln -s "$PWD/solutions" "$class/folder-link"; expect folder-link 'refused 0'
mkfifo "$class/pipe/exercise.c"; expect pipe 'refused 0'
echo '#include "/dev/zero"' | hand_in zero exercise.c; expect zero 'refused 0'
echo '#include "../solutions/04-await/exercise.c"' | hand_in thief exercise.c; expect thief 'refused 0'
echo '#include "solutions/04-await/exercise.c"' | hand_in inside exercise.c; expect inside 'does_not_compile 0'
{ cat "$stub"; echo 'int system(const char *); __attribute__((constructor)) void go(void) { system("touch pwned"); }'; } |
    hand_in shell exercise.c; expect shell 'refused 0'
cp "$stub" "$class/lovelaceada_LATE_123_456_exercise-4.c"; expect lovelaceada 'graded 0'
cp "$answer" "$class/hopperg_77_78_exercise-4-1.c"; expect hopperg 'graded 6'
mkdir "$class/Grace Hopper_99_assignsubmission_file"
cp "$answer" "$class/Grace Hopper_99_assignsubmission_file/"; expect 'Grace Hopper' 'graded 6'
(cd "$class/right" && tar czf ../tarred.tgz exercise.c && tar cf ../hopperg_5_6_x.tar exercise.c && rm ../hopperg_5_6_x.tar)
expect tarred 'graded 6'
echo rubbish > "$class/damaged.zip"; expect damaged 'refused 0'
cp "$stub" "$place/e.c" && (cd "$place" && tar cf "$class/evil.tar" --transform 's|^|../../|' -P e.c && rm e.c)
expect evil 'no_file 0'
mkdir -p "$class/clone/.git" "$class/clone/exercises/04-await" "$class/clone/exercises/05-tasks"
cp "$answer" "$class/clone/exercises/04-await/"; cp "$stub" "$class/clone/exercises/05-tasks/exercise.c"; expect clone 'graded 6'
hand_in ./__MACOSX exercise.c < "$stub"                     # nobody's

# ------------------------------------------------------------------------------- graded

class_of() { "${MAKE:-make}" -s grade-class FROM="$class" OUT="$out" N=4 SEED=7 > "$place/said" 2>&1 < /dev/null; }
things() { find "$class" exercises runtime tools solutions -exec stat -c '%n %s %Y %f' {} + | sort | cksum; }

"${MAKE:-make}" -s grade-class > "$place/said" 2>&1         # builds what there is to build without a class
"${MAKE:-make}" -s N=4 grade-class FROM="$place/nothing" OUT="$place/nowhere" > "$place/said" 2>&1 && not_ok 'a FROM that is not there'
before=$(things)
(exec setsid sh -c 'exec "$@"' - "${MAKE:-make}" -s grade-class FROM="$class" OUT="$out" N=4 SEED=7 > "$place/said" 2>&1 < /dev/null) &
killed=$!
for _ in $(seq 600); do [ "$(find "$out/results" -name '*.json' 2>/dev/null | wc -l)" -lt 3 ] || break; sleep 0.1; done
kill -9 -- "-$killed" 2>/dev/null
wait "$killed" 2>/dev/null
for _ in $(seq 50); do pgrep -f "$out/.work" >/dev/null || break; sleep 0.1; done
if pgrep -f "$out/.work" > "$place/said"; then not_ok 'killed, and something goes on'; else ok; fi
find "$out/results" -name '*.json' -exec stat -c '%n %Y %i' {} + | sort > "$place/then"

if class_of; then ok; else not_ok 'a class with nobody whom our own fault kept from a verdict: the status'; fi
find "$out/results" -name '*.json' -exec stat -c '%n %Y %i' {} + | sort > "$place/later"
if [ -s "$place/then" ] && [ -z "$(comm -23 "$place/then" "$place/later")" ]; then ok; else not_ok 'what was judged before the kill was judged again'; fi
if [ "$(things)" = "$before" ]; then ok; else not_ok 'something outside of OUT has changed'; fi
if [ ! -e pwned ] && [ ! -e "$class/pwned" ] && [ ! -e "$place/e.c" ]; then ok; else not_ok 'a name or a program wrote elsewhere'; rm -f pwned; fi
if [ -z "$(find "$out" -name '*.part' -o -name .work)" ]; then ok; else not_ok 'something half done is left'; fi

# The table as "student,status score", with a program that knows CSV: the records themselves.
while IFS= read -r line; do
    student=${line%,*} verdict=${line##*,}
    file=$(printf '%s' "$student" | sed 's|^\.|_|')
    json=$out/results/$file.json
    got=$(sed -n 's/^ "status": "\(.*\)",$/\1/p; s/^ "score": \(.*\),$/\1/p' "$json" 2>/dev/null | tr '\n' ' ')
    if [ "$got" = "$verdict " ] && [ -s "$out/feedback/$file.txt" ]; then ok; else cp "$json" "$place/said"; not_ok "$student: $got, and not $verdict"; fi
done < "$place/expected"
rows=$(($(wc -l < "$out/grades.csv") - 1))
if [ "$rows" -eq "$(wc -l < "$place/expected")" ]; then ok; else not_ok "grades.csv has $rows rows"; fi
if grep -q "^'=1+1," "$out/grades.csv" || grep -q "^\"'=1+1\"," "$out/grades.csv"; then ok; else not_ok 'a name that a spreadsheet would compute'; fi
if grep -q '^lovelaceada,123,04-await,graded,0,6,0,0,0,yes,7,' "$out/grades.csv"; then ok; else not_ok 'late, says Canvas'; fi
if grep -q '^04-await,3,' "$out/items.csv"; then ok; else not_ok 'items.csv'; fi

# The page, in a browser: a row for each.
if sh tools/show/browser.sh; then
    for browser in chromium chromium-browser google-chrome; do ! command -v "$browser" >/dev/null || break; done
    timeout 120 "$browser" --headless --no-sandbox --disable-gpu --no-first-run --disable-quic \
        --disable-background-networking --disable-component-update --disable-sync \
        --user-data-dir="$place/profile" --dump-dom "file://$out/report.html" 2>/dev/null |
        grep -o 'aria-expanded="false"' > "$place/shown"
    if [ "$(wc -l < "$place/shown")" -eq "$rows" ]; then ok; else not_ok 'report.html in a browser'; fi
else
    echo 'skipped: there is no chromium to open report.html in (make deps-dev)'
fi

# The same bytes once more, from an archive and elsewhere.
cp "$out/feedback/right.txt" "$place/right.txt"
grep '"hash"' "$out/results/right.json" > "$place/hash"
(cd "$place" && mkdir few && cp -r class/right class/none few/ && tar czf few.tgz few && rm -r few)
"${MAKE:-make}" -s grade-class FROM="$place/few.tgz" OUT="$place/again" N=4 SEED=7 > "$place/said" 2>&1 < /dev/null
if grep '"hash"' "$place/again/results/right.json" | cmp -s - "$place/hash" && cmp -s "$place/right.txt" "$place/again/feedback/right.txt"; then
    ok
else
    not_ok 'the same submission, other bytes'
fi
if [ "$(wc -l < "$place/again/grades.csv")" -eq 3 ]; then ok; else not_ok 'an archive of a folder of students'; fi

# Mistakes in the call.
"$BUILD/grade-class" --help > "$place/said" 2>&1 && grep -q usage: "$place/said" && ok || not_ok '--help'
"$BUILD/grade-class" > "$place/said" 2>&1
if [ $? -eq 2 ]; then ok; else not_ok 'without anything: status 2'; fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
