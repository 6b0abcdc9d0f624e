"""The store as a run command has it at hand: opened while the job runs, waited for briefly, and done without where it is away."""

from __future__ import annotations

import _thread
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from offduty.runs.attempts import World
    from offduty.runs.job import Job
    from offduty.runs.store import Record
    from offduty.runs.supervise import Guard
    from offduty.stores.sqlite import SqliteStore

STORE_TIME = 1.0  # seconds that one operation may wait for the store in a thread of its own
SHORTEST_WAIT, SHORT_WAIT = 0.1, 0.2  # the same while the job runs, whose output waits meanwhile, and where the answer is not needed
MANY_SPOOLED = 64  # so many runs too short to reach the store: the next one takes the time to bring them all there


class StoreAtHand:
    """The store of one run command. `is_warm`: it was prepared while the job ran. Methods raise StoreError unless they say otherwise."""

    def __init__(self, world: World) -> None:
        self.is_warm = False
        self._clock, self._places = world.clock, world.places
        self._held: tuple[SqliteStore, tuple[int, int] | None] | None = None
        self._free = _thread.allocate_lock()  # held while a thread has the connection

    def warm(self, wait: float = SHORT_WAIT) -> None:
        """Open it, and import what bringing a run there takes. `wait`: seconds, for other processes."""
        import offduty.runs.alive
        import offduty.stores.replay  # noqa: F401

        self.opened(wait)
        self.is_warm = True

    def opened(self, wait: float = SHORT_WAIT) -> SqliteStore:
        """The store, opened once; anew if the file is not the one that was opened (a job may run for days).

        It is never closed: this process ends without ado, which to SQLite is as good as a close and costs nothing.
        """
        from offduty.stores.sqlite import open_store

        self._wait_for_thread(wait)
        path = self._places.store
        if self._held is None or self._held[1] != _identity(path):
            store = open_store(path, clock=self._clock, timeout=wait)
            self._held = (store, _identity(path))
        self._held[0].wait_at_most(wait)
        return self._held[0]

    def _wait_for_thread(self, seconds: float) -> None:
        if not self._free.acquire(timeout=seconds):
            from offduty.errors import StoreError

            why = "the disk has not confirmed yet that this run has started"
            raise StoreError("E607", "the store is busy", where=self._places.store, why=why, fix="try again later")
        self._free.release()

    def begin(self, run_id: str, guard: Guard) -> None:
        """Bring the start of a run there, in a thread: a disk that takes its time to confirm it holds up neither output nor signals.

        With the first commit of a connection SQLite confirms the folder as well, and may have to make its WAL: the run's end need not then.
        """
        store = self.opened()
        self._free.acquire()
        try:
            _thread.start_new_thread(self._begin, (store, run_id, guard))
        except RuntimeError:  # the machine has no thread for us: whoever reads next takes it in
            self._free.release()

    def _begin(self, store: SqliteStore, run_id: str, guard: Guard) -> None:
        try:
            guard("store start", self._take_start, store, run_id)
        finally:
            self._free.release()

    def _take_start(self, store: SqliteStore, run_id: str) -> None:
        from offduty.errors import StoreError
        from offduty.runs.alive import supervisor_alive
        from offduty.stores.replay import take

        try:
            take(self._places.spool, run_id, store, alive=supervisor_alive, clock=self._clock)
        except StoreError:
            pass  # as when it was away

    def another(self) -> SqliteStore:
        """For another thread: a connection of its own."""
        from offduty.stores.sqlite import open_store

        return open_store(self._places.store, clock=self._clock, timeout=STORE_TIME)

    def take(self, run_id: str, job: Job, wait: float = SHORT_WAIT) -> bool:
        """Bring a run there if it is warm, or too many wait; else whoever reads next does it. False also where the store is away."""
        if not self.is_warm and len(os.listdir(self._places.spool)) < MANY_SPOOLED:
            return False
        from offduty.errors import StoreError

        try:
            self._take(run_id, job, wait)
        except StoreError:
            return False
        return True

    def _take(self, run_id: str, job: Job, wait: float) -> None:
        """This run; with it all that wait, if many do."""
        from offduty.runs.alive import supervisor_alive
        from offduty.stores.replay import replay, take
        from offduty.wiring.retain import forget_events

        spool, store = self._places.spool, self.opened(wait)
        if self.is_warm:
            take(spool, run_id, store, alive=supervisor_alive, clock=self._clock)
            return
        done = replay(spool, store, alive=supervisor_alive, clock=self._clock, judge=self._judge)
        forget_events(store, done.lost, self._places.logs)
        self.retain(job)

    def _judge(self, run: Record) -> Mapping[str, Any]:
        """By the catalogue alone: the rows of that job's own table are not at hand."""
        from offduty.wiring.triage import Duty
        from offduty.wiring.verdicts import judge_lost

        return judge_lost(Duty, self._places.logs)(run)

    def take_waiting(self) -> bool:
        """Bring the few runs that wait in the spool there; whether there were any besides the one that is going on."""
        from offduty.runs.alive import supervisor_alive
        from offduty.stores.replay import replay

        spool, store = self._places.spool, self.opened()
        waiting = len(os.listdir(spool)) if os.path.isdir(spool) else 0
        if not 1 < waiting <= MANY_SPOOLED:
            return False
        return replay(spool, store, alive=supervisor_alive, clock=self._clock, judge=self._judge).taken > 0

    def retain(self, job: Job) -> None:
        """Remove the logs of this job that its limits do not keep."""
        from offduty.wiring.retain import retain

        retain(self.opened(), job, self._places.logs, self._clock)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
