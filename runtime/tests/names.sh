#!/bin/sh
# names.sh - runtime/asyncio.md names every name of asyncio that async.h has not, and every method of the
# classes that programs use. Python's own lists say which there are; what that version of Python does not know any more is not asked for.
set -u
cd "$(dirname "$0")/../.." || exit 1
names=$("${PYTHON:-python3}" -c '
import asyncio, re
for name in asyncio.__all__:
    print(name, re.sub("(.)([A-Z])", r"\1_\2", name).lower())
for kind in "StreamReader StreamWriter AbstractEventLoop Runner Server Task Future TaskGroup Timeout Handle TimerHandle \
             Queue Lock Event Condition Semaphore Barrier subprocess.Process".split():
    for name in dir(eval("asyncio." + kind, {"asyncio": asyncio})):
        if name[0] != "_": print(kind + "." + name, name)' 2>/dev/null)
if [ -z "$names" ]; then
    echo 'skipped: there is no python3 to list the names of asyncio'
    echo '0 passed, 0 failed, 1 skipped'
    exit 0
fi
grep -ho '\<_*async_[a-z_]*' runtime/async.h runtime/extra/*.h | sort -u | awk -v names="$names" '
    function judge(good, words) { if (good) passed++; else { failed++; print words } }
    FILENAME == "-" { known[$0] = 1; all = all "\n" $0 "_"; next }
    { page = page $0 "\n" }
    END {
        known["async_generator"] = 1
        count = split(names, pair, /[ \n]/)
        for (i = 1; i < count; i += 2)
            judge(index(all, (pair[i] ~ /[.]/ ? "_" : "\nasync_") pair[i + 1] "_") || index(page, "`" pair[i] "`") ||
                  (pair[i] ~ /[.]/ && page ~ "[^a-z_]" pair[i + 1] "[^a-z_]"),
                  "runtime/asyncio.md says nothing of asyncio." pair[i] ", which async.h has not")
        while (match(page, /`_*async_[a-z_]*/)) {
            name = substr(page, RSTART + 1, RLENGTH - 1)
            page = substr(page, RSTART + RLENGTH)
            if (!seen[name]++) judge(name in known, "runtime/asyncio.md speaks of " name ", which there is not")
        }
        printf "%d passed, %d failed\n", passed, failed
        exit failed > 0
    }' - runtime/asyncio.md
