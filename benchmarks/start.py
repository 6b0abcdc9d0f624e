"""Starting a job: the delay before it runs, and the whole overhead, beside a bare Python and `chronic`.

Budgets (docs/explanation/performance.md): delay before exec <= 2.0x the start of the same venv's Python; whole overhead of a 1 s job
<= that of `chronic`; `offduty run -- true` <= 3x that Python; a configuration with 100 triage rows <= 25 ms before exec.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from _measure import OFFDUTY, VENV_PYTHON, Report, alternate, clean, environment, has, run

ROUNDS = int(os.environ.get("ROUNDS", "15"))
NOW = ["date", "+%s.%N"]


def delay(command: list[str], env: Mapping[str, str], cwd: str | None = None) -> float:
    """Seconds from the start of `command` until the `date` at its end says what time it is."""
    began = time.time()
    done = subprocess.run(command, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return float(done.stdout) - began


def configuration(folder: Path) -> None:
    """One job, channels, teams and 100 triage rows."""
    folder.mkdir()
    lines = ['[job.nightly]\ncommand = ["date", "+%s.%N"]\nschedule = "0 6 * * *"\n[team.data]\ncontact = "#data"\nchannels = ["s"]\n']
    lines.append('[channel.s]\nkind = "slack"\nurl = { env = "SLACK" }\n')
    for number in range(100):
        lines.append(
            f'[[triage]]\nid = "ROW-{number:03}"\nwhen = {{ exception = "Error{number}", message = "feed {number}" }}\n'
            f'cause = "Feed {number} did not arrive."\nsteps = ["Ask for it.", "Run again."]\nteam = "data"\nseverity = "high"\n'
        )
    (folder / "offduty.toml").write_text("\n".join(lines))


def main() -> None:
    """Measure and print."""
    env = environment()
    folder = Path(env["OFFDUTY_STATE_DIR"]) / "configured"
    configuration(folder)
    python = lambda: run([VENV_PYTHON, "-c", "pass"], env)  # noqa: E731
    cases: dict[str, Callable[[], float]] = {
        "python": python,
        "date": lambda: delay(NOW, env),
        "delay": lambda: delay([OFFDUTY, "run", "--", *NOW], env),
        "configured": lambda: delay([OFFDUTY, "run", "nightly"], env, str(folder)),
        "true": lambda: run([OFFDUTY, "run", "--", "true"], env),
        "bare true": lambda: run(["true"], env),
    }
    if has("chronic"):
        cases["chronic true"] = lambda: run(["chronic", "true"], env)
    found = alternate(cases, ROUNDS)
    report = Report("starting a job")
    for name, value in found.items():
        report.figure(f"median of {ROUNDS}: {name}", value * 1000, "ms")
    before = found["delay"] - found["date"]
    report.budget("delay before exec / start of the venv's python", before / found["python"], 2.0)
    report.budget("offduty run -- true / start of the venv's python", found["true"] / found["python"], 3.0)
    report.budget("configured, 100 triage rows: more before exec", (found["configured"] - found["delay"]) * 1000, 25, unit="ms")
    second = {"sleep": lambda: run(["sleep", "1"], env), "offduty": lambda: run([OFFDUTY, "run", "--", "sleep", "1"], env)}
    if has("chronic"):
        second["chronic"] = lambda: run(["chronic", "sleep", "1"], env)
    found = alternate(second, max(5, ROUNDS // 2))
    for name in found:
        report.figure(f"1 s job, over sleep: {name}", (found[name] - found["sleep"]) * 1000, "ms")
    if "chronic" in found:
        report.budget("overhead of a 1 s job / chronic's", (found["offduty"] - found["sleep"]) / (found["chronic"] - found["sleep"]), 1.0)
    if "--importtime" in sys.argv:
        subprocess.run([VENV_PYTHON, "-X", "importtime", OFFDUTY, "run", "--", "true"], env=env, check=True)
    clean(env)
    report.end()


if __name__ == "__main__":
    main()
