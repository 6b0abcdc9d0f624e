"""From a job's failure to the message on the wire, by real runs and a receiver on loopback; and what a run pays that tells nobody.

Budget (docs/explanation/performance.md): 0.1 s in the median for a job that ran long enough for what its end needs to be loaded
meanwhile. A job over at once waits for that, and is printed beside it. healthchecks, which polls every two seconds, took 1.0 to 1.2 s.
The moment of the failure is taken by the job itself, right before it ends; that of the message when its last byte was read.
How many alerts a storm makes a second: benchmarks/outbox.py.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from _measure import OFFDUTY, Report, alternate, clean, environment, run

from offduty.drills.receiver import Receiver, Request

ROUNDS = int(os.environ.get("ROUNDS", "20"))
JOBS = {"a job of 2 s": "sleep 2; ", "a job that is over at once": ""}
CHANNEL = """
[team.ds]
channels = ["hook"]
[channel.hook]
kind  = "webhook"
url   = { env = "HOOK" }
allow = ["127.0.0.1"]
"""


class Watch:
    """A receiver that knows when each message was there."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def __call__(self, request: Request) -> Iterator[bytes]:
        self.at.append(time.time())
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def configured(folder: Path, script: str, more: str) -> None:
    """A configuration with one job."""
    (folder / "offduty.toml").write_text(f'[job.one]\ncommand = ["sh", "-c", "{script}"]\nowner = "ds"\n{more}')


def to_the_wire(folder: Path, env: dict[str, str], watch: Watch) -> float:
    """Seconds from the end of the job to its message; every time in a new store, so that it is news."""
    shutil.rmtree(env["OFFDUTY_STATE_DIR"], ignore_errors=True)
    watch.at.clear()
    done = subprocess.run([OFFDUTY, "run", "one"], cwd=folder, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return watch.at[0] - float(done.stdout) if watch.at else float("inf")


def paying(folder: Path, env: dict[str, str], script: str, more: str) -> float:
    """Seconds that a configured run takes."""
    configured(folder, script, more)
    os.chdir(folder)
    return run([OFFDUTY, "run", "one"], env)


def main() -> None:
    """Print the figures."""
    report, folder, watch = Report("alerts: from the failure to the message"), Path(tempfile.mkdtemp(prefix="offduty-bench-")), Watch()
    env = environment()
    with Receiver(watch) as receiver:
        env["HOOK"] = receiver.url
        for name, before in JOBS.items():
            configured(folder, f"{before}date +%s.%N; exit 1", CHANNEL)
            taken = sorted(to_the_wire(folder, env, watch) for _ in range(ROUNDS))
            if before:
                report.budget(f"{name}: median", statistics.median(taken), 0.1, unit="s")
            else:
                report.figure(f"{name}: median", statistics.median(taken), "s")
            report.figure(f"{name}: worst of {ROUNDS}", taken[-1], "s")
        spent = alternate({
            "none": lambda: paying(folder, env, "true", ""), "team": lambda: paying(folder, env, "true", "[team.ds]\ncontact = 'x'\n"),
            "channel": lambda: paying(folder, env, "true", CHANNEL),
        }, ROUNDS)  # fmt: skip
        report.figure("a good run where nothing is configured but the job", spent["none"] * 1000, "ms")
        report.budget("the same with teams and no channel, beside it", spent["team"] / spent["none"], 1.1)
        report.figure("the same with a channel that nobody has to be told by", spent["channel"] * 1000, "ms")
    os.chdir("/")
    shutil.rmtree(folder)
    clean(env)
    report.end()


if __name__ == "__main__":
    main()
