"""Looking for silent failures, with a store that cannot be read, a history that is none, a configuration that broke meanwhile."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

TOOLS = Path(sys.executable).parent
TABLE = '[job.j]\ncommand = ["{python}", "job.py"]\n[dependency.d]\nmatch = "*.csv"\nmin_rows = 5\n'
JOB = "import offduty, os, shutil\noffduty.check('x', False)\nopen('out.csv', 'w').close()\n"


@pytest.fixture
def run(tmp_path):
    """Run the job; (exit status, its record's summary and outcome by `runs show`, seconds)."""
    (tmp_path / "offduty.toml").write_text(TABLE.format(python=sys.executable))
    env = {**os.environ, "OFFDUTY_STATE_DIR": str(tmp_path / "state")}

    def run(script=JOB):
        (tmp_path / "job.py").write_text(script)
        began = time.monotonic()
        done = subprocess.run([TOOLS / "offduty", "run", "j"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
        took = time.monotonic() - began
        [log] = sorted((tmp_path / "state/logs/j").glob("*.log"), key=os.path.getmtime)[-1:]
        return done.returncode, log.read_text().partition("== summary ==")[2], took

    run.state = tmp_path / "state"
    run.env = env
    return run


def test_a_store_that_is_locked(run):
    """The check is told, the run ends in time, and a note says that nothing was compared (INV-2, INV-13)."""
    assert run()[0] == 0
    other = sqlite3.connect(run.state / "offduty.sqlite3", isolation_level=None)
    other.execute("pragma locking_mode = exclusive")
    other.execute("begin exclusive")
    try:
        status, summary, took = run()
    finally:
        other.close()
    assert (status, "WARNED" in summary) == (0, True)
    assert "check warned: x" in summary
    assert "not compared with good runs: E6" in summary
    assert took < 20


def test_a_ledger_in_the_store_that_is_none(run):
    """Whatever an older or newer offduty, or the disk, has left there: the run is told as ever, and nothing of ours shows."""
    for _ in range(6):
        assert run()[0] == 0
    subprocess.run([TOOLS / "offduty", "runs"], env=run.env, capture_output=True, check=True)
    store = sqlite3.connect(run.state / "offduty.sqlite3")
    entry = {"number": 1, "op": "file.write", "target": "x", "ok": True, "rows": "many", "error": 5, "at": None}
    assert store.execute("update ledger set entry = ?", (json.dumps(entry),)).rowcount > 0
    store.commit()
    store.close()
    status, summary, _ = run()
    assert (status, "WARNED" in summary) == (0, True)
    assert "problem of its own" not in summary
    assert not (run.state / "internal-errors").exists()


def test_a_configuration_that_breaks_while_the_job_runs(run):
    """The job itself spoils it: expectations are gone, the run is not."""
    status, summary, _ = run("import offduty\noffduty.check('x', True)\nopen('offduty.toml', 'w').write('[[[')\n")
    assert (status, "SUCCEEDED" in summary or "WARNED" in summary) == (0, True)
    assert "checks      1 passed" in summary
