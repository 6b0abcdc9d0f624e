"""The cells of a table that people edit: conditions, steps and links as texts, and back without loss.

    dependency = sales-feed; outcome = failed, timed_out; log = "ORA-\\d+; retry"

Conditions are divided by `;`, alternatives by `,`. A value in double quotes stands as it is, whatever is in it; a quote in it is doubled.
Bare digits are a number. Several steps are numbered, one a line; a line that is set in goes on with the step above it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from offduty.errors import quoted
from offduty.triage.flaw import Flaw, Report
from offduty.triage.matchers.condition import Value

_KEY = re.compile(r"\s*([A-Za-z_][\w-]*)\s*=\s*")
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*')
_BARE = re.compile(r'[^;,"]+')
_PLAIN = re.compile(r'[^\s;,"=|<](?:[^;,"|<\n\r]*[^\s;,"|<])?')
_NUMBERED = re.compile(r"\d{1,6}[.)] ")
_BULLET = re.compile(r"[-*•] ")
INDENT = "   "


def write_when(when: Mapping[str, Value | list[Value]]) -> str:
    """The conditions of a row as one cell."""
    return "; ".join(f"{key} = {', '.join(map(_value, value if isinstance(value, list) else [value]))}" for key, value in when.items())


def read_when(cell: str, report: Report) -> dict[str, Any]:
    """The inverse of `write_when`, for whatever people write. What cannot be understood is reported (E403), with how far into the cell."""
    when: dict[str, Any] = {}
    at = 0
    while cell[at:].strip():
        key = _KEY.match(cell, at)
        if not key:
            report(_unclear(cell, at, "expected a condition like outcome = failed"))
            return when
        values, at = _values(cell, key.end(), report)
        if key[1] in when:
            report(Flaw("E403", f"{key[1]} is given twice", ("when", key[1]), fix="put its values behind one another, with commas"))
        when[key[1]] = values[0] if len(values) == 1 else values
        if at < len(cell) and cell[at] != ";":
            report(_unclear(cell, at, "expected ; or , here"))
            return when
        at += 1
    return when


def write_texts(texts: Iterable[str]) -> str:
    """Several texts as one cell, numbered."""
    return "\n".join(f"{number}. {text}".replace("\n", f"\n{INDENT}") for number, text in enumerate(texts, 1))


def read_texts(cell: str) -> list[str]:
    """The inverse of `write_texts`; without numbers, each line is one, whatever it is listed with."""
    lines = cell.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n")
    if not _NUMBERED.match(lines[0]):
        return [text for line in lines if (text := _BULLET.sub("", line.strip(), count=1).strip())]
    texts: list[list[str]] = []
    for line in lines:
        if mark := _NUMBERED.match(line):
            texts.append([line[mark.end() :]])
        else:
            texts[-1].append(line.removeprefix(INDENT))
    return [text for text in ("\n".join(part).strip() for part in texts) if text]


def _value(value: Value) -> str:
    if isinstance(value, int):
        return str(value)
    plain = _PLAIN.fullmatch(value) and not _is_number(value)
    return value if plain else '"' + value.replace('"', '""') + '"'


def _values(cell: str, at: int, report: Report) -> tuple[list[Value], int]:
    """The alternatives that stand at `at`, and where they end."""
    values: list[Value] = []
    while True:
        if found := _QUOTED.match(cell, at):
            values.append(found[1].replace('""', '"'))
        elif found := _BARE.match(cell, at):
            text = found[0].strip()
            values.append(int(text) if _is_number(text) else text)
        else:
            report(_unclear(cell, at, "expected a value"))
            return values or [""], len(cell)
        at = found.end()
        if at >= len(cell) or cell[at] != ",":
            return values, at
        at += 1


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _unclear(cell: str, at: int, what: str) -> Flaw:
    return Flaw("E403", f"{what}, found {quoted(cell[at : at + 40].strip())}", ("when",), why=f"at character {at + 1}")
