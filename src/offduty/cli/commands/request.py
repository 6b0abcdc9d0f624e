"""`offduty request`: what customers ask for, the most worthwhile first."""

from __future__ import annotations

import argparse

from offduty.cli import COMMANDS
from offduty.cli.reach import open_for_reading
from offduty.cli.show import Cell, one_line, print_json, print_table, screen
from offduty.cli.telling import store_of
from offduty.clock import Clock, rfc3339
from offduty.handover.request import Request, ranked, requirements

HELP = COMMANDS["request"][2]
DESCRIPTION = """\
Ranked by worth: value and urgency (1 to 10 each) by the hour of work, as "weighted shortest job first" has it. What is agreed is a
requirement of the tool; `offduty value` says when all of them are met.
"""
EXAMPLES = """\
offduty request add forecast "weekends too" --value 8 --urgency 5 --hours 6 --asked-by planners
offduty request                                   # all that is asked for
offduty request decide 3 agreed --reason "planners need it in spring"
offduty request decide 4 elsewhere --served-by "the BI dashboard"
"""
SUBCOMMANDS = {
    "list": "offduty.cli.commands.request",
    "add": "offduty.cli.commands.request_add",
    "decide": "offduty.cli.commands.request_decide",
}
STYLES = {"open": "yellow", "agreed": "cyan", "done": "green", "declined": "dim", "elsewhere": "dim"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--job", metavar="JOB", help="only of this job")
    parser.add_argument("--all", action="store_true", help="those that are done, declined or served elsewhere too")


def main(args: argparse.Namespace) -> int:
    """Print them."""
    with open_for_reading(args, Clock()) as reach:
        found = store_of(reach).handover.requests(args.job)
    met = requirements(found)
    shown = [one for one in ranked(found) if args.all or one.state in ("open", "agreed")]
    if args.json:
        print_json(
            {
                "schema": "offduty.requests/1",
                "requests": [request_json(one) for one in shown],
                "requirements": {**vars(met), "met": met.met},
            }
        )
    elif shown:
        headers = ("no", "job", "worth", "state", "what", "asked by", "better served by")
        print_table(screen(args), headers, [_cells(one) for one in shown], flexible=("what",))
    else:
        print("all requirements that were agreed are met" if met.met else "nothing is asked for")
    return 0


def request_json(one: Request) -> dict[str, object]:
    """A request for programs."""
    decided = rfc3339(one.decided_at) if one.decided_at is not None else None
    return {**one.as_json(), "at": rfc3339(one.at), "decided_at": decided, "worth": one.weight}


def _cells(one: Request) -> list[Cell]:
    texts = [str(one.number), one.job, f"{one.weight:g}", one.state, one.text, one.asked_by, one.served_by or "-"]
    return [Cell(one_line(text), STYLES[one.state] if place == 3 else "") for place, text in enumerate(texts)]
