"""A file that holds a triage table: read within bounds, and only if it is an ordinary file."""

from __future__ import annotations

import os
import stat

from offduty.errors import ConfigError
from offduty.triage.flaw import Flaw
from offduty.triage.formats import FORMATS
from offduty.triage.table import Table, of_text

LARGEST = 32 << 20
Stamp = tuple[int, int, int, int]


def ending_of(path: str) -> str:
    """The ending that says its form. Raises ConfigError E402 for a form we do not know."""
    ending = os.path.splitext(path)[1].lower()
    if ending in FORMATS:
        return ending
    raise ConfigError("E402", "is no triage table", where=path, why="its name says no form that is known", fix=f"call it {_endings()}")


def read(path: str, shown: str = "") -> Table:
    """The table in the file at `path`, which flaws name as `shown`. A file that cannot be used is a flaw (E402), never an exception."""
    shown = shown or path
    try:
        return of_text(text_of(path, shown), ending_of(path), shown)
    except ConfigError as error:
        return Table(flaws=(Flaw(error.code, error.what, why=error.why, fix=error.fix, where=error.where),))


def text_of(path: str, shown: str = "") -> str:
    """Its text. Raises ConfigError E402: not there, not an ordinary file, too large, not UTF-8."""
    shown = shown or path
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError("E402", "is no ordinary file", where=shown, fix="name a file")
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise ConfigError("E402", "cannot be read", where=shown, why=why, fix="write it, or name another") from None
    if len(content) > LARGEST:
        raise ConfigError("E402", "is too large", where=shown, why=f"a table has at most {LARGEST >> 20} MiB")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        why = f"byte 0x{content[error.start]:02x} is not UTF-8; Latin-1 or UTF-16 perhaps"
        raise ConfigError("E402", "is not text", where=f"{shown}:{line}", why=why, fix="save it as UTF-8") from None


def stamp(path: str) -> Stamp | None:
    """What tells whether a file was edited or replaced; None if it is not there."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _endings() -> str:
    *some, last = FORMATS
    return f"{', '.join(f'triage{ending}' for ending in some)} or triage{last}"
