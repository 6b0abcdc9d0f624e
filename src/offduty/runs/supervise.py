"""One attempt at a job: start it, pass its output and our signals on, wait, and say how it ended.

The contract, in order: the job is started before anything heavy is imported; its bytes go on as they are; every signal reaches it once;
it is stopped when its time is up; we are gone within two seconds of its end; and no fault of ours (`Guard`) changes any of this.
"""

from __future__ import annotations

import _signal
import os
import select

from offduty import failpoints
from offduty.errors import TIMED_OUT
from offduty.runs import spawn
from offduty.runs.logfile import ERR, OUT
from offduty.runs.output import PIPE_SIZE, READ_SIZE, Lines, Onward, Stream, pipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from offduty.clock import Clock
    from offduty.runs.job import Job
    from offduty.runs.logfile import LogFile
    from offduty.runs.output import Redactor

TIMEOUT_GRACE = 8.0  # from TERM to KILL when the time is up: the whole group is gone in ten seconds
SECOND_INTERRUPT = 2.0
LINGER_QUIET, LINGER_LONGEST = 0.25, 1.5  # a grandchild may hold the pipe for ever
SETTLE = 0.5  # an unfinished line comes into the log after this much silence
FIRST_CHORE, NEXT_CHORE = 0.1, 0.01
PROBLEMS_KEPT = 20
ENDING_SIGNALS = (_signal.SIGINT, _signal.SIGHUP, _signal.SIGQUIT)


