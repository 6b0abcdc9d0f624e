"""Microsoft Teams, by a workflow (Power Automate) that posts an Adaptive Card."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from offduty.alerts import judge, wording
from offduty.alerts.alert import Alert
from offduty.alerts.delivery import FIRST, Attempt, DeliveryError, Receipt
from offduty.alerts.http import Route, post
from offduty.alerts.judge import Answer
from offduty.alerts.options import Url
from offduty.alerts.wording import Fact

MOST_BYTES = 18_000
"""Teams refuses over 28 672 bytes of what it makes of a request, which is more than the request."""

_STYLES = {"bad": "attention", "warning": "warning", "good": "good", "calm": "accent"}
_SAID_STATUS = re.compile(r"HTTP error\s+(\d{3})|\bstatus(?:Code)?\W{1,4}(\d{3})\b", re.IGNORECASE)

Element = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Teams(Route):
    """Post to where a workflow posts. `url`: the one the workflow's trigger shows, used as it is."""

    url: Url

    def send(self, alert: Alert, attempt: Attempt = FIRST) -> Receipt:
        """One POST. Raises DeliveryError."""
        body = minimal(alert) if attempt.minimal else payload(alert)
        answer = post(self.url, json.dumps(body).encode(), {"Content-Type": "application/json"}, self, attempt.seconds)
        return receipt(answer, minimal=attempt.minimal)


def payload(alert: Alert) -> dict[str, Any]:
    """The message with its one card."""
    return wording.fitting(alert, lambda fitted: _message(fitted, _body(fitted)), _size, MOST_BYTES)


def minimal(alert: Alert) -> dict[str, Any]:
    """A card with a few lines of text."""
    return _message(wording.bare(alert), [_words(_run(text)) for text in wording.brief(alert).split("\n")])


def receipt(answer: Answer, *, minimal: bool) -> Receipt:
    """202 and nothing more: accepted, whether it was posted nobody says. Errors may come as text with a status that says success (F40)."""
    judge.by_status(answer, minimal=minimal)
    said = _SAID_STATUS.search(answer.text)
    if said:
        raise judge.refusal(int(said[1] or said[2]), minimal=minimal)
    if "error" in answer.json() or re.search(r"\b(error|failed|throttl)", answer.text[:2000], re.IGNORECASE):
        raise DeliveryError(f"{answer.status} with an error in the answer", ambiguous=True)
    if answer.status == 200 and answer.text not in ("", "1"):
        raise DeliveryError("200, but the answer is not that of Teams", ambiguous=True)
    return Receipt(detail="accepted; Teams does not say whether it was posted" if answer.status == 202 else "ok")


def _message(alert: Alert, body: list[Element]) -> dict[str, Any]:
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": wording.headline(alert),
        "body": body,
        "msteams": {"width": "full"},
    }
    if wording.own_link(alert):
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open in offduty", "url": wording.own_link(alert)}]
    summary = wording.headline(alert)
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "summary": summary, "attachments": [attachment]}


def _body(alert: Alert) -> list[Element]:
    """All of it as RichTextBlocks: unlike TextBlocks and FactSets they know no Markdown, so data can make no link (T08)."""
    head = _words(_run(f"{wording.sign(alert)} {wording.headline(alert)}", size="Large", weight="Bolder"))
    found = [{"type": "Container", "style": _STYLES[wording.mood(alert)], "bleed": True, "items": [head]}]
    if wording.notice(alert):
        found.append(_words(_run(wording.notice(alert), weight="Bolder")))
    facts = wording.facts(alert)
    found += [_row(fact) for fact in facts if fact.label in ("What", "Because", "Where", "Triage")]
    found += _listed("Do", wording.steps(alert)) + _listed("", [f"• {item}" for item in alert.items])
    found += [_row(fact) for fact in facts if fact.label not in ("What", "Because", "Where", "Triage")]
    if alert.lines:
        found.append(_words(_run("Last lines of the log", weight="Bolder")))
        lines = [_words(_run(text, fontType="Monospace", size="Small"), spacing="None") for text in alert.lines]
        found.append({"type": "Container", "style": "emphasis", "items": lines})
    foot = " · ".join(part for part in (wording.origin(alert), wording.line(alert.log)) if part)
    return [*found, _words(_run(foot, size="Small", isSubtle=True), separator=True)]


def _row(fact: Fact) -> Element:
    label = {"type": "Column", "width": "70px", "items": [_words(_run(fact.label, isSubtle=True))]}
    text = {"type": "Column", "width": "stretch", "items": [_words(_run(fact.text))]}
    return {"type": "ColumnSet", "spacing": "Small", "columns": [label, text]}


def _listed(title: str, texts: list[str]) -> list[Element]:
    """Steps stand beside their label as facts do; a list without a label has the whole width."""
    if not texts:
        return []
    items = [_words(_run(text), spacing="Small") for text in texts]
    if not title:
        return [{"type": "Container", "items": items}]
    label = {"type": "Column", "width": "70px", "items": [_words(_run(title, isSubtle=True))]}
    return [{"type": "ColumnSet", "spacing": "Small", "columns": [label, {"type": "Column", "width": "stretch", "items": items}]}]


def _words(*runs: Element, **style: Any) -> Element:
    return {"type": "RichTextBlock", "inlines": list(runs), **style}


def _run(text: str, **style: Any) -> Element:
    return {"type": "TextRun", "text": text, **style}


def _size(message: dict[str, Any]) -> int:
    return len(json.dumps(message).encode())
