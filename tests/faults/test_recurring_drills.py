"""Drills and digests that come by themselves, by real watchers: told once, never in the job's way, not done twice whoever is killed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import suppress

import pytest

from offduty.drills.receiver import Receiver

pytestmark = pytest.mark.timeout(400)  # each waits for what it is about, however busy the machine is
TICK = "0.2s"
PATIENCE = 100.0
SWALLOWS = "try:\n    open('extra.txt').read()\nexcept OSError:\n    pass\nprint(len(open('feed.csv').read()))\n"
HONEST = "open('extra.txt').read()\nprint(len(open('feed.csv').read()))\n"
HOLDS = """\
import os, time
while 'OFFDUTY_DRILL' not in os.environ and os.path.exists('wait'):
    time.sleep(0.05)
extra = None
try:
    extra = open('extra.txt').read()
except OSError:
    pass
while extra is None and os.path.exists('stay'):
    time.sleep(0.05)
print(len(open('feed.csv').read()))
"""
SLEEPS = "import time\nprint(len(open('feed.csv').read()))\nwhile {wait}:\n    time.sleep(0.05)\n"
CONFIG = """\
[drill]
every = "{every}"
{more}
[job.total]
command = ["{python}", "job.py"]
owner = "ds"
[team.ds]
channels = ["hook"]
[channel.hook]
kind = "webhook"
url = "{url}/alerts"
allow = ["127.0.0.1"]
[[triage]]
id = "FEED-01"
when = {{ exception = "FileNotFoundError" }}
cause = "A file is missing."
"""


class Place:
    """A job in a folder of its own, watchers, and a receiver for what is told."""

    def __init__(self, offduty, receiver):
        self.offduty, self.receiver, self.job = offduty, receiver, offduty.home / "job.py"
        (offduty.home / "feed.csv").write_text("day,units\n1,2\n")
        (offduty.home / "extra.txt").write_text("x")

    def configure(self, code, every="30 d", more="", others=""):
        """The job's code, and how often it is rehearsed."""
        self.job.write_text(code)
        text = CONFIG.format(every=every, more=more, python=sys.executable, url=self.receiver.url)
        (self.offduty.home / "offduty.toml").write_text(text + others)

    def watch(self, name="watch"):
        """A watcher that goes on."""
        return self.offduty.popen([sys.executable, "-m", "offduty", "watch", "--tick", TICK, "--name", name])

    def ask(self, sql):
        """Rows of the store, as anybody may read them."""
        if not (self.offduty.state / "offduty.sqlite3").exists():
            return []
        database = sqlite3.connect(f"file:{self.offduty.state}/offduty.sqlite3?mode=ro", uri=True, timeout=20)
        try:
            return database.execute(sql).fetchall()
        except sqlite3.OperationalError:
            return []  # nobody has made the tables yet
        finally:
            database.close()

    def turns(self):
        """(outcome, said) of each turn."""
        return self.ask("SELECT outcome, said FROM drill_turn ORDER BY number")

    def told(self):
        """The events that arrived, in order."""
        return [json.loads(request.body)["type"].split(".")[3] for request in list(self.receiver.requests)]

    def drilling(self):
        """Process ids of the drills that go on."""
        return [pid for pid, command in self.offduty.processes().items() if b"wiring.recurring" in command.encode()]

    def wait(self, check, what):
        """Until it is so, however busy the machine is."""
        return self.offduty.wait_for(check, what, PATIENCE)

    def stop(self, watcher):
        """As systemd does."""
        watcher.terminate()
        assert watcher.wait(PATIENCE) == 0


@pytest.fixture
def place(untidy_offduty):
    """A folder, and nobody to watch it yet."""
    with Receiver() as receiver:
        yield Place(untidy_offduty, receiver)


