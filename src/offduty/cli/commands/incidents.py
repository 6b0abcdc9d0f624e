"""`offduty incidents`: what is broken now, and what was."""

from __future__ import annotations

import argparse

from offduty.cli import COMMANDS
from offduty.cli.choose import count
from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, distance, one_line, print_json, print_table, screen
from offduty.cli.telling import STATE_STYLE, incident_json, store_of
from offduty.clock import Clock

HELP = COMMANDS["incidents"][2]
DESCRIPTION = """\
An incident is one job being broken for one reason, from the first failure or missed run until it is well again. `settling` has been
well for less than the job's `settle`; `pending` has not failed often enough to be told.
"""
EXAMPLES = """\
offduty incidents                                   # what is open
offduty incidents --all                             # resolved ones too
offduty incidents ack c0c7f414                      # I am at it: no more reminders
offduty incidents note c0c7f414 "asked the provider; the file comes at 10"
offduty incidents resolve c0c7f414
"""
SUBCOMMANDS = {
    "list": "offduty.cli.commands.incidents",
    "show": "offduty.cli.commands.incidents_show",
    "ack": "offduty.cli.commands.incidents_ack",
    "note": "offduty.cli.commands.incidents_note",
    "snooze": "offduty.cli.commands.incidents_snooze",
    "resolve": "offduty.cli.commands.incidents_resolve",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--job", metavar="JOB", help="only of this job")
    parser.add_argument("--all", action="store_true", help="those that are resolved too")
    parser.add_argument("--limit", metavar="N", type=count, default=50, help="at most so many (default: 50)")


def main(args: argparse.Namespace) -> int:
    """Print incidents, newest first."""
    now = Clock().wall()
    with open_for_reading(args, Clock()) as reach:
        found = store_of(reach).alerts.incidents(args.job, everything=args.all, limit=args.limit)
    if args.json:
        print_json({"schema": "offduty.incidents/1", "incidents": [incident_json(one) for one in found]})
    elif found:
        rows = [
            [Cell(one.id[:8]), Cell(one.state, STATE_STYLE[one.state]), Cell(one_line(one.job)), Cell(one_line(one.cause)),
             Cell(distance(one.opened_at, now)), Cell(str(one.failures)), Cell(one_line(one.acked_by) or "nobody")]
            for one in found
        ]  # fmt: skip
        print_table(screen(args), ("incident", "state", "job", "cause", "opened", "failures", "at it"), rows, flexible=("cause", "job"))
    else:
        print("no incident is open" if not args.all else "there was never an incident")
    return 0
