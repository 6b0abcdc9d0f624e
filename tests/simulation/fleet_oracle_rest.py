"""What the watchers should have said beside missed slots: runs that take too long, outputs that are too old, watchers that fell silent,
jobs that never ran at all, jobs that nobody was to watch. Each by a rule of its own, over what really happened.

What is demanded is demanded only where somebody could look and no clock was set meanwhile; what is forbidden is forbidden always.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from fleet_kinds import MAX_AGE
from fleet_world import HOUR, RESTART, TICK, Job, Life, World

from offduty.watch.watcher import SILENT

LATE = 3 * TICK
LEARNED, ENOUGH = 600.0, 5  # seconds for jobs whose good runs take a minute at most, and how many of those it takes


def rest(world: World) -> Iterator[str]:
    """A sentence for each thing that is wrong."""
    said = Counter(one.key for one in world.truth.said)
    yield from (f"told twice: {key}" for key, times in said.items() if times > 1)
    for job in world.jobs:
        yield from _overdue(world, job)
        yield from _never(world, job)
        yield from _left(world, job)
        if job.kind.writes:
            yield from _stale(world, job)
    yield from _silent(world)


def _overdue(world: World, job: Job) -> Iterator[str]:
    told = {one.what: one.at for one in world.truth.said if one.event == "overdue"}
    for run_id, life in world.truth.runs.items():
        if life.job != job.name:
            continue
        least, limit, at = _least(job), _limit(world, job, life), told.get(run_id)
        if at is not None and at > life.at + 1:
            yield f"overdue after its end: {run_id}"
        if at is not None and at - life.began < least - 1 and not _is_set(world, life.began, at):
            yield f"false overdue: {run_id} of {job.name} after {at - life.began:.0f} s"
        if (
            limit is not None
            and at is None
            and life.at > life.began + limit + LATE
            and _is_fair(world, life.began, life.began + limit + LATE)
        ):
            yield f"unnoticed overdue: {run_id} of {job.name}"


def _least(job: Job) -> float:
    """Seconds that a run of the job may take in any case: what is learned is ten minutes at least."""
    return job.promise.max_duration or LEARNED


def _limit(world: World, job: Job, life: Life) -> float | None:
    """Seconds after which this run has to be told; None: that depends on runs whose durations differ, or nobody could say."""
    if job.promise.max_duration is not None:
        return job.promise.max_duration
    if job.kind.longest > 60:
        return None
    good = [one for one in world.truth.runs.values() if one.job == job.name and one.ended == "succeeded" and one.at < life.began - LATE]
    usual = all(one.at - one.began < LEARNED / 3 for one in good)
    return LEARNED if len(good) >= ENOUGH and usual and _is_fair(world, life.began - LATE, life.began) else None


def _never(world: World, job: Job) -> Iterator[str]:
    """Told as one that never ran, if and only if it never did."""
    first = min((life.began for life in world.truth.runs.values() if life.job == job.name), default=math.inf)
    for name, slot, at, _ in world.truth.told:
        if name == job.name and world.truth.never[name, slot] and at > first + LATE and not _was_impaired(world, first, first + LATE):
            yield f"it ran, and is told as one that never did: {name} {slot}"
        if name == job.name and not world.truth.never[name, slot] and at < first:
            yield f"it never ran, and nobody says so: {name} {slot}"


def _left(world: World, job: Job) -> Iterator[str]:
    """A job that nobody was to watch was not watched."""
    for name, slot, at, _ in world.truth.told:
        if name == job.name and any(begin < at < end for begin, end in world.truth.unwatched.get(name, ())):
            yield f"told of a job that left: {name} {slot}"


def _stale(world: World, job: Job) -> Iterator[str]:
    written = world.truth.wrote[job.name]
    told = [one for one in world.truth.said if one.event == "stale" and one.what == job.name]
    for one in told:
        newest = max(written_at for written_at in written if written_at[0] <= one.at)[1]  # there is one file, and it is written anew
        if one.wall - newest <= MAX_AGE:
            yield f"false stale: {job.name} at {one.at:.0f}"
    for (at, _), (following, _) in pairwise([*written, (world.fleet.hours * HOUR, 0.0)]):
        if following < at + MAX_AGE + LATE or not _is_fair(world, at, at + MAX_AGE + LATE):
            continue
        if not any(at + MAX_AGE <= one.at <= at + MAX_AGE + LATE for one in told):
            yield f"unnoticed stale: {job.name}, written at {at:.0f}"


def _silent(world: World) -> Iterator[str]:
    """By the looks that each watcher took: who was silent for long enough is told if another one looked all the while."""
    told = [one for one in world.truth.said if one.event == "stuck"]
    beats = world.truth.beats
    for one in told:
        if one.at - max((at for at in beats[one.what] if at <= one.at), default=0.0) < SILENT - 1:
            yield f"false silence: {one.what} at {one.at:.0f}"
        if not any(name != one.what and _looked(looks, one.at - SILENT + LATE, one.at, LATE) for name, looks in beats.items()):
            yield f"told of a silence that nobody heard: {one.what} at {one.at:.0f}"
    for name, looks in beats.items():
        for last, following in pairwise([*looks, world.fleet.hours * HOUR]):
            until = last + SILENT + LATE
            heard = any(other != name and _looked(beats[other], last - LATE, until, 1.5 * TICK) for other in beats)
            if following > until and heard and not any(one.what == name and last < one.at <= until for one in told):
                yield f"unnoticed silence: {name} since {last:.0f}"


def _looked(looks: list[float], begin: float, until: float, gap: float) -> bool:
    """Whether a watcher looked all the time between, never more than `gap` seconds apart."""
    inside = [at for at in looks if begin <= at <= until]
    return bool(inside) and all(later - sooner <= gap for sooner, later in pairwise([begin, *inside, until]))


def _is_fair(world: World, begin: float, until: float) -> bool:
    """Whether somebody could look, on one clock."""
    return until < world.fleet.hours * HOUR and not _is_set(world, begin, until) and not _was_impaired(world, begin, until)


def _is_set(world: World, begin: float, until: float) -> bool:
    return any(begin - TICK <= at <= until + TICK for at in world.truth.steps)


def _was_impaired(world: World, begin: float, end: float) -> bool:
    return any(since <= end and begin <= until + 2 * RESTART for since, until in world.truth.impaired)
