"""Telling an outside service that the watcher lives: only while the store takes writes and nobody waits for an old alert (INV-14).

What does not get through changes nothing here: the outside service notices, which is what it is for.
"""

from __future__ import annotations

from collections.abc import Callable

from offduty.alerts.delivery import DeliveryError
from offduty.clock import Clock

OLD = 900.0
"""Seconds that an alert which is due may wait before the watcher is not well any more."""


class Heartbeat:
    """`call()` makes one call, and raises DeliveryError if it did not get through. `every`: seconds between two."""

    def __init__(self, call: Callable[[], object], every: float, clock: Clock) -> None:
        self._call, self._every, self._clock = call, every, clock
        self._due = 0.0
        self.last: float | None = None
        self.problem = ""

    def beat(self, oldest: Callable[[], float | None]) -> bool:
        """Call if it is time and all is well. `oldest()`: since when the oldest alert is due, seconds since 1970; None: none waits."""
        now = self._clock.monotonic()
        if now < self._due:
            return False
        oldest_owed = oldest()
        if oldest_owed is not None and self._clock.wall() - oldest_owed > OLD:
            self.problem = "an alert that is due has waited for over 15 minutes"
            return False
        self._due = now + self._every
        try:
            self._call()
        except DeliveryError as error:
            self.problem = error.what
            return False
        self.last, self.problem = self._clock.wall(), ""
        return True
