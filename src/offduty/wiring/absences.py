"""Absences, rehearsed: the watcher of every day, over a copy of what a job promises and a store of its own, on a clock that is moved.

1. The promise is registered as `offduty watch` would, with the plan of whom it concerns; the last good runs are brought along.
2. Nothing starts (missed), a run does not end (overdue), or its supervisor is gone (lost). The watcher looks, at its own distance, until
   it notices: each look as late as it may be, so that what comes out is the longest that it can take.
3. What is owed then goes through the outbox, with quiet hours and digests, into channels that only take it down.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from offduty.alerts.delivery import FIRST, Attempt, Receipt
from offduty.alerts.outbox import Limits, Sender, Setting
from offduty.clock import boot_id
from offduty.drills.moved import MovedClock
from offduty.drills.scratch import Scratch
from offduty.durations import spoken
from offduty.runs.alive import supervisor_alive
from offduty.runs.record import begin
from offduty.runs.spool import Spool
from offduty.stores.replay import replay
from offduty.stores.sqlite import open_store
from offduty.watch.beats import Listener
from offduty.watch.lateness import due_at, overdue_after
from offduty.watch.watcher import GOOD_RUNS, Watcher
from offduty.wiring.jobs import find_job
from offduty.wiring.telling import PAGES, Composer, promise_of, tell_of

if TYPE_CHECKING:
    from offduty.alerts.alert import Alert
    from offduty.alerts.owed import Owed
    from offduty.runs.store import Record, Store
    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore
    from offduty.wiring.triage import Duty

LOOKS = 20
"""Looks after the moment from which on it could be noticed: it takes one."""
MOST_STEPS = 500
LONGEST = 40 * 86_400.0
"""Seconds that a message may wait for its time: quiet hours and digests are over long before."""


@dataclass(frozen=True)
class Sent:
    """A message that came to its channel, `after` so many seconds: of the slot, or of the run's start."""

    channel: str
    alert: Alert
    row: Owed
    after: float


@dataclass(frozen=True)
class Absence:
    """`noticed`: seconds from the slot, or from the run's start, until the watcher had noticed; None: it never would, `why` says why."""

    noticed: float | None
    why: str = ""
    sent: tuple[Sent, ...] = ()


class Scene:
    """One job, its watcher, and a store, in a folder of the drill's own, from `now` on."""

    def __init__(self, folder: str, settings: Settings, name: str, duty: Duty, past: Store, now: float) -> None:
        self.folder, self.settings, self.name = folder, settings, name
        self.clock = MovedClock(now)
        self.tell = tell_of(settings, name, duty) if settings.channels else {}
        self.promise = promise_of(settings, name, self.tell)
        self.tick = float(settings.watch.tick)
        self.store: SqliteStore = open_store(f"{folder}/state/offduty.sqlite3", clock=self.clock)
        self.good = [run for run in past.good_runs(name, GOOD_RUNS) if run["duration_s"] is not None]
        for run in reversed(self.good):
            self.store.put_run(run)
        self.watcher = Watcher(
            self.store, self.take_in, self.clock, me="drill/watch", host=os.uname().nodename, boot=boot_id()
        )  # fmt: skip
        self.listener = Listener(f"{folder}/state/beats", self.clock, supervisor_alive)
        if self.tell:
            self.store.alerts.plan_first(name, self.tell)
        self.store.watch.promise(self.promise, "drill", now)
        self.watcher.tick()

    def take_in(self) -> None:
        """As a watcher does."""
        replay(f"{self.folder}/state/spool", self.store, alive=self.listener.alive, clock=self.clock)

    def begin_run(self, **changed: object) -> float:
        """A run of the job has started; when."""
        job, _ = find_job(self.name, self.settings.start, self.settings.environ, _config(self.settings), strict=False)
        job.trigger = "scheduled"
        run: Record = {**begin(job, self.clock), **changed}
        Spool(f"{self.folder}/state/spool", run["id"]).append("started", run, durable=False, tell=self.tell)
        return self.clock.wall()

    def look_until(self, noticed: Callable[[], bool], after: float) -> bool:
        """Look a moment before `after`, when nothing can be noticed yet, then at the watcher's own distance."""
        self.clock.until(after - 0.001)
        self.watcher.tick()
        for _ in range(LOOKS):
            if noticed():
                return True
            self.clock.sleep(self.tick)
            self.watcher.tick()
        return noticed()

    def happened(self, event: str) -> bool:
        """Whether the watcher has owed, or kept, such an incident."""
        return any(one.event == event for one in self.store.alerts.incidents(self.name, everything=True))

    def deliver(self, since: float, send: Callable[[str, Alert], object]) -> tuple[Sent, ...]:
        """What is owed, delivered by the senders of every day, whenever its time comes."""
        sent: list[Sent] = []
        channels = {name: _Taking(name, self, since, sent, send) for name in self.settings.channels}
        composer = Composer(lambda: self.store, self.settings)
        setting = Setting(
            composer, self.clock, lambda: 0.5, "drill", "drill", self._wait, tuple(channels), Limits(), budget=None
        )  # fmt: skip
        senders = {
            name: Sender(name, channel, self.store.alerts, setting, pages=self.settings.channels[name].kind in PAGES)
            for name, channel in channels.items()
        }
        end = self.clock.wall() + LONGEST
        for _ in range(MOST_STEPS):
            waiting = [name for name in self.store.alerts.waiting_channels() if name in senders]
            if not waiting or self.clock.wall() > end:
                break
            for name in waiting:
                senders[name].step()
            self.clock.until(min((due for name in waiting if (due := self.store.alerts.next_due(name)) is not None), default=end))
        return tuple(sent)

    def _wait(self, seconds: float) -> bool:
        self.clock.sleep(seconds)
        return False


