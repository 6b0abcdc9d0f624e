"""The forms a triage table may have as a file, by the file's ending. Each gives rows as TOML would, and where each stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from offduty.triage.flaw import Report

FORMATS: dict[str, str] = {
    ".toml": "offduty.triage.formats.toml",
    ".md": "offduty.triage.formats.markdown",
    ".csv": "offduty.triage.formats.csv",
}


@dataclass(frozen=True)
class RawRow:
    """A row before it is understood: its `values` as TOML has them, its `line`, and that of each key that has its own."""

    values: Mapping[str, Any]
    line: int
    lines: Mapping[str, int] = field(default_factory=dict)


Reader = Callable[[str, Report], list[RawRow]]
Writer = Callable[[list[dict[str, Any]]], str]


def reader(ending: str) -> Reader:
    """What reads that form. Raises KeyError."""
    found: Reader = import_module(FORMATS[ending]).read
    return found


def writer(ending: str) -> Writer:
    """What writes that form. Raises KeyError."""
    found: Writer = import_module(FORMATS[ending]).write
    return found
