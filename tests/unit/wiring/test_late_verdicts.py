"""Runs that were found lost, and what did not happen at all, end with a verdict as failures do: category, cause, steps, owner."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from offduty.alerts.routing import ABSENCE
from offduty.settings.load import load
from offduty.testing import FakeClock, a_run
from offduty.triage.case import Case
from offduty.triage.decide import decide
from offduty.wiring.telling import Composer, tell_of
from offduty.wiring.triage import duty_of
from offduty.wiring.verdicts import KINDS, OUTCOMES, judge_lost
from offduty.wiring.watching import Station

CONFIG = """\
[job.feed]
command = ["true"]
owner = "ds"
schedule = "0 9 * * *"
timezone = "UTC"
[owners]
platform = "ops"
[team.ds]
channels = ["chat"]
[team.ops]
channels = ["pager"]
[channel.chat]
kind = "command"
command = ["true"]
[channel.pager]
kind = "command"
command = ["true"]
"""
ROW = '[[triage]]\nid = "LATE-01"\nwhen = { outcome = "missed" }\ncause = "The host is patched."\nsteps = ["Wait."]\nteam = "ds"\n'


@pytest.fixture
def station(tmp_path):
    """`station(more)`: a watcher of that configuration, on a clock of the test's own."""
    opened = []

    def make(more=""):
        (tmp_path / "offduty.toml").write_text(CONFIG + more)
        environ = {"OFFDUTY_STATE_DIR": str(tmp_path / "state"), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        opened.append(Station(load(str(tmp_path), environ), FakeClock(), name="w"))
        return opened[-1]

    yield make
    for one in opened:
        one.store.close()


def found_lost(station, text, log=None):
    """A run that another boot of this machine left behind with that log: what is on record of it after the next look."""
    run = a_run("feed", "running", host=os.uname().nodename, boot_id="another", log=log or f"{station.places.logs}/feed/run.log")
    os.makedirs(os.path.dirname(run["log"]), exist_ok=True)
    if not os.path.lexists(run["log"]):
        Path(run["log"]).write_text(text)
    station.store.put_run(run)
    station.take_in()
    return station.store.run(run["id"])


@pytest.mark.parametrize("event", ABSENCE)
def test_the_catalogue_knows_every_absence(event):
    """Category, cause, steps and kind of owner; who has no time to read the catalogue knows category and owner all the same."""
    verdict = decide(Case(outcome=OUTCOMES.get(event, event)))
    assert verdict.source == "catalogue" and verdict.cause and len(verdict.steps) >= 2
    assert (verdict.category, verdict.owner_kind) == KINDS[event]


PLAN = """\
import sys
from offduty.settings.load import load
from offduty.wiring.telling import tell_of
from offduty.wiring.triage import duty_of
settings = load(sys.argv[1], {"HOME": sys.argv[1]})
owed = tell_of(settings, "feed", duty_of(settings))["owed"]
print([to["channel"] for event in ("missed", "overdue") for to in owed[event]], "offduty.triage.decide" in sys.modules)
"""


def test_whom_to_tell_is_planned_without_the_catalogue(tmp_path):
    """Every run plans it: rows by category are held against what is known of absences, and nothing is read for that."""
    row = '[[triage]]\nwhen = { category = "infra_evicted" }\ncause = "The host."\nsteps = ["Wait."]\nteam = "ops"\n'
    (tmp_path / "offduty.toml").write_text(CONFIG + row)
    said = subprocess.run([sys.executable, "-c", PLAN, str(tmp_path)], capture_output=True, text=True, timeout=60, check=True).stdout
    assert said == "['pager', 'chat', 'chat'] False\n"


def test_a_lost_run_is_explained_when_it_is_found(station):
    """F07, F08: the watcher's finding is on record with a verdict, first steps, and whose it is."""
    run = found_lost(station(), "reading orders\nwriting table\n")
    verdict = run["summary"]["verdict"]
    assert run["outcome"] == "lost" and (verdict["row"], verdict["team"]) == ("run.lost", "ops")
    assert run["summary"]["triage"].startswith("run.lost") and run["summary"]["do"] == verdict["steps"]


def test_the_log_of_a_lost_run_may_say_more(station):
    """F10: what the job said at its end counts, where it proves a cause."""
    run = found_lost(station(), "loading\nOut of memory: Killed process 411 (python) total-vm:8123456kB\n")
    assert run["summary"]["verdict"]["category"] == "out_of_memory"


@pytest.mark.parametrize("is_link", [False, True])
def test_a_record_does_not_choose_what_is_read(station, tmp_path, is_link):
    """T22: only a plain file among the logs of its job is read, whatever the record says."""
    one, path = station(), tmp_path / "elsewhere" / "secret"
    path.parent.mkdir()
    path.write_text("OSError: [Errno 28] No space left on device: SECRET\n")
    if is_link:
        link = Path(one.places.logs, "feed", "run.log")
        link.parent.mkdir(parents=True)
        link.symlink_to(path)
    run = found_lost(one, "", None if is_link else str(path))
    assert run["summary"]["verdict"]["row"] == "run.lost" and "SECRET" not in str(run["summary"])


def test_a_table_that_cannot_be_judged_by_costs_no_finding(station):
    """That a run is lost is recorded, whatever is wrong with what would explain it."""
    said = judge_lost(lambda: 1 / 0, station().places.logs)(a_run("feed"))
    assert list(said) == ["notes"] and "ZeroDivisionError" in said["notes"][0]


def test_a_missed_slot_is_told_with_its_verdict(station):
    """The message says what it is, what to do first and whose it is; its team hears it at once, the owner a copy."""
    one = station()
    assert [to["channel"] for to in tell_of(one.settings, "feed", duty_of(one.settings))["owed"]["missed"]] == ["pager", "chat"]
    alert = missed(one)
    assert alert.triage == "run.missed “It was never started”" and alert.team == "ops"
    assert alert.what and "offduty run feed" in " ".join(alert.steps)


def test_a_row_of_ones_own_wins(station):
    """The table counts before the catalogue, also for what did not happen."""
    alert = missed(station(ROW))
    assert (alert.triage, alert.what, alert.steps) == (
        "LATE-01 “The host is patched.”",
        "The host is patched.",
        ("Wait.",),
    )


def missed(station):
    """The first message about a slot of the job that was missed."""
    from offduty.alerts.incident import Happening

    at = station.clock.wall()
    tell = tell_of(station.settings, "feed", duty_of(station.settings))
    station.store.alerts.happen(Happening("m", "feed", "missed", at, outcome="missed", cause="missed"), at, tell)
    row = next(row for row in station.store.alerts.alerts() if row.event == "missed" and row.urgency == "now")
    return Composer(lambda: station.store, station.settings)(row, [])
