"""Other programs by `os`."""

from __future__ import annotations

import os
from pathlib import Path

LIBRARIES: list[str] = []
NAMES = "os.system posix.system os.posix_spawn posix.posix_spawn".split()


def prepare(folder: Path) -> None:
    """Nothing is needed."""


def _spawned(folder: Path) -> int:
    pid = os.posix_spawn("/bin/true", ["true", "CANARY"], {})
    return os.waitpid(pid, 0)[1]


GOOD = [("process.spawn", "true", lambda folder: os.system("true CANARY")), ("process.spawn", "/bin/true", _spawned)]
BAD = [lambda folder: os.posix_spawn("/missing", ["CANARY"], {}), lambda folder: os.system("true \0")]
