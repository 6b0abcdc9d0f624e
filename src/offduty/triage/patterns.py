"""Many patterns at once over one text: literals are looked for together, and only patterns whose literal is there are tried, by RE2."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import ahocorasick_rs
import re2  # type: ignore[import-untyped]

from offduty.triage.literals import alternatives, fold, required

Piece = tuple[str, tuple[str, ...]]  # one alternative of a pattern, and the literals of which it needs one


def pieces_of(pattern: str) -> list[Piece]:
    """The alternatives of a pattern, each with its literals: what can be worked out beforehand."""
    if pattern.startswith("(?"):
        return [(pattern, tuple(sorted(required(pattern))))]
    return [(part, tuple(sorted(required(part)))) for part in alternatives(pattern)]


class PatternSet:
    """Patterns in RE2 syntax, letter case ignored; a dot matches a line's end too. An invalid one raises `re2.error` when it is tried."""

    def __init__(self, patterns: Sequence[str], pieces: Iterable[Sequence[Piece]] | None = None) -> None:
        self._pieces: list[str] = []
        self._pattern_of: list[int] = []
        self._compiled: dict[int, Any] = {}
        self._always: list[int] = []
        needed: dict[str, list[int]] = defaultdict(list)
        for pattern, parts in enumerate(pieces if pieces is not None else map(pieces_of, patterns)):
            for part, literals in parts:
                self._add(pattern, part, literals, needed)
        self._literals = list(needed.values())
        self._search = ahocorasick_rs.AhoCorasick(list(needed), implementation=ahocorasick_rs.Implementation.ContiguousNFA)

    def _add(self, pattern: int, part: str, literals: Sequence[str], needed: dict[str, list[int]]) -> None:
        number = len(self._pieces)
        self._pieces.append(part)
        self._pattern_of.append(pattern)
        for literal in literals:
            needed[literal].append(number)
        if not literals:
            self._always.append(number)

    def matches(self, text: str) -> list[int]:
        """The places, in the given order, of the patterns that occur in `text`."""
        found: set[int] = set()
        for piece in self._possible(text):
            if self._pattern_of[piece] not in found and self._regexp(piece).search(text):
                found.add(self._pattern_of[piece])
        return sorted(found)

    def _possible(self, text: str) -> Iterable[int]:
        """The pieces whose literal is there, and those that have none."""
        literals = {literal for literal, _, _ in self._search.find_matches_as_indexes(fold(text), overlapping=True)}
        return {*self._always, *(piece for literal in literals for piece in self._literals[literal])}

    def _regexp(self, piece: int) -> Any:
        if piece not in self._compiled:
            self._compiled[piece] = re2.compile(self._pieces[piece], _options())
        return self._compiled[piece]


def _options() -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.dot_nl = True
    options.log_errors = False
    return options
