"""What the watcher knows, in the SQLite store."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from typing import Any

from offduty.clock import wall_of
from offduty.stores import queries
from offduty.stores.watch_memory import watched
from offduty.watch.promise import Promise, read_promise
from offduty.watch.store import Peer, Started, Watched

Run = Callable[[Callable[[sqlite3.Connection], Any]], Any]


QUERIES = queries.split(queries.read(os.path.join(os.path.dirname(os.path.abspath(__file__)), "sql", "sqlite", "watch.sql")))


class SqliteWatch:
    """See `offduty.watch.store.WatchStore`. `write` runs a function over the connection in one durable transaction, `read` without."""

    def __init__(self, write: Run, read: Run) -> None:
        self._write, self._read = write, read

    def promise(self, promise: Promise, source: str, now: float) -> bool:
        """Asked first without the write lock: nearly always nothing has changed."""
        before = self._one(promise.job)
        if watched(before, promise, source, now) == before:
            return False
        return bool(self._write(lambda db: put(db, promise, source, now)))

    def forget(self, job: str) -> bool:
        return bool(self._write(lambda db: db.execute(QUERIES["forget"], (job,)).rowcount == 1))

    def watched(self, job: str | None = None) -> list[Watched]:
        return _rows(self._read(lambda db: db.execute(QUERIES["watched"], {"job": job}).fetchall()))

    def due(self, now: float, limit: int) -> list[Watched]:
        return _rows(self._read(lambda db: db.execute(QUERIES["due"], (now, limit)).fetchall()))

    def outputs_due(self, now: float, limit: int) -> list[Watched]:
        return _rows(self._read(lambda db: db.execute(QUERIES["outputs_due"], (now, limit)).fetchall()))

    def advance(self, job: str, slot: float | None, to: float | None, due: float | None) -> bool:
        values = {"job": job, "slot": slot, "to": to, "due": due}
        return bool(self._write(lambda db: db.execute(QUERIES["advance"], values).rowcount == 1))

    def look_again(self, job: str, at: float | None) -> None:
        self._write(lambda db: db.execute(QUERIES["look_again"], (at, job)).rowcount)

    def started_after(self, number: int, limit: int) -> list[Started]:
        return [Started(*row) for row in self._read(lambda db: db.execute(QUERIES["started_after"], (number, limit)).fetchall())]

    def beat(self, peer: Peer) -> None:
        row = (peer.id, peer.host, peer.beats, peer.tick_at, peer.seen, json.dumps(dict(peer.facts)))
        self._write(lambda db: db.execute(QUERIES["beat"], row).rowcount)

    def peers(self) -> list[Peer]:
        rows = self._read(lambda db: db.execute(QUERIES["peers"]).fetchall())
        return [Peer(name, host, beats, at, seen, _object(facts)) for name, host, beats, at, seen, facts in rows]

    def forget_peer(self, peer_id: str) -> None:
        self._write(lambda db: db.execute(QUERIES["forget_peer"], (peer_id,)).rowcount)

    def forget_starts(self, before: int) -> int:
        return int(self._write(lambda db: db.execute(QUERIES["forget_starts"], (before,)).rowcount))

    def _one(self, job: str) -> Watched | None:
        return next(iter(self.watched(job)), None)


def start(db: sqlite3.Connection, job: str, run: str, started_at: str) -> None:
    """A run was taken in that started at this time (RFC 3339); within the transaction that takes it."""
    db.execute(QUERIES["start"], {"job": job, "run": run, "at": wall_of(started_at)})


def put(db: sqlite3.Connection, promise: Promise, source: str, now: float) -> bool:
    """`SqliteWatch.promise` within somebody's transaction."""
    before = next(iter(_rows(db.execute(QUERIES["watched"], {"job": promise.job}).fetchall())), None)
    found = watched(before, promise, source, now)
    if found == before:
        return False
    row = (found.job, json.dumps(promise.as_json()), source, found.since, found.slot, found.due, found.output_due)
    db.execute(QUERIES["put_watched"], row)
    return True


def _rows(rows: list[tuple[Any, ...]]) -> list[Watched]:
    return [Watched(read_promise(_object(row[0])), *row[1:]) for row in rows]


def _object(text: str) -> dict[str, Any]:
    """What the disk has changed is an empty one."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
