"""`offduty deliver`: send what is owed and has not arrived yet."""

from __future__ import annotations

import argparse
import os

from offduty import durations
from offduty.cli import COMMANDS
from offduty.cli.reach import open_for_reading
from offduty.cli.show import note, print_json
from offduty.clock import Clock
from offduty.errors import FINDINGS
from offduty.settings.load import load

HELP = COMMANDS["deliver"][2]
DESCRIPTION = """\
Every run delivers what it owes itself, for at most two seconds; `offduty watch` does it all the time. This does it once: takes in what
runs have left, sends what is due, and ends. Exit status 1 if something that is due could not be delivered.
"""
EXAMPLES = """\
offduty deliver
*/5 * * * *  offduty deliver --quiet      # from cron, where no watcher runs
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--for", dest="duration", metavar="DURATION", default="60s", help="at most so long (default 60s)")


def main(args: argparse.Namespace) -> int:
    """Deliver once."""
    from offduty.stores.sqlite import SqliteStore, open_store
    from offduty.wiring.telling import outbox

    settings = load(os.getcwd(), os.environ, config=args.config)
    clock, seconds = Clock(), durations.parse(args.duration)
    with open_for_reading(args, clock, make=True) as reach:
        path = reach.places.store

        def another() -> SqliteStore:
            return open_store(path, clock=clock)

        done = outbox(another, settings, clock, owner=f"deliver-{os.uname().nodename}-{os.getpid()}-{clock.wall()}").deliver(seconds)
    document = {"schema": "offduty.deliver/1", "sent": done.sent, "refused": done.refused, "left": list(done.left)}
    if args.json:
        print_json(document)
    else:
        left = f"; something still waits for {', '.join(done.left)}" if done.left else ""
        note(args, f"{done.sent} sent, {done.refused} attempt{'s' * (done.refused != 1)} failed{left}")
    return FINDINGS if done.refused else 0
