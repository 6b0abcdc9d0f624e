"""What `with offduty.run(…)` adds to a block of code, beside a start of plain Python: there is no budget, the figures are for the docs.

`ROUNDS` sets how often.
"""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Mapping

from _measure import VENV_PYTHON, Report, clean, environment, run

ROUNDS = int(os.environ.get("ROUNDS", "15"))
BLOCKS = """
import time
began = time.perf_counter()
import offduty
offduty.run
print("import", time.perf_counter() - began)
for _ in range({rounds}):
    began = time.perf_counter()
    with offduty.run("it", quiet=True):
        entered = time.perf_counter()
        {body}
        left = time.perf_counter()
    print("enter", entered - began)
    print("body", left - entered)
    print("leave", time.perf_counter() - left)
"""


def main() -> None:
    """Measure and print."""
    env = environment()
    report = Report("what a block in the same process costs")
    python = statistics.median(run([VENV_PYTHON, "-c", "pass"], env) for _ in range(ROUNDS))
    report.figure("plain Python: start and end", python * 1000, "ms")
    nothing = blocks("pass", env)
    report.figure("import offduty.run (once)", nothing["import"], "ms")
    report.figure("entering a block", nothing["enter"], "ms")
    report.figure("leaving it, summary written", nothing["leave"], "ms")
    printing = blocks("for n in range(100_000): print('x' * 80, flush=n % 100 == 0)", env)
    report.figure("100 000 lines of 80 bytes printed inside a block", printing["body"], "ms")
    report.figure("leaving it after those", printing["leave"], "ms")
    clean(env)
    report.end()


def blocks(body: str, env: Mapping[str, str]) -> dict[str, float]:
    """Medians in milliseconds: import, enter, body, leave."""
    code = BLOCKS.format(rounds=ROUNDS, body=body)
    lines = subprocess.run([VENV_PYTHON, "-c", code], env=env, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    seen: dict[str, list[float]] = {}
    for name, _, value in (line.partition(" ") for line in lines if line[:1] != "x"):
        seen.setdefault(name, []).append(float(value) * 1000)
    return {name: statistics.median(values) for name, values in seen.items()}


if __name__ == "__main__":
    main()
