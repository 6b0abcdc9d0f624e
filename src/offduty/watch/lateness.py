"""Which slots of a job were kept and which were missed: pure decisions over moments in seconds since 1970.

The moments of starts are those at which the watcher saw them, not those that the job's machine wrote down: a start that came between two
ticks happened between those (`seen_at`), whatever the other clock says. So no decision compares the clocks of two machines (INV-10).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from offduty.watch.promise import EARLY, GRACE, Promise

MOST_MISSED = 1000  # slots of one job told in one go; the rest is counted as one step
CLOCK_STEP = 60.0  # seconds that the clock on the wall and the monotonic one may differ between ticks


@dataclass(frozen=True)
class Settled:
    """`slot`: the first one that is still open, None if there is none any more; `missed`, oldest first; `kept`: how many were."""

    slot: float | None
    missed: tuple[float, ...] = ()
    kept: int = 0


def seen_at(started: float, last_tick: float, now: float) -> float:
    """When a start that was not there at the last tick happened: as it was written down, but not before then, and not in the future."""
    return min(max(started, last_tick), now)


def first_slot(promise: Promise, since: float) -> float | None:
    """The slot a job owes first, if it is watched since then."""
    schedule = promise.schedule(since)
    return None if schedule is None else schedule.after(since)


def settle(promise: Promise, slot: float | None, starts: Sequence[float], now: float, *, judge_from: float = 0.0) -> Settled:
    """Hold the open slots of a job against the starts seen since the last time.

    `slot`: the oldest open one. `starts`: moments (`seen_at`), in order. Slots before `judge_from` are passed over, neither kept nor
    missed: nobody was there to judge them (the clock was set, the machine slept).
    """
    missed: list[float] = []
    kept, used = 0, 0
    while slot is not None and len(missed) < MOST_MISSED:
        grace, early, following = margins(promise, slot)
        first = bisect_left(starts, slot - early, used)  # of the years before the first watcher there may be very many
        if first < len(starts) and starts[first] <= slot + grace:
            used = bisect_right(starts, starts[first], first)
            kept += 1
            slot = first_slot(promise, starts[first]) if promise.every else following
        elif now > slot + grace:
            if slot >= judge_from:
                missed.append(slot)
                slot = following
            else:
                slot = _first_to_judge(promise, slot, judge_from - grace)
        else:
            break
    return Settled(slot, tuple(missed), kept)


def _first_to_judge(promise: Promise, slot: float, after: float) -> float | None:
    """The next slot; those up to `after` are left out in one step, since years may lie between."""
    schedule = promise.schedule(slot)
    return None if schedule is None else schedule.after(max(slot, after))


def due_at(promise: Promise, slot: float | None) -> float | None:
    """When the slot is missed if nothing has started by then."""
    return None if slot is None else slot + margins(promise, slot)[0]


def margins(promise: Promise, slot: float) -> tuple[float, float, float | None]:
    """(how late, how early a run may start for `slot`; the slot after it). Never so wide that two slots share a run.

    A job that is due so long after its last run may come as early as it likes: its next slot moves with it.
    """
    schedule = promise.schedule(slot)
    following = None if schedule is None else schedule.after(slot)
    period = following - slot if following is not None else 4 * EARLY
    early = min(EARLY, period / 4)
    grace = min(promise.start_grace if promise.start_grace is not None else GRACE, period - early)
    return grace, math.inf if promise.every else early, following


def clock_step(wall: float, last_wall: float, monotonic: float, last_monotonic: float) -> float:
    """By how many seconds the clock on the wall was set between two ticks; 0 for what is drift, or a slow machine."""
    step = (wall - last_wall) - (monotonic - last_monotonic)
    return step if abs(step) > CLOCK_STEP else 0.0


def overdue_after(max_duration: float | None, good: Sequence[float]) -> float | None:
    """Seconds after which a run takes too long: as promised, else far longer than the good runs there were; None if nobody can say.

    `good`: durations of good runs. Five are needed; then three times the longest, and ten minutes at least: rather late than wrong.
    """
    if max_duration is not None:
        return max_duration
    return max(3 * max(good), 600.0) if len(good) >= 5 else None
