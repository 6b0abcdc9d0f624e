"""What is expected of a dependency, held against one transaction with it: a check for each thing that can be judged."""

from __future__ import annotations

from collections.abc import Iterator

from offduty.durations import spoken
from offduty.transactions.check import PASSED, WARNED, Check
from offduty.transactions.dependency import Dependency
from offduty.transactions.transaction import Transaction

SHOWN = 5
CLOCKS = 300.0  # seconds by which a file may come from the future: another machine's clock wrote its time
READS = ("file.read", "object.read", "model.load", "db.query", "http.request", "queue.consume")


def judge(one: Transaction, dependency: Dependency) -> list[Check]:
    """The checks of a transaction that went well: `age of sales-feed`, `rows of …`, `columns of …`, `nulls of …`, as far as they are known.

    One that failed says so itself; one that stands for several is not judged, because its sizes are sums.
    """
    return list(_judged(one, dependency)) if one.ok and not one.failed and one.count == 1 else []


def _judged(one: Transaction, dependency: Dependency) -> Iterator[Check]:
    if dependency.max_age is not None and one.modified is not None and one.op in READS:
        yield _age(one, dependency, dependency.max_age)
    if dependency.min_rows is not None and one.rows is not None:
        few = one.rows < dependency.min_rows
        detail = f"{_grouped(one.rows)} rows, at least {_grouped(dependency.min_rows)} are expected" if few else ""
        yield _check(one, "rows", dependency, WARNED if few else PASSED, detail)
    if dependency.columns and one.shape:
        yield _columns(one, dependency)
    if dependency.max_null_share is not None and one.rows and one.nulls:
        yield _nulls(one, dependency, dependency.max_null_share)


def _age(one: Transaction, dependency: Dependency, limit: float) -> Check:
    age = one.at - (one.modified or 0.0)
    if age < -CLOCKS:
        return _check(one, "age", dependency, WARNED, f"it is from the future, by {spoken(-age)}: a clock is wrong")
    old = age > limit
    return _check(
        one, "age", dependency, WARNED if old else PASSED, f"{spoken(age)} old, at most {spoken(limit)} is expected" if old else ""
    )


def _columns(one: Transaction, dependency: Dependency) -> Check:
    """A shape holds the first thousand columns only: of a wider table, a column that is not among them may still be there."""
    there = {name for name, _ in one.shape}
    gone = [name for name in dependency.columns if name not in there]
    is_cut = one.columns is not None and one.columns > len(one.shape)
    if not gone or is_cut:
        return _check(
            one, "columns", dependency, PASSED, f"{len(gone)} could not be looked for: it has {one.columns} columns" if gone else ""
        )
    shown = ", ".join(f'"{name}"' for name in gone[:SHOWN]) + (f" and {len(gone) - SHOWN} more" if len(gone) > SHOWN else "")
    return _check(one, "columns", dependency, WARNED, f"{shown} {'is' if len(gone) == 1 else 'are'} gone")


def _nulls(one: Transaction, dependency: Dependency, limit: float) -> Check:
    shares = {name: count / (one.rows or 1) for (name, _), count in zip(one.shape, one.nulls, strict=False)}
    over = sorted((name for name, share in shares.items() if share > limit), key=lambda name: -shares[name])
    shown = ", ".join(f'"{name}" {shares[name]:.1%}' for name in over[:SHOWN]) + (
        f" and {len(over) - SHOWN} more" if len(over) > SHOWN else ""
    )
    detail = f"empty: {shown}; at most {limit:.1%} is expected" if over else ""
    return _check(one, "nulls", dependency, WARNED if over else PASSED, detail)


def _check(one: Transaction, what: str, dependency: Dependency, outcome: str, detail: str) -> Check:
    return Check(f"{what} of {dependency.name}", outcome, detail, "offduty", one.where, 1, one.at + (one.took_s or 0.0))


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")
