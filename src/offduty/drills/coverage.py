"""Coverage: of everything that can fail, what the triage table explains, what only the catalogue knows, what nobody would hear of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

from offduty.drills.faults import FAULTS, faults_of, whole
from offduty.drills.synthetic import Spot, case_of, key_of
from offduty.transactions.dependency import Dependency, dependency_of
from offduty.transactions.scan import Place
from offduty.transactions.transaction import Transaction
from offduty.triage.case import Case
from offduty.triage.decide import decide
from offduty.triage.propose import broad_row, row_for
from offduty.triage.verdict import UNKNOWN, Verdict

By = Literal["row", "catalogue", "nothing", "hidden"]
Judge = Callable[[Case, Verdict], Verdict]
SURE = ("high", "medium")
JOB = Spot("", "", "")
"""The job as a whole: what no code shows."""


@dataclass(frozen=True)
class Answer:
    """What would explain one fault at one spot. `by`: `hidden` where an `except` swallows it, so that nothing would be told."""

    spot: Spot
    fault: str
    by: By
    row: str = ""
    team: str = ""
    category: str = ""
    severity: str = ""


@dataclass(frozen=True)
class Hole:
    """A spot with faults that no row of one's own explains. `proposed`: a row that would, as TOML has it; None where no row can help."""

    spot: Spot
    faults: tuple[str, ...]
    known: tuple[str, ...]
    proposed: Mapping[str, Any] | None

    @property
    def what(self) -> str:
        """Why it is one."""
        if self.spot.swallowed:
            return "an `except` hides its failure: no log, and so no row, would tell"
        return "no row explains it" + ("" if len(self.known) < len(self.faults) else "; the built-in catalogue does")


@dataclass(frozen=True)
class Coverage:
    """`answers`: one for each fault of each spot. `unreached`: rows that none of these faults brings to win."""

    job: str
    answers: tuple[Answer, ...]
    holes: tuple[Hole, ...]
    unreached: tuple[str, ...]

    @cached_property
    def share(self) -> float:
        """Of all that can fail, how much a row of one's own explains: 0 to 1; 1 where nothing can."""
        return self._of("row") / len(self.answers) if self.answers else 1.0

    @cached_property
    def known(self) -> float:
        """The same, with what the built-in catalogue explains."""
        return (self._of("row") + self._of("catalogue")) / len(self.answers) if self.answers else 1.0

    @cached_property
    def broad(self) -> tuple[Mapping[str, Any], ...]:
        """A row for each kind of failure that only the catalogue explains, the widest first; `team` where all of it is one's."""
        kinds: dict[str, list[str]] = {}
        for one in self.answers:
            if one.by == "catalogue":
                kinds.setdefault(one.category, []).append(one.team)
        order = sorted(kinds, key=lambda kind: -len(kinds[kind]))
        return tuple(broad_row(kind, teams[0] if len(set(teams := kinds[kind])) == 1 else "") for kind in order)

    def _of(self, by: By) -> int:
        return sum(one.by == by for one in self.answers)


def spots_of(
    places: Iterable[Place], transactions: Iterable[Transaction], dependencies: Sequence[Dependency], cwd: str = "", base: str = ""
) -> list[Spot]:
    """Everything that is touched: places in the source, with the target that a run has shown, and what only runs have shown.

    `base`: what the places' paths begin with, if they are not relative to the job's folder.
    """
    places = list(places)
    found: dict[tuple[str, str, str], Spot] = {}
    by_line = {(_plain(place.where, base), place.op): place for place in places}
    for one in transactions:
        line, _, function = (one.where or "").partition(" in ")
        place = by_line.get((line, one.op)) or _in_cell(one.op, line, places)
        spot = Spot(one.op, one.target, line, function=function, seen=True, dependency=dependency_of(one, dependencies, cwd))
        if place is not None:
            spot = replace(spot, via=place.via, swallowed=place.swallowed, scanned=True)
        found.setdefault((one.op, _plain(place.where, base) if place else line, "" if place else one.target), spot)
    for (line, op), place in by_line.items():
        found.setdefault((op, line, ""), _scanned(place, line, dependencies, cwd))
    return sorted(found.values(), key=_order)


