"""From a row of the outbox to the message: titles, history, members, and what a job's data can do to it."""

from __future__ import annotations

import typing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.alerts.alert import Event
from offduty.alerts.compose import Known, compose, told_in_words
from offduty.alerts.owed import FIRING, Owed
from offduty.alerts.wording import plain

AT = 1_795_413_600.0  # 23 Nov 2026 06:00 UTC
FACTS = {
    "at": AT,
    "cause": "FEED-02",
    "opened_at": AT - 11_040,
    "failures": 4,
    "flaps": 0,
    "until": AT + 7200,
    "channel": "chat",
    "set": True,
}
VERDICT = {"row": "FEED-02", "title": "The sales feed changed shape", "team": "dp", "severity": "high"}
SUMMARY = {"what": "KeyError: 'region'", "because": "the column is gone", "where": "feed.py:8", "do": ["Ask."], "verdict": VERDICT}
RUN = {
    "id": "r1",
    "outcome": "failed",
    "summary": SUMMARY,
    "duration_s": 12.0,
    "host": "etl-3",
    "log": "/logs/a.log",
    "started_at": "2026-11-23T05:59:48.000Z",
}
KNOWN = Known(run=RUN, titles={"ds": "Data Science", "dp": "Data Platform"}, contacts={"dp": "#dp"}, lines=("a", "b"))
TITLES = {
    "started": "STARTED feed",
    "succeeded": "SUCCEEDED feed",
    "warned": "WARNED feed: The sales feed changed shape",
    "failed": "FAILED feed: The sales feed changed shape",
    "recovered": "RECOVERED feed: well again after 3 h 4 min and 4 bad runs",
    "missed": "MISSED feed: it was due at 23 Nov 2026 06:00 UTC and has not started",
    "overdue": "OVERDUE feed: it runs longer than it should",
    "lost": "LOST feed",
    "stuck": "STUCK feed",
    "stale": "STALE feed: FEED-02 is too old",
    "reminder": "STILL BROKEN feed: The sales feed changed shape",
    "acknowledged": "ACKNOWLEDGED feed by somebody",
    "escalated": "ESCALATED feed: The sales feed changed shape",
    "silenced": "SILENCED feed until 23 Nov 2026 08:00 UTC",
    "channel_broken": "BROKEN channel chat: it refuses what it is sent",
    "undelivered": "NOT DELIVERED to chat: alerts of feed",
    "digest": "0 messages about ",
    "test": "TEST feed",
    "drill_failed": "DRILL FAILED feed",
    "drill_passed": "DRILL_PASSED feed",
    "weekly": "Data Science: the week",
}


def row(event, **more):
    """A row as a store has it."""
    status = "resolved" if event == "recovered" else "firing" if event in FIRING else "info"
    return replace(Owed("k", "c", "feed", event, "chat", status, team="ds", run="r1", incident="i1", at=AT, facts=FACTS), **more)


@pytest.mark.parametrize("event", typing.get_args(Event))
def test_every_event_has_a_title_that_says_what_and_whose(event):
    """The first words decide whether anybody reads on."""
    assert compose(row(event), KNOWN).title == TITLES[event]


@pytest.mark.parametrize("outcome, word", [("timed_out", "TIMED OUT"), ("terminated", "TERMINATED")])
def test_a_failure_is_called_by_its_outcome(outcome, word):
    """Nobody looks for a bug in what was stopped."""
    assert compose(row("failed"), replace(KNOWN, run={**RUN, "outcome": outcome})).title.startswith(f"{word} feed")


def test_a_failure_says_what_because_where_do_and_whose():
    """The team of the verdict, by its title, and how it is reached."""
    alert = compose(row("failed"), KNOWN)
    assert (alert.what, alert.because, alert.where, alert.steps) == ("KeyError: 'region'", "the column is gone", "feed.py:8", ("Ask.",))
    assert (alert.team, alert.contact, alert.severity, alert.status) == ("Data Platform", "#dp", "error", "firing")
    assert alert.triage == "FEED-02 “The sales feed changed shape”"
    assert alert.lines == ()


