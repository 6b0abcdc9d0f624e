"""Of which week each team was told last, in memory and in the SQLite store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from offduty.handover.week import Week

Run = Callable[[Callable[[sqlite3.Connection], Any]], Any]


class MemoryWeeks:
    """See `offduty.handover.week.Weeks`."""

    def __init__(self) -> None:
        self._weeks: dict[tuple[str, str], Week] = {}

    def of(self, source: str) -> dict[str, Week]:
        return {week.team: week for week in self._weeks.values() if week.source == source}

    def put(self, week: Week) -> None:
        self._weeks[week.source, week.team] = week


class SqliteWeeks:
    """See `offduty.handover.week.Weeks`."""

    def __init__(self, write: Run, read: Run) -> None:
        self._write, self._read = write, read

    def of(self, source: str) -> dict[str, Week]:
        sql = "SELECT source, team, slot, since FROM week_told WHERE source = ?"
        return {row[1]: Week(*row) for row in self._read(lambda db: db.execute(sql, (source,)).fetchall())}

    def put(self, week: Week) -> None:
        sql = "INSERT OR REPLACE INTO week_told (source, team, slot, since) VALUES (?, ?, ?, ?)"
        self._write(lambda db: db.execute(sql, (week.source, week.team, week.slot, week.since)).rowcount)
