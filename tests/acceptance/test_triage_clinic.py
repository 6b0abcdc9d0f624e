"""The clinic's planned failures: each reaches the row, the team and the steps that its table promises."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CLINIC = Path(__file__).resolve().parents[2] / "examples" / "clinic"
TOOLS = Path(sys.executable).parent
PROMISED = {
    "feed-missing": "LAB-01",
    "feed-column": "LAB-02",
    "feed-torn": "LAB-03",
    "feed-stale": "LAB-04",
    "api-503": "CALLS-01",
    "api-down": "CALLS-02",
    "api-garbage": "CALLS-03",
    "db-locked": "DB-01",
    "db-table": "DB-02",
    "db-missing": "DB-03",
}
BROAD = ("DATA-01", "CALLS-04", "ACCESS-01", "MACHINE-01")
"""What is about whole kinds of failure, behind all others."""


@pytest.fixture
def clinic(tmp_path):
    """A copy of the clinic, and a way to run a command in its world."""
    folder = shutil.copytree(CLINIC, tmp_path / "clinic", ignore=shutil.ignore_patterns("world", "forecasts.csv", "__pycache__"))

    def run(*command):
        environ = {
            **os.environ,
            "PATH": f"{TOOLS}:{os.environ['PATH']}",
            "OFFDUTY_STATE_DIR": str(tmp_path / "state"),
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=90)

    return run


@pytest.mark.parametrize("fault", PROMISED)
def test_a_planned_failure_reaches_its_row(clinic, fault):
    """What breaks is told with the row's own title, steps and team, in the record and in the summary that everybody reads."""
    rows = {row["id"]: row for row in tomllib.loads((CLINIC / "offduty.toml").read_text())["triage"]}
    row = rows[PROMISED[fault]]
    said = clinic("python", "world.py", "--break", fault, "--", "offduty", "run", "--retries", "0", "forecast").stderr
    record = json.loads(clinic("offduty", "runs", "show", "--json").stdout)["run"]
    verdict = record["summary"]["verdict"]
    assert (verdict["row"], verdict["source"], verdict["team"]) == (row["id"], "table", row["team"])
    assert record["summary"]["do"] == row["steps"]
    assert f"triage      {row['id']} “{row['title']}”" in said


def test_the_rows_explain_what_can_fail(clinic):
    """Nine of ten typical faults of all that the job touches have a row, as `offduty ready` wants (R08); so each kind has whom to call."""
    assert clinic("python", "world.py", "--", "offduty", "run", "--retries", "0", "forecast").returncode == 0
    looked = clinic("offduty", "triage", "coverage", "forecast", "--min", "90", "--json")
    found = json.loads(looked.stdout)["jobs"][0]
    assert looked.returncode == 0 and set(BROAD) <= {one["row"] for one in found["answers"]}
    assert [one["row"] for one in found["answers"] if one["fault"] in ("missed", "lost")] == ["MACHINE-01", "MACHINE-01"]


def test_every_row_is_promised_to_something(clinic):
    """The table has no row that no planned failure reaches, and nothing that its own lint finds fault with."""
    rows = tomllib.loads((CLINIC / "offduty.toml").read_text())["triage"]
    assert {row["id"] for row in rows} == set(PROMISED.values()) | set(BROAD)
    checked = clinic("offduty", "triage", "check")
    assert (checked.returncode, checked.stdout) == (0, f"ok  {len(rows)} rows: nothing wrong\n")
