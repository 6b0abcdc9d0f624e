"""A triage table as a Markdown table: the first in the file whose head has a column `when`; what stands around it is left alone.

In a cell, `\\|` is a bar and `<br>` a new line.
"""

from __future__ import annotations

import re
from typing import Any

from offduty.triage.flaw import Flaw, Report
from offduty.triage.formats import RawRow, cellrow

_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_ESCAPED = re.compile(r"\\([\\|<])|<br\s*/?>", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(```|~~~)")


def read(text: str, report: Report) -> list[RawRow]:
    """The rows. Reported (E402): no table, a head without `when`, cells too many or too few."""
    lines = text.replace("\r\n", "\n").split("\n")
    head = _head(lines)
    if head is None:
        report(Flaw("E402", "there is no table with a column when", fix="begin with: | id | when | cause | steps | team |", where="1"))
        return []
    names = cellrow.columns(_cells(lines[head]), head + 1, report)
    found: list[RawRow] = []
    for number, line in enumerate(lines[head + 2 :], head + 3):
        if names is None or not line.strip() or "|" not in line:
            break
        values = cellrow.values(names, _cells(line), number, report)
        if values is not None:
            found.append(RawRow(values, number))
    return found


def write(rows: list[dict[str, Any]]) -> str:
    """The inverse of `read`."""
    names = cellrow.used(rows)
    lines = [names, ["---"] * len(names), *([_escaped(cell) for cell in cellrow.row_of(names, row)] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def below(text: str, rows: list[dict[str, Any]]) -> str:
    """`text` with the rows below the last of the table, in its own columns."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n").split("\n")
    head = _head(lines)
    if head is None:
        return text
    last = head + 2
    while last < len(lines) and lines[last].strip() and "|" in lines[last]:
        last += 1
    names = [cell.strip().lower() for cell in _cells(lines[head])]
    new = [f"| {' | '.join(_escaped(cell) for cell in cellrow.row_of(names, row))} |" for row in rows]
    return end.join([*lines[:last], *new, *(lines[last:] or [""])])


def _head(lines: list[str]) -> int | None:
    """Where the table begins: a line of cells over a line of dashes, outside of code."""
    fenced, first = False, None
    for number, line in enumerate(lines[:-1]):
        fenced = fenced != bool(_FENCE.match(line))
        if not fenced and "|" in line and "|" in lines[number + 1] and _RULE.fullmatch(lines[number + 1]):
            if "when" in [cell.lower() for cell in _cells(line)]:
                return number
            first = number if first is None else first
    return first


def _cells(line: str) -> list[str]:
    line = line.strip().removeprefix("|")
    parts = re.split(r"(?<!\\)((?:\\\\)*)\|", line)
    texts = [part + mark for part, mark in zip(parts[::2], [*parts[1::2], ""], strict=True)]
    if not texts[-1].strip() and len(texts) > 1:
        texts.pop()
    return [_ESCAPED.sub(lambda found: found[1] or "\n", text.strip()) for text in texts]


def _escaped(cell: str) -> str:
    """A backslash is doubled only where it would mean something, so that patterns stay readable."""
    text = re.sub(r"\\(?=[\\|<\n]|$)", r"\\\\", cell)
    return re.sub(r"<(?=br\s*/?>)", r"\\<", text.replace("|", "\\|"), flags=re.IGNORECASE).replace("\n", "<br>")
