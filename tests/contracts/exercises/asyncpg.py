"""PostgreSQL by asyncpg."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

LIBRARIES = ["asyncpg"]
SERVERS = ["postgres_port"]
NAMES = ["asyncpg.connect", "asyncpg.connection.connect", "asyncpg.prepared_stmt.PreparedStatement.fetch"]
NAMES += [f"asyncpg.connection.Connection.{name}" for name in "execute fetch fetchval copy_from_table".split()]
CATALOG = "SELECT 'CANARY' FROM pg_database LIMIT 1"
postgres_port = 0


def prepare(folder: Path) -> None:
    """The statements make what they need."""


def _with(use: Callable[[Any], Awaitable[Any]]) -> Any:
    """A call that connects, uses the connection, and closes it."""

    def call(folder: Path) -> Any:
        import asyncpg

        async def main() -> Any:
            connection = await asyncpg.connect(f"postgresql://postgres:CANARY@127.0.0.1:{postgres_port}/postgres")
            try:
                return await use(connection)
            finally:
                await connection.close()

        return asyncio.run(main())

    return call


async def _nothing(connection: Any) -> None:
    """Only connect."""


async def _prepared(connection: Any) -> Any:
    return await (await connection.prepare(CATALOG)).fetch()


async def _copied(connection: Any) -> Any:
    return await connection.copy_from_table("pg_database", schema_name="pg_catalog", columns=["datname"], output=io.BytesIO())


def _pooled(folder: Path) -> Any:
    import asyncpg

    async def main() -> Any:
        said = {"host": "127.0.0.1", "port": postgres_port, "user": "postgres", "database": "postgres", "password": "CANARY"}
        async with asyncpg.create_pool(**said, min_size=1, max_size=1) as pool:
            return await pool.fetch(CATALOG)

    return asyncio.run(main())


def _refused(folder: Path) -> Any:
    import asyncpg

    return asyncio.run(asyncpg.connect(host="127.0.0.1", port=1, user="CANARY", password="CANARY", database="postgres"))


GOOD = [
    ("db.connect", "/postgres", _with(_nothing)),
    ("db.connect db.query", "/postgres SELECT pg_database", _with(lambda connection: connection.fetch(CATALOG))),
    ("db.connect db.query", "/postgres SELECT pg_database", _with(lambda connection: connection.fetchval(CATALOG))),
    ("db.connect db.query", "/postgres SELECT pg_database", _with(lambda connection: connection.execute(CATALOG))),
    ("db.connect db.query", "/postgres SELECT pg_database", _with(_prepared)),
    ("db.connect db.query", "/postgres SELECT pg_catalog.pg_database", _with(_copied)),
    ("db.connect db.query", "/postgres SELECT pg_database", _pooled),
]
BAD = [
    _with(lambda connection: connection.fetch("SELECT 'CANARY'::int")),
    _with(lambda connection: connection.fetch("SELECT $1::int", "CANARY")),
    _with(lambda connection: connection.execute("SELECT * FROM missing WHERE a = 'CANARY'")),
    _refused,
]
