"""`offduty incidents note ID TEXT`: what the next one should know."""

from __future__ import annotations

import argparse

from offduty.alerts.incident import note
from offduty.cli.acting import act, add_arguments
from offduty.cli.telling import who

HELP = "add a note for whoever looks next"
EXAMPLES = """\
offduty incidents note c0c7f414 "asked the provider; the file comes at 10"
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add_arguments(parser)
    parser.add_argument("text", metavar="TEXT", help="the note")


def main(args: argparse.Namespace) -> int:
    """Add it."""
    name = who(args)
    return act(args, lambda it, now: note(it, name, args.text, now), "noted")
