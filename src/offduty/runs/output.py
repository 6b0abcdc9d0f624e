"""From the job's pipes to our own stdout and stderr, as they are, and to the run's log, line by line and without secrets.

Bytes end to end: nothing here decodes. What goes on to the terminal is the job's own and untouched; only the log is redacted.
"""

from __future__ import annotations

import errno
import os

from offduty.runs.logfile import LINE_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from offduty.runs.logfile import LogFile

    class Redactor(Protocol):
        """What takes the secrets out of bytes; `held` must come again in front of the next ones."""

        def redact(self, chunk: bytes, *, final: bool) -> tuple[bytes, bytes]: ...


READ_SIZE = 64 * 1024
PIPE_SIZE = 1 << 20
F_SETPIPE_SZ = 1031
POLITE_WRITE = 4096  # PIPE_BUF: what a pipe that polls writable takes without blocking


class Lines:
    """One stream on its way into the log: keeps what is not a whole line yet, and what may be half a secret."""

    def __init__(self, mark: bytes, log: LogFile, *, terminal: bool = False) -> None:
        self.mark, self.log, self.terminal = mark, log, terminal
        self.redactor: Redactor | None = None
        self._held = b""
        self._partial = b""

    @property
    def unfinished(self) -> bool:
        """Whether the beginning of a line is kept back."""
        return bool(self._partial)

    def feed(self, chunk: bytes) -> None:
        """Take bytes just read."""
        self._frame(self._clean(chunk, final=False))

    def flush(self) -> None:
        """Nothing came for a while: bring the unfinished line into the file. What may be half a secret stays back."""
        if self._partial:
            self.log.piece(self.mark, self._partial)
            self._partial = b""

    def finish(self) -> None:
        """Nothing will come any more."""
        self._frame(self._clean(b"", final=True))
        self.flush()

    def _clean(self, chunk: bytes, *, final: bool) -> bytes:
        if self.redactor is None:
            return chunk
        clean, self._held = self.redactor.redact(self._held + chunk if self._held else chunk, final=final)
        return clean

    def _frame(self, data: bytes) -> None:
        end = data.rfind(b"\n") + 1
        if end:
            self._whole(self._partial + data[:end] if self._partial else data[:end] if end < len(data) else data)
            self._partial = data[end:]
        else:
            self._partial += data
        while len(self._partial) >= LINE_LIMIT:
            self.log.piece(self.mark, self._partial[:LINE_LIMIT])
            self._partial = self._partial[LINE_LIMIT:]

    def _whole(self, lines: bytes) -> None:
        """Whole lines; only the first can be over the limit, because a read is no longer than the limit itself."""
        if self.terminal:
            lines = last_states(lines)
        while (first := lines.find(b"\n")) > LINE_LIMIT:
            self.log.piece(self.mark, lines[:LINE_LIMIT])
            lines = lines[LINE_LIMIT:]
        self.log.lines(self.mark, lines)


def last_states(lines: bytes) -> bytes:
    """What a terminal shows in the end: of a line that was overwritten with carriage returns, the last state."""
    if b"\r" not in lines:
        return lines
    return b"\n".join(line.rstrip(b"\r").rpartition(b"\r")[2] for line in lines.split(b"\n"))


class Onward:
    """Our own stdout or stderr: takes what the job wrote, and never blocks the supervisor for it.

    A pipe or terminal is written to in pieces that fit when `poll` says so; what does not fit waits in `pending`, and the job is not read on
    meanwhile, so that a slow reader slows the job as it would without offduty. `broken`: the reader is gone.
    """

    def __init__(self, fd: int) -> None:
        self.fd, self.pending, self.broken = fd, b"", False
        mode = os.fstat(fd).st_mode & 0o170000
        self._blocks = mode in (0o010000, 0o140000) or (mode == 0o020000 and os.isatty(fd))  # FIFO, socket, terminal

    def write(self, data: bytes) -> None:
        """Pass bytes on, at once as far as that cannot block."""
        if self.broken:
            return
        if self._blocks:
            self.pending += data
        else:
            self._all(data)

    def flush_some(self) -> None:
        """`poll` said that the descriptor takes something."""
        try:
            self.pending = self.pending[os.write(self.fd, self.pending[:POLITE_WRITE]) :]
        except BlockingIOError:
            return
        except OSError:
            self.broken, self.pending = True, b""

    def flush(self) -> None:
        """Hand over what waits, however long the reader takes."""
        waiting, self.pending = self.pending, b""
        self._all(waiting)

    def _all(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self.fd, data) :]
        except OSError as error:
            self.broken = error.errno in (errno.EPIPE, errno.EBADF)


class Stream:
    """One pipe (or pty) from the job: read it, pass it on, log it. `fd` is -1 when it has ended."""

    def __init__(self, fd: int, lines: Lines, onward: Onward | None) -> None:
        self.fd, self.lines, self.onward = fd, lines, onward
        self.count = 0

    def read(self) -> bytes:
        """The next bytes, `b""` at the end (a pty ends with EIO when its last user has gone)."""
        try:
            chunk = os.read(self.fd, READ_SIZE)
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            chunk = b""
        if not chunk:
            self.close()
        self.count += len(chunk)
        return chunk

    def close(self) -> None:
        """Stop reading; a job that still writes gets SIGPIPE, as it would from any reader that goes."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def pipe() -> tuple[int, int]:
    """A pipe with room for a burst (1 MiB where the system allows it), read end first."""
    import fcntl

    reader, writer = os.pipe()
    try:
        fcntl.fcntl(writer, F_SETPIPE_SZ, PIPE_SIZE)
    except OSError:
        pass
    return reader, writer
