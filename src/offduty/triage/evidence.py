"""What is known of one failure, put in order: what its log states, what the probe saw, and how it ended."""

from __future__ import annotations

import signal as signals
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from offduty.runs.tails.finding import Cause
from offduty.triage.case import Case
from offduty.triage.reading import lines, statements
from offduty.triage.reading.facts import facts_of, peers
from offduty.triage.reading.statements import Statement

if TYPE_CHECKING:
    from offduty.transactions.transaction import Transaction

_AROUND = 60_000, 140_000  # characters of the beginning and the end that count as a statement's neighbourhood
AFTER_LOG = 1 << 40  # the place of what was not printed, behind every line
_PEERS = {"http": "peer:http", "db": "peer:db", "queue": "peer:db", "cache": "peer:db", "object": "says:object-store", "file": "peer:file"}


def case_of(log: str, exit_code: int | None = None) -> Case:
    """A case of nothing but a log, and the exit status if it is known."""
    killed = exit_code is not None and exit_code < 0
    return Case(exit_code=None if killed else exit_code, signal=-exit_code if killed and exit_code else None, lines=tuple(log.split("\n")))


def case_of_example(log: str, ended: Mapping[str, Any]) -> Case:
    """The case of a signature's example: `exit`, `outcome`, `oom`, `check` or `not_started` say how it ended."""
    from offduty.runs.failure import Failure  # not at run time

    failure = Failure("not_started", message="the command is not there") if ended.get("not_started") else None
    checks = ({"name": "stores", "outcome": "failed"},) if ended.get("check") else ()
    case = replace(case_of(log, ended.get("exit")), failure=failure, checks=checks)
    return replace(case, outcome=ended.get("outcome", "failed"), oom=True if ended.get("oom") else False if ended.get("no_oom") else None)


@dataclass(frozen=True)
class Evidence:
    """`statements`: in the order they were made, those that were not printed last."""

    statements: tuple[Statement, ...]

    @cached_property
    def around(self) -> str:
        """The whole log in lower case: what a statement's neighbourhood tells."""
        text = "\n".join([*(statement.text for statement in self.statements), *_traces(self.statements)]).lower()
        return text if len(text) <= sum(_AROUND) else f"{text[: _AROUND[0]]}\n{text[-_AROUND[1] :]}"

    @cached_property
    def near(self) -> frozenset[str]:
        """The peers that the log speaks of."""
        return peers(self.around)

    @cached_property
    def last(self) -> int:
        """The number of the last line that states something."""
        return max((statement.number for statement in self.statements if statement.number < AFTER_LOG), default=0)

    def facts(self, statement: Statement) -> frozenset[str]:
        """The tags of one statement; of how the process ended those that were seen, not what our words for it would show."""
        if statement.kind == "ended":
            return frozenset(statement.extra)
        return facts_of(statement, self.near) | frozenset(statement.extra)


def gather(case: Case) -> Evidence:
    """All that a case shows."""
    printed = statements.read(lines.read(list(case.lines)))
    return Evidence((*_raised(case), *printed, *_transactions(case), *_checks(case), *_ended(case)))


def _traces(found: tuple[Statement, ...]) -> list[str]:
    return [
        " ".join(frame.file for frame in statement.frames) + " ".join(statement.code)
        for statement in found
        if statement.frames or statement.code
    ]


def _raised(case: Case) -> list[Statement]:
    """The chain that the probe saw, deepest cause first; what was only printed is read off the lines."""
    failure = case.failure
    if failure is None:
        return []
    if failure.kind == "not_started":
        return [Statement(AFTER_LOG, f"not started: {failure.message or ''}", "raised", extra=("not-started",), order=(AFTER_LOG, 0))]
    if failure.source != "probe":
        return []
    if not failure.chain:
        return [_from_cause(Cause(failure.type, failure.message), 0)] if failure.message else []
    return [_from_cause(cause, depth) for depth, cause in reversed(list(enumerate(failure.chain)))]


def _from_cause(cause: Cause, depth: int) -> Statement:
    text = ": ".join(part for part in (cause.type, cause.message) if part)
    named = statements.CLASS.findall(cause.message or "")
    types = tuple(
        name for name in dict.fromkeys([cause.type or "", *(name if isinstance(name, str) else name[0] for name in named)]) if name
    )
    return Statement(0, text, "raised", types, cause.frames, order=(0, -depth))


def _transactions(case: Case) -> list[Statement]:
    return [_failed(transaction) for transaction in case.transactions if transaction.ok is False and transaction.error][-5:]


def _failed(transaction: Transaction) -> Statement:
    error = transaction.error or {}
    text = f"{error.get('type', '')}: {error.get('message', '')} ({transaction.verb} {transaction.target})"
    extra = [_PEERS.get(transaction.op.partition(".")[0], ""), f"transaction:{transaction.op}"]
    if transaction.status is not None:
        status = str(transaction.status)
        extra += [f"http:{status}", f"http:{status[:1]}xx"] if transaction.op in ("http.request",) else [f"sqlstate:{status}"]
    name = error.get("type", "")
    return Statement(
        AFTER_LOG, text, "transaction", (name,) if name else (), extra=tuple(filter(None, extra)), order=(AFTER_LOG + transaction.number, 0)
    )


def _checks(case: Case) -> list[Statement]:
    failed = [check for check in case.checks if check.get("outcome") == "failed"]
    return [
        Statement(
            AFTER_LOG,
            f"check {check.get('name')} failed: {check.get('detail') or ''}",
            "raised",
            extra=("check:failed",),
            order=(AFTER_LOG, at),
        )
        for at, check in enumerate(failed)
    ]


def _ended(case: Case) -> list[Statement]:
    """How the process ended, as one statement; none if nothing is known but that it failed."""
    number = case.signal or ((case.exit_code or 0) - 128 if 128 < (case.exit_code or 0) <= 128 + 64 else None)
    extra = [f"outcome:{case.outcome}"]
    parts = []
    if case.exit_code is not None:
        extra.append(f"exit:{case.exit_code}")
        parts.append(f"exit status {case.exit_code}")
    if number and (name := _signal_name(number)):
        extra.append(f"signal:{name}")
        parts.append(f"killed by {name}")
    if case.oom:
        extra.append("oom")
        parts.append("the kernel counted a kill for want of memory")
    elif case.oom is False:
        extra.append("no-oom")
    waiting = [transaction for transaction in case.transactions if transaction.ok is None]
    if waiting:
        extra.append(f"waiting:{waiting[-1].op.partition('.')[0]}")
        parts.append(f"{waiting[-1].verb} {waiting[-1].target} began and never ended")
    text = ", ".join([*parts, *([f"the run {case.outcome.replace('_', ' ')}"] if case.outcome not in ("failed", "warned") else [])])
    return [Statement(AFTER_LOG, text, "ended", extra=tuple(extra), order=(AFTER_LOG, 1))]


def _signal_name(number: int) -> str:
    try:
        return signals.Signals(number).name
    except ValueError:
        return ""
