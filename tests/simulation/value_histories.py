"""Histories of a metric whose right verdict is known, seeded; `python tests/simulation/value_histories.py [HOW MANY]` counts.

Levels are in standard deviations of one run. `plateau`: gains, then six to twelve changes that gain nothing. `noise`: eight to sixteen
changes that gain nothing. `gain`: every change gains half a deviation to two. `drift`: after a plateau, the same code gets worse, by three
deviations and over the target.
"""

from __future__ import annotations

import random
import sys
from collections import Counter

from offduty.handover.store import Past
from offduty.handover.value.judge import Target, gains_of, verdict
from offduty.handover.value.series import series_of, versions_filled

DAY = 86_400.0
RIGHT = {"plateau": "stop", "noise": "stop", "gain": "go on", "drift": "look again"}


def levels(kind, rng):
    """The true level of each run, with its version."""
    sizes = lambda count: [rng.randint(6, 12) for _ in range(count)]  # noqa: E731
    if kind == "gain":
        step = rng.uniform(0.5, 2.0)
        return [(version, version * step) for version, size in enumerate(sizes(rng.randint(8, 16))) for _ in range(size)]
    if kind == "noise":
        return [(version, 0.0) for version, size in enumerate(sizes(rng.randint(8, 16))) for _ in range(size)]
    rise = rng.randint(2, 5)
    step = rng.uniform(1.0, 3.0)
    flat = rng.randint(6, 12)
    found = [(version, min(version, rise) * step) for version, size in enumerate(sizes(rise + flat)) for _ in range(size)]
    if kind == "drift":
        length = rng.randint(25, 45)
        found += [(rise + flat, rise * step - 3.5 * n / length) for n in range(length)]
    return found


def history(kind, seed):
    """(runs, measurements, target) of one history: of less is better, or more, with any scale."""
    rng = random.Random(f"{kind} {seed}")
    sign, scale, base = rng.choice([-1, 1]), 10 ** rng.uniform(-3, 3), rng.uniform(5, 50)
    runs, measured = [], []
    best = 0.0
    for n, (version, level) in enumerate(levels(kind, rng)):
        best = max(best, level)
        runs.append(Past(str(n), str(n), "scheduled", "succeeded", n * DAY, f"v{version}", f"v{version}"))
        measured.append((str(n), "m", scale * (sign * (base + level) + rng.gauss(0, 1)), ""))
    aim = {"plateau": best - 1.5, "noise": 3.0, "gain": best + 3.0, "drift": best - 1.5}[kind]
    target = Target("<=" if sign < 0 else ">=", scale * sign * (base + aim))
    return runs, measured, target if kind == "drift" or rng.random() < 0.5 else None, sign < 0


def judged(kind, seed):
    """The verdict on one history."""
    runs, measured, target, lower = history(kind, seed)
    found = gains_of(series_of(versions_filled(runs), measured)["m"], target, lower=lower)
    return verdict([found], 0.0, {}, None)


def main(count):
    """Print, by kind, how often each verdict was given."""
    for kind in RIGHT:
        found = Counter(judged(kind, seed).kind for seed in range(count))
        shown = ", ".join(f"{name} {number}" for name, number in found.most_common())
        print(f"{kind:<8} right {100 * found[RIGHT[kind]] / count:5.1f} %   {shown}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
