"""Starting jobs when they are due, as `offduty run --trigger scheduled JOB` in processes of their own. Overlap is left to the run.

A slot is started late if its grace is not over: of several that passed while the machine slept or the clock was set, the newest alone.
Older ones are left out, and said. A clock that is set back by less than three hours starts nothing twice, as with Debian's cron.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offduty.clock import Clock, rfc3339
from offduty.errors import OffdutyError
from offduty.watch.entries import Start
from offduty.watch.lateness import clock_step
from offduty.watch.looking import RUNS_AGAIN
from offduty.watch.promise import GRACE
from offduty.watch.schedule import Schedule, counted_from
from offduty.wiring.schedules import schedule_of, start_of

if TYPE_CHECKING:
    from threading import Event

    from offduty.settings.load import Settings

LONGEST_WAIT = 1.0
"""Seconds between two looks at the clock: it may be set, and the machine may sleep."""
AT_ONCE = 0.001
"""Seconds: a slot that is now is later than so long ago."""
KILLED_AFTER = 10.0
"""Seconds beyond its own `stop_grace` that a run may take to stop."""

Said = Callable[[Mapping[str, Any]], None]
"""What becomes of an event: `event`, `job`, and what goes with it."""


@dataclass
class _Plan:
    """A job, the slot that comes next, and seconds that a start may be late."""

    start: Start
    schedule: Schedule | None
    slot: float | None
    grace: float


@dataclass(frozen=True)
class _Going:
    """A run that goes on."""

    job: str
    process: subprocess.Popen[bytes]
    since: float
    stop_grace: float


class Starter:
    """Starts the jobs of `settings`. `last_start(job)`: wall time, None if it never ran. `show`: jobs print where we print."""

    def __init__(
        self, settings: Settings, clock: Clock, last_start: Callable[[str], float | None], said: Said, *, show: bool = False
    ) -> None:
        self._clock, self._last_start, self._said, self._show = clock, last_start, said, show
        self._plans: dict[str, _Plan] = {}
        self._going: list[_Going] = []
        self._last = (clock.wall(), clock.monotonic())
        self.use(settings)

    def use(self, settings: Settings) -> None:
        """These jobs from now on. One whose times are the same keeps its slot."""
        before, self._settings = self._plans, settings
        plans = {}
        for name in settings.jobs:
            try:
                plan = self._plan(name, before.get(name))
            except OffdutyError as error:  # that job alone is not started (F64)
                self._said({"event": "problem", "job": name, "text": f"it is not started: {error}"})
                continue
            if plan is not None:
                plans[name] = plan
        self._plans = plans

    def serve(self, stop: Event) -> None:
        """Until told to stop."""
        while not stop.is_set():
            self.look()
            upcoming = [plan.slot for plan in list(self._plans.values()) if plan.slot is not None]
            ahead = min(upcoming, default=self._clock.wall() + LONGEST_WAIT) - self._clock.wall()
            stop.wait(min(max(ahead, 0.0), LONGEST_WAIT if not self._going else 0.2))

    def look(self) -> None:
        """Say what has ended, start what is due."""
        now, monotonic = self._clock.wall(), self._clock.monotonic()
        stepped = clock_step(now, self._last[0], monotonic, self._last[1])
        self._last = (now, monotonic)
        self._reap()
        for name, plan in list(self._plans.items()):
            if stepped <= -RUNS_AGAIN:
                plan.slot = self._next(name, plan, now)
            if plan.slot is not None and plan.slot <= now:
                self._due(name, plan, now)

    def finish(self) -> None:
        """Have everything that runs stop: SIGTERM, what it is allowed to take for that, SIGKILL."""
        for going in self._going:
            going.process.send_signal(signal.SIGTERM)
        until = self._clock.monotonic() + max((going.stop_grace for going in self._going), default=0.0) + KILLED_AFTER
        while self._going and self._clock.monotonic() < until:
            self._reap()
            self._clock.sleep(0.02)
        for going in self._going:
            going.process.kill()
            going.process.wait()
        self._reap()

    def _plan(self, name: str, before: _Plan | None) -> _Plan | None:
        start = start_of(self._settings, name)
        schedule = schedule_of(self._settings, name)
        if schedule is None:
            return None
        plan = _Plan(start, schedule, None, GRACE if start.grace is None else start.grace)
        same = before is not None and before.schedule == schedule
        plan.slot = before.slot if before is not None and same else self._next(name, plan, self._clock.wall())
        return plan

    def _next(self, name: str, plan: _Plan, now: float) -> float | None:
        """`every` counts from the last start, and is due at once if there was none; on none of the days that are left out."""
        if plan.schedule is None:
            return None
        if plan.start.every is None:
            return plan.schedule.after(now)
        last = self._last_start(name)
        if last is None:
            return counted_from(plan.schedule, now).after(now - AT_ONCE)
        return counted_from(plan.schedule, min(last, now)).after(min(last, now))

    def _due(self, name: str, plan: _Plan, now: float) -> None:
        slot = plan.slot
        assert slot is not None and plan.schedule is not None
        if plan.start.every is not None:
            self._start(name, plan, slot, now)
            plan.slot = counted_from(plan.schedule, now).after(now)
            return
        newest = _newest(plan, now)
        if newest is None or newest > slot:
            self._said({"event": "left_out", "job": name, "slot": rfc3339(slot), "until": rfc3339(newest or now)})
        if newest is not None:
            self._start(name, plan, newest, now)
        plan.slot = self._next(name, plan, now)

    def _start(self, name: str, plan: _Plan, slot: float, now: float) -> None:
        to = None if self._show else subprocess.DEVNULL
        try:
            process = subprocess.Popen(
                plan.start.words, cwd=plan.start.folder, stdin=subprocess.DEVNULL, stdout=to, stderr=to, start_new_session=True
            )
        except OSError as error:
            self._said({"event": "problem", "job": name, "text": f"it could not be started: {os.strerror(error.errno or 0).lower()}"})
            return
        self._going.append(_Going(name, process, self._clock.monotonic(), plan.start.stop_grace))
        self._said({"event": "started", "job": name, "slot": rfc3339(slot), "late_s": round(now - slot, 3), "pid": process.pid})

    def _reap(self) -> None:
        for going in self._going:
            if (code := going.process.poll()) is not None:
                took = round(self._clock.monotonic() - going.since, 3)
                exit_code = code if code >= 0 else 128 - code
                self._said({"event": "ended", "job": going.job, "exit_code": exit_code, "duration_s": took, "pid": going.process.pid})
        self._going = [going for going in self._going if going.process.returncode is None]


def _newest(plan: _Plan, now: float) -> float | None:
    """The newest slot whose grace is not over."""
    schedule, found = plan.schedule, None
    if schedule is None or plan.slot is None:
        return None
    slot: float | None = plan.slot if plan.slot >= now - plan.grace else schedule.after(now - plan.grace)
    while slot is not None and slot <= now:
        found, slot = slot, schedule.after(slot)
    return found
