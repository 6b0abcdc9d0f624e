"""On which line a setting stands: a scanner over TOML text that runs only when there is a mistake, or an origin, to show.

It relies on the text being valid (tomllib has read it); for text that is not, only `deepest` is asked, which gives up quietly.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from offduty.settings.mistakes import Path

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_TEXT = re.compile(
    r"""  \"{3} (?: \\. | [^\\] )*? \"{3,5} (?!\")  |  '{3} .*? '{3,5} (?!')   # on several lines
        |  \" (?: \\. | [^"\\\n] )* \"            |  ' [^'\n]* '  """,
    re.DOTALL | re.VERBOSE,
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_UNQUOTED = re.compile(
    _TEXT.pattern + r"| (?P<dots> [A-Za-z0-9_-]++ (?: [ \t]*+ \. [ \t]*+ [A-Za-z0-9_-]++ )*+ ) | \#[^\n]*",
    re.DOTALL | re.VERBOSE,
)


def lines(text: str) -> dict[Path, int]:
    """The line (from 1) of every table, key and list item in `text`. Text the scanner cannot follow gives what it found until there."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    try:
        scanner.document()
    except (_Lost, IndexError, RecursionError):
        pass
    return scanner.found


def line_of(found: dict[Path, int], path: Path) -> int:
    """The line of `path`, or of the nearest table around it; 0 if there is none."""
    while path and path not in found:
        path = path[:-1]
    return found.get(path, 0)


def deepest(text: str) -> int:
    """How many parts the longest dotted key in `text` has, outside strings and comments: tomllib takes minutes over thousands."""
    dotted = (match["dots"] for match in _UNQUOTED.finditer(text))
    return max((found.count(".") + 1 for found in dotted if found), default=1)


class _Lost(Exception):
    """The text is not what was expected: it is not valid TOML."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.found = text, 0, dict[Path, int]()
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.items: dict[Path, int] = {}  # arrays of tables: how many there are so far

    def document(self) -> None:
        table: Path = ()
        while self.skip() < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)

    def header(self) -> Path:
        start, double = self.at, self.text.startswith("[[", self.at)
        self.at += 2 if double else 1
        path = self.resolve(self.key(), double)
        self.at += 2 if double else 1
        for length in range(1, len(path) + 1):
            self.note(path[:length], start)
        return path

    def resolve(self, keys: list[str], new_item: bool) -> Path:
        """Put the indices of arrays of tables into a header's path: `[triage.when]` belongs to the latest `[[triage]]`."""
        path: Path = ()
        for number, key in enumerate(keys, 1):
            path += (key,)
            if new_item and number == len(keys):
                self.items[path] = self.items.get(path, 0) + 1
            if path in self.items:
                path += (self.items[path] - 1,)
        return path

    def pair(self, table: Path) -> None:
        start = self.at
        path = table
        for key in self.key():
            path += (key,)
            self.note(path, start)
        self.skip()
        self.at += 1  # the equals sign
        self.value(path)

    def key(self) -> list[str]:
        parts = []
        while True:
            self.skip()
            quoted = _TEXT.match(self.text, self.at)
            parts.append(_unquote(self.take(_TEXT)) if quoted else self.take(_BARE))
            if self.skip() >= len(self.text) or self.text[self.at] != ".":
                return parts
            self.at += 1

    def take(self, pattern: re.Pattern[str]) -> str:
        """What `pattern` matches here; behind it is the new place."""
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _Lost
        self.at = match.end()
        return match[0]

    def value(self, path: Path) -> None:
        self.skip()
        if self.text[self.at] == "[":
            self.list(path)
        elif self.text[self.at] == "{":
            self.inline_table(path)
        else:
            self.take(_TEXT if _TEXT.match(self.text, self.at) else _SCALAR)

    def list(self, path: Path) -> None:
        self.at += 1
        number = 0
        while self.text[self.skip()] != "]":
            self.note((*path, number), self.at)
            self.value((*path, number))
            number += 1
            self.comma("]")
        self.at += 1

    def comma(self, end: str) -> None:
        """Between two items stands a comma, or there is no way on."""
        if self.text[self.skip()] == ",":
            self.at += 1
        elif self.text[self.at] != end:
            raise _Lost

    def inline_table(self, path: Path) -> None:
        self.at += 1
        while self.text[self.skip()] != "}":
            self.pair(path)
            self.comma("}")
        self.at += 1

    def skip(self) -> int:
        self.take(_SPACE)
        return self.at

    def note(self, path: Path, at: int) -> None:
        self.found.setdefault(path, bisect_right(self.starts, at))


def _unquote(key: str) -> str:
    if key.startswith("'"):
        return key[1:-1]
    import tomllib

    try:
        return str(next(iter(tomllib.loads(f"{key} = 0"))))
    except tomllib.TOMLDecodeError:
        raise _Lost from None
