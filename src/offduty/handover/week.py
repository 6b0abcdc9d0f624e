"""When a team is told of its week: the slots of `[digest]`, and since when the next one has to tell. Pure.

A slot is settled once. What was missed while nobody watched is told in one digest, late, that reaches back to the last one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from offduty.watch.schedule import Cron, last_before

DAY = 86_400.0
WEEK = 7 * DAY
FARTHEST = 35 * DAY
"""Seconds that a digest reaches back at most."""
AHEAD = 2 * DAY
"""A slot that lies further ahead than this was settled by a clock that was set back since (F54)."""


@dataclass(frozen=True)
class Week:
    """`slot`: the last one that is settled, seconds since 1970; `since`: from when on the next digest tells. `source`: whose team it is."""

    source: str
    team: str
    slot: float
    since: float


class Weeks(Protocol):
    """Every method may raise `StoreError`, and then has changed nothing."""

    def of(self, source: str) -> dict[str, Week]:
        """By team."""

    def put(self, week: Week) -> None:
        """It is so now."""


def cron_of(day: str, at: str) -> str:
    """`mon`, `09:00` as a cron line."""
    hour, _, minute = at.partition(":")
    return f"{int(minute)} {int(hour)} * * {day}"


def slot_before(day: str, at: str, zone: str, now: float) -> float:
    """The last slot that is not later than `now`."""
    found = last_before(Cron(cron_of(day, at), zone), now, WEEK + DAY)
    return found if found is not None else now - WEEK


def first(source: str, team: str, slot_in_a_day: float, now: float) -> Week:
    """A team that nobody knew: its first digest is the first that is due after a day. `slot_in_a_day`: the last slot until then."""
    return Week(source, team, slot_in_a_day, now)


def owed(week: Week, slot: float, now: float) -> float | None:
    """Since when the digest that is due now has to tell; None if none is."""
    if slot <= week.slot <= now + AHEAD:
        return None
    return max(min(week.since, now), now - FARTHEST)
