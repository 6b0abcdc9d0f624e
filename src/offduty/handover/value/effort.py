"""What people spent on a job: every touch of a human hand, with the hours somebody said, or else an estimate."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from offduty.handover.store import Past, Touch

Kind = Literal["run by hand", "incident", "code change", "touch"]
ESTIMATES: dict[Kind, float] = {"run by hand": 0.25, "incident": 0.5, "code change": 1.0, "touch": 0.5}
"""Hours, where nobody said how many."""
SESSION = 3600.0
"""Runs by hand that follow one another closer than this are one touch."""
DAY, MONTH = 86_400.0, 30 * 86_400.0
LONGEST_INCIDENT = 8.0


@dataclass(frozen=True)
class Handled:
    """An incident that somebody acknowledged or resolved. `row`: its cause. `hours`: from the first hand to its end; None if unknown."""

    at: float
    by: str
    row: str
    hours: float | None = None


@dataclass(frozen=True)
class Event:
    """One touch. `said`: somebody said the hours; else they are estimated."""

    at: float
    kind: Kind
    hours: float
    said: bool
    by: str = ""
    text: str = ""


@dataclass(frozen=True)
class Effort:
    """`events` by time. `months`: hours by month, `2026-11`, without holes. `apart_s`: mean seconds between touches; None below two."""

    events: tuple[Event, ...]
    months: dict[str, float]
    apart_s: float | None
    hours: float
    said_hours: float
    recent_hours: float
    by_row: dict[str, float]

    def hours_since(self, at: float) -> float:
        """Spent on changes since then: incidents and reruns are no tinkering."""
        return sum(event.hours for event in self.events if event.at >= at and event.kind in ("code change", "touch"))


def effort_of(runs: Sequence[Past], good: Sequence[Past], touches: Iterable[Touch], handled: Iterable[Handled], now: float) -> Effort:
    """All of it. `runs`: all that ended, oldest first; `good`: with versions filled in. What lies ahead of `now` (a clock that was
    wrong) counts as of now.
    """
    told = [Event(min(one.at, now), "touch", _hours(one.hours, "touch"), one.hours is not None, one.by, one.text) for one in touches]
    incidents = list(handled)
    events = [*told, *_by_hand(runs), *_changes(good, told), *(_incident(one) for one in incidents)]
    events = sorted((e if e.at <= now else _moved(e, now) for e in events), key=lambda event: event.at)
    recent = [one for one in incidents if now - one.at <= 3 * MONTH]
    by_row = dict[str, float]()
    for one in recent:
        by_row[one.row] = by_row.get(one.row, 0.0) + _incident(one).hours
    return Effort(
        tuple(events),
        _months(events),
        (events[-1].at - events[0].at) / (len(events) - 1) if len(events) > 1 else None,
        sum(event.hours for event in events),
        sum(event.hours for event in events if event.said),
        sum(event.hours for event in events if now - event.at <= 3 * MONTH),
        dict(sorted(by_row.items(), key=lambda item: -item[1])),
    )


def _hours(said: float | None, kind: Kind) -> float:
    return ESTIMATES[kind] if said is None else max(said, 0.0)


def _moved(event: Event, now: float) -> Event:
    return Event(now, event.kind, event.hours, event.said, event.by, event.text)


def _by_hand(runs: Iterable[Past]) -> list[Event]:
    """A session of somebody who runs it again and again is one touch."""
    found: list[Event] = []
    last = None
    for run in runs:
        if run.trigger == "manual":
            if last is None or not 0 <= run.at - last < SESSION:
                found.append(Event(run.at, "run by hand", ESTIMATES["run by hand"], False))
            last = run.at
    return found


def _changes(good: Sequence[Past], told: Sequence[Event]) -> list[Event]:
    """Runs whose code is another than that of the run before; on a day for which somebody told hours, those are counted already."""
    days = {event.at // DAY for event in told if event.said}
    pairs = zip(good, good[1:], strict=False)
    changed = [after for before, after in pairs if after.version != before.version and before.version]
    return [
        Event(run.at, "code change", 0.0 if {run.at // DAY, run.at // DAY - 1} & days else ESTIMATES["code change"], False, "", run.label)
        for run in changed
    ]


def _incident(one: Handled) -> Event:
    hours = ESTIMATES["incident"] if one.hours is None else min(max(one.hours, ESTIMATES["incident"]), LONGEST_INCIDENT)
    return Event(one.at, "incident", hours, one.hours is not None, one.by, one.row)


def _months(events: Sequence[Event]) -> dict[str, float]:
    """Every month from the first touch to the last; of far too many, the newest 60."""
    if not events:
        return {}
    year, month = time.gmtime(events[0].at)[:2]
    end, names = time.gmtime(events[-1].at)[:2], list[str]()
    while (year, month) <= end:
        names.append(f"{year}-{month:02d}")
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    hours: dict[str, float] = dict.fromkeys(names[-60:], 0.0)
    for event in events:
        if (name := time.strftime("%Y-%m", time.gmtime(event.at))) in hours:
            hours[name] += event.hours
    return hours
