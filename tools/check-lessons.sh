#!/bin/sh
# check-lessons.sh [BUILD] - holds the book to the programs it talks about.
#
#   1. Every program in lessons/ prints its golden transcript on the virtual clock: PROGRAM.out on
#      stdout, PROGRAM.err on stderr (nothing, if there is no such file), and exits with 0. What
#      differs from run to run is HH:MM:SS, a time of day, <number>, and <seconds>, as in 0.150,
#      in the transcript.
#   2. Every C fence in a chapter or a task stands verbatim in a program, every transcript fence in
#      a golden transcript. The line before the fence says where:
#          <!-- file: breakfast.c -->        before ```c
#          <!-- output: breakfast.out -->    before ```text
#      or in a function of the runtime, whichever file that is in:
#          <!-- runtime: child_done -->      before ```c
#      Code that is meant to be wrong, or to stand alone, says so: <!-- mistake --> <!-- sketch -->
#      What is none of these is a figure, and fits 76 columns.
#   3. Every relative link in every *.md leads to a file.
#   4. What texts say of sizes is so: tools/facts.txt. The names under "Inside the runtime" exist.
#
# Prints one line for each check that fails, then "N passed, N failed". BUILD (default: build) is
# where `make lessons` put the programs.
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
limit=$(command -v timeout >/dev/null && echo "timeout 600")
passed=0
failed=0
skipped=0

pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); printf '%s\n' "$1"; }

# generalize EXPECTED ACTUAL: prints ACTUAL with wildcards for what they stand for in EXPECTED. A busy machine may
# stop any step: what debug mode says of others than the expected is left out.
generalize() {
    awk '
        NR == FNR { want[FNR] = $0; next }
        { at++ }
        want[at] ~ /HH:MM:SS|<number>|<seconds>/ {
            pattern = want[at]
            gsub(/[[.*+?(){}|$]/, "[&]", pattern)
            gsub(/HH:MM:SS/, "[0-2][0-9]:[0-5][0-9]:[0-6][0-9]", pattern)
            gsub(/<number>/, "[1-9][0-9]*", pattern)
            gsub(/<seconds>/, "[0-9]+[.][0-9]+", pattern)
            if ($0 ~ "^" pattern "$")
                $0 = want[at]
        }
        /^Executing .* took [0-9]/ { at--; next }
        { print }' "$1" "$2"
}

# same EXPECTED ACTUAL STREAM: are the files equal? If not, says at which line they part.
same() {
    if grep -Eq 'HH:MM:SS|<number>|<seconds>' "$1"; then
        generalize "$1" "$2" >"$scratch/general"
        set -- "$1" "$scratch/general" "$3"
    fi
    if cmp -s "$1" "$2"; then
        pass
        return
    fi
    fail "$1:$(awk '
        NR == FNR { want[FNR] = $0; wanted = FNR; next }
        FNR > wanted || $0 != want[FNR] { print FNR ": the program wrote to '"$3"' [" $0 "]"
                                          found = 1; exit }
        { seen = FNR }
        END { if (!found && seen < wanted)
                  print seen + 1 ": missing on '"$3"': [" want[seen + 1] "]"
              else if (!found)
                  print seen ": only the last end of line differs on '"$3"'" }
    ' "$1" "$2")"
}

# --------------------------------------------------------------------------- 1. programs

run_program() {
    golden=${1%.c}
    program=$build/$golden
    lacking=$(BUILD=$build sh tools/extra.sh lacking "$1")
    if [ -n "$lacking" ]; then
        echo "skipped: $1: no library for $lacking (make deps)"
        skipped=$((skipped + 1))
        return
    fi
    if [ ! -x "$program" ]; then
        fail "$1:1: $program is not built; make lessons"
        return
    fi
    if [ ! -f "$golden.out" ]; then
        fail "$1:1: there is no golden transcript $golden.out"
        return
    fi
    ASYNC_CLOCK=virtual $limit "$program" >"$scratch/out" 2>"$scratch/err" </dev/null
    status=$?
    if [ $status -eq 0 ]; then pass; else fail "$1:1: exit status $status, expected 0"; fi
    same "$golden.out" "$scratch/out" stdout
    if [ -f "$golden.err" ]; then
        same "$golden.err" "$scratch/err" stderr
    elif [ -s "$scratch/err" ]; then
        fail "$1:1: unexpected on stderr: $(head -n 1 "$scratch/err")"
    else
        pass
    fi
}

for source in lessons/*/*.c; do
    case $source in */mine.c) continue ;; esac          # a reader's own
    [ -f "$source" ] && run_program "$source"
done

# ------------------------------------------------------------------- 2. quoted code and output

