"""MySQL and MariaDB through mysql-connector: its cursors in Python, and those over its C extension."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import at_server, counted
from offduty_probe.capture.mysql import failure
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Ledger, Said

CURSORS = (
    ("cursor", "MySQLCursor"),
    ("cursor", "MySQLCursorPrepared"),
    ("cursor_cext", "CMySQLCursor"),
    ("cursor_cext", "CMySQLCursorPrepared"),
)


def install(record: Ledger) -> Callable[[], None]:
    """`connect` of connections, and what cursors execute."""
    connections = sys.modules["mysql.connector.abstracts"].MySQLConnectionAbstract
    patches = Patches(record)
    patches.wrap(connections, "connect", _connected, failure=failure)
    for place, name in CURSORS:
        owner = getattr(sys.modules.get(f"mysql.connector.{place}"), name, None)  # the C extension cannot be loaded everywhere
        if owner is not None:
            patches.wrap(owner, [name for name in ("execute", "executemany") if name in vars(owner)], _queried, counted, failure=failure)
    if record.drill is not None:
        _hold(patches)
    return patches.undo


def _hold(patches: Patches) -> None:
    from offduty_probe.rollback import hold_commits, refuse_procedures

    for place, name in CURSORS:
        refuse_procedures(patches, getattr(sys.modules.get(f"mysql.connector.{place}"), name, None))
    for place, name in (("connection", "MySQLConnection"), ("connection_cext", "CMySQLConnection")):
        owner = getattr(sys.modules.get(f"mysql.connector.{place}"), name, None)
        if owner is not None:
            hold_commits(patches, owner, "mysql")


def _connected(args: Any, kwargs: Any) -> Said:
    name = kwargs.get("database") or kwargs.get("db")
    socket = kwargs.get("unix_socket")
    host = socket or kwargs.get("host") or "127.0.0.1"
    return at_server("mysql", "mysql", host, None if socket else kwargs.get("port") or 3306, name).connect()


def _queried(args: Any, kwargs: Any) -> Said:
    connection = args[0]._connection  # noqa: SLF001  # there is no other way to it
    socket = connection.unix_socket
    database = at_server(
        "mysql", "mysql", socket or connection.server_host, None if socket else connection.server_port, _name_of(connection)
    )
    said: Said = database.query(argument(args, kwargs, 1, "operation"))
    return said


def _name_of(connection: Any) -> Any:
    """Not `connection.database`, which asks the server."""
    return getattr(connection, "_database", "")
