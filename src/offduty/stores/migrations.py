"""Bringing a database to the schema of this offduty: numbered SQL files, each applied once, in a transaction, on record with its checksum.

`PRAGMA user_version` is the number of the last one applied; it and the rows of `migration` change in the same transaction as the schema.
"""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING

from offduty.clock import rfc3339
from offduty.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Migration:
    """One step: its `number` (from 1, without holes), its file's `name`, and its `sql`."""

    def __init__(self, number: int, name: str, sql: str) -> None:
        self.number, self.name, self.sql = number, name, sql

    @property
    def checksum(self) -> str:
        """SHA-256 of the file's text."""
        from hashlib import sha256  # 4 ms, and only a migration needs it

        return sha256(self.sql.encode()).hexdigest()


def load(folder: str) -> list[Migration]:
    """The migrations of a folder, in order. Files are called `0001_what.sql`."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".sql"))
    return [Migration(int(name[:4]), name, _text(f"{folder}/{name}")) for name in names]


def newest(folder: str) -> int:
    """The number of the last migration, without reading any."""
    return max(int(name[:4]) for name in os.listdir(folder) if name.endswith(".sql"))


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def version(connection: sqlite3.Connection) -> int:
    """The number of the last migration that the database has."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def statements(sql: str) -> Iterator[str]:
    """The statements of a script one by one, as `executescript` would commit in between."""
    waiting = ""
    for line in sql.splitlines(keepends=True):
        waiting += line
        if ";" in line and sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""
    if waiting.strip():
        raise ValueError("the script ends within a statement")


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration], now: float) -> list[int]:
    """Apply what is missing; the numbers of what was applied. Two at once are safe: the second finds nothing to do."""
    return [migration.number for migration in migrations if _apply(connection, migration, now)]


def _apply(connection: sqlite3.Connection, migration: Migration, now: float) -> bool:
    """One transaction. The version is read after the write lock is held, so nobody can get in between."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        missing = version(connection) < migration.number
        if missing:
            _run(connection, migration, now)
        else:
            _compare(connection, migration)
    except BaseException:
        if connection.in_transaction:  # SQLite may have rolled back already, as on a full disk
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return missing


def _run(connection: sqlite3.Connection, migration: Migration, now: float) -> None:
    for statement in statements(migration.sql):
        connection.execute(statement)
    row = (migration.number, migration.name, migration.checksum, rfc3339(now))
    connection.execute("INSERT INTO migration (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)", row)
    connection.execute(f"PRAGMA user_version = {migration.number:d}")


def _compare(connection: sqlite3.Connection, migration: Migration) -> None:
    """A migration that is applied must be the one we know, or the next one would build on sand."""
    row = connection.execute("SELECT checksum FROM migration WHERE number = ?", (migration.number,)).fetchone()
    if row is None or row[0] != migration.checksum:
        why = f"its migration {migration.number} is not {migration.name} as we know it"
        raise StoreError("E612", "the schema of the store is not offduty's", why=why, fix="use the offduty that made it, or move it away")


def schema(connection: sqlite3.Connection) -> str:
    """The schema as SQLite has it, in a stable order; `schema.sql` beside the migrations is this text."""
    rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type DESC, name").fetchall()
    return "\n\n".join(f"{row[0]};" for row in rows) + "\n"
