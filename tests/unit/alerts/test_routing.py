"""Who hears of what: rules and whose it is in, the plan of a run out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.alerts.plan import read_plan
from offduty.alerts.routing import ORDER, USUAL, Rules, Whose, route

CHANNELS = {"ds": ("ds",), "dp": ("dp", "pager"), "ops": ("pager",)}
BASE = {"job": "feed", "owner": "ds", "channels": CHANNELS}


def heard(event, rules, whose=None, **more):
    """(channel, urgency) of those who hear of an event."""
    owed = route(Rules(**{**BASE, **rules}), whose or {}, **more)["owed"].get(event, [])
    return [(to["channel"], to["urgency"]) for to in owed]


DP = {"failed": Whose("dp", "error", "FEED-02")}


def test_whose_it_is_hears_at_once_and_the_owner_gets_a_copy():
    """The copy is in the digest, unless something else is said."""
    assert heard("failed", {}, DP) == [("dp", "now"), ("pager", "now"), ("ds", "digest")]
    assert heard("failed", {"copy_owner": "now"}, DP)[-1] == ("ds", "now")
    assert heard("failed", {"copy_owner": "quiet"}, DP) == [("dp", "now"), ("pager", "now")]


def test_what_is_nobody_elses_is_the_owners():
    """And nobody gets a copy of their own message."""
    assert heard("failed", {}) == [("ds", "now")]
    assert heard("failed", {}, {"failed": Whose("ds")}) == [("ds", "now")]


def test_a_job_without_an_owner_tells_the_team_of_the_row():
    """And nobody, where there is none."""
    assert heard("failed", {"owner": ""}, DP) == [("dp", "now"), ("pager", "now")]
    assert heard("failed", {"owner": ""}) == []


@pytest.mark.parametrize("event", ["started", "succeeded"])
def test_good_news_is_the_owners_alone(event):
    """Only where it is asked for."""
    assert heard(event, {}) == []
    assert heard(event, {"events": {event: "now"}}, {event: Whose("dp")}) == [("ds", "now")]


def test_the_team_then_the_job_then_what_is_usual():
    """What a team says for itself wins over what the job says."""
    rules = {"events": {"failed": "digest"}, "urgency": {"dp": {"failed": "now"}}}
    assert heard("failed", rules, DP) == [("dp", "now"), ("pager", "now"), ("ds", "digest")]
    assert heard("failed", {"events": {"failed": "digest"}}) == [("ds", "digest")]
    assert heard("failed", {"urgency": {"ds": {"failed": "quiet"}}}) == []


def test_the_very_outcome_counts_before_failed():
    """`timed_out` and `terminated` may be said apart; of other events the outcome says nothing."""
    rules = {"events": {"failed": "now", "timed_out": "digest", "succeeded": "quiet"}}
    assert heard("failed", rules, outcome="timed_out") == [("ds", "digest")]
    assert heard("failed", rules, outcome="terminated") == [("ds", "now")]
    assert heard("failed", rules, outcome="succeeded") == [("ds", "now")]


def test_a_severity_is_the_most_that_a_row_may_be():
    """`low = "digest"`: nobody is woken up for that."""
    assert heard("failed", {"severity": {"low": "digest"}}, {"failed": Whose("ds", "low")}) == [("ds", "digest")]
    assert heard("failed", {"severity": {"low": "now"}, "events": {"failed": "digest"}}, {"failed": Whose("ds", "low")}) == [
        ("ds", "digest")
    ]


def test_a_channel_of_two_teams_is_told_once_as_urgently_as_one_of_them_wants():
    """The pager is dp's and ops'."""
    rules = {"owner": "ops", "copy_owner": "digest"}
    assert heard("failed", rules, DP) == [("dp", "now"), ("pager", "now")]
    assert heard("failed", {**rules, "urgency": {"dp": {"failed": "digest"}}, "copy_owner": "now"}, DP) == [
        ("dp", "digest"),
        ("pager", "now"),
    ]


def test_escalation_goes_to_the_second_team_and_to_whose_it_is():
    """The owner has had a copy."""
    assert heard("escalated", {"escalate_to": "ops"}, {"escalated": Whose("dp")}) == [("pager", "now"), ("dp", "now")]


@given(
    st.dictionaries(st.sampled_from([*USUAL, "timed_out", "terminated"]), st.sampled_from(ORDER)),
    st.sampled_from(["", "ds", "dp", "ops", "gone"]), st.sampled_from(["", "ds", "dp", "gone"]), st.sampled_from(ORDER),
    st.sampled_from(["", "failed", "timed_out", "succeeded"]),
)  # fmt: skip
def test_whatever_is_configured_a_plan_is_read_as_it_was_made(events, owner, team, copy, outcome):
    """Each channel once, nobody who wants it quiet, and nothing lost on the way through the spool."""
    tell = route(Rules("feed", owner, CHANNELS, events=events, copy_owner=copy), {"failed": Whose(team)}, outcome=outcome)
    plan = read_plan(tell)
    for event, owed in tell["owed"].items():
        assert len({to["channel"] for to in owed}) == len(owed) > 0
        assert [(to.channel, to.urgency, to.team) for to in plan.of(event)] == [(to["channel"], to["urgency"], to["team"]) for to in owed]
