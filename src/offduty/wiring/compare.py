"""A run that did not go as it should beside the good runs before it, within the time that its end has."""

from __future__ import annotations

import gc

from offduty.runs.record import has_died
from offduty.transactions.baseline import RUNS, Baseline, Gathering
from offduty.transactions.changes import changes, ranked
from offduty.transactions.wording import in_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from offduty.runs.failure import Failure
    from offduty.runs.store import Record
    from offduty.transactions.change import Change
    from offduty.wiring.evidence import Evidence
    from offduty.wiring.past import GoodRuns

ENDED_WELL = ("succeeded", "warned")


def of_good_run(usual: Baseline, record: Record) -> Mapping[str, Any] | None:
    """The last fingerprint that is known, for a run that did not come to its end."""
    return None if record["outcome"] in ENDED_WELL else next((one for one in usual.fingerprints if one), None)


class Compared:
    """A run beside good runs. `usual`: what they look like; `changes`: what is another, most telling first."""

    def __init__(self, record: Record, usual: Baseline, evidence: Evidence, fingerprint: Mapping[str, Any]) -> None:
        self.usual, self._record, self._ledger, self._fingerprint = usual, record, evidence.ledger.entries, fingerprint
        self.changes: Sequence[Change] = changes(usual, self._ledger, fingerprint, came_to_end=record["outcome"] in ENDED_WELL)

    def in_words(self, failure: Failure | None) -> dict[str, Any]:
        """`because`, `changed` and `changes` for the summary."""
        if failure is not None:
            self.changes = ranked(self.changes, "\n".join(f"{cause.type} {cause.message}" for cause in failure.chain))
        changed = in_words(self.changes, self.usual, self._ledger, self._fingerprint, self._record["started_at"][:4])
        return {"because": self._because(failure), "changed": changed, "changes": tuple(self.changes)}

    def _because(self, failure: Failure | None) -> str | None:
        record = self._record
        if failure is None or record["outcome"] == "terminated":  # somebody ended it, and that is why
            return None
        from offduty.runs.because import because

        return because(failure, self.changes, self._ledger, self.usual, died=has_died(record), at=record["started_at"])


def usual_runs(past: GoodRuns) -> Baseline:
    """What the good runs of the job before this one look like, as many as there is time to read."""
    gathering = Gathering()
    collects = gc.isenabled()
    gc.disable()  # a hundred thousand names are read, and none of them is garbage
    try:
        for run in past.while_there_is_time(_examples(past.records[: 2 * RUNS])):
            gathering.add(run, past.ledger(run), past.fingerprint(run))
        return gathering.baseline()
    finally:
        if collects:
            gc.enable()


def _examples(runs: Sequence[Record]) -> Sequence[Record]:
    """The good runs to go by: none in which something unusual was noticed, unless there are no others."""
    fit = [run for run in runs if run["outcome"] == "succeeded" or not _was_unusual(run)]
    return (fit or runs)[:RUNS]


def _was_unusual(run: Record) -> bool:
    found = (run["summary"] or {}).get("changes")
    return isinstance(found, list) and any(isinstance(one, dict) and one.get("unusual") for one in found)
