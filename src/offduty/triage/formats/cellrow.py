"""A row of cells, as in Markdown and CSV, into a row as TOML has it, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from offduty.errors import quoted
from offduty.triage import cells
from offduty.triage.flaw import Flaw, Report
from offduty.triage.row import KEYS, LISTS

ALWAYS = ("id", "when", "cause", "steps", "team")


def columns(head: Sequence[str], line: int, report: Report) -> list[str] | None:
    """The keys that the head of a table names; None after reporting what is wrong with it (E402)."""
    names = [cell.strip().lower() for cell in head]
    flaws = [
        Flaw("E402", f"unknown column {quoted(name)}", fix=f"known are {', '.join(KEYS)}", where=str(line))
        for name in names
        if name not in KEYS
    ]
    flaws += [Flaw("E402", f"column {quoted(name)} is there twice", where=str(line)) for name in KEYS if names.count(name) > 1]
    if "when" not in names:
        flaws = [Flaw("E402", "there is no column when", why=_guess(head), fix="begin with: id, when, cause, steps, team", where=str(line))]
    for flaw in flaws:
        report(flaw)
    return None if flaws else names


def values(names: Sequence[str], row: Sequence[str], line: int, report: Report) -> dict[str, Any] | None:
    """A row as TOML has it; None after reporting (E402) that it is longer or shorter than the head."""
    if len(row) != len(names):
        what = f"{len(row)} cells below {len(names)} columns"
        fix = "put a cell with commas, quotes or line breaks into double quotes; write | as \\|"
        report(Flaw("E402", what, fix=fix, where=str(line)))
        return None
    found: dict[str, Any] = {name: cell for name, cell in zip(names, row, strict=True) if cell.strip()}
    if "when" in found:
        found["when"] = cells.read_when(found["when"], lambda flaw: report(replace(flaw, where=str(line))))
    return {**found, **{key: cells.read_texts(found[key]) for key in LISTS if key in found}}


def used(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns that a table of these rows needs."""
    return [key for key in KEYS if key in ALWAYS or any(key in row for row in rows)]


def row_of(names: Sequence[str], row: Mapping[str, Any]) -> list[str]:
    """A row as cells."""
    texts = {**row, "when": cells.write_when(row.get("when", {})), **{key: cells.write_texts(row.get(key, ())) for key in LISTS}}
    return [str(texts.get(name, "")) for name in names]


def _guess(head: Sequence[str]) -> str:
    whole = ",".join(head)
    found = next((words for mark, words in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")) if mark in whole), None)
    return f"the columns seem to be divided by {found}; commas are expected" if found else ""
