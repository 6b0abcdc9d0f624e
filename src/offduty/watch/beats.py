"""Runs whose process cannot be seen from here: judged by whether their beat still changes, on this watcher's own monotonic clock."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from offduty.clock import Clock

SILENT = 60.0
"""Seconds without a change, four beats, after which a run is lost."""

Alive = Callable[[Mapping[str, object]], bool | None]


class Listener:
    """Asks `seen` first, which knows the processes of this machine; where that cannot say, listens to the beats in `folder`."""

    def __init__(self, folder: str, clock: Clock, seen: Alive) -> None:
        self._folder, self._clock, self._seen = folder, clock, seen
        self._heard: dict[str, tuple[bytes, float]] = {}

    def alive(self, run: Mapping[str, object]) -> bool | None:
        """None where nobody can say: a run that has not beaten yet."""
        known = self._seen(run)
        return known if known is not None else self._listen(str(run["id"]))

    def _listen(self, run_id: str) -> bool | None:
        beat, now = _read(f"{self._folder}/{run_id}"), self._clock.monotonic()
        if beat is None:
            return None
        before, since = self._heard.get(run_id, (b"", now))
        if beat != before:
            self._heard[run_id] = (beat, now)
            return True
        return now - since <= SILENT

    def forget(self, run_id: str) -> None:
        """It is known to be lost: what it left goes."""
        self._heard.pop(run_id, None)
        try:
            os.unlink(f"{self._folder}/{run_id}")
        except OSError:
            pass  # it never beat, or another watcher was faster


def _read(path: str) -> bytes | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(fd, 32)
    except OSError:
        return None
    finally:
        os.close(fd)
