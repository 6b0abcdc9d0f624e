"""MariaDB by mysql-connector: by its C extension where that can be loaded, and by its cursors in Python."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

LIBRARIES = ["mysql.connector"]
SERVERS = ["mariadb_port"]
NAMES = """mysql.connector.abstracts.MySQLConnectionAbstract.connect mysql.connector.cursor.MySQLCursor.execute
 mysql.connector.cursor.MySQLCursor.executemany""".split()
mariadb_port = 0
try:
    from mysql.connector import HAVE_CEXT
except ImportError:
    HAVE_CEXT = False
if HAVE_CEXT:
    NAMES += [f"mysql.connector.cursor_cext.{name}.execute" for name in ("CMySQLCursor", "CMySQLCursorPrepared")]


def prepare(folder: Path) -> None:
    """The statements make what they need."""


def _connection(port: int = 0, pure: bool = not HAVE_CEXT) -> Any:
    from mysql.connector import connect

    said = {"host": "127.0.0.1", "port": port or mariadb_port, "user": "root", "password": "CANARY", "database": "test"}
    return closing(connect(**said, use_pure=pure))


def _connect(folder: Path) -> None:
    with _connection():
        pass


def _ask(statement: str, *parameters: Any, pure: bool = not HAVE_CEXT, **kind: Any) -> Any:
    def call(folder: Path) -> Any:
        with _connection(pure=pure) as connection, closing(connection.cursor(**kind)) as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    return call


GOOD = [
    ("db.connect", "/test", _connect),
    ("db.connect db.query", "/test SELECT information_schema.schemata", _ask("SELECT 'CANARY' FROM information_schema.schemata LIMIT 1")),
    ("db.connect db.query", "/test SELECT", _ask("SELECT %s", "CANARY")),
    ("db.connect db.query", "/test SELECT", _ask("SELECT %s", "CANARY", pure=True)),
    ("db.connect db.query", "/test SELECT", _ask("SELECT %s", "CANARY", prepared=True)),
]
BAD = [_ask("SELECT * FROM missing WHERE a = 'CANARY'"), _ask("SELECT 1 FROM 'CANARY'"), lambda folder: _connection(1)]
