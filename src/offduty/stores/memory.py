"""The store in memory: the reference that says what every store does, in the plainest words, and the one for tests."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeVar, cast

from offduty.alerts.owing import run_happened
from offduty.clock import Clock
from offduty.stores.alerts import Alerts, OpenBooks
from offduty.stores.alerts_memory import MemoryBooks
from offduty.stores.drills import MemoryDrills
from offduty.stores.handover_memory import MemoryHandover
from offduty.stores.parts import accepted_parts, accepted_tell
from offduty.stores.pings_memory import MemoryPings
from offduty.stores.proofs import MemoryProofs
from offduty.stores.record import GOOD, OUTCOMES, SHOWN_CANDIDATES, accepted, id_part, the_one, what_happens
from offduty.stores.watch_memory import MemoryWatch
from offduty.stores.weeks import MemoryWeeks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from offduty.runs.store import Cursor, Happened, JobRuns, Record

Answer = TypeVar("Answer")


class MemoryStore:
    """Remembers runs until the process ends."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._runs: dict[str, Record] = {}
        self._books = MemoryBooks()
        self.alerts = Alerts(self._in_books, self._in_books)
        self.watch = MemoryWatch()
        self.proofs = MemoryProofs()
        self.weeks = MemoryWeeks()
        self.pings = MemoryPings(self)
        self._parts: dict[str, dict[str, Any]] = {}
        self.drills = MemoryDrills()
        self.handover = MemoryHandover(self._runs.values, self._part)

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
        """See `offduty.runs.store.Store`, also for the other methods."""
        run = accepted(record)
        stored = self._runs.get(run["id"])
        if stored == run:
            return "same"
        happened = what_happens(stored["outcome"] if stored else None, run["outcome"])
        if happened != "kept":
            self._tell(run, tell, stored["outcome"] if stored else None)
            self._runs[run["id"]] = run
            if stored is None:
                self.watch.start(run)
            parts = {"transactions": list(transactions), "fingerprint": fingerprint, "checks": list(checks), "metrics": list(metrics)}
            kept = {name: part for name, part in accepted_parts(copy.deepcopy(parts)).items() if part}
            self._parts[run["id"]] = {**self._parts.get(run["id"], {}), **kept}
        return happened

    def ledger(self, run_id: str) -> list[dict[str, Any]]:
        return self._part(run_id, "transactions") or []

    def fingerprint(self, run_id: str) -> dict[str, Any] | None:
        return cast("dict[str, Any] | None", self._part(run_id, "fingerprint"))

    def checks(self, run_id: str) -> list[dict[str, Any]]:
        return self._part(run_id, "checks") or []

    def metrics(self, run_id: str) -> list[dict[str, Any]]:
        return self._part(run_id, "metrics") or []

    def _part(self, run_id: str, name: str) -> Any:
        return copy.deepcopy(self._parts.get(run_id, {}).get(name))

    def mark_lost(self, run_id: str, *, ended_at: str, summary: Mapping[str, object]) -> bool:
        run = self._runs.get(run_id)
        if run is None or run["outcome"] != "running":
            return False
        ended = accepted(run | {"outcome": "lost", "ended_at": ended_at, "summary": summary})
        self._tell(ended, None, "running")
        self._runs[run_id] = ended
        return True

    def _tell(self, run: Record, tell: Mapping[str, Any] | None, before: str | None) -> None:
        """Before anything else is changed, and all or nothing."""
        good = (other for other in self._runs.values() if other["job"] == run["job"] and other["outcome"] in GOOD)
        superseded = run["outcome"] not in GOOD and any(other["started_at"] > run["started_at"] for other in good)
        with self._books.transaction() as books:
            run_happened(books, run, accepted_tell(tell), before=before, superseded=superseded, now=self._clock.wall())

    def _in_books(self, work: Callable[[OpenBooks], Answer]) -> Answer:
        with self._books.transaction() as books:
            return work(books)

    def run(self, part: str) -> Record:
        wanted = id_part(part)
        found = [run for run in self._newest_first() if run["id"].startswith(wanted) or run["id"].endswith(wanted)]
        return copy.deepcopy(the_one(part, found[: SHOWN_CANDIDATES + 1]))

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
        found = [
            run
            for run in self._newest_first()
            if (job is None or run["job"] == job)
            and (outcomes is None or run["outcome"] in outcomes)
            and (since is None or run["started_at"] >= since)
            and (until is None or run["started_at"] < until)
            and (before is None or _place(run) < tuple(before))
        ]
        return copy.deepcopy(found[:limit])

    def good_runs(self, job: str, limit: int, *, before: Cursor | None = None) -> list[Record]:
        found = self.runs(job, outcomes=GOOD, limit=len(self._runs), before=before)
        return [run for run in found if run["trigger"] != "drill"][:limit]

    def last_runs(self) -> list[JobRuns]:
        return [self._job_runs(job) for job in self.jobs()]

    def _job_runs(self, job: str) -> JobRuns:
        runs = self.runs(job, limit=len(self._runs))
        counts = {outcome: n for outcome in OUTCOMES if (n := sum(run["outcome"] == outcome for run in runs))}
        last = next((run for run in runs if run["outcome"] != "skipped"), runs[0])
        return {"job": job, "last": last, "last_good": next((run for run in runs if run["outcome"] in GOOD), None), "counts": counts}

    def jobs(self) -> list[str]:
        return sorted({run["job"] for run in self._runs.values()})

    def running(self, host: str | None = None) -> list[Record]:
        found = [run for run in self._newest_first() if run["outcome"] == "running" and host in (None, run["host"])]
        return copy.deepcopy(found[::-1])

    def delete_runs(self, ids: Iterable[str]) -> int:
        owed = self._books.runs_owed()
        gone = {run_id for run_id in ids if run_id in self._runs and self._runs[run_id]["outcome"] != "running"} - owed
        for run_id in gone:
            del self._runs[run_id]
            self._parts.pop(run_id, None)
        return len(gone)

    def notes(self) -> list[str]:
        return []

    def close(self) -> None:
        pass

    def _newest_first(self) -> list[Record]:
        return sorted(self._runs.values(), key=_place, reverse=True)


def _place(run: Record) -> tuple[str, str]:
    return run["started_at"], run["id"]
