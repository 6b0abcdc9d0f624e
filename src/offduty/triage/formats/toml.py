"""A triage table as TOML: `[[triage]]`, as in offduty.toml."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from offduty.errors import quoted
from offduty.triage.flaw import Flaw, Report
from offduty.triage.formats import RawRow

_HEAD = re.compile(r"""^[ \t]*\[\[[ \t]*["']?triage["']?[ \t]*\]\]""", re.MULTILINE)
_TEXTS = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'', re.DOTALL)
_KEY = re.compile(r"""^[ \t]*["']?([A-Za-z_-]+)["']?[ \t]*[.=]""", re.MULTILINE)
_AT = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")


def read(text: str, report: Report) -> list[RawRow]:
    """The rows. Reported: E402 no TOML, or something else than `[[triage]]`."""
    try:
        whole = tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        report(_not_toml(str(error), text))
        return []
    rows = whole.pop("triage", None)
    for key in whole:
        report(
            Flaw("E402", f"unknown table or key {quoted(key)}", fix="a triage table holds [[triage]] alone", where=str(_line_of(key, text)))
        )
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        report(Flaw("E402", "there is no [[triage]]", fix="begin each row with a line [[triage]]", where="1"))
        return []
    places = _places(text.replace("\r\n", "\n"))
    return [RawRow(row, *(places[number] if number < len(places) else (1, {}))) for number, row in enumerate(rows)]


def write(rows: list[dict[str, Any]]) -> str:
    """The inverse of `read`."""
    return "\n".join(_row(row) for row in rows)


def _row(row: Mapping[str, Any]) -> str:
    keys = [key for key in row if key not in ("steps", "links")]
    lines = [f"{key:8} = {value(row[key])}\n" for key in keys]
    lines += [f"{key:8} = {_list(row[key])}\n" for key in ("steps", "links") if key in row]
    return "[[triage]]\n" + "".join(lines)


def value(found: object) -> str:
    """A value as TOML writes it, on one line."""
    if isinstance(found, Mapping):
        return "{ " + ", ".join(f"{key} = {value(one)}" for key, one in found.items()) + " }" if found else "{}"
    if isinstance(found, list):
        return f"[{', '.join(map(value, found))}]"
    return str(found) if isinstance(found, int) else text_of(str(found))


def text_of(found: str) -> str:
    """A text as TOML writes it: between single quotes where that saves backslashes."""
    if "\\" in found and found.isprintable() and "'" not in found:
        return f"'{found}'"
    return '"' + "".join(_SHORT.get(c) or (c if c.isprintable() else _escaped(c)) for c in found) + '"'


_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _escaped(c: str) -> str:
    """A character that nobody sees, or that does something to a terminal; half of a surrogate pair is none at all."""
    return "\ufffd" if 0xD800 <= ord(c) < 0xE000 else f"\\U{ord(c):08x}"


def _list(texts: list[str]) -> str:
    one_line = value(texts)
    return one_line if len(one_line) < 100 else "[\n" + "".join(f"  {text_of(text)},\n" for text in texts) + "]"


def _places(text: str) -> list[tuple[int, dict[str, int]]]:
    """(line, {key: line}) of each `[[triage]]`; what stands in texts of several lines is blanked out first."""
    blank = _TEXTS.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    ends = [found.start() for found in re.finditer("\n", blank)]
    starts = [found.start() for found in _HEAD.finditer(blank)]
    places = []
    for start, end in zip(starts, [*starts[1:], len(blank)], strict=True):
        keys = {found[1]: bisect_left(ends, found.start(1)) + 1 for found in _KEY.finditer(blank, start, end)}
        places.append((bisect_left(ends, start) + 1, keys))
    return places


def _line_of(key: str, text: str) -> int:
    found = re.search(rf"""^[ \t]*\[*[ \t]*["']?{re.escape(key)}\b""", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _not_toml(message: str, text: str) -> Flaw:
    at = _AT.search(message)
    line, column = (at[1], at[2]) if at and at[1] else (str(text.count("\n") + 1), "1")
    return Flaw("E402", "is not TOML", why=_AT.sub("", message).strip().lower(), where=f"{line}:{column}")
