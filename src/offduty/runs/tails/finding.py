"""The words of the tail parsers: the end of an output as lines, and what was found in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# How well a finding explains an exit: a full trace; a line that says what failed; a wrapper that only says that something did.
TRACE, LINE, WRAPPER = 3, 2, 1

TAIL_BYTES = 256 * 1024
LINE_CHARS = 2000
MESSAGE_LINES, MESSAGE_CHARS = 20, 4000


@dataclass(frozen=True)
class Frame:
    """One place in a trace. `own`: not of a library or of the language itself."""

    file: str
    line: int | None = None
    function: str | None = None
    own: bool = True


@dataclass(frozen=True)
class Cause:
    """One exception of a chain; frames with the deepest last.

    `link`: what it is to the one before it in the chain: its `cause`, the `context` it was raised in, or a member of that `group`.
    `bases`: the classes it is derived from, the nearest first, where somebody who knows has told them.
    """

    type: str | None
    message: str | None
    link: str | None = None
    notes: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    bases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What one parser found. `causes`: the uncaught exception first, deepest cause last. `end`: the line after it."""

    language: str | None
    causes: tuple[Cause, ...]
    strength: int
    end: int


@dataclass(frozen=True)
class Tail:
    """The end of an output. `lines` without terminal sequences; `plain` also without what a logger or a container put in front;
    `marked[i]`: such a mark, with a time or a level, was in front of line i."""

    lines: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    marked: list[bool] = field(default_factory=list)


def tail_of(output: bytes) -> Tail:
    """The last 256 KiB of `output`, as lines of at most 2,000 characters."""
    text = _SEQUENCE.sub("", output[-TAIL_BYTES:].decode("utf-8", "backslashreplace"))
    lines = [_last_state(line)[:LINE_CHARS] for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    stripped = [_undecorated(line) for line in lines]
    return Tail(lines, [plain for plain, _ in stripped], [marked for _, marked in stripped])


_SEQUENCE = re.compile(r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b[\]PX^_][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)?|\x1b[ -/]{0,8}[0-~]?|\x00")

_DECORATION = re.compile(
    r"""(?P<mark>
          [\[(]?\d{4}[-/]\d\d[-/]\d\d[T\ ,]{1,2}\d\d:\d\d:\d\d(?:[.,:]\d{1,9})?(?:\ ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d|[A-Z]{3,4}(?=\])))?[\])]?
        | [\[(]?\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:\ [AP]M)?[\])]?(?=[\s:,|-])
        | [\[(]?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)[\])](?=\s)
        | (?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\ {0,4}(?:-|\|)(?=\ )
        | (?:INFO|DEBUG)(?=:\S)
      )[:,|-]?\ {0,1}(?:-\ )?
      | (?:std(?:out|err)\ [FP]|\[[^\[\]]{1,100}\]|\{[^{}]{1,80}:\d{1,6}\})\ (?:-\ )?
      | [A-Za-z][\w.\-/]{0,60}\ {0,20}\|(?:\ |$)
    """,
    re.VERBOSE,
)


def _last_state(line: str) -> str:
    """What a terminal would show of a line that was written over with carriage returns, as progress bars do."""
    line = line.rstrip("\r")
    return line[line.rfind("\r") + 1 :] if "\r" in line else line


def _undecorated(line: str) -> tuple[str, bool]:
    """The line without what stands in front of what was said; whether that told a time or a level."""
    marked, start = False, 0
    for _ in range(4):
        found = _DECORATION.match(line, start)
        if not found or found.end() == start:
            break
        marked = marked or found["mark"] is not None
        start = found.end()
    return line[start:], marked


def joined(lines: list[str]) -> str:
    """A message of several lines, bounded; what is left out is said (and what is bounded stays as it is)."""
    more = len(lines) - MESSAGE_LINES
    kept = [*lines[:MESSAGE_LINES], f"[{more} more lines]"] if more > 1 else lines
    text = "\n".join(line.rstrip() for line in kept).strip()
    return text if len(text) <= MESSAGE_CHARS + 40 else f"{text[:MESSAGE_CHARS]} [{len(text) - MESSAGE_CHARS} more characters]"
