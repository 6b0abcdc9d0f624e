"""`transaction`: the kind of a transaction that failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from offduty.triage.matchers.condition import TouchCondition, fits
from offduty.triage.seen import Seen, Touch


@dataclass(frozen=True)
class Kind(TouchCondition):
    """A transaction that failed and was not made good by a later one of the same kind and target.

    Of a job that was killed or ran out of time, one that never ended.
    """

    key: ClassVar[str] = "transaction"
    takes: ClassVar[str] = "the kind of a transaction that failed, `*` fits any text"
    example: ClassVar[str] = '"db.*"'

    def match_touch(self, touch: Touch) -> str | None:
        """Its kind is one of them."""
        hit = touch.by == "transaction" and any(fits(str(wanted), touch.op) for wanted in self.values)
        return f"{touch.shown()} failed" if hit else None

    def miss(self, seen: Seen) -> str:
        """Which failed."""
        return touched(seen)


def touched(seen: Seen) -> str:
    """What failed, in words."""
    failed = [touch.shown() for touch in seen.touches if touch.by in ("transaction", "message")]
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    return f"what failed is {', '.join(failed[:3])}{more}" if failed else "no transaction failed"
