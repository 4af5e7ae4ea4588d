#!/usr/bin/env python3
"""Pick the programs of ../corpus: few and small ones in which as much as possible happens.

usage: corpus.py [--pool N] [--pick N] > ../corpus/asyncio-3.13.txt

Out of a pool of random programs it takes, again and again, the one that shows most that none
before it has shown, for its size.  What a program shows: statements and what stands around them,
the outcomes of each statement, and which event followed on which, in the same instant or later, in
the same task or another.  Each is printed with the trace that asyncio gives; run it under Python
3.13, whose traces are the reference.
"""
import argparse
import heapq
import multiprocessing
import re
import sys

sys.dont_write_bytecode = True
import conform      # noqa: E402
import gen          # noqa: E402
import run_py       # noqa: E402

FIRST_SEED = 5000000        # far from those that one tries by hand


def shown_by_text(coros):
    """Each statement with the blocks around it."""
    def walk(block, around):
        for words, parts in block:
            yield "in", around, words[0]
            for head, body in parts:
                yield from walk(body, (around + (words[0] + head.split(" ")[0],))[-2:])

    for block in coros:
        yield from walk(block, ())


def shown_by_trace(trace, notes):
    """Kinds of lines, pairs of them that follow one another, and pairs within a task."""
    kinds, last_of = [], {}
    for line in trace:
        time, who, text = line.split(" ", 2)
        kind = re.sub(r"\d+", "", text)
        if kind.startswith(("gather", "wait ")):
            kind = re.sub(r",[^]]*,", ",", kind)
        kinds.append((time, who, kind))
    for kind in kinds:
        yield "kind", kind[2]
    for a, b in zip(kinds, kinds[1:]):
        yield "pair", a[2], b[2], a[0] == b[0], a[1] == b[1]
    for time, who, kind in kinds:
        if who in last_of:
            yield "task", last_of[who], kind
        last_of[who] = kind
    for note in notes:
        if not note.startswith("gap"):
            yield "note", note, kinds[-2][2]


def candidate(seed):
    """A program without comments and indentation, its trace, and what it shows."""
    profile = conform.MIX[seed % len(conform.MIX)]
    text = gen.Gen(seed, profile).text()
    text = "".join(line.strip() + "\n" for line in text.splitlines() if line[0] != "#")
    trace, notes = run_py.run_program(text)
    shown = set(shown_by_text(conform.parse(text)[1])) | set(shown_by_trace(trace, notes))
    return f"{profile}-{seed}", text, trace, shown


def candidates(seeds):
    return [c for c in map(candidate, seeds) if c[2][-1] != "TOOLONG"]


def pick(pool, most):
    """Greedily; a program's gain can only shrink, so old gains are good enough to sort by."""
    def gain(c, seen):
        return len(c[3] - seen) / (len(c[1]) + sum(map(len, c[2])) + 200)

    seen, picked = set(), []
    queue = [(-gain(c, seen), i) for i, c in enumerate(pool)]
    heapq.heapify(queue)
    while queue and len(picked) < most:
        i = heapq.heappop(queue)[1]
        now = gain(pool[i], seen)
        if queue and now < -queue[0][0]:
            heapq.heappush(queue, (-now, i))
            continue
        seen |= pool[i][3]
        picked.append(pool[i])
    return picked


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--pool", type=int, default=20000)
    parser.add_argument("--pick", type=int, default=290)
    args = parser.parse_args()
    if sys.version_info[:2] != conform.REFERENCE:
        print("corpus.py: this is not the Python whose traces are the reference", file=sys.stderr)
    seeds = range(FIRST_SEED, FIRST_SEED + args.pool)
    with multiprocessing.get_context("fork").Pool(maxtasksperchild=1) as pool:
        found = sum(pool.imap(candidates, [seeds[i:i + 500] for i in range(0, args.pool, 500)]), [])
    for name, text, trace, _ in pick(found, args.pick):
        print(f"=== {name}\n{text}---\n" + "\n".join(trace))


if __name__ == "__main__":
    main()
