"""Copies, moves and removals."""

from __future__ import annotations

import shutil
from pathlib import Path

LIBRARIES: list[str] = []
NAMES = "shutil.copy shutil.copy2 shutil.copyfile shutil.copytree shutil.move shutil.rmtree".split()


def prepare(folder: Path) -> None:
    """Two files and a folder."""
    (folder / "a.txt").write_text("CANARY")
    (folder / "b.txt").write_text("CANARY")
    (folder / "tree" / "deep").mkdir(parents=True)
    (folder / "tree" / "deep" / "c.txt").write_text("CANARY")


GOOD = [
    ("file.write", "copy.txt", lambda folder: shutil.copy(folder / "a.txt", folder / "copy.txt")),
    ("file.write", "tree2", lambda folder: shutil.copytree(folder / "tree", folder / "tree2")),
    ("file.write", "moved.txt", lambda folder: shutil.move(str(folder / "b.txt"), str(folder / "moved.txt"))),
    ("file.delete", "tree", lambda folder: shutil.rmtree(folder / "tree")),
]
BAD = [
    lambda folder: shutil.copy(folder / "missing.txt", folder / "copy.txt"),
    lambda folder: shutil.rmtree(folder / "missing"),
    lambda folder: shutil.copyfile(folder / "a.txt"),
]
