"""Records of level WARNING and above that pass a logger of the standard library, whether or not it has handlers."""

# ruff: noqa: SLF001  # private parts are where a hook has to look
from __future__ import annotations

import os
import sys

from offduty_probe.chain import calling_frame, chain_of
from offduty_probe.hooks.relays import handing_over, passed_on_from
from offduty_probe.patching import announced_method, replace
from offduty_probe.texts import cut, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.recorder import Recorder

WARNING = 30
MOST_CHARACTERS = 2048


def install(recorder: Recorder) -> Callable[[], bool]:
    """Record at `Logger.callHandlers`: after the logger's level and filters, before its handlers."""
    logger_class = sys.modules["logging"].Logger

    def announce(_: Any, record: Any) -> None:
        if record.levelno >= WARNING:
            _note(recorder, record)

    handing_over[logger_class.callHandlers.__code__] = "logging"
    return replace(logger_class, "callHandlers", announced_method(announce))


def _note(recorder: Recorder, record: Any) -> None:
    """Not here: what `captureWarnings` brings (known as a warning), other processes' records (they have a probe), loguru's."""
    if record.name == "py.warnings" or record.process not in (None, os.getpid()) or passed_on_from("logging") == "loguru":
        return
    frame = _structlog_caller()
    place = f"{record.pathname}:{record.lineno}" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
    library = "logging" if frame is None else "structlog"
    recorder.fold("log", (record.name, record.levelno, place), lambda: _keys(record, place, library))


def _structlog_caller() -> Any | None:
    """Where structlog was called, if it was structlog that called the logger; `findCaller` of a plain logger names structlog itself."""
    if "structlog._base" not in sys.modules:
        return None
    frame = calling_frame(sys._getframe(1), "logging")
    if frame is None or str(frame.f_globals.get("__name__")).split(".")[0] != "structlog":
        return None
    return calling_frame(frame, "logging", "structlog")


def _keys(record: Any, place: str, library: str) -> dict[str, Any]:
    keys = {
        "level": safe(record.levelname),
        "levelno": record.levelno,
        "logger": safe(record.name),
        "message": cut(_message(record), MOST_CHARACTERS),
        "where": place,
        "library": library,
    }
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if isinstance(error, BaseException):
        keys["exception"] = chain_of(error)
    return keys


def _message(record: Any) -> str:
    """A message whose arguments do not fit is shown without them; `logging` itself complains about it on stderr."""
    try:
        return safe(record.getMessage())
    except Exception:
        return safe(record.msg)
