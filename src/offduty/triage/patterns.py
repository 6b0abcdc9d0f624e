"""Many patterns at once over one text: literals are looked for together, and only patterns whose literal is there are tried, by RE2."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

import ahocorasick_rs

from offduty.triage.literals import SHORTEST, also_required, alternatives, fold, required
from offduty.triage.pattern import finder

Piece = tuple[str, tuple[str, ...], tuple[tuple[str, ...], ...]]
"""One alternative of a pattern, the literals of which it needs one, and of each of these some other literal."""


def pieces_of(pattern: str) -> list[Piece]:
    """The alternatives of a pattern, each with its literals: what can be worked out beforehand."""
    parts = [pattern] if pattern.startswith("(?") else alternatives(pattern)
    return [(part, tuple(sorted(required(part))), tuple(tuple(sorted(more)) for more in also_required(part))) for part in parts]


class PatternSet:
    """Patterns in RE2 syntax, letter case ignored; a dot matches a line's end too. An invalid one raises `re2.error` when it is tried."""

    def __init__(self, patterns: Sequence[str], pieces: Iterable[Sequence[Piece]] | None = None) -> None:
        self._pieces: list[str] = []
        self._pattern_of: list[int] = []
        self._also: list[Sequence[Sequence[str]]] = []
        self._finders: dict[int, Callable[[bytes], bool]] = {}
        self._always: list[int] = []
        needed: dict[str, list[int]] = defaultdict(list)
        for pattern, parts in enumerate(pieces if pieces is not None else map(pieces_of, patterns)):
            for part, literals, also in parts:
                self._also.append(also)
                self._add(pattern, part, literals, needed)
        self._pieces_of = list(needed.values())
        encoded = [literal.encode() for literal in needed]
        self._search = ahocorasick_rs.BytesAhoCorasick(encoded, implementation=ahocorasick_rs.Implementation.ContiguousNFA)

    def _add(self, pattern: int, part: str, literals: Sequence[str], needed: dict[str, list[int]]) -> None:
        number = len(self._pieces)
        self._pieces.append(part)
        self._pattern_of.append(pattern)
        for literal in literals:
            needed[literal].append(number)
        if not literals:
            self._always.append(number)

    def matches(self, text: str, only: Container[int] | None = None) -> list[int]:
        """The places, in the given order, of the patterns that occur in `text`. `only`: none but these are looked for."""
        found: set[int] = set()
        encoded = text.encode("utf-8", "surrogatepass")
        for piece in self._possible(text, only):
            pattern = self._pattern_of[piece]
            if pattern not in found and self._finder(piece)(encoded):
                found.add(pattern)
        return sorted(found)

    def _possible(self, text: str, only: Container[int] | None) -> Iterator[int]:
        """The pieces whose literals are there, and those that have none."""
        folded = fold(text)
        encoded = folded.encode("utf-8", "surrogatepass")
        literals = {hit[0] for hit in self._search.find_matches_as_indexes(encoded, overlapping=True)}
        for piece in {*self._always, *(piece for literal in literals for piece in self._pieces_of[literal])}:
            if only is None or self._pattern_of[piece] in only:
                also = self._also[piece]
                if not also or all(any(one in folded for one in more) for more in also):
                    yield piece

    def _finder(self, piece: int) -> Callable[[bytes], bool]:
        found = self._finders.get(piece)
        if found is None:
            part = self._pieces[piece]
            found = _is_there if _is_plain(part) else finder(part, case_sensitive=False, dot_nl=True)
            self._finders[piece] = found
        return found


def _is_plain(part: str) -> bool:
    """Whether a piece is nothing but its literal. `İ` in lower case ends as no `i` does that RE2 takes for one."""
    return part.isascii() and part.replace(" ", "").isalnum() and len(part) >= SHORTEST and part[-1] not in "iI"


def _is_there(_: bytes) -> bool:
    return True
