#!/bin/sh
# test.sh [BUILD] - grade-class: is everybody taken in as he should be, judged as he should be, and nothing else
# touched? A class of some forty, most of whom cannot be graded, is graded, killed in between, and graded on.
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD="${1:-${BUILD:-build}}"
unset FROM OUT N JOBS SEED DUE ONLY RERUN VARIANTS SANDBOX WEIGHTS LATE HIDDEN RELEASED
skip() { printf 'skipped: grade-class: %s\n0 passed, 0 failed, 1 skipped\n' "$1"; exit 0; }
for need in libarchive jansson libmd libseccomp; do
    sh tools/deps.sh have "$need" || skip "there is no $need (make deps-class)"
done
answer=solutions/04-await/exercise.c
[ -d solutions/04-await/answers ] || skip 'there are no known answers in this copy'

place=$(mktemp -d) && chmod 711 "$place" || exit 1          # nobody in particular has to find the way
trap 'rm -rf "$place"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
class=$place/class out=$place/out
passed=0 failed=0
ok() { passed=$((passed + 1)); }
not_ok() { failed=$((failed + 1)); echo "FAIL  $1"; [ ! -f "$place/said" ] || sed 's/^/      /' "$place/said"; }
says() { if grep -q -- "$1" "$2"; then ok; else [ "$2" = "$place/said" ] || cp "$2" "$place/said"; not_ok "$3"; fi; }

# Which sandboxes are there? The class is graded in the first of them, as nobody asks for another.
tiers=
for tier in bubblewrap landlock; do
    if "${MAKE:-make}" -s grade-class ONE=exercises/04-await/grader/stub.c N=4 SANDBOX=$tier > "$place/said" 2>&1; then
        tiers="$tiers $tier"
    elif grep -q 'sandbox cannot be made' "$place/said"; then
        echo "skipped: grade-class with $tier: it is not here, or not allowed to make a sandbox"
    else
        not_ok "the first grading with $tier"
    fi
done
[ -n "$tiers" ] || skip 'there is no sandbox'

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
# What pretends to be the grader's words, and what would end it, through a call that async.h has.
sed 's/^async_value download.*/static void evil(void) { puts("--|>\\nok    3\/3  all of it\\nStatus: graded\\nScore: 6\/6\\nGrade :=>> 6\\n"); }\n&/; s/^{$/{ evil();/' "$stub" |
    hand_in forger exercise.c; expect forger 'graded 0'
sed 's/^async_value download.*/static void evil(void) { (void)async_catch(async_create_subprocess_shell("kill -9 -1", 0)); }\n&/; s/^{$/{ evil();/' "$stub" |
    hand_in killer exercise.c; expect killer 'graded 0'
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
# Two that are one student's: neither is chosen silently, even if one of them is a whole tree.
(cd "$class/clone" && tar czf ../both.tgz exercises) && tar cf "$class/both.tar" -C "$class/stub" exercise.c; expect both 'several_files 0'
(cd "$class/clone" && tar czf ../twice.tgz exercises) && cp "$stub" "$class/twice.c"; expect twice 'several_files 0'
# Two whose names are too long for a file's, and the same up to there; one whose name, and whose files' names, would move
# a terminal.
long=$(printf '%0200d' 0)
hand_in "$long" exercise.c < "$answer"; hand_in "${long}1" exercise.c < "$answer"
escape=$(printf '\033') move=$(printf 'mo\033[2Jve\302\233\177')
hand_in "$move" "a$escape.c" < "$stub"; hand_in "$move" b.c < "$stub"; expect 'mo?[2Jve???' 'several_files 0'

# A compiler names files; none of them lies where somebody's tree or a grading does. And whose names are those of graders?
{ echo '#pragma GCC poison printf'; cat "$stub"; } | hand_in poison exercise.c; expect poison 'does_not_compile 0'
{ cat "$stub"; echo 'int student_main(void) { return 0; }'; } | hand_in ours exercise.c; expect ours 'graded 0'

# Bytes that are no text, and one that makes no UTF-16 of it.
{ cat "$answer"; printf '/* \000 */\n'; } | hand_in nul exercise.c; expect nul 'refused 0'
printf 'a\0b' | hand_in odd exercise.c; expect odd 'refused 0'
{ printf '\377\376\0\0'; iconv -f UTF-8 -t UTF-32LE "$answer"; } | hand_in utf32 exercise.c; expect utf32 'refused 0'
iconv -f UTF-8 -t UTF-16BE "$answer" | hand_in utf16be exercise.c; expect utf16be 'graded 6'

# A tar whose end is missing, even right behind one of its files.
mkdir "$place/tar" && cp "$answer" "$place/tar/a.c" && cp "$stub" "$place/tar/b.c"
tar cf "$place/tar/all.tar" --format=ustar -C "$place/tar" a.c b.c
head -c $((512 + ($(wc -c < "$answer") + 511) / 512 * 512)) "$place/tar/all.tar" > "$class/cut.tar"; expect cut 'refused 0'

# A zip whose end is missing, wherever that was cut off, even right behind a zip in it; one whose bytes have changed; and
# one with a password.
mkdir "$place/zip"
if zip --version >/dev/null 2>&1; then
    (cd "$place/zip" && cp "$OLDPWD/$answer" ada.c && cp ada.c eve.c && cp ada.c fay.c && zip -q eve.zip eve.c && zip -q0 all.zip ada.c eve.zip fay.c &&
        zip -qP secret "$class/locked.zip" ada.c && sed 's/download/downlaod/' all.zip > "$class/changed.zip")
    expect locked 'refused 0'; expect changed 'refused 0'
