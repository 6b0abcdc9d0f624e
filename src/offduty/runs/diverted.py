"""The stdout and stderr of this process led through pipes while a block of code runs, and given back exactly as they were."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from collections.abc import Callable
from typing import Any

from offduty.runs.output import pipe

STANDARD = ((1, "stdout", "|"), (2, "stderr", "!"))
ABOVE_STANDARD = 3


class Diverted:
    """`streams`: what somebody else has to read: (read end, mark in the log, the descriptor it is to be passed on to, or -1).

    Made in three steps, so that nothing can go wrong between them: all descriptors are had first (OSError, and nothing has changed),
    `begin` changes places, `end` undoes it all; `end` may come without `begin`. Where `sys.stdout` is not descriptor 1 (a notebook, a test
    that captures), what is written to it goes where it went before, and a copy into the log.
    """

    def __init__(self) -> None:
        self.streams: list[tuple[int, str, int]] = []
        self._closed: list[int] = []
        self._mine: set[int] = set()
        self._begin: list[Callable[[], None]] = []
        self._undo: list[Callable[[], None]] = []
        try:
            self._open_closed()
            for fd, name, mark in STANDARD:
                self._prepare(fd, name, mark)
        except BaseException:
            self.end()
            raise

    def _open_closed(self) -> None:
        """Descriptors that are closed get /dev/null meanwhile: no pipe of ours may come to stand in their place."""
        for fd in (0, 1, 2):
            try:
                os.fstat(fd)
            except OSError:
                self._closed.append(self._keep(os.open(os.devnull, os.O_RDWR)))

    def _prepare(self, fd: int, name: str, mark: str) -> None:
        saved = self._keep(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, ABOVE_STANDARD))
        writer = self._pipe(mark, -1 if fd in self._closed else fd)
        self._begin.append(lambda: self._divert(fd, writer, saved))
        stream = getattr(sys, name)
        if not _is_descriptor(stream, fd):
            copy = Copy(stream, self._pipe(mark, -1))
            self._begin.append(lambda: self._copy(name, copy))

    def _pipe(self, mark: str, onward: int) -> int:
        """One more pipe: its write end."""
        reader, writer = pipe()
        self._keep(reader)
        self.streams.append((reader, mark, onward))
        return self._keep(writer)

    def _keep(self, fd: int) -> int:
        self._mine.add(fd)
        return fd

    def _close(self, fd: int) -> None:
        if fd in self._mine:
            self._mine.discard(fd)
            os.close(fd)

    def begin(self) -> None:
        """Change places; the read ends are somebody else's now."""
        flush()
        for reader, _, _ in self.streams:
            self._close(reader)
        for step in self._begin:
            step()

    def _divert(self, fd: int, writer: int, saved: int) -> None:
        os.dup2(writer, fd)
        self._close(writer)
        self._undo.append(lambda: (os.dup2(saved, fd), None)[1])

    def _copy(self, name: str, copy: Copy) -> None:
        setattr(sys, name, copy)
        self._mine.discard(copy.fd)
        self._undo.append(lambda: copy.stop(name))

    def end(self) -> None:
        """As it was before."""
        flush()
        while self._undo:
            self._undo.pop()()
        for fd in sorted(self._mine):
            self._close(fd)


class Copy:
    """Stands for a `sys.stdout` that is not descriptor 1: what is written to it goes there as before, and a copy to descriptor `fd`."""

    def __init__(self, stream: Any, fd: int) -> None:
        self._stream, self.fd = stream, fd

    def write(self, text: str) -> int:
        """As the stream it stands for. Whoever keeps us longer than the block (a logging handler) only reaches the stream."""
        written: int = self._stream.write(text)
        data = text.encode("utf-8", "backslashreplace") if self.fd >= 0 else b""
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(self.fd, data) :]
        return written

    def writelines(self, lines: Any) -> None:
        """As the stream it stands for."""
        for line in lines:
            self.write(line)

    def stop(self, name: str) -> None:
        """Copy no more, and give `sys.stdout` (or what `name` says) back, unless the job has put something else there."""
        if getattr(sys, name) is self:
            setattr(sys, name, self._stream)
        fd, self.fd = self.fd, -1
        os.close(fd)

    def __iter__(self) -> Any:
        return iter(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _is_descriptor(stream: Any, fd: int) -> bool:
    try:
        return bool(stream.fileno() == fd)
    except Exception:  # noqa: BLE001 - it is the job's object, whatever it is
        return stream is None


def flush() -> None:
    """Bring what Python holds back to where it belongs now."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
