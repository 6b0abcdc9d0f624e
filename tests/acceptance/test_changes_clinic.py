"""The clinic's planned failures after good runs: the lines `because`, `where` and `changed` of the summary."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TOOLS = Path(sys.executable).parent
LAST_GOOD = r"since the last good run \(\d+ \w+ \d\d:\d\d\): "


class Clinic:
    """A copy of the example, with the records of its runs beside it."""

    def __init__(self, folder):
        self.folder = shutil.copytree(
            EXAMPLES / "clinic", folder / "clinic", ignore=shutil.ignore_patterns("world", "forecasts.csv", "__pycache__")
        )
        self.environ = {
            **os.environ,
            "PATH": f"{TOOLS}:{os.environ['PATH']}",
            "OFFDUTY_STATE_DIR": str(folder / "state"),
            "OMP_NUM_THREADS": "1",
        }

    def call(self, *command, **more):
        """Run a command in the clinic's folder; its stdout."""
        return subprocess.run(command, cwd=self.folder, env=self.environ | more, capture_output=True, text=True, timeout=60).stdout

    def run(self, fault="", **more):
        """The job once, in a world with this fault; the summary of its record."""
        broken = ("--break", fault) if fault else ()
        self.call("python", "world.py", *broken, "--", "offduty", "run", "--retries", "0", "forecast", **more)
        return self.shown()["run"]["summary"]

    def shown(self):
        """`offduty runs show --json` of the latest run."""
        return json.loads(self.call("offduty", "runs", "show", "forecast", "--json"))


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """After two good runs."""
    clinic = Clinic(tmp_path_factory.mktemp("clinic"))
    assert [clinic.run()["what"] for _ in range(2)] == [None, None]
    return clinic


PLANNED = {
    "feed-column": (
        r'lab\.csv lost the column "ltg": it had 10 columns on every good run until .*, today 9',
        r"after transaction 1 of 7: read world/lab\.csv  \(ok, 442 rows x 9\)",
        r"input lab\.csv -ltg · code same · packages same",
    ),
    "feed-missing": (
        r"lab\.csv is not there; it was there on the last 2 good runs",
        r"in transaction 1: read world/lab\.csv, failed after .*",
        r"input lab\.csv not there \(it was on 2 good runs\) · code same · packages same",
    ),
    "feed-torn": (
        r"lab\.csv had 2\d\d rows \(442 on 2 good runs\)",
        r"after transaction 5 of 7: call http://127\.0\.0\.1:\d+/calls\?date=\*\*\*  \(ok, status 200\)",
        r"input lab\.csv .*int64 -> float64.* · input lab\.csv 2\d\d rows \(442 on 2 good runs\) · code same · packages same",
    ),
    "api-503": (
        r"127\.0\.0\.1:\d+/calls answered 503; it did not on the last 2 good runs",
        r"in transaction 5: call http://127\.0\.0\.1:\d+/calls\?date=\*\*\*, failed after .*",
        r"inputs as ever · code same · packages same",
    ),
    "db-refused": (
        r"sqlite:///.*/world/clinic\.sqlite3 cannot be opened; it took .* on the last 2 good runs",
        r"in transaction 2: connect sqlite:///.*/world/clinic\.sqlite3, failed after .*",
        r"inputs as ever · code same · packages same",
    ),
    "db-locked": (
        r"the query SELECT patients found the database locked by somebody else; it took .* on the last 2 good runs",
        r"in transaction 3: query sqlite3 SELECT patients, failed after 2.*",
        r"inputs as ever · code same · packages same",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", PLANNED)
def test_a_planned_failure_is_explained(clinic, fault):
    """Why, where, and what changed, each by the evidence of its own run and of the good ones before it."""
    because, where, changed = PLANNED[fault]
    summary = clinic.run(fault)
    assert re.fullmatch(because, summary["because"])
    assert re.fullmatch(where, summary["where"])
    assert re.fullmatch(LAST_GOOD + changed, summary["changed"])


def test_code_that_changed(clinic):
    """The failure came up in a file of the job that is not what it was on the good runs."""
    model = clinic.folder / "model.py"
    before = model.read_text()
    model.write_text(f"import os\nos.environ['CLINIC_MOOD']\n{before}")
    try:
        summary = clinic.run()
    finally:
        model.write_text(before)
    said = r"the failure came up in model\.py, which has changed since the last good run \(.*\)"
    assert re.fullmatch(said, summary["because"])
    assert [(one["kind"], one["names"]) for one in summary["changes"]] == [("code", ["~model.py"])]


def test_what_a_run_was_made_of_is_kept_and_shown(clinic):
    """`runs show --json`: code, packages, Python, names of variables; INV-12: none of their values."""
    clinic.run(CLINIC_SECRET="hunter2hunter2")
    shown = clinic.shown()
    made_of = shown["fingerprint"]
    assert sorted(made_of["code"]["files"]) == ["forecast.py", "model.py"]
    assert made_of["packages"]["pandas"]
    assert (made_of["command"], made_of["python"]) == (["python", "forecast.py"], ".".join(map(str, sys.version_info[:3])))
    assert "CLINIC_SECRET" in made_of["environment"]
    assert "hunter2" not in json.dumps(shown)
    assert re.search(r"\* code     python 3\.", Path(shown["run"]["log"]).read_text())


def test_two_runs_held_side_by_side(clinic):
    """`runs diff ID` takes the last good run before; a column that went is in it, and nothing that did not change."""
    clinic.run()
    clinic.run("feed-column")
    said = clinic.call("offduty", "runs", "diff", "forecast").splitlines()
    assert said[0].startswith("from") and "succeeded" in said[0]
    assert said[1].startswith("to") and "failed" in said[1]
    assert [line.split() for line in said[2:]] == [["input.columns", "lab.csv:", "-ltg", "(unusual)"]]


def test_no_secret_in_what_is_compared(tmp_path):
    """INV-12: a secret in the command, in a variable and in a URL is in none of because, changed, fingerprint, log and store."""
    clinic = Clinic(tmp_path)
    secret = "hunter2hunter2"
    script = clinic.folder / "job.py"
    for code in ("import time; time.sleep(0.4)", f"import urllib.request as u; u.urlopen('http://x:{secret}@127.0.0.1:9/?token={secret}')"):
        script.write_text(code)
        clinic.call("offduty", "run", "--name", "s", "--", "python", "job.py", "--password", secret, MY_TOKEN=secret)
    summary = json.loads(clinic.call("offduty", "runs", "show", "s", "--json"))["run"]["summary"]
    assert summary["because"]
    assert "code changed: job.py" in summary["changed"]
    assert "environment" not in summary["changed"]
    files = [path for path in tmp_path.glob("state/**/*") if path.is_file()]
    assert [path for path in files if secret.encode() in path.read_bytes()] == []


def test_a_job_that_is_not_python(tmp_path):
    """A shell script has code, too: the file that its command names; what is not known of it is not spoken of."""
    clinic = Clinic(tmp_path)
    script = clinic.folder / "job.sh"
    for text in ("sleep 0.5", "sleep 0.3; echo boom >&2; exit 3"):
        script.write_text(text)
        clinic.call("offduty", "run", "--name", "s", "--", "sh", "job.sh")
    summary = json.loads(clinic.call("offduty", "runs", "show", "s", "--json"))["run"]["summary"]
    assert re.fullmatch(LAST_GOOD + r"code changed: job\.sh", summary["changed"])
