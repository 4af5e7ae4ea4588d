#!/bin/sh
# machine.sh - what a machine and its compiler may ask of us: a build for 32 bits is refused in words, and
# the page of assembly takes no mark from a program that was compiled with -fcf-protection.
cd "$(dirname "$0")/../.." || exit 1
cc=${CC:-cc}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0 skipped=0

pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "$1"; }
skip() { skipped=$((skipped + 1)); echo "skipped: $1"; }

echo 'int main(void) { return 0; }' > "$scratch/plain.c"
echo '#include "async.h"' > "$scratch/narrow.c"

# shellcheck disable=SC2086  # CC may hold words of its own
if ! $cc -m32 -fsyntax-only "$scratch/plain.c" 2>/dev/null; then
    skip "$cc has no -m32"
elif $cc -m32 -std=gnu11 -Iruntime -fsyntax-only "$scratch/narrow.c" 2> "$scratch/words"; then
    fail 'a build for 32 bits is not refused'
elif grep -q 'evlings needs a 64-bit machine' "$scratch/words"; then
    pass
else
    fail 'a build for 32 bits is refused without a sentence:'
    cat "$scratch/words"
fi

# shellcheck disable=SC2086
if ! $cc -fcf-protection -r -nostdlib "$scratch/plain.c" -o "$scratch/plain.o" 2>/dev/null ||
   ! readelf -n "$scratch/plain.o" 2>/dev/null | grep -q IBT; then
    skip "$cc has no -fcf-protection"
else
    $cc -fcf-protection -r -nostdlib "$scratch/plain.c" runtime/core/switch_x86_64.S -o "$scratch/both.o"
    if readelf -n "$scratch/both.o" | grep -q IBT; then pass; else fail 'the switch loses the mark IBT'; fi
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
