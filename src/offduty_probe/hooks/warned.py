"""Warnings that the job's own filters let through."""

# ruff: noqa: SLF001  # private parts are where a hook has to look
from __future__ import annotations

import sys

from offduty_probe.patching import announced, replace
from offduty_probe.texts import cut, safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.recorder import Recorder

MOST_CHARACTERS = 2048


def install(recorder: Recorder) -> Callable[[], bool]:
    """Record at `_showwarnmsg`, which the interpreter calls after filtering, and before any `showwarning` of the job."""
    warnings = sys.modules["warnings"]
    shown = warnings._showwarnmsg_impl

    def announce(message: Any) -> None:
        if warnings.showwarning is warnings._showwarning_orig and warnings._showwarnmsg_impl is not shown:
            return  # within catch_warnings(record=True): the job looks at it itself
        recorder.fold("warning", (message.category, message.filename, message.lineno), lambda: _keys(message))

    return replace(warnings, "_showwarnmsg", announced(announce))


def _keys(message: Any) -> dict[str, Any]:
    text = cut(safe(message.message), MOST_CHARACTERS)
    return {"category": message.category.__name__, "message": text, "where": f"{message.filename}:{message.lineno}"}
