"""`changed`: what is not as it was on the last good run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from offduty.errors import quoted
from offduty.transactions.change import KINDS
from offduty.triage.flaw import Flaw
from offduty.triage.matchers.condition import TouchCondition, cut, fits
from offduty.triage.seen import Seen, Touch


@dataclass(frozen=True)
class Changed(TouchCondition):
    """A difference between this run's fingerprint and those of good runs. Sizes, rows and ages vary: they count where they are unusual."""

    key: ClassVar[str] = "changed"
    takes: ClassVar[str] = f"a kind of change, `*` fits any text: {', '.join(KINDS)}"
    example: ClassVar[str] = '"input.columns"'

    @classmethod
    def flaws(cls, value: object) -> list[Flaw]:
        """A kind there is."""
        if isinstance(value, str) and any(fits(value.strip(), kind) for kind in KINDS):
            return []
        return [Flaw("E403", f"there is no change {quoted(value)}", fix=f"known are {', '.join(KINDS)}")]

    def match_touch(self, touch: Touch) -> str | None:
        """It is of one of the kinds."""
        hit = touch.by == "change" and any(fits(str(one), touch.op) for one in self.values)
        return f"{touch.op} changed{': ' + cut(touch.target) if touch.target else ''}" if hit else None

    def miss(self, seen: Seen) -> str:
        """What changed."""
        kinds = list(dict.fromkeys(touch.op for touch in seen.touches if touch.by == "change"))
        return f"what changed is {', '.join(kinds)}" if kinds else "nothing is known to have changed"
