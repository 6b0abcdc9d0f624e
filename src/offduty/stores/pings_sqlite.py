"""Checks and their pings in the SQLite store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec

from offduty.stores import watch_sqlite
from offduty.watch.pings.check import Check, Heard, Key, read_check, written
from offduty.watch.pings.store import REMEMBERED, Answer, OpenPings, digest
from offduty.watch.promise import Promise

Run = Callable[[Callable[[sqlite3.Connection], Any]], Any]
PutRun = Callable[[sqlite3.Connection, Mapping[str, Any], Mapping[str, Any] | None, bool], None]
GetRun = Callable[[sqlite3.Connection, str], dict[str, Any] | None]

PUT = """INSERT INTO ping_check (job, digest, key_name, slug, facts) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (job) DO UPDATE SET digest = excluded.digest, key_name = excluded.key_name, slug = excluded.slug, facts = excluded.facts"""
PUT_KEY = """INSERT INTO ping_key (name, digest, facts) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET digest = excluded.digest, facts = excluded.facts"""


class SqlitePings:
    """See `offduty.watch.pings.store.PingStore`. `write` runs a function over the connection in one durable transaction, `read` without."""

    def __init__(self, write: Run, read: Run, put_run: PutRun, get_run: GetRun) -> None:
        self._write, self._read, self._put_run, self._get_run = write, read, put_run, get_run

    def change(self, work: Callable[[OpenPings], Answer]) -> Answer:
        return cast("Answer", self._write(lambda db: work(_Open(db, self._put_run, self._get_run))))

    def checks(self) -> list[Check]:
        return _checks(self._read(lambda db: db.execute("SELECT facts FROM ping_check ORDER BY job").fetchall()))

    def keys(self) -> list[Key]:
        return [
            Key(**json.loads(facts))
            for (facts,) in self._read(lambda db: db.execute("SELECT facts FROM ping_key ORDER BY name").fetchall())
        ]

    def look(self, code: str = "", key: str = "", slug: str = "") -> list[Check]:
        if code:
            query, values = "SELECT facts FROM ping_check WHERE digest = ?", (digest(code),)
        else:
            query = """SELECT ping_check.facts FROM ping_check JOIN ping_key ON ping_key.name = key_name
                       WHERE ping_key.digest = ? AND slug = ? ORDER BY job"""
            values = (digest(key), slug)  # type: ignore[assignment]
        return _checks(self._read(lambda db: db.execute(query, values).fetchall()))

    def heard(self, job: str) -> list[Heard]:
        rows = self._read(lambda db: db.execute("SELECT facts FROM ping WHERE job = ? ORDER BY number DESC", (job,)).fetchall())
        return [Heard(*json.loads(facts)) for (facts,) in rows]


class _Open:
    """See `OpenPings`."""

    def __init__(self, db: sqlite3.Connection, put_run: PutRun, get_run: GetRun) -> None:
        self._db, self._put_run, self._get_run = db, put_run, get_run

    def by_code(self, code: str) -> Check | None:
        return self._one("SELECT facts FROM ping_check WHERE digest = ?", digest(code))

    def by_slug(self, key: str, slug: str) -> list[Check]:
        return _checks(
            self._db.execute("SELECT facts FROM ping_check WHERE key_name = ? AND slug = ? ORDER BY job", (key, slug)).fetchall()
        )

    def check(self, job: str) -> Check | None:
        return self._one("SELECT facts FROM ping_check WHERE job = ?", job)

    def _one(self, query: str, value: str) -> Check | None:
        return next(iter(_checks(self._db.execute(query, (value,)).fetchall())), None)

    def count(self, key: str) -> int:
        return int(self._db.execute("SELECT count(*) FROM ping_check WHERE key_name = ?", (key,)).fetchone()[0])

    def key(self, secret: str) -> Key | None:
        row = self._db.execute("SELECT facts FROM ping_key WHERE digest = ?", (digest(secret),)).fetchone()
        return Key(**json.loads(row[0])) if row else None

    def key_called(self, name: str) -> Key | None:
        row = self._db.execute("SELECT facts FROM ping_key WHERE name = ?", (name,)).fetchone()
        return Key(**json.loads(row[0])) if row else None

    def put(self, check: Check) -> None:
        self._db.execute(PUT, (check.job, digest(check.code), check.key, check.slug, written(check)))

    def update(self, check: Check) -> None:
        self._db.execute("UPDATE ping_check SET facts = ? WHERE job = ?", (written(check), check.job))

    def put_key(self, key: Key) -> None:
        self._db.execute(PUT_KEY, (key.name, digest(key.secret), json.dumps(vars(key))))

    def remove(self, job: str) -> None:
        self._db.execute("DELETE FROM ping_check WHERE job = ?", (job,))

    def hear(self, job: str, heard: Heard) -> None:
        row = (job, heard.number % REMEMBERED, heard.number, msgspec.json.encode(heard).decode())
        self._db.execute("INSERT OR REPLACE INTO ping (job, place, number, facts) VALUES (?, ?, ?, ?)", row)

    def put_run(self, record: Mapping[str, Any], tell: Mapping[str, Any] | None, *, new: bool = False) -> None:
        self._put_run(self._db, record, tell, new)

    def run(self, run_id: str) -> dict[str, Any] | None:
        return self._get_run(self._db, run_id)

    def has_runs(self, job: str) -> bool:
        return self._db.execute("SELECT 1 FROM run WHERE job = ? LIMIT 1", (job,)).fetchone() is not None

    def promise(self, promise: Promise, source: str, now: float) -> None:
        watch_sqlite.put(self._db, promise, source, now)

    def forget(self, job: str) -> None:
        self._db.execute(watch_sqlite.QUERIES["forget"], (job,))


def _checks(rows: list[tuple[str]]) -> list[Check]:
    """What the disk has changed is left out."""
    found = []
    for (facts,) in rows:
        try:
            found.append(read_check(facts))
        except ValueError:
            continue
    return found
