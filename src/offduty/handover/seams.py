"""What letting go takes from others: coverage of the triage table, and results of drills. Absent, they are "not yet"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class CoverageShare:
    """Of what can fail, how much a row explains: `share` from 0 to 1; `holes`: how much none does. `at`: when that was found out."""

    share: float
    holes: int = 0
    at: float | None = None


@dataclass(frozen=True)
class DrillResult:
    """One rehearsal. `row`: the row of the triage table that had to win; `passed`: everything was as promised. `said`: what happened.

    `seen`: who confirmed its message, and when; "" where none was sent for real, or nobody has.
    """

    row: str
    passed: bool
    at: float
    fault: str = ""
    said: str = ""
    seen: str = ""


class Rehearsal(Protocol):
    """What coverage and drills have found out."""

    def coverage(self, job: str) -> CoverageShare | None:
        """None where nobody has looked."""

    def drills(self, job: str) -> Sequence[DrillResult]:
        """Of each row and fault the newest."""
