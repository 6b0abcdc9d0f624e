"""What the watchers should have said, worked out from what happened by rules of its own.

- A slot whose whole window (from as early as a run may come to the end of its grace) went by once, in one piece, is missed if and only if
  no run began within it.
- A slot whose window was never lived through is never missed. What lies across a clock that was set is nobody's to judge.
- No slot is told twice, whatever happens.
- A run whose supervisor was killed is lost; one that finished never is.
- All that in time: within a tick or two, if somebody could look.

The other clocks are judged in `fleet_oracle_rest`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from fleet_oracle_rest import rest
from fleet_world import HOUR, RESTART, TICK, Job, World

from offduty.watch.schedule import slots

LATE = 3 * TICK
PERIODS = {"*/15 * * * *": 900.0, "*/20 * * * *": 1200.0, "*/30 * * * *": 1800.0, "0 * * * *": HOUR, "0 */2 * * *": 2 * HOUR}
SLACK = 2 * TICK + 60  # around the edges of what can be judged strictly


@dataclass
class Verdict:
    """Counts, and a sentence for each thing that is wrong."""

    slots: int = 0
    missed: int = 0
    told: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)


def judge(world: World) -> Verdict:
    """Hold what was said against what happened."""
    verdict = Verdict(told=len(world.truth.told), lost=len(world.truth.killed))
    told = Counter((job, slot) for job, slot, _, _ in world.truth.told)
    verdict.wrong += [f"told twice: {job} {slot}" for (job, slot), times in told.items() if times > 1]
    for job in world.jobs:
        (_every if job.promise.every else _slots)(world, job, verdict, {slot for name, slot in told if name == job.name})
    _lost(world, verdict)
    _in_time(world, verdict)
    verdict.wrong += rest(world)
    return verdict


def _slots(world: World, job: Job, verdict: Verdict, told: set[float]) -> None:
    early, grace = _window(job)
    schedule = job.promise.schedule()
    assert schedule is not None
    starts = world.truth.starts[job.name]
    judged = set()
    verdict.wrong += [f"told on a holiday: {job.name} {slot}" for slot in told if _is_holiday(job, slot)]
    for begin, end in world.truth.lived:
        for slot in slots(schedule, max(begin, job.begins)):
            if slot > end:
                break
            judged.add(slot)
            if not _is_whole(world, job, slot - early, slot + grace):
                continue
            verdict.slots += 1
            came = any(slot - early <= at <= slot + grace for at in starts)
            verdict.missed += not came
            if came and slot in told:
                verdict.wrong.append(f"false missed: {job.name} {slot}")
            if not came and slot not in told:
                verdict.wrong.append(f"unnoticed: {job.name} {slot}")
    for slot in told - judged:
        if _is_impaired(world, slot - early - SLACK, slot + grace + SLACK):
            continue  # a clock that was wrong and right again while nobody looked leaves no trace
        if not any(begin - SLACK <= slot + grace and slot - early <= end + SLACK for begin, end in world.truth.lived):
            verdict.wrong.append(f"phantom: {job.name} {slot}")


def _is_holiday(job: Job, slot: float) -> bool:
    """By what the clock in its zone shows."""
    return datetime.fromtimestamp(slot, ZoneInfo(job.promise.zone)).date().isoformat() in job.promise.except_on


def _is_whole(world: World, job: Job, begin: float, end: float) -> bool:
    """Whether this stretch of wall time went by exactly once, with somebody's verdict on it after it, and on no clock but a right one."""
    if any(begin - SLACK < until and since < end for since, until in _unjudged(world)):
        return False
    touching = [it for it in world.truth.lived if it[0] - SLACK < end and begin < it[1] + SLACK]
    if any(_was_gone(gone, back, begin, end) for gone, back in world.truth.left[job.name]):
        return False
    if len(touching) != 1 or not touching[0][0] + SLACK < begin or not end + SLACK < touching[0][1]:
        return False
    return not job.skew or not _is_impaired(world, begin - SLACK, end + SLACK)


def _was_gone(gone: float, back: float, begin: float, end: float) -> bool:
    """Where the clock was set back while a job was out of the configuration, all after it left and all before it came back is nobody's."""
    after, before = gone < end + SLACK, begin - SLACK < back
    return (after or before) if back < gone else (after and before)


