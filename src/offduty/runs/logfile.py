"""The run's log file: lines behind a column that the job cannot forge, on a disk that may be full, up to a size that is kept.

Every line is fifteen bytes of column (time, mark, flag) and then the bytes themselves. docs/reference/log-format.md is the definition.
"""

from __future__ import annotations

import errno
import os

from offduty.clock import clock_time
from offduty.places import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from offduty.clock import Clock

OUT, ERR, OWN = b"|", b"!", b"*"
CUT = b"~"  # the newline at the end of this line is ours, not the job's
LINE_LIMIT = 64 * 1024
LAST_WORDS = 256 * 1024
TAIL_SEGMENTS = 4


def column(now: float, mark: bytes, flag: bytes = b" ") -> bytes:
    """The fifteen bytes in front of a line: `06:00:00.412 | `."""
    return b"%s %s%s" % (clock_time(now).encode("ascii"), mark, flag)


class LogFile:
    """One open log file. Never raises on a write: what the disk refuses is counted in `lost` and its end kept in `last_words`.

    `folders`: tried in turn; `path`: where it is, "" if none of them took it; `lost`: bytes of the job not stored because the disk refused; `dropped`: bytes of the job left out of the middle
    to stay within `max_size` bytes; `trouble`: the first error text, or "".
    """

    def __init__(self, folders: Iterable[str], name: str, clock: Clock, *, max_size: int, write: Callable[[int, bytes], int] = os.write) -> None:
        self.name, self.folder, self.path = name, "", ""
        self.clock, self._write = clock, write
        self.lost, self.dropped, self.trouble = 0, 0, ""
        self.last_words = bytearray()
        self._head_size, self._segment_size = max_size // 2, max_size // (2 * TAIL_SEGMENTS)
        self._segments: list[list[int]] = []  # the tail: [number, bytes of the job in it], oldest first
        self._size, self._counted, self._gap = 0, 0, False
        self._fd = self._head_fd = -1  # where no folder takes it, every write is refused, and counted
        for folder in folders:
            if self._begin(folder):
                break

    def _begin(self, folder: str) -> bool:
        """Open the file in `folder`; whether that worked."""
        try:
            make_private(folder)
            self._fd = self._head_fd = self._open(f"{folder}/{self.name}")
        except OSError as error:
            self.trouble = self.trouble or f"{folder}: {os.strerror(error.errno or 0).lower()}"
            return False
        self.folder, self.path = folder, f"{folder}/{self.name}"
        return True

    @staticmethod
    def _open(path: str) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def own(self, text: str) -> None:
        """Write a line of offduty's own; line breaks in it become several lines."""
        prefix = column(self.clock.wall(), OWN)
        for line in text.split("\n"):
            self._put(prefix + line.encode("utf-8", "backslashreplace") + b"\n", 0)

    def lines(self, mark: bytes, whole: bytes) -> None:
        """Write lines of the job; `whole` ends with a newline. One `replace` stamps them all: the time is that of the read."""
        prefix = column(self.clock.wall(), mark)
        self._put(prefix + whole[:-1].replace(b"\n", b"\n" + prefix) + b"\n", len(whole))

    def piece(self, mark: bytes, part: bytes) -> None:
        """Write a part of a line of the job: its newline has not come, and may never."""
        self._put(column(self.clock.wall(), mark, CUT) + part + b"\n", len(part))

    def _put(self, data: bytes, of_job: int) -> None:
        """Store `data` whole or not at all, so that a refused write never leaves half a line."""
        if self._size + len(data) > (self._segment_size if self._segments else self._head_size):
            self._next_segment()
        self.last_words += data[-LAST_WORDS:]
        if len(self.last_words) > 2 * LAST_WORDS:
            del self.last_words[:-LAST_WORDS]
        if self._gap:
            self._mark_gap()
        if self._gap or not self._store(data):
            self.lost += of_job
        else:
            self._count(of_job)

    def _count(self, of_job: int) -> None:
        if self._segments:
            self._segments[-1][1] += of_job

    def _store(self, data: bytes) -> bool:
        done = 0
        try:
            while done < len(data):
                done += self._write(self._fd, data[done:] if done else data)
        except OSError as error:
            self._refused(error, done)
            return False
        self._size += done
        return True

    def _refused(self, error: OSError, torn: int) -> None:
        self.trouble = self.trouble or f"{errno.errorcode.get(error.errno or 0, 'error')}, {os.strerror(error.errno or 0).lower()}"
        self._gap = True
        if torn:
            try:
                os.ftruncate(self._fd, self._size)
            except OSError:
                self._size += torn

    def _mark_gap(self) -> None:
        """After a refusal: say so in the file as soon as the disk takes a line again."""
        self._gap = False
        self._store(column(self.clock.wall(), OWN) + b"some output is missing here: the disk refused it (%s)\n" % self.trouble.encode("ascii", "replace"))

    def _next_segment(self) -> None:
        """The file has reached its size: go on in a segment of the tail, and drop the oldest one when there are too many."""
        number = self._segments[-1][0] + 1 if self._segments else 1
        try:
            fd = self._open(f"{self.path}.{number}")
        except OSError as error:
            self._refused(error, 0)
            return
        if self._fd != self._head_fd:
            os.close(self._fd)
        self._fd, self._size = fd, 0
        self._segments.append([number, 0])
        if len(self._segments) > TAIL_SEGMENTS:
            gone, of_job = self._segments.pop(0)
            self.dropped += of_job
            os.unlink(f"{self.path}.{gone}")

    def join(self) -> None:
        """Put the tail back behind the head, with a line between them that says what was dropped."""
        if not self._segments:
            return
        os.close(self._fd)
        self._fd, segments, self._segments = self._head_fd, self._segments, []
        self._size = os.fstat(self._fd).st_size
        self._head_size = 1 << 62  # what comes now is the tail and the summary: always wanted
        if self.dropped:
            self.own(f"{self.dropped} bytes of output are not kept here: the log has reached its greatest size")
        for number, of_job in segments:
            self._append_file(f"{self.path}.{number}", of_job)

    def _append_file(self, path: str, of_job: int) -> None:
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while data := os.read(source, 1 << 20):
                if not self._store(data):
                    self.lost += of_job
                    break
        finally:
            os.close(source)
            os.unlink(path)

    def is_gone(self) -> bool:
        """Whether somebody removed the file, or its folder, under our hands."""
        try:
            ours, there = os.fstat(self._head_fd), os.stat(self.path, follow_symlinks=False)
        except OSError:
            return self._fd >= 0
        return (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino)

    def move_to(self, folder: str) -> None:
        """Write the log again, whole, in another folder: the one it was in is gone (the open file still holds every byte)."""
        make_private(folder)
        path = f"{folder}/{self.name}"
        fd = self._open(path)
        at = 0
        while data := os.pread(self._head_fd, 1 << 20, at):
            at += os.write(fd, data)
        os.close(self._head_fd)
        self.folder, self.path, self._fd, self._head_fd, self._size = folder, path, fd, fd, at

    def close(self) -> None:
        """Close the file; what could not be written stays counted."""
        if self._fd >= 0:
            os.close(self._fd)
