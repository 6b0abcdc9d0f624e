"""The good runs before a run: read from the store once for all who compare, newest first, for as long as there is time."""

from __future__ import annotations

from offduty.transactions import baseline, silent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from offduty.clock import Clock
    from offduty.runs.store import Record, Store

MOST = max(silent.RUNS, 2 * baseline.RUNS)
READING_TIME = 0.5  # seconds at the end of a run: the good runs that are not read by then are not compared with


class GoodRuns:
    """What the store knows of them. Every method may raise StoreError."""

    def __init__(self, store: Store, record: Record, clock: Clock, seconds: float = READING_TIME) -> None:
        self._store, self._record, self._clock = store, record, clock
        self._until = clock.monotonic() + seconds
        self._records: Sequence[Record] | None = None
        self._ledgers: dict[str, list[dict[str, Any]]] = {}

    @property
    def records(self) -> Sequence[Record]:
        """Those that started before it, newest first."""
        if self._records is None:
            self._records = self._store.good_runs(self._record["job"], MOST, before=(self._record["started_at"], self._record["id"]))
        return self._records

    def while_there_is_time(self, runs: Sequence[Record]) -> Iterator[Record]:
        """`runs`, as many as can be read: the first in any case, and those that were read before."""
        for number, run in enumerate(runs):
            if number and run["id"] not in self._ledgers and self._clock.monotonic() > self._until:
                return
            yield run

    def ledger(self, run: Record) -> list[dict[str, Any]]:
        """Its transactions."""
        if run["id"] not in self._ledgers:
            self._ledgers[run["id"]] = self._store.ledger(run["id"])
        return self._ledgers[run["id"]]

    def fingerprint(self, run: Record) -> dict[str, Any] | None:
        """What it was made of."""
        return self._store.fingerprint(run["id"])
