"""The literal text that a pattern cannot match without: what is looked for first, because that is fast."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

SHORTEST = 3  # characters; two if they are not ASCII
_ZERO_WIDTH = "bBAz"
_CLASSES = "dDwWsSpP"


def alternatives(pattern: str) -> list[str]:
    """The parts of a pattern that stand beside each other with `|` between, outside of any parentheses."""
    parts, start, depth = [], 0, 0
    for at, char in _marks(pattern):
        if char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and depth == 0:
            parts.append(pattern[start:at])
            start = at + 1
    return [*parts, pattern[start:]]


def required(pattern: str) -> frozenset[str]:
    """Literals in lower case of which one occurs in every match; empty if there are none long enough."""
    found: set[str] = set()
    for part in alternatives(pattern):
        best = _best(_Sequence(part).options())
        if not best:
            return frozenset()
        found |= best
    return frozenset(found)


def _best(options: list[frozenset[str]]) -> frozenset[str]:
    """The choice whose shortest literal is longest: it occurs least often."""
    long = [option for option in options if option and all(map(_long_enough, option))]
    return max(long, key=lambda option: (min(map(len, option)), -len(option)), default=frozenset())


def _long_enough(literal: str) -> bool:
    return len(literal) >= SHORTEST or (len(literal) == SHORTEST - 1 and not literal.isascii())


def _marks(pattern: str) -> Iterator[tuple[int, str]]:
    """The characters that mean something, with their places: none that is escaped or in brackets."""
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 2
        elif pattern[at] == "[":
            at = _class_end(pattern, at)
        else:
            yield at, pattern[at]
            at += 1


def _class_end(pattern: str, at: int) -> int:
    """The place behind the bracket that closes the one at `at`."""
    end = at + 2 if pattern[at + 1 : at + 2] in ("]", "^") else at + 1
    end += pattern[at + 1 : at + 3] == "^]"
    while end < len(pattern) and pattern[end] != "]":
        end += 2 if pattern[end] == "\\" else 1
    return end + 1


@dataclass
class _Sequence:
    """One pattern without `|` at its top, read from left to right."""

    pattern: str
    run: str = ""
    found: list[frozenset[str]] = field(default_factory=list)

    def options(self) -> list[frozenset[str]]:
        """Every set of literals of which one has to occur."""
        at = 0
        while at < len(self.pattern):
            at = self._take(at)
        self._close()
        return self.found

    def _take(self, at: int) -> int:
        char = self.pattern[at]
        if char == "(":
            return self._group(at)
        if char == "[":
            self._close()
            return self._quantifier(_class_end(self.pattern, at))[1]
        if char == "\\":
            return self._escaped(at)
        if char in ".^$*+?{}":
            self._close()
            return self._quantifier(at + 1)[1] if char == "." else at + 1
        return self._literal(char, at + 1)

    def _escaped(self, at: int) -> int:
        char = self.pattern[at + 1 : at + 2]
        if char in _ZERO_WIDTH or char in _CLASSES or (char.isalnum() and char):
            self._close()
            return self._quantifier(at + 2)[1]
        return self._literal(char, at + 2)

    def _literal(self, char: str, behind: int) -> int:
        optional, end = self._quantifier(behind)
        if optional:
            self._close()
        else:
            self.run += char.lower()
            if end > behind:
                self._close()
        return end

    def _group(self, at: int) -> int:
        self._close()
        depth, end = 0, len(self.pattern)
        for place, char in _marks(self.pattern[at:]):
            depth += (char == "(") - (char == ")")
            if depth == 0 and char == ")":
                end = at + place
                break
        inside = self.pattern[at + 1 : end]
        optional, behind = self._quantifier(end + 1)
        if not optional:
            self.found.append(required(inside.removeprefix("?:")))
        return behind

    def _quantifier(self, at: int) -> tuple[bool, int]:
        """Whether what stands before `at` may be left out, and the place behind the quantifier."""
        char = self.pattern[at : at + 1]
        if char not in ("?", "*", "+", "{") or not char:
            return False, at
        end = self.pattern.find("}", at) + 1 if char == "{" else at + 1
        optional = char in "?*" or self.pattern[at : at + 2] in ("{0", "{,")
        return optional, end + (self.pattern[end : end + 1] == "?")

    def _close(self) -> None:
        if self.run:
            self.found.append(frozenset((self.run,)))
        self.run = ""
