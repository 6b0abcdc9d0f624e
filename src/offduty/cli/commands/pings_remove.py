"""`offduty pings remove NAME`: its address is unknown from then on; its runs stay."""

from __future__ import annotations

import argparse

from offduty.cli.pinging import add_check_argument, at_desk, the_check
from offduty.cli.show import note, print_json
from offduty.errors import UsageError
from offduty.watch.pings.store import OpenPings

HELP = "forget a check; its runs stay"
EXAMPLES = """\
offduty pings remove backup
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add_check_argument(parser)


def main(args: argparse.Namespace) -> int:
    """Forget it."""
    with at_desk(args) as desk:
        check = the_check(desk, args.check)
        if check.configured:
            raise UsageError("E518", f"{check.job} stands in the configuration", fix="take ping = true out of its table first")

        def work(pings: OpenPings) -> None:
            pings.remove(check.job)
            pings.forget(check.job)

        desk.store.change(work)
    if args.json:
        print_json({"schema": "offduty.ping_removed/1", "check": check.job})
    else:
        note(args, f"{check.job} is forgotten: what still pings it is answered with 404")
    return 0
