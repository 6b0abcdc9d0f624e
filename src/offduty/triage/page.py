"""The catalogue as a page of the documentation: `python -m offduty.triage.page` writes it anew, a test compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from offduty.triage.categories import CATEGORIES, Category
from offduty.triage.signature import Signature, catalogue

_HEAD = """# The catalogue

What `offduty` recognises without a table of one's own: {count} kinds of failure in {categories} categories.
This page is made from the catalogue (`python -m offduty.triage.page`);
[how a verdict is made](../explanation/triage.md) tells how one is chosen.
`sure` is what a verdict's confidence is at most; *whose* is the kind of owner that `[owners]` maps to a team.
"""


def page() -> str:
    """The whole page, Markdown."""
    return "\n".join([_HEAD.format(count=len(catalogue()), categories=len(CATEGORIES)), *_sections()])


def _sections() -> Iterator[str]:
    for category in CATEGORIES.values():
        yield _section(category, [signature for signature in catalogue() if signature.category == category.name])


def _section(category: Category, signatures: list[Signature]) -> str:
    rows = "\n".join(map(_row, sorted(signatures, key=lambda signature: signature.id)))
    steps = " ".join(f"{number}. {step}" for number, step in enumerate(category.steps, 1))
    head = f"## {category.name}\n\n{category.meaning} Whose: **{category.owner}**.\n\nWhat always helps: {steps}\n"
    return f"{head}\n| id | what it is | why | whose | sure |\n|---|---|---|---|---|\n{rows}\n"


def _row(signature: Signature) -> str:
    owner = signature.owner if signature.owner != CATEGORIES[signature.category].owner else ""
    return f"| `{signature.id}` | {_cell(signature.title)} | {_cell(signature.cause)} | {owner} | {signature.confidence} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference/catalogue.md").write_text(page(), "utf-8")
