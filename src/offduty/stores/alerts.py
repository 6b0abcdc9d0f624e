"""The alerts of a store: every question and change as one transaction over its `Books`. The same for every store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from offduty.alerts import attempts, owing
from offduty.alerts.attempts import Lease, Rng
from offduty.alerts.books import Books, Claimant
from offduty.alerts.delivery import DeliveryError, Receipt
from offduty.alerts.incident import Happening, Incident, Step
from offduty.alerts.owed import Health, Owed, RowState, Silence
from offduty.errors import NotThere, quoted

Answer = TypeVar("Answer")

SHOWN_CANDIDATES = 5
FORGOTTEN_AT_ONCE = 500


class OpenBooks(Books, Protocol):
    """What a store's books answer beside that: questions that people and senders ask."""

    def plans(self) -> dict[str, dict[str, Any]]: ...

    def find_incidents(self, part: str, limit: int) -> list[Incident]: ...

    def incidents(self, job: str | None, everything: bool, limit: int) -> list[Incident]: ...

    def alerts(self, states: Sequence[str] | None, channel: str | None, job: str | None, limit: int) -> list[Owed]: ...

    def alerts_of(self, chain: str) -> list[Owed]: ...

    def find_alerts(self, part: str, limit: int) -> list[Owed]: ...

    def counts(self) -> dict[str, int]: ...

    def healths(self) -> list[Health]: ...

    def next_due(self, channel: str) -> float | None: ...

    def is_due(self, channel: str, who: Claimant) -> bool: ...

    def waiting_channels(self) -> list[str]: ...

    def forget(self, before: float, limit: int) -> int: ...


Run = Callable[[Callable[[OpenBooks], Answer]], Answer]


