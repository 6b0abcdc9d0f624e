"""Keep our own mistakes away from the job, and the job's own exceptions out of our hands."""

from __future__ import annotations

import _signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any, Callable

_tell: Callable[[str], None] | None = None


def tell_problems_to(tell: Callable[[str], None]) -> None:
    """Where `swallow` tells, in a sentence, what the probe could not do."""
    global _tell
    _tell = tell


def quietly(function: Callable[..., Any], *args: Any) -> Any:
    """`function(*args)`; an exception becomes a told problem and None. What is no `Exception` (Ctrl-C) passes."""
    try:
        return function(*args)
    except Exception as error:
        swallow(error)
        return None


def swallow(error: Exception) -> None:
    """Tell `error` as a problem of the probe; raise it again when it is the job's."""
    if from_signal_handler(error):
        raise error
    if _tell is None:
        return
    try:
        _tell(_sentence(error))
    except Exception:
        return


def from_signal_handler(error: BaseException) -> bool:
    """Whether a signal handler of the job raised `error` while the probe happened to run: a time limit by SIGALRM, say."""
    codes = set()
    tb = error.__traceback__
    while tb is not None:
        codes.add(tb.tb_frame.f_code)
        tb = tb.tb_next
    return not codes.isdisjoint(_handlers())


def _handlers() -> set[CodeType]:
    handlers = (_signal.getsignal(number) for number in range(1, _signal.NSIG))
    functions = (getattr(handler, "__func__", handler) for handler in handlers)
    return {function.__code__ for function in functions if hasattr(function, "__code__")}


def _sentence(error: BaseException) -> str:
    tb = error.__traceback__
    while tb is not None and tb.tb_next is not None:
        tb = tb.tb_next
    where = f" at {tb.tb_frame.f_code.co_filename}:{tb.tb_lineno}" if tb is not None else ""
    return f"the probe failed: {type(error).__name__}: {error}{where}"
