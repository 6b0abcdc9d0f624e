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
from offduty.runs.connect import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from offduty.clock import Clock
    from offduty.runs.job import Job
    from offduty.runs.logfile import LogFile
    from offduty.runs.output import Onward, Redactor, Stream
    from offduty.runs.terminal import Terminal

TIMEOUT_GRACE = 8.0  # from TERM to KILL when the time is up: the whole group is gone in ten seconds
SECOND_INTERRUPT = 2.0
LINGER_QUIET, LINGER_LONGEST = 0.25, 1.0  # a grandchild may hold the pipe for ever; what is left of two seconds is for the end
FIRST_CHORE, LONGEST_REST = 0.1, 0.002
FOLLOW_EVERY, FOLLOW_AT_ONCE = 0.1, 1 << 20
LONGEST_WAIT = 3600.0  # poll() takes no more than 24 days
PROBLEMS_KEPT = 20
MOST_FAILURES = 100
AFTER_MISTAKE_MS = 50  # a mistake made again and again must not eat the processor
REPEATED_CHORE = 0.25
REPEAT = "again"  # what a chore returns that wants to be done again
KILL_ROUNDS = 5
SHORT_NAMES = {_signal.SIGTERM: "TERM", _signal.SIGINT: "INT", _signal.SIGHUP: "HUP", _signal.SIGQUIT: "QUIT"}  # what asks a job to end
INTERRUPTS = (_signal.SIGINT, _signal.SIGHUP, _signal.SIGQUIT)


