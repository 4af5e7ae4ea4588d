#!/usr/bin/env python3
"""Interpret fuzz programs under asyncio on a virtual clock (see FORMAT.md).

usage: run_py.py [--notes] FILE...

Each FILE holds one program, or a bundle: programs that each follow a line
'=== NAME', with or without a trace behind them.  The traces of a bundle are
printed in the same way, and '--notes' adds a line '# notes: ...' after each
trace (FORMAT.md, section 8).  Works under Python 3.11 and later; the traces
of 3.13 are the reference.
"""
import asyncio
import contextvars
import os
import sys

sys.dont_write_bytecode = True
from vloop import Deadlock, VirtualLoop  # noqa: E402

CancelledError = asyncio.CancelledError
CAUGHT = (Exception, CancelledError)        # never GeneratorExit
MAX_TRACE = 5000
BLOCKS = {"repeat", "with", "swith", "cwith", "timeout", "tg"}
OBJECTS = {"queue", "lock", "event", "sem", "cond", "fut", "barrier", "var"}
RETURN_WHEN = (asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION, asyncio.ALL_COMPLETED)
NAMES = {asyncio.QueueFull: "QueueFull", asyncio.QueueEmpty: "QueueEmpty",
         asyncio.InvalidStateError: "InvalidState", ValueError: "ValueError",
         asyncio.BrokenBarrierError: "BrokenBarrier", RuntimeError: "RuntimeError"}


class Err(Exception):
    def __init__(self, k):
        self.k = k


class TooLong(BaseException):
    pass


def exc_name(e):
    if isinstance(e, Err):
        return f"E{e.k}"
    if isinstance(e, CancelledError):
        return "Cancelled"
    if isinstance(e, TimeoutError):
        return "Timeout"
    if isinstance(e, BaseExceptionGroup):
        return "Group(" + ",".join(exc_name(x) for x in e.exceptions) + ")"
    return NAMES[type(e)]


def matches(word, e):
    if word == "all":
        return True
    if word == "error":
        return not isinstance(e, CancelledError)
    if word == "cancel":
        return isinstance(e, CancelledError)
    if word == "timeout":
        return isinstance(e, TimeoutError)
    return isinstance(e, Err) and word in ("E", f"E{e.k}")


# --------------------------------------------------------------------- parser

class Program:
    def __init__(self, text):
        self.objects, self.coros, self.slots, self.need, self.eager = [], [], 0, [], False
        lines = [line.split() for line in text.splitlines()]
        lines = [w for w in lines if w and not w[0].startswith("#")]
        if lines[0] != ["fuzz", "1"]:
            raise SystemExit("not a fuzz program")
        i = 1
        while i < len(lines):
            w = lines[i]
            if w[0] == "coro":
                assert int(w[1]) == len(self.coros)
                body, i = self.block(lines, i + 1)
                assert lines[i] == ["end"]
                self.coros.append(body)
            elif w[0] == "slots":
                self.slots = int(w[1])
            elif w[0] == "need":
                self.need = w[1:]
            elif w[0] == "eager":
                self.eager = True
            elif w[0] in OBJECTS:
                self.objects.append(w)
            i += 1

    def block(self, lines, i):
        """The statements up to the 'end', 'except' or 'finally' that closes them."""
        out = []
        while lines[i][0] not in ("end", "except", "finally"):
            w = lines[i]
            if w[0] == "try":
                word = handler = final = None
                body, i = self.block(lines, i + 1)
                if lines[i][0] == "except":
                    word = lines[i][1]
                    handler, i = self.block(lines, i + 1)
                if lines[i][0] == "finally":
                    final, i = self.block(lines, i + 1)
                assert lines[i] == ["end"]
                out.append(("try", body, word, handler, final))
            elif w[0] in BLOCKS:
                body, i = self.block(lines, i + 1)
                assert lines[i] == ["end"]
                out.append((w[0], [int(x) for x in w[1:]], body))
            else:
                out.append((w[0], [int(x) if x.lstrip("-").isdigit() else x for x in w[1:]]))
            i += 1
        return out, i


# ---------------------------------------------------------------- interpreter

class OrderedSet(dict):
    """Stands in for the set inside TaskGroup, whose order depends on addresses."""
    def add(self, x):
        self[x] = True

    def discard(self, x):
        self.pop(x, None)


class Task(asyncio.Task):
    """Is in the list of all tasks before it begins, which may be at once."""
    def __init__(self, coro, *, loop, all_tasks, **kw):
        all_tasks.append(self)
        super().__init__(coro, loop=loop, **kw)


