"""A fault as triage would see it, without anything having broken: the case that a job would make which does nothing against it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from offduty.drills.faults import FAULTS
from offduty.runs.failure import Failure
from offduty.runs.tails.finding import Cause, Frame
from offduty.transactions.change import Change
from offduty.transactions.dependency import Dependency
from offduty.transactions.transaction import Transaction
from offduty.triage.case import Case
from offduty.triage.seen import bases
from offduty_probe.fault_errors import facts_of, filled, library_of, told

COLUMN = "amount"
AGE = 4.0
"""A stale file is so many times as old as it may be."""
ENDS = {"sigkill": 9, "oom": 9, "sigterm": 15}
AFTERWARDS = ("status-", "garbage", "column-", "stale")
"""The transaction itself goes well; what comes of it does not."""
STRUCK_BY_STATUS = ("urllib", "botocore")
"""Libraries that raise by themselves when the answer is an error."""
SHELL = "shell"
"""`Spot.via` of what was seen from outside, in a job that the probe cannot enter."""
OUTSIDE = {
    "missing": "cat: {path}: No such file or directory", "denied": "cat: {path}: Permission denied",
    "disk-full": "cat: write error: No space left on device", "memory": "sort: memory exhausted: Cannot allocate memory",
    "refused": "curl: (7) Failed to connect to {host} port 80: Connection refused", "dns": "curl: (6) Could not resolve host: {host}",
    "timeout": "curl: (28) Operation timed out after 10001 milliseconds with 0 bytes received",
    "no-answer": "connection timed out", "status": "curl: (22) The requested URL returned error: {status}",
}  # fmt: skip
"""What usual programs say; of the rest nobody can say what a program would make of it."""
FRONTS = {"pandas": ("pandas.errors.DatabaseError", "Execution failed on sql '{sql}': {message}")}
SQLSTATES = {"deadlock": "40P01", "no-table": "42P01", "timeout": "57014", "login": "28P01"}


@dataclass(frozen=True)
class Spot:
    """One thing that a job touches. `via`: what is called there, as `offduty scan` says it; "" where only a run has shown it.

    `scanned`, `seen`: whether the source says so, or a run. `dependency`: the configuration's, where one fits.
    """

    op: str
    target: str
    where: str
    via: str = ""
    function: str = ""
    swallowed: bool = False
    scanned: bool = False
    seen: bool = False
    dependency: Dependency | None = None

    @property
    def library(self) -> str:
        """By whose words it fails."""
        module = self.via.lstrip(".") if not self.via.startswith(".") else "pandas"
        usual = {"http": "urllib", "object": "botocore"}.get(self.op.partition(".")[0], "python")
        return library_of(module or usual, self.target)


def whole_case(fault: str, job: str = "") -> Case:
    """The case of a fault of the job as a whole."""
    if fault not in ENDS:
        return Case(outcome=fault, job=job, failure=Failure("lost") if fault == "lost" else None)
    number = ENDS[fault]
    name = {9: "SIGKILL", 15: "SIGTERM"}[number]
    failure = Failure("signal", None, name, f"killed by signal {number} ({name})" + (", out of memory" if fault == "oom" else ""))
    return Case("failed", 128 + number, number, failure, oom=fault == "oom", job=job)


def case_of(spot: Spot, fault: str, job: str = "") -> Case | None:
    """The case of a fault at a spot; None if its library has no words for it, so that nothing can be said."""
    if not spot.op:
        return whole_case(fault, job)
    if fault == "stale":
        return _warned(spot, job)
    if spot.via == SHELL:
        return _outside(spot, fault, job)
    library = spot.library
    raised = told(fault, library)
    if raised is None:
        return None
    facts = facts_of(fault, spot.op, spot.target, column_of(spot))
    name, message = raised[0], message_of(raised[0], tuple(filled(one, facts) for one in raised[1]))
    chain = _chain(spot, name, message, fault)
    struck = _struck(spot, fault, library, name, message)
    lines = _lines(chain)
    failure = Failure("exception", "python", chain[-1].type, chain[-1].message, spot.where or None, chain, lines, "probe")
    return Case(
        "failed", 1, None, failure, lines, (struck,), _checks(spot, fault), _changes(spot, fault),
        {1: spot.dependency.name} if spot.dependency else {}, None, job,
    )  # fmt: skip


def _outside(spot: Spot, fault: str, job: str) -> Case | None:
    said = OUTSIDE.get("status" if fault.startswith("status-") else fault)
    if said is None:
        return None
    line = str(filled(said, facts_of(fault, spot.op, spot.target)))
    return Case("failed", 1, None, Failure("exit", SHELL, None, line, None, (), (line,), "output"), (line,), job=job)


def column_of(spot: Spot) -> str:
    """The column that is struck: the last that is expected."""
    return spot.dependency.columns[-1] if spot.dependency and spot.dependency.columns else COLUMN


def age_of(spot: Spot) -> float:
    """Seconds that a stale file is old, by how old it may be; 0 if nobody says."""
    return (spot.dependency.max_age or 0.0) * AGE if spot.dependency else 0.0


def message_of(name: str, args: Sequence[Any]) -> str:
    """What `str()` of such an exception says."""
    if name == "urllib.error.URLError":
        return f"<urlopen error {str(args[0]).strip('<>')}>"
    if name == "KeyError":
        return repr(args[0])
    if name.startswith("ssl."):
        return str(args[1])
    if name.startswith("mysql.connector"):
        return f"{args[1]} ({args[3]}): {args[0]}" if len(args) > 3 else f"{args[1]}: {args[0]}"
    if name.startswith("pyodbc."):
        return str(tuple(args))
    if name.startswith("kafka."):
        return f"{name.rpartition('.')[2]}: {args[0]}"
    if len(args) == 3 and isinstance(args[0], int):
        return f"[Errno {args[0]}] {args[1]}: {args[2]!r}"
    if len(args) == 2 and isinstance(args[0], int):
        return f"({args[0]}, {args[1]!r})" if name.startswith("pymysql") else f"[Errno {args[0]}] {args[1]}"
    return str(args[0]) if args else ""


def _chain(spot: Spot, name: str, message: str, fault: str) -> tuple[Cause, ...]:
    frame = Frame(spot.where.rpartition(":")[0] or spot.where, _line(spot.where), spot.function or None)
    one = Cause(name, message, frames=(frame,), bases=bases(name.rpartition(".")[2]))
    front = FRONTS.get(spot.via.partition(".")[0]) if spot.op == "db.query" and FAULTS[fault].strikes("db.query") else None
    if front is None or fault in ("memory", "column-gone", "column-retyped"):
        return (one,)
    text = front[1].replace("{sql}", spot.target.partition(" ")[2]).replace("{message}", message)
    return (Cause(front[0], text, frames=(frame,)), replace(one, link="cause"))


def _line(where: str) -> int | None:
    last = where.rpartition(":")[2]
    return int(last) if last.isdigit() else None


def _lines(chain: Sequence[Cause]) -> tuple[str, ...]:
    """As Python prints them: the deepest first."""
    found = []
    for number, one in enumerate(reversed(chain)):
        if number:
            found += ["", "The above exception was the direct cause of the following exception:", ""]
        found.append("Traceback (most recent call last):")
        found += [f'  File "{frame.file}", line {frame.line or 1}, in {frame.function or "<module>"}' for frame in one.frames]
        found += f"{one.type}: {one.message}".rstrip(": ").splitlines()
    return tuple(found)


def _struck(spot: Spot, fault: str, library: str, name: str, message: str) -> Transaction:
    status: int | str | None = (
        int(fault[7:]) if fault.startswith("status-") else SQLSTATES.get(fault) if spot.op.startswith("db.") else None
    )
    well = fault.startswith(AFTERWARDS) and not (fault.startswith("status-") and library in STRUCK_BY_STATUS)
    error = None if well else {"type": name, "message": message}
    return Transaction(1, spot.op, spot.target, spot.where, took_s=0.1, ok=well, error=error, failed=int(not well), status=status)


def _warned(spot: Spot, job: str) -> Case:
    """An old file: the job ends well, and a check warns, if one looks."""
    one = Transaction(1, spot.op, spot.target, spot.where, took_s=0.1, ok=True)
    dependencies = {1: spot.dependency.name} if spot.dependency else {}
    return Case("warned", 0, transactions=(one,), checks=_checks(spot, "stale"), dependencies=dependencies, job=job)


def _checks(spot: Spot, fault: str) -> tuple[Mapping[str, Any], ...]:
    """What is expected of the dependency and is not so, if anything is expected."""
    one = spot.dependency
    if one is None:
        return ()
    told = {"stale": ("age", one.max_age is not None), "column-gone": ("columns", bool(one.columns)),
            "torn": ("rows", one.min_rows is not None), "empty": ("rows", one.min_rows is not None)}.get(fault)  # fmt: skip
    if told is None or not told[1]:
        return ()
    return (
        {
            "name": f"{told[0]} of {one.name}",
            "outcome": "warned",
            "detail": FAULTS[fault].what,
            "source": "offduty",
            "dependency": one.name,
        },
    )


def _changes(spot: Spot, fault: str) -> tuple[Change, ...]:
    if fault == "column-gone":
        return (Change("input.columns", spot.target, "a column is gone", (f"-{column_of(spot)}",), True),)
    if fault == "column-retyped":
        return (Change("input.types", spot.target, "a column has another type", (f"~{column_of(spot)}",), True),)
    return (Change("input.missing", spot.target, "it was not read"),) if fault == "missing" else ()


def key_of(spot: Spot, fault: str) -> str:
    """What tells cases apart for the catalogue: places that are alike are asked about once."""
    scheme = spot.target.partition("://")[0] if "://" in spot.target else spot.target.rpartition(".")[2].partition(" ")[0]
    return json.dumps([spot.op, fault, spot.library, spot.via.partition(".")[0], scheme[:20], bool(spot.dependency)])
