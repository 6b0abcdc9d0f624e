"""When each row of a job was last rehearsed, how that went, and who confirmed that its message arrived."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offduty.clock import rfc3339
from offduty.drills.store import Rehearsed, Turn
from offduty.drills.turn import is_due, next_due
from offduty.wiring.handover import table_of
from offduty.wiring.recurring import said_of, why_not
from offduty.wiring.rehearsal import codes_of, that_count

if TYPE_CHECKING:
    from offduty.alerts.proof import Proof
    from offduty.settings.load import Settings
    from offduty.stores.sqlite import SqliteStore


@dataclass(frozen=True)
class Entry:
    """A row, or something without one, and its newest drill; None: it was never rehearsed. `proofs`: of messages sent for real."""

    row: str
    drill: Rehearsed | None
    proofs: tuple[Proof, ...] = ()

    def as_json(self, now: float) -> dict[str, Any]:
        """As `offduty drill --list --json` shows it."""
        drill = self.drill
        plain = {name: getattr(drill, name, None) for name in ("fault", "op", "target", "passed", "said")}
        at = None if drill is None else rfc3339(drill.at)
        return {"row": self.row, **plain, "at": at, "age_s": None if drill is None else round(now - drill.at, 3),
                "proofs": [_proof_json(one) for one in self.proofs]}  # fmt: skip


@dataclass(frozen=True)
class Book:
    """The drills of a job. `every`: seconds between two turns, 0 for never; `waits`: why a turn that is due is not begun."""

    job: str
    entries: tuple[Entry, ...]
    turns: tuple[Turn, ...] = ()
    every: float = 0.0
    due: float | None = None
    is_due: bool = False
    waits: str = ""

    def as_json(self, now: float) -> dict[str, Any]:
        """As `offduty drill --list --json` shows it."""
        last = self.turns[-1].as_json() if self.turns else None
        due = None if self.due is None else rfc3339(self.due)
        return {"job": self.job, "every_s": self.every or None, "next_due": due, "due": self.is_due, "waits_for": self.waits or None,
                "last": last, "drills": [one.as_json(now) for one in self.entries]}  # fmt: skip


def book_of(settings: Settings, name: str, store: SqliteStore, now: float) -> Book:
    """Rows of the table first, in their order, then what has none. Raises as `Settings.job` does."""
    done, said = that_count(store.drills, name), said_of(settings, name)
    turns = tuple(store.drills.turns(name))
    last = turns[-1] if turns else None
    due = is_due(last, said.every, now)
    return Book(
        name, tuple(_entries(settings, done, store)), turns, said.every, next_due(last, said.every), due,
        why_not(said, name, store, now) if due else "",
    )  # fmt: skip


def _entries(settings: Settings, done: list[Rehearsed], store: SqliteStore) -> Iterator[Entry]:
    proofs = {proof.code: proof for proof in store.proofs.of(codes_of(done))}
    rows = [row.name for row in table_of(settings).rows]
    mine = {row: [one for one in done if one.row == row] for row in rows}
    for row in rows:
        yield from (_entry(one, proofs) for one in mine[row])
        if not mine[row]:
            yield Entry(row, None)
    yield from (_entry(one, proofs) for one in done if not one.row)


def _entry(one: Rehearsed, proofs: dict[str, Proof]) -> Entry:
    return Entry(one.row, one, tuple(proofs[code] for code in codes_of([one]) if code in proofs))


def _proof_json(one: Proof) -> dict[str, Any]:
    confirmed = None if one.confirmed_at is None else rfc3339(one.confirmed_at)
    return {"channel": one.channel, "code": one.code, "sent_at": rfc3339(one.sent_at), "confirmed_at": confirmed, "by": one.by or None}
