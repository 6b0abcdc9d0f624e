"""What a run says of itself while it runs: the probe's events, taken in as they come and kept within bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from offduty.runs.failure import short_place
from offduty.runs.summary import Warnings
from offduty.transactions.events import Event, EventsReader
from offduty.transactions.ledger import Ledger
from offduty.transactions.transaction import Transaction

FIRST_KEPT, LAST_KEPT = 64, 256
MOST_CHECKS, MOST_METRICS = 1000, 1000
CHECK_KEYS, METRIC_KEYS = ("name", "outcome", "detail", "source", "where", "count"), ("name", "value", "unit")
ERROR = 40


class Evidence:
    """Events of one run. `ledger` and `warnings` are counted on the go; of the rest, the first and the last are kept in order.

    `checks` and `metrics`: what the job reported, as the record keeps it: the first thousand of each.
    Places are told relative to `cwd`. `own_only`: leave out transactions that no line of the job made, as a notebook's kernel makes many.
    `dropped`: events that were neither counted nor kept.
    """

    def __init__(self, path: str, token: str, redact: Callable[[str], str] | None, cwd: str, *, own_only: bool = False) -> None:
        self._cwd, self._own_only = cwd, own_only
        self.ledger, self.warnings = Ledger(), Warnings()
        self.dropped = 0
        self.checks: list[Event] = []
        self.metrics: list[Event] = []
        self._reader = EventsReader(path, token, redact)
        self._first: list[Event] = []
        self._last: deque[Event] = deque()

    @property
    def events(self) -> list[Event]:
        """What may explain a failure: hellos, exceptions, exits, errors that were logged, problems of the probe."""
        return [*self._first, *self._last]

    @property
    def protocol_errors(self) -> int:
        """Lines that were not understood."""
        return self._reader.protocol_errors

    def poll(self) -> list[Transaction]:
        """Take in some of what was written since the last call; the transactions that ended."""
        ended = [self._take(event) for event in self._reader.poll()]
        return [one for one in ended if one is not None]

    def rest(self) -> list[Transaction]:
        """The run is over: take in all that is left."""
        ended: list[Transaction] = []
        while events := self._reader.poll():
            ended += [one for one in map(self._take, events) if one is not None]
        self._reader.finish()
        return ended

    def _take(self, event: Event) -> Transaction | None:
        kind = event["kind"]
        if kind in ("begin", "transaction"):
            where = event.get("where")
            if self._own_only and not where:
                return None
            return self.ledger.add({**event, "where": short_place(where, self._cwd) if where else None})
        if kind in ("warning", "log"):
            self.warnings.add(event)
        if kind == "check":
            self._add(self.checks, MOST_CHECKS, {key: event[key] for key in CHECK_KEYS if event.get(key) is not None})
        if kind == "metric":
            self._add(self.metrics, MOST_METRICS, {key: event[key] for key in METRIC_KEYS if event.get(key) is not None})
        if kind in ("hello", "exception", "exit", "problem") or (kind == "log" and (event.get("levelno") or 0) >= ERROR):
            self._keep(event)
        return None

    def _add(self, kept: list[Event], most: int, entry: Event) -> None:
        if len(kept) < most:
            kept.append(entry)
        else:
            self.dropped += 1

    def _keep(self, event: Event) -> None:
        if len(self._first) < FIRST_KEPT:
            self._first.append(event)
            return
        self._last.append(event)
        if len(self._last) > LAST_KEPT:
            self._last.popleft()
            self.dropped += 1
