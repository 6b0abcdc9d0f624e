"""One look at everything that should have happened: take in what has, settle the slots that are over, find runs and files that are too old.

What a tick costs grows with what is due and what has started, not with the number of jobs. Any number of watchers may look at one store:
a slot is settled by whoever claims it, and what is told is told under a key that names it for ever (INV-9).

1. Both clocks are read. If the one on the wall was set, slots in between are passed over: nobody lived through them (`looking`).
2. The spool is taken in; runs whose supervisor is gone become lost.
3. Runs that the store heard of since the last tick keep the slots of their jobs.
4. Slots whose grace is over are missed. The alert is owed first, then the slot is settled: a crash in between owes it once, by its key.
5. Runs that take too long, outputs that are too old, other watchers that have fallen silent.
6. This watcher says that it has looked, and how far: the next one goes on from there.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from offduty.alerts.incident import NEVER_RAN, Happening
from offduty.clock import Clock, rfc3339, wall_of
from offduty.watch.lateness import due_at, first_slot, overdue_after, seen_at, settle
from offduty.watch.looking import Between, Look, between, read_look
from offduty.watch.promise import Output
from offduty.watch.store import Peer, Watched, WatchStore

AT_ONCE = 500
SILENT = 300.0
"""Seconds without a beat after which another watcher is said to be silent."""
GAP = 60.0
"""Seconds between two own looks after which a watcher does not trust what it did not hear meanwhile."""
OLDEST = 32 * 86_400.0
"""Seconds after which a slot is news to nobody, if nobody looked for so long."""
FORGOTTEN = 7 * 86_400.0
FORGET_EVERY = 360
GOOD_RUNS = 20
NEVER = "offduty.watcher"
"""The name under which watchers speak of each other: no job can have it, since `[job.offduty.watcher]` is nobody's."""


class Alerts(Protocol):
    """What the watcher owes through."""

    def happen(self, happening: Happening, now: float, tell: Mapping[str, Any] | None = None) -> bool:
        """False if that is known."""


class Store(Protocol):
    """What the watcher looks at."""

    @property
    def watch(self) -> WatchStore: ...

    @property
    def alerts(self) -> Alerts: ...

    def running(self, host: str | None = None) -> list[dict[str, Any]]: ...

    def runs(self, job: str | None = None, *, outcomes: Collection[str] | None = None, limit: int = 100) -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class Ticked:
    """What one tick came to: names of jobs, ids of runs, paths, ids of watchers. `stepped`: seconds that the clock was set by."""

    at: float
    missed: tuple[tuple[str, float], ...] = ()
    kept: int = 0
    overdue: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    stepped: float = 0.0
    away: float = 0.0


@dataclass
class _Found:
    missed: list[tuple[str, float]] = field(default_factory=list)
    kept: int = 0


