#!/usr/bin/env python3
"""Hold our runtime against asyncio: random programs, run under both, compared line by line.

usage: conform.py [options] [FILE...]       (make conform SEED=1 COUNT=5000)

  --seed N        the first program's seed (1); the next one has N + 1, and so on
  --count N       how many programs (5000)
  --profile NAME  of gen.py; otherwise the seed decides
  --features "WORD..."   only these of the optional features (FORMAT.md, section 7)
  --jobs N        processes (as many as there are processors)
  --build DIR     where runtime/tests/conform was built (build)
  FILE...         compare these programs instead of random ones

A difference is shrunk to a small program, shown beside both traces, and kept in DIR/conform/.
The reference is Python 3.13; under 3.12 programs whose trace has changed since are not generated.
"""
import argparse
import multiprocessing
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

REFERENCE = (3, 13)
OLDEST = (3, 12)
CHANGED_SINCE_OLDEST = {"cond", "barrier", "tg", "cancelcount", "eager"}    # FORMAT.md, section 8
EAGER_CHANGED = (3, 13, 2)
BUNDLE = 100                # programs for one process
MIX = ["virtual", "wild", "virtual", "base", "virtual",
       "wild", "virtual", "real", "wild", "virtual"]
MOST_DIFFERENCES = 5
PATIENCE = 20               # seconds of processor time for one bundle under our runtime, which takes milliseconds
LONG_PATIENCE = 600         # seconds for one that waits, which none has reason to
SHRINK_SECONDS = 60


def find_python():
    """Makes sure that this runs under a Python that can be compared with, or says why not."""
    if sys.version_info >= OLDEST:
        return
    for name in ("python3.13", "python3.12", "python3.14"):
        path = shutil.which(name)
        if path:
            os.execv(path, [path] + sys.argv)
    print("skipped: comparing with asyncio needs Python 3.12 or newer (3.13 is the reference), "
          "this is %d.%d" % sys.version_info[:2])
    sys.exit(0)


if __name__ == "__main__":
    find_python()

sys.dont_write_bytecode = True
import gen          # noqa: E402  (they need a new Python themselves)
import run_py       # noqa: E402


# ------------------------------------------------------------------------------- both sides

def asyncio_trace(text):
    """What asyncio prints for a program."""
    return run_py.run_program(text)[0]


def our_output(conform, text):
    """Runs our interpreter: what it printed, and how it failed or None."""
    with tempfile.NamedTemporaryFile("w", suffix=".fuzz") as f:
        f.write(text)
        f.flush()
        try:
            done = subprocess.run([conform, f.name], capture_output=True, timeout=LONG_PATIENCE,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE)))
        except subprocess.TimeoutExpired as e:
            return (e.stdout or b"").decode(), f"it waits and waits, for {LONG_PATIENCE} s"
    failure = None
    if done.returncode:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
        said = done.stderr.decode(errors="replace").strip().splitlines()
        failure = "\n".join([f"it ended with {how}"] + said[-40:])
    return done.stdout.decode(errors="replace"), failure


def our_trace(conform, text):
    """The lines of one program run alone; a failure is a line as well."""
    out, failure = our_output(conform, text)
    return out.splitlines() + ([failure] if failure else [])


def our_traces(conform, programs):
    """The traces of (name, text) pairs, run one after the other in one process.  After a crash
    or a hang the culprit's trace ends with a line about it, and the others get a new process."""
    traces = []
    while len(traces) < len(programs):
        todo = programs[len(traces):]
        out, failure = our_output(conform, "".join(f"=== {name}\n{text}" for name, text in todo))
        got = [body.splitlines() for _, body in run_py.split_bundle(out)] if out else [[]]
        if failure:
            got[-1].append(failure)
        elif len(got) < len(todo):
            got[-1].append("its output ends here")
        traces += got[:len(todo)]
    return traces


# ------------------------------------------------------------------------------ shrinking
#
# A program is a list of header lines and a list of blocks, one a coroutine function.  A block is a
# list of statements, a statement is [words, parts], a part is [head, block], where head is "" or
# "except W" or "finally".

BLOCKS = run_py.BLOCKS | {"try"}


def parse(text):
    lines = [line.split() for line in text.splitlines()]
    lines = [w for w in lines if w and not w[0].startswith("#")]
    header, coros, at = [], [], 0

    def block():
        nonlocal at
        out = []
        while lines[at][0] not in ("end", "except", "finally"):
            words = lines[at]
            at += 1
            parts = []
            if words[0] in BLOCKS:
                head = ""
                while True:
                    parts.append([head, block()])
                    head = " ".join(lines[at])
                    at += 1
                    if head == "end":
                        break
            out.append([words, parts])
        return out

    while at < len(lines):
        words = lines[at]
        at += 1
        if words[0] == "coro":
            coros.append(block())
            at += 1
        else:
            header.append(words)
    return header, coros


