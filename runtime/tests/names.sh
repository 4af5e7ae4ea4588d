#!/bin/sh
# names.sh - runtime/asyncio.md names every name of asyncio that async.h has not. Python's own list says
# which there are; what that version of Python does not know any more is not asked for.
set -u
cd "$(dirname "$0")/../.." || exit 1
names=$("${PYTHON:-python3}" -c 'import asyncio; print("\n".join(asyncio.__all__))' 2>/dev/null)
if [ -z "$names" ]; then
    echo 'skipped: there is no python3 to list the names of asyncio'
    echo '0 passed, 0 failed, 1 skipped'
    exit 0
fi
passed=0 failed=0
for name in $names; do
    snake=$(printf %s "$name" | sed 's/\(.\)\([A-Z]\)/\1_\2/g' | tr '[:upper:]' '[:lower:]')
    if grep -q "[^a-z_]async_${snake}[(_]" runtime/async.h || grep -q "\`$name\`" runtime/asyncio.md; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "runtime/asyncio.md says nothing of asyncio.$name, which async.h has not"
    fi
done
for name in $(grep -o '`_*async_[a-z_]*' runtime/asyncio.md | tr -d '`' | sort -u); do
    if grep -rqw "$name" runtime/async.h runtime/extra/*.h || [ "$name" = async_generator ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "runtime/asyncio.md speaks of $name, which there is not"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
