"""A metric by version of the code: out of runs and measurements, stretches of runs that were made of the same code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from offduty.handover.store import GOOD, Measured, Past
from offduty.handover.value.spread import Moments, moments

LARGEST = 1e100
"""Beyond this nothing is measured, and its square would not fit."""
Point = tuple[float, float]
"""When a run started (seconds since 1970), and what it measured. No class: there may be 100 000."""


@dataclass(frozen=True)
class Stretch:
    """Runs in a row of the same code. `first`, `last`: starts of the first and the last of them."""

    label: str
    first: float
    last: float
    moments: Moments


@dataclass(frozen=True)
class Series:
    """A metric in its newest unit, by run and by version: one that comes back (code was taken back) is a stretch of its own.

    `left_out`: values that are not finite (or absurd), or in another unit.
    """

    name: str
    unit: str
    points: tuple[Point, ...]
    stretches: tuple[Stretch, ...]
    left_out: int = 0


def versions_filled(runs: Iterable[Past]) -> list[Past]:
    """Good runs, in order; a run of which nobody knows the code is of that of the run before."""
    filled, version, label = [], "", ""
    for run in runs:
        if run.outcome not in GOOD:
            continue
        version, label = (run.version, run.label) if run.version else (version, label)
        filled.append(run if run.version == version else run._replace(version=version, label=label))
    return filled


def series_of(good: Sequence[Past], measured: Iterable[Measured]) -> dict[str, Series]:
    """All metrics of good runs (as `versions_filled` gives them) by name; `measured` in the order of the runs.

    Of a run, the last value of a name counts. Nothing is made here for each value but its point: there may be many 100 000.
    """
    runs = {run.id: run for run in good}
    found: dict[str, dict[str, Measured]] = {}
    for one in measured:
        if (name := one[1]) not in found:
            found[name] = {}
        found[name][one[0]] = one
    reported = {name: [one for run_id, one in of_runs.items() if run_id in runs] for name, of_runs in found.items()}
    return {name: _series(values, runs) for name, values in reported.items() if values}


def _series(values: list[Measured], runs: Mapping[str, Past]) -> Series:
    """A unit that changed begins the metric anew: 0.08 and 8 % are not to be compared."""
    _, name, _, unit = values[-1]
    usable = [one for one in values if one[3] == unit and -LARGEST < one[2] < LARGEST]  # nor NaN
    by = [runs[one[0]] for one in usable]
    points = [(run.at, one[2]) for run, one in zip(by, usable, strict=True)]
    return Series(name, unit, tuple(points), tuple(_stretches(by, points)), len(values) - len(usable))


def _stretches(by: Sequence[Past], points: Sequence[Point]) -> Iterator[Stretch]:
    begin = 0
    for _, group in groupby([run.version for run in by]):
        end = begin + len(list(group))
        first, last = by[begin], by[end - 1]
        yield Stretch(last.label, first.at, last.at, moments([value for _, value in points[begin:end]]))
        begin = end