def _in_cell(op: str, where: str, places: Iterable[Place]) -> Place | None:
    """A kernel knows cells by numbers of its own (`3867992191.py:2`): the one place of the notebook that does such a thing in that line."""
    cell, _, line = where.partition(".py:")
    if not cell.isdigit():
        return None
    found = [place for place in places if place.op == op and " cell " in place.where and place.where.endswith(f":{line}")]
    return found[0] if len(found) == 1 else None


def _plain(where: str, base: str) -> str:
    return where.removeprefix(base)


def _order(spot: Spot) -> tuple[str, int, str]:
    path, _, line = spot.where.rpartition(":")
    return (path or spot.where, int(line) if line.isdigit() else 0, spot.op)


def _scanned(place: Place, where: str, dependencies: Sequence[Dependency], cwd: str) -> Spot:
    target = place.target or ""
    dependency = dependency_of(Transaction(1, place.op, target), dependencies, cwd) if target else None
    return Spot(place.op, target, where, place.via, place.function or "", place.swallowed, scanned=True, dependency=dependency)


def cover(job: str, spots: Sequence[Spot], rows: Sequence[str], judge: Judge) -> Coverage:
    """Hold every fault of every spot, and of the job as a whole, against the table. `rows`: their names. `judge`: triage."""
    known: dict[str, Verdict] = {}
    answers, holes = [], []
    for spot in (*spots, JOB):
        mine = [
            found
            for fault in (faults_of(spot.op, spot.target) if spot.op else whole())
            if (found := _answer(spot, fault.name, job, judge, known))
        ]
        answers += [answer for answer, _, _ in mine]
        holes += _holes(spot, mine)
    reached = {answer.row for answer in answers if answer.by == "row"}
    return Coverage(job, tuple(answers), tuple(holes), tuple(name for name in rows if name not in reached))


def _answer(spot: Spot, fault: str, job: str, judge: Judge, known: dict[str, Verdict]) -> tuple[Answer, Case, Verdict] | None:
    case = case_of(spot, fault, job)
    if case is None:
        return None
    key = key_of(spot, fault)
    if key not in known:
        known[key] = decide(case)
    verdict = judge(case, known[key])
    by: By = "hidden" if spot.swallowed and FAULTS[fault].loud else _by(verdict)
    return (
        Answer(spot, fault, by, verdict.row or "" if by == "row" else "", verdict.team or "", verdict.category, verdict.severity),
        case,
        verdict,
    )


def _by(verdict: Verdict) -> By:
    if verdict.source == "table":
        return "row"
    return "catalogue" if verdict.category != UNKNOWN and verdict.confidence in SURE else "nothing"


def _holes(spot: Spot, answers: Sequence[tuple[Answer, Case, Verdict]]) -> list[Hole]:
    """None, or one: with the row for what the catalogue knows least of."""
    open_ones = [one for one in answers if one[0].by != "row"]
    if not open_ones:
        return []
    known = tuple(answer.fault for answer, _, _ in open_ones if answer.by == "catalogue")
    if spot.swallowed:
        return [Hole(spot, tuple(answer.fault for answer, _, _ in open_ones), known, None)]
    worst = next((one for one in open_ones if one[0].by == "nothing"), open_ones[0])
    return [Hole(spot, tuple(answer.fault for answer, _, _ in open_ones), known, _proposed(spot, open_ones, *worst[1:]))]


def _proposed(spot: Spot, open_ones: Sequence[tuple[Answer, Case, Verdict]], case: Case, verdict: Verdict) -> Mapping[str, Any]:
    """A row for the one fault that is open; for several of one dependency one that takes what no other row does."""
    row = row_for(case, verdict)
    struck = [one for one in open_ones if any(it.ok is False for it in one[1].transactions)]
    if spot.dependency is None or len(struck) < 2:
        return row
    name = spot.dependency.name
    return {**row, "id": f"{name.upper()}-99", "when": {"dependency": name}, "cause": f"Something else is wrong with {name}."}
