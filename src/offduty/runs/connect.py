"""What stands between the job's standard descriptors and ours: pipes, a terminal, or files that outlive us."""

from __future__ import annotations

import os

from offduty.runs.logfile import ERR, OUT
from offduty.runs.output import Followed, Lines, Onward, Stream, pipe
from offduty.runs.spawn import Stdio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from offduty.runs.job import Job
    from offduty.runs.logfile import LogFile
    from offduty.runs.terminal import Terminal


class Connection:
    """`stdio`: what the job gets; `streams`: our ends; `theirs`: descriptors that are the job's alone once it has been started."""

    def __init__(self) -> None:
        self.streams: list[Stream] = []
        self.onwards: list[Onward] = []
        self.theirs: list[int] = []
        self.terminal: Terminal | None = None
        self.stdio = Stdio(-1, -1)

    def onward(self, fd: int, closed: frozenset[int]) -> Onward | None:
        """Our own descriptor `fd`, None if it was closed."""
        if fd in closed:
            return None
        self.onwards.append(Onward(fd))
        return self.onwards[-1]

    def pipe(self, log: LogFile, mark: bytes, onward: Onward | None) -> int:
        """One more pipe: the job's end."""
        reader, writer = pipe()
        self.theirs.append(writer)
        self.streams.append(Stream(reader, Lines(mark, log), onward))
        return writer

    def file(self, path: str, log: LogFile, mark: bytes, onward: Onward | None) -> int:
        """One more file that we follow: the job's descriptor of it."""
        stream = Followed(path, Lines(mark, log), onward)
        self.theirs.append(stream.write_fd)
        self.streams.append(stream)
        return stream.write_fd

    def started(self) -> None:
        """The job has its descriptors: let go of them, or we would never see their end."""
        while self.theirs:
            os.close(self.theirs.pop())

    def undo(self) -> None:
        """The job was not started."""
        self.started()
        if self.terminal is not None:
            self.terminal.restore()
            self.terminal.close_user()
        for stream in self.streams:
            stream.remove()
        for onward in self.onwards:
            onward.close()


def connect(job: Job, log: LogFile, closed: frozenset[int]) -> Connection:
    """Everything for one start; `closed` are the standard descriptors that were closed when we began. Raises OSError."""
    connection = Connection()
    try:
        stdin = -1 if 0 in closed else None
        out, err = connection.onward(1, closed), connection.onward(2, closed)
        if job.survive and log.path:
            connection.stdio = _files(connection, log, out, err, stdin)
        elif job.pty == "always" or (job.pty == "auto" and os.isatty(1)):
            connection.stdio = _terminal(connection, log, out, err, stdin)
        else:
            connection.stdio = _pipes(connection, log, out, err, stdin)
    except BaseException:
        connection.undo()
        raise
    return connection


def _pipes(connection: Connection, log: LogFile, out: Onward | None, err: Onward | None, stdin: int | None) -> Stdio:
    return Stdio(connection.pipe(log, OUT, out), connection.pipe(log, ERR, err), stdin=stdin, foreground=_has_keyboard(stdin))


def _files(connection: Connection, log: LogFile, out: Onward | None, err: Onward | None, stdin: int | None) -> Stdio:
    """`--survive`: neither a pipe nor a terminal of ours may be the job's, as both end with us."""
    writers = connection.file(f"{log.path}.out", log, OUT, out), connection.file(f"{log.path}.err", log, ERR, err)
    return Stdio(*writers, stdin=stdin, foreground=_has_keyboard(stdin))


def _terminal(connection: Connection, log: LogFile, out: Onward | None, err: Onward | None, stdin: int | None) -> Stdio:
    """A pty; stderr shares it where ours is a terminal, too, and is told apart where it is not."""
    from offduty.runs.terminal import Terminal

    terminal = connection.terminal = Terminal(0, 1)
    connection.streams.append(Stream(terminal.main, Lines(OUT, log, terminal=True), out))
    if terminal.stdin >= 0:
        stdin = terminal.user
        terminal.make_transparent()
    on_terminal = os.isatty(1) and os.isatty(2)
    return Stdio(terminal.user, terminal.user if on_terminal else connection.pipe(log, ERR, err), stdin=stdin, session=True)


def _has_keyboard(stdin: int | None) -> bool:
    """Whether the job must be the terminal's foreground group to read what is typed."""
    if stdin is not None or not os.isatty(0):
        return False
    from offduty.runs.terminal import is_foreground

    return is_foreground(0)