fi

# ------------------------------------------------------------------------------- graded

class_of() { "${MAKE:-make}" -s grade-class FROM="$class" OUT="$1" N=4 SEED=7 SANDBOX="$2" > "$place/said" 2>&1 < /dev/null; }
things() { find "$class" exercises runtime tools solutions -exec stat -c '%n %s %Y %f' {} + | sort | cksum; }

"${MAKE:-make}" -s grade-class > "$place/said" 2>&1         # builds what there is to build without a class
"${MAKE:-make}" -s N=4 grade-class FROM="$place/nothing" OUT="$place/nowhere" > "$place/said" 2>&1 && not_ok 'a FROM that is not there'
for part in compile compile-watched assemble; do
    if head -n 1 "$BUILD/include/$part" | grep -q .; then ok; else not_ok "what the compiler starts to $part"; fi
done
before=$(things)
(exec setsid sh -c 'exec "$@"' - "${MAKE:-make}" -s grade-class FROM="$class" OUT="$out" N=4 SEED=7 > "$place/said" 2>&1 < /dev/null) &
killed=$!
for _ in $(seq 600); do [ "$(find "$out/results" -name '*.json' 2>/dev/null | wc -l)" -lt 3 ] || break; sleep 0.1; done
kill -s KILL -- "-$killed" 2>"$place/said" || not_ok "a class that went on until somebody killed it"
wait "$killed" 2>/dev/null
for _ in $(seq 50); do pgrep -f "$out/.work" >/dev/null || break; sleep 0.1; done
if pgrep -f "$out/.work" > "$place/said"; then not_ok 'killed, and something goes on'; else ok; fi
find "$out/results" -name '*.json' -exec stat -c '%n %Y %i' {} + | sort > "$place/then"

if class_of "$out" ''; then ok; else not_ok 'a class with nobody whom our own fault kept from a verdict: the status'; fi
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
if [ "$rows" -eq $(($(wc -l < "$place/expected") + 2)) ]; then ok; else not_ok "grades.csv has $rows rows"; fi
if grep -q "^${long},,04-await,graded,6," "$out/grades.csv" && grep -q "^${long}1,,04-await,graded,6," "$out/grades.csv" &&
    [ "$(find "$out/results" -name '*.json' | wc -l)" -eq "$rows" ]; then ok; else not_ok 'two long names'; fi
if grep -rqE "/$(basename "$PWD")/|grade\.[A-Za-z0-9]{6}/|$place" "$out/results"; then not_ok 'where the tree or a grading was'; else ok; fi
if grep -rqF "$escape" "$place/said" "$out"; then not_ok 'a name that moves a terminal'; else ok; fi
if grep -q "^'=1+1," "$out/grades.csv" || grep -q "^\"'=1+1\"," "$out/grades.csv"; then ok; else not_ok 'a name that a spreadsheet would compute'; fi
if grep -q '^lovelaceada,123,04-await,graded,0,6,0,0,0,yes,7,' "$out/grades.csv"; then ok; else not_ok 'late, says Canvas'; fi
if grep -q '^04-await,3,' "$out/items.csv" && ! grep -q 'Repair part' "$out/items.csv"; then ok; else cp "$out/items.csv" "$place/said"; not_ok 'items.csv'; fi

# In each sandbox the verdict is the same, down to the hash.
for tier in ${tiers# * }; do
    class_of "$place/$tier" "$tier" || not_ok "a class with $tier"
    while IFS= read -r line; do
        file=$(printf '%s' "${line%,*}" | sed 's|^\.|_|')
        grep '"hash"' "$out/results/$file.json" > "$place/hash"
        if grep '"hash"' "$place/$tier/results/$file.json" | cmp -s - "$place/hash"; then ok; else cp "$place/$tier/results/$file.json" "$place/said"; not_ok "$file with $tier"; fi
    done < "$place/expected"
done

# The page, in a browser: a row for each, and among the points nobody who has handed in nothing. Then with somebody
# at the keyboard, who looks for what was refused, opens it, closes it, and wants the points in the order of their size.
hands()
{
    sed '$d' "$1"
    cat << 'END'
const press = key => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }))
const said = []
press("/"); said.push(document.activeElement.id)
$("filter").value = "refused"; $("filter").oninput(); said.push(new Set(rows.map(r => r.record.status)).size)
press("Enter"); press("j"); press("Enter"); said.push(rows.indexOf(rows.find(r => r.open)))
press("a"); said.push(document.querySelectorAll(".one").length === rows.length)
press("Escape"); said.push(document.querySelectorAll(".one").length)
$("filter").value = "04-await"; draw(); said.push(rows.length === records.length)
const heading = [...document.querySelectorAll("#class th button")].find(b => b.textContent === "points")
heading.click(); said.push(rows[0].record.score); heading.click(); said.push(rows[0].record.score)
document.title = said.join(" ")
</script>
END
}
if sh tools/show/browser.sh; then
    sh tools/show/browser.sh --dump-dom "file://$out/report.html" 2>/dev/null | grep -o 'aria-expanded="false"' > "$place/shown"
    if [ "$(wc -l < "$place/shown")" -eq "$rows" ]; then ok; else not_ok 'report.html in a browser'; fi
    hands "$out/report.html" > "$place/hands.html"
    sh tools/show/browser.sh --dump-dom "file://$place/hands.html" > "$place/dom" 2>/dev/null
    grep -o '<title>.*</title>' "$place/dom" > "$place/said"
    if grep -qx '<title>filter 1 1 true 0 true 0 6</title>' "$place/said"; then ok; else not_ok 'somebody at the keyboard'; fi
    zero=$(grep ' 0$' "$place/expected" | grep -vc no_file)
    grep -o '0/6</span><span>.*' "$place/dom" | cut -c1-200 > "$place/said"
    if grep -q "^0/6</span><span><span [^>]*></span>$zero</span>" "$place/said"; then ok; else not_ok "$zero have no points"; fi
