"""One tick after another, on a clock that the test moves, over every store."""

from __future__ import annotations

import importlib
import os

import pytest

from offduty.stores import STORES
from offduty.testing import MONDAY, FakeClock, a_run
from offduty.watch.promise import Output, Promise
from offduty.watch.watcher import Watcher

HOUR, DAY = 3600.0, 86_400.0
TELL = {
    "job": "forecast",
    "team": "ds",
    "owed": {event: [{"channel": "chat"}] for event in ("missed", "overdue", "stale", "recovered", "stuck")},
}
DAILY = Promise("forecast", cron="30 6 * * *", start_grace=900.0, tell=TELL)
SLOT = MONDAY + 1800


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    """An empty store of each kind."""
    module, _, name = STORES[request.param].partition(":")
    make = getattr(importlib.import_module(module), name)
    made = make() if request.param == "memory" else make(str(tmp_path / "offduty.sqlite3"))
    yield made
    made.close()


@pytest.fixture
def clock():
    """Monday, 06:00."""
    return FakeClock()


def a_watcher(store, clock, me="w1", **more):
    """A watcher whose spool is always empty: tests put runs into the store themselves."""
    return Watcher(store, lambda: None, clock, me=me, host="etl-3", **more)


def owed(store):
    """The events that are owed, in order."""
    return [row.event for row in reversed(store.alerts.alerts())]


def play(watcher, clock, seconds, step=10.0):
    """Ticks for so long; what was missed."""
    found = []
    for _ in range(int(seconds / step)):
        clock.advance(step)
        found += watcher.tick().missed
    return found


def test_a_job_that_never_starts_is_missed_once_within_a_tick(store, clock):
    """F52 INV-9: not before its grace is over, ten seconds after at most, and never again for this slot."""
    store.watch.promise(DAILY, "", clock.wall())
    watcher = a_watcher(store, clock)
    watcher.tick()
    assert play(watcher, clock, 1800 + 900) == []
    assert play(watcher, clock, 10) == [("forecast", SLOT)]
    assert play(watcher, clock, 2 * HOUR) == []
    assert owed(store) == ["missed"]


def test_two_watchers_and_a_restart_owe_one_alert(store, clock):
    """F46 F52 INV-9: whoever is faster."""
    store.watch.promise(DAILY, "", clock.wall())
    both = [a_watcher(store, clock, "w1"), a_watcher(store, clock, "w2")]
    clock.advance(1800 + 901)
    assert sum(len(watcher.tick().missed) for watcher in both) == 1
    assert a_watcher(store, clock, "w1").tick().missed == ()
    assert owed(store) == ["missed"]


def test_a_run_in_time_keeps_its_slot(store, clock):
    """Nothing is owed, and the next slot is tomorrow's."""
    store.watch.promise(DAILY, "", clock.wall())
    watcher = a_watcher(store, clock)
    watcher.tick()
    play(watcher, clock, 1860)
    store.put_run(a_run(outcome="running", at=clock.wall()))
    assert play(watcher, clock, 2 * HOUR) == []
    assert (owed(store), store.watch.watched()[0].slot) == ([], SLOT + DAY)


@pytest.mark.parametrize("skew", [-DAY, -HOUR, HOUR, DAY])
def test_a_host_whose_clock_is_off_misses_nothing(store, clock, skew):
    """F59 INV-10: the run says another time, but it came."""
    store.watch.promise(DAILY, "", clock.wall())
    watcher = a_watcher(store, clock)
    watcher.tick()
    play(watcher, clock, 1860)
    store.put_run(a_run(outcome="running", at=clock.wall() + skew, host="elsewhere"))
    assert play(watcher, clock, 2 * HOUR) == []


def test_a_clock_that_is_set_back_owes_nothing_twice(store, clock):
    """F54: six o'clock comes again, the slot does not."""
    store.watch.promise(DAILY, "", clock.wall())
    watcher = a_watcher(store, clock)
    watcher.tick()
    play(watcher, clock, 3000)
    clock.set_wall(clock.wall() - HOUR)
    assert play(watcher, clock, 2 * HOUR) == []
    assert owed(store) == ["missed"]


