"""The exact values that must not be shown: what they are, and where their forms stand in a text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote_to_bytes, urlsplit

from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

from offduty.secrets import shapes
from offduty.secrets.forms import SHORTEST, forms
from offduty.secrets.names import NOT_SECRET, secrecy

ANCHOR = 8  # bytes; two of them stand side by side in the middle of a long form: one stays whole when a line break is inside
BREAKABLE = 2 * ANCHOR  # bytes; shorter values are only found in one piece

_COMMON = frozenset(
    b"true false none null nil yes no on off localhost default admin administrator root user guest public private test testing"
    b" postgres mysql oracle sqlite password passwd secret token changeme example enabled disabled required basic bearer production"
    b" staging development debug info warning error python 127.0.0.1 0.0.0.0 unknown anonymous forecast auto string optional".split()
)
_PLAIN_NAMES = (
    "USER",
    "LOGNAME",
    "USERNAME",
    "HOME",
    "HOSTNAME",
    "PWD",
    "OLDPWD",
    "SHELL",
    "LANG",
    "TERM",
    "TMPDIR",
    "PATH",
    "VIRTUAL_ENV",
)
_USERINFO = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]{0,40}://[^\s/:@]{0,256}:([^\s/]{1,512})@")
_CONNECTION_PART = re.compile(rb"(?i)\b(?:password|pwd|accountkey|sharedaccesskey|sharedaccesssignature)\s{0,4}=\s{0,4}([^;\s]+)")
_CONNECTION_NAME = re.compile(r"(?i)dsn|conn")


class Collected:
    """`values` to be masked, and `notes`: one sentence for each value that is secret by its name but cannot be masked."""

    __slots__ = ("notes", "values")

    def __init__(self) -> None:
        self.values: set[bytes] = set()
        self.notes: list[str] = []


def collect(environ: Mapping[str, str], names: Iterable[str] = (), values: Iterable[str] = ()) -> Collected:
    """The secrets in `environ` by their names (or by `names`, exactly), the passwords in its URLs, and `values`."""
    found, wanted = Collected(), frozenset(names)
    common = _common(environ)
    for name, text in environ.items():
        value = os.fsencode(text)
        if secrecy(name) != NOT_SECRET or name in wanted:
            _add(found, f"the value of {name}", _parts(name, value), common, asked=name in wanted)
        else:
            _add(found, f"the password in {name}", _passwords(value), common, asked=False)
    for text in values:
        _add(found, "a configured secret", [os.fsencode(text)], common, asked=True)
    return found


def _common(environ: Mapping[str, str]) -> frozenset[bytes]:
    """Values that stand in every other line of a log: words, and the names of this user, host and folder."""
    plain = {os.fsencode(environ[name]).lower() for name in _PLAIN_NAMES if name in environ}
    return _COMMON | plain | {os.uname().nodename.encode().lower()}


def _add(found: Collected, what: str, parts: Iterable[bytes], common: frozenset[bytes], *, asked: bool) -> None:
    for value in parts:
        reason = _unmaskable(value, common)
        if not reason:
            found.values.add(value)
        elif not (asked is False and os.fsdecode(value).startswith("/") and os.path.exists(value)):
            found.notes.append(f"{what} is {reason} to be masked in the log")


def _unmaskable(value: bytes, common: frozenset[bytes]) -> str:
    if len(value) < SHORTEST:
        return f"too short (fewer than {SHORTEST} characters)"
    if value.lower() in common or (value.isdigit() and len(value) < 16):
        return "too common"
    if value.startswith(b"/") and b"\0" not in value and os.path.exists(value):
        return "the path of a file, too common"
    return ""


def _parts(name: str, value: bytes) -> Iterator[bytes]:
    """What of a secret variable's value is secret: the password of a URL or connection string, else all of it."""
    passwords = list(_passwords(value))
    if _CONNECTION_NAME.search(name):
        passwords += [match[1] for match in _CONNECTION_PART.finditer(value)]
    if passwords:
        yield from passwords
        return
    value = value.strip()
    if value:
        yield value
        yield from _url_tail(value)


