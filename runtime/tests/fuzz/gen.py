#!/usr/bin/env python3
"""Make random fuzz programs (see FORMAT.md).  The same seed always gives the same text.

usage: gen.py [--profile NAME] SEED                     one program
       gen.py [--profile NAME] --bundle FIRST COUNT     a bundle, '=== NAME' lines
       gen.py --max-need "WORD WORD..."                 only these optional features

Profiles:
  virtual   small times with many equal deadlines, zero delays
  wild      even smaller times and more features at once, so that almost everything happens in
            the same few instants
  base      like virtual, without any optional feature ('need base')
  real      times are multiples of 20 ms and mostly differ
"""
import sys

PROFILES = {"virtual": 1, "real": 2, "base": 3, "wild": 4}

OPTIONAL = {            # word after 'need' -> chance of being switched on, in percent
    "timeout": 35, "tg": 18, "sem": 25, "cond": 18, "fut": 25, "barrier": 8,
    "callback": 25, "cancelcount": 8, "lifo": 20, "prio": 20, "waitforc": 25,
    "waitfor": 55, "shield": 60, "eager": 12, "context": 15,
}
NEEDS = {"timeout": "timeout", "tg": "tg", "tgspawn": "tg", "swith": "sem", "sacq": "sem",
         "srel": "sem", "cwith": "cond", "cwait": "cond", "cnotify": "cond",
         "fset": "fut", "fexc": "fut", "fcancel": "fut", "fwait": "fut", "fcb": "fut",
         "bwait": "barrier", "soon": "callback", "later": "callback", "tcb": "callback",
         "cancelling": "cancelcount", "uncancel": "cancelcount", "waitforc": "waitforc",
         "waitfor": "waitfor", "shield": "shield", "espawn": "eager", "vset": "context",
         "vget": "context", "vreset": "context", "vsoon": "context"}
COST_CAP = 320          # statements executed by main, all callees included


class Rng:
    """splitmix64: the same numbers everywhere, whatever the Python version."""
    def __init__(self, seed):
        self.s = seed & (2 ** 64 - 1)

    def next(self):
        self.s = (self.s + 0x9E3779B97F4A7C15) & (2 ** 64 - 1)
        z = self.s
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & (2 ** 64 - 1)
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & (2 ** 64 - 1)
        return z ^ (z >> 31)

    def __call__(self, n):
        return self.next() % n

    def chance(self, percent):
        return self(100) < percent

    def pick(self, seq):
        return seq[self(len(seq))]

    def weighted(self, pairs):
        x = self(sum(w for _, w in pairs))
        for item, w in pairs:
            if x < w:
                return item
            x -= w