class Act:
    """One activation: a coroutine started as a task, or by waitforc."""
    __slots__ = ("id", "top", "acc", "handling", "groups")

    def __init__(self, id, top):
        self.id = id            # printed as T<id>
        self.top = top          # tasks up to this id must not be awaited
        self.acc = 0
        self.handling = []      # exceptions being handled, innermost last
        self.groups = []        # open task groups, innermost last


class Interp:
    def __init__(self, program):
        self.p = program
        self.out = []
        self.dead = False
        self.phase = "main"
        self.last_id = 0
        self.slot = [None] * program.slots
        self.tasks = []                     # every task, in the order of creation
        self.id_of = {}
        self.notes = set()
        self.gap = 10 ** 9
        self.loop = loop = VirtualLoop(fifo=True)
        loop.set_exception_handler(lambda loop, context: None)
        loop.set_task_factory(self.make_task)
        loop._virtual.on_jump = self.jumped
        self.q, self.l, self.v, self.m, self.d, self.f, self.b = [], [], [], [], [], [], []
        self.x, self.token = [], []         # context variables, and the newest token of each
        for w in program.objects:
            if w[0] == "queue":
                cls = {"fifo": asyncio.Queue, "lifo": asyncio.LifoQueue,
                       "prio": asyncio.PriorityQueue}[w[1]]
                self.q.append(cls(int(w[2])))
            elif w[0] == "lock":
                self.l.append(asyncio.Lock())
            elif w[0] == "event":
                self.v.append(asyncio.Event())
            elif w[0] == "sem":
                self.m.append(asyncio.Semaphore(int(w[1])))
            elif w[0] == "cond":
                self.d.append(asyncio.Condition())
            elif w[0] == "fut":
                self.f.append(loop.create_future())
            elif w[0] == "barrier":
                self.b.append(asyncio.Barrier(int(w[1])))
            elif w[0] == "var":
                self.x.append(contextvars.ContextVar("X", default=0))
                self.token.append(None)

    # ---- plumbing
    def jumped(self):
        """The clock has moved: is only one timer due, and how far off was it?"""
        now = self.loop.time()
        due = sum(1 for h in self.loop._scheduled if not h._cancelled and h._when <= now)
        if due > 1:
            self.notes.add("collision")
        self.gap = min(self.gap, now - getattr(self, "last_jump", 0))
        self.last_jump = now

    def make_task(self, loop, coro, eager_start=None, **kw):
        if eager_start is None:
            eager_start = self.p.eager
        if eager_start:                     # 3.11 does not know the word
            kw["eager_start"] = True
        task = Task(coro, loop=loop, all_tasks=self.tasks, **kw)
        if self.phase == "shutdown":
            self.notes.add("late-spawn")
        return task

    def emit(self, who, text):
        if self.dead:
            return
        if len(self.out) >= MAX_TRACE:
            raise TooLong
        if self.phase == "tail":
            self.notes.add("tail")
        self.out.append(f"{self.loop.time():.0f} {who if who == '-' else f'T{who}'} {text}")

    def start(self, c, top=0):
        """A fresh activation of coroutine c: its id and its coroutine object."""
        self.last_id += 1
        i = self.last_id
        return i, self.activation(c, Act(i, max(top, i)))

    @staticmethod
    def outcome(fut):
        if fut.cancelled():
            return "! Cancelled"
        if fut.exception() is not None:
            return "! " + exc_name(fut.exception())
        return f"= {fut.result()}"

    async def activation(self, c, a):
        self.emit(a.id, f"begin C{c}")
        try:
            value = await self.function(c, a)
        except CAUGHT as e:
            self.emit(a.id, "end ! " + exc_name(e))
            raise
        self.emit(a.id, f"end = {value}")
        if a.id == 1:
            self.phase = "tail"
        return value

    async def function(self, c, a):
        saved, a.acc = a.acc, 0
        try:
            sig = await self.block(self.p.coros[c], a)
        finally:
            a.acc = saved
        return sig[0] if sig else 0

    async def block(self, body, a):
        """Runs statements; a tuple (value,) is returned where 'return' was met."""
        for st in body:
            sig = await getattr(self, "st_" + st[0])(a, *st[1:])
            if sig is not None:
                return sig

    # ---- control
    async def st_log(self, a, w):
        self.emit(a.id, f"log {w[0]}")

    async def st_set(self, a, w):
        a.acc = w[0]

    async def st_sleep(self, a, w):
        await asyncio.sleep(w[0])

    async def st_raise(self, a, w):
        raise Err(w[0])

    async def st_reraise(self, a, w):
        raise a.handling[-1]

    async def st_return(self, a, w):
        return (a.acc if w[0] == "acc" else w[0],)

    async def st_repeat(self, a, w, body):
        for _ in range(w[0]):
            sig = await self.block(body, a)
            if sig is not None:
                return sig

    async def st_call(self, a, w):
        a.acc = await self.function(w[0], a)
        self.emit(a.id, f"call C{w[0]} = {a.acc}")

    async def st_try(self, a, body, word, handler, final):
        sig = exc = None
        try:
            sig = await self.block(body, a)
        except CAUGHT as e:
            exc = e
        if exc is not None and word and matches(word, exc):
            self.emit(a.id, "caught " + exc_name(exc))
            a.handling.append(exc)
            exc = None
            try:
                sig = await self.block(handler, a)
            except CAUGHT as e:
                exc = e
            a.handling.pop()
        if final is not None:
            await self.block(final, a)      # what it raises replaces exc and sig
        if exc is not None:
            raise exc
        return sig

    # ---- tasks
    async def st_spawn(self, a, w):
        i, coro = self.start(w[1])
        self.slot[w[0]] = task = self.loop.create_task(coro)
        self.id_of[task] = i
        self.emit(a.id, f"spawn T{i} C{w[1]}")

    async def st_espawn(self, a, w):
        i, coro = self.start(w[1])
        self.slot[w[0]] = task = self.make_task(self.loop, coro, eager_start=True)
        self.id_of[task] = i
        self.emit(a.id, f"spawn T{i} C{w[1]}")

    async def st_self(self, a, w):
        self.slot[w[0]] = asyncio.current_task()

    async def st_tgspawn(self, a, w):
        i, coro = self.start(w[1])
        try:
            task = a.groups[-1].create_task(coro)
        except RuntimeError:
            coro.close()
            raise
        self.slot[w[0]] = task
        self.id_of[task] = i
        self.emit(a.id, f"spawn T{i} C{w[1]}")

    def pick(self, a, op, s):
        """The task of slot s where a may await it, else None and a line."""
        task = self.slot[s]
        if task is None:
            self.emit(a.id, f"{op} S{s} empty")
        elif self.id_of[task] <= a.top:
            self.emit(a.id, f"{op} S{s} skip")
        else:
            return task

    def pick_some(self, a, op, slots):
        tasks = [self.slot[s] for s in slots]
        tasks = [t for t in tasks if t is not None and self.id_of[t] > a.top]
        if not tasks:
            self.emit(a.id, f"{op} empty")
        return tasks

    async def one(self, a, op, s, wrap):
        task = self.pick(a, op, s)
        if task is not None:
            a.acc = await wrap(task)
            self.emit(a.id, f"{op} T{self.id_of[task]} = {a.acc}")

    async def st_await(self, a, w):
        await self.one(a, "await", w[0], lambda t: t)

    async def st_shield(self, a, w):
        await self.one(a, "shield", w[0], asyncio.shield)

    async def st_waitfor(self, a, w):
        await self.one(a, "waitfor", w[1], lambda t: asyncio.wait_for(t, w[0]))

    async def st_waitforc(self, a, w):
        i, coro = self.start(w[1], a.top)
        a.acc = await asyncio.wait_for(coro, w[0])
        self.emit(a.id, f"waitforc T{i} = {a.acc}")

    async def st_cancel(self, a, w):
        task = self.slot[w[0]]
        if task is None:
            self.emit(a.id, f"cancel S{w[0]} empty")
        else:
            self.emit(a.id, f"cancel T{self.id_of[task]} {int(task.cancel())}")

    async def st_state(self, a, w):
        task = self.slot[w[0]]
        if task is None:
            self.emit(a.id, f"state S{w[0]} empty")
        else:
            text = self.outcome(task) if task.done() else "pending"
            self.emit(a.id, f"state T{self.id_of[task]} {text}")

    async def st_cancelling(self, a, w):
        self.emit(a.id, f"cancelling = {asyncio.current_task().cancelling()}")

    async def st_uncancel(self, a, w):
        self.emit(a.id, f"uncancel = {asyncio.current_task().uncancel()}")

    @staticmethod
    def results(values):
        return "[" + ",".join(exc_name(x) if isinstance(x, BaseException) else str(x)
                              for x in values) + "]"

    async def st_gather(self, a, w):
        tasks = self.pick_some(a, "gather", w[1:])
        if tasks:
            got = await asyncio.gather(*tasks, return_exceptions=bool(w[0]))
            self.emit(a.id, "gather = " + self.results(got))

    async def st_gatherc(self, a, w):
        coros = [self.start(c)[1] for c in w[1:]]
        got = await asyncio.gather(*coros, return_exceptions=bool(w[0]))
        self.emit(a.id, "gatherc = " + self.results(got))

    async def st_wait(self, a, w):
        tasks = self.pick_some(a, "wait", w[2:])
        if tasks:
            sets = await asyncio.wait(tasks, timeout=None if w[1] < 0 else w[1],
                                      return_when=RETURN_WHEN[w[0]])
            done, pending = (",".join(f"T{i}" for i in sorted(self.id_of[t] for t in x)) or "-"
                             for x in sets)
            self.emit(a.id, f"wait done={done} pending={pending}")

    async def st_timeout(self, a, w, body):
        async with asyncio.timeout(w[0]):
            return await self.block(body, a)

    async def st_tg(self, a, w, body):
        group = asyncio.TaskGroup()
        group._tasks = OrderedSet()
        async with group:
            a.groups.append(group)
            try:
                return await self.block(body, a)
            finally:
                a.groups.pop()

    async def st_tcb(self, a, w):
        task = self.slot[w[0]]
        if task is None:
            self.emit(a.id, f"tcb S{w[0]} empty")
        else:
            task.add_done_callback(lambda t: self.emit(
                "-", f"tcb {w[1]} T{self.id_of[t]} {self.outcome(t)}"))

    # ---- loop callbacks
    async def st_soon(self, a, w):
        self.loop.call_soon(self.emit, "-", f"cb {w[0]}")

    async def st_later(self, a, w):
        self.loop.call_later(w[0], self.emit, "-", f"cb {w[1]}")

    # ---- futures
    async def st_fset(self, a, w):
        self.f[w[0]].set_result(w[1])
        self.emit(a.id, f"fset F{w[0]} {w[1]}")

    async def st_fexc(self, a, w):
        self.f[w[0]].set_exception(Err(w[1]))
        self.emit(a.id, f"fexc F{w[0]} E{w[1]}")

    async def st_fcancel(self, a, w):
        self.emit(a.id, f"fcancel F{w[0]} {int(self.f[w[0]].cancel())}")

    async def st_fwait(self, a, w):
        a.acc = await self.f[w[0]]
        self.emit(a.id, f"fwait F{w[0]} = {a.acc}")

    async def st_fcb(self, a, w):
        self.f[w[0]].add_done_callback(lambda f: self.emit(
            "-", f"fcb {w[1]} F{w[0]} {self.outcome(f)}"))

    # ---- queues
    async def st_put(self, a, w):
        await self.q[w[0]].put(w[1])
        self.emit(a.id, f"put Q{w[0]} {w[1]}")

    async def st_putn(self, a, w):
        self.q[w[0]].put_nowait(w[1])
        self.emit(a.id, f"putn Q{w[0]} {w[1]}")

    async def st_get(self, a, w):
        a.acc = await self.q[w[0]].get()
        self.emit(a.id, f"get Q{w[0]} = {a.acc}")

    async def st_getn(self, a, w):
        a.acc = self.q[w[0]].get_nowait()
        self.emit(a.id, f"getn Q{w[0]} = {a.acc}")

    async def st_tdone(self, a, w):
        self.q[w[0]].task_done()
        self.emit(a.id, f"tdone Q{w[0]}")

    async def st_join(self, a, w):
        await self.q[w[0]].join()
        self.emit(a.id, f"join Q{w[0]}")

    async def st_qsize(self, a, w):
        self.emit(a.id, f"qsize Q{w[0]} = {self.q[w[0]].qsize()}")

    # ---- locks
    async def hold(self, a, obj, name, body):
        await obj.acquire()
        self.emit(a.id, "acq " + name)
        sig = exc = None
        try:
            sig = await self.block(body, a)
        except CAUGHT as e:
            exc = e
        obj.release()                       # its RuntimeError replaces exc and sig
        self.emit(a.id, "rel " + name)
        if exc is not None:
            raise exc
        return sig

    async def st_with(self, a, w, body):
        return await self.hold(a, self.l[w[0]], f"L{w[0]}", body)

    async def st_swith(self, a, w, body):
        return await self.hold(a, self.m[w[0]], f"M{w[0]}", body)

    async def st_cwith(self, a, w, body):
        return await self.hold(a, self.d[w[0]], f"D{w[0]}", body)

    async def st_acq(self, a, w):
        await self.l[w[0]].acquire()
        self.emit(a.id, f"acq L{w[0]}")

    async def st_rel(self, a, w):
        self.l[w[0]].release()
        self.emit(a.id, f"rel L{w[0]}")

    async def st_locked(self, a, w):
        self.emit(a.id, f"locked L{w[0]} {int(self.l[w[0]].locked())}")

    async def st_sacq(self, a, w):
        await self.m[w[0]].acquire()
        self.emit(a.id, f"acq M{w[0]}")

    async def st_srel(self, a, w):
        self.m[w[0]].release()
        self.emit(a.id, f"rel M{w[0]}")

    async def st_cwait(self, a, w):
        await self.d[w[0]].wait()
        self.emit(a.id, f"cwait D{w[0]}")

    async def st_cnotify(self, a, w):
        self.d[w[0]].notify(w[1])
        self.emit(a.id, f"cnotify D{w[0]} {w[1]}")

    async def st_eset(self, a, w):
        self.v[w[0]].set()
        self.emit(a.id, f"eset V{w[0]}")

    async def st_eclr(self, a, w):
        self.v[w[0]].clear()
        self.emit(a.id, f"eclr V{w[0]}")

    async def st_ewait(self, a, w):
        await self.v[w[0]].wait()
        self.emit(a.id, f"ewait V{w[0]}")

    async def st_bwait(self, a, w):
        index = await self.b[w[0]].wait()
        self.emit(a.id, f"bwait B{w[0]} = {index}")

    # ---- context variables
    async def st_vset(self, a, w):
        self.token[w[0]] = self.x[w[0]].set(w[1])
        self.emit(a.id, f"vset X{w[0]} {w[1]}")

    async def st_vget(self, a, w):
        a.acc = self.x[w[0]].get()
        self.emit(a.id, f"vget X{w[0]} = {a.acc}")

    async def st_vreset(self, a, w):
        if self.token[w[0]] is None:
            raise RuntimeError("nothing was set")
        self.x[w[0]].reset(self.token[w[0]])
        self.emit(a.id, f"vreset X{w[0]}")

    async def st_vsoon(self, a, w):
        self.loop.call_soon(lambda: self.emit("-", f"vcb {w[1]} X{w[0]} = {self.x[w[0]].get()}"))

    # ---- the whole run, as asyncio.run() does it
    def run(self):
        loop = self.loop
        try:
            main = loop.create_task(self.start(0)[1])
            self.id_of[main] = 1
            try:
                loop.run_until_complete(main)
            except CAUGHT:
                pass
            self.phase = "shutdown"
            self.emit("-", "main " + self.outcome(main))
            left = [t for t in self.tasks if not t.done()]      # asyncio.run(): any order
            for t in left:
                t.cancel()
            if left:
                loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self.emit("-", "END")
        except Deadlock:
            self.notes.add("deadlock")
            self.emit("-", "DEADLOCK")
        except TooLong:
            self.notes.add("toolong")
            self.out.append("TOOLONG")
        self.dead = True
        if self.gap < 10 ** 9:
            self.notes.add(f"gap{self.gap:.0f}")
        return self.out


KEEP = []           # nothing is collected before the end: no destructor may run code


def run_program(text):
    interp = Interp(Program(text))
    asyncio.set_event_loop(interp.loop)
    KEEP.append(interp)
    trace = interp.run()
    interp.loop._selector.close()
    for s in (interp.loop._ssock, interp.loop._csock):
        s.close()
    return trace, sorted(interp.notes)


def split_bundle(text):
    if not text.startswith("=== "):
        return [(None, text)]
    out = []
    for part in text.split("\n=== "):
        name, _, body = part.removeprefix("=== ").partition("\n")
        out.append((name, body.partition("\n---\n")[0].rstrip("\n") + "\n"))
    return out


def main():
    args = sys.argv[1:]
    notes = "--notes" in args
    for path in [x for x in args if not x.startswith("--")]:
        with open(path) as f:
            text = f.read()
        for name, body in split_bundle(text):
            trace, seen = run_program(body)
            if name:
                print("===", name)
            print("\n".join(trace))
            if notes:
                print("# notes:", *seen)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
