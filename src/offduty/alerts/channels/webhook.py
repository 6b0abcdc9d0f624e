"""Any receiver that takes JSON: signed as Standard Webhooks has it (T14), in the form of CloudEvents or of Alertmanager."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from offduty.alerts import judge, wording
from offduty.alerts.alert import Alert
from offduty.alerts.delivery import FIRST, Attempt, Receipt
from offduty.alerts.http import Route, post
from offduty.alerts.options import Headers, SigningKey, Url
from offduty.clock import Clock, rfc3339

MOST_BYTES = 200_000
_TYPES = {"cloudevents": "application/cloudevents+json", "alertmanager": "application/json"}

Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Webhook(Route):
    """POST to `url`, in the form `format`. `secret` signs (`whsec_…`); `headers` go along."""

    url: Url
    secret: SigningKey | None = None
    format: Literal["cloudevents", "alertmanager"] = "cloudevents"
    headers: Headers = field(default=Headers())

    def send(self, alert: Alert, attempt: Attempt = FIRST) -> Receipt:
        """One POST. Raises DeliveryError."""
        body = json.dumps(payload(wording.bare(alert) if attempt.minimal else alert, self.format)).encode()
        headers = {"Content-Type": _TYPES[self.format], **{name: value.reveal() for name, value in self.headers.items()}}
        headers |= signature(message_id(alert), int(Clock().wall()), body, self.secret)
        answer = post(self.url, body, headers, self, attempt.seconds)
        judge.by_status(answer, minimal=attempt.minimal)
        return Receipt(id=message_id(alert), detail=str(answer.status))


def payload(alert: Alert, form: str = "cloudevents") -> Body:
    """The body."""
    make = _alertmanager if form == "alertmanager" else _cloudevent
    return wording.fitting(alert, make, lambda body: len(json.dumps(body).encode()), MOST_BYTES)


def message_id(alert: Alert) -> str:
    """The same for every attempt: by it a receiver tells a repetition."""
    return f"msg_{hashlib.sha256(alert.key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def signature(identity: str, at: int, body: bytes, secret: SigningKey | None) -> dict[str, str]:
    """`webhook-id`, `webhook-timestamp`, and `webhook-signature` if there is a secret."""
    headers = {"webhook-id": identity, "webhook-timestamp": str(at), "Idempotency-Key": identity}
    if secret is not None:
        signed = hmac.new(secret.key(), f"{identity}.{at}.".encode() + body, hashlib.sha256).digest()
        headers["webhook-signature"] = f"v1,{base64.b64encode(signed).decode('ascii')}"
    return headers


def _cloudevent(alert: Alert) -> Body:
    """CloudEvents 1.0, structured; `data` is the alert, with what is empty left out."""
    return {
        "specversion": "1.0",
        "id": message_id(alert),
        "type": f"io.offduty.{'run' if alert.run else 'alert'}.{alert.event}.v1",
        "source": f"/jobs/{wording.line(alert.job)}",
        **({"subject": wording.line(alert.run)} if alert.run else {}),
        "time": rfc3339(alert.at),
        "datacontenttype": "application/json",
        "data": plain_data(alert),
    }


def plain_data(alert: Alert) -> Body:
    """The alert as JSON, with `at` as RFC 3339."""
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(alert).items()}
    kept = {name: _sound(value) for name, value in found.items() if value not in ("", None, [], False)}
    return {**kept, "at": rfc3339(alert.at), "headline": wording.headline(alert)}


def _sound(value: Any) -> Any:
    """Halves of characters cannot be sent: JSON escapes them, and many a receiver then refuses the whole body."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return [_sound(item) for item in value] if isinstance(value, list) else value


def _alertmanager(alert: Alert) -> Body:
    """The body version 4 of Alertmanager's webhook, with one alert."""
    status = "resolved" if alert.status == "resolved" else "firing"
    labels = {"alertname": alert.event, "job": wording.line(alert.job), "severity": alert.severity, "team": wording.line(alert.team)}
    texts = {"summary": wording.headline(alert), "description": wording.plain(alert), "runbook_url": wording.own_link(alert)}
    annotations = {name: text for name, text in texts.items() if text}
    began = rfc3339(alert.at)
    entry = {
        "status": status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": began,
        "endsAt": began if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": wording.own_link(alert),
        "fingerprint": hashlib.sha256((alert.incident or alert.key).encode("utf-8", "surrogatepass")).hexdigest()[:16],
    }
    group = {"job": labels["job"]}
    return {
        "version": "4",
        "groupKey": f"{{}}:{{job={json.dumps(labels['job'])}}}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": "offduty",
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": wording.own_link(alert),
        "alerts": [entry],
    }
