"""The closing block on the screen: on stderr, because stdout is the job's."""

from __future__ import annotations

import os

from offduty.runs.closing import style_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

CODES = {"good": "\x1b[1;32m", "warn": "\x1b[1;33m", "bad": "\x1b[1;31m"}
PLAIN = "\x1b[0m"


def is_wanted(options: Mapping[str, Any], outcome: str) -> bool:
    """Whether the block is to be shown: always on a terminal; elsewhere when the run did not succeed, unless the options say otherwise."""
    mode = options.get("summary", "auto")
    if options.get("quiet") or mode == "never":
        return False
    return mode == "always" or os.isatty(2) or outcome not in ("succeeded", "skipped")


def has_colour(environ: Mapping[str, str], mode: str = "auto") -> bool:
    """`mode` always or never; else NO_COLOR, FORCE_COLOR or CLICOLOR_FORCE, a dumb terminal, whether stderr is a terminal."""
    if mode != "auto":
        return mode == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR") or environ.get("CLICOLOR_FORCE"):
        return True
    return environ.get("TERM") != "dumb" and os.isatty(2)


def show(lines: Iterable[str], *, colour: bool) -> None:
    """Print the block."""
    text = "".join(f"{_coloured(line) if colour else line}\n" for line in lines)
    _write(text.encode("utf-8", "backslashreplace"))


def say(text: str) -> None:
    """One line of offduty's own."""
    _write(f"offduty: {text}\n".encode("utf-8", "backslashreplace"))


def _coloured(line: str) -> str:
    found = style_of(line)
    if found is None:
        return line
    start, end, style = found
    return f"{line[:start]}{CODES[style]}{line[start:end]}{PLAIN}{line[end:]}"


def _write(data: bytes) -> None:
    """A stderr that takes nothing is no reason to fail."""
    try:
        while data:
            data = data[os.write(2, data) :]
    except OSError:
        pass
