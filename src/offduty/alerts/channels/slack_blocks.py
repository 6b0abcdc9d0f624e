"""A message as Slack's blocks: whatever comes from a job's data can make no link, no mention and no code fence of its own (T07)."""

from __future__ import annotations

from typing import Any

from offduty.alerts import wording
from offduty.alerts.alert import Alert
from offduty.alerts.wording import Fact

MOST_CHARACTERS = 10_000
"""Of all blocks together: 13 200 are refused, which is not documented."""

HEADER, SECTION, FIELD, TEXT = 150, 3000, 2000, 3000
_NARROW = ("Where", "Team", "Told", "Before", "Took", "Triage")

Block = dict[str, Any]


def payload(alert: Alert) -> dict[str, Any]:
    """`text`, which notifications show, and `blocks`."""
    text = wording.within(f"{wording.sign(alert)} {wording.headline(alert)}", TEXT, escape)
    return {"text": text, "blocks": wording.fitting(alert, blocks, characters, MOST_CHARACTERS)}


def minimal(alert: Alert) -> dict[str, Any]:
    """Text alone, for when Slack refused the blocks."""
    return {"text": wording.within(wording.brief(alert), TEXT, escape)}


def blocks(alert: Alert) -> list[Block]:
    """Headline, reason, steps, what else is known, log lines, where it comes from."""
    facts = wording.facts(alert)
    wide = [fact for fact in facts if fact.label not in _NARROW]
    narrow = [fact for fact in facts if fact.label in _NARROW]
    found: list[Block] = [{"type": "header", "text": _plain(f"{wording.sign(alert)} {wording.headline(alert)}", HEADER)}]
    if wording.notice(alert):
        found.append({"type": "section", "text": _plain(wording.notice(alert), SECTION)})
    found += [{"type": "section", "text": _labelled(fact, SECTION)} for fact in wide]
    found += [_listed("Do", wording.steps(alert)), _listed("", [f"• {item}" for item in alert.items])]
    if narrow:
        found.append({"type": "section", "fields": [_labelled(fact, FIELD) for fact in narrow]})
    found += [_fenced(list(alert.lines)), _context(alert)]
    return [block for block in found if block]


def escape(text: str) -> str:
    """`text` as Slack shows it and nothing else: its three characters escaped, backticks kept from closing a fence."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("```", "`\u200b`\u200b`")


def characters(found: list[Block]) -> int:
    """All the text in the blocks."""
    return sum(len(text["text"]) for text in _texts(found))


def _texts(part: Any) -> list[dict[str, str]]:
    if isinstance(part, list):
        return [text for item in part for text in _texts(item)]
    if isinstance(part, dict):
        return [part] if isinstance(part.get("text"), str) else _texts(list(part.values()))
    return []


def _plain(text: str, most: int) -> Block:
    return {"type": "plain_text", "text": wording.shorten(text, most), "emoji": False}


def _text(text: str) -> Block:
    """`verbatim`: Slack looks for no URLs, channels or names in it on its own."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _labelled(fact: Fact, most: int) -> Block:
    return _text(wording.within(fact.text, most, lambda text: f"*{fact.label}*\n{escape(text)}"))


def _section(text: str) -> Block:
    return {"type": "section", "text": _text(text)}


def _listed(title: str, texts: list[str]) -> Block:
    if not texts:
        return {}
    head = f"*{title}*\n" if title else ""
    return _section(wording.within("\n".join(texts), SECTION, lambda text: head + escape(text)))


def _fenced(lines: list[str]) -> Block:
    """As many of the last lines as there is room for."""
    while lines and len(text := f"*Last lines of the log*\n```{chr(10).join(map(escape_line, lines))}```") > SECTION:
        lines = lines[1:]
    return _section(text) if lines else {}


def escape_line(text: str) -> str:
    """One line inside of a fence: no backtick in it can end that."""
    return escape(wording.shorten(text, 300)).replace("`", "`\u200b")


def _context(alert: Alert) -> Block:
    link = wording.own_link(alert)
    parts = [escape(wording.origin(alert))]
    if alert.log:
        parts.append(escape(wording.shorten(wording.line(alert.log), 300)))
    if link:
        parts.append(f"<{link.replace('&', '&amp;')}|Open in offduty>")
    return {"type": "context", "elements": [_text(part) for part in parts]}


def resolved(alert: Alert) -> dict[str, Any]:
    """What the first message of an incident says once that is over."""
    text = wording.within(f"{wording.sign(alert)} {wording.headline(alert)}", TEXT, escape)
    head = {"type": "header", "text": _plain(f"{wording.sign(alert)} {wording.headline(alert)}", HEADER)}
    return {"text": text, "blocks": [head, _context(alert)]}
