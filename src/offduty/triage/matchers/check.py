"""`check`: a statement about the data that did not hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from offduty.triage.matchers.condition import TouchCondition, fits
from offduty.triage.seen import Seen, Touch


@dataclass(frozen=True)
class Check(TouchCondition):
    """A check that failed or warned, by its name."""

    key: ClassVar[str] = "check"
    takes: ClassVar[str] = "the name of a check that failed or warned, `*` fits any text"
    example: ClassVar[str] = '"stores_present"'

    def match_touch(self, touch: Touch) -> str | None:
        """It is one of them."""
        return f"check {touch.op} did not pass" if touch.by == "check" and any(fits(str(one), touch.op) for one in self.values) else None

    def miss(self, seen: Seen) -> str:
        """Which did not pass."""
        names = [touch.op for touch in seen.touches if touch.by == "check"]
        return f"what did not pass is {', '.join(names[:5])}" if names else "no check failed or warned"
