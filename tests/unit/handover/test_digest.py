"""The week of a team: the one thing worth doing next, in the order of what hurts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from offduty.handover.as_markdown import as_markdown
from offduty.handover.digest import JobWeek, digest, next_thing
from offduty.handover.evidence import Evidence
from offduty.handover.readiness import Readiness, judge
from offduty.handover.value.judge import Verdict

READY = Readiness("forecast", "off duty", 100, ())
CALM = JobWeek("forecast", 7, 0, (), 0.0, "", READY, Verdict("stop", "stop tinkering", ()))
BROKEN = replace(CALM, job="broken", open_incidents=("LAB-01",))
DRIFTS = replace(CALM, job="drifts", verdict=Verdict("look again", "look again: mape drifts", ()))
BEGUN = replace(CALM, job="begun", ready=judge(Evidence("begun", 0.0)))


@pytest.mark.parametrize(
    "weeks, unproven, said",
    [
        ([BEGUN, DRIFTS, BROKEN], ["chat arrives: it was never proven"], "broken is broken (LAB-01)"),
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
