"""`outcome`: how the run ended, or that it did not come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from offduty.errors import quoted
from offduty.triage.flaw import Flaw
from offduty.triage.matchers.condition import Condition
from offduty.triage.seen import Seen

ENDS = ("failed", "warned", "timed_out", "terminated", "lost", "skipped")
ABSENCES = ("missed", "overdue", "stale_output", "too_fast")
OUTCOMES = (*ENDS, *ABSENCES)


@dataclass(frozen=True)
class Outcome(Condition):
    """The outcome of the run, or what the watcher noticed."""

    key: ClassVar[str] = "outcome"
    takes: ClassVar[str] = f"one of {', '.join(OUTCOMES)}"
    example: ClassVar[str] = '["failed", "timed_out"]'

    @classmethod
    def flaws(cls, value: object) -> list[Flaw]:
        """A known word."""
        if value in OUTCOMES:
            return []
        return [Flaw("E403", f"there is no outcome {quoted(value)}", fix=f"known are {', '.join(OUTCOMES)}")]

    def match(self, seen: Seen) -> str | None:
        """It is one of them."""
        return f"the outcome is {seen.case.outcome}" if seen.case.outcome in self.values else None

    def miss(self, seen: Seen) -> str:
        """What it is."""
        return f"the outcome is {seen.case.outcome}"
