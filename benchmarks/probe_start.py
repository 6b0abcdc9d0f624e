"""What the probe adds to the start of a Python job: the same Python with and without it, in turns.

Budget (docs/explanation/performance.md): <= 8 ms of processor time. On a quiet machine that is also what a clock shows; on a busy one a
clock shows how busy it is. Other interpreters than the venv's: name them as arguments. `ROUNDS` sets how often.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from _measure import VENV_PYTHON, Report, clean, environment

ROUNDS = int(os.environ.get("ROUNDS", "25"))
BUDGET_MS = 8.0
PATH = Path(__file__).resolve().parent.parent / "src" / "offduty_probe" / "path"
JOBS = ("pass", "import logging")  # the second one gets the hooks for threads, warnings and log records too


def main() -> None:
    """Measure and print."""
    env = environment()
    probed = env | {"PYTHONPATH": str(PATH), "OFFDUTY_EVENTS": f"{env['OFFDUTY_STATE_DIR']}/events.jsonl", "OFFDUTY_TOKEN": "t"}
    report = Report("what the probe adds to the start of a Python job")
    for python in sys.argv[1:] or [VENV_PYTHON]:
        for code in JOBS:
            measure(report, [python, "-c", code], env, probed)
    clean(env)
    report.end()


def measure(report: Report, command: list[str], env: Mapping[str, str], probed: Mapping[str, str]) -> None:
    """One pair first, uncounted, to warm the caches; then pairs, so that what else the machine does hits both alike."""
    pairs = [(run(command, env), run(command, probed)) for _ in range(ROUNDS + 1)][1:]
    name = " ".join([Path(command[0]).resolve().name, *command[1:]])
    for number, kind in enumerate(("processor", "clock")):
        without, with_probe = (statistics.median(one[number] for one in column) for column in zip(*pairs, strict=True))
        report.figure(f"{name}: without, by the {kind}", without, "ms")
        if kind == "processor":
            report.budget(f"{name}: added, by the {kind}", with_probe - without, BUDGET_MS, unit="ms")
        else:
            report.figure(f"{name}: added, by the {kind}", with_probe - without, "ms")


def run(command: Sequence[str], env: Mapping[str, str]) -> tuple[float, float]:
    """Milliseconds that `command` takes: of processors, and on the clock."""
    began = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, env)
    _, _, used = os.wait4(pid, 0)
    return (used.ru_utime + used.ru_stime) * 1000, (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
