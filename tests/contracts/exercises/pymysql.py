"""MariaDB by PyMySQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LIBRARIES = ["pymysql"]
SERVERS = ["mariadb_port"]
NAMES = "pymysql.connections.Connection.connect pymysql.cursors.Cursor.execute pymysql.cursors.Cursor.executemany".split()
mariadb_port = 0


def prepare(folder: Path) -> None:
    """The statements make what they need."""


def _connection() -> Any:
    import pymysql

    return pymysql.connect(host="127.0.0.1", port=mariadb_port, user="root", password="CANARY", database="test")


def _ask(statement: str, *parameters: Any) -> Any:
    def call(folder: Path) -> Any:
        with _connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    return call


GOOD = [
    ("db.connect", "/test", lambda folder: _connection().close()),
    ("db.connect db.query", "/test SELECT information_schema.schemata", _ask("SELECT 'CANARY' FROM information_schema.schemata LIMIT 1")),
    ("db.connect db.query", "/test SELECT", _ask("SELECT %s", "CANARY")),
]
BAD = [
    _ask("SELECT * FROM missing WHERE a = 'CANARY'"),
    _ask("SELECT 1 FROM 'CANARY'"),
    lambda folder: __import__("pymysql").connect(host="127.0.0.1", port=1, password="CANARY"),
]
