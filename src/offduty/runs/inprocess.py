"""Supervise a block of code: `with offduty.run("forecast"):` and `@offduty.job("forecast")`, for what cannot be started by a command.

The log, the summary and the record are written by a process of their own beside this one (`offduty.runs.beside`), so that they are there
also when this process is killed in the middle of the block. Inside `offduty run`, and inside another block, a block adds nothing: it is
being supervised already. stdout and stderr belong to the process: of blocks in several threads at once, the first has them; the others get
a record, and a note where their output is.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar, cast

from offduty.clock import Clock, short_id
from offduty.errors import Busy, OffdutyError, UsageError, quoted
from offduty.runs.beside import Beside
from offduty.runs.diverted import Diverted
from offduty.runs.job import OVERLAPS, Job, is_name, slug

TYPE_CHECKING = False
if TYPE_CHECKING:
    from offduty_probe.telling import Told

P = ParamSpec("P")
R = TypeVar("R")

MOST_RETRIES = 100
INTERRUPTED = 130  # what a shell makes of Ctrl-C
EVENTS_ENDING = ".events.jsonl"

_current: ContextVar[Run | None] = ContextVar("offduty_run", default=None)
_turn = threading.Lock()  # held by the block that has stdout, stderr and the environment
_first: list[Run] = []  # that block's run


class Run:
    """A block being supervised: `id` and `log` (path); both "" where offduty could not start, which never stops the block."""

    def __init__(self, run_id: str = "", log: str = "") -> None:
        self.id, self.log = run_id, log


def run(
    name: str, *, max_duration: float | None = None, overlap: str = "allow", redact: bool = True, quiet: bool = False
) -> AbstractContextManager[Run]:  # fmt: skip
    """Supervise the block: its output, warnings and exception go into a log of their own, with a summary and a record.

    `max_duration`: seconds after which it is overdue (noted, outcome `warned`). `overlap`: `skip` raises Busy E901 when the job is running,
    `queue` waits for it. `redact`: mask secrets in the log. `quiet`: no summary on the screen. Exceptions pass through unchanged.
    Raises UsageError: E104 for a name that cannot name a job, E102 or E111 for the other settings.
    """
    return Block(_settings(name, max_duration, overlap, redact), quiet)


def job(
    name: str, *, retries: int = 0, retry_delay: float = 30.0, max_duration: float | None = None,
    overlap: str = "allow", redact: bool = True, quiet: bool = False,
) -> Callable[[Callable[P, R]], Callable[P, R]]:  # fmt: skip
    """Supervise every call of the function, as `run` does a block; after an exception try `retries` more times (waits double).

    Also for `async def`; what `yield`s is refused (UsageError E116), because its body does not run in the call.
    """
    settings = _settings(name, max_duration, overlap, redact)
    if not 0 <= retries <= MOST_RETRIES:
        raise UsageError("E103", f"{quoted(retries)} is not a number of retries", why=f"0 to {MOST_RETRIES}")
    plan = Job(**settings, retries=retries, retry_delay=retry_delay)

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            why, fix = "its body does not run in the call", 'put `with offduty.run("…"):` around its body'
            raise UsageError("E116", "a generator cannot be supervised", where=function.__qualname__, why=why, fix=fix)
        return _supervised(function, lambda: _Attempts(settings, plan, quiet))

    return decorate


def _supervised(function: Callable[P, R], attempts: Callable[[], _Attempts]) -> Callable[P, R]:
    if inspect.iscoroutinefunction(function):
        return cast("Callable[P, R]", _supervised_async(function, attempts))

    @functools.wraps(function)
    def supervised(*args: P.args, **kwargs: P.kwargs) -> R:
        each = attempts()
        while True:
            try:
                with each.next():
                    return function(*args, **kwargs)
            except Exception as error:
                if not each.follow(error):
                    raise
            Clock().sleep(each.delay)

    return supervised


def _supervised_async(function: Callable[P, Any], attempts: Callable[[], _Attempts]) -> Callable[P, Any]:
    @functools.wraps(function)
    async def supervised(*args: P.args, **kwargs: P.kwargs) -> Any:
        import asyncio

        each = attempts()
        while True:
            try:
                with each.next():
                    return await function(*args, **kwargs)
            except Exception as error:
                if not each.follow(error):
                    raise
            await asyncio.sleep(each.delay)

    return supervised


class _Attempts:
    """The attempts of one call: `next` gives the block for one, `follow` says whether another follows, after `delay` seconds."""

    def __init__(self, settings: dict[str, Any], plan: Job, quiet: bool) -> None:
        self._settings = settings | {"retries": plan.retries}
        self._plan, self._quiet = plan, quiet
        self._number, self._root = 0, Run()

    @property
    def delay(self) -> float:
        return self._plan.delay_before(self._number + 1)

    def next(self) -> Block:
        self._number += 1
        block = Block(self._settings, self._quiet, self._number, self._root.id, self.delay if self._number <= self._plan.retries else None)
        if self._number == 1:
            self._root = block.run
        return block

    def follow(self, error: Exception) -> bool:
        return self._number <= self._plan.retries and not isinstance(error, Busy)


def _settings(name: Any, max_duration: Any, overlap: str, redact: bool) -> dict[str, Any]:
    if not isinstance(name, str) or not is_name(name):
        fix = f"try {slug(name)}" if isinstance(name, str) else 'write @offduty.job("name")'
        raise UsageError("E104", f"{quoted(name)} cannot name a job", why="a-z, 0-9, '.', '_' and '-', at most 100", fix=fix)
    if overlap not in OVERLAPS:
        raise UsageError("E111", f"{quoted(overlap)} is not one of {', '.join(OVERLAPS)}", where="overlap")
    if max_duration is not None and not (isinstance(max_duration, int | float) and max_duration > 0):
        raise UsageError("E102", f"{quoted(max_duration)} is not a number of seconds", where="max_duration")
    command = [sys.argv[0] or "python", *sys.argv[1:]]
    return {"name": name, "command": command, "max_duration": max_duration, "overlap": overlap, "redact": redact}


class Block(AbstractContextManager[Run]):
    """One supervised execution of a block. `retry_in`: seconds after which it is tried again if it raises, None if it is not."""

    def __init__(self, settings: dict[str, Any], quiet: bool, attempt: int = 1, root_id: str = "", retry_in: float | None = None) -> None:
        self._settings = settings
        self._spec = {"job": settings, "options": {"quiet": quiet}, "attempt": attempt, "root_id": root_id}
        self._retry_in = retry_in
        self._beside: Beside | None = None
        self._diverted: Diverted | None = None
        self._is_aside = False  # another block has stdout, stderr and the probe
        self._told: Told | None = None  # where the checks of such a block go
        self._env: dict[str, str] = {}
        self._before: dict[str, str | None] = {}
        self.run = Run()

    def __enter__(self) -> Run:
        self._around = _current.get()
        if (around := _surrounding()) is not None:
            self.run = around
            return around
        try:
            self._begin()
        except OffdutyError:
            raise
        except Exception as error:
            why = f"{type(error).__name__}: {error}".rstrip(": ")
            _say(OffdutyError("E806", "offduty could not start; the block runs without it", where=f"job {self._settings['name']}", why=why))
        return self.run

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._beside is None:
            return
        _current.set(self._around)
        if self._diverted is not None:
            self._restore_environment()
            _tell_probe(lambda start: start.end_block(None if isinstance(error, SystemExit) else error))
            self._give_back()
        with contextlib.suppress(Exception):
            if self._told is not None:
                self._told.end_aside()
            self._record_unseen(error)
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        assert self._beside is not None
        beside, self._beside = self._beside, None
        beside.end({**how_it_ended(error), "retry_in": self._retry_in if isinstance(error, Exception) else None})

    def _begin(self) -> None:
        """Have the descriptors, have the process beside us, and only then change anything."""
        spec: dict[str, Any] = {**self._spec, "pid": os.getpid(), "path": sys.path, "streams": [], "notes": []}
        if _turn.acquire(blocking=False):
            try:
                self._diverted = Diverted()
            except BaseException:
                _turn.release()
                raise
            spec["streams"] = self._diverted.streams
        else:
            self._is_aside = True
            spec["notes"] = [f"its output and warnings are with {_first_run()}, which another thread had begun"]
        try:
            self._start(spec)
        except BaseException as error:
            self._give_back()
            if self._beside is not None:  # Ctrl-C, just now
                self._end(error)
            raise

    def _start(self, spec: dict[str, Any]) -> None:
        beside = Beside(spec, [reader for reader, _, _ in spec["streams"]], patient=self._settings["overlap"] == "queue")
        answer = beside.answer
        if "skipped" in answer:
            beside.dismiss()
            what, fix = f"job {quoted(self._settings['name'])} is running already", "wait for it, or allow overlap"
            raise Busy("E901", what, why=f"run {short_id(answer['skipped'])}", fix=fix)
        self._beside, self._env = beside, answer["env"]
        self.run.id, self.run.log = self._env["OFFDUTY_RUN_ID"], answer["log"]
        _current.set(self.run)
        if self._diverted is not None:
            _first[:] = [self.run]
            self._diverted.begin()
            self._before = {name: os.environ.get(name) for name in self._env}
            os.environ.update(self._env)
            _tell_probe(lambda start: start.begin_block(self._env))
        else:
            with contextlib.suppress(Exception):
                from offduty_probe.telling import begin_aside

                self._told = begin_aside(self._env["OFFDUTY_EVENTS"], self._env["OFFDUTY_TOKEN"])

    def _give_back(self) -> None:
        """stdout and stderr, and with them the turn."""
        if self._diverted is not None:
            diverted, self._diverted = self._diverted, None
            _first.clear()
            diverted.end()
            _turn.release()

    def _restore_environment(self) -> None:
        """What the block itself has set stays."""
        for name, value in self._before.items():
            if os.environ.get(name) == self._env[name]:
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})

    def _record_unseen(self, error: BaseException | None) -> None:
        """What the probe does not see: a SystemExit's text, not printed yet; an exception while another block has the probe."""
        from offduty_probe.chain import chain_of
        from offduty_probe.recorder import Recorder

        recorder = Recorder(self._env["OFFDUTY_EVENTS"], self._env["OFFDUTY_TOKEN"])
        if isinstance(error, SystemExit) and isinstance(error.code, str):
            recorder.record("exit", {"code": 1, "message": error.code, "frame": _raised_at(error), "where": "main"})
        elif error is not None and not isinstance(error, SystemExit) and self._is_aside:
            recorder.record("exception", {"where": "main", "chain": chain_of(error), "uncaught": True})


