"""Work of ours that may take too long or die, done in a process of its own: nothing it does can hold up the end of a run."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Callable
from typing import Any, NoReturn

MOST_BYTES = 1 << 20


class TookTooLong(Exception):
    """The work was not done in time, and was ended."""


class DidNotFinish(Exception):
    """The work raised, or its process died."""


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """What `work` returns, which has to be JSON. Raises TookTooLong, DidNotFinish with the traceback, OSError where there is no process.

    It sees everything as it is now; what it changes is lost with its process. Only for a process with a single thread.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing)
    os.close(writing)
    try:
        answer = _read(reading, seconds)
    finally:
        os.close(reading)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if answer is None:
        raise TookTooLong(f"not done after {seconds:g} s")
    return _understood(answer)


def _work(work: Callable[[], Any], writing: int) -> NoReturn:
    """In the child: never comes back, whatever happens."""
    try:
        answer = json.dumps({"done": work()}).encode()
    except BaseException:  # noqa: BLE001 - our own bug: the parent is told
        import traceback

        answer = json.dumps({"error": traceback.format_exc()[-20_000:]}).encode()
    try:
        with open(writing, "wb") as file:
            file.write(answer[:MOST_BYTES])
    finally:
        os._exit(0)


def _read(fd: int, seconds: float) -> bytes | None:
    """All that comes before the end; None if the end does not come in time."""
    from offduty.clock import Clock

    clock = Clock()
    until, parts = clock.monotonic() + seconds, b""
    while True:
        left = until - clock.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            return None
        part = os.read(fd, 1 << 16)
        if not part:
            return parts
        parts += part


def _understood(answer: bytes) -> Any:
    try:
        told = json.loads(answer)
    except ValueError:
        raise DidNotFinish("its process died") from None
    if "error" in told:
        raise DidNotFinish(told["error"])
    return told["done"]
