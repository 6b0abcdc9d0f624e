"""Events of level WARNING and above that structlog hands to a logger which is not the standard library's (that one has its own hook)."""

# ruff: noqa: SLF001  # private parts are where a hook has to look
from __future__ import annotations

import sys

from offduty_probe.chain import calling_frame, chain_of
from offduty_probe.guard import quietly
from offduty_probe.patching import disguised, replace
from offduty_probe.texts import cut, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.recorder import Recorder

LEVELS = {"warn": 30, "warning": 30, "error": 40, "err": 40, "exception": 40, "failure": 40, "critical": 50, "fatal": 50}
NAMES = {30: "WARNING", 40: "ERROR", 50: "CRITICAL"}
MOST_CHARACTERS = 2048


def install(recorder: Recorder) -> Callable[[], bool]:
    """Record after the processors have run, so that what they drop is not recorded and what they blank out stays out."""

    def make_wrapper(original: Any) -> Any:
        def process_event(self: Any, method_name: Any, event: Any, event_kw: Any) -> Any:
            processed = original(self, method_name, event, event_kw)
            if method_name in LEVELS:
                quietly(_note, recorder, self, method_name, event_kw, processed)
            return processed

        return disguised(process_event, original)

    return replace(sys.modules["structlog._base"].BoundLoggerBase, "_process_event", make_wrapper)


def _note(recorder: Recorder, bound: Any, method: str, event_kw: Any, processed: Any) -> None:
    logging = sys.modules.get("logging")
    if logging is not None and isinstance(bound._logger, logging.Logger):
        return
    frame = calling_frame(sys._getframe(1), "structlog")
    place = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""
    name = str(frame.f_globals.get("__name__", "")) if frame is not None else ""
    level = LEVELS[method]

    def build() -> dict[str, Any]:
        keys = {"level": NAMES[level], "levelno": level, "logger": name, "message": _message(processed), "where": place}
        keys["library"] = "structlog"
        error = _exception(method, event_kw)
        if error is not None:
            keys["exception"] = chain_of(error)
        return keys

    recorder.fold("log", (name, level, place), build)


def _message(processed: Any) -> str:
    """What the last processor gave: a text, or the event in a dict."""
    args, kw = processed
    shown = args[0] if args else kw.get("event", kw)
    text = shown.decode("utf-8", "backslashreplace") if isinstance(shown, (bytes, bytearray)) else safe(shown)
    return cut(_without_colours(text), MOST_CHARACTERS)


def _without_colours(text: str) -> str:
    """`text` without `ESC [ … m`."""
    first, *others = text.split("\x1b[")
    return first + "".join(other.partition("m")[2] for other in others)


def _exception(method: str, event_kw: Any) -> BaseException | None:
    given = event_kw.get("exc_info", method == "exception")
    if isinstance(given, tuple) and len(given) == 3:
        given = given[1]
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    return error if isinstance(error, BaseException) else None
