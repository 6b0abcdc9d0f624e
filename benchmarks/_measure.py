"""What the benchmarks share: run cases in turn (A B A B …), take medians, print a ratio beside its budget, exit 1 when one is missed.

Only ratios taken in one run count: machines are noisy, and drift by a factor of two within an hour.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

VENV_PYTHON = sys.executable
OFFDUTY = str(Path(sys.executable).with_name("offduty"))


def environment() -> dict[str, str]:
    """A plain environment with a state folder of its own; byte code is cached, as for every user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OFFDUTY", "PYTHON"))}
    return kept | {"OFFDUTY_STATE_DIR": tempfile.mkdtemp(prefix="offduty-bench-")}


def run(command: Sequence[str], env: Mapping[str, str], stdout: int | None = None) -> float:
    """Seconds from the start of `command` to its end, its output thrown away."""
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null if stdout is None else stdout, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
    began = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, env, file_actions=actions)
    os.waitpid(pid, 0)
    took = time.perf_counter() - began
    os.close(null)
    return took


def alternate(cases: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each case's own measure, the cases taken in turn; one round beforehand warms the caches."""
    seen: dict[str, list[float]] = {name: [] for name in cases}
    for round_number in range(rounds + 1):
        for name, case in cases.items():
            value = case()
            if round_number:
                seen[name].append(value)
    return {name: statistics.median(values) for name, values in seen.items()}


class Report:
    """Lines of figures, and whether all budgets were met."""

    def __init__(self, title: str) -> None:
        self.missed = 0
        print(title)

    def figure(self, name: str, value: float, unit: str) -> None:
        """A measured value without a budget."""
        print(f"  {name:58} {value:10.2f} {unit}")

    def budget(self, name: str, value: float, limit: float, *, at_least: bool = False, unit: str = "x") -> None:
        """A value that has to keep within `limit` (or reach it)."""
        met = value >= limit if at_least else value <= limit
        self.missed += not met
        print(f"  {name:58} {value:10.2f} {unit:2}  budget {'>=' if at_least else '<='} {limit:g} {unit:2} {'met' if met else 'MISSED'}")

    def end(self) -> None:
        """Leave with 1 if a budget was missed."""
        sys.exit(1 if self.missed else 0)


def clean(env: Mapping[str, str]) -> None:
    """Remove what a benchmark left."""
    shutil.rmtree(env["OFFDUTY_STATE_DIR"], ignore_errors=True)


def has(*programs: str) -> bool:
    """Whether the peers are installed; says so if not."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        print(f"  not measured: {', '.join(missing)} not installed (Debian: apt-get install moreutils s6)")
    return not missing
