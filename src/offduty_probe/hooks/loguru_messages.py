"""Messages of level WARNING and above that loguru hands to its handlers."""

from __future__ import annotations

import sys
from _thread import get_ident

from offduty_probe.chain import chain_of
from offduty_probe.hooks.relays import handing_over, passed_on_from
from offduty_probe.patching import announced_method, replace
from offduty_probe.texts import cut, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.recorder import Recorder

WARNING = 30
MOST_CHARACTERS = 2048
MOST_THREADS = 1000


def install(recorder: Recorder) -> Callable[[], bool]:
    """Record at `Handler.emit`: after the job's patchers, once a message however many handlers there are."""
    handler_class = sys.modules["loguru._handler"].Handler
    last: dict[int, Any] = {}  # thread -> time object of its last message: handlers of one message get the same object

    def announce(_: Any, record: Any, *args: Any) -> None:
        me = get_ident()
        if record["level"].no < WARNING or last.get(me) is record["time"]:
            return
        if len(last) >= MOST_THREADS:
            last.clear()
        last[me] = record["time"]
        if passed_on_from("loguru") != "logging":
            _note(recorder, record)

    handing_over[handler_class.emit.__code__] = "loguru"
    return replace(handler_class, "emit", announced_method(announce))


def _note(recorder: Recorder, record: Any) -> None:
    place = f"{record['file'].path}:{record['line']}"
    recorder.fold("log", (record["name"], record["level"].no, place), lambda: _keys(record, place))


def _keys(record: Any, place: str) -> dict[str, Any]:
    keys = {
        "level": record["level"].name,
        "levelno": record["level"].no,
        "logger": safe(record["name"]),
        "message": cut(safe(record["message"]), MOST_CHARACTERS),
        "where": place,
        "library": "loguru",
    }
    error = record["exception"].value if record["exception"] else None
    if isinstance(error, BaseException):
        keys["exception"] = chain_of(error)
    return keys
