"""What is wrong with a triage table that can be read: rows that never count, names that nobody knows, rows that help nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator

from offduty.errors import quoted
from offduty.transactions.transaction import VERBS
from offduty.triage.flaw import Flaw
from offduty.triage.matchers import regex
from offduty.triage.matchers.category import Category
from offduty.triage.matchers.condition import Condition, fits, is_glob
from offduty.triage.matchers.dependency import DependencyName
from offduty.triage.matchers.exit_code import ExitCode
from offduty.triage.matchers.message import Pattern
from offduty.triage.matchers.outcome import ABSENCES, Outcome
from offduty.triage.matchers.signal import Signal, number
from offduty.triage.matchers.target import MARK, Target
from offduty.triage.matchers.transaction import Kind
from offduty.triage.row import Row
from offduty.triage.table import Table

STRUCK = {"transaction", "status", "target", "dependency"}
"""Conditions on the transaction that failed, unless they stand beside `changed` or `check`."""


def lint(table: Table, *, teams: Collection[str], dependencies: Collection[str], categories: Collection[str], owned: bool) -> list[Flaw]:
    """Every finding, in the order of the rows.

    `categories`: those of the catalogue. `owned`: a failure without a team goes to somebody all the same, as each job has an owner.
    """
    found: list[tuple[int, Flaw]] = []
    for row in table.rows:
        flaws = [*_unknown(row, teams, dependencies, categories), *_never(row), *_careless(row), *_missing(row, owned)]
        found += [(row.number, flaw) for flaw in flaws]
    found += [(row.number, flaw) for row, flaw in (*_twice(table.rows), *_unreachable(table.rows))]
    return [flaw for _, flaw in sorted(found, key=lambda one: one[0])]


def _flaw(row: Row, code: str, what: str, path: tuple[str, ...] = (), *, why: str = "", fix: str = "") -> Flaw:
    return Flaw(code, f"{row.name}: {what}", path, why, fix, row.where)


def _unknown(row: Row, teams: Collection[str], dependencies: Collection[str], categories: Collection[str]) -> Iterator[Flaw]:
    """E207: names that have no table; E411: categories and kinds that nothing has."""
    if row.team and row.team not in teams:
        yield _flaw(row, "E207", f"there is no team {quoted(row.team)}", ("team",), fix=f"add [team.{row.team}]")
    known: dict[type[Condition], tuple[str, Collection[str]]] = {
        DependencyName: ("dependency", dependencies),
        Category: ("category", [*categories, "unknown"]),
        Kind: ("kind of transaction", [*VERBS]),
    }
    for condition in row.when:
        what, names = known.get(type(condition), ("", ()))
        for value in condition.values if what else ():
            if not any(fits(str(value), name) for name in names):
                code = "E207" if what == "dependency" else "E411"
                fix = f"add [dependency.{value}]" if what == "dependency" else f"known are {', '.join(sorted(names))}"
                yield _flaw(row, code, f"there is no {what} {quoted(value)}", ("when", condition.key), fix=fix)


def _never(row: Row) -> Iterator[Flaw]:
    """E411: conditions that exclude each other."""
    by = {type(condition): condition for condition in row.when}
    outcome, code, signal = by.get(Outcome), by.get(ExitCode), by.get(Signal)
    others = [condition.key for condition in row.when if not isinstance(condition, Outcome | Category)]
    if outcome and others and set(outcome.values) <= set(ABSENCES):
        yield _flaw(row, "E411", f"can never match: of a run that is {outcome.values[0]}, nobody knows its {others[0]}", ("when",))
    if code and signal and not {128 + number(value) for value in signal.values} & set(code.values):
        yield _flaw(row, "E411", "can never match: after a signal, the exit code is 128 and the signal's number", ("when",))
    if outcome and code and set(outcome.values) == {"failed"} and set(code.values) == {0}:
        yield _flaw(row, "E411", "can never match: a run that exits with 0 has not failed", ("when",), fix='write outcome = "warned"')


def _careless(row: Row) -> Iterator[Flaw]:
    """E415: patterns that fit anything."""
    for condition in row.when:
        for value in map(str, condition.values):
            pattern = value.removeprefix(MARK) if isinstance(condition, Target) and value.startswith(MARK) else value
            is_pattern = isinstance(condition, Pattern) or pattern != value
            if (is_pattern and regex.matches_nothing_said(pattern)) or (not is_pattern and condition.touches and not value.strip("*")):
                where = ("when", condition.key)
                yield _flaw(row, "E415", f"{quoted(value)} fits anything", where, fix="say more, or leave the condition out")


def _missing(row: Row, owned: bool) -> Iterator[Flaw]:
    """E413: what whoever is called has to know."""
    if not row.cause and not row.title:
        yield _flaw(row, "E413", "says no cause", fix="say in plain words what has happened")
    if not row.steps:
        yield _flaw(row, "E413", "says no steps", fix="say what to do first")
    if not row.team and not owned and not any(isinstance(condition, DependencyName) for condition in row.when):
        yield _flaw(row, "E413", "names no team", why="not every job has an owner", fix="say whose it is")


def _twice(rows: tuple[Row, ...]) -> Iterator[tuple[Row, Flaw]]:
    """E414: ids that are there twice."""
    first: dict[str, Row] = {}
    for row in rows:
        if row.id and row.id in first:
            yield (
                row,
                _flaw(row, "E414", f"{first[row.id].where or first[row.id].number} has the same id", ("id",), fix="call it otherwise"),
            )
        first.setdefault(row.id, row)


def _unreachable(rows: tuple[Row, ...]) -> Iterator[tuple[Row, Flaw]]:
    """E410: rows that an earlier one always beats.

    An earlier row is found by the first values of its first condition: it can only win always if one of the later row's is among them.
    """
    exact: dict[tuple[str, str], list[Row]] = defaultdict(list)
    broad: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        earlier = [one for condition in row.when for one in (*exact[condition.key, _fold(condition.values[0])], *broad[condition.key])]
        winner = next((one for one in sorted(earlier, key=lambda one: one.number) if beats(one, row)), None)
        if winner is not None:
            fix = f"put it before {winner.name}, or make {winner.name} say more"
            yield row, _flaw(row, "E410", f"never counts: {winner.name} matches whatever it matches", ("when",), fix=fix)
            continue
        first = row.when[0]
        for value in first.values:
            exact[first.key, _fold(value)].append(row)
        globs = not isinstance(first, Pattern) and any(is_glob(str(value)) for value in first.values)  # equal patterns are in `exact`
        if first.key in ("exception", "signal") or globs:
            broad[first.key].append(row)


def beats(earlier: Row, later: Row) -> bool:
    """Whether `earlier` surely matches whatever `later` matches."""
    by = {condition.key: condition for condition in later.when}
    if not all(condition.key in by and condition.covers(by[condition.key]) for condition in earlier.when):
        return False
    mine, theirs = ({condition.key for condition in row.when if condition.touches} for row in (earlier, later))
    return not mine or mine == theirs or mine | theirs <= STRUCK or (len(mine) == 1 and not mine & STRUCK)


def _fold(value: object) -> str:
    return str(value).casefold()
