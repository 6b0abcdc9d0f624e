"""Which files a job reads, as far as one can see it from outside: by inotify, in its own folder and beside the files it names."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable, Iterator

CLOSE_NOWRITE, CLOSE_WRITE, ONLYDIR, IS_DIR = 0x10, 0x8, 0x01000000, 0x40000000
NONBLOCK_CLOEXEC = 0o2004000
MOST_FOLDERS = 2000
HEAD = struct.Struct("iIII")

_libc = ctypes.CDLL(None, use_errno=True)


class Watch:
    """`paths()` are the files in `folders` that were opened for reading since, in order, each once."""

    def __init__(self, folders: Iterable[str]) -> None:
        self._fd = _libc.inotify_init1(NONBLOCK_CLOEXEC)
        self._folders: dict[int, str] = {}
        for folder in folders:
            number = _libc.inotify_add_watch(self._fd, os.fsencode(folder), CLOSE_NOWRITE | ONLYDIR) if self._fd >= 0 else -1
            if number >= 0:
                self._folders[number] = folder

    def paths(self) -> list[str]:
        """Only what the kernel's queue (16 384 events) could hold."""
        found = [f"{folder.rstrip('/')}/{name}" for folder, name in self._events() if name]
        return list(dict.fromkeys(found))

    def _events(self) -> Iterator[tuple[str, str]]:
        while data := self._read():
            at = 0
            while at < len(data):
                number, mask, _, size = HEAD.unpack_from(data, at)
                name = os.fsdecode(data[at + HEAD.size : at + HEAD.size + size].rstrip(b"\0"))
                at += HEAD.size + size
                if not mask & IS_DIR and number in self._folders:
                    yield self._folders[number], name

    def _read(self) -> bytes:
        try:
            return os.read(self._fd, 1 << 16) if self._fd >= 0 else b""
        except BlockingIOError:
            return b""


def below(folder: str) -> Iterator[str]:
    """The folder and those in it, none of them hidden, at most so many."""
    left = MOST_FOLDERS
    for where, names, _ in os.walk(folder):
        names[:] = sorted(name for name in names if not name.startswith((".", "__pycache__")))
        left -= 1
        if left < 0:
            return
        yield where
