"""`open` by all its names, and what else is done with files."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

LIBRARIES: list[str] = []
NAMES = "builtins.open io.open _io.open os.remove os.unlink os.rename os.replace posix.unlink".split()


def prepare(folder: Path) -> None:
    """A file to read, one to remove, one to rename."""
    for name in ("read.txt", "old.txt", "remove.txt"):
        (folder / name).write_text("CANARY\n")


def _read(folder: Path) -> str:
    with open(folder / "read.txt") as file:
        return file.read()


def _written(folder: Path) -> int:
    with open(f"{folder}/out.txt", "w") as file:
        return file.write("CANARY\n")


def _zipped(folder: Path) -> int:
    with gzip.open(folder / "out.gz", "wt") as file:
        return file.write("CANARY")


GOOD = [
    ("file.read", "read.txt", _read),
    ("file.read", "read.txt", lambda folder: (folder / "read.txt").read_bytes()),
    ("file.read", "read.txt", lambda folder: io.open(file=os.fsencode(folder / "read.txt"), mode="rb").close()),  # noqa: UP020
    ("file.write", "out.txt", _written),
    ("file.write", "out2.txt", lambda folder: (folder / "out2.txt").write_text("CANARY")),
    ("file.write", "out.gz", _zipped),
    ("file.write", "new.txt", lambda folder: os.replace(folder / "old.txt", folder / "new.txt")),
    ("file.delete", "remove.txt", lambda folder: os.remove(folder / "remove.txt")),
]
BAD = [
    lambda folder: open(folder / "missing.txt"),
    lambda folder: open(folder / "missing" / "out.txt", "w"),
    lambda folder: open(folder / "read.txt", "nonsense"),  # noqa: PLW1501
    lambda folder: open(),
    lambda folder: (folder / "missing.txt").unlink(),
    lambda folder: os.rename(folder / "missing.txt", folder / "other.txt"),
]