class Guard:
    """Runs what is not the job: an exception in it is kept as text in `problems`, each distinct one once, and goes no further."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def __call__(self, what: str, function: Callable[..., object], *args: object) -> object:
        """Call `function`; None if it failed."""
        try:
            failpoints.hit(what)
            return function(*args)
        except BaseException as error:  # noqa: BLE001 - also a SystemExit, or a panic in a library that is not Python
            self.keep(what, error)
            return None

    def keep(self, what: str, error: BaseException) -> None:
        """Keep `error`, which is being handled."""
        try:
            import traceback

            text = f"{what}: {''.join(traceback.format_exception(error))}"
        except Exception:  # noqa: BLE001 - no descriptor left to import it with, perhaps
            text = f"{what}: {error!r}"
        if text not in self.problems and len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(text)


class Ended:
    """How an attempt ended. `status`: as `waitpid` gives it, None if the job never started."""

    __slots__ = ("ended", "exit_code", "exit_source", "leftovers", "notes", "outcome", "overdue", "signal", "started", "status", "vanished")

    def __init__(self) -> None:
        self.status: int | None = None
        self.outcome, self.exit_code, self.exit_source = "failed", 0, "child"
        self.signal: int | None = None
        self.started = self.ended = 0.0  # monotonic
        self.overdue = False
        self.vanished = False  # a block of code whose process ended before the block did: nobody knows how
        self.leftovers: list[str] = []
        self.notes: list[str] = []


class Supervisor:
    """Watches one running job. `chores` are run while it runs, and `make_redactor` is called for its first output."""

    def __init__(self, job: Job, log: LogFile, *, clock: Clock, signals: spawn.Signals, guard: Guard) -> None:
        self.job, self.log, self.clock, self.signals, self.guard = job, log, clock, signals, guard
        self.make_redactor: Callable[[], Redactor | None] = lambda: None
        self.chores: list[tuple[str, Callable[[], object]]] = []
        self.ended = Ended()
        self.terminal: Terminal | None = None
        self._has_keyboard = False  # the job is the foreground group of the real terminal
        self._poll = select.poll()
        self._streams: dict[int, Stream] = {}
        self._onwards: list[Onward] = []
        self._blocked: dict[int, Stream] = {}  # by the descriptor that takes no more
        self._stop = ""  # why we ask it to stop: "", timed_out, terminated
        self._hurry = False  # told to stop when the job had ended already
        self._killed = False
        self._kill_at: float | None = None
        self._interrupted: tuple[int, float] | None = None
        self._last_output = self._next_chore = self._next_follow = self._gone_at = self._linger_from = 0.0
        self._redacting = False

    def start(self, command: list[str], env: Mapping[str, str], closed: frozenset[int]) -> None:
        """Start the job; raises CannotStart, or OSError. A machine short of processes, memory or descriptors gets three tries (F23)."""
        for tries_left in reversed(range(spawn.START_TRIES)):
            try:
                self._start(command, env, closed)
                break
            except OSError as error:
                if not tries_left or not spawn.is_transient(error):
                    raise
            self.clock.sleep(spawn.START_WAIT)
        self._begin_clock()

    def _start(self, command: list[str], env: Mapping[str, str], closed: frozenset[int]) -> None:
        connection = connect(self.job, self.log, closed)
        try:
            self.child = spawn.start(command, env, self.job.cwd, connection.stdio, signals=self.signals, survive=self.job.survive)
        except BaseException:
            connection.undo()
            raise
        connection.started()
        self.terminal, self._has_keyboard = connection.terminal, connection.stdio.foreground
        for stream in connection.streams:
            self._add(stream)

    def _begin_clock(self) -> None:
        self.ended.started = self._last_output = self._next_follow = self.clock.monotonic()
        self._next_chore = self.ended.started + FIRST_CHORE

    def _add(self, stream: Stream) -> None:
        os.set_blocking(stream.fd, False)
        self._streams[stream.fd] = stream
        if stream.onward is not None:
            self._onwards.append(stream.onward)

    # --- watching

    def watch(self) -> Ended:
        """Until the job has ended and its output is in the log."""
        keyboard = self.terminal.stdin if self.terminal is not None else -1
        polled = [stream.fd for stream in self._streams.values() if stream.polled]
        for fd in (self.child.fd, self.signals.fd, keyboard, *polled):
            if fd >= 0:
                self._poll.register(fd, select.POLLIN)
        while not self._over():
            try:
                for fd, _ in self._poll.poll(self._wait_ms()):
                    self._attend_safely(fd)
                self._keep_time()
            except Exception as error:  # noqa: BLE001 - as in _attend_safely
                self.guard.keep("supervise", error)
                for fd, _ in self._poll.poll(AFTER_MISTAKE_MS):
                    self._attend_safely(fd)
        self._finish()
        return self.ended

    def _attend_safely(self, fd: int) -> None:
        """A mistake of ours costs a line of the log, never the job; one that comes again and again costs the stream."""
        try:
            self._attend(fd)
        except Exception as error:  # noqa: BLE001
            self.guard.keep("supervise", error)
            stream = self._streams.get(fd)
            if stream is not None:
                stream.failures += 1
                if stream.failures > MOST_FAILURES:
                    self._hang_up(stream)

    def _attend(self, fd: int) -> None:
        """Something happened on a descriptor."""
        if fd == self.signals.fd:
            self._pass_signals()
        elif fd == self.child.fd:
            self._reap()
        elif fd in self._blocked:
            self._push(self._blocked[fd])
        elif fd in self._streams:
            self._copy(self._streams[fd])
            self._pass_waiting_keys(fd)
        elif self.terminal is not None and fd == self.terminal.stdin:
            self._take_keys()

    def _reap(self) -> None:
        self.child.reap()
        if self.child.stopped:
            self.child.stopped = False
            if self._has_keyboard:
                self._stand_still()
        if self.child.status is not None and not self._gone_at:
            self._note_gone()

    def _note_gone(self) -> None:
        """The job has ended; its output may still be on the way."""
        self._gone_at = self._linger_from = self._last_output = self.clock.monotonic()
        if self.child.fd >= 0:
            self._poll.unregister(self.child.fd)
        if self.terminal is not None:
            self.terminal.close_user()

    def _over(self) -> bool:
        """The job has ended, and so has its output: at its end, after a silence, or after as long as we can give it."""
        if self.child.status is None:
            return False
        if self._blocked and not (self._stop or self._hurry):  # a slow reader of our output gets all of it, unless we are told to stop
            return False
        if not any(stream.polled for stream in self._streams.values()):
            return True
        now = self.clock.monotonic()
        return now - self._last_output >= LINGER_QUIET or now - self._linger_from >= LINGER_LONGEST

    # --- output

    def _copy(self, stream: Stream) -> int:
        """The job wrote: on to our own output first, into the log then. How many bytes it was."""
        fd = stream.fd
        chunk = stream.read()
        if stream.fd < 0:
            self._forget(fd)
        if not chunk:
            return 0
        self._last_output = self.clock.monotonic()
        if stream.onward is not None:
            stream.onward.write(chunk)
        self._log_safely(stream, chunk)
        if stream.onward is not None and stream.onward.broken:
            self._hang_up(stream)
        elif stream.onward is not None and stream.onward.pending:
            self._pause(stream)
        stream.failures = 0
        return len(chunk)

    def _log_safely(self, stream: Stream, chunk: bytes) -> None:
        if not self.guard("log output", self._log_output, stream, chunk):
            self.log.lost += len(chunk)

    def _log_output(self, stream: Stream, chunk: bytes) -> bool:
        if not self._redacting:
            redactor = self.make_redactor()  # where this fails nothing is logged: rather no line than a secret in one
            for each in (stream, *self._streams.values()):
                each.lines.redactor = redactor
            self._redacting = True
        stream.lines.feed(chunk)
        return True

    def _pause(self, stream: Stream) -> None:
        """Whoever reads our output is slow: read no more until it has taken what waits."""
        assert stream.onward is not None
        self._ignore(stream.fd)
        self._blocked[stream.onward.poll_fd] = stream
        self._poll.register(stream.onward.poll_fd, select.POLLOUT)

    def _push(self, stream: Stream) -> None:
        assert stream.onward is not None
        stream.onward.flush_some()
        if stream.onward.pending:
            return
        self._poll.unregister(stream.onward.poll_fd)
        del self._blocked[stream.onward.poll_fd]
        self._linger_from = self._last_output = self.clock.monotonic()
        if stream.onward.broken:
            self._hang_up(stream)
        elif stream.fd >= 0 and stream.polled:
            self._listen(stream)

    def _listen(self, stream: Stream) -> None:
        """Ask for what the job writes; and for room for keys, if some wait."""
        keys_wait = self.terminal is not None and stream.fd == self.terminal.main and self.terminal.keys
        self._poll.register(stream.fd, select.POLLIN | (select.POLLOUT if keys_wait else 0))

    def _hang_up(self, stream: Stream) -> None:
        """Nobody reads our output any more: the job learns it as it would have without us, by SIGPIPE (or SIGHUP from its terminal).

        A job that is to survive us has neither: it goes on, into its log alone.
        """
        stream.onward = None
        if stream.polled and stream.fd >= 0:
            fd = stream.fd
            stream.close()
            self._forget(fd)

    def _forget(self, fd: int) -> None:
        """A stream has ended, whichever way; its descriptor may mean another file from now on."""
        stream = self._streams.pop(fd)
        self._ignore(fd)
        if self.terminal is not None and fd == self.terminal.main:
            self._ignore(self.terminal.stdin)
            self.terminal.main = -1
        self.guard("log output", stream.lines.finish)

    def _ignore(self, fd: int) -> None:
        try:
            self._poll.unregister(fd)
        except (KeyError, ValueError):
            pass

    def _follow(self, now: float) -> None:
        """`--survive`: has the job written to its files?"""
        self._next_follow = now + FOLLOW_EVERY
        for stream in list(self._streams.values()):
            taken = 0
            while not stream.polled and stream not in self._blocked.values() and taken < FOLLOW_AT_ONCE and (count := self._copy(stream)):
                taken += count
            if taken >= FOLLOW_AT_ONCE:
                self._next_follow = now

    # --- keys

    def _take_keys(self) -> None:
        assert self.terminal is not None
        more = self.terminal.take_keys()
        if self.terminal.keys or not more:
            self._ignore(self.terminal.stdin)
        stream = self._streams.get(self.terminal.main)
        if self.terminal.keys and stream is not None and stream not in self._blocked.values():
            self._listen(stream)  # the job reads slower than its user types, or pastes

    def _pass_waiting_keys(self, fd: int) -> None:
        if self.terminal is None or fd != self.terminal.main or not self.terminal.keys:
            return
        self.terminal.pass_keys()
        if not self.terminal.keys:
            self._poll.register(self.terminal.stdin, select.POLLIN)
            if self._streams[fd] not in self._blocked.values():
                self._listen(self._streams[fd])

    # --- signals

    def _pass_signals(self) -> None:
        """Every signal sent to us goes to the job's group, once; some also change what we wait for."""
        for number in self.signals.read():
            self.guard("pass signal", self._pass_signal, number)

    def _pass_signal(self, number: int) -> None:
        if number == _signal.SIGCHLD:
            self._reap()
        elif number == _signal.SIGWINCH and self.terminal is not None:
            self.terminal.resize()
        else:
            self.child.signal_group(number)
            self._note_signal(number)
            if number in spawn.STOP_SIGNALS and os.isatty(0):
                self._stand_still()

    def _note_signal(self, number: int) -> None:
        """What a signal that asks the job to end means for us."""
        if number not in SHORT_NAMES:
            return
        now, name = self.clock.monotonic(), SHORT_NAMES[number]
        if self._gone_at:
            self._hurry = True
        elif number == _signal.SIGTERM and not self._stop:
            self._stop, self._kill_at = "terminated", now + self.job.stop_grace
            self._wake()
            self._say(f"{name} came: passed on; KILL after {{}}", self.job.stop_grace)
        elif number == _signal.SIGINT and self._is_second_interrupt(now):
            self._kill_at = now
            self._say(f"{name} came again: KILL")
        else:
            self._say(f"{name} came: passed on")
        if number in INTERRUPTS:
            self._interrupted = (number, now)

    def _is_second_interrupt(self, now: float) -> bool:
        return self._interrupted is not None and self._interrupted[0] == _signal.SIGINT and now - self._interrupted[1] < SECOND_INTERRUPT

    def _wake(self) -> None:
        """A stopped job cannot act on TERM."""
        from offduty.runs.processes import look

        process = look(self.child.pid)
        if process is not None and process.state == "T":
            self.child.signal_group(_signal.SIGCONT)

    def _say(self, text: str, seconds: float = 0.0) -> None:
        self.guard("note", self._own_line, text, seconds)

    def _own_line(self, text: str, seconds: float) -> None:
        from offduty.durations import spoken

        self.log.own(text.format(spoken(seconds)))

    def _stand_still(self) -> None:
        """Ctrl-Z: stop with the job, and give the terminal back meanwhile."""
        from offduty.runs.terminal import put_in_front

        if self.terminal is not None:
            self.terminal.restore()
        if self._has_keyboard:
            put_in_front(os.getpgrp(), instead_of=self.child.pid)
            os.kill(0, _signal.SIGSTOP)  # the rest of our pipeline, too: it did not get the key, as the job was in front
        else:
            os.kill(os.getpid(), _signal.SIGSTOP)
        if self.terminal is not None:
            self.terminal.make_transparent()
        if self._has_keyboard:
            put_in_front(self.child.pid, instead_of=os.getpgrp())
        self.child.signal_group(_signal.SIGCONT)

    # --- time

    def _keep_time(self) -> None:
        """What the clock asks for: stop, kill, bring an unfinished line into the log, look into files, do a chore."""
        now = self.clock.monotonic()
        if not self._gone_at:
            self._mind_limits(now)
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at, self._killed = None, True
            if self._stop:
                self._say("still there: KILL")
            self._kill_all()
        for stream in self._streams.values():
            if (at := stream.lines.flush_at) is not None and now >= at:
                stream.lines.since = now  # should it fail: not at once again
                self.guard("log output", stream.lines.flush)
        if now >= self._next_follow:
            self._follow(now)
        if self.chores and now >= self._next_chore:
            self._do_chore(now)

    def _do_chore(self, now: float) -> None:
        """The next chore; then a rest, so that what cannot wait has its turn."""
        what, chore = self.chores.pop(0)
        again = self.guard(what, chore)
        if again is REPEAT:
            self.chores.append((what, chore))
        done = self.clock.monotonic()
        self._next_chore = done + (REPEATED_CHORE if len(self.chores) == 1 and again is REPEAT else min(done - now, LONGEST_REST))

    def _mind_limits(self, now: float) -> None:
        job, elapsed = self.job, now - self.ended.started
        stop_is_due = job.stop_at is not None and elapsed >= job.stop_at
        if job.max_duration is not None and elapsed >= job.max_duration and not self.ended.overdue:
            self.ended.overdue = True
            if not stop_is_due:
                self._say("overdue: longer than {}", job.max_duration)
        if stop_is_due and not self._stop:
            grace = min(TIMEOUT_GRACE, job.stop_grace)
            self._stop, self._kill_at = "timed_out", now + grace
            self._say("stopping: its time is up (TERM, then KILL after {})", grace)
            self.child.signal_group(_signal.SIGTERM)
            self._wake()

    def _kill_all(self) -> None:
        """The group, and descendants that left it; again, as long as they start new ones."""
        self.child.signal_group(_signal.SIGKILL)
        from offduty.runs.processes import descendants

        for _ in range(KILL_ROUNDS):
            found = descendants(os.getpid())
            for process in found:
                try:
                    os.kill(process.pid, _signal.SIGKILL)
                except (ProcessLookupError, PermissionError):
                    pass
            if not found:
                break

    def _wait_ms(self) -> int:
        """How long nothing needs us, in milliseconds."""
        now = self.clock.monotonic()
        times = [now + LONGEST_WAIT]
        times += [at for stream in self._streams.values() if (at := stream.lines.flush_at) is not None]
        if self._kill_at is not None:
            times.append(self._kill_at)
        if self._gone_at:
            if not self._blocked:
                times += [self._last_output + LINGER_QUIET, self._linger_from + LINGER_LONGEST]
        else:
            times += self._appointments()
        return max(0, int((min(times) - now) * 1000) + 1)

    def _appointments(self) -> list[float]:
        """When a running job needs us."""
        times = []
        if self.job.max_duration is not None and not self.ended.overdue:
            times.append(self.ended.started + self.job.max_duration)
        if self.job.stop_at is not None and not self._stop:
            times.append(self.ended.started + self.job.stop_at)
        if self.chores:
            times.append(self._next_chore)
        if not all(stream.polled or stream in self._blocked.values() for stream in self._streams.values()):
            times.append(self._next_follow)
        return times

    # --- the end

    def _finish(self) -> None:
        self.ended.ended = self._gone_at
        for stream in list(self._streams.values()):
            self.guard("drain", self._drain, stream)
        self.guard("hand over", self._hand_over)
        self.guard("count unpassed", self._count_unpassed)
        self._judge()
        self.guard("leftovers", self._look_for_leftovers)
        self.guard("let go", self._let_go)

    def _drain(self, stream: Stream) -> None:
        """Take what is there already, then let go of it: somebody the job left behind still holds the other end."""
        fd, left = stream.fd, stream.backlog()
        while left > 0 and (chunk := stream.read()):
            left -= len(chunk)
            if stream.onward is not None:
                stream.onward.write(chunk)
            self._log_safely(stream, chunk)
        if fd in self._streams:
            self._forget(fd)
        stream.remove()

    def _hand_over(self) -> None:
        """Give the readers of our output what waits for them, however slow they are, unless we are told to stop."""
        poll = select.poll()
        poll.register(self.signals.fd, select.POLLIN)
        waiting = {onward.poll_fd: onward for onward in self._onwards if onward.pending}
        for fd in waiting:
            poll.register(fd, select.POLLOUT)
        while waiting and not (self._stop or self._hurry):
            for fd, _ in poll.poll():
                if fd not in waiting:
                    self._attend_safely(fd)
                    continue
                waiting[fd].flush_some()
                if not waiting[fd].pending:
                    poll.unregister(fd)
                    del waiting[fd]

    def _count_unpassed(self) -> None:
        for onward in self._onwards:
            if onward.lost:
                name = "stdout" if onward.fd == 1 else "stderr"
                self.ended.notes.append(f"{onward.lost} bytes could not be passed on to {name} ({onward.trouble})")

    def _let_go(self) -> None:
        """Close what is ours and give the terminal back."""
        for onward in self._onwards:
            onward.close()
        self.child.close()
        if self.terminal is not None:
            self.terminal.restore()
        if self._has_keyboard:
            from offduty.runs.terminal import put_in_front

            put_in_front(os.getpgrp(), instead_of=self.child.pid)

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
        ours = self._killed and ended.signal == _signal.SIGKILL  # our own KILL: what was asked of us was something else
        if self._stop == "timed_out":
            ended.outcome, ended.exit_code, ended.exit_source = "timed_out", TIMED_OUT, "offduty"
        elif self._stop == "terminated":
            ended.outcome = "terminated"
            if ours:
                ended.exit_code, ended.exit_source = 128 + _signal.SIGTERM, "offduty"
        elif self._was_interrupted():
            ended.outcome = "terminated"
            if ours and self._interrupted:
                ended.exit_code, ended.exit_source = 128 + self._interrupted[0], "offduty"
        elif ended.outcome == "succeeded" and ended.overdue:
            ended.outcome = "warned"

    def _was_interrupted(self) -> bool:
        """Whether it ended because of Ctrl-C or the like, and not by a failure of its own some time after it."""
        code = self.ended.exit_code
        if self._interrupted is None or code == 0:  # a job in front of the terminal gets the key itself
            return self._has_keyboard and code in (128 + _signal.SIGINT, 128 + _signal.SIGQUIT)
        number, when = self._interrupted
        return self._killed or code == 128 + number or self._gone_at - when <= self.job.stop_grace
