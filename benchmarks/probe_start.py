"""What the probe adds to the start of a Python job: the same Python with and without it, in turns.

Budget (docs/explanation/performance.md): <= 8 ms. Other interpreters than the venv's: name them as arguments. `ROUNDS` sets how often.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path

from _measure import VENV_PYTHON, Report, clean, environment, run

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
    pairs = [(run(command, env) * 1000, run(command, probed) * 1000) for _ in range(ROUNDS + 1)][1:]
    without, with_probe = (statistics.median(column) for column in zip(*pairs, strict=True))
    name = " ".join([Path(command[0]).resolve().name, *command[1:]])
    report.figure(f"{name}: without", without, "ms")
    report.figure(f"{name}: with the probe", with_probe, "ms")
    report.budget(f"{name}: added", with_probe - without, BUDGET_MS, unit="ms")


if __name__ == "__main__":
    main()
