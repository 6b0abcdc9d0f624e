"""`offduty incidents ack ID`: somebody is at it."""

from __future__ import annotations

import argparse

from offduty.alerts.incident import acknowledge
from offduty.cli.acting import act, add_arguments
from offduty.cli.telling import who

HELP = "say that you are at it: no more reminders, no escalation"
EXAMPLES = """\
offduty incidents ack c0c7f414
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Acknowledge it."""
    name = who(args)
    return act(args, lambda it, now: acknowledge(it, name, now), f"{name} is at it")
