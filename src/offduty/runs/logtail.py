"""Reading a run's log from its files: from the start or the last lines, while it grows, without ever following a link.

A log over its greatest size goes on in segments (`x.log.1`, `x.log.2` …, the oldest of which are dropped) until the run ends
and they are put back behind the head; a reader in the middle of that neither loses nor repeats a line.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from offduty.clock import short_id
from offduty.errors import NotThere, quoted
from offduty.runs.logread import COLUMN

READ = 1 << 20
BLOCK = 64 * 1024
ANCHOR = 4096
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # without blocking, as somebody may have put a FIFO there


class LogFiles:
    """The files of one run's log, opened safely. Raises NotThere E504 if there is no such log, E505 if what is there is not one."""

    def __init__(self, path: str, run_id: str) -> None:
        folder, self.name = os.path.split(path)
        self.path = path
        if not os.path.isabs(path) or not self.name.endswith(f"-{short_id(run_id)}.log"):
            raise NotThere("E505", "the record names a file that is not the run's log", where=quoted(path))
        try:
            self.folder = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_DIRECTORY)
        except OSError as error:
            raise _not_there(path, error) from None
        try:
            self.open(0)
        except BaseException:
            os.close(self.folder)
            raise

    def open(self, number: int) -> int:
        """A descriptor of the head (0) or of a segment."""
        try:
            fd = os.open(self._name(number), _FLAGS, dir_fd=self.folder)
        except OSError as error:
            raise _not_there(self.path, error) from None
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise NotThere("E505", "the log is not a plain file", where=quoted(self.path))
        return fd

    def segments(self) -> list[int]:
        """The numbers of the segments there are now, in order."""
        start = f"{self.name}."
        ends = [name.removeprefix(start) for name in os.listdir(self.folder) if name.startswith(start)]
        return sorted(int(end) for end in ends if end.isascii() and end.isdigit())

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self.folder)

    def _name(self, number: int) -> str:
        return f"{self.name}.{number}" if number else self.name


def _not_there(path: str, error: OSError) -> NotThere:
    if isinstance(error, FileNotFoundError):
        return NotThere("E504", "the log is gone", where=quoted(path), why="it was removed, or its time to be kept is over")
    return NotThere("E505", "the log cannot be read", where=quoted(path), why=os.strerror(error.errno or 0).lower())


class Reader:
    """Hands out the bytes of a log in order, from `start` (as `tail_start` gives it) on; `read` it again when more has been written."""

    def __init__(self, files: LogFiles, start: tuple[int, int] = (0, 0)) -> None:
        self.files = files
        self.number, offset = start
        self._fd = files.open(self.number)
        self._head_end = _size_of(files, 0) if self.number else 0
        self._anchor = b""
        os.lseek(self._fd, offset, os.SEEK_SET)

    def read(self) -> bytes:
        """Up to a MiB of what comes next; b"" when there is nothing (yet)."""
        while True:
            if data := self._take():
                return data
            following = self._following()
            if following and (data := self._take()):  # written between the two looks; now that a segment follows, this one is complete
                return data
            if following:
                self._go_on_in(following)
            elif not self._go_back_to_head():
                return b""

    def _take(self) -> bytes:
        data = os.read(self._fd, READ)
        self._anchor = (self._anchor + data)[-ANCHOR:]
        return data

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def _following(self) -> int:
        return next((number for number in self.files.segments() if number > self.number), 0)

    def _go_on_in(self, number: int) -> None:
        try:
            fd = self.files.open(number)
        except NotThere:
            return  # dropped, or put back behind the head, since it was listed
        if not self.number:
            self._head_end, self._anchor = os.lseek(self._fd, 0, os.SEEK_CUR), b""
        os.close(self._fd)
        self._fd, self.number = fd, number

    def _go_back_to_head(self) -> bool:
        """After the segments have been put back: go on in the head behind the bytes that were handed out last."""
        if not self.number or self.files.segments() or _size_of(self.files, 0) <= self._head_end:
            return False
        os.close(self._fd)
        self._fd, self.number = self.files.open(0), 0
        os.lseek(self._fd, _behind(self._fd, self._anchor, self._head_end), os.SEEK_SET)
        return True


def _size_of(files: LogFiles, number: int) -> int:
    fd = files.open(number)
    try:
        return os.fstat(fd).st_size
    finally:
        os.close(fd)


def _behind(fd: int, anchor: bytes, start: int) -> int:
    """The offset after `anchor` in the file, from `start` on; `start` itself when it is not there: that part was dropped."""
    at, carried = start, b""
    while data := os.pread(fd, READ, at):
        block = carried + data
        found = block.find(anchor) if anchor else -1
        if found >= 0:
            return at - len(carried) + found + len(anchor)
        carried, at = block[-len(anchor) :] if anchor else b"", at + len(data)
    return start


def tail_start(files: LogFiles, count: int, marks: bytes) -> tuple[int, int]:
    """Where the last `count` lines with one of `marks` begin, as (segment, offset): read from the end, so a log of 10 GB costs no more."""
    pieces = _open_all(files)
    try:
        start = pieces[-1][0], os.fstat(pieces[-1][1]).st_size
        for number, fd in reversed(pieces):
            for offset, mark in line_starts_backward(fd):
                if not mark or mark not in marks:
                    continue
                if not count:
                    return start
                count, start = count - 1, (number, offset)
        return start
    finally:
        for _, fd in pieces:
            os.close(fd)


def _open_all(files: LogFiles) -> list[tuple[int, int]]:
    found = []
    for number in [0, *files.segments()]:
        try:
            found.append((number, files.open(number)))
        except NotThere:
            continue
    return found


def line_starts_backward(fd: int) -> Iterator[tuple[int, bytes]]:
    """(offset, mark) of every line in the file, the last line first."""
    high = size = os.fstat(fd).st_size
    while high > 0:
        low = max(0, high - BLOCK)
        block = os.pread(fd, high - low + COLUMN, low)  # the line that begins behind the block's last newline has its mark there
        newline = block.rfind(b"\n", 0, high - low)
        while newline >= 0:
            if low + newline + 1 < size:
                yield low + newline + 1, block[newline + COLUMN - 1 : newline + COLUMN]
            newline = block.rfind(b"\n", 0, newline)
        high = low
    if size:
        yield 0, os.pread(fd, 1, COLUMN - 2)
