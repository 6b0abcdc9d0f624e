"""All that `offduty value` has to say of a job, put together from plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from offduty.clock import rfc3339
from offduty.handover.request import Requirements
from offduty.handover.store import GOOD, Measured, Past, Touch
from offduty.handover.value.effort import Effort, Handled, effort_of
from offduty.handover.value.judge import Gains, Target, Verdict, gains_of, verdict
from offduty.handover.value.series import series_of, versions_filled

DAY = 86_400.0
CALENDAR_DAYS = 182
MOST_METRICS = 20
FIRST = 1_577_836_800.0
"""2020: what ran before that had a clock that was not set."""


@dataclass(frozen=True)
class Terms:
    """What the configuration says. `targets`: `good_enough` by metric, in its order. Money where it is given, in `currency`.

    `rows`: names of the triage table's rows, where they are known.
    """

    metric: str = ""
    lower: bool | None = None
    targets: Mapping[str, Target] = field(default_factory=dict)
    per_run: float | None = None
    per_unit: float | None = None
    per_hour: float | None = None
    currency: str = ""
    rows: frozenset[str] | None = None


@dataclass(frozen=True)
class Money:
    """What came of it, in `currency`. `better`: of the metric, since its first version, over the runs there were. None: not given."""

    runs: float | None
    better: float | None
    spent: float | None
    currency: str

    def as_json(self) -> dict[str, Any]:
        """With the balance of what is known."""
        known = [part for part in (self.runs, self.better) if part is not None]
        return {**vars(self), "balance": sum(known) - (self.spent or 0.0) if known else None}


@dataclass(frozen=True)
class Report:
    """`runs`: how many ended, `good`: of them. `gains`: the main metric first. `days`: (good, bad) by day since 1970, of half a year.

    `streak`: good runs in a row by now, `longest`: ever; the attempts of one count once.
    """

    job: str
    runs: int
    good: int
    effort: Effort
    gains: tuple[Gains, ...]
    verdict: Verdict
    money: Money | None
    requirements: Requirements
    days: Mapping[int, tuple[int, int]]
    streak: int = 0
    longest: int = 0

    def as_json(self) -> dict[str, Any]:
        """As `offduty value --json` shows it."""
        judged = self.verdict
        return {
            "job": self.job,
            "verdict": judged.kind,
            "headline": judged.headline,
            "reasons": list(judged.reasons),
            "runs": self.runs,
            "good": self.good,
            "streak": self.streak,
            "longest_streak": self.longest,
            "effort": _effort_json(self.effort),
            "metrics": [_gains_json(one) for one in self.gains],
            "money": self.money.as_json() if self.money else None,
            "requirements": {**vars(self.requirements), "met": self.requirements.met},
        }


def report(
    job: str,
    runs: Sequence[Past],
    measured: Sequence[Measured],
    touches: Sequence[Touch],
    handled: Sequence[Handled],
    terms: Terms,
    requirements: Requirements,
    now: float,
) -> Report:
    """The report on a job. `runs`: all that ended, the oldest first; one whose clock was wrong has no place among them, and is left out."""
    misplaced = len(runs)
    runs = [run for run in runs if FIRST <= run.at <= now + DAY]
    misplaced -= len(runs)
    good = versions_filled(runs)
    effort = effort_of(runs, good, touches, handled, now)
    gains = _gains(good, measured, terms)
    first = gains[0] if gains else None
    flat_hours = effort.hours_since(first.flat_since) if first and first.flat_since is not None else None
    unreported = [name for name in terms.targets if all(one.name != name for one in gains)]
    judged = verdict(gains, effort.recent_hours, effort.by_row, flat_hours, unreported, terms.rows)
    if requirements.met:
        judged = Verdict(judged.kind, judged.headline, (*judged.reasons, "all requirements that were agreed are met"))
    if misplaced:
        said = f"{misplaced} {'run is' if misplaced == 1 else 'runs are'} left out: by the clock of then before 2020, or ahead of today"
        judged = Verdict(judged.kind, judged.headline, (*judged.reasons, said))
    money = _money(terms, len(good), first, effort)
    return Report(job, len(runs), len(good), effort, tuple(gains), judged, money, requirements, _days(runs, now), *streaks(runs))


def _gains(good: Sequence[Past], measured: Sequence[Measured], terms: Terms) -> list[Gains]:
    """The metric that counts first: the one that is named, else the first with a target, else the one that is reported most."""
    series = series_of(good, measured)
    usual = sorted(series, key=lambda name: (-len(series[name].points), name))
    wanted = [name for name in dict.fromkeys([terms.metric, *terms.targets, *usual]) if name in series and series[name].points]
    return [
        gains_of(series[name], terms.targets.get(name), lower=_is_lower(name, terms), counts=place == 0 or name in terms.targets)
        for place, name in enumerate(wanted[:MOST_METRICS])
    ]


def _is_lower(name: str, terms: Terms) -> bool:
    """The target says it, else the configuration; else it is taken for an error, of which less is better."""
    if name in terms.targets:
        return terms.targets[name].lower
    return terms.lower is not False


def _money(terms: Terms, good: int, first: Gains | None, effort: Effort) -> Money | None:
    if terms.per_run is None and terms.per_unit is None and terms.per_hour is None:
        return None
    better = None
    if terms.per_unit is not None and first is not None:
        better = terms.per_unit * _since_first(
            first, lower=terms.targets[first.name].lower if first.name in terms.targets else terms.lower is not False
        )
    runs = None if terms.per_run is None else terms.per_run * good
    spent = None if terms.per_hour is None else terms.per_hour * effort.hours
    return Money(runs, better, spent, terms.currency)


def _since_first(gains: Gains, *, lower: bool) -> float:
    """By how much each run was better than those of the first version, added up."""
    if not gains.stretches:
        return 0.0
    start = gains.stretches[0].moments.mean
    total = sum(one.moments.n * (one.moments.mean - start) for one in gains.stretches)
    return -total if lower else total


def _days(runs: Sequence[Past], now: float) -> dict[int, tuple[int, int]]:
    """(good, bad) runs by day."""
    today = int(now // DAY)
    counts = Counter((int(run.at // DAY), run.outcome in GOOD) for run in runs if today - CALENDAR_DAYS < run.at // DAY <= today)
    return {day: (counts[day, True], counts[day, False]) for day in sorted({day for day, _ in counts})}


def streaks(runs: Sequence[Past]) -> tuple[int, int]:
    """(good runs in a row by now, most that there ever were), the attempts of one counted once, by how the last of them ended."""
    ended = {run.root_id: run.outcome in GOOD for run in runs}
    lengths = [(good, sum(1 for _ in group)) for good, group in groupby(ended.values())]
    return lengths[-1][1] if lengths and lengths[-1][0] else 0, max((length for good, length in lengths if good), default=0)


def _effort_json(effort: Effort) -> dict[str, Any]:
    kinds = Counter(event.kind for event in effort.events)
    return {
        "hours": round(effort.hours, 2),
        "said_hours": round(effort.said_hours, 2),
        "recent_hours": round(effort.recent_hours, 2),
        "touches": dict(sorted(kinds.items())),
        "apart_s": effort.apart_s,
        "months": {month: round(hours, 2) for month, hours in effort.months.items()},
        "incident_hours": {row: round(hours, 2) for row, hours in effort.by_row.items()},
    }


def _gains_json(one: Gains) -> dict[str, Any]:
    changes = [
        {"version": it.label, "at": rfc3339(it.at), "runs": it.runs, "mean": it.mean, "gain": it.gain.value, "low": _finite(it.gain.low),
         "high": _finite(it.gain.high)}
        for it in one.changes
    ]  # fmt: skip
    return {
        "name": one.name,
        "judged": one.counts,
        "unit": one.unit or None,
        "noise": one.noise,
        "good_enough": f"{one.target.sign} {one.target.bound:g}" if one.target else None,
        "met_since": rfc3339(one.met_since) if one.met_since is not None else None,
        "flat_changes": one.flat,
        "drift": one.drift or None,
        "left_out": one.left_out,
        "changes": changes,
    }


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
