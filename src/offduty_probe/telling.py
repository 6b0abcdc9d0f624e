"""What a job tells of itself, in its own words: checks, metrics, transactions. Of alike ones, floods are folded into counts.

`offduty.check`, `offduty.metric` and `offduty.transaction` are these functions; a job whose environment has no offduty finds them in
`offduty_probe`, which `offduty run` brings along. Without a run around they do nothing. They never raise: what cannot be understood
is told as a problem, and shows in the summary's notes.
"""

# ruff: noqa: SLF001  # `sys._getframe`: a tenth of what `inspect` costs
from __future__ import annotations

import itertools
import sys
from _contextvars import ContextVar
from _thread import get_ident

from offduty_probe.chain import is_own
from offduty_probe.guard import quietly
from offduty_probe.recorder import Kind, Recorder
from offduty_probe.texts import cut, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, Iterator, Literal

PASSED, WARNED, FAILED = "passed", "warned", "failed"
SEVERITIES = {"warn": WARNED, "fail": FAILED}
MOST_NAMES = 256  # of checks with one outcome, and of metrics
MOST_NAME, MOST_DETAIL, MOST_UNIT = 200, 1024, 40  # characters
OTHERS = "other checks"
LARGEST = 1e300  # a metric beyond is no measurement, and overflows in whatever is done with it
OPS = {
    "api": "http.request", "http": "http.request", "call": "http.request", "read": "file.read", "file": "file.read",
    "write": "file.write", "delete": "file.delete", "transfer": "file.transfer", "connect": "db.connect", "database": "db.query",
    "db": "db.query", "query": "db.query", "object": "object.read", "publish": "queue.publish", "queue": "queue.publish",
    "consume": "queue.consume", "cache": "cache.call", "mail": "mail.send", "process": "process.spawn", "model": "model.load",
    "compute": "compute.submit",
}  # fmt: skip
KNOWN = frozenset(OPS.values()) | {"object.write", "object.list"}


class Told:
    """Checks and metrics of this process. Needs no lock, as the recorder: counting is `next` of an `itertools.count`."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.ledger: Any = None
        recorder.at_forget.append(self.forget)
        recorder.at_flush.append(self.flush)
        self.forget()

    def forget(self) -> None:
        """Begin anew, as the child of a fork must."""
        self.checks: dict[Any, Kind] = {}
        self.metrics: dict[str, Latest] = {}
        self.names = {PASSED: 0, WARNED: 0, FAILED: 0}

    def listening(self) -> bool:
        """Whether there is a run, and it is the job that tells: not what the probe provokes by printing the job's objects."""
        return bool(self.recorder.path) and get_ident() not in self.recorder.busy

    def check(self, name: str, outcome: str, source: str, detail: Callable[[], str]) -> None:
        """Count one check. The 1st, 2nd, 4th, 8th … of the same name, outcome and source is written, with the count since."""
        alike = self.checks.get((name, outcome, source)) or self._new_check(name, outcome, source)
        count = next(alike.counter)
        if count & (count - 1) == 0:
            shown = OTHERS if alike is self.checks.get((OTHERS, outcome, "")) else name
            self.recorder.build_and_record("check", lambda: alike.event(_check_keys(shown, outcome, source, detail()), count))

    def _new_check(self, name: str, outcome: str, source: str) -> Kind:
        if self.names[outcome] >= MOST_NAMES:
            self.recorder.problem(f"more than {MOST_NAMES} names of checks: the others are counted together, as '{OTHERS}'")
            return self.checks.setdefault((OTHERS, outcome, ""), Kind("check"))
        self.names[outcome] += 1
        return self.checks.setdefault((name, outcome, source), Kind("check"))

    def metric(self, name: str, value: float, unit: str | None) -> None:
        """Keep the latest value of a metric; the 1st, 2nd, 4th, 8th … is written at once, the latest at the end."""
        latest = self.metrics.get(name)
        if latest is None:
            if len(self.metrics) >= MOST_NAMES:
                self.recorder.problem(f"more than {MOST_NAMES} names of metrics: the others are left out")
                return
            latest = self.metrics.setdefault(name, Latest())
        latest.keys = {"name": name, "value": value} if unit is None else {"name": name, "value": value, "unit": unit}
        count = next(latest.counter)
        if count & (count - 1) == 0:
            self._tell(latest)

    def _tell(self, latest: Latest) -> None:
        latest.told = latest.keys
        self.recorder.record("metric", latest.told)

    def flush(self) -> None:
        """Write what was counted and not told yet."""
        for alike in list(self.checks.values()):
            rest = alike.rest()
            if rest:
                self.recorder.record("check", rest)
        for latest in list(self.metrics.values()):
            if latest.told is not latest.keys:
                self._tell(latest)

    def end_aside(self) -> None:
        """The block of `begin_aside` is over."""
        _aside.set(None)
        quietly(self.recorder.flush)
        self.recorder.aim("", "")


