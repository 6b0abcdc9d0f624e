"""Drills that come again by themselves: when they are due, when it is a good moment, what a turn of them came to. Pure.

A turn is all drills of a job, done once. It is on record from its beginning: whoever finds one that nobody does any more goes on with it,
and leaves out what was rehearsed already. So it is not done twice, however often a watcher is killed in its midst.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from offduty.drills.plan import Planned
from offduty.drills.store import Rehearsed, Turn

DAY = 86_400.0
AGAIN = DAY
"""Seconds after which what could not be done is tried again, if it is not due sooner."""
MARGIN = 900.0
"""Seconds before a slot in which no drill begins, if the time between slots is long enough for that."""
AHEAD = 3600.0
"""Seconds that a turn may lie in the future before the clock counts as set back (F54)."""
MOST_TRIES = 10
"""How often a turn is taken up again before it counts as one that cannot be done."""
SHOWN = 20

Outcome = Literal["passed", "failed", "could not"]


def is_due(last: Turn | None, every: float, now: float) -> bool:
    """Whether a turn is to be begun, or gone on with. `last`: the newest there was; `every`: seconds, 0 for never."""
    if every <= 0:
        return False
    if last is None or last.ended_at is None:
        return True
    age = now - last.ended_at
    return age >= (min(every, AGAIN) if last.outcome == "could not" else every) or age < -AHEAD


def next_due(last: Turn | None, every: float) -> float | None:
    """When the next turn is due; None for at once, or never."""
    if every <= 0 or last is None or last.ended_at is None:
        return None
    return last.ended_at + (min(every, AGAIN) if last.outcome == "could not" else every)


def wait_for(*, running: bool, slot: float | None, period: float, hours: str, zone: str, now: float) -> str:
    """Why a drill must not begin, or go on, now; "" if nothing speaks against it.

    `slot`: the job's open one; `period`: seconds between two; `hours`: "22:00-06:00" in `zone`, "" for all day.
    """
    if running:
        return "the job runs"
    if slot is not None and slot - now <= min(MARGIN, period / 4):
        return "the job is due soon" if slot > now else "the job is due"
    if hours and not within(hours, zone, now):
        return f"it is not {hours}"
    return ""


def within(hours: str, zone: str, now: float) -> bool:
    """Whether clocks in `zone` show a time of `hours`; they may reach over midnight."""
    begin, _, end = hours.partition("-")
    shown = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(zone)).strftime("%H:%M")
    return begin <= shown < end if begin < end else shown >= begin or shown < end


def take_up(last: Turn | None, job: str, every: float, now: float, *, by: str = "watch") -> Turn | None:
    """The turn to be done now: the one that was left, or a new one; None if none is due."""
    if last is not None and last.ended_at is None:
        return replace(last, tries=last.tries + 1)
    return Turn(job, now, by=by) if is_due(last, every, now) else None


def still_to_do(planned: Sequence[Planned], done: Iterable[Rehearsed]) -> list[Planned]:
    """What was not rehearsed yet. Which row wins may show only when it is tried: then none was planned."""
    over = {(one.fault, one.op, one.target, row) for one in done for row in ("", one.row)}
    return [one for one in planned if (one.fault, one.spot.op, one.spot.target, one.row) not in over]


def of_turn(done: Iterable[Rehearsed], turn: Turn) -> list[Rehearsed]:
    """What this turn has rehearsed."""
    return [one for one in done if one.entry.get("turn") == turn.number]


def ended(turn: Turn, done: Sequence[Rehearsed], now: float) -> Turn:
    """The turn, with what it came to."""
    passed = sum(one.passed for one in done)
    outcome: Outcome = "passed" if passed == len(done) else "failed"
    return replace(turn, ended_at=now, outcome=outcome, passed=passed, of=len(done), said=in_short(done))


def could_not(turn: Turn, why: str, code: str, now: float, done: Sequence[Rehearsed] = ()) -> Turn:
    """The turn, given up for now. `code`: of the error, "" if there was none."""
    passed = sum(one.passed for one in done)
    return replace(turn, ended_at=now, outcome="could not", passed=passed, of=len(done), said=why, code=code)


def in_short(done: Sequence[Rehearsed]) -> str:
    """`2 of 12 did not go as promised: FEED-01, timeout`."""
    wrong = [one.row or one.fault for one in done if not one.passed]
    if not wrong:
        return f"all {len(done)} went as promised" if done else "there is nothing to rehearse"
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return f"{len(wrong)} of {len(done)} did not go as promised: {', '.join(dict.fromkeys(wrong[:3]))}{more}"


def what_is_wrong(done: Iterable[Rehearsed]) -> list[str]:
    """A line for each drill that did not go as promised, for the message."""
    lines = [f"{' '.join(filter(None, (one.row, one.fault, one.target)))}: {one.said}" for one in done if not one.passed]
    return [*lines[:SHOWN], *([f"and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else [])]


def in_words(turn: Turn) -> str:
    """What a turn came to."""
    if turn.ended_at is None:
        return f"put off, {turn.said}" if turn.said else "broken off"
    return f"could not be done: {turn.said}" if turn.outcome == "could not" else turn.said
