"""Databases through pyodbc: that they are connected to.

Its classes are written in C, can be neither changed nor derived from, and take no weak reference: what a bare cursor executes is not
seen. What SQLAlchemy or pandas has it execute is theirs to tell.
"""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import Database, at_server, status_known
from offduty_probe.capture.targets import path
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Known, Ledger, Said

# A word in the name of a driver, what OpenTelemetry calls the system, and the scheme of its addresses.
SYSTEMS: tuple[tuple[str, str, str], ...] = (
    ("sql server", "microsoft.sql_server", "mssql"),
    ("freetds", "microsoft.sql_server", "mssql"),
    ("postgres", "postgresql", "postgresql"),
    ("mysql", "mysql", "mysql"),
    ("maria", "mariadb", "mysql"),
    ("oracle", "oracle.db", "oracle"),
    ("snowflake", "snowflake", "snowflake"),
    ("db2", "ibm.db2", "db2"),
    ("sqlite", "sqlite", "sqlite"),
)


def install(record: Ledger) -> Callable[[], None]:
    """`connect`."""
    patches = Patches(record)
    patches.wrap(sys.modules["pyodbc"], "connect", _connected, failure=_failure)
    return patches.undo


def _connected(args: Any, kwargs: Any) -> Said:
    said = _parameters(str(argument(args, kwargs, 0, "connstring", "")))
    said.update({name.lower(): str(value) for name, value in kwargs.items() if value is not None})
    return _database(said).connect()


def _parameters(text: str) -> dict[str, str]:
    """`DRIVER={SQL Server};SERVER=tcp:dw,1433;UID=…`: names in small letters. A `;` within braces is part of a value."""
    found: dict[str, str] = {}
    while text:
        name, _, text = text.partition("=")
        value, _, text = text[1:].partition("}") if text.startswith("{") else text.partition(";")
        found[name.strip(" ;").lower()] = value.strip()
    return found


def _database(said: dict[str, str]) -> Database:
    driver = said.get("driver", "").lower()
    system, scheme = next(((system, scheme) for word, system, scheme in SYSTEMS if word in driver), ("other_sql", "odbc"))
    name = said.get("database") or said.get("dbq") or said.get("db") or ""
    if system == "sqlite":
        return Database("sqlite", f"sqlite://{path(name)}", {"db.namespace": path(name)})
    host, port = said.get("server") or said.get("servername") or said.get("host") or said.get("dsn", ""), said.get("port")
    host = host.partition(":")[2] if host.startswith(("tcp:", "np:", "lpc:")) else host
    host, _, behind_comma = host.partition(",")
    return at_server(system, scheme, host.strip(), behind_comma.strip() or port, name)


def _failure(error: Any) -> Known:
    """SQLSTATE and the message of the driver."""
    args: Any = getattr(error, "args", ())
    return status_known(args[0] if len(args) > 1 else None, str(args[-1] if args else error))
