"""`offduty alerts retry ID`: send an alert again that was given up or dropped."""

from __future__ import annotations

import argparse

from offduty.cli.reach import open_for_reading
from offduty.cli.show import note, print_json
from offduty.cli.telling import alert_json, store_of
from offduty.clock import Clock
from offduty.errors import UsageError

HELP = "send an alert again that was given up, dropped or waits"
EXAMPLES = """\
offduty alerts retry 3469c622 && offduty deliver
offduty alerts retry --all-dead
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("alert", nargs="?", metavar="ID", help="the beginning of an alert's id")
    parser.add_argument("--all-dead", action="store_true", help="all that were given up")


def main(args: argparse.Namespace) -> int:
    """Put it back among those that wait."""
    if (args.alert is None) != args.all_dead:
        raise UsageError("E111", "which alert is meant?", fix="give its ID, or --all-dead")
    now = Clock().wall()
    with open_for_reading(args, Clock()) as reach:
        alerts = store_of(reach).alerts
        rows = alerts.alerts(states=("dead",), limit=10_000) if args.all_dead else [alerts.alert(args.alert)]
        again = [row for row in rows if alerts.retry(row.key, now)]
    if args.json:
        print_json({"schema": "offduty.alerts/1", "counts": {"waiting": len(again)}, "alerts": [alert_json(row) for row in again]})
    else:
        note(
            args,
            f"{len(again)} wait{'s' * (len(again) == 1)} to be sent again: `offduty deliver` does it now"
            if again
            else "it has been delivered, or is on its way",
        )
    return 0
