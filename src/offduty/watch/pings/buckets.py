"""So many pings at once, and so many a second, for each address: what is beyond that is refused, and nobody else notices."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

MOST_KNOWN = 10_000
"""Addresses that are remembered; who was not seen for longest is forgotten first, and has a full bucket again."""


@dataclass
class Buckets:
    """A bucket for each key. It holds `burst`, and gets `rate` more each second. Moments are monotonic seconds."""

    burst: float
    rate: float
    _levels: OrderedDict[bytes, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, key: bytes, now: float) -> bool:
        """Take one; False if there is none left."""
        level = self._level(key, now)
        taken = level >= 1
        self._levels[key] = (level - 1 if taken else level, now)
        self._levels.move_to_end(key)
        if len(self._levels) > MOST_KNOWN:
            self._levels.popitem(last=False)
        return taken

    def is_empty(self, key: bytes, now: float) -> bool:
        """Whether nothing is left, without taking any."""
        return self._level(key, now) < 1

    def _level(self, key: bytes, now: float) -> float:
        level, then = self._levels.get(key, (self.burst, now))
        return min(self.burst, level + max(0.0, now - then) * self.rate)
