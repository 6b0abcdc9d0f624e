"""Runs of other machines: judged by their beats, on the listener's own monotonic clock."""

from __future__ import annotations

import os

import pytest

from offduty.runs.beat import EVERY, Beat
from offduty.settings.load import load
from offduty.testing import FakeClock, a_run
from offduty.watch.beats import SILENT, Listener
from offduty.wiring.watching import Station

RUN = {"id": "run-1"}


@pytest.fixture
def clock():
    """Monday, 06:00."""
    return FakeClock()


def cannot_say(_):
    """As for a run of another host."""


def test_a_short_run_leaves_no_beat(tmp_path, clock):
    """Most runs are over before the first one."""
    beat = Beat(str(tmp_path / "beats"), "run-1", clock)
    beat.beat()
    beat.end()
    assert list(tmp_path.iterdir()) == []


def test_a_beat_counts_up_and_goes_with_the_run(tmp_path, clock):
    """T23: a file for its owner alone."""
    beat = Beat(str(tmp_path / "beats"), "run-1", clock)
    seen = []
    for _ in range(3):
        clock.advance(EVERY)
        beat.beat(), beat.beat()
        seen.append((tmp_path / "beats/run-1").read_text())
    assert (seen, os.stat(beat.path).st_mode & 0o777) == (["1", "2", "3"], 0o600)
    beat.end()
    assert os.listdir(tmp_path / "beats") == []


@pytest.mark.parametrize("step", [-86_400.0, 0.0, 86_400.0])
def test_silence_is_measured_on_ones_own_monotonic_clock(tmp_path, clock, step):
    """INV-10 F54 F55 F59: whatever the clocks on the walls are set to."""
    beat, listener = Beat(str(tmp_path), "run-1", clock), Listener(str(tmp_path), clock, cannot_say)
    assert listener.alive(RUN) is None
    for _ in range(20):
        clock.advance(EVERY)
        beat.beat()
        clock.set_wall(clock.wall() + step)
        assert listener.alive(RUN) is True
    clock.advance(SILENT)
    assert listener.alive(RUN) is True
    clock.advance(1.0)
    assert listener.alive(RUN) is False


def test_who_sees_the_process_need_not_listen(tmp_path, clock):
    """On the same machine a process is there or it is not."""
    assert Listener(str(tmp_path), clock, lambda _: False).alive(RUN) is False


@pytest.mark.parametrize("harm", ["folder", "link", "fifo"])
def test_what_is_no_beat_says_nothing(tmp_path, clock, harm):
    """B9: a watcher must neither hang nor fail on it."""
    path = tmp_path / "run-1"
    {"folder": path.mkdir, "link": lambda: path.symlink_to("/dev/zero"), "fifo": lambda: os.mkfifo(path)}[harm]()
    assert Listener(str(tmp_path), clock, cannot_say).alive(RUN) in (None, True)


def test_a_run_of_another_host_that_falls_silent_is_lost_once(tmp_path, clock):
    """F07 F10: a second machine sees the store; the first one went down."""
    station = Station(load(str(tmp_path), {"OFFDUTY_STATE_DIR": str(tmp_path / "state"), "HOME": str(tmp_path)}), clock, name="w")
    run = a_run(outcome="running", at=clock.wall(), host="elsewhere")
    station.store.put_run(run)
    beat = Beat(station.places.beats, run["id"], clock)
    for _ in range(10):
        clock.advance(EVERY)
        beat.beat()
        station.tick()
    assert station.store.run(run["id"])["outcome"] == "running"
    for _ in range(8):
        clock.advance(10.0)
        station.tick()
    assert (station.store.run(run["id"])["outcome"], os.listdir(station.places.beats)) == ("lost", [])
    station.store.close()
