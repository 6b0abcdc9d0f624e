"""Readiness and value of a job with 100 000 runs: `offduty ready` and `offduty value` as whole commands, warm, over a real SQLite store.

Both are told in seconds on the wall and of the processor. Budget: 1 s each, for the smaller of the two: they are the same on a quiet
machine, and on a busy one the wall says nothing.

python benchmarks/letting_go.py [HOW MANY RUNS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from offduty.clock import Clock
from offduty.stores.sqlite import open_store
from offduty.testing import MONDAY, a_run

OFFDUTY = Path(sys.executable).parent / "offduty"
CONFIG = """[job.forecast]
command = ["true"]
owner = "ds"
schedule = "* * * * *"
good_enough = { mape = "<= 0.1" }
[team.ds]
contact = "#ds"
"""

BUDGET = 1.0  # seconds


def filled(folder: str, count: int):
    """A store with so many runs, a minute apart, of fifty versions, each with fingerprint and two metrics; one in ten failed."""
    store = open_store(f"{folder}/state/offduty.sqlite3", clock=Clock())
    db = store.open()
    db.execute("PRAGMA synchronous = OFF")
    for n in range(count):
        version = n * 50 // count
        code = {"code": {"commit": f"{version:040x}", "dirty": False, "files": {f"src/f{k}.py": f"{version:012x}" for k in range(20)}}}
        code["packages"] = {f"package-{k}": "1.0" for k in range(100)}
        metrics = [{"name": "mape", "value": 0.1 + (n * 7919 % 101) / 1000}, {"name": "rows", "value": 1000.0 + n % 50}]
        outcome = "failed" if n % 10 == 0 else "succeeded"
        trigger = "manual" if n % 100 == 3 else "scheduled"
        summary = {"what": "x" * 200, "notes": [], "warnings": [], "failure": None}
        run = a_run(outcome=outcome, trigger=trigger, at=MONDAY + 60 * n, summary=summary)
        store.put_run(run, fingerprint=code, metrics=metrics)
    store.close()


def timed(folder: str, *words: str) -> tuple[float, float]:
    """(seconds on the wall, seconds of the processor) of one command: of five times the best."""
    environ = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environ |= {"HOME": folder, "OFFDUTY_STATE_DIR": f"{folder}/state"}
    found = []
    for _ in range(5):
        before, begun = os.times(), time.perf_counter()
        subprocess.run([OFFDUTY, *words], cwd=folder, env=environ, check=True, stdout=subprocess.DEVNULL)
        wall, after = time.perf_counter() - begun, os.times()
        found.append((wall, after[2] + after[3] - before[2] - before[3]))
    return min(wall for wall, _ in found), min(cpu for _, cpu in found)


def main(count: int) -> int:
    """Print the two; 1 if one is over its budget."""
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/offduty.toml", "w", encoding="utf-8") as file:
            file.write(CONFIG)
        filled(folder, count)
        over = False
        for command in ("ready", "value"):
            wall, cpu = timed(folder, command, "forecast")
            print(f"offduty {command} over {count} runs: {wall:.2f} s, of the processor {cpu:.2f} s (budget {BUDGET:.0f} s)")
            over = over or min(wall, cpu) > BUDGET
        return int(over)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
