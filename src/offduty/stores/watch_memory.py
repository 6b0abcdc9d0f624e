"""What the watcher knows, in memory: the reference that says what every store does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from offduty.clock import wall_of
from offduty.watch.lateness import due_at, first_slot
from offduty.watch.promise import Promise
from offduty.watch.store import Peer, Started, Watched, is_due_otherwise


class MemoryWatch:
    """See `offduty.watch.store.WatchStore`."""

    def __init__(self) -> None:
        self._watched: dict[str, Watched] = {}
        self._started: list[Started] = []
        self._peers: dict[str, Peer] = {}
        self._newest = 0

    def promise(self, promise: Promise, source: str, now: float) -> bool:
        before = self._watched.get(promise.job)
        found = watched(before, promise, source, now)
        self._watched[promise.job] = found
        return found != before

    def forget(self, job: str) -> bool:
        return self._watched.pop(job, None) is not None

    def watched(self, job: str | None = None) -> list[Watched]:
        return [found for name, found in sorted(self._watched.items()) if job in (None, name)]

    def due(self, now: float, limit: int) -> list[Watched]:
        over = [found for found in self._watched.values() if found.due is not None and found.due < now]
        return sorted(over, key=lambda found: (found.due or 0.0, found.job))[:limit]

    def outputs_due(self, now: float, limit: int) -> list[Watched]:
        over = [found for found in self._watched.values() if found.output_due is not None and found.output_due <= now]
        return sorted(over, key=lambda found: (found.output_due or 0.0, found.job))[:limit]

    def advance(self, job: str, slot: float | None, to: float | None, due: float | None) -> bool:
        found = self._watched.get(job)
        if found is None or found.slot != slot:
            return False
        self._watched[job] = replace(found, slot=to, due=due)
        return True

    def look_again(self, job: str, at: float | None) -> None:
        if job in self._watched:
            self._watched[job] = replace(self._watched[job], output_due=at)

    def start(self, run: Mapping[str, Any]) -> None:
        """A run was taken in; called by the store that takes it. A further attempt keeps no slot: the first one did."""
        if run["job"] in self._watched and run["trigger"] != "drill" and run["root_id"] == run["id"]:
            self._newest += 1
            self._started.append(Started(self._newest, run["job"], run["id"], wall_of(run["started_at"])))

    def started_after(self, number: int, limit: int) -> list[Started]:
        return [one for one in self._started if one.number > number][:limit]

    def beat(self, peer: Peer) -> None:
        self._peers[peer.id] = peer

    def peers(self) -> list[Peer]:
        return [self._peers[name] for name in sorted(self._peers)]

    def forget_peer(self, peer_id: str) -> None:
        self._peers.pop(peer_id, None)

    def forget_starts(self, before: int) -> int:
        kept = [one for one in self._started if one.number >= before]
        gone, self._started = len(self._started) - len(kept), kept
        return gone


def watched(before: Watched | None, promise: Promise, source: str, now: float) -> Watched:
    """The job as it is watched from now on. A slot that is open stays open, unless the job is due at other times now."""
    if before is not None and not is_due_otherwise(before.promise, promise):
        due = due_at(promise, before.slot)
        output_due = before.output_due if promise.outputs == before.promise.outputs else (now if promise.outputs else None)
        return Watched(promise, source, before.since, before.slot, due, output_due)
    slot = first_slot(promise, now)
    return Watched(promise, source, before.since if before else now, slot, due_at(promise, slot), now if promise.outputs else None)
