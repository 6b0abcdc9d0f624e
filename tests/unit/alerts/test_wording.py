"""The words of a message: complete, within limits, and harmless."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.alerts import wording
from offduty.alerts.alert import Alert
from offduty.alerts.channels import apprise, pagerduty, slack, slack_blocks, sns, teams, webhook

FAILED = Alert(
    key="k", event="failed", job="forecast", title="FAILED forecast: KeyError: 'region'", at=1_795_413_751.0, severity="error",
    status="firing", run="01932f6c-0000-7000-8000-00007f3a91c2", because="the column is gone", where="forecast.py:88",
    steps=("Ask.", "Run."),
    team="Data Platform", contact="#dp", told=("Data Science in the digest",), history="3 times in 30 days", host="etl-3", log="/l/f.log", link="https://o.example/r",
)  # fmt: skip


def test_a_message_says_all_that_is_needed_to_act():
    """What failed, because, where, what to do, whose, who else was told, how often before, the log, the link."""
    text = wording.plain(FAILED)
    for part in (
        "KeyError",
        "the column is gone",
        "forecast.py:88",
        "1. Ask.",
        "2. Run.",
        "Data Platform · #dp",
        "Data Science in the digest",
        "3 times",
    ):
        assert part in text
    for part in ("/l/f.log", "https://o.example/r", "run 7f3a91c2", "23 Nov 2026"):
        assert part in text


def test_drills_and_tests_are_marked_first():
    """Nobody gets up for a drill; a test says how to confirm it."""
    assert wording.plain(replace(FAILED, drill=True)).startswith("DRILL: FAILED")
    text = wording.plain(replace(FAILED, event="test", code="K7-QX"))
    assert text.startswith("TEST: ")
    assert "offduty alerts confirm K7-QX" in text


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("most", [1, 2, 3, 150, 3000])
def test_a_text_is_cut_in_its_middle_at_the_limit_and_not_before(more, most):
    """W2: at the limit untouched, one over it shortened to exactly the limit, beginning and end kept."""
    text = ("a" * most + "z")[-most:] if not more else "a" * most + "z"
    short = wording.shorten(text, most)
    assert (short == text) is (more == 0)
    assert len(short) == most
    assert most < 3 or (short[0], short[-1]) == (text[0], "z")


@given(st.text())
def test_a_line_is_one_line_without_controls(text):
    """T05, T06, T09: no field can break a line, move a cursor or turn the writing around."""
    assert all(c.isprintable() or c in "\u200c\u200d" for c in wording.line(text))


HUGE = replace(
    FAILED, because="be & cause <x> " * 4000, steps=("step & " * 400,) * 40, items=("item <b> " * 60,) * 400,
    lines=("log `line` " * 60,) * 400, told=("team " * 80,) * 80, history="h" * 9000,
    where="w" * 9000,
    contact="c" * 9000, title="t & " * 2000, log="/l/" + "x" * 9000,
)  # fmt: skip


@pytest.mark.parametrize("alert", [FAILED, HUGE], ids=["usual", "huge"])
def test_every_service_s_limits_are_kept(alert):
    """W2 to W5: Slack's blocks and characters, Teams' bytes, PagerDuty's summary, SNS' bytes and subject, whatever is in the alert."""
    blocks = slack.payload(alert)["blocks"]
    assert len(blocks) <= 50
    assert slack_blocks.characters(blocks) <= 10_000
    assert all(len(text["text"]) <= 3000 for block in blocks for text in [block.get("text"), *block.get("elements", [])] if text)
    assert all(len(text["text"]) <= 2000 for block in blocks for text in block.get("fields", []))
    assert len(blocks[0]["text"]["text"]) <= 150
    assert all(len(block.get("fields", [])) <= 10 and len(block.get("elements", [])) <= 10 for block in blocks)
    assert len(json.dumps(teams.payload(alert)).encode()) <= 18_000
    assert len(pagerduty.payload(alert)["payload"]["summary"]) <= 1024
    assert len(json.dumps(pagerduty.payload(alert)).encode()) <= 512 * 1024
    assert len(sns.request(alert, "arn:aws:sns:eu-west-1:1:t")["Message"].encode()) <= 262_144
    assert len(sns.subject(alert)) < 100
    assert len(json.dumps(webhook.payload(alert)).encode()) <= 200_000
    assert len(apprise.payload(alert)["body"]) <= 3000


def test_what_is_left_out_of_a_list_is_counted():
    """INV-13."""
    assert "… and" in json.dumps(slack.payload(HUGE), ensure_ascii=False)
    assert wording.trimmed(HUGE, 3000).items[-1] == "… and 251 more"


@given(st.text(max_size=300).map(lambda text: text + "x"))
def test_sns_takes_every_subject(text):
    """W4: ASCII, below 100 characters, no control characters, a letter or digit first."""
    subject = sns.subject(replace(FAILED, title=text))
    assert subject.isascii()
    assert subject.isprintable()
    assert 0 < len(subject) < 100
    assert subject[0].isalnum()


def test_a_fifo_topic_gets_a_group_and_an_id():
    """W4: order within an incident, one message for many attempts."""
    request = sns.request(replace(FAILED, incident="i"), "arn:aws:sns:eu-west-1:1:t.fifo")
    assert (
        request["MessageGroupId"]
        == sns.request(replace(FAILED, incident="i", key="other"), "arn:aws:sns:eu-west-1:1:t.fifo")["MessageGroupId"]
    )
    assert "MessageGroupId" not in sns.request(FAILED, "arn:aws:sns:eu-west-1:1:t")
    assert len(request["MessageDeduplicationId"]) <= 128


@pytest.mark.parametrize(
    "status, event, action",
    [("firing", "failed", "trigger"), ("resolved", "recovered", "resolve"), ("firing", "acknowledged", "acknowledge")],
)
def test_an_incident_keeps_its_dedup_key(status, event, action):
    """W5: trigger, acknowledge and resolve name the same incident; a long name is hashed to 255 characters or less."""
    alert = replace(FAILED, status=status, event=event, incident="i" * 400)
    body = pagerduty.payload(alert)
    assert body["event_action"] == action
    assert body["dedup_key"] == pagerduty.dedup_key(replace(alert, key="other"))
    assert len(body["dedup_key"]) <= 255
    assert pagerduty.dedup_key(replace(alert, incident="i" * 401)) != body["dedup_key"]


def test_what_is_no_incident_is_a_change_event():
    """W5: a digest or a success wakes nobody."""
    assert "event_action" not in pagerduty.payload(replace(FAILED, event="succeeded", status="info"))
