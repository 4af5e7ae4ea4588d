"""A deterministic virtual clock for asyncio (3.11 and later, standard library only).

VirtualLoop is the selector event loop with two changes:

  * time() is a number that only moves when the loop would block: select() adds
    the timeout it was asked for and returns at once.  The loop starts at 0.
    The unit is whatever the program uses (seconds, or ms with fuzz programs).
  * select() with nothing to wait for (no ready handle, no timer) raises Deadlock
    instead of blocking for ever.

With fifo=True timers with equal deadlines run in the order of their creation.
CPython's heap does not promise that, but on a real
clock two deadlines are never equal, and creation order is what one sees there.

Real I/O, threads and signals don't work on this loop.
"""
import asyncio
import asyncio.events
import heapq
import itertools
import selectors


class Deadlock(BaseException):
    """The loop has nothing to run and nothing to wait for."""


class _VirtualSelector(selectors.SelectSelector):
    clock = 0

    def select(self, timeout=None):
        if timeout is None:
            raise Deadlock
        if timeout > 0:
            self.clock += timeout
            if self.on_jump:
                self.on_jump()
        return []

    on_jump = None


class _FifoTimer(asyncio.events.TimerHandle):
    __slots__ = ("seq",)

    def __lt__(self, other):
        return (self._when, self.seq) < (other._when, other.seq)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, fifo=False):
        self._virtual = _VirtualSelector()
        super().__init__(self._virtual)
        self._fifo = itertools.count() if fifo else None
        self.on_timer = None            # called with the handle when a timer is made

    def time(self):
        return self._virtual.clock

    def call_at(self, when, callback, *args, context=None):
        if self._fifo is None:
            return super().call_at(when, callback, *args, context=context)
        self._check_closed()
        timer = _FifoTimer(when, callback, args, self, context)
        timer.seq = next(self._fifo)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer


def run(main, *, debug=None):
    """asyncio.run() on a VirtualLoop."""
    with asyncio.Runner(debug=debug, loop_factory=VirtualLoop) as runner:
        return runner.run(main)
