"""What of a folder is not looked at: hidden things, environments, build products, and what .gitignore says (roughly as git does)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache

SKIPPED = frozenset("__pycache__ site-packages dist-packages node_modules build dist venv env virtualenv htmlcov wheels".split())
TESTS = frozenset({"test", "tests", "testing"})
TEST_FILE = re.compile(r"(?:test_.*|.*_test|conftest)\.py\Z")
LARGEST = 256 * 1024  # bytes of a .gitignore


class Ignored:
    """The patterns of one .gitignore, and those of the folders above it."""

    def __init__(self, folder: str, outer: Ignored | None = None) -> None:
        self.folder, self.outer = folder, outer
        self.patterns = list(_patterns(os.path.join(folder, ".gitignore")))

    def hides(self, path: str, *, is_folder: bool) -> bool:
        """Whether the last pattern that matches, in the nearest file that has one, says so."""
        inside = os.path.relpath(path, self.folder).replace(os.sep, "/")
        for pattern, hide, folders_only in reversed(self.patterns):
            if (is_folder or not folders_only) and pattern.fullmatch(inside):
                return hide
        return self.outer.hides(path, is_folder=is_folder) if self.outer is not None else False


def above(folder: str) -> Ignored | None:
    """The .gitignore files from the top of the repository down to `folder`'s parent; None outside of one."""
    folders = [os.path.abspath(folder)]
    while not os.path.exists(os.path.join(folders[-1], ".git")):
        parent = os.path.dirname(folders[-1])
        if parent == folders[-1]:
            return None
        folders.append(parent)
    ignored = None
    for each in reversed(folders[1:]):
        ignored = Ignored(each, ignored)
    return ignored


def is_skipped(entry: os.DirEntry[str], *, tests: bool) -> bool:
    """Whether a folder's name, or what lies in it, says that it is nobody's own code."""
    name = entry.name
    if name.startswith(".") or name in SKIPPED or name.endswith(".egg-info") or (not tests and name in TESTS):
        return True
    return os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))


def is_test(name: str) -> bool:
    """Whether a file is named like a test."""
    return TEST_FILE.match(name) is not None


def _patterns(path: str) -> Iterator[tuple[re.Pattern[str], bool, bool]]:
    """(pattern, hides or shows again, only folders) of each line."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(LARGEST)
    except OSError:
        return
    for line in text.splitlines():
        rule = line.rstrip()
        if not rule or rule.startswith("#"):
            continue
        yield compiled(rule.removeprefix("!").rstrip("/")), not rule.startswith("!"), rule.endswith("/")


@lru_cache(maxsize=4096)
def compiled(rule: str) -> re.Pattern[str]:
    """A pattern over paths relative to its file: with a slash in it from the top, else at any depth."""
    anchored = "/" in rule
    parts = re.split(r"(\*\*/|/\*\*|\*|\?|\[[^\]]+\])", rule.lstrip("/")[:1000])
    text = "".join(_translated(part) for part in parts)
    try:
        return re.compile(text if anchored else rf"(?:.*/)?{text}", re.DOTALL)
    except re.error:
        return re.compile(r"(?!)")


def _translated(part: str) -> str:
    special = {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}
    if part in special:
        return special[part]
    if part.startswith("[") and part.endswith("]") and len(part) > 2:
        return "[" + part[1:-1].replace("!", "^", 1).replace("\\", "\\\\") + "]"
    return re.escape(part.replace("\\", ""))
