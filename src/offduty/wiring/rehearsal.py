"""Where coverage and drill results come from: what their part keeps in the store, as readiness and the runbook read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offduty.handover.seams import CoverageShare, DrillResult

if TYPE_CHECKING:
    from offduty.drills.store import DrillStore


class Kept:
    """See `offduty.handover.seams.Rehearsal`."""

    def __init__(self, drills: DrillStore) -> None:
        self._drills = drills

    def coverage(self, job: str) -> CoverageShare | None:
        looked = self._drills.coverages(job)
        return CoverageShare(looked[-1].share, looked[-1].holes, looked[-1].at) if looked else None

    def drills(self, job: str) -> list[DrillResult]:
        return [
            DrillResult(one.row, one.passed, one.at, f"{one.fault} {one.target}".strip(), one.said) for one in self._drills.rehearsals(job)
        ]
