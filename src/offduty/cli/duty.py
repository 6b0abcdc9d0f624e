"""What the triage commands stand on: the table, teams and owners that count here, and rows and verdicts in words."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from offduty.cli.show import one_line
from offduty.errors import NotThere
from offduty.settings.load import Settings, load
from offduty.triage import cells
from offduty.triage.row import Row
from offduty.triage.verdict import UNKNOWN, Verdict

if TYPE_CHECKING:
    from offduty.wiring.triage import Duty

EMPTY = 'no triage table yet: add [[triage]] rows to offduty.toml, or triage = "triage.md"; the built-in catalogue explains until then'
SURE = {"high": "green", "medium": "yellow", "low": "dim"}


def settings_here(args: argparse.Namespace) -> Settings:
    """The configuration that counts here. Raises ConfigErrors."""
    return load(os.getcwd(), os.environ, config=args.config)


def duty_here(args: argparse.Namespace) -> Duty:
    """Table, teams and owners, with the line of each row. Raises ConfigErrors."""
    from offduty.wiring.triage import duty_of

    return duty_of(settings_here(args), places=True)


def row_json(row: Row) -> dict[str, Any]:
    """A row for programs: everything it may say, and where it stands."""
    said = row.as_values()
    texts = {"title": row.title, "cause": row.cause, "team": row.team or None, "severity": row.severity, "notes": row.notes}
    return {"id": row.name, "where": row.where, "when": said["when"], **texts, "steps": list(row.steps), "links": list(row.links)}


def when_text(row: Row) -> str:
    """Its conditions, as a cell has them."""
    return one_line(cells.write_when(row.as_values()["when"]))


def verdict_lines(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """(label, text) for everything a verdict says; absent things are left out."""
    by = {"table": "row", "catalogue": "signature"}.get(verdict.source, "row")
    sure = f"{verdict.confidence} confidence" if verdict.source != UNKNOWN else ""
    whose = verdict.team or (f"nobody is named ([owners] has no {verdict.owner_kind})" if verdict.owner_kind else "")
    facts = [
        ("verdict", " · ".join(part for part in (verdict.category, sure) if part)),
        (by, verdict.row or "none explains it"),
        ("title", verdict.title),
        ("cause", verdict.cause if verdict.cause != verdict.title else ""),
        *(("do", f"{number}. {step}") for number, step in enumerate(verdict.steps, 1)),
        ("team", f"{whose} · {verdict.contact}" if verdict.contact else whose),
        ("dependency", verdict.dependency or ""),
        *(("evidence", text) for text in verdict.evidence),
        *(("link", text) for text in verdict.links),
    ]
    yield from ((label, one_line(text)) for label, text in facts if text)


def row_lines(row: Row) -> Iterator[tuple[str, str]]:
    """(label, text) for everything a row says."""
    facts = [
        ("row", row.name),
        ("where", row.where),
        *(("when", condition.describe()) for condition in row.when),
        ("title", row.title),
        ("cause", row.cause),
        *(("do", f"{number}. {step}") for number, step in enumerate(row.steps, 1)),
        ("team", row.team),
        ("severity", row.severity),
        *(("link", text) for text in row.links),
        ("notes", row.notes),
    ]
    yield from ((label, one_line(text)) for label, text in facts if text)


def no_row(name: str, known: list[str]) -> NotThere:
    """E520, with the nearest row."""
    import difflib

    from offduty.errors import quoted

    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    fix = f"did you mean {near[0]}?" if near else "`offduty triage list` shows the rows" if known else EMPTY
    return NotThere("E520", f"no row is called {quoted(name)}", fix=fix)
