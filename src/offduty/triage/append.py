"""Rows put behind those of a table that is there, in its own form; every byte of it stays as it is, remarks and layout too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from offduty.errors import ConfigError
from offduty.triage.formats import csv, markdown, toml, writer
from offduty.triage.table import of_text

Rows = Sequence[Mapping[str, Any]]


def append(text: str, rows: Rows, ending: str) -> str:
    """`text`, whose form `ending` says, with `rows` at its end. Raises ConfigError E402 where that is not old rows and these."""
    new = [dict(row) for row in rows]
    added = _below(text, new, ending) if text.strip() else writer(ending)(new)
    before = of_text(text, ending).rows if text.strip() else ()
    after = of_text(added, ending)
    if after.flaws or [row.as_values() for row in after.rows] != [*(row.as_values() for row in before), *new]:
        refuse()
    return added


def append_to_toml(text: str, rows: Rows, header: str = "triage") -> str:
    """A configuration with `[[triage]]` rows at its end; `header`: `tool.offduty.triage` in a pyproject.toml."""
    blocks = "\n".join(toml.write([dict(row)]).replace("[[triage]]", f"[[{header}]]", 1) for row in rows)
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text or text.endswith(end * 2) else end if text.endswith("\n") else end * 2
    return text + gap + blocks.replace("\n", end)


def refuse() -> None:
    """Raises ConfigError E402: the table is left alone."""
    why = "it is written in a way that rows cannot be added to"
    raise ConfigError("E402", "the table was not changed", why=why, fix="add the rows yourself")


def _below(text: str, rows: list[dict[str, Any]], ending: str) -> str:
    if ending == ".toml":
        return append_to_toml(text, rows)
    return csv.below(text, rows) if ending == ".csv" else markdown.below(text, rows)
