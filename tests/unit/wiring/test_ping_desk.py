"""Pings become runs, with their logs and what is owed; retention of what they leave; what the configuration says counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from offduty.runs.logread import job_bytes
from offduty.settings.load import load
from offduty.stores.sqlite import open_store
from offduty.testing import MONDAY, FakeClock
from offduty.watch.pings.address import parse
from offduty.watch.pings.check import Key, Ping
from offduty.watch.watcher import Watcher
from offduty.wiring.pings import MOST_CREATED, Asked, Desk, new_check, new_code, new_key, tidy

CONFIG = """
[job.known]
ping = true
owner = "ops"
schedule = "0 6 * * *"
start_grace = "15 min"
max_duration = "30 min"
log = { keep_runs = 5 }
[team.ops]
channels = ["desk"]
[channel.desk]
kind = "command"
command = ["true"]
[[triage]]
id = "BK-1"
when = { message = "disk is full" }
cause = "The backup disk is full."
team = "ops"
steps = ["Empty it."]
"""


class House:
    """A desk over a store of its own, and the pings of its job `known`."""

    def __init__(self, folder):
        (folder / "offduty.toml").write_text(CONFIG)
        self.clock = FakeClock(MONDAY - 3600)
        self.settings = load(str(folder), {"OFFDUTY_STATE_DIR": str(folder / "state"), "PATH": "/usr/bin:/bin"})
        self.store = open_store(self.settings.places().store, clock=self.clock)
        self.desk = Desk(self.settings, self.clock, self.store.pings)
        (self.check,) = self.desk.sync()

    def ping(self, more="", body=b"", path=None):
        """What one ping is answered with."""
        address = parse(path or f"/ping/{self.check.code}{more.partition('?')[0]}", more.partition("?")[2])
        ping = Ping(address.action, self.clock.wall(), address.exit_status, address.rid, "POST", "10.1.2.3", "curl/8", body)
        (answer,) = self.desk.answer([Asked(address, ping)])
        return answer.status

    def tick(self):
        """One look of a watcher."""
        return Watcher(self.store, lambda: None, self.clock, me="here/watch", host="here").tick()


@pytest.fixture
def house(tmp_path):
    """One of the test's own."""
    made = House(tmp_path)
    yield made
    made.store.close()


def test_a_failure_is_explained_by_the_row_and_told_to_its_team(house):
    """The body is the log that triage reads; one alert is owed, to the row's team, by the row's cause."""
    house.ping("/1", b'Traceback (most recent call last):\n  File "b.py", line 3, in <module>\nOSError: disk is full\n')
    (run,) = house.store.runs("known")
    assert (run["summary"]["verdict"]["row"], run["summary"]["do"]) == ("BK-1", ["Empty it."])
    (owed,) = [row for row in house.store.alerts.alerts(job="known", limit=9) if row.event == "failed"]
    assert (owed.team, owed.channel, owed.run) == ("ops", "desk", run["id"])
    assert "== summary ==" in Path(run["log"]).read_text()


def test_log_and_end_go_into_one_log(house):
    """What is sent with start, log and end can be had back byte by byte."""
    for more, body in (("/start", b"one\n"), ("/log", b"two\r\nthree"), ("", b"x" * 100_000 + b"\nlast\n")):
        house.ping(more, body)
        house.clock.advance(60)
    (run,) = house.store.runs("known")
    assert (run["outcome"], run["duration_s"]) == ("succeeded", 120.0)
    assert b"".join(job_bytes([Path(run["log"]).read_bytes()], b"|")) == b"one\ntwo\r\nthree" + b"x" * 100_000 + b"\nlast\n"


def test_a_day_without_a_ping_is_missed_once(house):
    """The promise of the configuration is watched from the moment the server knows of the job."""
    house.clock.set_wall(MONDAY + 3600)
    assert [job for job, _ in house.tick().missed] == ["known"]
    assert house.tick().missed == ()


