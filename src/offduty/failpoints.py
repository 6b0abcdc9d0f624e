"""Break offduty on purpose at a named place: `OFFDUTY_FAILPOINT=name:raise`, `name:kill` or `name:sleep:SECONDS`; several with commas.

`OFFDUTY_END_SECONDS`: how long the end of a run may take, for tests of what it does on machines too busy to do it in time.

Off unless `OFFDUTY_TESTING=1` is set as well, so that no stray variable can do it in production.
"""

from __future__ import annotations

import os

_WANTED = os.environ.get("OFFDUTY_FAILPOINT", "") if os.environ.get("OFFDUTY_TESTING") == "1" else ""


def end_seconds(usual: float) -> float:
    """Seconds that the end of a run has."""
    told = os.environ.get("OFFDUTY_END_SECONDS", "") if os.environ.get("OFFDUTY_TESTING") == "1" else ""
    return float(told) if told.isdecimal() else usual


class Provoked(Exception):
    """The failure that a failpoint raises."""


def hit(name: str) -> None:
    """Called at the place called `name`; does nothing unless that place is to break."""
    if not _WANTED:
        return
    for wanted in _WANTED.split(","):
        if wanted.startswith(name + ":"):
            _break(name, *wanted[len(name) + 1 :].partition(":")[::2])


def _break(name: str, action: str, seconds: str) -> None:
    if action == "raise":
        raise Provoked(name)
    if action == "kill":
        os.kill(os.getpid(), 9)
    if action == "sleep":
        import time

        time.sleep(float(seconds))