def test_where_nothing_explains_it_the_last_lines_are_there():
    """What is known is better than nothing."""
    alert = compose(row("failed"), replace(KNOWN, run={**RUN, "summary": {"what": "boom"}}))
    assert alert.lines == ("a", "b") and alert.title == "FAILED feed: boom"


def test_history_counts_runs_and_other_incidents():
    """Once is an accident; the tenth time is another matter."""
    assert (
        compose(row("failed"), replace(KNOWN, before=2)).history
        == "4 bad runs since 23 Nov 2026 02:56 UTC; 2 other incidents of this job in 30 days"
    )
    assert compose(row("recovered"), KNOWN).history == ""


def test_good_news_does_not_say_what_had_been_wrong():
    """A recovery whose text is an exception is read as a failure."""
    alert = compose(row("recovered"), KNOWN)
    assert (alert.what, alert.because, alert.steps, alert.severity) == ("", "", (), "info")


def test_a_digest_has_a_line_for_each_the_bad_ones_first():
    """Who reads only its first lines has read what matters."""
    members = [row("warned", key="1", job="b"), row("failed", key="2"), row("recovered", key="3", at=AT - 60)]
    alert = compose(row("digest", job=""), KNOWN, members)
    assert alert.title == "3 messages about feed, b"
    assert [item.partition("  ")[2].split(":")[0] for item in alert.items] == ["FAILED feed", "RECOVERED feed", "WARNED b"]
    assert alert.what == "1 of them is bad news."


def test_a_storm_names_every_job_it_stands_for():
    """F47: each incident is named in at least one message."""
    members = [row("failed", key=str(n), job=f"job-{n:03}") for n in range(50)]
    alert = compose(row("digest", job=""), KNOWN, members)
    assert alert.title == "50 messages about job-000, job-001 and 48 other jobs"
    assert all(any(f" job-{n:03}:" in item for item in alert.items) for n in range(50))


@given(
    st.sampled_from(typing.get_args(Event)), st.dictionaries(st.sampled_from([*SUMMARY, "verdict"]), st.text(max_size=60) | st.none()),
    st.dictionaries(st.sampled_from(["reason", "error", "cause", "acked_by", "channel", "resolved_by"]), st.text(max_size=60)),
)  # fmt: skip
def test_no_text_of_a_job_makes_a_second_line_or_a_control_character(event, summary, facts):
    """Whatever it printed, a message stays a message (T07, T08)."""
    safe = {key: ([value] if key == "do" else value) for key, value in summary.items() if value is not None and key != "verdict"}
    alert = compose(row(event, facts={**FACTS, **facts}), replace(KNOWN, run={**RUN, "summary": safe}))
    text = plain(alert)
    assert all(c.isprintable() or c in "\n\u200c\u200d" for c in text)
    assert "\n" not in plain(replace(alert, steps=(), items=(), lines=())).split("\n\n")[0]


STATES = {
    "delivered": "Data Science by chat 06:00:00 (delivered)", "silenced": "Data Science by chat (silenced)",
    "dead": "Data Science by chat (NOT delivered: 400)",
    "dropped": "Data Science by chat (left out: 400)", "folded": "Data Science by chat (with others, in one message)",
    "waiting": "Data Science by chat (not yet: 400; it is tried again)",
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_a_row_in_words(state):
    """Whom, by what, and what came of it."""
    told = row("failed", state=state, error="400", done_at=AT if state == "delivered" else None)
    assert told_in_words(told, {"ds": "Data Science"}) == STATES[state]


def test_what_waits_for_its_time_says_which():
    """A digest is no delay."""
    later = row("warned", urgency="digest", not_before=AT + 3600)
    assert told_in_words(later, {}) == "ds by chat at 07:00 in the digest"
