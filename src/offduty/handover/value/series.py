"""A metric by version of the code: out of runs and measurements, stretches of runs that were made of the same code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from offduty.handover.store import GOOD, Measured, Past
from offduty.handover.value.spread import Moments, moments

LARGEST = 1e100
"""Beyond this nothing is measured, and its square would not fit."""
Point = tuple[float, float]
"""When a run started (seconds since 1970), and what it measured. No class: there may be 100 000."""
Reported = tuple[Past, float, str]
"""A run, what it measured, in which unit."""


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

    Of a run, the last value of a name counts.
    """
    runs = {run.id: run for run in good}
    found: dict[str, list[Reported]] = {}
    for run_id, of_run in groupby(measured, key=itemgetter(0)):
        run = runs.get(run_id)
        if run is None:
            continue
        for _, name, value, unit in of_run:
            values = found.setdefault(name, [])
            if values and values[-1][0] is run:
                values.pop()
            values.append((run, value, unit))
    return {name: _series(name, values) for name, values in found.items()}


def _series(name: str, values: list[Reported]) -> Series:
    """A unit that changed begins the metric anew: 0.08 and 8 % are not to be compared."""
    unit = values[-1][2]
    usable = [one for one in values if one[2] == unit and -LARGEST < one[1] < LARGEST]  # nor NaN
    stretches = tuple(_stretch(list(group)) for _, group in groupby(usable, key=_version))
    return Series(name, unit, tuple([(run.at, value) for run, value, _ in usable]), stretches, len(values) - len(usable))


def _version(one: Reported) -> str:
    return one[0].version


def _stretch(group: list[Reported]) -> Stretch:
    return Stretch(group[-1][0].label, group[0][0].at, group[-1][0].at, moments([value for _, value, _ in group]))
