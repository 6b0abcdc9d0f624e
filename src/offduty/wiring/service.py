"""A watcher that goes on until it is told to stop: looks, says that it lives, delivers, and takes up a configuration that was edited."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable, Iterator
from threading import Event, Thread

from offduty import durations
from offduty.alerts.delivery import DEADLINE
from offduty.clock import rfc3339
from offduty.errors import OffdutyError, StoreError
from offduty.settings.load import Settings, load
from offduty.triage.tablefile import stamp
from offduty.watch import systemd
from offduty.watch.watcher import Ticked
from offduty.wiring.drillwatch import BACK_OFF, Drills
from offduty.wiring.watching import Station
from offduty.wiring.weekly import Weekly

MARKING = 2.0
"""Seconds beyond the deadline of an attempt that its end may take to be written down (F45)."""


class Service:
    """Ticks until a signal; delivery has threads of its own, so that a slow receiver never delays a look.

    `config`: the file that was asked for; `tick`: seconds between two looks, None as configured; `say`: what becomes of a line.
    """

    def __init__(self, station: Station, settings: Settings, *, config: str | None, tick: float | None, say: Callable[[str], None]) -> None:
        self._station, self._config, self._say = station, config, say
        self.stop = Event()
        watchdog = systemd.watchdog(os.environ)  # with every tick it hears that this one lives
        self._every = min(tick or float(settings.watch.tick), watchdog / 3 if watchdog else math.inf)
        self._stamps = {path: stamp(path) for path in settings.files}
        self._drills = Drills(settings, station.clock, config=config, back_off=min(BACK_OFF, 6 * self._every))
        self._weekly = Weekly(settings, station.clock, station.another)
        self._outbox = station.outbox()
        self._senders: list[Thread] = []
        self._trouble = ""
        self._registered = self._ready = False

    def run(self) -> int:
        """Until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop.set())
        self.serve()
        self.finish()
        return 0

    def serve(self, use: Callable[[Settings], object] = lambda _: None) -> None:
        """Until `stop` is set. `use`: is given a configuration that was edited."""
        self._deliver()
        while not self.stop.is_set():
            self.look()
            self.stop.wait(self._every)
            if (settings := self.reread()) is not None:
                use(settings)

    def look(self) -> bool:
        """One tick; False if the store is away, which is said once."""
        try:
            self._register()
            self._tell(said(self._station.tick()))
            self._tell([*self._drills.look(self._station.store), *self._weekly.look(self._station.store)])
        except StoreError as error:
            if str(error) != self._trouble:
                self._say(f"cannot look: {error}")
            self._trouble = str(error)
            return False
        if self._trouble:
            self._say("looking again")
        self._trouble = ""
        self._ready = self._ready or systemd.notify(os.environ, "READY=1") or True
        systemd.notify(os.environ, "WATCHDOG=1")
        return True

    def reread(self) -> Settings | None:
        """Take up a configuration that was edited, and return it; one that is broken is said once, and the old one stays."""
        stamps = {path: stamp(path) for path in self._stamps}
        if stamps == self._stamps:
            return None
        self._stamps = stamps
        try:
            settings = load(os.getcwd(), os.environ, config=self._config)
            self._station.use(settings)
            self._drills.use(settings)
            self._weekly.use(settings)
        except OffdutyError as error:
            self._say(f"the configuration was edited and cannot be used, the old one stays: {error}")
            return None
        self._stamps = {path: stamp(path) for path in settings.files} or stamps
        self._registered = False
        self._outbox.stop()
        self._outbox = self._station.outbox()
        self._deliver()
        return settings

    def finish(self) -> None:
        """What is being sent is finished, for as long as one attempt may take."""
        systemd.notify(os.environ, "STOPPING=1")
        self._drills.stop()
        self._outbox.stop()
        clock = self._station.clock
        until = clock.monotonic() + DEADLINE + MARKING
        for sender in self._senders:
            sender.join(max(0.0, until - clock.monotonic()))

    def _register(self) -> None:
        """What is promised here, once it can be written down."""
        if self._registered:
            return
        registered = self._station.register()
        self._registered = True
        self._tell([*registered.problems, f"watching {len(registered.watched)} jobs, every {durations.spoken(self._every)}"])

    def _deliver(self) -> None:
        self._senders = [sender for sender in self._senders if sender.is_alive()]
        self._senders.append(Thread(target=self._outbox.serve, name="outbox", daemon=True))
        self._senders[-1].start()

    def _tell(self, lines: Iterator[str] | list[str]) -> None:
        for line in lines:
            self._say(line)


def said(ticked: Ticked) -> Iterator[str]:
    """What a tick found, a line each; mostly nothing."""
    if ticked.stepped:
        yield f"the clock was set by {ticked.stepped:+.0f} s: slots in between are not judged"
    if ticked.away > 60:
        yield f"nobody looked for {durations.spoken(ticked.away)} before this"
    yield from (f"missed  {job}: due {rfc3339(slot)}" for job, slot in ticked.missed)
    yield from (f"overdue run {run}" for run in ticked.overdue)
    yield from (f"stale   {path}" for path in ticked.stale)
    yield from (f"silent  watcher {name}" for name in ticked.silent)