def _unjudged(world: World) -> Iterator[tuple[float, float]]:
    """From the last look before the clock was set to the first one after it: when in between that happened, nobody can say."""
    for number, (start, end) in enumerate(world.truth.lived):
        first, last = world.truth.looked.get(number, (math.inf, -math.inf))
        if number:
            yield start, min(first, end)
        if number < len(world.truth.lived) - 1:
            yield max(last, start), end


def _is_impaired(world: World, begin: float, end: float) -> bool:
    """Whether nobody looked at some time within this stretch of wall time: then a host whose clock is off cannot be judged."""
    offsets = world.truth.offsets
    return any(begin < until + RESTART + offset and since + offset < end for since, until in world.truth.impaired for offset in offsets)


def _window(job: Job) -> tuple[float, float]:
    """As documented: five minutes, or a quarter of the time between slots; a grace that leaves room for the next one."""
    period = PERIODS.get(job.promise.cron, HOUR if job.promise.on_calendar else 24 * HOUR)
    early = min(300.0, period / 4)
    return early, min(900.0 if job.promise.start_grace is None else job.promise.start_grace, period - early)


def _every(world: World, job: Job, verdict: Verdict, told: set[float]) -> None:
    """So long after the last start, whenever that was."""
    grace = job.promise.start_grace or 0.0
    verdict.wrong += [f"told on a holiday: {job.name} {slot}" for slot in told if _is_holiday(job, slot)]
    for begin, end in world.truth.lived:
        starts = sorted(at for at in world.truth.starts[job.name] if begin <= at <= end)
        for one, following in zip(starts, [*starts[1:], math.inf][: len(starts)], strict=True):
            if following - one <= 2 * TICK:
                continue  # the two cannot be told apart by when the next one is due
            due = _due(job, one)
            if not _is_whole(world, job, one, due + grace):
                continue
            verdict.slots += 1
            late = following > due + grace
            verdict.missed += late
            said = any(one + TICK + 60 < slot and abs(slot - due) <= 2 * TICK for slot in told)
            if late and following > due + grace + SLACK and not said:
                verdict.wrong.append(f"unnoticed: {job.name} {due}")
            if following < due + grace - SLACK and said:
                verdict.wrong.append(f"false missed: {job.name} {due}")


def _due(job: Job, last: float) -> float:
    """So long after the last start, and as often again as it takes to be on no holiday."""
    period = job.promise.every or math.inf
    due = last + period
    while _is_holiday(job, due):
        due += period
    return due


def _lost(world: World, verdict: Verdict) -> None:
    verdict.wrong += [f"false lost: {run_id}" for run_id in world.truth.false_lost]
    for run_id, at in world.truth.killed.items():
        if world.store.run(run_id)["outcome"] != "lost":
            verdict.wrong.append(f"never lost: {run_id} killed at {at:.0f}")
    for run_id in world.truth.finished:
        if world.store.run(run_id)["outcome"] == "lost":
            verdict.wrong.append(f"finished and lost: {run_id}")


def _in_time(world: World, verdict: Verdict) -> None:
    for run_id, at in world.truth.killed.items():
        noticed = world.truth.lost.get(run_id, math.inf)
        if noticed > at + LATE and not _was_impaired(world, at, at + LATE):
            verdict.wrong.append(f"lost too late: {run_id} after {noticed - at:.0f} s")
    graces = {job.name: job.promise.start_grace if job.promise.every else _window(job)[1] for job in world.jobs}
    for job, slot, at, wall in world.truth.told:
        late = wall - slot - (graces[job] or 0.0)
        stepped = any(abs(wall - edge) < late + SLACK for stretch in world.truth.lived[:-1] for edge in stretch)
        if late > LATE and not stepped and not _was_impaired(world, at - late, at):
            verdict.wrong.append(f"missed too late: {job} {slot} by {late:.0f} s")


def _was_impaired(world: World, begin: float, end: float) -> bool:
    return any(since <= end and begin <= until + 2 * RESTART for since, until in world.truth.impaired)
