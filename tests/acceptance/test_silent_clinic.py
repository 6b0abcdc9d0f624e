"""The clinic's job exits with 0, and something is wrong all the same: `warned`, each with the note that says so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from offduty.clock import Clock, rfc3339
from offduty.stores.sqlite import open_store

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TOOLS = Path(sys.executable).parent
DAY = 86400.0


class Clinic:
    """A copy of the example in a folder, with the records of its runs beside it."""

    def __init__(self, folder):
        self.folder, self.state = folder / "clinic", folder / "state"

    def run(self, *command, fault=""):
        """`world.py [--break fault] -- offduty run …`; the exit status."""
        environ = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "OFFDUTY_STATE_DIR": str(self.state), "OMP_NUM_THREADS": "1"}
        world = ["python", "world.py", *(("--break", fault) if fault else ()), "--", "offduty", "run", *(command or ("forecast",))]
        done = subprocess.run(world, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=60)
        self.said = done.stdout + done.stderr
        return done.returncode

    def last(self):
        """(outcome, summary, log) of the newest run."""
        store = open_store(str(self.state / "offduty.sqlite3"), clock=Clock())
        run = store.runs(limit=1)[0]
        store.close()
        return run["outcome"], run["summary"], Path(run["log"]).read_text()

    def repeat_in_the_past(self, times):
        """Records as if the newest run had been made on each of the last days, with a feed of its own each time."""
        store = open_store(str(self.state / "offduty.sqlite3"), clock=Clock())
        run = store.runs(limit=1)[0]
        ledger, now = store.ledger(run["id"]), Clock().wall()
        for day in range(1, times + 1):
            moved = {
                **run,
                "id": str(uuid.uuid4()).replace("-4", "-7", 1),
                "started_at": rfc3339(now - day * DAY),
                "ended_at": rfc3339(now - day * DAY + 5),
            }
            moved["root_id"] = moved["id"]
            entries = [
                {**one, "at": one["at"] - day * DAY, **({"modified": one["modified"] - day * DAY} if "modified" in one else {})}
                for one in ledger
            ]
            store.put_run(moved, entries)
        store.delete_runs([run["id"]])
        store.close()


@pytest.fixture(scope="module")
def with_good_runs(tmp_path_factory):
    """Twelve good runs of the clinic, one a day."""
    folder = tmp_path_factory.mktemp("good")
    shutil.copytree(EXAMPLES / "clinic", folder / "clinic", ignore=shutil.ignore_patterns("world", "forecasts.csv", "__pycache__"))
    clinic = Clinic(folder)
    assert clinic.run() == 0, clinic.said
    assert clinic.last()[0] == "succeeded", clinic.last()[1]
    clinic.repeat_in_the_past(12)
    return folder


@pytest.fixture
def clinic(with_good_runs, tmp_path):
    """A clinic of one's own, with that past."""
    shutil.copytree(with_good_runs, tmp_path / "copy")
    return Clinic(tmp_path / "copy")


def test_a_good_day_is_no_warning(clinic):
    """As on the days before: nothing is told."""
    assert clinic.run() == 0
    outcome, summary, log = clinic.last()
    assert (outcome, summary["notes"]) == ("succeeded", [])
    assert "check    columns of lab-feed                           ok" in log
    assert summary["checks"] == "3 passed"


def test_a_stale_feed_is_a_warning(clinic):
    """The feed is older than its dependency allows; the line stands right behind the transaction."""
    assert clinic.run(fault="feed-stale") == 0
    outcome, summary, log = clinic.last()
    assert outcome == "warned"
    assert summary["checks"] == "2 passed, 1 warned (age of lab-feed: 9 d old, at most 2 d is expected)"
    assert summary["notes"] == ["check warned: age of lab-feed: 9 d old, at most 2 d is expected"]
    lines = [line[15:] for line in log.splitlines() if line[13:14] == "*"]
    read = next(number for number, line in enumerate(lines) if line.startswith("read") and "lab.csv" in line)
    assert lines[read + 1].split()[:4] == ["check", "age", "of", "lab-feed"]


def test_an_empty_output_is_a_warning(clinic):
    """Nobody new in the feed: the job writes a file without a row, and exits with 0."""
    assert clinic.run(fault="feed-quiet") == 0
    outcome, summary, _ = clinic.last()
    assert outcome == "warned"
    assert "forecasts.csv is empty: 0 rows; good runs write 42 rows" in summary["notes"]