class _Taking:
    """A channel that takes messages down. `send`: what else is done with them."""

    def __init__(self, name: str, scene: Scene, since: float, sent: list[Sent], send: Callable[[str, Alert], object]) -> None:
        self._name, self._scene, self._since, self._sent, self._send = name, scene, since, sent, send

    def send(self, alert: Alert, attempt: Attempt = FIRST) -> Receipt:
        """Taken, whatever else comes of it."""
        row = self._scene.store.alerts.alert(alert.key)
        self._sent.append(Sent(self._name, alert, row, self._scene.clock.wall() - self._since))
        self._send(self._name, alert)
        return Receipt(detail="taken down")


def rehearse_absence(
    event: str, settings: Settings, name: str, duty: Duty, past: Store, now: float, send: Callable[[str, Alert], object] = lambda *_: None
) -> Absence:
    """How long it would take to notice a `missed`, `overdue` or `lost` run of the job, and who would be told. Raises as `Settings.job`."""
    with Scratch() as scratch:
        scene = Scene(scratch.path, settings, name, duty, past, now)
        try:
            since, after, why = PLAYED[event](scene)
            if why:
                return Absence(None, why)
            if not scene.look_until(lambda: scene.happened(event), after):
                return Absence(None, "the watcher does not notice it")
            noticed = scene.clock.wall() - since
            return Absence(noticed, "", scene.deliver(since, send))
        finally:
            scene.store.close()


def _missed(scene: Scene) -> tuple[float, float, str]:
    """Nothing starts: from its next slot, a moment after the grace."""
    watched = next(iter(scene.store.watch.watched(scene.name)), None)
    if watched is None or watched.slot is None:
        return 0.0, 0.0, "nothing says when it is due (schedule, every or on_calendar)"
    return watched.slot, due_at(watched.promise, watched.slot) or watched.slot, ""


def _overdue(scene: Scene) -> tuple[float, float, str]:
    """A run starts and does not end."""
    limit = overdue_after(scene.promise.max_duration, [float(run["duration_s"]) for run in scene.good])
    if limit is None:
        return 0.0, 0.0, "it has no max_duration, and fewer than five good runs say how long it takes"
    since = scene.begin_run()
    scene.watcher.tick()
    return since, since + limit, ""


def _lost(scene: Scene) -> tuple[float, float, str]:
    """A run starts, and its supervisor is another process than the one that has its number now: right after a look."""
    since = scene.begin_run(pid_started=0)
    return since, since + scene.tick, ""


PLAYED: Mapping[str, Callable[[Scene], tuple[float, float, str]]] = {"missed": _missed, "overdue": _overdue, "lost": _lost}
"""What each absence begins with: (seconds since 1970 from which on it counts; before which nobody can notice it; why nobody ever would)."""


def in_words(absence: Absence) -> str:
    """`noticed after 15 min 10 s`."""
    return f"noticed after {spoken(absence.noticed)}" if absence.noticed is not None else f"nobody would notice: {absence.why}"


def _config(settings: Settings) -> str | None:
    return settings.files[-1] if settings.files else None
