"""F44, F45, F46: a sender, as a process, is killed, stopped and sent away at every step. `OFFDUTY_TORTURE=100` makes it 1 000 kills."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from offduty.stores.sqlite import open_store
from offduty.testing import a_run

TORTURE = int(os.environ.get("OFFDUTY_TORTURE", "1"))
SENDER = Path(__file__).with_name("send_process.py")
PATIENCE = 40.0  # seconds: the machine may be busy
SOON = 20.0  # seconds: far less than a lease usually lasts


def tell(*channels, urgency="now"):
    """A plan in which all channels hear of failures and recoveries."""
    to = [{"channel": name, "urgency": urgency, "team": "ds"} for name in channels]
    return {"job": "forecast", "team": "ds", "cause": "FEED-01", "owed": {"failed": to, "recovered": to}, "policy": {"settle_s": 0}}


@pytest.fixture
def world(tmp_path):
    """A store with one failure owed to two channels; a way to start senders, which end with the test."""
    started = []
    store = open_store(str(tmp_path / "offduty.sqlite3"))
    store.put_run(a_run(outcome="failed"), tell=tell("a", "b"))

    class World:
        alerts = store.alerts
        runs = store
        folder = tmp_path
        path = tmp_path / "offduty.sqlite3"

        def sender(self, failpoint="", lease=1.0):
            """A sender that listens; it breaks at the failpoint."""
            environ = {**os.environ, "OFFDUTY_TESTING": "1", "OFFDUTY_FAILPOINT": failpoint}
            command = [sys.executable, str(SENDER), str(tmp_path / "offduty.sqlite3"), str(tmp_path), str(lease)]
            process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE)
            started.append(process)
            process.stdout.readline()
            return process

        def until(self, holds):
            """Wait for something to be the case."""
            end = time.monotonic() + PATIENCE
            while not holds():
                assert time.monotonic() < end, self.alerts.counts()
                time.sleep(0.01)

        def stop(self, process):
            """SIGSTOP outside of a transaction: SQLite's lock is held for as long as its holder sleeps, and nobody could deliver."""
            while not self.stopped_free(process):
                os.kill(process.pid, signal.SIGCONT)
                time.sleep(0.003)

        def stopped_free(self, process):
            """Stop it; does it hold no lock?"""
            os.kill(process.pid, signal.SIGSTOP)
            os.waitpid(process.pid, os.WUNTRACED)
            with contextlib.closing(sqlite3.connect(self.path, timeout=0, isolation_level=None)) as db:
                with contextlib.suppress(sqlite3.OperationalError):
                    db.execute("BEGIN IMMEDIATE")
                return db.in_transaction

        def delivered(self):
            """Wait until nothing is left to send."""
            self.until(lambda: set(self.alerts.counts()) <= {"delivered"})

        def copies(self, name):
            """How often each message was taken by a channel."""
            path = tmp_path / name
            return Counter(line.split()[0] for line in path.read_text().splitlines()) if path.exists() else Counter()

    yield World()
    store.close()
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


STEPS = {"outbox.after_claim": 0, "channel.mid_send": 0, "channel.after_200": 1, "outbox.before_mark": 1, "outbox.after_mark": 0}
"""Where it is killed, and how many copies that may cost."""


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_sender_loses_nothing(world, step):
    """F44, INV-6, INV-7: the next sender delivers; a copy only where the answer had come and was not marked, and on record as such."""
    assert world.sender(f"{step}:kill").wait(PATIENCE) == -signal.SIGKILL
    began = time.monotonic()
    world.sender()
    world.delivered()
    assert time.monotonic() - began < SOON, "the next try comes when the lease is over: it lasts a second here"
    copies = world.copies("a") + world.copies("b")
    assert len(copies) == 2 and sum(copies.values()) - 2 <= STEPS[step]
    assert all(copies[row.key] <= 1 + row.ambiguous for row in world.alerts.alerts())


@pytest.mark.timeout(120 * TORTURE)
def test_kills_at_random_lose_nothing(world):
    """F44: SIGKILL at any moment, 10 times, while incidents open and end; copies never exceed one for each doubt."""
    chance = random.Random(3)
    for number in range(50 * TORTURE):
        outcome = ("failed", "succeeded")[number % 2]
        world.runs.put_run(a_run(outcome=outcome, at=1_795_500_000.0 + 60 * number), tell=tell("a", "b"))
        if number % 5 == 0:
            sender = world.sender(lease=0.4)
        time.sleep(chance.random() * 0.02)
        if number % 5 == 4:
            sender.kill()
            sender.wait()
    world.sender(lease=0.4)
    world.delivered()
    rows = world.alerts.alerts(limit=10**6)
    for name in ("a", "b"):
        copies = world.copies(name)
        assert all(1 <= copies[row.key] <= 1 + row.ambiguous for row in rows if row.channel == name and not row.group)


def test_sigterm_finishes_what_is_being_sent(world):
    """F45: a deploy: the message on its way is finished and marked, nothing else begins, and the process is gone in time."""
    (world.folder / "a.slow").touch()
    sender = world.sender(lease=8.0)
    world.until(lambda: world.copies("a") and world.alerts.counts().get("delivered") == 1)
    began = time.monotonic()
    sender.terminate()
    assert sender.wait(PATIENCE) == 0
    assert time.monotonic() - began < SOON
    assert world.alerts.counts() == {"delivered": 2} and sum(world.copies("a").values()) == 1


def test_a_sender_that_was_stopped_changes_nothing(world):
    """F46: past its lease another delivers; what the first then says about the row counts for nothing."""
    (world.folder / "a.slow").touch()
    first = world.sender()
    world.until(lambda: world.copies("a"))
    world.stop(first)
    world.sender()
    world.delivered()
    marked = {row.key: row.done_at for row in world.alerts.alerts()}
    os.kill(first.pid, signal.SIGCONT)
    time.sleep(1.3)
    assert {row.key: row.done_at for row in world.alerts.alerts()} == marked
    assert sum(world.copies("a").values()) <= 2


def test_a_dead_channel_does_not_hold_up_another(world):
    """F36: each channel has a worker of its own; the dead one's message waits, and is delivered once it is well."""
    (world.folder / "a.refuses").touch()
    world.sender()
    world.until(lambda: world.copies("b"))
    world.until(lambda: any(row.error == "refused" for row in world.alerts.alerts(channel="a")))
    assert not world.copies("a")
    assert world.alerts.alerts(channel="a")[0].state == "waiting"


@pytest.mark.parametrize("entry", ["{", "[]", "null", '{"facts": 7}', "\x00", "9" * 5000])
def test_a_row_that_makes_no_sense_holds_up_nobody(world, entry):
    """F50, B9: it is dead at its first claim, another channel is told, and the others proceed."""
    db = world.runs.open()
    db.execute("UPDATE outbox SET entry = ? WHERE channel = 'a'", (entry,))
    world.runs.put_run(a_run("other", "failed"), tell=tell("a") | {"job": "other"})
    world.sender()
    world.until(lambda: world.copies("a") and len(world.copies("b")) == 2)
    assert "undelivered" in (world.folder / "b").read_text()
    assert world.alerts.counts()["dead"] == 1, [(r.channel, r.event, r.job, r.state, r.error, r.attempts) for r in world.alerts.alerts()]
