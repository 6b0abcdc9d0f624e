"""The supervisor's sign of life for those who cannot see its process, on another machine or in another container: a number that counts up.

Only that it changes says anything: no clock is written down, so none is ever compared (INV-10).
"""

from __future__ import annotations

import os

from offduty.places import make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from offduty.clock import Clock

EVERY = 15.0  # seconds


class Beat:
    """Beats in the file `<folder>/<run id>`; a run shorter than `EVERY` leaves nothing there."""

    def __init__(self, folder: str, run_id: str, clock: Clock) -> None:
        self.path, self._clock = f"{folder}/{run_id}", clock
        self._count, self._due = 0, clock.monotonic() + EVERY

    def beat(self) -> None:
        """Beat, if it is time. Raises OSError."""
        if self._clock.monotonic() < self._due:
            return
        self._due = self._clock.monotonic() + EVERY
        self._count += 1
        make_private(os.path.dirname(self.path))
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(fd, b"%d" % self._count, 0)
        finally:
            os.close(fd)

    def end(self) -> None:
        """The run is over: nobody need listen any more."""
        if self._count:
            os.unlink(self.path)
