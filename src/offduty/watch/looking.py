"""What lies between two looks of a watcher: time that went by, or a clock that was set. Pure.

Within one boot of a machine both clocks are asked: the monotonic one cannot be set, and stands still while the machine sleeps. So a
machine that slept looks like a clock that was set ahead, and is treated like one: nobody lived through those hours.

A clock that is set ahead by mistake, and right again later, must not leave jobs unwatched until the wrong time comes: `reopen`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from offduty.watch.lateness import CLOCK_STEP, clock_step

RUNS_AGAIN = 3 * 3600.0
"""Seconds that a clock has to be set back by for schedulers to start again what they had started: Debian's cron, cron(8)."""


@dataclass(frozen=True)
class Look:
    """Both clocks of a machine, and the boot that the monotonic one belongs to. `lived`: what the wall clock showed before it was last set
    ahead, by `ahead` seconds; None if it was not.
    """

    wall: float
    monotonic: float
    boot: str = ""
    lived: float | None = None
    ahead: float = 0.0

    def facts(self) -> dict[str, Any]:
        """What another watcher, or this one in its next life, has to know of it beside `wall`."""
        return {"monotonic": self.monotonic, "boot": self.boot, "lived": self.lived, "ahead": self.ahead}


@dataclass(frozen=True)
class Between:
    """`since`: starts that were not there at the last look happened after this. `stepped`: seconds that the clock was set by.
    `reopen`: slots after this are open again, None: none. `now`: this look, with what is to be remembered.
    """

    now: Look
    since: float
    stepped: float = 0.0
    reopen: float | None = None


def read_look(wall: float, facts: Mapping[str, Any]) -> Look:
    """The look that a store remembers. What is no number there counts as not known."""
    monotonic, boot = _number(facts.get("monotonic")), facts.get("boot")
    known = isinstance(boot, str) and monotonic is not None
    return Look(wall, monotonic or 0.0, str(boot) if known else "", _number(facts.get("lived")), _number(facts.get("ahead")) or 0.0)


def between(last: Look | None, now: Look) -> Between:
    """What happened to the clocks since the last look."""
    if last is None:
        return Between(now, now.wall)
    stepped = _step(last, now)
    if not stepped:
        return Between(_remembering(now, last.lived, last.ahead), min(last.wall, now.wall))
    if stepped > 0:
        return Between(_remembering(now, last.wall, stepped), now.wall, stepped)
    if last.lived is not None and -stepped >= max(RUNS_AGAIN, last.ahead / 2):
        return Between(now, now.wall, stepped, max(now.wall, last.lived))
    return Between(_remembering(now, last.lived, last.ahead), now.wall, stepped)


def _step(last: Look, now: Look) -> float:
    """Across a reboot only a clock that runs behind what it showed is known to have been set."""
    if last.boot and last.boot == now.boot:
        return clock_step(now.wall, last.wall, now.monotonic, last.monotonic)
    return now.wall - last.wall if now.wall < last.wall - CLOCK_STEP else 0.0


def _remembering(look: Look, lived: float | None, ahead: float) -> Look:
    return Look(look.wall, look.monotonic, look.boot, lived, ahead)


def _number(found: object) -> float | None:
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
