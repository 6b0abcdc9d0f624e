"""`offduty request add`: somebody asks for something."""

from __future__ import annotations

import argparse
from dataclasses import replace

from offduty.cli.choose import known_job
from offduty.cli.commands.request import request_json
from offduty.cli.commands.touch import LONGEST_TEXT, hours
from offduty.cli.reach import open_for_reading
from offduty.cli.show import note, print_json
from offduty.cli.telling import add_by_option, store_of, who
from offduty.clock import Clock
from offduty.errors import UsageError, quoted
from offduty.handover.request import Request

HELP = "remember what somebody asks for"
EXAMPLES = """\
offduty request add forecast "weekends too" --value 8 --urgency 5 --hours 6 --asked-by planners
offduty request add forecast "a map of stores" --served-by "the BI dashboard"
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("job", metavar="JOB", help="the job that would serve it")
    parser.add_argument("text", metavar="TEXT", help="what is asked for")
    parser.add_argument("--value", metavar="N", type=points, default=5, help="what it is worth to them, 1 to 10 (default: 5)")
    parser.add_argument("--urgency", metavar="N", type=points, default=5, help="what waiting costs, 1 to 10 (default: 5)")
    parser.add_argument("--hours", metavar="H", type=hours, default=4.0, help="how much work it is (default: 4)")
    parser.add_argument("--asked-by", metavar="NAME", default="", help="who asks (default: whoever types)")
    parser.add_argument("--served-by", metavar="TOOL", default="", help="another tool that would serve it better")
    add_by_option(parser)


def points(text: str) -> int:
    """1 to 10. Raises UsageError E112."""
    if text.isascii() and text.isdigit() and 1 <= int(text[:3]) <= 10:
        return int(text)
    raise UsageError("E112", f"{quoted(text)} is not a number from 1 to 10")


def main(args: argparse.Namespace) -> int:
    """Remember it."""
    clock = Clock()
    with open_for_reading(args, clock, make=True) as reach:
        job = known_job(args.job, {*reach.store.jobs(), *reach.planned})
        request = Request(
            job, args.text[:LONGEST_TEXT], args.asked_by or who(args), clock.wall(), args.value, args.urgency, args.hours, args.served_by
        )
        request = replace(request, number=store_of(reach).handover.add_request(request))
    if args.json:
        print_json({"schema": "offduty.request/1", "request": request_json(request)})
    else:
        note(args, f"request {request.number}: worth {request.weight:g} an hour")
    return 0
