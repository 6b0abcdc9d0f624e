"""The examples, drilled: every row of the clinic; the notebook, in its kernel; the shell script, as far as it can be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TOOLS = Path(sys.executable).parent
ROWS = {
    "LAB-01": "missing", "LAB-02": "column-gone", "LAB-03": "torn", "LAB-04": "stale", "CALLS-01": "status-500", "CALLS-02": "refused",
    "CALLS-03": "garbage", "DB-01": "timeout", "DB-02": "no-table", "DB-03": "refused",
}  # fmt: skip


def copied(name, folder):
    """A copy of an example; the notebook and the shell script read the clinic's data beside them. The clinic's model learns less: time."""
    leave = shutil.ignore_patterns("world", "forecasts.csv", "__pycache__")
    shutil.copytree(EXAMPLES / "clinic", folder / "clinic", ignore=leave)
    model = folder / "clinic" / "model.py"
    model.write_text(model.read_text().replace("n_estimators=100", "n_estimators=3").replace("KFold(5", "KFold(2"))
    return folder / "clinic" if name == "clinic" else shutil.copytree(EXAMPLES / name, folder / name, ignore=leave)


def drilled(folder, *words):
    """The answer of `offduty drill … --json` there."""
    env = {
        "PATH": f"{TOOLS}:{os.environ['PATH']}", "HOME": str(folder), "OFFDUTY_STATE_DIR": f"{folder.parent}/state", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, timeout=400)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """The clinic's default drill: {row: result}, those without a row under their fault; and its folder."""
    folder = copied("clinic", tmp_path_factory.mktemp("clinic"))
    answer = drilled(folder, "python", "world.py", "--", "offduty", "drill", "forecast", "--json")
    return {one["row"] or one["fault"]: one for one in answer["drills"]}, folder


@pytest.mark.parametrize("row", ROWS)
def test_every_row_of_the_clinic_is_rehearsed(clinic, row):
    """The fault that the row is about was brought about in the real job, and everything came as promised."""
    one = clinic[0][row]
    assert (one["fault"], one["passed"], one["won"]) == (ROWS[row], True, True), one["said"]
    assert one["verdict"]["row"] == row


def test_what_has_no_row_is_rehearsed_too(clinic):
    """The file that the nurses open, and the job as a whole, have none: the job fails loudly all the same."""
    assert {"denied", "sigkill"} <= set(clinic[0])
    assert all(clinic[0][fault]["loud"] for fault in ("denied", "sigkill"))


def test_the_clinic_is_left_as_it_was(clinic):
    """No forecast in the file nor in the database: everything was written into the drill's own copies."""
    import sqlite3

    assert not (clinic[1] / "forecasts.csv").exists()
    base = sqlite3.connect(clinic[1] / "world" / "clinic.sqlite3")
    assert base.execute("select count(*) from forecasts").fetchone() == (0,)
    base.close()


def test_a_notebook_is_struck_in_its_kernel(tmp_path):
    """The kernel is a Python of its own: the probe is there too, and the notebook fails by the missing file."""
    pytest.importorskip("ipykernel")
    answer = drilled(copied("notebook", tmp_path), "offduty", "drill", "progression", "--fault", "missing", "--json")
    assert [(one["loud"], one["named"]) for one in answer["drills"]] == [(True, True)] * len(answer["drills"])
    assert answer["of"] >= 1


def test_a_shell_script_can_only_be_killed(tmp_path):
    """Refused without --unsafe; with it, a kill is a kill."""
    folder = copied("shell", tmp_path)
    assert drilled(folder, "offduty", "drill", "outliers", "--json")["error"]["code"] == "E820"
    answer = drilled(folder, "offduty", "drill", "largest", "--unsafe", "--fault", "missed", "--json")
    assert answer["drills"][0]["outcome"] == "missed"
