"""Which drills are done, and how their results are told."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from offduty.cli.junit import junit
from offduty.drills.compare import Message, Observed, compare
from offduty.drills.coverage import Answer, Coverage
from offduty.drills.plan import Planned, plan
from offduty.drills.store import Rehearsed, rehearsed
from offduty.drills.synthetic import Spot
from offduty.testing import MONDAY

FEED, UNSEEN = Spot("file.read", "/srv/feed.csv", "job.py:3", seen=True), Spot("file.write", "out.csv", "job.py:9", scanned=True)
ANSWERS = (
    Answer(FEED, "missing", "row", "FEED-01"),
    Answer(FEED, "empty", "catalogue"),
    Answer(UNSEEN, "denied", "nothing"),
    Answer(Spot("", "", ""), "sigkill", "catalogue"),
    Answer(Spot("", "", ""), "missed", "row", "LATE-01"),
)
COVERAGE = Coverage("job", ANSWERS, (), ("NEVER-01",))
STRUCK = {"did": "struck", "op": "file.read", "target": "/srv/feed.csv", "why": "missing"}
LOG = "06:00:00.000 *   what        FileNotFoundError: /srv/feed.csv\n"
FAILED = {
    "outcome": "failed",
    "exit_code": 1,
    "duration_s": 2.0,
    "summary": {"what": "gone", "verdict": {"row": "FEED-01", "team": "data"}},
}


def planned(**options):
    """(row, fault) of what is planned."""
    return [(one.row, one.fault) for one in plan(COVERAGE, ["FEED-01", "LATE-01", "NEVER-01"], **options)]


def test_each_row_once_and_what_has_none_once():
    """A place that no run has shown cannot be struck; of the job as a whole a kill, where a row asks only for an absence."""
    assert planned() == [("FEED-01", "missing"), ("LATE-01", "missed"), ("NEVER-01", "")]


def test_one_row_one_fault_or_everything():
    """As the options say."""
    assert planned(row="LATE-01") == [("LATE-01", "missed")]
    assert planned(fault="empty") == [("", "empty")]
    assert len(planned(everything=True)) == 5


def result(record, **more):
    """What a drill of the feed's row says of a run."""
    return compare(
        "job", MONDAY, Planned("missing", FEED, "FEED-01"), Observed(record, **{"log": LOG, "notes": [STRUCK], "team": "data", **more})
    )


def test_as_promised_with_the_seconds_until_the_message():
    """The run's own time, and what the message waits after it."""
    one = result(FAILED, messages=[Message("hook", "data", "ext. 1", "now", "FAILED job", 0.5)])
    assert (one.passed, one.loud, one.named, one.won, one.told, one.took) == (True, True, True, True, True, 2.5)


def test_everything_that_is_not_as_promised_is_said():
    """Went on, not named, another row, nobody told."""
    one = result({"outcome": "succeeded", "exit_code": 0, "summary": {}}, log="")
    assert (one.passed, one.loud, one.named, one.won, one.told) == (False, False, False, False, False)
    assert "went on" in one.said and "did not win" in one.said and "nobody would hear of it" in one.said
    assert "channel" not in one.said  # the team may well have one: of a success it is told nothing


def test_a_fault_that_could_not_be_brought_about_proves_nothing():
    """The job failed by something else, and even the row won: still not passed."""
    assert not result(FAILED, notes=[]).passed


@given(st.text(), st.text(), st.booleans())
def test_junit_is_xml_whatever_is_in_it(target, said, passed):
    """Control characters, surrogates, angle brackets: every CI system can read it (T10)."""
    one = Rehearsed("job", MONDAY, "A", "missing", "file.read", target, passed, said)
    suite = ElementTree.fromstring(junit("job", [one]).partition("\n")[2])
    assert len(suite.findall("testcase")) == 1 and len(suite.findall(".//failure")) == (not passed)


def test_a_result_comes_back_as_it_was_kept():
    """JSON and back, with the entry's own keys."""
    one = result(FAILED)
    assert rehearsed(one.as_json()) == one


def test_an_absence_says_how_soon_it_is_noticed_or_that_it_never_is():
    """What nobody would notice is a drill that failed, whatever row would win."""
    late = Planned("missed", Spot("", "", ""), "LATE-01")
    record = {"summary": {"verdict": {"row": "LATE-01", "team": "ops"}}}
    message = Message("chat", "ops", "", "now", "MISSED job", 1210.0)
    found = compare("job", MONDAY, late, Observed(record, messages=[message], team="ops", outcome="missed", noticed=910.0))
    assert (found.passed, found.said, found.took) == (True, "missed, LATE-01 won, noticed after 15 min 10 s", 1210.0)
    never = compare("job", MONDAY, late, Observed(record, team="ops", outcome="missed", unnoticed="nothing says when it is due"))
    assert (never.passed, never.said) == (False, "nobody would notice: nothing says when it is due")
