"""A case as conditions look at it: what may have been struck, which exceptions there were, what was printed."""

from __future__ import annotations

import builtins
import errno
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from offduty.runs.tails.finding import Cause
from offduty.transactions.transaction import Transaction
from offduty.triage.case import Case
from offduty.triage.verdict import Verdict

DIED = ("timed_out", "terminated", "lost")
TEXT_CHARS = 1 << 20  # of the log's last lines: what patterns are held against
TOUCHES_KEPT = 200
VARY = (".rows", ".size", ".age")
"""What is never quite the same from run to run."""

_STATUS = re.compile(
    r"""\[Errno\ (?P<errno>\d{1,4})\]
      | (?:HTTP(?:/\d(?:\.\d)?)?(?:\ Error|\ status|\ code)?|status(?:\ code|_code)?|Response)[:=\ \[<(]{1,3}(?P<http>[1-5]\d\d)\b
      | ^(?P<lead>[45]\d\d)\ (?:Client|Server)\ Error
      | SQLSTATE[\[:=(\ ]{1,2}(?P<sql>[0-9A-Z]{5})\b
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_TARGET = re.compile(
    r"""['"](?P<path>(?:/|\./|~/|[a-z0-9+]{2,12}://)[^'"\n]{1,500})['"]|(?P<url>\b[a-z0-9+]{2,12}://[^\s'"<>)\]]{1,500})"""
)


@dataclass(frozen=True)
class Touch:
    """Something outside the job that the failure may have struck. `by`: what tells so; `statuses`: HTTP, SQLSTATE or errno, as texts."""

    by: Literal["transaction", "change", "check", "message"]
    op: str = ""
    target: str = ""
    statuses: frozenset[str] = frozenset()
    dependency: str | None = None
    number: int | None = None

    def shown(self) -> str:
        """`transaction 3 (file.read /srv/lab.csv)`."""
        what = " ".join(part for part in (self.op, self.target) if part)
        return f"transaction {self.number} ({what})" if self.number is not None else what or "the message"


@dataclass(frozen=True)
class Seen:
    """A case beside what the catalogue says of it. `targets`: the dependency of targets that no transaction names, only a message."""

    case: Case
    verdict: Verdict = field(default_factory=Verdict)
    targets: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def touches(self) -> tuple[Touch, ...]:
        """What may have been struck, the likeliest first."""
        struck = [_touch(one, self.case.dependencies) for one in reversed(_suspects(self.case))][:TOUCHES_KEPT]
        if not self.case.transactions:
            struck += _from_messages(self.messages, self.targets)
        return (*struck, *_from_changes(self.case), *_from_checks(self.case))

    @cached_property
    def exceptions(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(type, its base classes) of every exception in the chain, the uncaught one first."""
        failure = self.case.failure
        if failure is None:
            return ()
        if not failure.chain:
            return ((failure.type, bases(failure.type)),) if failure.type and failure.kind in ("exception", "exit") else ()
        return tuple((cause.type, _bases_of(cause)) for cause in failure.chain if cause.type)

    @cached_property
    def messages(self) -> tuple[str, ...]:
        """What the exceptions say, and the failure itself, each once."""
        failure = self.case.failure
        if failure is None:
            return ()
        return tuple(dict.fromkeys(text for text in (*(cause.message for cause in failure.chain), failure.message) if text))

    @cached_property
    def text(self) -> str:
        """The last lines of the log."""
        lines = self.case.lines or (self.case.failure.tail if self.case.failure else ())
        return "\n".join(lines)[-TEXT_CHARS:]

    @cached_property
    def text_bytes(self) -> bytes:
        """The same as bytes, for patterns."""
        return self.text.encode("utf-8", "replace")

    @cached_property
    def signal(self) -> int | None:
        """The signal that ended the job, or, by its exit code, a process of it."""
        if self.case.signal is not None:
            return self.case.signal
        number = (self.case.exit_code or 0) - 128
        return number if 0 < number <= 64 else None


def _suspects(case: Case) -> list[Transaction]:
    """Transactions that failed and were not made good later; if there are none and the job died, those that never ended."""
    good: set[tuple[str, str]] = set()
    failed = []
    for one in reversed(case.transactions):
        if one.ok is True:
            good.add((one.op, one.target))
        elif one.ok is False and (one.op, one.target) not in good:
            failed.append(one)
    if failed:
        return failed[::-1]
    died = case.outcome in DIED or case.signal is not None
    return [one for one in case.transactions if one.ok is None] if died else []


def _touch(one: Transaction, dependencies: Mapping[int, str]) -> Touch:
    told = str((one.error or {}).get("message") or "")
    statuses = {*_statuses(told), *_spelt(one.status, one.op)}
    return Touch("transaction", one.op, one.target, frozenset(statuses), dependencies.get(one.number), one.number)


def _spelt(status: int | str | None, op: str) -> Iterator[str]:
    """A status as people may write it: `2` and `ENOENT`."""
    if status is None:
        return
    yield str(status)
    if op.startswith("file.") and isinstance(status, int) and status in errno.errorcode:
        yield errno.errorcode[status]


def _statuses(text: str) -> Iterator[str]:
    for found in _STATUS.finditer(text[:4000]):
        yield next(value for value in found.groups() if value)
        if found["errno"] and int(found["errno"]) in errno.errorcode:
            yield errno.errorcode[int(found["errno"])]


def _from_messages(messages: tuple[str, ...], dependencies: Mapping[str, str]) -> list[Touch]:
    """Without a ledger, what the exceptions name."""
    touches = []
    for message in messages[:20]:
        statuses, target = frozenset(_statuses(message)), target_in(message)
        if target or statuses:
            touches.append(Touch("message", "", target, statuses, dependencies.get(target)))
    return touches


def target_in(message: str) -> str:
    """The first path or address that a message names, or nothing."""
    found = _TARGET.search(message[:4000])
    return (found["path"] or found["url"]) if found else ""


def _from_changes(case: Case) -> Iterator[Touch]:
    numbers = {one.target: one.number for one in case.transactions}
    for change in case.changes:
        if change.kind.endswith(VARY) and not change.unusual:
            continue
        dependency = case.dependencies.get(numbers.get(change.subject, -1))
        yield Touch("change", change.kind, change.subject, frozenset(), dependency)


def _from_checks(case: Case) -> Iterator[Touch]:
    """A check belongs to a dependency that its name names: `columns of sales-feed`."""
    names = set(case.dependencies.values())
    for check in case.checks:
        if check.get("outcome") in ("failed", "warned"):
            name = str(check.get("name") or "")
            dependency = check.get("dependency") or next((one for one in sorted(names) if one in name.split() or one == name), None)
            yield Touch("check", name, "", frozenset(), dependency)


def _bases_of(cause: Cause) -> tuple[str, ...]:
    return cause.bases or bases(cause.type)


def bases(name: str | None) -> tuple[str, ...]:
    """The base classes of one of Python's own exceptions, where nobody has told them."""
    known = getattr(builtins, name or "", None)
    if not (isinstance(known, type) and issubclass(known, BaseException)):
        return ()
    return tuple(base.__name__ for base in known.__mro__[1:-1])
