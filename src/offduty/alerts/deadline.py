"""One limit of time over a whole exchange: every step gets what is left, and what still hangs when it is over is cut off."""

from __future__ import annotations

import socket
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread, Timer
from types import TracebackType
from typing import Self, TypeVar

from offduty.clock import Clock

T = TypeVar("T")
LEAST = 0.001


class Deadline:
    """`with Deadline(15) as deadline:` and give each socket to `guard`. A peer that sends a byte a second does not get around it."""

    def __init__(self, seconds: float, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._until = self._clock.monotonic() + seconds
        self._twins: list[socket.socket] = []
        self._timer = Timer(max(seconds, LEAST), self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._timer.cancel()
        self._timer.join()
        for twin in self._twins:
            twin.close()

    def left(self) -> float:
        """Seconds. Raises TimeoutError when there are none."""
        left = self._until - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self._clock.monotonic() >= self._until

    def guard(self, connection: socket.socket) -> None:
        """Cut this connection when time is up, whatever wraps it by then: a copy of its descriptor is kept for that."""
        self._twins.append(connection.dup())

    def _cut(self) -> None:
        for twin in self._twins:
            try:
                twin.shutdown(socket.SHUT_RDWR)
            except OSError:  # it is closed already
                pass


def bounded(task: Callable[[], T], seconds: float, expected: tuple[type[Exception], ...]) -> T:
    """What `task` returns, or one of the `expected` errors it raises; TimeoutError if it takes longer.

    It is left behind in its thread then: for calls that know no time limit of their own, like the look-up of a name.
    """
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(task())
        except expected as error:
            future.set_exception(error)
        finally:
            if not future.done():
                future.set_exception(RuntimeError("a bug of offduty ended the thread"))

    Thread(target=work, daemon=True).start()
    return future.result(seconds)
