"""Many patterns over logs of any size: which lines have which of them. What no pattern can match is passed over at once.

The literals that patterns cannot do without are looked for in a chunk all together (Aho-Corasick), in lower case only those of patterns
that do not care for letter case; a line that has one is held against the patterns it could belong to, by RE2. Patterns without a literal
are looked for as one expression. Time is linear in the text.
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

import ahocorasick_rs
import re2  # type: ignore[import-untyped]

from offduty.triage.literals import exact_bytes, fold_bytes, required_bytes
from offduty.triage.pattern import line_finder

TYPE_CHECKING = False  # importing `typing` takes a tenth of the time that a tail takes
if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Any, Protocol

    class Readable(Protocol):
        """What gives bytes, none at its end."""

        def read(self, size: int, /) -> bytes:
            """At most so many."""


CHUNK = 256 << 10
LONGEST_LINE = 1 << 20  # a longer line is taken as several
_FOLDED = (b"\xc5\xbf", b"\xe2\x84\xaa")  # `s` and `k` where case does not count: folding them changes where things stand
_MEMORY = 256 << 20
_MANY = 4  # patterns with the same literal: asked all together first, in so much memory
_MANY_MEMORY = 16 << 20
_WORTH = 1024  # bytes of text, for each literal: from there on the faster automaton is worth its making
_Kind, _Made = ahocorasick_rs.MatchKind, ahocorasick_rs.Implementation

Hit = tuple[int, int, int]
Found = tuple[int, bytes, list[int]]
"""A line: where it begins in the text, itself, and the patterns that it has."""


class _Literals:
    """Literals, each with the patterns (places in `patterns`) that need it. `more`: what is looked for as well."""

    def __init__(self, patterns: Sequence[str], holders: dict[bytes, list[int]], more: Sequence[bytes] = ()) -> None:
        self._patterns, self._holders = patterns, list(holders.values())
        self._together: dict[int, Callable[[bytes], bool]] = {}
        self._sought = [*holders, *more]
        self.count = len(holders)

    @cached_property
    def _all(self) -> Any:
        return ahocorasick_rs.BytesAhoCorasick(self._sought, _Kind.Standard, _Made.ContiguousNFA)

    @cached_property
    def _fast(self) -> Any:
        """Three times as fast, and slow to make."""
        return ahocorasick_rs.BytesAhoCorasick(self._sought, _Kind.LeftmostFirst, _Made.DFA)

    def some(self, text: bytes, *, last: bool) -> list[Hit]:
        """Of each line that has any, one at least, in order: (number, start, end). `last`: no more text follows."""
        if not self.count:
            return []
        fast = not last or len(text) > _WORTH * self.count
        found: list[Hit] = (self._fast if fast else self._all).find_matches_as_indexes(text)
        return found

    def holding(self, line: bytes, folded: bytes) -> set[int]:
        """The patterns of which a literal is in the line, as far as one of them could be."""
        hits = {literal for literal, _, _ in self._all.find_matches_as_indexes(folded, overlapping=True) if literal < self.count}
        return {number for literal in hits if self._some_match(literal, line) for number in self._holders[literal]}

    def _some_match(self, literal: int, line: bytes) -> bool:
        if len(self._holders[literal]) < _MANY:
            return True
        found = self._together.get(literal)
        if found is None:
            found = self._together[literal] = _joined([self._patterns[number] for number in self._holders[literal]], _MANY_MEMORY)
        return found(line)


class LineScan:
    """Patterns in RE2's syntax, as rows have them. One that is none raises `re2.error` when it is tried."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._finders: dict[int, Callable[[bytes], bool]] = {}
        exact: dict[bytes, list[int]] = defaultdict(list)
        folded: dict[bytes, list[int]] = defaultdict(list)
        self._bare: list[int] = []
        for number, pattern in enumerate(patterns):
            literals = exact_bytes(pattern)
            holders, literals = (exact, literals) if literals is not None else (folded, required_bytes(pattern))
            for literal in literals:
                holders[literal].append(number)
            if not literals:
                self._bare.append(number)
        self._exact = _Literals(patterns, exact)
        self._folded = _Literals(patterns, folded, _FOLDED) if folded else None
        self._joined = _joined([patterns[number] for number in self._bare], _MEMORY) if self._bare else None

    def scan(self, file: Readable, *, threads: int | None = None) -> Iterator[Found]:
        """Every line of `file` that has some pattern, in order. Keeps a few chunks in memory, whatever the file.

        `threads`: how many look for literals at the same time; as many as there are processors if nothing is said.
        """
        from concurrent.futures import ThreadPoolExecutor

        count = threads or os.cpu_count() or 1
        with ThreadPoolExecutor(count) as pool:
            waiting: deque[tuple[int, bytes, Future[list[int] | None]]] = deque()
            for at, text in _blocks(file):
                waiting.append((at, text, pool.submit(self._hits, text)))
                if len(waiting) > count:
                    yield from self._next(waiting)
            while waiting:
                yield from self._next(waiting)

    def lines(self, text: bytes) -> Iterator[Found]:
        """Every line of `text` that has some pattern."""
        return self._lines(text, 0, self._hits(text, last=True))

    def _next(self, waiting: deque[tuple[int, bytes, Future[list[int] | None]]]) -> Iterator[Found]:
        at, text, hits = waiting.popleft()
        return self._lines(text, at, hits.result())

    def _hits(self, text: bytes, *, last: bool = False) -> list[int] | None:
        """Where lines are that have a literal, in order; None if every line has to be looked at."""
        if self._joined is not None:
            return None
        found = [start for _, start, _ in self._exact.some(text, last=last)]
        if self._folded is None:
            return found
        more = self._folded.some(text.lower(), last=last)
        if any(literal >= self._folded.count for literal, _, _ in more):
            return None
        return sorted([*found, *(start for _, start, _ in more)])

    def _lines(self, text: bytes, at: int, hits: list[int] | None) -> Iterator[Found]:
        for start, end, possible in self._line_by_line(text) if hits is None else self._possible(text, hits):
            line = text[start:end]
            found = [number for number in sorted(possible) if self._has(number, line)]
            if found:
                yield at + start, line, found

    def _has(self, number: int, line: bytes) -> bool:
        found = self._finders.get(number)
        if found is None:
            found = self._finders[number] = line_finder(self._patterns[number])
        return found(line)

    def _possible(self, text: bytes, hits: list[int]) -> Iterator[tuple[int, int, Iterable[int]]]:
        """(start, end, patterns) of the lines that may have some pattern.

        No literal spans lines, so a line that has any has one that is found, though what overlaps with it is not; then all are looked for.
        """
        end = -1
        for first in hits:
            if first > end:
                start, end = text.rfind(b"\n", 0, first) + 1, text.find(b"\n", first)
                end = end if end >= 0 else len(text)
                yield start, end, self._holding(text[start:end])

    def _line_by_line(self, text: bytes) -> Iterator[tuple[int, int, Iterable[int]]]:
        """For patterns without a literal, and for letters that have several lower cases."""
        start = 0
        for line in text.split(b"\n"):
            possible = self._holding(line)
            if self._joined is not None and self._joined(line):
                possible.update(self._bare)
            if possible:
                yield start, start + len(line), possible
            start += len(line) + 1

    def _holding(self, line: bytes) -> set[int]:
        """The patterns of which a literal is in the line."""
        found = self._exact.holding(line, line)
        return found | self._folded.holding(line, fold_bytes(line)) if self._folded is not None else found


def _blocks(file: Readable) -> Iterator[tuple[int, bytes]]:
    """(where it begins, whole lines), a chunk at a time."""
    at, rest = 0, b""
    for block in iter(lambda: file.read(CHUNK), b""):
        end = block.rfind(b"\n") + 1 or (len(block) if len(rest) + len(block) >= LONGEST_LINE else 0)
        if end:
            text = b"".join((rest, memoryview(block)[:end]))
            yield at, text
            at, rest = at + len(text), block[end:]
        else:
            rest += block
    if rest:
        yield at, rest


def _joined(patterns: Sequence[str], memory: int) -> Callable[[bytes], bool]:
    """Finds whatever one of them finds; where they cannot be joined (names of groups), anything."""
    try:
        return line_finder("|".join(f"(?:(?m){pattern})" for pattern in patterns), memory=memory)
    except re2.error:
        return lambda line: True