class Guard:
    """Runs what is not the job: an exception in it is kept as text in `problems` and goes no further."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def __call__(self, what: str, function: Callable[..., object], *args: object) -> object:
        """Call `function`; None if it failed."""
        try:
            failpoints.hit(what)
            return function(*args)
        except Exception:
            self.keep(what)
            return None

    def keep(self, what: str) -> None:
        """Keep the exception being handled."""
        import traceback

        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(f"{what}: {traceback.format_exc()}")


class Ended:
    """How an attempt ended. `status`: as `waitpid` gives it, None if the job never started."""

    __slots__ = ("ended", "exit_code", "exit_source", "leftovers", "outcome", "overdue", "signal", "started", "status", "vanished")

    def __init__(self) -> None:
        self.status: int | None = None
        self.outcome, self.exit_code, self.exit_source = "failed", 0, "child"
        self.signal: int | None = None
        self.started = self.ended = 0.0  # monotonic
        self.overdue = False
        self.vanished = False  # a block of code whose process ended before the block did: nobody knows how
        self.leftovers: list[str] = []


class Supervisor:
    """Watches one running job. `started` is called once with the child, right after it was started; `chores` are run while it runs."""

    def __init__(self, job: Job, log: LogFile, *, clock: Clock, signals: spawn.Signals, guard: Guard) -> None:
        self.job, self.log, self.clock, self.signals, self.guard = job, log, clock, signals, guard
        self.make_redactor: Callable[[], Redactor | None] = lambda: None
        self.chores: list[tuple[str, Callable[[], object]]] = []
        self.ended = Ended()
        self.terminal: Terminal | None = None
        self._poll = select.poll()
        self._streams: dict[int, Stream] = {}
        self._blocked: dict[int, Stream] = {}
        self._stop = ""  # why we ask it to stop: "", timed_out, terminated
        self._kill_at: float | None = None
        self._interrupted: tuple[int, float] | None = None
        self._last_output = self._next_chore = self._gone_at = self._linger_from = 0.0
        self._redacting = False

    def start(self, command: list[str], env: Mapping[str, str], closed: frozenset[int]) -> None:
        """Start the job; raises CannotStart."""
        stdio = self._connect(closed)
        try:
            self.child = self._try_start(command, env, stdio)
        except BaseException:
            self._let_go()
            raise
        finally:
            for fd in {stdio.out, stdio.err}:
                os.close(fd)
        self._begin_clock()

    def _begin_clock(self) -> None:
        self.ended.started = self._last_output = self.clock.monotonic()
        self._next_chore = self.ended.started + FIRST_CHORE

    def _connect(self, closed: frozenset[int]) -> spawn.Stdio:
        """Make the pipes or the pty; `closed` are the standard descriptors that were closed when we began."""
        stdin = -1 if 0 in closed else None
        out, err = (None if fd in closed else Onward(fd) for fd in (1, 2))
        if self._wants_terminal():
            return self._connect_terminal(stdin, out, err)
        out_read, out_write = pipe()
        err_read, err_write = pipe()
        self._add(Stream(out_read, Lines(OUT, self.log), out))
        self._add(Stream(err_read, Lines(ERR, self.log), err))
        foreground = False
        if stdin is None and os.isatty(0):
            from offduty.runs.terminal import is_foreground

            foreground = is_foreground(0)
        return spawn.Stdio(out_write, err_write, stdin=stdin, foreground=foreground)

    def _wants_terminal(self) -> bool:
        return self.job.pty == "always" or (self.job.pty == "auto" and os.isatty(1))

    def _connect_terminal(self, stdin: int | None, out: Onward | None, err: Onward | None) -> spawn.Stdio:
        from offduty.runs.terminal import Terminal

        self.terminal = Terminal(0, 1)
        self._add(Stream(self.terminal.main, Lines(OUT, self.log, terminal=True), out))
        user = self.terminal.user
        if self.terminal.stdin >= 0:
            stdin = user
            self.terminal.make_transparent()
            self._poll.register(self.terminal.stdin, select.POLLIN)
        if os.isatty(2):
            return spawn.Stdio(user, user, stdin=stdin, session=True)
        err_read, err_write = pipe()
        self._add(Stream(err_read, Lines(ERR, self.log), err))
        return spawn.Stdio(user, err_write, stdin=stdin, session=True)

    def _add(self, stream: Stream) -> None:
        os.set_blocking(stream.fd, False)
        self._streams[stream.fd] = stream

    def _try_start(self, command: list[str], env: Mapping[str, str], stdio: spawn.Stdio) -> spawn.Child:
        """A machine that is short of processes, memory or descriptors gets three tries (F23)."""
        for _ in range(spawn.START_TRIES - 1):
            try:
                return spawn.start(command, env, self.job.cwd, stdio, signals=self.signals, survive=self.job.survive)
            except OSError as error:
                if not spawn.is_transient(error):
                    raise
                self.clock.sleep(spawn.START_WAIT)
        return spawn.start(command, env, self.job.cwd, stdio, signals=self.signals, survive=self.job.survive)

    def watch(self) -> Ended:
        """Until the job has ended and its output is in the log."""
        for fd in (self.child.fd, self.signals.fd, *self._streams):
            self._poll.register(fd, select.POLLIN)
        while not self._over():
            for fd, _ in self._poll.poll(self._wait_ms()):
                self._attend_safely(fd)
            self._keep_time()
        self._finish()
        return self.ended

    def _attend_safely(self, fd: int) -> None:
        """A mistake of ours costs the log of that stream, never the job."""
        try:
            self._attend(fd)
        except Exception:
            self.guard.keep("supervise")
            if fd in self._streams:
                self._hang_up(self._streams[fd], fd)

    def _attend(self, fd: int) -> None:
        """Something happened on a descriptor."""
        if fd == self.signals.fd:
            self._pass_signals()
        elif fd == self.child.fd:
            self.child.reap()
            if self.child.status is not None:
                self._note_gone()
        elif fd in self._streams:
            self._copy(self._streams[fd])
        elif fd in self._blocked:
            self._push(self._blocked[fd])
        elif self.terminal is not None and not self.terminal.pass_keys():
            self._poll.unregister(fd)

    def _note_gone(self) -> None:
        """The job has ended; its output may still be on the way."""
        self._gone_at = self._linger_from = self._last_output = self.clock.monotonic()
        self._poll.unregister(self.child.fd)

    def _copy(self, stream: Stream) -> None:
        """The job wrote: on to our own output first, into the log then."""
        fd = stream.fd
        chunk = stream.read()
        if stream.fd < 0:
            self._forget(fd)
            return
        if not chunk:
            return
        self._last_output = self.clock.monotonic()
        if stream.onward is not None:
            stream.onward.write(chunk)
            if stream.onward.pending:
                self._pause(stream)
            if stream.onward.broken:
                self._hang_up(stream, fd)
        self._log_safely(stream, chunk)

    def _log_safely(self, stream: Stream, chunk: bytes) -> None:
        if not self.guard("log output", self._log_output, stream, chunk):
            self.log.lost += len(chunk)

    def _log_output(self, stream: Stream, chunk: bytes) -> bool:
        if not self._redacting:
            redactor = self.make_redactor()  # where this fails nothing is logged: rather no line than a secret in one
            for each in self._streams.values():
                each.lines.redactor = redactor
            self._redacting = True
        stream.lines.feed(chunk)
        return True

    def _pause(self, stream: Stream) -> None:
        """Whoever reads our output is slow: read no more until it has taken what waits."""
        assert stream.onward is not None
        self._poll.unregister(stream.fd)
        self._blocked[stream.onward.fd] = stream
        self._poll.register(stream.onward.fd, select.POLLOUT)

    def _push(self, stream: Stream) -> None:
        assert stream.onward is not None
        stream.onward.flush_some()
        if stream.onward.pending:
            return
        self._poll.unregister(stream.onward.fd)
        del self._blocked[stream.onward.fd]
        self._linger_from = self._last_output = self.clock.monotonic()
        if stream.onward.broken:
            self._hang_up(stream, stream.fd)
        elif stream.fd >= 0:
            self._poll.register(stream.fd, select.POLLIN)

    def _hang_up(self, stream: Stream, fd: int) -> None:
        """Nobody reads our output any more: the job learns it as it would have without us, by SIGPIPE."""
        if self.terminal is None:
            stream.close()
            self._forget(fd)

    def _forget(self, fd: int) -> None:
        stream = self._streams.pop(fd)
        try:
            self._poll.unregister(fd)
        except KeyError:
            pass
        self.guard("log output", stream.lines.finish)

    def _pass_signals(self) -> None:
        """Every signal sent to us goes to the job's group, once; some also change what we wait for."""
        for number in self.signals.read():
            if number == _signal.SIGCHLD:
                self.child.reap()
            elif number == _signal.SIGWINCH and self.terminal is not None:
                self.terminal.resize()
            else:
                self._note_signal(number)
                self.child.signal_group(number)
                if number in spawn.STOP_SIGNALS and os.isatty(0):
                    self._stand_still()

    def _note_signal(self, number: int) -> None:
        now = self.clock.monotonic()
        if number == _signal.SIGTERM and not self._stop:
            self._stop, self._kill_at = "terminated", now + self.job.stop_grace
        elif number == _signal.SIGINT and self._interrupted and now - self._interrupted[1] < SECOND_INTERRUPT:
            self._kill_at = now
        if number in ENDING_SIGNALS:
            self._interrupted = (number, now)

    def _stand_still(self) -> None:
        """Ctrl-Z: stop with the job, and give the terminal back meanwhile."""
        if self.terminal is not None:
            self.terminal.restore()
        os.kill(os.getpid(), _signal.SIGSTOP)
        if self.terminal is not None:
            self.terminal.make_transparent()
        self.child.signal_group(_signal.SIGCONT)

    def _keep_time(self) -> None:
        """What the clock asks for: stop, kill, bring an unfinished line into the log, do a chore."""
        now = self.clock.monotonic()
        elapsed = now - self.ended.started
        if self.job.max_duration is not None and elapsed > self.job.max_duration and not self.ended.overdue and not self._gone_at:
            self.ended.overdue = True
        if self.job.stop_at is not None and elapsed >= self.job.stop_at and not self._stop and not self._gone_at:
            self._stop, self._kill_at = "timed_out", now + min(TIMEOUT_GRACE, self.job.stop_grace)
            self.child.signal_group(_signal.SIGTERM)
            self.child.signal_group(_signal.SIGCONT)  # a stopped job cannot act on TERM
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            self._kill_all()
        if now - self._last_output >= SETTLE:
            for stream in self._streams.values():
                if stream.lines.unfinished:
                    self.guard("log output", stream.lines.flush)
        if self.chores and now >= self._next_chore:
            what, chore = self.chores.pop(0)
            self.guard(what, chore)
            self._next_chore = self.clock.monotonic() + NEXT_CHORE

    def _kill_all(self) -> None:
        """The group, and descendants that left it."""
        self.child.signal_group(_signal.SIGKILL)
        from offduty.runs.processes import descendants

        for process in descendants(os.getpid()):
            try:
                os.kill(process.pid, _signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass

    def _wait_ms(self) -> int | None:
        """Until when nothing needs us, in milliseconds; None: until something happens."""
        now = self.clock.monotonic()
        times = []
        if self._gone_at:
            times.append(self._last_output + LINGER_QUIET)
            times.append(self._linger_from + LINGER_LONGEST)
        else:
            if self.job.max_duration is not None and not self.ended.overdue:
                times.append(self.ended.started + self.job.max_duration)
            if self.job.stop_at is not None and not self._stop:
                times.append(self.ended.started + self.job.stop_at)
            if self.chores:
                times.append(self._next_chore)
        if self._kill_at is not None:
            times.append(self._kill_at)
        if any(stream.lines.unfinished for stream in self._streams.values()):
            times.append(self._last_output + SETTLE)
        return max(0, int((min(times) - now) * 1000) + 1) if times else None

    def _over(self) -> bool:
        """The job has ended, and so has its output: at its end, after a silence, or after as long as we can give it."""
        if self.child.status is None:
            return False
        if self._blocked and not self._stop:  # a slow reader of our output gets all of it, unless we are told to stop
            return False
        now = self.clock.monotonic()
        return not self._streams or now - self._last_output >= LINGER_QUIET or now - self._linger_from >= LINGER_LONGEST

    def _finish(self) -> None:
        self.ended.ended = self._gone_at
        for stream in list(self._streams.values()):
            self._drain(stream)
        self._judge()
        self.guard("leftovers", self._look_for_leftovers)
        self._let_go()

    def _drain(self, stream: Stream) -> None:
        """Take what is in the pipe already, then let go of it: somebody the job left behind still holds the other end."""
        fd = stream.fd
        for _ in range(PIPE_SIZE // READ_SIZE):
            if not (chunk := stream.read()):
                break
            if stream.onward is not None:
                stream.onward.write(chunk)
            self._log_safely(stream, chunk)
        if fd in self._streams:
            self._forget(fd)
        stream.close()
        if stream.onward is not None and not self._stop:
            stream.onward.flush()

    def _let_go(self) -> None:
        """Close what is ours and give the terminal back; also when the job never started."""
        if self.terminal is not None:
            self.terminal.restore()
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()
        if hasattr(self, "child"):
            self.child.close()

    def _look_for_leftovers(self) -> None:
        """Processes the job left behind are ours now (we are their subreaper): name them, end them if that is asked for."""
        if not self.child.reap():
            return
        from offduty.runs.processes import descendants

        self.ended.leftovers = [f"{process.pid} {process.name}" for process in descendants(os.getpid())]
        if self.job.kill_leftovers or self._stop:
            self._kill_all()

    def _judge(self) -> None:
        """Outcome, exit code and whose it is."""
        ended, status = self.ended, self.child.status
        assert status is not None
        ended.status = status
        ended.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        ended.exit_code = 128 + ended.signal if ended.signal is not None else os.WEXITSTATUS(status)
        ended.outcome = "succeeded" if ended.exit_code == 0 else "failed"
        if self._stop == "timed_out":
            ended.outcome, ended.exit_code, ended.exit_source = "timed_out", TIMED_OUT, "offduty"
        elif self._stop == "terminated":
            ended.outcome = "terminated"
            if ended.signal == _signal.SIGKILL:  # our own KILL: what was asked of us was TERM
                ended.exit_code, ended.exit_source = 128 + _signal.SIGTERM, "offduty"
        elif self._interrupted and ended.exit_code != 0:
            ended.outcome = "terminated"
        elif ended.outcome == "succeeded" and ended.overdue:
            ended.outcome = "warned"


if TYPE_CHECKING:
    from offduty.runs.terminal import Terminal
