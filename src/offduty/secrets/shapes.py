"""Texts as they were meant: without the escape codes and line breaks that a terminal or a wrapper put inside a value."""

from __future__ import annotations

import re
from bisect import bisect_right

# Colours and styles, erasures (`grep --color` adds them), moves, the cursor shown and hidden. Not every final letter that the standard
# allows: behind a stray `ESC [` it would take the first letter of a value, and the value would not be known again.
_CODE = rb"\x1b(?:\[(?:[0-9;:]{0,64}[mA-HJK]|\?[0-9;]{1,16}[hl])|\([0AB])"
CODE = re.compile(_CODE)
UNFINISHED_CODE = re.compile(rb"\x1b(?:\[[0-9;:?]{0,64}|\()?\Z")
BREAK = re.compile(rb"\r?\n[ \t]*")
_KEPT = re.compile(rb"(\r?\n[ \t]*|" + _CODE + rb")")
_INDENT = b" \t"


class Without:
    """`text` without all matches of `pattern`; `text_index` leads from a place in `.view` back to the place in `text`."""

    __slots__ = ("_ends", "_gone", "_pattern", "_text", "view")

    def __init__(self, text: bytes, pattern: re.Pattern[bytes]) -> None:
        self.view = pattern.sub(b"", text)
        self._text, self._pattern = text, pattern
        self._ends: list[int] = []
        self._gone: list[int] = []

    def text_index(self, index: int) -> int:
        """Where the byte `view[index]` stands in the text."""
        if not self._ends:
            self._note_places()  # needed for one text in a thousand: only those with something to mask
        before = bisect_right(self._ends, index)
        return index + (self._gone[before - 1] if before else 0)

    def _note_places(self) -> None:
        gone = 0
        for match in self._pattern.finditer(self._text):
            gone += len(match[0])
            self._ends.append(match.end() - gone)
            self._gone.append(gone)


def forward(view: bytes, at: int, form: bytes, done: int = 0) -> int:
    """The end of `form[done:]`, which must begin at `at` and may be broken into lines; -1 if it does not."""
    while done < len(form):
        stop = at + len(form) - done
        cut = view.find(b"\n", at, stop + 1)
        piece = view[at : stop if cut < 0 else cut]
        if cut >= 0:
            piece = piece.removesuffix(b"\r")
        if not form.startswith(piece, done) or (cut < 0 and len(piece) < len(form) - done):
            return -1
        done += len(piece)
        at += len(piece)
        if done < len(form):
            at = _past_break(view, cut, stop)
    return at


def _past_break(view: bytes, cut: int, stop: int) -> int:
    line = view[cut + 1 : stop + 64]
    return cut + 1 + len(line) - len(line.lstrip(_INDENT))


def backward(view: bytes, at: int, form: bytes) -> int:
    """The start of `form`, which must end at `at` and may be broken into lines; -1 if it does not."""
    while form:
        low = max(0, at - len(form) - 64)
        cut = view.rfind(b"\n", low, at)
        piece = view[max(low, cut + 1, at - len(form)) : at]
        if cut >= 0:
            piece = view[cut + 1 : at].lstrip(_INDENT)[-len(form) :]
        if not form.endswith(piece) or (cut < 0 and len(piece) < len(form)):
            return -1
        form = form[: len(form) - len(piece)]
        at -= len(piece)
        if form:
            at = cut - 1 if view[cut - 1 : cut] == b"\r" else cut
    return at


def masked(text: bytes, mask: bytes) -> bytes:
    """`mask` for `text`: once a line, with its line breaks and escape codes kept, so that lines and colours stay as they were."""
    if b"\n" not in text and b"\x1b" not in text:
        return mask
    out: list[bytes] = []
    fresh = True
    for index, part in enumerate(_KEPT.split(text)):
        if index % 2:
            out.append(part)
            fresh = fresh or b"\n" in part
        elif part and fresh:
            out.append(mask)
            fresh = False
    return b"".join(out)
