"""Where coverage and drill results come from: what their part keeps in the store, as readiness and the runbook read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offduty.clock import rfc3339
from offduty.handover.seams import CoverageShare, DrillResult

if TYPE_CHECKING:
    from collections.abc import Iterable

    from offduty.alerts.proof import Proofs
    from offduty.drills.store import DrillStore, Rehearsed


class Kept:
    """See `offduty.handover.seams.Rehearsal`."""

    def __init__(self, drills: DrillStore, proofs: Proofs | None = None) -> None:
        self._drills, self._proofs = drills, proofs

    def coverage(self, job: str) -> CoverageShare | None:
        looked = self._drills.coverages(job)
        return CoverageShare(looked[-1].share, looked[-1].holes, looked[-1].at) if looked else None

    def drills(self, job: str) -> list[DrillResult]:
        return [
            DrillResult(one.row, one.passed, one.at, f"{one.fault} {one.target}".strip(), one.said, self._seen(one))
            for one in that_count(self._drills, job)
        ]

    def _seen(self, one: Rehearsed) -> str:
        """Who confirmed a message of it that was sent for real, and when."""
        known = self._proofs.of(codes_of([one])) if self._proofs is not None else []
        confirmed = [proof for proof in known if proof.confirmed_at is not None]
        best = max(confirmed, key=lambda proof: proof.confirmed_at or 0.0, default=None)
        return f"{best.by or 'somebody'}, {rfc3339(best.confirmed_at or 0.0)[:10]}" if best is not None else ""


def that_count(drills: DrillStore, job: str) -> list[Rehearsed]:
    """The newest of each. What has no row is rehearsed whenever everything is: where it was not, the job does not touch it any more."""
    began = max((turn.began_at for turn in drills.turns(job) if turn.outcome in ("passed", "failed")), default=0.0)
    return [one for one in drills.rehearsals(job) if one.row or one.at >= began]


def codes_of(done: Iterable[Rehearsed]) -> list[str]:
    """The codes of messages that were sent for real."""
    return [str(message["code"]) for one in done for message in one.entry.get("messages", ()) if message.get("code")]
