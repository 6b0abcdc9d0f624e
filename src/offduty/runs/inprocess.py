"""Supervise a block of code: `with offduty.run("forecast"):` and `@offduty.job("forecast")`, for what cannot be started by a command.

The log, the summary and the record are written by a process of their own beside this one (`offduty.wiring.sidecar`), so that they are there
also when this process is killed in the middle of the block. Inside `offduty run`, a block adds nothing: it is being supervised already.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

from offduty.clock import Clock
from offduty.errors import Busy, UsageError, quoted
from offduty.runs.job import OVERLAPS, Job, is_name, slug

P = ParamSpec("P")
R = TypeVar("R")

ANSWER_TIME = 10.0  # for the sidecar to start; a job is not kept waiting longer than that
END_TIME = 5.0
STARTER = "import sys; sys.path.insert(0, sys.argv.pop(1)); from offduty.wiring.sidecar import main; main()"
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Run:
    """A block being supervised: `id` and `log` (path); both "" where offduty could not start, which never stops the block."""

    def __init__(self, run_id: str = "", log: str = "") -> None:
        self.id, self.log = run_id, log


@contextlib.contextmanager
def run(name: str, *, max_duration: float | None = None, overlap: str = "allow", redact: bool = True, quiet: bool = False) -> Iterator[Run]:
    """Supervise the block: its output, warnings and exception go into a log of their own, with a summary and a record.

    `max_duration`: seconds after which it is overdue (noted, outcome `warned`). `overlap`: `skip` raises Busy E901 when the job is running,
    `queue` waits for it. `quiet`: no summary on the screen. Exceptions pass through unchanged. Raises UsageError E104 for a bad name.
    """
    with _one(_job(name, max_duration, overlap, redact), quiet, 1, "") as one:
        yield one


@contextlib.contextmanager
def _one(job: dict[str, Any], quiet: bool, attempt: int, root_id: str) -> Iterator[Run]:
    """Attempt number `attempt`; inside a supervised process, the block alone."""
    if os.environ.get("OFFDUTY_RUN_ID") and os.environ.get("OFFDUTY_EVENTS"):
        yield Run(os.environ["OFFDUTY_RUN_ID"])
        return
    with _attempt(job, quiet, attempt, root_id) as one:
        yield one


def job(
    name: str, *, retries: int = 0, retry_delay: float = 30.0, max_duration: float | None = None,
    overlap: str = "allow", redact: bool = True, quiet: bool = False,
) -> Callable[[Callable[P, R]], Callable[P, R]]:  # fmt: skip
    """Supervise every call of the function, as `run` does a block; after an exception try `retries` more times (waits double)."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def supervised(*args: P.args, **kwargs: P.kwargs) -> R:
            settings = _job(name, max_duration, overlap, redact) | {"retries": retries, "retry_delay": retry_delay}
            plan, root_id = Job(**settings), ""
            for attempt in itertools.count(1):
                try:
                    with _one(settings, quiet, attempt, root_id) as one:
                        root_id = root_id or one.id
                        return function(*args, **kwargs)
                except Exception as error:
                    if attempt > retries or isinstance(error, Busy):
                        raise
                Clock().sleep(plan.delay_before(attempt + 1))
            raise AssertionError("count() has no end")

        return supervised

    return decorate


def _job(name: str, max_duration: float | None, overlap: str, redact: bool) -> dict[str, Any]:
    if not is_name(name):
        raise UsageError("E104", f"{quoted(name)} cannot name a job", why="a-z, 0-9, '.', '_' and '-', at most 100", fix=f"try {slug(name)}")
    if overlap not in OVERLAPS:
        raise UsageError("E111", f"{quoted(overlap)} is not one of {', '.join(OVERLAPS)}", where="overlap")
    command = [sys.argv[0] or "python", *sys.argv[1:]]
    return {"name": name, "command": command, "max_duration": max_duration, "overlap": overlap, "redact": redact}


@contextlib.contextmanager
def _attempt(job: dict[str, Any], quiet: bool, attempt: int, root_id: str) -> Iterator[Run]:
    """One supervised execution of the block."""
    sidecar = _Sidecar({"job": job, "options": {"quiet": quiet}, "attempt": attempt, "root_id": root_id})
    before = {name: os.environ.get(name) for name in sidecar.env}
    os.environ.update(sidecar.env)
    caught: BaseException | None = None
    try:
        if sidecar.env:
            _tell_probe(lambda start: start.begin_block(sidecar.env))
        yield Run(sidecar.env.get("OFFDUTY_RUN_ID", ""), sidecar.log)
    except BaseException as error:
        caught = error
        raise
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        if sidecar.env:
            _tell_probe(lambda start: start.end_block(None if isinstance(caught, SystemExit) else caught))
        sidecar.end(_how_it_ended(caught))


