"""The time that the end of a run has: one deadline for all of its parts, and an alarm that breaks off the part that does not keep to it."""

from __future__ import annotations

import _signal

from offduty import failpoints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from offduty.clock import Clock

WHOLE = failpoints.end_seconds(1.75)  # seconds after the job's end: we are gone after two (INV-2), also on a busy machine
LEAST = 0.6  # seconds that its end has in any case, however long the job's last output took
AGAIN = 0.2  # seconds after an alarm that something on the way has caught, until the next one


class OutOfTime(BaseException):
    """Raised in the midst of a part whose time is over. No `Exception`: nothing on the way takes it for a fault that it can handle."""


class Deadline:
    """The end of one run. A `share` is the part of its time, from 0 to 1, by which something has to be done."""

    def __init__(self, clock: Clock, job_ended: float) -> None:
        self._clock, self._began = clock, clock.monotonic()
        self._whole = max(LEAST, job_ended + WHOLE - self._began)
        self._may_raise = False

    def left(self, share: float = 1.0) -> float:
        """Seconds; 0 if it is over."""
        return max(0.0, self._began + share * self._whole - self._clock.monotonic())

    def within(self, share: float, function: Callable[..., Any], *args: object) -> Any:
        """What `function` returns, or None if its time was over first: OutOfTime is raised in it, again and again until it gives up."""
        before = _signal.signal(_signal.SIGALRM, lambda number, frame: self._alarm(share))
        mask = _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [_signal.SIGALRM])
        try:
            return self._interruptible(max(self.left(share), AGAIN), function, *args)
        except OutOfTime:
            return None
        finally:
            self._may_raise = False
            _signal.setitimer(_signal.ITIMER_REAL, 0)
            _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
            _signal.signal(_signal.SIGALRM, before)

    def _interruptible(self, seconds: float, function: Callable[..., Any], *args: object) -> Any:
        self._may_raise = True
        try:
            _signal.setitimer(_signal.ITIMER_REAL, seconds, AGAIN)
            return function(*args)
        finally:
            self._may_raise = False  # what comes now is put in order undisturbed

    def _alarm(self, share: float) -> None:
        """Somebody else may have sent the signal, before it is time."""
        if self._may_raise and self.left(share) <= 0:
            raise OutOfTime("not done in the time that the end of a run has, and broken off")
