"""The week of a team: the one thing worth doing next, in the order of what hurts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.handover.as_markdown import as_markdown
from offduty.handover.digest import MOST_LINES, JobWeek, digest, is_empty, message, next_thing
from offduty.handover.evidence import Evidence
from offduty.handover.readiness import Readiness, judge
from offduty.handover.value.judge import Verdict
from offduty.handover.week import AHEAD, DAY, FARTHEST, WEEK, Week, first, owed, slot_before
from offduty.testing import MONDAY

READY = Readiness("forecast", "off duty", 100, ())
CALM = JobWeek("forecast", 7, 0, (), 0.0, "", READY, Verdict("stop", "stop tinkering", ()))
BROKEN = replace(CALM, job="broken", open_incidents=("LAB-01",))
DRIFTS = replace(CALM, job="drifts", verdict=Verdict("look again", "look again: mape drifts", ()))
DRILLED = replace(CALM, job="drilled", drills="1 of 3 did not go as promised: FEED-01")
BEGUN = replace(CALM, job="begun", ready=judge(Evidence("begun", 0.0)))


@pytest.mark.parametrize(
    "weeks, unproven, said",
    [
        ([BEGUN, DRIFTS, BROKEN], ["chat arrives: it was never proven"], "broken is broken (LAB-01)"),
        ([BEGUN, DRIFTS, DRILLED], [], "drilled: 1 of 3 did not go as promised: FEED-01. offduty drill drilled --history"),
        ([BEGUN, DRIFTS], ["chat arrives: it was never proven"], "drifts: look again"),
        ([BEGUN, CALM], ["chat arrives: it was never proven"], "Prove that chat arrives"),
        ([CALM, BEGUN], [], "begun: schedule"),
        ([CALM], [], "Nothing: leave it alone."),
        ([], [], "Nothing: leave it alone."),
    ],
)
def test_the_one_thing_worth_doing_next(weeks, unproven, said):
    """What is broken, then what drifts, then proof, then the least ready."""
    assert next_thing(weeks, unproven, "offduty alerts test").startswith(said)


def test_a_week_tells_who_did_what_and_what_changed():
    """Also where nothing did; texts from outside are inert (T10)."""
    busy = replace(CALM, bad=2, hours=3.0, touches=("2026-11-20 touch by <b>ada</b>, 3 h",), before="watched")
    made = as_markdown(digest("lab", [busy], [], "this week", ""), contents=False)
    assert "jobs 1 · runs 9 · ended badly 2 · hours of people 3.0" in made and "| forecast | watched | off duty |" in made
    assert "\\<b\\>ada" in made and "It all ran by itself" not in made


def test_a_message_says_the_same_in_lines():
    """What is broken first, then each job, the worst first; who was needed, what changed, what is not proven; the one thing to do."""
    busy = replace(CALM, bad=2, touches=tuple(f"2026-11-2{n} run by ada" for n in range(7)), before="watched")
    made = message(
        "lab", [CALM, replace(BROKEN, good=0), busy], ["chat arrives: it was never proven"], "16 to 23 Nov", "offduty alerts test"
    )
    assert made["title"] == "The week of lab: 16 runs, 2 ended badly"
    assert made["do"] == ["broken is broken (LAB-01): offduty incidents --job broken"]
    assert made["items"][:2] == ["broken: broken, LAB-01", "forecast: 7 good, 2 bad; off duty; stop tinkering"]
    assert made["items"][-3:] == ["needed a human: forecast 2 times more", "readiness: forecast was watched, is off duty",
                                  "not proven: chat arrives: it was never proven"]  # fmt: skip


def test_a_message_stays_small():
    """INV-11, INV-13: whatever there is to tell; what is left out is counted."""
    items = message("lab", [replace(CALM, job="x" * 999)] * 500, [], "", "")["items"]
    assert (len(items), items[-1]) == (MOST_LINES + 1, "and 460 more: offduty digest")
    assert len(str(items)) < 12_000


@pytest.mark.parametrize("week, empty", [(replace(CALM, good=0), True), (CALM, False), (replace(BROKEN, good=0), False)])
def test_a_week_in_which_nothing_happened_is_no_message(week, empty):
    """Nothing ran, nobody did anything, nothing changed, nothing is broken."""
    assert is_empty([week]) is empty and is_empty([])


def test_the_first_digest_comes_a_day_after_the_team_is_known_at_the_earliest():
    """It is Monday, 06:00 UTC, three hours before the slot: a week that nobody watched is not told of."""
    slot = slot_before("mon", "09:00", "UTC", MONDAY + DAY)
    week = first("/a.toml", "lab", slot, MONDAY)
    assert slot == MONDAY + 3 * 3600
    assert owed(week, slot_before("mon", "09:00", "UTC", MONDAY + 4 * 3600), MONDAY + 4 * 3600) is None
    assert owed(week, slot_before("mon", "09:00", "UTC", MONDAY + WEEK + 4 * 3600), MONDAY + WEEK + 4 * 3600) == MONDAY


@given(st.lists(st.floats(0, 20 * DAY), min_size=1, max_size=60), st.sampled_from(["UTC", "Europe/Berlin", "America/Lima", "Asia/Kolkata"]))
def test_each_slot_is_told_once_whenever_somebody_looks(waits, zone):
    """Weeks that were missed are one digest, late, that reaches back to the last, but no further than five weeks; none comes twice."""
    now = MONDAY
    week, told = first("", "lab", slot_before("mon", "09:00", zone, now + DAY), now), []
    for wait in waits:
        now += wait
        slot = slot_before("mon", "09:00", zone, now)
        since = owed(week, slot, now)
        if since is not None:
            assert since == max(week.since, now - FARTHEST) and 0 <= now - slot <= WEEK + 3600
            told.append(slot)
            week = Week("", "lab", slot, now)
        assert owed(week, slot, now) is None
    assert len(set(told)) == len(told) and told == sorted(told)


def test_a_clock_that_was_ahead_does_not_end_the_digests():
    """F54: a slot that was settled years ahead is not waited for."""
    week = Week("", "lab", MONDAY + 900 * DAY, MONDAY + 900 * DAY)
    assert owed(week, MONDAY, MONDAY + AHEAD) == MONDAY + AHEAD
