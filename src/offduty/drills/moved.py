"""A clock that is moved: for rehearsing what takes hours, in moments."""

from __future__ import annotations

from offduty.clock import Clock


class MovedClock(Clock):
    """Begins at `wall`, and stands still unless somebody waits by it."""

    def __init__(self, wall: float) -> None:
        self._wall, self._monotonic = wall, 1000.0

    def wall(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        """Takes no time, and moves it on."""
        self._wall += max(seconds, 0.0)
        self._monotonic += max(seconds, 0.0)

    def until(self, wall: float) -> None:
        """Move it there, if that lies ahead."""
        self.sleep(wall - self._wall)
