"""`offduty request decide`: what becomes of a request."""

from __future__ import annotations

import argparse
from dataclasses import replace

from offduty.cli.commands.request import request_json
from offduty.cli.commands.touch import LONGEST_TEXT
from offduty.cli.reach import open_for_reading
from offduty.cli.show import note, print_json
from offduty.cli.telling import add_by_option, store_of, who
from offduty.clock import Clock
from offduty.errors import NotThere, UsageError, quoted
from offduty.handover.request import STATES

HELP = "agree to a request, decline it, call it done, or name the tool that serves it better"
EXAMPLES = """\
offduty request decide 3 agreed --reason "planners need it in spring"
offduty request decide 3 done
offduty request decide 4 elsewhere --served-by "the BI dashboard"
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("number", metavar="NO", type=number, help="the number of the request")
    parser.add_argument("state", metavar="STATE", type=state, help=f"one of {', '.join(STATES)}")
    parser.add_argument("--reason", metavar="TEXT", default="", help="why")
    parser.add_argument("--served-by", metavar="TOOL", help="the tool that serves it, with elsewhere")
    add_by_option(parser)


def number(text: str) -> int:
    """Raises UsageError E112."""
    if text.isascii() and text.isdigit() and 0 < len(text) < 16:
        return int(text)
    raise UsageError("E112", f"{quoted(text)} is not the number of a request", fix="`offduty request` lists them")


def state(text: str) -> str:
    """Raises UsageError E112."""
    if text in STATES:
        return text
    raise UsageError("E112", f"{quoted(text)} is no state", fix=f"known are {', '.join(STATES)}")


def main(args: argparse.Namespace) -> int:
    """Record it."""
    clock = Clock()
    with open_for_reading(args, clock) as reach:
        store = store_of(reach).handover
        found = next((one for one in store.requests() if one.number == args.number), None)
        if found is None:
            raise NotThere("E531", f"there is no request {args.number}", fix="`offduty request --all` lists them")
        served = found.served_by if args.served_by is None else args.served_by
        decided = replace(
            found, state=args.state, decided_by=who(args), decided_at=clock.wall(), reason=args.reason[:LONGEST_TEXT], served_by=served
        )
        store.put_request(decided)
    if args.json:
        print_json({"schema": "offduty.request/1", "request": request_json(decided)})
    else:
        note(args, f"request {decided.number} is {decided.state}")
    return 0
