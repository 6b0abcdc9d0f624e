"""The literal text that a pattern cannot match without: what is looked for first, because that is fast.

Reads RE2's syntax, conservatively: of what it does not understand it says nothing, and such a pattern is always tried.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SHORTEST = 3  # bytes as UTF-8
_REPEAT = re.compile(r"(?:[?*+]|\{(?P<least>\d{1,4})(?:,\d{0,4})?\})\??")
_ESCAPE = re.compile(r"\\(?:[pP](?:\{[^{}]*\}|.)|x(?:\{[0-9A-Fa-f]+\}|[0-9A-Fa-f]{2})|[0-7]{1,3}|[A-Za-z])")
_CLASS = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\[pP]\{[^{}]*\}|\\.|[^\]\\])*\]", re.DOTALL)
_OPEN = re.compile(r"\((?:\?(?:P?<\w+>|[imsU-]*:))?")
_PLAIN = re.compile(r"[A-Za-z0-9 _:;,=/<>\"'#%&@!~-]+(?![?*+{])")  # as it stands, and not repeated
_FOLDS = re.compile(r"\(\?[imsU-]*i")
_FLAGS = re.compile(r"\(\?[imsU-]+\)")
_SEVERAL_CASES = frozenset("µÅåıſǄǅǆǇǈǉǊǋǌǱǲǳ\u0345ΐΒΕΘΙΚΜΠΡΣΦΩΰβεθικμπρςσφωϐϑϕϖϰϱϴϵВДОСТЪвдостъѢѣᲀᲁᲂᲃᲄᲅᲆᲇᲈṠṡẛẞßιΐΰΩKÅꙊꙋﬅﬆİ")
"""Letters with more than two forms, or forms of other lengths: `lower` does not bring them together."""


class _NotRead(Exception):
    """The pattern has something that is not understood here."""


def alternatives(pattern: str) -> list[str]:
    """The parts of a pattern that stand beside each other with `|` between, outside of any parentheses."""
    if "\\Q" in pattern:
        return [pattern]
    parts, start, depth = [], 0, 0
    for at, char in _marks(pattern):
        if char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and depth == 0:
            parts.append(pattern[start:at])
            start = at + 1
    return [*parts, pattern[start:]]


def required(pattern: str) -> frozenset[str]:
    """Literals in lower case of which one occurs in the folded text (`fold`) of every match; empty if there are none long enough."""
    return _required(_Reader(pattern))


def _required(reader: _Reader) -> frozenset[str]:
    try:
        found = reader.choice()
        return found if reader.at == len(reader.pattern) else frozenset()
    except (_NotRead, RecursionError):
        return frozenset()


def also_required(pattern: str) -> list[frozenset[str]]:
    """For a pattern without alternatives outside of groups: choices besides `required`, of each of which one literal occurs as well."""
    try:
        reader = _Reader(pattern)
        found = reader.sequence()
        best = _best(found)
        return [option for option in _long(found) if option != best] if reader.at == len(pattern) else []
    except (_NotRead, RecursionError):
        return []


def required_bytes(pattern: str) -> frozenset[bytes]:
    """The same for text that is UTF-8 and folded by `fold_bytes`."""
    parts = (max(_cut(literal), key=len, default="") for literal in required(pattern))
    found = frozenset(part.encode() for part in parts)
    return found if all(len(part) >= SHORTEST for part in found) else frozenset()


def exact_bytes(pattern: str) -> frozenset[bytes] | None:
    """The same for text that is UTF-8 and not folded; None for a pattern that may not care for letter case."""
    if "(?" in pattern and _FOLDS.search(pattern):
        return None
    return frozenset(literal.encode("utf-8", "surrogatepass") for literal in _required(_Reader(pattern, exact=True)))


def fold(text: str) -> str:
    """Lower case, as literals are looked for in it."""
    return text.lower().replace("ſ", "s")


def fold_bytes(text: bytes) -> bytes:
    """ASCII in lower case, and the two letters that RE2 takes for `s` and `k` where case does not count."""
    return text.lower().replace(b"\xc5\xbf", b"s").replace(b"\xe2\x84\xaa", b"k")


def _cut(literal: str) -> list[str]:
    """The parts of a literal that have no upper case outside of ASCII."""
    return "".join(char if char.isascii() or char.lower() == char.upper() else "\n" for char in literal).split("\n")


def _best(options: list[frozenset[str]]) -> frozenset[str]:
    """The choice whose shortest literal is longest: it occurs least often."""
    long = _long(options)
    return long[0] if len(long) == 1 else max(long, key=lambda option: (min(map(len, option)), -len(option)), default=frozenset())


def _long(options: list[frozenset[str]]) -> list[frozenset[str]]:
    return [option for option in options if option and (min(map(len, option)) >= SHORTEST or all(map(_is_long, option)))]


def _is_long(literal: str) -> bool:
    return len(literal.encode("utf-8", "replace")) >= SHORTEST


def _marks(pattern: str) -> Iterator[tuple[int, str]]:
    """The characters that mean something, with their places: none that is escaped or in brackets."""
    at = 0
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 2
        elif pattern[at] == "[" and (found := _CLASS.match(pattern, at)):
            at = found.end()
        else:
            yield at, pattern[at]
            at += 1


class _Reader:
    """Reads a pattern from left to right. `run`: the literal text that goes on here; `found`: the choices of the branch so far.

    `exact`: literals are given as they stand, not in lower case.
    """

    def __init__(self, pattern: str, *, exact: bool = False) -> None:
        self.pattern, self.exact = pattern, exact
        self.at, self.run = 0, ""
        self.found: list[frozenset[str]] = []

    def choice(self) -> frozenset[str]:
        """Alternatives up to the end of their group: literals of which one has to occur, whichever alternative it is."""
        first = self._branch()
        if self.pattern[self.at : self.at + 1] != "|":
            return first
        branches = [first]
        while self.pattern[self.at : self.at + 1] == "|":
            self.at += 1
            branches.append(self._branch())
        return frozenset().union(*branches) if all(branches) else frozenset()

    def _branch(self) -> frozenset[str]:
        return _best(self.sequence())

    def sequence(self) -> list[frozenset[str]]:
        """One alternative: of each choice a literal has to occur."""
        outside, self.found, self.run = self.found, [], ""
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            self._take(self.pattern[self.at])
        self._close()
        found, self.found = self.found, outside
        return found

    def _take(self, char: str) -> None:
        if plain := _PLAIN.match(self.pattern, self.at):
            self.at = plain.end()
            self.run += plain[0] if self.exact else plain[0].lower()
        elif char == "(":
            self._group()
        elif char == "[":
            self._skip(_CLASS)
        elif char == "\\" and self.pattern[self.at + 1 : self.at + 2].isalnum():
            if self.pattern[self.at + 1] in "QECK":
                raise _NotRead
            self._skip(_ESCAPE)
        elif char in ".^$\n*+?":
            self.at += 1
            self._close()
            self._repeat()
        else:
            self._literal()

    def _skip(self, what: re.Pattern[str]) -> None:
        """Something that may be one of several characters, or none."""
        found = what.match(self.pattern, self.at)
        if found is None:
            raise _NotRead
        self.at = found.end()
        self._close()
        self._repeat()

    def _literal(self) -> None:
        self.at += self.pattern[self.at] == "\\"
        char = self.pattern[self.at : self.at + 1]
        self.at += 1
        if char in _SEVERAL_CASES:
            self._close()
            self._repeat()
            return
        before = self.run
        self.run += char if self.exact else char.lower()
        least = self._repeat()
        if least is not None:
            self.run = self.run if least else before
            self._close()

    def _group(self) -> None:
        if flags := _FLAGS.match(self.pattern, self.at):
            self.at = flags.end()
            if self._repeat() is not None:
                raise _NotRead
            return
        opened = _OPEN.match(self.pattern, self.at)
        if opened is None or self.pattern.startswith("?", opened.end()):
            raise _NotRead
        self._close()
        self.at = opened.end()
        inside = self.choice()
        if self.pattern[self.at : self.at + 1] != ")":
            raise _NotRead
        self.at += 1
        if self._repeat() != 0:
            self.found.append(inside)

    def _repeat(self) -> int | None:
        """How often at least what stands before occurs; None if nothing says. Several repeats behind one another: not at all, perhaps."""
        least: int | None = None
        while found := _REPEAT.match(self.pattern, self.at):
            self.at = found.end()
            this = int(found["least"]) if found["least"] else int(found[0][0] == "+")
            least = this if least is None else min(least, this)
        return least

    def _close(self) -> None:
        if self.run:
            self.found.append(frozenset((self.run,)))
        self.run = ""
