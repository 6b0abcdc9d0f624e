"""`offduty touch`: somebody did something for a job, and says what and how long it took."""

from __future__ import annotations

import argparse

from offduty.cli import COMMANDS
from offduty.cli.choose import known_job, point_in_time
from offduty.cli.reach import open_for_reading
from offduty.cli.show import note, parse_time, print_json
from offduty.cli.telling import add_by_option, store_of, who
from offduty.clock import Clock, rfc3339
from offduty.errors import UsageError, quoted
from offduty.handover.store import Touch

HELP = COMMANDS["touch"][2]
DESCRIPTION = """\
Hours that are said count in place of estimates in `offduty value`. Corrections: a touch cannot be taken back, its hours can: say the
difference with another one.
"""
EXAMPLES = """\
offduty touch forecast "changed the holiday feature" --hours 3
offduty touch forecast "talked to the lab" --hours 0.5 --at 2026-11-20
"""
MOST_HOURS, LONGEST_TEXT = 1000.0, 1000


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", metavar="JOB", help="the job")
    parser.add_argument("text", metavar="TEXT", help="what was done")
    parser.add_argument("--hours", metavar="H", type=hours, help="how long it took")
    parser.add_argument("--at", metavar="TIME", help="when, like 2026-11-20 or 2d ago as 2d (default: now)")
    add_by_option(parser)


def hours(text: str) -> float:
    """Hours from 0 to 1000. Raises UsageError E112."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if 0 <= found <= MOST_HOURS:
        return found
    raise UsageError("E112", f"{quoted(text)} is no number of hours", fix="write one like 0.5 or 3")


def main(args: argparse.Namespace) -> int:
    """Remember it."""
    clock = Clock()
    now = clock.wall()
    at = parse_time(point_in_time(args.at, now)) if args.at else now
    with open_for_reading(args, clock, make=True) as reach:
        job = known_job(args.job, {*reach.store.jobs(), *reach.planned})
        touch = Touch(job, min(at, now), who(args), args.text[:LONGEST_TEXT], args.hours)
        store_of(reach).handover.touch(touch)
    if args.json:
        print_json({"schema": "offduty.touch/1", **vars(touch), "at": rfc3339(touch.at)})
    else:
        note(args, f"{touch.job}: remembered" + (f", {touch.hours:g} h" if touch.hours is not None else ""))
    return 0
