"""The digests that a watcher owes, on a clock that the test moves, in a real store."""

from __future__ import annotations

import time

import pytest

from offduty.errors import StoreError
from offduty.handover.week import Week
from offduty.settings.load import load
from offduty.stores.sqlite import open_store
from offduty.testing import FakeClock, a_run
from offduty.wiring.weekly import Weekly, due, tell_now, tell_weeks

DAY = 86_400.0
CONFIG = """\
[job.forecast]
command = ["true"]
owner = "lab"
[team.lab]
channels = ["chat", "mail", "gone"]
timezone = "UTC"
[team.mute]
contact = "ext. 1"
[team.calm]
channels = ["chat"]
digest = false
[channel.chat]
kind = "command"
command = ["true"]
[channel.mail]
kind = "command"
command = ["true"]
"""


@pytest.fixture
def place(tmp_path):
    """Settings, a store and a clock; a job that ran."""
    (tmp_path / "offduty.toml").write_text(CONFIG)
    clock = FakeClock()
    store = open_store(str(tmp_path / "s"), clock=clock)
    store.put_run(a_run("forecast", at=clock.wall() + 60))
    yield load(str(tmp_path), {"HOME": str(tmp_path)}), store, clock
    store.close()


def weekly(store):
    """What is owed, by channel, and when it came to be."""
    return sorted((row.channel, row.at) for row in store.alerts.alerts(limit=1000) if row.event == "weekly")


def test_each_channel_is_owed_one_digest_a_week(place):
    """However often somebody looks; not in the week in which the team came to be known, and only while something happens."""
    settings, store, clock = place
    told = []
    for _ in range(4 * 7 * 24):
        told += tell_weeks(settings, store, clock.wall())
        clock.advance(3600)
    assert told == ["digest  lab: owed to chat, mail", *["digest  lab: nothing happened, nothing is sent"] * 2]
    assert [channel for channel, _ in weekly(store)] == ["chat", "mail"]


def test_a_store_that_goes_away_is_said_and_asked_again_later(place):
    """The thread that puts a digest together ends in a line, not in a traceback, and leaves the store alone for a while."""
    settings, store, clock = place
    list(tell_weeks(settings, store, clock.wall()))
    clock.advance(10 * DAY)
    asked = []

    def away():
        asked.append(clock.wall())
        raise StoreError("E601", "the store is away")

    watching, said, until = Weekly(settings, clock, away), [], time.monotonic() + 40
    while not said and time.monotonic() < until:
        said += watching.look(store)
        time.sleep(0.01)
    said += watching.look(store)
    assert len(said) == 1 and "the store is away" in said[0] and len(asked) == 1


def test_weeks_that_nobody_watched_are_one_digest(place):
    """It is late, says so by its days, and the next one comes in its time."""
    settings, store, clock = place
    list(tell_weeks(settings, store, clock.wall()))
    clock.advance(24 * DAY)
    list(tell_weeks(settings, store, clock.wall()))
    clock.advance(DAY)
    list(tell_weeks(settings, store, clock.wall()))
    (row, _) = (row for row in store.alerts.alerts(limit=1000) if row.event == "weekly")
    assert row.facts["what"].startswith("2026-11-23 to 2026-12-17") and row.facts["title"] == "The week of lab: 1 run, none ended badly"


def test_a_crash_between_owing_and_settling_owes_nothing_twice(place):
    """F46: the same for a second watcher that looked at the same moment: the keys name the week."""
    settings, store, clock = place
    list(tell_weeks(settings, store, clock.wall()))
    before = store.weeks.of(settings.files[-1])["lab"]
    clock.advance(7 * DAY + 4 * 3600)
    list(tell_weeks(settings, store, clock.wall()))
    store.weeks.put(before)
    clock.advance(60)
    assert due(settings, store, clock.wall())
    list(tell_weeks(settings, store, clock.wall()))
    assert len(weekly(store)) == 2


def test_two_projects_with_teams_of_one_name_are_told_each(place, tmp_path):
    """Their store is one, their configurations are not."""
    settings, store, clock = place
    (tmp_path / "b").mkdir()
    (tmp_path / "b/offduty.toml").write_text(CONFIG)
    other = load(str(tmp_path / "b"), {"HOME": str(tmp_path)})
    for one in (settings, other):
        list(tell_weeks(one, store, clock.wall()))
    clock.advance(7 * DAY + 4 * 3600)
    for one in (settings, other):
        list(tell_weeks(one, store, clock.wall()))
    assert len(weekly(store)) == 4


def test_by_hand_it_is_one_more(place):
    """At once, also in the first week; what comes by itself is as it was."""
    settings, store, clock = place
    clock.advance(DAY)
    assert [row.channel for row in tell_now(settings, "lab", store, clock.wall())] == ["chat", "mail"]
    assert store.weeks.of(settings.files[-1]) == {}


def test_it_can_be_turned_off(place, tmp_path):
    """For all, or for a team; what is off is not noted either."""
    (tmp_path / "offduty.toml").write_text("[digest]\nsend = false\n" + CONFIG)
    settings, (_, store, clock) = load(str(tmp_path), {"HOME": str(tmp_path)}), place
    store.weeks.put(Week(settings.files[-1], "lab", 0.0, 0.0))
    assert due(settings, store, clock.wall()) == {}
