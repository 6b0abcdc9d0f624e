"""What letting go remembers, in the SQLite store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from offduty.handover.request import Request, request_from_json
from offduty.handover.store import Acceptance, Measured, Past, Reading, Touch
from offduty.handover.version import version_of
from offduty.stores.handover_memory import NOT_PAST, is_same, newest
from offduty.stores.record import GOOD

Run = Callable[[Callable[[sqlite3.Connection], Any]], Any]
ACCEPTANCE = 'job, team, row, digest, accepted, "by", at, reason'
ENDED = f"r.job = ? AND r.outcome NOT IN {NOT_PAST}"
PAST = f"""SELECT r.id, nullif(r.root_id, r.id), r."trigger", r.outcome, r.started_at, f.content FROM run r
LEFT JOIN fingerprint f ON f.run_id = r.id WHERE {ENDED} AND r."trigger" <> 'drill' ORDER BY r.started_at DESC, r.id DESC LIMIT ?"""
MEASURED = f"""SELECT m.run_id, m.name, m.value, coalesce(m.unit, '') FROM run r CROSS JOIN metric m ON m.run_id = r.id
WHERE {ENDED} ORDER BY r.started_at, r.id"""
"""All but the metrics stands in an index: to ask for the trigger would read every run. Of one run they come in the order of their key,
which ends with their number: to ask for it would sort them all once more."""
BRIEFS = "SELECT run_id, brief FROM fingerprint WHERE {column} IN (SELECT value FROM json_each(?))"
Version = tuple[str, str]
UNKNOWN: Version = ("", "")


class SqliteHandover:
    """See `offduty.handover.store.HandoverStore`. `write` runs a function over the connection in one transaction, `read` without."""

    def __init__(self, write: Run, read: Run) -> None:
        self._write, self._read = write, read

    def accept(self, acceptances: Sequence[Acceptance]) -> None:
        rows = [(one.job, one.team, one.row, one.digest, int(one.accepted), one.by, one.at, one.reason) for one in acceptances]
        self._write(lambda db: db.executemany(f"INSERT INTO acceptance ({ACCEPTANCE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows).rowcount)

    def acceptances(self, job: str) -> list[Acceptance]:
        rows = self._all(f"SELECT {ACCEPTANCE} FROM acceptance WHERE job = ? ORDER BY number", job)
        return newest(_acceptance(*row) for row in rows)

    def touch(self, touch: Touch) -> None:
        row = (touch.job, touch.at, touch.by, touch.text, touch.hours)
        self._write(lambda db: db.execute('INSERT INTO touch (job, at, "by", text, hours) VALUES (?, ?, ?, ?, ?)', row).rowcount)

    def touches(self, job: str) -> list[Touch]:
        return [Touch(*row) for row in self._all('SELECT job, at, "by", text, hours FROM touch WHERE job = ? ORDER BY at, number', job)]

    def add_request(self, request: Request) -> int:
        row = (request.job, request.state, json.dumps(request.as_json()))
        return int(self._write(lambda db: db.execute("INSERT INTO request (job, state, entry) VALUES (?, ?, ?)", row).lastrowid))

    def put_request(self, request: Request) -> bool:
        row = (request.job, request.state, json.dumps(request.as_json()), request.number)
        return bool(
            self._write(lambda db: db.execute("UPDATE request SET job = ?, state = ?, entry = ? WHERE number = ?", row).rowcount == 1)
        )

    def requests(self, job: str | None = None) -> list[Request]:
        rows = self._all("SELECT number, entry FROM request WHERE (?1 IS NULL OR job = ?1) ORDER BY number", job)
        found = ((number, request_from_json(_object(entry))) for number, entry in rows)
        return [replace(one, number=number) for number, one in found if one is not None]

    def read(self, reading: Reading) -> bool:
        """Asked first without the write lock: nearly always nothing has changed."""
        rows = self._all(f"{_READINGS} ORDER BY number DESC LIMIT 1", reading.job)
        if rows and is_same(_reading(rows[0]), reading):
            return False
        row = (reading.job, reading.at, reading.level, reading.score, json.dumps(dict(reading.states)))
        self._write(lambda db: db.execute("INSERT INTO readiness (job, at, level, score, entry) VALUES (?, ?, ?, ?, ?)", row).rowcount)
        return True

    def readings(self, job: str) -> list[Reading]:
        return [_reading(row) for row in self._all(f"{_READINGS} ORDER BY number", job)]

    def past(self, job: str, limit: int | None = None) -> list[Past]:
        rows = self._many(PAST, job, limit or -1)
        firsts = {row[5]: row[0] for row in rows if row[5] is not None and row[3] in GOOD}  # the newest come first, so the oldest stays
        versions = self._versions(firsts)
        by_run = self._versions_by_run(set(firsts) - set(versions))
        at = datetime.fromisoformat
        return [
            Past(run, root or run, trigger, outcome, at(started).timestamp(), *((versions.get(content) or by_run.get(run) or UNKNOWN)
                 if outcome in GOOD else UNKNOWN))
            for run, root, trigger, outcome, started, content in reversed(rows)
        ]  # fmt: skip

    def _versions(self, firsts: Mapping[int, str]) -> dict[int, Version]:
        """Of the contents that say which files ran; the brief of the first run will do for all: its commit is for people."""
        rows = self._all("SELECT id, text FROM content WHERE id IN (SELECT value FROM json_each(?))", json.dumps(sorted(firsts)))
        files = {number: named for number, text in rows if (named := _object(text).get("files"))}
        briefs = dict(self._all(BRIEFS.format(column="run_id"), json.dumps([firsts[number] for number in files])))
        return {number: _version(briefs.get(firsts[number]), named) for number, named in files.items()}

    def _versions_by_run(self, contents: set[int]) -> dict[str, Version]:
        """Where no file is known, each run's brief has its commit; nearly all of them are the same text."""
        rows = self._many(BRIEFS.format(column="content"), json.dumps(sorted(contents))) if contents else []
        known = {brief: _version(brief, None) for brief in {brief for _, brief in rows}}
        return {run: known[brief] for run, brief in rows}

    def measured(self, job: str) -> list[Measured]:
        return self._many(MEASURED, job)

    def _all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._read(lambda db: db.execute(sql, values).fetchall())
        return found

    def _many(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """The same for 100 000 rows: texts are decoded by SQLite's module itself, unless one of them is none any more."""
        found: list[tuple[Any, ...]] = self._read(lambda db: _quickly(db, sql, values))
        return found


def _version(brief: object, files: object) -> Version:
    return version_of({**_object(_object(brief).get("code")), "files": files})


_READINGS = "SELECT job, at, level, score, entry FROM readiness WHERE job = ?"


def _quickly(db: sqlite3.Connection, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
    careful = db.text_factory
    db.text_factory = str
    try:
        return db.execute(sql, values).fetchall()
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
    finally:
        db.text_factory = careful
    return db.execute(sql, values).fetchall()


def _acceptance(job: str, team: str, row: str, digest: str, accepted: int, by: str, at: float, reason: str) -> Acceptance:
    return Acceptance(job, team, row, digest, bool(accepted), by, at, reason)


def _reading(row: tuple[Any, ...]) -> Reading:
    job, at, level, score, entry = row
    return Reading(job, at, level, score, {str(code): str(state) for code, state in _object(entry).items()})


def _object(found: object) -> dict[str, Any]:
    """What the disk has changed is an empty one."""
    try:
        found = json.loads(found) if isinstance(found, str) else found
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
