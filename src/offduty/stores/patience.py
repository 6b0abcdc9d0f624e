"""Waiting for somebody else's lock: how long at most, and how often to ask again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from offduty.clock import Clock

    Answer = TypeVar("Answer")

FIRST_WAIT, LONGEST_WAIT = 0.001, 0.05  # seconds


def chance() -> float:
    """A number from 0 to below 1, from the system."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


class Patience:
    """At most `seconds` of waiting in one operation. `rng` gives numbers from 0 to below 1, so that two who wait do not keep colliding."""

    def __init__(self, clock: Clock, seconds: float, rng: Callable[[], float] = chance) -> None:
        self.clock, self.seconds, self.rng = clock, seconds, rng

    def until(self, attempt: Callable[[], Answer], is_busy: Callable[[Exception], bool]) -> Answer:
        """What `attempt` returns; while it raises what `is_busy` knows, it is tried again. After the last try its exception comes out."""
        deadline = self.clock.monotonic() + self.seconds
        wait = FIRST_WAIT
        while True:
            try:
                return attempt()
            except Exception as error:
                left = deadline - self.clock.monotonic()
                if left <= 0 or not is_busy(error):
                    raise
            self.clock.sleep(min(left, wait * (0.5 + self.rng())))
            wait = min(2 * wait, LONGEST_WAIT)
