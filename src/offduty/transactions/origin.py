"""What a run is made of, found out from outside of the job: its code, its packages, and where it runs. Bounded in time and size.

Never a value of a variable; the command comes redacted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from offduty.transactions.git import state_of
from offduty.transactions.sha import sha256

MOST_FILES, LARGEST_FILE, LARGEST_SUM = 1000, 4 << 20, 32 << 20
MOST_PACKAGES, MOST_FOLDERS = 5000, 16
MOST_VARIABLES = 2000
DIGITS = 12
SOURCES = (
    ".py", ".r", ".rmd", ".qmd", ".sh", ".bash", ".jl", ".sql", ".ipynb", ".pl", ".rb", ".js", ".mjs", ".ts", ".scala", ".jar", ".do", ".m",
    ".sas", ".go", ".lua", ".php",
)  # fmt: skip
OURS = "OFFDUTY_"


def code(cwd: str) -> dict[str, Any]:
    """`commit` and `dirty` of the folder; None where they cannot be known."""
    commit, dirty = state_of(cwd)
    return {"commit": commit, "dirty": dirty}


def version(code: Mapping[str, Any]) -> str:
    """`a1b2c3d (clean)`, as far as it is known; else empty."""
    state = {True: " (dirty)", False: " (clean)", None: ""}[code.get("dirty")]
    return f"{code['commit'][:7]}{state}" if code.get("commit") else ""


def packages(folders: Sequence[str]) -> dict[str, str]:
    """Name and version of each package in `folders` (as they stand on the path: the first one counts).

    From the names of their `.dist-info` and `.egg-info` alone: one listing a folder, not a file a package.
    """
    found: dict[str, str] = {}
    for folder in folders[:MOST_FOLDERS]:
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in sorted(names):
            if name.endswith((".dist-info", ".egg-info")) and len(found) < MOST_PACKAGES:
                package, _, version = name.rpartition(".")[0].partition("-")
                found.setdefault(package.replace("_", "-").lower(), version.partition("-py")[0] or "?")
    return dict(sorted(found.items()))


def digests(files: Iterable[str], cwd: str) -> dict[str, str]:
    """The first 12 hex digits of the SHA-256 of each file that can be read, by its path, relative to `cwd` where it lies below."""
    found: dict[str, str] = {}
    left = LARGEST_SUM
    for file in files:
        if len(found) >= MOST_FILES or left <= 0:
            break
        path = os.path.join(cwd, file)
        content = _content(path)
        if content is not None:
            found[path.removeprefix(f"{cwd}/")] = sha256(content).hex()[:DIGITS]
            left -= len(content)
    return dict(sorted(found.items()))


def _content(path: str) -> bytes | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with open(fd, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError):
        return None
    return content if len(content) <= LARGEST_FILE else None


def sources_in(command: Sequence[str], cwd: str) -> list[str]:
    """The words of a command that are programs in a file."""
    return [word for word in command if word.lower().endswith(SOURCES) and os.path.isfile(os.path.join(cwd, word))]


def variables(environ: Mapping[str, str]) -> list[str]:
    """The names of the job's variables, without those that offduty gives it."""
    return sorted(name for name in environ if not name.startswith(OURS))[:MOST_VARIABLES]
