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
FIFO, CHARACTERS, SOCKET, FILE_TYPE = 0o010000, 0o020000, 0o140000, 0o170000
SETTLE = 0.5  # the beginning of a line is kept back for so long, in case the rest comes
FREE_EVERY = 16 << 20
PUNCH_HOLE = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE


class Lines:
    """One stream on its way into the log: keeps what is not a whole line yet, and what may be half a secret."""

    def __init__(self, mark: bytes, log: LogFile, *, terminal: bool = False) -> None:
        self.mark, self.log, self.terminal = mark, log, terminal
        self.redactor: Redactor | None = None
        self._held = b""
        self._partial = b""
        self.since = 0.0  # when the beginning of the line came

    @property
    def flush_at(self) -> float | None:
        """When (monotonic) the beginning of a line should be flushed; None if none waits. A progress bar waits for its last state."""
        return self.since + SETTLE if self._partial and not (self.terminal and b"\r" in self._partial) else None

    def feed(self, chunk: bytes) -> None:
        """Take bytes just read."""
        self._frame(self._clean(chunk, final=False))

    def flush(self) -> None:
        """The rest of the line does not come: bring its beginning into the file. What may be half a secret stays back."""
        partial, self._partial = self._partial, b""
        if partial:
            self.log.piece(self.mark, last_states(partial) if self.terminal else partial)

    def finish(self) -> None:
        """Nothing will come any more."""
        self._frame(self._clean(b"", final=True))
        self.flush()

    def _clean(self, chunk: bytes, *, final: bool) -> bytes:
        if self.redactor is None:
            return chunk
        held, self._held = self._held, b""
        try:
            clean, self._held = self.redactor.redact(held + chunk if held else chunk, final=final)
        except BaseException:
            self.log.lost += len(held)  # the chunk itself is counted where the exception is caught
            raise
        return clean

    def _frame(self, data: bytes) -> None:
        end = data.rfind(b"\n") + 1
        if not self._partial or end:
            self.since = self.log.clock.monotonic()
        if end:
            self._whole(self._partial + data[:end] if self._partial else data[:end] if end < len(data) else data)
            self._partial = data[end:]
        else:
            self._partial += data
        while len(self._partial) >= LINE_LIMIT:
            self._cut()

    def _cut(self) -> None:
        """The beginning of a line is too long to be kept back. Of one that a terminal overwrote, only what it shows counts."""
        partial = self._partial
        if self.terminal and b"\r" in partial:
            state, end = last_states(partial), partial[len(partial.rstrip(b"\r")) :][:1]
            if len(state) < LINE_LIMIT // 2:
                self._partial = b"\r" + state + end  # the first one for `flush_at`: this line is being written over
                return
        self._partial = partial[LINE_LIMIT:]
        self.log.piece(self.mark, partial[:LINE_LIMIT])

    def _whole(self, lines: bytes) -> None:
        """Whole lines, into the file at once. One over the limit is cut: where it is, it covers the byte at the limit."""
        if self.terminal:
            lines = last_states(lines)
        while len(lines) > LINE_LIMIT:
            start, end = lines.rfind(b"\n", 0, LINE_LIMIT) + 1, lines.find(b"\n", LINE_LIMIT)
            if end - start <= LINE_LIMIT:
                break
            if start:
                self.log.lines(self.mark, lines[:start])
            self.log.piece(self.mark, lines[start : start + LINE_LIMIT])
            lines = lines[start + LINE_LIMIT :]
        self.log.lines(self.mark, lines)


def last_states(lines: bytes) -> bytes:
    """What a terminal shows in the end: of a line that was overwritten with carriage returns, the last state."""
    if b"\r" not in lines:
        return lines
    return b"\n".join(line.rstrip(b"\r").rpartition(b"\r")[2] for line in lines.split(b"\n"))