def _how_it_ended(error: BaseException | None) -> dict[str, Any]:
    """The exit code this exception would give the process, if nobody caught it."""
    if error is None:
        return {"exit_code": 0, "interrupted": False}
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        return {"exit_code": code & 0xFF, "interrupted": False}
    interrupted = isinstance(error, KeyboardInterrupt)
    return {"exit_code": 130 if interrupted else 1, "interrupted": interrupted}


def _tell_probe(what: Callable[[Any], None]) -> None:
    """The probe is a convenience here: the block runs with or without it."""
    with contextlib.suppress(Exception):
        from offduty_probe import start

        what(start)


class _Sidecar:
    """The process beside this one, and our stdout and stderr while they go through it. Without one, everything here does nothing."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.env: dict[str, str] = {}
        self.log = ""
        self._restore: list[Callable[[], None]] = []
        try:
            answer = self._begin(spec)
        except Exception as error:
            warnings.warn(f"offduty could not start; the job runs without it ({type(error).__name__}: {error})", RuntimeWarning, stacklevel=5)
            self._undo()
            return
        if "skipped" in answer:
            self._undo()
            raise Busy("E901", f"job {quoted(spec['job']['name'])} is running already", why=f"run {answer['skipped'][-8:]}", fix="wait for it, or allow overlap")
        self.env, self.log = answer["env"], answer["log"]

    def _begin(self, spec: dict[str, Any]) -> dict[str, Any]:
        """Start the process, hand it the read ends, and put the write ends in place of our stdout and stderr."""
        ours, theirs = socket.socketpair()
        self._control = ours
        out, err = os.pipe(), os.pipe()
        spec = {**spec, "pid": os.getpid(), "control": theirs.fileno(), "out": out[0], "err": err[0]}
        self._process = subprocess.Popen(
            [sys.executable, "-c", STARTER, SOURCE, json.dumps(spec)],
            pass_fds=(theirs.fileno(), out[0], err[0]), stdin=subprocess.DEVNULL,
        )  # fmt: skip
        for fd in (theirs.detach(), out[0], err[0]):
            os.close(fd)
        ours.settimeout(ANSWER_TIME)
        try:
            answer: dict[str, Any] = json.loads(self._hear())
        except BaseException:
            os.close(out[1])
            os.close(err[1])
            raise
        self._divert(1, out[1], "stdout")
        self._divert(2, err[1], "stderr")
        return answer

    def _hear(self) -> bytes:
        data = b""
        while not data.endswith(b"\n"):
            piece = self._control.recv(1 << 16)
            if not piece:
                raise ConnectionError("the process beside it ended")
            data += piece
        return data

    def _divert(self, fd: int, writer: int, name: str) -> None:
        """Descriptor `fd` becomes the pipe; and where `sys.stdout` is not that descriptor (a notebook), what is written to it is copied."""
        _flush()
        saved = os.dup(fd)
        os.dup2(writer, fd)

        def put_back() -> None:
            os.dup2(saved, fd)
            os.close(saved)

        self._restore.append(put_back)
        stream = getattr(sys, name)
        if not _is_descriptor(stream, fd):
            copy = _Copy(stream, os.dup(writer))
            setattr(sys, name, copy)
            self._restore.append(lambda: (setattr(sys, name, stream), copy.stop())[0])
        os.close(writer)

    def end(self, said: dict[str, Any]) -> None:
        """The block has ended: give stdout and stderr back, and wait a little for the summary."""
        _flush()
        self._undo()
        if not self.env:
            return
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._control.sendall(json.dumps(said).encode("ascii") + b"\n")
            self._process.wait(END_TIME)
        self._control.close()

    def _undo(self) -> None:
        while self._restore:
            self._restore.pop()()


class _Copy:
    """Stands for a `sys.stdout` that is no descriptor: writes to it as before, and a copy to the log."""

    def __init__(self, stream: Any, fd: int) -> None:
        self._stream, self._fd = stream, fd

    def write(self, text: str) -> int:
        """As the stream it stands for."""
        with contextlib.suppress(OSError):
            os.write(self._fd, text.encode("utf-8", "backslashreplace"))
        written: int = self._stream.write(text)
        return written

    def stop(self) -> None:
        """Copy no more."""
        os.close(self._fd)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _is_descriptor(stream: Any, fd: int) -> bool:
    try:
        return bool(stream.fileno() == fd)
    except Exception:
        return stream is None


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