def _passwords(value: bytes) -> Iterator[bytes]:
    for match in _USERINFO.finditer(value):
        yield match[1]
        if b"%" in match[1]:
            yield unquote_to_bytes(match[1])


def _url_tail(value: bytes) -> Iterator[bytes]:
    """HTTP libraries log the path of a webhook apart from its host."""
    if value[:8].lower().startswith((b"https://", b"http://")):
        try:
            parts = urlsplit(value)
        except ValueError:
            return
        tail = parts.path + (b"?" + parts.query if parts.query else b"")
        if len(tail) >= BREAKABLE:
            yield tail


class Known:
    """All forms of some values. `anchors` are the literals to look for; `find` confirms a form around one of them."""

    title = "known value"

    def __init__(self, values: Iterable[bytes]) -> None:
        self.forms = sorted({form for value in values for form in forms(value)})
        self.anchors: dict[bytes, list[tuple[bytes, int]]] = {}
        self._beginnings: dict[bytes, list[bytes]] = {}
        for form in self.forms:
            for offset, anchor in _anchors(form):
                self.anchors.setdefault(anchor, []).append((form, offset))
            for length in (1, 2, 3):
                self._beginnings.setdefault(form[:length], []).append(form)
        self._starts = BytesAhoCorasick({form[:3] for form in self.forms}, MatchKind.Standard, Implementation.DFA)
        self.reach = 2 * max(map(len, self.forms), default=0) + 64  # bytes of a text's end in which a form may have begun

    def find(self, view: bytes, at: int, form: bytes, offset: int) -> tuple[int, int] | None:
        """(start, end) of `form`, whose byte `offset` stands at `at`; it may be broken into lines if it is long."""
        if view.startswith(form, at - offset) and at >= offset:
            return at - offset, at - offset + len(form)
        if len(form) < BREAKABLE:
            return None
        start = shapes.backward(view, at, form[:offset])
        end = shapes.forward(view, at, form, offset) if start >= 0 else -1
        return (start, end) if end >= 0 else None

    def begun_at(self, view: bytes) -> int:
        """Where the end of `view` may be the beginning of a form; `len(view)` if nowhere."""
        if not self.forms:
            return len(view)
        low = max(0, len(view) - self.reach)
        tail = shapes.Without(view[low:], shapes.BREAK)
        for at in self._candidates(tail.view):
            start = low + tail.text_index(at)
            if self._may_begin(tail.view[at:], broken=len(view) - start > len(tail.view) - at):
                return start
        return len(view)

    def _candidates(self, tail: bytes) -> Iterator[int]:
        """Where three bytes stand with which a form begins, and the last two places."""
        yield from (at for _, at, _ in self._starts.find_matches_as_indexes(tail, overlapping=True))
        yield from range(max(0, len(tail) - 2), len(tail))

    def _may_begin(self, rest: bytes, *, broken: bool) -> bool:
        """`broken`: a line break lies inside or behind, so that only a long form that shows three bytes or more is meant."""
        if broken and len(rest) < 3:
            return False
        forms = self._beginnings.get(rest[:3], ())
        return any(len(rest) < len(form) and form.startswith(rest) and (not broken or len(form) >= BREAKABLE) for form in forms)


def _anchors(form: bytes) -> Iterator[tuple[int, bytes]]:
    """(offset, literal): the middle of a form tells more than its beginning, which may be `https://` or `eyJhbGci`."""
    if len(form) < BREAKABLE:
        yield 0, form
        return
    middle = len(form) // 2 - ANCHOR
    yield middle, form[middle : middle + ANCHOR]
    yield middle + ANCHOR, form[middle + ANCHOR : middle + 2 * ANCHOR]
