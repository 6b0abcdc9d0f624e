"""`offduty up`: jobs start at their times, several at once, and stop with it; also as process 1."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

CONFIG = """
[job.quick]
shell = "echo hi"
every = "1 s"
[job.long]
shell = "trap 'echo stopped > stopped; exit 0' TERM; sleep 60 & wait"
every = "1 h"
[job.bad]
shell = "exit 3"
every = "1 h"
"""
TIME = 20.0


class Up:
    """The process, and what it has said so far."""

    def __init__(self, folder: Path, *prefix: str) -> None:
        environ = {**os.environ, "OFFDUTY_STATE_DIR": str(folder / "state"), "TZ": "UTC"}
        self.said = folder / "said"
        with self.said.open("w") as out:
            command = [*prefix, sys.executable, "-m", "offduty", "up", "--json", "--tick", "1s"]
            self.process = subprocess.Popen(command, cwd=folder, env=environ, stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def events(self, kind: str, job: str = "") -> list[dict[str, object]]:
        """What it said of this kind."""
        whole = self.said.read_text().rpartition("\n")[0]
        return [event for line in whole.splitlines() if (event := json.loads(line))["event"] == kind and event.get("job", "") == job]

    def wait(self, kind: str, job: str, times: int = 1) -> list[dict[str, object]]:
        """Until it has said so."""
        until = time.monotonic() + TIME
        while len(found := self.events(kind, job)) < times:
            assert time.monotonic() < until and self.process.poll() is None, self.said.read_text()
            time.sleep(0.02)
        return found

    def stop(self) -> int:
        """SIGTERM, and its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(TIME)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration."""
    (tmp_path / "offduty.toml").write_text(CONFIG)
    return tmp_path


def test_jobs_start_at_their_times_side_by_side_and_stop_with_it(folder: Path) -> None:
    """A line for each start and end; F45: what runs is told to stop and may do what it has to; nothing is left."""
    up = Up(folder)
    ended = up.wait("ended", "quick", 2)
    assert [end["exit_code"] for end in ended[:2]] == [0, 0]
    assert up.wait("ended", "bad")[0]["exit_code"] == 3
    slots = [str(start["slot"]) for start in up.events("started", "quick")]
    assert slots == sorted(set(slots))
    up.wait("started", "long")
    time.sleep(0.5)
    assert up.events("ended", "long") == []
    assert up.stop() == 0
    assert ((folder / "stopped").read_text(), up.events("ended", "long")[0]["exit_code"]) == ("stopped\n", 0)


def test_a_configuration_that_is_edited_counts(folder: Path) -> None:
    """A new job starts; one that is gone does not any more."""
    up = Up(folder)
    up.wait("ended", "quick")
    (folder / "offduty.toml").write_text('[job.new]\nshell = "true"\nevery = "1 h"\n')
    up.wait("ended", "new")
    count = len(up.events("started", "quick"))
    time.sleep(1.5)
    assert len(up.events("started", "quick")) == count
    assert up.stop() == 0


def test_two_of_them_would_start_everything_twice(folder: Path) -> None:
    """E902: the second is turned away."""
    up = Up(folder)
    up.wait("started", "quick")
    second = subprocess.run(
        [sys.executable, "-m", "offduty", "up"], cwd=folder, env={**os.environ, "OFFDUTY_STATE_DIR": str(folder / "state")},
        capture_output=True, text=True, timeout=TIME,
    )  # fmt: skip
    assert second.returncode != 0 and "E902" in second.stderr
    assert up.stop() == 0


THREE = "".join(f'[job.{job}]\nshell = "sleep 0.3"\nevery = "2 s"\nstart_grace = "1 s"\n' for job in "abc")


@pytest.mark.timeout(300)
def test_killed_and_started_again_it_doubles_nothing_and_misses_nothing_unsaid(folder: Path) -> None:
    """F46, F52, INV-9: SIGKILL while jobs run, three times; what has started and is on record is not started before its time again,
    and the time in which nothing was started is told.
    """
    (folder / "offduty.toml").write_text(THREE)
    starts: dict[str, list[float]] = {job: [] for job in "abc"}
    for pause in (0.0, 8.0, 0.0, None):
        up = Up(folder)
        for job in "abc":
            up.wait("started", job, 2)
        before = {job: len(starts[job]) for job in "abc"}
        until = time.monotonic() + 40
        while any(on_record(folder, job) < before[job] + len(up.events("started", job)) for job in "abc"):
            assert time.monotonic() < until, up.said.read_text()
            time.sleep(0.01)
        up.process.kill() if pause is not None else up.stop()
        up.process.wait(TIME)
        for job in "abc":
            starts[job] += [datetime.fromisoformat(str(event["at"])).timestamp() for event in up.events("started", job)]
        time.sleep(pause or 0.0)
    for job in "abc":
        gaps = [later - sooner for sooner, later in pairwise(starts[job])]
        assert min(gaps) > 1.9 and max(gaps) > 8 and "missed" in incidents(folder, job), (gaps, incidents(folder, job))


def on_record(folder: Path, job: str) -> int:
    """How many runs of a job the store knows."""
    with closing(sqlite3.connect(f"file:{folder}/state/offduty.sqlite3?mode=ro", uri=True, timeout=5)) as database:
        return int(database.execute("SELECT count(*) FROM run WHERE job = ?", (job,)).fetchone()[0])


def incidents(folder: Path, job: str) -> set[str]:
    """The causes of a job's incidents."""
    command = [sys.executable, "-m", "offduty", "incidents", "--all", "--json"]
    environ = {**os.environ, "OFFDUTY_STATE_DIR": str(folder / "state")}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=TIME, check=True)
    return {incident["cause"] for incident in json.loads(done.stdout)["incidents"] if incident["job"] == job}


def test_it_can_be_process_1(folder: Path) -> None:
    """F13: signals arrive, and what jobs leave behind is buried."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare")
    (folder / "offduty.toml").write_text('[job.litter]\nshell = "for i in 1 2 3 4 5; do setsid sleep 0.2 & done"\nevery = "1 s"\n')
    up = Up(folder, "unshare", "-pf", "--mount-proc", "--kill-child=KILL")
    up.wait("ended", "litter", 2)
    [init] = children(up.process.pid)
    assert zombies(init) == []
    os.kill(init, signal.SIGTERM)
    assert up.process.wait(TIME) == 0
    assert up.events("ended", "litter")[0]["exit_code"] == 0


def zombies(init: int) -> list[str]:
    """What died under `init` and is not buried, after a moment."""
    time.sleep(0.5)
    states = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in children(init)]
    return [state for state in states if state == "Z"]


def children(pid: int) -> list[int]:
    """Process ids of the children of `pid`."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
