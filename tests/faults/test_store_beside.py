"""The store is readied while the job runs: its end is short, and no disk that takes its time holds anybody up."""

from __future__ import annotations

import signal
import sqlite3

UNTIL_READY = 'until [ -e "$0/reserve" ]; do sleep 0.05; done; '  # the reserve is made when all that can be done beforehand has been
HANGS = {"OFFDUTY_TESTING": "1", "OFFDUTY_FAILPOINT": "store start:sleep:60"}


def outcomes(state):
    """What the store's file itself says of the runs, without taking the spool in."""
    if not (state / "offduty.sqlite3").exists():
        return []
    with sqlite3.connect(f"file:{state}/offduty.sqlite3?mode=ro", uri=True) as db:
        return [outcome for (outcome,) in db.execute("SELECT outcome FROM run")]


def test_a_run_that_lasts_is_in_the_store_while_it_runs(offduty):
    """INV-4: running, then ended, with nobody else looking."""
    running = offduty.start("--name", "x", "--", "sh", "-c", "until [ -e go ]; do sleep 0.05; done")
    offduty.wait_for(lambda: outcomes(offduty.state) == ["running"], "the run in the store", seconds=40)
    (offduty.home / "go").touch()
    running.communicate(timeout=40)
    assert outcomes(offduty.state) == ["succeeded"]
    assert not list(offduty.state.glob("spool/*.spool"))


def test_a_disk_that_does_not_answer_while_the_job_runs(offduty):
    """F66, INV-2: the job's end is not held up, and waits in the spool."""
    done = offduty.run("--name", "x", "--", "sh", "-c", f"{UNTIL_READY}echo out; exit 3", offduty.state, env=HANGS, timeout=50)
    assert (done.code, done.out) == (3, b"out\n")
    assert outcomes(offduty.state) == []
    assert offduty.record["outcome"] == "failed"


def test_a_disk_that_does_not_answer_keeps_no_signal_from_the_job(offduty):
    """F03: TERM is passed on while the store waits for the disk."""
    script = f"trap 'echo stopped; exit 7' TERM; {UNTIL_READY}echo ready; while :; do sleep 0.05; done"
    running = offduty.start("--name", "x", "--", "sh", "-c", script, offduty.state, env=HANGS)
    assert running.stdout.readline() == b"ready\n"
    running.send_signal(signal.SIGTERM)
    out, _ = running.communicate(timeout=50)
    assert (running.returncode, out) == (7, b"stopped\n")


def test_the_end_of_a_good_run_imports_nothing(offduty):
    """What it takes was loaded while the job ran."""
    script = f"{UNTIL_READY}echo ended >&2"
    done = offduty.run("--name", "x", "--", "env", "-u", "PYTHONPROFILEIMPORTTIME", "sh", "-c", script, offduty.state,
                       env={"PYTHONPROFILEIMPORTTIME": "1"}, timeout=50)  # fmt: skip
    before, _, after = done.err.partition(b"ended\n")
    assert b"offduty.wiring.quality" in before
    assert [line for line in after.splitlines() if b"import time" in line] == []