class Latest:
    """The latest value of one metric, and the one that was told last."""

    __slots__ = ("counter", "keys", "told")

    def __init__(self) -> None:
        self.counter: Iterator[int] = itertools.count(1)
        self.keys: dict[str, Any] = {}
        self.told: dict[str, Any] = self.keys


_told: Told | None = None


def told_to(recorder: Recorder) -> Told:
    """The one `Told` of this process."""
    global _told
    if _told is None or _told.recorder is not recorder:
        _told = Told(recorder)
    return _told


_aside: ContextVar[Told | None] = ContextVar("offduty_told", default=None)


def begin_aside(path: str, token: str) -> Told:
    """A block in another thread has the probe: what this one tells goes to its own file, until `end_aside`."""
    told = Told(Recorder(path, token))
    _aside.set(told)
    return told


def _listener() -> Told | None:
    """Who takes what the job tells; None without a run."""
    aside = _aside.get()
    if aside is not None:
        return aside if aside.listening() else None
    start = sys.modules.get("offduty_probe.start")
    recorder = getattr(start, "recorder", None)
    if recorder is None:
        return None
    told = told_to(recorder)
    return told if told.listening() else None


def check(name: str, ok: object, detail: object = "", severity: Literal["warn", "fail"] = "warn") -> bool:
    """Record whether the statement `name` about the data holds, and return whether it does: `bool(ok)`.

    `detail` says more ("3 of 412 missing"; no values of the data). `severity`: what it is if it does not hold, `warn` or `fail`; neither
    changes the exit code. An `ok` without a truth value (an array, `NA`) does not hold.
    """
    holds = _truth(ok)
    told = quietly(_listener)
    if told is not None:
        quietly(_tell_check, told, name, holds, detail, severity)
    return holds is True


def _tell_check(told: Told, name: object, holds: bool | str, detail: object, severity: object) -> None:
    shown = _name(told, "check", name)
    if severity not in SEVERITIES:
        told.recorder.problem(f"check {shown!r}: the severity {cut(safe(severity), 40)!r} is neither 'warn' nor 'fail'; taken as 'warn'")
    outcome = PASSED if holds is True else SEVERITIES.get(severity, WARNED) if isinstance(severity, str) else WARNED
    why = holds if isinstance(holds, str) else ""
    told.check(shown, outcome, "job", lambda: why or ("" if detail is None else safe(detail)))


def _truth(ok: object) -> bool | str:
    """Whether `ok` is true; why not, if nobody can say."""
    try:
        return bool(ok)
    except Exception as error:
        return f"it is neither true nor false: {type(ok).__name__} has no truth value ({type(error).__name__})"


def metric(name: str, value: float, unit: str | None = None) -> None:
    """Record a number that the run reports; of several with one name, the last counts. What is not finite becomes a warned check."""
    told = quietly(_listener)
    if told is not None:
        quietly(_tell_metric, told, name, value, unit)


def _tell_metric(told: Told, name: object, value: object, unit: object) -> None:
    shown = _name(told, "metric", name)
    if isinstance(value, (str, bytes, bool, complex)) or not (hasattr(type(value), "__float__") or hasattr(type(value), "__index__")):
        told.recorder.problem(f"metric {shown!r}: {type(value).__name__} is no number, and was left out")
        return
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        number = float("inf")
    except Exception as error:  # a series, an array of several
        told.recorder.problem(f"metric {shown!r}: {type(value).__name__} is no number ({type(error).__name__}), and was left out")
        return
    if not -LARGEST < number < LARGEST:
        what = "not a number (NaN)" if number != number else "not finite, or too large"
        told.check(f"metric {shown}", WARNED, "offduty", lambda: f"its value is {what}")
        return
    told.metric(shown, number, None if unit is None else cut(safe(unit), MOST_UNIT))


