"""What every store remembers for the watcher, over every line of `STORES`."""

from __future__ import annotations

import importlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from offduty.stores import STORES
from offduty.testing import a_run
from offduty.watch.promise import Output, Promise
from offduty.watch.store import Peer

SIX = datetime(2026, 11, 23, 6, tzinfo=UTC).timestamp()
DAY = 86_400.0
DAILY = Promise("forecast", cron="0 6 * * *", start_grace=900.0, tell={"job": "forecast"})


@pytest.fixture(params=STORES)
def store(request, tmp_path):
    """An empty store of each kind."""
    module, _, name = STORES[request.param].partition(":")
    make = getattr(importlib.import_module(module), name)
    made = make() if request.param == "memory" else make(str(tmp_path / "offduty.sqlite3"))
    yield made
    made.close()


def test_a_promise_is_watched_from_its_next_slot_on(store):
    """What was due before anybody watched is not missed."""
    assert store.watch.promise(DAILY, "offduty.toml", SIX + 60)
    (found,) = store.watch.watched()
    assert (found.promise, found.source, found.since) == (DAILY, "offduty.toml", SIX + 60)
    assert (found.slot, found.due) == (SIX + DAY, SIX + DAY + 900)


def test_the_same_promise_again_changes_nothing(store):
    """Every run of the job says it again."""
    store.watch.promise(DAILY, "offduty.toml", SIX - 60)
    assert not store.watch.promise(DAILY, "offduty.toml", SIX + 60)
    assert store.watch.watched("forecast")[0].slot == SIX


def test_another_grace_keeps_the_open_slot_and_another_time_moves_it(store):
    """Editing the file must neither lose a slot that is open nor call one missed that is not owed any more."""
    store.watch.promise(DAILY, "a", SIX - 60)
    store.watch.promise(replace(DAILY, start_grace=60.0), "a", SIX + 30)
    assert (store.watch.watched()[0].slot, store.watch.watched()[0].due) == (SIX, SIX + 60)
    store.watch.promise(replace(DAILY, cron="0 7 * * *"), "a", SIX + 30)
    assert store.watch.watched()[0].slot == SIX + 3600


def test_due_is_who_is_over_oldest_first(store):
    """One tick asks for these alone."""
    for hour, job in enumerate(["c", "b", "a"]):
        store.watch.promise(Promise(job, cron=f"0 {6 + hour} * * *", start_grace=60.0), "", SIX - 60)
    store.watch.promise(Promise("by-hand"), "", SIX)
    assert [found.job for found in store.watch.due(SIX + 3700, 10)] == ["c", "b"]
    assert [found.job for found in store.watch.due(SIX + 3700, 1)] == ["c"]
    assert store.watch.due(SIX + 60, 10) == []


def test_a_slot_is_settled_by_one_watcher_alone(store):
    """INV-9 F46: two saw it, one claims it."""
    store.watch.promise(DAILY, "", SIX - 60)
    assert store.watch.advance("forecast", SIX, SIX + DAY, SIX + DAY + 900)
    assert not store.watch.advance("forecast", SIX, SIX + DAY, SIX + DAY + 900)
    assert store.watch.watched()[0].slot == SIX + DAY


def test_starts_of_watched_jobs_are_numbered_as_they_come_in(store):
    """Whatever their own clocks say; a run starts once, a drill is none, and one that was skipped shows that the scheduler came."""
    store.watch.promise(DAILY, "", SIX)
    first = a_run(job="forecast", outcome="running")
    for run in [first, a_run(job="other"), a_run(job="forecast", trigger="drill"), a_run(job="forecast", id=first["id"])]:
        store.put_run(run)
    store.put_run(a_run(job="forecast", outcome="skipped"))
    started = store.watch.started_after(0, 10)
    assert started[0].run == first["id"]
    assert [one.number for one in started] == [1, 2]
    assert [one.number for one in store.watch.started_after(1, 10)] == [2]


def test_starts_that_all_have_seen_go_and_numbers_are_never_given_twice(store):
    """A number used again would hide a start, and a slot would be called missed."""
    store.watch.promise(DAILY, "", SIX)
    for _ in range(3):
        store.put_run(a_run(job="forecast"))
    assert store.watch.forget_starts(4) == 3
    store.put_run(a_run(job="forecast"))
    assert [one.number for one in store.watch.started_after(0, 10)] == [4]


def test_outputs_are_looked_at_when_they_may_be_stale(store):
    """A job without outputs is never asked."""
    store.watch.promise(replace(DAILY, outputs=(Output("/srv/out.csv", 3600.0),)), "", SIX)
    assert [found.job for found in store.watch.outputs_due(SIX, 10)] == ["forecast"]
    store.watch.look_again("forecast", SIX + 3600)
    assert store.watch.outputs_due(SIX, 10) == []
    store.watch.look_again("forecast", None)
    assert store.watch.outputs_due(SIX + DAY, 10) == []


def test_a_job_that_is_forgotten_is_not_due(store):
    """It left the configuration."""
    store.watch.promise(DAILY, "", SIX - 60)
    assert (store.watch.forget("forecast"), store.watch.forget("forecast")) == (True, False)
    assert store.watch.due(SIX + 10 * DAY, 10) == []


def test_watchers_see_each_other(store):
    """Two on one store."""
    one = Peer("w1", "etl-3", 1, SIX, 7, {"heartbeat": "ok"})
    store.watch.beat(one)
    store.watch.beat(replace(one, beats=2))
    store.watch.beat(Peer("w2", "etl-4", 1, SIX, 0, {}))
    assert store.watch.peers() == [replace(one, beats=2), Peer("w2", "etl-4", 1, SIX, 0, {})]
    store.watch.forget_peer("w1")
    assert [peer.id for peer in store.watch.peers()] == ["w2"]
