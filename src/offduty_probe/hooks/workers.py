"""Processes started by `multiprocessing`: what ends them, and what they have counted, since they skip the usual exit."""

# ruff: noqa: SLF001  # private parts are where a hook has to look
from __future__ import annotations

import sys

from offduty_probe.chain import chain_of
from offduty_probe.guard import quietly
from offduty_probe.patching import replace, when_imported
from offduty_probe.texts import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable

    from offduty_probe.recorder import Recorder


def install(recorder: Recorder) -> Callable[[], bool]:
    """Flush at the end of a worker; record the exception that ends it where `multiprocessing` prints it, as it reaches no hook."""

    def flushing(original: Any) -> Any:
        def exit_function(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            quietly(recorder.flush)
            return result

        return exit_function

    undos = [replace(sys.modules["multiprocessing.util"], "_exit_function", flushing)]
    when_imported("traceback", lambda traceback: undos.append(_watch_printing(recorder, traceback)))
    return lambda: False not in [undo() for undo in undos]  # all of them, also after one that could not


def _watch_printing(recorder: Recorder, traceback: ModuleType) -> Callable[[], bool]:
    def make_wrapper(original: Any) -> Any:
        def print_exc(*args: Any, **kwargs: Any) -> Any:
            quietly(_record, recorder, sys._getframe(1))
            return original(*args, **kwargs)

        print_exc.__wrapped__ = original  # type: ignore[attr-defined]
        return print_exc

    return replace(traceback, "print_exc", make_wrapper)


def _record(recorder: Recorder, caller: Any) -> None:
    """Only for the place that prints why a worker ended: anyone else may print what it has caught."""
    process = sys.modules.get("multiprocessing.process")
    error = sys.exc_info()[1]
    if process is None or error is None or caller.f_code is not process.BaseProcess._bootstrap.__code__:
        return
    name = safe(process.current_process().name)
    recorder.build_and_record("exception", lambda: {"where": f"process {name}", "chain": chain_of(error), "uncaught": True})
