"""Bounds for a job and for what it relies on, as its good runs show them: proposals, each with what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

from offduty.durations import spoken
from offduty.transactions.baseline import Baseline, Subject
from offduty.transactions.dependency import Dependency, dependency_of
from offduty.transactions.transaction import Transaction

ENOUGH = 5  # good runs
MOST_COLUMNS = 60  # that anybody reads in a configuration
READS = ("file.read", "object.read")
SLOW_ENOUGH = 1.0  # seconds: the time of what takes less says nothing
NAMES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


@dataclass(frozen=True)
class Proposal:
    """One setting: `table` ("dependency", "sales-feed"), its name, its value in TOML's types, and the evidence for people."""

    table: tuple[str, str]
    setting: str
    value: str | int | float | list[str]
    evidence: str

    def as_json(self) -> dict[str, Any]:
        """As `offduty learn --json` shows it."""
        return {"table": ".".join(self.table), "setting": self.setting, "value": self.value, "evidence": self.evidence}


def propose(job: str, usual: Baseline, given: Iterable[str], dependencies: Sequence[Dependency], cwd: str = "") -> list[Proposal]:
    """What may be written for `job`. `given`: settings that its table has; those, and what `dependencies` say, are left as they are."""
    if usual.runs < ENOUGH:
        return []
    found = _durations(job, usual, frozenset(given))
    names = {one.name for one in dependencies}
    for subject in _inputs(usual):
        known = dependency_of(Transaction(0, subject.op, subject.last_target), dependencies, cwd)
        table = ("dependency", known.name if known else _name(subject.target, names))
        bounds = list(_bounds(table, subject, known))
        if bounds and known is None:
            names.add(table[1])
            found.append(Proposal(table, "match", _pattern(subject.target), f"read on {subject.runs} of {usual.runs} good runs"))
        found += bounds
    return found


def _durations(job: str, usual: Baseline, given: frozenset[str]) -> list[Proposal]:
    """Half of the shortest, and twice the longest, rounded outwards."""
    took, table = usual.duration, ("job", job)
    if took is None or took.high < SLOW_ENOUGH:
        return []
    evidence = f"{took.count} good runs took {spoken(took.low)}" + (f" to {spoken(took.high)}" if took.high > took.low else "")
    found = []
    if "min_duration" not in given and took.low >= SLOW_ENOUGH:
        found.append(Proposal(table, "min_duration", _duration(rounded(took.low / 2, floor)), evidence))
    if "max_duration" not in given:
        found.append(Proposal(table, "max_duration", _duration(rounded(max(2 * took.high, took.high + 30), ceil)), evidence))
    return found


def _inputs(usual: Baseline) -> list[_Input]:
    """What every good run reads, by where it is: by name, or by template where the name is another on each run."""
    exact = [one for one in usual.subjects.values() if one.op in READS and one.runs == usual.runs]
    varying = [one for one in usual.groups.values() if one.op in READS and not one.exact and one.runs == usual.runs]
    return sorted((_Input(one) for one in (*exact, *varying)), key=lambda one: one.target)


class _Input:
    """A subject that is read; `last_target`: a target that it had, as far as one is known."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self.op, self.target, self.runs = subject, subject.op, subject.target, subject.runs
        self.last_target = subject.target.replace("#", "1")


def _bounds(table: tuple[str, str], one: _Input, known: Dependency | None) -> Iterable[Proposal]:
    """The expectations that are not stated yet. A table of the last thousand columns, or of columns that come and go, says none."""
    seen = one.subject
    if seen.age is not None and seen.interval and (known is None or known.max_age is None):
        limit = seen.age.high + max(seen.interval / 2, 3600.0)
        evidence = f"at most {spoken(seen.age.high)} old on {seen.age.count} good runs, a new one every {spoken(seen.interval)}"
        yield Proposal(table, "max_age", _duration(rounded(limit, ceil)), evidence)
    if seen.rows is not None and seen.rows.count >= ENOUGH and seen.rows.low >= 2 and (known is None or known.min_rows is None):
        few = max(1, _two_digits(seen.rows.low / 2))
        several = f" to {_grouped(seen.rows.high)}" if seen.rows.high > seen.rows.low else ""
        yield Proposal(table, "min_rows", few, f"{_grouped(seen.rows.low)}{several} rows on {seen.rows.count} good runs")
    if 0 < len(seen.always) <= MOST_COLUMNS and not seen.cut and (known is None or not known.columns):
        order = [name for name, _ in seen.last.shape if name in seen.always]
        yield Proposal(table, "columns", order, f"on all of {seen.runs} good runs")


def rounded(seconds: float, direction: Any) -> float:
    """`seconds`, in steps that people use: of 0.1 s below 10 s, then of 1 s, 1 min from 10 min on, 1 h from 10 h on."""
    step = next(step for limit, step in ((10, 0.1), (600, 1), (36000, 60), (float("inf"), 3600)) if seconds < limit)
    return max(step, float(round(direction(round(seconds / step, 6)) * step, 1)))


def _duration(seconds: float) -> str:
    return spoken(seconds)


def _two_digits(value: float) -> int:
    """`value` rounded down to two digits that say something."""
    scale = 10 ** max(0, floor(log10(value)) - 1) if value >= 1 else 1
    return int(value // scale * scale)


def _grouped(number: float) -> str:
    return f"{int(number):,}".replace(",", " ")


def _pattern(target: str) -> str:
    """The glob for a target: of a path its last part, since folders differ between machines; `*` for what varies, and for `[`, `?`."""
    text = target if "://" in target else "*/" + target.rpartition("/")[2]
    for varies in "#[]?":
        text = text.replace(varies, "*")
    while "**" in text:
        text = text.replace("**", "*")
    return text


def _name(target: str, taken: Iterable[str]) -> str:
    """A name after the file, like `sales` for `/data/sales_2026-11-23.csv`, that nobody has."""
    stem = target.rpartition("/")[2].partition(".")[0].lower()
    name = "".join(c if c in NAMES else "-" for c in stem).strip("-_") or "input"
    while "--" in name:
        name = name.replace("--", "-")
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found


def text_of(proposals: Sequence[Proposal]) -> dict[tuple[str, ...], list[tuple[str, str, str]]]:
    """By table, in order: (setting, value as TOML, evidence)."""
    found: dict[tuple[str, ...], list[tuple[str, str, str]]] = {}
    for one in proposals:
        found.setdefault(one.table, []).append((one.setting, toml(one.value), one.evidence))
    return found


def toml(value: str | int | float | Sequence[str]) -> str:
    """`value` as TOML writes it."""
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in escaped) + '"'
    if isinstance(value, Sequence):
        return f"[{', '.join(toml(item) for item in value)}]"
    return repr(value)
