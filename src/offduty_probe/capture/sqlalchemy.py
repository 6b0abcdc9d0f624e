"""Databases through SQLAlchemy, by drivers that have no capture of their own; the others tell for themselves, in more detail."""

from __future__ import annotations

import sys

from offduty_probe.capture import CAPTURES
from offduty_probe.capture.dbapi import Database, at_server, counted, status_known
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

OTHER_NAMES = {
    "pysqlite": "sqlite3",
    "pysqlite_numeric": "sqlite3",
    "aiosqlite": "sqlite3",
    "psycopg_async": "psycopg",
    "aiomysql": "pymysql",
    "mysqlconnector": "mysql.connector",
}

CONNECT_ONLY = ("pyodbc",)  # their captures do not see statements: the dialect's are told, and its connecting stands for theirs


def install(record: Ledger) -> Callable[[], None]:
    """What a dialect has its driver do: connect and execute."""
    dialects = sys.modules["sqlalchemy.engine.default"].DefaultDialect
    patches = Patches(record)
    patches.wrap(dialects, "connect", _connected, failure=_failure)
    patches.wrap(dialects, ["do_execute", "do_executemany", "do_execute_no_params"], _queried, _counted, failure=_failure)
    return patches.undo


def _is_captured(dialect: Any) -> bool:
    driver = str(getattr(dialect, "driver", ""))
    return OTHER_NAMES.get(driver, driver) in CAPTURES and driver not in CONNECT_ONLY


def _connected(args: Any, kwargs: Any) -> Said | None:
    dialect = args[0]
    if _is_captured(dialect):
        return None
    name = kwargs.get("database") or kwargs.get("dbname") or kwargs.get("db")
    return at_server(dialect.name, dialect.name, kwargs.get("host") or kwargs.get("server"), kwargs.get("port"), name).connect()


def _queried(args: Any, kwargs: Any) -> Said | None:
    dialect, statement = args[0], argument(args, kwargs, 2, "statement")
    if _is_captured(dialect):
        return None
    url = getattr(getattr(getattr(args[-1], "root_connection", None), "engine", None), "url", None)
    if url is None:
        database = Database(dialect.name, f"{dialect.name}://")
    else:
        database = at_server(dialect.name, dialect.name, url.host, url.port, url.database)
    return database.query(statement)


def _counted(result: Any, args: Any, kwargs: Any) -> Known:
    return counted(result, args[1:], kwargs)


def _failure(error: Any) -> Known:
    """What drivers that are not known say may hold anything: only the first line, without what is quoted."""
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or getattr(error, "errno", None)
    return status_known(state, str(error))
