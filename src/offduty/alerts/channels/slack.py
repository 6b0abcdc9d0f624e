"""Slack, by an incoming webhook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from offduty.alerts import judge
from offduty.alerts.alert import Alert
from offduty.alerts.channels import slack_blocks
from offduty.alerts.delivery import FIRST, Attempt, DeliveryError, Receipt
from offduty.alerts.http import Route, post
from offduty.alerts.judge import Answer
from offduty.alerts.options import Url

_GONE = (
    "channel_is_archived",
    "no_service",
    "no_service_id",
    "no_team",
    "team_disabled",
    "invalid_token",
    "channel_not_found",
    "action_prohibited",
)


@dataclass(frozen=True, kw_only=True)
class Slack(Route):
    """Post to the channel that an incoming webhook belongs to. `url`: the webhook's."""

    url: Url

    def send(self, alert: Alert, attempt: Attempt = FIRST) -> Receipt:
        """One POST. Raises DeliveryError."""
        body = slack_blocks.minimal(alert) if attempt.minimal else payload(alert)
        answer = post(self.url, json.dumps(body).encode(), {"Content-Type": "application/json"}, self, attempt.seconds)
        return receipt(answer, minimal=attempt.minimal)


def payload(alert: Alert) -> dict[str, Any]:
    """The message as Slack takes it."""
    return slack_blocks.payload(alert)


def receipt(answer: Answer, *, minimal: bool) -> Receipt:
    """Slack says `ok` and nothing else when it took the message; its refusals are a word in the body."""
    if answer.text in _GONE:
        raise DeliveryError(f"{answer.status}: {answer.text}", broken=True, gone=answer.status == 410)
    judge.by_status(answer, minimal=minimal)
    if answer.text.lower() != "ok":
        raise DeliveryError(f"{answer.status}, but the answer is not Slack's", ambiguous=True)
    return Receipt(detail="ok")