# Prints "ok", or "FILE:LINE: what is wrong", for every fence that has to be held to a file.
fences() {
    awk -v dir="$(dirname "$1")" '
        function slurp(path,    line, text) {
            if (path in cache)
                return cache[path]
            text = "\n"
            while ((getline line < path) > 0)
                text = text line "\n"
            close(path)
            return cache[path] = text
        }
        # The text of a function, or of a table: from the line with its name to the first } at its margin.
        function body(name,    path, line, text, found) {
            while (("cat runtime/*/*.[ch] runtime/extra/*.[ch]" | getline line) > 0) {
                if (line ~ "^[a-z_].*[ *]" name "\\(.*[^;]$" || line ~ "^#define " name "\\(") {
                    found = 1
                    text = "\n"
                }
                if (found)
                    text = text line "\n"
                if (found && (line ~ /^}/ || line ~ /^[a-z].*}$/ || (text ~ /^\n#define/ && line !~ /\\$/))) {
                    found = 0
                    bodies = bodies text
                }
            }
            close("cat runtime/*/*.[ch] runtime/extra/*.[ch]")
            return bodies
        }
        function verdict(    path, line, n, i, lines) {
            if (claim ~ /^(mistake|sketch)$/)
                return ""
            if (claim ~ /^runtime: /) {
                sub(/^runtime: */, "", claim)
                bodies = ""
                return index(body(claim), text) ? "ok" : "these lines do not stand in " claim "(), in runtime/"
            }
            if (claim !~ /^(file|output): *[^ ]/) {
                n = language == "text" ? split(text, lines, "\n") : 0
                for (i = 1; i <= n; i++)
                    if (length(lines[i]) > 76)
                        return "a figure has at most 76 columns, and this line has " length(lines[i])
                return language == "c" ? "C fence without <!-- file: ... -->" : n ? "ok" : ""
            }
            path = claim
            sub(/^[a-z]+: */, "", path)
            path = dir "/" path
            if (slurp(path) == "\n")
                return path " is missing or empty"
            if (text == "\n")
                return "the fence is empty"
            return index(slurp(path), text) ? "ok" : "these lines do not stand in " path
        }
        !inside && /^ *<!--.*-->[ \t]*$/ {
            comment = $0
            sub(/^ *<!-- */, "", comment)
            sub(/ *-->[ \t]*$/, "", comment)
            next
        }
        !inside && /^```/ {
            inside = 1; start = FNR; claim = comment; comment = ""; text = "\n"
            language = substr($0, 4)
            next
        }
        inside && /^```[ \t]*$/ {
            inside = 0
            result = verdict()
            if (result == "ok")
                print "ok"
            else if (result != "")
                print FILENAME ":" start ": " result
            next
        }
        inside { text = text $0 "\n"; next }
        NF { comment = "" }
        END { if (inside) print FILENAME ":" start ": this fence is never closed" }
    ' "$1"
}

for text in lessons/*/README.md exercises/*/README.md; do
    [ -f "$text" ] && fences "$text"
done >"$scratch/fences"

# ----------------------------------------------------------------------------- 3. links

# Prints "FILE:LINE TARGET" for every relative link outside of code.
links() {
    awk '
        /^ *```/ { inside = !inside; next }
        inside { next }
        {
            line = $0
            gsub(/`[^`]*`/, "", line)
            while (match(line, /\]\([^)]*\)/)) {
                target = substr(line, RSTART + 2, RLENGTH - 3)
                line = substr(line, RSTART + RLENGTH)
                sub(/[ \t]+".*$/, "", target)
                sub(/#.*$/, "", target)
                if (target != "" && target !~ /^[a-z]+:/)
                    print FILENAME ":" FNR " " target
            }
        }
    ' "$1"
}

find . \( -name .git -o -name build -o -path "./${build#./}" \) -prune -o -name '*.md' -print |
sort |
while IFS= read -r text; do
    links "${text#./}" | while read -r place target; do
        if [ -e "$(dirname "$text")/$target" ]; then
            echo ok
        else
            echo "$place: the link leads nowhere: $target"
        fi
    done
done >"$scratch/links"

# ----------------------------------------------------------------------------- 4. facts

# A name in "Inside the runtime" is one of the runtime, of the chapter's programs, or of Python.
cat runtime/*/*.[chS] runtime/async.h | tr -cs 'A-Za-z0-9_' '\n' | sort -u > "$scratch/words"
for text in lessons/*/README.md; do
    cat "${text%/*}"/*.c | tr -cs 'A-Za-z0-9_' '\n' | sort -u - "$scratch/words" > "$scratch/known"
    sed -n '/^## Inside the runtime/,/^## Common/p' "$text" | grep -o '`[a-z]*_[a-z_]*`' | tr -d '`' | sort -u |
        grep -vxF -f "$scratch/known" | sed "s|.*|$text: there is no & in the runtime|"
done > "$scratch/names"

# A line of facts.txt: FILE | what it says, with {} for the number | a command that prints the number
while IFS='|' read -r text says command; do
    case $text in '' | '#'*) continue ;; esac
    number=$(sh -c "$command")
    wanted=$(echo "$says" | sed -e "s/{}/$number/" -e 's/^ *//' -e 's/ *$//')
    if tr '\n' ' ' < "${text%% *}" | grep -qF -- "$wanted"; then
        echo ok
    else
        echo "${text%% *}: it does not say \"$wanted\", which is so today (tools/facts.txt)"
    fi
done < tools/facts.txt > "$scratch/facts"

while IFS= read -r result; do
    case $result in
    ok) pass ;;
    ?*) fail "$result" ;;
    esac
done <<END
$(cat "$scratch/fences" "$scratch/links" "$scratch/names" "$scratch/facts")
END

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
