"""How a run is recorded whose supervisor is gone without a word: nobody knows when it ended, nor how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from offduty.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WHAT = "lost: offduty was killed or the machine went down while the job ran, so how it ended is not known"
FAILURE: dict[str, object] = {
    "kind": "lost",
    "language": None,
    "type": None,
    "message": None,
    "where": None,
    "chain": [],
    "tail": [],
    "source": None,
}


def lost(run: Mapping[str, Any], wall: float, notes: Sequence[str] = ()) -> dict[str, Any]:
    """The record of `run` (running) as lost, noticed at `wall`. `ended_at` is the latest moment at which it can have ended."""
    noticed = max(rfc3339(wall), str(run["started_at"]))  # the clock may have been set back since
    bounds = f"it ended between {run['started_at']} and {noticed}, when its supervisor was found to be gone"
    summary = {
        "what": WHAT,
        "where": None,
        "because": None,
        "triage": None,
        "do": [],
        "changed": None,
        "checks": None,
        "told": None,
        "notes": [bounds, *notes],
        "warnings": [],
        "failure": FAILURE,
    }
    return {**run, "outcome": "lost", "ended_at": noticed, "summary": summary}
