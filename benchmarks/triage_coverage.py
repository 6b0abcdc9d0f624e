"""`offduty triage coverage` of a code base of 50 000 lines, beside the scan it stands on; and what a drill costs beside the job.

python benchmarks/triage_coverage.py [lines]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODULE = '''\
import pandas as pd
import requests
import sqlite3


def load_{n}(path):
    """Reads."""
    table = pd.read_csv(path)
    table["share"] = table["units"] / table["units"].sum()
    return table


def ask_{n}(url, day):
    try:
        return requests.get(f"{{url}}/calls", params={{"day": day}}, timeout=10).json()
    except Exception:
        return None


def keep_{n}(rows):
    with sqlite3.connect("base_{n}.sqlite3") as base:
        base.executemany("insert into kept values (?, ?)", rows)
    with open("out_{n}.csv", "w") as file:
        for row in rows:
            file.write(",".join(map(str, row)))
'''
FILLING = "\n\ndef helper_{n}_{m}(a, b):\n    total = a + b\n    for number in range(10):\n        total += number * a\n    return total\n"
ROWS = '[[triage]]\nid = "R-{n}"\nwhen = {{ target = "*/in_{n}.csv", exception = "FileNotFoundError" }}\ncause = "x"\nsteps = ["y"]\n'


def main() -> None:
    """Print both."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written = modules = 0
        while written < lines:
            text = MODULE.format(n=modules) + "".join(FILLING.format(n=modules, m=m) for m in range(32))
            (folder / f"module_{modules}.py").write_text(text)
            written, modules = written + text.count("\n"), modules + 1
        (folder / "job.py").write_text("print(sum(range(1000)))\n")
        command = f'[job.big]\ncommand = ["{sys.executable}", "job.py"]\n'
        (folder / "offduty.toml").write_text(command + "".join(ROWS.format(n=n) for n in range(100)))
        env = {**os.environ, "OFFDUTY_STATE_DIR": f"{folder}/state"}
        print(f"{written} lines, {modules} files, 100 rows")
        for words in (["scan", "--json"], ["triage", "coverage", "big", "--json"]):
            print(f"  offduty {' '.join(words)}: {_time(words, folder, env):.2f} s")
        job = _time(["run", "big"], folder, env)
        drill = _time(["drill", "big", "--fault", "missed", "--quiet"], folder, env)
        print(f"  offduty run: {job:.2f} s; one rehearsal in the sandbox, with the command itself: {drill:.2f} s")


def _time(words: list[str], folder: Path, env: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "offduty", *words], cwd=folder, env=env, capture_output=True, check=False)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