class Alerts:
    """`change` runs a function over the books as one durable transaction, `ask` over a snapshot. Times: seconds since 1970 (wall).

    Every method may raise `StoreError`, and then nothing has changed.
    """

    def __init__(self, change: Run[Any], ask: Run[Any]) -> None:
        self._change, self._ask = change, ask

    # What happens

    def happen(self, happening: Happening, now: float, tell: Mapping[str, Any] | None = None) -> bool:
        """What has no record of a run: missed, overdue, stuck. `tell`: the job's plan, if it is known here. False if it was known."""

        def work(books: OpenBooks) -> bool:
            if tell is not None:
                books.put_plan(happening.job, dict(tell))
            return owing.take_once(books, happening, now)

        return bool(self._change(work))

    def plan_first(self, job: str, tell: Mapping[str, Any]) -> bool:
        """The plan of a job whose runs have not brought one yet: a first one may be killed before it can say whom it concerns.

        False if it has one.
        """
        if self._ask(lambda books: bool(books.plan(job))):
            return False
        self._change(lambda books: books.put_plan(job, dict(tell)))
        return True

    def tick(self, now: float) -> int:
        """Reminders, escalations, what settled, silences that ended; how many. To be called every few seconds by whoever delivers."""
        if not self._ask(lambda books: bool(books.due_incidents(now, 1) or books.silences())):
            return 0
        return int(self._change(lambda books: owing.tick(books, now)))

    def act(self, part: str, what: Callable[[Incident], Step], now: float) -> Incident:
        """Do something to the incident whose id begins with `part`: `lambda it: acknowledge(it, "ada", now)`. E513, E514."""
        found = self.incident(part)
        return self._change(lambda books: owing.act(books, found.id, what, now)) or found

    def silence(self, silence: Silence, now: float) -> None:
        """Set a silence, and announce it."""
        self._change(lambda books: owing.silence(books, silence, now, books.plans()))

    def end_silence(self, silence_id: str, now: float) -> bool:
        """End a silence before its time; False if there is none of this id."""

        def work(books: OpenBooks) -> bool:
            found = [it for it in books.silences() if it.id == silence_id]
            for it in found:
                books.put_silence(replace(it, until=now))
            owing.tick(books, now)
            return bool(found)

        return bool(self._change(work))

    def add(self, rows: Sequence[Owed]) -> int:
        """Owe messages that no incident is the reason for: a test of a channel. How many were new."""
        return int(self._change(lambda books: books.add(rows)))

    # Sending

    def claim(self, channel: str, who: Claimant, limit: int, others: Sequence[str] = (), *, pages: bool = False) -> list[Owed]:
        """Lease up to `limit` rows that are due for `channel`, oldest first."""
        return list(self._change(lambda books: attempts.claim(books, channel, who, limit, others, pages=pages)))

    def fold(self, leases: Sequence[Lease], group: Owed) -> Owed | None:
        """Owe `group` in place of what is leased; None if a lease was lost."""
        found: Owed | None = self._change(lambda books: attempts.fold(books, leases, group))
        return found

    def delivered(self, lease: Lease, receipt: Receipt, now: float) -> bool:
        """See `attempts.delivered`."""
        return bool(self._change(lambda books: attempts.delivered(books, lease, receipt, now)))

    def failed(self, lease: Lease, error: DeliveryError, now: float, rng: Rng, others: Sequence[str] = ()) -> bool:
        """See `attempts.failed`."""
        return bool(self._change(lambda books: attempts.failed(books, lease, error, now, rng, others)))

    def release(self, lease: Lease) -> bool:
        """See `attempts.release`."""
        return bool(self._change(lambda books: attempts.release(books, lease)))

    def give_up_on_strangers(self, known: Sequence[str], now: float) -> int:
        """See `attempts.give_up_on_strangers`."""
        if not self._ask(lambda books: books.strangers(known, now - attempts.STRANGE_FOR)[:1]):
            return 0
        return int(self._change(lambda books: attempts.give_up_on_strangers(books, known, now)))

    def is_due(self, channel: str, who: Claimant) -> bool:
        """Would `claim` find anything? Takes no lock."""
        return bool(self._ask(lambda books: books.is_due(channel, who)))

    def waiting_channels(self) -> list[str]:
        """The names of channels that something waits for."""
        return list(self._ask(lambda books: books.waiting_channels()))

    def next_due(self, channel: str) -> float | None:
        """The wall time at which the next row for `channel` is due; None if none waits."""
        found: float | None = self._ask(lambda books: books.next_due(channel))
        return found

    def members(self, group: str) -> list[Owed]:
        """The rows that a digest tells of."""
        return list(self._ask(lambda books: books.members(group)))

    def thread(self, row: Owed) -> str:
        """Where the messages of this row's incident on its channel belong: the `Receipt.thread` of the first; or empty."""
        rows = self._ask(lambda books: books.of_chain(row.chain, row.channel)) if row.incident else []
        return next((it.thread for it in rows if it.thread), "")

    # Asking

    def incidents(self, job: str | None = None, *, everything: bool = False, limit: int = 100) -> list[Incident]:
        """Newest first; with `everything` the resolved ones too."""
        return list(self._ask(lambda books: books.incidents(job, everything, limit)))

    def incident(self, part: str) -> Incident:
        """The incident whose id begins with `part`. E513 unknown, E514 ambiguous."""
        found: list[Incident] = self._ask(lambda books: books.find_incidents(part.lower(), SHOWN_CANDIDATES + 1))
        return _the_one(part, found, "incident", [f"{it.id} ({it.job}, {it.cause})" for it in found])

    def alerts(
        self, *, states: Sequence[RowState] | None = None, channel: str | None = None, job: str | None = None, limit: int = 100
    ) -> list[Owed]:
        """Rows of the outbox, newest first."""
        return list(self._ask(lambda books: books.alerts(states, channel, job, limit)))

    def alerts_of(self, chain: str) -> list[Owed]:
        """The rows of an incident or a run, in order: who was told."""
        return list(self._ask(lambda books: books.alerts_of(chain)))

    def alert(self, part: str) -> Owed:
        """The row whose key begins with `part`. E513 unknown, E514 ambiguous."""
        found: list[Owed] = self._ask(lambda books: books.find_alerts(part.lower(), SHOWN_CANDIDATES + 1))
        return _the_one(part, found, "alert", [f"{it.key} ({it.job}, {it.event}, {it.channel})" for it in found])

    def counts(self) -> dict[str, int]:
        """How many rows are in each state; a state without any is left out."""
        return dict(self._ask(lambda books: books.counts()))

    def channels(self) -> list[Health]:
        """How each channel fares that anything was ever sent to, by name."""
        return list(self._ask(lambda books: books.healths()))

    def silences(self) -> list[Silence]:
        """Silences that have not ended."""
        return list(self._ask(lambda books: books.silences()))

    # People and the outbox

    def retry(self, key: str, now: float) -> bool:
        """Send a dead or dropped alert again, from now on as if it were new; False if it is neither."""
        return self._revise(key, ("dead", "dropped", "waiting"), lambda books, row: _fresh(row, now, books.health(row.channel).down))

    def drop(self, key: str, why: str, now: float) -> bool:
        """Do not send an alert that waits; False if it does not wait."""
        return self._revise(key, ("waiting", "dead"), lambda _, row: replace(row, state="dropped", error=why, done_at=now))

    def _revise(self, key: str, states: Sequence[RowState], change: Callable[[OpenBooks, Owed], Owed]) -> bool:
        def work(books: OpenBooks) -> bool:
            found = [row for row in books.find_alerts(key, 1) if row.key == key and row.state in states]
            for row in found:
                books.put(change(books, row))
            return bool(found)

        return bool(self._change(work))

    def forget(self, before: float) -> int:
        """Forget what was done with before then, in portions that keep the lock short; how many rows went (INV-11)."""
        gone = 0
        while portion := int(self._change(lambda books: books.forget(before, FORGOTTEN_AT_ONCE))):
            gone += portion
        return gone


def _fresh(row: Owed, now: float, down: float) -> Owed:
    return replace(row, state="waiting", not_before=now, within=0.0, minimal=False, error="", done_at=None, down=down)


def _the_one(part: str, found: Sequence[Answer], what: str, shown: Sequence[str]) -> Answer:
    if not found:
        raise NotThere("E513", f"no {what} has an id that begins with {quoted(part)}", fix=f"`offduty {what}s` lists them")
    if len(found) > 1:
        raise NotThere("E514", f"several {what}s begin with {quoted(part)}", why=", ".join(shown), fix="give more digits")
    return found[0]
