"""Coverage and drills, in memory and in the SQLite store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from offduty.drills.store import Looked, Rehearsed, Turn, rehearsed

MOST = 1000
MOST_TURNS = 100
KEPT = 10_000
"""Drills of a job that are kept."""
TURN = 'number, job, began_at, "by", tries, ended_at, outcome, passed, "of", said, code'
TURN_NOW = ", ".join(f"{name} = excluded.{name}" for name in TURN.split(", ")[3:])
COVERAGE = "job, at, share, known, holes, faults"
Run = Callable[[Callable[[sqlite3.Connection], Any]], Any]


def newest(drills: Iterable[Rehearsed]) -> list[Rehearsed]:
    """Of each row, fault and target the last."""
    return list({(one.row, one.fault, one.op, one.target): one for one in drills}.values())


class MemoryDrills:
    """See `offduty.drills.store.DrillStore`."""

    def __init__(self) -> None:
        self._looked: list[Looked] = []
        self._drills: list[Rehearsed] = []
        self._turns: dict[int, Turn] = {}

    def looked(self, one: Looked) -> None:
        self._looked.append(one)

    def coverages(self, job: str) -> list[Looked]:
        return [one for one in self._looked if one.job == job][-MOST:]

    def rehearse(self, drills: Sequence[Rehearsed]) -> None:
        self._drills += drills

    def rehearsals(self, job: str) -> list[Rehearsed]:
        return newest(one for one in self._drills if one.job == job)

    def forget(self, before: float) -> int:
        jobs = {one.job for one in self._drills}
        kept = [one for job in jobs for one in [it for it in self._drills if it.job == job and it.at >= before][-KEPT:]]
        turns = {number: turn for number, turn in self._turns.items() if turn.began_at >= before}
        gone = len(self._drills) - len(kept) + len(self._turns) - len(turns)
        self._drills, self._turns = [one for one in self._drills if one in kept], turns
        return gone

    def put_turn(self, turn: Turn) -> Turn:
        turn = replace(turn, number=turn.number or max(self._turns, default=0) + 1)
        self._turns[turn.number] = turn
        return turn

    def turns(self, job: str) -> list[Turn]:
        return [one for one in self._turns.values() if one.job == job][-MOST_TURNS:]

    def last_turns(self) -> dict[str, Turn]:
        return {one.job: one for one in self._turns.values()}


class SqliteDrills:
    """See `offduty.drills.store.DrillStore`."""

    def __init__(self, write: Run, read: Run) -> None:
        self._write, self._read = write, read

    def looked(self, one: Looked) -> None:
        row = (one.job, one.at, one.share, one.known, one.holes, one.of)
        self._write(lambda db: db.execute(f"INSERT INTO coverage ({COVERAGE}) VALUES (?, ?, ?, ?, ?, ?)", row).rowcount)

    def coverages(self, job: str) -> list[Looked]:
        sql = f"SELECT {COVERAGE} FROM coverage WHERE job = ? ORDER BY number DESC LIMIT {MOST}"
        rows = self._read(lambda db: db.execute(sql, (job,)).fetchall())
        return [Looked(*row) for row in reversed(rows)]

    def rehearse(self, drills: Sequence[Rehearsed]) -> None:
        rows = [(one.job, one.at, one.row, one.fault, int(one.passed), json.dumps(one.as_json())) for one in drills]
        self._write(
            lambda db: db.executemany('INSERT INTO drill (job, at, "row", fault, passed, entry) VALUES (?, ?, ?, ?, ?, ?)', rows).rowcount
        )

    def rehearsals(self, job: str) -> list[Rehearsed]:
        sql = "SELECT entry FROM (SELECT number, entry FROM drill WHERE job = ? ORDER BY number DESC LIMIT 20000) ORDER BY number"
        rows = self._read(lambda db: db.execute(sql, (job,)).fetchall())
        return newest(one for (text,) in rows if (one := _kept(text)) is not None)

    def forget(self, before: float) -> int:
        return int(self._write(lambda db: _forget(db, before)))

    def put_turn(self, turn: Turn) -> Turn:
        row = (
            turn.job, turn.began_at, turn.by, turn.tries, turn.ended_at, turn.outcome, turn.passed, turn.of, turn.said, turn.code,
        )  # fmt: skip
        sql = f"INSERT INTO drill_turn ({TURN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO UPDATE SET {TURN_NOW}"
        number = self._write(lambda db: db.execute(f"{sql} RETURNING number", (turn.number or None, *row)).fetchone()[0])
        return replace(turn, number=int(number))

    def turns(self, job: str) -> list[Turn]:
        sql = f"SELECT {TURN} FROM drill_turn WHERE job = ? ORDER BY number DESC LIMIT {MOST_TURNS}"
        return [_turn(row) for row in reversed(self._read(lambda db: db.execute(sql, (job,)).fetchall()))]

    def last_turns(self) -> dict[str, Turn]:
        sql = f"SELECT {TURN} FROM drill_turn WHERE number IN (SELECT max(number) FROM drill_turn GROUP BY job)"
        return {turn.job: turn for turn in map(_turn, self._read(lambda db: db.execute(sql).fetchall()))}


def _forget(db: sqlite3.Connection, before: float) -> int:
    gone = db.execute("DELETE FROM drill WHERE at < ?", (before,)).rowcount
    for (job,) in db.execute("SELECT job FROM drill GROUP BY job HAVING count(*) > ?", (KEPT,)).fetchall():
        newest = "SELECT number FROM drill WHERE job = ? ORDER BY number DESC LIMIT 1 OFFSET ?"
        gone += db.execute(f"DELETE FROM drill WHERE job = ? AND number <= ({newest})", (job, job, KEPT)).rowcount
    return gone + db.execute("DELETE FROM drill_turn WHERE began_at < ?", (before,)).rowcount


def _turn(row: Sequence[Any]) -> Turn:
    number, job, began_at, *rest = row
    return Turn(job, began_at, number, *rest)


def _kept(text: object) -> Rehearsed | None:
    """None for what the disk has changed."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
        return rehearsed(found) if isinstance(found, dict) else None
    except (ValueError, TypeError, RecursionError):
        return None
