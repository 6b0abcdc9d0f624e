"""What incidents and outbox need from a store within one transaction: small, so that the rules are written once, above it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from offduty.alerts.incident import Incident
from offduty.alerts.owed import Health, Owed, RowState, Silence


@dataclass(frozen=True)
class Claimant:
    """Who claims, and when: the name of the sender, the boot of its machine, both its clocks, and how long it may keep what it gets."""

    owner: str
    boot: str
    wall: float
    monotonic: float
    lease: float


class Books(Protocol):
    """Open for one transaction: all of what is done to it is kept together, or nothing."""

    def plan(self, job: str) -> dict[str, Any]:
        """The newest `tell` of a job, {} if it never had one."""
        ...

    def put_plan(self, job: str, tell: dict[str, Any]) -> None: ...

    def is_new(self, key: str, at: float) -> bool:
        """Remember that this happened; False if that is known."""
        ...

    def open_incidents(self, job: str) -> list[Incident]:
        """Those that are not resolved, oldest first."""
        ...

    def incident(self, incident_id: str) -> Incident | None: ...

    def put_incident(self, incident: Incident) -> None: ...

    def due_incidents(self, now: float, limit: int) -> list[Incident]:
        """Those for which `Incident.is_due(now)`."""
        ...

    def silences(self) -> list[Silence]:
        """Those that have not ended."""
        ...

    def put_silence(self, silence: Silence) -> None: ...

    def add(self, rows: Iterable[Owed]) -> int:
        """Write rows, numbered in this order; a key that is there already stays as it is. How many were new."""
        ...

    def leased(self, number: int, owner: str, attempt: int) -> Owed | None:
        """The row, if it is still leased by `owner` for this `attempt` (fencing), else None."""
        ...

    def put(self, row: Owed) -> None:
        """Change a row by its number; its lease ends."""
        ...

    def of_chain(self, chain: str, channel: str) -> list[Owed]:
        """The rows of one chain on one channel, in order."""
        ...

    def silenced(self, jobs: str, since: float) -> list[Owed]:
        """Rows that a silence on `jobs` kept back since then, in order."""
        ...

    def heard_bad(self, jobs: str, since: float) -> list[str]:
        """The channels that were owed bad news of such jobs since then, by name; what a silence kept back does not count."""
        ...

    def members(self, group: str) -> list[Owed]:
        """The rows that are told within the message of key `group`, in order."""
        ...

    def end_members(self, group: str, state: RowState, now: float) -> None:
        """What becomes of `folded` rows with the message that tells of them."""
        ...

    def waiting_longer(self, channel: str, down: float) -> list[Owed]:
        """Rows that wait for `channel` and were written when its `down` was at most this."""
        ...

    def strangers(self, known: Sequence[str], before: float) -> list[Owed]:
        """Rows that wait for channels other than these, and came to be owed before then."""
        ...

    def health(self, channel: str) -> Health: ...

    def put_health(self, health: Health) -> None: ...

    def claim(self, channel: str, who: Claimant, limit: int) -> list[Owed]:
        """Lease what is due, oldest first, at most `limit`; a row waits for those before it in its chain.

        `attempts` counts this one. What another had leased and let lapse is `ambiguous` once more: it may have been sent.
        A row that cannot be read comes back with the state `dead`.
        """
        ...
