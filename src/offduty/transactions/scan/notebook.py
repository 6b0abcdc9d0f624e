"""A notebook's code cells as one module, magics written as the Python that IPython makes of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from offduty.transactions.scan.source import NotUnderstood, Source, parse

CODE_MAGICS = frozenset("time timeit capture prun memit mprun lprun snakeviz debug python python3 py pypy px scalene".split())
TRIES = 200  # lines of a cell that may be magics
LARGEST_CELL = 1_000_000  # characters
ASSIGNED = re.compile(r"(\s*[\w.,\s\[\]\"']+=\s*)([!%])(.*)", re.DOTALL)
OPTIONS = re.compile(r"(?:-\w+(?:\s*\d+)?\s+)*")


def notebook(data: bytes) -> Source:
    """The tree of all cells that can be parsed, and what is wrong with the others. Raises NotUnderstood."""
    document = _document(data)
    language = _language(document)
    if language not in ("python", "ipython"):
        raise NotUnderstood(f"is a notebook in {language}, not in Python")
    lines: list[str] = []
    cells: list[tuple[int, int]] = []
    problems: list[str] = []
    for number, text in enumerate(_code(document), 1):
        try:
            body = python(text).split("\n")
        except NotUnderstood as why:
            problems.append(f"cell {number} {why}")
            continue
        lines += body
        cells += [(number, line) for line in range(1, len(body) + 1)]
    return Source(parse("\n".join(lines)), tuple(cells) or ((1, 1),), tuple(problems))


def _document(data: bytes) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise NotUnderstood("is not a notebook: no JSON" if data.strip() else "is empty") from None
    if not isinstance(document, dict) or not isinstance(document.get("cells", document.get("worksheets")), list):
        raise NotUnderstood("is not a notebook: it has no cells")
    return document


def _language(document: dict[str, Any]) -> str:
    metadata = document.get("metadata")
    parts = metadata if isinstance(metadata, dict) else {}
    for part, key in (("kernelspec", "language"), ("language_info", "name")):
        found = parts.get(part)
        if isinstance(found, dict) and isinstance(found.get(key), str):
            return str(found[key]).lower()
    return "python"


def _code(document: dict[str, Any]) -> Iterator[str]:
    """The texts of the code cells; version 3 keeps them in worksheets."""
    sheets = document["worksheets"] if "cells" not in document else [document]
    for sheet in sheets:
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        for cell in cells if isinstance(cells, list) else ():
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                yield _text(cell.get("source", cell.get("input", "")))


def _text(source: object) -> str:
    parts = source if isinstance(source, list) else [source]
    text = "".join(part for part in parts if isinstance(part, str))
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ").replace("\0", " ")


def python(text: str) -> str:
    """A cell as Python with as many lines. Raises NotUnderstood.

    Only lines at which the parser gives up are taken for magics: `%` and `!` in texts and sums stay as they are.
    """
    if len(text) > LARGEST_CELL:
        raise NotUnderstood("is larger than 1 MB")
    lines = _cell_magic(text.split("\n"))
    for _ in range(TRIES):
        try:
            parse("\n".join(lines))
        except NotUnderstood as why:
            if why.line is None or not _rewrite(lines, min(why.line, len(lines)) - 1):
                raise
        else:
            return "\n".join(lines)
    raise NotUnderstood("has too many magics")


def _cell_magic(lines: list[str]) -> list[str]:
    """`%%time` before Python is left out; `%%bash` and `%%sql` take the whole cell."""
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    line = lines[first].lstrip()
    if not line.startswith(("%%", "!!")):
        return lines
    name, _, rest = line[2:].strip().partition(" ") if line.startswith("%%") else ("!", "", line[2:])
    if name in CODE_MAGICS:
        return [*[""] * (first + 1), *lines[first + 1 :]]
    body = "\n".join(lines[first + 1 :])
    call = f"get_ipython().run_cell_magic({name!r}, {rest!r}, {body!r})"
    return [*[""] * first, call, *[""] * (len(lines) - first - 1)]


def _rewrite(lines: list[str], at: int) -> bool:
    """Put Python in place of the magic in line `at`, or next to it; whether there was one."""
    for index in (at, at - 1, at + 1):
        if 0 <= index < len(lines) and (found := magic(_whole(lines, index))) is not None:
            lines[index : index + _length(lines, index)] = [found, *[""] * (_length(lines, index) - 1)]
            return True
    return False


def _length(lines: list[str], index: int) -> int:
    """How many lines a magic goes on for: a backslash at the end carries on."""
    count = 1
    while index + count < len(lines) and lines[index + count - 1].rstrip().endswith("\\"):
        count += 1
    return count


def _whole(lines: list[str], index: int) -> str:
    parts = lines[index : index + _length(lines, index)]
    return " ".join(part.rstrip().removesuffix("\\") for part in parts) if len(parts) > 1 else parts[0]


def magic(line: str) -> str | None:
    """`!ls`, `%time f()`, `x = !ls`, `frame?` as Python; None for a line that is none of these."""
    stripped = line.strip()
    indent = line[: len(line) - len(line.lstrip())]
    if stripped.startswith(("!", "%")):
        return indent + _command(stripped[0], stripped[1:].lstrip("!%"))
    if stripped.startswith("?") or stripped.endswith("?"):
        return f"{indent}pass"
    match = ASSIGNED.fullmatch(line)
    return f"{match[1]}{_command(match[2], match[3], 'getoutput')}" if match else None


def _command(mark: str, rest: str, function: str = "system") -> str:
    if mark == "!":
        return f"get_ipython().{function}({rest.strip()!r})"
    name, _, arguments = rest.strip().partition(" ")
    if name in CODE_MAGICS and arguments.strip():
        return arguments[OPTIONS.match(arguments).end() :].strip()  # type: ignore[union-attr]
    return f"get_ipython().run_line_magic({name!r}, {arguments.strip()!r})"