class Watcher:
    """`take_in`: brings the spool into the store. `me`: this watcher's id, `host` its machine, `boot` of that. `tell`: whom a silent
    watcher concerns. `facts()`: what it says of itself with every beat.
    """

    def __init__(
        self, store: Store, take_in: Callable[[], object], clock: Clock, *, me: str, host: str, boot: str = "-",
        tell: Mapping[str, Any] | None = None, facts: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:  # fmt: skip
        self._store, self._take_in, self._clock = store, take_in, clock
        self._me, self._host, self._boot, self._tell, self._facts = me, host, boot, tell, facts
        self._last: Look | None = None
        self._seen = 0
        self._beats = 0
        self._judge_from = 0.0
        self._limits: dict[str, tuple[float, float, float | None]] = {}
        self._heard: dict[str, tuple[int, float]] = {}

    def tick(self) -> Ticked:
        """Look once. Raises StoreError: then the next tick looks at what this one could not."""
        is_first = self._last is None
        look = self._since_last(Look(self._clock.wall(), self._clock.monotonic(), self._boot))
        now, monotonic = look.now.wall, look.now.monotonic
        self._take_in()
        found = _Found()
        if look.reopen is not None:
            self._reopen(look.reopen)
        if look.stepped < 0:
            self._look_at_outputs_anew(now)
        self._take_starts(look.since, now, found)
        self._settle_due(now, found)
        overdue = self._find_overdue(now, monotonic)
        stale = self._find_stale(now)
        silent = self._hear_others(now, monotonic)
        self._last = look.now
        self._beat(look.now)
        away = now - look.since if is_first and look.since else 0.0
        return Ticked(now, tuple(found.missed), found.kept, tuple(overdue), tuple(stale), tuple(silent), look.stepped, away)

    def _since_last(self, now: Look) -> Between:
        """What lies between the last look, of this watcher or (at its first) of whoever saw most, and this one."""
        if self._last is None:
            self._go_on_from(self._store.watch.peers())
        elif now.monotonic - self._last.monotonic > GAP:
            self._heard.clear()  # it was stopped, and others may have been: their silence is measured anew (F60)
        found = between(self._last, now) if self._last is not None else Between(now, since=0.0)  # nobody ever looked: all runs are news
        if found.stepped:
            self._judge_from = now.wall
        return found

    def _go_on_from(self, peers: Sequence[Peer]) -> None:
        self._beats = next((peer.beats for peer in peers if peer.id == self._me), 0)
        newest = max(peers, key=lambda peer: (peer.seen, peer.tick_at), default=None)
        if newest is not None:
            self._seen, self._last = newest.seen, read_look(newest.tick_at, newest.facts)

    def speak(self) -> None:
        """Say once more how it fares, if it has looked: what has changed since."""
        if self._last is not None:
            self._beat(self._last)

    def _beat(self, look: Look) -> None:
        """Say that this watcher has looked, and how far. Starts that all have seen are forgotten now and then (INV-11)."""
        self._beats += 1
        facts = {**self._facts(), **look.facts()}
        self._store.watch.beat(Peer(self._me, self._host, self._beats, look.wall, self._seen, facts))
        if self._beats % FORGET_EVERY == 0:
            self._store.watch.forget_starts(min(peer.seen for peer in self._store.watch.peers()) + 1)

    def _reopen(self, after: float) -> None:
        """Slots that were passed over while the clock was wrong are open again. Those that were told stay told, by their key."""
        for watched in self._store.watch.watched():
            slot = first_slot(watched.promise, after)
            if slot is not None and (watched.slot is None or slot < watched.slot):
                self._store.watch.advance(watched.job, watched.slot, slot, due_at(watched.promise, slot))

    def _look_at_outputs_anew(self, now: float) -> None:
        """When they were to be looked at was worked out on a clock that was ahead."""
        for watched in self._store.watch.watched():
            if watched.output_due is not None and watched.output_due > now:
                self._store.watch.look_again(watched.job, now)

    # Slots

    def _take_starts(self, last: float, now: float, found: _Found) -> None:
        """All of them are read before any slot is settled: the run that kept a slot may be the last one that came into the store."""
        seen, moments = self._seen, dict[str, list[float]]()
        while started := self._store.watch.started_after(seen, AT_ONCE):
            for one in started:
                moments.setdefault(one.job, []).append(seen_at(one.at, last, now))
            seen = started[-1].number
        for job, starts in moments.items():
            for watched in self._store.watch.watched(job):
                self._settle(watched, sorted(starts), now, found)
        self._seen = seen

    def _settle_due(self, now: float, found: _Found) -> None:
        """Batch by batch; a slot that cannot be settled must not be looked at for ever."""
        settled = True
        while settled and (over := self._store.watch.due(now, AT_ONCE)):
            settled = sum(self._settle(watched, (), now, found) for watched in over) > 0

    def _settle(self, watched: Watched, starts: Sequence[float], now: float, found: _Found) -> bool:
        """Whether the open slot of the job is another one now."""
        settled = settle(watched.promise, watched.slot, starts, now, judge_from=max(self._judge_from, now - OLDEST))
        if settled.slot == watched.slot:
            return False
        never = bool(settled.missed) and not self._store.runs(watched.job, limit=1)
        for slot in settled.missed:
            self._store.alerts.happen(missed(watched.job, slot, starts, now, never=never), now, watched.promise.tell or None)
        if self._store.watch.advance(watched.job, watched.slot, settled.slot, due_at(watched.promise, settled.slot)):
            found.missed += [(watched.job, slot) for slot in settled.missed]
            found.kept += settled.kept
        return True

    # Runs that take too long

    def _find_overdue(self, now: float, monotonic: float) -> list[str]:
        running = {str(run["id"]): run for run in self._store.running()}
        self._limits = {run_id: limit for run_id, limit in self._limits.items() if run_id in running}
        found = []
        for run_id, run in running.items():
            if run_id not in self._limits:
                self._limits[run_id] = (monotonic, self._age(run, now), self._limit(str(run["job"])))
            first, age, limit = self._limits[run_id]
            if limit is not None and age + monotonic - first > limit:
                found.append(run_id)
                self._say_overdue(run, now)
                self._limits[run_id] = (first, age, None)
        return found

    def _age(self, run: Mapping[str, Any], now: float) -> float:
        """Seconds that a run had run when it was first seen: as its clock says where that is ours, else none (INV-10)."""
        return max(0.0, now - wall_of(run["started_at"])) if run["host"] == self._host else 0.0

    def _limit(self, job: str) -> float | None:
        promised = next((watched.promise.max_duration for watched in self._store.watch.watched(job)), None)
        good = self._store.runs(job, outcomes=("succeeded", "warned"), limit=GOOD_RUNS) if promised is None else []
        return overdue_after(promised, [float(run["duration_s"]) for run in good if run["duration_s"] is not None])

    def _say_overdue(self, run: Mapping[str, Any], now: float) -> None:
        job, run_id = str(run["job"]), str(run["id"])
        happening = Happening(f"overdue:{run_id}", job, "overdue", now, run=run_id, outcome="overdue", cause="overdue")
        self._store.alerts.happen(happening, now)

    # Outputs that are too old

    def _find_stale(self, now: float) -> list[str]:
        found = []
        for watched in self._store.watch.outputs_due(now, AT_ONCE):
            ages = [(output, newest(output)) for output in watched.promise.outputs]
            stale = [(output, at) for output, at in ages if at is None or now - at > output.max_age]
            for output, at in stale:
                found.append(output.path)
                self._store.alerts.happen(_stale(watched.job, output, at or 0.0, now), now, watched.promise.tell or None)
            fresh = [min(at, now) + output.max_age for output, at in ages if at is not None and now - at <= output.max_age]
            again = [now + output.max_age for output, _ in stale]
            self._store.watch.look_again(watched.job, min([*fresh, *again], default=None))
        return found

    # Other watchers

    def _hear_others(self, now: float, monotonic: float) -> list[str]:
        silent = []
        for peer in self._store.watch.peers():
            if peer.id == self._me:
                continue
            beats, since = self._heard.get(peer.id, (-1, monotonic))
            if beats != peer.beats:
                self._heard[peer.id] = (peer.beats, monotonic)
            elif monotonic - since > FORGOTTEN:
                self._store.watch.forget_peer(peer.id)
            elif monotonic - since > SILENT:
                silent.append(peer.id)
                self._say_silent(peer, now)
        return silent

    def _say_silent(self, peer: Peer, now: float) -> None:
        if self._tell:
            key = f"watcher:{peer.id}:{peer.beats}"
            self._store.alerts.happen(Happening(key, NEVER, "stuck", now, cause=f"watcher {peer.host}"), now, self._tell)


def missed(job: str, slot: float, starts: Sequence[float], now: float, *, never: bool = False) -> Happening:
    """A slot that nobody kept. Where a run came after it, it is over already, and told as such. `never`: there never was a run."""
    key = f"missed:{job}:{rfc3339(slot)}"
    later = any(start > slot for start in starts)
    cause = NEVER_RAN if never else "missed"
    return Happening(key, job, "missed", slot, outcome="missed", cause=cause, superseded=later, late=now - slot > 86_400.0)


def newest(output: Output) -> float | None:
    """When the newest file that `output` means was written, seconds since 1970; None if there is none."""
    times = []
    for path in glob.iglob(output.path, recursive=True):
        try:
            times.append(os.stat(path).st_mtime)
        except OSError:
            continue
    return max(times, default=None)


def _stale(job: str, output: Output, written: float, now: float) -> Happening:
    """Told again each time that so long has passed, if the job was well in between. The key names the file that is too old, by when it was
    written, and not the hour alone: that comes twice where the clock is set back (F54).
    """
    key = f"stale:{job}:{output.path}:{written}:{(now - written) // output.max_age:.0f}"
    return Happening(key, job, "stale", now, outcome="stale_output", cause=f"stale {output.path}")
