"""MySQL and MariaDB through PyMySQL."""

from __future__ import annotations

import sys

from offduty_probe.capture.dbapi import Beside, Database, at_server, counted
from offduty_probe.capture.mysql import failure
from offduty_probe.capture.wrapping import Patches, argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from offduty_probe.capture.ledger import Ledger, Said


def install(record: Ledger) -> Callable[[], None]:
    """`connect`, also when it happens again by itself, and what cursors execute."""
    connections, cursors = sys.modules["pymysql.connections"], sys.modules["pymysql.cursors"]
    databases = Beside()

    def queried(args: Any, kwargs: Any) -> Said:
        connection = args[0].connection
        database = databases.get(connection) or databases.put(connection, _database(connection))
        said: Said = database.query(argument(args, kwargs, 1, "query"))
        return said

    patches = Patches(record)
    patches.wrap(connections.Connection, "connect", lambda args, kwargs: _database(args[0]).connect(), failure=failure)
    patches.wrap(cursors.Cursor, ["execute", "executemany"], queried, counted, failure=failure)
    if record.drill is not None:
        from offduty_probe.rollback import hold_commits, refuse_procedures

        hold_commits(patches, connections.Connection, "pymysql")
        refuse_procedures(patches, cursors.Cursor)
    patches.undos.append(databases.kept.clear)
    return patches.undo


def _database(connection: Any) -> Database:
    socket = connection.unix_socket
    return at_server("mysql", "mysql", socket or connection.host, None if socket else connection.port, connection.db)
