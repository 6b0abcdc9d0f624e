"""Which failures to rehearse: for each row one that makes it win, for each thing without a row one that is typical of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from offduty.drills.coverage import Answer, Coverage
from offduty.drills.faults import FAULTS
from offduty.drills.synthetic import Spot


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


def _for_row(row: str, answers: Iterable[Answer]) -> Planned:
    """The likeliest to be brought about: at something that was seen, by the probe, before what only the watcher would notice."""
    mine = [one for one in answers if one.row == row]
    best = min(mine, key=lambda one: ("probe", "signal", "watcher").index(FAULTS[one.fault].by), default=None)
    return Planned("", NOWHERE, row) if best is None else Planned(best.fault, best.spot, row)


def _without_row(answers: Sequence[Answer], found: Sequence[Planned]) -> Iterator[Planned]:
    """One drill for each transaction that no drill of a row strikes; of the whole job, a kill."""
    struck = {one.spot for one in found}
    for one in answers:
        if one.spot not in struck and FAULTS[one.fault].by != "watcher":
            struck.add(one.spot)
            yield _planned(one)


def _planned(one: Answer) -> Planned:
    return Planned(one.fault, one.spot, one.row)
