"""When a job is due: its schedule, as moments (slots) in seconds since 1970.

Cron lines follow Debian's cron where clocks are put forward or back, as cronsim does it: a job at a fixed time that falls into the hour
that is left out is due right after it, one in the hour that comes twice is due once; a job that runs every few minutes just goes on.
OnCalendar expressions follow systemd. Slots of one schedule grow strictly, whatever moment one asks from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim

from offduty.watch import oncalendar

MOST_EXCEPTIONS = 10_000  # slots left out in a row, after which a schedule is taken to have ended


class Schedule(Protocol):
    """What every kind of schedule answers."""

    def after(self, at: float) -> float | None:
        """The first slot later than `at`, both in seconds since 1970; None if there is none any more."""


@dataclass(frozen=True)
class Cron:
    """A five-field cron line, read in `zone` (a name of the tz database)."""

    line: str
    zone: str = "UTC"

    def after(self, at: float) -> float | None:
        """See Schedule. The clock on the wall shows some hours twice: what cronsim finds is only taken if it is later than `at`."""
        return _later(CronSim(self.line, _local(at, self.zone)), at)


@dataclass(frozen=True)
class OnCalendar:
    """An expression as in systemd.time(7), read in `zone` unless it names one itself."""

    expression: str
    zone: str = "UTC"

    def after(self, at: float) -> float | None:
        """See Schedule."""
        return _later(oncalendar.parse(self.expression).after(_local(at, self.zone)), at)


@dataclass(frozen=True)
class Every:
    """Each `period` seconds, counted from `start` (seconds since 1970): of the first run, or of the last one."""

    period: float
    start: float = 0.0

    def after(self, at: float) -> float:
        """See Schedule."""
        steps = (at - self.start) // self.period + 1
        slot = self.start + steps * self.period
        return slot if slot > at else slot + self.period  # the division rounds


@dataclass(frozen=True)
class Except:
    """A schedule without the slots on some days, as the clock in `zone` shows them: holidays."""

    schedule: Schedule
    days: Collection[date] = field(default_factory=frozenset)
    zone: str = "UTC"

    def after(self, at: float) -> float | None:
        """See Schedule."""
        for _ in range(MOST_EXCEPTIONS):
            slot = self.schedule.after(at)
            if slot is None or _local(slot, self.zone).date() not in self.days:
                return slot
            at = slot
        return None


def counted_from(schedule: Schedule, start: float) -> Schedule:
    """The schedule of a job whose last run started then: what comes so long after a start moves with it."""
    if isinstance(schedule, Except):
        return Except(counted_from(schedule.schedule, start), schedule.days, schedule.zone)
    return Every(schedule.period, start) if isinstance(schedule, Every) else schedule


def slots(schedule: Schedule, at: float) -> Iterator[float]:
    """The slots later than `at`, one after another."""
    slot = schedule.after(at)
    while slot is not None:
        yield slot
        slot = schedule.after(slot)


def last_before(schedule: Schedule, at: float, period: float) -> float | None:
    """The last slot not later than `at`; looked for from `period` seconds before, then from further and further back."""
    back = period
    for _ in range(8):
        found = None
        for slot in slots(schedule, at - back):
            if slot > at:
                break
            found = slot
        if found is not None:
            return found
        back *= 4
    return None


def _later(found: Iterator[datetime], at: float) -> float | None:
    """The first moment of `found` that is later than `at`."""
    return next((moment for moment in map(_seconds, found) if moment > at), None)


_seconds: Callable[[datetime], float] = datetime.timestamp


def _local(at: float, zone: str) -> datetime:
    return datetime.fromtimestamp(at, ZoneInfo(zone) if zone != "UTC" else UTC)
