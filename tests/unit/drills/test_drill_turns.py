"""When drills come by themselves, when they wait, and what a turn of them came to."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.drills import turn as turns
from offduty.drills.plan import Planned
from offduty.drills.store import Rehearsed, Turn
from offduty.drills.synthetic import Spot
from offduty.settings.load import load
from offduty.stores.sqlite import open_store
from offduty.testing import MONDAY, FakeClock
from offduty.wiring.drillwatch import Drills
from offduty.wiring.recurring import happening_of, said_of

DAY, MONTH = 86_400.0, 30 * 86_400.0
OVER = Turn("total", MONDAY, 7, ended_at=MONDAY + 60, outcome="passed", passed=1, of=1)
RESULT = Rehearsed("total", MONDAY, "FEED-01", "missing", "file.read", "/feed.csv", True, "as it has to be", entry={"turn": 7})
FREE = {"running": False, "slot": None, "period": 0.0, "hours": "", "zone": "UTC", "now": MONDAY}


@pytest.mark.parametrize(
    "last, after, due",
    [
        (None, 0.0, True),
        (Turn("total", MONDAY), 1.0, True),  # it was left in its midst
        (OVER, MONTH - 1, False),
        (OVER, MONTH + 61, True),
        (replace(OVER, outcome="could not"), DAY + 61, True),
        (replace(OVER, outcome="could not"), DAY - 1, False),
        (OVER, -2 * DAY, True),  # F54: the clock was set back
    ],
)
def test_a_turn_is_due(last, after, due):
    """So long after the last, a day after one that could not be done; at once where none ever was, or one was left."""
    assert turns.is_due(last, MONTH, MONDAY + after) is due
    assert not turns.is_due(last, 0.0, MONDAY + after)


@pytest.mark.parametrize(
    "changed, why",
    [
        ({}, ""),
        ({"running": True}, "the job runs"),
        ({"slot": MONDAY + 600, "period": DAY}, "the job is due soon"),
        ({"slot": MONDAY + 1000, "period": DAY}, ""),
        ({"slot": MONDAY - 5, "period": DAY}, "the job is due"),
        ({"slot": MONDAY + 200, "period": 600.0}, ""),  # a quarter of the time between slots is enough
        ({"hours": "07:00-18:00"}, "it is not 07:00-18:00"),
        ({"hours": "07:00-18:00", "zone": "Europe/Berlin"}, ""),
        ({"hours": "22:00-06:30"}, ""),
    ],
)
def test_a_drill_waits_for_a_quiet_moment(changed, why):
    """Never while the job runs, is due, or is due soon; only in its hours, in the job's zone. It is Monday, 06:00 UTC."""
    assert turns.wait_for(**{**FREE, **changed}) == why


def test_what_was_left_is_gone_on_with():
    """The same turn, one try more, without what it has rehearsed; what another turn rehearsed does not count."""
    left = Turn("total", MONDAY, 7)
    assert turns.take_up(left, "total", MONTH, MONDAY + 5) == replace(left, tries=2)
    assert turns.take_up(OVER, "total", MONTH, MONDAY + 70) is None
    planned = [Planned("missing", Spot("file.read", "/feed.csv", ""), "FEED-01"), Planned("sigkill", Spot("", "", ""))]
    assert turns.still_to_do(planned, turns.of_turn([RESULT], left)) == planned[1:]
    assert turns.still_to_do(planned, turns.of_turn([replace(RESULT, entry={"turn": 6})], left)) == planned


def test_what_a_turn_came_to():
    """In short, and a line for each that did not go as promised; a turn without any is one that passed."""
    wrong = replace(RESULT, passed=False, said="DB-01 won")
    done = turns.ended(Turn("total", MONDAY, 7), [RESULT, wrong], MONDAY + 9)
    assert (done.outcome, done.passed, done.of, done.said) == ("failed", 1, 2, "1 of 2 did not go as promised: FEED-01")
    assert turns.what_is_wrong([RESULT, wrong]) == ["FEED-01 missing /feed.csv: DB-01 won"]
    assert turns.ended(Turn("total", MONDAY), [], MONDAY).said == "there is nothing to rehearse"


def test_the_owner_hears_of_what_can_be_mended():
    """A key for ever; a job that can never be drilled is shown, and told to nobody each month."""
    failed = replace(OVER, outcome="failed", said="FEED-01")
    assert [happening_of(one, []).event for one in (OVER, failed)] == ["drill_passed", "drill_failed"]
    assert happening_of(failed, []).key == "drill:total:2026-11-23T06:00:00.000Z"
    assert happening_of(replace(failed, outcome="could not", code="E820"), []) is None
    assert happening_of(replace(failed, outcome="could not", code="E821"), []).outcome == "could not"


def test_a_job_says_more_than_the_general_table(tmp_path):
    """`every = "0"` is never; what only pings cannot be rehearsed."""
    (tmp_path / "offduty.toml").write_text(
        '[drill]\nevery = "30 d"\nall = true\nhours = "09:00-17:00"\n[job.a]\ncommand = ["x"]\ntimezone = "Asia/Tokyo"\n'
        'drill = { every = "7 d", allow_run = ["git"] }\n[job.b]\ncommand = ["x"]\ndrill = { every = "0" }\n'
        '[job.c]\nping = true\nevery = "1 d"\n'
    )
    settings = load(str(tmp_path), {"HOME": str(tmp_path)})
    said = said_of(settings, "a")
    assert (said.every, said.hours, said.zone) == (7 * DAY, "09:00-17:00", "Asia/Tokyo")
    assert (said.options.everything, said.options.run) == (True, ("git",))
    assert [said_of(settings, job).every for job in "bc"] == [0.0, 0.0]


@given(st.floats(0, 4e9), st.floats(0, 4e9), st.floats(1, 1e8), st.sampled_from(["passed", "failed", "could not"]))
def test_no_clock_puts_drills_off_for_ever(ended, now, every, outcome):
    """INV-10: whatever the clock showed when the last turn ended, the next is due within its time and an hour."""
    assert turns.is_due(replace(OVER, ended_at=ended, outcome=outcome), every, now + every + 3601) or ended > now
    assert turns.is_due(replace(OVER, ended_at=now + 3601), every, now)


def test_what_breaks_off_for_weeks_on_end_stops_no_watcher(tmp_path):
    """However often in a row it was in vain, the next drill is put off by a number of seconds."""
    drills = Drills(load(str(tmp_path), {"HOME": str(tmp_path)}), FakeClock(), config=None)
    store = open_store(str(tmp_path / "s"), clock=FakeClock())
    for drills._in_vain in (0, 20, 5000):
        with subprocess.Popen(["false"]) as drills._process:
            pass
        assert drills.look(store) == ["drills  : broken off with exit status 1"]
    store.close()