def test_a_swallowed_failure_is_a_warning(clinic):
    """Somebody has put `except Exception` around the calls service: the job goes on with a guess."""
    job = clinic.folder / "forecast.py"
    swallowing = "    try:\n        calls = calls_possible(os.environ['CALLS_API'], day)\n    except Exception:\n        calls = 10\n"
    job.write_text(job.read_text().replace('    calls = calls_possible(os.environ["CALLS_API"], day)\n', swallowing))
    assert clinic.run(fault="api-503") == 0
    outcome, summary, _ = clinic.last()
    assert outcome == "warned"
    [note] = [note for note in summary["notes"] if "went on" in note]
    assert "failed, and the job went on: call http://127.0.0.1:" in note
    assert note.endswith("/calls?date=*** (calls-service): urllib.error.HTTPError: HTTP Error 503: Service Unavailable")


def test_strict_makes_a_warning_a_failure(clinic):
    """`strict = true`: offduty's own exit status 1, said to be offduty's, and why."""
    table = clinic.folder / "offduty.toml"
    table.write_text(table.read_text().replace("[job.forecast]", "[job.forecast]\nstrict = true"))
    assert clinic.run(fault="feed-quiet") == 1
    outcome, summary, log = clinic.last()
    assert outcome == "failed"
    assert summary["what"].startswith("strict: forecasts.csv is empty")
    assert "FAILED after" in log.partition("== summary")[2]


def test_what_was_not_written_is_missed(clinic):
    """The job's last step is gone: good runs write forecasts.csv."""
    job = clinic.folder / "forecast.py"
    job.write_text(job.read_text().replace("    save(forecasts, database)\n", ""))
    assert clinic.run() == 0
    outcome, summary, _ = clinic.last()
    assert outcome == "warned"
    assert "no output: forecasts.csv was not written, as it was by each of the last 12 good runs" in summary["notes"]


def test_checks_are_shown_afterwards(clinic, monkeypatch):
    """`runs show` has them, for people and for programs."""
    assert clinic.run(fault="feed-stale") == 0
    monkeypatch.setenv("OFFDUTY_STATE_DIR", str(clinic.state))
    shown = subprocess.run([TOOLS / "offduty", "runs", "show", "forecast"], capture_output=True, text=True).stdout
    assert "checked     age of lab-feed" in shown
    found = json.loads(subprocess.run([TOOLS / "offduty", "runs", "show", "forecast", "--json"], capture_output=True, text=True).stdout)
    assert (found["checks"][0]["name"], found["checks"][0]["outcome"]) == ("age of lab-feed", "warned")


@pytest.fixture
def offduty(clinic):
    """Call a command in the clinic's folder."""

    def call(*words):
        environ = {**os.environ, "OFFDUTY_STATE_DIR": str(clinic.state)}
        return subprocess.run([TOOLS / "offduty", *words], cwd=clinic.folder, env=environ, capture_output=True, text=True, timeout=30)

    return call


def test_bounds_are_learned_from_good_runs(clinic, offduty):
    """What is set stays; what is proposed says on what it rests; once written, there is nothing left to learn, and the day goes well."""
    table = clinic.folder / "offduty.toml"
    before = table.read_text().replace('max_age  = "2 d"\nmin_rows = 400\n', "").replace('min_duration = "500 ms"\n', "")
    table.write_text(before)
    found = json.loads(offduty("learn", "forecast", "--json").stdout)
    assert (found["runs"], found["written"]) == (12, None)
    proposed = {(one["table"], one["setting"]): one for one in found["proposals"]}
    assert proposed["dependency.lab-feed", "min_rows"]["value"] == 220
    assert proposed["dependency.lab-feed", "min_rows"]["evidence"] == "442 rows on 12 good runs"
    assert proposed["dependency.lab-feed", "max_age"]["value"] == "13 h"
    assert ("job.forecast", "max_duration") not in proposed
    assert table.read_text() == before
    assert offduty("learn", "forecast", "--write").returncode == 0
    after = table.read_text().splitlines()
    assert [line for line in after if line in before.splitlines()] == before.splitlines()
    assert [line.split()[0] for line in after if line not in before.splitlines()] == ["min_duration", "max_age", "min_rows"]
    assert offduty("check").returncode == 0
    assert offduty("learn", "forecast", "--write").stdout == 'nothing new to learn from 12 good runs of "forecast"\n'
    assert clinic.run() == 0
    assert clinic.last()[0] == "succeeded"


def test_there_is_nothing_to_learn_without_good_runs(offduty, clinic):
    """It says how many there are and how many it takes; an unknown job is an error."""
    table = clinic.folder / "offduty.toml"
    table.write_text(table.read_text() + '\n[job.young]\ncommand = ["true"]\n')
    assert offduty("learn", "young").stdout == '"young" has no good run yet; 5 are needed to learn from\n'
    assert offduty("learn", "yuong").stderr.startswith("offduty: E506")