def _surrounding() -> Run | None:
    """The run that we are in already: a block around this one (one of another thread is not), or `offduty run` around the whole process."""
    around = _current.get()
    if around is not None:
        return around
    run_id, events = os.environ.get("OFFDUTY_RUN_ID"), os.environ.get("OFFDUTY_EVENTS", "")
    if not run_id or not events or any(first.id == run_id for first in _first):
        return None
    return Run(run_id, events.removesuffix(EVENTS_ENDING) + ".log")


def _first_run() -> str:
    return f"run {short_id(_first[0].id)}" if _first else "a run"


def how_it_ended(error: BaseException | None) -> Mapping[str, Any]:
    """The exit code this exception would give the process, if nobody caught it; `interrupted` if somebody else asked the block to end."""
    if error is None or isinstance(error, GeneratorExit):
        return {"exit_code": 0, "interrupted": False}
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
        return {"exit_code": code & 0xFF, "interrupted": False}
    interrupted = isinstance(error, KeyboardInterrupt) or _is_cancelled(error)
    return {"exit_code": INTERRUPTED if interrupted else 1, "interrupted": interrupted}


def _is_cancelled(error: BaseException) -> bool:
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and isinstance(error, asyncio.CancelledError)


def _raised_at(error: BaseException) -> str:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return ""
    code = traceback.tb_frame.f_code
    return f"{code.co_filename}:{traceback.tb_lineno} in {code.co_name}"


def _tell_probe(what: Callable[[Any], None]) -> None:
    """The probe is a convenience here: the block runs with or without it."""
    with contextlib.suppress(Exception):
        from offduty_probe import start

        what(start)


def _say(error: OffdutyError) -> None:
    """On stderr, and not as a Python warning: that can be made an exception, and would stop the job."""
    with contextlib.suppress(Exception):
        print(f"offduty: {error}", file=sys.stderr, flush=True)
