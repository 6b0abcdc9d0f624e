"""Add settings to a configuration file, and leave every other byte of it as it is: comments, order, spacing.

By lines, and not with a library that writes TOML: settings are only ever added, never changed, and that the result says what it said
before and the new settings, no more, is proved by reading both.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from offduty.errors import ConfigError

Additions = Mapping[tuple[str, ...], Sequence[tuple[str, str, str]]]
"""Table, like ("dependency", "sales"): (key, value as TOML, remark) in order."""


def insert(text: str, additions: Additions, prefix: tuple[str, ...] = ()) -> str:
    """`text` with the additions; a table that is not there is appended. `prefix`: ("tool", "offduty") in a pyproject.toml.

    Raises ConfigError E226 where a table is written in a way that cannot be added to by lines.
    """
    lines = text.splitlines(keepends=True)
    ending = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    for table, settings in additions.items():
        width = max(len(key) for key, _, _ in settings)
        new = [f"{key:{width}} = {value}{f'  # {_plain(remark)}' if remark else ''}{ending}" for key, value, remark in settings]
        at = _end_of(lines, (*prefix, *table))
        if at is None:
            header = ".".join(_key(part) for part in (*prefix, *table))
            _end_line(lines, ending)
            lines += [*([ending] if lines and lines[-1].strip() else []), f"[{header}]{ending}", *new]
        else:
            lines[at:at] = new
    result = "".join(lines)
    _prove(text, result, additions, prefix)
    return result


def _end_of(lines: list[str], table: tuple[str, ...]) -> int | None:
    """Where a new line of the table goes: behind its last one that is no remark; None if it has no header."""
    at, inside = None, False
    for number, line in enumerate(lines):
        header = _header(line)
        if header is not None:
            inside = header == table
        if inside and (header is not None or (line.strip() and not line.lstrip().startswith("#"))):
            at = number + 1
    if at is not None and not lines[at - 1].endswith("\n"):
        _end_line(lines, "\n")
    return at


def _header(line: str) -> tuple[str, ...] | None:
    """The table that a line opens; () for one of an array of tables; None for any other line."""
    if not line.lstrip().startswith("["):
        return None
    try:
        found: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    path = []
    while isinstance(found, dict) and found:
        [(key, found)] = found.items()
        path.append(key)
    return tuple(path) if isinstance(found, dict) else ()


def _end_line(lines: list[str], ending: str) -> None:
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += ending


def _key(part: str) -> str:
    bare = part.isascii() and all(c.isalnum() or c in "-_" for c in part)
    return part if bare and part else '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _plain(remark: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in remark)


def _prove(before: str, after: str, additions: Additions, prefix: tuple[str, ...]) -> None:
    """Raises ConfigError E226 unless `after` says what `before` said, and the additions."""
    wanted = copy.deepcopy(tomllib.loads(before))
    try:
        for table, settings in additions.items():
            place: Any = wanted
            for part in (*prefix, *table):
                place = place.setdefault(part, {})
            for key, value, _ in settings:
                if key in place:
                    raise ValueError(key)
                place[key] = tomllib.loads(f"x = {value}")["x"]
        proved = tomllib.loads(after) == wanted
    except (ValueError, AttributeError, TypeError):
        proved = False
    if not proved:
        why = "a table in it is written in a way that offduty does not change"
        raise ConfigError("E226", "the configuration was not changed", why=why, fix="add the lines yourself")
