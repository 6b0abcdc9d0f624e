"""What each service says when it did not take a message, often with a status that says it did (F40)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offduty.alerts.addresses import Allowed
from offduty.alerts.alert import Alert
from offduty.alerts.channels import slack, slack_bot, sns, teams
from offduty.alerts.delivery import DeliveryError
from offduty.alerts.judge import Answer, wait
from offduty.alerts.options import Line, Token, Url
from offduty.drills.receiver import Receiver, reply

BITS = ("permanent", "minimal", "broken", "gone", "ambiguous")


def bits(error):
    """The bits that are set."""
    return {bit for bit in BITS if getattr(error, bit)}


def answer(status, body, **headers):
    """An answer as it was read."""
    return Answer(status, headers, body.encode(), 1e9)


SAID = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {} with ContextId tcid=0"
TEAMS = {
    SAID.format(413): {
        "permanent",
        "minimal",
    },
    SAID.format(429): set(),
    "Microsoft Teams endpoint returned HTTP error 404": {"broken"},
    '{"error": {"code": "DirectApiAuthorizationRequired"}}': {"ambiguous"},
    "Webhook Bad Request - something failed": {"ambiguous"},
}


@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("body", TEAMS)
def test_teams_puts_errors_into_answers_that_say_success(body, status):
    """F40: the status in the text counts."""
    with pytest.raises(DeliveryError) as caught:
        teams.receipt(answer(status, body), minimal=False)
    assert bits(caught.value) == TEAMS[body]


@pytest.mark.parametrize("status, body", [(202, ""), (200, "1"), (200, ""), (202, '{"runId": "0858"}')])
def test_teams_accepts_without_a_word(status, body):
    """W3: 202 and nothing more; the old connectors' 1; a workflow's own answer."""
    assert teams.receipt(answer(status, body), minimal=False).detail


SLACK = {
    (400, "invalid_payload"): {"permanent", "minimal"}, (400, "invalid_blocks"): {"permanent", "minimal"},
    (400, "invalid_token"): {"broken"}, (403, "action_prohibited"): {"broken"}, (404, "no_service"): {"broken"},
    (410, "channel_is_archived"): {"broken", "gone"},
    (500, "rollup_error"): {"ambiguous"}, (200, "no_team"): {"broken"}, (200, ""): {"ambiguous"}, (200, '{"ok": false}'): {"ambiguous"},
}  # fmt: skip


@pytest.mark.parametrize("status, word", SLACK)
def test_slack_s_refusals_are_told_apart(status, word):
    """W2, F42: what is about the message, and what is about the webhook."""
    with pytest.raises(DeliveryError) as caught:
        slack.receipt(answer(status, word), minimal=False)
    assert bits(caught.value) == SLACK[status, word]


BOT = {
    "invalid_auth": {"broken"}, "not_in_channel": {"broken"}, "is_archived": {"broken"}, "ratelimited": set(), "internal_error": set(),
    "msg_too_long": {"permanent", "minimal"}, "invalid_blocks": {"permanent", "minimal"}, "no_such_word_yet": {"permanent", "minimal"},
}  # fmt: skip


@pytest.mark.parametrize("word", BOT)
def test_a_bot_s_refusals_come_with_200(word):
    """F40: `ok: false`."""
    with Receiver(reply(200, f'{{"ok": false, "error": "{word}"}}'.encode(), retry_after="7")) as receiver:
        channel = slack_bot.SlackBot(token=Token("xoxb"), channel=Line("C1"), endpoint=Url(receiver.url), allow=Allowed(["127.0.0.1"]))
        with pytest.raises(DeliveryError) as caught:
            channel.send(Alert("k", "failed", "j", "t", 0.0))
    assert bits(caught.value) == BOT[word]
    assert caught.value.retry_after == (7 if word in ("ratelimited", "internal_error") else None)


SNS = {
    "AuthorizationError": {"broken"}, "NotFound": {"broken"}, "InvalidParameter": {"permanent", "minimal"}, "Throttling": set(),
    "InternalError": {"ambiguous"},
}  # fmt: skip


@pytest.mark.parametrize("code", SNS)
def test_sns_says_it_in_a_code(code):
    """W4, F42."""
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 500 if code == "InternalError" else 400}}
    assert bits(sns._refusal(response, minimal=False)) == SNS[code]


@given(st.text() | st.integers().map(str) | st.floats().map(str), st.floats(0, 4e9))
def test_any_retry_after_is_a_wait_from_a_second_to_an_hour_or_none(value, now):
    """F39."""
    found = wait(value, now)
    assert found is None or 1 <= found <= 3600