def _name(told: Told, what: str, name: object) -> str:
    if isinstance(name, str) and name.strip():
        return cut(name, MOST_NAME)
    told.recorder.problem(f"a {what} is named by a text that is not empty; {type(name).__name__} was given")
    return cut(safe(name), MOST_NAME).strip() or "unnamed"


def _check_keys(name: str, outcome: str, source: str, detail: str) -> dict[str, Any]:
    return {"name": name, "outcome": outcome, "detail": cut(detail, MOST_DETAIL), "source": source, "where": own_place()}


def own_place() -> str | None:
    """`file:line in function` of the nearest line that is the job's own."""
    frame: Any = sys._getframe(1)
    while frame is not None and not is_own(frame.f_code.co_filename):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}" if frame is not None else None


def transaction(kind: str, target: object) -> OwnTransaction:
    """A transaction of the job's own making: `with offduty.transaction("api", url) as t:`; an exception is recorded and passes.

    `kind`: `api`, `read`, `write`, `connect`, `query`, `publish`, `mail` …, or one of the ops themselves ("http.request"). Credentials and
    values in a URL are left out. `t.rows`, `t.columns`, `t.bytes` and `t.status` may be set inside. What is captured inside counts as
    part of it; inside another transaction it is itself a part of that.
    """
    return OwnTransaction(kind, target)


class OwnTransaction:
    """A transaction that the job tells: `rows`, `columns`, `bytes` (whole numbers) and `status` (a number or text) if they are known."""

    def __init__(self, kind: object, target: object) -> None:
        self.rows: int | None = None
        self.columns: int | None = None
        self.bytes: int | None = None
        self.status: int | str | None = None
        self._kind, self._target = kind, target
        self._running: list[Any] = []  # several, if somebody enters it again while it runs

    def __enter__(self) -> OwnTransaction:  # `typing.Self` is younger than Python 3.8
        self._running.append(quietly(self._begin, sys._getframe(1)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        running = self._running.pop() if self._running else None
        if running is None:
            return
        known = quietly(self._known) or {}
        if error is None:
            running.done(lambda: known)
        else:
            running.failed(error, known)

    def _begin(self, frame: Any) -> Any:
        told = _listener()
        if told is None:
            return None
        from offduty_probe.capture.targets import masked_text, target_of

        place = self._target if isinstance(self._target, str) or hasattr(type(self._target), "__fspath__") else safe(self._target)
        op = _op(told, self._kind)
        target = target_of(place) if op.startswith(("file.", "object.")) else masked_text(safe(place))
        return _ledger(told).transaction(op, target, frame=frame)

    def _known(self) -> dict[str, Any]:
        """What was set, where it is what it should be."""
        known: dict[str, Any] = {}
        for name in ("rows", "columns", "bytes"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not hasattr(type(value), "__index__") or not 0 <= value.__index__() < 2**63:
                _tell_problem(f"transaction: {name} is a whole number from 0 on; {type(value).__name__} was given, and left out")
                continue
            known[name] = value.__index__()
        if self.status is not None:
            number = hasattr(type(self.status), "__index__") and not isinstance(self.status, str)
            known["status"] = abs(self.status.__index__()) if number else cut(safe(self.status), MOST_UNIT)  # type: ignore[union-attr]
        return known


def _tell_problem(what: str) -> None:
    told = _listener()
    if told is not None:
        told.recorder.problem(what)


def _op(told: Told, kind: object) -> str:
    """The op that `kind` names; one of the job's own if it looks like one."""
    op = OPS.get(kind, kind) if isinstance(kind, str) else ""
    if op in KNOWN or (op and len(op) <= MOST_UNIT and all("a" <= c <= "z" or c in "._-" for c in op)):
        return op
    told.recorder.problem(f"transaction: {cut(safe(kind), MOST_UNIT)!r} is no kind; write one like {', '.join(sorted(OPS)[:6])} …")
    return "other"


def _ledger(told: Told) -> Any:
    """The ledger of the captures, so that what happens inside is part of the transaction; one of our own where nothing is captured."""
    ledger = getattr(sys.modules.get("offduty_probe.start"), "ledger", None)
    if ledger is not None and ledger.recorder is told.recorder:
        return ledger
    if told.ledger is None:
        from offduty_probe.capture.ledger import Ledger

        told.ledger = Ledger(told.recorder)
    return told.ledger
