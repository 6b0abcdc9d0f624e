"""What runs need from a store: a place that remembers one record per run, durably, and answers the questions people ask about runs.

A record is the dict described in docs/explanation/how-the-parts-meet.md, "The record of a run". Every method may raise
`StoreError` (E6xx) and then has changed nothing; every store in `offduty.stores.STORES` passes tests/contracts/test_store.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypedDict

Record = dict[str, Any]
"""One run, all fields, checked; the caller's own copy."""

Happened = Literal["added", "updated", "ended", "recovered", "same", "kept"]
"""What `put_run` did.

`added`: the run was unknown. `updated`: it was running and still is. `ended`: it was running and is not any more.
`recovered`: it was `lost`, and now its real end is known. `same`: nothing new, nothing written.
`kept`: the store knows better, since a terminal outcome is never overwritten; nothing written.
"""

Cursor = tuple[str, str]
"""`(started_at, id)` of the last run of a page: the next page starts before it."""


class JobRuns(TypedDict):
    """One job as `status` needs it.

    `last`: its newest run that was not skipped (or the newest, if all were). `last_good`: its newest that succeeded or warned.
    `counts`: runs by outcome; an outcome that never happened is left out.
    """

    job: str
    last: Record
    last_good: Record | None
    counts: dict[str, int]


class Store(Protocol):
    """Remembers runs. One thread at a time; a forked child may use it and gets a connection of its own."""

    def put_run(
        self,
        record: Mapping[str, object],
        transactions: Sequence[Mapping[str, Any]] = (),
        *,
        fingerprint: Mapping[str, Any] | None = None,
        checks: Sequence[Mapping[str, Any]] = (),
        metrics: Sequence[Mapping[str, Any]] = (),
        tell: Mapping[str, Any] | None = None,
    ) -> Happened:
        """Remember `record`, durably, by its id: again and again makes no difference. `E611` if it is not a record.

        `transactions`: its ledger (`Transaction.as_json`). It, `fingerprint`, `checks` and `metrics` are remembered together with the
        record, where that itself is taken; what is not of their form (docs/explanation/how-the-parts-meet.md) is left out.
        `tell`: whom this concerns, and from now on the job. The job's incidents move, and alerts are owed, in the same transaction.
        """

    def ledger(self, run_id: str) -> list[dict[str, Any]]:
        """The transactions of a run by number; none for a run that is not known. What the disk has changed is left out."""

    def fingerprint(self, run_id: str) -> dict[str, Any] | None:
        """What a run was made of; None where that is not known. Keys that are not known are missing."""

    def checks(self, run_id: str) -> list[dict[str, Any]]:
        """The checks of a run, in order."""

    def metrics(self, run_id: str) -> list[dict[str, Any]]:
        """The metrics of a run, in order."""

    def good_runs(self, job: str, limit: int, *, before: Cursor | None = None) -> list[Record]:
        """The newest runs of `job` that succeeded or warned, drills left out, newest first. What belongs to each is asked for by its id."""

    def mark_lost(self, run_id: str, *, ended_at: str, summary: Mapping[str, object]) -> bool:
        """Claim `running -> lost`: False if the run is not running (any more) or unknown. `ended_at`: RFC 3339, when that was noticed.

        Whoever the job's newest `tell` names is owed that, in the same transaction.
        """

    def run(self, part: str) -> Record:
        """The run whose id is `part`, or begins or ends with it, 4 hex digits or more. E501 unknown, E502 ambiguous, E503 no id."""

    def runs(
        self,
        job: str | None = None,
        *,
        outcomes: Collection[str] | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int = 100,
        before: Cursor | None = None,
    ) -> list[Record]:
        """Runs by start, newest first, started at or after `since` and before `until` (RFC 3339 as `offduty.clock.rfc3339` writes it)."""

    def last_runs(self) -> list[JobRuns]:
        """Every job, by name, with its last run, last good run and counts; all of one moment."""

    def jobs(self) -> list[str]:
        """The names of all jobs that have runs, in order."""

    def running(self, host: str | None = None) -> list[Record]:
        """Runs that have started and not ended (on `host`), oldest first."""

    def delete_runs(self, ids: Iterable[str]) -> int:
        """Forget runs; how many went. A run that is running is never forgotten."""

    def notes(self) -> list[str]:
        """What people should know about the store, one sentence each: a damaged file that was set aside, a row that cannot be read."""

    def close(self) -> None:
        """Let go of what is open. A store that is used again opens again."""
