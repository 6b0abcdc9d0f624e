"""INV-2: however slow each part of a run's end is, the command is gone two seconds after the job, with the job's exit code and a record."""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import time

import pytest

from offduty.clock import Clock
from offduty.wiring.deadline import LEAST, WHOLE, Deadline, OutOfTime

SLACK = 0.5  # seconds: the machine does other things, too
PARTS = ["good runs", "comparison", "explanation", "triage", "summary", "gather", "store", "tell"]
JOB = "import sys, time; time.sleep(0.8); open('ended', 'w').write(repr(time.time())); sys.exit({code})"


def ended_after(offduty, code, fault):
    """Run a job of 0.8 s that ends with `code`; seconds from its end to ours."""
    env = {"OFFDUTY_TESTING": "1", "OFFDUTY_FAILPOINT": fault}
    done = offduty.run("--name", "x", "--summary", "always", "--", sys.executable, "-c", JOB.format(code=code), env=env)
    took = time.time() - float((offduty.home / "ended").read_text())
    assert done.code == code
    return done, took


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_hangs_is_broken_off(offduty, part):
    """F24, INV-2, INV-4: the others still do theirs, and the record has the outcome."""
    done, took = ended_after(offduty, 3, f"{part}:sleep:20")
    assert took < WHOLE + SLACK
    assert offduty.record["outcome"] == "failed"
    assert "FAILED" in "\n".join(offduty.own_lines())
    assert b"FAILED" in done.err


@pytest.mark.parametrize("code, outcome", [(0, "succeeded"), (3, "failed")])
def test_all_parts_are_slow_at_once(offduty, code, outcome):
    """F24, INV-2: the waits do not add up."""
    _, took = ended_after(offduty, code, ",".join(f"{part}:sleep:20" for part in PARTS))
    assert took < WHOLE + 2 * SLACK
    assert (offduty.record["outcome"], offduty.record["exit_code"]) == (outcome, code)


def test_what_there_was_no_time_for_is_said(offduty):
    """INV-13: the summary names what it lacks, and why."""
    done, _ = ended_after(offduty, 3, "comparison:sleep:20")
    assert "'comparison' was not done in the time that the end of a run has" in " ".join(done.err.decode().split())
    assert b"OutOfTime" not in done.err
    assert "not judged by triage: there was no time for it" in " ".join(done.err.decode().split())


def test_a_locked_store_is_no_reason_to_stay(offduty):
    """F66, INV-2, INV-13: the runs wait in the spool, and the second says that it was not compared with the first."""
    ended_after(offduty, 0, "")
    offduty.started_with([sys.executable, "-m", "offduty", "status"])
    other = sqlite3.connect(offduty.state / "offduty.sqlite3", isolation_level=None)
    other.execute("begin immediate")
    try:
        ends = [ended_after(offduty, 3, "") for _ in range(2)]
    finally:
        other.close()
    assert max(took for _, took in ends) < WHOLE + SLACK
    assert len(list(offduty.state.glob("spool/*.spool"))) == 2
    assert "not compared with runs that wait in the spool: E607" in " ".join(ends[1][0].err.decode().split())


def test_a_grandchild_that_goes_on_writing_leaves_time_for_the_end(offduty):
    """F12, INV-2: it is listened to for a second; the summary is there in two."""
    script = "(while :; do echo x; sleep 0.05; done) & date +%s.%N > ended; exit 7"
    done = offduty.run("--kill-leftovers", "--name", "x", "--", "sh", "-c", script)
    assert (done.code, offduty.record["outcome"]) == (7, "failed")
    assert time.time() - float((offduty.home / "ended").read_text()) < WHOLE + 2 * SLACK


@pytest.mark.parametrize("part", ["summary", "comparison", "gather"])
def test_killed_in_the_midst_of_its_end(untidy_offduty, part):
    """F09, INV-4: how the job ended is known all the same; the run is not lost."""
    done = untidy_offduty.run(
        "--name", "x", "--", sys.executable, "-c", "import time; time.sleep(0.5); open('bad.csv')",
        env={"OFFDUTY_TESTING": "1", "OFFDUTY_FAILPOINT": f"{part}:kill"},
    )  # fmt: skip
    assert done.code == -signal.SIGKILL
    shown = untidy_offduty.started_with([sys.executable, "-m", "offduty", "runs", "show", "--json"])
    run = json.loads(shown.out)["run"]
    assert (run["outcome"], run["exit_code"], run["exit_source"]) == ("failed", 1, "child")
    assert "offduty was killed after the job had ended" in run["summary"]["notes"][0]
    assert list(untidy_offduty.state.glob("spool/*")) == []


def test_a_part_that_catches_the_alarm_gets_another():
    """What swallows one OutOfTime is broken off by the next; the signal means afterwards what it meant before."""
    before, mask = signal.getsignal(signal.SIGALRM), signal.pthread_sigmask(signal.SIG_BLOCK, [])
    deadline, caught = Deadline(Clock(), 0.0), []

    def stubborn():
        for _ in range(3):
            try:
                time.sleep(20)
            except OutOfTime:
                caught.append(time.monotonic())
        return "gave up"

    began = time.monotonic()
    assert deadline.within(0.5, stubborn) == "gave up"
    assert (len(caught), time.monotonic() - began < LEAST + 2) == (3, True)
    assert (signal.getsignal(signal.SIGALRM), signal.pthread_sigmask(signal.SIG_BLOCK, [])) == (before, mask)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_alarm_that_is_not_ours_breaks_nothing_off():
    """Somebody sends SIGALRM while there is time: the part goes on."""
    deadline = Deadline(Clock(), time.monotonic())
    assert deadline.within(1.0, lambda: signal.raise_signal(signal.SIGALRM) or "done") == "done"
