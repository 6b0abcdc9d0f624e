"""The sources of settings, one upon the other: files, then variables; what they say together, and which of them said it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from offduty.errors import ConfigError
from offduty.settings import files, locate
from offduty.settings.convert import VariableText
from offduty.settings.mistakes import Mistake, Path, nearest
from offduty.settings.quick import merge, suspicious, table_of, too_deep
from offduty.settings.schema import KEYS_OF_PEOPLE, SECRET_OPTIONS, TABLES

DEEPEST = 32
KNOWN_VARIABLES = (
    "OFFDUTY_CONFIG",
    "OFFDUTY_STATE_DIR",
    "OFFDUTY_LOGS_DIR",
    "OFFDUTY_RUN_ID",
    "OFFDUTY_JOB",
    "OFFDUTY_ATTEMPT",
    "OFFDUTY_EVENTS",
    "OFFDUTY_TOKEN",
    "OFFDUTY_TESTING",
    "OFFDUTY_FAILPOINT",
    "OFFDUTY_END_SECONDS",
)
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TWICE = ("Cannot overwrite", "Cannot declare", "Cannot mutate", "Duplicate")


@dataclass(frozen=True)
class Source:
    """Where a value came from: `kind` is `default`, `file` or `variable`; `where` is `offduty.toml:14`, a variable's name, or empty."""

    kind: str
    where: str = ""

    def __str__(self) -> str:
        return self.where or self.kind


class FileLayer:
    """What one file says."""

    def __init__(self, file: files.ConfigFile) -> None:
        self.file = file
        self.table = parse(file)

    @cached_property
    def lines(self) -> dict[Path, int]:
        """The line of each setting."""
        return locate.lines(self.file.text)

    def source(self, path: Path) -> Source:
        """The line of `path`, or of the nearest table around it."""
        line = locate.line_of(self.lines, (*self.prefix, *path))
        shown = files.shown(self.file.path)
        return Source("file", f"{shown}:{line}" if line else shown)

    @property
    def prefix(self) -> Path:
        """What stands before every path in this file."""
        return ("tool", "offduty") if self.file.is_pyproject else ()


class VariableLayer:
    """What variables like `OFFDUTY_JOB__FORECAST__RETRIES` say about tables that exist, and which variables are not understood."""

    def __init__(self, environ: Mapping[str, str], below: Mapping[str, Any]) -> None:
        self.table: dict[str, Any] = {}
        self.names: dict[Path, str] = {}
        self.mistakes: list[Mistake] = []
        for name in sorted(environ):
            if name.startswith("OFFDUTY_") and name not in KNOWN_VARIABLES:
                self._take(name, environ[name], below)

    def source(self, path: Path) -> Source:
        """The variable that set `path`, or something in it."""
        name = next((name for known, name in self.names.items() if known[: len(path)] == path or path[: len(known)] == known), "")
        return Source("variable", name)

    def _take(self, name: str, value: str, below: Mapping[str, Any]) -> None:
        path = _path_of(name, below)
        if path is None:
            known = [*KNOWN_VARIABLES, *(f"OFFDUTY_{table.upper()}__" for table in TABLES)]
            near = nearest(name, [word.lower() for word in known]).upper().replace("DID YOU MEAN", "did you mean")
            self.mistakes.append(Mistake("E106", (), "this variable is not understood", fix=near or "unset it", where=name))
            return
        if path[0] == "channel" and path[-1].endswith("_file") and path[-1][:-5] in SECRET_OPTIONS:
            path = (*path[:-1], path[-1][:-5])
            self._put(path, {"file": value})
        else:
            self._put(path, VariableText(value))
        self.names[path] = name

    def _put(self, path: tuple[str, ...], value: object) -> None:
        table = self.table
        for key in path[:-1]:
            under = table.setdefault(key, {})
            table = under if isinstance(under, dict) else table  # OFFDUTY_X__Y beside OFFDUTY_X__Y__Z: the longer one goes nowhere
        table[path[-1]] = value


Layer = FileLayer | VariableLayer


def parse(file: files.ConfigFile) -> dict[str, Any]:
    """The table in a file. Raises ConfigError E202 (not TOML) or E203 (a key twice, too deep)."""
    if suspicious(file.text) and locate.deepest(file.text) > DEEPEST:
        raise _too_deep(file)
    try:
        table = table_of(file)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(file, str(error)) from None
    except RecursionError:
        raise _too_deep(file) from None
    except ValueError as error:
        raise ConfigError("E203", f"[{error}] is no table", where=files.shown(file.path)) from None
    if too_deep(table):
        raise _too_deep(file)
    return table


def combined(layers: list[Layer]) -> dict[str, Any]:
    """All layers laid one upon the other."""
    whole: dict[str, Any] = {}
    for layer in layers:
        whole = merge(whole, layer.table)
    return whole


def source(layers: list[Layer], path: Path) -> Source:
    """Which layer said `path`: the strongest that has it; if none has, that of the table around it; else the defaults."""
    wanted = path
    while wanted:
        for layer in reversed(layers):
            if has(layer.table, wanted):
                return layer.source(path if wanted == path else wanted)
        wanted = wanted[:-1]
    return Source("default")


def has(table: Any, path: Path) -> bool:
    """Whether something stands at `path`."""
    for key in path:
        is_there = key in table if isinstance(table, dict) else isinstance(table, list) and isinstance(key, int) and key < len(table)
        if not is_there:
            return False
        table = table[key]
    return True


def _too_deep(file: files.ConfigFile) -> ConfigError:
    return ConfigError("E203", f"tables or lists nest deeper than {DEEPEST}", where=files.shown(file.path), fix="flatten them")


def _not_toml(file: files.ConfigFile, message: str) -> ConfigError:
    """tomllib's words with file, line, column and byte offset."""
    at = _AT.search(message)
    why = _AT.sub("", message)
    shown, text = files.shown(file.path), file.text.replace("\r\n", "\n")
    line, column = (int(at[1]), int(at[2])) if at and at[1] else (text.count("\n") + 1, len(text) - text.rfind("\n"))
    if why.startswith(_TWICE):
        return ConfigError("E203", "a key or table is given twice", where=f"{shown}:{line}", why=why.lower(), fix="remove one of them")
    offset = sum(len(part.encode()) + 1 for part in text.split("\n")[: line - 1]) + len(text.split("\n")[line - 1][: column - 1].encode())
    return ConfigError("E202", f"is not TOML at byte {offset}", where=f"{shown}:{line}:{column}", why=why.lower())


def _path_of(name: str, below: Mapping[str, Any]) -> tuple[str, ...] | None:
    """`OFFDUTY_JOB__DAILY_FORECAST__RETRIES` → ("job", "daily-forecast", "retries"); None unless job, team … exist below."""
    first, *rest = name.removeprefix("OFFDUTY_").split("__")
    table = first.lower()
    if table not in TABLES or not rest or not all(rest):
        return None
    if table not in KEYS_OF_PEOPLE:
        return (table, *(part.lower() for part in rest))
    named = below.get(table)
    owner = next((key for key in named if _as_variable(key) == rest[0]), None) if isinstance(named, dict) else None
    return (table, owner, *_setting(rest[1:])) if owner is not None and rest[1:] else None


def _setting(parts: list[str]) -> list[str]:
    """Settings are lower case; the variables in `env` keep their case."""
    return [part if number and parts[0].lower() == "env" else part.lower() for number, part in enumerate(parts)]


def _as_variable(name: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name.upper())
