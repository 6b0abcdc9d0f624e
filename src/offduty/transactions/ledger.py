"""The transactions of one run, numbered in the order in which they began, from the events of all its processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from offduty.durations import spoken
from offduty.transactions.transaction import Transaction, result_of, size_of, target_of

MASK = "***"
MOST_OPEN = 20_000  # that have begun and not ended
MOST = 2000  # entries kept: the probe folds floods, so more than these are many different ones


class Ledger:
    """Grows while events come. `left_out`: transactions beyond the first 2 000, counted and not kept."""

    def __init__(self) -> None:
        self._entries: dict[int, Transaction] = {}
        self._open: dict[tuple[int, int], int] = {}
        self._last = 0
        self.left_out = 0

    def add(self, event: Mapping[str, Any]) -> Transaction | None:
        """Take in an event; the transaction it completes, if it does."""
        if event["kind"] == "begin":
            number = self._number()
            if len(self._open) < MOST_OPEN:
                self._open[event["pid"], event["n"]] = number
            self._keep(Transaction(number, event["op"], event["target"], event.get("where"), event["at"]))
        elif event["kind"] == "transaction":
            number = self._open.pop((event["pid"], event["n"]), 0) or self._number()
            return self._keep(_ended(number, event))
        return None

    @property
    def entries(self) -> list[Transaction]:
        """All that are kept, in order."""
        return [self._entries[number] for number in sorted(self._entries)]

    @property
    def size(self) -> int:
        """How many there were, kept or not."""
        return self._last

    def _number(self) -> int:
        self._last += 1
        return self._last

    def _keep(self, one: Transaction) -> Transaction:
        if one.number in self._entries or len(self._entries) < MOST:
            self._entries[one.number] = one
        else:
            self.left_out += 1
        return one


def _ended(number: int, event: Mapping[str, Any]) -> Transaction:
    """The transaction of a `transaction` event; it began as long before as it took."""
    took = event["took"]
    error = event.get("error")
    return Transaction(
        number, event["op"], event["target"], event.get("where"), event["at"] - took, took, event["ok"],
        {"type": error["type"], "message": error["message"]} if error else None,
        event.get("count") or 1, event.get("failed") or 0, event.get("bytes"), event.get("rows"), event.get("columns"), event.get("status"),
        event.get("modified"), tuple((name, kind) for name, kind in event.get("shape") or ()), event.get("attributes") or {},
        tuple(event.get("nulls") or ()),
    )  # fmt: skip


def struck(
    entries: Iterable[Transaction], chain: Iterable[tuple[str | None, str | None]], *, died: bool, before: int | None = None, cwd: str = ""
) -> str | None:
    """Where in the ledger a failure struck, in words; None without any transaction.

    `chain`: (type, message) of the failure and its causes; `died`: the job was killed or ran out of time, so one that never ended is the
    likely culprit; `before`: how many transactions the last good run had; `cwd`: the job's folder, for shorter paths.
    """
    ledger = list(entries)
    if not ledger:
        return None
    if (one := culprit(ledger, chain, died=died)) is not None:
        how = "which never ended" if one.ok is None else f"failed after {spoken(one.took_s or 0.0)}"
        return f"in transaction {one.number}: {one.verb} {target_of(one, cwd)}, {how}"
    last = [one for one in ledger if one.ok is not None] or ledger
    said = ", ".join(part for part in (result_of(last[-1]), size_of(last[-1])) if part)
    of = f" of {before}" if before and before >= last[-1].number else ""
    return f"after transaction {last[-1].number}{of}: {last[-1].verb} {target_of(last[-1], cwd)}  ({said})"


def culprit(entries: Iterable[Transaction], chain: Iterable[tuple[str | None, str | None]], *, died: bool) -> Transaction | None:
    """The transaction that a run failed in: the last whose error is in `chain`; if the job `died`, else the last that never ended."""
    ledger, causes = list(entries), set(chain)
    for one in reversed(ledger):
        if one.error is not None and _is_among(one.error, causes):
            return one
    return next((one for one in reversed(ledger) if one.ok is None), None) if died else None


def swallowed(entries: Iterable[Transaction], chain: Iterable[tuple[str | None, str | None]]) -> list[Transaction]:
    """Failed transactions that are not what the run failed of: somebody caught them."""
    causes = set(chain)
    return [one for one in entries if (one.failed or one.ok is False) and not (one.error and _is_among(one.error, causes))]


def _is_among(error: Mapping[str, str], causes: set[tuple[str | None, str | None]]) -> bool:
    """Whether `error` is one of `causes`. The probe leaves values out of messages: `***` stands for text, `#` for a number.

    Where a library wraps the exception of a driver, the ledger has the driver's message, which is that of another cause.
    """
    if (error["type"], error["message"]) in causes:
        return True
    if all(kind != error["type"] for kind, _ in causes):
        return False
    pieces = error["message"].replace("#", MASK).split(MASK)
    return any(_has_in_order(message or "", pieces) for _, message in causes)


def _has_in_order(text: str, pieces: Iterable[str]) -> bool:
    """Whether `text` holds all `pieces`, one behind the other, the first at its beginning."""
    at = 0
    for number, piece in enumerate(pieces):
        found = text.find(piece, at)
        if found < 0 or (number == 0 and found > 0):
            return False
        at = found + len(piece)
    return True
