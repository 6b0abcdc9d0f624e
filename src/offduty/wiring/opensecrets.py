"""Secrets that stand open in a job's files: in its configuration, and in the code that its last run was made of."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offduty.settings.load import Settings

MOST_FILES, LARGEST_FILE, LARGEST_SUM = 300, 1 << 20, 4 << 20
"""Looked at; what is beyond is data rather than code, and readiness has to answer at once."""


def in_configuration(settings: Settings) -> list[str]:
    """`offduty.toml:12`, where E206 says so."""
    return [str(mistake.where) for mistake in settings.mistakes if mistake.code == "E206"]


def in_sources(files: Iterable[str], folder: str) -> tuple[list[str], int]:
    """(`forecast.py:12` for each line with one, how many files were looked at). `files`: as a fingerprint names them."""
    places, looked, left = list[str](), 0, LARGEST_SUM
    for name in list(files)[:MOST_FILES]:
        source = _read(os.path.join(folder, name), min(left, LARGEST_FILE))
        if source is None:
            continue
        from offduty.secrets.places import lines_with_secrets

        places += [f"{name}:{line}" for line in lines_with_secrets(source)]
        looked, left = looked + 1, left - len(source)
    return places, looked


def _read(path: str, most: int) -> bytes | None:
    """None for what is not there, no file, or too large."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with open(fd, "rb") as file:
            source = file.read(most + 1)
    except (OSError, ValueError):
        return None
    return source if len(source) <= most else None
