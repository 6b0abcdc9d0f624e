"""Start the job's process so that nothing about it differs from a start without offduty, and hold its reins.

Plain `os.fork` and `os.execve`, and not `subprocess`: that module costs 8 ms of imports and cannot ask for the signal which ends the
child when offduty dies. Numbers below are Linux's own (`<sys/prctl.h>`, `<sys/signalfd.h>`); `_signal` is what `signal` wraps in enums
at 4 ms.
"""

from __future__ import annotations

import _signal
import ctypes
import errno
import os
import sys

from offduty.errors import NOT_EXECUTABLE, NOT_FOUND, OFFDUTY_FAILED, CannotStart, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SFD_FLAGS = 0o2000000 | 0o4000  # close on exec, non-blocking
SIGNALFD_RECORD, SIGSET_BYTES = 128, 128
NOT_FOR_US = (_signal.SIGKILL, _signal.SIGSTOP)
REALTIME = range(34, 65)  # 32 and 33 are the C library's own
OF_OUR_WRITING = (_signal.SIGPIPE, _signal.SIGXFSZ)  # a blocked signal is kept, even where it is ignored
STOP_SIGNALS = (_signal.SIGTSTP, _signal.SIGTTIN, _signal.SIGTTOU)
OOM_SCORE_RAISE = 200
TRANSIENT = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
START_TRIES, START_WAIT = 3, 2.5

_libc = ctypes.CDLL(None, use_errno=True)


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], sys.byteorder)


class Signals:
    """Every signal sent to offduty, as readable events on `fd` instead of interruptions.

    The signals are blocked and read from a signalfd, so nothing is lost between two looks and no handler runs in the middle of a write.
    """

    def __init__(self) -> None:
        numbers = [number for number in (*range(1, 32), *REALTIME) if number not in NOT_FOR_US]
        self.before = _signal.pthread_sigmask(_signal.SIG_BLOCK, numbers)
        # Where our parent ignores SIGCHLD, the kernel would throw away how the job ended. The job itself gets it as it would without us.
        self.child_was = _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
        mask = bytearray(SIGSET_BYTES)
        for number in numbers:
            mask[(number - 1) // 8] |= 1 << (number - 1) % 8
        self.fd = _libc.signalfd(-1, bytes(mask), SFD_FLAGS)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "signalfd")

    def read(self) -> list[int]:
        """The numbers of the signals that came since the last read, oldest first; not those that our own writing brought about."""
        try:
            data = os.read(self.fd, SIGNALFD_RECORD * 32)
        except BlockingIOError:
            return []
        came = [(_number(data, at), _number(data, at + 12)) for at in range(0, len(data), SIGNALFD_RECORD)]  # ssi_signo, ssi_pid
        return [number for number, sender in came if number not in OF_OUR_WRITING or sender != os.getpid()]

    def close(self) -> None:
        """Give the signals back to whoever runs after us."""
        os.close(self.fd)
        if self.child_was is not None:
            _signal.signal(_signal.SIGCHLD, self.child_was)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, self.before)


def become_subreaper() -> None:
    """Orphans of the job become our children, so that they can be named, and reaped when offduty is process 1 of a container."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Stdio:
    """The three descriptors the job gets, and how it stands to the terminal.

    `out`, `err`: what becomes its stdout and stderr; `stdin`: a descriptor, or None to inherit (`-1`: closed, as we found it);
    `session`: the job leads a session of its own with `out` as its controlling terminal; `foreground`: it becomes the terminal's
    foreground group.
    """

    __slots__ = ("err", "foreground", "out", "session", "stdin")

    def __init__(self, out: int, err: int, *, stdin: int | None = None, session: bool = False, foreground: bool = False) -> None:
        self.out, self.err, self.stdin, self.session, self.foreground = out, err, stdin, session, foreground


class Child:
    """A process we started: `pid` leads its own process group; `fd` becomes readable when it has ended, or is -1 (SIGCHLD alone tells).

    `status`: as `waitpid` gives it, None while it lives; `stopped`: whether it was stopped since this was last set to False.
    """

    def __init__(self, pid: int) -> None:
        self.pid, self.fd = pid, -1
        self.status: int | None = None
        self.stopped = False
        try:
            self.fd = os.pidfd_open(pid)
        except OSError:  # no descriptor left, or a kernel before 5.3: the job is running, and that is what matters
            pass

    def reap(self) -> bool:
        """Collect whatever ended: the job, and any orphan that was handed to us. Whether any live on."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self.pid and os.WIFSTOPPED(status):
                self.stopped = True
            elif pid == self.pid:
                self.status = status

    def signal_group(self, number: int) -> None:
        """Send a signal to the job's process group; nothing to do if all are gone."""
        if self.status is not None and not self._has_group():
            return  # the number may be another's by now
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def _has_group(self) -> bool:
        """Whether, the leader being gone, somebody of its group still descends from us."""
        from offduty.runs.processes import descendants

        return any(process.group == self.pid for process in descendants(os.getpid()))

    def close(self) -> None:
        """Let go of the process's descriptor."""
        if self.fd >= 0:
            os.close(self.fd)


def start(command: list[str], env: Mapping[str, str], cwd: str | None, stdio: Stdio, *, signals: Signals, survive: bool) -> Child:
    """Start `command`; raises CannotStart with the exit status `env` would have given (126, 127), or an OSError worth trying again."""
    candidates = _candidates(command[0], env.get("PATH", os.defpath))
    told, tell = os.pipe()
    parent = os.getpid()
    try:
        pid = os.fork()
        if pid == 0:
            _become(command, candidates, env, cwd, stdio, tell, signals, 0 if survive else parent)
        os.close(tell)
        tell = -1
        trouble = _read_all(told)
    finally:
        for fd in {told, tell} - {-1}:
            os.close(fd)
    if not trouble:
        return Child(pid)
    os.waitpid(pid, 0)
    step, _, number = trouble.decode("ascii").partition(" ")
    raise _refusal(step, int(number), command[0], cwd)


