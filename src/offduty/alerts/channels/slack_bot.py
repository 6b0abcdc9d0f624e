"""Slack, by an app's bot token: an incident is one thread, and its first message says so when it is over."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from offduty.alerts import judge, wording
from offduty.alerts.alert import Alert
from offduty.alerts.channels import slack_blocks
from offduty.alerts.delivery import FIRST, Attempt, DeliveryError, Receipt
from offduty.alerts.http import Route, post
from offduty.alerts.options import Line, Token, Url
from offduty.clock import Clock

_BROKEN = (
    "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope", "not_allowed_token_type",
    "channel_not_found", "not_in_channel", "is_archived", "org_login_required", "no_permission", "ekm_access_denied", "access_denied",
)  # fmt: skip
_LATER = (
    "ratelimited",
    "rate_limited",
    "message_limit_exceeded",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
)


@dataclass(frozen=True, kw_only=True)
class SlackBot(Route):
    """Post as a Slack app. `token`: its bot token (`xoxb-…`, scope chat:write). `channel`: the id of a channel it was invited to."""

    token: Token
    channel: Line
    endpoint: Url = field(default=Url("https://slack.com/api"))

    def send(self, alert: Alert, attempt: Attempt = FIRST) -> Receipt:
        """Post, in the incident's thread if it has one; when the incident is over, mark its first message too. Raises DeliveryError."""
        clock = Clock()
        until = clock.monotonic() + attempt.seconds
        told = self._call("chat.postMessage", payload(alert, self.channel, attempt), attempt.minimal, attempt.seconds)
        where, at = str(told.get("channel", "")), str(told.get("ts", ""))
        detail = "ok"
        if attempt.thread and alert.status == "resolved":
            detail = self._mark(alert, attempt, until - clock.monotonic())
        return Receipt(at, attempt.thread or f"{where}:{at}", detail)

    def _mark(self, alert: Alert, attempt: Attempt, seconds: float) -> str:
        """The message is out; that the first one keeps its old text harms nobody, but is on record."""
        where, _, at = attempt.thread.partition(":")
        try:
            self._call("chat.update", {"channel": where, "ts": at, **slack_blocks.resolved(alert)}, attempt.minimal, max(seconds, 0.001))
        except DeliveryError:
            return "ok; the first message could not be marked"
        return "ok; the first message is marked"

    def _call(self, method: str, body: dict[str, Any], minimal: bool, seconds: float) -> dict[str, Any]:
        headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": f"Bearer {self.token.reveal()}"}
        answer = post(Url(f"{self.endpoint.reveal().rstrip('/')}/{method}"), json.dumps(body).encode(), headers, self, seconds)
        judge.by_status(answer, minimal=minimal)
        found = answer.json()
        if found.get("ok") is not True:
            raise _refused(found.get("error"), judge.wait(answer.headers.get("retry-after"), answer.at), minimal=minimal)
        return found


def payload(alert: Alert, channel: str, attempt: Attempt = FIRST) -> dict[str, Any]:
    """The arguments of chat.postMessage."""
    body = slack_blocks.minimal(alert) if attempt.minimal else slack_blocks.payload(alert)
    thread = attempt.thread.partition(":")[2]
    placed = {"thread_ts": thread, "reply_broadcast": alert.event in ("recovered", "escalated")} if thread else {}
    return {"channel": channel, **body, **placed, "parse": "none", "link_names": False, "unfurl_links": False, "unfurl_media": False}


def _refused(error: object, retry_after: float | None, *, minimal: bool) -> DeliveryError:
    """Slack answers 200 and says in the body that it did not take the message (F40)."""
    if not isinstance(error, str):
        return DeliveryError("200, but the answer is not Slack's", ambiguous=True)
    what = f"Slack refuses: {wording.shorten(wording.line(error), 60)}"
    if error in _BROKEN:
        return DeliveryError(what, broken=True)
    if error in _LATER:
        return DeliveryError(what, retry_after=retry_after)
    return DeliveryError(what, permanent=True, minimal=not minimal)
