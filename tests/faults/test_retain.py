"""Retention with real runs and files: what goes goes whole, and nothing else is ever touched."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from offduty.clock import Clock, rfc3339
from offduty.runs.job import Job
from offduty.stores.sqlite import open_store
from offduty.testing import a_run
from offduty.wiring.retain import retain

ENDINGS = (".log", ".events.jsonl", ".ipynb", ".ipynb.new", ".log.3", ".log.out", ".log.err")
NONE = {"keep_s": None, "keep_runs": None, "keep_bytes": None}


@pytest.fixture
def shelf(tmp_path):
    """A store and a folder of logs; `add(days, …)` puts a run with all its files there."""
    return Shelf(tmp_path)


class Shelf:
    """Runs of the job `it`, with their files."""

    def __init__(self, folder):
        self.logs, self.path = folder / "logs", folder / "offduty.sqlite3"
        self.store = open_store(str(self.path), clock=Clock())
        (self.logs / "it").mkdir(parents=True)

    def add(self, days=0.0, log=None, **fields):
        """One run, so many days old; its id."""
        wall = Clock().wall() - days * 86400
        run = a_run(wall=wall, job="it", started_at=rfc3339(wall), **fields)
        run["log"] = log or f"{self.logs}/it/2026-01-01T00-00-00Z-{run['id'][-8:]}.log"
        self.store.put_run(run)
        if log is None:
            for ending in ENDINGS:
                Path(run["log"].removesuffix(".log") + ending).write_bytes(b"x" * 100)
        return run["id"]

    def retain(self, **limits):
        """How many went."""
        return retain(self.store, Job("it", ["true"], **{**NONE, **limits}), str(self.logs), Clock())

    def left(self):
        """The ids in the store, and those that have files; each must have all of its files, or none."""
        names = [path.name for path in (self.logs / "it").iterdir()]
        with_files = {name.partition(".")[0][-8:] for name in names}
        assert len(names) == len(with_files) * len(ENDINGS)
        return {run["id"][-8:] for run in self.store.runs("it", limit=100)}, with_files


@pytest.mark.parametrize("limit", [{"keep_s": 2.5 * 86400}, {"keep_runs": 3}, {"keep_bytes": 3 * 100 * len(ENDINGS)}])
def test_each_limit_takes_the_oldest_with_all_their_files(shelf, limit):
    """Log, segments, events, notebook, the output of a survivor: they go together, and the record with them."""
    ids = [shelf.add(days) for days in (0, 1, 2, 3, 4)]
    assert shelf.retain(**limit) == 2
    assert shelf.left() == ({one[-8:] for one in ids[:3]},) * 2
    assert shelf.retain(**limit) == 0


def test_a_running_run_is_never_touched(shelf):
    """However old it is, and however small the limits."""
    running = shelf.add(400, outcome="running", ended_at=None, duration_s=None, exit_code=None, exit_source=None, summary=None)
    shelf.add(1)
    assert shelf.retain(keep_s=0, keep_runs=0, keep_bytes=0) == 1
    assert shelf.left() == ({running[-8:]},) * 2


def test_a_forged_log_deletes_nothing(shelf, tmp_path):
    """T22: a record is data. Outside the folder, in the folder under a strange name, through dots, another run's file: all stay."""
    other = shelf.add(0)
    outside = tmp_path / "precious.log"
    inside = shelf.logs / "it" / f"notes-of-mine.{'x' * 3}"
    forged = [str(outside), f"{shelf.logs}/it/../../precious.log", str(inside), f"{shelf.logs}/it/.log", "relative.log", ""]
    forged.append(f"{shelf.logs}/it/2026-01-01T00-00-00Z-{other[-8:]}.log")
    outside.write_text("mine")
    for log in forged:
        shelf.add(50, log=log or "none")
    assert shelf.retain(keep_s=86400) == len(forged)
    assert outside.read_text() == "mine" and shelf.left() == ({other[-8:]},) * 2


def test_a_linked_job_folder_is_left_alone(shelf, tmp_path):
    """A link in the place of the job's folder leads to files that are not ours."""
    shelf.add(50)
    (shelf.logs / "it").rename(tmp_path / "elsewhere")
    (shelf.logs / "it").symlink_to(tmp_path / "elsewhere")
    assert shelf.retain(keep_s=1) == 1
    assert len(list((tmp_path / "elsewhere").iterdir())) == len(ENDINGS)


def test_killed_in_the_middle_it_is_done_again(shelf):
    """SIGKILL when the files are gone and the records are not: next time the records go, too."""
    ids = [shelf.add(days) for days in (0, 5, 6)]
    pid = os.fork()
    if pid == 0:
        store = open_store(str(shelf.path), clock=Clock())
        store.delete_runs = lambda ids: os.kill(os.getpid(), signal.SIGKILL)
        retain(store, Job("it", ["true"], **{**NONE, "keep_runs": 1}), str(shelf.logs), Clock())
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL
    assert shelf.left() == ({one[-8:] for one in ids}, {ids[0][-8:]})
    assert shelf.retain(keep_runs=1) == 2 and shelf.left() == ({ids[0][-8:]},) * 2


def test_real_runs_are_retained(offduty):
    """`log = { keep_runs = 2 }`: of five runs the last two are left, and the one that removed the others."""
    (offduty.home / "offduty.toml").write_text('[job.it]\ncommand = ["sleep", "1"]\nlog = { keep_runs = 2 }\n')
    for _ in range(5):
        offduty.run("it", cwd=offduty.home)
        offduty.started_with([sys.executable, "-m", "offduty", "status"])
    logs = [Path(run["log"]).name for run in offduty.records()]
    assert sorted(path.name for path in (offduty.state / "logs/it").iterdir()) == sorted(logs) and len(logs) == 3
