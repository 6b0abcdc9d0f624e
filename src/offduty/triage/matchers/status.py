"""`status`: what a service, a database or the system answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from offduty.errors import quoted
from offduty.triage.flaw import Flaw
from offduty.triage.matchers.condition import TouchCondition, cut, fits
from offduty.triage.matchers.transaction import touched
from offduty.triage.seen import Seen, Touch


@dataclass(frozen=True)
class Status(TouchCondition):
    """The status of a transaction that failed, as the probe or the exception's message tells it."""

    key: ClassVar[str] = "status"
    takes: ClassVar[str] = "an HTTP status, a SQLSTATE, an errno or its name; `5??` fits 500 to 599"
    example: ClassVar[str] = '[429, "5??", "ECONNREFUSED"]'

    @classmethod
    def flaws(cls, value: object) -> list[Flaw]:
        """A number or a text."""
        if isinstance(value, int) and not isinstance(value, bool):
            return [] if 0 < value < 100_000 else [Flaw("E403", f"there is no status {quoted(value)}")]
        return super().flaws(value)

    def match_touch(self, touch: Touch) -> str | None:
        """It answered one of them."""
        hit = next((status for status in sorted(touch.statuses) if any(fits(str(wanted), status) for wanted in self.values)), None)
        return f"the status is {hit}" if hit else None

    def miss(self, seen: Seen) -> str:
        """What was answered."""
        found = sorted({status for touch in seen.touches for status in touch.statuses})
        return cut(f"the status is {', '.join(found)}") if found else touched(seen)
