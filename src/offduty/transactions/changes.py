"""What is not as it was on the good runs of a job: inputs, outputs, and what it was made of, most telling first.

Pure functions. Only what is outside of everything that good runs show is a change, and only what is far outside is `unusual`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from offduty.durations import spoken, spoken_size
from offduty.transactions.baseline import Baseline, Range, Seen, Subject, is_read, is_write, seen_in
from offduty.transactions.change import KINDS, Change, Kind
from offduty.transactions.fingerprint import differences
from offduty.transactions.transaction import Transaction
from offduty.transactions.wording import good_runs, grouped, listed, ranged

MOST = 50  # changes kept
SURE = 2  # good runs from which on something that is not there is missing
NOT_THERE = ("FileNotFoundError", "NoSuchKey", "NoSuchBucket", "NotFound", "404")


def changes(
    usual: Baseline, ledger: Sequence[Transaction], fingerprint: Mapping[str, Any] | None, *, came_to_end: bool, cwd: str = ""
) -> list[Change]:
    """What is another than on the good runs, at most fifty; none without a good run.

    `came_to_end`: the run did all that it does, so that what it did not touch is missing. `cwd`: its folder, for shorter paths.
    """
    if not usual.runs:
        return []
    found = [*_of_data(usual, ledger, came_to_end), *differences(usual.fingerprints, fingerprint, came_to_end)]
    return sorted(found, key=lambda one: (not one.unusual, KINDS.index(one.kind)))[:MOST]


def ranked(found: Iterable[Change], text: str) -> list[Change]:
    """The same, those first whose names `text` speaks of (a failure's type and message)."""
    return sorted(found, key=lambda one: not any(is_named(name[1:], text) for name in one.names))


def is_named(name: str, text: str) -> bool:
    """Whether `text` has `name` as a word of its own."""
    start = text.find(name) if name else -1
    while start >= 0:
        around = text[start - 1 : start] + text[start + len(name) : start + len(name) + 1]
        if not any(c.isalnum() or c == "_" for c in around):
            return True
        start = text.find(name, start + 1)
    return False


# Data


def _of_data(usual: Baseline, ledger: Sequence[Transaction], came_to_end: bool) -> Iterator[Change]:
    for (op, target), seen in seen_in(ledger).items():
        subject = usual.like(op, target)
        reads = is_read(op, target)
        if subject is None or not (reads or is_write(op, target)):
            continue
        if seen.ok:
            yield from _of_target(target, seen, subject, reads)
    yield from _not_there(usual, ledger)
    if came_to_end:
        yield from _missing(usual, ledger)


def _of_target(target: str, seen: Seen, subject: Subject, reads: bool) -> Iterator[Change]:
    """What is another about data that was read or written."""
    if reads:
        yield from _columns(target, seen, subject)
        yield from _types(target, seen, subject)
    yield from _rows("input.rows" if reads else "output.rows", target, seen.rows, subject.rows, subject.runs)
    if seen.rows is None:
        yield from _size("input.size" if reads else "output.size", target, seen.bytes, subject.bytes, subject.runs)
    if reads and seen.age is not None and subject.age is not None and subject.is_stale(seen.age):
        text = f"{spoken(seen.age)} old (at most {spoken(subject.age.high)} on {good_runs(subject.runs)})"
        yield Change("input.age", target, text, unusual=True)


def _columns(target: str, seen: Seen, subject: Subject) -> Iterator[Change]:
    """Columns gone and new. Of tables so wide that not all names were kept, as many as their number fell or grew, or none are told."""
    gone, new = columns_gone(seen, subject), []
    if seen.shape and subject.types and not _is_cut(seen, subject):
        new = [name for name, _ in seen.shape if name not in subject.types]
    names = (*(f"-{name}" for name in gone), *(f"+{name}" for name in new))
    if names:
        yield Change("input.columns", target, listed(names), names, unusual=bool(gone))


def columns_gone(seen: Seen, subject: Subject) -> list[str]:
    """The columns that were there on every good run, and are not now."""
    if not seen.shape or not subject.always:
        return []
    there = {name for name, _ in seen.shape}
    gone = [name for name, _ in subject.last.shape if name in subject.always and name not in there]
    if _is_cut(seen, subject):
        fell = int(subject.columns.low) - seen.columns if subject.columns and seen.columns is not None else 0
        return gone if 0 < len(gone) <= fell else []
    return gone


def _is_cut(seen: Seen, subject: Subject) -> bool:
    return subject.cut or (seen.columns or 0) > len(seen.shape)


def _types(target: str, seen: Seen, subject: Subject) -> Iterator[Change]:
    others = [(name, kind, subject.types[name]) for name, kind in seen.shape if name in subject.types and kind not in subject.types[name]]
    if others:
        text = listed([f"{name} {'/'.join(sorted(before))} -> {kind}" for name, kind, before in others])
        yield Change("input.types", target, text, tuple(f"~{name}" for name, _, _ in others), unusual=True)


def _rows(kind: Kind, target: str, rows: int | None, before: Range | None, runs: int) -> Iterator[Change]:
    if rows is not None and before is not None and not before.low <= rows <= before.high:
        yield Change(kind, target, f"{grouped(rows)} rows ({ranged(before, grouped, runs)})", unusual=bool(before.judge(rows)))


def _size(kind: Kind, target: str, size: int | None, before: Range | None, runs: int) -> Iterator[Change]:
    """Sizes say little, so only those that say much."""
    if size is not None and before is not None and before.judge(size):
        yield Change(kind, target, f"{spoken_size(size)} ({ranged(before, lambda value: spoken_size(int(value)), runs)})", unusual=True)


def _not_there(usual: Baseline, ledger: Iterable[Transaction]) -> Iterator[Change]:
    """Inputs that the run looked for in vain, and good runs found."""
    for one in {(one.op, one.target): one for one in ledger if is_not_there(one)}.values():
        subject = usual.of(one)
        if is_read(one.op, one.target) and subject is not None and subject.last.ok:
            yield Change("input.missing", one.target, f"not there (it was on {good_runs(subject.runs)})", unusual=True)


def is_not_there(one: Transaction) -> bool:
    """Whether the transaction failed because its target does not exist."""
    if one.ok is not False or one.error is None:
        return False
    return str(one.status) in ("404", "NoSuchKey") or one.error["type"].rpartition(".")[2] in NOT_THERE


def _missing(usual: Baseline, ledger: Iterable[Transaction]) -> Iterator[Change]:
    """Outputs and inputs of every good run that this one did not touch."""
    for subject in usual.missing(ledger):
        if is_write(subject.op, subject.target):
            text = f"not written (it was on {good_runs(subject.runs, every=True)})"
            yield Change("output.missing", subject.target, text, unusual=subject.runs >= SURE)
        elif is_read(subject.op, subject.target):
            yield Change("input.missing", subject.target, f"not read (it was on {good_runs(subject.runs, every=True)})")