def unparse(header, coros):
    out = [" ".join(words) for words in header]

    def put(block, indent):
        for words, parts in block:
            out.append("  " * indent + " ".join(words))
            for head, body in parts:
                if head:
                    out.append("  " * indent + head)
                put(body, indent + 1)
            if parts:
                out.append("  " * indent + "end")

    for i, block in enumerate(coros):
        out.append(f"coro {i}")
        put(block, 1)
        out.append("end")
    return "\n".join(out) + "\n"


def statements(block):
    for st in block:
        yield st
        for _, body in st[1]:
            yield from statements(body)


def valid(coros):
    """Does every statement stand where FORMAT.md allows it?"""
    def check(block, group, handler, final):
        for words, parts in block:
            op = words[0]
            if op == "tgspawn" and not group or op == "reraise" and not handler:
                return False
            if op == "return" and final:
                return False
            for head, body in parts:
                if not check(body, group or op == "tg", handler or head.startswith("except"),
                             final or head == "finally"):
                    return False
        return True

    return all(check(block, False, False, False) for block in coros)


def callees(words):
    """The positions in a statement's words that name coroutine functions."""
    return {"call": [1], "spawn": [2], "espawn": [2], "tgspawn": [2], "waitforc": [2],
            "gatherc": range(2, len(words))}.get(words[0], [])


def without_coro(coros, gone):
    """The coroutine functions without one that nobody starts, or None."""
    rest = [block for i, block in enumerate(coros) if i != gone]
    new = []
    for block in rest:
        block = copy(block)
        for words, _ in statements(block):
            for i in callees(words):
                c = int(words[i])
                if c == gone:
                    return None
                words[i] = str(c - (c > gone))
        new.append(block)
    return new


def copy(x):
    return [copy(y) for y in x] if isinstance(x, list) else x


def edits(block):
    """Every way to make a block smaller, the largest cuts first."""
    size = len(block)
    while size:
        for at in range(0, len(block), size):
            yield block[:at] + block[at + size:]
        size //= 2
    for i, (words, parts) in enumerate(block):
        def instead(*sts):
            return block[:i] + list(sts) + block[i + 1:]
        for j, (head, body) in enumerate(parts):
            yield instead(*body)
            if head:
                less = parts[:j] + parts[j + 1:]
                if len(less) > 1:
                    yield instead([words, less])
            for smaller in edits(body):
                yield instead([words, parts[:j] + [[head, smaller]] + parts[j + 1:]])
        if words[0] == "repeat" and words[1] != "1":
            yield instead([["repeat", "1"], parts])
        if words[0] in ("tgspawn", "espawn"):
            yield instead([["spawn"] + words[1:], parts])
        first = {"gather": 2, "gatherc": 2, "wait": 3}.get(words[0])
        if first and len(words) > first + 1:
            for j in range(first, len(words)):
                yield instead([words[:j] + words[j + 1:], parts])


def smaller_programs(header, coros):
    for gone in range(len(coros) - 1, 0, -1):
        less = without_coro(coros, gone)
        if less is not None:
            yield header, less
    for i in range(len(coros) - 1, -1, -1):
        for block in edits(coros[i]):
            yield header, coros[:i] + [block] + coros[i + 1:]
    for words in header:
        if words[0] == "need":
            yield [w for w in header if w is not words], coros


def shrink(text, differs):
    """A small program for which `differs` still holds."""
    header, coros = parse(text)
    until, progress = time.monotonic() + SHRINK_SECONDS, True
    while progress and time.monotonic() < until:
        progress = False
        for less in smaller_programs(header, coros):
            if valid(less[1]) and differs(unparse(*less)):
                header, coros = less
                progress = True
                break
            if time.monotonic() > until:
                break
    return unparse(header, coros)


# ------------------------------------------------------------------------------- comparing

def differs_under(conform):
    """A test for `shrink`: do the traces differ?"""
    def differs(text):
        try:
            expected = asyncio_trace(text)
        except Exception:       # a program that is not one any more
            return False
        return expected[-1] != "TOOLONG" and our_trace(conform, text) != expected
    return differs


def side_by_side(expected, got):
    """Both traces from shortly before the first line that differs."""
    first = next((i for i, (a, b) in enumerate(zip(expected, got)) if a != b),
                 min(len(expected), len(got)))
    start = max(0, first - 12)
    lines = [f"    {'asyncio':<42}ours"]
    lines += ["    ..."] if start else []
    for i in range(start, min(max(len(expected), len(got)), first + 8)):
        a, b = (x[i] if i < len(x) else "" for x in (expected, got))
        lines.append(f"  {' ' if a == b else '>'} {a:<42}{b}")
    return "\n".join(lines)


