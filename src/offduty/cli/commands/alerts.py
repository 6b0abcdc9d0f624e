"""`offduty alerts`: what is owed to whom, what arrived, and what did not."""

from __future__ import annotations

import argparse

from offduty.alerts.owed import RowState
from offduty.cli import COMMANDS
from offduty.cli.choose import count
from offduty.cli.reach import open_for_reading
from offduty.cli.show import note, print_json, print_table, screen
from offduty.cli.telling import ALERT_HEADERS, alert_cells, alert_json, store_of
from offduty.clock import Clock

HELP = COMMANDS["alerts"][2]
DESCRIPTION = """\
Every message that is owed to a channel is in the outbox until it has arrived. `waiting` is not sent yet or is tried again, `dead`
was given up (another channel was told), `silenced` was kept back. `offduty deliver` sends what waits; so do every run and `offduty watch`.
"""
EXAMPLES = """\
offduty alerts                        # the latest 20
offduty alerts --undelivered          # what waits, and what was given up
offduty alerts test --all             # prove every channel
offduty alerts retry 3469c622         # send one again that was given up
"""
SUBCOMMANDS = {
    "list": "offduty.cli.commands.alerts",
    "show": "offduty.cli.commands.alerts_show",
    "retry": "offduty.cli.commands.alerts_retry",
    "drop": "offduty.cli.commands.alerts_drop",
    "test": "offduty.cli.commands.alerts_test",
    "confirm": "offduty.cli.commands.alerts_confirm",
}
UNDELIVERED: tuple[RowState, ...] = ("waiting", "leased", "folded", "dead")


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--job", metavar="JOB", help="only of this job")
    parser.add_argument("--channel", metavar="NAME", help="only to this channel")
    parser.add_argument("--undelivered", action="store_true", help="only what waits or was given up")
    parser.add_argument("--limit", metavar="N", type=count, default=20, help="at most so many (default: 20)")


def main(args: argparse.Namespace) -> int:
    """Print the rows of the outbox, newest first."""
    now = Clock().wall()
    with open_for_reading(args, Clock()) as reach:
        states = UNDELIVERED if args.undelivered else None
        rows = store_of(reach).alerts.alerts(states=states, channel=args.channel, job=args.job, limit=args.limit)
        counts = store_of(reach).alerts.counts()
    if args.json:
        print_json({"schema": "offduty.alerts/1", "counts": counts, "alerts": [alert_json(row) for row in rows]})
    elif rows:
        print_table(screen(args), ALERT_HEADERS, [alert_cells(row, now) for row in rows], flexible=("", "job"), spare=("tries", "alert"))
    else:
        print("nothing is owed to anybody" if args.undelivered else "nobody has been told anything yet")
    if counts.get("dead") and not args.undelivered and not args.json:
        note(args, f"{counts['dead']} were given up: offduty alerts --undelivered")
    return 0
