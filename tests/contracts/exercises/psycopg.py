"""PostgreSQL by psycopg 3."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

LIBRARIES = ["psycopg"]
SERVERS = ["postgres_port"]
NAMES = """psycopg.Connection.connect psycopg.AsyncConnection.connect psycopg.Cursor.execute psycopg.Cursor.executemany
 psycopg.AsyncCursor.execute psycopg.ServerCursor.execute psycopg.AsyncServerCursor.execute""".split()
postgres_port = 0


def prepare(folder: Path) -> None:
    """The statements make what they need."""


def _url() -> str:
    return f"postgresql://postgres:CANARY@127.0.0.1:{postgres_port}/postgres"


def _connect(folder: Path) -> None:
    import psycopg

    psycopg.connect(_url()).close()


def _ask(statement: str, *parameters: Any) -> Any:
    def call(folder: Path) -> Any:
        import psycopg

        with psycopg.Connection.connect(_url()) as connection:
            return connection.execute(statement, parameters).fetchall()

    return call


def _named(folder: Path) -> Any:
    import psycopg

    with psycopg.connect(_url()) as connection, connection.cursor("a") as cursor:
        return cursor.execute("SELECT 'CANARY' FROM pg_database LIMIT 1").fetchall()


def _async(folder: Path) -> Any:
    import psycopg

    async def ask() -> Any:
        async with await psycopg.AsyncConnection.connect(_url()) as connection:
            return await (await connection.execute("SELECT %s FROM pg_database LIMIT 1", ["CANARY"])).fetchall()

    return asyncio.run(ask())


GOOD = [
    ("db.connect", "/postgres", _connect),
    ("db.connect db.query", "/postgres SELECT pg_database", _ask("SELECT 'CANARY' FROM pg_database LIMIT 1")),
    ("db.connect db.query", "/postgres SELECT pg_database", _named),
    ("db.connect db.query", "/postgres SELECT pg_database", _async),
]
BAD = [
    _ask("SELECT 'CANARY'::int"),
    _ask("SELECT * FROM missing WHERE a = 'CANARY'"),
    _ask("SELECT 1 CANARY 'CANARY'"),
    lambda folder: __import__("psycopg").connect("host=127.0.0.1 port=1 password=CANARY"),
]
