"""The row to add for a failure that no row explains: as narrow as what is known of it, as TOML to be pasted and filled in."""

from __future__ import annotations

import re
from typing import Any

from offduty.triage.case import Case
from offduty.triage.categories import CATEGORIES
from offduty.triage.formats import toml
from offduty.triage.seen import Seen
from offduty.triage.verdict import GUESSED, Verdict

MESSAGE_CHARS = 80
_VARIES = re.compile(r"""0x[0-9a-fA-F]+|[0-9]+(?:[.,:-][0-9]+)*|'[^']{3,}'|"[^"]{3,}"|/[^\s'":]+""")


def row_for(case: Case, verdict: Verdict) -> dict[str, Any]:
    """A row that would explain it, as TOML has it; cause, steps and team are left to be filled in."""
    known = verdict.source == "catalogue" and not (verdict.row or "").startswith(GUESSED)  # a guess is nobody's cause
    return {
        "id": _id(case, verdict),
        "when": when_for(case, verdict),
        "cause": (known and verdict.cause) or "What has happened, in plain words.",
        "steps": (list(verdict.steps) if known else []) or ["What to do first."],
        "team": verdict.team or "whose it is",
    }


def broad_row(category: str, team: str = "") -> dict[str, Any]:
    """A row for a whole kind of failure, with what always helps; to stand at the end of the table. `team`: whose all of it is."""
    kind = CATEGORIES[category]
    row = {"id": f"{_plain(category)}-99", "when": {"category": category}, "cause": kind.meaning, "steps": list(kind.steps)}
    return {**row, "team": team} if team else row


def as_toml(case: Case, verdict: Verdict) -> str:
    """The same as TOML."""
    return toml.write([row_for(case, verdict)])


def when_for(case: Case, verdict: Verdict) -> dict[str, Any]:
    """Conditions that hold of this case: what was struck, what was raised and said; else how it ended."""
    seen = Seen(case, verdict)
    when: dict[str, Any] = {}
    struck = next((touch for touch in seen.touches if touch.by == "transaction"), None)
    if struck is not None:
        when |= {"dependency": struck.dependency} if struck.dependency else {"transaction": struck.op, "target": struck.target}
    if seen.exceptions:
        when["exception"] = seen.exceptions[-1][0]
    message = seen.messages[-1] if seen.messages else ""
    if message and not struck and (pattern := pattern_of(message)):
        when["message"] = pattern
    return when or _by_end(case, seen)


def _by_end(case: Case, seen: Seen) -> dict[str, Any]:
    """How it ended, if nothing was raised or struck; else what was said last."""
    if case.exit_code is not None:
        return {"exit_code": case.exit_code}
    last = next((line for line in reversed(seen.text.splitlines()) if line.strip()), "")
    return {"log": pattern} if (pattern := pattern_of(last)) else {"outcome": case.outcome}


def pattern_of(message: str) -> str:
    """A pattern for messages like this one: numbers, paths and what is quoted may differ."""
    line = next((text.strip() for text in message.splitlines() if text.strip()), "")[:MESSAGE_CHARS]
    parts = [re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", part) for part in _VARIES.split(line)]
    return ".+".join(parts) if any(len(part.strip()) > 2 for part in parts) else ""


def _id(case: Case, verdict: Verdict) -> str:
    return f"{_plain(verdict.category if verdict.row else case.job or 'row')}-01"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "-", name.upper()).strip("-")[:20]
