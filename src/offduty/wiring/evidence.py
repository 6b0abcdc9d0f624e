"""What a run says of itself while it runs: the probe's events, taken in as they come and kept within bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from offduty.runs.failure import short_place
from offduty.runs.summary import Warnings
from offduty.transactions.check import Check, Checks, Metrics, from_event
from offduty.transactions.events import Event, EventsReader
from offduty.transactions.ledger import Ledger
from offduty.transactions.transaction import Transaction

FIRST_KEPT, LAST_KEPT = 64, 256
MOST_FILES = 5000
ERROR = 40


class Evidence:
    """Events of one run. `ledger` and `warnings` are counted on the go; of the rest, the first and the last are kept in order.

    `checks` and `metrics`: what the job and its libraries reported, and what `expect` says of each transaction that ended.
    `files`: the job's own sources that its processes imported, in order, at most five thousand.
    Places are told relative to `cwd`. `own_only`: leave out transactions that no line of the job made, as a notebook's kernel makes many.
    `dropped`: events that were neither counted nor kept.
    """

    def __init__(
        self,
        path: str,
        token: str,
        redact: Callable[[str], str] | None,
        cwd: str,
        *,
        own_only: bool = False,
        expect: Callable[[Transaction], Iterable[Check]] = lambda one: (),
    ) -> None:
        self._cwd, self._own_only, self._expect = cwd, own_only, expect
        self.ledger, self.warnings = Ledger(), Warnings()
        self.checks, self.metrics = Checks(), Metrics()
        self.files: dict[str, None] = {}
        self.dropped = 0
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

    def poll(self) -> list[Transaction | Check]:
        """Take in some of what was written since the last call; the transactions that ended, and the checks, that deserve a line."""
        return [one for event in self._reader.poll() for one in self._take(event)]

    def rest(self) -> list[Transaction | Check]:
        """The run is over: take in all that is left."""
        told: list[Transaction | Check] = []
        while events := self._reader.poll():
            told += [one for event in events for one in self._take(event)]
        self._reader.finish()
        return told

    def _take(self, event: Event) -> list[Transaction | Check]:
        kind = event["kind"]
        where = short_place(event["where"], self._cwd) if event.get("where") else None
        if kind in ("begin", "transaction"):
            return self._take_transaction({**event, "where": where}) if where or not self._own_only else []
        if kind == "check":
            return self._told([from_event({**event, "where": where})])
        if kind == "metric":
            self.metrics.add(event)
        if kind == "modules":
            self.files.update(dict.fromkeys(event["files"][: max(0, MOST_FILES - len(self.files))]))
        if kind in ("warning", "log"):
            self.warnings.add(event)
        if kind in ("hello", "exception", "exit", "problem") or (kind == "log" and (event.get("levelno") or 0) >= ERROR):
            self._keep(event)
        return []

    def _take_transaction(self, event: Event) -> list[Transaction | Check]:
        """The transaction that has ended, if it has, and behind it what is expected of it."""
        ended = self.ledger.add(event)
        return [] if ended is None else [ended, *self._told(self._expect(ended))]

    def _told(self, checks: Iterable[Check]) -> list[Transaction | Check]:
        return [told for one in checks if (told := self.checks.add(one)) is not None]

    def _keep(self, event: Event) -> None:
        if len(self._first) < FIRST_KEPT:
            self._first.append(event)
            return
        self._last.append(event)
        if len(self._last) > LAST_KEPT:
            self._last.popleft()
            self.dropped += 1
