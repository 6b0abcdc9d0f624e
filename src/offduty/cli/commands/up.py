"""`offduty up`: start jobs when they are due, watch them, and deliver what is owed, in one process."""

from __future__ import annotations

import argparse
import json
import os
import signal
from collections.abc import Mapping
from threading import Lock, Thread
from typing import Any

from offduty import durations
from offduty.cli import COMMANDS
from offduty.clock import Clock, rfc3339, wall_of
from offduty.errors import Busy, StoreError
from offduty.runs.init import as_init
from offduty.runs.lock import JobLock
from offduty.settings.load import Settings, load
from offduty.wiring.service import Service
from offduty.wiring.starter import Starter
from offduty.wiring.watching import Station

HELP = COMMANDS["up"][2]
DESCRIPTION = """\
For machines and containers without a scheduler: starts the jobs of the configuration here at their times, each as `offduty run` in a
process of its own, and does all that `offduty watch` does. Prints a line for each start and each end. Reads the configuration again when
it changes. Stopped, it stops what runs and waits for it. A slot that passed while the machine slept is started late, within `start_grace`.
"""
EXAMPLES = """\
offduty up
offduty up --json | jq -r 'select(.event == "ended" and .exit_code != 0) | .job'
docker run … offduty up        # as process 1
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--tick", metavar="DURATION", help="how often the watcher looks (default 10s)")
    parser.add_argument("--show", action="store_true", help="print what jobs print, too")


def main(args: argparse.Namespace) -> int:
    """Until SIGTERM or SIGINT."""
    done = as_init()
    if done is not None:
        return done
    settings = load(os.getcwd(), os.environ, config=args.config)
    lock = JobLock(settings.places().locks, "watcher-up")
    if not lock.take(f"{os.getpid()}"):
        raise Busy("E902", "an `offduty up` runs here already", why=f"process {lock.holder()}", fix="stop that one first")
    return _serve(args, settings)


def _serve(args: argparse.Namespace, settings: Settings) -> int:
    clock, printer = Clock(), Printer(as_json=args.json, quiet=args.quiet)
    station = Station(settings, clock, name="up")
    tick = durations.parse(args.tick) if args.tick else None
    service = Service(station, settings, config=args.config, tick=tick, say=lambda text: printer.say({"event": "watch", "text": text}))
    _catch_up(station)
    starter = Starter(settings, clock, lambda job: last_start(station, job), printer.say, show=args.show)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop.set())
    thread = Thread(target=starter.serve, args=(service.stop,), name="starter")
    thread.start()
    service.serve(starter.use)
    thread.join()
    starter.finish()
    service.finish()
    return 0


def _catch_up(station: Station) -> None:
    """What the one before has started, and was killed before it could be taken in, is not started again before its time."""
    try:
        station.take_in()
    except StoreError:  # the first look says so
        pass


def last_start(station: Station, job: str) -> float | None:
    """When the newest run of `job` started, as far as the store knows."""
    runs = station.another().runs(job, limit=1)
    return wall_of(runs[0]["started_at"]) if runs else None


class Printer:
    """One line an event, from whatever thread."""

    def __init__(self, *, as_json: bool, quiet: bool) -> None:
        self._as_json, self._quiet, self._lock = as_json, quiet, Lock()

    def say(self, event: Mapping[str, Any]) -> None:
        """Print it."""
        at = rfc3339(Clock().wall())
        with self._lock:
            if self._as_json:
                print(json.dumps({"schema": "offduty.up/1", "at": at, **event}), flush=True)
            elif not self._quiet:
                print(f"{at} {in_words(event)}", flush=True)


def in_words(event: Mapping[str, Any]) -> str:
    """`started forecast, due 06:00`: for people."""
    job = event.get("job", "")
    if event["event"] == "started":
        return f"started  {job}, due {event['slot']}"
    if event["event"] == "ended":
        return f"ended    {job}, exit status {event['exit_code']}, after {durations.spoken(event['duration_s'])}"
    if event["event"] == "left_out":
        return f"left out {job}: what was due from {event['slot']} until {event['until']}"
    return f"{job}: {event['text']}" if job else str(event["text"])