@pytest.mark.parametrize("jump", [HOUR, DAY, 12 * 365 * DAY])
def test_a_clock_that_is_set_ahead_makes_no_phantoms(store, clock, jump):
    """F55 F60: the slots in between never were; said once."""
    store.watch.promise(Promise("tick", cron="0 * * * *", start_grace=60.0, tell=TELL), "", clock.wall())
    watcher = a_watcher(store, clock)
    watcher.tick()
    clock.set_wall(clock.wall() + jump)
    clock.advance(10)
    ticked = watcher.tick()
    assert (round(ticked.stepped), ticked.missed) == (jump, ())
    assert (watcher.tick().stepped, owed(store)) == (0.0, [])


def test_a_watcher_that_was_away_judges_what_came_meanwhile(store, clock):
    """F61: five slots missed, and then the job came back: told as over; one that stayed away is told as it is."""
    for job in ("well", "bad"):
        store.watch.promise(Promise(job, cron="0 * * * *", start_grace=60.0, tell=TELL), "", clock.wall())
    a_watcher(store, clock).tick()
    for hour in (6, 7):
        store.put_run(a_run("well", at=MONDAY + hour * HOUR))
    clock.advance(7.5 * HOUR)
    ticked = a_watcher(store, clock).tick()
    assert round(ticked.away) == 7.5 * HOUR
    assert [job for job, _ in ticked.missed].count("well") == 5
    assert [job for job, _ in ticked.missed].count("bad") == 7
    assert [incident.job for incident in store.alerts.incidents()] == ["bad"]


def test_the_first_watcher_of_all_finds_what_was_kept_before_it(store, clock):
    """F61: jobs ran by cron for hours before anybody watched: their slots are kept, and the one that nothing started is missed."""
    for job in ("well", "bad"):
        store.watch.promise(Promise(job, cron="0 * * * *", start_grace=60.0, tell=TELL), "", clock.wall())
    for hour in range(1, 8):
        store.put_run(a_run("well", at=MONDAY + hour * HOUR))
    clock.advance(7.5 * HOUR)
    ticked = a_watcher(store, clock).tick()
    assert ({job for job, _ in ticked.missed}, len(ticked.missed), ticked.kept, ticked.away) == ({"bad"}, 7, 7, 0.0)


def test_more_starts_than_are_read_at_once_are_judged_together(store, clock):
    """F61, INV-9: the start that kept a slot lies behind 700 others, which came into the store first."""
    for job in ("busy", "quiet"):
        store.watch.promise(Promise(job, cron="0 * * * *", start_grace=60.0, tell=TELL), "", clock.wall())
    a_watcher(store, clock).tick()
    for number in range(700):
        store.put_run(a_run("busy", at=MONDAY + HOUR + number))
    store.put_run(a_run("quiet", at=MONDAY + HOUR))
    store.put_run(a_run("busy", at=MONDAY + 2 * HOUR))
    store.put_run(a_run("quiet", at=MONDAY + 2 * HOUR))
    clock.advance(2.5 * HOUR)
    ticked = a_watcher(store, clock).tick()
    assert (ticked.missed, ticked.kept) == ((), 4)


def test_an_interval_is_not_due_on_a_holiday(store, clock):
    """Every six hours, but not on Tuesday: after Monday's run at noon the next is due on Wednesday."""
    store.watch.promise(Promise("six", every=6 * HOUR, start_grace=60.0, except_on=("2026-11-24",), tell=TELL), "", clock.wall())
    watcher = a_watcher(store, clock)
    watcher.tick()
    clock.advance(12 * HOUR)
    store.put_run(a_run("six", at=clock.wall()))
    watcher.tick()
    assert [(slot - MONDAY) / HOUR for _, slot in play(watcher, clock, 36 * HOUR, 600.0)] == [42.0]


@pytest.mark.parametrize("written", [False, True])
def test_outputs_are_looked_at_when_a_wrong_clock_is_put_right(store, clock, tmp_path, written):
    """F54, F55: a month ahead for some minutes; neither when to look again nor a file written then is believed for a month."""
    out = tmp_path / "out.csv"
    store.watch.promise(Promise("forecast", outputs=(Output(str(out), 2 * HOUR),), tell=TELL), "", clock.wall())
    watcher = a_watcher(store, clock)
    clock.set_wall(clock.wall() + 30 * DAY)
    if written:
        out.touch()
        os.utime(out, (clock.wall(), clock.wall()))
    watcher.tick()
    clock.set_wall(clock.wall() - 30 * DAY)
    clock.advance(60)
    watcher.tick()
    clock.advance(60)
    out.touch()
    os.utime(out, (clock.wall(), clock.wall()))
    found = []
    for minute in range(150):
        clock.advance(60)
        found += [minute] if watcher.tick().stale else []
    assert found == [120]