def test_the_owner_hears_of_a_drill_that_fails_once_and_of_the_next_that_passes(place):
    """The job swallows a missing file: one message, however often it is rehearsed; mended, it is well again. No run is on record."""
    place.configure(SWALLOWS, every="1 s")
    watcher = place.watch()
    place.wait(lambda: len([one for one in place.turns() if one[0] == "failed"]) >= 2, "two turns failed")
    place.job.write_text(HONEST)
    place.wait(lambda: "recovered" in place.told(), "well again")
    place.stop(watcher)
    assert place.told() == ["drill_failed", "recovered"]
    body = json.loads(place.receiver.requests[0].body)
    assert "extra.txt: the job went on" in str(body["data"]) and body["data"]["title"].startswith("DRILL FAILED total")
    assert place.ask("SELECT 1 FROM run") == []


def test_a_drill_holds_up_no_tick_and_stops_with_the_watcher(place):
    """While one job is rehearsed another is missed: noticed and told at once. SIGTERM ends the drill, and its turn is left to the next."""
    missed = '[job.never]\ncommand = ["true"]\nevery = "1 s"\nstart_grace = "0.1 s"\nowner = "ds"\ndrill = { every = "0" }\n'
    place.configure(SLEEPS.format(wait=True), others=missed)
    watcher = place.watch()
    place.wait(place.drilling, "it is rehearsed")
    place.wait(lambda: "missed" in place.told(), "the other one is missed")
    assert place.drilling() and place.turns() == [("", "")]
    place.stop(watcher)
    place.wait(lambda: not place.offduty.processes(), "nothing goes on")


def test_a_drill_gives_way_to_the_job_and_goes_on_afterwards(place):
    """The job is started in the midst of its drills: they are gone while it runs, and what was rehearsed is not rehearsed again."""
    stay, wait = place.offduty.home / "stay", place.offduty.home / "wait"
    place.configure(HOLDS)
    stay.touch()
    wait.touch()
    watcher = place.watch()
    place.wait(lambda: place.ask("SELECT 1 FROM drill"), "something was rehearsed, and the next stays")
    run = place.offduty.start("total")
    place.wait(lambda: place.turns() == [("", "the job runs")] and not place.drilling(), "the drill gave way")
    stay.unlink()
    wait.unlink()
    assert run.wait(PATIENCE) == 0
    place.wait(lambda: place.turns()[0][0] != "", "the turn came to its end")
    place.stop(watcher)
    done = place.ask("SELECT \"row\", fault, json_extract(entry, '$.target') FROM drill")
    assert max(Counter(done).values()) == 1 and len(place.turns()) == 1


def test_two_watchers_and_a_kill_in_the_midst_are_one_turn_and_one_message(place):
    """F46, INV-9: SIGKILL of the drill and of a watcher: whoever is left goes on, nothing is rehearsed twice, the owner is told once."""
    place.configure(HOLDS)
    (place.offduty.home / "stay").touch()
    first, second = place.watch("first"), place.watch("second")
    place.wait(lambda: place.ask("SELECT 1 FROM drill"), "something was rehearsed, and the next stays")
    first.kill()
    for drill in place.drilling():  # the other watcher's, which finds the lock held, may be there for a moment
        with suppress(ProcessLookupError):
            os.kill(drill, signal.SIGKILL)
    (place.offduty.home / "stay").unlink()
    place.wait(lambda: place.turns()[0][0] == "failed" and "drill_failed" in place.told(), "it was finished, and told")
    place.stop(second)
    assert len(place.turns()) == 1 and place.told() == ["drill_failed"]
    done = place.ask("SELECT \"row\", fault, json_extract(entry, '$.target') FROM drill")
    assert max(Counter(done).values()) == 1
    assert place.ask("SELECT tries > 1 FROM drill_turn") == [(1,)]


