"""`offduty drill --list`, `--history`, `status`, `ready` and the runbook: when each row was rehearsed last, and who saw its message."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from offduty.alerts.proof import Proof
from offduty.drills.store import Rehearsed, Turn
from offduty.stores.sqlite import open_store

DAY = 86_400.0
CONFIG = """\
[drill]
every = "30 d"
[job.total]
command = ["true"]
[[triage]]
id = "FEED-01"
when = { exception = "KeyError" }
cause = "x"
[[triage]]
id = "FEED-02"
when = { exception = "OSError" }
cause = "y"
"""


@pytest.fixture
def home(tmp_path):
    """A job that was rehearsed three days ago, with one message sent for real, which Mei has seen."""
    (tmp_path / "offduty.toml").write_text(CONFIG)
    now, store = time.time(), open_store(str(tmp_path / "state/offduty.sqlite3"))
    entry = {"messages": [{"team": "ds", "channel": "chat", "code": "K7QX2M"}], "turn": 1}
    done = Rehearsed("total", now - 3 * DAY, "FEED-01", "missing", "file.read", "/feed.csv", False, "OTHER won", entry=entry)
    store.drills.put_turn(Turn("total", now - 3 * DAY - 60, ended_at=now - 3 * DAY, outcome="failed", of=1, said="1 of 1: FEED-01"))
    gone = replace(done, at=now - 9 * DAY, row="", fault="timeout", target="https://gone.example", entry={})
    store.drills.rehearse([gone, done, replace(gone, at=now - 3 * DAY, fault="sigkill", target="", passed=True)])
    store.proofs.add(Proof("K7QX2M", "chat", now - 3 * DAY))
    store.proofs.confirm("K7QX2M", "Mei", now - 2 * DAY)
    store.close()
    return tmp_path


def said(home, *words):
    """What a command prints."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "OFFDUTY_STATE_DIR": f"{home}/state", "COLUMNS": "200", "TZ": "UTC"}
    done = subprocess.run([sys.executable, "-m", "offduty", *words], cwd=home, env=env, capture_output=True, text=True, timeout=60)
    assert not done.stderr.startswith("offduty: E"), done.stderr
    return done.stdout


def test_the_list_says_when_how_and_who_saw_it(home):
    """A row that was never rehearsed is there too; the next turn is due in its time."""
    (job,) = json.loads(said(home, "drill", "--list", "--json"))["jobs"]
    first, second, third = job["drills"]
    assert (first["row"], first["passed"], round(first["age_s"] / DAY)) == ("FEED-01", False, 3)
    assert [(proof["channel"], proof["by"]) for proof in first["proofs"]] == [("chat", "Mei")]
    assert (second["row"], second["at"], job["last"]["outcome"], job["due"]) == ("FEED-02", None, "failed", False)
    assert third["fault"] == "sigkill"  # what the job touched before the last turn, and not in it, is gone
    text = said(home, "drill", "--list", "total")
    assert "FEED-02" in text and "never" in text and "Mei, 2 d ago (chat)" in text and "rehearsed 3 d ago" in text


def test_the_history_has_each_turn(home):
    """With what came of it."""
    (job,) = json.loads(said(home, "drill", "total", "--history", "--json"))["jobs"]
    assert [(turn["by"], turn["outcome"], turn["of"]) for turn in job["turns"]] == [("watch", "failed", 1)]
    assert "FEED-01 missing /feed.csv: OTHER won" in said(home, "drill", "--history")


def test_status_ready_and_the_runbook_know_it(home):
    """Each as briefly as it can."""
    assert "drills of total" in said(home, "status") and "3 d ago: 1 of 1: FEED-01" in said(home, "status")
    assert json.loads(said(home, "status", "--json"))["jobs"][0]["drill"]["outcome"] == "failed"
    assert "FEED-01 did not go as promised" in said(home, "ready", "total")
    assert "Mei" in said(home, "handover", "total") and "3 d" in said(home, "handover", "total")


def test_a_drill_needs_a_job():
    """One line, with what to write."""
    done = subprocess.run([sys.executable, "-m", "offduty", "drill"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1) and "E111 no job is named" in done.stderr