def reap_orphans() -> None:
    """Collect the processes that the job left to us and that have ended since."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def is_transient(error: OSError) -> bool:
    """Whether a start that failed so may work a moment later (F23)."""
    return error.errno in TRANSIENT


def _candidates(program: str, path: str) -> list[str]:
    """The files to try, as `execvp(3)` does: with a slash as it is, else along `PATH` (an empty entry is the current folder)."""
    if "/" in program:
        return [program]
    return [f"{folder or '.'}/{program}" for folder in path.split(":")]


def _become(
    command: list[str], candidates: Iterable[str], env: Mapping[str, str], cwd: str | None,
    stdio: Stdio, tell: int, signals: Signals, die_with: int,
) -> None:  # fmt: skip
    """In the new process: become the job. Never returns; on failure writes `step errno` to `tell`."""
    step = "setup"
    try:
        _take_place(stdio, die_with)
        step = "cwd"
        if cwd is not None:
            os.chdir(cwd)
        step = "setup"
        for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # Python ignores these for itself; a program expects the default
            _signal.signal(number, _signal.SIG_DFL)
        if signals.child_was == _signal.SIG_IGN:
            _signal.signal(_signal.SIGCHLD, _signal.SIG_IGN)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, signals.before)
        step = "exec"
        _execute(command, candidates, env)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear of it: ValueError is a NUL in a word, for one
        number = error.errno if isinstance(error, OSError) and error.errno else errno.EINVAL
        os.write(tell, b"%s %d" % (step.encode("ascii"), number))
    finally:
        os._exit(OFFDUTY_FAILED)


def _take_place(stdio: Stdio, die_with: int) -> None:
    """Process group or session, terminal, descriptors, and death together with offduty (process `die_with`, 0: outlive it)."""
    if stdio.session:
        os.setsid()
    else:
        os.setpgid(0, 0)
    if die_with:
        _libc.prctl(PR_SET_PDEATHSIG, int(_signal.SIGKILL), 0, 0, 0)
        if os.getppid() != die_with:  # it died before we asked
            os._exit(OFFDUTY_FAILED)
    if stdio.stdin == -1:
        os.close(0)
    elif stdio.stdin is not None:
        os.dup2(stdio.stdin, 0)
    os.dup2(stdio.out, 1)
    os.dup2(stdio.err, 2)
    if stdio.session:
        import fcntl
        import termios

        fcntl.ioctl(1, termios.TIOCSCTTY, 0)
    if stdio.foreground:
        _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGTTOU,))
        os.tcsetpgrp(0, os.getpid())
    _offer_to_oom_killer()


def _offer_to_oom_killer() -> None:
    """When memory runs out, the job should go before the supervisor that reports it."""
    try:
        with open("/proc/self/oom_score_adj", "r+b", buffering=0) as file:
            score = min(1000, int(file.read()) + OOM_SCORE_RAISE)
            file.write(b"%d" % score)
    except (OSError, ValueError):
        pass


def _execute(command: list[str], candidates: Iterable[str], env: Mapping[str, str]) -> None:
    """`execve` the first candidate that can be; a script without `#!` goes to the shell, as it would from a shell."""
    denied: OSError | None = None
    missing = OSError(errno.ENOENT, "not found")
    for path in candidates:
        try:
            os.execve(path, command, env)
        except (FileNotFoundError, NotADirectoryError) as error:
            missing = error
        except PermissionError as error:
            denied = denied or error
        except OSError as error:
            if error.errno == errno.ENOEXEC and _looks_like_script(path):
                os.execve("/bin/sh", ["sh", path, *command[1:]], env)
            raise
    raise denied or missing


def _looks_like_script(path: str) -> bool:
    with open(path, "rb") as file:
        return b"\0" not in file.read(256)


def _read_all(fd: int) -> bytes:
    data = b""
    while piece := os.read(fd, 64):
        data += piece
    return data


def _refusal(step: str, number: int, program: str, cwd: str | None) -> Exception:
    """The error for a start that failed at `step` with errno `number`."""
    why = os.strerror(number).lower()
    if number in TRANSIENT:
        return OSError(number, why)
    if step == "cwd":
        return CannotStart("E802", f"cannot enter the working folder {quoted(cwd)}", status=OFFDUTY_FAILED, why=why, fix="check cwd")
    if step == "setup":
        return CannotStart("E803", "cannot prepare the process", status=OFFDUTY_FAILED, why=f"{errno.errorcode.get(number, number)}, {why}")
    if number in (errno.ENOENT, errno.ENOTDIR):
        return CannotStart(
            "E804",
            f"command not found: {quoted(program)}",
            status=NOT_FOUND,
            fix="check the spelling, PATH and, in cron, use the full path",
        )
    name = errno.errorcode.get(number, str(number))
    fixes = {
        errno.EACCES: "make it executable (chmod +x)",
        errno.E2BIG: "pass the arguments in a file",
        errno.ENOEXEC: "it is built for another machine",
    }
    return CannotStart("E805", f"cannot execute {quoted(program)}", status=NOT_EXECUTABLE, why=f"{name}, {why}", fix=fixes.get(number, ""))
