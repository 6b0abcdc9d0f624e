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
TAIL_SEGMENTS, TAIL_SHARE = 4, 4  # of a log's greatest size, a quarter is for its tail: it is put back behind the head within a second
FULL = (errno.ENOSPC, errno.EDQUOT)


def column(now: float, mark: bytes, flag: bytes = b" ") -> bytes:
    """The fifteen bytes in front of a line: `06:00:00.412 | `."""
    return b"%s %s%s" % (clock_time(now).encode("ascii"), mark, flag)


class LogFile:
    """One open log file. Never raises on a write: what the disk refuses is counted in `lost` and `last_words` has its end.

    `folders`: tried in turn; `path`: where it is, "" if none of them took it; `lost`: bytes of the job not stored because the disk refused;
    `dropped`: bytes of the job left out of the middle to stay within `max_size` bytes; `trouble`: the first error text, or "";
    `make_room`: asked when the disk is full, whether it could free something.
    """

    def __init__(
        self, folders: Iterable[str], name: str, clock: Clock, *, max_size: int, write: Callable[[int, bytes], int] = os.write
    ) -> None:
        self.name, self.folder, self.path = name, "", ""
        self.clock, self._write = clock, write
        self.lost, self.dropped, self.trouble = 0, 0, ""
        self._older: list[bytes] = []  # two generations of what was written last, so that remembering copies nothing
        self._newer: list[bytes] = []
        self._newer_size = 0
        self.make_room: Callable[[], bool] = lambda: False
        self._head_size, self._segment_size = max_size - max_size // TAIL_SHARE, max_size // (TAIL_SHARE * TAIL_SEGMENTS)
        self._segments: list[list[int]] = []  # the tail: [number, bytes of the job in it], oldest first
        self._size, self._gap, self._missing, self._torn = 0, False, 0, b""
        self._fd = self._head_fd = self._folder_fd = -1  # where no folder takes it, every write is refused, and counted
        for folder in folders:
            if self._begin(folder):
                break

    def _begin(self, folder: str) -> bool:
        """Open the file in `folder`; whether that worked."""
        try:
            make_private(folder)
            folder_fd = _open_folder(folder)
        except OSError as error:
            self._note_trouble(f"{folder}: {_why(error)}")
            return False
        try:
            self._fd = self._head_fd = _create(self.name, folder_fd)
        except OSError as error:
            os.close(folder_fd)
            self._note_trouble(f"{folder}: {_why(error)}")
            return False
        self.folder, self.path, self._folder_fd = folder, f"{folder}/{self.name}", folder_fd
        return True

    def _note_trouble(self, text: str) -> None:
        self.trouble = self.trouble or text

    def own(self, text: str, *, at: float | None = None) -> None:
        """Write a line of offduty's own; line breaks in it become several lines. `at`: when it happened, if that was not now."""
        prefix = column(self.clock.wall() if at is None else at, OWN)
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
        self._remember(data)
        if self._fd >= 0 and self._has_room(len(data)) and self._gap_is_marked() and self._store(data):
            if self._segments:
                self._segments[-1][1] += of_job
        else:
            self.lost += of_job
            self._missing += of_job

    @property
    def last_words(self) -> bytes:
        """The last 256 KiB that were to be written, whether the disk took them or not."""
        return b"".join([*self._older, *self._newer])[-LAST_WORDS:]

    def _remember(self, data: bytes) -> None:
        self._newer.append(data)
        self._newer_size += len(data)
        if self._newer_size >= LAST_WORDS:
            self._older, self._newer, self._newer_size = self._newer, [], 0

    def _store(self, data: bytes) -> bool:
        done = 0
        while done < len(data):
            try:
                done += self._write(self._fd, data[done:] if done else data)
            except InterruptedError:
                continue
            except OSError as error:
                if error.errno in FULL and self.make_room():
                    continue
                self._refused(error, done)
                return False
        self._size += done
        return True

    def _refused(self, error: OSError, torn: int) -> None:
        """Take back what was written of the line: whoever reads the file finds whole lines only."""
        self._note_trouble(_why(error))
        self._gap = True
        if torn:
            try:
                os.ftruncate(self._fd, os.fstat(self._fd).st_size - torn)
            except OSError:
                self._size, self._torn = self._size + torn, b"\n"

    def _gap_is_marked(self) -> bool:
        """After a refusal: say so in the file as soon as the disk takes a line again. Whether it does."""
        if not self._gap:
            return True
        what = f"{self._missing} bytes of output" if self._missing else "lines of offduty's"
        text = f"{what} are missing here: the disk refused them ({self.trouble})\n"
        if not self._store(self._torn + column(self.clock.wall(), OWN) + text.encode("ascii", "replace")):
            return False
        self._gap, self._missing, self._torn = False, 0, b""
        return True

    def _has_room(self, size: int) -> bool:
        """Whether `size` bytes fit into this file of the log, or the next could be begun."""
        return self._size + size <= (self._segment_size if self._segments else self._head_size) or self._size == 0 or self._next_segment()

    def _next_segment(self) -> bool:
        """The file has reached its size: go on in a segment of the tail, and drop the oldest one when there are too many."""
        number = self._segments[-1][0] + 1 if self._segments else 1
        try:
            fd = _create(f"{self.name}.{number}", self._folder_fd)
        except OSError as error:
            self._refused(error, 0)
            return False
        if self._fd != self._head_fd:
            os.close(self._fd)
        self._fd, self._size = fd, 0
        self._segments.append([number, 0])
        if len(self._segments) > TAIL_SEGMENTS:
            gone, of_job = self._segments.pop(0)
            self.dropped += of_job
            self._unlink(f"{self.name}.{gone}")
        return True

    def _unlink(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self._folder_fd)
        except OSError:
            pass

    def join(self) -> None:
        """Put the tail back behind the head, with a line between that says what was dropped. On a full disk it stays in its segments."""
        if not self._segments:
            return
        last, self._fd = self._fd, self._head_fd
        self._size, self._head_size = os.fstat(self._fd).st_size, 1 << 62  # what comes now is the tail and the summary: always wanted
        segments, self._segments = self._segments, []
        if self.dropped:
            self.own(f"{self.dropped} bytes of output are not kept here: the log has reached its greatest size")
        while segments:
            number, of_job = segments[0]
            if not self._append_segment(f"{self.name}.{number}", of_job):
                self._fd, self._size, self._gap = last, os.fstat(last).st_size, False  # readers go on there by themselves
                return
            segments.pop(0)
        os.close(last)

    def _append_segment(self, name: str, of_job: int) -> bool:
        """Copy a segment behind the head and remove it. False, and nothing changed, if the disk refused; what somebody removed is lost."""
        try:
            source = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self._folder_fd)
        except OSError as error:
            self._note_trouble(_why(error))
            self.lost += of_job
            return True
        before = self._size
        try:
            while data := os.read(source, 1 << 20):
                if not self._store(data):
                    os.ftruncate(self._fd, before)
                    return False
        finally:
            os.close(source)
        self._unlink(name)
        return True

    def is_gone(self) -> bool:
        """Whether somebody removed the file, or its folder, under our hands."""
        try:
            ours, there = os.fstat(self._head_fd), os.stat(self.path, follow_symlinks=False)
        except OSError:
            return self._fd >= 0
        return (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino)

    def move_to_first(self, folders: Iterable[str]) -> None:
        """Write the log again, whole, in the first of `folders` that takes it: its own is gone, the open files still hold every byte."""
        for folder in folders:
            try:
                self.move_to(folder)
                return
            except OSError as error:
                self._note_trouble(f"{folder}: {_why(error)}")

    def move_to(self, folder: str) -> None:
        """Write the log again, whole, in another folder. Raises OSError, and then nothing has changed."""
        make_private(folder)
        folder_fd = _open_folder(folder)
        try:
            files = [_copy(folder_fd, self.name, self._head_fd)]
            files += [self._copy_segment(folder_fd, number, of_job) for number, of_job in self._segments]
        except OSError:
            os.close(folder_fd)
            raise
        for fd in {self._fd, self._head_fd, self._folder_fd, *files[1:-1]}:
            os.close(fd)
        self.folder, self.path, self._folder_fd = folder, f"{folder}/{self.name}", folder_fd
        self._head_fd, self._fd = files[0], files[-1]

    def _copy_segment(self, folder_fd: int, number: int, of_job: int) -> int:
        """A segment of the tail into another folder. The last one is open; an older one that somebody removed is lost, and stays empty."""
        name = f"{self.name}.{number}"
        if number == self._segments[-1][0]:
            return _copy(folder_fd, name, self._fd)
        try:
            source = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, dir_fd=self._folder_fd)
        except OSError:
            self.lost += of_job
            return _create(name, folder_fd)
        try:
            return _copy(folder_fd, name, source)
        finally:
            os.close(source)

    def close(self) -> None:
        """Close the file; what could not be written stays counted."""
        for fd in {self._fd, self._head_fd, self._folder_fd} - {-1}:
            os.close(fd)
        self._fd = self._head_fd = self._folder_fd = -1


def _open_folder(folder: str) -> int:
    """The folder itself, never what a link in its place points to; files in it are then reached through this, wherever it may be moved."""
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)


def _create(name: str, folder_fd: int) -> int:
    return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=folder_fd)


def _copy(folder_fd: int, name: str, source: int) -> int:
    """A new file with the bytes of `source`, open at its end."""
    fd, at = _create(name, folder_fd), 0
    while data := os.pread(source, 1 << 20, at):
        at += os.write(fd, data)
    return fd


def _why(error: OSError) -> str:
    return f"{errno.errorcode.get(error.errno or 0, 'error')}, {os.strerror(error.errno or 0).lower()}"
