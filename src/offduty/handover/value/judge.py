"""Is more work worth it? From a metric by version, a target and what people spent: a verdict with its reasons. Pure.

1. Drift: the newest runs are worse than the target they used to meet, or than the same code was: look again.
2. Incidents: one row of the table takes most of the hours: fix that first.
3. Plateau: the last changes together gained less than two runs of the same code differ by: stop tinkering.
4. What is good enough is met, and nothing shows a plateau: enough.
5. A gain that is real: go on. Neither: too early to tell.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from offduty.handover.value.series import Point, Series, Stretch
from offduty.handover.value.spread import Interval, Moments, Slope, difference, moments, pooled, quantile, slope

Kind = Literal["look again", "fix first", "stop", "enough", "go on", "too early"]
LEAST_CHANGES, MOST_CHANGES = 5, 30
"""A plateau is that many changes long at least, and looked for so far back."""
LEAST_FREEDOM = 8
"""Runs beyond the first of their versions, without which nobody knows the noise."""
SMALL = 0.3
"""Of the noise: a change that gains less than this, nobody will ever notice."""
NEWEST, LEAST_NEWEST = 10, 5
MOSTLY = 0.9
LEAST_ROW_HOURS, ROW_SHARE = 2.0, 0.4
UNEXPLAINED = ("", "unknown")


@dataclass(frozen=True)
class Target:
    """`good_enough` of a metric: its value stands left of the sign. `lower`: less is better."""

    sign: str
    bound: float

    @property
    def lower(self) -> bool:
        """Whether less is better."""
        return self.sign in ("<", "<=")

    def is_met(self, value: float) -> bool:
        """Whether a value is good enough."""
        signs = {"<": value < self.bound, "<=": value <= self.bound, ">": value > self.bound, ">=": value >= self.bound}
        return signs.get(self.sign, value == self.bound)


@dataclass(frozen=True)
class Change:
    """A new version. `gain`: by how much the metric is better than with the version before (over 0 is better, whatever its direction)."""

    label: str
    at: float
    runs: int
    mean: float
    gain: Interval


@dataclass(frozen=True)
class Gains:
    """A metric, judged. `noise`: the standard deviation between runs of the same version; None if nobody knows.

    `flat`: how many last changes together gained less than that; 0 if they gained more, or nobody knows. `rising`: they gain.
    `met_since`: since when the target is met (None: it is not). `drift`: why the newest runs are worse, or "". `counts`: it is judged;
    of one that is only shown, nobody has said whether less is better. `newest`: the mean of the newest ten runs.
    """

    name: str
    unit: str
    noise: float | None
    changes: tuple[Change, ...]
    flat: int = 0
    flat_since: float | None = None
    flat_gain: Interval | None = None
    rising: Slope | None = None
    met_since: float | None = None
    target: Target | None = None
    drift: str = ""
    left_out: int = 0
    counts: bool = True
    newest: float = 0.0
    stretches: tuple[Stretch, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Verdict:
    """What to do, in a sentence, and why."""

    kind: Kind
    headline: str
    reasons: tuple[str, ...]


def gains_of(series: Series, target: Target | None, *, lower: bool, counts: bool = True) -> Gains:
    """A metric, judged. `lower`: less is better. `counts`: see `Gains`."""
    sign = -1.0 if lower else 1.0
    stretches = series.stretches
    groups = [Moments(one.moments.n, sign * one.moments.mean, one.moments.squares) for one in stretches]
    noise, freedom = pooled(groups)
    known = freedom >= LEAST_FREEDOM
    flat, gain = _plateau(groups, noise, freedom) if known and counts else (0, None)
    return Gains(
        series.name,
        series.unit,
        noise if known else None,
        tuple(_changes(stretches, groups, noise, freedom)),
        flat,
        stretches[-flat].first if flat else None,
        gain,
        _rising(groups) if known and counts else None,
        met_since(series.points, target) if target else None,
        target,
        _drift(series.points, stretches, target, sign) if counts else "",
        series.left_out,
        counts,
        moments(value for _, value in series.points[-NEWEST:]).mean,
        stretches,
    )


def _changes(stretches: Sequence[Stretch], groups: Sequence[Moments], noise: float, freedom: int) -> list[Change]:
    return [
        Change(stretch.label, stretch.first, after.n, stretch.moments.mean, difference(before, after, noise, freedom))
        for stretch, before, after in zip(stretches[1:], groups, groups[1:], strict=False)
    ]


def _plateau(groups: Sequence[Moments], noise: float, freedom: int) -> tuple[int, Interval | None]:
    """(the most last changes that are flat, what they gained together): of several windows the longest, 0 if there is none."""
    for changes in range(min(len(groups) - 1, MOST_CHANGES), LEAST_CHANGES - 1, -1):
        window = groups[-changes - 1 :]
        line = slope(window)
        reach = quantile(0.99, line.freedom) * line.error
        small = line.value + reach < SMALL * noise and line.t < 1.6
        if small and not _leaps(window, noise, freedom) and not _climbed(window, noise) and _broke(groups[:-changes], line):
            return changes, Interval(line.value * changes, (line.value - reach) * changes, (line.value + reach) * changes)
    return 0, None


def _leaps(window: Sequence[Moments], noise: float, freedom: int) -> bool:
    """Whether any one change gained for sure."""
    sure = quantile(0.999, freedom) * noise
    return any(
        after.mean - before.mean > sure * math.sqrt(1 / before.n + 1 / after.n) for before, after in zip(window, window[1:], strict=False)
    )


def _climbed(window: Sequence[Moments], noise: float) -> bool:
    """Whether the newer half of the window is better than the older by more than chance: a late rise that a line would smooth over."""
    half = len(window) // 2
    older, newer = _together(window[:half]), _together(window[-half:])
    return newer.mean - older.mean > 2.6 * noise * math.sqrt(1 / older.n + 1 / newer.n)


def _broke(before: Sequence[Moments], line: Slope) -> bool:
    """Whether the rise before, if there was one, is steeper than the plateau for sure: else it may be the same small steady gain."""
    if len(before) < 2:
        return True
    rise = slope(before)
    return rise.t < 2.0 or rise.value - line.value > 2.5 * math.hypot(rise.error, line.error)


def _together(groups: Sequence[Moments]) -> Moments:
    n = sum(group.n for group in groups)
    return Moments(n, sum(group.n * group.mean for group in groups) / n, 0.0)


def _rising(groups: Sequence[Moments]) -> Slope | None:
    """The surest rise over some last changes, if there is one."""
    lines = [slope(groups[-changes - 1 :]) for changes in range(1, min(len(groups) - 1, 10) + 1)]
    best = max(lines, key=lambda line: line.t, default=None)
    return best if best is not None and best.freedom >= LEAST_FREEDOM and best.t > 2.5 else None


def met_since(points: Sequence[Point], target: Target) -> float | None:
    """Since when nine of ten runs meet it, if most of the newest ten do."""
    newest = points[-NEWEST:]
    if not newest or sum(target.is_met(value) for _, value in newest) < MOSTLY * len(newest):
        return None
    since, met = newest[-1][0], 0
    for count, (at, value) in enumerate(reversed(points), 1):
        is_met = target.is_met(value)
        met += is_met
        if met < MOSTLY * count:
            break
        since = at if is_met else since
    return since


def _drift(points: Sequence[Point], stretches: Sequence[Stretch], target: Target | None, sign: float) -> str:
    return _below_target(points, target, sign) or _worse_than_it_was(points, stretches, sign)


def _below_target(points: Sequence[Point], target: Target | None, sign: float) -> str:
    """The target used to be met, and the newest runs are beyond it for sure."""
    newest, earlier = points[-NEWEST:], points[:-NEWEST]
    if target is None or len(newest) < LEAST_NEWEST or len(earlier) < LEAST_NEWEST:
        return ""
    now = moments(value for _, value in newest)
    error = math.sqrt(now.squares / (now.n - 1) / now.n)
    beyond = sign * (target.bound - now.mean) > quantile(0.99, now.n - 1) * error
    if not beyond or not _was_met(earlier, target):
        return ""
    return f"the newest {now.n} runs are at {figure(now.mean)}, beyond the target {target.sign} {figure(target.bound)} that was met before"


def _was_met(earlier: Sequence[Point], target: Target) -> bool:
    """Most of some ten runs in a row met it."""
    hits = [target.is_met(value) for _, value in earlier]
    inside = sum(hits[:NEWEST])
    best = inside
    for new, old in zip(hits[NEWEST:], hits, strict=False):
        inside += new - old
        best = max(best, inside)
    return best >= MOSTLY * min(NEWEST, len(hits))


def _worse_than_it_was(points: Sequence[Point], stretches: Sequence[Stretch], sign: float) -> str:
    """The same code does worse than in its first runs, by more than one run differs from the next, and for sure."""
    if not stretches or stretches[-1].moments.n < 4 * LEAST_NEWEST:
        return ""
    same = [sign * value for _, value in points[-stretches[-1].moments.n :]]
    part = min(len(same) // 3, 2 * NEWEST)
    old, new = moments(same[:part]), moments(same[-part:])
    steps = [after - before for before, after in zip(same, same[1:], strict=False)]
    noise = math.sqrt(sum(step * step for step in steps) / (2 * len(steps)))
    loss = old.mean - new.mean
    if loss <= max(noise, quantile(0.999, len(same) - 2) * noise * math.sqrt(2 / part)):
        return ""
    return (
        f"the same code does worse than it did: {figure(sign * new.mean)} in its newest {part} runs, {figure(sign * old.mean)} in its first"
    )


def verdict(
    gains: Sequence[Gains],
    hours: float,
    row_hours: dict[str, float],
    flat_hours: float | None,
    unreported: Sequence[str] = (),
    rows: Collection[str] | None = None,
) -> Verdict:
    """What follows. `gains`: the metric that counts first. `hours`: of people, in the last 90 days; `row_hours`: of them for incidents,
    by cause; `flat_hours`: spent on the changes of the plateau; `unreported`: metrics that have a target, and of which no run tells;
    `rows`: of the triage table (None: whatever took hours is one).
    """
    missing = [f'{name} has a target, but no good run has reported it: offduty.metric("{name}", …)' for name in unreported]
    reasons = (*(reason for one in gains for reason in _reasons(one)), *missing, *_row_reasons(row_hours, hours, rows))
    row = next(iter(row_hours), "")
    if drifting := [one for one in gains if one.drift]:
        return Verdict("look again", f"look again: {drifting[0].name} drifts", reasons)
    if row and row_hours[row] >= LEAST_ROW_HOURS and row_hours[row] >= ROW_SHARE * hours:
        share = round(100 * row_hours[row] / hours)
        return Verdict("fix first", f"fix {_called(row, rows)} first: it took {share} % of the human hours", reasons)
    if not gains:
        return Verdict("too early", "too early to tell: no run has reported a metric", reasons)
    return _of_metric(gains, flat_hours, reasons, all_reported=not unreported)


def _of_metric(gains: Sequence[Gains], flat_hours: float | None, reasons: tuple[str, ...], *, all_reported: bool) -> Verdict:
    """Of the first metric, and the targets of all."""
    first, targets = gains[0], [one for one in gains if one.target]
    met = all_reported and bool(targets) and all(one.met_since is not None for one in targets)
    if first.flat:
        spent = f", for {flat_hours:.0f} h" if flat_hours else ""
        aim = "" if met or not targets else "; the target is not met, and more of the same does not bring it nearer"
        return Verdict("stop", f"stop tinkering: the last {first.flat} changes gained less than the noise{spent}{aim}", reasons)
    if met:
        return Verdict("enough", "good enough is met: more work is a choice, not a need", reasons)
    if first.rising is not None:
        return Verdict("go on", f"go on: changes still gain about {figure(first.rising.value)} each", reasons)
    return Verdict("too early", "too early to tell: neither a gain nor a plateau is sure", reasons)


def _reasons(one: Gains) -> list[str]:
    unit = f" {one.unit}" if one.unit else ""
    said = [f"{one.name}: {one.drift}"] if one.drift else []
    if one.left_out:
        values = "1 value is" if one.left_out == 1 else f"{one.left_out} values are"
        said.append(f"{one.name}: {values} left out: not finite, or in another unit than now")
    if not one.counts:
        return said
    if one.target is not None:
        aim = f"{one.target.sign} {figure(one.target.bound)}{unit}"
        since = time.strftime("%d %b %Y", time.gmtime(one.met_since)) if one.met_since is not None else ""
        stands = f"met since {since}" if since else f"not met: the newest runs are at {figure(one.newest)}"
        said.append(f"{one.name}: good enough ({aim}) is {stands}")
    if one.flat_gain is not None and one.noise is not None:
        gained = f"the last {one.flat} changes together gained {signed(one.flat_gain.value)}, at most {signed(one.flat_gain.high)}"
        said.append(f"{one.name}: {gained}; runs of the same code differ by {figure(one.noise)}{unit}")
    elif one.noise is not None:
        said.append(f"{one.name}: runs of the same code differ by {figure(one.noise)}{unit} (standard deviation)")
    else:
        said.append(f"{one.name}: too few runs of the same code to know its noise")
    return said


def _row_reasons(row_hours: dict[str, float], hours: float, rows: Collection[str] | None) -> list[str]:
    row = next(iter(row_hours), "")
    if not row or hours <= 0:
        return []
    about = "that nobody could explain" if rows is not None and row in UNEXPLAINED else f"of {_called(row, rows)}"
    said = [f"incidents {about} took {row_hours[row]:.1f} h of {hours:.1f} h in 90 days"]
    if rows is not None and row not in rows and row_hours[row] >= LEAST_ROW_HOURS:
        said.append("no row of the triage table is about that: offduty triage suggest writes one")
    return said


def _called(cause: str, rows: Collection[str] | None) -> str:
    """What an incident is about, for people: a row of the table, else what else triage or the watcher calls it."""
    if rows is None or cause in rows:
        return f"row {cause}"
    return "what nobody could explain" if cause in UNEXPLAINED else cause.replace("_", " ")


def figure(value: float) -> str:
    """A number as people read it: three digits that tell."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"


def signed(value: float) -> str:
    """A gain as people read it: its sign, and two digits that tell, as it is uncertain anyway."""
    shown = f"{value:+.0f}" if 10 <= abs(value) < 1e7 else f"{value:+.2g}"
    return "+0" if shown == "-0" else shown
