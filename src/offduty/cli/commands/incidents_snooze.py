"""`offduty incidents snooze ID`: no reminders for a while."""

from __future__ import annotations

import argparse

from offduty import durations
from offduty.alerts.incident import LONGEST_SNOOZE, snooze
from offduty.cli.acting import act, add_arguments
from offduty.cli.telling import who
from offduty.errors import UsageError

HELP = "no reminder and no escalation for a while"
EXAMPLES = """\
offduty incidents snooze c0c7f414 --for 4h
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    add_arguments(parser)
    parser.add_argument("--for", dest="duration", metavar="DURATION", default="1h", help="how long (default 1h, at most 30d)")


def main(args: argparse.Namespace) -> int:
    """Snooze it."""
    seconds = durations.parse(args.duration)
    if seconds > LONGEST_SNOOZE:
        raise UsageError("E102", "nobody is kept asleep for over 30 days", where="--for", fix="say 30d or less")
    name = who(args)
    return act(args, lambda it, now: snooze(it, name, seconds, now), f"quiet for {durations.spoken(seconds)}")
