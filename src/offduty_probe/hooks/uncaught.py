"""Uncaught exceptions: `sys.excepthook`, chained, and at exit what a replaced hook has kept from us."""

from __future__ import annotations

import atexit
import sys

from offduty_probe.chain import chain_of
from offduty_probe.guard import quietly
from offduty_probe.hooks.threads import where_am_i

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable

    from offduty_probe.recorder import Recorder


def install(recorder: Recorder) -> Callable[[], None]:
    """Record what reaches `sys.excepthook`, then let the hook that was there do its work.

    `sys.__excepthook__` becomes the same object if it was: libraries ask whether the two are one before they set their own,
    and hooks of jobs end by calling it.
    """
    original, default = sys.excepthook, sys.__excepthook__
    recorded: set[int] = set()

    def excepthook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None, /) -> Any:
        quietly(_record, recorder, error, recorded)
        return original(kind, error, traceback)

    def at_exit() -> None:
        error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
        if sys.excepthook is not excepthook and isinstance(error, BaseException) and id(error) not in recorded:
            _record(recorder, error, recorded)

    def undo() -> None:
        atexit.unregister(look)
        sys.excepthook = original if sys.excepthook is excepthook else sys.excepthook
        sys.__excepthook__ = default

    look = lambda: quietly(at_exit)  # noqa: E731  # one object, to be unregistered
    atexit.register(look)
    sys.excepthook = excepthook
    if default is original:
        sys.__excepthook__ = excepthook
    return undo


def _record(recorder: Recorder, error: BaseException, recorded: set[int]) -> None:
    """Ids are enough to know an exception again: the interpreter keeps the last one alive, and we keep none."""
    recorded.clear()
    recorded.add(id(error))
    recorder.build_and_record("exception", lambda: {"where": where_am_i(recorder), "chain": chain_of(error), "uncaught": True})
