"""Incidents and outbox in memory: the reference that says what every store does, in the plainest words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeVar

from offduty.alerts.books import Claimant
from offduty.alerts.incident import SET_BACK, Incident
from offduty.alerts.owed import UNFINISHED, Health, Owed, RowState, Silence

if TYPE_CHECKING:
    from collections.abc import Iterator

Answer = TypeVar("Answer")


class MemoryBooks:
    """See `offduty.alerts.books.Books` and `offduty.stores.alerts.OpenBooks` for what the methods do."""

    def __init__(self) -> None:
        self._plans: dict[str, dict[str, Any]] = {}
        self._happened: dict[str, float] = {}
        self._incidents: dict[str, Incident] = {}
        self._open: dict[str, dict[str, None]] = {}
        self._silences: dict[str, Silence] = {}
        self._rows: dict[int, Owed] = {}
        self._keys: dict[str, int] = {}
        self._chains: dict[tuple[str, str], list[int]] = {}
        self._groups: dict[str, dict[int, None]] = {}
        self._to_send: dict[str, dict[int, None]] = {}
        self._leases: dict[int, tuple[str, float, float]] = {}  # boot, wall, monotonic
        self._healths: dict[str, Health] = {}
        self._last = 0
        self._undo: list[Callable[[], None]] = []

    @contextmanager
    def transaction(self) -> Iterator[MemoryBooks]:
        """All or nothing: whatever comes out of the block as an exception takes back what was done in it."""
        self._undo = []
        try:
            yield self
        except BaseException:
            for undo in reversed(self._undo):
                undo()
            raise

    def _set(self, table: dict[Any, Any], key: Any, value: Any) -> None:
        """`table[key] = value`, or gone if it is None, such that it can be taken back."""
        before = table.get(key)
        self._undo.append(lambda: _put(table, key, before))
        _put(table, key, value)

    # Plans, incidents, silences

    def plan(self, job: str) -> dict[str, Any]:
        return self._plans.get(job, {})

    def plans(self) -> dict[str, dict[str, Any]]:
        return dict(self._plans)

    def put_plan(self, job: str, tell: dict[str, Any]) -> None:
        self._set(self._plans, job, tell)

    def is_new(self, key: str, at: float) -> bool:
        if key in self._happened:
            return False
        self._set(self._happened, key, at)
        return True

    def open_incidents(self, job: str) -> list[Incident]:
        return [self._incidents[name] for name in self._open.get(job, {})]

    def incident(self, incident_id: str) -> Incident | None:
        return self._incidents.get(incident_id)

    def find_incidents(self, part: str, limit: int) -> list[Incident]:
        return [it for it in reversed(self._incidents.values()) if it.id.startswith(part)][:limit]

    def incidents(self, job: str | None, everything: bool, limit: int) -> list[Incident]:
        found = (it for it in reversed(self._incidents.values()) if job in (None, it.job) and (everything or it.state != "resolved"))
        return [it for it, _ in zip(found, range(limit), strict=False)]

    def put_incident(self, incident: Incident) -> None:
        self._set(self._incidents, incident.id, incident)
        self._set(self._open.setdefault(incident.job, {}), incident.id, None if incident.state == "resolved" else True)

    def due_incidents(self, now: float, limit: int) -> list[Incident]:
        found = (self._incidents[name] for names in self._open.values() for name in names)
        return sorted((it for it in found if it.is_due(now)), key=lambda it: it.due or 0.0)[:limit]

    def silences(self) -> list[Silence]:
        return [self._silences[name] for name in sorted(self._silences) if not self._silences[name].ended]

    def put_silence(self, silence: Silence) -> None:
        self._set(self._silences, silence.id, silence)

    # The outbox

    def add(self, rows: Iterable[Owed]) -> int:
        return sum(self._add(row) for row in rows)

    def _add(self, row: Owed) -> bool:
        if row.key in self._keys:
            return False
        self._last += 1
        self._set(self._keys, row.key, self._last)
        self._keep(replace(row, number=self._last))
        self._set(self._chains, (row.chain, row.channel), [*self._chains.get((row.chain, row.channel), ()), self._last])
        return True

    def _keep(self, row: Owed) -> None:
        self._set(self._rows, row.number, row)
        self._set(self._to_send.setdefault(row.channel, {}), row.number, True if row.state in ("waiting", "leased") else None)
        if row.group:
            self._set(self._groups.setdefault(row.group, {}), row.number, True)

    def leased(self, number: int, owner: str, attempt: int) -> Owed | None:
        row = self._rows.get(number)
        return row if row and (row.state, row.owner, row.attempts) == ("leased", owner, attempt) else None

    def put(self, row: Owed) -> None:
        self._keep(replace(row, owner=""))

    def of_chain(self, chain: str, channel: str) -> list[Owed]:
        return [self._rows[number] for number in self._chains.get((chain, channel), ())]

    def silenced(self, jobs: str, since: float) -> list[Owed]:
        return [row for row in self._rows.values() if row.state == "silenced" and fnmatchcase(row.job, jobs) and row.at >= since]

    def heard_bad(self, jobs: str, since: float) -> list[str]:
        bad = (row for row in self._rows.values() if row.at >= since and row.status == "firing" and row.state != "silenced" and row.job)
        return sorted({row.channel for row in bad if fnmatchcase(row.job, jobs)})

    def members(self, group: str) -> list[Owed]:
        return [self._rows[number] for number in sorted(self._groups.get(group, {}))]

    def end_members(self, group: str, state: RowState, now: float) -> None:
        for row in self.members(group):
            if row.state == "folded":
                self._keep(replace(row, state=state, done_at=now))

    def waiting_longer(self, channel: str, down: float) -> list[Owed]:
        rows = [self._rows[number] for number in sorted(self._to_send.get(channel, {}))]
        return [row for row in rows if row.state == "waiting" and row.down <= down]

    def strangers(self, known: Sequence[str], before: float) -> list[Owed]:
        rows = [self._rows[number] for channel, numbers in self._to_send.items() if channel not in known for number in numbers]
        return [row for row in rows if row.state == "waiting" and row.at < before]

    def claim(self, channel: str, who: Claimant, limit: int) -> list[Owed]:
        due = [row for number in sorted(self._to_send.get(channel, {})) if self._is_due(row := self._rows[number], who)][:limit]
        return [self._lease(row, who) for row in due]

    def is_due(self, channel: str, who: Claimant) -> bool:
        return any(self._is_due(self._rows[number], who) for number in self._to_send.get(channel, {}))

    def waiting_channels(self) -> list[str]:
        return sorted(channel for channel, numbers in self._to_send.items() if numbers)

    def _is_due(self, row: Owed, who: Claimant) -> bool:
        if row.state == "waiting":
            ready = row.not_before <= who.wall or row.not_before - who.wall > row.within + SET_BACK
        else:
            ready = self._has_lapsed(row.number, who)
        return ready and all(it.number >= row.number or it.state not in UNFINISHED for it in self.of_chain(row.chain, row.channel))

    def _has_lapsed(self, number: int, who: Claimant) -> bool:
        """Of this boot: by the monotonic clock, which nobody can set. Of another: by the wall clock, which may be behind theirs."""
        boot, wall, monotonic = self._leases[number]
        return monotonic <= who.monotonic if boot == who.boot else wall <= who.wall or wall - who.wall > who.lease + SET_BACK

    def _lease(self, row: Owed, who: Claimant) -> Owed:
        ambiguous = row.ambiguous + (row.state == "leased")
        taken = replace(row, state="leased", owner=who.owner, attempts=row.attempts + 1, ambiguous=ambiguous)
        self._keep(taken)
        self._set(self._leases, row.number, (who.boot, who.wall + who.lease, who.monotonic + who.lease))
        return taken

    def health(self, channel: str) -> Health:
        return self._healths.get(channel) or Health(channel)

    def healths(self) -> list[Health]:
        return [self._healths[name] for name in sorted(self._healths)]

    def put_health(self, health: Health) -> None:
        self._set(self._healths, health.name, health)

    def next_due(self, channel: str) -> float | None:
        rows = [self._rows[number] for number in self._to_send.get(channel, {})]
        return min((row.not_before for row in rows if row.state == "waiting"), default=None)

    def alerts(self, states: Sequence[str] | None, channel: str | None, job: str | None, limit: int) -> list[Owed]:
        found = (
            row for row in reversed(self._rows.values())
            if (states is None or row.state in states) and channel in (None, row.channel) and job in (None, row.job)
        )  # fmt: skip
        return [row for row, _ in zip(found, range(limit), strict=False)]

    def alerts_of(self, chain: str) -> list[Owed]:
        return [row for row in self._rows.values() if row.chain == chain]

    def find_alerts(self, part: str, limit: int) -> list[Owed]:
        return [row for row in self._rows.values() if row.key.startswith(part)][:limit]

    def counts(self) -> dict[str, int]:
        states = [row.state for row in self._rows.values()]
        return {state: states.count(state) for state in sorted(set(states))}

    def forget(self, before: float, limit: int) -> int:
        done = [row for row in self._rows.values() if row.at < before and row.state not in UNFINISHED and not self._is_open(row.chain)]
        for row in done[:limit]:
            self._set(self._rows, row.number, None)
            self._set(self._keys, row.key, None)
            left = [number for number in self._chains[(row.chain, row.channel)] if number != row.number]
            self._set(self._chains, (row.chain, row.channel), left or None)
            if row.group:
                self._set(self._groups[row.group], row.number, None)
        for incident in [it for it in self._incidents.values() if it.resolved_at is not None and it.resolved_at < before]:
            self._set(self._incidents, incident.id, None)
        for key in [key for key, at in self._happened.items() if at < before]:
            self._set(self._happened, key, None)
        return len(done[:limit])

    def runs_owed(self) -> set[str]:
        """Runs that a message is still owed for."""
        return {row.run for row in self._rows.values() if row.state in UNFINISHED}

    def _is_open(self, chain: str) -> bool:
        incident = self._incidents.get(chain)
        return incident is not None and incident.state != "resolved"


def _put(table: dict[Any, Any], key: Any, value: Any) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
