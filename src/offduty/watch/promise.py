"""What a job has promised: when it is due, how late and how long it may be, what it leaves behind. Kept in the store as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from offduty.watch.schedule import Cron, Every, Except, OnCalendar, Schedule

GRACE = 900.0
"""Seconds that a job without `start_grace` may start late, if the time to its next slot is not shorter."""
EARLY = 300.0
"""Seconds before its slot at which a run counts for it, if the time between slots is long enough for that."""
LONGEST = 366 * 86_400.0
MOST_DAYS, MOST_OUTPUTS = 4000, 100


@dataclass(frozen=True)
class Output:
    """A file, or a glob of files, of which the newest is at most `max_age` seconds old."""

    path: str
    max_age: float


@dataclass(frozen=True)
class Promise:
    """Exactly one of `cron`, `on_calendar` and `every` (seconds), or none for a job that nobody expects at a time. Durations in seconds.

    `except_on`: days as `YYYY-MM-DD`, in `zone`, on which it is not due. `tell`: whom its absence concerns (`offduty.alerts.plan`).
    """

    job: str
    cron: str = ""
    on_calendar: str = ""
    every: float | None = None
    zone: str = "UTC"
    except_on: tuple[str, ...] = ()
    start_grace: float | None = None
    max_duration: float | None = None
    outputs: tuple[Output, ...] = ()
    tell: Mapping[str, Any] = field(default_factory=dict)

    def schedule(self, since: float = 0.0) -> Schedule | None:
        """When it is due; `since`: what `every` counts from, seconds since 1970."""
        schedule: Schedule | None = None
        if self.cron:
            schedule = Cron(self.cron, self.zone)
        elif self.on_calendar:
            schedule = OnCalendar(self.on_calendar, self.zone)
        elif self.every is not None:
            schedule = Every(self.every, since)
        days = frozenset(date.fromisoformat(day) for day in self.except_on)
        return Except(schedule, days, self.zone) if schedule is not None and days else schedule

    def as_json(self) -> dict[str, Any]:
        """As the store keeps it."""
        outputs = [{"path": output.path, "max_age": output.max_age} for output in self.outputs]
        plain = {name: getattr(self, name) for name in ("job", "cron", "on_calendar", "every", "zone", "start_grace", "max_duration")}
        return {**plain, "except_on": list(self.except_on), "outputs": outputs, "tell": dict(self.tell)}


def read_promise(found: object) -> Promise:
    """The promise in what a store or a spool gives back. What cannot be used is left out; a schedule that is none leaves none."""
    known: Mapping[str, Any] = found if isinstance(found, dict) else {}
    promise = Promise(
        job=_text(known.get("job")),
        cron=_text(known.get("cron")),
        on_calendar=_text(known.get("on_calendar")),
        every=_seconds(known.get("every")),
        zone=_text(known.get("zone")) or "UTC",
        except_on=tuple(day for day in _list(known.get("except_on"), MOST_DAYS) if _is_day(day)),
        start_grace=_seconds(known.get("start_grace")),
        max_duration=_seconds(known.get("max_duration")),
        outputs=tuple(output for entry in _list(known.get("outputs"), MOST_OUTPUTS) if (output := _output(entry))),
        tell=known["tell"] if isinstance(known.get("tell"), dict) else {},
    )
    return promise if _can_be_asked(promise) else Promise(promise.job, max_duration=promise.max_duration, tell=promise.tell)


def _can_be_asked(promise: Promise) -> bool:
    """Whether its schedule answers: another version, or another tz database, may have written it (F58, F64)."""
    try:
        schedule = promise.schedule()
        return schedule is None or schedule.after(0.0) is not None
    except Exception:  # noqa: BLE001 -- cronsim, oncalendar and zoneinfo each have their own errors, and nothing here may stop the others' watch
        return False


def _text(found: object) -> str:
    return found[:1000] if isinstance(found, str) and "\0" not in found else ""


def _list(found: object, most: int) -> list[Any]:
    return found[:most] if isinstance(found, list) else []


def _seconds(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return min(float(found), LONGEST) if found > 0 else None


def _is_day(found: object) -> bool:
    try:
        return isinstance(found, str) and bool(date.fromisoformat(found))
    except ValueError:
        return False


def _output(found: object) -> Output | None:
    if not isinstance(found, dict) or not (path := _text(found.get("path"))) or (age := _seconds(found.get("max_age"))) is None:
        return None
    return Output(path, age)