class Gen:
    def __init__(self, seed, profile="virtual", allowed=None):
        self.r = r = Rng(seed * 1000003 + PROFILES[profile])
        for _ in range(4):
            r.next()
        self.seed, self.profile = seed, profile
        self.on = {w for w, p in OPTIONAL.items() if r.chance(60 if profile == "wild" else p)}
        if profile == "base":
            self.on = set()
        if allowed is not None:
            self.on &= set(allowed)
        self.log_no = 0
        self.nq = r.weighted([(0, 40), (1, 40), (2, 20)])
        self.nl = r.weighted([(0, 60), (1, 30), (2, 10)])
        self.nv = r.weighted([(0, 60), (1, 30), (2, 10)])
        self.nm = 1 + r(2) if "sem" in self.on else 0
        self.nd = 1 if "cond" in self.on else 0
        self.nf = 1 + r(2) if "fut" in self.on else 0
        self.nb = 1 if "barrier" in self.on else 0
        self.nx = 1 + r(2) if "context" in self.on else 0
        self.eager = "eager" in self.on and r.chance(50)        # all tasks; or only those of espawn
        kinds = ["fifo"] + [k for k in ("lifo", "prio") if k in self.on]
        self.queues = [(r.pick(kinds), r.pick([0, 0, 1, 1, 2, 3])) for _ in range(self.nq)]
        self.sems = [r.pick([0, 1, 1, 2, 3]) for _ in range(self.nm)]
        self.barriers = [2 + r(2) for _ in range(self.nb)]
        self.nslots = 2 + r(5)
        self.extra_slots = 2            # one for the helper, one for main itself
        self.nbase = 2 + r(5)           # functions that others may start freely
        self.ncoros = self.nbase
        self.coros = {}
        self.cost = {}
        self.helper = None
        if r.chance(92 if self.nq or self.nv or self.nf or self.nd or self.nm
                    or self.nl or self.nb else 50):
            self.helper = self.new_coro(self.helper_body())
        for c in range(self.nbase - 1, 0, -1):
            self.define(c, self.coro_body(c))
        races = [self.race() for _ in range(r.weighted([(0, 15), (1, 35), (2, 30), (3, 20)]))]
        for cap in (16, 12, 8, 5, 3, 2):
            self.define(0, self.main_body(cap, races))
            if self.cost[0] <= COST_CAP:
                break

    # ---- bookkeeping
    def define(self, c, body):
        self.coros[c] = body
        self.cost[c] = self.price(body)

    def new_coro(self, body):
        c = self.ncoros
        self.ncoros += 1
        self.define(c, body)
        return c

    def new_slot(self):
        self.extra_slots += 1
        return self.nslots + self.extra_slots - 1

    def price(self, body):
        total = 0
        for st in body:
            op, args, subs = st
            total += 1
            inner = sum(self.price(b) for _, b in subs)
            if op == "repeat":
                inner *= args[0]
            total += inner
            if op in ("call", ):
                total += self.cost[args[0]]
            elif op in ("spawn", "espawn", "tgspawn", "waitforc"):
                total += self.cost[args[1]]
            elif op == "gatherc":
                total += sum(self.cost[x] for x in args[1:])
        return total

    def ms(self, zero=True):
        if self.profile == "real":
            if zero and self.r.chance(15):
                return 0
            return 20 * (1 + self.r(20))
        if self.profile == "wild":
            return self.r.pick([0, 0, 0, 1, 1, 2] if zero else [1, 1, 1, 2, 3])
        return self.r.pick([0, 0, 1, 1, 2, 3, 4, 5, 5, 10, 10, 20] if zero
                           else [1, 2, 3, 4, 5, 5, 10, 10, 20])

    def patience(self):
        """A timeout."""
        if self.profile == "real":
            return 20 * (1 + self.r(15))
        if self.profile == "wild":
            return self.r.pick([0, 1, 1, 2, 3])
        return self.r.pick([0, 1, 2, 3, 4, 5, 8, 10, 15, 30])

    def log(self):
        self.log_no += 1
        return ("log", [self.log_no], [])

    @staticmethod
    def st(op, *args, **subs):
        return (op, list(args), [(None, b) for b in subs.values()])

    def slot(self):
        return self.r(self.nslots)

    def slots(self, most=4):
        return [self.slot() for _ in range(1 + self.r(most))]

    def callee(self, c):
        """A later coroutine whose cost is bearable, or None."""
        some = [j for j in range(c + 1, self.nbase) if self.cost[j] < 60]
        return self.r.pick(some) if some else None

    def try_(self, body, word, handler, final=None):
        subs = [("try", body)]
        if word:
            subs.append(("except " + word, handler))
        if final is not None:
            subs.append(("finally", final))
        return ("try", [], subs)

    # ---- bodies
    def helper_body(self):
        """Sets, feeds and releases everything after a while, so that few programs hang."""
        st, r, body = self.st, self.r, []
        for _ in range(1 + r(3)):
            body.append(st("sleep", 300 + 20 * r(10) if self.profile == "real"
                           else r.pick([7, 12, 20, 33])))
            for v in range(self.nv):
                body.append(st("eset", v))
            for q in range(self.nq):
                if r.chance(80):
                    for _ in range(1 + r(3)):
                        body.append(self.try_([st("putn", q, 90 + r(10))], "error", []))
                if r.chance(60):
                    for _ in range(1 + r(2)):
                        body.append(self.try_([st("tdone", q)], "error", []))
                if r.chance(50):
                    body.append(self.try_([st("getn", q)], "error", []))
            for f in range(self.nf):
                body.append(self.try_([st("fset", f, 80 + r(10))], "error", []))
            for m in range(self.nm):
                for _ in range(1 + r(2)):
                    body.append(st("srel", m))
            for d in range(self.nd):
                body.append(st("cwith", d, body=[st("cnotify", d, 1 + r(3))]))
        if r.chance(85):            # at last cancel everybody, main after the others
            late = 1000 if self.profile == "real" else 60
            body.append(st("sleep", late))
            body += [st("cancel", s) for s in range(self.nslots)]
            body += [st("sleep", late), st("cancel", self.nslots + 1)]
        return body

    def template(self, c):
        """A whole body that uses one primitive as people do, or None."""
        st, r = self.st, self.r
        some = []
        if self.nq:
            some += ["produce", "consume", "consume", "produce"]
        if self.nl:
            some += ["lock", "lock"]
        if self.nv:
            some += ["event"]
        if self.nm:
            some += ["sem", "sem"]
        if self.nd:
            some += ["cwait", "cnotify"]
        if self.nb:
            some += ["barrier", "barrier"]
        some += ["steps", "fail", "stubborn"]
        kind = r.pick(some)
        n = 1 + r(4)
        if kind == "produce":
            q = r(self.nq)
            return [st("repeat", n, body=[st("put", q, r(50)), st("sleep", self.ms())]),
                    self.log()]
        if kind == "consume":
            q = r(self.nq)
            inner = [st("get", q), st("sleep", self.ms())]
            if r.chance(70):
                inner.append(st("tdone", q))
            return [st("repeat", n, body=inner), st("return", "acc")]
        if kind == "lock":
            k = r(self.nl)
            return [st("repeat", n, body=[st("with", k, body=[st("sleep", self.ms()),
                                                               self.log()])]), self.log()]
        if kind == "event":
            v = r(self.nv)
            return [st("ewait", v), self.log(), st("sleep", self.ms()), self.log()]
        if kind == "sem":
            m = r(self.nm)
            return [st("repeat", n, body=[st("swith", m, body=[self.log(),
                                                               st("sleep", self.ms())])])]
        if kind == "cwait":
            d = r(self.nd)
            return [st("cwith", d, body=[st("cwait", d), self.log()]), st("return", r(9))]
        if kind == "cnotify":
            d = r(self.nd)
            return [st("sleep", self.ms()),
                    st("cwith", d, body=[st("cnotify", d, 1 + r(3)), st("sleep", self.ms())])]
        if kind == "barrier":
            return [st("sleep", self.ms()), st("bwait", r(self.nb)), self.log()]
        if kind == "steps":
            return [st("repeat", n, body=[self.log(), st("sleep", self.ms())]),
                    st("return", r(100))]
        if kind == "fail":
            return [st("sleep", self.ms()), st("raise", 1 + r(5))]
        return [self.try_([st("sleep", self.ms(False) * 3)], r.pick(["cancel", "all"]),
                          [self.log(), st("sleep", self.ms())]
                          + ([st("reraise")] if r.chance(50) else [])),
                self.log(), st("return", r(100))]

    def coro_body(self, c):
        r = self.r
        if r.chance(45):
            return self.template(c)
        body = [self.log()] if r.chance(50) else []
        body += self.some(c, 1 + r(5), 0, {})
        if r.chance(15):
            body.append(self.st("raise", 1 + r(5)))
        elif r.chance(60):
            body.append(self.st("return", r.pick(["acc", r(100), r(100)])))
        return body

    def race(self):
        """A piece of main around some waiters of one kind: they wait, main wakes them and
        cancels some in the same step or an iteration apart.  The objects are its own."""
        st, r = self.st, self.r
        kinds = ["lock", "lock", "event", "getq", "getq", "getq", "putq", "putq", "await", "gather",
                 "mix", "suicide", "join", "chain"]
        for word, more in (("sem", "sem"), ("cond", "cond"), ("fut", "fut"), ("tg", "tg"),
                           ("timeout", "timeout"), ("shield", "shield"),
                           ("waitfor", "waitfor"), ("barrier", "barrier")):
            if word in self.on:
                kinds += [more] * 3
        kind = r.pick(kinds)
        a, b, c = self.new_slot(), self.new_slot(), self.new_slot()
        t = self.ms(False)
        # the moment at which main acts: the same instant as the waiters' own times, or not
        act = t if self.profile != "real" and r.chance(70) else self.ms(False)
        tail = [self.log()] if r.chance(50) else [self.log(), st("sleep", self.ms())]
        before, wake, body, after = [], [], None, []
        if kind == "lock":
            k = self.nl
            self.nl += 1
            before, wake = [st("acq", k)], [st("rel", k)]
            body = [st("with", k, body=tail)]
            after = [st("with", k, body=[self.log()])] if r.chance(50) else []
        elif kind == "sem":
            k = self.nm
            self.nm += 1
            self.sems.append(0)
            wake = [st("srel", k) for _ in range(r.pick([1, 1, 2, 3, 4]))]
            body = [st("swith", k, body=tail)]
            after = [st("swith", k, body=[self.log()])] if r.chance(60) else []
        elif kind == "event":
            k = self.nv
            self.nv += 1
            wake = [st("eset", k)] + ([st("eclr", k)] if r.chance(50) else [])
            body = [st("ewait", k)] + tail
        elif kind == "cond":
            k = self.nd
            self.nd += 1
            inside = [st("cnotify", k, 1 + r(2))]
            if r.chance(50):
                inside.append(st("cancel", a))
            if r.chance(40):
                inside.append(st("sleep", self.ms()))
            wake = [st("cwith", k, body=inside)]
            body = [st("cwith", k, body=[st("cwait", k)] + tail)]
            after = [st("sleep", self.ms()), st("cwith", k, body=[st("cnotify", k, 3)])]
        elif kind == "barrier":
            k = self.nb
            self.nb += 1
            self.barriers.append(3)
            body = [st("bwait", k)] + tail
            wake = [st("spawn", c, self.new_coro([st("bwait", k), self.log()]))]
        elif kind == "getq":
            k = self.nq
            self.nq += 1
            self.queues.append(("fifo", 0))
            wake = [st("putn", k, r(50)) for _ in range(r.pick([1, 1, 1, 2]))]
            body = [st("get", k)] + tail
            after = [st("putn", k, r(50))] if r.chance(50) else \
                [self.try_([st("getn", k)], "error", [self.log()])]
        elif kind == "putq":
            k = self.nq
            self.nq += 1
            self.queues.append(("fifo", 1))
            before, wake = [st("putn", k, r(50))], [st("getn", k)]
            body = [st("put", k, r(50))] + tail
            after = [self.try_([st("getn", k)], "error", [self.log()])]
        elif kind == "fut":
            k = self.nf
            self.nf += 1
            before = [st("fcb", k, r(100))]
            wake = [r.pick([st("fset", k, r(100)), st("fexc", k, 1 + r(5)), st("fcancel", k)])]
            body = [st("fwait", k)] + tail
        elif kind in ("await", "shield", "waitfor", "gather"):
            end = r.pick([[st("return", r(100))], [st("return", r(100))], [st("raise", 1 + r(5))]])
            target = self.new_coro([self.try_([st("sleep", t)], "cancel",
                                              [self.log(), st("sleep", self.ms()),
                                               st("reraise")])] + end)
            how = {"await": st("await", c), "shield": st("shield", c),
                   "waitfor": st("waitfor", r.pick([t, t, self.patience()]), c),
                   "gather": st("gather", r(2), c, self.slot(), c)}[kind]
            body = [self.try_([how], r.pick(["all", "error", "timeout"]), [self.log()])] + tail
            after = [st("spawn", c, target)]        # put in front below: numbers must rise
        elif kind == "timeout":
            body = [self.try_([st("timeout", t, body=[st("sleep", 2 * t)])],
                              r.pick(["timeout", "all", "cancel"]), [self.log()])] + tail
        elif kind == "tg":
            f = self.new_coro([st("sleep", t), st("raise", 1 + r(5))])
            g = self.new_coro([self.try_([st("sleep", 3 * t)], "cancel",
                                         [self.log()] + r.pick([[], [st("sleep", self.ms())]])
                                         + r.pick([[st("reraise")], [st("raise", 7)]]))])
            inner = [st("tgspawn", c, r.pick([f, f, g])), st("tgspawn", c, g)]
            inner += r.pick([[], [st("sleep", 2 * t), self.log()]])
            body = [self.try_([st("tg", body=inner)], r.pick(["all", "error", "cancel"]),
                              [self.log()]), st("sleep", self.ms()), self.log()]
        elif kind == "mix":
            f = self.new_coro([st("sleep", t), st("raise", 1 + r(5))])
            body = [st("sleep", 2 * t), self.log()]
            killer = self.new_coro([st("sleep", self.ms(False)), st("cancel", a)])
            return [st("spawn", a, self.new_coro(body)), st("spawn", b, f),
                    st("spawn", c, killer),
                    st("wait", r.pick([0, 1, 1, 2]), r.pick([-1, -1, t]), a, b, a),
                    st("state", a), st("state", b)]
        elif kind == "suicide":
            body = [self.log(), st("cancel", a)]
            body += r.pick([[], [st("sleep", 0), self.log()], [st("raise", 3)], [st("await", b)]])
            body.append(st("return", r(100)))
            k = self.new_coro(body)
            return [st("spawn", a, k),
                    self.try_([st("await", a)], "all", [self.log()]), st("state", a)]
        elif kind == "join":
            k = self.nq
            self.nq += 1
            self.queues.append(("fifo", 0))
            n = 1 + r(3)
            steps = [[st("repeat", n, body=[st("get", k), st("sleep", self.ms()), st("tdone", k)])],
                     [st("repeat", n, body=[st("get", k)]),
                      st("repeat", n, body=[st("sleep", self.ms()), st("tdone", k)])]]
            w = self.new_coro(r.pick(steps))
            j = self.new_coro([st("join", k), self.log()])
            return [st("putn", k, r(50)) for _ in range(n)] + [
                st("spawn", b, j), st("spawn", a, w), st("join", k), self.log(),
                st("putn", k, r(50)), st("sleep", self.ms()), st("tdone", k), st("join", k)]
        elif kind == "chain":
            low = self.new_coro([self.try_([st("sleep", 2 * t)], r.pick(["cancel", "all"]),
                                           [self.log(), st("sleep", self.ms())]
                                           + r.pick([[], [st("reraise")], [st("raise", 8)]])),
                                 st("return", r(100))])
            mid = self.new_coro([st("await", c), self.log()])
            top = self.new_coro([r.pick([st("await", b), st("gather", r(2), b, c)]), self.log()])
            out = [st("spawn", a, top), st("spawn", b, mid), st("spawn", c, low),
                   st("sleep", act), st("cancel", r.pick([a, a, b]))]
            if r.chance(40):
                out += r.pick([[], [st("sleep", 0)]]) + [st("cancel", a)]
            return out + [self.try_([st("gather", 1, a, b, c)], "all", [self.log()])]
        if after and kind in ("getq", "putq", "lock", "sem") and r.chance(50):
            after = [st("sleep", self.ms(False))] + after
        w = self.new_coro(body)
        out = before + [st("spawn", a, w), st("spawn", b, w)]
        if kind in ("await", "shield", "waitfor", "gather"):
            out, after = out + after, []
        elif r.chance(40) and kind != "barrier":
            out.append(st("spawn", c, w))
        out += r.pick([[], [st("sleep", 0)]]) + [st("sleep", act)]
        asks = [st("cancel", x) for x in (a, b) if r.chance(60 if x == a else 30)]
        if r.chance(30):
            asks = asks + wake
        elif r.chance(20):
            asks = wake + [st("sleep", 0)] + asks
        else:
            asks = wake + asks
        out += asks + after + [st("sleep", self.ms())]
        out += [st("state", a), st("state", b)]
        return out

    def main_body(self, most, races):
        st, r = self.st, self.r
        body = []
        if self.helper is not None:
            body.append(st("self", self.nslots + 1))
            body.append(st("spawn", self.nslots, self.helper))
        for s in range(self.nslots):
            c = self.callee(0)
            if c is not None and r.chance(70) and self.price(body) + self.cost[c] < COST_CAP // 2:
                body.append(st("spawn", s, c))
        left = list(races)
        for _ in range(2 + r(max(1, most - 2))):
            if left and r.chance(40):
                body += left.pop()
            one = self.some(0, 1, 0, {})
            if r.chance(85) and one and one[0][0] not in ("log", "spawn", "sleep", "cancel"):
                one = [self.try_(one, r.pick(["all", "error", "all", "all", "cancel", "E"]),
                                 [self.log()] if r.chance(40) else [])]
            body += one
        for piece in left:
            body += piece
        if r.chance(45):
            everyone = list(range(self.nslots))
            end = r.weighted([("wait", 3), ("gather", 4), ("sleep", 3)])
            if end == "wait":
                body.append(st("wait", r(3), r.pick([-1, self.patience() + 50]), *everyone))
            elif end == "gather":
                body.append(st("gather", int(r.chance(75)), *everyone))
            else:
                body.append(st("sleep", 1000 if self.profile in ("real", "base") else 200))
        if r.chance(60):
            body.append(st("return", r.pick(["acc", r(100)])))
        return body

    def some(self, c, n, depth, ctx):
        out = []
        for _ in range(n):
            x = self.one(c, depth, ctx)
            if x is not None:
                out.append(x)
        return out

    def one(self, c, depth, ctx):
        st, r = self.st, self.r
        w = [("log", 10), ("sleep", 22), ("cancel", 7), ("await", 9), ("state", 4), ("set", 1),
             ("gather", 6), ("wait", 6)]
        w += [(op, n) for op, n in (("waitfor", 9), ("shield", 7)) if op in self.on]
        if not ctx.get("quiet"):
            w += [("spawn", 10), ("gatherc", 4), ("call", 6), ("raise", 3)]
            if "waitforc" in self.on:
                w += [("waitforc", 8)]
            if ctx.get("tg"):
                w += [("tgspawn", 30)]
            if "eager" in self.on:
                w += [("espawn", 20)]
        if not ctx.get("final"):
            w += [("return", 1)]
        if ctx.get("handler"):
            w += [("reraise", 25)]
        if depth < 3 and not ctx.get("quiet"):
            w += [("try", 12), ("repeat", 4 if not ctx.get("loop") else 0)]
            if self.nl:
                w += [("with", 9)]
            if self.nm:
                w += [("swith", 9)]
            if self.nd:
                w += [("cwith", 10)]
            if "timeout" in self.on:
                w += [("timeout", 12)]
            if "tg" in self.on:
                w += [("tg", 12)]
        if self.nq:
            w += [("put", 10), ("get", 10), ("putn", 3), ("getn", 3), ("tdone", 5),
                  ("join", 3), ("qsize", 2)]
        if self.nl:
            w += [("acq", 2), ("rel", 2), ("locked", 2)]
        if self.nv:
            w += [("eset", 6), ("eclr", 3), ("ewait", 7)]
        if self.nm:
            w += [("sacq", 3), ("srel", 4)]
        if self.nd:
            w += [("cnotify", 1)]
            if ctx.get("cwith"):
                w += [("cnotify", 20), ("cwait", 20)]
        if self.nf:
            w += [("fset", 5), ("fexc", 2), ("fcancel", 2), ("fwait", 7), ("fcb", 4)]
        if self.nb:
            w += [("bwait", 6)]
        if "callback" in self.on:
            w += [("soon", 5), ("later", 5), ("tcb", 6)]
        if "cancelcount" in self.on:
            w += [("cancelling", 6), ("uncancel", 4)]
        if self.nx:
            w += [("vset", 12), ("vget", 14), ("vreset", 6), ("vsoon", 4)]
        op = r.weighted(w)

        if op == "log":
            return self.log()
        if op == "sleep":
            return st("sleep", self.ms())
        if op == "set":
            return st("set", r(100))
        if op in ("cancel", "await", "state", "shield"):
            return st(op, self.slot())
        if op == "tcb":
            return st("tcb", self.slot(), r(100))
        if op == "waitfor":
            return st("waitfor", self.patience(), self.slot())
        if op == "gather":
            return st("gather", r(2), *self.slots())
        if op == "wait":
            limit = self.patience() if r.chance(50) else -1
            return st("wait", r(3), limit, *self.slots())
        if op in ("spawn", "espawn", "tgspawn", "call", "waitforc", "gatherc"):
            j = self.callee(c)
            if j is None:
                return self.log()
            if op == "call":
                return st("call", j)
            if op == "waitforc":
                return st("waitforc", self.patience(), j)
            if op == "gatherc":
                return st("gatherc", r(2), *[self.callee(c) for _ in range(1 + r(3))])
            return st(op, self.slot(), j)
        if op == "raise":
            return st("raise", 1 + r(5))
        if op == "reraise":
            return st("reraise")
        if op == "return":
            return st("return", r.pick(["acc", r(100)]))
        if op == "try":
            sub = dict(ctx)
            body = self.some(c, 1 + r(3), depth + 1, sub)
            word = final = None
            handler = []
            if r.chance(80):
                word = r.weighted([("all", 3), ("error", 3), ("cancel", 4), ("E", 2),
                                   ("timeout", 2), (f"E{1 + r(5)}", 1)])
                handler = self.some(c, r(3), depth + 1, dict(ctx, handler=1, quiet=1))
            if word is None or r.chance(30):
                final = self.some(c, 1 + r(2), depth + 1, dict(ctx, final=1, quiet=1))
                final = [x for x in final if x[0] != "reraise"] or [self.log()]
            return self.try_(body, word, handler, final)
        if op == "repeat":
            return st("repeat", 2 + r(3), body=self.some(c, 1 + r(3), depth + 1,
                                                         dict(ctx, loop=1)) or [self.log()])
        if op in ("with", "swith", "cwith"):
            k = r({"with": self.nl, "swith": self.nm, "cwith": self.nd}[op])
            sub = dict(ctx, cwith=1) if op == "cwith" else ctx
            return st(op, k, body=self.some(c, 1 + r(3), depth + 1, sub))
        if op == "timeout":
            return st("timeout", self.patience(), body=self.some(c, 1 + r(3), depth + 1, ctx))
        if op == "tg":
            return st("tg", body=self.some(c, 2 + r(3), depth + 1, dict(ctx, tg=1)))
        if op in ("put", "putn"):
            return st(op, r(self.nq), r(50))
        if op in ("get", "getn", "tdone", "join", "qsize"):
            return st(op, r(self.nq))
        if op in ("acq", "rel", "locked"):
            return st(op, r(self.nl))
        if op in ("eset", "eclr", "ewait"):
            return st(op, r(self.nv))
        if op in ("sacq", "srel"):
            return st(op, r(self.nm))
        if op == "cnotify":
            return st(op, r(self.nd), 1 + r(3))
        if op == "cwait":
            return st(op, r(self.nd))
        if op == "fset":
            return st(op, r(self.nf), r(100))
        if op == "fexc":
            return st(op, r(self.nf), 1 + r(5))
        if op in ("fcancel", "fwait"):
            return st(op, r(self.nf))
        if op == "fcb":
            return st(op, r(self.nf), r(100))
        if op == "bwait":
            return st(op, r(self.nb))
        if op == "soon":
            return st("soon", r(100))
        if op in ("vset", "vsoon"):
            return st(op, r(self.nx), r(100))
        if op in ("vget", "vreset"):
            return st(op, r(self.nx))
        if op == "later":
            return st("later", self.ms(), r(100))
        return st(op)

    # ---- text
    def text(self):
        need = set()

        def walk(body):
            for op, _, subs in body:
                if op in NEEDS:
                    need.add(NEEDS[op])
                for _, b in subs:
                    walk(b)

        for c in self.coros:
            walk(self.coros[c])
        need |= {kind for kind, _ in self.queues if kind != "fifo"}
        need |= {"eager"} if self.eager else set()
        out = ["fuzz 1", f"# seed {self.seed} profile {self.profile}",
               "need base" + "".join(" " + x for x in sorted(need)),
               f"slots {self.nslots + self.extra_slots}"]
        out += [f"queue {kind} {size}" for kind, size in self.queues]
        out += ["lock"] * self.nl + ["event"] * self.nv + [f"sem {n}" for n in self.sems]
        out += ["cond"] * self.nd + ["fut"] * self.nf
        out += [f"barrier {n}" for n in self.barriers]
        out += ["var"] * self.nx + ["eager"] * self.eager

        def put(body, ind):
            for op, args, subs in body:
                words = " ".join([op] + [str(x) for x in args])
                out.append("  " * ind + words)
                if op == "try":
                    for head, b in subs:
                        if head != "try":
                            out.append("  " * ind + head)
                        put(b, ind + 1)
                    out.append("  " * ind + "end")
                elif subs or op in ("repeat", "with", "swith", "cwith", "timeout", "tg"):
                    for _, b in subs:
                        put(b, ind + 1)
                    out.append("  " * ind + "end")

        for c in range(self.ncoros):
            out.append(f"coro {c}")
            put(self.coros[c], 1)
            out.append("end")
        return "\n".join(out) + "\n"


def main():
    args = sys.argv[1:]
    profile, allowed, bundle = "virtual", None, False
    rest = []
    while args:
        a = args.pop(0)
        if a == "--profile":
            profile = args.pop(0)
        elif a == "--max-need":
            allowed = args.pop(0).split()
        elif a == "--bundle":
            bundle = True
        else:
            rest.append(int(a))
    if bundle:
        for seed in range(rest[0], rest[0] + rest[1]):
            print(f"=== {profile}-{seed}")
            sys.stdout.write(Gen(seed, profile, allowed).text())
    else:
        sys.stdout.write(Gen(rest[0], profile, allowed).text())


if __name__ == "__main__":
    main()
