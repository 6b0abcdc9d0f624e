"""Failures that say nothing: the job exits with 0, and yet something went wrong. Found by what the run did, beside what good runs did.

The limits, and how often they cry wolf: docs/explanation/silent-failures.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

from offduty.durations import spoken, spoken_size
from offduty.transactions.baseline import is_write, template
from offduty.transactions.ledger import swallowed
from offduty.transactions.transaction import Transaction

RUNS = 30  # good runs that are looked at
ENOUGH = 5  # good runs that tell what is usual
ENOUGH_CHANGES = 10  # changes of an input, before it is told that it did not change
SURE_CHANGES = 20  # from so many on, it may have stayed once
HABIT = 3  # good runs that show that a failure is nothing new
FAR, SIGMAS, BELOW = (
    4.0,
    5.0,
    2.0,
)  # far from usual: so many times smaller than the median, so many deviations, below the smallest by so much
SLOW_ENOUGH = 1.0  # seconds: what takes less is never too fast
WRITES = ("file.write", "object.write")  # whose sizes are compared; of others, a row at a time may be all there is
READS = ("file.read", "object.read")
SHOWN = 5
SAME = 0.002  # seconds between two modified times that are one: they are told in thousandths


@dataclass(frozen=True)
class Past:
    """A run: when it started (seconds since 1970), how long it took, and its ledger, targets relative to the job's folder (`relative`)."""

    started: float
    duration_s: float | None
    entries: tuple[Transaction, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A sentence for the summary's notes. `warns`: whether the run is no success because of it."""

    text: str
    warns: bool = True


@dataclass(frozen=True)
class Declared:
    """What the configuration says, which counts for more than what is usual.

    `dependencies`: name by number of transaction; `aged`, `sized`: names of those with `max_age`, and with `min_rows`; `duration`: whether
    the job has a `min_duration`.
    """

    dependencies: Mapping[int, str]
    aged: frozenset[str] = frozenset()
    sized: frozenset[str] = frozenset()
    duration: bool = False


def relative(target: str, cwd: str) -> str:
    """`target` as it is called in a Past: a job that has moved reads and writes the same things elsewhere."""
    return target.replace(f"{cwd}/", "") if cwd else target  # `sqlite:///home/me/job/clinic.sqlite3` has it in the middle


def silent(run: Past, past: Sequence[Past], declared: Declared) -> list[Finding]:
    """What went wrong in a run that ended well. `past`: good runs, the newest first."""
    past = past[:RUNS]
    found = _swallowed(run, past, declared)
    if len(past) >= ENOUGH:
        found += _outputs(run, past, declared)
        found += _fast(run, past) if not declared.duration else []
    return found + _stale(run, past, declared)


# --- failed, and nobody was told


def _swallowed(run: Past, past: Sequence[Past], declared: Declared) -> list[Finding]:
    failed = swallowed(run.entries, ())
    if not failed:
        return []
    known = _Known(run, past)
    found, passed_over = [], []
    for one in failed:
        dependency = declared.dependencies.get(one.number)
        if known.went_well_later(one) or (dependency is None and (known.is_habit(one) or known.was_only_looked_for(one))):
            passed_over.append(one)
        else:
            found.append(Finding(_failure_text(one, dependency)))
    if len(found) > SHOWN:
        found[SHOWN:] = [Finding(f"{len(found) - SHOWN} more transactions failed, and the job went on")]
    if passed_over:
        what = ", ".join(dict.fromkeys(f"{one.verb} {one.target}" for one in passed_over[:SHOWN]))
        more = f" and {len(passed_over) - SHOWN} more" if len(passed_over) > SHOWN else ""
        found.append(Finding(f"failed, and then went well or is nothing new: {what}{more}", warns=False))
    return found


class _Known:
    """What is known of failures, gathered once: a run may have thousands of them."""

    def __init__(self, run: Past, past: Sequence[Past]) -> None:
        self._past = len(past)
        self._last_well = {(one.op, one.target): one.number for one in run.entries if one.ok and not one.failed}
        self._failing: Counter[tuple[str, str]] = Counter()
        for before in past:
            self._failing.update({_key(one) for one in swallowed(before.entries, ())})
        self._worked = {_key(one) for before in past for one in before.entries if one.ok}

    def went_well_later(self, one: Transaction) -> bool:
        """Whether it was tried again, and worked; of a flood, whether most of it worked."""
        return (one.count > 1 and one.failed * 2 < one.count) or self._last_well.get((one.op, one.target), 0) > one.number

    def is_habit(self, one: Transaction) -> bool:
        """Whether it fails on most good runs, too."""
        return self._past >= HABIT and self._failing[_key(one)] * 2 > self._past

    def was_only_looked_for(self, one: Transaction) -> bool:
        """A file that is not there, and that no good run ever read: a cache, a setting that one may leave out."""
        is_absent = one.op.startswith("file.") and one.error and one.error["type"] in ("FileNotFoundError", "NotADirectoryError")
        return bool(is_absent) and _key(one) not in self._worked


def _key(one: Transaction) -> tuple[str, str]:
    return one.op, template(one.target)


def _failure_text(one: Transaction, dependency: str | None) -> str:
    which = f"{one.failed} of {one.count} transactions" if one.count > 1 else f"transaction {one.number}"
    error = f": {one.error['type']}: {one.error['message'].partition(chr(10))[0][:120]}".rstrip(": ") if one.error else ""
    of = f" ({dependency})" if dependency else ""
    return f"{which} failed, and the job went on: {one.verb} {one.target}{of}{error}"


# --- what good runs write


def _outputs(run: Past, past: Sequence[Past], declared: Declared) -> list[Finding]:
    now, before = _written(run.entries), [_written(one.entries) for one in past]
    sized = {template(one.target) for one in run.entries if declared.dependencies.get(one.number) in declared.sized}
    found = []
    for key in dict.fromkeys(key for written in before[:1] for key in written):
        usual = [written.get(key) for written in before]
        if None in usual:
            continue
        outputs = [one for one in usual if one is not None]
        if key not in now:
            found.append(Finding(f"no output: {outputs[0].target} was not written, as it was by each of the last {len(past)} good runs"))
        elif key not in sized:
            found += _smaller(now[key], outputs)
    return found


@dataclass(frozen=True)
class _Output:
    target: str
    rows: int | None
    bytes: int | None


def _written(entries: Iterable[Transaction]) -> dict[str, _Output]:
    """What a run wrote, by kind of target: each file as it was written last, those of one kind together. Of databases, that it did."""
    last: dict[str, Transaction] = {}
    for one in entries:
        if one.ok and is_write(one.op, one.target):
            last[one.target] = one if one.op in WRITES else replace(one, rows=None, bytes=None)
    found: dict[str, _Output] = {}
    for target, one in last.items():
        before = found.get(template(target), _Output(target, 0, 0))
        found[template(target)] = _Output(target, _sum(before.rows, one.rows), _sum(before.bytes, one.bytes))
    return found


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _smaller(now: _Output, usual: Sequence[_Output]) -> list[Finding]:
    """By rows where they are known, else by bytes."""
    for unit in ("rows", "bytes"):
        value, values = getattr(now, unit), [getattr(one, unit) for one in usual]
        if value is None or None in values:
            continue
        if value == 0 and min(values) > 0:
            return [Finding(f"{now.target} is empty: {_amount(0, unit)}; good runs write {_range(values, unit)}")]
        if value and is_far_below(value, values):
            return [Finding(f"{now.target} is far smaller: {_amount(value, unit)}; good runs write {_range(values, unit)}")]
        return []
    return []


def is_far_below(value: float, usual: Sequence[float]) -> bool:
    """Whether `value` is far smaller than what is usual (all over 0): by factor, by spread, and below the smallest that was seen."""
    if value <= 0 or min(usual) <= 0:
        return False
    logs = [log(one) for one in usual]
    middle = median(logs)
    spread = 1.4826 * median([abs(one - middle) for one in logs])
    return log(value) < middle - max(log(FAR), SIGMAS * spread) and value * BELOW < min(usual)


def median(values: Iterable[float]) -> float:
    """The middle one, or the mean of the two."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _amount(value: float, unit: str) -> str:
    return spoken_size(int(value)) if unit == "bytes" else f"{int(value):,} rows".replace(",", " ")


def _range(values: Sequence[float], unit: str) -> str:
    if min(values) == max(values):
        return _amount(values[0], unit)
    low, high = (_amount(one, unit).removesuffix(" rows") for one in (min(values), max(values)))
    return f"{low} to {high}" + (" rows" if unit == "rows" else "")


# --- too fast


def _fast(run: Past, past: Sequence[Past]) -> list[Finding]:
    usual = [one.duration_s for one in past if one.duration_s]
    if run.duration_s is None or len(usual) < ENOUGH or median(usual) < SLOW_ENOUGH or not is_far_below(max(run.duration_s, 1e-3), usual):
        return []
    return [Finding(f"far too fast: {spoken(run.duration_s)}; good runs take {spoken(min(usual))} to {spoken(max(usual))}")]


# --- the same input again


def _stale(run: Past, past: Sequence[Past], declared: Declared) -> list[Finding]:
    if not _is_due(run, past):
        return []
    versions = [_read(one.entries) for one in past]
    found = []
    for target, (one, version) in _read(run.entries).items():
        seen = [versions_of_run[target][1] for versions_of_run in versions if target in versions_of_run]
        if declared.dependencies.get(one.number) in declared.aged or not seen or not _is_same(version, seen[0]) or not _changes(seen):
            continue
        age = spoken(max(0.0, run.started - version[0]))
        found.append(Finding(f"{target} is what the last good run has read already: {age} old, and it used to be new on each run"))
    return found


def _is_due(run: Past, past: Sequence[Past]) -> bool:
    """Whether enough time has passed since the last good run; somebody who runs a job again at once expects the same input."""
    gaps = [newer.started - older.started for newer, older in zip(past, past[1:], strict=False)]
    return len(gaps) >= ENOUGH_CHANGES and run.started - past[0].started >= median(gaps) / 2


_Version = tuple[float, int]


def _read(entries: Iterable[Transaction]) -> dict[str, tuple[Transaction, _Version]]:
    """The inputs of a run, each as it was read first: modified time and size."""
    found: dict[str, tuple[Transaction, _Version]] = {}
    for one in entries:
        if one.op in READS and one.ok and one.count == 1 and one.modified is not None and one.bytes is not None:
            found.setdefault(one.target, (one, (one.modified, one.bytes)))
    return found


def _is_same(one: _Version, other: _Version) -> bool:
    return abs(one[0] - other[0]) < SAME and one[1] == other[1]


def _changes(seen: Sequence[_Version]) -> bool:
    """Whether an input is another one on each run. `seen`: its versions, the newest first.

    That it stays now, and has been staying for some runs, is what is to be found: those do not count. By the rule of succession, an input
    that changed n times of n stays with a chance of 1 in n + 2.
    """
    same = [_is_same(newer, older) for newer, older in zip(seen, seen[1:], strict=False)]
    while same and same[0]:
        del same[0]
    streaks = sum(stays and not (number and same[number - 1]) for number, stays in enumerate(same))
    changes = len(same) - sum(same)
    return changes >= ENOUGH_CHANGES and streaks <= (1 if changes >= SURE_CHANGES else 0)
