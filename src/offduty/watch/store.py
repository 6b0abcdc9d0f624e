"""What the watcher needs from a store: what was promised, which slot of each job is open, which runs have started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from offduty.watch.promise import Promise


@dataclass(frozen=True)
class Watched:
    """One job under watch. `slot`: the oldest open one, `due`: when it is missed (both None: never due). `source`: the file that says so.

    `since`: watched since. `output_due`: when its outputs are to be looked at again. Seconds since 1970.
    """

    promise: Promise
    source: str
    since: float
    slot: float | None
    due: float | None
    output_due: float | None = None

    @property
    def job(self) -> str:
        """Its name."""
        return self.promise.job


@dataclass(frozen=True)
class Started:
    """A run (or ping) that started, as the store heard of it: numbered in that order. `at`: as its machine wrote it down."""

    number: int
    job: str
    run: str
    at: float


@dataclass(frozen=True)
class Peer:
    """A watcher of this store. `beats` counts up while it lives. `tick_at`: its last look, by its own clock; `seen`: starts up to there."""

    id: str
    host: str
    beats: int
    tick_at: float
    seen: int
    facts: Mapping[str, Any]


class WatchStore(Protocol):
    """Every method may raise `StoreError`, and then has changed nothing."""

    def promise(self, promise: Promise, source: str, now: float) -> bool:
        """Watch a job from now on, or as it promises now; False if that is what is known. Its open slot moves if its schedule did."""

    def forget(self, job: str) -> bool:
        """Watch it no more; False if nobody did."""

    def watched(self, job: str | None = None) -> list[Watched]:
        """All jobs under watch by name, or the one."""

    def due(self, now: float, limit: int) -> list[Watched]:
        """Those whose open slot is over, the oldest first."""

    def outputs_due(self, now: float, limit: int) -> list[Watched]:
        """Those whose outputs are to be looked at."""

    def advance(self, job: str, slot: float | None, to: float | None, due: float | None) -> bool:
        """The claim: `slot` is settled, `to` is open now; False if somebody else was faster."""

    def look_again(self, job: str, at: float | None) -> None:
        """When the outputs of the job are to be looked at next."""

    def started_after(self, number: int, limit: int) -> list[Started]:
        """What has started since, in order."""

    def beat(self, peer: Peer) -> None:
        """A watcher lives, and has looked."""

    def peers(self) -> list[Peer]:
        """All watchers there ever were, until they are forgotten."""

    def forget_peer(self, peer_id: str) -> None:
        """A watcher that is gone for good."""

    def forget_starts(self, before: int) -> int:
        """Starts that every watcher has seen; how many went."""


def is_due_otherwise(then: Promise, now: Promise) -> bool:
    """Whether a job is due at other times than it was, so that its open slot has to be found anew."""
    return any(getattr(then, name) != getattr(now, name) for name in ("cron", "on_calendar", "every", "zone", "except_on"))
