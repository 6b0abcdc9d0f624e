"""The little statistics that a verdict needs: means, spread within groups, Student's t, differences with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import NamedTuple

EXACT = {
    0.975: (12.706, 4.303, 3.182, 2.776, 2.571),
    0.99: (31.821, 6.965, 4.541, 3.747, 3.365),
    0.999: (318.31, 22.327, 10.215, 7.173, 5.893),
}
"""Quantiles of t for 1 to 5 degrees of freedom, where the expansion below is not good enough."""


class Moments(NamedTuple):
    """Of a group: how many, their mean, the sum of squared distances from it."""

    n: int
    mean: float
    squares: float


class Interval(NamedTuple):
    """A value that was estimated, and between which two it is likely to be."""

    value: float
    low: float
    high: float


def moments(values: Iterable[float]) -> Moments:
    """Two passes: fast, and no cancellation where the values are large and alike."""
    values = list(values)
    if not values:
        return Moments(0, 0.0, 0.0)
    mean = math.fsum(values) / len(values)
    return Moments(len(values), mean, math.fsum([(value - mean) ** 2 for value in values]))


def pooled(groups: Iterable[Moments]) -> tuple[float, int]:
    """(standard deviation within groups, degrees of freedom); (0.0, 0) if no group has two."""
    several = [group for group in groups if group.n > 1]
    freedom = sum(group.n - 1 for group in several)
    return (math.sqrt(sum(group.squares for group in several) / freedom), freedom) if freedom else (0.0, 0)


def quantile(share: float, freedom: float) -> float:
    """Student's t: the value that a share of 0.975, 0.99 or 0.999 lies below. Cornish and Fisher's expansion from 6 degrees on."""
    if freedom < 1:
        return math.inf
    if freedom < 6:
        return EXACT[share][int(freedom) - 1]
    z, f = NormalDist().inv_cdf(share), freedom
    first = (z**3 + z) / (4 * f)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * f**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * f**3)
    return z + first + second + third


def difference(before: Moments, after: Moments, noise: float, freedom: int) -> Interval:
    """How much `after` is over `before`, with the interval that holds it 95 times of 100. `noise`: of one value."""
    gain = after.mean - before.mean
    reach = quantile(0.975, freedom) * noise * math.sqrt(1 / before.n + 1 / after.n) if freedom else math.inf
    return Interval(gain, gain - reach, gain + reach)


class Slope(NamedTuple):
    """A straight line through groups that stand side by side: by how much a step changes the value, its error, degrees of freedom."""

    value: float
    error: float
    freedom: int

    @property
    def t(self) -> float:
        """How many times its error it is."""
        return self.value / self.error if self.error > 0 else math.copysign(math.inf, self.value) if self.value else 0.0


def slope(groups: Sequence[Moments]) -> Slope:
    """By least squares over all their values; groups are 0, 1, 2 … on the other axis."""
    n = sum(group.n for group in groups)
    x_mean = sum(place * group.n for place, group in enumerate(groups)) / n
    y_mean = sum(group.mean * group.n for group in groups) / n
    sxx = sum(group.n * (place - x_mean) ** 2 for place, group in enumerate(groups))
    sxy = sum(group.n * (place - x_mean) * (group.mean - y_mean) for place, group in enumerate(groups))
    if n < 3 or sxx <= 0:
        return Slope(0.0, math.inf, 0)
    rise = sxy / sxx
    apart = sum(group.n * (group.mean - y_mean - rise * (place - x_mean)) ** 2 for place, group in enumerate(groups))
    rest = sum(group.squares for group in groups) + apart
    return Slope(rise, math.sqrt(rest / (n - 2) / sxx), n - 2)
