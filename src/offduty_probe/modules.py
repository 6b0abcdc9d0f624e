"""Which of the job's own source files this process has imported: told when it ends, so that the next run can tell whether they changed."""

from __future__ import annotations

import os
import sys

from offduty_probe.chain import is_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    from offduty_probe.recorder import Recorder

MOST_FILES = 1000
MOST_OF_ONE, MOST_CHARS = 50, 30_000  # files and characters of an event: what is longer would lose its middle
LONGEST = 1024


def record_modules(recorder: Recorder) -> None:
    """Write the events `modules` of this process."""
    for files in _portions(own_files()):
        recorder.record("modules", {"files": files})


def own_files() -> list[str]:
    """The files of the modules that are the job's own: not of Python, not installed, not the probe's."""
    found: dict[str, None] = {}
    for file in [_script(), *map(_file_of, list(sys.modules.values()))]:
        if file and len(file) <= LONGEST and is_own(file) and not file.endswith((".so", ".pyd")):
            found[_absolute(file)] = None
    return sorted(found)[:MOST_FILES]


def _absolute(file: str) -> str:
    try:
        return os.path.abspath(file)
    except OSError:  # the current folder is gone
        return file


def _script() -> str:
    """The script itself: at the end of it, Python has taken its `__file__` away."""
    script: object = next(iter(getattr(sys, "argv", None) or ()), "")
    return script if isinstance(script, str) and os.path.isfile(script) else ""


def _file_of(module: Any) -> str:
    """Its `__file__`, without waking a module that loads itself when it is looked at."""
    try:
        file = object.__getattribute__(module, "__dict__").get("__file__")
    except Exception:
        return ""
    return file if isinstance(file, str) and not file.startswith("<") else ""


def _portions(files: list[str]) -> Iterator[list[str]]:
    portion: list[str] = []
    size = 0
    for file in files:
        if len(portion) == MOST_OF_ONE or (portion and size + len(file) > MOST_CHARS):
            yield portion
            portion, size = [], 0
        portion.append(file)
        size += len(file)
    if portion:
        yield portion
