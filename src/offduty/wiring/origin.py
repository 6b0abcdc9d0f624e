"""What an attempt is made of, and how it compares with good runs: found out while the job runs where that can be, the rest at its end."""

from __future__ import annotations

import gc

from offduty.runs.record import has_died
from offduty.transactions import origin
from offduty.transactions.baseline import RUNS, Baseline, Gathering
from offduty.transactions.changes import changes, ranked
from offduty.transactions.wording import in_words, version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from offduty.clock import Clock
    from offduty.runs.attempts import Attempt
    from offduty.runs.failure import Failure
    from offduty.runs.store import Record, Store
    from offduty.transactions.change import Change
    from offduty.wiring.evidence import Evidence

READING_TIME = 0.5  # seconds for good runs at the end of a run: those that are not read by then are not compared with
OFFDUTY = __file__.rpartition("/wiring/")[0]
ENDED_WELL = ("succeeded", "warned")


class Origin:
    """What one attempt is made of. `told`: whether its line is in the log."""

    def __init__(self, attempt: Attempt, environ: Mapping[str, str]) -> None:
        self.told = False
        self._attempt, self._environ = attempt, environ
        self._code: dict[str, Any] | None = None

    @property
    def code(self) -> dict[str, Any]:
        """Commit and state of the job's folder, looked at once."""
        if self._code is None:
            self._code = origin.code(self._attempt.record["cwd"])
        return self._code

    @property
    def is_looked_at(self) -> bool:
        """Whether the job ran long enough for that."""
        return self._code is not None

    def line(self, evidence: Evidence | None) -> str:
        """`code     a1b2c3d (clean)     python 3.11.7`, as far as it is known."""
        commit, python = version(self.code), _hello(evidence, self._attempt).get("python")
        parts = [f"code     {commit}" if commit else "", f"{'' if commit else 'code     '}python {python}" if python else ""]
        return "     ".join(part for part in parts if part)

    def fingerprint(self, evidence: Evidence | None, last: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As the record holds it. `last`: that of a good run: its files are looked at, too, as one that breaks off may not tell its own."""
        record, job = self._attempt.record, self._attempt.job
        hello = _hello(evidence, self._attempt)
        files = [file for file in (evidence.files if evidence else ()) if not file.startswith(f"{OFFDUTY}/")]
        files += ((last or {}).get("code") or {}).get("files") or ()
        sources = [*([job.notebook] if job.notebook else origin.sources_in(record["command"], record["cwd"])), *files]
        return {
            "code": {**self.code, "files": origin.digests(dict.fromkeys(sources), record["cwd"])},
            "packages": origin.packages(hello.get("site") or ()),
            "python": hello.get("python"),
            "host": record["host"],
            "command": record["command"],
            "environment": origin.variables({**self._environ, **job.env}),
        }


def _hello(evidence: Evidence | None, attempt: Attempt) -> Mapping[str, Any]:
    """What the Python process said that the job's code runs in: of a notebook the kernel, else the first."""
    hellos = [event for event in (evidence.events if evidence else ()) if event["kind"] == "hello"]
    kernels = [event for event in hellos if attempt.job.notebook and any("ipykernel" in word for word in event.get("argv") or ())]
    return next(iter([*kernels, *(event for event in hellos if event.get("main")), *hellos]), {})


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
