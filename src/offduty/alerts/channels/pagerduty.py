"""PagerDuty, Events API v2: an incident of ours is one of theirs, triggered, acknowledged and resolved by one dedup_key."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from offduty.alerts import judge, wording
from offduty.alerts.alert import Alert
from offduty.alerts.delivery import FIRST, Attempt, DeliveryError, Receipt
from offduty.alerts.http import Route, post
from offduty.alerts.options import Token, Url
from offduty.clock import rfc3339

MOST_SUMMARY, MOST_KEY, MOST_BYTES = 1024, 255, 400_000
_SEVERITIES = {"debug": "info", "info": "info", "notice": "info", "warning": "warning", "error": "error", "critical": "critical"}

Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PagerDuty(Route):
    """Trigger and resolve incidents. `routing_key`: of an integration "Events API v2". `endpoint`: the region's, or one of your own."""

    routing_key: Token
    endpoint: Url = field(default=Url("https://events.pagerduty.com"))

    def send(self, alert: Alert, attempt: Attempt = FIRST) -> Receipt:
        """One POST. Raises DeliveryError."""
        body = {"routing_key": self.routing_key.reveal(), **(minimal(alert) if attempt.minimal else payload(alert))}
        path = "/v2/enqueue" if "event_action" in body else "/v2/change/enqueue"
        url = Url(self.endpoint.reveal().rstrip("/") + path)
        answer = post(url, json.dumps(body).encode(), {"Content-Type": "application/json"}, self, attempt.seconds)
        judge.by_status(answer, minimal=attempt.minimal)
        found = answer.json()
        if found.get("status") != "success":
            raise DeliveryError(f"{answer.status}, but the answer is not PagerDuty's", ambiguous=True)
        return Receipt(id=wording.shorten(wording.line(str(found.get("dedup_key") or "")), MOST_KEY), detail="accepted")


def payload(alert: Alert) -> Body:
    """The event without its routing key. What neither opens nor ends an incident is a change event: on the record, and wakes nobody."""
    action = _action(alert)
    if action in ("resolve", "acknowledge"):
        return {"event_action": action, "dedup_key": dedup_key(alert)}
    return wording.fitting(alert, lambda fitted: _event(fitted, action, _details(fitted)), _size, MOST_BYTES)


def minimal(alert: Alert) -> Body:
    """The event without details."""
    return payload(alert) if _action(alert) in ("resolve", "acknowledge") else _event(wording.bare(alert), _action(alert), {})


def dedup_key(alert: Alert) -> str:
    """The same for all of an incident; one that is too long is hashed, not cut, so that two stay two."""
    key = f"offduty:{alert.incident or alert.key}"
    return key if len(key) <= MOST_KEY and key.isprintable() else f"offduty:{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()}"


def _action(alert: Alert) -> str:
    if alert.event == "acknowledged":
        return "acknowledge"
    if alert.status == "resolved":
        return "resolve"
    return "trigger" if alert.status == "firing" or alert.event == "test" else ""


def _event(alert: Alert, action: str, details: Body) -> Body:
    summary = wording.shorten(wording.headline(alert), MOST_SUMMARY)
    source = wording.line(alert.host) or "offduty"
    body: Body = {"summary": summary, "source": source, "timestamp": rfc3339(alert.at), "custom_details": details}
    links = [{"href": wording.own_link(alert), "text": "Open in offduty"}] if wording.own_link(alert) else []
    if not action:
        return {"payload": body, "links": links}
    body |= {
        "severity": _SEVERITIES[alert.severity],
        "component": wording.line(alert.job),
        "group": wording.line(alert.team),
        "class": alert.event,
    }
    return {"event_action": action, "dedup_key": dedup_key(alert), "client": "offduty", "payload": body, "links": links}


def _details(alert: Alert) -> Body:
    found: Body = {fact.label.lower(): fact.text for fact in wording.facts(alert)}
    if wording.notice(alert):
        found["notice"] = wording.notice(alert)
    found |= {"do": wording.steps(alert), "entries": list(alert.items), "log": wording.line(alert.log), "lines": list(alert.lines)}
    return {label: text for label, text in found.items() if text}


def _size(body: Body) -> int:
    return len(json.dumps(body).encode())
