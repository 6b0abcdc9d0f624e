"""What lies between two looks of a watcher: time that went by, or a clock that was set. Pure.

Within one boot of a machine both clocks are asked: the monotonic one cannot be set, and stands still while the machine sleeps. So a
machine that slept looks like a clock that was set ahead, and is treated like one: nobody lived through those hours.

A clock that is set ahead by mistake, and right again later, must not leave jobs unwatched until the wrong time comes: `reopen`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from offduty.watch.lateness import CLOCK_STEP, clock_step

RUNS_AGAIN = 3 * 3600.0
"""Seconds that a clock has to be set back by for schedulers to start again what they had started: Debian's cron, cron(8)."""


MOST_JUMPS = 8


@dataclass(frozen=True)
class Look:
    """Both clocks of a machine, and the boot that the monotonic one belongs to. `jumps`: what the wall clock showed before it was set
    ahead, and by how many seconds it was, the latest last.
    """

    wall: float
    monotonic: float
    boot: str = ""
    jumps: tuple[tuple[float, float], ...] = ()

    def facts(self) -> dict[str, Any]:
        """What another watcher, or this one in its next life, has to know of it beside `wall`."""
        return {"monotonic": self.monotonic, "boot": self.boot, "jumps": [list(jump) for jump in self.jumps]}


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
    return Look(wall, monotonic or 0.0, str(boot) if known else "", tuple(_jumps(facts.get("jumps")))[-MOST_JUMPS:])


def _jumps(found: object) -> Iterator[tuple[float, float]]:
    for pair in found if isinstance(found, list) else ():
        at, by = map(_number, pair) if isinstance(pair, list) and len(pair) == 2 else (None, None)
        if at is not None and by is not None:
            yield at, by


def between(last: Look | None, now: Look) -> Between:
    """What happened to the clocks since the last look."""
    if last is None:
        return Between(now, now.wall)
    stepped = _step(last, now)
    if not stepped:
        return Between(replace(now, jumps=last.jumps), min(last.wall, now.wall))
    if stepped > 0:
        return Between(replace(now, jumps=(*last.jumps, (last.wall, stepped))[-MOST_JUMPS:]), last.wall, stepped)
    jumps, lived = _undone(last.jumps, -stepped)
    return Between(replace(now, jumps=jumps), now.wall, stepped, None if lived is None else max(now.wall, lived))


def _undone(jumps: tuple[tuple[float, float], ...], back: float) -> tuple[tuple[tuple[float, float], ...], float | None]:
    """(the jumps ahead that a clock set back by so many seconds leaves, up to where time was lived before those that it undoes)."""
    lived = None
    while jumps and back >= max(RUNS_AGAIN, jumps[-1][1] / 2):
        lived, by = jumps[-1]
        jumps, back = jumps[:-1], back - by
    return jumps, lived


def _step(last: Look, now: Look) -> float:
    """Across a reboot only a clock that runs behind what it showed is known to have been set."""
    if last.boot and last.boot == now.boot:
        return clock_step(now.wall, last.wall, now.monotonic, last.monotonic)
    return now.wall - last.wall if now.wall < last.wall - CLOCK_STEP else 0.0


def _number(found: object) -> float | None:
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
