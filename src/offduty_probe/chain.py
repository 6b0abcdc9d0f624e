"""An exception with all that led to it, as the list `chain` of the event formats: deepest cause last, and no values of variables."""

from __future__ import annotations

import os

from offduty_probe.lines import without_the_middle
from offduty_probe.texts import safe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any

MOST_WALKED = 1000
MOST_EXCEPTIONS, MOST_FRAMES, MOST_NOTES = 32, 40, 16
MOST_BASES = 16
PROBE = os.path.dirname(__file__) + os.sep
STANDARD_LIBRARY = os.path.dirname(getattr(os, "__file__", None) or "/nowhere/os.py") + os.sep


def chain_of(error: BaseException) -> list[dict[str, Any]]:
    """`error` first, then what it came from, one entry an exception; of very long chains and tracebacks the middle is left out."""
    found: list[dict[str, Any]] = [{"link": link, "exception": exception, "type": "", "frames": []} for exception, link in walk(error)]
    return [_entry(one) for one in without_the_middle(found, MOST_EXCEPTIONS)]


def walk(error: BaseException) -> list[tuple[BaseException, str | None]]:
    """Each exception once, with its link to an earlier one: what a traceback shows, so a hidden context stays hidden."""
    found: list[tuple[BaseException, str | None]] = []
    seen: set[int] = set()
    waiting: list[tuple[BaseException, str | None]] = [(error, None)]
    while waiting and len(found) < MOST_WALKED:
        exception, link = waiting.pop()
        if id(exception) in seen:
            continue
        seen.add(id(exception))
        found.append((exception, link))
        waiting.extend((member, "group") for member in reversed(_members(exception)))
        if exception.__cause__ is not None:
            waiting.append((exception.__cause__, "cause"))
        elif exception.__context__ is not None and not exception.__suppress_context__:
            waiting.append((exception.__context__, "context"))
    return found


def _members(exception: BaseException) -> list[BaseException]:
    """The exceptions of a group: Python's own from 3.11 on, and the back-port for older ones."""
    if not any(base.__name__ == "BaseExceptionGroup" for base in type(exception).__mro__):
        return []
    members = getattr(exception, "exceptions", ())
    return [member for member in members if isinstance(member, BaseException)] if isinstance(members, tuple) else []


def _entry(found: dict[str, Any]) -> dict[str, Any]:
    exception = found.pop("exception", None)
    if exception is None:  # stands for those left out
        return found
    return {
        "type": type_name(type(exception)),
        "bases": [type_name(base) for base in type(exception).__mro__[1:MOST_BASES] if base not in (BaseException, object)],
        "message": safe(exception),
        "link": found["link"],
        "notes": _notes(exception),
        "frames": _frames(exception.__traceback__) + _place_of_syntax_error(exception),
    }


def type_name(cls: type) -> str:
    """As a traceback shows it: with its module, unless it is built in or the script's own."""
    module = getattr(cls, "__module__", None)
    return cls.__qualname__ if module in (None, "builtins", "__main__") else f"{module}.{cls.__qualname__}"


def _notes(exception: BaseException) -> list[str]:
    notes = getattr(exception, "__notes__", None)
    return [safe(note) for note in notes[:MOST_NOTES]] if isinstance(notes, (list, tuple)) else []


def _frames(traceback: TracebackType | None) -> list[dict[str, Any]]:
    steps: list[Any] = []
    while traceback is not None:
        steps.append({"function": "", "traceback": traceback})
        traceback = traceback.tb_next
    return [_frame(step) for step in without_the_middle(steps, MOST_FRAMES)]


def _frame(step: dict[str, Any]) -> dict[str, Any]:
    traceback = step.pop("traceback", None)
    if traceback is None:
        return step
    code = traceback.tb_frame.f_code
    return {"file": code.co_filename, "line": traceback.tb_lineno or 0, "function": code.co_name, "own": is_own(code.co_filename)}


def _place_of_syntax_error(exception: BaseException) -> list[dict[str, Any]]:
    """The place in the file that could not be compiled: it never ran, so no frame names it."""
    if not isinstance(exception, SyntaxError) or not isinstance(exception.filename, str):
        return []
    line = exception.lineno if isinstance(exception.lineno, int) else 0
    return [{"file": exception.filename, "line": line, "function": "<module>", "own": is_own(exception.filename)}]


def is_own(file: str) -> bool:
    """Whether `file` is the job's: not of the standard library, an installed package, the interpreter, or the probe."""
    installed = "/site-packages/" in file or "/dist-packages/" in file
    installed = installed or file.endswith((".pyx", ".pxi", ".pxd"))  # Cython names its sources as they lay where it was compiled
    return not (installed or file.startswith((PROBE, STANDARD_LIBRARY, "<frozen ")))


def calling_frame(frame: FrameType | None, *modules: str) -> FrameType | None:
    """`frame` or the nearest before it that is neither the probe's nor of a package in `modules`."""
    while frame is not None:
        name = frame.f_globals.get("__name__")
        package = name.split(".")[0] if isinstance(name, str) else ""
        if not frame.f_code.co_filename.startswith(PROBE) and package not in modules:
            return frame
        frame = frame.f_back
    return None
