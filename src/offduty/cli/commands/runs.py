"""`offduty runs`: the runs there were, newest first."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from offduty.cli import COMMANDS
from offduty.cli.choose import EMPTY, add_job_option, count, known_job, point_in_time
from offduty.cli.reach import Reach, open_for_reading
from offduty.cli.record_text import attempt_text, in_short, lasted, started
from offduty.cli.show import Cell, Screen, distance, moment, note, print_json, print_table, screen
from offduty.clock import Clock, short_id
from offduty.errors import UsageError
from offduty.runs.store import Record

HELP = COMMANDS["runs"][2]
DESCRIPTION = """\
An attempt is a run of its own, with its own id and log. The id shown is the end of the whole one; commands take it, or any
other unique beginning or end of at least four digits.
"""
EXAMPLES = """\
offduty runs                        # the latest 20
offduty runs forecast --failed      # what went wrong with one job
offduty runs --since 7d --until 1d  # a week, without today
offduty runs show 7f3a91c2          # all about one run
offduty runs --job show             # the runs of a job that is called "show"
"""
SUBCOMMANDS = {"show": "offduty.cli.commands.runs_show", "diff": "offduty.cli.commands.runs_diff"}
OUTCOMES = ("running", "succeeded", "warned", "failed", "timed_out", "terminated", "lost", "skipped")
FAILED = ("failed", "timed_out", "terminated", "lost")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("only", nargs="?", metavar="JOB", help="only the runs of this job")
    add_job_option(parser)
    parser.add_argument("--failed", action="store_true", help="only runs that failed, timed out, were terminated or lost")
    parser.add_argument("--outcome", action="append", choices=OUTCOMES, metavar="OUTCOME", help=f"only these: {', '.join(OUTCOMES)}")
    parser.add_argument("--since", metavar="WHEN", help="started in the last 7d, 12h …, or since a day like 2026-11-20")
    parser.add_argument("--until", metavar="WHEN", help="started before that")
    parser.add_argument("--limit", metavar="N", type=count, default=20, help="at most so many (default: 20)")


def main(args: argparse.Namespace) -> int:
    """Print the runs that were asked for."""
    if args.only is not None and args.job is not None:
        raise UsageError("E111", "the job is named twice", fix="give JOB or --job JOB")
    clock = Clock()
    with open_for_reading(args, clock) as reach:
        found = find(reach, args, clock.wall())
    runs, more = found[: args.limit], len(found) > args.limit
    if args.json:
        print_json({"schema": "offduty.runs/1", "runs": runs, "more": more})
    elif runs:
        show(screen(args), runs, clock.wall(), whole_ids=args.verbose)
    else:
        print("no run is like that" if is_filtered(args) else EMPTY)
    if more and not args.json:
        note(args, f"these are the latest {args.limit}; more with --limit")
    return 0


def find(reach: Reach, args: argparse.Namespace, now: float) -> list[Record]:
    """One run more than asked for, to know whether there are more. Raises NotThere E506 for an unknown job."""
    job = args.only if args.job is None else args.job
    if job is not None:
        known_job(job, {*reach.store.jobs(), *reach.planned})
    outcomes = {*(FAILED if args.failed else ()), *(args.outcome or ())} or None
    since, until = (text and point_in_time(text, now) for text in (args.since, args.until))
    return reach.store.runs(job, outcomes=outcomes, since=since, until=until, limit=args.limit + 1)


def is_filtered(args: argparse.Namespace) -> bool:
    """Whether there may be runs that were not asked for."""
    return any(value is not None for value in (args.only, args.job, args.outcome, args.since, args.until)) or args.failed


def show(on: Screen, runs: Sequence[Record], now: float, *, whole_ids: bool) -> None:
    """One line a run; on a narrow terminal the least telling columns give way."""
    headers = ("run", "job", "outcome", "started", "", "took", "attempt", "why")
    rows = [_row(on, run, now, whole_ids) for run in runs]
    print_table(on, headers, rows, flexible=("why", "job"), spare=("", "attempt", "took"))


def _row(on: Screen, run: Record, now: float, whole_ids: bool) -> list[Cell]:
    name = run["id"] if whole_ids else short_id(run["id"])
    at = started(run)
    texts = (moment(at, now), distance(at, now), lasted(run, now), attempt_text(run), in_short(run))
    return [Cell(name), Cell(run["job"]), on.outcome(run["outcome"]), *(Cell(text) for text in texts)]