def test_a_ping_within_the_grace_keeps_the_slot(house):
    """A start counts as one."""
    house.tick()
    house.clock.set_wall(MONDAY + 600)
    house.ping("/start")
    ticked = house.tick()
    assert (ticked.missed, ticked.kept) == ((), 1)


def test_who_started_and_never_ended_is_overdue(house):
    """Of another machine, whose clock nobody reads: counted from when the watcher saw it first."""
    house.ping("/start")
    watcher = Watcher(house.store, lambda: None, house.clock, me="here/watch", host="here")
    assert watcher.tick().overdue == ()
    house.clock.advance(1900)
    assert watcher.tick().overdue == (house.store.runs("known")[0]["id"],)


def test_a_start_that_was_given_up_is_lost_and_told(house):
    """F83: another start, much later, without any end in between."""
    house.ping("/start")
    house.clock.advance(3600)
    house.ping("/start")
    newer, older = house.store.runs("known")
    assert (older["outcome"], newer["outcome"]) == ("lost", "running")
    assert "lost" in [row.event for row in house.store.alerts.alerts(job="known", limit=9)]


def test_many_pings_in_one_transaction(house):
    """Group commit: each sees what the one before it did."""
    addresses = [parse(f"/{house.check.code}{more}", "") for more in ("/start", "", "/fail", "/log", "/start", "/3")]
    asked = [Asked(one, Ping(one.action, MONDAY + number, one.exit_status)) for number, one in enumerate(addresses)]
    answers = house.desk.answer(asked)
    assert {answer.status for answer in answers} == {200}
    assert [run["outcome"] for run in house.store.runs("known")[::-1]] == ["succeeded", "failed", "failed"]


def test_a_key_makes_so_many_checks_and_no_more(house):
    """INV-11: whoever has a key cannot fill the store."""
    key = Key("k", "s" * 24)
    many = [new_check(f"c{number}", MONDAY, key=key) for number in range(MOST_CREATED - 1)]
    house.store.pings.change(lambda pings: [pings.put_key(key), *(pings.put(check) for check in many)])
    asked = [(f"/ping/{key.secret}/{slug}?create=1").partition("?") for slug in ("one", "two")]
    assert [house.desk.answer([Asked(parse(path, query), Ping("success", MONDAY))])[0].status for path, _, query in asked] == [201, 403]


def test_a_slug_that_is_the_name_of_another_job_gets_one_of_its_own(house):
    """A key must not let anybody speak for a job of the configuration."""
    house.store.pings.change(lambda pings: pings.put_key(Key("k", "s" * 24)))
    assert house.desk.answer([Asked(parse(f"/{'s' * 24}/known", "create=1"), Ping("fail", MONDAY))])[0].status == 201
    assert house.store.runs("known") == [] and house.store.jobs()[0].startswith("known-")


def test_retention_keeps_what_the_job_says(house):
    """T27: runs and their logs, though nothing of the job is ever run here."""
    for _ in range(12):
        house.ping("/0", b"text")
        house.clock.advance(60)
    assert tidy(house.settings, house.clock) == 7
    folder = Path(house.settings.places().logs) / "known"
    assert len(house.store.runs("known")) == len(list(folder.iterdir())) == 5


def test_secrets_are_long_and_never_the_same():
    """T15: 144 bits in a key, 122 in a uuid."""
    keys, codes = {new_key().secret for _ in range(1000)}, {new_code() for _ in range(1000)}
    assert len(keys) == len(codes) == 1000 and {len(key) for key in keys} == {24}


def test_a_job_that_left_the_configuration_stays_a_check(house, tmp_path):
    """Its clients go on pinging; it is not called configured any more."""
    (tmp_path / "offduty.toml").write_text("[offduty]\n")
    settings = load(str(tmp_path), {"OFFDUTY_STATE_DIR": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"})
    (check,) = Desk(settings, house.clock, house.store.pings).sync()
    assert (check.job, check.configured, check.created_at) == ("known", False, MONDAY - 3600)
