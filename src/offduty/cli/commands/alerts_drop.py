"""`offduty alerts drop ID`: do not send an alert that waits."""

from __future__ import annotations

import argparse

from offduty.cli.reach import open_for_reading
from offduty.cli.show import note, print_json
from offduty.cli.telling import add_by_option, alert_json, store_of, who
from offduty.clock import Clock

HELP = "do not send an alert that waits or was given up"
EXAMPLES = """\
offduty alerts drop 3469c622 --why "sent by hand"
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("alert", metavar="ID", help="the beginning of an alert's id")
    parser.add_argument("--why", metavar="TEXT", default="", help="the reason, for the record")
    add_by_option(parser)


def main(args: argparse.Namespace) -> int:
    """Mark it as dropped, with who did it."""
    with open_for_reading(args, Clock()) as reach:
        alerts = store_of(reach).alerts
        row = alerts.alert(args.alert)
        dropped = alerts.drop(row.key, f"dropped by {who(args)}" + (f": {args.why}" if args.why else ""), Clock().wall())
        row = alerts.alert(row.key)
    if args.json:
        print_json({"schema": "offduty.alert/1", "alert": alert_json(row), "text": ""})
    else:
        note(args, "it will not be sent" if dropped else f"it is {row.state} already")
    return 0
