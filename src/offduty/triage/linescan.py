"""Many patterns over logs of any size: which lines have which of them. What no pattern can match is passed over at once.

The literals that patterns cannot do without are looked for in a chunk all together (Aho-Corasick); a line that has one is held against
the patterns it could belong to, by RE2. Patterns without a literal are looked for as one expression. Time is linear in the text.
"""

from __future__ import annotations

import os
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import ahocorasick_rs
import re2  # type: ignore[import-untyped]

from offduty.triage.literals import fold_bytes, required_bytes
from offduty.triage.pattern import compiled

if TYPE_CHECKING:
    from concurrent.futures import Future

CHUNK = 256 << 10
LONGEST_LINE = 1 << 20  # a longer line is taken as several
_FOLDED = (b"\xc5\xbf", b"\xe2\x84\xaa")  # `s` and `k` where case does not count: folding them changes where things stand
_MEMORY = 256 << 20

Hit = tuple[int, int, int]
Found = tuple[int, bytes, list[int]]
"""A line: where it begins in the text, itself, and the patterns that it has."""


class Readable(Protocol):
    """What gives bytes, none at its end."""

    def read(self, size: int, /) -> bytes:
        """At most so many."""


class LineScan:
    """Patterns in RE2's syntax, as rows have them. One that is none raises `re2.error` when it is tried."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._compiled: dict[int, Any] = {}
        holders: dict[bytes, list[int]] = defaultdict(list)
        bare: list[int] = []
        for number, pattern in enumerate(patterns):
            literals = required_bytes(pattern)
            for literal in literals:
                holders[literal].append(number)
            if not literals:
                bare.append(number)
        self._holders = list(holders.values())
        self._odd = len(holders)
        kind, made = ahocorasick_rs.MatchKind, ahocorasick_rs.Implementation
        self._any = ahocorasick_rs.BytesAhoCorasick([*holders, *_FOLDED], kind.LeftmostFirst, made.DFA)
        self._all = ahocorasick_rs.BytesAhoCorasick(list(holders), kind.Standard, made.ContiguousNFA)
        self._bare = bare
        self._joined = _joined([patterns[number] for number in bare]) if bare else None

    def scan(self, file: Readable, *, threads: int | None = None) -> Iterator[Found]:
        """Every line of `file` that has some pattern, in order. Keeps a few chunks in memory, whatever the file.

        `threads`: how many look for literals at the same time; as many as there are processors if nothing is said.
        """
        from concurrent.futures import ThreadPoolExecutor

        count = threads or os.cpu_count() or 1
        with ThreadPoolExecutor(count) as pool:
            waiting: deque[tuple[int, bytes, Future[list[Hit]]]] = deque()
            for at, text in _blocks(file):
                waiting.append((at, text, pool.submit(self._hits, text)))
                if len(waiting) > count:
                    yield from self._next(waiting)
            while waiting:
                yield from self._next(waiting)

    def lines(self, text: bytes) -> Iterator[Found]:
        """Every line of `text` that has some pattern."""
        return self._lines(text, 0, self._hits(text))

    def _next(self, waiting: deque[tuple[int, bytes, Future[list[Hit]]]]) -> Iterator[Found]:
        at, text, hits = waiting.popleft()
        return self._lines(text, at, hits.result())

    def _hits(self, text: bytes) -> list[Hit]:
        found: list[Hit] = self._any.find_matches_as_indexes(text.lower())
        return found

    def _lines(self, text: bytes, at: int, hits: list[Hit]) -> Iterator[Found]:
        for start, end, possible in self._possible(text, hits):
            line = text[start:end]
            found = [number for number in sorted(possible) if self._has(number, line)]
            if found:
                yield at + start, line, found

    def _has(self, number: int, line: bytes) -> bool:
        if number not in self._compiled:
            self._compiled[number] = compiled(self._patterns[number])
        return self._compiled[number].search(line) is not None

    def _possible(self, text: bytes, hits: list[Hit]) -> Iterator[tuple[int, int, Iterable[int]]]:
        """(start, end, patterns) of the lines that may have some pattern.

        No literal spans lines, so a line that has any has one that is found, though what overlaps with it is not; then all are looked for.
        """
        if self._joined is not None or any(literal >= self._odd for literal, _, _ in hits):
            yield from self._line_by_line(text)
            return
        end = -1
        for _, first, _ in hits:
            if first > end:
                start, end = text.rfind(b"\n", 0, first) + 1, text.find(b"\n", first)
                end = end if end >= 0 else len(text)
                yield start, end, self._holding(text[start:end].lower())

    def _line_by_line(self, text: bytes) -> Iterator[tuple[int, int, Iterable[int]]]:
        """For patterns without a literal, and for letters that have several lower cases."""
        start = 0
        for line in text.split(b"\n"):
            possible = self._holding(fold_bytes(line))
            if self._joined is not None and self._joined.search(line):
                possible.update(self._bare)
            if possible:
                yield start, start + len(line), possible
            start += len(line) + 1

    def _holding(self, line: bytes) -> set[int]:
        """The patterns of which a literal is in the line."""
        hits = {literal for literal, _, _ in self._all.find_matches_as_indexes(line, overlapping=True)}
        return {number for literal in hits for number in self._holders[literal]}


def _blocks(file: Readable) -> Iterator[tuple[int, bytes]]:
    """(where it begins, whole lines), a chunk at a time."""
    at, rest = 0, b""
    for block in iter(lambda: file.read(CHUNK), b""):
        text = rest + block
        end = text.rfind(b"\n") + 1 or (len(text) if len(text) >= LONGEST_LINE else 0)
        if end:
            yield at, text[:end]
        at, rest = at + end, text[end:]
    if rest:
        yield at, rest


def _joined(patterns: Sequence[str]) -> Any:
    """One expression that finds whatever one of them finds; where they cannot be joined (names of groups), one that finds anything."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    joined = "|".join(f"(?:(?m){pattern})" for pattern in patterns).encode("utf-8", "surrogatepass")
    try:
        return re2.compile(joined, options=options)
    except re2.error:
        return re2.compile(b"")
