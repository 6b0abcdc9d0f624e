"""Which failures to rehearse: for each row one that makes it win, for each thing without a row one that is typical of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from offduty.drills.coverage import Answer, Coverage
from offduty.drills.faults import FAULTS
from offduty.drills.synthetic import SHELL, Spot


@dataclass(frozen=True)
class Planned:
    """One drill to do. `row`: the one that has to win; "" if none is promised. `fault` "": nothing makes that row win."""

    fault: str
    spot: Spot
    row: str = ""


NOWHERE = Spot("", "", "")


def plan(coverage: Coverage, rows: Sequence[str], *, row: str = "", fault: str = "", everything: bool = False) -> list[Planned]:
    """What was asked for: one row, one kind of fault, everything; else each row once, and each thing without a row once."""
    answers = [one for one in coverage.answers if not one.spot.op or one.spot.seen]
    if fault:
        return [_planned(one) for one in answers if one.fault == fault]
    if row:
        return [_for_row(row, answers)]
    if everything:
        return [*(_planned(one) for one in answers), *(Planned("", NOWHERE, name) for name in coverage.unreached)]
    found = [_for_row(name, answers) for name in rows]
    return [*found, *_without_row(answers, found)]


def plan_outside(
    coverage: Coverage, usual: Sequence[Planned], trials: Sequence[tuple[Spot, str]], *, row: str = "", fault: str = ""
) -> list[Planned]:  # fmt: skip
    """The same for a job that the probe cannot enter: what its programs say of a fault only trying shows, so everything is tried.

    `usual`: as `plan` has it; `trials`: (spot, fault) that can be brought about from outside. A row that is foreseen to win is promised;
    which others win turns out.
    """
    inside = {one.spot for one in coverage.answers if one.spot.op and one.spot.via != SHELL}
    kept = [one for one in usual if one.spot in inside or (one.fault and not one.spot.op)]
    foreseen = {(one.spot, one.fault): one.row for one in coverage.answers}
    tried = [Planned(name, spot, foreseen.get((spot, name), "")) for spot, name in trials if fault in ("", name)]
    wanted = [one for one in tried if one.row in ("", row)] if row else tried
    return [*kept, *wanted]


def _for_row(row: str, answers: Iterable[Answer]) -> Planned:
    """The likeliest to be brought about: at something that was seen, by the probe, before what only the watcher would notice."""
    mine = [one for one in answers if one.row == row]
    best = min(mine, key=lambda one: ("probe", "signal", "watcher").index(FAULTS[one.fault].by), default=None)
    return Planned("", NOWHERE, row) if best is None else Planned(best.fault, best.spot, row)


def _without_row(answers: Sequence[Answer], found: Sequence[Planned]) -> Iterator[Planned]:
    """One drill for each transaction that no drill of a row strikes; of the whole job, a kill."""
    struck = {one.spot for one in found if one.fault}
    for one in answers:
        if one.spot not in struck and FAULTS[one.fault].by != "watcher":
            struck.add(one.spot)
            yield _planned(one)


def _planned(one: Answer) -> Planned:
    return Planned(one.fault, one.spot, one.row)
