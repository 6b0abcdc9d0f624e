"""Whether the probe was with a run, and why not, where it should have been."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from offduty.runs.attempts import Attempt


def has_events(attempt: Attempt) -> bool:
    """Whether the probe wrote anything but its hello, or should have and did not."""
    try:
        size = os.stat(attempt.events).st_size if attempt.events else 0
    except OSError:
        size = 0
    return size > 0 or _is_python(attempt.record["command"])


def _is_python(command: list[str]) -> bool:
    return os.path.basename(command[0]).startswith("python")


def probe_notes(attempt: Attempt, events: Iterable[dict[str, Any]]) -> list[str]:
    """Why there is nothing of the probe, where there should be."""
    command = attempt.record["command"]
    if attempt.refusal is not None or not _is_python(command) or any(event["kind"] == "hello" for event in events):
        return []
    flags = "".join(word[1:] for word in _interpreter_options(command))
    for flag in "IES":
        if flag in flags:
            return [f"probe not loaded: python was started with -{flag}; its exceptions and warnings were not recorded"]
    return ["probe not loaded: its exceptions and warnings were not recorded (a Python older than 3.8, or one that ignores PYTHONPATH)"]


def _interpreter_options(command: list[str]) -> list[str]:
    """The single-letter options between `python` and what it runs."""
    options = []
    for word in command[1:]:
        if not word.startswith("-") or word in ("-c", "-m", "-"):
            break
        options.append(word)
    return options
