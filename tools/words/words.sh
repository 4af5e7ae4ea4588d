#!/bin/sh
# words.sh - what student-cc.sh says to somebody who made a mistake, with gcc and with clang.
#
#   words.sh BUILD      BUILD/libasync.a is there
#
# Each file here has one mistake, in the line that ends with "// here"; in its head stands what has to
# be said of it, "says: words", or by one compiler only "gcc: words", and what must not be, "never:
# words". @ in them is the number of that line.
set -u
cd "$(dirname "$0")/../.." || exit 1
library=${1:-build}/libasync.a
said=$(mktemp) || exit 1
trap 'rm -f "$said"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
passed=0 failed=0 skipped=0

# words FIELD FILE: its values, a line each.
words() { sed -n "/\*\//q; s/^ \* $1: //p" "$2"; sed -n "s/^ \* $1: \(.*\) \*\/$/\1/p" "$2"; }

check() {
    compiler=$1 file=$2 problem=
    here=$(grep -n '// here$' "$file" | cut -d: -f1)
    # shellcheck disable=SC2086  # flags
    ! sh tools/student-cc.sh "$compiler" $flags -O1 -Iruntime "$file" "$library" -lev -lm -pthread -o /dev/null \
        2> "$said" || [ -z "$(words says "$file")" ] || problem='it compiles'
    { words says "$file"; words "$compiler" "$file"; } > "$said.words"
    while IFS= read -r line; do
        line=$(printf '%s\n' "$line" | sed "s/@/$here/")
        grep -qF -- "$line" "$said" || problem="expected these words: $line"
    done < "$said.words"
    words never "$file" > "$said.words"
    while IFS= read -r line; do
        ! grep -qF -- "$line" "$said" || problem="did not expect these words: $line"
    done < "$said.words"
    rm -f "$said.words"
    if [ -z "$problem" ]; then
        passed=$((passed + 1))
    else
        echo "FAIL  $compiler $file ($problem)"
        sed 's/^/      /' "$said"
        failed=$((failed + 1))
    fi
}

flags='-std=gnu11 -Wall -Wextra -Werror=return-type -gdwarf-4'
for compiler in gcc clang; do
    if sh tools/deps.sh have "$compiler"; then
        for file in tools/words/*.c; do check "$compiler" "$file"; done
    else
        echo "skipped: $compiler is not installed (make deps-dev)"
        skipped=$((skipped + 1))
    fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
