"""Exceptions that end a thread: `threading.excepthook`, chained."""

from __future__ import annotations

import sys
from _thread import get_ident

from offduty_probe.chain import chain_of
from offduty_probe.guard import quietly
from offduty_probe.patching import replace
from offduty_probe.texts import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.recorder import Recorder


def install(recorder: Recorder) -> Callable[[], bool]:
    """Record what reaches `threading.excepthook`, then let the hook that was there do its work.

    As with `sys.excepthook`, `__excepthook__` (from 3.10 on) stays the same object as the hook.
    """
    threading = sys.modules["threading"]

    def make_wrapper(original: Any) -> Any:
        def excepthook(args: Any, /) -> Any:
            quietly(_record, recorder, args)
            return original(args)

        return excepthook

    undo = replace(threading, "excepthook", make_wrapper)
    undo_default = replace(threading, "__excepthook__", lambda _: threading.excepthook) if hasattr(threading, "__excepthook__") else undo
    return lambda: undo() and undo_default()


def _record(recorder: Recorder, args: Any) -> None:
    """Threads can die by the thousand: alike deaths are folded."""
    error = args.exc_value
    if error is None or isinstance(error, SystemExit):
        return
    name = safe(args.thread.name) if args.thread is not None else f"{get_ident()}"

    def build() -> dict[str, Any]:
        return {"where": f"thread {name}", "chain": chain_of(error), "uncaught": True}

    recorder.fold("exception", (type(error), _innermost(error)), build)


def _innermost(error: BaseException) -> Any:
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback and (traceback.tb_frame.f_code.co_filename, traceback.tb_lineno)


def where_am_i(recorder: Recorder) -> str:
    """`main`, or `thread NAME`; without `threading.current_thread`, which would invent an object for a thread it does not know."""
    me = get_ident()
    if me == recorder.main_thread:
        return "main"
    known = getattr(sys.modules.get("threading"), "_active", {})
    return f"thread {safe(known[me].name) if me in known else me}"
