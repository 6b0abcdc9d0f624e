"""Each item of readiness: what earns it, and what does not."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from offduty.drills.store import Turn
from offduty.handover.acceptance import Ours, accept, standings
from offduty.handover.badge import badge
from offduty.handover.evidence import Evidence, Resolved, Team
from offduty.handover.readiness import CHECKS, DAY, judge, unattended
from offduty.handover.seams import CoverageShare, DrillResult
from offduty.handover.store import Past

NOW = 1_795_413_600.0
DOCS = Path(__file__).resolve().parents[3] / "docs/explanation/readiness.md"


def runs(count, trigger="scheduled", outcome="succeeded", every=DAY):
    """So many runs, the last one today."""
    return tuple(Past(f"{n}", f"{n}", trigger, outcome, NOW - (count - 1 - n) * every, "", "") for n in range(count))


OURS = [Ours("", "ds", "the job", "d0"), Ours("LAB-01", "lab", "no file", "d1")]
ALL = Evidence(
    job="forecast", now=NOW, owner="ds", runs=runs(20), schedule="0 6 * * *", watched=True, watcher_seen=NOW - 10,
    teams=(Team("ds", "#ds", ("chat",)), Team("lab", "#lab", ("chat",))), proven={"chat": NOW - DAY},
    dependencies={"lab-feed": "lab"}, rows=("LAB-01",), coverage=CoverageShare(0.9), drills=(DrillResult("LAB-01", True, NOW - DAY),),
    pinned="uv.lock", commit="a1b2c3d", dirty=False, keep_s=90 * DAY, keep_runs=200, authors=frozenset({"ada"}),
    resolved=(Resolved("Mei", "LAB-01", NOW - DAY),),
    stands=tuple(standings(OURS, [*accept(OURS, "ds", "ada", NOW, "forecast", {}), *accept(OURS, "lab", "Mei", NOW, "forecast", {})])),
)  # fmt: skip


def item(evidence, code):
    """One judged item."""
    return next(it for it in judge(evidence).items if it.code == code)


def test_all_evidence_is_off_duty():
    """And nothing at all is on duty, without an error."""
    assert (judge(ALL).level, judge(ALL).score) == ("off duty", 100)
    assert judge(Evidence("forecast", NOW)).level == "on duty"


@pytest.mark.parametrize(
    "code, change",
    [
        ("R01", {"schedule": ""}),
        ("R01", {"runs": runs(3, "manual")}),
        ("R02", {"watched": False}),
        ("R02", {"watcher_seen": NOW - 7200}),
        ("R03", {"teams": ()}),
        ("R03", {"teams": (Team("ds", "#ds"),)}),
        ("R03", {"teams": (Team("ds", "", ("mail",), alone="ada.l@example.org"),)}),
        ("R04", {"proven": {"chat": None}}),
        ("R04", {"proven": {"chat": NOW - 91 * DAY}}),
        ("R05", {"keep_s": DAY}),
        ("R06", {"secrets": ("offduty.toml:3",)}),
        ("R07", {"dependencies": {"lab-feed": None}}),
        ("R08", {"coverage": None}),
        ("R08", {"coverage": CoverageShare(0.899)}),
        ("R08", {"coverage": CoverageShare(1.0, 0, NOW - 181 * DAY)}),
        ("R09", {"drills": ()}),
        ("R09", {"drills": (DrillResult("LAB-01", False, NOW),)}),
        ("R09", {"rows": ("LAB-01", "LAB-02")}),
        ("R09", {"turn": Turn("forecast", NOW - 60, 1, ended_at=NOW, outcome="could not", said="it fails with nothing broken")}),
        ("R10", {"pinned": ""}),
        ("R11", {"dirty": True}),
        ("R11", {"dirty": None}),
        ("R11", {"dirty": None, "commit": ""}),
        ("R12", {"runs": runs(19)}),
        ("R12", {"runs": (*runs(19), Past("x", "x", "manual", "succeeded", NOW, "", ""))}),
        ("R13", {"resolved": (Resolved("Ada", "LAB-01", NOW),)}),
        ("R13", {"resolved": (Resolved("Mei", "", NOW),)}),
        ("R14", {"stands": tuple(standings(OURS, []))}),
    ],
)
def test_what_does_not_earn_an_item(code, change):
    """The item is lost, the others stay; it says which command earns it, and the level falls below it."""
    found = item(replace(ALL, **change), code)
    assert found.state in ("not met", "not yet") and found.command
    assert judge(replace(ALL, **change)).level != "off duty"


def test_a_job_that_runs_seldom_earns_it_by_time():
    """Five weekly runs are 28 days."""
    assert item(replace(ALL, runs=runs(5, every=7 * DAY)), "R12").state == "met"


def test_the_attempts_of_a_run_count_once_and_its_last_decides():
    """A retry that went well is nobody's work (its first attempt failed)."""
    first = Past("a", "a", "scheduled", "failed", NOW, "", "")
    assert unattended([*runs(2), first, Past("b", "a", "retry", "succeeded", NOW + 9, "", "")])[0] == 3
    assert unattended([*runs(2), first])[0] == 0
    by_hand = first._replace(trigger="manual")
    assert unattended([*runs(2), by_hand, Past("b", "a", "retry", "succeeded", NOW + 9, "", "")])[0] == 0


def test_a_clock_that_was_set_back_breaks_nothing():
    """Proofs and runs of the future count as of now (F54)."""
    assert judge(replace(ALL, now=NOW - 400 * DAY)).level == "off duty"


def test_a_changed_or_refused_row_is_not_accepted():
    """A new text, a new team, and a refusal each ask for acceptance again; the reason stays."""
    said = accept(OURS, "lab", "Mei", NOW, "forecast", {"LAB-01": "not ours"})
    assert [one.standing for one in standings(OURS, said)] == ["open", "refused"]
    said = accept(OURS, "lab", "Mei", NOW, "forecast", {})
    assert standings([replace(OURS[1], digest="d2")], said)[0].standing == "changed"
    assert standings([replace(OURS[1], team="dba")], said)[0].standing == "open"
    assert standings([replace(OURS[1], team="")], said)[0].standing == "nobody"


def test_a_badge_is_inert(tmp_path):
    """T10: whatever a job is called, the picture is well-formed and holds no element of its making."""
    text = badge(replace(judge(ALL), job='<script>x</script>"&'))
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(text).iter()}
    assert tags == {"svg", "title", "clipPath", "rect", "g", "text"}


def test_every_item_is_explained():
    """Each code has a section of its own in the documentation."""
    text = DOCS.read_text()
    assert [check.code for check in CHECKS if f"### {check.code}" not in text] == []
    assert len({check.code for check in CHECKS}) == len(CHECKS)


def test_drills_of_rows_that_are_gone_count_nothing():
    """A row that was taken out of the table cannot be rehearsed any more; what has no row counts, and its command names none."""
    gone = (*ALL.drills, DrillResult("OLD-01", False, NOW))
    assert item(replace(ALL, drills=gone), "R09").state == "met"
    found = item(replace(ALL, drills=(*ALL.drills, DrillResult("", False, NOW, "timeout https://x"))), "R09")
    assert (found.state, found.command) == ("not met", "offduty drill forecast")