def test_a_run_that_takes_too_long_is_overdue_once(store, clock):
    """max_duration, by the watcher's own monotonic clock; the clock on the wall may be set meanwhile."""
    store.watch.promise(Promise("forecast", max_duration=600.0, tell=TELL), "", clock.wall())
    watcher = a_watcher(store, clock)
    run = a_run(outcome="running", at=clock.wall())
    store.put_run(run, tell=TELL)
    watcher.tick()
    clock.set_wall(clock.wall() + DAY)
    play(watcher, clock, 500)
    assert owed(store) == []
    play(watcher, clock, 200)
    assert owed(store) == ["overdue"]
    assert a_watcher(store, clock).tick().overdue in ((), (run["id"],))
    assert owed(store) == ["overdue"]


def test_a_run_is_overdue_by_what_good_runs_took(store, clock):
    """Without max_duration: three times the longest of at least five, and never under ten minutes."""
    for _ in range(5):
        store.put_run(a_run(duration_s=400.0), tell=TELL)
    store.put_run(a_run(outcome="running", at=clock.wall()), tell=TELL)
    watcher = a_watcher(store, clock)
    watcher.tick()
    play(watcher, clock, 1190)
    assert owed(store) == []
    play(watcher, clock, 30)
    assert owed(store) == ["overdue"]


def test_an_output_that_is_not_refreshed_is_stale(store, clock, tmp_path):
    """A file of a job that says it went well; one that is written again is well again."""
    out = tmp_path / "out-1.csv"
    out.write_text("x")
    os.utime(out, (MONDAY, MONDAY))
    store.watch.promise(Promise("forecast", outputs=(Output(f"{tmp_path}/out-*.csv", 7200.0),), tell=TELL), "", clock.wall())
    watcher = a_watcher(store, clock)
    watcher.tick()
    play(watcher, clock, 7200)
    assert owed(store) == []
    play(watcher, clock, 20)
    assert owed(store) == ["stale"]


def test_an_output_is_stale_again_in_an_hour_that_comes_twice(store, clock, tmp_path):
    """F54, INV-9: told, well again, and the clock is set back: another file is too old at the same time of day. Each is told once."""
    out = tmp_path / "out.csv"
    store.watch.promise(Promise("forecast", outputs=(Output(str(out), 2 * HOUR),), tell=TELL), "", clock.wall())
    watcher = a_watcher(store, clock)
    for _ in range(2):
        out.touch()
        os.utime(out, (clock.wall(), clock.wall()))
        play(watcher, clock, 2.1 * HOUR, step=0.7 * HOUR)
        store.put_run(a_run(at=clock.wall()), tell=TELL)
        clock.set_wall(clock.wall() - 2.1 * HOUR + 1)
    assert owed(store) == ["stale", "recovered"] * 2


def test_an_output_that_never_was_is_stale(store, clock, tmp_path):
    """Nothing matches the glob."""
    store.watch.promise(Promise("forecast", outputs=(Output(f"{tmp_path}/none-*", 60.0),), tell=TELL), "", clock.wall())
    assert a_watcher(store, clock).tick().stale == (f"{tmp_path}/none-*",)


def test_watchers_notice_each_others_silence(store, clock):
    """INV-14: by beats, on the own monotonic clock, once."""
    first, second = a_watcher(store, clock, "w1", tell=TELL), a_watcher(store, clock, "w2", tell=TELL)
    first.tick(), second.tick()
    for _ in range(29):
        clock.advance(10)
        assert second.tick().silent == ()
    clock.advance(20)
    assert second.tick().silent == ("w1",)
    play(second, clock, 600)
    assert owed(store) == ["stuck"]


def test_a_job_that_cannot_be_judged_does_not_stop_the_others(store, clock):
    """F64: a promise from another version, a zone that is gone."""
    store.watch.promise(Promise("odd", cron="0 6 * * *", zone="UTC"), "", clock.wall())
    store.watch.promise(DAILY, "", clock.wall())
    store.watch.advance("odd", store.watch.watched("odd")[0].slot, MONDAY, MONDAY)
    watcher = a_watcher(store, clock)
    assert ("forecast", SLOT) in play(watcher, clock, 3000)
