"""`offduty incidents resolve ID`: it is over, and somebody says so."""

from __future__ import annotations

import argparse

from offduty.alerts.incident import resolve
from offduty.cli.acting import act, add_arguments
from offduty.cli.telling import who

HELP = "say that it is over; a good run does that by itself"
EXAMPLES = """\
offduty incidents resolve c0c7f414
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Resolve it."""
    name = who(args)
    return act(args, lambda it, now: resolve(it, name, now), f"resolved by {name}")
