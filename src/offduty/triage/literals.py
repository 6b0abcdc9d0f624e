"""The literal text that a pattern cannot match without: what is looked for first, because that is fast.

Reads RE2's syntax, conservatively: of what it does not understand it says nothing, and such a pattern is always tried.
It does so by hand: importing `re` takes longer than a thousand patterns.
"""

from __future__ import annotations

from collections.abc import Iterator

SHORTEST = 3  # bytes as UTF-8
_DIGITS, _OCTAL, _HEX, _FLAGS = "0123456789", "01234567", "0123456789abcdefABCDEF", "imsU-"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PLAIN = f"{_LETTERS}{_DIGITS} _:;,=/<>\"'#%&@!~-"
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
    pattern = reader.pattern
    if len(pattern) >= SHORTEST and not pattern.lstrip(_PLAIN):
        return frozenset((pattern if reader.exact else pattern.lower(),))
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
    if "(?" in pattern and _may_fold(pattern):
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
        elif pattern[at] == "[" and (end := _class_end(pattern, at)):
            at = end
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
        if char in _PLAIN and (end := _plain_end(self.pattern, self.at)) > self.at:
            plain = self.pattern[self.at : end]
            self.at = end
            self.run += plain if self.exact else plain.lower()
        elif char == "(":
            self._group()
        elif char == "[":
            self._skip(_class_end(self.pattern, self.at))
        elif char == "\\" and self.pattern[self.at + 1 : self.at + 2].isalnum():
            if self.pattern[self.at + 1] in "QECK":
                raise _NotRead
            self._skip(_escape_end(self.pattern, self.at))
        elif char in ".^$\n*+?":
            self.at += 1
            self._close()
            self._repeat()
        else:
            self._literal()

    def _skip(self, end: int) -> None:
        """Something that may be one of several characters, or none; up to `end`, 0 if it has none."""
        if not end:
            raise _NotRead
        self.at = end
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
        flags = _flags_end(self.pattern, self.at)
        if flags > self.at + 2 and self.pattern.startswith(")", flags):
            self.at = flags + 1
            if self._repeat() is not None:
                raise _NotRead
            return
        inside_at = _opened_end(self.pattern, self.at)
        self._close()
        self.at = inside_at
        inside = self.choice()
        if self.pattern[self.at : self.at + 1] != ")":
            raise _NotRead
        self.at += 1
        if self._repeat() != 0:
            self.found.append(inside)

    def _repeat(self) -> int | None:
        """How often at least what stands before occurs; None if nothing says. Several repeats behind one another: not at all, perhaps."""
        least: int | None = None
        while (found := _repeat_end(self.pattern, self.at)) is not None:
            self.at, this = found
            self.at += self.pattern.startswith("?", self.at)
            least = this if least is None else min(least, this)
        return least

    def _close(self) -> None:
        if self.run:
            self.found.append(frozenset((self.run,)))
        self.run = ""


def _while(pattern: str, at: int, chars: str) -> int:
    """The end of what stands at `at` and consists of these characters."""
    return len(pattern) - len(pattern[at:].lstrip(chars))


def _plain_end(pattern: str, at: int) -> int:
    """The end of a text that counts as it stands, without a last character that is repeated."""
    rest = pattern[at:].lstrip(_PLAIN)
    return len(pattern) - len(rest) - (rest[:1] in ("?", "*", "+", "{"))


def _may_fold(pattern: str) -> bool:
    at = pattern.find("(?")
    while at >= 0:
        if "i" in pattern[at + 2 : _flags_end(pattern, at)]:
            return True
        at = pattern.find("(?", at + 1)
    return False


def _flags_end(pattern: str, at: int) -> int:
    """The end of the flags behind `(?`, if that is what stands there; else `at`."""
    return _while(pattern, at + 2, _FLAGS) if pattern.startswith("(?", at) else at


def _opened_end(pattern: str, at: int) -> int:
    """Where the inside of a group begins."""
    if not pattern.startswith("(?", at):
        return at + 1
    end = _flags_end(pattern, at)
    if pattern.startswith(":", end):
        return end + 1
    name = at + 2 + pattern.startswith("P", at + 2)
    close = pattern.find(">", name)
    if not pattern.startswith("<", name) or close < 0 or not pattern[name + 1 : close].replace("_", "a").isalnum():
        raise _NotRead
    return close + 1


def _repeat_end(pattern: str, at: int) -> tuple[int, int] | None:
    """The end of `*`, `+`, `?` or `{2,5}`, and how often at least; None if there is none."""
    char = pattern[at : at + 1]
    if char in ("?", "*", "+"):
        return at + 1, int(char == "+")
    least = _while(pattern, at + 1, _DIGITS) if char == "{" else 0
    if not at + 1 < least <= at + 5:
        return None
    most = _while(pattern, least + 1, _DIGITS) if pattern.startswith(",", least) else least
    if most > least + 5 or not pattern.startswith("}", most):
        return None
    return most + 1, int(pattern[at + 1 : least])


def _escape_end(pattern: str, at: int) -> int:
    """The end of an escape like `\\d`, `\\pL`, `\\x{2603}` or `\\012`; 0 if it is none."""
    char = pattern[at + 1]
    if char in "pPx" and pattern.startswith("{", at + 2):
        close = pattern.find("}", at + 3)
        return close + 1 if close >= 0 and (char != "x" or _while(pattern, at + 3, _HEX) == close > at + 3) else 0
    if char in "pP":
        return at + 3 if at + 2 < len(pattern) else 0
    if char == "x":
        return at + 4 if _while(pattern[: at + 4], at + 2, _HEX) == at + 4 else 0
    if char in _OCTAL:
        return _while(pattern[: at + 4], at + 1, _OCTAL)
    return at + 2 if char in _LETTERS else 0


def _class_end(pattern: str, at: int) -> int:
    """The end of `[…]`; 0 if it has none."""
    at += 1 + pattern.startswith("^", at + 1)
    at += pattern.startswith("]", at)
    while at < len(pattern) and pattern[at] != "]":
        if pattern.startswith("[:", at) and (close := pattern.find(":]", at + 2)) > at + 2:
            name = pattern[at + 2 : close].removeprefix("^")
            at = close + 2 if name.isalnum() else at + 1
        elif pattern[at] == "\\":
            close = pattern.find("}", at) if pattern[at + 1 : at + 3] in ("p{", "P{") else -1
            at = close + 1 if close > 0 else at + 2
        else:
            at += 1
    return at + 1 if at < len(pattern) else 0