def describe(conform, name, text, got, replay):
    """A report about one difference, with a program that is as small as we can make it."""
    differs = differs_under(conform)
    out = [f"difference in {name}", f"  replay it: {replay}"]
    if differs(text):
        small = shrink(text, differs)
        expected, got = asyncio_trace(small), our_trace(conform, small)
    else:
        out.append("  It does not differ when it runs alone in a process.")
        small, expected = text, asyncio_trace(text)
    folder = os.path.join(os.path.dirname(conform), "..", "..", "conform")
    try:
        os.makedirs(folder, exist_ok=True)
        path = os.path.normpath(os.path.join(folder, os.path.basename(name) + ".fuzz"))
        with open(path, "w") as f:
            f.write(f"# {name}\n{small}")
        out.append(f"  a small program that differs is in {path}:")
    except OSError as e:
        out.append(f"  a small program that differs (it could not be kept: {e}):")
    out += ["    " + line for line in small.splitlines()]
    out.append("  the traces:")
    out.append(side_by_side(expected, got))
    return "\n".join(out)


def compare(job):
    """Compares a list of (name, text, how to replay); gives how many there were, and reports."""
    conform, programs = job
    programs = [p() if callable(p) else p for p in programs]
    traces = our_traces(conform, [p[:2] for p in programs])
    reports = []
    for (name, text, replay), got in zip(programs, traces):
        expected = asyncio_trace(text)
        if expected[-1] != "TOOLONG" and got != expected and len(reports) < MOST_DIFFERENCES:
            reports.append(describe(conform, name, text, got, replay))
    return len(programs), reports


class Seeded:
    """One random program, made in the process that runs it."""
    def __init__(self, seed, profile, allowed, words):
        self.seed, self.allowed, self.words = seed, allowed, words
        self.profile = profile or MIX[seed % len(MIX)]

    def __call__(self):
        text = gen.Gen(self.seed, self.profile, self.allowed).text()
        return f"{self.profile}-{self.seed}", text, \
            f"make conform SEED={self.seed} COUNT=1{self.words}"


def from_files(paths):
    for path in paths:
        with open(path) as f:
            for name, body in run_py.split_bundle(f.read()):
                yield name or os.path.basename(path), body, f"conform.py {path}"


def jobs_of(args, conform):
    """The work, cut into pieces for one process each."""
    allowed = set(gen.OPTIONAL)
    if sys.version_info < REFERENCE:
        allowed -= CHANGED_SINCE_OLDEST
    if sys.version_info >= EAGER_CHANGED:
        allowed.discard("eager")
    words = ""
    if args.features is not None:
        allowed &= set(args.features.split())
        words = f" FEATURES='{args.features}'"
    if args.profile:
        words += f" PROFILE={args.profile}"
    if args.file:
        programs = list(from_files(args.file))
        cuts = range(0, len(programs), BUNDLE)
        return len(programs), ((conform, programs[i:i + BUNDLE]) for i in cuts)
    end = args.seed + args.count
    return args.count, ((conform, [Seeded(seed, args.profile, allowed, words)
                                   for seed in range(i, min(i + BUNDLE, end))])
                        for i in range(args.seed, end, BUNDLE))


def show_progress(done, total, began):
    if sys.stderr.isatty():
        rate = done / max(time.monotonic() - began, 0.001)
        sys.stderr.write(f"\r  {done} of {total} programs, {rate:.0f} a second \r")
        sys.stderr.flush()


def run(args):
    conform = os.path.join(args.build, "runtime", "tests", "conform")
    if not os.access(conform, os.X_OK):
        sys.exit(f"{conform} is not there: make conform builds it")
    total, jobs = jobs_of(args, conform)
    began, done, failed = time.monotonic(), 0, 0
    # A worker ends by os._exit after one piece, so that no program's leftovers are destroyed:
    # destructors of coroutines would run code.
    pool = multiprocessing.get_context("fork").Pool(args.jobs, maxtasksperchild=1)
    with pool:
        for count, reports in pool.imap_unordered(compare, jobs):
            done += count
            failed += len(reports)
            for report in reports:
                print(report, end="\n\n", flush=True)
            show_progress(done, total, began)
            if failed >= MOST_DIFFERENCES:
                print("That is enough; the rest was not run.")
                pool.terminate()
                break
    version = ".".join(map(str, sys.version_info[:3]))
    note = "" if sys.version_info >= REFERENCE else \
        f" (3.13 is the reference: no programs with {', '.join(sorted(CHANGED_SINCE_OLDEST))})"
    print(f"{done} programs held against asyncio of Python {version}{note}, "
          f"{time.monotonic() - began:.0f} s")
    print(f"{done - failed} passed, {failed} failed")
    return failed != 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1], add_help=False)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--profile", choices=sorted(gen.PROFILES))
    parser.add_argument("--features")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--build", default="build")
    parser.add_argument("file", nargs="*")
    args = parser.parse_args()
    try:
        sys.exit(run(args))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
