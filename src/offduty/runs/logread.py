"""From the bytes of a run's log back to what the job printed, exactly, or as it may be shown to people; no files here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import NamedTuple

COLUMN = 15
OUT, ERR, OWN = b"|", b"!", b"*"
MARKS = OUT + ERR + OWN
CUT = b"~"
LONGEST = 1 << 20  # a line of a log is 64 KiB at most; what goes on without a newline for longer is damage, and is passed on in parts

_HARMLESS = bytes(range(0x20, 0x7F)) + b"\t"
_RAW_LINE = re.compile(rb"^.{12} [|!*][ ~]", re.DOTALL)
_COLOUR, _ERASE = r"\x1b\[[0-9;:]*m", r"\x1b\[[0-2]?K"
# C0 (but tab), DEL and C1; and the marks that reverse the order of what is shown, which make a line look like another one.
_SPECIAL = re.compile(f"({_COLOUR})|({_ERASE})|[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Line(NamedTuple):
    """A line of a log. `time`: `06:00:00.412`, UTC; `mark`: `|`, `!` or `*`; `cut`: its newline is not the job's; `text` is without it."""

    time: str
    mark: bytes
    cut: bool
    text: bytes


def blocks(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """`chunks` cut anew, into whole lines; the last block may lack its newline. Holds no more than a chunk and `LONGEST` bytes."""
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        end = data.rfind(b"\n") + 1
        if end:
            yield data[:end]
        rest = data[end:]
        if len(rest) > LONGEST:
            yield rest
            rest = b""
    if rest:
        yield rest


def split(block: bytes) -> Iterator[bytes]:
    """The lines of a block, each with its newline."""
    return iter(BytesIO(block))


def is_harmless(block: bytes) -> bool:
    """Whether a block can be shown as it is: the quick way for nearly all there is."""
    return not block.translate(None, _HARMLESS + b"\n")


def parse(line: bytes) -> Line | None:
    """The parts of a line, or None if it has no column (a damaged or foreign file)."""
    if not _RAW_LINE.match(line):
        return None
    time = line[:12].decode("ascii", "replace")
    return Line(time, line[13:14], line[14:15] == CUT, line[COLUMN:].removesuffix(b"\n"))


def job_bytes(blocks_: Iterable[bytes], marks: bytes = OUT + ERR) -> Iterator[bytes]:
    """What the job wrote to the streams in `marks`, exactly: a newline is given back only where it was the job's own."""
    plain = re.compile(rb"^[^\n]{12} [%s] " % marks, re.MULTILINE)
    for block in blocks_:
        bare, columns = plain.subn(b"", block)
        if columns == block.count(b"\n") and block.endswith(b"\n"):
            yield bare  # every line is wanted and ends as the job ended it
        else:
            yield from _job_lines(split(block), marks)


def _job_lines(lines: Iterable[bytes], marks: bytes) -> Iterator[bytes]:
    for line in lines:
        if line[13:14] in marks and _RAW_LINE.match(line):
            yield line[COLUMN:].removesuffix(b"\n") if line[14:15] == CUT else line[COLUMN:]


def readable(text: bytes, *, colour: bool = False) -> str:
    """One line as a terminal may show it: nothing in it can move the cursor, clear the screen or set a title.

    Progress bars are shown in their last state. Colours (SGR) are kept with `colour` and left out without; every other control
    character is written as `\\x1b`. The result holds no C0 character but tab (and, with `colour`, ESC in front of a colour), and no C1.
    """
    if not text.translate(None, _HARMLESS):
        return text.decode("ascii")
    shown, colours = _SPECIAL.sub(_keep_colour if colour else _no_colour, last_state(text).decode("utf-8", "backslashreplace")), 0
    if colour:
        colours = shown.count("\x1b")
    return f"{shown}\x1b[0m" if colours else shown


def last_state(text: bytes) -> bytes:
    """What is left of a line that was written over by carriage returns: its last part that is not empty."""
    if b"\r" not in text:
        return text
    return next((part for part in reversed(text.split(b"\r")) if part), b"")


def _keep_colour(found: re.Match[str]) -> str:
    return found[1] or _no_colour(found)


def _no_colour(found: re.Match[str]) -> str:
    if found[1] or found[2]:
        return ""
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
