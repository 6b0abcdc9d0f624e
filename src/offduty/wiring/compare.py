"""A run that did not go as it should beside the good runs before it, within the time that its end has."""

from __future__ import annotations

import gc

from offduty.runs.record import has_died
from offduty.transactions.baseline import RUNS, Baseline, Gathering
from offduty.transactions.changes import changes, ranked
from offduty.transactions.wording import in_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from offduty.clock import Clock
    from offduty.runs.failure import Failure
    from offduty.runs.store import Record, Store
    from offduty.transactions.change import Change
    from offduty.wiring.evidence import Evidence

READING_TIME = 0.5  # seconds for good runs at the end of a run: those that are not read by then are not compared with
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


def usual_runs(store: Store, record: Record, clock: Clock) -> Baseline:
    """What the good runs of the job before this one look like, as many as can be read in `READING_TIME`."""
    until, gathering = clock.monotonic() + READING_TIME, Gathering()
    collects = gc.isenabled()
    gc.disable()  # a hundred thousand names are read, and none of them is garbage
    try:
        for run in _examples(store.good_runs(record["job"], 2 * RUNS, before=(record["started_at"], record["id"]))):
            gathering.add(run, store.ledger(run["id"]), store.fingerprint(run["id"]))
            if clock.monotonic() > until:
                break
        return gathering.baseline()
    finally:
        if collects:
            gc.enable()


def _examples(runs: Sequence[Record]) -> Iterator[Record]:
    """The good runs to go by: none in which something unusual was noticed, unless there are no others."""
    fit = [run for run in runs if run["outcome"] == "succeeded" or not _was_unusual(run)]
    yield from (fit or runs)[:RUNS]


def _was_unusual(run: Record) -> bool:
    found = (run["summary"] or {}).get("changes")
    return isinstance(found, list) and any(isinstance(one, dict) and one.get("unusual") for one in found)
