"""From the configuration to the rules, the policy, the plan and the promise of one job."""

from __future__ import annotations

import pytest

from offduty.settings.load import load
from offduty.wiring.telling import promise_of, rules_of, tell_of
from offduty.wiring.triage import duty_of

BASE = """
[job.feed]
command = ["true"]
owner = "ds"
timezone = "Europe/London"
schedule = "0 6 * * *"
start_grace = "10 min"
max_duration = "1 h"
not_on = ["holidays"]
alerts = { succeeded = "now", remind = "1 h", link = "https://logs/{job}/{run}" }
[[job.feed.output]]
path = "out/*.csv"
max_age = "26 h"
[calendar.holidays]
dates = ["2026-12-25"]
[alerts]
succeeded = "digest"
failed = "off"
remind = "2 h"
escalate_after = "30 min"
escalate_to = "dp"
quiet_hours = ["22:00-06:00"]
fallback = ["mail"]
severity = { low = "digest" }
[team.ds]
channels = ["ds"]
alerts = { failed = "now" }
[team.dp]
channels = ["dp"]
[channel.ds]
kind = "command"
command = ["true"]
[channel.dp]
kind = "command"
command = ["true"]
[channel.mail]
kind = "command"
command = ["true"]
[[triage]]
id = "LATE-01"
team = "dp"
when = { outcome = "missed" }
"""


@pytest.fixture
def settings(tmp_path):
    """That configuration."""
    (tmp_path / "offduty.toml").write_text(BASE)
    return load(str(tmp_path), {"PATH": "/usr/bin:/bin"})


def test_the_jobs_word_then_the_general_one(settings):
    """`off` is another word for quiet; a team's own word stays apart, because it counts most."""
    rules = rules_of(settings, "feed")
    assert rules.events == {"succeeded": "now", "failed": "quiet"}
    assert rules.urgency["ds"] == {"failed": "now"} and rules.severity == {"low": "digest"}
    assert (rules.owner, rules.escalate_to, rules.channels["dp"]) == ("ds", "dp", ("dp",))


def test_the_policy_is_in_seconds_and_in_the_zone_of_the_job(settings):
    """What nobody says is left to the defaults."""
    policy = rules_of(settings, "feed").policy
    said = {"remind_s": 3600.0, "escalate_s": 1800.0, "quiet_hours": [["22:00", "06:00"]], "fallback": ["mail"]}
    assert policy == {**said, "timezone": "Europe/London"}


def test_a_row_says_whose_a_missed_run_is(settings):
    """What is lost is still the owner's."""
    owed = tell_of(settings, "feed", duty_of(settings))["owed"]
    assert [to["channel"] for to in owed["missed"]] == ["dp", "ds"]
    assert [to["channel"] for to in owed["lost"]] == ["ds"]


def test_a_plan_says_the_same_however_the_run_ended(settings):
    """It stays in the store, for the watcher and for silences: a good run must not make failures quiet."""
    duty = duty_of(settings)
    good, bare = tell_of(settings, "feed", duty, outcome="succeeded", final=True), tell_of(settings, "feed", duty)
    assert good["owed"] == bare["owed"] and [to["channel"] for to in good["owed"]["failed"]] == ["ds"]


def test_a_verdict_decides_team_and_cause(settings):
    """By its row, else by its category."""
    duty = duty_of(settings)
    by_row = tell_of(
        settings, "feed", duty, verdict={"team": "dp", "row": "FEED-02", "category": "x", "severity": "error"}, outcome="failed"
    )
    by_category = tell_of(settings, "feed", duty, verdict={"team": "ds", "row": None, "category": "bug"}, outcome="failed")
    assert (by_row["team"], by_row["cause"], by_category["cause"]) == ("dp", "FEED-02", "bug")


def test_a_promise_is_what_the_job_is_to_keep(settings, tmp_path):
    """Slots, grace, days off, the longest run, outputs with whole paths."""
    promise = promise_of(settings, "feed", {})
    assert (promise.job, promise.max_duration) == ("feed", 3600.0)
    assert promise.outputs[0].path == str(tmp_path / "out/*.csv") and promise.outputs[0].max_age == 26 * 3600.0
    assert promise.schedule() is not None
