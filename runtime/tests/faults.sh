#!/bin/sh
# faults.sh - the corpus, and a tour of the rest, with failing allocations, cancellations, and in
# random order: see faults.c. FAULTS=long takes minutes: every accident, and many more orders;
# FAULTS=few is for a sanitizer, and for who waits.
set -u

cd "$(dirname "$0")/../.." || exit 1
faults=${BUILD:-build}/runtime/tests/faults
case ${FAULTS:-} in
long) rounds=400 every=1 ;;
few) rounds=1 every=20 ;;
*) rounds=3 every=5 ;;
esac
passed=0 failed=0

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM

for kind in alloc cancel shuffle storm; do
    for corpus in runtime/tests/corpus/*.txt; do
        "$faults" "$kind" "$corpus" "$rounds" "$every" > "$log" 2>&1
        status=$?
        counts=$(awk '/^[0-9]+ passed, [0-9]+ failed$/ { print $1, $3 }' "$log")
        [ -n "$counts" ] || counts='0 1'        # it never came to its last line
        passed=$((passed + ${counts% *})) failed=$((failed + ${counts#* }))
        [ "$status" -eq 0 ] || cat "$log"
    done
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
