#!/bin/sh
# cost.sh - operations take no more instructions than cost.txt allows: counted by callgrind, on the virtual
# clock, so that no busy machine has a say.
#
#   cost.sh          compares; where the compiler is another than that of cost.txt, skips
#   cost.sh ground   writes cost.txt anew: what is counted now, and a tenth more (make bench-ground)
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build} file=runtime/tests/cost.txt
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0
unset ASYNC_DEBUG ASYNC_SHUFFLE ASYNC_TRACE
export ASYNC_CLOCK=virtual  # on the real one a slow machine looks at the clock and outside more often

# shellcheck disable=SC2086  # CC may hold words of its own
here="$(${CC:-cc} --version 2>/dev/null | sed -n '1s/^[^ ]* //p'), $(uname -m), ${CFLAGS:--O2}${EXTRA:+ $EXTRA}"

# total WORKLOAD N OPS: instructions of the whole program.
total() {
    valgrind --tool=callgrind --callgrind-out-file="$scratch/out" "$build/runtime/bench/bench" "$@" \
        >/dev/null 2>&1 || return
    awk '/^(summary|totals):/ { print $2; exit }' "$scratch/out"
}

# each WORKLOAD N OPS: instructions of one operation, by the difference of two runs.
each() {
    once=$(total "$1" "$2" "$3") twice=$(total "$1" "$2" $(($3 * 2)))
    [ -n "$once" ] && [ -n "$twice" ] && echo $(((twice - once) / $3))
}

skip() { echo "skipped: $1"; echo '0 passed, 0 failed, 1 skipped'; exit 0; }
valgrind --version >/dev/null 2>&1 || skip 'valgrind is not installed (make deps-dev)'

if [ "${1:-}" = ground ]; then
    {
        echo "$here"
        for words in 'yield 2' 'yield 1000' 'call 1' 'create 1' 'gather 1000' 'sleepers 1000' 'queue 1' \
                     'queue 1000' 'cancel 1'; do
            # shellcheck disable=SC2086
            count=$(each $words 10000) || exit 1
            echo "$words $((count * 11 / 10))"
        done
    } > "$scratch/new" && cp "$scratch/new" "$file"
    exit
fi

[ "$(head -1 "$file")" = "$here" ] || skip "the bounds in $file are for $(head -1 "$file")"
sed 1d "$file" > "$scratch/bounds"
while read -r workload n bound; do
    count=$(each "$workload" "$n" 10000 < /dev/null)
    if [ "${count:-$((bound + 1))}" -le "$bound" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$workload $n takes ${count:-?} instructions, allowed are $bound; if that is meant: make bench-ground"
    fi
done < "$scratch/bounds"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
