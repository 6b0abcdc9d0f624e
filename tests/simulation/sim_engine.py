"""Virtual time: actors are threads of which exactly one runs, and which one is decided by the time and by nothing else.

An actor gives up its turn only in `sleep`, so between two sleeps it is alone, as a process is between two system calls that block.
A killed actor gets `Killed` there; from then on it can do nothing: every door to the world is shut (see `Actor.check`).
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from hashlib import sha256
from random import Random

from offduty.clock import Clock

START = 1_795_413_600.0  # 2026-11-23T06:00:00Z
STUCK = 10_000  # events at one moment: somebody asks again and again and does not wait


class Killed(BaseException):
    """SIGKILL: not an Exception, so that nothing in production catches it."""


def _shut() -> threading.Lock:
    """A gate that one thread opens (`release`) for one other (`acquire`): a lock is three times as fast at that as a semaphore."""
    gate = threading.Lock()
    gate.acquire()
    return gate


class Engine:
    """Time, chance and the trace. `now`: true seconds since the simulation began; `monotonic` is that of the machine's boot."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = 0.0
        self.wall_offset = START
        self.booted_at = -1000.0
        self.boot = "boot-0"
        self.events = 0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = self._standing = 0
        self._trace = sha256()
        self._back = _shut()
        self.current: Actor | None = None
        self.lines: list[str] | None = None  # kept only for people

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Do something at a true time."""
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, do))

    def run(self, until: float) -> None:
        """Play everything up to a true time."""
        while self._heap and self._heap[0][0] <= until:
            when, _, do = heapq.heappop(self._heap)
            self._standing = 0 if when > self.now else self._standing + 1
            assert self._standing < STUCK, f"time stands still at {self.now}"
            self.now = max(self.now, when)
            self.events += 1
            do()
        self.now = max(self.now, until)

    def trace(self, text: str) -> None:
        """One line of what happened; two runs of one seed have the same."""
        line = f"{self.now:.6f} {text}"
        self._trace.update(line.encode())
        if self.lines is not None:
            self.lines.append(line)

    def digest(self) -> str:
        """The SHA-256 of the trace so far."""
        return self._trace.hexdigest()

    # Turns

    def _turn(self, actor: Actor) -> None:
        before, self.current = self.current, actor
        actor.go.release()
        self._back.acquire()
        self.current = before

    def _give_back(self) -> None:
        self._back.release()


class Actor:
    """One process: `work(actor)` runs until it returns or is killed."""

    def __init__(self, engine: Engine, name: str, work: Callable[[Actor], None]) -> None:
        self.engine, self.name, self.work = engine, name, work
        self.go = _shut()
        self.dead = self.done = False
        self.stopped_until = 0.0
        self.ticket = 0
        self.idle = False  # asleep until there is something to do, so that it may be woken earlier
        self.drowsy = 0  # store operations until it is stopped for minutes; 0 for never
        self.fuse = 0  # store operations until it is killed; 0 for never
        self._thread = threading.Thread(target=self._life, name=name, daemon=True)
        self._thread.start()
        engine.at(engine.now, lambda: self._wake(0))

    def _life(self) -> None:
        self.go.acquire()
        try:
            self.work(self)
        except Killed:
            pass
        finally:
            self.done = True
            self.engine._give_back()

    def _wake(self, ticket: int) -> None:
        if self.done or ticket != self.ticket:
            return
        if self.stopped_until > self.engine.now and not self.dead:
            self.engine.at(self.stopped_until, lambda: self._wake(ticket))
            return
        self.engine._turn(self)

    def sleep(self, seconds: float, *, idle: bool = False) -> None:
        """Let the others have their turns."""
        self.check()
        self.ticket += 1
        self.idle, ticket = idle, self.ticket
        self.engine.at(self.engine.now + max(0.0, seconds), lambda: self._wake(ticket))
        self.engine._give_back()
        self.go.acquire()
        self.ticket += 1
        self.idle = False
        self.check()

    def nudge(self) -> None:
        """There is something to do."""
        if self.idle:
            ticket = self.ticket
            self.engine.at(self.engine.now, lambda: self._wake(ticket))

    def check(self) -> None:
        """A dead process does nothing."""
        if self.dead:
            raise Killed

    def kill(self) -> None:
        """SIGKILL, from outside or by itself. Its thread unwinds at once or at its next breath."""
        if self.dead or self.done:
            return
        self.dead = True
        self.engine.trace(f"{self.name} killed")
        if self.engine.current is self:
            raise Killed
        ticket = self.ticket
        self.engine.at(self.engine.now, lambda: self._wake(ticket))

    def burn(self) -> None:
        """One store operation nearer to its end, if a fuse burns."""
        self.check()
        if self.drowsy:
            self.drowsy -= 1
            if not self.drowsy:
                self.engine.trace(f"{self.name} stopped")
                self.sleep(60 + self.engine.random.random() * 300)
        if self.fuse:
            self.fuse -= 1
            if not self.fuse:
                self.kill()


class SimClock(Clock):
    """What an actor's machine shows: the wall clock can be set, the monotonic one begins anew with each boot."""

    def __init__(self, engine: Engine, actor: Actor | None = None) -> None:
        self._engine, self._actor = engine, actor

    def wall(self) -> float:
        return self._engine.now + self._engine.wall_offset

    def monotonic(self) -> float:
        return self._engine.now - self._engine.booted_at

    def sleep(self, seconds: float) -> None:
        assert self._actor is not None
        self._actor.sleep(seconds)
