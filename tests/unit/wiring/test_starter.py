"""Which slots are started, on a clock that the test moves; what is started are real runs."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from offduty.settings.load import load
from offduty.testing import FakeClock
from offduty.wiring.starter import Starter

HOUR = 3600.0


@pytest.fixture
def starter(tmp_path, monkeypatch):
    """`starter(at, job's settings)`: a Starter at that moment, its clock, and what it has said."""
    monkeypatch.setenv("OFFDUTY_STATE_DIR", str(tmp_path / "state"))
    made = []

    def make(at, conduct):
        (tmp_path / "offduty.toml").write_text(f'[job.x]\ncommand = ["true"]\n{conduct}\n')
        clock, said = FakeClock(at.timestamp()), []
        one = Starter(load(str(tmp_path), os.environ), clock, lambda job: None, said.append)
        made.append(one)
        return one, clock, lambda event: [it["slot"][5:16] for it in said if it["event"] == event]

    yield make
    for one in made:
        for going in one._going:
            going.process.wait()


def play(starter, clock, seconds, step=60.0):
    """It looks at its clock for so long."""
    for _ in range(int(seconds / step)):
        clock.advance(step)
        starter.look()


@pytest.mark.parametrize("day, slot", [((2027, 3, 28), "03-28T01:00"), ((2027, 10, 31), "10-31T00:30"), ((2027, 6, 1), "06-01T00:30")])
def test_a_fixed_time_is_started_once_where_clocks_are_put_forward_or_back(starter, day, slot):
    """F56, F57: Debian's rule, on the nights of the change and on any other."""
    one, clock, said = starter(datetime(*day, 0, 10, tzinfo=UTC), 'schedule = "30 1 * * *"\ntimezone = "Europe/London"')
    play(one, clock, 5 * HOUR)
    assert said("started") == [slot]


def test_of_what_passed_while_the_machine_slept_the_newest_is_started(starter):
    """F60: late, but within its grace; the others are left out, and that is said."""
    one, clock, said = starter(
        datetime(2026, 11, 23, 6, 30, tzinfo=UTC), 'schedule = "0 * * * *"\ntimezone = "UTC"\nstart_grace = "20 min"'
    )
    clock.set_wall(clock.wall() + 3.6 * HOUR)
    one.look()
    assert (said("started"), said("left_out")) == (["11-23T10:00"], ["11-23T07:00"])
    clock.set_wall(clock.wall() + 1.5 * HOUR)
    one.look()
    assert (said("started"), said("left_out")) == (["11-23T10:00"], ["11-23T07:00", "11-23T11:00"])


def test_years_are_left_out_at_once(starter):
    """F55: a clock that was at 1970 and is right now."""
    one, clock, said = starter(datetime(1970, 1, 2, tzinfo=UTC), 'schedule = "* * * * *"\ntimezone = "UTC"')
    clock.set_wall(datetime(2026, 11, 23, 6, 0, 30, tzinfo=UTC).timestamp())
    one.look()
    assert said("started") == ["11-23T06:00"]


def test_an_interval_starts_nothing_on_a_holiday(starter):
    """Every six hours, but not on Tuesday: what was due then is started on Wednesday."""
    conduct = 'every = "6 h"\ntimezone = "UTC"\nnot_on = "off"\n[calendar.off]\ndates = ["2026-11-24"]'
    one, clock, said = starter(datetime(2026, 11, 23, 5, 59, tzinfo=UTC), conduct)
    play(one, clock, 48 * HOUR, 60.0)
    assert [slot[:5] for slot in said("started")] == ["11-23"] * 3 + ["11-25"]


@pytest.mark.parametrize("back, again", [(HOUR, []), (25 * HOUR, ["11-22T06:00"])])
def test_a_clock_that_is_set_back_starts_again_only_what_cron_would(starter, back, again):
    """F54: nothing twice within three hours; beyond, the clock was wrong and is right now."""
    one, clock, said = starter(datetime(2026, 11, 23, 5, 59, tzinfo=UTC), 'schedule = "0 6 * * *"\ntimezone = "UTC"')
    play(one, clock, 600)
    clock.set_wall(clock.wall() - back)
    play(one, clock, 2 * HOUR)
    assert said("started") == ["11-23T06:00", *again]


def test_every_counts_from_the_last_start_and_begins_at_once(starter):
    """A job that never ran is due now."""
    one, clock, said = starter(datetime(2026, 11, 23, 6, tzinfo=UTC), 'every = "90 min"\noverlap = "allow"')
    one.look()
    play(one, clock, 3 * HOUR)
    assert said("started") == ["11-23T06:00", "11-23T07:30", "11-23T09:00"]
