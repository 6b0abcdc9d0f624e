"""Which dependency a transaction belongs to: the first whose `match` fits its target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from offduty.transactions.transaction import Transaction


@dataclass(frozen=True)
class Dependency:
    """What a job relies on, and what is expected of it. `match`: globs over targets; `*` also stands for `/`.

    `max_age`: seconds. `columns`: names that have to be there. `max_null_share`: of any column, from 0 to 1.
    """

    name: str
    match: tuple[str, ...]
    max_age: float | None = None
    min_rows: int | None = None
    columns: tuple[str, ...] = ()
    max_null_share: float | None = None

    def fits(self, one: Transaction, cwd: str = "") -> bool:
        """Whether the transaction is with this dependency."""
        return any(fnmatchcase(target, pattern) for pattern in self.match for target in _targets(one, cwd))


def _targets(one: Transaction, cwd: str) -> Iterable[str]:
    """The target as a pattern may mean it: whole, relative to the job's folder, and of a statement its database alone."""
    yield one.target
    if cwd and one.target.startswith(f"{cwd}/"):
        yield one.target[len(cwd) + 1 :]
    if one.op == "db.query":
        yield one.target.partition(" ")[0]


def dependency_of(one: Transaction, dependencies: Sequence[Dependency], cwd: str = "") -> Dependency | None:
    """The first of `dependencies`, in the order of the configuration, that the transaction is with."""
    return next((dependency for dependency in dependencies if dependency.fits(one, cwd)), None)


def dependencies_of(transactions: Iterable[Transaction], dependencies: Sequence[Dependency], cwd: str = "") -> dict[int, str]:
    """The name of its dependency by the number of each transaction that has one. `cwd`: the job's folder, for patterns relative to it."""
    found = {one.number: dependency_of(one, dependencies, cwd) for one in transactions}
    return {number: dependency.name for number, dependency in found.items() if dependency is not None}


def from_settings(settings: Mapping[str, object]) -> list[Dependency]:
    """The dependencies of a configuration: objects with the fields of `[dependency.NAME]`, by name, in their order."""
    return [_read(name, one) for name, one in settings.items()]


def _read(name: str, one: object) -> Dependency:
    match: str | list[str] = getattr(one, "match")  # noqa: B009 - settings lie above us, and are known by their fields only
    share = getattr(one, "max_null_share", None)
    return Dependency(
        name, (match,) if isinstance(match, str) else tuple(match), getattr(one, "max_age", None), getattr(one, "min_rows", None),
        tuple(getattr(one, "columns", ())), None if share is None else float(share),
    )  # fmt: skip
