"""PostgreSQL by psycopg2."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

LIBRARIES = ["psycopg2"]
SERVERS = ["postgres_port"]
NAMES = ["psycopg2.connect"]
postgres_port = 0


def prepare(folder: Path) -> None:
    """The statements make what they need."""


def _connection() -> Any:
    import psycopg2

    return closing(psycopg2.connect(host="127.0.0.1", port=postgres_port, user="postgres", password="CANARY", dbname="postgres"))


def _connect(folder: Path) -> None:
    with _connection():
        pass


def _ask(statement: str, *parameters: Any) -> Any:
    def call(folder: Path) -> Any:
        with _connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    return call


GOOD = [
    ("db.connect", "/postgres", _connect),
    ("db.connect db.query", "/postgres SELECT pg_database", _ask("SELECT 'CANARY' FROM pg_database LIMIT 1")),
    ("db.connect db.query", "/postgres SELECT", _ask("SELECT %s", "CANARY")),
]
BAD = [
    _ask("SELECT 'CANARY'::int"),
    _ask("SELECT * FROM missing WHERE a = 'CANARY'"),
    lambda folder: __import__("psycopg2").connect("host=127.0.0.1 port=1 password=CANARY"),
]
