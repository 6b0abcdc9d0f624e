"""Where secrets stand open in source code: lines, never the values themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from offduty.secrets.formats import FORMATS, Found
from offduty.secrets.keyed import Keyed
from offduty.secrets.known import Known
from offduty.secrets.redactor import Search, userinfo

LEAST = 4
"""Bytes of a password; what is shorter is an example."""
FROM_ELSEWHERE = re.compile(
    rb"[\[{}<>$%\s]|\A(?:user|pass|password|passwd|pwd|pw|secret|token|xxx+|\*+|\.+)\Z|\A[A-Z_]+\Z|EXAMPLE|example|changeme|placeholder"
)
"""It is put in later (`{password}`, `%s`, `$PASS`), names one (`ADMIN_PASSWORD`), or stands for one in a comment."""
_OF_PASSWORDS = re.compile(rb"pass(?:word|wd|phrase|wort)|pwd", re.IGNORECASE)


def lines_with_secrets(source: bytes) -> list[int]:
    """The lines (from 1) of a file of code on which a secret seems to stand: a token of a known form, the password of a URL, or in quotes
    what is called a password, a key or a token. A name, a call, a template are none: code has to say what its variables are.
    """
    places = sorted({found.start for found in _open(source)})
    return sorted({source.count(b"\n", 0, place) + 1 for place in places})


def _open(source: bytes) -> Iterator[Found]:
    formats, keyed = _searches()
    yield from (
        found for found in formats.by_literal(source) if found.end > found.start and b"EXAMPLE" not in source[found.start : found.end]
    )
    yield from (found for found in keyed.by_literal(source) if _is_literal(source, found))
    yield from (found for found in userinfo(source) if not FROM_ELSEWHERE.search(source[found.start : found.end]))


@cache
def _searches() -> tuple[Search, Search]:
    return Search(Known(()), FORMATS), Search(Known(()), (Keyed(),))


def _is_literal(source: bytes, found: Found) -> bool:
    """Whether a keyed value is a text in quotes, closed on its line, that looks like a secret and not like a word about one."""
    value, quote = source[found.start : found.end], source[found.start - 1 : found.start]
    if quote not in (b'"', b"'", b"`") or source[found.end : found.end + 2].lstrip(b"\\")[:1] != quote:
        return False
    if len(value) < LEAST or FROM_ELSEWHERE.search(value):
        return False
    name = source[found.context : found.start]
    return bool(_OF_PASSWORDS.search(name)) or _is_mixed(value)


def _is_mixed(value: bytes) -> bool:
    """Long, with letters and digits: `secret = "database-credentials"` is the name of one."""
    letters = any(65 <= byte & ~32 <= 90 for byte in value)
    digits = sum(48 <= byte <= 57 for byte in value)
    return len(value) >= 8 and letters and digits >= 2 and b"/" not in value[:1]
