"""The protocol with one mistake each: what the oracle has to see. Each is a list of (owner, attribute, replacement)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sim_world

from offduty.alerts import attempts, grouping, outbox, owing
from offduty.alerts.attempts import lease_of
from offduty.alerts.delivery import DeliveryError, Receipt
from offduty.alerts.incident import Incident
from offduty.alerts.owed import Owed
from offduty.stores.alerts_memory import MemoryBooks
from offduty.stores.memory import MemoryStore

Patch = tuple[Any, str, Any]


@contextmanager
def applied(name: str) -> Iterator[None]:
    """Production, wrong in one way."""
    patches = MUTANTS[name]()
    before = [(owner, attribute, owner.__dict__[attribute]) for owner, attribute, _ in patches]
    for owner, attribute, wrong in patches:
        setattr(owner, attribute, wrong)
    try:
        yield
    finally:
        for owner, attribute, right in before:
            setattr(owner, attribute, right)


def mark_before_send() -> list[Patch]:
    """At most once: what the best-known open systems do."""
    right = outbox.Sender._one

    def wrong(self: Any, row: Owed) -> None:
        self.store.delivered(lease_of(row), Receipt(), self._clock.wall())
        right(self, row)

    return [(outbox.Sender, "_one", wrong)]


def rows_in_a_second_transaction() -> list[Patch]:
    """The incident is committed, and then its rows: what happens in between loses them."""
    right = MemoryStore._tell

    def tell(self: Any, run: Any, tell: Any, before: Any) -> None:
        if sim_world.DROPS_SECOND.random() < 0.05:  # the process dies between the two
            kept = self._books.add
            self._books.add = lambda rows: len(list(rows))
            right(self, run, tell, before)
            self._books.add = kept
        else:
            right(self, run, tell, before)

    return [(MemoryStore, "_tell", tell)]


def no_fencing() -> list[Patch]:
    """Whoever comes back from a long sleep marks what another has by now."""

    def leased(self: Any, number: int, owner: str, attempt: int) -> Owed | None:
        return self._rows.get(number)

    return [(MemoryBooks, "leased", leased)]


def trusts_the_wall_clock_for_leases() -> list[Patch]:
    """A clock that is set forward lets every lease lapse."""

    def has_lapsed(self: Any, number: int, who: Any) -> bool:
        return bool(self._leases[number][1] <= who.wall)

    return [(MemoryBooks, "_has_lapsed", has_lapsed)]


def leases_for_ever() -> list[Patch]:
    """What a dead sender had is never sent."""
    return [(MemoryBooks, "_has_lapsed", lambda self, number, who: False)]


def leases_for_a_moment() -> list[Patch]:
    """A lease shorter than a send."""
    return [(MemoryBooks, "_has_lapsed", lambda self, number, who: True)]


def doubt_counts_as_delivered() -> list[Patch]:
    """No answer is taken for a good one."""
    right = outbox.Sender._did_not_arrive

    def wrong(self: Any, row: Owed, error: DeliveryError) -> None:
        if error.ambiguous:
            self.store.delivered(lease_of(row), Receipt(), self._clock.wall())
        else:
            right(self, row, error)

    return [(outbox.Sender, "_did_not_arrive", wrong)]


def gives_up_silently() -> list[Patch]:
    """After five attempts a row is dead, and nobody hears of it."""
    return [
        (attempts, "_is_hopeless", lambda row, error, health: row.attempts >= 5),
        (attempts, "_tell_elsewhere", lambda *args: None),
    ]


def no_order() -> list[Patch]:
    """A row does not wait for those before it in its chain."""

    def is_due(self: Any, row: Owed, who: Any) -> bool:
        if row.state == "waiting":
            return row.not_before <= who.wall or row.not_before - who.wall > row.within + 1
        return bool(self._has_lapsed(row.number, who))

    return [(MemoryBooks, "_is_due", is_due), (attempts, "_sensible", lambda books, row, *rest: row)]


def repeats_are_announced() -> list[Patch]:
    """Every failure is news."""

    def open_incidents(self: Any, job: str) -> list[Incident]:
        return []

    return [(MemoryBooks, "open_incidents", open_incidents)]


def random_keys() -> list[Patch]:
    """A second taking-in of the same spool file owes everything again."""
    count = iter(range(10**9))
    right = owing._row
    kept = MemoryStore.put_run

    def row(*args: Any) -> Owed:
        return replace(right(*args), key=f"{next(count):032x}")

    def put_run(self: Any, record: Any, transactions: Any = (), **parts: Any) -> Any:
        """… since nothing else remembers that the run was taken."""
        stored = self._runs.get(record["id"])
        if stored is not None and stored["outcome"] == record["outcome"] != "running":
            self._tell(stored, parts.get("tell"), "running")
        return kept(self, record, transactions, **parts)

    return [(owing, "_row", row), (MemoryStore, "put_run", put_run)]


def spool_goes_before_the_commit() -> list[Patch]:
    """The file is deleted, and then the store is told."""

    def take(world: Any, store: Any, actor: Any, run_id: str) -> None:
        record, tell = world.spool[run_id][-1]
        if record["outcome"] != "running":
            del world.spool[run_id]
            world.vanished.append({"record": record, "tell": tell, "happened": "ended"})
        store.put_run(record, tell=tell)

    return [(sim_world, "take", take)]


def a_group_is_marked_alone() -> list[Patch]:
    """The rows that a digest tells of stay folded, and block what comes after them."""
    return [(MemoryBooks, "end_members", lambda self, group, state, now: None)]


def folds_and_sends_both() -> list[Patch]:
    """The members of a digest go out by themselves as well."""
    right = grouping.batch

    def wrong(rows: Any, now: float, *, pages: bool) -> Any:
        found = right(rows, now, pages=pages)
        return replace(found, alone=tuple(rows))

    return [(outbox, "batch", wrong)]


def retries_forget() -> list[Patch]:
    """After a failure the row is not put back."""

    def wrong(books: Any, row: Owed, error: Any, now: float, rng: Any) -> None:
        books.put(replace(row, state="dropped"))

    return [(attempts, "_try_again", wrong)]


MUTANTS: dict[str, Callable[[], list[Patch]]] = {
    found.__name__: found
    for found in (
        mark_before_send, rows_in_a_second_transaction, no_fencing, trusts_the_wall_clock_for_leases, leases_for_ever, leases_for_a_moment,
        doubt_counts_as_delivered, gives_up_silently, no_order, repeats_are_announced, random_keys, spool_goes_before_the_commit,
        a_group_is_marked_alone, folds_and_sends_both, retries_forget,
    )
}  # fmt: skip
