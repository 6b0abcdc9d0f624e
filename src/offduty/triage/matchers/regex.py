"""Patterns of users: RE2, whose time is linear in the text. What it lacks is an error with its position when the table is read."""

from __future__ import annotations

import re2  # type: ignore[import-untyped]

from offduty.errors import quoted
from offduty.triage.flaw import Flaw
from offduty.triage.pattern import compiled

LONGEST = 10_000
_LACKS = {
    "(?=": "look-ahead", "(?!": "look-ahead", "(?<=": "look-behind", "(?<!": "look-behind", "(?>": "atomic groups", "(?#": "comments",
    "(?(": "conditions",
}  # fmt: skip
_META = frozenset("\\.^$*+?{}[]|()")


def flaws(pattern: object) -> list[Flaw]:
    """E401 for what is no pattern of RE2, with how far into it."""
    if not isinstance(pattern, str) or not pattern:
        return [Flaw("E403", f"expected a pattern, found {quoted(pattern)}")]
    if len(pattern) > LONGEST:
        return [Flaw("E401", f"a pattern of {len(pattern)} characters", why=f"at most {LONGEST} are taken", fix="split it into several")]
    try:
        compiled(pattern)
    except re2.error as error:
        return [_flaw(pattern, _told(error))]
    return []


def find(pattern: str, text: bytes) -> str | None:
    """The first line of `text` in which `pattern` is found, as text; None if there is none."""
    if not _META.intersection(pattern):
        at = text.find(pattern.encode("utf-8", "replace"))
        return _line(text, at) if at >= 0 else None
    ends = "\\A" in pattern or "\\z" in pattern
    found = None if ends else compiled(pattern).search(text)
    if found is None and not ends:
        return None
    if found is not None and compiled(pattern).search(line := _line_bytes(text, found.start())):
        return line.decode("utf-8", "replace")
    return next((line.decode("utf-8", "replace") for line in text.split(b"\n") if compiled(pattern).search(line)), None)


def matches_nothing_said(pattern: str) -> bool:
    """Whether it fits a line with nothing in it: then it fits every line."""
    return compiled(pattern).search(b"") is not None


def _line(text: bytes, at: int) -> str:
    return _line_bytes(text, at).decode("utf-8", "replace")


def _line_bytes(text: bytes, at: int) -> bytes:
    end = text.find(b"\n", at)
    return text[text.rfind(b"\n", 0, at) + 1 : end if end >= 0 else len(text)]


def _told(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    return told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)


def _flaw(pattern: str, told: str) -> Flaw:
    """RE2 says what is wrong and quotes the place: `invalid perl operator: (?=`."""
    what, _, part = told.partition(": ")
    part = part.removeprefix("(?m)")
    offset = max(0, pattern.find(part)) if part and part != pattern else _unclosed(pattern) if "missing )" in what else 0
    if lacking := next((words for start, words in _LACKS.items() if pattern.startswith(start, offset)), None):
        why, fix = f"RE2 has no {lacking}", "write it without"
    elif what == "invalid escape sequence" and pattern[offset + 1 : offset + 2].isdigit():
        why, fix = "RE2 has no back-references", "write it without"
    else:
        why, fix = what, ""
    return Flaw("E401", f"{quoted(pattern)} is no pattern at character {offset + 1}", why=why, fix=fix, text=pattern, offset=offset)


def _unclosed(pattern: str) -> int:
    """Where the group begins that nobody closes."""
    opened, i, in_class = [], 0, False
    while i < len(pattern):
        if pattern[i] == "\\":
            i += 1
        elif in_class:
            in_class = pattern[i] != "]"
        elif pattern[i] == "[":
            in_class = True
        elif pattern[i] == "(":
            opened.append(i)
        elif pattern[i] == ")" and opened:
            opened.pop()
        i += 1
    return opened[-1] if opened else 0
