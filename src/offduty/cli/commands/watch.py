"""`offduty watch`: notice what did not happen, and deliver what is owed."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from offduty import durations
from offduty.cli import COMMANDS
from offduty.cli.show import note, print_json
from offduty.clock import Clock, rfc3339
from offduty.errors import Busy
from offduty.runs.lock import JobLock
from offduty.settings.load import load
from offduty.watch import systemd
from offduty.watch.watcher import Ticked
from offduty.wiring.drillwatch import Drills
from offduty.wiring.schedules import offduty_program
from offduty.wiring.service import Service, said
from offduty.wiring.watching import Registered, Station
from offduty.wiring.weekly import tell_weeks

HELP = COMMANDS["watch"][2]
DESCRIPTION = """\
Looks every ten seconds, as long as it runs: for slots that passed without a run, runs that take too long or whose supervisor is gone,
outputs that are too old. Tells people, sends reminders and digests, and tries again what did not arrive. Watches the jobs of the
configuration here, and all others that share its store. Reads the configuration again when it changes.
"""
EXAMPLES = """\
offduty watch                                   # as a service
offduty watch --unit > ~/.config/systemd/user/offduty-watch.service
*/5 * * * *  offduty watch --once --quiet       # from any scheduler
"""
DELIVERING = 60.0  # seconds for what is owed, with --once


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--once", action="store_true", help="look once, deliver what is owed, and end")
    parser.add_argument("--name", metavar="NAME", default="watch", help="tells watchers of one machine apart (default: watch)")
    parser.add_argument("--tick", metavar="DURATION", help="how often to look (default 10s)")
    parser.add_argument("--unit", action="store_true", help="print a systemd service that keeps a watcher running, and end")


def main(args: argparse.Namespace) -> int:
    """Watch until told to stop."""
    if args.unit:
        print(systemd.unit(" ".join(offduty_program()), os.getcwd()), end="")
        return 0
    settings = load(os.getcwd(), os.environ, config=args.config)
    lock = JobLock(settings.places().locks, f"watcher-{args.name}")
    if not lock.take(f"{os.getpid()}"):
        raise Busy("E902", f"a watcher called {args.name} runs here already", why=f"process {lock.holder()}", fix="give this one a --name")
    station = Station(settings, Clock(), name=args.name)
    if args.once:
        return _once(args, station, station.register())
    tick = durations.parse(args.tick) if args.tick else None
    return Service(station, settings, config=args.config, tick=tick, say=_say(args)).run()


def _once(args: argparse.Namespace, station: Station, registered: Registered) -> int:
    ticked = station.tick()
    weeks = list(tell_weeks(station.settings, station.store, station.clock.wall()))
    drills = Drills(station.settings, station.clock, config=args.config).look(station.store)
    done = station.outbox().deliver(DELIVERING) if station.store.alerts.waiting_channels() else None
    if args.json:
        print_json(
            {**_json(ticked), "problems": list(registered.problems), "digests": weeks, "drills": drills, "sent": done.sent if done else 0}
        )
        return 0
    for text in [*registered.problems, *said(ticked), *weeks, *drills]:
        print(text)
    jobs, sent = len(registered.watched), done.sent if done else 0
    are = "job of this configuration is" if jobs == 1 else "jobs of this configuration are"
    note(args, f"{jobs} {are} watched; {sent} alert{'s' * (sent != 1)} sent")
    return 0


def _say(args: argparse.Namespace) -> Callable[[str], None]:
    """Lines of a service: with their time, at once."""

    def say(text: str) -> None:
        if not args.quiet:
            print(f"{rfc3339(Clock().wall())} {text}", flush=True)

    return say


def _json(ticked: Ticked) -> dict[str, object]:
    missed = [{"job": job, "slot": rfc3339(slot)} for job, slot in ticked.missed]
    found = {"missed": missed, "kept": ticked.kept, "overdue": list(ticked.overdue), "stale": list(ticked.stale)}
    others = {"silent": list(ticked.silent), "stepped_s": ticked.stepped, "away_s": ticked.away}
    return {"schema": "offduty.watch/1", "at": rfc3339(ticked.at), **found, **others}