@pytest.mark.parametrize(
    "code, more, why",
    [
        ("raise SystemExit(3)\n", "", "fails in the sandbox with nothing broken"),
        (SLEEPS.format(wait=True), 'longest = "1 s"', "it took longer than 1 s"),
    ],
)
def test_a_drill_that_cannot_be_done_says_why(place, code, more, why):
    """The job fails with nothing broken, or never ends: on record, and told to the owner; nothing is left behind."""
    place.configure(code, more=more)
    watcher = place.watch()
    place.wait(lambda: "drill_failed" in place.told(), "it was told")
    ((outcome, said),) = place.turns()
    assert outcome == "could not" and why in said
    assert "DRILL NOT DONE total" in str(json.loads(place.receiver.requests[0].body)["data"])
    place.stop(watcher)
    place.wait(lambda: not place.offduty.processes(), "nothing goes on")


def test_once_from_cron_leaves_the_drill_to_a_process_of_its_own(place):
    """`watch --once` begins it and ends; the next calls tell what came of it, and begin none anew."""
    place.configure(SWALLOWS)
    once = [sys.executable, "-m", "offduty", "watch", "--once", "--json"]
    assert json.loads(place.offduty.started_with(once).out)["drills"] == ["drills  total: begun"]
    place.wait(lambda: place.turns() and place.turns()[0][0] == "failed", "it was done")
    assert json.loads(place.offduty.started_with(once).out)["drills"] == []
    assert (place.told(), len(place.turns())) == (["drill_failed"], 1)
    place.wait(lambda: not place.offduty.processes(), "nothing goes on")


def test_a_week_is_sent_once_by_two_watchers_and_late_by_the_next(place):
    """F46: both look at once, and one is killed: each team hears once. Nobody watched for weeks: that is one digest too."""
    place.configure(HONEST, every="0")
    once = [sys.executable, "-m", "offduty", "watch", "--once"]
    assert place.offduty.started_with(once).code == 0
    database = sqlite3.connect(place.offduty.state / "offduty.sqlite3")
    assert database.execute("SELECT count(*) FROM week_told").fetchone() == (1,)
    database.execute("UPDATE week_told SET slot = slot - 30 * 86400.0, since = since - 30 * 86400.0")
    database.commit()
    database.close()
    run = place.offduty.run("total")
    assert run.code == 0, run.err
    first, second = place.watch("first"), place.watch("second")
    place.wait(lambda: "weekly" in place.told(), "the week is told")
    first.kill()
    place.stop(second)
    assert place.offduty.started_with(once).code == 0
    assert place.told() == ["weekly"]
    assert "The week of ds: 1 run, none ended badly" in place.receiver.requests[0].body.decode()


def test_for_real_one_message_a_channel_has_a_code_and_whoever_saw_it_is_known(place):
    """Proof of receipt: the message is marked DRILL, and the list says who confirmed it; nobody else is told."""
    place.configure(HONEST, more="for_real = true")
    assert place.offduty.started_with([sys.executable, "-m", "offduty", "watch", "--once"]).code == 0
    place.wait(lambda: place.turns() and place.turns()[0][0] == "passed", "it was done")
    (message,) = (json.loads(request.body)["data"] for request in place.receiver.requests)
    assert message["drill"] is True and message["headline"].startswith("DRILL: FAILED total")
    confirm = [sys.executable, "-m", "offduty", "alerts", "confirm", message["code"], "--by", "Mei"]
    assert place.offduty.started_with(confirm).code == 0
    listed = json.loads(place.offduty.started_with([sys.executable, "-m", "offduty", "drill", "--list", "--json"]).out)
    assert [proof["by"] for drill in listed["jobs"][0]["drills"] for proof in drill["proofs"]] == ["Mei"]


def test_up_rehearses_too(place):
    """`offduty up` does all that a watcher does; SIGTERM stops both."""
    place.configure(SWALLOWS)
    up = place.offduty.popen([sys.executable, "-m", "offduty", "up", "--tick", TICK])
    place.wait(lambda: "drill_failed" in place.told(), "it was done, and told")
    place.stop(up)
    assert len(place.turns()) == 1
