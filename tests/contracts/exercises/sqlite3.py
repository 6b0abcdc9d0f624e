"""SQLite: connections, cursors, and what they execute."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

LIBRARIES: list[str] = []
NAMES = ["sqlite3.connect", "sqlite3.dbapi2.connect"]


def prepare(folder: Path) -> None:
    """A database."""
    with closing(sqlite3.connect(folder / "a.db")) as connection, connection:
        connection.executescript("CREATE TABLE stores (name TEXT UNIQUE); INSERT INTO stores VALUES ('CANARY')")


def _connect(folder: Path) -> None:
    sqlite3.connect(folder / "a.db").close()


def _ask(statement: str, *parameters: Any) -> Any:
    def call(folder: Path) -> Any:
        with closing(sqlite3.connect(str(folder / "a.db"))) as connection:
            return connection.execute(statement, parameters).fetchall()

    return call


def _many(folder: Path) -> int:
    with closing(sqlite3.connect(database=folder / "a.db")) as connection:
        return connection.cursor().executemany("INSERT INTO stores VALUES (?)", [("CANARY1",), ("CANARY2",)]).rowcount


GOOD = [
    ("db.connect", "a.db", _connect),
    ("db.connect db.query", "a.db SELECT stores", _ask("SELECT name FROM stores WHERE name = 'CANARY'")),
    ("db.connect db.query", "a.db SELECT stores", _ask("SELECT name FROM stores WHERE name = ?", "CANARY")),
    ("db.connect db.query", "a.db INSERT stores", _many),
]
BAD = [
    _ask("INSERT INTO stores VALUES ('CANARY')"),
    _ask("SELECT * FROM missing WHERE name = 'CANARY'"),
    _ask("SELECT 1 CANARY 'CANARY'"),
    lambda folder: sqlite3.connect(folder / "missing" / "a.db"),
    lambda folder: sqlite3.connect(),  # type: ignore[call-overload]
]
