"""How a secret value may look when a program prints it: as it is, or escaped and encoded in the usual ways."""

from __future__ import annotations

import base64
import html
import json
import shlex
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 6  # bytes; what is shorter occurs by chance
LONGEST = 1024  # bytes; longer forms are cut, so that what must be held back between two reads stays small


def forms(value: bytes) -> set[bytes]:
    """Every form of `value` that is to be masked, each between `SHORTEST` and `LONGEST` bytes, without line breaks."""
    whole = {value, *_escaped(value), *_base64(value), value.hex().encode(), value.hex().upper().encode()}
    squeezed = {b"".join(_lines(form)) for form in whole}
    lines = {line for line in _lines(value) if not line.startswith(b"-----")}
    return {piece for form in squeezed | lines for piece in _pieces(form) if len(piece) >= SHORTEST}


def _lines(value: bytes) -> list[bytes]:
    """As `shapes.BREAK` sees them: a line break takes the next line's indentation with it."""
    first, *others = value.replace(b"\r\n", b"\n").split(b"\n")
    return [first, *(line.lstrip(b" \t") for line in others)]


def _pieces(form: bytes) -> Iterator[bytes]:
    for start in range(0, len(form), LONGEST):
        yield form[start : start + LONGEST]


def _escaped(value: bytes) -> Iterator[bytes]:
    yield from _percent(value)
    text = value.decode("utf-8", "surrogateescape")
    for form in _as_text(text):
        yield form.encode("utf-8", "surrogateescape")


def _percent(value: bytes) -> Iterator[bytes]:
    """URL encoding: with and without `/`, `+` for a space, upper- and lower-case digits."""
    for form in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield form.encode()
        yield _lower_percent(form).encode()


def _lower_percent(form: str) -> str:
    first, *others = form.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in others)])


def _as_text(text: str) -> Iterator[str]:
    """JSON (ASCII or not, `\\/`, and JSON within JSON), Python's repr, the shell's quoting in two manners, HTML."""
    for plain_ascii in (True, False):
        inner = json.dumps(text, ensure_ascii=plain_ascii)[1:-1]
        yield from (inner, inner.replace("/", "\\/"), json.dumps(inner, ensure_ascii=plain_ascii)[1:-1])
    yield repr(text)[1:-1]
    yield shlex.quote(text).removeprefix("'").removesuffix("'")
    yield "".join(c if c.isalnum() or c in "_-./:=@%+," else "\\" + c for c in text)
    yield html.escape(text)


def _base64(value: bytes) -> Iterator[bytes]:
    """Alone (with its padding) and inside something longer, where it can begin at three places in a group of three bytes."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(value)
        for shift in range(3):
            first, last = (shift * 8 + 5) // 6, (shift + len(value)) * 8 // 6
            yield encode(b"\0" * shift + value)[first:last]
