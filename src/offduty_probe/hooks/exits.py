"""`sys.exit`: with which code or message, and from where. `raise SystemExit` is not seen."""

# ruff: noqa: SLF001  # private parts are where a hook has to look
from __future__ import annotations

import sys

from offduty_probe.chain import calling_frame
from offduty_probe.hooks.threads import where_am_i
from offduty_probe.patching import announced, replace
from offduty_probe.texts import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.recorder import Recorder

MOST_WRITTEN = 32


def install(recorder: Recorder) -> Callable[[], bool]:
    """Record each call of `sys.exit`, then call the original, which raises SystemExit as ever."""

    def announce(*args: Any, **_: Any) -> None:
        keys = _keys(args[0] if args else None)
        keys["where"] = where_am_i(recorder)
        _record(recorder, keys)

    return replace(sys, "exit", announced(announce))


def _record(recorder: Recorder, keys: dict[str, Any]) -> None:
    """A job may catch SystemExit again and again: after the first few only the last one is kept, and written at the end."""
    recorder.exits += 1
    recorder.pending.pop("exit", None)
    if recorder.exits <= MOST_WRITTEN:
        recorder.build_and_record("exit", lambda: keys)
    else:
        recorder.pending["exit"] = keys


def _keys(status: Any) -> dict[str, Any]:
    code, message = meaning(status)
    frame = calling_frame(sys._getframe(2))
    place = f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}" if frame is not None else ""
    return {"code": code, "message": message, "frame": place}


def meaning(status: Any) -> tuple[int | None, str | None]:
    """The exit code and the message that `sys.exit(status)` stands for; numbers that are no code for a process give None."""
    if status is None:
        return 0, None
    if isinstance(status, int):
        return (int(status), None) if -(2**31) <= status < 2**32 else (None, None)
    return 1, safe(status)
