"""Absences, rehearsed: how long the watcher of every day takes to notice, who is told, and when."""

from __future__ import annotations

import pytest

from offduty.settings.load import load
from offduty.stores.memory import MemoryStore
from offduty.testing import MONDAY, a_run
from offduty.wiring.absences import rehearse_absence
from offduty.wiring.triage import duty_of

HOUR = 3600.0
CONFIG = """\
[job.feed]
command = ["true"]
owner = "ds"
{job}
{more}
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
[[triage]]
id = "LATE-01"
when = {{ outcome = "missed" }}
cause = "The scheduler is down."
team = "ops"
"""
DAILY = 'schedule = "0 9 * * *"\ntimezone = "UTC"\nstart_grace = "20 min"\n'


@pytest.fixture
def absent(tmp_path):
    """`absent(event, job)`: what came of a rehearsal that begins on Monday at 06:00 UTC. `runs`: good ones there were, seconds each."""

    def rehearse(event, job="", more="", runs=()):
        (tmp_path / "offduty.toml").write_text(CONFIG.format(job=job, more=more))
        settings, past = load(str(tmp_path), {"HOME": str(tmp_path)}), MemoryStore()
        for day, seconds in enumerate(runs):
            past.put_run(a_run("feed", at=MONDAY - (day + 1) * 24 * HOUR, duration_s=seconds))
        return rehearse_absence(event, settings, "feed", duty_of(settings), past, MONDAY)

    return rehearse


def told(found):
    """(channel, team, seconds) of each message, in order."""
    return [(one.channel, one.row.team, round(one.after)) for one in found.sent]


def test_a_missed_slot_is_noticed_a_look_after_its_grace(absent):
    """Whose row says so is told at once; the owner gets a copy in the digest of the next morning, with the clock on the wall."""
    found = absent("missed", DAILY, runs=(60,))
    assert found.noticed == pytest.approx(20 * 60 + 10, abs=0.1)
    assert told(found) == [("pager", "ops", 1210), ("chat", "ds", 24 * HOUR)]
    assert found.sent[0].alert.title.startswith("MISSED feed: it was due at 23 Nov 2026 09:00 UTC")


def test_quiet_hours_count(absent):
    """The pager is quiet until ten: an hour after the slot."""
    found = absent("missed", DAILY, '[alerts]\nquiet_hours = ["22:00-10:00"]\ncopy_owner = "off"\n')
    assert told(found) == [("pager", "ops", HOUR)]
    assert "never ran at all" in found.sent[0].alert.title


@pytest.mark.parametrize(
    "job, runs, noticed",
    [('max_duration = "45 min"\n', (), 2710), ("", (300, 310, 320, 330, 400), 1210), (DAILY + 'max_duration = "30 s"\n', (60,), 40)],
)
def test_a_run_that_does_not_end_is_noticed(absent, job, runs, noticed):
    """As promised, or after three times the longest of five good runs; the owner is told, since no row says otherwise."""
    found = absent("overdue", job, runs=runs)
    assert found.noticed == pytest.approx(noticed, abs=0.1) and told(found) == [("chat", "ds", noticed)]


def test_a_run_whose_supervisor_is_gone_is_noticed_at_the_next_look(absent):
    """INV-4: by the rules that judge a run in earnest: another process has its number. `tick` counts."""
    found = absent("lost", more='[watch]\ntick = "30 s"\n')
    assert round(found.noticed) == 30 and told(found) == [("chat", "ds", 30)]
    assert found.sent[0].alert.title == "LOST feed"


@pytest.mark.parametrize("event, why", [("missed", "nothing says when it is due"), ("overdue", "it has no max_duration")])
def test_what_nobody_would_notice_is_said(absent, event, why):
    """The result is that, and not silence."""
    found = absent(event, runs=(60, 60))
    assert found.noticed is None and why in found.why and found.sent == ()


def test_a_schedule_in_another_zone_with_its_holidays(absent):
    """The next slot is what the watcher would wait for: not today, which is a holiday in Tokyo."""
    job = 'schedule = "0 18 * * *"\ntimezone = "Asia/Tokyo"\nnot_on = "off"\n'
    found = absent("missed", job, '[calendar.off]\ndates = ["2026-11-23"]\n')
    assert "24 Nov 2026 09:00 UTC" in found.sent[0].alert.title and found.noticed == pytest.approx(910, abs=0.1)
