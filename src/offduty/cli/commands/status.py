"""`offduty status`: how every job is doing, one line each."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from offduty import durations
from offduty.alerts.incident import DRILLS, Incident
from offduty.cli import COMMANDS
from offduty.cli.choose import EMPTY, known_job
from offduty.cli.reach import Planned, Reach, open_for_reading
from offduty.cli.record_text import in_short, lasted, started
from offduty.cli.show import Cell, Screen, distance, moment, one_line, print_cells, print_json, print_table, screen
from offduty.cli.telling import incident_json, store_of
from offduty.clock import Clock, rfc3339
from offduty.drills.store import Turn
from offduty.drills.turn import in_words
from offduty.runs.store import JobRuns, Record

HELP = COMMANDS["status"][2]
DESCRIPTION = """\
Jobs that have run, and jobs of the configuration that never did. "in a row" counts the runs since things were last different:
12 good ones, or 3 failures; a run that succeeded in its third attempt is one good run. Times are those of your time zone.
"""
EXAMPLES = """\
offduty status                      # every job
offduty status forecast             # one of them
offduty status --json | jq -r '.jobs[] | select(.well == false) | .job'
"""
GOOD = ("succeeded", "warned")
BAD = ("failed", "timed_out", "terminated", "lost")
MOST_INCIDENTS = 10
LATE = 60.0  # seconds that a scheduler may take without anybody speaking of it
LOOK_BACK = 200  # runs of a job that are looked at to count those in a row


@dataclass(frozen=True)
class JobStatus:
    """One job as of now. `well`: how its last finished run went (None: there is none); `in_a_row`: how many runs went like it.

    `late_s`: seconds since it should have started, if it has not. `drill`: the last time that all of it was rehearsed.
    """

    job: str
    configured: bool
    last: Record | None
    last_good_at: str | None
    well: bool | None
    in_a_row: int
    next_due: float | None
    counts: Mapping[str, int]
    late_s: float | None = None
    drill: Turn | None = None

    def as_json(self) -> dict[str, Any]:
        """The job in `offduty.status/1`."""
        due = None if self.next_due is None else rfc3339(self.next_due)
        drill = self.drill.as_json() if self.drill is not None else None
        return {**vars(self), "counts": dict(self.counts), "next_due": due, "drill": drill}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("jobs", nargs="*", metavar="JOB", help="only these jobs")


def main(args: argparse.Namespace) -> int:
    """Print the status of the jobs that were asked for."""
    clock = Clock()
    with open_for_reading(args, clock) as reach:
        turns = store_of(reach).drills.last_turns()
        jobs = [
            replace(one, drill=turns.get(one.job))
            for one in (status_of(reach, job, clock.wall()) for job in wanted(reach.store.last_runs(), reach.planned, args.jobs))
        ]
        alerts = store_of(reach).alerts
        incidents = [one for one in alerts.incidents() if not args.jobs or one.job in args.jobs]
        counts = alerts.counts()
    if args.json:
        more = {
            "incidents": [incident_json(one) for one in incidents],
            "alerts": {state: counts.get(state, 0) for state in ("waiting", "dead")},
        }
        print_json({"schema": "offduty.status/1", "at": rfc3339(clock.wall()), "jobs": [job.as_json() for job in jobs], **more})
        return 0
    if jobs:
        show(screen(args), jobs, clock.wall())
    else:
        print(EMPTY)
    for text in rehearsed(jobs, clock.wall()):
        print_cells(screen(args), [Cell(text)])
    for text in (*broken(incidents), *undelivered(counts)):
        print_cells(screen(args), [Cell(text, "yellow")])
    return 0


def rehearsed(jobs: Sequence[JobStatus], now: float) -> Iterator[str]:
    """`drills of forecast  3 d ago: all 12 went as promised`: jobs that were ever rehearsed as a whole."""
    for one in jobs:
        if one.drill is not None:
            at = one.drill.ended_at
            yield one_line(f"drills of {one.job}  {in_words(one.drill) if at is None else f'{distance(at, now)}: {in_words(one.drill)}'}")


def broken(incidents: Sequence[Incident]) -> Iterator[str]:
    """`incident 3469c622 feed, FEED-02: 3 bad runs, nobody is at it`: the newest first, a few of them."""
    for one in incidents[:MOST_INCIDENTS]:
        runs = "did not go as promised" if one.event in DRILLS else f"{one.failures} bad run{'s' * (one.failures != 1)}"
        at_it = f"{one.acked_by} is at it" if one.acked_by else "nobody is at it"
        yield one_line(f"incident {one.id[:8]}  {one.job}, {one.cause}: {runs}, {at_it}")
    if len(incidents) > MOST_INCIDENTS:
        yield f"and {len(incidents) - MOST_INCIDENTS} more incidents: offduty incidents"


def undelivered(counts: Mapping[str, int]) -> Iterator[str]:
    """What was given up; what merely waits for its time is no news."""
    if dead := counts.get("dead"):
        yield f"{dead} alert{'s were' if dead > 1 else ' was'} given up and never arrived: offduty alerts --undelivered"


def wanted(ran: Iterable[JobRuns], planned: Mapping[str, Planned], asked: Sequence[str]) -> list[JobRuns | str]:
    """The jobs to show, by name: what the store has of them, or the name of one that never ran. Raises NotThere E506 for an unknown one."""
    known: dict[str, JobRuns | str] = {**{name: name for name in planned}, **{runs["job"]: runs for runs in ran}}
    return [known[known_job(name, known)] for name in asked] if asked else [known[name] for name in sorted(known)]


def status_of(reach: Reach, job: JobRuns | str, now: float) -> JobStatus:
    """What is to be said about one job."""
    if isinstance(job, str):
        due, late = due_of(reach, job, None, now)
        return JobStatus(job, True, None, None, None, 0, due, {}, late)
    last, good, plan = job["last"], job["last_good"], reach.planned.get(job["job"])
    good_at = good["started_at"] if good else None
    well, count = in_a_row(reach.store.runs(job["job"], outcomes=GOOD + BAD, limit=LOOK_BACK))
    due, late = due_of(reach, job["job"], started(last), now)
    return JobStatus(job["job"], plan is not None, last, good_at, well, count, due, job["counts"], late)


def due_of(reach: Reach, job: str, last_start: float | None, now: float) -> tuple[float | None, float | None]:
    """(when it is due next, seconds that it is late). What is watched has an open slot, which may be over; else the configuration says."""
    slot = next((watched.slot for watched in store_of(reach).watch.watched(job)), None)
    if slot is None:
        plan = reach.planned.get(job)
        slot = plan.next_due(last_start, now) if plan else None
    return slot, now - slot if slot is not None and slot < now else None


def in_a_row(runs: Iterable[Record]) -> tuple[bool | None, int]:
    """Whether the newest of `runs` (finished, newest first) went well, and how many in a row went like it; the last attempt counts."""
    well, count, seen = None, 0, set()
    for run in runs:
        if run["root_id"] in seen:
            continue
        seen.add(run["root_id"])
        good = run["outcome"] in GOOD
        if well is None:
            well = good
        if good != well:
            break
        count += 1
    return well, count


def show(on: Screen, jobs: Sequence[JobStatus], now: float) -> None:
    """One line a job; on a narrow terminal the least telling columns give way."""
    headers = ("job", "last run", "started", "", "took", "in a row", "next due", "why")
    rows = [_row(on, job, now) for job in jobs]
    print_table(on, headers, rows, flexible=("why", "job"), spare=("took", "started", "next due", "in a row"))


def _row(on: Screen, job: JobStatus, now: float) -> list[Cell]:
    due = Cell("-" if job.next_due is None else distance(job.next_due, now))
    if job.late_s is not None and job.late_s > LATE:
        due = Cell(f"late by {durations.spoken(job.late_s)}", "red")
    if job.last is None:
        nothing = [Cell("-")] * 4
        return [Cell(job.job), on.outcome("never ran"), *nothing, due, Cell(f"start it: offduty run {job.job}")]
    run, at = job.last, started(job.last)
    times = [Cell(moment(at, now)), Cell(distance(at, now)), Cell(lasted(run, now))]
    return [Cell(job.job), on.outcome(run["outcome"]), *times, _streak(job), due, Cell(in_short(run))]


def _streak(job: JobStatus) -> Cell:
    if job.well is None:
        return Cell("-")
    more = "+" if job.in_a_row >= LOOK_BACK else ""
    return Cell(f"{job.in_a_row}{more} {'good' if job.well else 'bad'}", "" if job.well else "red")
