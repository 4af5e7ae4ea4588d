#!/bin/sh
# trace.sh - what ASYNC_TRACE writes: JSON that a viewer can read, in which everything that begins
# ends, whatever became of the program. Without python3 nothing here can be checked.
set -u

cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
program=$build/runtime/tests/traced
passed=0 failed=0
export ASYNC_CLOCK=virtual

if ! command -v python3 >/dev/null; then
    echo 'skipped: there is no python3 to read a trace with'
    echo '0 passed, 0 failed, 1 skipped'
    exit 0
fi
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
trace=$scratch/trace.json

# verdict TITLE STATUS
verdict() {
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $1"
    fi
}

# judge HOW: reads $trace. HOW: complete, or cut (the last bracket and some ends are missing).
judge() {
    python3 - "$trace" "$1" << 'END'
import collections, json, sys
text = open(sys.argv[1], encoding="utf-8", errors="strict").read()
cut = sys.argv[2] == "cut"
events = json.loads(text + "]" if cut else text)
open_tasks, open_steps, flows, last, problems = collections.Counter(), [], set(), 0, []
# What the Trace Event Format asks of each kind, and Perfetto of it.
timed = {"name": str, "pid": int, "tid": int, "ts": (int, float), "args": dict}
identified = dict(timed, cat=str, id=str)
schema = {"M": {"name": str, "pid": int, "args": dict}, "B": timed, "E": timed, "i": timed, "X": dict(timed, dur=int),
          "b": identified, "e": identified, "n": identified, "s": identified, "f": dict(identified, bp=str)}
for e in events:
    for key, kind in schema.get(e["ph"], timed).items():
        if not isinstance(e.get(key), kind):
            problems.append(f"{key} is missing, or of another kind: {e}")
    if e["ph"] == "M":
        continue
    if e["ts"] < last:
        problems.append(f"time goes backwards: {e}")
    last = e["ts"]
    ph, name = e["ph"], e["name"]
    if ph in "be":
        key = (e["id"], name)
        open_tasks[key] += 1 if ph == "b" else -1
        if open_tasks[key] not in (0, 1):
            problems.append(f"begins twice, or ends what never began: {e}")
    elif ph == "B":
        open_steps.append(name)
        if len(open_steps) > 1:
            problems.append(f"a step within a step: {e}")
    elif ph == "E" and (not open_steps or open_steps.pop() != name):
        problems.append(f"a step ends that never began: {e}")
    elif ph == "s":
        flows.add(e["id"])
    elif ph == "f" and e["id"] not in flows:
        problems.append(f"a flow from nowhere: {e}")
    elif ph == "f":
        flows.remove(e["id"])
    elif ph not in "BEsfniX":
        problems.append(f"unknown kind: {e}")
if not cut:
    problems += [f"never ended: {k}" for k, n in open_tasks.items() if n] + open_steps
for p in problems[:10]:
    print(p)
sys.exit(bool(problems))
END
}

# has TITLE TEXT...: each of these texts stands in the trace.
has() {
    title=$1 status=0
    shift
    for text; do
        grep -qF -- "$text" "$trace" || { echo "no $text"; status=1; }
    done
    verdict "$title" "$status"
}

ASYNC_TRACE=$trace "$program" > "$scratch/out"
verdict 'the program runs as ever' $?
judge complete
verdict 'a complete trace' $?
has 'tasks with name, coroutine and place' '"name":"Task-1","cat":"task"' '"coroutine":"main_coroutine"' \
    '"name":"say \"hi\" \\ \u0009\ufffd \ufffd\ufffd\ufffd é","cat":"task"' '"name":"sleeper"' 'traced.c:'
has 'a task that gets another name' '"name":"odd","cat":"task"' '"event":"renamed"'
has 'a future, and who waits for it' '"event":"done","object":"0x' '"value":"42","waiters":["0x'
has 'what they wait for' '"event":"waits"' '"calls":[{"call":"nested","id":"0x' '"name":"Event"'
at() { echo "$program.c:$(grep -nF -- "$1" runtime/tests/traced.c | cut -d: -f1)" | sed 's|.*runtime|runtime|'; }
has 'where each function stands that it is in' "\"where\":\"$(at '0.01 : 2.5')\"},{\"call\":\"main_coroutine\"" \
    "\"where\":\"$(at 'await(async_coro(nested))')\"}]"
has 'functions that are awaited, and generators' "\"event\":\"entered\"" '"event":"left"' '"value":"\"nested is done\""' \
    "\"stands\":\"$(at 'async_yield(')\",\"generator\":true,\"value\":\"1\"" '"error":"GeneratorExit"'
has 'how they end' '"error":"CancelledError"' '"error":"ValueError","message":"a\u000ab"' \
    '"event":"cancel"'
has 'timers, time and signals' '"name":"timer"' '"name":"time passes"' '"at":2.500000000' \
    '"name":"signal"'
has 'callbacks' '"event":"calls"' '"function":"0x' '"event":"called"'
has 'what is in a queue, and what a task returned' '"items":[{"n":0,"value":"\"tea \"green\"\""},{"n":1,"value":"7"},{"n":2,"value":"2.5"}]' \
    '"value":"\"empty\""'
has 'what was printed' '"event":"printed","from":0,"to":6'
[ "$(wc -c < "$scratch/out")" -eq 12 ]
verdict 'nothing else is printed' $?

ASYNC_TRACE=$trace "$program" spin > "$scratch/out"
judge complete
verdict 'a program that spins' $?
has 'what it does again and again is left out' '"event":"folded","turns":99' '"stands"'
[ "$(wc -c < "$trace")" -lt 200000 ]
verdict 'and takes no room' $?

ASYNC_TRACE=$trace "$program" kill > "$scratch/out" 2>&1
[ $? -eq 137 ]
verdict 'killed in the middle' $?
judge cut
verdict 'a trace that was cut off' $?

ASYNC_TRACE=$trace "$program" abort > "$scratch/out" 2>&1
judge cut
verdict 'the trace of a crash' $?

ASYNC_TRACE=$scratch/none/trace.json "$program" > "$scratch/out" 2> "$scratch/err"
verdict 'a file that cannot be written does no harm' $?
grep -q '^ASYNC_TRACE: .*none/trace.json cannot be written (.*); the program runs without a' \
    "$scratch/err"
verdict 'but a sentence' $?

if [ -w /dev/full ]; then
    ASYNC_TRACE=/dev/full "$program" > "$scratch/out" 2> "$scratch/err" &&
        grep -q '^ASYNC_TRACE: the trace ends here' "$scratch/err"
    verdict 'a full disk does no harm' $?
fi

ASYNC_CLOCK='' ASYNC_TRACE=$trace "$program" short > "$scratch/out"
judge complete
verdict 'on the real clock' $?

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
