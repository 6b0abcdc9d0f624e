"""What the good runs of a job look like: the ranges within which this run is nothing new.

    gathering = Gathering()
    for run in store.good_runs(job, 20):                        # newest first
        gathering.add(run, store.ledger(run["id"]), store.fingerprint(run["id"]))
    usual = gathering.baseline()
    subject = usual.of(one)                                     # what good runs did where this one did `one`; None: nothing like it
    subject.rows.judge(one.rows)                                # "", "below" or "above"

A target is the same as on another run if it is, or if it differs in nothing but its dates, numbers and ids (`template`). Pure functions;
their time grows with the entries and columns of the ledgers, each run is added on its own so that a caller can stop at any time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import sqrt
from typing import Any, Literal

from offduty.transactions.transaction import Transaction

RUNS = 20  # good runs that are looked at
FEW = 5  # with fewer good runs, more has to happen before something is unusual
LEAST_AGE = 3600.0  # seconds: an input's age is nothing to talk about below

READS = ("file.read", "object.read", "http.request", "queue.consume", "model.load")
WRITES = ("file.write", "object.write", "queue.publish", "mail.send")
READING_VERBS = ("SELECT", "WITH", "SHOW", "DESCRIBE", "PRAGMA", "EXPLAIN", "VALUES")
WRITING_VERBS = ("INSERT", "UPDATE", "MERGE", "REPLACE", "UPSERT", "COPY", "LOAD")

Key = tuple[str, str]
"""op and target, or op and template."""


@dataclass(frozen=True)
class Range:
    """The smallest and the largest of `count` values, none of them negative."""

    low: float
    high: float
    count: int

    def judge(self, value: float) -> Literal["", "below", "above"]:
        """Whether `value` is far outside: nothing where there was always something, or farther off than chance and custom explain.

        Custom: twice the width of the range. Chance: three times the square root, as for things counted. And always a tenth, or with
        fewer than five values three tenths.
        """
        if value < self.low and (value == 0 or self.low - value > self._slack(self.low)):
            return "below"
        return "above" if value > self.high and value - self.high > self._slack(self.high) else ""

    def _slack(self, bound: float) -> float:
        return max(2 * (self.high - self.low), 3 * sqrt(bound), bound * (0.1 if self.count >= FEW else 0.3))


def range_of(values: Iterable[float | None]) -> Range | None:
    """The range of those that are known; None without any."""
    known = [value for value in values if value is not None]
    return Range(min(known), max(known), len(known)) if known else None


class Seen:
    """What one run did with one target, all its transactions there together: the largest figures, all columns."""

    __slots__ = ("age", "bytes", "columns", "failed", "modified", "ok", "rows", "shape", "took")

    def __init__(self) -> None:
        self.rows: int | None = None
        self.bytes: int | None = None
        self.columns: int | None = None
        self.shape: Sequence[Sequence[str]] = ()
        self.modified: float | None = None
        self.age: float | None = None
        self.took: float | None = None
        self.ok = self.failed = False

    def add(self, entry: Mapping[str, Any]) -> None:
        """Take in an entry of a ledger (`Transaction.as_json`)."""
        self.ok = self.ok or entry.get("ok") is True
        self.failed = self.failed or bool(entry.get("failed")) or entry.get("ok") is False
        self.rows = _larger(self.rows, entry.get("rows"))
        self.bytes = _larger(self.bytes, entry.get("bytes"))
        self.columns = _larger(self.columns, entry.get("columns"))
        self.took = _larger(self.took, entry.get("took_s"))
        modified, at, shape = _number(entry.get("modified")), _number(entry.get("at")), _pairs(entry.get("shape"))
        if modified is not None and at is not None and (self.modified is None or modified > self.modified):
            self.modified, self.age = modified, max(at - modified, 0.0)
        if shape and shape != self.shape:
            self.shape = [*self.shape, *(pair for pair in shape if pair not in self.shape)] if self.shape else shape


def _pairs(shape: object) -> Sequence[Sequence[str]]:
    """A shape as it went to the store; nothing, if the disk has changed it."""
    if not isinstance(shape, list | tuple):
        return ()
    fit = all(isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(part, str) for part in pair) for pair in shape)
    return shape if fit else ()


@dataclass(frozen=True)
class Subject:
    """Something that good runs touch. `target`: exact, or where it is another on every run the template, as which `exact` is False.

    `runs`: on how many of the good runs. `always`: the columns of all of them that have columns; `types`: the types that each column had;
    `cut`: some had more columns than were kept. `rows`, `bytes`, `columns`, `age` (seconds, at the time of reading), `took` (seconds):
    their ranges. `interval`: seconds between one version of it and the next, usually. `last`: what the last good run saw.
    `unfailing`: on how many good runs in a row, up to the last, no such transaction failed.
    """

    op: str
    target: str
    exact: bool
    runs: int
    last: Seen
    rows: Range | None = None
    bytes: Range | None = None
    columns: Range | None = None
    age: Range | None = None
    took: Range | None = None
    interval: float | None = None
    always: frozenset[str] = frozenset()
    types: Mapping[str, frozenset[str]] = field(default_factory=dict)
    cut: bool = False
    unfailing: int = 0

    def is_stale(self, age: float) -> bool:
        """Whether a reader that finds it `age` seconds old should have found a newer one: half an interval later than ever before."""
        if self.age is None or self.interval is None:
            return False  # nobody knows how often it should change
        return age > self.age.high + max(self.interval / 2, LEAST_AGE)


@dataclass(frozen=True)
class Baseline:
    """What the good runs of a job look like. `started_at` of them (RFC 3339), newest first; `fingerprints` likewise, None where unknown.

    `duration`: seconds; `size`: how many transactions they had.
    """

    started_at: tuple[str, ...] = ()
    duration: Range | None = None
    size: Range | None = None
    last_size: int | None = None
    subjects: Mapping[Key, Subject] = field(default_factory=dict)
    groups: Mapping[Key, Subject] = field(default_factory=dict)
    fingerprints: tuple[Mapping[str, Any] | None, ...] = ()

    @property
    def runs(self) -> int:
        """How many good runs there were to look at."""
        return len(self.started_at)

    def of(self, one: Transaction) -> Subject | None:
        """What good runs did where this one did `one`."""
        return self.like(one.op, one.target)

    def like(self, op: str, target: str) -> Subject | None:
        """`of` by op and target."""
        return self.subjects.get((op, target)) or self.groups.get((op, template(target)))

    def missing(self, ledger: Iterable[Transaction], share: float = 1.0) -> list[Subject]:
        """What at least this share of the good runs touched, and this one did not, or in vain. Of interest if this one came to its end.

        Where the run touched a target of the same template that no good run knows, that is the one; nothing is missing.
        """
        keys = {(one.op, one.target) for one in ledger if one.ok is not False}
        fresh = {(op, template(target)) for op, target in keys if (op, target) not in self.subjects}
        exact = [one for key, one in self.subjects.items() if key not in keys and (one.op, template(one.target)) not in fresh]
        varying = [one for key, one in self.groups.items() if not one.exact and key not in fresh]
        return [one for one in (*exact, *varying) if one.runs >= share * self.runs]


def seen_in(ledger: Iterable[Transaction]) -> dict[Key, Seen]:
    """What a run did with each target, in the order in which it came to them."""
    seen: dict[Key, Seen] = {}
    for one in ledger:
        entry = {
            "ok": one.ok, "failed": one.failed, "rows": one.rows, "bytes": one.bytes, "columns": one.columns, "took_s": one.took_s,
            "modified": one.modified, "at": one.at, "shape": one.shape,
        }  # fmt: skip
        _entered(seen, (one.op, one.target)).add(entry)
    return seen


def _entered(seen: dict[Key, Seen], key: Key) -> Seen:
    found = seen.get(key)
    if found is None:
        found = seen[key] = Seen()
    return found


class Gathering:
    """Takes in good runs, newest first, and says what they have in common."""

    def __init__(self) -> None:
        self._runs: list[Mapping[str, Any]] = []
        self._sizes: list[int] = []
        self._fingerprints: list[Mapping[str, Any] | None] = []
        self._seen: list[dict[Key, Seen]] = []

    def add(self, run: Mapping[str, Any], ledger: Sequence[Mapping[str, Any]], fingerprint: Mapping[str, Any] | None = None) -> None:
        """Take in the next older good run: its record, its ledger and its fingerprint, as a store gives them."""
        seen: dict[Key, Seen] = {}
        for entry in ledger:
            _entered(seen, (entry["op"], entry["target"])).add(entry)
        for key, what in seen.items():
            if self._seen and (later := self._seen[-1].get(key)) is not None and later.shape == what.shape:
                what.shape = later.shape  # kept once: twenty runs of wide tables are many names
        self._runs.append(run)
        self._sizes.append(max((entry["number"] for entry in ledger), default=0))
        self._fingerprints.append(fingerprint)
        self._seen.append(seen)

    def baseline(self) -> Baseline:
        """What they look like, as many as there are by now."""
        subjects, groups = self._subjects()
        return Baseline(
            started_at=tuple(run["started_at"] for run in self._runs),
            duration=range_of(run.get("duration_s") for run in self._runs),
            size=range_of(self._sizes),
            last_size=self._sizes[0] if self._sizes else None,
            subjects=subjects,
            groups=groups,
            fingerprints=tuple(self._fingerprints),
        )

    def _subjects(self) -> tuple[dict[Key, Subject], dict[Key, Subject]]:
        """By op and target those that are the same on most runs; by op and template all that are alike."""
        places: dict[Key, dict[str, list[tuple[int, Seen]]]] = {}
        for number, seen in enumerate(self._seen):
            for (op, target), what in seen.items():
                places.setdefault((op, template(target)), {}).setdefault(target, []).append((number, what))
        exact, groups = {}, {}
        for (op, alike), targets in places.items():
            runs = len({number for found in targets.values() for number, _ in found})
            same = {target for target, found in targets.items() if len(found) * 2 >= runs and (len(found) > 1 or runs == 1)}
            for target in same:
                exact[op, target] = _subject(op, target, targets[target], exact=True)
            varying = [pair for target, found in targets.items() if target not in same for pair in found]
            of_all = varying or [pair for found in targets.values() for pair in found]
            groups[op, alike] = _subject(op, alike, sorted(of_all, key=lambda pair: pair[0]), exact=not varying)
        return exact, groups


@lru_cache(maxsize=8192)
def template(target: str) -> str:
    """`target` with `#` for what is another on every run: numbers, and so dates; ids of eight hex digits or more; names of months."""
    return _VARIES.sub("#", target)


_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_VARIES = re.compile(rf"(?<![0-9a-z])(?:{_UUID}|[0-9a-f]{{8,}}|{_MONTHS})(?![0-9a-z])|[0-9]+", re.IGNORECASE)


def is_read(op: str, target: str) -> bool:
    """Whether it brings data in."""
    return op in READS or (op == "db.query" and _verb(target) in READING_VERBS)


def is_write(op: str, target: str) -> bool:
    """Whether it puts data out."""
    return op in WRITES or (op == "db.query" and _verb(target) in WRITING_VERBS)


def _verb(target: str) -> str:
    """The verb of `postgresql://dw/sales SELECT stores`."""
    return target.partition(" ")[2].partition(" ")[0].upper()


def _subject(op: str, target: str, found: Sequence[tuple[int, Seen]], *, exact: bool) -> Subject:
    """What is known of a target from (number of the run, newest 0; what it saw there), newest first."""
    seen = [what for _, what in found]
    always, types, cut = _columns(seen)
    broken = {number for number, what in found if what.failed}
    numbers = {number for number, _ in found}
    return Subject(
        op, target, exact, len(numbers), seen[0],
        rows=range_of(one.rows for one in seen), bytes=range_of(one.bytes for one in seen), columns=range_of(one.columns for one in seen),
        age=range_of(one.age for one in seen), took=range_of(one.took for one in seen if one.ok), interval=_interval(seen),
        always=always, types=types, cut=cut, unfailing=sum(number < min(broken) for number in numbers) if broken else len(numbers),
    )  # fmt: skip


def _columns(seen: Iterable[Seen]) -> tuple[frozenset[str], dict[str, frozenset[str]], bool]:
    """The columns that are in all shapes, the types that each had, and whether a shape is not whole. Alike shapes cost one comparison."""
    always: set[str] | None = None
    types: dict[str, set[str]] = {}
    before: Sequence[Sequence[str]] = ()
    cut = False
    for one in seen:
        cut = cut or (one.columns or 0) > len(one.shape) > 0
        if not one.shape or one.shape is before or one.shape == before:
            continue
        before = one.shape
        names = set()
        for name, kind in one.shape:
            names.add(name)
            types.setdefault(name, set()).add(kind)
        always = names if always is None else always & names
    return frozenset(always or ()), {name: frozenset(kinds) for name, kinds in types.items()}, cut


def _interval(seen: Iterable[Seen]) -> float | None:
    """Seconds between versions, the median; None if there was only one."""
    versions = sorted({one.modified for one in seen if one.modified is not None})
    apart = sorted(later - earlier for earlier, later in zip(versions, versions[1:], strict=False))
    return apart[len(apart) // 2] if apart else None


def _larger(one: Any, other: object) -> Any:
    """The larger one; what is no number does not count."""
    if _number(other) is None:
        return one
    return other if one is None or other > one else one


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
