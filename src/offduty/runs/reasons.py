"""A transaction that failed, in words: what became of it, and that it is not like that on good runs."""

from __future__ import annotations

from collections.abc import Callable

from offduty.durations import spoken
from offduty.transactions.baseline import Subject
from offduty.transactions.changes import is_not_there
from offduty.transactions.transaction import Transaction
from offduty.transactions.wording import good_runs, name_of

REFUSED = ("connection refused", "actively refused", "errno 111", "connectionrefused")
UNOPENED = ("unable to open",)
LOGIN = ("password authentication", "authentication failed", "access denied for user", "login failed", "invalid credentials")
TOO_LATE = ("timed out", "timeout", "time-out", "deadline exceeded")
NO_NAME = ("name or service not known", "nodename nor servname", "name resolution", "getaddrinfo", "could not translate host name")
LOCKED = ("is locked", "lock wait", "deadlock")
FULL = ("no space left", "disk quota", "disk is full")
BROKEN_OFF = ("reset by peer", "server closed the connection", "broken pipe", "remote end closed", "connection aborted", "eof occurred")
AWAY = ("no route to host", "network is unreachable", "unreachable")
FORBIDDEN = ("permission denied", "permissionerror", "accessdenied", "access denied", "forbidden")
EMPTY = ("emptydataerror", "no columns to parse", "empty file", "file is empty")


def told(one: Transaction, subject: Subject | None) -> str | None:
    """`postgresql://dw/sales refused the connection; it took 0.2 s on the last 12 good runs`.

    `subject`: what good runs did where this one failed. None where there is nothing to say that the failure itself does not.
    """
    happened = _happened(one)
    before = _before(one, subject) if subject is not None else ""
    if not happened and not before:
        return None
    return f"{named(one)} {happened or 'failed'}{f'; {before}' if before else ''}"


def named(one: Transaction) -> str:
    """The transaction's target as the subject of a sentence."""
    if one.op == "db.query":
        return f"the query {name_of(one.target)}"
    if one.op == "process.spawn":
        return f"the command {one.target}"
    return one.target if one.op == "db.connect" else name_of(one.target)


def _happened(one: Transaction) -> str:
    """What became of it, in a few words; empty where its own error says it best."""
    if one.ok is None:
        return "was never answered" if one.op in ("http.request", "db.connect", "db.query") else "was begun and never ended"
    if _has_answered(one):
        return f"answered {one.status}"
    if is_not_there(one):
        return "is not there"
    text = f"{one.error['type']}: {one.error['message']}".lower() if one.error else ""
    return next((say(one) for words, say in WORDS if any(word in text for word in words)), "")


def _has_answered(one: Transaction) -> bool:
    """With a status that says no."""
    return isinstance(one.status, int) and one.op == "http.request" and one.status >= 400


def _before(one: Transaction, subject: Subject) -> str:
    """How it was on the good runs before; that it failed on the last one, too, matters as much."""
    if not subject.unfailing:
        return "it failed on the last good run, too"
    runs = "the last good run" if subject.unfailing == 1 else f"the last {good_runs(subject.unfailing)}"
    if is_not_there(one):
        return f"it was there on {runs}"
    if _has_answered(one):
        return f"it did not on {runs}"
    if subject.took is None:
        return f"it worked on {runs}"
    return f"it took {_at_most(subject)} on {runs}"


def _at_most(subject: Subject) -> str:
    low, high = (spoken(value) for value in ((subject.took.low, subject.took.high) if subject.took else (0.0, 0.0)))
    return low if low == high else f"at most {high}"


WORDS: tuple[tuple[tuple[str, ...], Callable[[Transaction], str]], ...] = (
    (UNOPENED, lambda one: "cannot be opened"),
    (REFUSED, lambda one: "refused the connection"),
    (LOGIN, lambda one: "refused the login"),
    (NO_NAME, lambda one: "has a name that cannot be resolved"),
    (TOO_LATE, lambda one: f"did not answer within {spoken(one.took_s or 0.0)}"),
    (LOCKED, lambda one: "found the database locked by somebody else" if one.op == "db.query" else "is locked by somebody else"),
    (FULL, lambda one: "could not be written: no space is left"),
    (BROKEN_OFF, lambda one: "broke the connection off"),
    (AWAY, lambda one: "cannot be reached"),
    (FORBIDDEN, lambda one: "does not permit it"),
    (EMPTY, lambda one: "is empty"),
)
