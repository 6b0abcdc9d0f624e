"""`offduty watch`: notice what did not happen, and deliver what is owed."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Iterator
from threading import Event, Thread

from offduty import durations
from offduty.cli import COMMANDS
from offduty.cli.show import note, print_json
from offduty.clock import Clock, rfc3339
from offduty.errors import Busy, OffdutyError, StoreError
from offduty.runs.lock import JobLock
from offduty.settings.load import Settings, load
from offduty.triage.tablefile import stamp
from offduty.watch import systemd
from offduty.watch.watcher import Ticked
from offduty.wiring.schedules import offduty_program
from offduty.wiring.watching import Registered, Station

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
    registered = station.register()
    if args.once:
        return _once(args, station, registered)
    return _Service(args, station, settings).run(registered)


def _once(args: argparse.Namespace, station: Station, registered: Registered) -> int:
    ticked = station.tick()
    done = station.outbox().deliver(DELIVERING) if station.store.alerts.waiting_channels() else None
    if args.json:
        print_json({**_json(ticked), "problems": list(registered.problems), "sent": done.sent if done else 0})
        return 0
    for text in [*registered.problems, *_said(ticked)]:
        print(text)
    note(args, f"{len(registered.watched)} jobs of this configuration are watched; {done.sent if done else 0} alerts sent")
    return 0


def _json(ticked: Ticked) -> dict[str, object]:
    missed = [{"job": job, "slot": rfc3339(slot)} for job, slot in ticked.missed]
    found = {"missed": missed, "kept": ticked.kept, "overdue": list(ticked.overdue), "stale": list(ticked.stale)}
    others = {"silent": list(ticked.silent), "stepped_s": ticked.stepped, "away_s": ticked.away}
    return {"schema": "offduty.watch/1", "at": rfc3339(ticked.at), **found, **others}


def _said(ticked: Ticked) -> Iterator[str]:
    """What a tick found, a line each; mostly nothing."""
    if ticked.stepped:
        yield f"the clock was set by {ticked.stepped:+.0f} s: slots in between are not judged"
    if ticked.away > 60:
        yield f"nobody looked for {durations.spoken(ticked.away)} before this"
    yield from (f"missed  {job}: due {rfc3339(slot)}" for job, slot in ticked.missed)
    yield from (f"overdue run {run}" for run in ticked.overdue)
    yield from (f"stale   {path}" for path in ticked.stale)
    yield from (f"silent  watcher {name}" for name in ticked.silent)


class _Service:
    """Ticks until a signal; delivery has threads of its own, so that a slow receiver never delays a look."""

    def __init__(self, args: argparse.Namespace, station: Station, settings: Settings) -> None:
        self._args, self._station = args, station
        self._stop = Event()
        self._every = durations.parse(args.tick) if args.tick else float(settings.watch.tick)
        self._stamps = {path: stamp(path) for path in settings.files}
        self._outbox = station.outbox()
        self._trouble = ""

    def run(self, registered: Registered) -> int:
        """Until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop.set())
        self._tell([*registered.problems, f"watching {len(registered.watched)} jobs, every {durations.spoken(self._every)}"])
        sender = self._deliver()
        ready = False
        while not self._stop.is_set():
            if self._look():
                ready = ready or systemd.notify(os.environ, "READY=1") or True
                systemd.notify(os.environ, "WATCHDOG=1")
            self._stop.wait(self._every)
            self._reread()
        systemd.notify(os.environ, "STOPPING=1")
        self._outbox.stop()
        sender.join(20.0)
        return 0

    def _deliver(self) -> Thread:
        sender = Thread(target=self._outbox.serve, name="outbox", daemon=True)
        sender.start()
        return sender

    def _look(self) -> bool:
        """One tick; False if the store is away, which is said once."""
        try:
            self._tell(_said(self._station.tick()))
        except StoreError as error:
            if str(error) != self._trouble:
                self._tell([f"cannot look: {error}"])
            self._trouble = str(error)
            return False
        self._trouble = ""
        return True

    def _reread(self) -> None:
        """Take up a configuration that was edited; one that is broken is said once, and the old one stays."""
        stamps = {path: stamp(path) for path in self._stamps}
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            settings = load(os.getcwd(), os.environ, config=self._args.config)
            registered = self._station.reload(settings)
        except OffdutyError as error:
            self._tell([f"the configuration was edited and cannot be used, the old one stays: {error}"])
            return
        self._outbox.stop()
        self._outbox = self._station.outbox()
        self._deliver()
        self._tell([*registered.problems, f"the configuration was read again: {len(registered.watched)} jobs"])

    def _tell(self, lines: Iterator[str] | list[str]) -> None:
        if not self._args.quiet:
            for line in lines:
                print(f"{rfc3339(Clock().wall())} {line}", flush=True)
