"""`offduty pings resume NAME`: what was paused is expected again from now on."""

from __future__ import annotations

import argparse

from offduty.cli.pinging import add_check_argument, at_desk, change, check_json, resumed
from offduty.cli.show import note, print_json

HELP = "expect pings of a check again"
EXAMPLES = """\
offduty pings resume backup
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add_check_argument(parser)


def main(args: argparse.Namespace) -> int:
    """Do it, and say so."""
    with at_desk(args) as desk:
        check = change(desk, args.check, resumed)
        document = check_json(check, desk.settings.ping.url, {})
    if args.json:
        print_json({"schema": "offduty.ping/1", **document})
    else:
        note(args, f"{check.job} is {check.status}")
    return 0
