"""Which files a scan looks at: those that are named, and the Python and notebooks below the folders that are named."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

from offduty.errors import NotThere, quoted
from offduty.transactions.scan.found import Problem
from offduty.transactions.scan.ignore import Ignored, above, is_skipped, is_test

NAMES = (".py", ".pyw", ".ipynb")


def gather(paths: Iterable[str], *, tests: bool = False) -> Iterator[str | Problem]:
    """Every file once, in the order of the paths, then by name. `tests`: also folders and files of tests.

    A folder that is a link is not entered, unless it is named. Raises NotThere E508 for a path that does not exist.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except (OSError, ValueError) as error:
            raise _not_there(path, error) from None
        for found in _below(path, tests=tests) if is_folder else [path]:
            if isinstance(found, Problem) or _is_new(found, seen):
                yield found


def _not_there(path: str, error: Exception) -> NotThere:
    return NotThere("E508", f"{quoted(path)} cannot be scanned", why=_why(error), fix="name a file or folder that is there")


def _is_new(path: str, seen: set[tuple[int, int]]) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return True  # reading it will say why
    key = (status.st_dev, status.st_ino)
    is_new = key not in seen
    seen.add(key)
    return is_new


def _below(top: str, *, tests: bool) -> Iterator[str | Problem]:
    """Depth first, a folder's files before its folders."""
    todo = [(top, above(top))]
    while todo:
        folder, outer = todo.pop()
        ignored = Ignored(os.path.abspath(folder), outer)
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            yield Problem(folder, f"cannot be read: {_why(error)}")
            continue
        yield from (_shown(entry.path) for entry in entries if _is_ours(entry, ignored, tests=tests))
        todo += [(entry.path, ignored) for entry in reversed(entries) if _is_entered(entry, ignored, tests=tests)]


def _is_ours(entry: os.DirEntry[str], ignored: Ignored, *, tests: bool) -> bool:
    name = entry.name
    if not name.endswith(NAMES) or name.startswith(".") or (not tests and is_test(name)):
        return False
    try:
        return entry.is_file() and not ignored.hides(os.path.abspath(entry.path), is_folder=False)
    except OSError:
        return False


def _is_entered(entry: os.DirEntry[str], ignored: Ignored, *, tests: bool) -> bool:
    try:
        if not entry.is_dir(follow_symlinks=False) or is_skipped(entry, tests=tests):
            return False
    except OSError:
        return False
    return not ignored.hides(os.path.abspath(entry.path), is_folder=True)


def _shown(path: str) -> str:
    return path.removeprefix("./")


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()