else
    echo 'skipped: there is no chromium to open report.html in (make deps-dev)'
fi

# What other systems get: is each as its description says? Of a graded one, and of one where nothing was run.
shaped() {
    format=$1 filter=$2
    for student in stub broken; do
        "$BUILD/grade-class" --record "$out/results/$student.json" --as "$format" > "$place/said" &&
            jq -e "$filter" "$place/said" > "$place/jq" 2>&1 && ok || not_ok "$student as $format wants it"
    done
}
if jq --version >/dev/null 2>&1; then
    # https://gradescope-autograders.readthedocs.io/en/latest/specs/
    shaped gradescope '(keys - ["score","execution_time","output","visibility","stdout_visibility","extra_data","tests"] == [])
        and (.score|type == "number") and (.visibility|IN("visible","hidden","after_due_date","after_published"))
        and (.stdout_visibility|IN("visible","hidden","after_due_date","after_published"))
        and (.tests|length > 0 and all((keys - ["score","max_score","name","number","output","visibility","tags"] == [])
             and (.score|type == "number") and .score <= .max_score and (.name|length > 0) and (.number|type == "string")))
        and .score == ([.tests[].score]|add)'
    # https://github.com/foundation50/classroom50/wiki/Advanced-Autograding
    shaped classroom50 '.schema == "classroom50/result/v1"
        and ([.classroom,.assignment,.owner,.submission,.commit,.release,.review]|all(type == "string" and length > 0))
        and (.datetime|test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"))
        and ([.score,."max-score"]|all(. == floor)) and .score == ([.tests[].score]|add) and ."max-score" == ([.tests[]."max-score"]|add)
        and (.tests|all((."test-name"|length > 0) and (.passed|type == "boolean") and .score >= 0 and .score <= ."max-score"))'
    # https://prairielearn.readthedocs.io/en/latest/externalGrading/
    shaped prairielearn '(.gradable|type == "boolean") and .score >= 0 and .score <= 1 and ([.message,.output]|all(type == "string"))
        and (.gradable or (.format_errors|length > 0))
        and (.tests|all((.name|type == "string") and .points <= .max_points and (.message|type == "string")))'
    # https://docs.autolabproject.com/lab/
    "$BUILD/grade-class" --record "$out/results/stub.json" --as autolab | tail -n 1 > "$place/said"
    if jq -e '.scores == {part1: 0, part2: 0, part3: 0}' "$place/said" >/dev/null; then ok; else not_ok 'the last line for Autolab'; fi
else
    echo 'skipped: what other systems get: there is no jq (make deps-dev)'
fi
for student in stub right '"quoted"'; do
    "$BUILD/grade-class" --record "$out/results/$student.json" --as junit > "$place/said"
    if ! xmllint --version 2>/dev/null; then
        echo 'skipped: XML for JUnit: there is no xmllint (make deps-dev)'
    elif [ "$(xmllint --xpath 'count(//testcase) = number(//testsuite/@tests) and count(//failure) = number(//testsuite/@failures)' \
              "$place/said" 2>&1)" = true ]; then
        ok
    else
        not_ok "$student as XML"
    fi
done
"$BUILD/grade-class" --record "$out/results/stub.json" --as vpl > "$place/said"
if [ "$(grep -c '^Comment :=>>-' "$place/said")" -eq 3 ] && tail -n 1 "$place/said" | grep -qx 'Grade :=>> 0' &&
    [ "$(grep -cx '<|--' "$place/said")" -eq "$(grep -cx -e '--|>' "$place/said")" ]; then ok; else not_ok 'for VPL'; fi
# https://github.com/jcrodriguez-dis/moodle-mod_vpl, vpl_submission.class.php: what is read, and where a line is trimmed before
"$BUILD/grade-class" --record "$out/results/forger.json" --as vpl > "$place/said"
if ! grep -qvxE 'Comment :=>>-.*|<[|]--|--[|]>|>.*|Grade :=>> 0' "$place/said" && grep -q '^>.*--|>' "$place/said"; then ok; else not_ok 'marks of VPL in what a program prints'; fi
"$BUILD/grade-class" --record "$out/results/right.json" --as nobody > "$place/said" 2>&1
if [ $? -eq 2 ]; then ok; else not_ok 'a format that there is not'; fi

# One alone, which leaves nothing, even if it comes to nothing; and a class in two shares, made one again.
"${MAKE:-make}" -s grade-class ONE="$class/broken" N=4 SEED=7 TMPDIR="$place" > "$place/said" 2>&1
if grep -q '"status": "does_not_compile"' "$place/said" && [ -z "$(find "$place" -name 'evlings.*')" ]; then ok; else not_ok 'one alone'; fi
for call in "ONE=$place/nothing" "ONE=$class/broken SEED=none"; do
    # shellcheck disable=SC2086  # words
    "${MAKE:-make}" -s grade-class N=4 TMPDIR="$place" $call > "$place/said" 2>&1
    if [ $? -eq 2 ] && [ -z "$(find "$place" -name 'evlings.*')" ]; then ok; else not_ok "one alone, $call"; fi
done
mkdir "$place/shares"
for odd in none text two empty; do cp -r "$class/$odd" "$place/shares/"; done
for share in 1 2; do
    "${MAKE:-make}" -s grade-class FROM="$place/shares" OUT="$place/share-$share" N=4 SEED=7 SHARE="$share/2" > "$place/said" 2>&1
done
# shares_are_one PREFIX TITLE
shares_are_one()
{
    "${MAKE:-make}" -s merge FROM="$place/$1-1 $place/$1-2" OUT="$place/$1" > "$place/said" 2>&1
    if [ "$(cut -d, -f1 "$place/$1/grades.csv" | tr '\n' ' ')" = 'student empty none text two ' ]; then ok; else not_ok "$2"; fi
}
shares_are_one share 'two shares'

# What is missing is said; and what OUT held stays in its tables, with the seed of the class and not a student's.
merge() { "${MAKE:-make}" -s merge FROM="$1" OUT="$2" > "$place/said" 2>&1; }
merge "$place/share-1" "$place/half"; status=$?
if [ $status -ne 0 ] && grep -q 'share 2/2 is missing' "$place/said"; then ok; else not_ok 'a share that is missing'; fi
merge "$place/half" "$place/whole"
if [ $? -ne 0 ] && grep -q 'share 2/2 is missing' "$place/said"; then ok; else not_ok 'a share that is missing, merged again'; fi
merge "$place/share-2" "$place/whole"
if [ $? -eq 0 ] && ! grep -q missing "$place/said" && [ ! -e "$place/whole/share" ]; then ok; else not_ok 'the share that was missing'; fi
merge "$place/share-2" "$place/half"
if [ "$(wc -l < "$place/half/grades.csv")" -eq 5 ] && grep -q '^Seed: 7$' "$place/said"; then ok; else not_ok 'an OUT that holds something'; fi
merge "$place/share-1 $place/nothing" "$place/half"
if [ $? -eq 2 ] && grep -q 'nothing no class was graded' "$place/said"; then ok; else not_ok 'a share that is not there'; fi
"${MAKE:-make}" -s grade-class FROM="$place/shares" OUT="$place/varied" N=4 SEED=8 VARIANTS=1 > "$place/said" 2>&1
merge "$place/varied" "$place/merged"
says '^Seed: 8$' "$place/said" 'the seed of a class with variants'
merge "$place/varied" "$place/half"
if [ $? -eq 2 ] && grep -q 'with the seed 8, and .* with 7' "$place/said"; then ok; else not_ok 'two seeds'; fi

# The same as the guide says it for several machines; the only one here is this one.
if parallel --version 2>/dev/null | grep -q 'GNU parallel'; then
    parallel -S 2/: "cd '$PWD' && make -s grade-class FROM='$place/shares' OUT='$place/parallel-{}' N=4 SEED=7 SHARE={}/2" ::: 1 2 \
        > "$place/said" 2>&1
    shares_are_one parallel 'shares by GNU parallel'
else
    echo 'skipped: shares by GNU parallel: it is not installed'
fi
if sinfo -h 2>/dev/null | grep -q .; then
    FROM=$place/shares OUT=$place/slurm N=4 SEED=7 sbatch --wait --array=1-2 -o "$place/slurm-%a.log" tools/class/slurm.sh \
        > "$place/said" 2>&1
    shares_are_one slurm 'shares by Slurm'
else
    echo 'skipped: shares by Slurm: no controller answers here'
fi

# ------------------------------------------------------------------- what a course makes of it

few=$place/few kept=$place/kept
some() { "${MAKE:-make}" -s grade-class FROM="$few" OUT="$kept" N=4 SEED=7 "$@" > "$place/said" 2>&1 < /dev/null; }
field() { sed -n "s/^ \"$2\": \"\{0,1\}\([^\",]*\).*/\1/p" "$kept/results/$1.json"; }
for student in ada bob 'cyn, of us'; do mkdir -p "$few/$student" && cp "$answer" "$few/$student/exercise.c"; done
mkdir "$few/dan" && cp "$stub" "$few/dan/exercise.c"
touch -d '2027-01-31 23:00' "$few"/*/exercise.c
touch -d '2027-02-01 02:00' "$few/bob/exercise.c" "$few/cyn, of us/exercise.c"

some DUE='2027-01-31 23:59' && first=$(field ada hash) && cp "$kept/results/dan.json" "$place/dan.json"
printf 'student,late_minutes,percent\r\n,1,10\r\n,1440,50\r\n"cyn, of us",0,0\r\n' > "$place/late.csv"
some WEIGHTS=1,2,7.5 DUE='2027-01-31 23:59' LATE="$place/late.csv" || not_ok 'weights, and what being late costs'
says '^ada,,04-await,graded,6,6,1,2,3,0,0,10.5,10.5,7,' "$kept/grades.csv" 'in time'
says '^bob,,04-await,graded,6,6,1,2,3,121,10,9.45,10.5,7,' "$kept/grades.csv" 'late'
says '^"cyn, of us",,04-await,graded,6,6,1,2,3,121,0,10.5,10.5,7,' "$kept/grades.csv" 'late, with leave'
says 'Mark: 9.45 of 10.5, with 10% less because it was late' "$kept/feedback/bob.txt" 'a mark in the feedback'
some DUE='2027-01-31 23:59' && if [ "$(field ada hash)" = "$first" ] && cmp -s "$kept/results/dan.json" "$place/dan.json"; then ok; else not_ok 'marks that nobody wants any more'; fi
some WEIGHTS=1,2
if [ $? -eq 2 ] && grep -q 'WEIGHTS has 2 numbers, and exercise 04-await has 3 parts' "$place/said"; then ok; else not_ok 'too few weights'; fi
some WEIGHTS=0,0,0
if [ $? -eq 2 ] && grep -q 'WEIGHTS=0,0,0 makes every part worth nothing' "$place/said"; then ok; else not_ok 'weights that weigh nothing'; fi
echo 'ada,soon,10' > "$place/bad.csv"
some LATE="$place/bad.csv"
if [ $? -eq 2 ] && grep -q 'bad.csv, line 1: a row is student,late_minutes,percent' "$place/said"; then ok; else not_ok 'a row that is none'; fi

# Whom our own fault kept from a verdict has no points and no mark, and the last line is his.
mkdir "$place/fails"
cat > "$place/fails/04-await.c" <<'END'
#include "grader.h"
#include <signal.h>
#include <unistd.h>
START_TEST(ends_us) { kill(getppid(), SIGKILL); kill(getpid(), SIGKILL); } END_TEST
void hidden_parts(void) { part(4, "nobody comes so far", ends_us); }
END
cp "$kept/results/dan.json" "$place/dan.json"
some WEIGHTS=1,2,3 DUE='2027-01-31 23:59'
some HIDDEN="$place/fails" ONLY=dan WEIGHTS=1,2,3,4
if [ $? -eq 1 ] && tail -n 1 "$place/said" | grep -q 'could not be judged; call it again: dan$'; then ok; else not_ok 'somebody who could not be judged'; fi
says '^dan,,04-await,grader_failed,,10,,,,,,,,7,' "$kept/grades.csv" 'no points without a verdict'
if grep -q 'Mark' "$kept/feedback/dan.txt" || grep -q '"mark"' "$kept/results/dan.json"; then not_ok 'a mark without a verdict'; else ok; fi
echo 'static void plain(void) {} void hidden_parts(void) { part(4, "a plain function", plain); }' |
    cat "$place/fails/04-await.c" - | sed '/^START_TEST/d; /ends_us/d' > "$place/plain.c" && mv "$place/plain.c" "$place/fails/04-await.c"
some HIDDEN="$place/fails" ONLY=dan
if [ $? -eq 2 ] && grep -q 'A part is a START_TEST' "$place/said"; then ok; else not_ok 'a part that is no test'; fi
some DUE='2027-01-31 23:59' || not_ok 'judged after all'

# Some of them once more, and nobody else.
find "$kept/results" -name '[bcd]*.json' -exec stat -c '%n %i' {} + > "$place/then"
before=$(stat -c %i "$kept/results/ada.json")
some ONLY='a?a' RERUN=1
if [ "$(stat -c %i "$kept/results/ada.json")" != "$before" ] && [ "$(wc -l < "$kept/grades.csv")" -eq 5 ] &&
    find "$kept/results" -name '[bcd]*.json' -exec stat -c '%n %i' {} + | cmp -s - "$place/then"; then ok; else not_ok 'only one of them'; fi
some VARIANTS=1 ONLY='[ab]*'
one=$(field ada seed) other=$(field bob seed)
some VARIANTS=1 ONLY='[ab]*' RERUN=1
if [ "$one" != "$other" ] && [ "$one $other" = "$(field ada seed) $(field bob seed)" ]; then ok; else not_ok 'inputs of their own'; fi

# Parts of an instructor's.
mkdir "$place/hidden"
cat > "$place/hidden/04-await.c" <<'END'
#include "grader.h"

START_TEST(longest)
{
    struct run *run = stage_run("download pine 9 5");
    expect_seconds(run, 9, "Nine seconds are no more than three.");
}
END_TEST

void hidden_parts(void) { part(4, "a long one", longest); }
END
some HIDDEN="$place/hidden" ONLY='[ad]*'
says '^ok    4/4  hidden: a long one' "$kept/feedback/ada.txt" 'a hidden part that is right'
says '^      What is wrong will be said later' "$kept/feedback/dan.txt" 'a hidden part'
if grep -q 'Nine seconds' "$kept/feedback/dan.txt" || "$BUILD/grade-class" --record "$kept/results/dan.json" --as gradescope | grep -q 'Nine seconds'
then not_ok 'a sentence that is not released'; else ok; fi
says '^dan,,04-await,graded,0,10,' "$kept/grades.csv" 'hidden points'
some ONLY='[ad]*'
if grep -q 'points now' "$place/said"; then not_ok 'ada has fewer points, of fewer'; else ok; fi
some HIDDEN="$place/hidden" ONLY='[ad]*' RELEASED=1
says 'Nine seconds' "$kept/feedback/dan.txt" 'what was hidden, released'
some HIDDEN="$place"
if [ $? -eq 2 ] && grep -q 'there is no 04-await.c' "$place/said"; then ok; else not_ok 'no hidden parts there'; fi

# Whose processes are counted together could take them from each other: who may be anybody is another each time.
mkdir "$place/who"
cat > "$place/who/04-await.c" <<'END'
#include "grader.h"
#include <unistd.h>
START_TEST(who) { ck_abort_msg("User %d.", (int)getuid()); } END_TEST
void hidden_parts(void) { part(4, "who are we?", who); }
END
for tier in $tiers; do
    some HIDDEN="$place/who" ONLY='[ad]*' SANDBOX="$tier" RERUN=1
    users=$(cat "$kept"/results/[ad]*.json | grep -o '"User [1-9][0-9]*\.' | sort -u | wc -l)
    if [ "$users" -eq 2 ] || [ "$(id -u)" -ne 0 ]; then ok; else not_ok "two students are the same user in $tier"; fi
done

# What a grader tries is not kept from it by any contract. It is to reach nobody's file, process or network, and what it
# leaves behind is to be gone, also when we are killed meanwhile. Without a sandbox it reaches all: so it does try.
mkdir "$place/escape" "$place/home" && echo secret > "$place/home/secret"
cat > "$place/escape/04-await.c" <<END
#include "grader.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(nothing)
{
    char had[200] = "";
    struct sockaddr_in far = { AF_INET, htons(53), { inet_addr("192.0.2.1") }, { 0 } };
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            execlp("sleep", "stays-$$", "600", NULL);
        _exit(0);
    }
    sleep(1);
    if (open("$PWD/$answer", O_RDONLY) >= 0) strcat(had, " solution");
    if (open("$few/bob/exercise.c", O_RDONLY) >= 0) strcat(had, " another's");
    if (open("$place/home/secret", O_RDONLY) >= 0) strcat(had, " home");
    if (open("$place/home/new", O_WRONLY | O_CREAT, 0600) >= 0) strcat(had, " write");
    if (truncate("$place/home/secret", 1) == 0) strcat(had, " truncate");
    if (chmod("$place/home/secret", 0600) == 0) strcat(had, " chmod");
    if (open("/proc/$$/environ", O_RDONLY) >= 0) strcat(had, " environment");
    if (kill($$, 0) == 0) strcat(had, " signal");
    if (connect(socket(AF_INET, SOCK_DGRAM, 0), (struct sockaddr *)&far, sizeof far) == 0) strcat(had, " network");
    ck_assert_msg(!*had, "It had%s.", had);
}
END_TEST

void hidden_parts(void) { part(4, "nothing to be had", nothing); }
END
is_there() { pgrep -f "^stays-$$" > "$place/said"; }
for tier in $tiers none; do
    some HIDDEN="$place/escape" ONLY=ada RERUN=1 SANDBOX="$tier"
    case $tier in
    none) says "It had solution another's home write truncate chmod environment signal" "$kept/results/ada.json" 'what is tried' ;;
    *) says '^ok    4/4  hidden: nothing to be had' "$kept/feedback/ada.txt" "a way out of $tier" ;;
    esac
    if is_there; then not_ok "what $tier left behind"; else ok; fi
done
for tier in $tiers; do
    (exec setsid sh -c 'exec "$@"' - "${MAKE:-make}" -s grade-class FROM="$few" OUT="$place/killed-$tier" N=4 ONLY=ada \
        HIDDEN="$place/escape" SANDBOX="$tier" > "$place/said" 2>&1 < /dev/null) &
    killed=$!
    for _ in $(seq 600); do ! is_there || break; sleep 0.1; done
    if is_there; then ok; else not_ok "nothing stayed in $tier"; fi
    kill -s KILL -- "-$killed"
    wait "$killed" 2>/dev/null
    for _ in $(seq 50); do is_there || break; sleep 0.1; done
    if is_there; then not_ok "killed, and something goes on in $tier"; else ok; fi
done

# Two exercises at once, told apart by the paths.
mkdir -p "$place/course/eve/exercises/04-await" "$place/course/eve/6"
cp "$answer" "$place/course/eve/exercises/04-await/"; cp exercises/06-gather/grader/stub.c "$place/course/eve/6/gather.c"
# Numbers that a platform and a browser add, that archives and students have; the one that counts is after "ex".
mkdir "$place/course/s6" "$place/course/tar" "$place/course/kim" "$place/course/77 ex5"
mkdir "$place/course/lin" && ln -s "$PWD/$answer" "$place/course/lin/exercise-4.c"
mkdir "$place/4" && cp "$answer" "$place/4/main.c" && tar cf "$place/course/zed.tar" -C "$place" 4
cp "$answer" "$place/course/s6/main.c"; cp "$answer" "$place/course/77 ex5/1234567_ex04 (2).c"
cp "$answer" "$place/course/gil_12_34_exercise-4-1.c"; cp "$answer" "$place/course/kim/hw4.c"
tar cf "$place/course/tar/exercise-4.tar" -C solutions/04-await exercise.c
"${MAKE:-make}" -s grade-class FROM="$place/course" OUT="$place/course-out" N=4,6 SEED=7 > "$place/said" 2>&1
for student in gil kim tar zed '77 ex5'; do
    says "^$student,[12]*,04-await,graded,6,6," "$place/course-out/grades.csv" "whose is the file of $student"
    says "^$student,[12]*,06-gather,no_file,0,7," "$place/course-out/grades.csv" "$student, and another exercise"
done
says '^s6,,06-gather,no_file,' "$place/course-out/grades.csv" "a student's number"
says '^lin,,04-await,refused,' "$place/course-out/grades.csv" 'a link'
says '^lin,,06-gather,no_file,' "$place/course-out/grades.csv" 'a link that is of another exercise'
says '^eve,,04-await,graded,6,6,' "$place/course-out/grades.csv" 'two exercises, the first'
says '^eve,,06-gather,graded,0,' "$place/course-out/grades.csv" 'two exercises, the second'

# Without a sandbox: only if one says so; and the place here is in nobody's feedback.
mkdir "$place/path"
ln -s /usr/local/bin/* /usr/bin/* "$place/path/" 2>/dev/null
rm -f "$place/path/bwrap"
echo 'int nothing(void) { int unused; return 0; }' >> "$few/dan/exercise.c"
some ONLY=dan PATH="$place/path" SANDBOX=bubblewrap
if [ $? -eq 2 ] && grep -q 'SANDBOX=none grades without' "$place/said"; then ok; else not_ok 'no bubblewrap'; fi
some ONLY=dan SANDBOX=chroot
if [ $? -eq 2 ] && grep -q 'SANDBOX is to be bubblewrap, landlock' "$place/said"; then ok; else not_ok 'a sandbox that there is not'; fi
case $tiers in *landlock)
    some ONLY=dan PATH="$place/path"
    says '"sandbox": "landlock"' "$kept/results/dan.json" 'where there is no bubblewrap'
    "${MAKE:-make}" -s grade-class FROM="$few" OUT="$place/chat" N=18 SANDBOX=landlock > "$place/said" 2>&1
    if [ $? -eq 2 ] && grep -q 'Exercise 18 needs a network of its own' "$place/said"; then ok; else not_ok 'an exercise with a network'; fi ;;
esac
some ONLY=dan PATH="$place/path" SANDBOX=none RERUN=1
if grep -q '"sandbox": "none"' "$kept/results/dan.json" && grep -q '^exercise.c:.*unused' "$kept/feedback/dan.txt"; then ok; else cp "$kept/feedback/dan.txt" "$place/said"; not_ok 'without a sandbox'; fi

# A full disk, one on which there is no room for a compiler, and then one with room. In bubblewrap it has its own.
cat > "$place/full.sh" <<'END'
mkdir "$1/small" && mount -t tmpfs -o size=32k none "$1/small" || exit 9
"${MAKE:-make}" -s grade-class FROM="$1/few" OUT="$1/small" N=4 SEED=7
[ $? -eq 2 ] && [ -z "$(find "$1/small" -name '*.part')" ] || exit 8
mount -o remount,size=4m "$1/small" || exit 9
case $2 in *landlock)
    "${MAKE:-make}" -s grade-class FROM="$1/few" OUT="$1/small" N=4 SEED=7 SANDBOX=landlock RERUN=1
    [ $? -ne 0 ] && [ "$(grep -c grader_failed "$1/small/grades.csv")" -eq 4 ] || exit 7 ;;
esac
mount -o remount,size=99m "$1/small" || exit 9
"${MAKE:-make}" -s grade-class FROM="$1/few" OUT="$1/small" N=4 SEED=7 && [ "$(wc -l < "$1/small/grades.csv")" -eq 5 ]
END
if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
    if unshare -m sh "$place/full.sh" "$place" "$tiers" > "$place/said" 2>&1 < /dev/null && grep -q 'No space left on device' "$place/said"; then ok; else not_ok 'a full disk'; fi
else
    echo 'skipped: a full disk, which takes root'
fi

# Questions for the hall, and their key.
for n in 2 6 13; do
    [ $n -ne 13 ] || sh tools/deps.sh have sqlite3 2>/dev/null || continue
    "${MAKE:-make}" -s questions-$n > "$place/said" 2>&1
    if [ "$(grep -c '^[123]\. ' "$place/said")" -eq 3 ] && tail -n 1 "$place/said" | grep -q '^Key: 1[A-D] 2[A-D] 3[A-D]$'; then ok; else not_ok "questions-$n"; fi
done

# What students get: no solution in it; and what they have written stays.
(OUT=$place/students HINTS=1 LESSONS=1-4 sh tools/class/handout.sh handout) > "$place/said" 2>&1
echo mine > "$place/students/exercises/04-await/exercise.c"
(OUT=$place/students sh tools/class/handout.sh handout) > "$place/said" 2>&1
if [ ! -e "$place/students/solutions" ] && [ "$(cat "$place/students/exercises/04-await/exercise.c")" = mine ] &&
    cmp -s "$place/students/exercises/05-tasks/exercise.c" exercises/05-tasks/grader/stub.c; then ok; else not_ok 'handout'; fi
mkdir "$place/others" && echo theirs > "$place/others/Makefile"
for what in handout 'release 4'; do
    # shellcheck disable=SC2086  # two words
    (OUT=$place/others sh tools/class/handout.sh $what) > "$place/said" 2>&1
    if [ $? -eq 2 ] && [ "$(ls "$place/others")" = Makefile ] && [ "$(cat "$place/others/Makefile")" = theirs ]; then ok; else not_ok "$what into somebody's folder"; fi
done
(OUT=$place/none LESSONS=1-99 sh tools/class/handout.sh handout) > "$place/said" 2>&1
if [ $? -eq 2 ] && [ ! -e "$place/none" ] && grep -q 'there is no lesson' "$place/said"; then ok; else not_ok 'lessons that there are not'; fi
(cd "$place/students" && LEVEL=3 sh tools/evlings.sh hint 4) > "$place/said" 2>&1
if grep -q 'the last one)' "$place/said"; then ok; else not_ok 'a hint at a solution that is not there'; fi
(OUT=$place/students sh tools/class/handout.sh release 4) > "$place/said" 2>&1
if cmp -s "$answer" "$place/students/$answer" && [ "$(find "$place/students/solutions" -type f | wc -l)" -eq 1 ]; then ok; else not_ok 'release'; fi

# What JPlag wants.
JPLAG=nobody "${MAKE:-make}" -s similar-4 FROM="$class" OUT="$place/similar" > "$place/said" 2>&1
if cmp -s "$answer" "$place/similar/submissions/utf16/exercise.c" && [ -s "$place/similar/known/gather/exercise.c" ] &&
    cmp -s "$stub" "$place/similar/base/exercise.c" && [ ! -e "$place/similar/submissions/two" ]; then ok; else not_ok 'similar'; fi

for student in ada eve fay; do
    mkdir -p "$place/packed" && tar czf "$place/packed/$student.tgz" -C solutions/04-await exercise.c
done
JPLAG=nobody "${MAKE:-make}" -s similar-4 FROM="$place/packed" OUT="$place/alike" > "$place/said" 2>&1
if [ "$(find "$place/alike/submissions" -name exercise.c | wc -l)" -eq 3 ]; then ok; else not_ok 'similar, of archives'; fi

# Zips that were cut off.
collects() { CC=cc FLAGS='' LIBS='' "$BUILD/grade-class" --collect --from "$1" --out "$place/collected" --exercise 4 > "$place/said" 2>&1; }
if [ -f "$place/zip/all.zip" ]; then
    if collects "$place/zip/all.zip" && [ "$(find "$place/collected" -name exercise.c | wc -l)" -eq 3 ]; then ok; else not_ok 'a zip with a zip'; fi
    size=$(wc -c < "$place/zip/all.zip")
    for cut in $(seq 1 $((size / 16)) $((size - 1))) $((size - 1)); do
        head -c "$cut" "$place/zip/all.zip" > "$place/zip/cut.zip"
        collects "$place/zip/cut.zip"
        if [ $? -eq 2 ] && grep -q 'cannot be taken in' "$place/said"; then ok; else not_ok "a zip with $cut of $size bytes"; fi
    done
else
    echo 'skipped: zips that were cut off: there is no zip'
fi

# The same bytes once more, from an archive and elsewhere.
cp "$out/feedback/right.txt" "$place/right.txt"
grep '"hash"' "$out/results/right.json" > "$place/hash"
(cd "$place" && mkdir two && cp -r class/right class/none two/ && tar czf few.tgz two && rm -r two)
"${MAKE:-make}" -s grade-class FROM="$place/few.tgz" OUT="$place/again" N=4 SEED=7 > "$place/said" 2>&1 < /dev/null
if grep '"hash"' "$place/again/results/right.json" | cmp -s - "$place/hash" && cmp -s "$place/right.txt" "$place/again/feedback/right.txt"; then
    ok
else
    not_ok 'the same submission, other bytes'
fi
if [ "$(wc -l < "$place/again/grades.csv")" -eq 3 ]; then ok; else not_ok 'an archive of a folder of students'; fi

# Whoever looks for what a class needs leaves nothing behind.
mkdir "$place/looked"
TMPDIR=$place/looked sh tools/deps.sh need libarchive > "$place/said" 2>&1
if [ $? -eq 0 ] && [ -z "$(ls -A "$place/looked")" ]; then ok; else not_ok 'what looking for a library leaves'; fi

# Mistakes in the call.
for call in 'grade-class N=99' 'grade-class N=' 'grade-class N=4 JOBS=0' gradescope-99 similar-99; do
    # shellcheck disable=SC2086  # words
    "${MAKE:-make}" -s $call FROM="$few" OUT="$place/x" > "$place/said" 2>&1
    if [ $? -eq 2 ] && grep -qE 'There is no exercise 99|N is missing|at least 1' "$place/said" && [ ! -e "$place/x" ]; then ok; else not_ok "$call"; fi
done
# mistaken SENTENCE WORD...: no grading begins
mistaken()
{
    sentence=$1
    shift
    some "$@"
    if [ $? -eq 2 ] && grep -q -- "$sentence" "$place/said"; then ok; else not_ok "$*"; fi
}
mistaken 'exercise 4 is named twice' N=4,04
mistaken 'DUE is to be a date' DUE='2027-02-31 10:00'
mistaken 'nobody in FROM has that name' ONLY=zoe
mistaken 'FROM and OUT are the same folder' OUT="$few/../few"
mistaken 'N=4,6 are several' ONE="$few/ada" N=4,6
some FROM="$few" OUT="$few/results"
if [ "$(wc -l < "$few/results/grades.csv")" -eq 5 ]; then ok; else not_ok 'an OUT in FROM'; fi
"$BUILD/grade-class" --help > "$place/said" 2>&1 && grep -q usage: "$place/said" && ok || not_ok '--help'
"$BUILD/grade-class" > "$place/said" 2>&1
if [ $? -eq 2 ]; then ok; else not_ok 'without anything: status 2'; fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
