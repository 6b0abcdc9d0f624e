"""`dependency`: the feed, database or service that failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from offduty.triage.matchers.condition import TouchCondition, fits
from offduty.triage.matchers.transaction import touched
from offduty.triage.seen import Seen, Touch


@dataclass(frozen=True)
class DependencyName(TouchCondition):
    """A failed transaction's target fits the `match` of `[dependency.NAME]`.

    Beside `changed` or `check`: what changed, or was checked, is of that dependency.
    """

    key: ClassVar[str] = "dependency"
    takes: ClassVar[str] = "the name of a `[dependency.NAME]`"
    example: ClassVar[str] = '"sales-feed"'

    def match_touch(self, touch: Touch) -> str | None:
        """It belongs to one of them."""
        hit = touch.dependency is not None and any(fits(str(wanted), touch.dependency) for wanted in self.values)
        return f"{touch.shown()} is on {touch.dependency}" if hit else None

    def miss(self, seen: Seen) -> str:
        """What failed."""
        return touched(seen)
