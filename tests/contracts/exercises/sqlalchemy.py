"""PostgreSQL by SQLAlchemy and pg8000, a driver without a capture of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["sqlalchemy", "pg8000"]
SERVERS = ["postgres_port"]
NAMES = [f"sqlalchemy.engine.default.DefaultDialect.{name}" for name in "connect do_execute do_executemany do_execute_no_params".split()]
postgres_port = 0
_engines: dict[Path, Any] = {}


def prepare(folder: Path) -> None:
    """An engine that has been used: at first SQLAlchemy asks the server who it is."""
    import sqlalchemy

    engine = _engines[folder] = sqlalchemy.create_engine(
        f"postgresql+pg8000://postgres:CANARY@127.0.0.1:{postgres_port}/postgres", poolclass=sqlalchemy.pool.NullPool
    )
    engine.connect().close()


def _connect(folder: Path) -> None:
    _engines[folder].connect().close()


def _ask(statement: str) -> Any:
    def call(folder: Path) -> Any:
        import sqlalchemy

        with _engines[folder].connect() as connection:
            return connection.execute(sqlalchemy.text(statement), {"a": "CANARY"}).fetchall()

    return call


GOOD = [
    ("db.connect", "/postgres", _connect),
    ("db.connect db.query", "/postgres SELECT pg_database", _ask("SELECT :a FROM pg_database WHERE datname <> 'CANARY' LIMIT 1")),
]
BAD = [_ask("SELECT * FROM missing WHERE a = :a"), _ask("SELECT CAST('CANARY' AS int) + CAST(:a AS int)")]
