"""`offduty pings pause NAME`: nothing is expected of it, and nobody is told that it is missing."""

from __future__ import annotations

import argparse

from offduty.cli.pinging import add_check_argument, at_desk, change, check_json, paused
from offduty.cli.show import note, print_json

HELP = "expect nothing of a check for a while"
EXAMPLES = """\
offduty pings pause backup
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add_check_argument(parser)


def main(args: argparse.Namespace) -> int:
    """Do it, and say so."""
    with at_desk(args) as desk:
        check = change(desk, args.check, paused)
        document = check_json(check, desk.settings.ping.url, {})
    if args.json:
        print_json({"schema": "offduty.ping/1", **document})
    else:
        note(args, f"{check.job} is {check.status}")
    return 0