class Onward:
    """Our own stdout or stderr: takes what the job wrote, and never blocks the supervisor for it.

    What a pipe or terminal does not take at once waits in `pending` until `poll` says that `poll_fd` takes more, and the job is not read
    on meanwhile, so that a slow reader slows the job as it would without offduty. `broken`: the reader is gone. `lost`: bytes that were
    refused for another reason (a file on a full disk), with the first such `trouble` as text.
    """

    def __init__(self, fd: int) -> None:
        self.fd = self.poll_fd = fd
        self.pending, self.broken, self.lost, self.trouble = b"", False, 0, ""
        kind = os.fstat(fd).st_mode & FILE_TYPE
        self._blocks = kind in (FIFO, SOCKET) or (kind == CHARACTERS and os.isatty(fd))
        self._piece = POLITE_WRITE
        if self._blocks and kind != SOCKET:
            self._reopen()

    def _reopen(self) -> None:
        """Open the pipe or terminal once more, to write to it without blocking: that flag on `fd` itself would be everybody's."""
        try:
            self.poll_fd = os.open(f"/proc/self/fd/{self.fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return  # not ours to open (after su, for one): small pieces, each after a poll, must do
        self._piece = PIPE_SIZE

    def write(self, data: bytes) -> None:
        """Pass bytes on, as far as that cannot block; the rest waits in `pending`."""
        if self.broken:
            return
        if not self._blocks:
            self._all(data)
        elif self.pending:
            self.pending += data
        else:
            self.pending = data
            if self.poll_fd != self.fd:
                self.flush_some()

    def flush_some(self) -> None:
        """`poll` said that the descriptor takes something."""
        try:
            self.pending = self.pending[os.write(self.poll_fd, self.pending[: self._piece]) :]
        except BlockingIOError:
            return
        except OSError as error:
            self._refused(error, len(self.pending))
            self.pending = b""

    def _all(self, data: bytes) -> None:
        """Into a file: that never blocks for long."""
        done = 0
        try:
            while done < len(data):
                done += os.write(self.fd, data[done:] if done else data)
        except OSError as error:
            self._refused(error, len(data) - done)

    def _refused(self, error: OSError, lost: int) -> None:
        if error.errno == errno.EPIPE:
            self.broken = True
        else:
            self.lost += lost
            self.trouble = self.trouble or f"{errno.errorcode.get(error.errno or 0, 'error')}, {os.strerror(error.errno or 0).lower()}"

    def close(self) -> None:
        """Let go of what was opened here; `fd` stays."""
        if self.poll_fd != self.fd:
            os.close(self.poll_fd)
            self.poll_fd = self.fd


class Stream:
    """One pipe (or pty) from the job: read it, pass it on, log it. `fd` is -1 when it has ended; `failures`: mistakes of ours in a row."""

    polled = True

    def __init__(self, fd: int, lines: Lines, onward: Onward | None) -> None:
        self.fd, self.lines, self.onward = fd, lines, onward
        self.count = self.failures = 0

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

    def backlog(self) -> int:
        """At most so many bytes wait to be read."""
        return PIPE_SIZE

    def close(self) -> None:
        """Stop reading; a job that still writes gets SIGPIPE, as it would from any reader that goes."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def remove(self) -> None:
        """Nothing of it is needed any more."""
        self.close()


class Followed(Stream):
    """A file that the job writes to and we read as it grows: the job can go on without us (`--survive`). Its end is never reached."""

    polled = False

    def __init__(self, path: str, lines: Lines, onward: Onward | None) -> None:
        flags = os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        self.path, self.write_fd = path, os.open(path, os.O_WRONLY | os.O_APPEND | flags, 0o600)
        super().__init__(os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW), lines, onward)
        self._freed = 0

    def read(self) -> bytes:
        """The next bytes, `b""` when nothing was added."""
        chunk = os.read(self.fd, READ_SIZE)
        self.count += len(chunk)
        if self.count - self._freed >= FREE_EVERY:
            self._free()
        return chunk

    def _free(self) -> None:
        """Give the disk back what is in the log already. Never truncate: the job may be writing just then."""
        import ctypes

        ctypes.CDLL(None).fallocate(self.fd, PUNCH_HOLE, ctypes.c_int64(self._freed), ctypes.c_int64(self.count - self._freed))
        self._freed = self.count

    def backlog(self) -> int:
        """What is in the file and not read."""
        return os.fstat(self.fd).st_size - self.count

    def remove(self) -> None:
        """The job has ended and all of it is in the log."""
        self.close()
        try:
            os.unlink(self.path)
        except OSError:
            pass


def pipe() -> tuple[int, int]:
    """A pipe with room for a burst (1 MiB where the system allows it), read end first."""
    import fcntl

    reader, writer = os.pipe()
    try:
        fcntl.fcntl(writer, F_SETPIPE_SZ, PIPE_SIZE)
    except OSError:
        pass
    return reader, writer
