"""Thirty days of the clinic's forecast, played on the virtual clock: from `on duty` to `off duty`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from offduty.alerts.incident import resolve
from offduty.alerts.proof import Proof
from offduty.drills.store import Looked, Rehearsed
from offduty.handover.acceptance import accept
from offduty.settings.load import load
from offduty.stores.sqlite import open_store
from offduty.testing import MONDAY, FakeClock, a_run
from offduty.watch.store import Peer
from offduty.wiring.handover import readiness_of, table_of, to_accept
from offduty.wiring.telling import promise_of

CLINIC = Path(__file__).resolve().parents[2] / "examples/clinic"
CHANNELS = '[channel.chat]\nkind = "command"\ncommand = ["true"]\n'
DAY = 86_400.0
TEAMS = ("data-science", "lab", "clinic-it")
CODE = {"commit": "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678", "dirty": False, "files": {"forecast.py": "0123456789ab"}}


class World:
    """The clinic, its store, and a day after the other."""

    def __init__(self, folder):
        config = (CLINIC / "offduty.toml").read_text()
        for team in TEAMS:
            config = config.replace(f"[team.{team}]\n", f'[team.{team}]\nchannels = ["chat"]\n')
        shutil.copy(CLINIC / "forecast.py", folder)
        (folder / "offduty.toml").write_text(config + CHANNELS)
        (folder / "uv.lock").write_text("version = 1\n")
        self.settings = load(str(folder), {"HOME": str(folder), "PATH": "/usr/bin:/bin"})
        self.clock = FakeClock(MONDAY)
        self.store = open_store(str(folder / "state" / "s"), clock=self.clock)
        self.table = table_of(self.settings)

    def day(self, outcome="succeeded", trigger="scheduled", **more):
        """A run at six, the watcher alive; then what the job's readiness is."""
        self.store.put_run(a_run(outcome=outcome, trigger=trigger, at=self.clock.wall()), fingerprint={"code": CODE}, **more)
        ready = self.ready()
        self.clock.advance(DAY)
        return ready

    def ready(self):
        now = self.clock.wall()
        if self.store.watch.watched():
            self.store.watch.beat(Peer("etl-3/service", "etl-3", 1, now, 0, {}))
        return readiness_of(self.settings, "forecast", self.store, now)

    def fails_and_the_lab_resolves_it(self):
        tell = {
            "job": "forecast",
            "team": "lab",
            "cause": "LAB-01",
            "owed": {"failed": [{"channel": "chat", "urgency": "now", "team": "lab"}]},
        }
        self.day(outcome="failed", tell=tell)
        found = self.store.alerts.incidents("forecast")[0]
        self.store.alerts.act(found.id, lambda it: resolve(it, "Mei of the lab", self.clock.wall()), self.clock.wall())

    def rehearse(self):
        now = self.clock.wall()
        self.store.drills.looked(Looked("forecast", now, 0.95, 1.0, 1, 20))
        rows = [Rehearsed("forecast", now, row.name, "missing", "file.read", "lab.csv", True, "as promised") for row in self.table.rows]
        self.store.drills.rehearse(rows)

    def hand_over(self):
        ours = to_accept(self.settings, "forecast", self.table)
        for team in TEAMS:
            self.store.handover.accept(accept(ours, team, "Mei", self.clock.wall(), "forecast", {}))


@pytest.fixture
def world(tmp_path):
    """The clinic in a folder of its own."""
    made = World(tmp_path)
    yield made
    made.store.close()


def test_thirty_days_lead_from_on_duty_to_off_duty(world):
    """Each level is earned by what happens, never by time alone; the history tells each step."""
    levels = [world.day(trigger="manual").level, world.day().level]
    world.store.watch.promise(promise_of(world.settings, "forecast", {}), "offduty.toml", world.clock.wall())
    world.store.proofs.add(Proof("ABC234", "chat", world.clock.wall()))
    world.store.proofs.confirm("ABC234", "ada", world.clock.wall())
    levels.append(world.day().level)
    world.rehearse()
    levels.append(world.day().level)
    world.fails_and_the_lab_resolves_it()
    world.hand_over()
    levels += [world.day().level for _ in range(25)]
    assert levels == ["on duty"] * 2 + ["watched"] + ["rehearsed"] * 20 + ["off duty"] * 6
    assert [one.level for one in world.store.handover.readings("forecast")][-1] == "off duty"


def test_off_duty_is_lost_when_the_table_changes(world, tmp_path):
    """A row that says something else was not accepted by anybody: its team is asked again."""
    world.store.watch.promise(promise_of(world.settings, "forecast", {}), "offduty.toml", world.clock.wall())
    world.hand_over()
    assert next(item for item in world.ready().items if item.code == "R14").state == "met"
    path = tmp_path / "offduty.toml"
    path.write_text(path.read_text().replace("The lab writes it at 05:00.", "The lab writes it at 07:00."))
    world.settings = load(str(tmp_path), {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
    item = next(item for item in world.ready().items if item.code == "R14")
    assert (item.state, item.evidence) == ("not met", "LAB-01 has changed since it was accepted")
